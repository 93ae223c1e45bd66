"""Measure retrieval: named benchmarks × named systems, in one table.

    python -m eval.retrieval --data DIR [--benchmark NAME …] [--system NAME …] [--embedding MODEL] [--json FILE]

A document ranks as its best passage. hit@k: a document that answers is among the first k; MRR@10: 1 / rank of the first
that answers; nDCG@10: Σ 1 / log2(1 + rank) over those that answer, divided by the most it can be (Järvelin &
Kekäläinen, TOIS 2002). ± is half the 95 % bootstrap interval of the mean over queries. DIR holds the public data sets that
assistant/model/README.md names. LeCoQA is honest only with a MODEL that was trained without it.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from bm25s import BM25
from langchain_chroma import Chroma
from langchain_text_splitters import RecursiveCharacterTextSplitter

from assistant.config import stay_offline
from assistant.embedding import MODEL, StaticEmbeddings
from assistant.index import Index
from assistant.retrieve import HybridRetriever
from assistant.split import searchable_text
from assistant.stores import chroma_client
from assistant.text import normalise
from assistant.tokens import bigrams, search_words, tokenize
from eval import metrics
from eval.benchmarks import ANY_DAY, Benchmark, Query, load
from eval.testset import TESTSET, read_testset

BENCHMARKS = ("own", "policy", "cmrc2018.dev", "drcd.test", "xquad_zh.test", "lecoqa.train")
METRICS = ("hit@1", "hit@5", "hit@10", "mrr@10", "ndcg@10")
DEPTH = 50  # passages of each system
Search = Callable[[str], list[tuple[str, float]]]  # query → (document id, score), best first


def bm25(index: Index, units: Callable[[str], list[str]]) -> Search:
    """Return BM25 over one sort of unit, on the index's own passages."""
    passages = index.passages(np.flatnonzero(index.alive).tolist())
    owners = [passage.document_id for passage in passages]
    engine = BM25(method="lucene", k1=1.2, b=0.75)
    texts = (searchable_text(index.document(passage.document_id), passage) for passage in passages)
    engine.index([units(text) for text in texts], show_progress=False)

    def search(query: str) -> list[tuple[str, float]]:
        ids = engine.get_tokens_ids(list(dict.fromkeys(units(query))))
        scores = engine.get_scores_from_ids(ids) if ids else np.zeros(len(owners))
        best = np.argsort(-scores, kind="stable")[:DEPTH]
        return [(owners[row], float(scores[row])) for row in best if scores[row] > 0]

    return search


def plain_langchain(benchmark: Benchmark, embeddings: StaticEmbeddings, folder: Path) -> Search:
    """Return langchain's plain pipeline: fixed-size chunks in Chroma, with the same embedding."""
    fresh = not folder.is_dir()
    client = chroma_client(folder)
    store = Chroma("plain", embeddings, client=client, collection_metadata={"hnsw:space": "cosine"})
    if fresh:
        splitter = RecursiveCharacterTextSplitter(chunk_size=300, chunk_overlap=60)
        chunks = [
            (f"{document.title}\n{chunk}", {"document": document.id})
            for document in benchmark.documents
            for chunk in splitter.split_text(document.text)
        ]
        for start in range(0, len(chunks), 200):
            store.add_texts(*map(list, zip(*chunks[start : start + 200], strict=True)))
    return lambda query: [
        (document.metadata["document"], 1 - distance)
        for document, distance in store.similarity_search_with_score(query, DEPTH)
    ]


