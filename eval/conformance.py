"""Ask a test set on every engine of vectors: does each give the passages and the answers that the embedded Chroma gives?

    python -m eval.conformance [PATH …] [--testset FILE] [--engine NAME …]

Each engine is started here, in an empty folder: Chroma's server, Milvus Lite in a file, and the same behind its own
server, reached as Milvus Standalone is. What the paths hold, corpus/ unless told, is ingested into each. Exact: the
questions for which an arm's 50 passages are those that comparing with every passage gives; same: those with the same
passages after reranking, and with the same answer, word by word. Passages whose scores differ by less than TIE of them
may change places, and either may have an arm's last place. Disk is what the index and the engine take together.
"""

import argparse
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from langchain_core.embeddings import Embeddings

from assistant.config import Settings, stay_offline
from assistant.index import Index
from assistant.ingest import ingest
from assistant.models import load_assistant, load_embeddings, load_store
from assistant.pipeline import Assistant
from assistant.retrieve import CANDIDATES, Filters, HybridRetriever
from eval.testset import TESTSET, TestQuestion, read_testset

TIE = 1e-5  # relative: float32 sums in another order
STARTS_S = 60  # a server has so long to start


@contextmanager
def embedded(folder: Path) -> Iterator[str]:
    """Use Chroma in the index's own folder: the setting that leads to it."""
    yield ""


@contextmanager
def chroma_server(folder: Path) -> Iterator[str]:
    """Run a Chroma server that keeps its data in a folder: the setting that leads to it."""
    program = Path(sysconfig.get_path("scripts")) / "chroma"
    with _served(folder, lambda port: [str(program), "run", "--path", str(folder), "--port", str(port)]) as port:
        yield f"chroma+http://127.0.0.1:{port}"


@contextmanager
def milvus_file(folder: Path) -> Iterator[str]:
    """Use Milvus Lite in a file, within this process: the setting that leads to it."""
    from milvus_lite.server_manager import server_manager_instance

    folder.mkdir(parents=True, exist_ok=True)
    yield f"milvus:{folder / 'milvus.db'}"
    server_manager_instance.release_server(str(folder / "milvus.db"))


@contextmanager
def milvus_server(folder: Path) -> Iterator[str]:
    """Run Milvus Lite's server, which keeps its data in a folder: the setting that leads to it."""
    command = [sys.executable, "-m", "milvus_lite", "server", "--host", "127.0.0.1", "--data-dir", str(folder)]
    with _served(folder, lambda port: [*command, "--port", str(port)]) as port:
        yield f"milvus+http://127.0.0.1:{port}"


ENGINES = {
    "chroma": embedded,
    "chroma server": chroma_server,
    "milvus lite": milvus_file,
    "milvus server": milvus_server,
}
ARMS = ("lexical", "dense")


@contextmanager
def _served(folder: Path, command: Callable[[int], list[str]]) -> Iterator[int]:
    """Run a server on a free port of this machine until the end; its port."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(command(port), stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + STARTS_S
        while not _listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((folder / "server.log").read_text(errors="replace")[-2000:])
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Asked:
    """What an engine gave for a question: rows by arm and whether they are exact; the hits with their scores; the answer."""

    found: dict[str, list[int]]
    exact: dict[str, bool]
    hits: list[tuple[str, float]]
    answer: dict[str, Any]
    retrieve_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an engine gave for all questions, and what it took: seconds to ingest, megabytes on disk."""

    asked: list[Asked]
    passages: int
    index_s: float
    disk_mb: float


class Exact:
    """What the arms should find, by comparing with every passage of an index."""

    def __init__(self, index: Index, embeddings: Embeddings) -> None:
        self._index, self._embeddings = index, embeddings
        rows = [row for (row,) in index.fetch("SELECT row FROM passages ORDER BY row")]
        batches = (rows[start : start + 1000] for start in range(0, len(rows), 1000))
        vectors = {row: vector for batch in batches for row, vector in index.stored(batch).items()}
        self._vectors = np.array([vectors[row] for row in rows])

    def holds(self, found: dict[str, list[int]], query: str, allowed: np.ndarray) -> dict[str, bool]:
        """Return by arm whether the rows found are the best, but for ties."""
        lexical = np.zeros(len(self._vectors))
        for row, score in self._index.lexical.search(query, len(lexical)):
            lexical[row] = score
        dense = self._vectors @ np.array(self._embeddings.embed_query(query))
        scores = {"lexical": (lexical, allowed & (lexical > 0)), "dense": (dense, allowed)}
        return {arm: _best(rows, *scores[arm]) for arm, rows in found.items()}


