"""The sorts of answer a question can ask for: how each is asked, and what a text must hold to give it.

All texts here are normalised.
"""

import re
from functools import cache
from typing import Literal

import rjieba

Kind = Literal[
    "money", "area", "percent", "count", "date", "day", "duration", "document_number", "contact", "number",
    "full_text", "place", "body", "procedure", "list", "verdict", "validity",
]  # fmt: skip
HARD_KINDS: frozenset[Kind] = frozenset(
    {
        "money",
        "area",
        "percent",
        "count",
        "date",
        "day",
        "duration",
        "document_number",
        "contact",
        "number",
        "full_text",
        "place",
        "body",
        "procedure",
    }
)
SINGLE: frozenset[Kind] = frozenset({"money", "area", "percent", "count", "date", "day"})  # one value is right
FIGURES: frozenset[Kind] = frozenset({"money", "area", "percent", "count", "number"})

_ASKED: dict[Kind, re.Pattern[str]] = {
    "document_number": re.compile(r"文号|发文字号|批文号"),
    "full_text": re.compile(r"全文|发我一份|完整(?:文本|文件)"),
    "contact": re.compile(r"电话|联系方式|邮箱|热线"),
    "area": re.compile(
        r"面积|多少个?(?:公顷|亩|平)|(?<!产能)(?<!规模)(?<!力度)(?<!体量)(?<!盘子)(?<!盘子有)多大(?!的?(?:规模|力度|比例|体量))|占地|平方"
    ),
    "percent": re.compile(
        r"比例|比重|占比|增速|增幅|(?:增长|上升|下降)了?(?:率|多少)|集聚度|百分之|入驻率|几成|百分点|占.{0,6}多少"
    ),
    "money": re.compile(
        r"多少个?(?:万|亿)?[元钱块]|[多几]个?[百千]?[万亿]|多少个?[万亿]|金额|块钱|价钱?"
        r"|(?:奖励?|补贴?|补助|资助|贴息|扶持|支持|给|奖金|额度|封顶|拿|领|交|卖|花|最多|最高).{0,8}(?:多少|标准)"
        r"|(?:奖励?|补贴?|补助|资助|奖金).{0,4}范围|.(?:奖励|补贴|补助|资助)\??$"
        r"|(?:营收|产值|产出|税收|投资|收入|资金|增加值|gdp|价格|规模).{0,12}(?:多少|数)"
        r"|(?:租金|房租|收费|费用|票价|单价|造价|工资|年薪|月薪|薪酬|售价|房价|地价).{0,8}(?:多少|几|[多]?[高贵])"
        r"|(?:出口|进口|进出口|外贸|外资|销售|融资|成交|零售)总?额"
        r"|(?:投资额?|营收|产值|产出|税收|增加值|租金|收费标准?)$"
    ),
    "date": re.compile(r"什么时候|何时|哪[天年月]|几[月号]|哪[一1][天年]|日期|时间|截止|到期|有效期"),
    "day": re.compile(r"哪[一1]?天|几号|几月几日|哪月哪日"),
    "duration": re.compile(r"多久|多长时间|几年|多少[天年]|几个月|期限|有效期|时限"),
    "place": re.compile(r"哪个?[镇街园]|在哪(?![几些天年月一批次])|哪里|哪条[路河]|哪儿|位置|地址|位于|落在"),
    "body": re.compile(
        r"谁|(?:导演|主演|冠军|得主|作者|总统|总理|首相|市长)(?:[是有]|$|\?)|[哪什]个?么?(?:部门|机构|单位|局|委|公司)|主办单位|谁牵头|受理部门"
    ),
    "procedure": re.compile(
        r"(?:怎么|如何|怎样|哪里|哪儿|在哪|到哪|去哪).{0,2}(?:申报|申请|报名|办理?|申领|领取|提交|报)|流程|申[报请](?:方式|渠道|入口|网址)"
    ),
    "list": re.compile(
        r"哪些|哪[几一二两三四五六七八九\d]+(?![年天月日批次期])|几个方面|分别|包括|有什么|什么条件|条件|要求|指什么|指啥|是什么(?!时|地方|价)|什么意思|支持什么"
        r"|介绍"
    ),
    "verdict": re.compile(r"吗|是不是|是否|有没有|能不能|可不可以|一样|区别|不同|靠谱|怎么回事|有说"),
    "validity": re.compile(
        r"还能|还可以|还有效|仍然?有效|是否(?:还|仍)|过期|失效|还在执行|算数|作数|现在还|有效吗|作废|来得及|赶得上|管用|生效|施行了?[吗没]"
        r"|正式(?:文件|施行|实施|稿)|[当作]依据|截止了|还收|在用[吗了]|期限里|还享受|执行了吗"
    ),
}
_COUNT = re.compile(
    r"(?:多少|(?<![哪])几)(?P<unit>[家个条项辆套人名座件张批亩户所栋幢场次])(?![万亿])|多少(?P<noun>企业|园区|项目|人才|公司)"
    r"|(?P<number>企业数|数量|家数|人数)"
)
_UNITS = {
    "家": "家个户所", "个": "个家项座批", "条": "条项个", "项": "项条个", "件": "件张个", "张": "张件个", "人": "人名", "名": "名人",
    "企业": "家个户", "公司": "家个户", "园区": "个家", "项目": "个项", "人才": "人名", "企业数": "家个户", "人数": "人名个位", "数量": "家个项座批人名辆套条台件张", "家数": "家个户",
}  # fmt: skip

