"""Folders that many machines reach, by path or by a URI such as s3://bucket/folder, and what is kept in them: files named
after all that they were made of, so that nothing is made twice and a killed run goes on where it was.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from pyarrow.fs import FileInfo, FileSelector, FileSystem, FileType

from assistant.clean import Cleaned
from assistant.errors import CorpusError, SettingsError
from assistant.load import LINES
from assistant.prepare import Prepared, Row
from assistant.tokens import Tokens

KINDS = (".json", ".parquet", ".part")  # of the files here; no others are ever removed


@dataclass(frozen=True)
class Folder:
    """A folder, or a single file, by its absolute path or by a URI that pyarrow knows.

    Raises SettingsError for a URI with a key in it; each method, OSError where the folder cannot be used.
    """

    address: str

    def __post_init__(self) -> None:
        if "@" in urlsplit(self.address).netloc:
            raise SettingsError("地址里不要写账号和密钥，请写在环境变量或各台机器的配置里")

    @cached_property
    def _at(self) -> tuple[FileSystem, str]:
        system, base = FileSystem.from_uri(self.address)
        return system, base.rstrip("/")

    @property
    def file(self) -> FileInfo | None:
        """The single file that the address leads to; None for a folder. Raises CorpusError if there is neither."""
        system, base = self._at
        info = system.get_file_info(base)
        if info.type == FileType.NotFound:
            raise CorpusError(f"找不到“{told(self.address)}”，请核对地址")
        return info if info.type == FileType.File else None

    @property
    def name(self) -> str:
        """Its own name."""
        return Path(self._at[1]).name

    def files(self) -> dict[str, FileInfo]:
        """Return all files below the folder, by their name in it; {} where there is no folder."""
        system, base = self._at
        found = system.get_file_info(FileSelector(base, allow_not_found=True, recursive=True))
        named = {info.path.removeprefix(base).lstrip("/"): info for info in found if info.type == FileType.File}
        return {name: info for name, info in named.items() if ".." not in name.split("/")}

    def has(self, name: str) -> bool:
        """Return whether there is such a file."""
        system, base = self._at
        return bool(system.get_file_info(f"{base}/{name}").type == FileType.File)

    def get(self, name: str) -> bytes:
        """Return a file's content; the single file is named ""."""
        system, base = self._at
        with system.open_input_stream(f"{base}/{name}".rstrip("/"), compression=None) as stream:
            content: bytes = stream.read()
            return content

    def put(self, name: str, content: bytes) -> None:
        """Write a file, under its name only once whole."""
        system, base = self._at
        system.create_dir(base)
        beside = f"{base}/{name}.{token_hex(4)}.part"
        with system.open_output_stream(beside, compression=None) as stream:
            stream.write(content)
        system.move(beside, f"{base}/{name}")

    def keep(self, names: set[str]) -> None:
        """Remove what is kept here under other names, and what was left half written."""
        system, base = self._at
        for name in self.files().keys() - names:
            if "/" not in name and name.endswith(KINDS):
                system.delete_file(f"{base}/{name}")


def told(address: str) -> str:
    """Return an address as it may be shown: without what may be a key."""
    return address.partition("?")[0] if "://" in address else address


@contextmanager
def reaching_folder(address: str) -> Iterator[None]:
    """Raise CorpusError where a folder cannot be used."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"“{told(address)}”读不了或写不进（{type(error).__name__}），请核对地址、权限和网络，索引保持不变"
        ) from error


def stand_in(folder: Folder, beside: Path, contents: tuple[str, ...]) -> Path:
    """Lay out in an empty folder what another one holds, and return its place: names, sizes and times, and nothing of the
    contents but for the tables named and JSON lines.

    Files without content take no room, and tell all that is needed to see which of them must be read.
    """
    place, single = beside / folder.name, folder.file
    if not single:
        place.mkdir(exist_ok=True)
    for name, info in ({"": single} if single else folder.files()).items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        if name in contents or (single and file.name.endswith(LINES)):
            file.write_bytes(folder.get(name))
        else:
            os.truncate(file, info.size)
        os.utime(file, ns=(info.mtime_ns or 0, info.mtime_ns or 0))
    return place


def from_cleaned(cleaned: Cleaned) -> bytes:
    """Return what was read of a file as JSON."""
    return json.dumps(asdict(cleaned)).encode()


def to_cleaned(fields: Mapping[str, Any]) -> Cleaned:
    """Return what was read of a file."""
    removed = tuple((reason, line) for reason, line in fields["removed"])
    return Cleaned(**{**fields, "removed": removed, "pages": tuple(fields["pages"])})


def from_prepared(prepared: Prepared) -> bytes:
    """Return what was prepared as a Parquet file, a row a passage."""
    columns = dict(zip(Row._fields, map(list, zip(*prepared.rows, strict=True)), strict=True)) if prepared.rows else {}
    tokens, size = prepared.tokens, prepared.vectors.shape[-1]
    table = pa.table(
        {
            **columns,
            "vector": _lists(prepared.vectors.ravel(), np.full(len(prepared), size)),
            "hashes": _lists(tokens.hashes, tokens.distinct),
            "counts": _lists(tokens.counts, tokens.distinct),
            "length": tokens.lengths,
        }
    )
    out = pa.BufferOutputStream()
    parquet.write_table(table, out, compression="zstd")
    content: bytes = out.getvalue().to_pybytes()
    return content


def to_prepared(content: bytes) -> Prepared:
    """Return what was prepared, just as it was."""
    table = parquet.read_table(pa.BufferReader(content)).combine_chunks()
    columns = [table[name].to_pylist() for name in Row._fields if name in table.column_names]
    vectors, hashes, counts = (_values(table[name]) for name in ("vector", "hashes", "counts"))
    distinct = np.diff(_whole(table["hashes"]).offsets.to_numpy()).astype(np.int64)
    rows = [Row(*one) for one in zip(*columns, strict=True)]
    tokens = Tokens(hashes, counts, distinct, table["length"].to_numpy())
    return Prepared(rows, vectors.reshape(len(rows), -1) if rows else vectors, tokens)


def _lists(values: np.ndarray, lengths: np.ndarray) -> pa.ListArray:
    return pa.ListArray.from_arrays(np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32), pa.array(values))


def _whole(column: pa.ChunkedArray) -> Any:
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def _values(column: pa.ChunkedArray) -> np.ndarray:
    values: np.ndarray = _whole(column).values.to_numpy()
    return values
