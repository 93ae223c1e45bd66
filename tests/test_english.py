import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.english import translate
from assistant.text import normalise

GLOSSARY = (("三港两园", ("three ports and two parks",)), ("嘉定氢能港", ("氢能港", "Hydrogen Port")))


def chinese(english: str) -> str:
    return translate(normalise(english), GLOSSARY)[0]


@pytest.mark.parametrize(
    ("english", "parts"),
    [
        ("How many companies had moved in by September 2020?", ("企业", "数量多少", "入驻", "2020年9月")),
        ("When was the Hydrogen Port unveiled?", ("嘉定氢能港", "揭牌", "什么时候")),
        ("What was the output of the park in 2022", ("产值", "2022年", "多少")),
        ("Which town is the Hydrogen Port located in?", ("哪个镇", "位于")),
        ("What are the 'three ports and two parks'?", ("三港两园", "是什么")),
        ("Is the 2023 policy still valid?", ("是否", "2023年", "政策", "有效")),
        ("Who can apply for a subsidy of 10 million yuan before Jan 5, 2025?", ("1000万元", "2025年1月5日")),
        ("How large was the park's revenue?", ("营收", "多少")),
        ("How large is the park?", ("园区", "多大")),
    ],
)
def test_names_figures_and_what_is_asked_are_put_in_chinese(english: str, parts: tuple[str, ...]) -> None:
    assert all(part in chinese(english) for part in parts), chinese(english)


@pytest.mark.parametrize(
    "other", ["嘉定有几家特色产业园区？", "GDP", "SimChip和Kolmostar签约了吗", "ICV行动方案的目标", ""]
)
def test_what_is_not_english_stays_as_it_is(other: str) -> None:
    assert translate(normalise(other), GLOSSARY) == (normalise(other), ())


def test_unknown_names_stay() -> None:
    assert "kolmostar" in chinese("What does Kolmostar design?")


@given(st.text(alphabet=string.ascii_letters + string.digits + " .,?'-", max_size=80))
def test_any_text_is_read(text: str) -> None:
    read, synonyms = translate(normalise(text), GLOSSARY)
    assert isinstance(read, str) and all(len(other) > 1 for _, others in synonyms for other in others)