def _best(rows: list[int], scores: np.ndarray, usable: np.ndarray) -> bool:
    best = np.sort(scores[usable])[::-1][:CANDIDATES]
    return len(rows) == len(best) and np.allclose(scores[rows], best, rtol=TIE, atol=TIE)


def measure(
    engine: str, folder: Path, sources: Sequence[Path], questions: Sequence[TestQuestion], as_of: date
) -> Outcome:
    """Start an engine in an empty folder, ingest into it, and ask it every question."""
    with ENGINES[engine](folder / "engine") as address:
        settings = Settings(index=folder / "index", store=address)
        embeddings, fingerprint = load_embeddings(settings)
        started = time.perf_counter()
        ingest(sources, settings.index, embeddings, fingerprint, lambda *_: None, load_store(settings))
        index_s = time.perf_counter() - started
        with closing(load_assistant(settings)) as assistant:
            exact, passages = Exact(assistant.index, embeddings), assistant.index.manifest.passages
            assistant.ask(questions[0].question)  # the first loads what the next ones use
            asked = [_ask(assistant, embeddings, exact, one, Filters(one.as_of or as_of)) for one in questions]
    disk = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Outcome(asked, passages, index_s, disk / 1e6)


def _ask(assistant: Assistant, embeddings: Embeddings, exact: Exact, question: TestQuestion, filters: Filters) -> Asked:
    answer = assistant.ask(question.question, question.history, filters)
    rankings = HybridRetriever(index=assistant.index, embeddings=embeddings, filters=filters).rankings(answer.query)
    fields = {key: value for key, value in asdict(answer).items() if key not in ("timings_ms", "generation", "hits")}
    return Asked(
        rankings,
        exact.holds(rankings, answer.query, filters.mask(assistant.index.rows)),
        [(one.passage.id, one.score) for hit in answer.hits for one in (hit, *hit.twins)],
        fields,
        answer.timings_ms.get("retrieve", 0.0),
    )


def same_passages(one: Asked, other: Asked) -> bool:
    """Return whether two engines gave the same hits in the same order, but for ties: of hits, or for an arm's last place."""
    if all((*one.exact.values(), *other.exact.values())) and _sets(one) != _sets(other):
        return True  # both arms found passages as good as any, and some others
    scores = dict(one.hits)
    if scores.keys() != dict(other.hits).keys():
        return False
    order = [scores[key] for key, _ in other.hits]
    return np.allclose(order, [score for _, score in one.hits], rtol=TIE, atol=TIE)


def _sets(asked: Asked) -> dict[str, set[int]]:
    return {arm: set(rows) for arm, rows in asked.found.items()}


def row(engine: str, outcome: Outcome, reference: Outcome) -> str:
    """Return the table's row of an engine, against the reference."""
    pairs = list(zip(outcome.asked, reference.asked, strict=True))
    exact = [sum(one.exact.get(arm, True) for one in outcome.asked) for arm in ARMS]
    hits = sum(same_passages(one, other) for one, other in pairs)
    answers = sum(one.answer == other.answer for one, other in pairs)
    p50, p95 = np.percentile([one.retrieve_ms for one in outcome.asked], [50, 95])
    return (
        f"| {engine} | {outcome.passages} | {len(pairs)} | {exact[0]} | {exact[1]} | {hits} | {answers} "
        f"| {p50:.1f} / {p95:.1f} | {outcome.index_s:.1f} | {outcome.disk_mb:.1f} |"
    )


def main() -> None:
    """Measure each engine and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", type=Path, nargs="*", default=[Path("corpus")], metavar="PATH")
    parser.add_argument("--testset", type=Path, default=TESTSET)
    parser.add_argument("--engine", nargs="*", default=list(ENGINES), choices=ENGINES)
    options = parser.parse_args()
    stay_offline()
    questions = read_testset(options.testset)
    print(
        "| 向量库 | 段落 | 题 | 词法精确 | 向量精确 | 段落相同 | 回答相同 | 检索 P50 / P95 毫秒 | 建索引 秒 | 占盘 MB |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    reference: Outcome | None = None
    for engine in ("chroma", *(name for name in options.engine if name != "chroma")):
        with tempfile.TemporaryDirectory() as folder:
            outcome = measure(engine, Path(folder), options.paths, questions, date.today())
        reference = reference or outcome
        print(row(engine, outcome, reference), flush=True)


if __name__ == "__main__":
    main()
