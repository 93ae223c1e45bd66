"""Measure how well documents that are the same are told from documents that are alike.

    python -m eval.duplicates [--data DIR [--sample FILE] [--pairs N] [--articles N] [--seed N]]

Each row of eval/duplicates.jsonl is two texts, whether they are the same document, and how one was made of the other;
`split` is dev (on which the rules were chosen) or test. With DIR, which holds news.passages.jsonl.gz: prints the time
and the pairs found among the news, writes N of them to FILE to look at, and compares N articles with all others by
exact resemblance, without signatures: what of that is the same document by its text, and what of that was not found.
"""

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.duplicates import SAME, SHINGLE, Pair, body, near_duplicates, sameness
from eval.benchmarks import rows

CASES = Path(__file__).parent / "duplicates.jsonl"


def read_cases(file: Path = CASES) -> list[dict[str, Any]]:
    """Return the rows as they are written."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def score(cases: Sequence[dict[str, Any]]) -> tuple[int, int, int]:
    """Return how many pairs were found and are the same, were found, and are the same."""
    found = [case["same"] for case in cases if near_duplicates([("a", case["a"]), ("b", case["b"])])]
    return sum(found), len(found), sum(case["same"] for case in cases)


def alike(texts: dict[str, str], chosen: Sequence[str]) -> dict[tuple[str, str], float]:
    """Return the pairs (a < b) of a chosen document and any other, of exact resemblance SAME or more."""
    shingles = {key: _shingles(texts[key]) for key in chosen}
    holders: dict[str, list[str]] = {}
    for key, found in shingles.items():
        for shingle in found:
            holders.setdefault(shingle, []).append(key)
    pairs: dict[tuple[str, str], float] = {}
    for key, text in texts.items():
        own, common = _shingles(text), dict.fromkeys(chosen, 0)
        for shingle in own & holders.keys():
            for holder in holders[shingle]:
                common[holder] += 1
        for other, count in common.items():
            if other != key and count and count >= SAME * (len(own) + len(shingles[other]) - count):
                pairs[min(key, other), max(key, other)] = count / (len(own) + len(shingles[other]) - count)
    return pairs


def _shingles(text: str) -> set[str]:
    kept = body(text).text
    return {kept[i : i + SHINGLE] for i in range(len(kept) - SHINGLE + 1)}


def is_found(a: str, b: str, pairs: Sequence[Pair]) -> bool:
    """Say whether two documents were paired, or their equals with the smallest ids were."""
    first = {pair.b: pair.a for pair in pairs if pair.similarity == 1}
    a, b = first.get(a, a), first.get(b, b)
    return a == b or (min(a, b), max(a, b)) in {(pair.a, pair.b) for pair in pairs}


def main() -> None:
    """Print the scores by split, and with data what was found and missed there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sample", type=Path)
    parser.add_argument("--pairs", type=int, default=200)
    parser.add_argument("--articles", type=int, default=300)
    parser.add_argument("--seed", type=int, default=20261126)
    arguments = parser.parse_args()
    cases = read_cases()
    print("| split | pairs | precision | recall |\n| --- | --- | --- | --- |")
    for part in ("dev", "test"):
        mine = [case for case in cases if case["split"] == part]
        right, found, same = score(mine)
        print(f"| {part} | {len(mine)} | {right / max(1, found):.3f} of {found} | {right / same:.3f} of {same} |")
    if arguments.data:
        measure_news(arguments)


def measure_news(arguments: argparse.Namespace) -> None:
    """Print the time and the pairs found among the news, and what exact comparison finds besides."""
    chance = random.Random(arguments.seed)
    start = time.perf_counter()
    texts = {row["id"]: row["text"] for row in rows(arguments.data, "news.passages")}
    pairs = near_duplicates(texts.items())
    equal = sum(pair.similarity == 1 for pair in pairs)
    folded = len({pair.b for pair in pairs})
    seconds = time.perf_counter() - start
    print(
        f"{len(texts)} articles in {seconds:.1f} s: {len(pairs)} pairs, {equal} of them equal; {folded} would be folded"
    )
    if arguments.sample:
        chosen = chance.sample(pairs, min(arguments.pairs, len(pairs)))
        lines = [
            {"a": p.a, "b": p.b, "similarity": p.similarity, "of_a": texts[p.a], "of_b": texts[p.b]} for p in chosen
        ]
        arguments.sample.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), "utf-8")
    near = alike(texts, chance.sample(sorted(texts), arguments.articles))
    same = [pair for pair in near if sameness(texts[pair[0]], texts[pair[1]])]
    missed = [pair for pair in same if not is_found(*pair, pairs)]
    print(f"{arguments.articles} articles compared with all others: {len(near)} pairs of resemblance ≥ {SAME}")
    print(f"{len(same)} of them the same by their text, {len(missed)} of these not found")


if __name__ == "__main__":
    main()
