"""Milvus, by the address of a Standalone or Distributed server, or in a file of Milvus Lite that one process has to itself.

A collection holds each passage's vector and its BM25 weights, both searched there with the filters, exactly but for the
vectors of a very large one; only living passages are in it. Milvus's own hybrid search fuses without our weights and does not say which arm found what,
which the reranker reads, so the arms are asked one after the other and fused by us.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from langchain_core.documents import Document as LCDocument

from assistant.collection import Collection
from assistant.errors import StoreError, reaching
from assistant.stores import KEPT_S, LONG_S, WAIT_S, DamagedError, Opened, Writer, unused_name

if TYPE_CHECKING:
    from pymilvus import MilvusClient

    from assistant.lexical import LexicalIndex
    from assistant.retrieve import Filters

NOT_LOADED = 101  # Milvus's code
FLUSH_S = 600.0  # until all is on a server's disk and indexed
BATCH = 1000  # passages sent at once, some 2 MB: a server takes 64
FLAT_UP_TO = 1_000_000  # passages; 1 GB of vectors to be read for each question
EF = 400  # vectors that HNSW looks at, as Chroma's does (vectors.py)
# Exact at any size: TAAT_NAIVE adds up every posting, and FLAT compares with every vector, while that is fast enough.
FLAT = {"index_type": "FLAT", "metric_type": "COSINE"}
HNSW = {"index_type": "HNSW", "metric_type": "COSINE", "params": {"M": 16, "efConstruction": 100}}
LEXICAL = {
    "index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP", "params": {"inverted_index_algo": "TAAT_NAIVE"}
}  # fmt: skip


@dataclass(frozen=True)
class Milvus:
    """Milvus at an HTTP address, or Milvus Lite in a file named *.db; a token is `user:password` or a key."""

    uri: str
    token: str = field(default="", repr=False)
    arms: ClassVar[tuple[str, ...]] = ("lexical", "dense")
    amends: ClassVar[bool] = False
    kept_s: ClassVar[float] = KEPT_S

    @property
    def address(self) -> str:
        """The setting that leads here."""
        return f"milvus+{self.uri}" if "://" in self.uri else f"milvus:{self.uri}"

    def name(self, generation: str) -> str:
        """Return a name that no build has had before."""
        return unused_name(generation)

    def client(self) -> "MilvusClient":
        """Connect; one connection is shared by all that use the same address. Raises StoreError for a file in use."""
        from pymilvus import MilvusClient
        from pymilvus.exceptions import ConnectionConfigException

        for name in ("pymilvus", "milvus_lite"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # what they log is raised as well
        try:
            return MilvusClient(self.uri, token=self.token, timeout=WAIT_S)
        except ConnectionConfigException as error:
            raise StoreError(
                f"Milvus Lite 的文件“{self.uri}”打不开：它只供一个进程使用，请先停下另一个进程，或改用 Milvus 服务"
            ) from error

    def open(self, directory: Path, collection: str) -> Opened:
        """Open a collection. Raises DamagedError if it is not there, StoreError if it is not one of ours."""
        with reaching(self.address, DamagedError):
            client = self.client()
            try:
                return MilvusCollection(client, collection)
            except Exception:
                client.close()
                raise

    def writer(self, directory: Path, collection: str, many: bool) -> Writer:
        """Fill a collection."""
        return _Writer(self, directory / "vectors.f32", collection)

    def remove(self, collection: str) -> None:
        """Remove a collection, if it is there."""
        with reaching(self.address), closing(self.client()) as client:
            client.drop_collection(collection, timeout=WAIT_S)

    def condition(self, filters: "Filters", rows: np.ndarray) -> str:
        """Return the filters as Milvus's expression."""
        parts = [f"published <= {filters.day}"]
        for name, allowed in (("level", filters.levels), ("doc_type", filters.doc_types)):
            if allowed:
                parts.append(f"{name} in {json.dumps(list(allowed), ensure_ascii=False)}")
        return " and ".join(parts)


