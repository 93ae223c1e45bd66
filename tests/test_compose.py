from collections.abc import Sequence
from functools import cache

import pytest
from conftest import TODAY, build_lexical
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.compose import ANSWERED, Draft, compose
from assistant.embedding import StaticEmbeddings
from assistant.pipeline import Assistant
from assistant.question import read
from assistant.schema import Document, Hit, Metadata
from assistant.split import split
from assistant.verify import stands, verify

CONDITIONS = (
    "# 申报条件\n\n申报企业应符合下列条件：\n\n1. 注册在园区内；\n2. 信用良好；\n3. 有研发团队；\n4. 上年度营收超过2000万元。\n\n"
    "# 申报材料\n\n1. 营业执照；\n2. 审计报告。\n"
)
SILENT = "氢能港位于安亭镇，规划面积2.15平方公里。\n\n氢能港的产值没有公布。\n"
TABLE = "# 2025年目标\n\n| 指标 | 数值 |\n| --- | --- |\n| 产值 | 500亿元 |\n| 企业数 | 80家 |\n"


@cache
def model() -> StaticEmbeddings:
    return StaticEmbeddings.load()


def document(text: str, key: str = "d", title: str = "测试区园区情况", metadata: Metadata | None = None) -> Document:
    return Document(key, title, text, metadata or Metadata())


def draft(question: str, *documents: Document) -> Draft:
    """Compose from all the documents' passages."""
    found = [(d, passage) for d in documents for passage in split(d)]
    hits = [Hit(passage, d, 1 / rank) for rank, (d, passage) in enumerate(found, 1)]
    weigh = build_lexical([passage.text for _, passage in found] + ["上海的企业政策"] * 10).weight
    return compose(read(question, (), (), TODAY.as_of), hits, weigh, model().encode, lambda candidate: True)


def said(question: str, text: str) -> list[str]:
    """Return what is answered to a question from one document."""
    return [statement.text for statement in draft(question, document(text)).statements]


@pytest.mark.parametrize(
    ("text", "given", "not_given"),
    [
        # another year
        ("氢能港2024年的产值是120亿元。", "氢能港2024年的产值是多少？", "氢能港2023年的产值是多少？"),
        # the year stands in the heading
        ("# 2024年\n\n氢能港的产值是120亿元。", "氢能港2024年的产值是多少？", "氢能港2025年的产值是多少？"),
        # the day on which it was told is not the figure's year
        (
            "2023年8月22日称，2022年度氢能港的产值是120亿元。",
            "氢能港2022年的产值是多少？",
            "氢能港2023年的产值是多少？",
        ),
        # another part of the year
        ("氢能港2025年上半年的产值是70亿元。", "氢能港2025年上半年的产值是多少？", "氢能港2025年全年的产值是多少？"),
        ("氢能港2025年1-6月的产值是70亿元。", "氢能港2025年上半年的产值是多少？", "氢能港2025年1-9月的产值是多少？"),
        # another measure
        ("氢能港项目总投资30亿元。", "氢能港项目的投资是多少？", "氢能港项目的产值是多少？"),
        ("氢能港的产值是120亿元。", "氢能港的产值是多少？", "氢能港的税收是多少？"),
        # another phase
        ("创新港一期建筑面积12万平方米。", "创新港一期的建筑面积多大？", "创新港二期的建筑面积多大？"),
        # a target where a result is asked for
        ("氢能港的目标是到2025年产值达到500亿元。", "氢能港2025年的产值目标是多少？", "氢能港2025年实际产值是多少？"),
        ("氢能港计划2025年投资30亿元。", "氢能港2025年计划投资多少？", "氢能港2025年完成了多少投资？"),
        # another sort of answer
        ("氢能港位于安亭镇，2019年开工。", "氢能港位于哪个镇？", "氢能港的规划面积多大？"),
        # each one's own figure where only the whole's is known
        ("氢能港园区总产值是120亿元。", "氢能港园区总产值是多少？", "各园区的产值是多少？"),
        # a place outside Jiading
        ("嘉定氢能港的产值是120亿元。", "嘉定氢能港的产值是多少？", "昆山氢能港的产值是多少？"),
        # a code that differs by one character
        ("L3级自动驾驶测试道路有12公里。", "L3级自动驾驶测试道路有多少公里？", "L4级自动驾驶测试道路有多少公里？"),
    ],
)
def test_the_answer_to_another_question_is_never_given(text: str, given: str, not_given: str) -> None:
    assert said(given, text) == [text.rsplit("\n", 1)[-1]]
    assert said(not_given, text) == []


@given(st.lists(st.integers(2018, 2026), min_size=1, max_size=4, unique=True), st.integers(2018, 2026))
@settings(max_examples=40, deadline=None)
def test_a_figure_answers_only_for_its_own_year(told: Sequence[int], asked: int) -> None:
    text = "\n".join(f"氢能港{year}年的产值是{year - 1900}亿元。" for year in told)
    expected = [f"氢能港{asked}年的产值是{asked - 1900}亿元。"] if asked in told else []
    assert said(f"氢能港{asked}年的产值是多少？", text) == expected


