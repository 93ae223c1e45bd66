"""Read what a policy says of itself: its number, body, dates, term, and which documents it repeals or amends."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from assistant.catalog import parse_date
from assistant.text import normalise

HEAD_LINES = 15  # in which a document's own number and the lines of its web page stand
TAIL_LINES = 12  # in which it is signed
LONGEST = 300  # characters of a line of the head or tail that are looked at

_HAN = "\u4e00-\u9fff"
_FULL_WIDTH = str.maketrans("０１２３４５６７８９", "0123456789")
_NUMBER = re.compile(
    rf"([{_HAN}]{{2,12}}?)\s*[〔﹝\[［【(（]\s*((?:19|20)\d\d)\s*[〕﹞\]］】)）]\s*(?:第\s*)?(\d{{1,4}})\s*号"
)
_ORDER = re.compile(  # of a government, or of a year's announcements
    rf"(?:[{_HAN}][{_HAN} ]{{1,30}}?(?:令|公告)\s*(?:\d{{4}}\s*年)?|(?<![{_HAN}])\d{{4}}\s*年)\s*第\s*\d+\s*号"
)
_ISSUER = (
    rf"[{_HAN}·]{{2,30}}?(?:人民政府|委员会|办公室|办公厅|管委会|管理局|局|厅|部|院|银行|中心|领导小组|联合会|协会|总队"
    r"|[经科商]委|经信委|商务委|发改委|国资委|建设委|委)"
)
_SIGNED = re.compile(rf"\s*((?:{_ISSUER})(?:[\s、，]+(?:{_ISSUER}))*)\s*")
_SEPARATED = r"\s*[】:：]\s*"
_WHEN = r"(\S+?日|\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{4}年\d{1,2}月)"
_LABELLED = {
    "document_number": re.compile(rf"(?:发文字号|文\s*号|发文号){_SEPARATED}(\S[^\n]*?号)"),
    "issuing_body": re.compile(
        rf"(?:发文机关|发布机构|发文单位|印发机关|制发机关|发布机关|发布单位){_SEPARATED}"
        r"([^\s;；,，|]+(?:[、 ][^\s;；,，|:：]+(?=[\s|]|$))*)"
    ),
    "written": re.compile(rf"(?:成文日期|制发日期|签发日期){_SEPARATED}{_WHEN}"),
    "published": re.compile(rf"(?:发布日期|发布时间|公布日期|公开日期|印发日期|发文日期){_SEPARATED}{_WHEN}"),
}
_CHINESE_YEAR = "[二〇零○O一三四五六七八九]{4}"
_DAY = (
    rf"(?:\d{{4}}|{_CHINESE_YEAR})\s*年\s*(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}})\s*月"
    r"\s*(?:(?:\d{1,2}|[一二三四五六七八九十]{1,3})\s*日)?"
)
_DATED = re.compile(rf"[\s(（]*({_DAY})[\s)）]*")
_ISSUED_ON = re.compile(rf"({_DAY})\s*(?:([{_HAN}]{{2,20}}?)(令\s*第\s*\d+\s*号)\s*)?(?:公开发布|印发|发布|公布)(?!的)")
_FORCE = r"(?:起?\s*(?:正式)?(?:施行|实施|执行|生效|试行|暂行))"
_FROM_DAY = re.compile(rf"(?:自|从|于)\s*({_DAY})\s*{_FORCE}")
_FROM_ISSUE = re.compile(
    r"自(?:印发|发布|公布|发文|颁布|签发)之?日(?:起)?\s*(?:满?\s*(\d+|[一二三四五六七八九十]+)\s*(个月|日|天)后)?"
    rf"\s*(?:起)?{_FORCE}"
)
_BETWEEN = re.compile(
    rf"({_DAY})\s*起?\s*(?:至|到|—+|-|－|~|～)\s*((?:\d{{4}}\s*年\s*)?\d{{1,2}}\s*月\s*\d{{1,2}}\s*日|{_DAY})"
)
_TERM = r"(\d+|[一二两三四五六七八九十])\s*(?:个)?年"
_YEARS = re.compile(
    rf"(?:有效期(?:限)?|执行期(?:限)?|施行期(?:限)?|试行期(?:限)?|实施期限?|暂行期)\s*(?:为|是|：|:|共)?\s*{_TERM}"
    rf"|(?:试行|暂行)\s*{_TERM}(?!度)"
)
_UNTIL = re.compile(
    rf"(?:有效期|执行|施行|实施|试行|截止|期限)[^。；\n]{{0,8}}?(?:至|到|截至)\s*({_DAY}|\d{{4}}\s*年(?:底|末)?)"
)
_HOLDS = re.compile("有效期|执行|施行|实施|试行|暂行")
_GUIDE = re.compile("申报(?:指南|公告|通知|工作)|项目申报|组织申报|开展[^。]{0,30}申报")
_WINDOW = re.compile("受理|申报(?:时间|期)|填报|报名|申请(?:时间|期)")
_NEWS = re.compile("来源[:：]|记者|通讯员")
_ABOUT_ONE = re.compile("解读|一图读懂|图解|问答|答复|回复")  # titles of what speaks of a policy and is none
_DRAFT = re.compile(
    r"征求意见稿|公开征求意见|送审稿|修订稿|[(（]草案[)）]|草案[^。\n]{0,12}征求|征求[^。\n]{0,20}意见的(?:公告|通知|函)"
)
_HEARD = re.compile("反馈|采纳|评估")  # a draft spoken of afterwards
_TITLED = re.compile(r"《((?:[^《》]|《[^《》]*》)+)》")
_REPEALS = re.compile(
    r"废止|停止执行|停止施行|(?:宣布|同时|即行|自行|予以)失效|[由以](?:本|新)[^。；]{0,8}(?:替代|取代|代替)|不再执行"
)
_LISTS = re.compile(r"(?:下列|以下|如下)[^。：:]{0,30}(?:[:：]|$)")  # what is repealed follows line by line
_NO_REPEAL = re.compile(
    r"不(?:予|得|应)?废止|已(?:经|于[^，。]{0,8}|被)*(?:宣布)?(?:废止|失效)|被(?:宣布)?(?:废止|失效)|期满|自动失效"
    r"|废止(?:情形|程序|条件|建议|的建议|或者|和修改)|(?:修改|修订)[、和或]废止|许可证?|应当废止|评估"
)
_GOES_BY = re.compile(r"(?:根据|依据|按照|依照|遵照|参照|以|将)[^，,]{0,4}$")
_DOCUMENT = re.compile(  # what the titles of documents end in
    "(?:办法|规定|条例|意见|通知|细则|方案|制度|决定|公告|通告|标准|规则|措施|政策|规范|规程|章程|计划|规划|准则|解释|解答|通则|总则|布告|条令|批复|函|答复|决议|目录|命令|令|法|纲要|若干问题|导则|指引|指南|要求|程序|政策|说明|定额|[)）])$"
)
Note = Callable[[str, str, str], None]  # field, value, the words that say it


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a document says of itself, dates as partial ISO; "" or empty where it does not say.

    `evidence` holds, per field, the words that say it.
    """

    document_number: str = ""
    issuing_body: str = ""
    written: str = ""
    published: str = ""
    valid_from: str = ""
    valid_to: str = ""
    draft: bool = False
    repeals: tuple[str, ...] = ()
    amends: tuple[str, ...] = ()
    evidence: dict[str, str] = field(default_factory=dict)


