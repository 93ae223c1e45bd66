"""Read PDF: lines become paragraphs again, columns follow each other, headers and footers are left out."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pdfplumber
from pdfplumber.utils.exceptions import PdfminerException

from assistant.errors import CorpusError
from assistant.formats.converted import BROKEN, MAX_PAGES, PAGE, Converted
from assistant.formats.tables import Table, clean_cell, markdown_table

_PAGE_NUMBER = re.compile(
    r"[-—–\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／]\s*(?:共\s*)?\d{1,4}(?:\s*页)?)?[-—–\s]*|第\s*\d+\s*页\s*共\s*\d+\s*页"
)
_BEGINS = re.compile(
    r"第[一二三四五六七八九十百零〇\d]+[编章节条]|[一二三四五六七八九十]+、|[(（][一二三四五六七八九十\d]+[)）]|\d{1,2}[.、．]|[-•●■]|附件|[①-⑳]"
)
EDGE = 2  # lines at a page's top and bottom that may be a header or footer


@dataclass(slots=True)
class _Line:
    """A line of a page, or a table in its place; `opens` counts the pages that begin with it, blank ones included."""

    text: str
    top: float
    x0: float = 0.0
    x1: float = 0.0
    size: float = 0.0
    table: Table = field(default_factory=list)
    opens: int = 0


def read(file: Path) -> Converted:
    """Return a .pdf file's text as paragraphs, headings and tables."""
    with file.open("rb") as data:
        if b"%PDF-" not in data.read(1024):
            raise CorpusError(BROKEN)
    try:
        with pdfplumber.open(file) as pdf:
            if len(pdf.pages) > MAX_PAGES:
                raise CorpusError(f"超过 {MAX_PAGES} 页，请拆分")
            pages, pictures = [], 0
            for page in pdf.pages:
                pages.append(_lines(page))
                pictures += bool(page.images)
                page.close()
    except PdfminerException as error:
        raise CorpusError("PDF 有密码或已损坏，请去掉密码或重新导出") from error
    characters = sum(
        len(line.text) + sum(len(cell) for row in line.table for cell in row) for page in pages for line in page
    )
    if characters < 20 * len(pages) and pictures:
        raise CorpusError("这是扫描件，没有文字层；请先做文字识别（OCR），另存为带文字的 PDF 或 .docx")
    return Converted("\n".join(_paragraphs(_in_order(_without_edges(pages)))))


def _lines(page: Any) -> list[_Line]:
    """Return a page's lines in reading order, column by column, its tables in their places."""
    whole = page
    page = whole.filter(lambda thing: thing["object_type"] != "char" or _seen(thing, whole))
    tables = [table for table in page.find_tables() if len(table.rows) > 1 and len(table.columns) > 1]
    boxes = [table.bbox for table in tables]
    found = [
        _Line(
            "",
            table.bbox[1],
            table.bbox[0],
            table.bbox[2],
            0.0,
            [[cell or "" for cell in row] for row in table.extract()],
        )
        for table in tables
    ]
    outside = page.filter(lambda thing: thing["object_type"] != "char" or not any(_within(thing, box) for box in boxes))
    words = outside.extract_words(extra_attrs=["size"], keep_blank_chars=False, x_tolerance=3)
    gutter = _gutter(words, page.width)
    for number, column in enumerate(_columns(words, gutter)):
        for line in _rows_of(column):
            found.append(_Line(*line))
            if gutter:  # the right column comes after the left one
                found[-1].top += number * page.height
    return sorted(found, key=lambda line: line.top)


def _seen(char: dict[str, Any], page: Any) -> bool:
    """Return whether a character can be seen: on the page, of some size, not white on white; our own mark never."""
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    if not (0 <= x <= page.width and 0 <= y <= page.height) or char["size"] < 2 or PAGE in char["text"]:
        return False
    color = char.get("non_stroking_color")
    if color is None or not all(isinstance(part, int | float) for part in color):
        return True
    white = (len(color) in (1, 3) and min(color) >= 0.99) or (len(color) == 4 and max(color) <= 0.01)
    return not white or any(
        rect["x0"] <= x <= rect["x1"] and rect["top"] <= y <= rect["bottom"] and rect.get("fill") for rect in page.rects
    )


def _within(char: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


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
            text += (" " if word["x0"] - before["x1"] > 0.3 * word["size"] else "") + word["text"]
        yield text, row[0]["top"], row[0]["x0"], row[-1]["x1"], max(word["size"] for word in row)


def _without_edges(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without page numbers and the headers and footers that most of them repeat."""
    seen = Counter(
        _edge(line)
        for page in pages
        for line in {id(one): one for one in (*page[:EDGE], *page[-EDGE:])}.values()
        if line.text
    )
    repeated = {text for text, count in seen.items() if count >= max(3, len(pages) / 2)}
    return [
        [
            line
            for at, line in enumerate(page)
            if line.table
            or not (
                (at < EDGE or at >= len(page) - EDGE)
                and (_edge(line) in repeated or _PAGE_NUMBER.fullmatch(line.text.strip()))
            )
        ]
        for page in pages
    ]


def _edge(line: _Line) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s", "", line.text))


def _in_order(pages: list[list[_Line]]) -> list[_Line]:
    """Return the lines of all pages, each page's first one telling that the page begins."""
    lines, opens = [], 0
    for page in pages:
        opens += 1
        for line in page:
            line.opens, opens = opens, 0
            lines.append(line)
    return lines


def _paragraphs(lines: Sequence[_Line]) -> Iterator[str]:
    """Yield paragraphs, headings and tables; a line that ran to the margin goes on in the next, also over a page."""
    sizes = Counter(round(line.size) for line in lines if line.text for _ in line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0
    margin = max((line.x1 for line in lines if line.text), default=0.0)
    paragraph, last = "", None
    for line in _joined_tables(lines):
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
            if text and round(line.size) > 1.15 * body and len(text) <= 60 and not text.endswith(("。", "；", "，")):
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


def _mark_first(row: str) -> str:
    """Return a table's row with the marks of pages before it, not in a cell."""
    return PAGE * row.count(PAGE) + row.replace(PAGE, "")


def _joined_tables(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Yield the lines, a table that goes on over the page joined to its first part, its repeated header left out.

    The first cell of the new page that says anything then holds the page's mark.
    """
    held: _Line | None = None
    opens = 0
    for line in lines:
        line.opens, opens = line.opens + opens, 0
        if line.table and held is not None and len(held.table[0]) == len(line.table[0]):
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
