"""Write one generation of the index: from nothing, or as the generation before with some documents taken out and put in.

Documents pass through in batches (split → embed → store), so memory does not grow with the corpus's length in tokens.
"""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings

from assistant.index import DOC_TYPES, LEVELS, ROWS, Index, day, from_document
from assistant.lexical import LexicalIndex, SegmentWriter
from assistant.relations import replaced
from assistant.schema import Document, Metadata, Passage
from assistant.split import searchable_text, split
from assistant.stores import Writer

BATCH = 1000  # passages embedded and stored at once
SEGMENT = 50_000  # passages of a lexical segment
TAIL = 2000  # a last segment of fewer passages is written anew with what is added
T = TypeVar("T")
Progress = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document to store, with the path it came from and the hash of all that is stored of it."""

    document: Document
    source: str
    hash: str


class Builder:
    """Writes a generation into an empty directory; `old` is the one in service, if its vectors can be used again.

    With `amend` it starts as a copy of `old`; call `remove`, `add` and then `finish`, each once. `vectors` opens what they are
    written with.
    """

    def __init__(
        self, directory: Path, embeddings: Embeddings, old: Index | None, amend: bool, vectors: Callable[[], Writer],
        progress: Progress,
    ) -> None:  # fmt: skip
        self._directory, self._embeddings, self._old, self._progress = directory, embeddings, old, progress
        self.embedded = 0
        self._rows: list[np.ndarray] = []
        self._segments: list[str] = []
        self._replaced_ids: set[str] = set()
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
        first = self._size - len(lengths)
        for row in range(first, self._size):
            alive = bool(self._rows[0]["alive"][row])
            (passage,) = self._old.passages([row]) if alive else (None,)
            text = searchable_text(self._old.document(passage.document_id), passage) if passage else ""
            self._writer.add([text])
        shutil.rmtree(self._directory / "lexical" / self._segments.pop())

    def remove(self, ids: Sequence[str], again: frozenset[str]) -> None:
        """Take documents out; those whose id is in `again` are added anew."""
        gone: list[str] = []
        for document_id in ids:
            found = self._sqlite.execute(
                "SELECT row, id FROM passages WHERE document_id = ?", (document_id,)
            ).fetchall()
            self._rows[0]["alive"][[row for row, _ in found]] = False
            keys = [key for _, key in found]
            self._replaced_ids.update(keys) if document_id in again else gone.extend(keys)
            self._sqlite.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))
            self._sqlite.execute("DELETE FROM documents WHERE id = ?", (document_id,))
        self._delete(gone)

    def _delete(self, keys: Iterable[str]) -> None:
        for batch in _batches(keys):
            self._vectors.delete(batch)

    def add(self, incoming: Iterable[Incoming], total: int) -> None:
        """Split, embed and store documents."""
        for batch in _batches(self._passages(incoming, total)):
            self._store(batch)

    def _passages(self, incoming: Iterable[Incoming], total: int) -> Iterator[tuple[Document, Passage]]:
        """Store each document as it comes, and yield its passages."""
        for number, one in enumerate(incoming, 1):
            self._sqlite.execute(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?)", (*from_document(one.document), one.source, one.hash)
            )
            yield from ((one.document, passage) for passage in split(one.document))
            self._progress("建索引", number, total)

    def _store(self, batch: Sequence[tuple[Document, Passage]]) -> None:
        texts = [searchable_text(document, passage) for document, passage in batch]
        hashes = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        vectors = self._embed(texts, hashes)
        rows = np.array([_row(document.metadata) for document, _ in batch], dtype=ROWS)
        first, self._size = self._size, self._size + len(batch)
        self._rows.append(rows)
        self._sqlite.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (row, p.id, p.document_id, p.start, p.end, json.dumps(p.headings, ensure_ascii=False), p.context, key)
                for row, ((_, p), key) in enumerate(zip(batch, hashes, strict=True), first)
            ),
        )
        self._writer.add(texts)
        if len(self._writer) >= SEGMENT:
            self._write_segment()
        self._replaced_ids.difference_update(passage.id for _, passage in batch)
        self._vectors.upsert(
            [passage.id for _, passage in batch],
            vectors,
            [
                _filtered(first + at, int(row["published"]), document.metadata)
                for at, (row, (document, _)) in enumerate(zip(rows, batch, strict=True))
            ],
        )

    def _embed(self, texts: Sequence[str], hashes: Sequence[str]) -> np.ndarray:
        """Return one float32 row a text: the stored vector where the generation before holds the same text."""
        known: dict[str, str] = {}
        stored: dict[str, Any] = {}
        if self._old:
            query = f"SELECT text_hash, id, row FROM passages WHERE text_hash IN ({','.join('?' * len(hashes))})"
            found = self._old.fetch(query, hashes)
            known = {key: passage for key, passage, _ in found}
            rows_of = {passage: row for _, passage, row in found}
            stored = self._old.stored({passage: rows_of[passage] for passage in known.values()}) if known else {}
        new = [at for at, key in enumerate(hashes) if known.get(key) not in stored]
        made = self._embeddings.embed_documents([texts[at] for at in new]) if new else []
        self.embedded += len(new)
        fresh = dict(zip(new, made, strict=True))
        rows = [fresh[at] if at in fresh else stored[known[key]] for at, key in enumerate(hashes)]
        return np.asarray(rows, dtype=np.float32)

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
        self._delete(self._replaced_ids)
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


def _row(meta: Metadata) -> tuple[int, int, int, bool]:
    return day(meta), LEVELS.index(meta.level), DOC_TYPES.index(meta.doc_type), True


def _filtered(row: int, published: int, meta: Metadata) -> dict[str, Any]:
    """Return what Chroma filters by; what is blank matches no filter and takes no room."""
    found = {"row": row, "published": published, "level": meta.level, "doc_type": meta.doc_type}
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


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    found = iter(items)
    while batch := list(islice(found, BATCH)):
        yield batch
