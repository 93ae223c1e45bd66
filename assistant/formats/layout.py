"""Make text of the lines that stand on pages: columns follow each other, lines become paragraphs, edges are left out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from assistant.formats.converted import PAGE
from assistant.formats.tables import Table, clean_cell, markdown_table

_PAGE_NUMBER = re.compile(
    r"[-—–\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／]\s*(?:共\s*)?\d{1,4}(?:\s*页)?)?[-—–\s]*|第\s*\d+\s*页\s*共\s*\d+\s*页"
)
_ADDRESS = re.compile(r"(?:file|https?)://\S+(?:\s+\d{1,4}/\d{1,4})?")  # what a browser prints below a page,
_PRINTED = re.compile(
    r"\d{2,4}[/.-]\d{1,2}[/.-]\d{1,2}[,，]?\s*(?:[上下]午)?\s*\d{1,2}:\d\d.*"
)  # and above it, the title beside
_BEGINS = re.compile(
    r"第[一二三四五六七八九十百零〇\d]+[编章节条]|[一二三四五六七八九十]+、|[(（][一二三四五六七八九十\d]+[)）]|\d{1,2}[.、．]|[-•●■]|附件|[①-⑳]"
)
_LATIN_END, _LATIN_START = re.compile(r"[A-Za-z][,.;:)]?$"), re.compile(r"[A-Za-z\d(]")
EDGES = "页眉、页脚或页码"
EDGE = 2  # lines at a page's top and bottom that may be a header or footer


@dataclass(slots=True)
class Line:
    """A line of a page, or a table in its place; `opens` counts the pages that begin with it, blank ones included."""

    text: str
    top: float
    x0: float = 0.0
    x1: float = 0.0
    size: float = 0.0
    table: Table = field(default_factory=list)
    opens: int = 0


def lines_of(words: Sequence[dict[str, Any]], width: float, height: float) -> Iterator[Line]:
    """Yield the lines of a page of this size, from words with their text, place (x0, x1, top) and size; by columns."""
    gutter = _gutter(words, width)
    for number, column in enumerate(_columns(words, gutter)):
        for text, top, x0, x1, size in _rows_of(column):
            yield Line(text, top + number * height, x0, x1, size)  # the right column comes after the left one


def markdown(pages: list[list[Line]]) -> str:
    """Return the pages' lines as paragraphs, headings and tables, with PAGE where a page begins."""
    return "\n".join(_paragraphs(_in_order(pages)))


def _gutter(words: Sequence[dict[str, Any]], width: float) -> float:
    """Return where the gap between two columns lies, 0 if the page has one: hardly a word crosses it, many stand beside it."""
    if len(words) < 20:
        return 0.0
    places = [width * part / 100 for part in range(35, 66)]
    crossing = {x: sum(word["x0"] < x < word["x1"] for word in words) for x in places}
    best = min(places, key=lambda x: (crossing[x], abs(x - width / 2)))
    left = sum(word["x1"] <= best for word in words)
    right = sum(word["x0"] >= best for word in words)
    long = [word for word in words if word["x1"] - word["x0"] > width * 0.25]  # running text, not cells
    columns = (
        crossing[best] <= 0.1 * len(words) and min(left, right) >= 0.25 * len(words) and len(long) >= 0.5 * len(words)
    )
    return best if columns else 0.0


def _columns(words: Sequence[dict[str, Any]], gutter: float) -> list[list[dict[str, Any]]]:
    if not gutter:
        return [list(words)]
    return [[w for w in words if w["x0"] < gutter], [w for w in words if w["x0"] >= gutter]]


