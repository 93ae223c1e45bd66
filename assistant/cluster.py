"""Ingest on many machines: files are read and documents prepared under Ray Data, by the functions that one machine uses.

The machine that ingests looks at what is to be read, hands out the work, and stores what comes back in order, so the index
is the one that it would have made alone. What was read and prepared stands in a folder that all machines reach
(staging.py), named after all that it was made of.
"""

import hashlib
import json
import logging
import os
import re
import socket
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import ray
import ray.data
from langchain_core.embeddings import Embeddings
from ray.exceptions import RayError

from assistant import errors
from assistant.clean import Cleaned
from assistant.config import Settings, stay_offline
from assistant.errors import AssistantError, CorpusError, SettingsError
from assistant.formats.converted import MAX_BYTES
from assistant.index import FORMAT, from_document, to_document
from assistant.load import CATALOG, GLOSSARY, LINES, READING, Entry, Loaded, code, load, read_file, read_glossary
from assistant.models import load_embeddings
from assistant.prepare import Embedder, Incoming, Prepared, grouped, prepare
from assistant.schema import Glossary
from assistant.staging import (
    Folder,
    from_cleaned,
    from_prepared,
    reaching_folder,
    stand_in,
    to_cleaned,
    to_prepared,
)

PREPARING = ("split", "text", "tokens", "embedding", "prepare", "index")  # modules that shape what is stored, besides
HOST, WAIT_S = re.compile(r"(?:ray://)?([^:/]+):(\d+)"), 10.0
Work = Callable[[dict[str, Any]], dict[str, Any]]  # of a row, on some machine

log = logging.getLogger("assistant")


class Cluster:
    """Machines under Ray, to be entered; one that runs already in this process is used, and left running.

    `address` is what `ray.init` takes: "local" for this machine alone, "auto", or a cluster's. The `staging` folder belongs
    to one index.
    """

    def __init__(self, settings: Settings, address: str, staging: str) -> None:
        self._address, self._staging, self._ours = address, Folder(staging), False
        self._rows: Iterator[Any] | None = None
        model = ("embedding_model", "embedding_query_prompt")  # keys and passwords stay on this machine
        self._settings = Settings(**{name: getattr(settings, name) for name in model})

    def __enter__(self) -> Self:
        """Connect, or start Ray here. Raises SettingsError when there is no cluster."""
        self._ours = not ray.is_initialized()
        if self._ours:
            try:
                if at := HOST.fullmatch(self._address):  # Ray would try for minutes
                    socket.create_connection((at[1], int(at[2])), WAIT_S).close()
                ray.init(self._address, include_dashboard=False if self._address == "local" else None, log_to_driver=False, logging_level=logging.ERROR)  # fmt: skip
            except (OSError, ValueError, RuntimeError) as error:
                raise SettingsError(f"连不上 Ray 集群“{self._address}”，请核对地址，并确认它在运行") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if close := getattr(self._rows, "close", None):  # not left to Ray's own end, after a failure
            close()
        if self._ours:
            ray.shutdown()

    @property
    def _version(self) -> str:
        return _version(_model(self._settings)[1])

    def load(
        self, path: Path | str, known: Mapping[str, Entry] | None, progress: Callable[[int, int], None], kept: Path
    ) -> tuple[Loaded, Glossary | None]:
        """Load a path or a URI, and its glossary, as one machine does; each file is read on some machine, JSON lines on this one.

        Raises CorpusError where the path itself cannot be used.
        """
        address = str(path.resolve()) if isinstance(path, Path) else path
        folder = Folder(address)
        with tempfile.TemporaryDirectory(dir=kept) as beside, reaching_folder(address):
            place = path if isinstance(path, Path) else stand_in(folder, Path(beside), (CATALOG, GLOSSARY))
            if place.name.endswith(LINES):
                return load(place, known, progress), None
            wanted: dict[str, dict[str, Any]] = {}

            def note(file: Path, fingerprint: str) -> Cleaned:
                name = file.relative_to(place).as_posix() if file != place else ""
                wanted[fingerprint] = {"fingerprint": fingerprint, "name": name, "file": file.name, "size": file.stat().st_size}  # fmt: skip
                raise CorpusError("to be read")

            load(place, known, read=note)
            read: dict[str, dict[str, Any]] = {}
            work = partial(_read_one, folder=folder, staging=self._staging, version=self._version, settings=self._settings)  # fmt: skip
            for number, row in enumerate(self._run(work, wanted.values()), 1):
                progress(number, len(wanted))
                read[row["fingerprint"]] = json.loads(row["answer"])
            loaded = load(place, known, read=lambda file, fingerprint: _answered(read[fingerprint]))
            return loaded, read_glossary(place)

    def prepared(
        self, groups: Callable[[], Iterable[list[Incoming]]], embed: Embedder
    ) -> Iterator[tuple[list[Incoming], Prepared]]:
        """Yield each group with what was prepared of it, in order; `embed` only counts the vectors that were made."""
        with reaching_folder(self._staging.address):
            there = self._staging.files().keys()
            work = partial(_prepare_one, staging=self._staging, version=self._version, settings=self._settings)
            done = self._run(work, self._missing(groups(), there))
            for group in groups():
                name = self._name(one.hash for one in group)
                if name not in there:
                    row = next(done)
                    if row["name"] != name:
                        raise RuntimeError("Ray gave its results in another order")
                    embed.made += row["made"]
                yield group, to_prepared(self._staging.get(name))

    def _missing(self, groups: Iterable[list[Incoming]], there: Collection[str]) -> Iterator[dict[str, Any]]:
        """Yield the groups that are not prepared yet, as `_prepare_one` takes them."""
        for group in groups:
            name = self._name(one.hash for one in group)
            if name not in there:
                yield {"name": name, "documents": json.dumps([from_document(one.document) for one in group])}

    def tidy(self, hashes: Iterable[str]) -> None:
        """Remove what is not of the documents with these hashes, all those of the index, in order."""
        with reaching_folder(self._staging.address):
            self._staging.keep({self._name(group) for group in grouped(hashes, str)})

    def _name(self, hashes: Iterable[str]) -> str:
        return hashlib.sha256(json.dumps([self._version, *hashes]).encode()).hexdigest()[:32] + ".parquet"

    def _run(self, work: Work, rows: Iterable[dict[str, Any]]) -> Iterator[Any]:
        """Yield what comes of each row, in order."""
        todo = list(rows)
        if not todo:
            return
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # what it logs is raised as well
        handed_out = ray.data.from_items(todo, override_num_blocks=len(todo))
        del todo  # Ray has them
        told = partial(_told, work=work, staging=self._staging)
        self._rows = iter(handed_out.map(told).iter_rows())
        try:
            for row in self._rows:
                if "failed" in row:
                    raise getattr(errors, row["failed"])(row["message"])
                yield row
        except RayError as error:
            log.warning("ray: %s", type(error).__name__)
            raise CorpusError("有一台机器没有做完，索引保持不变；已做好的留着，请再运行一次 ingest") from error


