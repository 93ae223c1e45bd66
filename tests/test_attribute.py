import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.attribute import asked_for, speaks_of
from assistant.text import normalise


@pytest.mark.parametrize(
    ("question", "asked"),
    [
        ("菁嘉公寓一室户的租金多少？", ("租金",)),
        ("新城专场发布会在哪个会场举行？", ("会场", "发布会")),  # the noun that types the answer, then what it is of
        ("二期哪天动工？", ("动工",)),
        ("二期什么时候动工？", ("动工",)),
        ("文创园区认定归哪个部门管？电话多少？", ("部门", "认定", "电话")),
        ("这些园区是多少家？", ("园区",)),  # a measure word names nothing
        ("嘉定的特色产业园区", ()),  # asks nothing by a word
    ],
)
def test_what_of_a_thing_is_asked(question: str, asked: tuple[str, ...]) -> None:
    assert asked_for(normalise(question)) == asked


def test_another_word_for_the_same_counts_in_full_and_an_unrelated_text_not_at_all() -> None:
    assert speaks_of("动工", "项目于5月开工建设") == 1.0
    assert speaks_of("动工", "项目总投资3亿元") == 0.0


@given(st.text(), st.text())
def test_a_text_speaks_of_each_of_its_words(word: str, text: str) -> None:
    assert 0.0 <= speaks_of(word, text) <= 1.0
    assert speaks_of(word, text + word + text) == 1.0
