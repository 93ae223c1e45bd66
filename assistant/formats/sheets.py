"""Read spreadsheets: Excel workbooks and comma- or tab-separated values."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.utils import get_column_letter

from assistant.errors import CorpusError
from assistant.formats.converted import MAX_BYTES, MAX_ROWS, Converted
from assistant.formats.package import open_package
from assistant.formats.tables import Table, clean_cell, filled_down, markdown_table
from assistant.formats.text import read_text


def read(file: Path) -> Converted:
    """Return the visible sheets of an .xlsx file, or the rows of a .csv file, as tables."""
    return _csv(file) if file.suffix.lower() == ".csv" else _xlsx(file)


def _xlsx(file: Path) -> Converted:
    open_package(file, "xl/workbook.xml")
    book = openpyxl.load_workbook(file, data_only=True)
    lines: list[str] = []
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            if sheet.max_row > MAX_ROWS:
                raise CorpusError(f"工作表“{sheet.title}”超过 {MAX_ROWS} 行，请拆分")
            lines += _sheet(sheet.title, _cells(sheet))
    return Converted("\n".join(lines))


def _cells(sheet: Any) -> Table:
    """Return a sheet's visible cells as they are shown; a merged cell stands in each cell it covers."""
    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    columns = [
        number
        for number in range(1, sheet.max_column + 1)
        if not sheet.column_dimensions[get_column_letter(number)].hidden
    ] if sheet.max_column < 1000 else list(range(1, 1000))  # fmt: skip
    return [
        [_shown(sheet.cell(*merged.get((row, column), (row, column)))) for column in columns]
        for row in range(1, sheet.max_row + 1)
        if not sheet.row_dimensions[row].hidden
    ]


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return f"{moment:%Y-%m-%d}" + (f" {moment:%H:%M}" if moment.time() != time() else "")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        shown = cell.number_format or ""
        percent, places = "%" in shown, re.fullmatch(r"[#,]*0\.(0+)%?", shown)
        number = value * (100 if percent else 1)
        return (f"{number:.{len(places[1])}f}" if places else f"{round(number, 6):.15g}") + ("%" if percent else "")
    return str(value)


def _csv(file: Path) -> Converted:
    text = read_text(file)
    csv.field_size_limit(MAX_BYTES)
    rows = list(
        csv.reader(io.StringIO(text, newline=""), delimiter="\t" if text.count("\t") > text.count(",") else ",")
    )
    if len(rows) > MAX_ROWS:
        raise CorpusError(f"超过 {MAX_ROWS} 行，请拆分")
    return Converted("\n".join(_sheet("", filled_down([row for row in rows if row]))))


def _sheet(name: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a sheet's lines: what stands alone above the table is text, the first full row its header."""
    filled = [row for row in rows if any(clean_cell(cell) for cell in row)]
    above = []
    while len(filled) > 1 and len({clean_cell(cell) for cell in filled[0] if clean_cell(cell)}) == 1:
        above.append(next(clean_cell(cell) for cell in filled.pop(0) if clean_cell(cell)))
    generic = re.fullmatch(r"(?:Sheet|工作表)\d*", name)
    return [*([f"# {name}", ""] if name and not generic else []), *above, *markdown_table(filled)]
