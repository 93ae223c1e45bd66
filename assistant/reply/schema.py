"""The nouns of a reply: references, paragraphs, points, the draft; all frozen and JSON-serialisable."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Literal

from assistant.catalog import written
from assistant.letter import Ask, Letter
from assistant.schema import Answer, Citation, Metadata, in_title_marks

Role = Literal["title", "salutation", "opening", "heading", "answer", "basis", "contact", "closing", "signature", "date", "body"]  # fmt: skip
State = Literal["in_force", "not_applicable", "expired", "superseded", "draft", "not_yet_valid", "unverified"]
OPEN = re.compile(r"【待核实：?(?P<what>[^】]*)】")
MARKER = re.compile(r"\[\^(\d+)\]")
STATES: dict[State, str] = {
    "in_force": "现行有效",
    "not_applicable": "非政策文件",
    "expired": "已到期或已失效",
    "superseded": "已被替代",
    "draft": "征求意见稿，未生效",
    "not_yet_valid": "尚未生效",
    "unverified": "是否现行有效未核实",
}


def open_point(what: str) -> str:
    """Return the mark of what an officer has yet to find out."""
    return f"【待核实：{what}】"


@dataclass(frozen=True, slots=True)
class Reference:
    """A footnote: a span that is cited, and what is known of its document on the day of the draft; numbers from 1."""

    number: int
    citation: Citation
    metadata: Metadata
    state: State

    @property
    def marker(self) -> str:
        """What stands in a paragraph where the footnote belongs."""
        return f"[^{self.number}]"

    @property
    def validity(self) -> str:
        """How the document stands, in words."""
        until = f"（至{written(self.metadata.valid_to)}）" if self.metadata.valid_to else ""
        return STATES[self.state] + (until if self.state in ("in_force", "expired") else "")

    @property
    def source(self) -> str:
        """Title, publisher, document number and date, as they are written in a sentence."""
        meta = self.metadata
        parts = [in_title_marks(self.citation.title), meta.issuing_body or meta.publisher, meta.document_number]
        return "，".join(filter(None, [*parts, written(meta.published)]))

    @property
    def footnote(self) -> str:
        """The footnote's text, but for the link."""
        place = f"，{self.citation.place}" if self.citation.place else ""
        return f"{self.source}{place}。原文：“{flat(self.citation.quote)}”"

    @property
    def known(self) -> str:
        """All that a sentence that cites it may say of it."""
        meta, cited = self.metadata, self.citation
        dates = [day for day in (meta.published, meta.valid_from, meta.valid_to) if day]
        parts = [cited.quote, cited.title, cited.place, meta.source_title, meta.publisher, meta.issuing_body, meta.document_number]  # fmt: skip
        return "\n".join([*parts, *dates, *map(written, dates), self.validity])


def flat(quote: str) -> str:
    """Return a quote on one line, a table's row with its cells parted by |."""
    return " ".join(quote.strip().strip("|").split())


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: text with [^n] where footnote n belongs, and the numbers it is bound to wherever it is moved.

    `notes` are for the officer and no part of the reply.
    """

    id: str
    role: Role
    text: str
    references: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def plain(self) -> str:
        """The text without the marks of footnotes."""
        return MARKER.sub("", self.text)

    @property
    def open_points(self) -> tuple[str, ...]:
        """What has yet to be found out."""
        return tuple(match["what"] for match in OPEN.finditer(self.text))


@dataclass(frozen=True, slots=True)
class Point:
    """One thing asked, the answer to it, what of it is not answered, and what the officer should know."""

    ask: Ask
    answer: Answer
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def answered(self) -> bool:
        """Whether the reply says something to it."""
        return self.ask.kind == "question" and bool(self.answer.statements)


@dataclass(frozen=True)
class Draft:
    """A reply to a letter as of a day; `notes` are for the officer."""

    letter: Letter
    as_of: date
    points: tuple[Point, ...]
    paragraphs: tuple[Paragraph, ...]
    references: tuple[Reference, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def reference(self) -> dict[int, Reference]:
        """The references by number."""
        return {reference.number: reference for reference in self.references}

    def revised(self, edited: Iterable[Mapping[str, str]]) -> tuple[Paragraph, ...]:
        """Return the paragraphs of an editor, {id, text} each, in its order, bound to what they were bound to.

        A paragraph that was split keeps its id in each part, or adds to it after “/”; one with another id is the
        officer's own, bound to the footnotes that its text marks.
        """
        known = {paragraph.id: paragraph for paragraph in self.paragraphs}
        paragraphs = []
        for one in edited:
            origin = known.get(one["id"].split("/")[0], Paragraph(one["id"], "body", ""))
            paragraphs.append(replace(origin, id=one["id"], text=one["text"]))
        return tuple(paragraphs)

    def to_dict(self) -> dict[str, Any]:
        """Return the draft as plain JSON types."""
        return {
            "letter": self.letter.to_dict(),
            "as_of": self.as_of.isoformat(),
            "points": [
                {
                    "ask": asdict(point.ask), "answer": point.answer.to_dict(), "answered": point.answered,
                    "missing": list(point.missing), "notes": list(point.notes),
                }
                for point in self.points
            ],
            "paragraphs": [asdict(paragraph) for paragraph in self.paragraphs],
            "references": [
                {
                    "number": one.number, "citation": asdict(one.citation), "state": one.state, "validity": one.validity,
                    "document_number": one.metadata.document_number, "source": one.source,
                }
                for one in self.references
            ],
            "notes": list(self.notes),
        }  # fmt: skip
