import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.spelling import mend

NAMES = ("联影小镇", "三港两园", "氢能港", "嘉定氢能港", "园区", "嘉宝智慧湾")


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("联影小阵在哪里", {"联影小阵": "联影小镇"}),  # one wrong character
        ("连影小阵在哪里", {"连影小阵": "联影小镇"}),  # half of them
        ("连颖晓阵在哪里", {}),  # more than half: it may be another name
        ("san gang liang yuan是什么", {"san gang liang yuan": "三港两园"}),
        ("sangangliangyuan是什么", {"sangangliangyuan": "三港两园"}),
        ("san gang liang是什么", {}),  # part of a name is no name
        ("嘉定清能港有多大", {"嘉定清能港": "嘉定氢能港"}),  # the longest name alone
        ("清能港有多大", {"清能港": "氢能港"}),
        ("源区有多少家", {}),  # a short name has too many homophones
        ("联影小城在哪里", {}),  # it sounds otherwise
        ("联影小镇在哪里", {}),  # right already
        ("联影小镇和联影小阵", {}),  # the name stands there
        ("联影，小阵", {}),  # a name does not run over a comma
        ("", {}),
    ],
)
def test_a_name_is_mended_by_its_sound_alone(text: str, mended: dict[str, str]) -> None:
    assert mend(text, NAMES) == mended


def test_several_names_are_mended_in_one_question() -> None:
    assert mend("联影小阵和清能港", NAMES) == {"联影小阵": "联影小镇", "清能港": "氢能港"}


def test_names_in_letters_are_left_alone() -> None:
    assert mend("GPD增长多少", ("gdp", "GDP增速")) == {}


@given(st.text(alphabet="联连影颖小晓镇阵氢清能港岗的和，。 abliangyuan19", max_size=20), st.permutations(NAMES))
def test_what_is_mended_stands_in_the_text_and_is_a_name(text: str, names: list[str]) -> None:
    mended = mend(text, names)
    assert all(wrong in text and name in NAMES and wrong != name for wrong, name in mended.items())
    assert mend(text, NAMES) == mended  # whatever the order of the names
