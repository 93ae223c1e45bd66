"""Write one generation of the index: from nothing, or as the generation before with some documents taken out and put in.

What was prepared of the documents is stored in order and in batches, so memory does not grow with the corpus's length in
tokens.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from assistant.index import DOC_TYPES, LEVELS, ROWS, Index, from_document
from assistant.lexical import LexicalIndex, SegmentWriter
from assistant.prepare import Incoming, Prepared, Row, rebatched
from assistant.relations import replaced
from assistant.split import searchable_text
from assistant.stores import Writer
from assistant.tokens import count_tokens

BATCH = 1000  # passages stored at once
SEGMENT = 50_000  # passages of a lexical segment
TAIL = 2000  # a last segment of fewer passages is written anew with what is added
Progress = Callable[[str, int, int], None]  # stage, done, total


class Builder:
    """Writes a generation into an empty directory, with `amend` as a copy of `old`, the one in service.

    Call `remove`, `add` and then `finish`, each once. `vectors` opens what they are written with.
    """

    def __init__(
        self, directory: Path, old: Index | None, amend: bool, vectors: Callable[[], Writer], progress: Progress
    ) -> None:
        self._directory, self._old, self._progress = directory, old, progress
        self._rows: list[np.ndarray] = []
        self._segments: list[str] = []
        if amend and old:
            self._start_from(old)
        else:
            self._sqlite = _schema(directory / "corpus.sqlite")
        self._vectors = vectors()
        self._size = sum(map(len, self._rows))
        self._writer = SegmentWriter()
        self._reopen_tail()

    def _start_from(self, old: Index) -> None:
        """Begin as a copy of a generation; its lexical segments never change, so they are shared."""
        files = [old.directory / "corpus.sqlite", *(old.directory / "chroma").rglob("*")]
        with ThreadPoolExecutor() as threads:
            list(threads.map(lambda file: _copy(file, self._directory / file.relative_to(old.directory)), files))
        for segment in old.manifest.segments:
            _link(old.directory / "lexical" / segment, self._directory / "lexical" / segment)
        self._segments = list(old.manifest.segments)
        self._sqlite = sqlite3.connect(self._directory / "corpus.sqlite")
        self._rows = [np.array(old.rows)]

    def _reopen_tail(self) -> None:
        """Take a short last segment back into the writer, so that small updates do not leave many."""
        if not self._segments:
            return
        lengths = np.load(self._directory / "lexical" / self._segments[-1] / "lengths.npy", mmap_mode="r")
        if len(lengths) >= TAIL:
            return
        assert self._old
        texts = []
        for row in range(self._size - len(lengths), self._size):
            alive = bool(self._rows[0]["alive"][row])
            (passage,) = self._old.passages([row]) if alive else (None,)
            texts.append(searchable_text(self._old.document(passage.document_id), passage) if passage else "")
        self._writer.add(count_tokens(texts))
        shutil.rmtree(self._directory / "lexical" / self._segments.pop())

    def remove(self, ids: Sequence[str]) -> None:
        """Take documents out."""
        gone: list[int] = []
        for document_id in ids:
            found = self._sqlite.execute("SELECT row FROM passages WHERE document_id = ?", (document_id,)).fetchall()
            gone += [row for (row,) in found]
            self._sqlite.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
            self._sqlite.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self._rows[0]["alive"][gone] = False
        for start in range(0, len(gone), BATCH):
            self._vectors.delete(gone[start : start + BATCH])

    def add(self, prepared: Iterable[tuple[Sequence[Incoming], Prepared]], total: int) -> None:
        """Store groups of documents, in order, and what was prepared of each."""
        for batch in rebatched(self._documents(prepared, total), BATCH):
            self._store(batch)

    def _documents(self, prepared: Iterable[tuple[Sequence[Incoming], Prepared]], total: int) -> Iterator[Prepared]:
        """Store the documents of each group as it comes, and yield their passages."""
        done = 0
        for group, passages in prepared:
            self._sqlite.executemany(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)",
                ((*from_document(one.document), one.source, one.hash) for one in group),
            )
            done += len(group)
            self._progress("建索引", done, total)
            yield passages

    def _store(self, batch: Prepared) -> None:
        first, self._size = self._size, self._size + len(batch)
        rows = [(one.published, LEVELS.index(one.level), DOC_TYPES.index(one.doc_type), True) for one in batch.rows]
        self._rows.append(np.array(rows, dtype=ROWS))
        self._sqlite.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((row, *one[:7]) for row, one in enumerate(batch.rows, first)),
        )
        self._writer.add(batch.tokens)
        if len(self._writer) >= SEGMENT:
            self._write_segment()
        self._vectors.add(range(first, self._size), batch.vectors, list(map(_filtered, batch.rows)))

    def _write_segment(self) -> None:
        name = str(int(self._segments[-1]) + 1) if self._segments else "0"
        self._writer.write(self._directory / "lexical" / name)
        self._segments.append(name)
        self._writer = SegmentWriter()

    def abandon(self) -> None:
        """Release what is held, after a failure; the generation is thrown away by the next writer."""
        self._sqlite.close()
        self._vectors.abandon()

    def finish(self) -> tuple[int, tuple[str, ...]]:
        """Complete the files and return the number of passages and the lexical segments' names."""
        if len(self._writer) or not self._segments:
            self._write_segment()
        rows = np.concatenate([*self._rows, np.empty(0, dtype=ROWS)])
        np.save(self._directory / "rows.npy", rows)
        self._sqlite.execute("DELETE FROM supersedes")
        self._sqlite.executemany("INSERT INTO supersedes VALUES (?, ?)", replaced(self._sqlite))
        self._sqlite.commit()
        self._sqlite.close()
        segments = [self._directory / "lexical" / name for name in self._segments]
        self._vectors.close(LexicalIndex(segments, rows["alive"]))
        return int(rows["alive"].sum()), tuple(self._segments)


def _filtered(passage: Row) -> dict[str, Any]:
    """Return what an engine filters by; what is blank matches no filter and takes no room."""
    found = {"published": passage.published, "level": passage.level, "doc_type": passage.doc_type}
    return {name: value for name, value in found.items() if value != ""}


def _schema(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA synchronous = OFF;"  # a half-written generation is thrown away
        "CREATE TABLE documents (id TEXT PRIMARY KEY, title TEXT, text TEXT, metadata TEXT, source TEXT, hash TEXT);"
        "CREATE TABLE supersedes (old TEXT, new TEXT);"
        "CREATE TABLE passages (row INTEGER PRIMARY KEY, id TEXT, document_id TEXT, start INTEGER, end INTEGER,"
        " headings TEXT, context TEXT, text_hash TEXT);"
        "CREATE INDEX passages_of_document ON passages (document_id);"
        "CREATE INDEX passages_of_text ON passages (text_hash);"
    )
    return connection


def _copy(old: Path, new: Path) -> None:
    if old.is_file():
        new.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(old, new)


def _link(old: Path, new: Path) -> None:
    """Share the files of a directory, or copy them where the file system cannot share."""
    new.mkdir(parents=True)
    for file in old.iterdir():
        try:
            os.link(file, new / file.name)
        except OSError:
            shutil.copy(file, new)
