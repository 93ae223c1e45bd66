"""Read PDF: the text that can be seen, or, of a page that was scanned, what can be recognised."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pdfplumber
from pdfplumber.utils.exceptions import PdfminerException

from assistant.errors import CorpusError
from assistant.formats import ocr
from assistant.formats.converted import BROKEN, MAX_PAGES, OCR, PAGE, Converted
from assistant.formats.layout import Line, lines_of, markdown, without_edges

_WRAPPED = re.compile(r"(?<=[\u3400-\u9fff，、；])\n|\n(?=[\u3400-\u9fff，、；])")  # within a cell: no space in Chinese
LEAST_TEXT, SHOWN = 20, 10  # characters of a page; one with pictures and fewer was scanned; page numbers in a note


def read(file: Path) -> Converted:
    """Return a .pdf file's text as paragraphs, headings and tables. Raises CorpusError if it is a scan and none can be read."""
    with file.open("rb") as data:
        if b"%PDF-" not in data.read(1024):
            raise CorpusError(BROKEN)
    try:
        with pdfplumber.open(file) as pdf:
            if len(pdf.pages) > MAX_PAGES:
                raise CorpusError(f"超过 {MAX_PAGES} 页，请拆分")
            pages, scanned, unseen = [], [], []
            for page in pdf.pages:
                lines = _lines(page)
                unseen.append("".join(char["text"] for char in page.chars if not _seen(char, page)))
                if page.images and _characters(lines) < LEAST_TEXT:
                    scanned.append(page.page_number)
                    lines = _recognised(page) if OCR else lines
                pages.append(lines)
                page.close()
    except PdfminerException as error:
        raise CorpusError("PDF 有密码或已损坏，请去掉密码或重新导出") from error
    if scanned and not OCR and sum(map(_characters, pages)) < LEAST_TEXT * len(pages):
        raise CorpusError(f"这是扫描件，没有文字层；{ocr.ADVICE}，或另存为带文字的 PDF 或 .docx")
    kept, edges = without_edges(pages)
    hidden = tuple(("看不见的文字", text) for text in unseen if text.strip())
    return Converted(markdown(kept), note=_note(scanned, len(pages)), removed=hidden + edges)


def _characters(lines: Sequence[Line]) -> int:
    return sum(len(line.text) + sum(len(cell) for row in line.table for cell in row) for line in lines)


def _note(scanned: Sequence[int], pages: int) -> str:
    """Return what must be known of the pages that were scanned, by number: how they were read, or that they were not."""
    if not scanned:
        return ""
    named = "、".join(map(str, scanned[:SHOWN])) + ("等" if len(scanned) > SHOWN else "")
    place = "" if len(scanned) == pages else f"第{named}页"
    return f"{place}{ocr.NOTE}" if OCR else f"{place}是扫描件，没有收录（装上文字识别后可读：pip install '.[ocr]'）"


def _recognised(page: Any) -> list[Line]:
    """Return what can be recognised on a page, in points like its text."""
    resolution = min(ocr.RESOLUTION, 72 * ocr.MAX_SIDE / max(page.width, page.height))
    picture = page.to_image(resolution=resolution).original.convert("RGB")
    return list(lines_of(ocr.words(picture, resolution), page.width, page.height))


def _lines(page: Any) -> list[Line]:
    """Return a page's lines in reading order, column by column, its tables in their places."""
    whole = page
    page = whole.filter(lambda thing: thing["object_type"] != "char" or _seen(thing, whole))
    tables = [table for table in page.find_tables() if len(table.rows) > 1 and len(table.columns) > 1]
    boxes = [table.bbox for table in tables]
    found = [
        Line(
            "",
            table.bbox[1],
            table.bbox[0],
            table.bbox[2],
            0.0,
            _cells(table),
        )
        for table in tables
    ]
    outside = page.filter(lambda thing: thing["object_type"] != "char" or not any(_within(thing, box) for box in boxes))
    words = outside.extract_words(extra_attrs=["size"], keep_blank_chars=False, x_tolerance=3)
    found += lines_of(words, page.width, page.height)
    return sorted(found, key=lambda line: line.top)


def _cells(table: Any) -> list[list[str]]:
    """Return a table's cells; one that spans columns or rows stands in each of them, as its place on the page tells."""
    texts = [[_WRAPPED.sub("", text or "") for text in row] for row in table.extract()]
    boxes = {(r, c): cell for r, row in enumerate(table.rows) for c, cell in enumerate(row.cells) if cell}
    wide = {c: (box[0], box[2]) for (_, c), box in sorted(boxes.items(), key=lambda one: -(one[1][2] - one[1][0]))}
    high = {r: (box[1], box[3]) for (r, _), box in sorted(boxes.items(), key=lambda one: -(one[1][3] - one[1][1]))}
    filled = [["" for _ in row] for row in texts]
    for r, row in enumerate(texts):
        for c in range(len(row)):
            place = (r, c)
            if place not in boxes and c in wide and r in high:
                x, y = sum(wide[c]) / 2, sum(high[r]) / 2
                place = next(
                    (at for at, box in boxes.items() if box[0] <= x <= box[2] and box[1] <= y <= box[3]), place
                )
            filled[r][c] = texts[place[0]][place[1]]
    return filled


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
