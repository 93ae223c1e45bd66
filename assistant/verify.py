"""Hold statements to their citations: removes what no cited span supports, adds nothing.

A statement may be in other words than its spans, but its figures with their units and bounds, dates, document numbers,
names, negations and what is certain, allowed, required or planned must be theirs; what a span leaves to its title and
headings, which are shown with it, may be said too. Rules, chosen on the dev rows of eval/statements.jsonl;
`python -m eval.grounding` measures them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import rjieba

from assistant.lexical import bigrams, everyday_idf, gram_set
from assistant.schema import Citation, Document, Statement
from assistant.text import normalise

_MAGNITUDES = {
    "百": 100,
    "千": 1000,
    "万": 10_000,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "千亿": 10**11,
    "万亿": 10**12,
}
_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?:年(?:(?P<m>\d{1,2})月(?:(?P<d>\d{1,2})日)?)?|[-/.](?P<im>\d{1,2})(?:[-/.](?P<id>\d{1,2}))?(?!\d))"
)
_DAY = re.compile(r"(?<!\d)(?P<m>\d{1,2})月(?P<d>\d{1,2})日")  # without its year
_TIME = re.compile(
    r"(?P<half>上午|下午|晚上|中午|(?<=[到至-]))?(?<![\d.])(?P<h>\d{1,2})(?:(?:点|时(?!代|期|间))(?P<m>半|\d{1,2}分?)?|:(?P<im>\d\d))(?!\d)"
)
_DOCUMENT_NUMBER = re.compile(r"[^\W\d_]{0,2}\[\d{4}\]\d+号")
_NUMBER = re.compile(
    r"(?<![\d.a-z])(?P<n>\d+(?:\.\d+)?)(?P<over>[余多])?(?P<m>[百千]?[万亿]亿?|百|千)?(?P<more>[余多])?"
    r"(?P<unit>个百分点|%|平方公里|平方米|公顷|亩|公里|美元|元|吨|公斤|辆|套|个工作日|个月|年|月|天|日|小时|分钟|倍|次"
    r"|[家个户项条件座栋处块批期场所幢类款页层人名位])?"
)
_COUNTERS = {**dict.fromkeys("家户项条件座栋处块场所幢类款页层", "个"), "名": "人", "位": "人"}
# Numbers that refer or sum up what is listed, and words that hold none.
_REFERRING = re.compile(
    r"(?<=[这那前后上])\d+(?=[年个项条家处])|(?<![\d.])[2-9](?=种|份|类(?!项)|方面|组|者|个方面|处矛盾)|规模以上|规上|1(?:次性|站式|体化)"
)
_ASIDES = re.compile(
    r"(?:^|(?<=[,;.:]))(?:是的|不是|有的|没有|可以|不可以|不能|能)(?=[,.])|(?:需要?|应当?)?(?:说明|注意|提醒|指出)的是|(?:总的来说|简单说|具体来说|此外|另外|同时|其中|因此|所以)(?=,)"
    r"|(?:根?据|按照?)(?:统计|公开|相关|有关|现有|上述|该|这份?|当时|报道|原|市级|区级)*(?:资料|报道|数据|材料|信息|文件|公告|统计|口径)(?:显示|介绍|的?记载)?|这[1一](?:信息|数据|说法|口径)(?:出自|来自)"
    r"|(?:根?据|按照?)(?:规划|计划)目标"
    r"|(?:^|(?<=[,;.]))(?:请|建议)(?:您|企业|贵司|贵单位|申报单位|有需要的)?[^,;.\d]{0,8}"  # to do what no document need say
    r"(?:提前|尽早|及时|留意|注意|关注|核实|确认|咨询|参阅|查阅|准备|安排|为准)[^,;.\d]{0,8}(?=[,;.]|$)"
)
_QUOTED = re.compile(r"[《“「『]([^》”」』]+)[》”」』]")
_CLAUSE = re.compile(r"[,;:!?\n]|\.(?!\d)")
_CELL = re.compile(rf"{_CLAUSE.pattern}|\|")
_SENTENCE = re.compile(r"[;!?\n]|\.(?!\d)")
_BODY = re.compile(
    r"[\u4e00-\u9fff]{2,7}(?:委员会|委(?!书记|员)|局|厅|办(?!发|法|理|公)|镇|街道|集团|公司|大学|医院|银行|研究院|协会|报社|通讯社)"
)
_LEVEL = re.compile(r"国家级|省级|市级|区级|镇级|每(?:年|月|季度|人|天|吨|公斤|平方米)")
_IMPLIED = {
    "市级": re.compile("上海市|全市|本市|市(?:科技|经信|政府|财政|专项)"),
    "区级": re.compile("嘉定区|本区"),
    "每年": re.compile("(?<!\\d)年[产税销营收均]"),
}
_FUNCTION = frozenset("由找中按在对向把被从于和与及打该过同跟则")  # no part of a noun, but cut into one now and then
_LATIN = re.compile(r"[a-z]+\d+|(?<![\d.])\d+[a-z]+|[a-z]{2,}")
_ORDINAL = re.compile(r"第[1-9]\d*(?!季度)")

_AT_MOST = re.compile(r"最高|不足|(?<!不)[低少]于$|不超过|以内|以下|上限|封顶|至多|最多|不高于|不大于|之内")
_AT_LEAST = re.compile(r"(?<!不)超过|(?<!不)超|逾|突破|以上|不低于|不少于|至少|最低|(?<!不)[多高]于$")
_NOT = re.compile(
    r"不(?![1一](?=[,.;])|是[1一](?:回事|套|样)|在[1一]处|是同|相同|[1一]致|过(?!\d)|要混|能混|宜混|可混|是同1|1样|一样|超过|低于|少于|高于|大于|足|仅|断|同|相同|等(?!于)|限|只|管|论|但|含|动产|锈)|没(?!收)|未(?!来)"
    r"|无(?!人|线|锡|障碍|异议)|并非|而非|暂停|取消|禁止|除外|免(?!费|征|税)"
)
_DONE = re.compile(
    r"已(?!有)|完成|建成|实现了|落成|达到了|达成|如期|正式(?:投|启|开)|获批|批准|揭牌|启用|开园|主体封顶|竣工验收|认定了"
)
_DONE_BESIDE_A_PLAN = re.compile(r"已(?!有)|如期|实现了|达到了|达成了")
_PLANNED = re.compile(
    r"原定|目标|计划|预计|(?<![虚模])拟|力争|规划|将(?!于\d|近)|争取|有望|(?<![年初月日])到20\d\d年(?!\d)|提出|打算|准备|预期|要(?=[在到达做建有])|未来|瞄准"
)
_PLAN_TITLED = re.compile(rf"{_PLANNED.pattern}|行动方案|行动计划|年行动")
_REQUIRED = re.compile(r"应当|必须|应(?![用急对届变收付])|须|需(?!求)|务必|不得|要求|强制")
_ALLOWED = re.compile(r"可以|可(?!能|靠|持|视|观|研|信)|允许|鼓励|自愿|酌情|能(?=[够享获申])|争取")
_HEDGED = re.compile(r"部分|之1|之一|原则上")
_STRONG = {  # what makes a statement stronger than one without it
    "全部": re.compile(r"全部|所有|[1一]律|每[1一][家个项]|无[1一]例外|任何"),
    "唯一": re.compile(r"唯[1一]|独家|仅限"),
    "必须": re.compile(r"必须|务必|强制|方可"),
    "统一": re.compile(r"统[1一]|固定|自动(?!驾|化)|直接|无条件|必然|必定|保证|确保"),
    "首个": re.compile(r"首[个家创次]|率先|最早"),
}
_SCOPES = (  # the words of each say how far something reaches
    re.compile("全国|全市|沪上|国内|国际|全球|世界"),
    re.compile("全年|上半年|下半年|前三季度"),
)
_WIDER = re.compile("全市|上海市|全国")
_LEVEL_AMOUNT = re.compile(r"(国家级|省级|市级|区级|镇级)[^\W\d_]{0,2}(\d[\d.]*[百千万亿]*[元家个项名]?)")
_RULES_TITLED = re.compile("措施|政策|意见|办法|指南")
_DEMANDS = re.compile("条件|对象|谁能|申报|要求|资格|须|应|不得")
_RISES, _FALLS = re.compile("增长|上升|提高|增加"), re.compile("下降|减少|降低|回落")
_SAME_THING = re.compile(r"同[1一]|相同|[1一](?:样|回事|致)")
_DIFFERENT = re.compile(r"不(?:相?同|[1一]样|是同|是[1一]回事|[1一]致)|有别|混淆|区别|分属")
_COMMON_NOUNS = frozenset(
    (
        "时间 数量 方面 层面 园区 板块 时候 材料 基础 二者 两者 企业 政策 项目 单位 文件 办法 规定 情况 内容 数字 资料 方案 措施 标准 条件 要求 "
        "计划 数据 信息 中心 嘉定 嘉定区 上海 上海市 全市 资料 报道 地方 部分 全区 区里 市里 本区 说法 口径 原文 结果 范围 对象 事项 期间 时期 水平 力度 机构 领域 产业 数值 当时 总数 总量 金额 名称 "
        "规划 同比 建议 称号 职务 地址 电话 邮箱 网站 网址 入口 一共 适用范围 选址 布局 邮件 原本 安排 区块 会议 资金 符合条件 前者 后者 增幅 涨幅 其中 目的 方式 方法 做法 意思 公司 区域 地区 业务 对方 阶段 年份 日期 期限 号文 力争"
    ).split()
)
MAX_SPANS = 12  # that a statement may cite: of all that there is, some holds any word
LEAST_GRAMS = 6  # bigrams of a clause that is looked at by itself
LEAST_CLAUSE = 0.2  # share of a clause's bigrams that must stand in the spans
TELLING_NOUN = 2.5  # least idf in everyday news of a noun that is no mere connective (问题, 机制)
LEAST_NOUN = 0.66  # share of a noun's characters


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text: its value, its unit ("" where it has none), whether it is a bound, and the words before it."""

    value: Decimal
    unit: str
    bound: str
    before: frozenset[str]


