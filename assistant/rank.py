"""Fuse rankings and fold near-duplicates."""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from assistant.lexical import gram_set
from assistant.text import normalise

RRF_K = 60  # Cormack, Clarke & Büttcher, SIGIR 2009
SAME_TEXT = 0.9  # Jaccard similarity of bigram sets from which two passages say the same

Key = TypeVar("Key", bound=Hashable)


def reciprocal_rank_fusion(
    rankings: Mapping[str, Sequence[Key]], weights: Mapping[str, float], k: int = RRF_K
) -> list[tuple[Key, float, dict[str, int]]]:
    """Fuse rankings by rank alone, so BM25 scores and cosine similarities need no calibration.

    score(x) = Σ over rankings weight / (k + rank of x), ranks from 1; absent means no term. Returns
    (item, score, rank in each ranking), best first; ties keep the order of first appearance.
    """
    scores: dict[Key, float] = {}
    ranks: dict[Key, dict[str, int]] = {}
    for arm, ranking in rankings.items():
        for rank, item in enumerate(ranking, 1):
            scores[item] = scores.get(item, 0.0) + weights[arm] / (k + rank)
            ranks.setdefault(item, {})[arm] = rank
    return [(item, score, ranks[item]) for item, score in sorted(scores.items(), key=lambda pair: -pair[1])]


def fold_duplicates(texts: Sequence[str], top_k: int) -> list[int]:
    """Return the indices of the first top_k texts that repeat none before them (Jaccard over bigrams ≥ SAME_TEXT)."""
    kept: list[int] = []
    seen: list[frozenset[str]] = []
    for index, text in enumerate(texts):
        grams = gram_set(normalise(text))
        if any(_same(grams, other) for other in seen):
            continue
        kept.append(index)
        seen.append(grams)
        if len(kept) == top_k:
            break
    return kept


def _same(a: frozenset[str], b: frozenset[str]) -> bool:
    if not a or not b:
        return False
    if min(len(a), len(b)) < SAME_TEXT * max(len(a), len(b)):
        return False
    return len(a & b) >= SAME_TEXT * len(a | b)
