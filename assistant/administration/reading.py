"""What a file would be as a document: its text, what was left out of it, what it says of itself, and what is the same already."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assistant.catalog import COLUMNS, Row, parse_row
from assistant.duplicates import near_duplicates
from assistant.errors import CorpusError
from assistant.history import differences
from assistant.load import load
from assistant.metadata import differing, particulars
from assistant.schema import Document, Metadata

NOTHING = Metadata()
PRECISION = {4: "year", 7: "month", 10: "day"}  # by the length of a partial date
Left = tuple[tuple[str, str, int], ...]  # (reason, line, how often)


@dataclass(frozen=True, slots=True)
class Reading:
    """A file as it was read; `values` are what its catalogue row might say, `read` the columns among them that its text told."""

    document: Document
    values: Mapping[str, str]
    read: frozenset[str]
    left_out: Left
    note: str


def read_file(file: Path, name: str = "") -> Reading:
    """Read a file as ingest does, in a process of its own; `name` is what it will be called. Raises CorpusError where it cannot be read."""
    loaded = load(file)
    if not loaded.documents:
        raise CorpusError(f"{name or file.name}：{loaded.problems[0].reason if loaded.problems else '没有读出正文'}")
    (document,) = loaded.documents
    meta = document.metadata
    said = replace(meta, note="") if meta.note else meta
    values = as_values(Row(name or file.name, document.title, said))
    for column in ("doc_type", "status", "published_precision"):  # a default is no statement
        if getattr(meta, column) == getattr(NOTHING, column):
            values[column] = ""
    values["published_precision"] = PRECISION.get(len(meta.published), "")
    left = Counter(loaded.removed.get(file.name, ()))
    return Reading(
        document, values, frozenset(meta.read), tuple((reason, line, times) for (reason, line), times in left.items()), meta.note
    )  # fmt: skip


def as_values(row: Row) -> dict[str, str]:
    """Return a row as the cells of the catalogue."""
    fields: dict[str, Any] = {"file": row.file, "title": row.title, "withdrawn": row.withdrawn, **asdict(row.metadata)}
    cells = {column: fields[column] for column in COLUMNS}
    return {column: "；".join(cell) if isinstance(cell, tuple) else str(cell) for column, cell in cells.items()}


def as_document(values: Mapping[str, str], text: str) -> Document:
    """Return the document that a valid row makes of a text, without what the row adds to it."""
    row, faults = parse_row(values)
    if row is None:
        raise CorpusError("；".join(faults))
    return Document(row.file.rsplit(".", 1)[0], row.title, text, row.metadata)


def bare(document: Document) -> Document:
    """Return a document without what its catalogue row added to its text."""
    return replace(document, text=document.text.removesuffix(particulars(document.metadata)), pages=())


def doubts(values: Mapping[str, str], text: str) -> list[str]:
    """Return where the text says otherwise than the row, for an officer to settle."""
    row, _ = parse_row(values)
    return differing(row, text) if row else []


def same_as(text: str, others: Iterable[Document], own: str = "") -> list[Document]:
    """Return the documents that are the same as a text, apart from the one that it is a version of."""
    there = {document.id: document for document in others if document.id != own}
    pairs = near_duplicates([("", text), *((key, document.text) for key, document in there.items())])
    return [there[pair.b] for pair in pairs if pair.a == ""]  # "" comes before every id


def changed(before: Document, after: Document) -> list[str]:
    """Return what changes from one version to the next, line by line; see `history.differences`."""
    return differences(bare(before), bare(after))
