import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from math import log2
from pathlib import Path
from typing import Any

import pytest
from conftest import CORPUS, TODAY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook

from assistant.errors import SettingsError
from assistant.load import load
from assistant.pipeline import Assistant
from assistant.schema import Turn
from eval.external import line, summary
from eval.grounding import STATEMENTS, read_statements, withheld
from eval.metrics import area_under, calibration_error, risk_coverage
from eval.names import CATEGORIES
from eval.reading import contains, rgb_documents, rouge_l
from eval.run import evaluate, risk_table, summarise
from eval.testset import TESTSET, TestQuestion, faults, holds, read_testset, write_testset

ENTRY = {
    "id": "a",
    "question": "氢能港多大？",
    "answerable": True,
    "key_facts": ["2.15"],
    "docs": ["port"],
    "category": "area",
}
# What the answerable questions say of the corpus itself, not of a document: that something is not in it.
ABSENCE = ("没有", "未", "不")


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("16", "共有16家"),
        ("16", "共有十六家"),  # a Chinese numeral
        ("5000亿", "总营收超过五千亿元"),
        ("5000亿元", "总营收 5000 亿元"),  # spaces in the text
        ("2 + 2 + 1", "“2+2+1”产业集群"),  # and in the fact
        ("3家市级|市级3", "其中市级3家"),  # the second spelling
        ("2023年8月22日", "２０２３年８月２２日"),  # full-width
        ("三港两园", "三港兩園"),  # traditional
        ("16.5", "增长16.5%"),
        ("16", "家数是16。"),  # a full stop is no decimal point
        ("16", "16.0平方公里与16家"),  # the second occurrence is whole
    ],
)
def test_a_fact_is_held(fact: str, text: str) -> None:
    assert holds(fact, text)


@pytest.mark.parametrize(
    ("fact", "text"),
    [
        ("16", "2016年"),  # the end of a longer figure
        ("16", "160家"),
        ("16", "16.5平方公里"),
        ("16", "3.16平方公里"),
        ("1.5", "11.5亿元"),
        ("3家市级|市级3", "其中市级13家、区级3家"),
        ("5000亿", "5000万"),
        ("三港两园", "三港一园"),
        ("16", ""),
    ],
)
def test_a_fact_is_not_held(fact: str, text: str) -> None:
    assert not holds(fact, text)


@given(st.integers(1, 99999), st.integers(1, 99999))
def test_a_figure_is_held_only_whole(fact: int, figure: int) -> None:
    assert holds(str(fact), f"共有{figure}家") is (fact == figure)


def write(file: Path, *lines: object, encoding: str = "utf-8") -> Path:
    written = (line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    file.write_text("\n".join(written), encoding=encoding)
    return file


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        "5",
        {key: value for key, value in ENTRY.items() if key != "docs"},
        {key: value for key, value in ENTRY.items() if key != "category"},
        {**ENTRY, "key_facts": None},
        {**ENTRY, "history": [{"role": "user"}]},
    ],
    ids=str,
)
def test_a_bad_line_of_a_test_set_is_named(tmp_path: Path, line: object) -> None:
    with pytest.raises(SettingsError, match=r"t\.jsonl 第3行"):
        read_testset(write(tmp_path / "t.jsonl", ENTRY, "", line))


def test_a_test_set_that_is_empty_missing_or_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.jsonl").write_bytes(bytes(range(256)) * 20)
    for file in (write(tmp_path / "empty.jsonl", "", " "), tmp_path / "none.jsonl", tmp_path / "binary.jsonl"):
        with pytest.raises(SettingsError, match=file.name):
            read_testset(file)


def test_a_test_set_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    history = [{"role": "user", "content": "氢能港在哪里？"}]
    (plain, later) = read_testset(
        write(tmp_path / "t.jsonl", ENTRY, {**ENTRY, "id": "b", "history": history}, encoding="utf-8-sig")
    )
    assert plain == TestQuestion("a", "氢能港多大？", True, ("2.15",), ("port",), "area")
    assert (later.id, later.history) == ("b", (Turn("user", "氢能港在哪里？"),))


WORDS = st.text("嘉定园区2.15|；", min_size=1, max_size=8).map(lambda text: f"事{text}")
QUESTIONS = st.builds(
    TestQuestion,
    WORDS, WORDS, st.booleans(), st.lists(WORDS, max_size=2).map(tuple), st.lists(WORDS, max_size=2).map(tuple), WORDS,
    history=st.one_of(st.just(()), st.tuples(st.builds(Turn, st.just("user"), WORDS), st.builds(Turn, st.just("assistant"), WORDS))),
    as_of=st.one_of(st.none(), st.dates(date(2019, 1, 1), date(2030, 1, 1))),
    stale=st.lists(st.tuples(WORDS, st.just("draft")), max_size=2).map(tuple),
    must_not_say=st.lists(WORDS, max_size=2).map(tuple), group=st.one_of(st.just(""), WORDS), note=st.one_of(st.just(""), WORDS),
)  # fmt: skip


