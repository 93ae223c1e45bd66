import json
import re
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
from eval.names import COLUMNS, GROUPS, PLAIN
from eval.report import bars, report
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


def cited(*texts: str, document: str = "port") -> list[dict[str, Any]]:
    return [{"text": text, "citations": [{"document_id": document}]} for text in texts]


def said(text: str, *warnings: tuple[str, str], document: str = "port", **changes: Any) -> dict[str, Any]:
    """A right answer that quotes one document, with warnings as (kind, document)."""
    return scored(
        answer=text, sources=[document], statements=cited(text, document=document), notices=[f"{kind}: 提醒" for kind, _ in warnings],
        about=[about for _, about in warnings], **changes,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "lost"),
    [
        ([("draft", "port")], [("unverified", "port")], "征求意见 port"),
        ([("unverified", "port")], [], "未核实 port"),
        ([("target", "port")], [("target", "grant")], "目标 port"),
        ([("period", "")], [], "年份"),
        ([("corrected", ""), ("conflict", "")], [("corrected", "")], "说法不同"),
        ([("unverified", "port")], [("expired", "port")], ""),  # more is said than before
        ([("expired", "port")], [("superseded", "port")], ""),
        ([("contact", "port"), ("nearest", "grant"), ("period", "grant")], [], ""),  # no warnings
        ([("expired", "grant")], [], ""),  # of a document that is not quoted
    ],
)
def test_a_warning_that_is_gone_while_the_words_are_still_given_stops_a_run(
    before: list[tuple[str, str]], after: list[tuple[str, str]], lost: str
) -> None:
    found = compare(run(said("2.15平方公里", *before)), run(said("2.15平方公里", *after)))
    assert found.against == ((f"说的还是原来的话，提醒却没有了：0（{lost}）",) if lost else ())


def test_a_warning_that_goes_with_its_document_or_its_words_is_not_missed() -> None:
    before = run(said("旧办法", ("expired", "old"), document="old"), said("目标500亿", ("target", "port")))
    assert not compare(before, run(said("新办法", document="new"), said("2.15平方公里"))).against
    kept = {**said("目标500亿"), "statements": cited("2.15平方公里", "目标500亿")}
    assert compare(before, run(said("新办法", document="new"), kept)).against


def test_other_figures_from_an_amended_document_stop_a_run_until_it_is_named() -> None:
    before = {**run(said("最高30万元"), said("信用良好")), "documents": {"port": "a"}}
    after = {**run(said("最高50万元"), said("信用优良")), "documents": {"port": "b"}}
    (reason,) = compare(before, after).against
    assert "请核对" in reason and "port（0）" in reason
    for accepted in ("port", "0"):
        assert not compare(before, after, [accepted]).against
    assert not compare(before, {**after, "documents": {"port": "a"}}).against  # another sentence of the same document
    before, after = run(said("有奖励", ("draft", "port"))), run(said("有奖励"))
    assert compare(before, after).against and not compare(before, after, ["port"]).against


def test_runs_of_an_older_program_can_be_compared() -> None:
    old = said("最高30万元", ("draft", "port"))
    del old["statements"], old["about"]
    assert not compare(run(old), {**run(said("最高50万元")), "documents": {"port": "b"}}).against


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


def test_a_report_names_categories_in_chinese_and_no_figure_is_cut_off() -> None:
    rows = [{**RIGHT, "category": "unanswerable_near_miss"}] * 1000 + [{**WRONG, "category": "area"}]
    drawn = bars(rows)
    assert "资料差一点" in drawn and "area" in drawn
    width = int(re.search(r'width="(\d+)" role', drawn)[1])  # type: ignore[index]
    starts = [(float(x), text) for x, text in re.findall(r'<text x="([\d.]+)" y="\d+">([^<]+)', drawn)]
    assert len(starts) == 2 and all(
        x + sum(12 if ord(letter) > 255 else 8 for letter in text) <= width for x, text in starts
    )
    assert list(GROUPS) == [
        name for name in GROUPS if f"<h3>{name}" in report(run(RIGHT, FALSE, {**RIGHT, "group": "g"}))
    ]
    assert sorted(key for keys in GROUPS.values() for key in keys) == sorted(COLUMNS)
    assert sorted(PLAIN) == sorted(set(COLUMNS) - {"questions"})