def read_particulars(title: str, text: str) -> Particulars:
    """Return what a document says of itself; of a news report about one, only when the report was published."""
    text = text.translate(_FULL_WIDTH)
    lines = [line.strip()[:LONGEST] for line in text.split("\n") if line.strip()]
    found: dict[str, str] = {}
    evidence: dict[str, str] = {}

    def note(name: str, value: str, said: str) -> None:
        if value and name not in found:
            found[name], evidence[name] = value, said.strip()

    _labelled(lines, note)
    _numbers(title, lines, note)
    body, signed = _signature(lines)
    note("issuing_body", body, body)
    note("written", iso(signed), signed)
    note("issuing_body", _body_of(title), title)
    _issued("\n".join(line for line in lines if not line.startswith("《")), note)
    told_of = _NEWS.search("\n".join(lines[:2] + lines[-1:])) or _ABOUT_ONE.search(title)
    news = bool(told_of) and "document_number" not in found
    draft = None
    repeals: list[tuple[str, str]] = []
    amends: list[tuple[str, str]] = []
    if not news:
        draft = None if _HEARD.search(title) else _DRAFT.search("\n".join([title, *lines[:4]]))
        repeals, amends = _others(title, text)
        _term(title, text, found.get("published") or found.get("written", ""), note)
    for name, pairs in (("repeals", repeals), ("amends", amends)):
        if pairs:
            evidence[name] = "；".join(dict.fromkeys(said for _, said in pairs))
    if draft:
        evidence["draft"] = draft.group()
    changed, gone = ({name: None for name, _ in pairs} for pairs in (amends, repeals))
    return Particulars(
        **found, draft=bool(draft), repeals=tuple(name for name in gone if name not in changed), amends=tuple(changed), evidence=evidence,
    )  # fmt: skip