@pytest.mark.parametrize("suffix", [".jsonl", ".xlsx"])
@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(questions=st.lists(QUESTIONS, min_size=1, max_size=3))
def test_a_test_set_is_read_as_it_was_written(tmp_path: Path, suffix: str, questions: list[TestQuestion]) -> None:
    file = tmp_path / f"t{suffix}"
    write_testset(questions, file)
    assert read_testset(file) == questions


def test_an_excel_row_that_is_wrong_is_named(tmp_path: Path) -> None:
    file = tmp_path / "t.xlsx"
    write_testset([TestQuestion("a", "多大？", True, ("2.15",), ("port",), "area")], file)
    book = load_workbook(file)
    book.active["D2"] = "也许"
    book.save(file)
    book.close()
    with pytest.raises(SettingsError, match=r"t\.xlsx 第2行"):
        read_testset(file)
    file.write_bytes(b"PK\x03\x04")
    with pytest.raises(SettingsError, match="Excel"):
        read_testset(file)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({}, ""),
        ({"docs": ["nowhere"]}, "“nowhere”不在资料库里"),
        ({"key_facts": ["9.99"]}, "要点“9.99”不在所列资料里"),
        ({"key_facts": []}, "可回答的题要有要点"),
        ({"answerable": False}, "不可回答的题不应有要点"),
        ({"stale": [{"document": "port", "state": "old"}]}, "时效“old”"),
        ({"values": [{"fact": "500亿", "documents": ["grant"]}]}, "“500亿”不在资料“grant”里"),
        ({"history": [{"role": "assistant", "content": "好"}]}, "一问一答"),
    ],
)
def test_a_program_checks_a_test_set_against_the_documents(
    small: Assistant, tmp_path: Path, changes: dict[str, Any], fault: str
) -> None:
    documents = {document.id: document for document in small.index.documents()}
    found = faults(read_testset(write(tmp_path / "t.jsonl", {**ENTRY, **changes})), documents)
    assert bool(found) == bool(fault) and all(fault in line for line in found)
    twice = read_testset(write(tmp_path / "t.jsonl", ENTRY, ENTRY))
    assert faults(twice, documents) == ["a：编号重复"]


def scored(**changes: Any) -> dict[str, Any]:
    """A question that was answered rightly, but for the changes."""
    return {
        "id": "q", "answerable": True, "status": "answered", "answer": "四个汉字", "key_facts": ["2.15"], "missing": [], "forbidden": [],
        "group": "", "docs": ["port"], "ranked": ["port"], "citations": 1, "valid_citations": 1, "supported": [True], "precise": [True],
        "unsupported": [], "confidence": 0.9, "latency_ms": 10.0, "answer_ms": 5.0, "stale": 0, "unmarked": [], "values": [], "sources": [],
        "question": "", "category": "area", "notices": [],
        **changes,
    }  # fmt: skip


REFUSED: dict[str, Any] = {
    "status": "abstained", "answer": "", "citations": 0, "valid_citations": 0, "supported": [], "precise": []
}  # fmt: skip


def test_the_metrics_are_those_computed_by_hand() -> None:
    rows = [
        scored(stale=1, values=[True, True]),
        scored(
            stale=2, unmarked=["old"], values=[True, False], ranked=["a", "b", "c", "port"], key_facts=["2.15", "安亭"],
            missing=["2.15"], answer="八个汉字八个汉字", citations=3, valid_citations=1, latency_ms=20.0,
            supported=[True, False], precise=[True, False, False],
        ),
        scored(**REFUSED, ranked=[], missing=["2.15"], latency_ms=30.0),  # a refusal
        scored(docs=[], unsupported=["5000"], forbidden=["25家"], latency_ms=40.0),  # counts in no recall, and is not right
        scored(answerable=False, key_facts=[], latency_ms=50.0),  # a false answer
        scored(answerable=False, key_facts=[], **REFUSED, latency_ms=60.0),
        scored(answerable=False, key_facts=[], **REFUSED, latency_ms=70.0),
    ]  # fmt: skip
    found = summarise(rows)
    intervals = found.pop("intervals")
    assert found == {
        "questions": 7,
        "recall@1": pytest.approx(1 / 3),
        "recall@5": pytest.approx(2 / 3),
        "recall@10": pytest.approx(2 / 3),
        "mrr": pytest.approx((1 + 1 / 4 + 0) / 3),
        "ndcg@10": pytest.approx((1 + 1 / log2(5) + 0) / 3),
        "all_facts": 1 / 4,
        "facts": 3 / 5,
        "number_facts": 2 / 4,
        "false_refusals": 1 / 4,
        "false_answers": pytest.approx(1 / 3),
        "citation_recall": 4 / 5,
        "citation_precision": 4 / 6,
        "valid_citations": 4 / 6,
        "figures_supported": 3 / 4,
        "validity_errors": 1,
        "forbidden": 1,
        "values_shown": 1 / 2,
        "consistency": None,
        "mean_risk": pytest.approx(3 / 4),  # all four answers have one confidence: three of them are wrong
        "calibration_error": pytest.approx(0.9 - 1 / 4),
        "length_chars": (4 + 8 + 4 + 4) / 4,
        "latency_p50_ms": 40.0,
        "latency_p95_ms": pytest.approx(67.0),  # inclusive: 60 + 0.7 · 10
        "answer_p95_ms": 5.0,
    }
    assert all(low <= found[name] <= high for name, (low, high) in intervals.items())


