"""The addresses behind the reply page; all need the permission “draft”, which the gate before the application asks for."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from assistant.desk import Caller, Desk
from assistant.errors import CorpusError, ForbiddenError
from assistant.faults import Refusal
from assistant.letter import Letter, read_file, read_letter
from assistant.people.access import identity, record
from assistant.pipeline import Assistant
from assistant.reply import draft, to_docx, to_markdown
from assistant.replying.forms import LetterIn, QueryIn, StepIn, TextIn, VersionIn
from assistant.replying.reply import Entry, Reply, Step
from assistant.replying.shown import compared, deletable, judge, judged_last, judgement, listed, whole
from assistant.replying.sources import cited, found
from assistant.replying.store import Replies
from assistant.replying.workflow import refusal
from assistant.retrieve import Filters

LETTERS, MAX_LETTER = "/reply/letters", 10_000_000  # bytes of an uploaded letter
SHOWN = 200  # replies listed
WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MARKDOWN = "text/markdown; charset=utf-8"
NOT_YOURS = "只有起草人和管理员可以删除这份回复"
router = APIRouter(prefix="/reply", include_in_schema=False)
_reading = CapacityLimiter(1)  # letters read at a time, each in a process of its own
T = TypeVar("T")


def _replies(request: Request) -> Replies:
    found: Replies = request.app.state.replies
    return found


def _desk(request: Request) -> Desk:
    found: Desk = request.app.state.desk
    return found


async def _run(request: Request, work: Callable[[Assistant], T]) -> T:
    return await _desk(request).run(work, Caller("page", request, request.is_disconnected))


def _whole(request: Request, reply: Reply, version: int = 0) -> JSONResponse:
    with _desk(request).current.use() as assistant:
        generation = assistant.index.manifest.generation
    return JSONResponse(whole(reply, version, identity(request), generation))


def _heard(read: Callable[[], Letter]) -> Letter:
    try:
        return read()
    except CorpusError as error:
        raise Refusal(422, "invalid_request", str(error), "letter") from error


@router.post("/letters")
async def read_uploaded(request: Request, kind: str = "") -> JSONResponse:
    """Return the text of a letter that is sent as the request's body; `kind` is the ending of its file's name."""
    ending = kind.lower() if kind.isascii() and kind.isalnum() and len(kind) <= 5 else "?"
    content = await request.body()
    letter = await to_thread.run_sync(_read, _replies(request), ending, content, limiter=_reading)
    return JSONResponse({"text": letter.text.strip()})


def _read(replies: Replies, ending: str, content: bytes) -> Letter:
    replies.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".read-", dir=replies.folder) as folder:
        file = Path(folder) / f"来信.{ending}"
        file.write_bytes(content)
        return _heard(lambda: read_file(file))


@router.get("/replies")
def show_all(request: Request) -> JSONResponse:
    """Return the list, the newest first."""
    replies = _replies(request)
    return JSONResponse({"html": listed(list(islice(replies.all(), SHOWN)), replies.count)})


@router.post("/replies")
async def make(request: Request, asked: LetterIn) -> JSONResponse:
    """Draft a reply and keep it."""
    letter = await to_thread.run_sync(_heard, lambda: read_letter(asked.letter))
    filters = Filters(asked.as_of or date.today())
    drafted = await _run(request, lambda assistant: (draft(letter, assistant, filters), assistant.index))
    reply = await to_thread.run_sync(_replies(request).make, drafted[0], identity(request).name, datetime.now())
    record(request, "draft.made", reply.id, drafted[1].manifest.generation)
    return JSONResponse({"id": reply.id})


@router.get("/replies/{key}")
def show(request: Request, key: str, version: int = 0) -> JSONResponse:
    """Return a reply at a version, 0 for the last."""
    return _whole(request, _replies(request).get(key), version)


@router.post("/replies/{key}/check")
async def check_text(request: Request, key: str, text: TextIn) -> JSONResponse:
    """Hold the text in the editor to its sources; nothing is kept."""

    def work(assistant: Assistant) -> dict[str, Any]:
        reply = _replies(request).get(key)
        sourced = reply.with_sources(cited(text.chosen, reply, assistant.index))
        return judgement(judge(sourced, sourced.revised(text.edited)))

    return JSONResponse(await _run(request, work))


@router.post("/replies/{key}/versions")
async def save(request: Request, key: str, text: VersionIn) -> JSONResponse:
    """Keep the text in the editor as a new version."""

    def work(assistant: Assistant) -> Reply:
        reply = _replies(request).get(key)
        _permit(request, reply, "saved", text.seen)
        added = cited(text.chosen, reply, assistant.index)
        paragraphs = reply.with_sources(added).revised(text.edited)
        entry = _entry(request, text.seen, "saved")
        return _replies(request).add(reply, replace(entry, paragraphs=paragraphs, added=added))

    reply = await _run(request, work)
    record(request, "draft.saved", key)
    return _whole(request, reply)


@router.post("/replies/{key}/steps")
def take(request: Request, key: str, step: StepIn) -> JSONResponse:
    """Take a step, if it follows and this one may take it."""
    reply = _replies(request).get(key)
    _permit(request, reply, step.step, step.seen)
    entry = replace(_entry(request, step.seen, step.step), note=step.note.strip(), text=step.text.strip())
    reply = _replies(request).add(reply, entry)
    record(request, f"draft.{step.step}", key)
    return _whole(request, reply)


def _permit(request: Request, reply: Reply, step: Step, seen: int) -> None:
    """Raise ForbiddenError where the step may not be taken; one that another's came before is the store's to refuse."""
    why = refusal(step, reply, identity(request).name, judged_last(reply)) if seen == len(reply.entries) else ""
    if why:
        raise ForbiddenError(why)


def _entry(request: Request, seen: int, step: Step) -> Entry:
    return Entry(seen + 1, step, identity(request).name, datetime.now().isoformat(timespec="seconds"))


@router.post("/replies/{key}/search")
async def search(request: Request, key: str, asked: QueryIn) -> JSONResponse:
    """Return passages that the reply may also cite."""
    day = _replies(request).get(key).draft.as_of
    return JSONResponse({"hits": await _run(request, lambda assistant: found(assistant, asked.query, day))})


@router.get("/replies/{key}/compare")
def compare_versions(request: Request, key: str, before: str, after: str) -> JSONResponse:
    """Return what changed from one version to another, or to what was sent."""
    return JSONResponse({"html": compared(_replies(request).get(key), before, after)})


@router.get("/replies/{key}/{name}")
def export(request: Request, key: str, name: Literal["reply.docx", "reply.md"], version: int = 0) -> Response:
    """Return a version as a file."""
    reply = _replies(request).get(key)
    number = version if 0 < version <= len(reply.versions) else len(reply.versions)
    kept = reply.versions[number - 1]
    sourced, ending = reply.with_sources(kept.added), name.rpartition(".")[2]
    content = to_docx(sourced, kept.paragraphs) if ending == "docx" else to_markdown(sourced, kept.paragraphs).encode()
    record(request, "draft.exported", key, version=number)
    told = quote(f"答复 {key} 第{number}版.{ending}")
    disposition = f"attachment; filename=\"reply-{key}-{number}.{ending}\"; filename*=UTF-8''{told}"
    return Response(
        content, media_type=WORD if ending == "docx" else MARKDOWN, headers={"Content-Disposition": disposition}
    )


@router.delete("/replies/{key}")
def delete(request: Request, key: str) -> JSONResponse:
    """Delete a reply with its letter and all its versions."""
    reply = _replies(request).get(key)
    if not deletable(reply, identity(request)):
        raise ForbiddenError(NOT_YOURS)
    _replies(request).delete(reply)
    record(request, "draft.deleted", key)
    return JSONResponse({})
