"""Write the rows of a table as Markdown."""

import re
from collections.abc import Sequence

Table = list[list[str]]


def markdown_table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines, its first row the header; two header rows become one. A single row or column is text."""
    cleaned = [[clean_cell(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    width = max(map(len, cleaned), default=0)
    cleaned = [row + [""] * (width - len(row)) for row in cleaned]
    kept = [i for i in range(width) if any(row[i] for row in cleaned)]
    cleaned = [[row[i] for i in kept] for row in cleaned]
    if len(cleaned) < 2 or len(kept) < 2:
        return [" ".join(dict.fromkeys(filter(None, row))) for row in cleaned]
    head, *body = cleaned
    if len(body) > 1 and len(set(head)) < len(head) and len(set(body[0])) == len(body[0]):
        head = [top if top == sub else f"{top}{sub}" for top, sub in zip(head, body[0], strict=True)]
        body = body[1:]
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]
    return ["", *lines, ""]


def clean_cell(text: str) -> str:
    """Return a cell's text on one line, without the bar that parts cells."""
    return re.sub(r"\s+", " ", text).replace("|", "／").strip()
