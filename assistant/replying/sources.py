"""Find passages that a reply may also cite, and make footnotes of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from assistant.errors import ConflictError, CorpusError
from assistant.index import Index
from assistant.pipeline import Assistant
from assistant.reply import Reference
from assistant.replying.reply import Reply
from assistant.retrieve import Filters
from assistant.schema import Citation, Document, Hit, in_title_marks
from assistant.validity import validity
from assistant.viewer import STANDING, STRONG, checksum, document_url

FOUND = 8  # passages offered
CHANGED = "所选的资料更新过，请重新查找、重新引用"


@dataclass(frozen=True, slots=True)
class Chosen:
    """A span that an officer chose; `check` tells whether it still reads as it did."""

    document_id: str
    start: int
    end: int
    check: str


def found(assistant: Assistant, query: str, as_of: date) -> list[dict[str, Any]]:
    """Return the passages nearest to a query, best first, each with what is sent back to cite it."""
    return [_offered(hit, as_of, assistant.index) for hit in assistant.search(query, Filters(as_of), FOUND)]


def _offered(hit: Hit, as_of: date, index: Index) -> dict[str, Any]:
    passage, document = hit.passage, hit.document
    standing = validity(document, as_of, index.successors.get(document.id, ()))
    return {
        "document_id": document.id, "start": passage.start, "end": passage.end, "check": checksum(passage.text),
        "title": in_title_marks(document.title), "place": hit.place, "text": " ".join(passage.text.split()),
        "label": STANDING[standing], "strong": standing in STRONG,
        "url": document_url(document.id, passage.start, passage.end, as_of, passage.text),
    }  # fmt: skip


def cited(chosen: Sequence[Chosen], reply: Reply, index: Index) -> tuple[Reference, ...]:
    """Return the chosen spans as footnotes, numbered on from the draft's; those kept before stay as they were.

    Raises ConflictError for one that does not read as it did when it was chosen.
    """
    kept = {_place(one.citation): one for version in reply.versions for one in version.added}
    first = len(reply.draft.references) + 1
    references = []
    for number, one in enumerate(chosen, first):
        before = kept.get((one.document_id, one.start, one.end))
        references.append(
            replace(before, number=number) if before else _reference(number, one, reply.draft.as_of, index)
        )
    return tuple(references)


def _place(citation: Citation) -> tuple[str, int, int]:
    return citation.document_id, citation.start, citation.end


def _reference(number: int, one: Chosen, as_of: date, index: Index) -> Reference:
    try:
        document = index.document(one.document_id)
    except CorpusError as error:
        raise ConflictError(CHANGED) from error
    quote = document.text[one.start : one.end]
    if not quote or checksum(quote) != one.check:
        raise ConflictError(CHANGED)
    state = validity(document, as_of, index.successors.get(document.id, ()))
    return Reference(number, _citation(document, one, quote), document.metadata, state)


def _citation(document: Document, one: Chosen, quote: str) -> Citation:
    meta = document.metadata
    return Citation(
        document.id, document.title, "", quote, one.start, one.end, meta.published, meta.publisher, meta.source_url,
        document.page(one.start, one.end),
    )  # fmt: skip
