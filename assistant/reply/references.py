"""Number the spans that a draft cites, each with what is known of its document."""

from collections.abc import Callable, Sequence
from typing import Literal, get_args

from assistant.candidate import row_text
from assistant.reply.schema import Reference, State
from assistant.schema import NORMATIVE, Answer, Citation, Document
from assistant.split import units

Noticed = Literal["superseded", "expired", "draft", "not_yet_valid", "unverified"]
_NOTICED: tuple[Noticed, ...] = get_args(Noticed)


class References:
    """The footnotes of a draft, numbered in the order in which they are first cited; equal spans share one."""

    def __init__(self, answers: Sequence[Answer], document: Callable[[str], Document]) -> None:
        """Take what the answers' notices say of how each document stands; `document` returns one by its id."""
        self.document = document
        self.found: list[Reference] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._notices = {(n.document_id, n.kind): n.text for answer in answers for n in answer.notices}

    def of(self, citations: Sequence[Citation]) -> list[Reference]:
        """Return the references of what a statement cites, one a document, in order; new ones where it was not yet cited."""
        documents: dict[str, list[Citation]] = {}
        for citation in citations:
            documents.setdefault(citation.document_id, []).append(citation)
        return [self._of(spans) for spans in documents.values()]

    def _of(self, spans: Sequence[Citation]) -> Reference:
        first, *beside = spans
        place = (first.document_id, *sorted((span.start, span.end) for span in spans))
        if place not in self._numbers:
            self._numbers[place] = len(self.found) + 1
            metadata, state = self.document(first.document_id).metadata, self._state(first.document_id)
            self.found.append(Reference(len(self.found) + 1, first, metadata, state, tuple(beside)))
        return self.found[self._numbers[place] - 1]

    def _state(self, document_id: str) -> State:
        """Return how a document stands; a notice on one of its spans alone (所引…) says nothing of the whole."""
        for state in _NOTICED:
            if not self._notices.get((document_id, state), "所引").startswith("所引"):
                return state
        normative = self.document(document_id).metadata.doc_type in NORMATIVE
        return "in_force" if normative else "not_applicable"


def contact_citation(document: Document, row: str) -> Citation | None:
    """Return the row of a list of contacts that reads as `row`; None if none does."""
    for unit in units(document.text, 0, len(document.text)):
        if unit.cells and row_text(unit) == row:
            meta = document.metadata
            quote = document.text[unit.start : unit.end]
            return Citation(
                document.id, document.title, "", quote, unit.start, unit.end, meta.published, meta.publisher, meta.source_url,
                document.page(unit.start, unit.end),
            )  # fmt: skip
    return None
