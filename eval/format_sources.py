"""Made-up documents as structure, for writing them in any format: what each says is known before it is read."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SOURCES = Path(__file__).parent / "formats.json"
LEFT, ABOVE = "<", "^"  # a cell that is one with its left or upper neighbour
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*[%万亿]?")
_NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True, slots=True)
class Table:
    """A grid of cells, LEFT and ABOVE where they are merged; the first `labels` columns name the row."""

    header: list[list[str]]
    rows: list[list[str]]
    labels: int

    @property
    def grid(self) -> list[list[str]]:
        """The header rows, then the others."""
        return self.header + self.rows

    def filled(self) -> list[list[str]]:
        """Return the grid with every merged cell holding its text."""
        full: list[list[str]] = []
        for row in self.grid:
            full.append([])
            for column, cell in enumerate(row):
                full[-1].append(full[-1][-1] if cell == LEFT else full[-2][column] if cell == ABOVE else cell)
        return full

    def blanked(self) -> list[list[str]]:
        """Return the grid with merged cells blank but for the first, as plain text and CSV have it."""
        return [["" if cell in (LEFT, ABOVE) else cell for cell in row] for row in self.grid]

    def spans(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield each cell's row, column, and how many rows and columns it takes."""
        grid = self.grid
        for row, cells in enumerate(grid):
            for column, cell in enumerate(cells):
                if cell not in (LEFT, ABOVE):
                    high = _run([line[column] for line in grid[row + 1 :]], ABOVE)
                    yield row, column, 1 + high, 1 + _run(cells[column + 1 :], LEFT)


def _run(cells: Sequence[str], mark: str) -> int:
    return next((number for number, cell in enumerate(cells) if cell != mark), len(cells))


@dataclass(frozen=True, slots=True)
class Block:
    """One part of a document.

    `kind` is h1, h2, p, q (a question), a (its answer), right (at the right margin), box (set apart from the text),
    items or table. `marker` numbers the items: %c is a Chinese numeral, %d an Arabic one.
    """

    kind: str
    text: str = ""
    note: str = ""
    marker: str = ""
    items: tuple[str, ...] = ()
    table: Table | None = None

    @property
    def marked(self) -> list[str]:
        """The items behind their numbers."""
        return [self.marker.replace("%c", _NUMERALS[n]).replace("%d", str(n + 1)) + i for n, i in enumerate(self.items)]


@dataclass(frozen=True, slots=True)
class Source:
    """A document before it is written: `header` stands on each page, `size` is that of its letters, in points."""

    id: str
    title: str
    blocks: tuple[Block, ...]
    particulars: dict[str, Any]
    header: str = ""
    columns: int = 1
    size: int = 12

    @property
    def tables(self) -> list[Table]:
        """Its tables, in order."""
        return [block.table for block in self.blocks if block.table]

    @property
    def is_table(self) -> bool:
        """Whether it is a table with some lines around it, as workbooks hold."""
        return bool(self.tables) and all(block.kind in ("p", "table") for block in self.blocks)

    @property
    def clauses(self) -> list[str]:
        """The text of headings, paragraphs and items, in order; those set apart from the text are not among them."""
        texts = ([block.text] if block.text else block.marked for block in self.blocks if block.kind != "box")
        return [text for part in texts for text in part]

    @property
    def asides(self) -> list[str]:
        """The text of boxes and footnotes, which have no one place."""
        return [text for block in self.blocks for text in (block.note, block.text * (block.kind == "box")) if text]

    @property
    def figures(self) -> set[str]:
        """Every number it holds, with its 万, 亿 or %; the items' own numbers aside."""
        cells = [cell for table in self.tables for row in table.grid for cell in row]
        parts = [part for block in self.blocks for part in (block.text, block.note, *block.items)]
        return figures("\n".join([self.title, *parts, *cells]))

    @property
    def item_numbers(self) -> set[str]:
        """What may be read as a number though it numbers an item: 2, and 2.9 where 2. stands before 9月."""
        marked = [text for block in self.blocks for text in block.marked]
        return figures("\n".join(marked)) | {str(number) for number in range(1, 1 + len(marked))}


def figures(text: str) -> set[str]:
    """Return every number of a text as `Source.figures` has them."""
    return set(_FIGURE.findall(text))


def read_sources(file: Path = SOURCES) -> tuple[list[Source], list[dict[str, Any]]]:
    """Return the documents, and the questions over them as {question, key_facts, docs}."""
    data = json.loads(file.read_text(encoding="utf-8"))
    return [Source(**{**row, "blocks": tuple(map(_block, row["blocks"]))}) for row in data["documents"]], data[
        "questions"
    ]


def _block(row: list[Any]) -> Block:
    match row:
        case ["items", marker, items]:
            return Block("items", marker=marker, items=tuple(items))
        case ["table", table]:
            return Block("table", table=Table(**table))
        case [kind, text, *note]:
            return Block(kind, text, *note)
    raise ValueError(f"no block: {row}")