def figures(text: str) -> frozenset[str]:
    """Return every figure of a text in one spelling: amounts, counts, percentages, dates and 文号.

    5000亿元 and 五千亿 give 500000000000, not 5000万's 50000000; 2023年8月22日 and 2023-08-22 give the same;
    a date also gives its month, its year and its day without the year (--08-22), which it implies.
    """
    text = normalise(text)
    found = {match.group() for match in _DOCUMENT_NUMBER.finditer(text)}
    text = _DOCUMENT_NUMBER.sub(" ", text)
    for match in _DATE.finditer(text):
        month, day = match["m"] or match["im"], match["d"] or match["id"]
        parts = [match["y"], *(f"{int(part):02d}" for part in (month, day) if part)]
        found |= {"-".join(parts[:count]) for count in range(1, len(parts) + 1)}
        found |= {_month_day(month, day)} if month and day else set()
    text = _DATE.sub(" ", text)
    for match in _DAY.finditer(text):
        found.add(_month_day(match["m"], match["d"]))
    text = _DAY.sub(" ", text)
    for match in _NUMBER.finditer(text):
        percent = "%" if match["unit"] == "%" else ""
        found.add(f"{_value(match).normalize():f}{percent}")
    return frozenset(found)


def _month_day(month: str, day: str) -> str:
    return f"--{int(month):02d}-{int(day):02d}"


