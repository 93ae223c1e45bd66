import pytest
from conftest import TODAY
from hypothesis import given
from hypothesis import strategies as st
from test_compose import document, model

from assistant.candidate import Candidate, candidates, row_text
from assistant.evidence import judge, probability
from assistant.kind import kinds, measures_of
from assistant.question import read
from assistant.schema import Document, Hit, Metadata
from assistant.split import Unit, split


def units_of(made: Document) -> list[Candidate]:
    return candidates([Hit(passage, made, 1.0) for passage in split(made)])


def only(text: str, **metadata: str) -> Candidate:
    (candidate,) = units_of(document(text, metadata=Metadata(**metadata)))  # type: ignore[arg-type]
    return candidate


def fits(question: str, candidate: Candidate) -> bool:
    (aspect,) = read(question, (), (), TODAY.as_of).aspects
    (scored,), _ = judge(aspect, [candidate], model().encode([candidate.read]), lambda word: 1.0, model().encode)
    return scored.fits and scored.timely


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("申报截止日期没有查到。", True),
        ("各园区的产值未公布。", True),
        ("逐家的名单均未见。", True),
        ("产值是120亿元；税收没有公布。", False),  # one clause says something
        ("产值是120亿元（税收没有公布）。", False),  # what is said aside
        ("企业没有欠税。", False),  # not having is not not knowing
    ],
)
def test_saying_that_nothing_is_known(text: str, unknown: bool) -> None:
    assert only(text).not_stated is unknown


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("产值是120亿元；税收没有公布。", "产值是120亿元"),
        ("产值是120亿元（税收没有公布）。", "产值是120亿元."),
        ("产值是120亿元（2024年）。", "产值是120亿元(2024年)."),  # an aside that tells something
    ],
)
def test_facts_are_what_is_known(text: str, facts: str) -> None:
    candidate = only(text)
    assert candidate.facts == facts
    assert candidate.partly_stated is ("没有" in text)


@pytest.mark.parametrize(
    ("question", "text", "fit"),
    [
        ("氢能港2024年产值多少？", "2024年产值120亿元。", True),
        ("氢能港2024年产值多少？", "2023年产值120亿元。", False),  # another year
        ("氢能港2024年产值多少？", "2023—2025年产值120亿元。", True),  # a span that holds it
        ("氢能港产值多少？", "2023年产值120亿元。", True),  # no year asked
        ("氢能港上半年产值多少？", "全年产值120亿元。", False),
        ("氢能港上半年产值多少？", "1-6月产值120亿元。", True),  # the same half year
        ("氢能港投资多少？", "产值120亿元。", False),  # another measure
        ("氢能港投资多少？", "投资30亿元，产值120亿元。", True),
        ("创新港二期投资多少？", "一期投资30亿元。", False),
        ("创新港二期投资多少？", "一期和二期共投资30亿元。", True),
        ("氢能港实际产值多少？", "产值目标120亿元。", False),
        ("氢能港的面积多大？", "位于安亭镇。", False),  # no area in it
        ("氢能港的产值未来目标多少？", "产值没有公布。", False),
        ("把氢能港的全文发我一份", "氢能港位于安亭镇。", False),  # no sentence is a whole text
        ("有没有氢能港规划的全文？", "规划位于安亭镇。", False),
        ("创新港的申报条件有哪些？", "申报条件有注册、信用、团队。", True),
        ("创新港的申报条件有哪些？", "申报条件没有公布。", False),  # says nothing, though no figure is asked for
        ("氢能港公寓每月租金多少？", "公寓共458套。", False),  # no money in it
        ("氢能港新增了多少公顷用地？", "新增部分用地。", False),
        ("氢能港小镇在哪个镇？", "小镇在推进规划。", False),  # the question's own name is no town
        ("氢能港小镇在哪个镇？", "小镇在安亭镇。", True),
        ("氢能港政策执行几年？", "政策自2019年12月起执行。", False),  # a start is no term
        ("氢能港政策执行几年？", "政策自2019年12月起执行3年。", True),
        ("氢能港第二批授牌多少家？", "首批授牌20家。", False),  # 首批 is the first
        ("氢能港首批授牌多少家？", "第一批授牌20家。", True),
        ("氢能港投资最大的项目是哪个？", "31个项目签约。", False),
        ("氢能港投资最大的项目是哪个？", "投资最大的是某厂。", True),
        ("氢能港2024年产出多少？", "2024年5月29日说目标是产出450亿元。", False),  # told in that year of a later one
        ("氢能港二期哪天动工？", "二期2023年10月启用。", False),  # neither the day nor the event
        ("氢能港方案的文号是什么？", "方案要求发展低碳技术。", False),
        ("宠物医院补贴多少？", "人才补贴10万元。", False),  # for somebody else
        ("宠物医院补贴多少？", "宠物医院补贴10万元。", True),
        ("企业技改补贴多少？", "技改补贴10万元。", True),  # any company may get it
        ("氢能港最多奖励多少？", "97个项目获奖励10亿元。", False),  # paid in all
        ("氢能港最多奖励多少？", "累计奖励10亿元，单个项目最高奖励500万元。", True),
        ("氢能港办法的有效期到哪天？", "征求意见截止2024年5月16日。", False),
        ("氢能港办法的有效期到哪天？", "办法有效期截至2024年5月16日。", True),
        ("氢能港奖励怎么给？", "97个项目获奖励10亿元。", False),
        ("政府有没有补助？", "人才补助10万元。", False),  # for what or whom is not said
        ("创新港二期何时开工？", "2024年二期并入新城。", False),  # a day, but not of that
        ("创新港二期何时开工？", "二期2025年4月打桩。", True),
        ("火星基地面积多大？", "产业基地面积4平方公里。", False),
        ("氢能港在哪里？", "企业为德国客车厂供货。", False),  # names a place, locates nothing
    ],
)
def test_what_a_unit_must_hold_to_answer(question: str, text: str, fit: bool) -> None:
    assert fits(question, only(f"氢能港创新港{text}")) is fit


