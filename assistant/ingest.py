"""Bring an index in step with the corpus: load → clean → split → embed → store, changed documents only.

A new generation is built beside the one in service and switched to with one atomic rename, so a reader never
sees half an index and a killed writer leaves the last good one.
"""

import csv
import hashlib
import io
import json
import os
import re
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout
from langchain_core.embeddings import Embeddings

from assistant.catalog import Problem
from assistant.errors import CorpusError, IndexLockedError, StaleIndexError
from assistant.formats import read_text
from assistant.index import (
    COLLECTION,
    FORMAT,
    ROWS,
    Index,
    Manifest,
    chroma_client,
    day,
    from_document,
    manifest_of,
    read_manifest,
    to_document,
)
from assistant.lexical import LexicalIndex
from assistant.load import GLOSSARY, Loaded, load
from assistant.schema import Document, Glossary, Metadata, Passage
from assistant.split import split

CHROMA_BATCH = 1000  # passages of one insert
EMBED_BATCH = 1000
Progress = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True, slots=True)
class Source:
    """What one ingested path holds now: its documents, and the ids whose last version should stay."""

    name: str
    documents: Sequence[Document]
    keep: frozenset[str] = frozenset()
    complete: bool = True  # False if something unnamed could not be read: nothing is withdrawn then


@dataclass(frozen=True, slots=True)
class Update:
    """What an update changed, in documents, and how many passages had to be embedded."""

    manifest: Manifest
    added: int = 0
    changed: int = 0
    removed: int = 0
    embedded: int = 0
    switched: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did, and what it could not read."""

    update: Update
    problems: tuple[Problem, ...]


def ingest(paths: Sequence[Path], root: Path, embeddings: Embeddings, embedding: str, progress: Progress) -> Report:
    """Read the paths and bring the index at `root` in step with them; documents of other paths stay.

    A document that can no longer be read keeps its last good version. Raises CorpusError when nothing can be
    indexed, IndexLockedError when another process is writing; the index in service is then untouched.
    """
    problems: list[Problem] = []
    sources: list[Source] = []
    glossary: Glossary | None = None
    for number, path in enumerate(paths, 1):
        loaded: Loaded = load(path)
        problems += loaded.problems
        sources.append(Source(str(path.resolve()), loaded.documents, frozenset(loaded.refused), loaded.complete))
        if (path / GLOSSARY).is_file():
            glossary = read_glossary(path / GLOSSARY)
        progress("读取", number, len(paths))
    if not any(source.documents for source in sources) and problems:
        raise CorpusError("没有一份资料可以收录，索引保持不变：\n" + "\n".join(map(str, problems)))
    return Report(update(root, sources, embeddings, embedding, glossary, progress), tuple(problems))


def read_glossary(file: Path) -> Glossary:
    """Return (term, aliases) pairs from a table with the columns term and aliases, aliases parted by semicolons."""
    rows = csv.DictReader(io.StringIO(read_text(file), newline=""))
    pairs = ((row.get("term") or "", (row.get("aliases") or "").replace("；", ";").split(";")) for row in rows)
    return tuple(
        (term.strip(), tuple(alias.strip() for alias in aliases if alias.strip()))
        for term, aliases in pairs
        if term.strip()
    )


def searchable_text(document: Document, passage: Passage) -> str:
    """Return what both arms index: the passage under its document's title, heading path and table header."""
    return "\n".join(filter(None, [document.title, " ".join(passage.headings), passage.context, passage.text]))


@contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """Hold the only right to write. Raises IndexLockedError naming who holds it and since when."""
    root.mkdir(parents=True, exist_ok=True)
    owner = root / "writer.json"
    try:
        with FileLock(root / "writer.lock", timeout=0):
            who = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}
            owner.write_text(json.dumps(who), encoding="utf-8")
            try:
                yield
            finally:
                owner.unlink(missing_ok=True)
    except Timeout as error:
        try:
            who = json.loads(owner.read_text(encoding="utf-8"))
            holder = f"进程 {who['pid']}（{who['host']}，{who['since']} 起）"
        except (OSError, ValueError, KeyError):
            holder = "另一进程"
        raise IndexLockedError(f"索引“{root}”正由{holder}写入，请等它完成后再试") from error


def update(
    root: Path,
    sources: Sequence[Source],
    embeddings: Embeddings,
    embedding: str,
    glossary: Glossary | None,
    progress: Progress = lambda stage, done, total: None,
) -> Update:
    """Bring the index in step with these sources and return what changed; other sources' documents stay.

    `embedding` is the model's fingerprint; None for `glossary` keeps the one in service. The generation in
    service stays readable and untouched until the new one is complete.
    """
    with writer_lock(root):
        for leftover in root.glob(".building-*"):
            shutil.rmtree(leftover)
        for leftover in root.glob(".current-*"):
            leftover.unlink()
        old = _readable(root)
        try:
            return _bring_in_step(root, old, sources, embeddings, embedding, glossary, progress)
        finally:
            if old:
                old.close()


