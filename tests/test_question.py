import pytest
from conftest import TODAY
from hypothesis import given
from hypothesis import strategies as st

from assistant.kind import kinds
from assistant.question import Question, read, years
from assistant.schema import Glossary, Turn
from assistant.text import normalise

GLOSSARY: Glossary = (
    ("嘉定氢能港", ("氢能港", "hydrogen port")),
    ("技术改造", ("技改", "设备更新改造")),
    ("三港两园", ("three ports and two parks",)),
    ("联影小镇", ("联影医疗小镇",)),
    ("智能传感器产业园", ("传感器产业园",)),
)
NOW = (2020, 2030)


def asked(text: str, *said: str) -> Question:
    """Read a question after what the user said before."""
    return read(text, [Turn("user", content) for content in said], GLOSSARY, TODAY.as_of)


def parts(text: str) -> list[str]:
    return [aspect.text for aspect in asked(text).aspects]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("首次认定奖励多少？", "money"),
        ("最高能拿几百万？", "money"),  # a magnitude without 元
        ("氢能港的规划面积多大？", "area"),
        ("增加值的增速是多少？", "percent"),
        ("一共有多少家企业？", "count"),
        ("嘉定有几个市级园区？", "count"),
        ("什么时候开始申报？", "date"),
        ("发布会是哪天开的？", "date"),
        ("发布会是几月几日开的？", "day"),
        ("发布会是哪一天开的？", "day"),
        ("办法的有效期是多久？", "duration"),
        ("这个办法的文号是什么？", "document_number"),
        ("区经委的联系方式？", "contact"),
        ("把意见的全文发我一份", "full_text"),
        ("氢能港在哪个镇？", "place"),
        ("由哪个部门受理？", "body"),
        ("申报条件有哪些？", "list"),
        ("七个一指什么？", "list"),
        ("补贴能不能叠加？", "verdict"),
        ("这个政策还有效吗？", "validity"),
        ("2023年完成了多少？", "number"),  # a figure, of whatever kind
    ],
)
def test_a_wording_asks_for_its_kind(text: str, kind: str) -> None:
    assert kind in kinds(normalise(text))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("产能多大？", "area"),  # a capacity is no area
        ("补贴力度多大？", "area"),
        ("有哪几家园区？", "count"),  # asks which, not how many
        ("氢能港", "money"),  # a bare name asks nothing of the sort
        ("奖励多少？", "number"),  # money already says which figure
        ("在哪几个批次？", "place"),
    ],
)
def test_a_wording_does_not_ask_for_another_kind(text: str, kind: str) -> None:
    assert kind not in kinds(normalise(text))


def test_a_bare_name_asks_what_it_is() -> None:
    (aspect,) = asked("氢能港").aspects
    assert aspect.kinds == {"list"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("氢能港的面积多大？产值目标是多少？", ["氢能港的面积多大", "产值目标是多少"]),
        ("主办单位是谁,在哪里申报", ["主办单位是谁", "在哪里申报"]),  # each side of the comma asks
        ("奖励多少和申报条件有哪些", ["奖励多少", "申报条件有哪些"]),  # each side of 和 asks
        ("技术改造和首次认定的奖励", ["技术改造和首次认定的奖励"]),  # the left of 和 asks nothing
        ("在2.5产业园里面积多大？", ["在2.5产业园里面积多大"]),  # a decimal point ends no sentence
        ("市级、区级园区分别有几家？", ["市级", "区级园区分别有几家"]),  # 分别 asks of each
        ("技改的奖励多少，还算数吗？", ["技改的奖励多少,还算数吗"]),  # asked of what was named before
    ],
)
def test_parts_of_a_question(text: str, expected: list[str]) -> None:
    assert parts(text) == expected


def test_each_part_has_the_rest_as_its_context() -> None:
    area, output = asked("氢能港的面积多大？产值目标是多少？").aspects
    assert "产值" in area.context and "氢能港" in output.context
    assert area.kinds == {"area"} and "money" in output.kinds


