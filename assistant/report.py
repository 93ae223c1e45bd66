"""What an officer must know of the corpus: what it holds, what runs out, what is unconfirmed, and whom a change concerns."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from assistant.catalog import COLUMNS, last_day, written
from assistant.errors import CorpusError
from assistant.formats import read_table, read_text
from assistant.history import History
from assistant.index import Index
from assistant.schema import DOC_TYPE_LABELS, NORMATIVE, STATUS_LABELS, Document
from assistant.text import normalise
from assistant.validity import in_effect, validity

SOON = 90  # days
Topics = Sequence[tuple[str, tuple[str, ...]]]  # (topic, the words that name it)
CHANGED, WITHDRAWN = "原文已修改，所引的句子不在了", "资料已撤下"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Counts of documents by what is named, and the documents and questions that want looking at."""

    documents: int
    counts: Mapping[str, Mapping[str, int]]
    expiring: tuple[tuple[str, str], ...]  # title, last day
    unverified: tuple[tuple[str, str], ...]  # title, what nobody confirmed
    unanswered: tuple[tuple[str, int], ...]  # question, how often


def read_topics(file: Path) -> Topics:
    """Return the topics of a table with the columns topic and words, words parted by semicolons; none if there is no file."""
    if not file.is_file():
        return []
    return [(topic, tuple(map(normalise, words))) for topic, words in read_table(file, "topic", "words")]


def coverage(index: Index, as_of: date, topics: Topics = (), answers: Iterable[Mapping[str, Any]] = ()) -> Coverage:
    """Return what the corpus holds on a day; `answers` are logged ones, as Answer.to_dict gives them."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in ("主题", "类型", "级别", "发布年份", "状态")}
    counts["主题"].update(dict.fromkeys((topic for topic, _ in topics), 0))
    expiring, unverified = [], []
    for document in index.documents():
        meta = document.metadata
        title = normalise(document.title)
        counts["主题"].update([topic for topic, words in topics if any(word in title for word in words)] or ["其他"])
        counts["类型"][DOC_TYPE_LABELS[meta.doc_type]] += 1
        counts["级别"][meta.level or "未填"] += 1
        counts["发布年份"][meta.published[:4] or "未填"] += 1
        if meta.doc_type in NORMATIVE:
            stands = validity(document, as_of, index.successors.get(document.id, ()))
            counts["状态"][(STATUS_LABELS | {"not_yet_valid": "尚未生效"})[stands]] += 1
            if stands == "unverified":
                unverified.append((document.title, _unconfirmed(document)))
        if meta.valid_to and as_of <= last_day(meta.valid_to) <= as_of + timedelta(SOON):
            expiring.append((document.title, meta.valid_to))
    asked = Counter(answer["question"] for answer in answers if not answer["statements"])
    return Coverage(
        index.manifest.documents,
        {name: dict(sorted(found.items(), key=lambda pair: _order(name, pair))) for name, found in counts.items() if found},
        tuple(sorted(expiring, key=lambda pair: last_day(pair[1]))),
        tuple(unverified),
        tuple(asked.most_common()),
    )  # fmt: skip


def _order(name: str, pair: tuple[str, int]) -> tuple[Any, ...]:
    """Years by year, topics as they are listed, the rest by number."""
    return (pair[0],) if name == "发布年份" else (0,) if name == "主题" else (-pair[1], pair[0])


def _unconfirmed(document: Document) -> str:
    read = [COLUMNS[column] for column in document.metadata.read]
    return f"从正文读出，待确认：{'、'.join(read)}" if read else "没有写明有效期"


def coverage_text(found: Coverage) -> str:
    """Return a coverage report as Markdown."""
    lines = [f"# 资料覆盖（共 {found.documents} 份）"]
    for name, counts in found.counts.items():
        lines += ["", f"| {name} | 份数 |", "| --- | ---: |", *(f"| {key} | {n} |" for key, n in counts.items())]
    lists = [
        (f"## {SOON} 天内到期", [f"- {title}：{written(until)}" for title, until in found.expiring]),
        ("## 未核对", [f"- {title}：{reason}" for title, reason in found.unverified]),
        ("## 没有查到答案的问题", [f"- {question}（{times}次）" for question, times in found.unanswered]),
    ]
    for heading, items in lists:
        lines += ["", heading, "", *(items or ["无"])]
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Affected:
    """A saved answer, draft or test question that leans on a document which has changed since; ids as its file has them."""

    id: str
    question: str
    document_id: str
    title: str
    reason: str


def read_entries(file: Path) -> list[dict[str, Any]]:
    """Return the answers or test questions of a JSON-lines file. Raises CorpusError for a line that is neither."""
    entries = []
    for number, line in enumerate(read_text(file).splitlines(), 1):
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
            if not isinstance(entry["question"], str) or not isinstance(
                entry.get("statements", entry.get("docs")), list
            ):
                raise TypeError
        except (ValueError, TypeError, KeyError) as error:
            raise CorpusError(f"{file.name} 第{number}行：既不是回答（ask --json），也不是测试题") from error
        entries.append(entry)
    return entries


def impact(
    entries: Iterable[Mapping[str, Any]], index: Index, history: History, since: date, as_of: date
) -> list[Affected]:
    """Return which entries cite a document that was amended, withdrawn or replaced, or that ran out, up to `as_of`.

    An answer is compared with the day it was given for; a test question, which quotes nothing, with `since`.
    """
    former = [event for event in history.events() if event.former and event.at[:10] >= since.isoformat()]
    titles = {event.document_id: event.title for event in former}
    found: dict[tuple[str, str, str], Affected] = {}
    for number, entry in enumerate(entries, 1):
        key, given = str(entry.get("id", number)), "statements" in entry and entry.get("as_of")
        day = date.fromisoformat(entry["as_of"]) if given else since
        for document_id, title, quote in _cited(entry):
            named = index.titles.get(document_id) or title or titles.get(document_id, document_id)
            for reason in _reasons(document_id, quote, index, document_id in titles, day, as_of):
                found[key, document_id, reason] = Affected(key, entry["question"], document_id, named, reason)
    return list(found.values())


def _cited(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (document id, title, quote) of an answer's citations; of a test question's documents, without a quote."""
    for statement in entry.get("statements", ()):
        for citation in statement["citations"]:
            yield citation["document_id"], citation["title"], citation["quote"]
    for document_id in entry.get("docs", ()) if "statements" not in entry else ():
        yield document_id, "", ""


def _reasons(document_id: str, quote: str, index: Index, changed: bool, day: date, as_of: date) -> Iterator[str]:
    if document_id not in index.titles:
        yield WITHDRAWN
        return
    document = index.document(document_id)
    if quote and quote not in document.text:
        yield CHANGED
    elif not quote and changed:
        yield "资料已修改"
    successors = index.successors.get(document_id, ())
    before, now = validity(document, day, successors), validity(document, as_of, successors)
    if now != before and now == "superseded":
        yield f"已被{'、'.join(successor.named for successor in in_effect(successors, as_of))}替代"
    elif now != before and now == "expired":
        yield f"{written(document.metadata.valid_to)}到期"
