"""The nouns of a reply: references, paragraphs, points, the draft; all frozen and JSON-serialisable."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any, Literal

from assistant.catalog import written
from assistant.letter import Ask, Letter
from assistant.schema import DOC_TYPE_LABELS, Answer, Citation, Metadata, in_title_marks

Role = Literal["title", "salutation", "opening", "heading", "answer", "basis", "contact", "closing", "signature", "date", "body"]  # fmt: skip
State = Literal["in_force", "not_applicable", "expired", "superseded", "draft", "not_yet_valid", "unverified"]
OPEN = re.compile(r"【待核实：?(?P<what>[^】]*)】")
MARKER = re.compile(r"\[\^(\d+)\]")
STATES: dict[State, str] = {
    "in_force": "现行有效",
    "not_applicable": "",  # no policy: what it is stands for it
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
    """A footnote: a span that is cited, and what is known of its document on the day of the draft; numbers from 1.

    `beside` are the spans of the document that are cited with it: the header of its table, the heading above it.
    """

    number: int
    citation: Citation
    metadata: Metadata
    state: State
    beside: tuple[Citation, ...] = ()

    @property
    def spans(self) -> tuple[Citation, ...]:
        """All that is cited, as it stands in the document."""
        return tuple(sorted((self.citation, *self.beside), key=lambda citation: citation.start))

    @property
    def quote(self) -> str:
        """The spans in quotation marks on one line, those within them as ‘’ (GB/T 15834—2011)."""
        flat = (" ".join(span.quote.strip().strip("|").split()) for span in self.spans)
        return f"“{'……'.join(flat).translate(str.maketrans('“”', '‘’'))}”"

    @property
    def marker(self) -> str:
        """What stands in a paragraph where the footnote belongs."""
        return f"[^{self.number}]"

    @property
    def validity(self) -> str:
        """How the document stands, in words."""
        if self.state == "not_applicable":
            return f"{DOC_TYPE_LABELS[self.metadata.doc_type]}，不是政策文件"
        until = f"（至{written(self.metadata.valid_to)}）" if self.metadata.valid_to else ""
        return STATES[self.state] + (until if self.state in ("in_force", "expired") else "")

    @property
    def source(self) -> str:
        """Title, publisher, document number and date."""
        meta = self.metadata
        parts = [in_title_marks(self.citation.title), meta.issuing_body or meta.publisher, meta.document_number]
        return "，".join(filter(None, [*parts, written(meta.published)]))

    @property
    def in_sentence(self) -> str:
        """The same as it is written in a sentence, with the first of its publishers."""
        by = re.split("[；;（(]", self.metadata.issuing_body or self.metadata.publisher)[0]
        told = "，".join(filter(None, [by, self.metadata.document_number, written(self.metadata.published)]))
        return in_title_marks(self.citation.title) + (f"（{told}）" if told else "")

    @property
    def footnote(self) -> str:
        """The footnote's text, but for the link."""
        place = f"，{self.citation.place}" if self.citation.place else ""
        meta = self.metadata
        titled = f"，原题“{meta.source_title}”" if meta.source_title not in ("", self.citation.title) else ""
        return f"{self.source}{titled}{place}。原文：{self.quote}"

    @property
    def link(self) -> str:
        """The address of the source, "" if it is none of the web."""
        address = (self.citation.source_url.split() or [""])[0]
        return address if address.startswith(("http://", "https://")) else ""

    @property
    def known(self) -> str:
        """All that a sentence that cites it may say of it."""
        meta, cited = self.metadata, self.citation
        dates = [day for day in (meta.published, meta.valid_from, meta.valid_to) if day]
        parts = [
            *(span.quote for span in self.spans), *(span.place for span in self.spans), cited.title, in_title_marks(cited.title), meta.source_title, meta.publisher,
            meta.issuing_body, meta.document_number,
        ]  # fmt: skip
        return "\n".join([*parts, *dates, *map(written, dates), self.validity])


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
    """One thing asked, the answer to it, what of it is not answered, and what the officer should know.

    `answered` is whether the reply gives the answer: not to a request, nor one that does not speak of what is asked.
    """

    ask: Ask
    answer: Answer
    answered: bool
    missing: tuple[str, ...]
    notes: tuple[str, ...] = ()


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
                    "number": one.number, "citation": asdict(one.citation),
                    "beside": [asdict(span) for span in one.beside], "quote": one.quote, "state": one.state, "validity": one.validity,
                    "document_number": one.metadata.document_number, "source": one.source,
                }
                for one in self.references
            ],
            "notes": list(self.notes),
        }  # fmt: skip
