"""What the bench sets side by side: each builds an index of the same documents in a folder, and searches it.

    python -m eval.systems build|ask|crowd SYSTEM --folder DIR [FILE …]

`build` indexes the files; `ask` opens the index and asks it the test set's questions; `crowd` asks it from many
threads at once. Each is a process of its own, which eval/bench.py starts and watches, and prints one line of JSON.
"""

import argparse
import json
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np

from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.ingest import ingest
from assistant.load import load
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.retrieve import Filters, HybridRetriever
from assistant.schema import Document
from assistant.split import searchable_text, split
from assistant.tokens import tokenize
from eval.metrics import percentile
from eval.testset import TestQuestion, read_testset

DEPTH = 50  # passages of each search
CHUNK, OVERLAP = 300, 60  # characters; our passages are of 200 on average and of 400 at most
FIRST = 5  # documents among which the one that answers should be
WARM_S = 60.0  # a system is asked for so long, or each question once
THREADS, THREADS_S = (1, 8, 64), 5.0
AS_OF = Filters(date(2026, 11, 25))
Search = Callable[[str], Sequence[str]]  # question → the documents of the passages found, best first


def read(files: Sequence[Path]) -> Iterator[Document]:
    """Yield the documents of folders and files, read as the product reads them."""
    for file in files:
        yield from load(file).documents


def passages(files: Sequence[Path]) -> tuple[list[str], list[str]]:
    """Return the product's passages, each with its title and headings, and the documents that they are of."""
    found = [(searchable_text(one, passage), one.id) for one in read(files) for passage in split(one)]
    return [text for text, _ in found], [document for _, document in found]


class Ours:
    """The product as it is shipped."""

    def build(self, files: Sequence[Path], folder: Path) -> int:
        """Index the files and return the number of passages."""
        embeddings = StaticEmbeddings.load()
        done = ingest(files, folder / "index", embeddings, embeddings.fingerprint, lambda *_: None)
        return done.update.manifest.passages

    def open(self, folder: Path) -> Search:
        """Open the index."""
        assistant = self.assistant = load_assistant(Settings(index=folder / "index"))
        return lambda question: [hit.document.id for hit in assistant.search(question, AS_OF, DEPTH)]


class Langchain:
    """langchain's plain pipeline: chunks of fixed size in Chroma, with the same embedding."""

    def build(self, files: Sequence[Path], folder: Path) -> int:
        """Index the files and return the number of chunks."""
        from langchain_text_splitters import RecursiveCharacterTextSplitter

        splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK, chunk_overlap=OVERLAP)
        count, batch = 0, 1000
        store, documents = self._store(folder), read(files)
        while some := list(islice(documents, batch)):
            chunks = [
                (f"{one.title}\n{chunk}", {"document": one.id})
                for one in some
                for chunk in splitter.split_text(one.text)
            ]
            for start in range(0, len(chunks), batch):
                store.add_texts(*map(list, zip(*chunks[start : start + batch], strict=True)))
            count += len(chunks)
        return count

    def _store(self, folder: Path) -> Any:
        from langchain_chroma import Chroma

        return Chroma("plain", StaticEmbeddings.load(), persist_directory=str(folder / "langchain"))

    def open(self, folder: Path) -> Search:
        """Open the store."""
        store = self._store(folder)
        return lambda question: [one.metadata["document"] for one in store.similarity_search(question, DEPTH)]


class ChromaAlone:
    """Chroma with our passages' vectors and nothing else: what no store on it can do better."""

    def build(self, files: Sequence[Path], folder: Path) -> int:
        """Index the files and return the number of passages."""
        texts, owners = passages(files)
        embeddings, collection, batch = StaticEmbeddings.load(), self._collection(folder), 1000
        for start in range(0, len(texts), batch):
            ids = list(map(str, range(start, min(start + batch, len(texts)))))
            rows: list[Any] = list(embeddings.encode(texts[start : start + batch]))
            collection.add(ids, rows, [{"document": owner} for owner in owners[start : start + batch]])
        return len(texts)

    def _collection(self, folder: Path) -> Any:
        from assistant.stores import chroma_client

        return chroma_client(folder / "chroma").get_or_create_collection("alone", embedding_function=None)

    def open(self, folder: Path) -> Search:
        """Open the collection."""
        collection, embeddings = self._collection(folder), StaticEmbeddings.load()

        def search(question: str) -> list[str]:
            found = collection.query(embeddings.embed_query(question), n_results=DEPTH, include=["metadatas"])
            return [one["document"] for one in found["metadatas"][0]]

        return search


class RankBm25:
    """rank_bm25 over our passages and their tokens, kept as a pickle: it has no format of its own."""

    def build(self, files: Sequence[Path], folder: Path) -> int:
        """Index the files and return the number of passages."""
        from rank_bm25 import BM25Okapi

        texts, owners = passages(files)
        with (folder / "rank_bm25.pickle").open("wb") as file:
            pickle.dump((BM25Okapi([tokenize(text) for text in texts]), owners), file)
        return len(texts)

    def open(self, folder: Path) -> Search:
        """Load the pickle."""
        with (folder / "rank_bm25.pickle").open("rb") as file:
            engine, owners = pickle.load(file)

        def search(question: str) -> list[str]:
            scores = engine.get_scores(list(dict.fromkeys(tokenize(question))))
            return [owners[row] for row in np.argsort(-scores)[:DEPTH]]

        return search