def test_that_nothing_is_known_is_a_notice_not_an_answer() -> None:
    found = draft("氢能港的产值是多少？", document(SILENT))
    assert found.statements == ()
    assert found.confidence < ANSWERED
    (notice,) = found.notices
    assert (notice.kind, notice.document_id) == ("not_published", "d")
    assert "“氢能港的产值没有公布。”" in notice.text


def test_that_a_part_is_not_known_stands_beside_the_other_part() -> None:
    found = draft("氢能港的规划面积多大？产值是多少？", document(SILENT))
    assert [s.text for s in found.statements] == ["氢能港位于安亭镇，规划面积2.15平方公里。", "氢能港的产值没有公布。"]
    assert all(s.citations[0].quote == s.text for s in found.statements)
    assert found.notices == ()


def test_a_year_asked_of_one_part_does_not_bind_the_other() -> None:
    assert said("氢能港的规划面积多大？2025年的产值是多少？", SILENT)[:1] == [
        "氢能港位于安亭镇，规划面积2.15平方公里。"
    ]


def test_what_is_not_known_of_another_thing_is_no_notice() -> None:
    assert draft("企业的联系电话是多少？", document(SILENT)).notices == ()


def test_a_list_is_complete_and_stops_at_its_end() -> None:
    assert said("申报条件有哪些？", CONDITIONS) == [
        "申报企业应符合下列条件：", "注册在园区内；", "信用良好；", "有研发团队；", "上年度营收超过2000万元。",
    ]  # fmt: skip
    assert set(said("申报要哪些材料？", CONDITIONS)) == {"营业执照；", "审计报告。"}


def test_a_list_keeps_its_order() -> None:
    assert said("申报要哪些材料？", CONDITIONS) == ["营业执照；", "审计报告。"]


def test_a_row_reads_as_a_sentence_and_cites_row_header_and_heading() -> None:
    (statement,) = draft("2025年产值目标是多少？", document(TABLE)).statements
    assert statement.text == "2025年目标：产值：500亿元"
    assert [c.quote for c in statement.citations] == ["| 产值 | 500亿元 |", "| 指标 | 数值 |", "2025年目标"]


def test_two_documents_that_differ_are_both_given() -> None:
    one = document("氢能港的规划面积是2.15平方公里。", "one")
    other = document("氢能港的规划面积是2.45平方公里。", "other")
    assert {s.citations[0].document_id for s in draft("氢能港的规划面积多大？", one, other).statements} == {
        "one",
        "other",
    }


def test_whether_it_still_holds_brings_what_the_document_says_of_it() -> None:
    text = "# 奖励\n\n首次认定奖励30万元。\n\n# 附则\n\n本办法有效期至2025年5月31日。\n"
    assert "本办法有效期至2025年5月31日。" in said("首次认定的奖励现在还有效吗？", text)


def test_no_hits_are_no_answer() -> None:
    assert draft("氢能港的规划面积多大？") == Draft((), 0.0)


def test_a_source_line_is_never_given() -> None:
    assert said("氢能港的规划面积多大？", "来源：氢能港的规划面积2.15平方公里。") == []


@pytest.mark.parametrize("question", ["申报条件有哪些？", "首次认定奖励多少？", "产值是多少，企业有多少家？"])
def test_composing_is_deterministic_and_every_citation_stands(question: str) -> None:
    read_from = [document(CONDITIONS, "a"), document(SILENT, "b"), document(TABLE, "c")]
    found = draft(question, *read_from)
    assert found == draft(question, *read_from)
    by_id = {d.id: d for d in read_from}
    assert all(stands(c, by_id[c.document_id]) for s in found.statements for c in s.citations)
    assert verify(found.statements, by_id.__getitem__) == found.statements


LINES = [
    "# 2025年目标\n",
    "氢能港的产值是120亿元。",
    "| 指标 | 数值 |\n| --- | --- |\n",
    "| 产值 | 5亿元 |\n",
    "1. 产值9亿元；\n",
    "\n",
]


@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=10).map("".join))
@settings(max_examples=60, deadline=None)
def test_every_citation_stands_whatever_the_document(text: str) -> None:
    made = document(text)
    for statement in draft("氢能港2025年的产值目标是多少？有哪些？", made).statements if text.strip() else ():
        assert statement.citations and all(stands(c, made) for c in statement.citations)


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("首次认定奖励多少？", "30万元"),
        ("技术改造最高多少？", "200万元"),
        ("氢能港规划面积多大？", "2.15平方公里"),
        ("氢能港2025年的年产值目标是多少？", "500亿元"),
    ],
)
def test_the_tiny_corpus_answers(small: Assistant, question: str, holds: str) -> None:
    (statement,) = small.ask(question, filters=TODAY).statements
    assert holds in statement.text


@pytest.mark.parametrize(
    "question",
    [
        "氢能港2024年产值多少？",  # known of 2025 only
        "氢能港2025年实际年产值是多少？",  # known as a target only
        "氢能港的投资是多少？",  # output is known
        "申报截止日期是哪天？",  # the text says that it does not know
        "月球基地的面积多大？",  # nothing at all
        "把扶持办法的全文发我一份",
    ],
)
def test_the_tiny_corpus_does_not_answer(small: Assistant, question: str) -> None:
    answer = small.ask(question, filters=TODAY)
    assert answer.status == "abstained" and answer.confidence <= ANSWERED
