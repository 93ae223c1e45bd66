import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import ROWS, TODAY, write_corpus

from assistant.config import Settings
from assistant.errors import CorpusError
from assistant.history import History
from assistant.index import Index
from assistant.ingest import Report
from assistant.load import load
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.report import CHANGED, WITHDRAWN, coverage, coverage_text, impact, read_entries

Run = Callable[[Path, Path], Report]
DAY = date(2026, 11, 24)


def test_coverage_counts_each_document_by_each_name(small: Assistant) -> None:
    topics = [("氢能", ("氢能",)), ("绿色", ("绿色", "工厂")), ("人才", ("人才",))]
    found = coverage(small.index, DAY, topics)
    assert found.counts["主题"] == {"氢能": 1, "绿色": 1, "人才": 0, "其他": 1}
    assert all(sum(counts.values()) == found.documents for name, counts in found.counts.items() if name in ("类型", "级别", "发布年份"))  # fmt: skip
    assert found.counts["状态"] == {"已失效": 1, "征求意见": 1, "未核对": 1}
    assert found.unverified == (("测试区氢能港规划", "没有写明有效期"),)


@pytest.mark.parametrize(
    ("day", "soon"),
    [
        (date(2025, 3, 2), True),  # 90 days before the last day
        (date(2025, 3, 1), False),
        (date(2025, 5, 31), True),  # the last day itself
        (date(2025, 6, 1), False),
    ],
)
def test_what_runs_out_within_90_days_is_told(small: Assistant, day: date, soon: bool) -> None:
    found = coverage(small.index, day)
    assert found.expiring == ((("测试区特色园区扶持办法", "2025-05-31"),) if soon else ())
    assert ("2025年5月31日" in coverage_text(found)) == soon


def test_questions_without_an_answer_are_counted(small: Assistant) -> None:
    asked = ("氢能港规划面积多大？", "地铁几点开？", "地铁几点开？")
    found = coverage(small.index, DAY, (), [small.ask(question, filters=TODAY).to_dict() for question in asked])
    assert found.unanswered == (("地铁几点开？", 2),)


@pytest.fixture
def saved(corpus: Path, tmp_path: Path, run_ingest: Run) -> Path:
    """Answers given before anything changed."""
    run_ingest(corpus, tmp_path / "index")
    assistant = load_assistant(Settings(index=tmp_path / "index"))
    file = tmp_path / "saved.jsonl"
    questions = {"port": "氢能港规划面积多大？", "grant": "首次认定奖励多少？"}
    file.write_text(
        "".join(
            json.dumps({"id": key, **assistant.ask(question, filters=TODAY).to_dict()}, ensure_ascii=False) + "\n"
            for key, question in questions.items()
        ),
        encoding="utf-8",
    )
    assistant.close()
    return file


def affected(saved: Path, since: date = DAY, as_of: date = DAY) -> dict[str, str]:
    folder = saved.parent / "index"
    index = Index.open(folder)
    found = {one.id: one.reason for one in impact(read_entries(saved), index, History(folder), since, as_of)}
    index.close()
    return found


def test_a_change_elsewhere_concerns_no_answer(saved: Path, corpus: Path, run_ingest: Run) -> None:
    assert affected(saved) == {}
    port = corpus / "documents" / "port.md"
    port.write_text(port.read_text(encoding="utf-8").replace("500亿元", "600亿元"), encoding="utf-8")
    run_ingest(corpus, saved.parent / "index")
    assert affected(saved) == {}  # the sentence it quotes still stands


def test_an_amended_quote_concerns_its_answer(saved: Path, corpus: Path, run_ingest: Run) -> None:
    port = corpus / "documents" / "port.md"
    port.write_text(port.read_text(encoding="utf-8").replace("2.15", "3.5"), encoding="utf-8")
    run_ingest(corpus, saved.parent / "index")
    assert affected(saved) == {"port": CHANGED}


def test_withdrawal_and_repeal_concern_their_answers(saved: Path, corpus: Path, run_ingest: Run) -> None:
    rows = {
        **ROWS,
        "port.md": {**ROWS["port.md"], "withdrawn": "有误"},
        "grant.md": {**ROWS["grant.md"], "valid_to": "2030-12-31"},
    }
    write_corpus(corpus, {}, rows)
    run_ingest(corpus, saved.parent / "index")
    assert affected(saved)["port"] == WITHDRAWN
    rows["new.md"] = {"title": "新办法", "doc_type": "policy", "published": "2027-01-01", "valid_from": "2027-02-01", "supersedes": "grant.md"}  # fmt: skip
    write_corpus(corpus, {"new.md": "首次认定奖励60万元。\n"}, rows)
    run_ingest(corpus, saved.parent / "index")
    assert "grant" not in affected(saved, as_of=date(2027, 1, 31))
    assert affected(saved, as_of=date(2027, 2, 1))["grant"] == "已被《新办法》替代"


def test_a_test_question_is_compared_with_a_day(saved: Path, corpus: Path, run_ingest: Run) -> None:
    tests = saved.parent / "tests.jsonl"
    tests.write_text('{"id": "q1", "question": "奖励多少？", "docs": ["grant"]}\n{"id": "q2", "question": "面积？", "docs": ["port"]}\n', encoding="utf-8")  # fmt: skip
    index = saved.parent / "index"
    opened = Index.open(index)
    found = impact(read_entries(tests), opened, History(index), date(2025, 5, 1), date(2025, 6, 1))
    assert [(one.id, one.reason) for one in found] == [("q1", "2025年5月31日到期")]
    opened.close()


@pytest.mark.parametrize("line", ["{", "[]", '{"question": "?"}', '{"question": 1, "docs": []}'])
def test_what_is_neither_answer_nor_question_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(f"\n{line}\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="第2行"):
        read_entries(file)


def test_the_shipped_topics_are_no_document() -> None:
    assert "topics" not in {document.id for document in load(Path(__file__).parent.parent / "corpus").documents}