def quantities(normalised: str) -> list[Quantity]:
    """Return the numbers of a normalised text that are no part of a date or document number, in order."""
    text = _REFERRING.sub(" ", _DAY.sub(" ", _DATE.sub(" ", _DOCUMENT_NUMBER.sub(" ", normalised))))
    found, last = [], 0
    for match in _NUMBER.finditer(text):
        before = _CELL.split(text[max(0, match.start() - 14) : match.start()])[-1]
        nearer = before[-(match.start() - last) :] if match.start() > last else ""  # no other number between
        after = _CELL.split(text[match.end() : match.end() + 6])[0]
        last = match.end()
        bounds = [*_bounds(nearer), *_bounds(after)]
        if not bounds and (match["over"] or match["more"]):
            bounds = ["least"]
        unit = match["unit"] or ""
        found.append(
            Quantity(_value(match), _COUNTERS.get(unit, unit), bounds[-1] if bounds else "", frozenset(bigrams(before)))
        )
    return found


def _bounds(text: str) -> list[str]:
    found = [(match.start(), "most") for match in _AT_MOST.finditer(text)]
    found += [(match.start(), "least") for match in _AT_LEAST.finditer(text)]
    return [bound for _, bound in sorted(found)]


def _value(match: re.Match[str]) -> Decimal:
    return Decimal(match["n"]) * _MAGNITUDES.get(match["m"] or "", 1)


def names(text: str) -> frozenset[str]:
    """Return the names a text quotes, in 《》 or quotation marks, normalised."""
    return frozenset(normalise(name) for name in _QUOTED.findall(text))


def stands(citation: Citation, document: Document) -> bool:
    """Return whether the quote is in the document, verbatim, at its offsets."""
    return bool(citation.quote) and document.text[citation.start : citation.end] == citation.quote


