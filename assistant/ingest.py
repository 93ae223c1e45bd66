"""Bring an index in step with the corpus: load → clean → split → embed → store, changed documents only.

A new generation is built beside the one in service and switched to with one atomic rename, so a reader never
sees half an index and a killed writer leaves the last good one.
"""

import hashlib
import json
import logging
import os
import shutil
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout
from langchain_core.embeddings import Embeddings

from assistant.build import Builder, Progress
from assistant.catalog import Problem
from assistant.errors import CorpusError, IndexLockedError, SettingsError, StaleIndexError
from assistant.history import History
from assistant.index import FORMAT, Index, Manifest, from_document, manifest_of, read_manifest
from assistant.load import Entry, Loaded, load, read_file, read_glossary
from assistant.prepare import Embedder, Incoming, Prepared, grouped, prepare
from assistant.schema import Document, Glossary
from assistant.stores import EMBEDDED, Engine

SEEN = "seen.json"  # in the index's folder
RETIRED = "retired"  # in a generation's folder: its time is when the generation went out of service
SMALL = 2000  # passages: so few are indexed anew in seconds, and the same corpus then gives the same files
WORN = 0.25  # share of a generation's passages that may be gone before it is built from nothing
MANY_SEGMENTS = 50
MANY = 1000  # documents whose vectors are worth a process of their own

log = logging.getLogger("assistant")


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


class Workers(Protocol):
    """Who reads files and prepares documents: this process, or many machines (cluster.py)."""

    def load(
        self, path: Path | str, known: Mapping[str, Entry] | None, progress: Callable[[int, int], None], kept: Path
    ) -> tuple[Loaded, Glossary | None]:
        """Load a path, or a URI where that can be done, with its glossary; in the folder `kept` what was read may be put down."""
        ...  # pragma: no cover

    def prepared(
        self, groups: Callable[[], Iterable[list[Incoming]]], embed: Embedder
    ) -> Iterator[tuple[list[Incoming], Prepared]]:
        """Yield each group with what was prepared of it, in order; `embed` gives or counts the vectors."""
        ...  # pragma: no cover

    def tidy(self, hashes: Iterable[str]) -> None:
        """Remove what was kept of documents other than those with these hashes, all those of the index, in order."""
        ...  # pragma: no cover


class Here:
    """One machine: the work is done in this process."""

    def load(
        self, path: Path | str, known: Mapping[str, Entry] | None, progress: Callable[[int, int], None], kept: Path
    ) -> tuple[Loaded, Glossary | None]:
        """Load a path and its glossary; the text of office files is kept in case this is interrupted."""
        if isinstance(path, str):
            raise SettingsError(f"“{path}”是网络地址，要加 --ray 才能读取")
        loaded = load(path, known, progress, lambda file, fingerprint: read_file(file, kept / f"{fingerprint}.json"))
        return loaded, read_glossary(path)

    def prepared(
        self, groups: Callable[[], Iterable[list[Incoming]]], embed: Embedder
    ) -> Iterator[tuple[list[Incoming], Prepared]]:
        """Yield each group with what was prepared of it."""
        return ((group, prepare((one.document for one in group), embed)) for group in groups())

    def tidy(self, hashes: Iterable[str]) -> None:
        """Nothing was kept."""


HERE = Here()


@dataclass(frozen=True, slots=True)
class Report:
    """What an ingest did, and what it could not read."""

    update: Update
    problems: tuple[Problem, ...]


