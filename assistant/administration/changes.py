"""A change to the corpus: checked when it is proposed, written as a whole once it is confirmed, or not at all."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from assistant.administration.catalogue import FORMULA, editing, read_catalogue, with_row, write_catalogue
from assistant.administration.files import documents_folder, placed_at, put, safe_name
from assistant.catalog import COLUMNS, parse_row
from assistant.errors import CorpusError, SettingsError

Kind = Literal["added", "amended", "withdrawn", "restored"]
KINDS: dict[Kind, str] = {"added": "加入", "amended": "修改", "withdrawn": "撤下", "restored": "恢复"}
LONGEST = 2000  # characters of a cell
REPLACED = "replaced"  # in the workspace: the files that new versions took the place of


@dataclass(frozen=True, slots=True)
class Change:
    """A catalogue row as it is to be, and the file that comes with it, if one; `stamp` is the catalogue's that it was made from.

    `listed` says whether the file has a row already.
    """

    kind: Kind
    file: str
    values: Mapping[str, str]
    stamp: str
    listed: bool = True
    upload: Path | None = None


def tidied(values: Mapping[str, str]) -> dict[str, str]:
    """Return what was typed as cells: one line each, without control characters."""
    return {
        column: " ".join("".join(c if c.isprintable() else " " for c in str(values.get(column) or "")).split())
        for column in COLUMNS
    }


def faults(values: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what is wrong with a row by column; "" holds what names none."""
    _, found = parse_row(values)
    found += [] if values.get("doc_type") else ["“类型”（doc_type）不能为空：有没有有效期由它决定，请选一项"]
    for column, value in values.items():
        if value.startswith(FORMULA):
            found.append(f"“{COLUMNS[column]}”（{column}）不能以 = + - @ 开头，Excel 会把它当成公式")
        if len(value) > LONGEST:
            found.append(f"“{COLUMNS[column]}”（{column}）最多 {LONGEST} 个字")
    by_column: dict[str, list[str]] = {}
    for fault in found:
        named = [column for column in COLUMNS if f"（{column}）" in fault]
        by_column.setdefault(named[0] if named else "", []).append(fault)
    return by_column


def refuse_taken(corpus: Path, file: str) -> None:
    """Raise SettingsError where a new file's name, or its id, is another document's."""
    stem = Path(file).stem.casefold()
    root = documents_folder(corpus)
    taken = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} | set(
        read_catalogue(corpus).rows
    )
    for other in sorted(taken):
        if other.rsplit(".", 1)[0].casefold() == stem:
            raise SettingsError(
                f"已有“{other}”，文件名（不计后缀）不能相同：要换新版本，请打开那一份；是另一份资料，请改名再传"
            )


def refuse_other_format(file: str, upload: Path) -> None:
    """Raise SettingsError where a new version is of another format: other rows may name the file."""
    old, new = Path(file).suffix.lower(), upload.suffix.lower()
    if old != new:
        raise SettingsError(f"新版本要与原来的格式相同（{old}）；换了格式的，请撤下原来的一份，再作为新资料加入")


def withdrawn(corpus: Path, file: str, reason: str, stamp: str) -> Change:
    """Return the change that keeps a document out of the index. Raises SettingsError without a reason."""
    reason = tidied({"withdrawn": reason})["withdrawn"]
    if not reason:
        raise SettingsError("请写明撤下的原因")
    if reason.startswith(FORMULA):
        raise SettingsError("撤下的原因不能以 = + - @ 开头")
    return Change("withdrawn", file, {**_row(corpus, file), "withdrawn": reason}, stamp)


def restored(corpus: Path, file: str, stamp: str) -> Change:
    """Return the change that brings a withdrawn document back."""
    return Change("restored", file, {**_row(corpus, file), "withdrawn": ""}, stamp)


def _row(corpus: Path, file: str) -> dict[str, str]:
    row = read_catalogue(corpus).rows.get(file)
    if row is None:
        raise SettingsError(f"目录表里没有“{file}”这一行，请先补一行")
    return row


def apply(change: Change, corpus: Path, workspace: Path) -> None:
    """Write a change: the file, then its row. Raises CorpusError, with nothing written, where it cannot be or the catalogue has changed."""
    with editing(corpus):
        catalogue = read_catalogue(corpus)
        if catalogue.stamp != change.stamp:
            raise CorpusError("目录表在您打开以后被改过，没有写入。请重新打开这份资料再改")
        text = with_row(catalogue.text, change.values, change.file if change.listed else "")
        with _file(change, corpus, workspace):
            write_catalogue(corpus, text)


def _file(change: Change, corpus: Path, workspace: Path) -> AbstractContextManager[None]:
    if change.upload is None:
        return nullcontext()
    if change.kind == "added":
        refuse_taken(corpus, change.file)
        return put(change.upload, placed_at(corpus, safe_name(change.file)), None)
    refuse_other_format(change.file, change.upload)
    return put(change.upload, placed_at(corpus, change.file), workspace / REPLACED)


def renamed(change: Change, file: str) -> Change:
    """Return the change for a file of another name."""
    return replace(change, file=file, values={**change.values, "file": file})
