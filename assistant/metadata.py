"""What is known of a document besides its text: stated by its file, said in its text, or filled in the catalogue."""

from dataclasses import replace
from typing import Any

from assistant.catalog import COLUMNS, Row, first_day, last_day, parse_row, term, written
from assistant.clean import Cleaned
from assistant.particulars import read_particulars
from assistant.schema import NORMATIVE, Metadata
from assistant.text import normalise

NOTHING = Metadata()


def stated_row(name: str, document_id: str, cleaned: Cleaned) -> Row:
    """Take the metadata from what the page says of itself; a statement that is not valid is left out."""
    values = {"file": name, "title": document_id, **{k: v for k, v in cleaned.stated.items() if v.strip()}}
    while True:
        row, faults = parse_row(values)
        if row:
            return row
        for column in [c for c in values if c not in ("file", "title") and any(f"（{c}）" in f for f in faults)]:
            del values[column]


def read_metadata(row: Row, text: str) -> Metadata:
    """Return the metadata with what the text says of the document where the file states nothing, marked as read."""
    said, meta = read_particulars(row.title, text), row.metadata
    values: dict[str, Any] = {
        "document_number": said.document_number, "issuing_body": said.issuing_body, "published": said.published or said.written,
        "valid_from": said.valid_from, "valid_to": said.valid_to, "supersedes": () if said.draft else said.repeals,
    }  # fmt: skip
    if said.draft or said.document_number or said.valid_from:
        values |= {"doc_type": "draft" if said.draft else "policy", "status": "draft" if said.draft else meta.status}
    blank = {name: value for name, value in values.items() if value and getattr(meta, name) == getattr(NOTHING, name)}
    if "valid_from" in blank and "valid_to" in blank and first_day(said.valid_from) > last_day(said.valid_to):
        del blank["valid_from"], blank["valid_to"]
    return replace(meta, **blank, read=tuple(name for name in blank if name not in ("doc_type", "status")))


def told(meta: Metadata) -> str:
    """Return what was read from a text, in words."""
    parts = {
        "document_number": f"文号{meta.document_number}", "issuing_body": f"发文机关{meta.issuing_body}",
        "published": f"{written(meta.published)}发布", "valid_from": f"自{written(meta.valid_from)}起施行",
        "valid_to": f"有效期至{written(meta.valid_to)}", "supersedes": f"废止{'、'.join(f'《{t}》' for t in meta.supersedes)}",
    }  # fmt: skip
    return "从正文读出：" + "，".join(parts[name] for name in meta.read)


def particulars(meta: Metadata) -> str:
    """Return what the catalogue says of a policy as a section of its text, so that it can be found and cited; "" if nothing."""
    if meta.doc_type not in NORMATIVE:
        return ""
    facts = {"文号": meta.document_number, "发文机关": meta.issuing_body, "有效期或受理期": term(meta)}
    lines = [f"- {name}：{fact}" for name, fact in facts.items() if fact]
    return "\n".join(["", "# 文件信息（据资料目录）", "", *lines, ""]) if lines else ""


def differing(row: Row, text: str) -> list[str]:
    """Return where a policy's text says what its catalogue row leaves blank or says otherwise, for an officer to settle."""
    meta = row.metadata
    if meta.doc_type not in NORMATIVE:
        return []
    said = read_particulars(row.title, text)
    found = []
    for column in ("document_number", "valid_from", "valid_to"):
        filled, read = getattr(meta, column), getattr(said, column)
        if not read or _agree(column, filled, read):
            continue
        shown = [value if column == "document_number" else written(value) for value in (read, filled)]
        row_says = f"目录表填的是“{shown[1]}”" if filled else "目录表没有填"
        found.append(
            f"正文写的{COLUMNS[column]}是“{shown[0]}”，{row_says}，请核对“{said.evidence.get(column, shown[0])}”"
        )
    if said.repeals and not meta.supersedes and not said.draft:
        names = "、".join(f"《{title}》" for title in said.repeals)
        found.append(f"正文写明废止{names}，目录表没有填“{COLUMNS['supersedes']}”，请核对")
    return found


def _agree(column: str, filled: str, read: str) -> bool:
    if column == "document_number":
        return normalise(read) in normalise(filled)
    return bool(filled) and (read.startswith(filled) or filled.startswith(read))
