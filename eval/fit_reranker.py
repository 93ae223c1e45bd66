"""Fit the reranker's weights: assistant/model/reranker.json.

    python -m eval.fit_reranker --data DIR --embedding MODEL [--work DIR]

MODEL is an embedding model that was trained without the questions used here (python -m eval.train_embedding --without
cmrc2018 drcd lecoqa --output MODEL): on questions that it has seen, the dense arm would look better than it is.
Trains on CMRC 2018 trial, DRCD dev and queries made from local regulations; logistic regression on the differences
between a right passage and the wrong ones that BM25 likes most.
"""

import argparse
import json
import random
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from assistant.config import stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.rerank import FEATURES, MODEL, features
from assistant.retrieve import HybridRetriever
from assistant.text import normalise
from eval.benchmarks import ANY_DAY, SEED, Benchmark, load

TRAINING = ("cmrc2018.trial", "drcd.dev", "laws")
QUERIES = 1500  # of each set
RIGHT, WRONG = 2, 12  # passages of each query


def differences(benchmark: Benchmark, embeddings: StaticEmbeddings, work: Path) -> np.ndarray:
    """Return the features of right passages less those of wrong ones, shape (pairs, features)."""
    index = benchmark.index(work, embeddings)
    retriever = HybridRetriever(index=index, embeddings=embeddings, filters=ANY_DAY)
    queries = random.Random(SEED).sample(benchmark.queries, min(QUERIES, len(benchmark.queries)))
    found = []
    for query in queries:
        hits = retriever.candidates(query.text)
        gold = np.array([hit.document.id in query.positives for hit in hits], dtype=bool)
        told = [normalise(answer) for answer in query.answers]
        holds = np.array([any(answer in normalise(hit.passage.text) for answer in told) for hit in hits], dtype=bool)
        right = np.flatnonzero(gold & holds if (gold & holds).any() else gold)[:RIGHT]
        ranks = np.array([hit.ranks.get("lexical", len(hits)) for hit in hits])
        wrong = np.flatnonzero(~gold)
        wrong = wrong[np.argsort(ranks[wrong], kind="stable")][:WRONG]
        if len(right) and len(wrong):
            rows = features(query.text, hits, index.lexical)
            found += [rows[i] - rows[wrong] for i in right]
    index.close()
    return np.concatenate(found)


def main() -> None:
    """Fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--embedding", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"))
    arguments = parser.parse_args()
    stay_offline()
    embeddings = StaticEmbeddings.load(arguments.embedding)
    pairs = np.concatenate([differences(load(n, arguments.data), embeddings, arguments.work) for n in TRAINING])
    scale = pairs.std(axis=0)
    both = np.concatenate([pairs, -pairs]) / scale
    better = np.repeat([1, 0], len(pairs))
    weights = LogisticRegression(fit_intercept=False, max_iter=500).fit(both, better).coef_[0] / scale
    content = {
        "fitted_on": list(TRAINING),
        "pairs": len(pairs),
        "weights": {name: round(float(w), 4) for name, w in zip(FEATURES, weights, strict=True)},
    }
    MODEL.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(content))


if __name__ == "__main__":
    main()
