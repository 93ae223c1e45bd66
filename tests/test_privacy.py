import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.privacy import mask


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("我的手机13812345678，请回电", "我的手机［手机号码］，请回电"),
        ("138-1234-5678和138 1234 5678", "［手机号码］和［手机号码］"),
        ("1381 234 5678", "［手机号码］"),
        ("+86 13812345678、008613812345678", "［手机号码］、［手机号码］"),
        ("１３８１２３４５６７８", "［手机号码］"),  # full-width
        ("一三八一二三四五六七八", "［手机号码］"),  # Chinese digits
        ("打021-69989071转801", "打［电话号码］"),
        ("（021）69989071", "［电话号码］"),
        ("0512-6666888", "［电话号码］"),
        ("座机69989071能打通吗", "座机［电话号码］能打通吗"),
        ("6998 9071", "［电话号码］"),
        ("身份证310114199001011234", "身份证［证件号码］"),  # its check digit is wrong
        ("11010519491231002x", "［证件号码］"),
        ("310114 19900101 1234", "［证件号码］"),
        ("310114900101123", "［证件号码］"),  # of fifteen digits
        ("卡号6222 0212 3456 7890 123", "卡号［银行卡号］"),
        ("6222021234567890123", "［银行卡号］"),
        ("邮箱zhang.san@example.com.cn谢谢", "邮箱［邮箱］谢谢"),
        ("zhang＠example．com", "［邮箱］"),
        ("信用代码91310114MA1GT0AB1X", "信用代码［信用代码］"),
        ("我的微信号是abc_12345", "我的微信号是［账号］"),
        ("QQ：123456789", "QQ：［账号］"),
        ("车牌沪A12345、沪AD12345和沪A·1234挂", "车牌［车牌号］、［车牌号］和［车牌号］"),
        ("我叫张三，想问补贴", "我叫［姓名］，想问补贴"),
        ("我叫张三想问补贴", "我叫［姓名］想问补贴"),
        ("你好，我叫阿依古丽·买买提。", "你好，我叫［姓名］。"),
        ("本人李小明，身份证丢了", "本人［姓名］，身份证丢了"),
        ("联系人：王一山 电话", "联系人：［姓名］ 电话"),  # a digit's character in a name
        ("姓名欧阳修，男", "姓名［姓名］，男"),
        ("请王小明先生和李女士参加", "请［姓名］先生和［姓名］女士参加"),
        ("缪先生", "［姓名］先生"),
    ],
)
def test_what_is_personal_is_masked(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "2023-2025年的目标，2020 2021 2022 2023各是多少",
        "20230822发布会说了什么？",
        "投入20000000元、22345678平方米",
        "测府规〔2023〕3号、嘉府办发〔2021〕12号第12345号",
        "打12345，或者400-820-1234",
        "G60沪苏浙、三港两园、“3+16”格局，5000亿元，16.5%",
        "本人是园区企业职工，本人有高新技术企业，联系人是谁？联系人电话填哪里？",
        "各位先生，女士们，这位女士",
        "姓名、电话要填吗",
        "一二三产业，二〇二五年",
        "https://www.jiading.gov.cn/",
        "",
    ],
)
def test_what_is_not_personal_stays(text: str) -> None:
    assert mask(text) == text


def test_a_number_that_was_published_stays_where_it_is_allowed() -> None:
    public = "区经委技术进步科 021-69989071；jdqxjr@126.com"
    answer = "可以打021-69989071或写信到jdqxjr@126.com，不要打021-59990000。"
    assert mask(answer, public) == "可以打021-69989071或写信到jdqxjr@126.com，不要打［电话号码］。"
    assert mask("我是13812345678，联系人：张三", "张三") == "我是［手机号码］，联系人：［姓名］"  # numbers alone


AROUND = st.text("嘉定园区 ，。abc我叫：", max_size=8)
PIECES = st.sampled_from(
    [
        "13812345678",
        "021-69989071",
        "310114199001011234",
        "a@b.cn",
        "沪A12345",
        "张三",
        "我叫",
        "2025年",
        "12",
        " ",
        "，",
    ]
)


@given(AROUND, st.sampled_from("3456789"), st.integers(0, 10**9 - 1), st.sampled_from(["", "-", " "]), AROUND)
def test_no_mobile_number_is_kept_whatever_stands_around_it(
    before: str, second: str, rest: int, sign: str, after: str
) -> None:
    digits = f"1{second}{rest:09}"
    number = sign.join((digits[:3], digits[3:7], digits[7:]))
    assert re.search(r"\d{4}", mask(before + number + after)) is None


@given(AROUND, st.integers(10**5, 10**6 - 1), st.dates(), st.integers(0, 999), st.sampled_from("0123456789Xx"), AROUND)
def test_no_identity_number_is_kept(before: str, area: int, born: object, serial: int, check: str, after: str) -> None:
    number = f"{area}{str(born).replace('-', '')}{serial:03}{check}"
    assert number not in mask(before + number + after)


@given(st.lists(PIECES | st.text("一二三1234567890-@.张我叫是先生［］ ", max_size=12), max_size=8).map("".join))
def test_masking_again_changes_nothing_and_the_rest_stays_in_order(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    at = 0
    for kept in re.split(r"［(?:邮箱|证件号码|信用代码|银行卡号|长号码|手机号码|电话号码|账号|车牌号|姓名)］", masked):
        at = text.index(kept, at) + len(kept)


@given(st.text())
def test_any_text_can_be_masked(text: str) -> None:
    assert mask(mask(text)) == mask(text)
