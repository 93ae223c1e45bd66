import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROWS, write_corpus
from hypothesis import given
from hypothesis import strategies as st

from assistant.history import History, differences
from assistant.ingest import Report
from assistant.schema import Document, Metadata

Run = Callable[[Path, Path], Report]


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "index"


def kinds(index: Path, document_id: str) -> list[str]:
    return [event.kind for event in History(index).events(document_id)]


def amend(corpus: Path, name: str, old: str, new: str) -> None:
    file = corpus / "documents" / name
    file.write_text(file.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_former_versions_are_kept_and_can_be_restored(corpus: Path, index: Path, run_ingest: Run) -> None:
    run_ingest(corpus, index)
    original = (corpus / "documents" / "port.md").read_text(encoding="utf-8")
    amend(corpus, "port.md", "2.15", "3.5")
    run_ingest(corpus, index)
    (event, first) = History(index).events("port")
    assert (event.kind, first.kind) == ("changed", "added") and event.former and first.former is None
    (corpus / "documents" / "port.md").write_text(event.former.text, encoding="utf-8")
    assert event.former.text == original
    run_ingest(corpus, index)
    assert kinds(index, "port") == ["changed", "changed", "added"]


def test_a_document_is_withdrawn_and_restored_in_the_catalogue(corpus: Path, index: Path, run_ingest: Run) -> None:
    """The file stays where it is; the reason in its row keeps it out of every answer."""
    run_ingest(corpus, index)
    write_corpus(corpus, {}, {**ROWS, "port.md": {**ROWS["port.md"], "withdrawn": "数字有误，核实中"}})
    report = run_ingest(corpus, index)
    assert report.update.removed == 1 and not report.problems
    write_corpus(corpus, {}, ROWS)
    assert run_ingest(corpus, index).update.added == 1
    assert kinds(index, "port") == ["added", "withdrawn", "added"]
    assert not History(index).events("port")[0].former


def test_nothing_is_recorded_for_a_generation_that_never_came_into_service(
    corpus: Path, index: Path, run_ingest: Run
) -> None:
    run_ingest(corpus, index)
    before = History(index).events()
    History(index).record("never", [("x", "某资料")], [Document("port", "旧", "旧文")], [])
    run_ingest(corpus, index)
    assert History(index).events() == before


def test_a_difference_marks_the_words_that_changed() -> None:
    old = Document(
        "a", "扶持办法", "最高奖励30万元。\n\n每年4月申报。\n\n解释权归区经委。\n", Metadata(valid_to="2025-05-31")
    )
    new = Document("a", "扶持办法", "最高奖励50万元。\n\n每年4月申报。\n", Metadata(valid_to="2026-05-31"))
    assert differences(old, new) == [
        "失效日：2025-05-31 → 2026-05-31",
        "  最高奖励〔-30-〕〔+50+〕万元。",
        "- 解释权归区经委。",
    ]
    assert differences(new, new) == []


@given(*[st.lists(st.sampled_from(["奖励30万元。", "奖励50万元。", "每年4月申报。", ""]), max_size=6)] * 2)
def test_a_difference_accounts_for_every_paragraph(old: list[str], new: list[str]) -> None:
    """Taking the marks one way gives the old paragraphs that changed, the other way the new ones."""
    found = differences(*(Document("a", "题", "\n".join(lines)) for lines in (old, new)))
    gone = [re.sub(r"〔\+.*?\+〕|〔-|-〕", "", line[2:]) for line in found if line[:2] != "+ "]
    come = [re.sub(r"〔-.*?-〕|〔\+|\+〕", "", line[2:]) for line in found if line[:2] != "- "]
    before, after = (Counter(line for line in lines if line) for lines in (old, new))
    assert before - Counter(gone) + Counter(come) == after and not Counter(gone) - before
    assert bool(found) == ([line for line in old if line] != [line for line in new if line])


def test_a_history_survives_a_rebuild(corpus: Path, index: Path, run_ingest: Run) -> None:
    manifest = run_ingest(corpus, index).update.manifest
    (index / manifest.generation / "manifest.json").write_text(json.dumps({}))
    run_ingest(corpus, index)
    assert kinds(index, "port") == ["added"]