def test_a_year_in_the_title_of_a_policy_names_its_edition() -> None:
    guide = Metadata(doc_type="guide", published="2024-12-01")
    (candidate,) = units_of(document("# 标准\n\n首次认定奖励30万元。", title="2025年度申报指南", metadata=guide))
    assert fits("2025年首次认定奖励多少？", candidate)
    assert not fits("2023年首次认定奖励多少？", candidate)


def test_a_figure_is_not_of_the_year_in_which_it_was_published() -> None:
    candidate = only("氢能港的产值是120亿元。", published="2023-08-22")
    assert not fits("氢能港2023年的产值是多少？", candidate)
    of_that_year = only("氢能港的产值是120亿元。", published="2023-08-22", data_period="2023年")
    assert fits("氢能港2023年的产值是多少？", of_that_year)


def test_a_heading_and_a_lead_are_read_with_the_unit() -> None:
    text = "# 2025年目标\n\n氢能港的指标：\n\n- 产值500亿元。\n"
    item = units_of(document(text))[-1]
    assert (item.own, item.headings, item.lead) == ("产值500亿元.", "2025年目标", "氢能港的指标:")
    assert fits("氢能港2025年产值多少？", item)
    assert not fits("氢能港2024年产值多少？", item)
    assert not fits("氢能港2025年实际产值多少？", item)  # the heading says that it is a target


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ((("事项", "首次认定"), ("标准", "30万元")), "首次认定：标准 30万元"),
        ((("指标", "产值"), ("数值", "500亿元")), "产值：500亿元"),  # a label that tells nothing
        ((("指标", "产值"), ("数值", "—"), ("年份", "2025年")), "产值：年份 2025年"),  # an empty cell
        ((("指标", "产值"), ("数值", "")), "产值"),
    ],
)
def test_a_row_reads_as_label_and_value(cells: tuple[tuple[str, str], ...], text: str) -> None:
    assert row_text(Unit("row", "", 0, 0, cells=cells)) == text


@pytest.mark.parametrize("text", ["见《申报指南》（另有文档）。", "详见《申报指南》", "其他区的补贴比例也与嘉定无关。"])
def test_what_only_points_elsewhere_is_no_evidence(text: str) -> None:
    told = [candidate.unit.text for candidate in units_of(document(f"补贴比例为30%。\n\n{text}"))]
    assert told == ["补贴比例为30%。"]


def test_where_a_text_comes_from_is_no_evidence() -> None:
    text = "产值120亿元。\n\n来源：上海嘉定\n\nhttps://example.com/120\n"
    assert [candidate.unit.text for candidate in units_of(document(text))] == ["产值120亿元。"]


