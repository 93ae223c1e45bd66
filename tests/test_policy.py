import pytest
from conftest import TODAY

from assistant.pipeline import Assistant
from assistant.policy import asks_for_outline
from assistant.schema import Document, Metadata
from assistant.text import normalise

POLICY = Document(
    "p",
    "火星镇种菜补贴办法",
    "# 支持对象\n\n在火星镇种菜的农户。\n\n# 申报条件\n\n- 种植满三年；\n- 面积不少于2亩。\n\n# 补贴标准\n\n| 事项 | 标准 |\n| --- | --- |\n"
    "| 白菜 | 每亩100元 |\n| 萝卜 | 每亩80元 |\n\n# 受理\n\n火星镇政府农业科，电话59520000。\n\n# 未见内容\n\n年度总额没有公布。\n",
    Metadata(published="2026-01-05", doc_type="policy", status="in_force"),
)


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("介绍一下科技小巨人政策", True),
        ("产值奖励办法的主要内容是什么？", True),
        ("产值奖励给谁、给多少、什么时候截止、去哪申请？", True),
        ("产值奖励最高多少？", False),
        ("集成电路政策怎么申报？", False),
        ("产值奖励给多少、什么时候截止？", False),  # two things: answered one by one
    ],
)
def test_a_policy_is_laid_out_when_it_is_asked_for_as_a_whole(question: str, asks: bool) -> None:
    assert asks_for_outline(normalise(question)) == asks


def test_an_outline_has_what_the_text_gives_in_the_order_of_an_applicant(jiading: Assistant) -> None:
    answer = jiading.ask_over("介绍一下火星镇种菜补贴办法", [POLICY], TODAY.as_of)
    assert [(s.label, s.text) for s in answer.statements] == [
        ("对象", "在火星镇种菜的农户。"),
        ("条件", "种植满三年；"),
        ("条件", "面积不少于2亩。"),
        ("标准", "白菜：标准 每亩100元"),
        ("标准", "萝卜：标准 每亩80元"),
        ("申报受理", "火星镇政府农业科，电话59520000。"),
        ("未写明", "年度总额没有公布。"),
    ]
    assert [n.text for n in answer.notices if n.kind == "not_published"] == [
        "《火星镇种菜补贴办法》没有写明：期限、依据。"
    ]


def test_of_several_schemes_the_one_asked_about_is_laid_out(jiading: Assistant) -> None:
    answer = jiading.ask("2023年季度产值奖励给谁、给多少、什么时候截止、去哪申请？", filters=TODAY)
    assert "2023年各季度在基准上每增加1000万元奖励10万元" in "".join(s.text for s in answer.statements)
    assert "竣工投产" not in "".join(s.text for s in answer.statements)  # of the other scheme
    assert "expired" in {notice.kind for notice in answer.notices}


@pytest.mark.parametrize(
    ("question", "labels", "figures"),
    [
        (
            "嘉定2024年上半年和2025年上半年的地区生产总值分别是多少？",
            ["嘉定2024年上半年", "嘉定2025年上半年"],
            ["1312.1亿元", "1460.7亿元"],
        ),
        ("全国首店和上海首店分别补贴多少？", [""], ["全国首店20万元、上海首店10万元"]),  # one sentence tells both
    ],
)
def test_things_compared_stand_side_by_side(
    jiading: Assistant, question: str, labels: list[str], figures: list[str]
) -> None:
    answer = jiading.ask(question, filters=TODAY)
    assert [statement.label for statement in answer.statements][: len(labels)] == labels
    assert all(any(figure in s.text for s in answer.statements) for figure in figures)


def test_several_values_are_told_by_date_and_publisher(jiading: Assistant) -> None:
    answer = jiading.ask("嘉定氢能全产业链2025年的产值目标是多少", filters=TODAY)
    assert [s.label for s in answer.statements] == ["2019-06-10 界面新闻", "2022-01-24 SHINE 上海日报"]
    assert "conflict" in {notice.kind for notice in answer.notices}
