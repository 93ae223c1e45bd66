"""Find passages: lexical and dense side by side, fused by rank, reranked, near-duplicates folded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LCDocument
from langchain_core.embeddings import Embeddings
from langchain_core.retrievers import BaseRetriever

from assistant.errors import reaching
from assistant.index import DOC_TYPES, LEVELS, Index
from assistant.rank import fold_duplicates, reciprocal_rank_fusion
from assistant.rerank import rerank
from assistant.schema import DocType, Hit, Level, hit_to_dict
from assistant.stores import search_of

CANDIDATES = 50  # of each arm, and of both to be reranked
SPREAD = 2.0  # of the scores shown: the reranker's odds, flattened
WEIGHTS = {"lexical": 1.0, "dense": 0.4}  # of the arms, chosen on the development questions


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents may answer: published by `as_of`, and of these levels and types (empty means any)."""

    as_of: date
    levels: tuple[Level, ...] = ()
    doc_types: tuple[DocType, ...] = ()

    def mask(self, rows: np.ndarray) -> np.ndarray:
        """Return which rows pass, as booleans of shape (rows,)."""
        allowed: np.ndarray = rows["published"] <= self.day
        if self.levels:
            allowed &= np.isin(rows["level"], [LEVELS.index(level) for level in self.levels])
        if self.doc_types:
            allowed &= np.isin(rows["doc_type"], [DOC_TYPES.index(kind) for kind in self.doc_types])
        return allowed

    def limit(self, index: Index) -> bool:
        """Return whether any passage of an index may be shut out."""
        return bool(self.levels or self.doc_types) or self.day < index.newest

    @property
    def day(self) -> int:
        """`as_of` as YYYYMMDD."""
        return int(f"{self.as_of:%Y%m%d}")


def ranked(hits: Sequence[Hit], scores: np.ndarray) -> list[Hit]:
    """Return the hits in the order of a reranker's scores, shape (hits,), each with its own in (0, 1], 1 for the best."""
    ratios = np.exp((scores - scores.max(initial=-np.inf)) / SPREAD)
    return [replace(hits[i], score=float(ratios[i])) for i in np.argsort(-scores, kind="stable")]


class HybridRetriever(BaseRetriever):
    """Search one index; as a langchain retriever it returns its best `top_k` passages as of `filters.as_of`."""

    index: Any
    embeddings: Any
    filters: Any
    top_k: int = 10
    reranker: Any = rerank
    fold: bool = True
    arms: Any = tuple(WEIGHTS)

    def hits(self, query: str) -> list[Hit]:
        """Return up to top_k hits, best first; with `fold`, those that say the same are one hit with its twins.

        A hit's score is in (0, 1], and 1 for the best.
        """
        found = self.candidates(query)
        if not found:
            return []
        hits = ranked(found, self.reranker(query, found, self.index.lexical))
        if not self.fold:
            return hits[: self.top_k]
        groups = fold_duplicates([hit.passage.text for hit in hits], [self._standing(hit) for hit in hits], self.top_k)
        return [replace(hits[first], twins=tuple(hits[i] for i in rest)) for first, *rest in groups]

    def _standing(self, hit: Hit) -> tuple[object, ...]:
        """Return what decides how a document stands: one in force never hides behind one that has run out."""
        meta = hit.document.metadata
        return meta.doc_type, meta.status, meta.valid_from, meta.valid_to, hit.document.id in self.index.successors

    def candidates(self, query: str) -> list[Hit]:
        """Return the best of both arms, fused by rank, before reranking; the score is the fusion's."""
        index: Index = self.index
        fused = reciprocal_rank_fusion(self.rankings(query), WEIGHTS)[:CANDIDATES]
        passages = index.passages([row for row, _, _ in fused])
        return [
            Hit(passage, index.document(passage.document_id), score, ranks)
            for passage, (_, score, ranks) in zip(passages, fused, strict=True)
        ]

    def rankings(self, query: str) -> dict[str, list[int]]:
        """Return the rows that each arm finds, best first."""
        if not query.strip():
            return {}
        search = {"lexical": self._lexical, "dense": self._dense}
        return {arm: search[arm](query) for arm in self.arms}

    def _lexical(self, query: str) -> list[int]:
        """Rank rows by BM25, in the engine if it holds the weights."""
        index: Index = self.index
        if "lexical" not in index.engine.arms:
            allowed = self.filters.mask(index.rows) if self.filters.limit(index) else None
            return [row for row, _ in index.lexical.search(query, CANDIDATES, allowed)]
        weights = index.lexical.query_weights(query)
        return self._in_engine("lexical", weights) if weights else []

    def _dense(self, query: str) -> list[int]:
        """Rank rows by cosine similarity."""
        embeddings: Embeddings = self.embeddings
        vector = embeddings.embed_query(query)
        return self._in_engine("dense", vector) if any(vector) else []

    def _in_engine(self, arm: str, sought: Any) -> list[int]:
        """Return the rows that the engine finds, best first: whatever its scores mean, its order is ours."""
        index: Index = self.index
        search = search_of(index.vectors, arm)
        condition = index.engine.condition(self.filters, index.rows) if self.filters.limit(index) else None
        with reaching(index.engine.address):
            found = search(sought, k=CANDIDATES, filter=condition)
        return [document.metadata["row"] for document in found]

    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun) -> list[LCDocument]:
        return [LCDocument(page_content=hit.passage.text, metadata=hit_to_dict(hit)) for hit in self.hits(query)]