def iso(day: str) -> str:
    """Return a day written in Chinese, in figures or numerals, as partial ISO; "" if it is none."""
    text = re.sub(r"\s", "", day)
    year = re.match(f"{_CHINESE_YEAR}(?=年)", text)
    if year:
        text = year.group().translate(str.maketrans("〇零○O一二三四五六七八九", "0000123456789")) + text[year.end() :]
    return parse_date(normalise(text)) or parse_date(text)


def _labelled(lines: Sequence[str], note: Note) -> None:
    """Note what a line of a web page's head, or of the end, names: 发文字号：…"""
    for line in [*lines[:HEAD_LINES], *lines[-TAIL_LINES:]]:
        for name, pattern in _LABELLED.items():
            match = pattern.search(line)
            if match:
                note(name, _READ.get(name, iso)(match[1]), match.group())


def _numbers(title: str, lines: Sequence[str], note: Note) -> None:
    """Note the document's own number: alone on a line of the head, or in brackets behind the title."""
    for line in [title, *lines[:HEAD_LINES]]:
        for pattern in (_NUMBER, _ORDER):
            match = pattern.search(line)
            if not match:
                continue
            rest = (line[: match.start()] + line[match.end() :]).strip(" ()（）\u3000")
            behind = line == title and not re.search("根据|依据|废止|修改|《", line)
            if not rest or behind:
                note("document_number", _numbered(match.group()), line)


def _numbered(said: str) -> str:
    match = _NUMBER.search(said)
    return f"{match[1]}〔{match[2]}〕{int(match[3])}号" if match else re.sub(r"(?<=\d)\s+|\s+(?=[\d第])", "", said)


_READ: dict[str, Callable[[str], str]] = {"document_number": _numbered, "issuing_body": str.strip}  # else a day


def _issued(text: str, note: Note) -> None:
    """Note that a document was issued on a day, perhaps by an order (1998年9月22日上海市人民政府令第61号发布)."""
    match = _ISSUED_ON.search(text)
    if match:
        note("published", iso(match[1]), match.group())
        if match[3]:
            note("document_number", _numbered(match[2] + match[3]), match.group())
            note("issuing_body", match[2], match.group())


def _signature(lines: Sequence[str]) -> tuple[str, str]:
    """Return who signed a document and when: names of bodies on lines of their own, right above the date."""
    for at in range(len(lines) - 1, max(-1, len(lines) - 1 - TAIL_LINES), -1):
        match = _DATED.fullmatch(lines[at])
        if not match:
            together = re.fullmatch(rf"({_SIGNED.pattern})\s*({_DAY})", lines[at])
            if together:
                return _joined([together[1]]), together.groups()[-1]
            continue
        bodies: list[str] = []
        for line in reversed(lines[:at]):
            if len(line) > 60 or not _SIGNED.fullmatch(line):
                break
            bodies.insert(0, line)
        return _joined(bodies), match[1]
    return (_joined(lines[-1:]) if lines and _SIGNED.fullmatch(lines[-1]) else ""), ""


def _joined(bodies: Sequence[str]) -> str:
    return "、".join(part for body in bodies for part in re.split(r"[\s、，]+", body.strip()) if part)


def _body_of(title: str) -> str:
    """Return the bodies whose name a title begins with (嘉定区人民政府关于印发…)."""
    match = re.match(rf"((?:{_ISSUER})(?:[\s、，]+(?:{_ISSUER}))*)\s*(?:关于|印发|公告|转发)", title)
    return _joined([match[1]]) if match else ""


