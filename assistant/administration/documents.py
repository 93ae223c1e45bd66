"""The documents of the corpus: listed, added, amended, given another file, withdrawn and restored."""

from collections.abc import AsyncIterator, Iterable
from datetime import date
from urllib.parse import quote

from fastapi import APIRouter, Request, Response, UploadFile

from assistant.administration.catalogue import read_catalogue
from assistant.administration.changes import Change, apply, refuse_other_format, restored, withdrawn
from assistant.administration.files import FORMATS, MAX_FILE
from assistant.administration.overview import ALARMING, EXPIRING, SORTED, STATES, Entry, chosen, overview
from assistant.administration.proposing import (
    Proposal,
    change,
    existing,
    fields,
    indexed,
    preview,
    read_text,
    typed,
    wrong,
)
from assistant.administration.shown import Administration, Kept, Page, Typed, rebuild, shown, to
from assistant.catalog import COLUMNS
from assistant.errors import MissingError, SettingsError
from assistant.people.access import record
from assistant.schema import DOC_TYPE_LABELS
from assistant.viewer import document_url, text_html

FILES, MAX_UPLOAD = "/admin/files", MAX_FILE + 100_000  # bytes of a request that brings a file
CHUNK = 1 << 20
PAGE = 100  # documents on a page
HEADS = {
    "title": "标题",
    "doc_type": "类型",
    "level": "级别",
    "published": "发布日期",
    "valid_to": "失效日",
    "status": "状况",
}
router = APIRouter(prefix="/admin", include_in_schema=False, route_class=Page)


@router.get("")
def listed(request: Request, admin: Kept, q: str = "", type: str = "", state: str = "", sort: str = "", down: bool = False, page: int = 1) -> Response:  # fmt: skip
    """Show the corpus as a table."""
    with admin.desk.current.use() as lent:
        found = overview(admin.corpus, lent.index, date.today())
    entries = chosen(found.entries, q, type, state, sort, down)
    pages = max(1, -(-len(entries) // PAGE))
    page = min(max(page, 1), pages)
    sort = sort if sort in SORTED else ""
    asked = {"q": q, "type": type, "state": state, "sort": sort, "down": down}
    part = entries[(page - 1) * PAGE : page * PAGE]
    rows = [(entry, _address(entry.file) if entry.ours else _text(entry.id)) for entry in part]
    faults = [(fault, _address(fault.file) if fault.file else "") for fault in found.faults]
    return shown(request, "documents", "listed", found, rows, faults, asked, (_options(DOC_TYPE_LABELS.values()), _options(STATES), ALARMING, HEADS, EXPIRING), (len(entries), page, pages), FORMATS)  # fmt: skip


def _options(names: Iterable[str]) -> list[tuple[str, str]]:
    return [("", "全部"), *((name, name) for name in names)]


def _address(file: str) -> str:
    return f"/admin/document?file={quote(file)}"


def _text(key: str) -> str:
    return "/" + document_url(key, 0, 0, date.today()).removesuffix("#quote")


@router.post("/files")
async def upload(request: Request, admin: Kept, file: UploadFile, was: Typed) -> Response:
    """Take a file that is sent, and go on to what it would change."""
    token = await admin.uploads.receive(file.filename or "", _chunks(file))
    if former := was.get("was", ""):
        try:
            refuse_other_format(former, admin.uploads.file(token))
        except SettingsError:
            admin.uploads.drop(token)
            raise
        return to(f"{_address(former)}&token={token}")
    return to(f"/admin/new?token={token}")


async def _chunks(file: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await file.read(CHUNK):
        yield chunk


@router.get("/new")
def new(request: Request, admin: Kept, token: str) -> Response:
    """Show what a file would be as a document."""
    reading, name = admin.reading(token), admin.uploads.file(token).name
    values = {**reading.values, "file": name}
    proposal = Proposal("", read_catalogue(admin.corpus).stamp, token, values)
    found = {name: faults for name, faults in wrong(admin, proposal).items() if name == "file"}
    return _form(request, admin, proposal, found)


@router.get("/document")
def document(request: Request, admin: Kept, file: str, token: str = "") -> Response:
    """Show a document's row as a form, and what else may be done with it."""
    _entry(admin, file)
    return _form(request, admin, existing(admin, read_catalogue(admin.corpus), file, token), {})


def _entry(admin: Administration, file: str) -> Entry:
    with admin.desk.current.use() as lent:
        known = overview(admin.corpus, lent.index, date.today())
    entry = next((one for one in known.entries if one.file == file and one.ours), None)
    if entry is None:
        raise MissingError(f"资料里没有“{file}”，请回到资料列表")
    return entry


def _form(
    request: Request, admin: Administration, proposal: Proposal, found: dict[str, list[str]], status: int = 200,
) -> Response:  # fmt: skip
    catalogue = read_catalogue(admin.corpus)
    with admin.desk.current.use() as lent:
        there = bool(proposal.was) and indexed(lent.index, proposal.id) is not None
        known = overview(admin.corpus, lent.index, date.today())
    entry = _entry(admin, proposal.was) if proposal.was else None
    problems = [fault.reason for fault in known.faults if proposal.was and fault.file == proposal.was]
    text, left = read_text(admin.reading(proposal.token)) if proposal.token else ("", ())
    return shown(
        request, "documents", "document", proposal, fields(proposal, found, _read(admin, proposal)), found.get("", []),
        (entry, problems, ALARMING, _text(proposal.id) if there else "", catalogue.rows.get(proposal.was)),
        (text_html(text, 0, 0), left), status=status,
    )  # fmt: skip


def _read(admin: Administration, proposal: Proposal) -> frozenset[str]:
    """Return the columns that still say what the text told."""
    if proposal.was or not proposal.token:
        return frozenset()
    reading = admin.reading(proposal.token)
    return frozenset(name for name in reading.read if reading.values[name] == proposal.values[name])


@router.post("/document")
def propose(request: Request, admin: Kept, form: Typed) -> Response:
    """Go a step on with a row that was typed: back to the form, on to what it changes, write it, or give it up."""
    catalogue = read_catalogue(admin.corpus)
    proposal, step = typed(form, catalogue), form.get("step", "")
    if step == "drop":
        admin.uploads.drop(proposal.token)
        return to(_address(proposal.was) if proposal.was else "/admin")
    if proposal.was:
        _entry(admin, proposal.was)
    found = wrong(admin, proposal)
    if found or step == "edit":
        return _form(request, admin, proposal, found, status=400 if found else 200)
    if step == "confirm":
        return _write(request, admin, change(admin, proposal, catalogue), proposal.token)
    with admin.desk.current.use() as lent:
        told = preview(admin, proposal, catalogue, lent.index)
    return shown(request, "documents", "preview", proposal, told, COLUMNS)


@router.post("/withdraw")
def withdraw(request: Request, admin: Kept, form: Typed) -> Response:
    """Keep a document out of the answers from now on."""
    made = withdrawn(admin.corpus, form.get("file", ""), form.get("reason", ""), form.get("stamp", ""))
    return _write(request, admin, made)


@router.post("/restore")
def restore(request: Request, admin: Kept, form: Typed) -> Response:
    """Bring a withdrawn document back."""
    return _write(request, admin, restored(admin.corpus, form.get("file", ""), form.get("stamp", "")))


def _write(request: Request, admin: Administration, made: Change, token: str = "") -> Response:
    apply(made, admin.corpus, admin.settings.workspace)
    record(request, f"corpus.{made.kind}", made.file)
    admin.uploads.drop(token)
    rebuild(request)
    return to(f"/admin/index?done={made.kind}")
