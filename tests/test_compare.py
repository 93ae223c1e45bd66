import json
from pathlib import Path
from typing import Any

import pytest
from conftest import TODAY
from hypothesis import given
from hypothesis import strategies as st
from test_eval import REFUSED, scored

from assistant.errors import SettingsError
from assistant.pipeline import Assistant
from eval.compare import compare, comparison_text, read_run
from eval.metrics import risk_coverage
from eval.report import report
from eval.run import evaluate, summarise
from eval.testset import TestQuestion


def run(*rows: dict[str, Any], **setup: Any) -> dict[str, Any]:
    numbered = [{**row, "id": str(at)} for at, row in enumerate(rows)]
    given = {"as_of": "2026-11-24", "commit": "abc", "generation": "g", "documents": 3, "passages": 9, "embedding": "e", "testset": "t", "chat_model": "", "without": [], **setup}  # fmt: skip
    return {"setup": given, "overall": summarise(numbered), "categories": {"area": summarise(numbered)}, "risk_coverage": risk_coverage(numbered), "questions": numbered}  # fmt: skip


RIGHT, WRONG, FALSE = scored(), scored(missing=["2.15"]), scored(answerable=False, key_facts=[])


def test_each_question_is_fixed_broken_reworded_or_the_same() -> None:
    before = run(RIGHT, WRONG, RIGHT, FALSE, RIGHT)
    after = run(WRONG, RIGHT, {**RIGHT, "answer": "换句话"}, {**FALSE, **REFUSED}, RIGHT)
    found = compare(before, after)
    assert [new["id"] for _, new in found.broken] == ["0"]
    assert [new["id"] for _, new in found.fixed] == ["1", "3"]
    assert [new["id"] for _, new in found.reworded] == ["2"] and found.same == 1


@given(st.lists(st.sampled_from([RIGHT, WRONG, FALSE, {**FALSE, **REFUSED}]), min_size=1, max_size=30))
def test_a_run_compared_with_itself_is_never_stopped(rows: list[dict[str, Any]]) -> None:
    found = compare(run(*rows), run(*rows))
    assert not (found.fixed or found.broken or found.reworded or found.against)
    assert all(one.before == one.after and one.low == one.high == 0 for one in found.differences)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"unmarked": ["old"], "stale": 1}, "时效错误变多"),
        ({"valid_citations": 0}, "引文与资料不符"),
        ({"unsupported": ["5000"]}, "没有依据"),
        ({"supported": [False]}, "引文不支持"),
        ({"forbidden": ["25家"]}, "不该说的"),
        ({"missing": ["2.15"]}, "改坏的题多于改好的"),
    ],
)
def test_what_must_never_get_worse_stops_a_run(changed: dict[str, Any], reason: str) -> None:
    found = compare(run(RIGHT, RIGHT), run(RIGHT, {**RIGHT, **changed}))
    assert any(reason in line for line in found.against)
    assert "不能上线" in comparison_text(found)


def test_a_loss_within_a_chat_models_noise_does_not_stop_it() -> None:
    before, after = [RIGHT] * 30, [RIGHT] * 28 + [WRONG] * 2
    assert compare(run(*before), run(*after)).against
    noisy = compare(run(*before, chat_model="qwen3"), run(*after, chat_model="qwen3"))
    assert not any("改坏" in line for line in noisy.against)
    many = compare(run(*before, chat_model="qwen3"), run(*[RIGHT] * 20 + [WRONG] * 10, chat_model="qwen3"))
    assert any("显著" in line for line in many.against)


def test_a_run_with_fewer_questions_is_stopped_and_one_with_others_refused() -> None:
    assert any("少了 1 题" in line for line in compare(run(RIGHT, RIGHT), run(RIGHT)).against)
    other = run(RIGHT)
    other["questions"][0]["id"] = "x"
    with pytest.raises(SettingsError, match="没有相同的题"):
        compare(run(RIGHT), other)


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    for file in (tmp_path / "x.json", tmp_path / "none.json"):
        with pytest.raises(SettingsError, match="不是评测结果"):
            read_run(file)


def test_a_report_is_one_page_that_loads_nothing_and_escapes_what_it_shows(small: Assistant) -> None:
    question = TestQuestion("q1", "氢能港规划面积多大？<script>alert(1)</script>", True, ("9.99",), ("port",), "area")
    result = json.loads(json.dumps(evaluate(small, [question], TODAY.as_of)))
    page = report(result, compare(result, result))
    assert "<script" not in page and "&lt;script&gt;" in page and "9.99" in page
    assert not any(mark in page for mark in ("http://", "https://", "src=", "@import", "url("))
    assert page.count("<svg") == 3 and "可以上线" in page