def _term(title: str, text: str, issued: str, note: Note) -> None:
    """Note from when and until when a document is in force, by what it says of itself and the day it was issued.

    A guide holds while applications are taken. What is quoted, and what is said of other documents, does not count.
    """
    said = re.sub(r"《[^》]*》\s*[(（][^()（）]*[)）]", "《》", re.sub("“[^”]*”", "", text))
    if _GUIDE.search(title):
        windows = [
            match for line in _sentences(said) if _WINDOW.search(line) for match in [_BETWEEN.search(line)] if match
        ]
        if windows:
            note("valid_from", min(iso(match[1]) for match in windows), windows[0].group())
            note("valid_to", max(_same_year(match[2], match[1]) for match in windows), windows[-1].group())
        return
    start = ""
    for sentence in _sentences(said):
        if re.search(r"《[^》]*》[^，,]{0,20}(?:施行|实施|执行)", sentence) and not re.search("本|现", sentence):
            continue  # of another document
        between = _BETWEEN.search(sentence)
        if between and _HOLDS.search(sentence) and "项目" not in sentence:
            note("valid_from", iso(between[1]), sentence)
            note("valid_to", _same_year(between[2], between[1]), sentence)
        day, issue = _FROM_DAY.search(sentence), _FROM_ISSUE.search(sentence)
        if day and not start:
            start = iso(day[1])
            note("valid_from", start, sentence)
        elif issue and not start and len(issued) == 10:
            start = _later(issued, issue[1], issue[2])
            note("valid_from", start, sentence)
        until, years = _UNTIL.search(sentence), _YEARS.search(sentence)
        if until:
            note("valid_to", _end(until[1]), sentence)
        elif years and len(start) == 10 and (day or issue or "本" in sentence):
            note("valid_to", _after(start, _count(years[1] or years[2])), sentence)


def _same_year(end: str, start: str) -> str:
    """Return the end of a period as ISO; it may be without its year (9月1日—9月28日)."""
    return iso(end) or iso(f"{iso(start)[:4]}年{end}")


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in re.split(r"[。；;\n]", text) if sentence.strip()]


def _count(said: str) -> int:
    return int(said) if said.isdecimal() else "零一二三四五六七八九十".find(said.replace("两", "二"))


def _later(issued: str, count: str | None, unit: str | None) -> str:
    if not count:
        return issued
    number = int(re.sub(r"\D", "", normalise(f"{count}日")))
    day = date.fromisoformat(issued)
    if unit == "个月":
        months = day.month - 1 + number
        return date(day.year + months // 12, months % 12 + 1, min(day.day, 28)).isoformat()
    return (day + timedelta(days=number)).isoformat()


def _after(start: str, years: int) -> str:
    """Return the last of some years that begin on a day."""
    day = date.fromisoformat(start)
    if day.month == 2 and day.day == 29:
        return date(day.year + years, 2, 28).isoformat()
    return (day.replace(year=day.year + years) - timedelta(days=1)).isoformat()


def _end(said: str) -> str:
    """Return the day that 至2025年底 or 至2025年12月31日 names."""
    year = re.fullmatch(r"(\d{4})\s*年(?:底|末)", re.sub(r"\s", "", said))
    return f"{year[1]}-12-31" if year else iso(said)


def _others(title: str, text: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Return (title, the words that say so) of the documents that this one repeals, and of those it amends."""
    repeals: list[tuple[str, str]] = []
    amends: list[tuple[str, str]] = []
    listing = ""
    for sentence in (title, *_sentences(text)):
        outside = _TITLED.sub("《》", sentence)
        repealing = bool(_REPEALS.search(outside)) and not _NO_REPEAL.search(outside)
        if listing and re.match(r"\s*(?:[\d一二三四五六七八九十]+\s*[.、．]\s*)?《》", outside):
            repeals += [(match[1], listing) for match in list(_TITLED.finditer(sentence))[:1]]
            continue
        listing = sentence.strip() if repealing and _LISTS.search(outside) else ""
        for match in _TITLED.finditer(sentence):
            before, after = sentence[max(0, match.start() - 12) : match.start()], sentence[match.end() :]
            if _changed(before, after):
                amends.append((match[1], sentence.strip()))
            elif (
                repealing
                and not _GOES_BY.search(before)
                and _DOCUMENT.search(match[1])
                and not re.match("中|第", after)
            ):
                repeals.append((match[1], sentence.strip()))
    return repeals, amends


def _changed(before: str, after: str) -> bool:
    """Return whether the words around a title say that the document is amended."""
    after = re.sub(r"^\s*[(（][^()（）]*[)）]", "", after)
    article = r"^(?:第[^，。；]{1,20}[条款][^，。；]{0,20})?"
    return bool(
        re.search(r"(?:修改|修订|修正)[^，。；、的]{0,4}$", before)
        or (re.search(r"(?:对|将)[^，。；]{0,4}$", before) and re.search(r"^[^。；]{0,40}(?:修改|修订|修正)", after))
        or re.search(rf"{article}(?:作(?:如下|出)[^。]{{0,6}}修[改订]|修改(?:如下|公布|条款|为))", after)
    )
