"""Read and validate the catalogue: one typed row a document, each fault named by row, column and remedy."""

import csv
import io
import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, get_args

from assistant.schema import DOC_TYPE_LABELS, STATUS_LABELS, Confidence, Level, Metadata, Precision

# Column names as the file has them, and as an officer may head them.
COLUMNS = {
    "file": "文件",
    "title": "标题",
    "publisher": "发布者",
    "source_title": "原题",
    "source_url": "链接",
    "published": "发布日期",
    "published_precision": "日期精度",
    "doc_type": "类型",
    "level": "级别",
    "issuing_body": "发文机关",
    "document_number": "文号",
    "valid_from": "生效日",
    "valid_to": "失效日",
    "status": "状态",
    "supersedes": "替代",
    "data_period": "数据时期",
    "confidence": "可信度",
    "note": "备注",
    "withdrawn": "撤下",
}
REQUIRED = ("file", "title")
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2})日?|月)?|年)?")
_DATE_COLUMNS = ("published", "valid_from", "valid_to")
CHOICES: dict[str, dict[str, str]] = {
    "doc_type": {**{c: c for c in DOC_TYPE_LABELS}, **{label: c for c, label in DOC_TYPE_LABELS.items()}},
    "status": {**{c: c for c in STATUS_LABELS}, **{label: c for c, label in STATUS_LABELS.items()}},
    "published_precision": {
        **{c: c for c in get_args(Precision)},
        "日": "day",
        "月": "month",
        "年": "year",
        "事件": "event",
    },
    "level": {level: level for level in get_args(Level) if level},
    "confidence": {confidence: confidence for confidence in get_args(Confidence) if confidence},
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One line for the person who can mend it; `refused` says whether the document stays out of the index."""

    place: str
    reason: str
    refused: bool = True

    def __str__(self) -> str:
        place = "".join(c if c.isprintable() else "?" for c in self.place)  # a file may have any name
        return f"{place}：{self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """A valid catalogue row; `withdrawn` says why the document is not to be indexed, "" if it is."""

    file: str
    title: str
    metadata: Metadata
    withdrawn: str = ""


def read_catalog(name: str, text: str) -> tuple[dict[str, Row], set[str], list[Problem]]:
    """Return the valid rows by file, the files whose row was refused, and the problems, in file order.

    Comma- and tab-separated tables are read, with English or Chinese column names. Without a column
    that every row needs, no row is valid.
    """
    csv.field_size_limit(max(csv.field_size_limit(), len(text)))
    lines = io.StringIO(text, newline="")
    header = text.split("\n", 1)[0]
    reader = csv.reader(lines, delimiter="\t" if "\t" in header else ",")
    english = {**{c: c for c in COLUMNS}, **{chinese: c for c, chinese in COLUMNS.items()}}
    columns = [english.get(cell.strip(), "") for cell in next(reader, [])]
    missing = [column for column in COLUMNS if column not in columns]
    problems = [
        Problem(name, f"缺少列{_column(column)}，" + ("这一列必须有，本表暂不采用" if column in REQUIRED else "按空白处理"), False)
        for column in missing
    ]  # fmt: skip
    if any(column in missing for column in REQUIRED):
        return {}, set(), problems
    rows: dict[str, Row] = {}
    refused: set[str] = set()
    for cells in reader:
        if not any(cell.strip() for cell in cells):
            continue
        place = f"{name} 第{reader.line_num}行"
        values = {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column}
        faults = [] if values.get("file") not in rows else [f"文件“{values['file']}”与前面一行重复，请删去一行"]
        row, more = parse_row(values)
        faults += more
        if faults:
            problems += [Problem(f"{place}（{values.get('file') or '未填文件名'}）", fault) for fault in faults]
            refused.add(values.get("file", ""))
        elif row:
            rows[row.file] = row
    return rows, refused - set(rows), problems


def parse_row(values: Mapping[str, Any]) -> tuple[Row | None, list[str]]:
    """Return the typed row, or None and what is wrong with it, column by column."""
    faults: list[str] = []
    fields: dict[str, Any] = {}
    for column in COLUMNS:
        value = str(values.get(column) or "").strip()
        if column in REQUIRED and not value:
            faults.append(f"{_column(column)}不能为空")
        elif value and column in _DATE_COLUMNS:
            fields[column] = parse_date(value)
            if not fields[column]:
                faults.append(f"{_column(column)}“{value}”不是有效日期，请写成 2023、2023-08 或 2023-08-22")
        elif value and column in CHOICES:
            fields[column] = CHOICES[column].get(value)
            if fields[column] is None:
                faults.append(f"{_column(column)}“{value}”不在可选值内：{'、'.join(CHOICES[column])}")
        elif value and column == "supersedes":
            fields[column] = tuple(part.strip() for part in re.split("[;；]", value) if part.strip())
        elif value:
            fields[column] = value
    start, end = fields.get("valid_from"), fields.get("valid_to")
    if start and end and first_day(start) > last_day(end):
        faults.append(f"{_column('valid_from')}“{start}”晚于{_column('valid_to')}“{end}”，请核对")
    if faults:
        return None, faults
    return Row(
        fields.pop("file"), fields.pop("title"), withdrawn=fields.pop("withdrawn", ""), metadata=Metadata(**fields)
    ), []


def parse_date(text: str) -> str:
    """Return a partial ISO date (YYYY, YYYY-MM, YYYY-MM-DD), also from 2023/8/22 as Excel saves it; "" if none."""
    match = _DATE.fullmatch(text.strip())
    if not match:
        return ""
    year, month, day = int(match[1]), int(match[2] or 1), int(match[3] or 1)
    if not (1900 <= year <= 2100 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]):
        return ""
    return "-".join([match[1], *(f"{int(part):02d}" for part in match.groups()[1:] if part)])


def first_day(partial: str) -> date:
    """Return the first day that a partial ISO date covers."""
    year, month, day = (*map(int, partial.split("-")), 1, 1)[:3]
    return date(year, month, day)


def last_day(partial: str) -> date:
    """Return the last day that a partial ISO date covers."""
    parts = [int(part) for part in partial.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else 12
    return date(year, month, parts[2] if len(parts) > 2 else monthrange(year, month)[1])


def written(partial: str) -> str:
    """Return a partial ISO date as it is written in Chinese: 2023年, 2023年8月, 2023年8月22日."""
    return (
        "".join(f"{int(part)}{unit}" for part, unit in zip(partial.split("-"), "年月日", strict=False))
        if partial
        else ""
    )


def term(meta: Metadata) -> str:
    """Return a document's term in words; "" if the catalogue has none."""
    start, end = written(meta.valid_from), written(meta.valid_to)
    return (f"自{start}起" if start else "") + (f"至{end}止" if end else "")


def _column(column: str) -> str:
    return f"“{COLUMNS[column]}”（{column}）"