_MONEY = r"\d(?:\.\d+)?(?:[余多])?(?:[百千]?[万亿]|千)?(?:元|美元)|\d[余多]?[万亿](?![平辆人套名家个吨])|贴息|免征"
_GIVEN: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(_MONEY),
    "area": re.compile(r"\d[余多]?万?(?:平方|亩|公顷|㎡|m2)"),
    "percent": re.compile(r"\d%|\d:\d|个百分点|翻番|[一二三四五六七八九]成|半"),
    "date": re.compile(r"\d{4}年|\d{4}-\d\d|\d{1,2}月\d{1,2}日|\d{1,2}月(?:[上中下]旬|底|初)?(?![份内])"),
    "day": re.compile(r"\d月\d{1,2}日|\d{4}-\d\d-\d\d"),
    "duration": re.compile(
        r"(?<!\d)\d{1,2}(?:年(?!度)|个月|天|个?工作日|日(?![至到前止-]))|[至到止].{0,3}\d{4}[年-]|\d{4}[年-][^,;]{0,12}[前止]|长期|半年|[两三一]年"
    ),
    "document_number": re.compile(r"\[\d{4}\]\d+号"),
    "contact": re.compile(r"\d{8}|(?<!\d)\d{4}-\d{4}(?!\d)|@"),
    "number": re.compile(r"\d"),
    "place": re.compile(r"镇|街道|路\d|新城|公路|工业区|至\S{1,8}路"),
    "body": re.compile(r"局|委|队|办公室|小组|部门|公司|集团|中心|书记|区长|主任|镇政府"),
    "procedure": re.compile(r"申报|申请|登录|提交|受理|报送|填报|报名|窗口|网上|系统|材料|核实"),
    "validity": re.compile(
        r"现行|有效期|历史|过时|旧(?:办法|标准|版)|失效|废止|一次性政策|执行期|试行|核实|草案|征求意见|不能当作"
    ),
}
_TOWN_NAME = re.compile(r"[\u4e00-\u9fff]{2}(?:镇|街道)|嘉定工业区|菊园新区|安亭|南翔|江桥|马陆|徐行|外冈|华亭")
_TAGS: dict[Kind, tuple[str, ...]] = {"body": ("nr", "nt")}  # of words that give it too
_ADDRESS = re.compile(r"路\d|\d号|公路")
_CHANNEL = re.compile(
    r"网上|网站|系统|平台|窗口|登录|地址|邮箱|@|http|[向交至](?:所在|区|各|街镇)|报送至?|[委局]受理|街镇|\d{8}"
)
_LOCATES = re.compile(
    "(?:镇|街道)[: ]|[在于]|属|境内|来自|地处|坐落|落户|落地|迁|位置|地址|以[东南西北]|[东南西北][至临到起]"
)
_HERE = re.compile("上海|嘉定|中国")  # where everything here is: names no place
_VALUES: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(r"\d[\d.]*[余多]?[百千]?[万亿]*(?:美?元|亿)"),
    "area": re.compile(r"\d[\d.]*[余多]?万?(?:平方公里|平方米|亩|公顷)"),
    "percent": re.compile(r"\d[\d.]*%"),
    "date": re.compile(r"\d{4}年(?:\d{1,2}月(?:\d{1,2}日)?)?|\d{4}-\d\d(?:-\d\d)?|\d{1,2}月\d{1,2}日"),
    "day": re.compile(r"\d{1,2}月\d{1,2}日|\d{4}-\d\d-\d\d"),
}
# What a sentence that something is not known must speak of, to be about a question of the kind.
_ABOUT: dict[Kind, re.Pattern[str]] = {
    "money": re.compile(r"金额|比例|标准|上限|产值|产出|税收|营收|投资|价格|收入|增加值|数额|数"),
    "area": re.compile(r"面积|规模"),
    "percent": re.compile(r"比例|占比|增|率|度"),
    "count": re.compile(r"数|名单|多少"),
    "date": re.compile(r"时间|日期|时|有效期|截止|期限"),
    "document_number": re.compile(r"文号"),
    "contact": re.compile(r"电话|科室|联系"),
}
_AWARD = re.compile(r"奖|补贴|补助|补多少|资助|扶持|贴息|支持|资金|封顶|最高")
# What a figure is of: a question's and a sentence's must not differ.
_MEASURES = {
    "投资": re.compile(r"投资|投(?=多少|了|入|几)|要投|总投"),
    "产值": re.compile(r"产值|产出|产量"),
    "税": re.compile(r"税收|纳税|税额|税(?=多少)"),
    "营收": re.compile(r"营收|营业|收入|销售"),
    "注册资本": re.compile(r"注册资本"),
    "融资": re.compile(r"融资"),
    "增加值": re.compile(r"增加值|生产总值|gdp"),
    "零售额": re.compile(r"零售"),
    "价格": re.compile(r"价|租金|卖|一平"),
    "经费": re.compile(r"经费"),
}


