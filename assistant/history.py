"""What the index held before: each change of generation with the versions of documents that it replaced or withdrew."""

import difflib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import rjieba

from assistant.catalog import COLUMNS
from assistant.index import from_document, to_document
from assistant.schema import Document

FILE = "history.sqlite"
Kind = Literal["added", "changed", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to a document, and when, as YYYY-MM-DDTHH:MM:SS; `former` is the version before, None if added."""

    at: str
    kind: Kind
    document_id: str
    title: str
    former: Document | None


class History:
    """The record beside the generations in an index's folder. Only the writer of the index may write it."""

    def __init__(self, root: Path) -> None:
        self._path = root / FILE

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._path)
        try:
            connection.executescript(
                "CREATE TABLE IF NOT EXISTS switches (number INTEGER PRIMARY KEY, at TEXT, generation TEXT);"
                "CREATE TABLE IF NOT EXISTS events (switch INTEGER, kind TEXT, id TEXT, title TEXT, text TEXT, metadata TEXT);"
                "CREATE INDEX IF NOT EXISTS events_of_document ON events (id);"
            )
            with connection:
                yield connection
        finally:
            connection.close()

    def forget_unfinished(self, current: str) -> None:
        """Take back what was recorded for a generation that never came into service, its writer having been killed."""
        if not self._path.is_file():
            return
        with self._open() as connection:
            last = connection.execute("SELECT number, generation FROM switches ORDER BY number DESC LIMIT 1").fetchone()
            if last and last[1] != current:
                connection.execute("DELETE FROM events WHERE switch = ?", last[:1])
                connection.execute("DELETE FROM switches WHERE number = ?", last[:1])

    def record(
        self,
        generation: str,
        added: Sequence[tuple[str, str]],
        changed: Sequence[Document],
        withdrawn: Sequence[Document],
    ) -> None:
        """Record what the switch to a generation is about to change: (id, title) of the added, former versions else."""
        with self._open() as connection:
            at = f"{datetime.now():%Y-%m-%dT%H:%M:%S}"
            number = connection.execute(
                "INSERT INTO switches (at, generation) VALUES (?, ?)", (at, generation)
            ).lastrowid
            former = [("changed", document) for document in changed] + [("withdrawn", one) for one in withdrawn]
            connection.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
                [
                    *((number, "added", *new, None, None) for new in added),
                    *((number, kind, *from_document(document)) for kind, document in former),
                ],
            )

    def events(self, document_id: str = "", last: int = -1) -> list[Event]:
        """Return the events, latest first: of one document or of all, at most `last` of them (-1 for every one)."""
        if not self._path.is_file():
            return []
        query = (
            "SELECT at, kind, id, title, text, metadata FROM events JOIN switches ON switch = number"
            " WHERE id = ? OR ? = '' ORDER BY number DESC, id LIMIT ?"
        )
        with self._open() as connection:
            rows = connection.execute(query, (document_id, document_id, last)).fetchall()
        return [
            Event(at, kind, key, title, to_document((key, title, text, meta)) if meta else None)
            for at, kind, key, title, text, meta in rows
        ]


def differences(old: Document, new: Document) -> list[str]:
    """Return what changed from one version to the next, a line each: catalogue values, then paragraphs.

    Within a changed paragraph 〔-…-〕 encloses what went and 〔+…+〕 what came; whole ones begin with - or +.
    """
    before, after = ({"title": d.title, **asdict(d.metadata)} for d in (old, new))
    lines = [
        f"{COLUMNS[column]}：{_shown(before[column])} → {_shown(after[column])}"
        for column in COLUMNS
        if column in before and before[column] != after[column]
    ]
    left, right = ([line for line in d.text.split("\n") if line.strip()] for d in (old, new))
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        gone, come = left[a:b], right[c:d]
        paired = min(len(gone), len(come))
        lines += map(_marked, gone[:paired], come[:paired])
        lines += [f"- {line}" for line in gone[paired:]] + [f"+ {line}" for line in come[paired:]]
    return lines


def _shown(value: object) -> str:
    return "、".join(value) if isinstance(value, tuple) else str(value) or "（空）"


def _marked(old: str, new: str) -> str:
    """Return a paragraph with its changes marked word by word; a figure counts as one word."""
    left, right = map(_words, (old, new))
    parts = []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        gone, come = "".join(left[a:b]), "".join(right[c:d])
        parts += [gone] if tag == "equal" else [f"〔-{gone}-〕" if gone else "", f"〔+{come}+〕" if come else ""]
    return "  " + "".join(parts)


def _words(text: str) -> list[str]:
    pieces = re.split(r"(\d[\d.,%]*)", text)
    return [word for piece in pieces for word in ([piece] if piece[:1].isdigit() else rjieba.cut(piece))]