def _bring_in_step(
    root: Path,
    old: Index | None,
    sources: Sequence[Source],
    embeddings: Embeddings,
    embedding: str,
    glossary: Glossary | None,
    progress: Progress,
) -> Update:
    before = {} if old is None else _stored(old)
    after = _merge(before, sources)
    if not after:
        raise CorpusError("没有可收录的文件，索引保持不变")
    if glossary is None:
        glossary = old.manifest.glossary if old else ()
    generation = _generation(after, embedding, glossary)
    counts = Update(
        Manifest(FORMAT, generation, embedding, len(after), 0, f"{datetime.now():%Y-%m-%dT%H:%M:%S}", glossary),
        added=len(after.keys() - before.keys()),
        changed=sum(1 for key in after.keys() & before.keys() if after[key].document != before[key].document),
        removed=len(before.keys() - after.keys()),
    )
    if old and old.manifest.generation == generation:
        return replace(counts, manifest=old.manifest)
    done = _build(root, counts, after, embeddings, _known_vectors(old, embedding), progress)
    _switch(root, generation)
    return replace(done, switched=True)


@dataclass(frozen=True, slots=True)
class _Stored:
    document: Document
    source: str = field(compare=False)


def _readable(root: Path) -> Index | None:
    """Open the generation in service whatever its model, or return None if it must be rebuilt from nothing."""
    try:
        manifest = read_manifest(root)
    except StaleIndexError:
        return None
    return _whole(root / manifest.generation) if manifest else None


def _whole(directory: Path) -> Index | None:
    """Open a generation with all its parts, or remove it and return None if any is damaged."""
    try:
        index = Index(directory, manifest_of(directory))
        index.vectors  # noqa: B018  # raises if damaged
    except (StaleIndexError, OSError, ValueError, TypeError, KeyError):
        shutil.rmtree(directory, ignore_errors=True)
        return None
    return index


def _stored(index: Index) -> dict[str, _Stored]:
    rows = index.fetch("SELECT id, title, text, metadata, source FROM documents")
    return {row[0]: _Stored(to_document(row[:4]), row[4]) for row in rows}


def _merge(before: dict[str, _Stored], sources: Sequence[Source]) -> dict[str, _Stored]:
    """Return all documents after the update: of each named source, what it holds now and what it must keep."""
    names = {source.name for source in sources if source.complete}
    keep = {key for source in sources for key in source.keep}
    after = {key: stored for key, stored in before.items() if stored.source not in names or key in keep}
    for source in sources:
        after |= {document.id: _Stored(document, source.name) for document in source.documents}
    return dict(sorted(after.items()))


def _generation(after: dict[str, _Stored], embedding: str, glossary: Glossary) -> str:
    digest = hashlib.sha256(json.dumps([FORMAT, embedding, list(glossary)]).encode())
    for stored in after.values():
        digest.update(json.dumps([stored.source, *from_document(stored.document)]).encode())
    return digest.hexdigest()[:16]


def _known_vectors(old: Index | None, embedding: str) -> dict[str, np.ndarray]:
    """Return the vectors of the generation in service by the hash of their text, if the model is the same."""
    if old is None or old.manifest.embedding != embedding:
        return {}
    vectors = np.load(old.directory / "vectors.npy", mmap_mode="r")
    return {key: vectors[row] for row, key in old.fetch("SELECT row, text_hash FROM passages")}