def kinds(text: str) -> frozenset[Kind]:
    """Return the sorts of answer that a question asks for, none if it does not say."""
    found: set[Kind] = {kind for kind, pattern in _ASKED.items() if pattern.search(text)}
    if _COUNT.search(text):
        found.add("count")
    if not found & HARD_KINDS and re.search(r"多少|多大|(?<!哪)几(?!方面)", text):
        found.add("number")
    return frozenset(found)


def measures_of(text: str) -> frozenset[str]:
    """Return what a text's figures are of: investment, output, tax and so on; empty where it names none."""
    return frozenset(name for name, pattern in _MEASURES.items() if pattern.search(text))


def counted(text: str) -> str:
    """Return the measure words that the count asked for may have; "" if none is asked for."""
    matches = (match["unit"] or match["noun"] or match["number"] for match in _COUNT.finditer(text))
    return "".join(_UNITS.get(asked, asked if len(asked) == 1 else "家个项") for asked in matches)


def gives(kind: Kind, text: str, around: str, question: str, measures: str) -> bool:
    """Return whether a text has what answers this kind of question; `around` is what introduces it.

    Where an award is asked for, a figure of output or investment is no answer. A count must have one of `measures`.
    """
    if kind == "money" and _AWARD.search(question) and measures_of(text) and not _AWARD.search(text + around):
        return False
    if kind == "count":
        return bool(_count_of(measures).search(text))
    if kind == "procedure" and re.search("哪[里儿]?|找谁", question):
        return bool(_CHANNEL.search(text))
    if kind == "place":
        return _tells_place(text, question)
    if kind in _TAGS and any(
        tag.startswith(_TAGS[kind]) and word not in question and not _HERE.match(word) for word, tag in rjieba.tag(text)
    ):
        return True
    return bool(_GIVEN[kind].search(text)) if kind in _GIVEN else kind != "full_text"


def _tells_place(text: str, question: str) -> bool:
    """Return whether a text names a place that the question does not name; one as 镇 where a town is asked for."""
    asked = re.search(r"哪个?(镇|街道?)", question)
    if asked and not re.search(r"街镇", question):
        return any(name not in question for name in _TOWN_NAME.findall(text))
    if _ADDRESS.search(text):
        return True
    named = any(text[max(0, m.start() - 2) : m.end()] not in question for m in _GIVEN["place"].finditer(text))
    named = named or any(
        tag == "ns" and word not in question and not _HERE.match(word) for word, tag in rjieba.tag(text)
    )
    return named and bool(_LOCATES.search(text))


def values(kind: Kind, text: str, measures: str) -> frozenset[str]:
    """Return the values that a text gives for this kind of question, a count and a day without their unit (家, 个) and year."""
    pattern = _count_of(measures or "家个项条") if kind == "count" else _VALUES.get(kind)
    found = pattern.findall(text) if pattern else []
    return frozenset(
        re.split(r"(?<=[\d余多万])(?![\d.余多万])", value)[0] if kind == "count" else _day(value) for value in found
    )


def _day(value: str) -> str:
    """Return the month and day where a value is a date that has both (2026年2月4日 and 2月4日 are one), else the value."""
    day = re.search(r"(\d{1,2})(?:月|-)(\d{1,2})日?$", value) if "月" in value or value.count("-") == 2 else None
    return f"{int(day[1])}-{int(day[2])}" if day else value


@cache
def _count_of(measures: str) -> re.Pattern[str]:
    return re.compile(rf"\d[\d.]*[余多]?万?\S{{0,2}}[{measures}]")


def concerns(kind: Kind, text: str) -> bool:
    """Return whether a sentence that something is not known may speak of what this kind of question asks."""
    return kind not in _ABOUT or bool(_ABOUT[kind].search(text))
