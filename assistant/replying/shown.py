"""What the page shows of a reply: what was asked and answered, the text, its footnotes, what is to be mended, what may be done."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import Any

from assistant.people.access import Identity
from assistant.reply import Draft, Paragraph, Point, Reference, Risk, check, risk
from assistant.reply.draft import LEAST, SURE
from assistant.reply.schema import STATES as VALIDITIES
from assistant.replying.compare import compare, sent_paragraphs
from assistant.replying.reply import DONE, STATES, UNSIGNED, Entry, Reply, masked_sender, subject
from assistant.replying.workflow import FOLLOWING, Judged, refusal
from assistant.schema import Citation, in_title_marks
from assistant.viewer import STRONG, document_url, template

PARTS = template("replying/page.html")
NOT_SIGNED_IN = "未登录的人"
SENT = "sent"  # stands for what was sent where versions are named by number


def judge(draft: Draft, paragraphs: Sequence[Paragraph]) -> Judged:
    """Return what is to be mended in paragraphs, and whether a second person must look."""
    findings = check(paragraphs, draft)
    return Judged(findings, risk(draft, paragraphs, findings))


def judged_last(reply: Reply) -> Judged:
    """Return the same of the last version."""
    last = reply.versions[-1]
    return judge(reply.with_sources(last.added), last.paragraphs)


def judgement(judged: Judged) -> dict[str, Any]:
    """Return what was found, for the page."""
    return {"findings": [one.to_dict() for one in judged.findings], "risk": _risk_html(judged.risk)}


def _risk_html(found: Risk) -> str:
    return str(PARTS.risk(found))


def whole(reply: Reply, number: int, me: Identity, generation: str) -> dict[str, Any]:
    """Return all that the page shows of a reply at one of its versions, the last if there is no such number."""
    number = number if 0 < number <= len(reply.versions) else len(reply.versions)
    version = reply.versions[number - 1]
    draft = reply.with_sources(version.added)
    latest = number == len(reply.versions)
    told = {"updated": reply.draft.points and generation not in {p.answer.generation for p in reply.draft.points}}
    return {
        "id": reply.id, "seen": len(reply.entries), "version": number, "latest": latest, "state": reply.state,
        "head": str(PARTS.opened_head(reply, masked_sender(reply.draft.letter), STATES[reply.state], number, told["updated"])),
        "letter": str(PARTS.letter(reply.draft, [_point(one, reply.draft) for one in reply.draft.points])),
        "paragraphs": [_paragraph(one) for one in version.paragraphs],
        "drafted": [_paragraph(one) for one in reply.draft.paragraphs],
        "references": [_reference(one, draft) for one in draft.references], "given": len(reply.draft.references),
        "history": str(PARTS.history(_history(reply), reply.sent)), "versions": _versions(reply),
        "steps": _steps(reply, me) if latest else [], "deletable": deletable(reply, me),
        **judgement(judge(draft, version.paragraphs)),
    }  # fmt: skip


def deletable(reply: Reply, me: Identity) -> bool:
    """Return whether this one may delete a reply: who had it drafted, or an administrator."""
    return me.name == reply.author or "administer" in me.permitted


def _paragraph(paragraph: Paragraph) -> dict[str, Any]:
    notes = paragraph.notes if paragraph.role == "contact" else ()  # those of an answer stand with its question
    return {**asdict(paragraph), "notes": notes}


def _steps(reply: Reply, me: Identity) -> list[dict[str, str]]:
    judged = judged_last(reply)
    steps = (step for step in FOLLOWING[reply.state] if step != "saved")
    return [{"step": step, "label": DONE[step], "refusal": refusal(step, reply, me.name, judged)} for step in steps]


def _versions(reply: Reply) -> list[dict[str, str]]:
    named = [
        {"value": str(number), "label": f"第{number}版，{_when(entry)}，{entry.by or NOT_SIGNED_IN}"}
        for number, entry in enumerate(reply.versions, 1)
    ]
    return [*named, {"value": SENT, "label": f"发出的，{_when(reply.sent)}"}] if reply.sent else named


def _history(reply: Reply) -> Iterator[tuple[str, str, str, str]]:
    version = 0
    for entry in reply.entries:
        version += entry.step == "saved"
        done = ("起草" if version == 1 else f"保存第{version}版") if entry.step == "saved" else DONE[entry.step]
        yield _when(entry), entry.by or NOT_SIGNED_IN, done, entry.note


def _when(entry: Entry) -> str:
    return entry.when[:16].replace("T", " ")


def _reference(reference: Reference, draft: Draft) -> dict[str, Any]:
    state = reference.state
    return {
        "number": reference.number, "title": in_title_marks(reference.citation.title), "quote": reference.quote,
        "label": VALIDITIES[state], "strong": state in STRONG, "url": _url(reference.citation, draft),
        "document_id": reference.citation.document_id, "start": reference.citation.start, "end": reference.citation.end,
    }  # fmt: skip


def _url(citation: Citation, draft: Draft) -> str:
    return document_url(citation.document_id, citation.start, citation.end, draft.as_of, citation.quote)


def _point(point: Point, draft: Draft) -> dict[str, Any]:
    """Return a question with its answer, as (text, [(number in the reply or "", title, url)])."""
    numbers = {span: one.number for one in draft.references for span in one.spans}
    statements = []
    for statement in point.answer.statements:
        first = {citation.document_id: citation for citation in reversed(statement.citations)}
        chips = [(numbers.get(c, "") if point.answered else "", in_title_marks(c.title), _url(c, draft)) for c in first.values()]  # fmt: skip
        statements.append((f"{statement.label}：" if statement.label else "", statement.text, chips))
    return {"point": point, "statements": statements, "sure": _sure(point)}


def _sure(point: Point) -> tuple[str, bool]:
    """Return how sure the answer is, in words, and whether an officer must look."""
    if point.ask.kind == "request":
        return "请求，由承办部门办理", True
    if not point.answered:
        found = point.answer.statements and point.answer.confidence < LEAST
        return "把握太小，没有写入回复" if found else "没有写入回复，待核实", True
    percent = f"（{point.answer.confidence:.0%}）"
    return ("把握较大" + percent, False) if point.answer.confidence >= SURE else ("把握不大，请核对" + percent, True)


def listed(replies: Sequence[Reply], total: int) -> str:
    """Return the list of replies as HTML; who wrote is masked."""
    rows = [
        (one.id, masked_sender(one.draft.letter), subject(one.draft.letter), STATES[one.state], one.state,
         one.author or NOT_SIGNED_IN, _when(one.entries[-1]), len(one.versions))
        for one in replies
    ]  # fmt: skip
    return str(PARTS.listed(rows, total, UNSIGNED))


def compared(reply: Reply, before: str, after: str) -> str:
    """Return what changed between two versions, or from one to what was sent, as HTML."""
    old, new = _text(reply, before), _text(reply, after)
    if SENT in (before, after):
        old, new = [replace(p, text=p.plain) for p in old], [replace(p, text=p.plain) for p in new]
    if after == SENT and reply.sent and reply.sent.text:
        new = sent_paragraphs(reply.sent.text, old)
    names = {one["value"]: one["label"] for one in _versions(reply)}
    return str(PARTS.compared(compare(old, new), names.get(before, ""), names.get(after, "")))


def _text(reply: Reply, name: str) -> Sequence[Paragraph]:
    number = int(name) if name.isdecimal() and 0 < int(name) <= len(reply.versions) else len(reply.versions)
    return reply.versions[number - 1].paragraphs
