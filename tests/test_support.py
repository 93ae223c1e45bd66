import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.support import differing, features, probability
from assistant.text import normalise


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("鼓励园区编制专项发展规划。", "鼓励园区编制专项发展规划。"),
        ("完善配套，面向人才营造工作、生活、社交空间。", "在配套方面，要为人才营造工作、生活和社交空间。"),
        ("推动联影二期加快建设。", "联影二期的建设在加快推动。"),  # another order
    ],
)
def test_other_words_for_the_same_differ_in_nothing(told: str, said: str) -> None:
    assert differing(normalise(said), normalise(told), "", "") == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("企业不得重复申报。", "企业重复申报的，也予受理。"),
        ("园区计划建设研发楼。", "园区已经建成研发楼。"),
        ("由区经委受理申请。", "由市发改委和区财政局审批资金。"),
        ("鼓励园区编制专项规划。", "所有园区必须编制专项规划。"),
    ],
)
def test_another_meaning_is_named(told: str, said: str) -> None:
    assert differing(normalise(said), normalise(told), "", "")


@given(
    st.text(alphabet="园区企业补贴申报不得可以应当已经计划建成，。", max_size=30),
    st.text(alphabet="园区企业补贴申报不得，。", max_size=30),
)
def test_how_likely_a_statement_is_supported_lies_between_0_and_1(said: str, told: str) -> None:
    found = features(said, told, "", "")
    assert all(0.0 <= value <= 1.0 for value in found.values())
    assert 0.0 < probability(found) < 1.0
