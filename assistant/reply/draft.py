"""Draft a reply: ask each question, put what is quoted into the register of a reply, mark what is not answered."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from assistant.catalog import written
from assistant.letter import Ask, Letter
from assistant.pipeline import Assistant
from assistant.reply.references import References, contact_citation
from assistant.reply.relevance import concerns
from assistant.reply.schema import Draft, Paragraph, Point, Reference, open_point
from assistant.reply.wording import (
    CLOSING,
    NO_CONTACT,
    ON_REQUEST,
    SHORT_CLOSING,
    SIGNATURE,
    TITLE,
    for_the_reader,
    gist,
    in_prose,
    matter,
    opening,
    ordinal,
    salutation,
)
from assistant.retrieve import Filters
from assistant.schema import Answer, Citation, Notice, Statement, Turn

SURE = 0.8  # confidence below which an officer is told to see whether the answer is one to the question
LEAST = 0.5  # below which it is shown to the officer alone
MAX_CONTACTS = 3
_ON_REFERENCES = frozenset(("expired", "superseded", "draft", "not_yet_valid", "unverified", "target"))
_UNTOLD = re.compile("没有写明：(?P<what>[^。]+)。|关于“(?P<label>[^”]+)”，没有在资料中找到")
_EDITORIAL = re.compile("存档|被?截断|未见|没有?查到|未读到|报道口径|音译|描述性")
_CONTACT = re.compile(r"可以咨询：(?P<row>.+)（《.+》）。$")
_ANOTHER_YEAR = "资料中没有这一年的内容"  # of a notice that an answer is of other years
_OTHER_YEARS = "未查到所问年份的内容，以下为其他年份的情况。"
_COMPARE = "题名和引文以资料库收录的为准，可能是摘要；签发前请对照脚注所列的原题和链接，与原文核对。"
_NO_QUESTION = "来信没有提出问题，也没有提出请求；请确认是否需要答复。"
_IGNORED = "来信中有像是写给程序的指令，没有当作问题：“{}”"


def draft(letter: Letter, assistant: Assistant, filters: Filters) -> Draft:
    """Return the draft of a reply to a letter as of a day; nothing is sent, and nothing is said that is not cited."""
    as_of = filters.as_of
    points = tuple(_point(ask, assistant, filters) for ask in letter.questions)
    references = References([point.answer for point in points], assistant.index.document)
    paragraphs = [
        Paragraph("title", "title", TITLE),
        Paragraph("salutation", "salutation", salutation(letter)),
        Paragraph("opening", "opening", opening(letter)),
        *(paragraph for n, point in enumerate(points, 1) for paragraph in _answer(n, point, len(points) > 1, references)),
    ]  # fmt: skip
    paragraphs += _basis(sum(p.role == "heading" for p in paragraphs), references)
    paragraphs += _contacts(points, references) if points else []
    paragraphs += [
        Paragraph("closing", "closing", CLOSING if points else SHORT_CLOSING),
        Paragraph("signature", "signature", SIGNATURE),
        Paragraph("date", "date", written(as_of.isoformat())),
    ]
    notes = [_IGNORED.format(text) for text in letter.ignored]
    notes += ([] if points else [_NO_QUESTION]) + ([_COMPARE] if references.found else [])
    return Draft(letter, as_of, points, tuple(paragraphs), tuple(references.found), tuple(notes))


def _point(ask: Ask, assistant: Assistant, filters: Filters) -> Point:
    """Ask one question as the talk after its topic; what a request asks for nobody can quote."""
    before = [Turn("user", ask.topic)] if ask.topic else []
    answer = assistant.ask(ask.text, before, filters)
    answered = ask.kind == "question" and bool(answer.statements) and answer.confidence >= LEAST
    asked = assistant.read(ask.text, before, filters.as_of)
    apart = answered and not concerns(asked, (ask.topic, *reversed(ask.facts)), answer)
    answered = answered and not apart
    missing = _missing(answer) if answered else (gist(ask),)
    return Point(ask, answer, answered, missing, tuple(_notes(ask, answer, answered, apart)))


def _missing(answer: Answer) -> tuple[str, ...]:
    """Return what of a question that is answered the notices say is not."""
    kinds = ("unanswered", "not_published")
    found = (_UNTOLD.search(notice.text) for notice in answer.notices if notice.kind in kinds)
    return tuple(dict.fromkeys((match["what"] or match["label"]).translate(str.maketrans("【】", "〔〕")) for match in found if match))  # fmt: skip


def _notes(ask: Ask, answer: Answer, answered: bool, apart: bool) -> Iterator[str]:
    """Yield what an officer should know of an answer: how sure it is, its notices, what came nearest."""
    if answered and answer.confidence < SURE:
        yield f"置信度{answer.confidence:.0%}：请点开引文，核对答的是不是所问。"
    if ask.kind == "request":
        yield "这是请求或建议，资料只能供参考，请承办部门提出办理意见。"
    if not answered:
        near = "查到的内容没有提到所问的事物，没有写入" if apart else "相近的资料，没有写入"
        yield from (f"{near}：{_quoted(statement)}" for statement in answer.statements[:2])
    if answered and any(_EDITORIAL.search(statement.text) for statement in answer.statements):
        yield "引文中有资料整理者的说明（如“未见”“截断”），请改写或删去。"
    yield from (notice.text for notice in answer.notices if notice.kind != "contact")


def _quoted(statement: Statement) -> str:
    citation = statement.citations[0]
    return f"“{statement.text}”（《{citation.title}》）"


def _answer(number: int, point: Point, several: bool, references: References) -> Iterator[Paragraph]:
    """Yield the heading of a point and its answer: what is quoted, document by document, or what is yet to be found out."""
    ask = point.ask
    named = f"{ordinal(number)}、{matter(ask)}" if several else matter(ask)
    yield Paragraph(f"{ask.id}.h", "heading", named)
    if not point.answered:
        text = ON_REQUEST if ask.kind == "request" else f"关于这一问题，{open_point(gist(ask))}。"
        yield Paragraph(f"{ask.id}.1", "answer", text, (), point.notes)
        return
    groups = groupby(point.answer.statements, key=lambda statement: statement.citations[0].document_id)
    several_told = [(key, list(statements)) for key, statements in groups]
    for n, (key, statements) in enumerate(several_told, 1):
        last = n == len(several_told)
        cited = [one for statement in statements for one in references.of(statement.citations)]
        text = _OTHER_YEARS if n == 1 and any(_ANOTHER_YEAR in notice.text for notice in point.answer.notices) else ""
        text += _told(statements, references, point.answer, key)
        text += "".join(f"{open_point(what)}。" for what in point.missing) if last else ""
        numbers = tuple(dict.fromkeys(reference.number for reference in cited))
        yield Paragraph(f"{ask.id}.{n}", "answer", text, numbers, point.notes if n == 1 else ())


def _told(statements: Sequence[Statement], references: References, answer: Answer, document_id: str) -> str:
    """Return the sentences that quote one document, and what a reader must know of it."""
    first = references.of(statements[0].citations)[0]
    kinds = frozenset(n.kind for n in answer.notices if n.document_id == document_id and n.kind in _ON_REFERENCES)
    clauses = []
    for statement in statements:
        marks = "".join(reference.marker for reference in references.of(statement.citations))
        of = statement.label.partition(first.metadata.published or "\n")[0]  # the reference tells who told it
        label = f"{of.rstrip('（')}：" if of else ""
        clauses.append(f"{label}{in_prose(statement)}{marks}")
    return f"根据{first.in_sentence}，{'；'.join(clauses)}。{for_the_reader([first], kinds)}"


def _basis(number: int, references: References) -> list[Paragraph]:
    """Return the list of the documents cited, each with its number, date and validity."""
    documents: dict[str, list[Reference]] = {}
    for reference in references.found:
        documents.setdefault(reference.citation.document_id, []).append(reference)
    if not documents:
        return []
    heading = f"{ordinal(number + 1)}、答复依据" if number > 1 else "答复依据"
    items = [
        Paragraph(f"basis.{n}", "basis", f"{n}. {cited[0].source}；{cited[0].validity}。", tuple(r.number for r in cited))
        for n, cited in enumerate(documents.values(), 1)
    ]  # fmt: skip
    return [Paragraph("basis.h", "heading", heading), *items]


def _contacts(points: Sequence[Point], references: References) -> list[Paragraph]:
    """Return whom to ask, as the corpus's lists of contacts have it; else that it is yet to be found out."""
    notices = list(dict.fromkeys(n for point in points for n in point.answer.notices if n.kind == "contact"))
    found = [pair for notice in notices[:MAX_CONTACTS] if (pair := _contact(notice, references))]
    if not found:
        return [Paragraph("contact.1", "contact", NO_CONTACT)]
    note = "联系方式摘自历年公开通知，发出前请核对是否仍在使用。"
    return [
        Paragraph(f"contact.{n}", "contact", f"如需进一步咨询，可联系：{row}{reference.marker}。", (reference.number,), (note,))
        for n, (row, reference) in enumerate(found, 1)
    ]  # fmt: skip


def _contact(notice: Notice, references: References) -> tuple[str, Reference] | None:
    match = _CONTACT.search(notice.text)
    citation: Citation | None = (
        contact_citation(references.document(notice.document_id), match["row"]) if match else None
    )
    if not match or not citation:
        return None
    row = re.sub("；出处时间[^；]*", "", match["row"])
    row = re.sub(r"(?<=[：；])(?:部门|地址) ", "", row).replace("电话 / 邮箱 ", "电话（邮箱）：")
    return row.rstrip("；"), references.of([citation])[0]