def ingest(
    paths: Sequence[Path | str], root: Path, embeddings: Embeddings, embedding: str, progress: Progress,
    engine: Engine = EMBEDDED, workers: Workers = HERE,
) -> Report:  # fmt: skip
    """Read the paths, URIs among them where the workers can, and bring the index at `root` in step with them; documents of other paths stay.

    A document that can no longer be read keeps its last good version. Raises CorpusError when nothing can be
    indexed, IndexLockedError when another process is writing, StoreError when the engine of the vectors cannot be
    reached; the index in service is then untouched.
    """
    problems: list[Problem] = []
    sources: list[Source] = []
    seen: dict[str, dict[str, Entry]] = {}
    glossary: Glossary | None = None
    with _writing(root, engine) as old:
        known, kept = known_entries(root, old), root / "reading"
        kept.mkdir(exist_ok=True)
        for path in paths:
            name = path if isinstance(path, str) else str(path.resolve())
            loaded, found = workers.load(path, known.get(name), partial(progress, f"读取 {Path(path).name}"), kept)
            problems += loaded.problems
            keep = frozenset(loaded.refused | loaded.unchanged)
            sources.append(Source(name, loaded.documents, keep, loaded.complete))
            seen[name] = loaded.seen
            glossary = glossary if found is None else found
        if not any(seen.values()) and problems:
            raise CorpusError("没有一份资料可以收录，索引保持不变：\n" + "\n".join(map(str, problems)))
        done = _bring_in_step(root, old, sources, embeddings, embedding, glossary, progress, engine, workers)
        _remember(root, done.manifest.generation, known | seen)
        shutil.rmtree(kept)
    return Report(done, tuple(problems))


def known_entries(root: Path, old: Index | None) -> dict[str, dict[str, Entry]]:
    """Return by source what the generation in service was made of, as `_remember` wrote it; {} where that is not known."""
    try:
        remembered = json.loads((root / SEEN).read_text(encoding="utf-8"))
        if old is None or remembered["generation"] != old.manifest.generation:
            return {}
        holder = dict(old.fetch("SELECT id, source FROM documents"))
        return {
            source: {
                fingerprint: (entry[0], [(place, reason) for place, reason in entry[1]])
                for fingerprint, entry in entries.items()
                if holder.get(entry[0]) == source
            }
            for source, entries in remembered["sources"].items()
        }
    except (OSError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        return {}


def _remember(root: Path, generation: str, sources: dict[str, dict[str, Entry]]) -> None:
    """Write what a generation was made of, for the next time; losing it costs only the time to read again."""
    content = json.dumps({"generation": generation, "sources": sources}, ensure_ascii=False)
    (root / SEEN).write_text(content, encoding="utf-8")


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
        raise IndexLockedError(f"索引“{root}”正由{_holder(root)}写入，请等它完成后再试") from error


def _holder(root: Path) -> str:
    try:
        who = json.loads((root / "writer.json").read_text(encoding="utf-8"))
        return f"进程 {who['pid']}（{who['host']}，{who['since']} 起）"
    except (OSError, ValueError, KeyError):
        return "另一进程"


def writing(root: Path) -> str:
    """Return who is writing the index at the moment, in words; "" if nobody is."""
    if not (root / "writer.json").exists():
        return ""
    try:
        with FileLock(root / "writer.lock", timeout=0):
            return ""  # a killed writer left its name
    except Timeout:
        return _holder(root)


def update(
    root: Path,
    sources: Sequence[Source],
    embeddings: Embeddings,
    embedding: str,
    glossary: Glossary | None,
    progress: Progress = lambda stage, done, total: None,
    engine: Engine = EMBEDDED,
) -> Update:
    """Bring the index in step with these sources and return what changed; other sources' documents stay.

    `embedding` is the model's fingerprint; None for `glossary` keeps the one in service. The generation in
    service stays readable and untouched until the new one is complete.
    """
    with _writing(root, engine) as old:
        return _bring_in_step(root, old, sources, embeddings, embedding, glossary, progress, engine, HERE)


@contextmanager
def _writing(root: Path, engine: Engine) -> Iterator[Index | None]:
    """Hold the right to write, clear what a killed writer left, and give the generation in service, if it is whole."""
    with writer_lock(root):
        for leftover in root.glob(".building-*"):
            _remove(leftover, engine)
        for leftover in root.glob(".current-*"):
            leftover.unlink()
        old = _readable(root, engine)
        History(root).forget_unfinished(_current(root))
        try:
            yield old
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
    engine: Engine,
    workers: Workers,
) -> Update:
    before = {key: _State(*rest) for key, *rest in old.fetch(_STATES)} if old else {}
    incoming = {document.id: _incoming(document, source.name) for source in sources for document in source.documents}
    after = _merge(before, sources, incoming)
    if not after:
        raise CorpusError("没有可收录的文件，索引保持不变")
    if glossary is None:
        glossary = old.manifest.glossary if old else ()
    generation = _generation(after, embedding, glossary, engine)
    manifest = Manifest(
        FORMAT, generation, embedding, len(after), 0, f"{datetime.now():%Y-%m-%dT%H:%M:%S}", (), glossary,
        engine.address, engine.name(generation),
    )  # fmt: skip
    counts = Update(
        manifest,
        added=len(after.keys() - before.keys()),
        changed=sum(1 for key in after.keys() & before.keys() if after[key].hash != before[key].hash),
        removed=len(before.keys() - after.keys()),
    )
    if old and old.manifest.generation == generation:
        return replace(counts, manifest=old.manifest)
    change = _Change(before, after, incoming)
    done = _build(root, old, counts, change, embeddings, progress, engine, workers)
    _record(root, old, generation, change)
    _switch(root, generation, engine)
    workers.tidy(state.hash for state in after.values())
    return replace(done, switched=True)