@given(st.text(st.sampled_from("氢能港面积多少,，。？?和 分别吗2023年\n"), max_size=30))
def test_every_question_has_a_part(text: str) -> None:
    found = asked(text).aspects
    assert found and all(isinstance(aspect.own_terms, tuple) for aspect in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023年的产值", {2023}),
        ("2023—2025年", {2023, 2024, 2025}),  # a range, filled in
        ("2023-2025年", {2023, 2024, 2025}),
        ("2021、2023年", {2021, 2023}),  # two years, not one number
        ("二〇二三年", {2023}),
        ("23年的产值", {2023}),  # a short year
        ("23年和24年的产值", {2023, 2024}),
        ("23年来的变化", set()),  # a span of 23 years
        ("12022号", set()),  # part of a longer number
        ("2000—2025年", {2000, 2025}),  # too long to mean each year
    ],
)
def test_years_of_a_question(text: str, expected: set[int]) -> None:
    assert years(asked(text).text) == expected


@given(st.integers(*NOW), st.integers(*NOW))
def test_a_range_of_years_holds_every_year_between(a: int, b: int) -> None:
    first, last = sorted((a, b))
    assert years(f"{first}-{last}年") == set(range(first, last + 1))


def test_an_events_date_is_no_period() -> None:
    text = normalise("2023年8月22日称2022年度营收超过5000亿元")
    assert years(text) == {2022, 2023}
    assert years(text, event_dates=False) == {2022}


def test_a_part_without_a_year_takes_the_questions() -> None:
    _, output = asked("2023年嘉定氢能港投资多少？产值多少？").aspects
    assert output.years == {2023}


def test_whether_something_still_holds_names_no_year() -> None:
    (aspect,) = asked("2023年的办法现在还有效吗？").aspects
    assert aspect.years == frozenset()


def test_a_follow_up_takes_what_the_user_asked() -> None:
    question = asked("它的面积多大？", "氢能港在哪里？")
    assert "氢能港" in question.context and "氢能港" in question.query
    assert "氢能港" in {term.word for term in question.aspects[0].terms}


def test_a_follow_up_never_takes_an_answers_words() -> None:
    history = [Turn("user", "氢能港在哪里？"), Turn("assistant", "联影小镇位于南翔镇。")]
    question = read("它的面积多大？", history, GLOSSARY, TODAY.as_of)
    assert "氢能港" in question.query and "联影" not in question.query and "南翔" not in question.query


def test_a_follow_up_of_a_follow_up_goes_back_to_the_name() -> None:
    question = asked("那产值呢？", "联影小镇有什么政策支持企业发展？", "氢能港在安亭镇的规划范围？", "它多大？")
    assert question.context == "氢能港在安亭镇的规划范围? 它多大?"  # and no further


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("“七个一”指什么？", ""),
        ("三港两园是哪几个？", ""),
        ("申报条件是什么？", "氢能港在哪里?"),
        ("技改是什么？", "氢能港在哪里?"),
    ],
)
def test_what_a_name_with_a_number_means_does_not_hang_on_the_talk(text: str, context: str) -> None:
    assert asked(text, "氢能港在哪里？").context == context


def test_a_question_that_stands_alone_takes_nothing() -> None:
    assert asked("智能传感器产业园的规划面积是多少？", "氢能港在哪里？").context == ""


def test_blank_turns_are_skipped() -> None:
    assert asked("它多大？", "氢能港在哪里？", "  ").context == "氢能港在哪里?"


@pytest.mark.parametrize(
    ("said", "other"),
    [
        ("技改有补贴吗", "技术改造"),  # the alias gives the term
        ("技术改造有补贴吗", "技改"),  # and the term its alias
        ("hydrogen port planned area", "嘉定氢能港"),
        ("THREE PORTS AND TWO PARKS", "三港两园"),
    ],
)
def test_a_glossary_term_is_known_by_all_its_spellings(said: str, other: str) -> None:
    (aspect,) = asked(said).aspects
    assert any(other in term.spellings for term in aspect.own_terms)


@pytest.mark.parametrize("said", ["技改有补贴吗", "设备更新改造有补贴吗"])
def test_the_corpuss_own_word_is_searched_too(said: str) -> None:
    assert asked(said).query.endswith(" 技术改造")