class MilvusCollection(Collection):
    """A collection as langchain has it, open for reading; what it finds has the metadata `row` and `score`, best first."""

    def __init__(self, client: "MilvusClient", name: str) -> None:
        """Open a collection. Raises DamagedError if it is not there, StoreError if it cannot be searched by both arms."""
        self._client, self._name = client, name
        if not client.has_collection(name, timeout=WAIT_S):
            raise DamagedError
        indexed = {one: client.describe_index(name, one, timeout=WAIT_S) for one in client.list_indexes(name)}
        metrics = {one: index["metric_type"] for one, index in indexed.items()}
        if metrics != {"dense": FLAT["metric_type"], "lexical": LEXICAL["metric_type"]}:
            raise StoreError(f"Milvus 的集合“{name}”不能同时做向量和词法检索，请重新运行 jiading-assistant ingest")
        exact = indexed["dense"]["index_type"] == FLAT["index_type"]
        self._parameters: dict[str, dict[str, Any]] = {} if exact else {"dense": {"params": {"ef": EF}}}
        client.load_collection(name, timeout=LONG_S)
        self.count = _count(client, name)

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[LCDocument]:
        """Return up to k passages by cosine similarity; `filter` is an expression."""
        return self._search("dense", embedding, k, kwargs.get("filter"))

    def similarity_search_by_weights(self, weights: Mapping[int, float], k: int = 4, **kwargs: Any) -> list[LCDocument]:
        """Return up to k passages by the inner product with sparse weights, dimension → weight; `filter` is an expression."""
        return self._search("lexical", dict(weights), k, kwargs.get("filter"))

    def _search(self, searched: str, sought: Any, k: int, condition: str | None) -> list[LCDocument]:
        from pymilvus.exceptions import MilvusException

        try:
            found = self._asked(searched, sought, k, condition)
        except MilvusException as error:
            if error.code != NOT_LOADED:
                raise
            self._client.load_collection(self._name, timeout=LONG_S)  # the server has been started anew
            found = self._asked(searched, sought, k, condition)
        best = sorted((-hit["distance"], hit["row"]) for hit in found)  # ties by row, as everywhere
        return [LCDocument("", metadata={"row": row, "score": -score}) for score, row in best]

    def _asked(self, searched: str, sought: Any, k: int, condition: str | None) -> Any:
        return self._client.search(
            self._name, [sought], condition or "", k, output_fields=["row"], anns_field=searched, timeout=WAIT_S,
            search_params=self._parameters.get(searched),
        )[0]  # fmt: skip

    def stored(self, rows: Sequence[int]) -> dict[int, Any]:
        """Return the vectors of rows, float32 of shape (dimension,), by row, if they are there."""
        found = self._client.get(self._name, list(rows), output_fields=["dense"], timeout=WAIT_S)
        return {one["row"]: np.asarray(one["dense"], dtype=np.float32) for one in found}

    def check(self) -> None:
        """Raise DamagedError if it is no longer there, and what the client raises where the server is away."""
        if not self._client.has_collection(self._name, timeout=WAIT_S):
            raise DamagedError

    def close(self) -> None:
        """Release the connection."""
        self._client.close()


class _Writer:
    """Keeps what is stored until the end, the vectors on disk, for a passage's weights depend on all passages' lengths."""

    def __init__(self, engine: Milvus, file: Path, collection: str) -> None:
        self._engine, self._file, self._collection = engine, file, collection
        self._metadatas: list[dict[str, Any]] = []

    def add(self, rows: Sequence[int], embeddings: np.ndarray, metadatas: list[dict[str, Any]]) -> None:
        with self._file.open("ab") as vectors:
            vectors.write(np.ascontiguousarray(embeddings, dtype=np.float32).tobytes())
        self._metadatas += [{"row": row, **metadata} for row, metadata in zip(rows, metadatas, strict=True)]

    def delete(self, rows: Sequence[int]) -> None:
        raise NotImplementedError

    def abandon(self) -> None:
        pass  # nothing is open between two calls

    def close(self, lexical: "LexicalIndex") -> None:
        size = len(self._metadatas)
        vectors = np.memmap(self._file, np.float32, "r").reshape(size, -1)
        with reaching(self._engine.address), closing(self._engine.client()) as client:
            _create(client, self._collection, vectors.shape[1], FLAT if size <= FLAT_UP_TO else HNSW)
            rows = zip(self._metadatas, vectors, lexical.weights(), strict=True)
            while batch := [_entity(*row) for row in islice(rows, BATCH)]:
                client.insert(self._collection, batch, timeout=LONG_S)
            client.flush(self._collection, timeout=FLUSH_S)
            if _count(client, self._collection) != size:
                raise StoreError(f"Milvus 的集合“{self._collection}”没有写全，请再运行一次 jiading-assistant ingest")
        self._file.unlink()


def _create(client: "MilvusClient", name: str, dimension: int, dense: dict[str, Any]) -> None:
    from pymilvus import DataType

    schema = client.create_schema(auto_id=False)
    schema.add_field("row", DataType.INT64, is_primary=True)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
    schema.add_field("published", DataType.INT64)
    for text in ("level", "doc_type"):
        schema.add_field(text, DataType.VARCHAR, max_length=64)
    indexes = client.prepare_index_params()
    for vector, parameters in (("dense", dense), ("lexical", LEXICAL)):
        indexes.add_index(vector, index_name=vector, **parameters)
    client.create_collection(name, schema=schema, index_params=indexes, timeout=LONG_S)


def _entity(metadata: Mapping[str, Any], vector: np.ndarray, weights: Mapping[int, float]) -> dict[str, Any]:
    return {"level": "", "doc_type": "", **metadata, "dense": vector.tolist(), "lexical": weights}


def _count(client: "MilvusClient", name: str) -> int:
    """Return how many passages a collection holds, read strictly: what was counted so is there for laxer readings too."""
    (found,) = client.query(name, output_fields=["count(*)"], consistency_level="Strong", timeout=WAIT_S)
    return int(found["count(*)"])