def _rows_of(words: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield (text, top, x0, x1, size) of each line of words; words far apart are parted by a space."""
    rows: list[list[dict[str, Any]]] = []
    for word in sorted(words, key=lambda word: (word["top"], word["x0"])):
        if rows and abs(word["top"] - rows[-1][0]["top"]) <= 0.5 * word["size"]:
            rows[-1].append(word)
        else:
            rows.append([word])
    for row in rows:
        row.sort(key=lambda word: word["x0"])
        text = row[0]["text"]
        for before, word in pairwise(row):
            latin = _LATIN_END.search(before["text"]) and _LATIN_START.match(word["text"])  # its spaces are narrower
            apart = word["x0"] - before["x1"] > (0.1 if latin else 0.3) * word["size"]
            text += " " * apart + word["text"]
        yield text, row[0]["top"], row[0]["x0"], row[-1]["x1"], max(word["size"] for word in row)


def without_edges(pages: list[list[Line]]) -> tuple[list[list[Line]], tuple[tuple[str, str], ...]]:
    """Return the pages without page numbers and the headers and footers that most of them repeat, and what these said, with the reason."""
    seen = Counter(
        _edge(line)
        for page in pages
        for line in {id(one): one for one in (*page[:EDGE], *page[-EDGE:])}.values()
        if line.text
    )
    repeated = {text for text, count in seen.items() if count >= max(3, len(pages) / 2)}
    edges = []
    for page in pages:
        outer = [line for at, line in enumerate(page) if not line.table and (at < EDGE or at >= len(page) - EDGE)]
        browser = any(_ADDRESS.fullmatch(line.text.strip()) for line in outer)
        patterns = [_PAGE_NUMBER, *([_ADDRESS, _PRINTED] if browser else [])]
        edges += [
            line
            for line in outer
            if _edge(line) in repeated or any(pattern.fullmatch(line.text.strip()) for pattern in patterns)
        ]
    gone = set(map(id, edges))
    return [[line for line in page if id(line) not in gone] for page in pages], tuple(
        (EDGES, line.text) for line in edges
    )


def _edge(line: Line) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s", "", line.text))


def _in_order(pages: list[list[Line]]) -> list[Line]:
    """Return the lines of all pages, each page's first one telling that the page begins."""
    lines, opens = [], 0
    for page in pages:
        opens += 1
        for line in page:
            line.opens, opens = opens, 0
            lines.append(line)
    return lines


def _paragraphs(lines: Sequence[Line]) -> Iterator[str]:
    """Yield paragraphs, headings and tables; a line that ran to the margin goes on in the next, also over a page."""
    sizes = Counter(round(line.size) for line in lines if line.text for _ in line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0
    margin = max((line.x1 for line in lines if line.text), default=0.0)
    paragraph, last = "", None
    for line in _joined_tables(_joined_headings(lines, body)):
        text, mark = line.text.strip(), PAGE * line.opens
        goes_on = (
            paragraph and last is not None and text and round(line.size) == round(last.size)
            and last.x1 >= margin - 2.5 * last.size and not _BEGINS.match(text)
        )  # fmt: skip
        if goes_on:
            hyphenated = re.search(r"[a-z]-$", paragraph) and text[:1].islower()
            spaced = paragraph[-1:].isascii() and text[:1].isascii() and paragraph[-1:].isalnum() and text[:1].isalnum()
            paragraph = (paragraph[:-1] if hyphenated else paragraph) + " " * bool(spaced) + mark + text
        else:
            if paragraph:
                yield paragraph
                yield ""
            paragraph = mark + text
            if _heads(line, body):
                yield f"{mark}# {text}"
                yield ""
                paragraph = ""
        if line.table:
            yield mark
            paragraph = ""
            yield from (_mark_first(row) for row in markdown_table(line.table))
        last = line
    if paragraph:
        yield paragraph


def _heads(line: Line, body: int) -> bool:
    """Return whether a line is a heading: larger than the body's type, short, no sentence."""
    text = line.text.strip()
    return bool(text) and round(line.size) > 1.15 * body and len(text) <= 60 and not text.endswith(("。", "；", "，"))


def _joined_headings(lines: Sequence[Line], body: int) -> list[Line]:
    """Return the lines, a heading that is broken over lines of one size in one."""
    found: list[Line] = []
    for line in lines:
        last = found[-1] if found else None
        if (
            last
            and not line.opens
            and _heads(last, body)
            and _heads(line, body)
            and round(last.size) == round(line.size)
            and line.top - last.top < 2.2 * line.size
        ):
            found[-1] = replace(line, text=last.text.strip() + line.text.strip(), opens=last.opens)
        else:
            found.append(line)
    return found


def _mark_first(row: str) -> str:
    """Return a table's row with the marks of pages before it, not in a cell."""
    return PAGE * row.count(PAGE) + row.replace(PAGE, "")


def _joined_tables(lines: Sequence[Line]) -> Iterator[Line]:
    """Yield the lines, a table that goes on over the page joined to its first part, its repeated header left out.

    The first cell of the new page that says anything then holds the page's mark.
    """
    held: Line | None = None
    opens = 0
    for line in lines:
        line.opens, opens = line.opens + opens, 0
        if line.table and line.opens and held is not None and len(held.table[0]) == len(line.table[0]):
            rows = line.table[1:] if line.table[0] == held.table[0] else line.table
            first = next(((row, at) for row in rows for at, cell in enumerate(row) if clean_cell(cell)), None)
            if first:
                row, at = first
                row[at] = PAGE * line.opens + row[at]
            else:
                opens = line.opens
            held.table += rows
            continue
        if held is not None:
            yield held
        held = line if line.table else None
        if held is None:
            yield line
    if held is not None:
        yield held