def test_letters_inside_a_longer_word_name_nothing() -> None:
    (aspect,) = asked("hydrogen portal").aspects
    assert "嘉定氢能港" not in {term.word for term in aspect.own_terms}


@pytest.mark.parametrize(
    ("said", "wrong", "name"),
    [
        ("联影小阵在哪里？", "联影小阵", "联影小镇"),
        ("轻能港的面积多大？", "轻能港", "氢能港"),
        ("san gang liang yuan 指什么", "san gang liang yuan", "三港两园"),
    ],
)
def test_a_name_misspelt_by_sound_is_mended_and_listed(said: str, wrong: str, name: str) -> None:
    question = asked(said)
    assert question.mended == ((wrong, name),)
    assert name in question.text and wrong not in question.text


@pytest.mark.parametrize(
    "said",
    [
        "联影小镇在哪里？",  # right already
        "连赢晓阵在哪里？",  # nothing of the name is right
        "联影小区在哪里？",  # another sound
    ],
)
def test_nothing_else_is_mended(said: str) -> None:
    question = asked(said)
    assert question.mended == () and question.text == normalise(said)


@pytest.mark.parametrize(
    ("said", "plain"),
    [
        ("聯影小鎮的規劃面積", "联影小镇的规划面积"),  # traditional characters
        ("２０２３年，ＧＤＰ增速？", "2023年,gdp增速?"),  # full-width forms
        ("三個市級園區、十六個區級園區", "3个市级园区,16个区级园区"),
    ],
)
def test_other_forms_read_as_simplified(said: str, plain: str) -> None:
    assert asked(said).text == asked(plain).text == plain


@pytest.mark.parametrize(
    ("said", "places"),
    [
        ("昆山的氢能产业园多大？", {"昆山"}),
        ("嘉定和昆山的氢能产业园多大？", set()),  # Jiading is named too
        ("氢能港多大？", set()),
    ],
)
def test_places_outside_jiading(said: str, places: set[str]) -> None:
    assert asked(said).aspects[0].elsewhere == places


def test_an_english_question_is_read_in_chinese() -> None:
    glossary = (("氢能港", ("Hydrogen Port",)), ("奖励", ("补贴",)))
    english = read("How much is the floor area of the Hydrogen Port?", (), glossary, TODAY.as_of)
    assert english.foreign and "氢能港" in english.text and "area" in english.aspects[0].kinds
    assert not read("GDP是多少？", (), glossary, TODAY.as_of).foreign
    before = (Turn("user", "氢能港在哪里？"),)
    assert not read("How much is the reward for a first store?", before, glossary, TODAY.as_of).context
    assert read("How large is it?", before, glossary, TODAY.as_of).context == "氢能港在哪里?"


def test_everyday_words_find_those_of_documents() -> None:
    (aspect,) = read("2026年技改的钱分几次给", (), (), TODAY.as_of).aspects
    assert any("拨付" in term.spellings for term in aspect.own_terms)


@pytest.mark.parametrize(
    ("said", "things"),
    [
        ("嘉定氢能港和三港两园的面积分别是多少？", ["嘉定氢能港", "三港两园"]),
        ("嘉康园一期、二期哪个入驻率高？", ["嘉康园1期", "嘉康园2期"]),  # 嘉康园 is said once
        ("2024年上半年跟2023年上半年的产值各是多少？", ["2024年上半年", "2023年上半年"]),
        ("“五个一”跟“七个一”一样吗？", []),  # asks about both at once
        ("园区和企业能享受什么政策？", []),
    ],
)
def test_things_that_are_each_asked_about(said: str, things: list[str]) -> None:
    assert [aspect.label for aspect in asked(said).compared] == things


def test_last_year_is_asked_of_each_thing_compared() -> None:
    said = read("去年嘉定氢能港和三港两园的产值分别是多少？", (), GLOSSARY, TODAY.as_of)
    assert [aspect.years for aspect in said.compared] == [frozenset({TODAY.as_of.year - 1})] * 2
