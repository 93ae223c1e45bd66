"""Where a generation's vectors are kept and searched: one class an engine, each behind langchain's VectorStore.

A generation's vectors are one collection, filled before the generation is put in service and never changed after. Chroma
is here, in the generation's own folder or on a server; Milvus is in milvus.py, for its client is an optional extra.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from urllib.parse import urlsplit

import numpy as np

from assistant.errors import StoreError, reaching
from assistant.vectors import VectorWriter, release

if TYPE_CHECKING:
    from langchain_core.documents import Document as LCDocument
    from langchain_core.vectorstores import VectorStore

    from assistant.lexical import LexicalIndex
    from assistant.retrieve import Filters

COLLECTION = "passages"  # in a generation's own folder
WAIT_S, LONG_S = 10.0, 60.0  # for a server's answer, and where it writes
KEPT_S = 3600.0  # a replica that was stopped for a while, or evaluates a test set, still reads what it opened
SEARCHES = {"dense": "similarity_search_by_vector", "lexical": "similarity_search_by_weights"}  # by arm


class DamagedError(Exception):
    """A collection is not there, or cannot be read."""


class Opened(Protocol):
    """A collection, open for reading; safe to share between threads. `count` is how many passages it held when opened."""

    count: int

    @property
    def vectors(self) -> "VectorStore":
        """The collection as langchain has it; what it finds says its row in its metadata."""
        ...  # pragma: no cover

    def stored(self, rows: Sequence[int]) -> dict[int, Any]:
        """Return the vectors of rows, float32 of shape (dimension,), by row, if they are there."""
        ...  # pragma: no cover

    def check(self) -> None:
        """Raise whatever the engine's client raises unless the collection is within reach."""
        ...  # pragma: no cover

    def close(self) -> None:
        """Release what is held."""
        ...  # pragma: no cover


class Writer(Protocol):
    """Fills a collection; call `close` at the end, or `abandon`."""

    def add(self, rows: Sequence[int], embeddings: np.ndarray, metadatas: list[dict[str, Any]]) -> None:
        """Store the vectors of rows that have none, float32 of shape (rows, dimension), with what is filtered by."""
        ...  # pragma: no cover

    def delete(self, rows: Sequence[int]) -> None:
        """Remove the vectors of rows; only asked of an engine that amends."""
        ...  # pragma: no cover

    def close(self, lexical: "LexicalIndex") -> None:
        """Complete the collection; an engine that searches the lexical arm takes its weights from `lexical`."""
        ...  # pragma: no cover

    def abandon(self) -> None:
        """Release what is held, after a failure."""
        ...  # pragma: no cover


class Engine(Protocol):
    """An engine as the index knows it. Raises StoreError when it cannot be reached.

    `arms` are searched in it, the lexical one otherwise in the generation's own files; `amends` is whether a generation's
    folder can be copied, its collection with it. `kept_s` is for how many seconds after it went out of service a
    generation is kept for its readers: none where they hold its files open.
    """

    arms: ClassVar[tuple[str, ...]]
    amends: ClassVar[bool]
    kept_s: ClassVar[float]

    @property
    def address(self) -> str:
        """Where it is, as a generation's manifest tells it; "" for the generation's own folder."""
        ...  # pragma: no cover

    def name(self, generation: str) -> str:
        """Return a name for the collection of a generation that is about to be built."""
        ...  # pragma: no cover

    def open(self, directory: Path, collection: str) -> Opened:
        """Open a generation's collection. Raises DamagedError."""
        ...  # pragma: no cover

    def writer(self, directory: Path, collection: str, many: bool) -> Writer:
        """Fill a generation's collection, with `many` documents by a process of its own where that is faster."""
        ...  # pragma: no cover

    def remove(self, collection: str) -> None:
        """Remove a collection, if it is there."""
        ...  # pragma: no cover

    def condition(self, filters: "Filters", rows: np.ndarray) -> Any:
        """Return the filters as the engine's own condition on a collection of these rows."""
        ...  # pragma: no cover


