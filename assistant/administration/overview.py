"""What the corpus holds as its files, its catalogue and the index together have it, and what is wrong with it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from assistant.administration.catalogue import read_catalogue
from assistant.administration.files import documents_folder
from assistant.catalog import Problem, Row, last_day, parse_row
from assistant.duplicates import near_duplicates
from assistant.index import Index, to_document
from assistant.ingest import known_entries
from assistant.load import CATALOG, load
from assistant.report import SOON
from assistant.schema import DOC_TYPE_LABELS, Document
from assistant.validity import validity
from assistant.viewer import STANDING, STRONG

COMPARED = 2000  # documents up to which each is compared with all others when the page is opened
BESIDE = {
    "README.md",
    CATALOG,
    "glossary.csv",
    "topics.csv",
    "addresses.csv",
}  # no documents, where there is no folder of them
VALID: dict[str, str] = STANDING | {"in_force": "有效", "not_applicable": "不适用"}
WITHDRAWN, EXPIRING, UNLISTED = "已撤下", f"{SOON}天内到期", "没有目录行"
FAULTY, MISSING, WAITING, FOREIGN = "目录行有误", "缺文件", "未收录", "目录之外"
STATES = (VALID["in_force"], "已失效", "已被替代", "征求意见", "尚未生效", "未核对", "不适用", EXPIRING, WITHDRAWN, WAITING, UNLISTED, MISSING, FAULTY, FOREIGN)  # fmt: skip
ALARMING = {STANDING[state] for state in STRONG} | {EXPIRING, FAULTY, MISSING, WITHDRAWN}


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the table shows it; `indexed` says whether it can be opened, `ours` whether it can be changed here."""

    file: str
    id: str
    title: str
    kind: str
    level: str
    published: str
    valid_to: str
    states: tuple[str, ...]
    indexed: bool
    ours: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem that `check` reports, and the file that it is of, "" where it is of none."""

    file: str
    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Overview:
    """The corpus on a day."""

    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...]
    stale: bool  # whether the corpus has changed since the index was made
    expiring: int


SORTED: dict[str, Callable[[Entry], str | int]] = {
    "file": lambda one: one.file, "title": lambda one: one.title, "doc_type": lambda one: one.kind, "level": lambda one: one.level,
    "published": lambda one: one.published, "valid_to": lambda one: one.valid_to, "status": lambda one: STATES.index(one.states[0]),
}  # fmt: skip

_kept: dict[Any, Overview] = {}  # the last one


def overview(corpus: Path, index: Index, today: date) -> Overview:
    """Return what the corpus holds; read anew only where something has changed."""
    key = (corpus, index.manifest.generation, today, _versions(corpus))
    if key not in _kept:
        found = _overview(corpus, index, today)
        _kept.clear()
        _kept[key] = found
    return _kept[key]


def _versions(corpus: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether any file of the corpus has changed."""
    files = (file for file in sorted(corpus.rglob("*")) if file.is_file() and not file.name.startswith("."))
    return tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)


def _overview(corpus: Path, index: Index, today: date) -> Overview:
    known = known_entries(index.directory.parent, index).get(str(corpus.resolve()), {})
    loaded = load(corpus, known)
    problems = [*loaded.problems, *_duplicates(index, loaded.documents)]
    entries = _entries(corpus, index, today)
    files = [entry.file for entry in entries]
    fresh = [one for one in loaded.documents if one.id not in index.titles or index.document(one.id) != one]
    gone = _ids(index, corpus) - loaded.ids - loaded.refused
    return Overview(
        tuple(entries),
        tuple(Fault(_file(problem, files), problem.place, problem.reason) for problem in problems),
        bool(fresh or gone),
        sum(EXPIRING in entry.states for entry in entries),
    )


def _ids(index: Index, corpus: Path) -> set[str]:
    """Return the ids of the documents that the index has from the corpus."""
    return {key for (key,) in index.fetch("SELECT id FROM documents WHERE source = ?", (str(corpus.resolve()),))}


