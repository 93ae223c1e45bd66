"""Take a reply's paragraphs apart for export: text, open points, footnotes; and gather the sources cited."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from assistant.reply.schema import MARKER, OPEN, Draft, Paragraph, Reference

ANNEX = "附：引用资料"
_PIECES = re.compile(rf"(?P<open>{OPEN.pattern.replace('?P<what>', '?:')})|(?P<mark>{MARKER.pattern})")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # in XML
_UNMARKED = ("basis", "heading", "title")  # roles whose footnotes stand elsewhere


@dataclass(frozen=True, slots=True)
class Piece:
    """A run of a paragraph; `number` is the footnote's that a mark stands for."""

    kind: Literal["text", "open", "mark"]
    text: str
    number: int = 0


def pieces(paragraph: Paragraph, draft: Draft) -> Iterator[Piece]:
    """Yield the runs of a paragraph in order; a mark without a footnote is left out, and so is what no XML may hold."""
    text, at = _FORBIDDEN.sub("", paragraph.text), 0
    for match in _PIECES.finditer(text):
        if match.start() > at:
            yield Piece("text", text[at : match.start()])
        if match["open"]:
            yield Piece("open", match["open"])
        elif (number := int(match["mark"][2:-1])) in draft.reference:
            yield Piece("mark", match["mark"], number)
        at = match.end()
    if at < len(text):
        yield Piece("text", text[at:])


def clean(text: str) -> str:
    """Return a text without what no XML may hold."""
    return _FORBIDDEN.sub("", text)


def marked(paragraphs: Sequence[Paragraph]) -> list[Paragraph]:
    """Return the paragraphs; those whose marks an editor removed, every one, get their footnotes at the end of the last part."""
    parts: dict[str, list[int]] = {}
    for at, paragraph in enumerate(paragraphs):
        if paragraph.references and paragraph.role not in _UNMARKED:
            parts.setdefault(paragraph.id.split("/")[0], []).append(at)
    found = list(paragraphs)
    for places in parts.values():
        last = found[places[-1]]
        if last.plain.strip() and not any(MARKER.search(found[at].text) for at in places):
            marks = "".join(f"[^{number}]" for number in last.references)
            found[places[-1]] = replace(last, text=last.text + marks)
    return found


def sources(paragraphs: Sequence[Paragraph], draft: Draft) -> list[list[Reference]]:
    """Return the references that the paragraphs mark, document by document, in the order in which they are first marked."""
    found: dict[str, dict[int, Reference]] = {}
    for paragraph in paragraphs:
        for piece in pieces(paragraph, draft):
            if piece.kind == "mark":
                reference = draft.reference[piece.number]
                found.setdefault(reference.citation.document_id, {})[piece.number] = reference
    return [list(references.values()) for references in found.values()]