def test_the_risk_coverage_curve_is_that_computed_by_hand() -> None:
    rows = [
        scored(confidence=0.9),
        scored(confidence=0.8, missing=["2.15"]),
        scored(confidence=0.8),
        scored(confidence=0.6, answerable=False),
        scored(**REFUSED),
    ]
    curve = risk_coverage(rows)
    assert curve == [
        {"confidence": 0.9, "coverage": 1 / 5, "risk": 0.0},
        {"confidence": 0.8, "coverage": 3 / 5, "risk": 1 / 3},  # those of one confidence come together
        {"confidence": 0.6, "coverage": 4 / 5, "risk": 2 / 4},
    ]
    assert area_under(curve) == pytest.approx((0.0 * 1 + 2 / 3 + 0.5) / 4)
    assert calibration_error(rows) == pytest.approx((0.1 + 2 * 0.3 + 0.6) / 4)
    assert risk_table({"risk_coverage": curve}).splitlines()[2:] == [
        "| 0.9 | 0.200 | 0.000 |",
        "| 0.8 | 0.600 | 0.333 |",
        "| 0.7 | 0.600 | 0.333 |",
        "| 0.6 | 0.800 | 0.500 |",
        "| 0.5 | 0.800 | 0.500 |",
        "| 0.0 | 0.800 | 0.500 |",
    ]


def test_an_abstention_that_misses_nothing_is_still_a_refusal() -> None:
    metrics = summarise([scored(**REFUSED)])
    assert (metrics["all_facts"], metrics["false_refusals"]) == (0.0, 1.0)


def test_where_there_is_nothing_to_average_there_is_no_number() -> None:
    found = summarise([])
    assert (found.pop("questions"), found.pop("forbidden"), found.pop("intervals")) == (0, 0, {})
    assert set(found.values()) == {None}


def test_both_answers_that_should_not_be_and_refusals_are_scored(small: Assistant) -> None:
    def ask(key: str, question: str, answerable: bool) -> TestQuestion:
        return TestQuestion(key, question, answerable, ("2.15",) if answerable else (), ("port",), "area")

    result = evaluate(
        small,
        [
            ask("right", "氢能港规划面积多大？", True),
            ask("false answer", "氢能港规划面积多大？", False),
            ask("refusal", "月球基地的面积多大？", True),
            ask("right refusal", "月球基地的面积多大？", False),
        ],
        TODAY.as_of,
    )
    assert [row["status"] for row in result["questions"]] == ["answered", "answered", "abstained", "abstained"]
    assert [row["missing"] for row in result["questions"]] == [[], [], ["2.15"], []]
    assert {key: result["overall"][key] for key in ("all_facts", "false_refusals", "false_answers", "valid_citations")} == {
        "all_facts": 0.5, "false_refusals": 0.5, "false_answers": 0.5, "valid_citations": 1.0,
    }  # fmt: skip
    assert result["overall"] == result["categories"]["area"]
    again = evaluate(small, [ask("right", "氢能港规划面积多大？", True)], TODAY.as_of)
    assert without_times(again["questions"][0]) == without_times(result["questions"][0])
    assert json.loads(json.dumps(result)) == result


def without_times(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if not key.endswith("_ms")}


SETS = (
    "testset",
    "heldout",
    "time",
    "time_heldout",
    "conflict",
    "conflict_heldout",
    "premise",
    "dialogues",
    "wordings",
    "nearmiss",
    "dialogues_heldout",
)