def unsupported(statement: Statement) -> frozenset[str]:
    """Return what in a statement the spans it cites do not bear out, each as it is written or named; empty if all holds."""
    spans = "\n".join(citation.quote for citation in statement.citations)
    told, said = _plain(spans), _ASIDES.sub("", _plain(statement.text))
    titles = _plain("\n".join(citation.title for citation in statement.citations))
    around = f"{titles}\n{_plain(' '.join(citation.locator for citation in statement.citations))}"
    if re.sub(r"\W", "", said) in re.sub(r"\W", "", told):
        return frozenset()
    (told, times), (said, spoken) = _times(told), _times(said)
    given = figures(told) | figures(_DATE.sub(" ", around))
    if not _DATE.search(told):  # else a span's own dates count, not those around it
        given |= figures(around)
    dates = {
        f"{year}{day[1:]}" for year in given if year.isdigit() and len(year) == 4 for day in given if day[:2] == "--"
    }
    small = {
        "1",
        *("2" for _ in re.findall("[和与、]", spans)[:1]),
        str(len(statement.citations)),
        *(str(count) for count in _listed(spans)),
    }
    counts = {"1", *(count for count in small if re.search(rf"(?<!\d){count}[个家项条块类处者大]", said))}
    return frozenset(
        {
            *(spoken - times),
            *(figures(_REFERRING.sub("", said)) - given - dates - _neighbours(told) - counts),
            *(name for name in names(statement.text) if name not in f"{told}{around}{normalise(spans)}"),
            *_wrong_quantities(said, told, around, counts),
            *(set(_ORDINAL.findall(said)) - set(_ORDINAL.findall(f"{told}{around}".replace("首", "第1")))),
            *_wrong_certainty(said, told, around),
            *_misplaced(said, told, around),
            *_foreign(said, told, titles, around),
        }
    )


def _listed(spans: str) -> set[int]:
    """Return how many things each enumeration of the spans has: 汽车芯片、智能传感器、封测 are three."""
    return {clause.count("、") + 1 for clause in re.split("[，。；：！？|\\n]", spans) if "、" in clause}


def _plain(text: str) -> str:
    """Return the text normalised, with one spelling for some words that hold a number or a negation."""
    text = re.sub(r"不[得能可应](?=低于|少于|超过|高于)", "不", normalise(text)).replace("有没有", "是否")
    text = re.sub(r"([两三四五六七八九])大(?=[^\W\d_]{2})", lambda m: f"{'两三四五六七八九'.index(m[1]) + 2}个", text)
    text = re.sub(
        r"(?<![完达])([一两三四五六七八九]|\d)成(?![立为果本员效都绩交就长功份])", lambda m: f"{_tens(m[1])}%", text
    )
    text = re.sub(r"(\d{1,2})月(\d{1,2}日[^月年]{0,12})[当同]月(?=\d{1,2}日)", r"\1月\2\1月", text)
    text = re.sub(
        r"(20\d\d)年([^年]{0,20})(?:次年|第2年)(?=\d{1,2}月)", lambda m: f"{m[1]}年{m[2]}{int(m[1]) + 1}年", text
    )
    text = re.sub("([两三四五六七八九])(?=[块边])", lambda m: str("两三四五六七八九".index(m[1]) + 2), text)
    text = re.sub("[一1]比[一1](?=的)", "1:1", text)
    text = re.sub("翻了?[一1]番", "翻番", text)
    text = re.sub(r"从(20\d\d年[^,;]{0,20}?)到(?=20\d\d年)", r"\1-", text)  # no plan: a rise from one year to another
    return re.sub(r"第([一二三四五六七八九])", lambda ordinal: f"第{'一二三四五六七八九'.index(ordinal[1]) + 1}", text)


def _tens(digit: str) -> int:
    return 10 * (int(digit) if digit.isdigit() else "一两三四五六七八九".index(digit) + 1)


def _times(text: str) -> tuple[str, frozenset[str]]:
    """Return the text without its times of day, and these: 下午5点半 and 17:30 give the same."""
    found, afternoon = set(), False
    for match in _TIME.finditer(text):
        afternoon = match["half"] in ("下午", "晚上") or (afternoon and not match["half"])
        hour, minute = int(match["h"]), match["im"] or (match["m"] or "0").replace("半", "30").rstrip("分")
        found.add(f"{hour + 12 if afternoon and hour < 12 else hour}:{int(minute):02d}")
    return _TIME.sub(" ", text), frozenset(found)


