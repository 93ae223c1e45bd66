"""Hold statements to their citations: removes what no cited span supports, adds nothing.

A statement may be in other words than its spans (see support), but its figures with their units and bounds, dates,
document numbers and quoted names must be theirs; what a span leaves to its title and headings, which are shown with it,
may be said too. Rules, chosen on the dev rows of eval/statements.jsonl; `python -m eval.grounding` measures them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from assistant.schema import Citation, Document, Statement
from assistant.support import CLAUSE, DOCUMENT_NUMBER, differing, features
from assistant.text import normalise
from assistant.tokens import bigrams

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
_CELL = re.compile(rf"{CLAUSE.pattern}|\|")
_ORDINAL = re.compile(r"第[1-9]\d*(?!季度)")

_AT_MOST = re.compile(r"最高|不足|(?<!不)[低少]于$|不超过|以内|以下|上限|封顶|至多|最多|不高于|不大于|之内")
_AT_LEAST = re.compile(r"(?<!不)超过|(?<!不)超|逾|突破|以上|不低于|不少于|至少|最低|(?<!不)[多高]于$")
_SCOPES = (  # the words of each say how far something reaches
    re.compile("全国|全市|沪上|国内|国际|全球|世界"),
    re.compile("全年|上半年|下半年|前三季度"),
)
_WIDER = re.compile("全市|上海市|全国")
_LEVEL_AMOUNT = re.compile(r"(国家级|省级|市级|区级|镇级)[^\W\d_]{0,2}(\d[\d.]*[百千万亿]*[元家个项名]?)")
MAX_SPANS = 12  # that a statement may cite: of all that there is, some holds any word


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
    found = {match.group() for match in DOCUMENT_NUMBER.finditer(text)}
    text = DOCUMENT_NUMBER.sub(" ", text)
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
    text = _REFERRING.sub(" ", _DAY.sub(" ", _DATE.sub(" ", DOCUMENT_NUMBER.sub(" ", normalised))))
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


@dataclass(frozen=True, slots=True)
class _Texts:
    """A statement, its spans, their titles, and titles with headings, plain and without times of day, which stand beside."""

    said: str
    told: str
    titles: str
    around: str
    times_said: frozenset[str]
    times_told: frozenset[str]
    verbatim: bool  # whether the spans say it in the same words


def _texts(statement: Statement) -> _Texts:
    titles = _plain("\n".join(citation.title for citation in statement.citations))
    headings = _plain(" ".join(citation.locator for citation in statement.citations))
    told = _plain("\n".join(citation.quote for citation in statement.citations))
    said = _ASIDES.sub("", _plain(statement.text))
    verbatim = re.sub(r"\W", "", said) in re.sub(r"\W", "", told)
    (said, times_said), (told, times_told) = _times(said), _times(told)
    return _Texts(said, told, titles, f"{titles}\n{headings}", times_said, times_told, verbatim)


def unsupported(statement: Statement) -> frozenset[str]:
    """Return what in a statement the spans it cites do not bear out, each as it is written or named; empty if all holds."""
    texts = _texts(statement)
    if texts.verbatim:
        return frozenset()
    wrong = _wrong_figures(statement, texts)
    return wrong or frozenset(differing(texts.said, texts.told, texts.titles, texts.around))


def signals(statement: Statement) -> dict[str, float]:
    """Return what is weighed of a statement whose figures and names are its spans', none where these or the very words decide."""
    texts = _texts(statement)
    if texts.verbatim or _wrong_figures(statement, texts):
        return {}
    return features(texts.said, texts.told, texts.titles, texts.around)


def _wrong_figures(statement: Statement, texts: _Texts) -> frozenset[str]:
    """Return the figures, dates and quoted names that the spans do not have, or have of something else."""
    spans = "\n".join(citation.quote for citation in statement.citations)
    said, told, around = texts.said, texts.told, texts.around
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
            *(texts.times_said - texts.times_told),
            *(figures(_REFERRING.sub("", said)) - given - dates - _neighbours(told) - counts),
            *(name for name in names(statement.text) if name not in f"{told}{around}{normalise(spans)}"),
            *_wrong_quantities(said, told, around, counts),
            *(set(_ORDINAL.findall(said)) - set(_ORDINAL.findall(f"{told}{around}".replace("首", "第1")))),
            *_misplaced(said, told, around),
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


def verify(statements: Sequence[Statement], document: Callable[[str], Document]) -> tuple[Statement, ...]:
    """Return the statements that hold, each with the citations that stand."""
    kept = []
    for statement in statements:
        citations = tuple(c for c in statement.citations if stands(c, document(c.document_id)))
        statement = replace(statement, citations=citations)
        if 0 < len(citations) <= MAX_SPANS and not unsupported(statement):
            kept.append(statement)
    return tuple(kept)