def _build(
    root: Path,
    counts: Update,
    after: dict[str, _Stored],
    embeddings: Embeddings,
    known: dict[str, np.ndarray],
    progress: Progress,
) -> Update:
    """Write a whole generation beside the others, under its final name only once complete."""
    final = root / counts.manifest.generation
    ready = _whole(final) if final.exists() else None
    if ready:  # the corpus is again what it was some generations ago
        ready.close()
        return replace(counts, manifest=ready.manifest)
    building = root / f".building-{os.getpid()}"
    (building / "lexical").mkdir(parents=True)
    passages, texts, meta = [], [], []
    for number, stored in enumerate(after.values(), 1):
        for passage in split(stored.document):
            passages.append(passage)
            texts.append(searchable_text(stored.document, passage))
            meta.append(stored.document.metadata)
        progress("切分", number, len(after))
    hashes = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
    vectors, embedded = _embed(texts, hashes, embeddings, known, progress)
    np.save(building / "vectors.npy", vectors)
    np.save(building / "rows.npy", np.array([(day(m), m.level, m.doc_type) for m in meta], dtype=ROWS))
    _write_sqlite(building / "corpus.sqlite", after, passages, hashes)
    progress("全文索引", 0, 1)
    LexicalIndex.build(texts).save(building / "lexical")
    progress("全文索引", 1, 1)
    _write_chroma(building / "chroma", passages, meta, vectors, progress)
    manifest = replace(counts.manifest, passages=len(passages))
    (building / "manifest.json").write_text(
        json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    building.rename(final)
    return replace(counts, manifest=manifest, embedded=embedded)


def _embed(
    texts: Sequence[str],
    hashes: Sequence[str],
    embeddings: Embeddings,
    known: dict[str, np.ndarray],
    progress: Progress,
) -> tuple[np.ndarray, int]:
    """Return one float32 row a text, and how many were not known already."""
    new = [row for row, key in enumerate(hashes) if key not in known]
    rows: dict[int, np.ndarray] = {}
    for start in range(0, len(new), EMBED_BATCH):
        batch = new[start : start + EMBED_BATCH]
        made = np.asarray(embeddings.embed_documents([texts[row] for row in batch]), dtype=np.float32)
        rows |= dict(zip(batch, made, strict=True))
        progress("向量", start + len(batch), len(new))
    return np.stack([rows[row] if row in rows else known[key] for row, key in enumerate(hashes)]), len(new)


def _superseded(documents: Sequence[Document]) -> list[tuple[str, str]]:
    """Return (old id, new id) of what documents replace: named by file, by id, or by title as a policy names it.

    A document of that title that was published later (the new one's, or on it) is not replaced.
    """
    titled: dict[str, list[str]] = {}
    for document in documents:
        for title in (document.title, *re.findall(r"《((?:[^《》]|《[^》]*》)+)》", document.title)):
            titled.setdefault(_bare(title), []).append(document.id)
    ids = {document.id for document in documents}
    published = {document.id: document.metadata.published for document in documents}
    pairs = []
    for document in documents:
        for old in document.metadata.supersedes:
            key = old.removesuffix(".md")
            if key in ids:
                pairs.append((key, document.id))
                continue
            new = document.metadata.published
            earlier = (
                other
                for other in titled.get(_bare(old), [])
                if not new or not published[other] or published[other] < new
            )
            pairs += [(other, document.id) for other in earlier if other != document.id]
    return pairs


def _bare(title: str) -> str:
    return re.sub(r"[\W_]|^上海市(?=嘉定区)", "", title)


def _write_sqlite(path: Path, after: dict[str, _Stored], passages: Sequence[Passage], hashes: Sequence[str]) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.executescript(
            "CREATE TABLE documents (id TEXT PRIMARY KEY, title TEXT, text TEXT, metadata TEXT, source TEXT);"
            "CREATE TABLE supersedes (old TEXT, new TEXT);"
            "CREATE TABLE passages (row INTEGER PRIMARY KEY, id TEXT, document_id TEXT, start INTEGER, end INTEGER,"
            " headings TEXT, context TEXT, text_hash TEXT);"
        )
        connection.executemany(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
            ((*from_document(stored.document), stored.source) for stored in after.values()),
        )
        connection.executemany(
            "INSERT INTO supersedes VALUES (?, ?)", _superseded([s.document for s in after.values()])
        )
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (row, p.id, p.document_id, p.start, p.end, json.dumps(p.headings, ensure_ascii=False), p.context, key)
                for row, (p, key) in enumerate(zip(passages, hashes, strict=True))
            ),
        )
    connection.close()


def _write_chroma(
    directory: Path,
    passages: Sequence[Passage],
    meta: Sequence[Metadata],
    vectors: np.ndarray,
    progress: Progress,
) -> None:
    client = chroma_client(directory)
    collection = client.create_collection(
        COLLECTION,
        # The defaults miss one in ten of the nearest at 40,000 passages.
        configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}},
        embedding_function=None,
    )
    for start in range(0, len(passages), CHROMA_BATCH):
        batch = range(start, min(start + CHROMA_BATCH, len(passages)))
        collection.add(
            ids=[passages[row].id for row in batch],
            embeddings=vectors[batch.start : batch.stop],
            documents=[""] * len(batch),  # the texts are in SQLite: Chroma would index each of them by trigrams
            metadatas=[
                {"row": row, "published": day(meta[row]), "level": meta[row].level, "doc_type": meta[row].doc_type}
                for row in batch
            ],
        )
        progress("向量库", batch.stop, len(passages))
    client.close()


def _switch(root: Path, generation: str) -> None:
    """Put a complete generation in service with one rename; keep the one before for its readers."""
    current = root / "current"
    previous = current.read_text().strip() if current.is_file() else ""
    beside = root / f".current-{os.getpid()}"
    beside.write_text(generation)
    beside.replace(current)
    for directory in _generations(root):
        if directory.name not in (generation, previous):
            shutil.rmtree(directory)


def _generations(root: Path) -> Iterable[Path]:
    return [path.parent for path in root.glob("*/manifest.json") if not path.parent.name.startswith(".")]
