"""The index on disk: immutable generations, one writer, and an atomic switch from one to the next.

    DIR/current           names the generation in service
    DIR/<generation>/     manifest.json, corpus.sqlite, rows.npy, lexical/<segment>/, and chroma/ unless an engine
                          elsewhere holds the vectors (stores.py)

A generation's name is a hash of all that it is made of, so the same corpus gives the same index. Each passage is a row;
rows of passages that are gone stay, marked, until the next build from nothing.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from assistant.catalog import first_day
from assistant.errors import CorpusError, NoIndexError, StaleIndexError, reaching
from assistant.lexical import LexicalIndex
from assistant.schema import DocType, Document, Glossary, Level, Metadata, Passage
from assistant.stores import COLLECTION, EMBEDDED, DamagedError, Engine, Opened

if TYPE_CHECKING:
    from langchain_core.vectorstores import VectorStore

FORMAT = 4  # of a generation's files: raise it when they change, or the order of LEVELS or DOC_TYPES
LEVELS, DOC_TYPES = get_args(Level), get_args(DocType)
ROWS = np.dtype([("published", "i4"), ("level", "i1"), ("doc_type", "i1"), ("alive", "?")])  # places in the two above


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation is made of; a difference to what a reader expects is a StaleIndexError.

    `store` is the engine's address and `collection` the name of the generation's vectors there.
    """

    format: int
    generation: str
    embedding: str
    documents: int
    passages: int
    created: str
    segments: tuple[str, ...]
    glossary: Glossary = ()
    store: str = EMBEDDED.address
    collection: str = COLLECTION


