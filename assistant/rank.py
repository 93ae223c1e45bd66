"""Fuse rankings and fold near-duplicates."""

import re
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

from assistant.lexical import similarity
from assistant.text import normalise

RRF_K = 60  # Cormack, Clarke & Büttcher, SIGIR 2009
_FIGURE = re.compile(r"\d+(?:\.\d+)*%?")
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


def fold_duplicates(texts: Sequence[str], marks: Sequence[Hashable], top_k: int) -> list[list[int]]:
    """Return the first top_k groups of indices of texts that say the same, the first of each group standing for it.

    They say the same if the Jaccard similarity of their bigrams is at least SAME_TEXT, they hold the same figures, and
    their marks are equal.
    """
    groups: list[list[int]] = []
    seen: list[tuple[str, frozenset[str], Hashable]] = []
    for index, (text, mark) in enumerate(zip(texts, marks, strict=True)):
        text = normalise(text)
        figures = frozenset(_FIGURE.findall(text))
        alike = (at for at, (_, f, m) in enumerate(seen) if f == figures and m == mark)
        same = (at for at in alike if similarity(text, seen[at][0], SAME_TEXT) >= SAME_TEXT)
        at = next(same, len(groups))
        if at < len(groups):
            groups[at].append(index)
        elif len(groups) < top_k:
            groups.append([index])
            seen.append((text, figures, mark))
    return groups
