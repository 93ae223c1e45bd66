"""Write a reply as Markdown with footnotes and the annex of its sources."""

import re
from collections.abc import Sequence

from assistant.reply.pieces import ANNEX, Piece, marked, pieces, sources
from assistant.reply.schema import Draft, Paragraph, Reference

_SPECIAL = re.compile(r"([\\`*_<>#|])")
_LEVELS = {"title": "# ", "heading": "## "}


def to_markdown(draft: Draft, paragraphs: Sequence[Paragraph]) -> str:
    """Return the paragraphs as Markdown: footnotes [^n], open points bold, then the sources with what is quoted."""
    shown = marked(paragraphs)
    lines = [_LEVELS.get(p.role, "") + "".join(map(_written, pieces(p, draft))) for p in shown if p.text.strip()]
    cited = sources(shown, draft)
    if cited:
        lines.append(f"## {ANNEX}")
        lines += [_source(number, references) for number, references in enumerate(cited, 1)]
        notes = sorted((reference for references in cited for reference in references), key=lambda one: one.number)
        lines.append("\n".join(f"[^{one.number}]: {_escaped(one.footnote)}{_link(one)}" for one in notes))
    return "\n\n".join(lines) + "\n"


def _written(piece: Piece) -> str:
    if piece.kind == "mark":
        return piece.text
    return f"**{_escaped(piece.text)}**" if piece.kind == "open" else _escaped(piece.text)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _link(reference: Reference) -> str:
    return f" <{reference.link}>" if reference.link else ""


def _source(number: int, references: Sequence[Reference]) -> str:
    """Return a document of the annex: what it is, how it stands, and each quote."""
    first = references[0]
    head = f"{number}. {_escaped(first.source)}；{first.validity}。{_link(first)}"
    return "\n".join([head, *(f"   - {_escaped(reference.quote)}" for reference in references)])