class Index:
    """One generation, open for reading. Safe to share between threads."""

    def __init__(self, directory: Path, manifest: Manifest, engine: Engine = EMBEDDED) -> None:
        self.directory, self.manifest, self.engine = directory, manifest, engine
        self._lock = Lock()
        try:
            self.rows = np.load(directory / "rows.npy")
            self.alive = np.array(self.rows["alive"])
            self.lexical = LexicalIndex([directory / "lexical" / name for name in manifest.segments], self.alive)
            self._sqlite = sqlite3.connect(
                f"file:{directory / 'corpus.sqlite'}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
            (stored,) = self._sqlite.execute("SELECT count(*) FROM passages").fetchone()
        except (OSError, ValueError, KeyError, sqlite3.Error) as error:
            raise _damaged(directory) from error
        if not stored == np.count_nonzero(self.alive) == manifest.passages:
            raise _damaged(directory)
        self.document = lru_cache(maxsize=2000)(self._document)

    @classmethod
    def open(cls, root: Path, embedding: str = "", engine: Engine = EMBEDDED) -> "Index":
        """Open the generation in service; without a model's fingerprint, not to be searched.

        Raises NoIndexError, StaleIndexError if it is not ours, another model's or another engine's, or StoreError.
        """
        manifest = read_manifest(root)
        if manifest is None:
            raise NoIndexError(f"“{root}”里还没有索引，请先运行 jiading-assistant ingest")
        if embedding and manifest.embedding != embedding:
            raise StaleIndexError("索引是用另一个向量模型建立的，请重新运行 jiading-assistant ingest")
        if embedding and manifest.store != engine.address:
            raise StaleIndexError(
                "索引的向量存在另一个向量库里，请核对 JIADING_STORE，或重新运行 jiading-assistant ingest"
            )
        index = cls(root / manifest.generation, manifest, engine)
        if embedding:
            index.vectors  # noqa: B018  # opened now, for a later switch may remove the files
        return index

    def close(self) -> None:
        """Release the files, also of an index that somebody still holds."""
        del self.lexical
        self.document.cache_clear()
        self._sqlite.close()
        if "_opened" in self.__dict__:
            self._opened.close()

    def fetch(self, query: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a query on corpus.sqlite."""
        with self._lock:
            return self._sqlite.execute(query, parameters).fetchall()

    def _document(self, document_id: str) -> Document:
        found = self.fetch("SELECT id, title, text, metadata FROM documents WHERE id = ?", (document_id,))
        if not found:
            raise CorpusError(f"索引里没有文件“{document_id}”")
        return to_document(found[0])

    def documents(self) -> Iterator[Document]:
        """Yield every document, by id."""
        return map(to_document, self.fetch("SELECT id, title, text, metadata FROM documents ORDER BY id"))

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """Return the passages of these rows, in the order given."""
        marks = ",".join("?" * len(rows))
        query = f"SELECT row, id, document_id, start, end, headings, context FROM passages WHERE row IN ({marks})"
        found = {row: (key, doc, a, b, h, c) for row, key, doc, a, b, h, c in self.fetch(query, list(rows))}
        return [self._passage(*found[row]) for row in rows]

    def _passage(self, key: str, document_id: str, start: int, end: int, headings: str, context: str) -> Passage:
        text = self.document(document_id).text[start:end]
        return Passage(key, document_id, tuple(json.loads(headings)), text, start, end, context)

    @cached_property
    def newest(self) -> int:
        """The last day on which a document here was published, as YYYYMMDD."""
        return int(self.rows["published"][self.alive].max(initial=0))

    @cached_property
    def titles(self) -> dict[str, str]:
        """The title of each document, by its id."""
        return dict(self.fetch("SELECT id, title FROM documents"))

    @cached_property
    def successors(self) -> dict[str, list[Document]]:
        """The documents that replace each document, by its id."""
        found: dict[str, list[Document]] = {}
        for old, new in self.fetch("SELECT old, new FROM supersedes"):
            found.setdefault(old, []).append(self.document(new))
        return found

    @cached_property
    def contacts(self) -> list[Document]:
        """The documents that list whom to ask."""
        query = (
            "SELECT id, title, text, metadata FROM documents WHERE json_extract(metadata, '$.doc_type') = 'contacts'"
        )
        return list(map(to_document, self.fetch(query)))

    @cached_property
    def vectors(self) -> "VectorStore":
        """The store that the engine's arms are searched in. Raises StaleIndexError when it is damaged, or StoreError."""
        self.check_vectors()
        return self._opened.vectors

    def check_vectors(self) -> None:
        """Raise StaleIndexError unless the store holds every passage."""
        if self._opened.count != self.manifest.passages:
            raise _damaged(self.directory)

    def stored(self, rows: Sequence[int]) -> dict[int, Any]:
        """Return the vectors of rows, float32 of shape (dimension,), by row."""
        with reaching(self.engine.address):
            return self._opened.stored(rows)

    def reach(self) -> None:
        """Raise StoreError unless the engine is within reach and still holds the generation's vectors."""
        with reaching(self.engine.address):
            self._opened.check()

    @cached_property
    def _opened(self) -> Opened:
        try:
            return self.engine.open(self.directory, self.manifest.collection)
        except DamagedError as error:
            raise _damaged(self.directory) from error


def _damaged(directory: Path) -> StaleIndexError:
    return StaleIndexError(f"索引“{directory}”已损坏，请重新运行 jiading-assistant ingest")


def manifest_of(generation: Path) -> Manifest:
    """Read a generation's manifest."""
    fields = json.loads((generation / "manifest.json").read_text(encoding="utf-8"))
    glossary = tuple((term, tuple(aliases)) for term, aliases in fields["glossary"])
    return Manifest(**{**fields, "segments": tuple(fields["segments"]), "glossary": glossary})


def read_manifest(root: Path) -> Manifest | None:
    """Return the manifest of the generation in service, or None if there is none."""
    current = root / "current"
    if not current.is_file():
        return None
    try:
        manifest = manifest_of(root / current.read_text().strip())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StaleIndexError(
            f"索引“{root}”已损坏或格式不符，请删去该目录后重新运行 jiading-assistant ingest"
        ) from error
    if manifest.format != FORMAT:
        raise StaleIndexError("索引是由另一版程序建立的，请重新运行 jiading-assistant ingest")
    return manifest


def day(meta: Metadata) -> int:
    """Return the first day of publication as YYYYMMDD; 0 if unknown."""
    return int(f"{first_day(meta.published):%Y%m%d}") if meta.published else 0


def from_document(document: Document) -> tuple[str, str, str, str]:
    """Return the document as the columns id, title, text and metadata, the last with its pages if it has any."""
    # asdict takes ten times as long
    stored = {one.name: getattr(document.metadata, one.name) for one in fields(Metadata)}
    stored |= {"pages": document.pages} if document.pages else {}
    return document.id, document.title, document.text, json.dumps(stored, ensure_ascii=False, sort_keys=True)


def to_document(row: tuple[Any, ...]) -> Document:
    """Return the document of the columns id, title, text and metadata."""
    key, title, text, metadata = row
    fields = json.loads(metadata)
    pages = tuple(fields.pop("pages", ()))
    lists = {name: tuple(fields.get(name, ())) for name in ("supersedes", "read")}
    return Document(key, title, text, Metadata(**{**fields, **lists}), pages)