@dataclass(frozen=True)
class EmbeddedChroma:
    """Chroma in the generation's own folder."""

    arms: ClassVar[tuple[str, ...]] = ("dense",)
    amends: ClassVar[bool] = True
    kept_s: ClassVar[float] = 0.0

    @property
    def address(self) -> str:
        """None but the folder."""
        return ""

    def name(self, generation: str) -> str:
        """Return the same name for each: they are in folders of their own."""
        return COLLECTION

    def client(self, directory: Path) -> Any:
        """Open Chroma for a generation's folder."""
        return chroma_client(directory / "chroma")

    def open(self, directory: Path, collection: str) -> Opened:
        """Open a generation's collection. Raises DamagedError."""
        if not (directory / "chroma").is_dir():
            raise DamagedError
        from assistant.chroma import ChromaCollection

        try:
            return ChromaCollection(self.client(directory), collection)
        except Exception as error:  # Chroma raises many kinds
            raise DamagedError from error

    def writer(self, directory: Path, collection: str, many: bool) -> Writer:
        """Fill a generation's collection, `many` documents by a process of its own: Chroma holds Python's lock."""
        return VectorWriter(self.client, directory, collection, apart=many)

    def remove(self, collection: str) -> None:
        """Leave it: it goes with its folder."""

    def condition(self, filters: "Filters", rows: np.ndarray) -> Any:
        """Return which rows pass and are there, as booleans of shape (rows,)."""
        return filters.mask(rows) & rows["alive"]


EMBEDDED = EmbeddedChroma()


@dataclass(frozen=True)
class ChromaServer(EmbeddedChroma):
    """Chroma on a server, by its HTTP address; a token goes into the Authorization header, for a proxy before it."""

    url: str
    token: str = field(default="", repr=False)
    amends: ClassVar[bool] = False
    kept_s: ClassVar[float] = KEPT_S

    @property
    def address(self) -> str:
        """The setting that leads here."""
        return f"chroma+{self.url}"

    def name(self, generation: str) -> str:
        """Return a name that no build has had before."""
        return unused_name(generation)

    def client(self, directory: Path, wait_s: float = WAIT_S) -> Any:
        """Connect to the server, whatever the folder; what it does not answer in time raises."""
        from assistant.chroma import TimedClient

        parts, settings = urlsplit(self.url), _quiet()
        settings.chroma_api_impl = "chromadb.api.fastapi.FastAPI"
        settings.chroma_server_host, settings.chroma_server_ssl_enabled = parts.hostname, parts.scheme == "https"
        settings.chroma_server_http_port = parts.port or (443 if parts.scheme == "https" else 80)
        settings.chroma_server_headers = {"Authorization": f"Bearer {self.token}"} if self.token else None
        return TimedClient(settings, wait_s)

    def open(self, directory: Path, collection: str) -> Opened:
        """Open a generation's collection. Raises DamagedError if it is not there."""
        from chromadb.errors import NotFoundError

        from assistant.chroma import ChromaCollection

        try:
            with reaching(self.address, NotFoundError):
                return ChromaCollection(self.client(directory), collection)
        except NotFoundError as error:
            raise DamagedError from error

    def writer(self, directory: Path, collection: str, many: bool) -> Writer:
        """Fill a generation's collection."""
        with reaching(self.address):
            client = partial(self.client, wait_s=LONG_S)
            return VectorWriter(client, directory, collection, apart=False, address=self.address)

    def remove(self, collection: str) -> None:
        """Remove a collection, if it is there."""
        from chromadb.errors import NotFoundError

        with reaching(self.address), suppress(NotFoundError):
            client = self.client(Path())
            try:
                client.delete_collection(collection)
            finally:
                release(client)


def chroma_client(directory: Path) -> Any:
    """Open an embedded Chroma with its telemetry off."""
    import chromadb

    return chromadb.PersistentClient(path=str(directory), settings=_quiet())


def _quiet() -> Any:
    from chromadb.config import Settings

    return Settings(anonymized_telemetry=False)


def unused_name(generation: str) -> str:
    """Return a collection's name that no build has had before, so that none meets what another left on a shared server."""
    return f"jiading_{generation}_{token_hex(4)}"


def search_of(vectors: "VectorStore", arm: str) -> "Callable[..., Sequence[LCDocument]]":
    """Return a store's own search of an arm. Raises StoreError if it has none: an arm is never left out in silence."""
    from langchain_core.vectorstores import VectorStore

    name = SEARCHES[arm]
    if getattr(type(vectors), name, None) in (None, getattr(VectorStore, name, None)):
        raise StoreError(f"向量库 {type(vectors).__name__} 不能做 {arm} 检索（缺 {name}），请换用能做的向量库")
    found: Callable[..., Sequence[LCDocument]] = getattr(vectors, name)
    return found