class Bm25s:
    """bm25s over our passages and their tokens, memory-mapped."""

    def build(self, files: Sequence[Path], folder: Path) -> int:
        """Index the files and return the number of passages."""
        from bm25s import BM25

        texts, owners = passages(files)
        engine = BM25(method="lucene", k1=1.2, b=0.75)
        engine.index([tokenize(text) for text in texts], show_progress=False)
        engine.save(folder / "bm25s", corpus=None)
        (folder / "bm25s" / "owners.json").write_text(json.dumps(owners))
        return len(texts)

    def open(self, folder: Path) -> Search:
        """Open the index."""
        from bm25s import BM25

        engine = BM25.load(folder / "bm25s", mmap=True)
        owners = json.loads((folder / "bm25s" / "owners.json").read_text())

        def search(question: str) -> list[str]:
            ids = engine.get_tokens_ids(list(dict.fromkeys(tokenize(question))))
            scores = engine.get_scores_from_ids(ids) if ids else np.zeros(len(owners))
            best = np.argpartition(-scores, min(DEPTH, len(scores) - 1))[:DEPTH]
            return [owners[row] for row in best[np.argsort(-scores[best])]]

        return search


SYSTEMS: dict[str, Any] = {
    "ours": Ours, "langchain": Langchain, "chroma": ChromaAlone, "bm25s": Bm25s, "rank_bm25": RankBm25,
}  # fmt: skip


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the 50th, 95th and 99th percentile."""
    return {f"p{share}": round(percentile(values, share) or 0.0, 2) for share in (50, 95, 99)}


def timed(work: Callable[[str], Any], questions: Sequence[str]) -> list[float]:
    """Return the milliseconds that each question took, of as many as WARM_S has room for."""
    taken, end = list[float](), time.perf_counter() + WARM_S
    for question in questions:
        start = time.perf_counter()
        if start > end:
            break
        work(question)
        taken.append(1000 * (time.perf_counter() - start))
    return taken


def at_once(search: Search, questions: Sequence[str], threads: int) -> float:
    """Return how many searches a second so many threads make together."""
    done, end = [0] * threads, time.perf_counter() + THREADS_S

    def ask(number: int) -> None:
        for question in islice(cycle(questions), number, None):
            if time.perf_counter() > end:
                return
            search(question)
            done[number] += 1

    start, running = time.perf_counter(), [threading.Thread(target=ask, args=(one,)) for one in range(threads)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    return round(sum(done) / (time.perf_counter() - start), 1)


def stages(assistant: Assistant, questions: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return how long each stage of an answer takes; both arms are part of `retrieve`."""
    embeddings, found = StaticEmbeddings.load(), {"lexical arm": list[float](), "dense arm": list[float]()}
    end = time.perf_counter() + 2 * WARM_S
    for question in questions:
        if time.perf_counter() > end:
            break
        answer = assistant.ask(question, filters=AS_OF)
        for stage, ms in answer.timings_ms.items():
            found.setdefault(stage, []).append(ms)
        for arm in ("lexical", "dense"):
            one = HybridRetriever(index=assistant.index, embeddings=embeddings, filters=AS_OF, arms=(arm,))
            found[f"{arm} arm"] += timed(one.rankings, [answer.query])
    return {stage: spread(values) for stage, values in found.items()}


def recall(search: Search, asked: Sequence[TestQuestion]) -> dict[str, float]:
    """Return the share of questions with a document that answers among the first FIRST, and the questions' number."""
    found, end = [], time.perf_counter() + WARM_S
    for question in asked:
        if time.perf_counter() > end:
            break
        found.append(bool(set(list(dict.fromkeys(search(question.question)))[:FIRST]) & set(question.docs)))
    return {"recall": round(sum(found) / len(found), 4), "asked": len(found)}


def _memory() -> dict[str, int]:
    """Return this process's resident megabytes, and how many of them are its own and not pages of files."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    kilobytes = {name: int(status[key].split()[0]) for name, key in (("memory_mb", "VmRSS"), ("own_mb", "RssAnon"))}
    return {name: size * 1024 // 1_000_000 for name, size in kilobytes.items()}


def ask(system: Any, folder: Path) -> dict[str, Any]:
    """Open a system's index and ask it."""
    asked = [one for one in read_testset() if one.answerable and not one.history]
    questions = [one.question for one in asked]
    start = time.perf_counter()
    search = system.open(folder)
    search(questions[0])
    found: dict[str, Any] = {"open_s": round(time.perf_counter() - start, 2)}
    timed(search, questions[:50])
    found["search_ms"] = spread(timed(search, questions))
    found |= recall(search, asked)
    if isinstance(system, Ours):
        timed(system.assistant.ask, questions[:50])
        found["answer_ms"] = stages(system.assistant, questions)
    return {**found, **_memory()}


def crowd(system: Any, folder: Path) -> dict[str, Any]:
    """Open a system's index and search it from so many threads at once."""
    questions, search = [one.question for one in read_testset() if not one.history], system.open(folder)
    timed(search, questions[:20])
    return {"per_second": {threads: at_once(search, questions, threads) for threads in THREADS}}


def main() -> None:
    """Build or ask, and print what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=("build", "ask", "crowd"))
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("files", type=Path, nargs="*")
    options = parser.parse_args()
    stay_offline()
    system = SYSTEMS[options.system]()
    if options.task != "build":
        print(json.dumps({"ask": ask, "crowd": crowd}[options.task](system, options.folder)))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    count = system.build(options.files, options.folder)
    print(json.dumps({"passages": count, "build_s": round(time.perf_counter() - start, 2)}))


if __name__ == "__main__":
    main()
