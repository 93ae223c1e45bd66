"""Chroma: a collection as langchain has it, and a client that does not wait for a server without end."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from chromadb.api.client import Client
from chromadb.auth import UserIdentity
from chromadb.config import Settings
from langchain_core.documents import Document as LCDocument

from assistant.collection import Collection
from assistant.vectors import release

SPARE = 1.5  # times as many vectors are looked at as would do if a filter struck evenly
MOST = 10_000  # vectors looked at, or compared with one by one: what is not near by then is no candidate
BATCH = 1000  # vectors fetched at once


class ChromaCollection(Collection):
    """A collection of an embedded Chroma or a server's, open for reading; what it finds has its `row`, best first.

    langchain-chroma's own class asks for texts and metadata too, which takes as long as the search, and Chroma's own filters
    take far longer: so nothing but vectors is kept here, and filtered is by row.
    """

    def __init__(self, client: Any, name: str) -> None:
        """Open a collection. Raises what Chroma does where it is not there or cannot be read."""
        self._client = client
        try:
            self._collection = client.get_collection(name, embedding_function=None)
            self.count = int(self._collection.count())
        except Exception:
            release(client)
            raise

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[LCDocument]:
        """Return up to k passages by cosine similarity; `filter` tells of each row whether it may be found."""
        allowed: np.ndarray | None = kwargs.get("filter")
        rows = self._nearest(embedding, k) if allowed is None else self._nearest_of(embedding, k, allowed)
        return [LCDocument("", metadata={"row": row}) for row in rows]

    def _nearest(self, embedding: list[float], k: int) -> list[int]:
        return list(map(int, self._collection.query(embedding, n_results=k, include=[])["ids"][0]))

    def _nearest_of(self, embedding: list[float], k: int, allowed: np.ndarray) -> list[int]:
        """Return the nearest of some rows: among so many more that enough are left, or, of few, by comparing with each.

        Of many there may be fewer than k, where the MOST nearest vectors are nearly all of others.
        """
        among = np.flatnonzero(allowed)
        if not len(among):
            return []
        wanted, looked_at = min(k, len(among)), int(SPARE * k * self.count / len(among))
        found: list[int] = []
        while len(found) < wanted and looked_at < 4 * min(MOST, self.count):
            found = [row for row in self._nearest(embedding, min(looked_at, MOST, self.count)) if allowed[row]]
            looked_at *= 4
        if len(found) >= wanted or len(among) > MOST:
            return found[:wanted]
        rows = among.tolist()
        vectors = {
            row: vector
            for at in range(0, len(rows), BATCH)
            for row, vector in self.stored(rows[at : at + BATCH]).items()
        }
        likeness = np.array([vectors[row] for row in rows]) @ np.array(embedding, np.float32)
        return [rows[at] for at in np.argsort(-likeness, kind="stable")[:wanted]]

    def stored(self, rows: Sequence[int]) -> dict[int, Any]:
        """Return the vectors of rows, float32 of shape (dimension,), by row, if they are there."""
        found = self._collection.get(ids=list(map(str, rows)), include=["embeddings"])
        return dict(zip(map(int, found["ids"]), found["embeddings"], strict=True))

    def check(self) -> None:
        """Raise what Chroma does where the collection is no longer there, or the server is away."""
        self._collection.count()

    def close(self) -> None:
        """Release the client."""
        release(self._client)


class TimedClient(Client):
    """A client that gives up after so many seconds; also while it is being made, when it already asks."""

    def __init__(self, settings: Settings, wait_s: float) -> None:
        self._wait_s = wait_s
        super().__init__(settings=settings)

    def get_user_identity(self) -> UserIdentity:
        """Ask who we are: the first that is asked of the server."""
        self._limit(self)
        return super().get_user_identity()

    def _validate_tenant_database(self, tenant: str, database: str) -> None:
        self._limit(self._admin_client)  # it has a connection of its own
        super()._validate_tenant_database(tenant, database)

    def _limit(self, part: object) -> None:
        part._server._session.timeout = self._wait_s  # type: ignore[attr-defined]  # no setting does it