@pytest.mark.parametrize(
    ("text", "measures"),
    [
        ("总投资30亿元", {"投资"}),
        ("产值和税收", {"产值", "税"}),
        ("营业收入", {"营收"}),
        ("占地3平方公里", set()),
    ],
)
def test_what_a_figure_is_of(text: str, measures: set[str]) -> None:
    assert measures_of(text) == measures


@given(st.text("氢能港产值2025年目标120亿元，。；（没有公布）\n|-# 1.", max_size=60))
def test_a_unit_is_verbatim_and_its_facts_are_in_it(text: str) -> None:
    made = document(text)
    for candidate in units_of(made):
        assert made.text[candidate.unit.start : candidate.unit.end] == candidate.unit.text
        assert len(candidate.facts) <= len(candidate.own)
        assert candidate.partly_stated or candidate.facts == candidate.own or not candidate.own.strip(" ;")


@pytest.mark.parametrize(("label", "fit"), [("总投资", False), ("芯片总部", True)])
def test_what_is_told_of_one_thing_is_none_of_the_things_to_be_listed(label: str, fit: bool) -> None:
    (candidate,) = units_of(document(f"- {label}：产业园的项目共3亿元。\n"))
    assert fits("产业园有哪些项目？", candidate) is fit


@pytest.mark.parametrize(("heading", "fit"), [("国际氢能产业基地", False), ("占地", True)])
def test_a_figure_below_the_heading_of_another_thing_is_not_of_the_park_in_the_title(heading: str, fit: bool) -> None:
    made = document(f"# {heading}\n\n建筑面积5万平方米。\n", title="安亭港项目进展")
    glossary = (("安亭港", ("港",)),)
    (aspect,) = read("安亭港面积多大？", (), glossary, TODAY.as_of).aspects
    (candidate,) = units_of(made)
    (scored,), _ = judge(aspect, [candidate], model().encode([candidate.read]), lambda word: 1.0, model().encode)
    assert scored.fits is fit


def features(question: str, text: str) -> dict[str, float]:
    (aspect,) = read(question, (), (), TODAY.as_of).aspects
    (scored,), _ = judge(aspect, [only(text)], model().encode([text]), lambda word: 1.0, model().encode)
    return scored.features


def test_a_figure_is_of_what_its_own_clause_names() -> None:
    apart, together = "试车场启用；数字中心的面积17万平方米。", "数字中心启用；试车场的面积17万平方米。"
    question = "试车场的面积多大？"
    assert features(question, apart)["clause"] < features(question, together)["clause"] == 1.0


def test_a_labelled_item_of_another_thing_is_told_apart() -> None:
    question = "智能总部基地的投资多少？"
    assert features(question, "易谷通信研发大楼：投资3亿元。")["another"] > 0.8
    assert features(question, "智能总部基地：投资3亿元。")["another"] == 0.0
    assert features(question, "投资：3亿元。")["another"] == 0.0  # a label that names no thing


def test_the_day_of_another_event_leaves_what_is_asked_unsaid() -> None:
    assert features("二期哪天动工？", "二期于2023年10月1日启用。")["unsaid"] > 0.4
    assert features("二期哪天动工？", "二期于2023年10月1日开工。")["unsaid"] == 0.0


def test_a_likelihood_lies_between_0_and_1_and_grows_with_coverage() -> None:
    (aspect,) = read("氢能港的产值是多少？", (), (), TODAY.as_of).aspects
    assert kinds(aspect.text) == aspect.kinds
    shown = units_of(document("氢能港的产值是120亿元。\n\n联影小镇的价格是120亿元。"))
    (right, wrong), weights = judge(
        aspect, shown, model().encode([c.read for c in shown]), lambda word: 1.0, model().encode
    )
    assert 0 <= wrong.probability < right.probability <= 1
    assert right.probability == probability(right.features)
    assert set(weights) == {term.word for term in aspect.terms} == set(right.covered)


def test_no_units_are_judged_as_none() -> None:
    (aspect,) = read("氢能港的产值是多少？", (), (), TODAY.as_of).aspects
    judged, weights = judge(aspect, [], model().encode([]), lambda word: 1.0, model().encode)
    assert judged == [] and weights