def systems(benchmark: Benchmark, embeddings: StaticEmbeddings, work: Path) -> dict[str, Callable[[], Search]]:
    """Return how to make each system for a benchmark."""
    index = benchmark.index(work, embeddings)
    retriever = HybridRetriever(index=index, embeddings=embeddings, filters=ANY_DAY, top_k=DEPTH, fold=False)

    alone = HybridRetriever(index=index, embeddings=embeddings, filters=ANY_DAY, arms=("dense",))

    def dense(query: str) -> list[tuple[str, float]]:
        rows = alone.rankings(query).get("dense", [])
        return [(passage.document_id, -rank) for rank, passage in enumerate(index.passages(rows))]

    return {
        "bm25 words": lambda: bm25(index, lambda text: search_words(normalise(text))),
        "bm25 bigrams": lambda: bm25(index, lambda text: bigrams(normalise(text))),
        "bm25 both": lambda: bm25(index, tokenize),
        "dense": lambda: dense,
        "hybrid": lambda: lambda query: [(hit.document.id, hit.score) for hit in retriever.candidates(query)],
        "hybrid + rerank": lambda: lambda query: [(hit.document.id, hit.score) for hit in retriever.hits(query)],
        "langchain plain": lambda: plain_langchain(
            benchmark, embeddings, work / f"plain-{benchmark.name}-{embeddings.fingerprint}"
        ),
    }


def measure(search: Search, queries: Sequence[Query]) -> dict[str, list[float]]:
    """Return each metric's value for each query, and the milliseconds of each search."""
    values: dict[str, list[float]] = {name: [] for name in (*METRICS, "ms")}
    for query in queries:
        started = time.perf_counter()
        hits = search(query.text)
        values["ms"].append((time.perf_counter() - started) * 1000)
        documents = list(dict.fromkeys(document for document, _ in hits))
        for k in (1, 5, 10):
            values[f"hit@{k}"].append(metrics.hit_at(documents, query.positives, k))
        values["mrr@10"].append(metrics.reciprocal_rank(documents[:10], query.positives))
        values["ndcg@10"].append(metrics.ndcg_at(documents, query.positives, 10))
    return values


def half_interval(values: Sequence[float]) -> float:
    """Return half the width of the 95 % bootstrap interval of the mean."""
    low, high = metrics.interval(values) or (0.0, 0.0)
    return (high - low) / 2


def benchmark_of(name: str, data: Path, corpus_index: Path) -> Benchmark:
    """Return a benchmark; "own" is the shipped corpus with the answerable questions of the test set that stand alone."""
    if name != "own":
        return load(name, data)
    index = Index.open(corpus_index, StaticEmbeddings.load().fingerprint)
    documents = list(index.documents())
    index.close()
    asked = [q for q in read_testset(TESTSET) if q.answerable and not q.history]
    return Benchmark(name, documents, [Query(q.question, frozenset(q.docs)) for q in asked])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--benchmark", nargs="*", default=list(BENCHMARKS))
    parser.add_argument("--system", nargs="*")
    parser.add_argument("--embedding", type=Path, default=MODEL, help="folder of a static model")
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"), help="where indexes are kept")
    parser.add_argument("--index", type=Path, default=Path("index"), help="of the shipped corpus")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    stay_offline()
    embeddings = StaticEmbeddings.load(arguments.embedding)
    results = []
    print("| benchmark | system | hit@1 | hit@5 | hit@10 | MRR@10 | nDCG@10 | p50 ms | p95 ms |\n" + "| --- " * 9 + "|")
    for name in arguments.benchmark:
        benchmark = benchmark_of(name, arguments.data, arguments.index)
        judged = [benchmark, benchmark.with_twins()] if name == "policy" else [benchmark]
        for system, make in systems(benchmark, embeddings, arguments.work).items():
            if arguments.system and system not in arguments.system:
                continue
            search = make()
            for variant in judged:
                values = measure(search, variant.queries)
                row = {metric: (float(np.mean(values[metric])), half_interval(values[metric])) for metric in METRICS}
                p50, p95 = np.percentile(values["ms"], [50, 95])
                results.append({"benchmark": variant.name, "system": system, "queries": len(variant.queries),
                                "p50_ms": p50, "p95_ms": p95, **row})  # fmt: skip
                cells = " | ".join(f"{mean:.3f} ± {half:.3f}" for mean, half in row.values())
                print(f"| {variant.name} | {system} | {cells} | {p50:.1f} | {p95:.1f} |", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
