"""Metrics, without a judge; each defined here, with its source, and listed in eval/README.md."""

from collections.abc import Iterable, Mapping, Sequence
from math import comb, log2
from statistics import mean, quantiles
from typing import Any

import numpy as np

SEED, RESAMPLES = 20260822, 2000
Row = Mapping[str, Any]


def hit_at(ranked: Sequence[str], relevant: Iterable[str], k: int) -> float:
    """Return 1 if a relevant document is among the first k, else 0 (trec_eval's success@k); `ranked` holds each once, best first."""
    return float(bool(set(relevant) & set(ranked[:k])))


def reciprocal_rank(ranked: Sequence[str], relevant: Iterable[str]) -> float:
    """Return 1 / the rank of the first relevant document, from 1; 0 if none is ranked (Voorhees 1999)."""
    wanted = set(relevant)
    return next((1 / rank for rank, key in enumerate(ranked, 1) if key in wanted), 0.0)


def ndcg_at(ranked: Sequence[str], relevant: Iterable[str], k: int) -> float:
    """Return DCG / ideal DCG of the first k with gains of 0 or 1 and log2(rank + 1) (Järvelin & Kekäläinen 2002)."""
    wanted = set(relevant)
    gained = sum(1 / log2(rank + 1) for rank, key in enumerate(ranked[:k], 1) if key in wanted)
    ideal = sum(1 / log2(rank + 1) for rank in range(1, min(len(wanted), k) + 1))
    return gained / ideal


def right(row: Row) -> bool:
    """Return whether a scored question is answered with all its facts and nothing that must not be said."""
    return bool(row["answerable"] and row["status"] == "answered" and not row["missing"] and not row["forbidden"])


def handled(row: Row) -> bool:
    """Return whether a scored question was dealt with rightly: answered right, or refused where nothing answers."""
    return right(row) if row["answerable"] else row["status"] == "abstained"


def citation_precision(whole: bool, alone: Sequence[bool], without: Sequence[bool]) -> list[bool]:
    """Return for each citation of one statement whether it counts as precise (ALCE, Gao et al. 2023).

    `whole`: all citations together support the statement; `alone`: each does so by itself; `without`: the others do so
    without it. One that does not support alone, while the others do without it, is irrelevant; where the whole does not
    support the statement, none is precise.
    """
    return [whole and not (not by_itself and others) for by_itself, others in zip(alone, without, strict=True)]


def risk_coverage(rows: Sequence[Row]) -> list[dict[str, float]]:
    """Return, per confidence at which one might stop answering, the share of questions answered and of those wrong.

    The risk–coverage curve of El-Yaniv & Wiener (2010); an answer is right if it has all facts. It ends at what is
    answered at all: what was refused has no answer to be judged.
    """
    answered = sorted((row for row in rows if row["status"] == "answered"), key=lambda row: -row["confidence"])
    curve, wrong = [], 0
    for count, row in enumerate(answered, 1):
        wrong += not right(row)
        if count == len(answered) or answered[count]["confidence"] < row["confidence"]:
            curve.append({"confidence": row["confidence"], "coverage": count / len(rows), "risk": wrong / count})
    return curve


def area_under(curve: Sequence[Mapping[str, float]]) -> float | None:
    """Return the mean risk along a risk–coverage curve from no coverage to its last point, lower is better; None if empty."""
    area, before = 0.0, 0.0
    for point in curve:
        area += point["risk"] * (point["coverage"] - before)
        before = point["coverage"]
    return area / before if curve else None


def calibration_error(rows: Sequence[Row], bins: int = 10) -> float | None:
    """Return the expected calibration error of the answers' confidences (Guo et al. 2017, equal-width bins); None without answers."""
    answered = [row for row in rows if row["status"] == "answered"]
    binned: dict[int, list[Row]] = {}
    for row in answered:
        binned.setdefault(min(int(row["confidence"] * bins), bins - 1), []).append(row)
    gaps = (abs(sum(row["confidence"] - right(row) for row in group)) for group in binned.values())
    return sum(gaps) / len(answered) if answered else None


def consistency(rows: Sequence[Row]) -> float | None:
    """Return the share of groups of wordings whose questions are all handled rightly or all wrongly; None without groups."""
    groups: dict[str, set[bool]] = {}
    for row in rows:
        if row["group"]:
            groups.setdefault(row["group"], set()).add(handled(row))
    return mean(float(len(outcomes) == 1) for outcomes in groups.values()) if groups else None


def percentile(values: Iterable[float], percent: int) -> float | None:
    """Return a percentile by linear interpolation between order statistics; None without values."""
    ordered = sorted(values)
    if not ordered:
        return None
    return quantiles(ordered, n=100, method="inclusive")[percent - 1] if len(ordered) > 1 else ordered[0]


def interval(values: Sequence[float]) -> tuple[float, float] | None:
    """Return the percentile bootstrap 95 % interval of a mean (Efron & Tibshirani 1993), seeded; None without values."""
    if not values:
        return None
    found = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(SEED).integers(0, len(found), (RESAMPLES, len(found)))
    low, high = np.percentile(found[chosen].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def mcnemar(fixed: int, broken: int) -> float:
    """Return the exact two-sided p-value that as many questions change one way as the other (McNemar 1947, binomial)."""
    changed = fixed + broken
    if not changed:
        return 1.0
    tail: float = sum(comb(changed, i) for i in range(min(fixed, broken) + 1)) / 2**changed
    return min(1.0, 2 * tail)


def kappa(pairs: Sequence[tuple[Any, Any]]) -> float:
    """Return Cohen's κ (1960) of two labellings of the same things; 1 where chance alone would agree always."""
    labels = {label for pair in pairs for label in pair}
    agreed = mean([float(a == b) for a, b in pairs])
    by_chance: float = sum(
        mean(float(a == label) for a, _ in pairs) * mean(float(b == label) for _, b in pairs) for label in labels
    )
    return 1.0 if by_chance == 1 else (agreed - by_chance) / (1 - by_chance)
