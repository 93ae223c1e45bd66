"""Edit the catalogue a row at a time: every other row keeps its bytes, and what changed meanwhile is never written over."""

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from assistant.catalog import CHOICES, COLUMNS
from assistant.errors import CorpusError
from assistant.formats import read_text
from assistant.load import CATALOG

BOM = b"\xef\xbb\xbf"
LOCK = ".catalog.lock"
LOCK_TIMEOUT_S = 10.0
FORMULA = ("=", "+", "-", "@")  # what a cell begins with that Excel takes for a formula
_COLUMN = {**{column: column for column in COLUMNS}, **{chinese: column for column, chinese in COLUMNS.items()}}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The catalogue's text and the stamp of its version, "" where there is no file yet."""

    text: str
    stamp: str

    @property
    def rows(self) -> dict[str, dict[str, str]]:
        """The rows by file, as their cells stand there, by column; of two rows for a file the first."""
        found: dict[str, dict[str, str]] = {}
        records = list(_records(self.text))
        columns = _columns(records)
        for _, cells in records[1:]:
            values = {name: cell.strip() for name, cell in zip(columns, cells, strict=False) if name}
            if values.get("file"):
                found.setdefault(values["file"], values)
        return found


def read_catalogue(corpus: Path) -> Catalogue:
    """Return the catalogue of a corpus; an empty one where there is no file. Raises CorpusError where it cannot be read."""
    file = corpus / CATALOG
    if not file.is_file():
        return Catalogue(",".join(COLUMNS) + "\n", "")
    return Catalogue(read_text(file), hashlib.sha256(file.read_bytes()).hexdigest())


def with_row(text: str, values: Mapping[str, str], file: str = "") -> str:
    """Return the table with these values in the row of `file`, or in a new last row; all else stays to the letter.

    A cell whose value stays is not touched, however it is spelt. Raises CorpusError where the table has no place for a value.
    """
    records = list(_records(text))
    columns = _columns(records)
    lacking = [COLUMNS[name] for name, value in values.items() if value and name not in columns]
    if lacking:
        raise CorpusError(f"{CATALOG} 没有{'、'.join(f'“{name}”' for name in lacking)}列，请先用 Excel 补上这一列")
    raw = [record for record, _ in records]
    at = _place(records, columns, file) if file else len(records)
    end = _line_end(raw[0])
    cells = list(records[at][1]) if file else []
    cells += [""] * (len(columns) - len(cells))
    for number, name in enumerate(columns):
        if name and _meant(name, cells[number]) != _meant(name, values.get(name, "")):
            cells[number] = values.get(name, "")
    if file:
        raw[at] = _written(cells, text, _line_end(raw[at]) or "")
    else:
        raw[-1] += "" if _line_end(raw[-1]) else end or "\n"
        raw.append(_written(cells, text, end or "\n"))
    changed = "".join(raw)
    _check(raw, changed)
    return changed


def _check(raw: Sequence[str], changed: str) -> None:
    """Raise CorpusError unless the rows, read again, are those meant: a lost quotation mark swallows what follows it."""
    if [record for record, _ in _records(changed)] != list(raw):
        raise CorpusError(f"{CATALOG} 里有不成对的引号，写入后会与别的行连在一起，没有写入。请先用 Excel 改好引号")


def _place(records: Sequence[tuple[str, list[str]]], columns: Sequence[str], file: str) -> int:
    at = columns.index("file")
    for number, (_, cells) in enumerate(records):
        if number and len(cells) > at and cells[at].strip() == file:
            return number
    raise CorpusError(f"{CATALOG} 里没有“{file}”这一行了，请重新打开页面")


def _columns(records: Sequence[tuple[str, list[str]]]) -> list[str]:
    columns = [_COLUMN.get(cell.strip(), "") for cell in records[0][1]] if records else []
    if "file" not in columns or "title" not in columns:
        raise CorpusError(f"{CATALOG} 缺少“文件”或“标题”列，请先用 Excel 补上")
    return columns


def _records(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each record's text, its line end included, and its cells; the texts together are the table."""
    taken: list[str] = []

    def lines() -> Iterator[str]:
        for line in io.StringIO(text, newline=""):
            taken.append(line)
            yield line

    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    for cells in csv.reader(lines(), delimiter=_delimiter(text)):
        yield "".join(taken), cells
        taken.clear()


def _delimiter(text: str) -> str:
    return "\t" if "\t" in text.split("\n", 1)[0] else ","


def _line_end(record: str) -> str:
    return record[len(record.rstrip("\r\n")) :]


def _meant(column: str, cell: str) -> str:
    """Return what a cell says, however it is spelt."""
    return CHOICES.get(column, {}).get(cell.strip(), cell.strip())


def _written(cells: Sequence[str], text: str, end: str) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, delimiter=_delimiter(text), lineterminator="\r\n").writerow(cells)  # quotes what holds either
    return line.getvalue().removesuffix("\r\n") + end


@contextmanager
def editing(corpus: Path) -> Iterator[None]:
    """Hold the only right to change the catalogue. Raises CorpusError while another does, or where it may not be written."""
    try:
        with FileLock(corpus / LOCK, timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise CorpusError(f"{CATALOG} 正在被别人修改，请稍后再试") from error
    except OSError as error:
        raise CorpusError(f"资料目录“{corpus}”写不进去（{error.strerror}），请检查权限和磁盘空间") from error


def write_catalogue(corpus: Path, text: str) -> None:
    """Put a table in the catalogue's place in one step, as Excel opens it. Raises CorpusError where it was in another encoding."""
    file = corpus / CATALOG
    try:
        if file.is_file():
            file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{CATALOG} 不是 UTF-8 编码，请先用 Excel 另存为“CSV UTF-8（逗号分隔）”再改") from error
    beside = corpus / f".catalog-{os.getpid()}.csv"
    try:
        with beside.open("wb") as out:
            out.write(BOM + text.encode())
            out.flush()
            os.fsync(out.fileno())
        if file.is_file():
            beside.chmod(file.stat().st_mode & 0o777)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
