"""Say how a document stands on a given day; recency is not validity."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Literal

from assistant.catalog import first_day, last_day, written
from assistant.question import told_in, years
from assistant.schema import DOC_TYPE_LABELS, NORMATIVE, Document, Notice, Statement
from assistant.text import normalise
from assistant.verify import quantities

_TERM = re.compile(  # 2023年1月1日至12月31日, 2022-2024年, 截止:2021年11月30日
    r"(?P<from>20\d\d)(?:年(?:(?P<from_month>\d{1,2})月(?:\d{1,2}日)?)?)?(?:\d{1,2}[时:]\d{0,2}分?)?(?:至|到|-)"
    r"(?:(?P<year>20\d\d)年?)?(?:(?P<month>\d{1,2})月)?(?:(?P<day>\d{1,2})日)?"
    r"|(?:截止|有效期至|受理期?至)\S{0,4}?(?P<last>20\d\d)年(?:(?P<last_month>\d{1,2})月(?:(?P<last_day>\d{1,2})日)?)?"
)
_EDITION = re.compile(r"(20\d\d)年度|\((20\d\d)年\)")
_OLD = re.compile(r"历史标准|旧标准|旧办法|旧版|老办法|已过时|已废止|已失效")
_IN_DRAFT = re.compile(r"征求意见稿|\(草案\)|草案稿")
Validity = Literal["in_force", "draft", "expired", "superseded", "not_yet_valid", "unverified", "not_applicable"]


def validity(document: Document, as_of: date, successors: Sequence[Document] = ()) -> Validity:
    """Return how the document stands on that day; `successors` are the documents that replace it."""
    meta = document.metadata
    if _draft(document):
        return "draft"
    if in_effect(successors, as_of):
        return "superseded"
    if meta.valid_to and last_day(meta.valid_to) < as_of:
        return "expired"
    if meta.valid_from and first_day(meta.valid_from) > as_of:
        return "not_yet_valid"
    if meta.status in ("expired", "superseded"):
        return "unverified" if meta.valid_to else meta.status
    if meta.status == "in_force" or meta.doc_type not in NORMATIVE:
        return "in_force" if meta.doc_type in NORMATIVE else "not_applicable"
    return "in_force" if meta.valid_to and "valid_to" not in meta.read else "unverified"


def in_effect(successors: Sequence[Document], as_of: date) -> list[Document]:
    """Return the successors that replace by that day; a draft replaces nothing."""
    starts = ((s, s.metadata.valid_from or s.metadata.published or "1900") for s in successors if not _draft(s))
    return [successor for successor, start in starts if first_day(start) <= as_of]


def _draft(document: Document) -> bool:
    return document.metadata.status == "draft" or document.metadata.doc_type == "draft"


def passage_validity(text: str, headings: str, document: Document, as_of: date) -> tuple[Validity, str]:
    """Return how a span of a policy stands by what it says itself, and until when as a partial ISO date, "" if unsaid.

    Both texts normalised. A term in the span decides, else the edition its heading names (2021年度); what says
    nothing of the sort is "not_applicable".
    """
    if document.metadata.doc_type not in NORMATIVE:
        return "not_applicable", ""
    if _IN_DRAFT.search(text + headings):
        return "draft", ""
    if _OLD.search(text + headings):
        return "superseded", ""
    ends = [_end(match) for match in _TERM.finditer(text)] or [
        match[1] or match[2] for match in _EDITION.finditer(headings)
    ]
    until = max(filter(None, ends), default="")
    return ("expired", until) if until and last_day(until) < as_of else ("not_applicable", "")


def _end(match: re.Match[str]) -> str:
    """Return the last day of a term as a partial ISO date; "" if it names none, or none that exists."""
    year, month, day = match["last"], match["last_month"], match["last_day"]
    if match["from"]:
        year, month, day = (
            match["year"] or match["from"] if match["month"] else match["year"],
            match["month"],
            match["day"],
        )
    if not year:
        return ""
    end = "-".join([year, *(f"{int(part):02d}" for part in (month, day) if part)])
    try:
        last_day(end)
    except ValueError:
        return ""
    return end


def notice(document: Document, as_of: date, successors: Sequence[Document] = ()) -> Notice | None:
    """Return what a reader of an answer must know of this source on that day, or None."""
    name, meta = document.named, document.metadata
    match validity(document, as_of, successors):
        case "draft":
            return Notice("draft", f"{name}是征求意见稿，不是生效文件，不能作为现行依据。", document.id)
        case "expired":
            until = f"有效期或执行期到{written(meta.valid_to)}为止" if meta.valid_to else "已失效"
            until += "（从正文读出，未经核对）" if "valid_to" in meta.read else ""
            return Notice(
                "expired",
                f"{name}{until}，截至{written(as_of.isoformat())}不是现行规定，仅供了解当时情况。",
                document.id,
            )
        case "superseded":
            names = "、".join(s.named for s in in_effect(successors, as_of))
            by = f"已被{names}替代" if names else "已被后来的文件替代"
            by += "（据其正文，未经核对）" if any("supersedes" in s.metadata.read for s in successors) else ""
            return Notice("superseded", f"{name}{by}，截至{written(as_of.isoformat())}不是现行规定。", document.id)
        case "not_yet_valid":
            return Notice(
                "not_yet_valid",
                f"{name}自{written(meta.valid_from)}起执行，截至{written(as_of.isoformat())}尚未生效。",
                document.id,
            )
        case "unverified":
            read = "valid_to" in meta.read
            said = f"正文写到{written(meta.valid_to)}为止，未经核对" if read else "资料中没有写明"
            kind = DOC_TYPE_LABELS[meta.doc_type]
            return Notice("unverified", f"{name}（{kind}）现在是否有效，{said}，办理前请向主管部门核实。", document.id)
    return None


def span_notice(statement: Statement, document: Document, as_of: date) -> Notice | None:
    """Return what must be known of a statement whose spans say themselves that they no longer, or not yet, hold."""
    headings = normalise(" ".join(c.locator for c in statement.citations if c.document_id == document.id))
    state, until = passage_validity(normalise(statement.text), headings, document, as_of)
    name, day = document.named, written(as_of.isoformat())
    if state == "draft":
        return Notice("draft", f"所引{name}的内容写明是征求意见稿或草案，不能作为现行依据。", document.id)
    if state == "superseded":
        return Notice("superseded", f"所引{name}的内容写明是历史或旧标准，截至{day}不是现行规定。", document.id)
    if state == "expired":
        return Notice("expired", f"所引{name}的内容只到{written(until)}为止，截至{day}已经结束。", document.id)
    return None


_EDITION_OF_A_SOURCE = re.compile(r"20\d\d年\w{0,4}?(?:目录|名录|公告|公布|报道|发布|版)")
_OF_TIME = frozenset(("", "年", "月", "天", "日", "小时", "分钟", "个月", "个工作日"))
_AIM = re.compile(r"目标|计划|预计|预期|力争|规划|(?<![虚模])拟|争取|将")


_TITLED = re.compile(
    r"\[?《[^》]*》\]?|(?<=[案划动])\(\d{4}[^)]*\)|\"20\d\d-20\d\d年?\""
)  # the years that a plan is named by
_ISSUED = re.compile(r"20\d\d年.{0,3}(?:出台|发布|印发|公布|公开)")


_DAY = r"(20\d\d)年(?:(\d{1,2})月)?"
_AIMED_AT = (  # the day that is planned or aimed for
    re.compile(rf"(?:计划|预计|预期|力争|(?<![虚模])拟|争取|将|有望|目标)(?:于|到|在|是|:)?{_DAY}"),
    re.compile(
        rf"(?<![截直])(?:到|至){_DAY}(?:底|末)?[,，:]?(?=.*(?:目标|计划|预计|力争|争取|达到?|突破|超过?|建成|形成|推动|实现))"
    ),
    re.compile(rf"{_DAY}(?:底|末)?(?:前)?的?目标"),
)


def overdue_notice(statement: Statement, document: Document, as_of: date) -> Notice | None:
    """Return that the day a statement plans or aims for has gone by, where it lay ahead when that was told."""
    text = normalise(statement.text)
    dates = [
        f"{match[1]}-{int(match[2]):02d}" if match[2] else match[1]
        for part in re.split(r";|\.(?!\d)", _TITLED.sub("", text))
        if not _ISSUED.search(part)
        for aimed in _AIMED_AT
        for match in aimed.finditer(part)
        if not match[2] or 1 <= int(match[2]) <= 12
    ]
    latest = max(dates, key=last_day, default="")
    told = next(iter(re.findall(r"20\d\d-\d\d-\d\d", text)), document.metadata.published)  # a row tells its own day
    if not told or not latest or not last_day(told) < last_day(latest) < as_of:
        return None
    return Notice(
        "target",
        f"所引{document.named}的计划或目标时间是{written(latest)}，截至{written(as_of.isoformat())}已过，是否完成以后来的资料为准。",
        document.id,
    )


def target_notice(statement: Statement, document: Document) -> Notice | None:
    """Return that a statement's figure is a target where it does not say so: a plan's, or of a year yet to come when told."""
    text, name = normalise(statement.text), document.named
    if _AIM.search(text) or not re.search(r"\d", text):
        return None
    told = told_in(text, document)
    clauses = [
        part
        for part in re.split(r"[,;]|\.(?!\d)", _EDITION_OF_A_SOURCE.sub("", _TITLED.sub("", text)))
        if not _ISSUED.search(part) and re.search(r"\d", re.sub(r"\d{4}(?:年度?|-)", "", part))
    ]
    ahead = [year for part in clauses for year in years(part, event_dates=False) if told and year > told]
    if ahead:
        when = written(document.metadata.published)
        return Notice(
            "target", f"{name}发布于{when}，其中{max(ahead)}年的数字是目标或预计，不是实际结果。", document.id
        )
    measured = any(quantity.unit not in _OF_TIME for quantity in quantities(text)) or years(text, event_dates=False)
    if document.metadata.doc_type == "plan" and measured:
        return Notice("target", f"{name}是规划方案，其中尚未完成的数字是目标，不是实际结果。", document.id)
    return None
