import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.schema import Citation, Document, Statement
from assistant.verify import figures, verify

TEXT = "2023年8月22日,嘉定共有19家特色产业园区,总营收超过5000亿元,占75%。依据嘉府规〔2023〕1号。首次认定给予奖励。"
DOCUMENT = Document("d", "标题", TEXT)


def cite(quote: str, start: int | None = None) -> Citation:
    at = TEXT.find(quote) if start is None else start
    return Citation("d", "标题", "", quote, at, at + len(quote), "", "", "")


def check(text: str, *citations: Citation) -> tuple[Statement, ...]:
    return verify([Statement(text, citations)], {"d": DOCUMENT}.__getitem__)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("五千亿", "5000亿"),
        ("2023年8月22日", "2023-08-22"),
        ("百分之七十五", "75%"),
        ("1万亿元", "10000亿元"),
        ("嘉府规〔2023〕1号", "嘉府规[2023]1号"),
    ],
)
def test_one_figure_in_two_spellings(a: str, b: str) -> None:
    assert figures(a) == figures(b)


@pytest.mark.parametrize(
    ("a", "b"), [("5000亿元", "5000万元"), ("75%", "75"), ("2023年", "2024年"), ("19家", "9家"), ("8月", "9月")]
)
def test_different_figures_differ(a: str, b: str) -> None:
    assert not figures(a) & figures(b)


def test_a_statement_keeps_the_citations_that_stand() -> None:
    good, moved = cite("19家特色产业园区"), cite("19家特色产业园区", start=0)
    (kept,) = check("共有十九家特色产业园区", good, moved)
    assert kept.citations == (good,)


@pytest.mark.parametrize(
    "text",
    [
        "共有20家特色产业园区",  # a changed count
        "总营收超过5000万元",  # a changed unit
        "2024年8月22日发布",  # a changed date
        "依据嘉府规〔2023〕2号",  # a changed 文号
        "依据《别的办法》",  # a name that no span holds
    ],
)
def test_unsupported_claims_never_reach_the_user(text: str) -> None:
    assert check(text, cite(TEXT)) == ()


def test_a_statement_without_a_standing_citation_is_withheld() -> None:
    assert check("首次认定给予奖励。") == ()
    assert check("首次认定给予奖励。", cite("首次认定给予罚款", start=5)) == ()


@given(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))
def test_a_verbatim_quote_always_supports_itself(a: int, b: int) -> None:
    start, end = sorted((a, b))
    quote = TEXT[start:end]
    if quote:
        assert len(check(quote, cite(quote, start=start))) == 1 or "《" in quote
