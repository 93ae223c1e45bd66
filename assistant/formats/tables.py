"""Write the rows of a table as Markdown."""

import re
from collections.abc import Sequence
from itertools import groupby

Table = list[list[str]]
LEAST_NOTE = (
    6  # characters of one cell over all columns that is a note below the table; shorter, it may be a row of values
)


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines, its first row the header; two header rows become one, see `_joined`. A single row or column is text."""
    cleaned = [[clean_cell(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    width = max(map(len, cleaned), default=0)
    cleaned = [row + [""] * (width - len(row)) for row in cleaned]
    kept = [i for i in range(width) if any(row[i] for row in cleaned)]
    cleaned = [[row[i] for i in kept] for row in cleaned]
    if len(cleaned) < 2 or len(kept) < 2:
        return [" ".join(dict.fromkeys(filter(None, row))) for row in cleaned]
    head, *body = cleaned
    if len(body) > 1:
        joined = _joined(head, body[0])
        head, body = (joined, body[1:]) if joined else (head, body)
    notes: list[str] = []
    while len(head) > 2 and len(body) > 1 and len(set(body[-1])) == 1 and len(body[-1][0]) >= LEAST_NOTE:
        notes.insert(0, body.pop()[0])
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]
    return ["", *lines, "", *notes]


def _joined(head: Sequence[str], second: Sequence[str]) -> list[str] | None:
    """Return two header rows as one, None if the second is none: 税收收入 over 总额 and 同比, 园区 over both rows.

    A cell over several columns stands in each of them, or in the first, the others blank.
    """
    over, tops = "", []
    for top, sub in zip(head, second, strict=True):
        over = top or (over if sub else "")
        tops.append(over)
    spans = [top for top, sub in zip(tops, second, strict=True) if sub and sub != top]
    if not spans or all(spans.count(top) == 1 for top in spans) or any(re.search(r"\d", sub) for sub in second):
        return None
    alone = [top for top, sub in zip(tops, second, strict=True) if not sub or sub == top]
    pairs = list(zip(tops, second, strict=True))
    if set(alone) & set(spans) or len(set(pairs)) < len(pairs) or not all(tops):
        return None
    return [top if not sub or top == sub else f"{top}{sub}" for top, sub in pairs]


def filled_down(rows: Sequence[Sequence[str]]) -> Table:
    """Return rows as a sheet with merged cells was meant that was saved as text: a blank first cell, all others filled, is the one above."""
    filled: Table = []
    for row in rows:
        merged = len(filled) > 1 and not row[0].strip() and len(row) > 1 and all(cell.strip() for cell in row[1:])
        filled.append([filled[-1][0], *row[1:]] if merged else list(row))
    return filled


def tabbed_as_tables(text: str) -> str:
    """Return plain text with lines of cells parted by tabs, two or more in a row with as many cells, as tables."""
    lines: list[str] = []
    for tabs, group in groupby(text.split("\n"), lambda line: line.rstrip("\r").count("\t")):
        found = list(group)
        rows = [line.rstrip("\r").split("\t") for line in found]
        lines += markdown_table(filled_down(rows)) if tabs and len(rows) > 1 else found
    return "\n".join(lines)


def clean_cell(text: str) -> str:
    """Return a cell's text on one line, without the bar that parts cells."""
    return re.sub(r"\s+", " ", text).replace("|", "／").strip()