@pytest.mark.parametrize("name", SETS)
def test_ids_and_questions_of_a_shipped_test_set_are_unique(name: str) -> None:
    questions = read_testset(TESTSET.with_name(f"{name}.jsonl"))
    assert len({question.id for question in questions}) == len(questions)
    assert len({(question.question, question.history) for question in questions}) == len(questions)
    assert all(question.question.strip() and question.category for question in questions)
    assert {question.answerable for question in questions} <= {True, False}
    assert {question.category for question in questions} <= CATEGORIES.keys()  # each has a Chinese name
    assert all(question.key_facts and question.docs for question in questions if question.answerable)


def test_every_document_is_asked_about_by_at_least_two_questions() -> None:
    asked = Counter(
        key for question in read_testset() if question.answerable for key in question.docs
    )  # a fault in a document that nothing asks about passes the gate
    assert {document.id: asked[document.id] for document in load(CORPUS).documents if asked[document.id] < 2} == {}


@pytest.mark.skipif(not (CORPUS / "documents").exists(), reason="the corpus is not in this checkout")
@pytest.mark.parametrize("name", SETS)
def test_every_key_fact_of_a_shipped_test_set_stands_in_its_documents(name: str) -> None:
    """In one of the documents that the question names, or in its catalogue row."""
    documents = {
        document.id: "\n".join([document.title, document.text, *map(str, asdict(document.metadata).values())])
        for document in load(CORPUS).documents
    }
    questions = read_testset(TESTSET.with_name(f"{name}.jsonl"))
    assert [(q.id, d) for q in questions for d in q.docs if d not in documents] == []
    loose = [
        (question.id, fact)
        for question in questions
        if question.answerable
        for fact in question.key_facts
        if not any(holds(fact, documents[key]) for key in question.docs)
    ]
    assert [(key, fact) for key, fact in loose if not any(word in fact for word in ABSENCE)] == []


def test_planted_statements_cite_what_stands_in_the_corpus() -> None:
    documents = {document.id: document.text for document in load(CORPUS).documents}
    rows = [json.loads(line) for line in STATEMENTS.read_text(encoding="utf-8").splitlines()]
    assert len({row["id"] for row in rows}) == len(rows) >= 600
    loose = [
        row["id"]
        for row in rows
        for span in row["citations"]
        if "".join(span["quote"].split()) not in "".join(documents[span["document"]].split())
    ]
    assert loose == []


def test_the_verifier_withholds_what_is_planted_and_not_what_is_honest() -> None:
    """On the rows that its rules were chosen on; the others are for measuring."""
    honest, of = (0, 0)
    planted, planted_of = (0, 0)
    for part, kinds in withheld(read_statements()).items():
        if part.startswith("dev"):
            held, count = kinds.pop("honest")
            honest, of = honest + held, of + count
            planted += sum(held for held, _ in kinds.values())
            planted_of += sum(count for _, count in kinds.values())
    assert planted / planted_of >= 0.97
    assert honest / of <= 0.115


@pytest.mark.parametrize(("noise", "positives"), [(0.0, 3), (0.2, 3), (0.4, 3), (0.8, 1), (1.0, 0)])
def test_rgb_gives_five_documents_by_its_own_rule(noise: float, positives: int) -> None:
    row = {"positive": ["p"] * 3, "negative": ["n"] * 9}  # fewer positive ones than asked: filled with negative ones
    texts = [document.text for document in rgb_documents(row, noise)]
    assert (len(texts), texts.count("p")) == (5, positives)


@pytest.mark.parametrize(("noise", "given"), [(0.0, "ABabc"), (0.4, "ABann"), (0.8, "ABnnn")])
def test_rgb_gives_a_document_on_each_thing_asked(noise: float, given: str) -> None:
    row = {"positive": [["A", "a", "c"], ["B", "b"]], "negative": ["n"] * 9}
    assert "".join(document.text for document in rgb_documents(row, noise)) == given


def test_a_benchmarks_figure_comes_with_its_questions_and_interval() -> None:
    found = summary({"contained": [1.0, 0.0] * 50, "refused": [0.0] * 100, "unanswerable refused": [1.0] * 20})
    assert found["contained"]["value"] == 0.5 and 0.09 < found["contained"]["half"] < 0.11
    assert line("set", found).startswith("| set | 100 / 20 | contained 0.500 ± 0.") and "1.000 ± 0.000" in line(
        "set", found
    )


def test_rgb_asks_for_every_answer_in_one_of_its_spellings() -> None:
    assert contains(["张丹", ["131万", "1313851"]], "张丹；1313851辆")
    assert not contains(["张丹", "张昊"], "张丹")


@given(st.text("嘉定区氢能港", min_size=1, max_size=20), st.text("嘉定区氢能港", max_size=20))
def test_rouge_is_symmetric_and_one_for_the_same(a: str, b: str) -> None:
    assert rouge_l(a, a) == 1.0
    assert 0.0 <= rouge_l(a, b) == rouge_l(b, a) <= 1.0