_STATES = "SELECT id, source, hash FROM documents"


@dataclass(frozen=True, slots=True)
class _State:
    """Where a document of an index comes from, and the hash of all that is stored of it."""

    source: str
    hash: str


@dataclass(frozen=True, slots=True)
class _Change:
    """The documents before and after an update, by id, and those that its sources hold."""

    before: dict[str, _State]
    after: dict[str, _State]
    incoming: dict[str, Incoming]

    @property
    def gone(self) -> list[str]:
        """Documents of the generation before that the new one does not hold just as they were."""
        return sorted(key for key, state in self.before.items() if self.after.get(key) != state)

    @property
    def new(self) -> list[str]:
        """Documents that the generation before does not hold just as they are."""
        return [key for key, state in self.after.items() if self.before.get(key) != state]


def _record(root: Path, old: Index | None, generation: str, change: _Change) -> None:
    """Put the versions that are about to go, and what comes, into the history."""
    new = [key for key in change.after if key not in change.before]
    added = (
        [(key, change.incoming[key].document.title) for key in new] if old or not History(root).events(last=1) else []
    )
    gone = [key for key in change.gone if key not in change.after or change.after[key].hash != change.before[key].hash]
    former = [old.document(key) for key in gone] if old else []
    changed, withdrawn = ([d for d in former if (d.id in change.after) is stays] for stays in (True, False))
    History(root).record(generation, added, changed, withdrawn)


def _incoming(document: Document, source: str) -> Incoming:
    return Incoming(document, source, hashlib.sha256(json.dumps(from_document(document)).encode()).hexdigest()[:32])


def _readable(root: Path, engine: Engine) -> Index | None:
    """Open the generation in service whatever its model and engine, or return None if it must be rebuilt from nothing."""
    try:
        manifest = read_manifest(root)
    except StaleIndexError:
        return None
    return _whole(root / manifest.generation, engine) if manifest else None


def _whole(directory: Path, engine: Engine) -> Index | None:
    """Open a generation with all its parts, or remove it and return None if any is damaged; another engine's stays as it is."""
    try:
        index = Index(directory, manifest_of(directory), engine)
        if index.manifest.store == engine.address:
            index.check_vectors()
    except (StaleIndexError, OSError, ValueError, TypeError, KeyError):
        _remove(directory, engine)
        return None
    return index


def _remove(directory: Path, engine: Engine) -> None:
    """Remove a generation: its collection first, for only its files name it. Another engine's is left behind, and logged."""
    try:
        manifest = manifest_of(directory)
    except (OSError, ValueError, TypeError, KeyError):
        manifest = None
    if manifest and manifest.store == engine.address:
        engine.remove(manifest.collection)
    elif manifest and manifest.store:
        log.warning("collection %s is left behind in %s", manifest.collection, manifest.store)
    shutil.rmtree(directory, ignore_errors=True)


def _merge(before: dict[str, _State], sources: Sequence[Source], incoming: dict[str, Incoming]) -> dict[str, _State]:
    """Return all documents after the update: of each named source, what it holds now and what it must keep."""
    names = {source.name for source in sources if source.complete}
    keep = {key for source in sources for key in source.keep}
    after = {key: state for key, state in before.items() if state.source not in names or key in keep}
    after |= {key: _State(one.source, one.hash) for key, one in incoming.items()}
    return dict(sorted(after.items()))


