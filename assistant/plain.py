"""What programs get: an answer as plain text that can be signed, its citations, and a document as it stands on a day."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from assistant.index import Index
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Citation, Turn, hit_to_dict, in_title_marks
from assistant.validity import notice, validity
from assistant.viewer import STANDING
from assistant.words import Language, said, say

BREAK = "  \n"  # ends a line in plain text and in Markdown alike


def numbers(answer: Answer) -> dict[tuple[str, str], int]:
    """Return the number of each place cited, as (document id, place), from 1 in the order cited."""
    places = ((c.document_id, c.place) for statement in answer.statements for c in statement.citations)
    return {place: number for number, place in enumerate(dict.fromkeys(places), 1)}


def citations(answer: Answer) -> list[dict[str, Any]]:
    """Return every span cited with its number in the text; spans of one place share a number."""
    number = numbers(answer)
    spans = dict.fromkeys(citation for statement in answer.statements for citation in statement.citations)
    return [{"number": number[c.document_id, c.place], "place": c.place, **asdict(c)} for c in spans]


def pieces(answer: Answer, language: Language = "zh") -> list[str]:
    """Return the text in parts that follow each other: each statement, then the notices, the sources and the day."""
    number = numbers(answer)
    parts = []
    for statement in answer.statements:
        label = f"【{statement.label}】" if statement.label else ""
        marks = "".join(f"[{n}]" for n in dict.fromkeys(number[c.document_id, c.place] for c in statement.citations))
        parts.append(f"{label}{statement.text} {marks}{BREAK}")
    notices = [f"※ {said(notice.text, language)}{BREAK}" for notice in answer.notices]
    day = say("（截至 {day}）", language, day=answer.as_of)
    return [*parts, *(["\n"] if parts and notices else []), *notices, f"{_sources(answer, language)}\n{day}"]


def text(answer: Answer, language: Language = "zh") -> str:
    """Return the whole text."""
    return "".join(pieces(answer, language))


def _sources(answer: Answer, language: Language) -> str:
    first: dict[tuple[str, str], Citation] = {}
    for citation in (c for statement in answer.statements for c in statement.citations):
        first.setdefault((citation.document_id, citation.place), citation)
    lines = [f"[{number}] {_source(first[place], language)}{BREAK}" for place, number in numbers(answer).items()]
    return "".join([f"\n{say('出处：', language)}{BREAK}", *lines]) if lines else ""


def _source(citation: Citation, language: Language) -> str:
    place = f" › {citation.place}" if citation.place else ""
    by, when = citation.publisher or say("发布者未注明", language), citation.published or say("日期未注明", language)
    return f"{in_title_marks(citation.title)}{place}，{by}，{when} {citation.source_url}".rstrip()


def found(
    assistant: Assistant, question: str, filters: Filters, top_k: int, history: Sequence[Turn] = ()
) -> dict[str, Any]:
    """Return the passages nearest to a question, best first, as plain JSON types."""
    hits = assistant.search(question, filters, top_k, history)
    return {
        "hits": [hit_to_dict(hit) for hit in hits], "as_of": filters.as_of.isoformat(),
        "generation": assistant.index.manifest.generation,
    }  # fmt: skip


def described(index: Index, document_id: str, as_of: date) -> dict[str, Any]:
    """Return a document with how it stands on a day, as plain JSON types. Raises CorpusError if there is none."""
    found, successors = index.document(document_id), index.successors.get(document_id, ())
    standing, told = validity(found, as_of, successors), notice(found, as_of, successors)
    return {
        "id": found.id, "title": found.title, "text": found.text, "metadata": asdict(found.metadata), "pages": list(found.pages),
        "as_of": as_of.isoformat(), "validity": standing, "validity_label": STANDING[standing], "notice": told.text if told else "",
        "superseded_by": [successor.id for successor in successors], "generation": index.manifest.generation,
    }  # fmt: skip