@cache
def _model(settings: Settings) -> tuple[Embeddings, str]:
    """Load the embedding model once a process; return it with its fingerprint."""
    return load_embeddings(settings)


@cache
def _version(fingerprint: str) -> str:
    """Return a hash of all that shapes what is made of a file, besides the file."""
    return hashlib.sha256(repr((FORMAT, fingerprint)).encode() + code((*READING, *PREPARING))).hexdigest()


def _same(version: str, settings: Settings) -> Embeddings:
    """Return the model. Raises SettingsError unless this machine makes the same of a file as the one that ingests."""
    stay_offline()
    embeddings, fingerprint = _model(settings)
    if _version(fingerprint) != version:
        raise SettingsError("集群里有机器装的程序、向量模型或文字识别与本机不同，请装成一样再试")
    return embeddings


def _told(row: dict[str, Any], work: Work, staging: Folder) -> dict[str, Any]:
    """Do some work; a failure that a user can act on is part of what is returned, for Ray would retry and wrap it."""
    try:
        with reaching_folder(staging.address):
            return work(row)
    except AssistantError as error:
        return {"failed": type(error).__name__, "message": str(error)}


def _read_one(row: dict[str, Any], folder: Folder, staging: Folder, version: str, settings: Settings) -> dict[str, Any]:
    """Read a file on this machine, in words for the user where it cannot be read, and keep what was read."""
    _same(version, settings)
    kept = f"{row['fingerprint']}.json"
    if staging.has(kept):
        return {"fingerprint": row["fingerprint"], "answer": staging.get(kept).decode()}
    with tempfile.TemporaryDirectory() as here:
        file = Path(here) / row["file"]
        try:
            if row["size"] <= MAX_BYTES:
                file.write_bytes(folder.get(row["name"]))
            else:  # refused for its size, whatever it holds
                file.touch()
                os.truncate(file, row["size"])
            answer = from_cleaned(read_file(file))
        except (CorpusError, OSError) as error:
            reason = str(error) if isinstance(error, CorpusError) else f"读不了文件（{_why(error)}），请检查权限"
            return {"fingerprint": row["fingerprint"], "answer": json.dumps({"error": reason})}
    staging.put(kept, answer)
    return {"fingerprint": row["fingerprint"], "answer": answer.decode()}


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else type(error).__name__


def _answered(answer: dict[str, Any]) -> Cleaned:
    if "error" in answer:
        raise CorpusError(answer["error"])
    return to_cleaned(answer)


def _prepare_one(row: dict[str, Any], staging: Folder, version: str, settings: Settings) -> dict[str, Any]:
    """Prepare a group of documents on this machine, and keep what was prepared."""
    embed = Embedder(_same(version, settings))
    prepared = prepare(map(to_document, json.loads(row["documents"])), embed)
    staging.put(row["name"], from_prepared(prepared))
    return {"name": row["name"], "made": embed.made}
