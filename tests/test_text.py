import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.text import normalise


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("十九家", "19家"),  # Chinese numeral before a measure word
        ("五千亿元", "5000亿元"),  # a magnitude stays: it is part of how the figure is written
        ("百分之七十五", "75%"),
        ("百分之十点五", "10.5%"),
        ("2,001.6亿元", "2001.6亿元"),  # thousands separators
        ("二〇二三年", "2023年"),
        ("第十二条", "第12条"),
        ("一百二十家", "120家"),
        ("園區", "园区"),  # traditional characters
        ("GDP", "gdp"),  # full-width and case
        ("三港两园", "三港两园"),  # a name, not a count
        ("十四五", "十四五"),
        ("一网通办", "一网通办"),
        ("几十家", "几十家"),  # no figure at all
    ],
)
def test_one_meaning_has_one_spelling(written: str, spelled: str) -> None:
    assert normalise(written) == spelled


@given(
    st.text(alphabet=st.sampled_from("一二三十百千万亿两〇零点第年家个条元%,.0123456789嘉定园區“”()GDPa "), max_size=40)
)
def test_normalising_twice_changes_nothing(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once


def test_a_raised_note_number_is_no_digit_of_the_figure_before_it() -> None:
    assert (
        normalise("2.67¹平方公里") == "2.67[1]平方公里" and normalise("8.5①") == "8.5[1]" and normalise("5m²") == "5m2"
    )
