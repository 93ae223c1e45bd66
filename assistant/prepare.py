"""What is worked out of documents before they are stored: passages, vectors and tokens, by one pure function.

Documents go through it in groups. Where a group ends is told by the documents' own hashes, so that a document more or
less changes one group and leaves the others as they were.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
from langchain_core.embeddings import Embeddings

from assistant.index import Index, day
from assistant.schema import Document
from assistant.split import searchable_text, split
from assistant.tokens import Tokens, count_tokens

EVERY, MOST = 64, 256  # a group ends after one document in so many, and at the latest after so many
T = TypeVar("T")
Embed = Callable[[Sequence[str], Sequence[str]], np.ndarray]  # texts and their hashes → one float32 row a text


@dataclass(frozen=True, slots=True)
class Incoming:
    """A document to store, with the path it came from and the hash of all that is stored of it."""

    document: Document
    source: str
    hash: str


class Row(NamedTuple):
    """A passage as it is stored; `headings` is JSON, `published` as `index.day` gives it."""

    id: str
    document_id: str
    start: int
    end: int
    headings: str
    context: str
    text_hash: str
    published: int
    level: str
    doc_type: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is stored of some passages, in their documents' order; `vectors` is float32 of shape (passages, dimension)."""

    rows: list[Row]
    vectors: np.ndarray
    tokens: Tokens

    def __len__(self) -> int:
        return len(self.rows)

    def cut(self, start: int, end: int) -> "Prepared":
        """Return the passages from `start` to before `end`."""
        return Prepared(self.rows[start:end], self.vectors[start:end], self.tokens.cut(start, end))


def prepare(documents: Iterable[Document], embed: Embed) -> Prepared:
    """Split documents and work out all that is stored of their passages."""
    found = [(document, passage) for document in documents for passage in split(document)]
    texts = [searchable_text(document, passage) for document, passage in found]
    hashes = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
    rows = [
        Row(
            passage.id, passage.document_id, passage.start, passage.end,
            json.dumps(passage.headings, ensure_ascii=False), passage.context, text_hash,
            day(document.metadata), document.metadata.level, document.metadata.doc_type,
        )
        for (document, passage), text_hash in zip(found, hashes, strict=True)
    ]  # fmt: skip
    return Prepared(rows, embed(texts, hashes), count_tokens(texts))


def grouped(documents: Iterable[T], hash_of: Callable[[T], str]) -> Iterator[list[T]]:
    """Yield documents in groups, in order; `hash_of` gives one's hash."""
    group: list[T] = []
    for one in documents:
        group.append(one)
        if int(hash_of(one), 16) % EVERY == 0 or len(group) == MOST:
            yield group
            group = []
    if group:
        yield group


def rebatched(parts: Iterable[Prepared], size: int) -> Iterator[Prepared]:
    """Yield the same passages in the same order, `size` at a time."""
    waiting: list[Prepared] = []
    for part in parts:
        waiting.append(part)
        count = sum(map(len, waiting))
        if count >= size:
            whole = _joined(waiting)
            full = count - count % size
            yield from (whole.cut(start, start + size) for start in range(0, full, size))
            waiting = [whole.cut(full, count)] if full < count else []
    if any(map(len, waiting)):
        yield _joined(waiting)


def _joined(parts: Sequence[Prepared]) -> Prepared:
    kept = [part for part in parts if len(part)]  # vectors of none have no dimension
    rows = [row for part in kept for row in part.rows]
    return Prepared(rows, np.concatenate([part.vectors for part in kept]), Tokens.join([part.tokens for part in kept]))


class Embedder:
    """Gives texts their vectors: those that a generation before stores of the same texts, the others made now and counted."""

    def __init__(self, embeddings: Embeddings, old: Index | None = None) -> None:
        self._embeddings, self._old = embeddings, old
        self.made = 0

    def __call__(self, texts: Sequence[str], hashes: Sequence[str]) -> np.ndarray:
        """Return one float32 row a text."""
        known: dict[str, int] = {}
        if self._old and hashes:
            query = f"SELECT text_hash, row FROM passages WHERE text_hash IN ({','.join('?' * len(hashes))})"
            known = dict(self._old.fetch(query, hashes))
        stored = self._old.stored(list(known.values())) if self._old and known else {}
        new = [at for at, key in enumerate(hashes) if known.get(key) not in stored]
        made = self._embeddings.embed_documents([texts[at] for at in new]) if new else []
        self.made += len(new)
        fresh = dict(zip(new, made, strict=True))
        rows = [fresh[at] if at in fresh else stored[known[key]] for at, key in enumerate(hashes)]
        return np.asarray(rows, dtype=np.float32)