def _neighbours(told: str) -> frozenset[str]:
    """Return the years that a text names by their distance from another (次年)."""
    apart = {1: re.search("次年|第2年|明年|翌年", told), -1: re.search("上1?年|去年|前1年", told)}
    named = [int(match["y"]) for match in _DATE.finditer(told)]
    return frozenset(str(year + distance) for year in named for distance, said in apart.items() if said)


def _wrong_quantities(said: str, told: str, around: str, counts: set[str]) -> list[str]:
    """Return the numbers that no span gives with this unit and bound, or that the spans give for something else.

    What is counted in `around` or is one of `counts` may be said without a bound.
    """
    known, titled, wrong = quantities(told), {(k.value, k.unit) for k in quantities(around)}, []
    for quantity in quantities(said):
        same = [k for k in known if k.value == quantity.value and (not quantity.unit or k.unit in ("", quantity.unit))]
        written = f"{quantity.value:f}{quantity.unit}"
        if not same:
            counted = quantity.unit in ("", "个", "人") and f"{quantity.value:f}" in counts
            known_there = counted or (quantity.value, quantity.unit) in titled
            wrong += [] if known_there else [written]
            continue
        bounds = {k.bound for k in same}
        if "" in bounds and _AT_MOST.search(told):  # a column's label may say it
            bounds.add("most")
        if (quantity.bound and quantity.bound not in bounds) or (not quantity.bound and bounds == {"most"}):
            wrong.append(written)
            continue
        others = (k for k in known if k.unit == quantity.unit and k.value != quantity.value)
        nearest = max((len(quantity.before & k.before) for k in same), default=0)
        if max((len(quantity.before & k.before) for k in others), default=0) >= nearest + SWAPPED:
            wrong.append(written)
    return wrong


SWAPPED = 2  # bigrams by which the words before another number must fit better


def _wrong_certainty(said: str, told: str, around: str) -> list[str]:
    """Return the negations, and the words on what is done, planned, allowed or required, that differ from the spans'.

    `around` are the spans' titles and headings: a figure below 目标 is one.
    """
    wrong = ["否定"] if _NOT.search(said) and not _NOT.search(told) else []
    wrong += ["否定"] if _otherwise(said, told, _NOT) else []
    planned, was_planned = bool(_PLANNED.search(said)), bool(_PLANNED.search(told))
    was_planned = was_planned or bool(_PLAN_TITLED.search(around) and not _DONE.search(told))
    ruled = bool(_RULES_TITLED.search(around)) and not _DONE.search(told)  # what a policy says is to come about
    if (planned and not (was_planned or ruled)) or (not planned and _otherwise(said, told, _PLANNED)):
        wrong.append("计划")
    done = _DONE_BESIDE_A_PLAN if planned else _DONE
    if done.search(said) and not _DONE.search(told) and (was_planned or _RULES_TITLED.search(around)):
        wrong.append("完成")
    demanded = _DEMANDS.search(told + around)
    strong = (name for name, pattern in _STRONG.items() if pattern.search(said) and not pattern.search(told))
    wrong += [name for name in strong if not (name == "必须" and demanded)]
    for one, other in ((_RISES, _FALLS), (_FALLS, _RISES)):
        if one.search(said) and not one.search(told) and other.search(told) and not other.search(said):
            wrong.append("升降")
    if _SAME_THING.search(said) and _DIFFERENT.search(told) and not _DIFFERENT.search(said):
        wrong.append("相同")
    for one, other in ((_ALLOWED, _REQUIRED), (_REQUIRED, _ALLOWED)):
        again = other.search(said) or (other is _REQUIRED and "要" in said)
        if one.search(said) and not one.search(told) and other.search(told) and not again:
            wrong.append("可以或应当")
    if _HEDGED.search(told) and not re.search(r"部分|之1|之一|原则上|其中|有", said):
        wrong.append("部分")
    return wrong


def _misplaced(said: str, told: str, around: str) -> list[str]:
    """Return the figures of another row or level, and the words of scope, than the spans': 全国 for 全市, 全年 for 上半年."""
    wrong = [word for one in _SCOPES for word in _other_scope(one, said, told, f"{told}{around}")]
    if _WIDER.search(told) and "嘉定" in said and "嘉定" not in told and not _WIDER.search(said):
        wrong.append("范围")
    amounts = _amounts(said)
    for rows in (_rows(told), _LEVEL_AMOUNT.findall(told)):
        for subject, rest in rows:
            own = _amounts(rest)
            others = [(name, other) for name, other in rows if name != subject and amounts & _amounts(other)]
            if subject in said and not amounts & own and any(name not in said for name, _ in others):
                wrong += [amount for name, other in others if name not in said for amount in amounts & _amounts(other)]
    return wrong


