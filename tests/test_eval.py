import json
from pathlib import Path

import pytest
from conftest import CORPUS, ROOT

from assistant.errors import SettingsError
from assistant.load import CATALOG, load, read_text
from assistant.text import normalise
from eval.run import TESTSET, holds, read_testset, summarise


@pytest.mark.parametrize(
    ("fact", "text", "held"),
    [
        ("16", "共16家", True),
        ("16", "2016年", False),
        ("16", "16.5亿元", False),
        ("16", "3.16", False),
        ("3家市级|3个市级", "3 个市级", True),
        ("5000亿", "五千亿元", True),
        ("园区", "園區", True),
        ("嘉府规〔2023〕1号", "嘉府规[2023]1号", True),
        ("嘉府规〔2023〕1号", "嘉府规〔2023〕11号", False),
    ],
)
def test_a_fact_counts_only_whole(fact: str, text: str, held: bool) -> None:
    assert holds(fact, text) is held


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "set.jsonl"
    good = {"id": "1", "question": "？", "answerable": False, "key_facts": [], "docs": [], "category": "c"}
    file.write_text("\ufeff" + json.dumps(good) + '\n{"id": "2"}\n', encoding="utf-8")
    with pytest.raises(SettingsError, match="第2行"):
        read_testset(file)
    file.write_text("\ufeff" + json.dumps(good), encoding="utf-8")
    assert [question.id for question in read_testset(file)] == ["1"]
    file.write_text("\n")
    with pytest.raises(SettingsError, match="空的"):
        read_testset(file)


def test_the_figures_are_those_worked_out_by_hand() -> None:
    base = {
        "has_docs": True,
        "citations": 2,
        "valid_citations": 2,
        "unsupported": [],
        "answer": "四个字。",
        "latency_ms": 10.0,
    }
    rows = [
        {**base, "answerable": True, "status": "answered", "missing": [], "rank": 1},
        {**base, "answerable": True, "status": "answered", "missing": ["x"], "rank": 4, "valid_citations": 1},
        {**base, "answerable": True, "status": "abstained", "missing": [], "rank": None, "answer": "", "citations": 0, "valid_citations": 0},
        {**base, "answerable": False, "status": "answered", "missing": [], "rank": None, "has_docs": False, "unsupported": ["5"]},
        {**base, "answerable": False, "status": "abstained", "missing": [], "rank": None, "has_docs": False, "citations": 0, "valid_citations": 0},
    ]  # fmt: skip
    figures = summarise(rows)
    assert figures["recall@1"] == pytest.approx(1 / 3) and figures["recall@5"] == pytest.approx(2 / 3)
    assert figures["mrr"] == pytest.approx((1 + 1 / 4 + 0) / 3)
    assert figures["all_facts"] == figures["false_refusals"] == pytest.approx(1 / 3)  # refusing scores nothing
    assert figures["false_answers"] == 0.5
    assert figures["valid_citations"] == pytest.approx(5 / 6) and figures["figures_supported"] == pytest.approx(2 / 3)


@pytest.mark.parametrize("file", [TESTSET, ROOT / "eval" / "heldout.jsonl"])
def test_every_key_fact_stands_in_a_document_it_names(file: Path) -> None:
    """The test sets are held to the corpus, so that a wrong fact cannot count against the assistant."""
    documents = {document.id: document for document in load(CORPUS).documents}
    rows = {line.split(".md,")[0]: line for line in read_text(CORPUS / CATALOG).splitlines()}
    questions = read_testset(file)
    assert len({question.id for question in questions}) == len(questions)
    for question in questions:
        assert set(question.docs) <= documents.keys(), question.id
        assert question.answerable == bool(question.key_facts) and (question.docs or not question.answerable), (
            question.id
        )
        text = normalise(" ".join(documents[key].title + documents[key].text + rows[key] for key in question.docs))
        wrong = [
            fact
            for fact in question.key_facts
            if not any(holds(part, text) or part in text for part in fact.split("|"))
        ]
        assert not wrong, (question.id, wrong)
