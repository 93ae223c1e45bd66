"""Split a cleaned document into passages along its own structure, and passages into citable units.

Passages tile the document: every character lies in exactly one of them. Units are the sentences, list
items and table rows inside a passage: the least that an answer quotes.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from assistant.schema import Document, Passage

MAX_CHARS = 400  # a passage; a screenful on a phone, and about what a static embedding can tell apart

_MARKDOWN_HEADING = re.compile(r"(#{1,6})\s+(.*\S)\s*")
# Headings of laws and policies in plain text, outermost first.
_PLAIN_HEADINGS = [
    re.compile(r"\s*第[一二三四五六七八九十百零〇\d]+编(?:\s+\S.{0,40})?\s*"),
    re.compile(r"\s*第[一二三四五六七八九十百零〇\d]+章(?:\s+\S.{0,40})?\s*"),
    re.compile(r"\s*第[一二三四五六七八九十百零〇\d]+节(?:\s+\S.{0,40})?\s*"),
    re.compile(r"\s*[一二三四五六七八九十]+、[^。;:；：]{1,40}\s*"),
    re.compile(r"\s*[(（][一二三四五六七八九十]+[)）][^。;:；：]{1,40}\s*"),
]
_ARTICLE = re.compile(r"\s*(?:\*\*)?(第[一二三四五六七八九十百千零〇\d]+条(?:之[一二三四五六七八九十]+)?)")
_ITEM = re.compile(  # neither 2.15亿元 nor -2.4% begins with a number of a list
    r"\s*(?:[-+](?!\d)|[*•]|\d{1,2}(?:[、)）]|[.．](?!\d)|[.．](?=\d{1,2}月|(?:19|20)\d\d年))|[(（]\d{1,2}[)）])\s*(?=\S)"
)
_TABLE_RULE = re.compile(r"\s*\|?[\s:|-]*-[\s:|-]*\|?\s*")
# Many sites write ASCII punctuation in Chinese text.
_STOPS, _HALVES, _COMMAS = "。!?！？", ";；", ",、，"
_GAP = r"[^\S\n]{2,}|\u3000"  # how pages without line breaks set paragraphs apart
_SENTENCE = re.compile(rf"(?:(?!{_GAP})[^{_STOPS}\n])*(?:[{_STOPS}]+[”’」』)）]*|\n|{_GAP}|$)")

BlockKind = Literal["heading", "article", "item", "row", "text"]
UnitKind = Literal["sentence", "item", "row"]


@dataclass(frozen=True, slots=True)
class Block:
    """One line of the document with the blank lines after it; `start` and `end` are document offsets."""

    kind: BlockKind
    start: int
    end: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """A sentence, list item or table row: `document.text[start:end] == text`.

    `lead` is the sentence that introduces the list; `header` the span of the table's header row (empty
    where there is none), and `cells` pairs each header cell with the row's cell.
    """

    kind: UnitKind
    text: str
    start: int
    end: int
    lead: str = ""
    header: tuple[int, int] = (0, 0)
    cells: tuple[tuple[str, str], ...] = ()


def split(document: Document) -> list[Passage]:
    """Return the document's passages in order; the first starts at 0 and the last ends at the text's end.

    A passage never crosses a heading or an article (第X条) and holds at most MAX_CHARS characters besides
    the headings it begins with.
    """
    passages: list[Passage] = []
    group: list[Block] = []
    for block in _blocks(document.text):
        if group and _begins_passage(block, group):
            passages.append(_passage(document, group))
            group = []
        group.append(block)
    if group:
        passages.append(_passage(document, group))
    return passages


def searchable_text(document: Document, passage: Passage) -> str:
    """Return what both arms index: the passage under its document's title, heading path and table header."""
    return "\n".join(filter(None, [document.title, " ".join(passage.headings), passage.context, passage.text]))


def _begins_passage(block: Block, group: list[Block]) -> bool:
    if all(previous.kind == "heading" for previous in group):
        return block.end - group[0].start > MAX_CHARS  # a list that reads like headings
    body = next(previous.start for previous in group if previous.kind != "heading")
    return block.kind in ("heading", "article") or block.end - body > MAX_CHARS


def _passage(document: Document, group: list[Block]) -> Passage:
    start, end = group[0].start, group[-1].end
    text = document.text[start:end]
    headings = group[-1].headings
    digest = hashlib.sha256(
        "\x1f".join((document.id, document.title, *headings, str(start), text)).encode()
    ).hexdigest()
    header = _header_above(document.text, group[0]) if group[0].kind == "row" else ""
    return Passage(digest[:32], document.id, headings, text, start, end, header)


