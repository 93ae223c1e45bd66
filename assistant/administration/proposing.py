"""A document's catalogue row as a form: its fields with their rules, what is wrong with it, and what it would change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from assistant.administration.catalogue import Catalogue
from assistant.administration.changes import Change, faults, refuse_taken, tidied
from assistant.administration.files import placed_at, safe_name
from assistant.administration.reading import Left, Reading, as_document, bare, changed, doubts, read_file, same_as
from assistant.administration.shown import Administration
from assistant.catalog import CHOICES, COLUMNS, REQUIRED
from assistant.errors import CorpusError, SettingsError
from assistant.index import Index
from assistant.schema import DOC_TYPE_LABELS, STATUS_LABELS, Document
from assistant.viewer import document_url

DATE = "写成 2023、2023-08 或 2023-08-22；不知道就留空"
HINTS = {
    "file": "含后缀；不计后缀，也不能与别的资料同名", "title": "回答里显示的标题", "publisher": "发布网页的单位或媒体；转载的请注明", "source_title": "原文的标题",
    "source_url": "原文的网址", "published": DATE, "published_precision": "“事件”表示所填是事件当天，不是网页发布日", "doc_type": "有没有有效期由它决定",
    "level": "", "issuing_body": "印发文件的机关；几个的用分号隔开", "document_number": "只填这份文件自己的文号；几个的用分号隔开",
    "valid_from": f"开始的一天；申报指南填受理期的第一天。{DATE}", "valid_to": f"最后一天，含当天；规划填期末。{DATE}", "status": "看不出现在是否有效时，填“未核对”",
    "supersedes": "它替代的资料的文件名，几个的用分号隔开；文件写明替代或废止才填", "data_period": "数字属于哪个时期，如“2024年1—11月”", "confidence": "", "note": "其他需要说明的事",
}  # fmt: skip
LABELS: dict[str, dict[str, str]] = {
    "doc_type": dict(DOC_TYPE_LABELS.items()), "status": dict(STATUS_LABELS.items()),
    "published_precision": {"day": "日", "month": "月", "year": "年", "event": "事件"},
    "level": {one: one for one in CHOICES["level"]}, "confidence": {one: one for one in CHOICES["confidence"]},
}  # fmt: skip
NEEDED = (*REQUIRED, "doc_type")
SHOWN = 200_000  # characters of a text that are shown


class Field(NamedTuple):
    """A column as a control; `options` are what may be chosen, none for free text; `read` says that the text told it."""

    name: str
    label: str
    hint: str
    value: str
    options: dict[str, str]
    needed: bool
    fixed: bool
    read: bool
    faults: list[str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A row as an administrator typed it; `was` is the file that it is of, "" for a new document; `token` names a file that waits."""

    was: str
    stamp: str
    token: str
    values: Mapping[str, str]

    @property
    def id(self) -> str:
        """The document's id."""
        return (self.was or self.values["file"]).rsplit(".", 1)[0]


@dataclass(frozen=True, slots=True)
class Preview:
    """What a proposal would do: cells as (column, before, after), the text's changes, and what to look at first."""

    cells: list[tuple[str, str, str]]
    lines: list[str]
    doubts: list[str]
    same: list[tuple[str, str]]


def typed(form: Mapping[str, str], catalogue: Catalogue) -> Proposal:
    """Return what was typed; a document keeps its file and whether it is withdrawn."""
    was = form.get("was", "")
    values = tidied(form) | {"withdrawn": catalogue.rows.get(was, {}).get("withdrawn", "")}
    return Proposal(was, form.get("stamp", ""), form.get("token", ""), values | ({"file": was} if was else {}))


def existing(admin: Administration, catalogue: Catalogue, file: str, token: str = "") -> Proposal:
    """Return a document's row as it stands; of one without a row what its file says. Raises CorpusError."""
    values = catalogue.rows.get(file) or read_file(placed_at(admin.corpus, file), file).values
    return Proposal(file, catalogue.stamp, token, {**dict.fromkeys(COLUMNS, ""), **values, "file": file})


def fields(proposal: Proposal, wrong: Mapping[str, list[str]], read: frozenset[str] = frozenset()) -> list[Field]:
    """Return the controls, one a column; a withdrawal has a form of its own."""
    found = []
    for name, hint in HINTS.items():
        value = CHOICES.get(name, {}).get(proposal.values.get(name, ""), proposal.values.get(name, ""))
        options = _options(name, value) if name in LABELS else {}
        fixed = name == "file" and bool(proposal.was)
        found.append(Field(name, COLUMNS[name], hint, value, options, name in NEEDED, fixed, name in read, wrong.get(name, [])))  # fmt: skip
    return found


def _options(name: str, value: str) -> dict[str, str]:
    blank = {"": "请选择" if name in NEEDED else "不填"}
    stray = {value: f"{value}（不能用）"} if value and value not in LABELS[name] else {}
    return blank | LABELS[name] | stray


def wrong(admin: Administration, proposal: Proposal) -> dict[str, list[str]]:
    """Return what is wrong with a proposal by column, "" for the whole."""
    found = faults(proposal.values)
    file = proposal.values["file"]
    if not proposal.was and file:
        try:
            if safe_name(file) != file:
                raise SettingsError("文件名不能含文件夹，请只写文件名和后缀")
            if Path(file).suffix.lower() != admin.uploads.file(proposal.token).suffix.lower():
                raise SettingsError("后缀要与传上来的文件一样，请改回来")
            refuse_taken(admin.corpus, file)
        except SettingsError as error:
            found.setdefault("file", []).append(str(error))
    return found


def preview(admin: Administration, proposal: Proposal, catalogue: Catalogue, index: Index) -> Preview:
    """Return what a proposal would change. Raises CorpusError where its file cannot be read."""
    before = catalogue.rows.get(proposal.was, {})
    cells = [
        (label, _label(name, before.get(name, "")), _label(name, proposal.values.get(name, "")))
        for name, label in COLUMNS.items()
        if _label(name, before.get(name, "")) != _label(name, proposal.values.get(name, ""))
    ]
    old = indexed(index, proposal.id) if proposal.was else None
    if not proposal.token:
        text = bare(old).text if old else ""
        return Preview(cells, [], doubts(proposal.values, text) if text else [], [])
    text = bare(admin.reading(proposal.token).document).text
    same = [
        (one.named, "/" + document_url(one.id, 0, 0, date.today()))
        for one in same_as(text, index.documents(), proposal.id if proposal.was else "")
    ]
    new = as_document(proposal.values, text)
    lines = changed(replace(new, text=bare(old).text), new) if old else []
    return Preview(cells, lines, doubts(proposal.values, text), same)


def _label(name: str, value: str) -> str:
    value = CHOICES.get(name, {}).get(value, value)
    return LABELS.get(name, {}).get(value, value)


def indexed(index: Index, key: str) -> Document | None:
    """Return a document as the index has it, if it does."""
    try:
        return index.document(key)
    except CorpusError:
        return None


def change(admin: Administration, proposal: Proposal, catalogue: Catalogue) -> Change:
    """Return the change that a confirmed proposal is."""
    upload = admin.uploads.file(proposal.token) if proposal.token else None
    listed = proposal.was in catalogue.rows
    return Change(
        "amended" if proposal.was else "added", proposal.values["file"], proposal.values, proposal.stamp, listed, upload
    )


def read_text(reading: Reading) -> tuple[str, Left]:
    """Return a file's text as far as it is shown, and what was left out of it."""
    return bare(reading.document).text[:SHOWN], reading.left_out
