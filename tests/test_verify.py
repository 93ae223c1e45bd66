from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.schema import Citation, Document, Statement
from assistant.verify import MAX_SPANS, figures, verify

TEXT = "2023年8月22日,嘉定共有19家特色产业园区,总营收超过5000亿元,占75%。依据嘉府规〔2023〕1号。首次认定给予奖励。"
DOCUMENT = Document("d", "标题", TEXT)


def cite(quote: str, start: int | None = None) -> Citation:
    at = TEXT.find(quote) if start is None else start
    return Citation("d", "标题", "", quote, at, at + len(quote), "", "", "")


def check(text: str, *citations: Citation) -> tuple[Statement, ...]:
    return verify([Statement(text, citations)], {"d": DOCUMENT}.__getitem__)


def test_a_page_number_bears_out_no_figure() -> None:
    citation = cite("首次认定给予奖励。")
    assert check("第19页的首次认定给予19个奖励。", replace(citation, locator="第19条"))
    assert not check("第19页的首次认定给予19个奖励。", replace(citation, page="第19页"))


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


NUMERALS = "零一二三四五六七八九"


def in_chinese(number: int) -> str:
    """Write 1 to 9999 in Chinese numerals."""
    written, zero = "", False
    for place, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // place % 10
        if digit:
            written += ("零" if zero and written else "") + NUMERALS[digit] + name
            zero = False
        else:
            zero = True
    return written


def says(span: str, text: str) -> bool:
    """Return whether a statement that cites this span is let through."""
    document = Document("d", "标题", span)
    citation = Citation("d", "标题", "", span, 0, len(span), "", "", "")
    return bool(verify([Statement(text, (citation,))], {"d": document}.__getitem__))


@given(st.integers(2, 9999), st.sampled_from(["万元", "亿元"]))
def test_an_amount_holds_in_chinese_numerals_and_with_a_thousands_separator(amount: int, unit: str) -> None:
    span = f"对符合条件的企业给予奖励{amount}{unit}。"
    assert says(span, f"对符合条件的企业，奖励为{in_chinese(amount)}{unit}。")
    assert says(span, f"对符合条件的企业，奖励为{amount:,}{unit}。")


@given(st.integers(2, 9999), st.integers(2, 9999), st.sampled_from(["万元", "亿元", "家", "%", "平方公里"]))
def test_another_number_never_passes(told: int, said: int, unit: str) -> None:
    assert says(f"园区总规模{told}{unit}。", f"园区的总规模为{said}{unit}。") is (told == said)


@given(st.integers(2, 999))
def test_another_unit_never_passes(amount: int) -> None:
    for told, said in (("亿元", "万元"), ("平方公里", "亩"), ("万元", "万美元"), ("%", "个百分点")):
        assert not says(f"园区总规模{amount}{told}。", f"园区的总规模为{amount}{said}。")


@given(st.dates(min_value=date(2015, 1, 1), max_value=date(2035, 12, 31)))
def test_a_date_holds_in_either_form_and_no_other_day_does(day: date) -> None:
    span, other = f"申报截止日期为{day.year}年{day.month}月{day.day}日。", day + timedelta(days=1)
    assert says(span, f"申报的截止日期是{day:%Y-%m-%d}。")
    assert not says(span, f"申报的截止日期是{other.year}年{other.month}月{other.day}日。")


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ("单个企业奖励最高不超过50万元。", "单个企业可得奖励50万元。"),  # a bound left out
        ("固定资产投资不少于5000万元。", "固定资产投资不超过5000万元。"),  # and turned round
        ("企业不得重复申报。", "企业可以重复申报。"),
        ("计划2026年建成投用。", "已于2026年建成投用。"),
        ("2024年11月建成投用。", "计划2024年11月建成投用。"),
        ("符合条件的，可以给予补贴。", "符合条件的，应当给予补贴。"),
        ("获评国家级的奖励20万元。", "获评市级的奖励20万元。"),
        ("由区经委负责受理。", "由区科委负责受理。"),
        ("首次认定奖励20万元，考核优秀奖励10万元。", "首次认定奖励10万元，考核优秀奖励20万元。"),
        ("获评奖励：国家级20万元、市级10万元。", "获评市级的，奖励20万元。"),  # another level's
        ("水景光影秀是沪上规模最大的。", "水景光影秀是全国规模最大的。"),
        ("上半年产值120亿元。", "全年产值120亿元。"),
        ("全市要建200家智能工厂。", "嘉定要建200家智能工厂。"),
        (
            "| 零售总额 | 795.2亿元 | 14.1% |\n| 固定资产投资 | 259.4亿元 | 39.4% |",
            "零售总额增长39.4%。",
        ),  # another row's
    ],
)
def test_bounds_negations_certainty_levels_and_bodies_are_held_to_the_span(span: str, text: str) -> None:
    assert says(span, span)
    assert not says(span, text)


@pytest.mark.parametrize(
    ("span", "text"),
    [
        ("2024年1—11月总产出322.9亿元。", "2024年1至11月的总产出为322.9亿元。"),
        ("预计2025年9月竣工，次年一季度投用。", "预计2025年9月竣工，2026年第一季度投用。"),
        ("2015年466.7亿元，2020年944.0亿元。", "从2015年的466.7亿元到2020年的944亿元。"),
        ("规上工业产值列市郊八区第1。", "规上工业产值在市郊八区列第一。"),
    ],
)
def test_other_words_for_the_same_hold(span: str, text: str) -> None:
    assert says(span, text)


def test_a_statement_that_cites_everything_is_borne_out_by_nothing() -> None:
    assert check("首次认定给予奖励。", *[cite("首次认定给予奖励。")] * MAX_SPANS)
    assert check("首次认定给予奖励。", *[cite("首次认定给予奖励。")] * (MAX_SPANS + 1)) == ()