def _header_above(text: str, row: Block) -> str:
    """Return the header row of the table that `row` continues; "" if the row is itself the header."""
    lines = text[: row.start].rstrip("\n").split("\n") if text[: row.start].endswith("\n") else []
    header = ""
    for line in reversed(lines):
        if not line.startswith("|"):
            break
        header = line
    return header


def _blocks(text: str) -> Iterator[Block]:
    """Yield the text line by line, each with its heading path; over-long lines are cut at sentence ends."""
    path: list[tuple[int, str]] = []
    position = 0
    for match in re.finditer(r"[^\n]*\n+|[^\n]+\Z", text):
        line = match.group().rstrip("\n")
        level, title = _heading(line)
        if level:
            path = [entry for entry in path if _above(entry, (level, title))] + [(level, title)]
        article = _ARTICLE.match(line)
        if article:
            path = [entry for entry in path if entry[0] < _ARTICLE_LEVEL] + [(_ARTICLE_LEVEL, article[1])]
        kind: BlockKind = (
            "heading" if level else "article" if article else "row" if line.startswith("|")
            else "item" if _ITEM.match(line) else "text"
        )  # fmt: skip
        headings = tuple(title for _, title in path)
        for end in _cuts(text, position, match.end()):
            yield Block(kind, position, end, headings)
            kind, position = "text" if kind != "row" else "row", end


_ARTICLE_LEVEL = 20


def _above(entry: tuple[int, str], heading: tuple[int, str]) -> bool:
    """Return whether a heading stands under an earlier one: by level, but a 节 always under its 章, however marked."""
    upper, lower = _division(entry[1]), _division(heading[1])
    return upper < lower if upper and lower else entry[0] < heading[0]


def _division(title: str) -> int:
    """Return 1 for a 编, 2 for a 章, 3 for a 节, 0 for other headings."""
    return next((depth for depth, pattern in enumerate(_PLAIN_HEADINGS[:3], 1) if pattern.fullmatch(title)), 0)


def _heading(line: str) -> tuple[int, str]:
    """Return the heading's level and title, or (0, "") if the line is none."""
    markdown = _MARKDOWN_HEADING.fullmatch(line)
    if markdown:
        return len(markdown[1]), markdown[2]
    for depth, pattern in enumerate(_PLAIN_HEADINGS):
        if pattern.fullmatch(line):
            return 10 + depth, re.sub(r"\s+", " ", line.strip())
    return 0, ""


def _cuts(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where to end pieces of at most MAX_CHARS: after sentences, else after clauses, else anywhere."""
    while end - start > MAX_CHARS:
        window = text[start : start + MAX_CHARS]
        ends = (max(window.rfind(mark) for mark in marks) + 1 for marks in (_STOPS, _HALVES, _COMMAS))
        start += next(filter(None, ends), MAX_CHARS)
        yield start
    yield end


def units(document_text: str, start: int, end: int, context: str = "") -> list[Unit]:
    """Return the citable units of document_text[start:end], in order; headings and table rules are none.

    `context` is the passage's: the header row of a table that began before it.
    """
    found: list[Unit] = []
    header, header_cells, lead = (0, 0), _cells(context), ""
    if context:
        above = document_text.rfind(context, 0, start)
        header = (above, above + len(context))
    position = start
    for line in document_text[start:end].splitlines(keepends=True):
        content = line.rstrip("\n")
        if content.startswith("|"):
            cells = _cells(content)
            if _TABLE_RULE.fullmatch(content):
                pass
            elif not header_cells:
                header, header_cells = (position, position + len(content)), cells
            else:
                pairs = tuple(zip(header_cells, cells, strict=False))
                found.append(Unit("row", content, position, position + len(content), lead, header, pairs))
        elif content.strip():
            header, header_cells = (0, 0), ()
            item = _ITEM.match(content)
            if item:
                found.append(_unit("item", document_text, position + item.end(), position + len(content), lead))
            elif not _heading(content)[0]:
                sentences = list(_sentences(document_text, position, position + len(content)))
                found += sentences
                lead = sentences[-1].text if sentences and sentences[-1].text.endswith((":", "：")) else ""
            else:
                lead = ""
        position += len(line)
    return found


def _sentences(text: str, start: int, end: int) -> Iterator[Unit]:
    for match in _SENTENCE.finditer(text, start, end):
        if match.group().strip():
            yield _unit("sentence", text, match.start(), match.end(), "")


def _unit(kind: UnitKind, text: str, start: int, end: int, lead: str) -> Unit:
    """Make a unit without the white space around it."""
    raw = text[start:end]
    start += len(raw) - len(raw.lstrip())
    end -= len(raw) - len(raw.rstrip())
    return Unit(kind, text[start:end], start, end, lead)


def _cells(row: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in row.strip().strip("|").split("|")) if row else ()