def _generation(after: dict[str, _State], embedding: str, glossary: Glossary, engine: Engine) -> str:
    made_of = [FORMAT, embedding, list(glossary), *filter(None, [engine.address])]
    digest = hashlib.sha256(json.dumps(made_of).encode())
    for key, state in after.items():
        digest.update(json.dumps([key, state.source, state.hash]).encode())
    return digest.hexdigest()[:16]


def _build(
    root: Path, old: Index | None, counts: Update, change: _Change, embeddings: Embeddings, progress: Progress,
    engine: Engine, workers: Workers,
) -> Update:  # fmt: skip
    """Write a whole generation beside the others, under its final name only once complete."""
    manifest = counts.manifest
    final = root / manifest.generation
    ready = _whole(final, engine) if final.exists() else None
    if ready:  # the corpus is again what it was some generations ago
        ready.close()
        return replace(counts, manifest=ready.manifest)
    building = root / f".building-{os.getpid()}"
    (building / "lexical").mkdir(parents=True)
    _write(manifest, building)  # incomplete, but it names the collection for whoever clears up after a killed writer
    same = (manifest.embedding, manifest.store)
    alike = old if old and (old.manifest.embedding, old.manifest.store) == same else None
    amend = alike is not None and engine.amends and _worth_amending(alike, change)
    new = change.new if amend else list(change.after)
    vectors = partial(engine.writer, building, manifest.collection, len(new) >= MANY)
    builder, embed = Builder(building, alike, amend, vectors, progress), Embedder(embeddings, alike)

    def groups() -> Iterator[list[Incoming]]:
        return grouped((change.incoming.get(key) or _stored(old, key) for key in new), lambda one: one.hash)

    try:
        if amend:
            builder.remove(change.gone)
        builder.add(workers.prepared(groups, embed), len(new))
        passages, segments = builder.finish()
    except BaseException:
        builder.abandon()
        raise
    manifest = replace(manifest, passages=passages, segments=segments)
    _write(manifest, building)
    building.rename(final)
    return replace(counts, manifest=manifest, embedded=embed.made)


def _write(manifest: Manifest, directory: Path) -> None:
    beside = directory / "manifest.new"
    beside.write_text(json.dumps(asdict(manifest), ensure_ascii=False, indent=1), encoding="utf-8")
    beside.replace(directory / "manifest.json")


def _stored(old: Index | None, key: str) -> Incoming:
    assert old
    ((source, digest),) = old.fetch("SELECT source, hash FROM documents WHERE id = ?", (key,))
    return Incoming(old.document(key), source, digest)


def _worth_amending(old: Index, change: _Change) -> bool:
    """Return whether to amend a copy of the generation before: it is large, and neither worn nor mostly replaced."""
    gone = len(change.gone) / max(1, len(change.before))
    dead = 1 - old.manifest.passages / max(1, len(old.rows))
    return len(old.rows) >= SMALL and gone + dead <= WORN and len(old.manifest.segments) <= MANY_SEGMENTS


def _switch(root: Path, generation: str, engine: Engine) -> None:
    """Put a complete generation in service with one rename; keep those before as long as they may have readers."""
    previous = _current(root)
    beside = root / f".current-{os.getpid()}"
    beside.write_text(generation)
    beside.replace(root / "current")
    (root / generation / RETIRED).unlink(missing_ok=True)
    if previous and (root / previous).is_dir():
        (root / previous / RETIRED).touch()
    now = (root / "current").stat().st_mtime  # by the clock of the file system, which machines may share
    for directory in _generations(root):
        if directory.name not in (generation, previous) and now - _retired(directory) >= engine.kept_s:
            _remove(directory, engine)


def _retired(directory: Path) -> float:
    """Return when a generation went out of service; one that never was in it has no readers."""
    marker = directory / RETIRED
    return marker.stat().st_mtime if marker.exists() else 0.0


def _current(root: Path) -> str:
    return (root / "current").read_text().strip() if (root / "current").is_file() else ""


def _generations(root: Path) -> Iterable[Path]:
    return [path.parent for path in root.glob("*/manifest.json") if not path.parent.name.startswith(".")]