def _duplicates(index: Index, fresh: Sequence[Document]) -> list[Problem]:
    if index.manifest.documents + len(fresh) > COMPARED:
        return []
    there = {document.id: document for document in (*index.documents(), *fresh)}
    pairs = near_duplicates((key, document.text) for key, document in there.items())
    reason = "与{}（{}）是同一份资料，可以只留一份；都留着时，回答把两份都列为出处"
    return [Problem(pair.b, reason.format(there[pair.a].named, pair.a), False) for pair in pairs]


def _file(problem: Problem, files: Sequence[str]) -> str:
    place = problem.place
    return next(
        (file for file in files if place in (file, file.rsplit("/", 1)[-1], file.rsplit(".", 1)[0]) or f"（{file}）" in place or f"“{file}”" in problem.reason),
        "",
    )  # fmt: skip


def _entries(corpus: Path, index: Index, today: date) -> list[Entry]:
    stored = {
        key: to_document((key, title, "", meta))
        for key, title, meta in index.fetch("SELECT id, title, metadata FROM documents ORDER BY id")
    }
    rows, root = read_catalogue(corpus).rows, documents_folder(corpus)
    files = {
        name for file in root.rglob("*") if file.is_file()
        for name in [file.relative_to(root).as_posix()]
        if not any(part.startswith((".", "~$")) for part in name.split("/")) and not (root == corpus and name in BESIDE)
    }  # fmt: skip
    found = [_listed(file, values, file in files, stored, index, today) for file, values in rows.items()]
    found += [_unlisted(file, stored.get(_id(file)), index, today) for file in sorted(files - rows.keys())]
    seen = {entry.id for entry in found}
    found += [_foreign(document, index, today) for key, document in stored.items() if key not in seen]
    return found


def _id(file: str) -> str:
    return file.rsplit(".", 1)[0]


def _listed(
    file: str, values: dict[str, str], there: bool, stored: dict[str, Document], index: Index, today: date
) -> Entry:  # fmt: skip
    row, _ = parse_row(values)
    key = _id(file)
    if row is None:
        level, published, until = (values.get(name, "") for name in ("level", "published", "valid_to"))
        return Entry(file, key, values.get("title") or file, "", level, published, until, (FAULTY,), key in stored)
    document = Document(key, row.title, "", row.metadata)
    states = _states(document, index, today)
    if row.withdrawn:
        states = (WITHDRAWN,)
    elif not there:
        states = (MISSING, *states)
    elif key not in stored:
        states = (WAITING, *states)
    return _entry(file, row, states, key in stored)


def _entry(file: str, row: Row, states: tuple[str, ...], indexed: bool, ours: bool = True) -> Entry:
    meta = row.metadata
    kind = DOC_TYPE_LABELS[meta.doc_type]
    return Entry(file, _id(row.file), row.title, kind, meta.level, meta.published, meta.valid_to, states, indexed, ours)


def _unlisted(file: str, document: Document | None, index: Index, today: date) -> Entry:
    if document is None:
        return Entry(file, _id(file), _id(file), "", "", "", "", (UNLISTED, WAITING), False)
    return _entry(
        file, Row(file, document.title, document.metadata), (UNLISTED, *_states(document, index, today)), True
    )


def _foreign(document: Document, index: Index, today: date) -> Entry:
    entry = _entry(document.id, Row(document.id, document.title, document.metadata), (), True, ours=False)
    return replace(entry, id=document.id, states=(*_states(document, index, today), FOREIGN))


def _states(document: Document, index: Index, today: date) -> tuple[str, ...]:
    until = document.metadata.valid_to
    soon = (EXPIRING,) if until and today <= last_day(until) <= today + timedelta(SOON) else ()
    return (VALID[validity(document, today, index.successors.get(document.id, ()))], *soon)


def chosen(entries: Iterable[Entry], text: str, kind: str, state: str, by: str, down: bool) -> list[Entry]:
    """Return the entries that match, sorted by a column; what is blank in it comes last."""
    words = text.casefold().split()
    found = [
        entry
        for entry in entries
        if all(word in f"{entry.title} {entry.file} {entry.level}".casefold() for word in words)
        and kind in ("", entry.kind)
        and (not state or state in entry.states)
    ]
    key = SORTED.get(by, SORTED["file"])
    found.sort(key=key, reverse=down)
    return sorted(found, key=lambda one: key(one) == "")