def _other_scope(family: re.Pattern[str], said: str, told: str, near: str) -> set[str]:
    """Return the words of a family that only the statement has, where the spans have another of it."""
    new = set(family.findall(said)) - set(family.findall(near))
    return new if family.search(told) else set()


def _rows(told: str) -> list[tuple[str, str]]:
    """Return (first cell, the other cells) of each table row."""
    rows = [line.strip("| ").split("|", 1) for line in told.split("\n") if line.count("|") > 1]
    return [(row[0].strip(), row[1]) for row in rows if len(row) == 2 and len(row[0].strip()) > 2]


def _amounts(text: str) -> set[str]:
    """Return the numbers that have a unit, as they are written, dates left out."""
    units = ((match.group(), match["unit"] or match["m"]) for match in _NUMBER.finditer(text))
    return {number for number, unit in units if unit and unit not in ("年", "月", "日")}


def _otherwise(said: str, told: str, mark: re.Pattern[str]) -> bool:
    """Return whether a clause of the spans that is told again has a mark (of negation, of a plan) in one of both only."""
    clauses = [
        (gram_set(clause), bool(mark.search(clause)), bool(mark.search(sentence)))
        for sentence in _SENTENCE.split(told)
        for clause in _CLAUSE.split(sentence)
    ]
    again: dict[tuple[frozenset[str], bool, bool], bool] = {}
    for clause in _CLAUSE.split(said):
        grams = gram_set(clause)
        best = max(clauses, key=lambda one: len(grams & one[0]))
        if len(grams & best[0]) >= max(3, min(len(grams), len(best[0])) / 2) and "而非" not in clause:
            again[best] = again.get(best, False) or bool(mark.search(clause))
    # A list of things is one sentence: what is marked at its end is marked for each.
    return any((marked and not now) or (now and not about) for (_, marked, about), now in again.items())


def _foreign(said: str, spans: str, titles: str, around: str) -> list[str]:
    """Return the clauses, nouns and bodies that are hardly in the spans; a noun may stand in what is `around` them."""
    known, told = gram_set(f"{spans}\n{titles}"), f"{spans}\n{around}".replace("企业", "企业公司")
    told += "面积" if re.search("平方|亩|公顷", spans) else ""
    idf, rarest = everyday_idf()
    foreign = []
    for clause in (said, *_CLAUSE.split(said)):
        grams = [gram for gram in bigrams(clause) if not re.search(r"\d", gram)]
        if len(grams) >= (2 if clause is said else LEAST_GRAMS) and sum(
            gram in known for gram in grams
        ) < LEAST_CLAUSE * len(grams):
            foreign.append(clause)
    for word, tag in rjieba.tag(re.sub(rf"[^\W\d_]{{0,8}}{_DOCUMENT_NUMBER.pattern}", " ", said)):
        noun = len(word) > 1 and tag[0] in "nj" and word not in told and word not in _COMMON_NOUNS
        noun = noun and _FUNCTION.isdisjoint(word) and word[0] not in "个一" and not re.search(r"\d", word)
        noun = noun and (tag in ("nr", "ns", "nt", "nz") or idf.get(word, rarest) >= TELLING_NOUN)
        if noun and sum(character in told for character in word) < LEAST_NOUN * len(word):
            foreign.append(word)
    for level in sorted(set(_LEVEL.findall(said)) - set(_LEVEL.findall(told))):
        implied = level in _IMPLIED and not _LEVEL.search(spans) and _IMPLIED[level].search(told)
        foreign += [] if implied else [level]
    foreign += [word for word in _LATIN.findall(said) if word not in told]
    for body in _BODY.findall(said):
        grams = bigrams(body[-4:])
        shortened = re.search(".{0,4}".join(body[-3:]), told)  # 区经委: 区经济委员会
        if sum(gram in known for gram in grams) < len(grams) / 2 and not shortened:
            foreign.append(body)
    return foreign


def verify(statements: Sequence[Statement], document: Callable[[str], Document]) -> tuple[Statement, ...]:
    """Return the statements that hold, each with the citations that stand."""
    kept = []
    for statement in statements:
        citations = tuple(c for c in statement.citations if stands(c, document(c.document_id)))
        statement = replace(statement, citations=citations)
        if 0 < len(citations) <= MAX_SPANS and not unsupported(statement):
            kept.append(statement)
    return tuple(kept)
