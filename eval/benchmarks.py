"""Named retrieval benchmarks from public data sets, each indexed as the product indexes a corpus."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import rjieba

from assistant.embedding import StaticEmbeddings
from assistant.index import Index
from assistant.ingest import Source, update
from assistant.retrieve import Filters
from assistant.schema import Document
from assistant.text import normalise

SEED = 20260822
DISTRACTORS = {"policy": 15_000, "policy_large": 40_000}  # news documents among the policy passages
TWIN = 25  # characters of an answer: a document that holds them answers too
LAW_DOCUMENTS, LAW_QUERIES = 1500, 1500
ANY_DAY = Filters(date(9999, 12, 31))


@dataclass(frozen=True, slots=True)
class Query:
    """A query, the documents that answer it, and the answers where the set has them."""

    text: str
    positives: frozenset[str]
    answers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Documents, and queries on them."""

    name: str
    documents: list[Document] = field(repr=False)
    queries: list[Query] = field(repr=False)

    def with_twins(self) -> "Benchmark":
        """Return the same with every document that holds the first characters of an answer as a positive."""
        texts = {document.id: normalise(document.text) for document in self.documents}
        queries = []
        for query in self.queries:
            told = [normalise(answer.strip())[:TWIN] for answer in query.answers if answer.strip()]
            twins = {key for key, text in texts.items() if any(words in text for words in told)}
            queries.append(Query(query.text, query.positives | twins, query.answers))
        return Benchmark(f"{self.name}, twins count", self.documents, queries)

    def index(self, folder: Path, embeddings: StaticEmbeddings) -> Index:
        """Open the benchmark's index below `folder`, built first where it is not there; other data, another index."""
        root = folder / f"{self.name}-{embeddings.fingerprint}"
        update(root, [Source(self.name, self.documents)], embeddings, embeddings.fingerprint, ())
        return Index.open(root, embeddings.fingerprint)


def rows(data: Path, name: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of a data set."""
    with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def load(name: str, data: Path) -> Benchmark:
    """Return a benchmark by name: policy, policy_large (some 100,000 passages), laws, or a set of questions (drcd.test)."""
    if name == "laws":
        return _laws(data)
    if name in DISTRACTORS:
        news = (row for row, _ in zip(rows(data, "news.passages"), range(DISTRACTORS[name]), strict=False))
        return Benchmark(
            name, _documents([*rows(data, "ncp_policy.passages"), *news]), _queries(data, "ncp_policy.queries.dev")
        )
    collection, split = name.split(".")
    queries = _queries(data, f"{collection}.queries.{split}")
    documents = _documents(rows(data, f"{collection}.passages"))
    if collection != "lecoqa":  # all articles of law, but only this split's passages of an encyclopaedia
        asked = {key for query in queries for key in query.positives}
        documents = [document for document in documents if document.id in asked]
    return Benchmark(name, documents, queries)


def _documents(found: Any) -> list[Document]:
    return [Document(str(row["id"]), row.get("title") or "", row["text"]) for row in found]


def _queries(data: Path, name: str) -> list[Query]:
    return [
        Query(row["query"], frozenset(map(str, row["positive_ids"])), tuple(row["answers"])) for row in rows(data, name)
    ]


_ASKED = "有什么规定？ 是怎么规定的？ 有哪些要求？ 如何规定？ 由谁负责？ 有什么政策？ 怎么办理？ 的标准是什么？ 应当怎么做？".split()
_SAID_EVERYWHERE = set("应当 可以 不得 按照 规定 进行 有关 依照".split())


def _laws(data: Path) -> Benchmark:
    """Make queries on local regulations: a place, and some words of one sentence of an article, as a company would ask.

    Many places have a regulation on the same matter, and the place stands in the title alone.
    """
    rng = random.Random(SEED)
    local = [row for row in rows(data, "laws.documents") if rjieba.tag(row["title"])[0][1] == "ns"]
    rng.shuffle(local)
    local = local[:LAW_DOCUMENTS]
    queries = []
    for row in local:
        place = rjieba.tag(row["title"])[0][0]
        subject = re.sub(r"(?:条例|规定|办法|实施细则|若干)+$", "", row["title"].removeprefix(place))
        articles = [a for a in re.split(r"\n+(?=第\S{1,6}条)", row["text"]) if 60 < len(a) < 600]
        for article in rng.sample(articles, min(2, len(articles))):
            sentences = [s for s in re.split(r"[。；\n]", re.sub(r"^第\S{1,6}条\s*", "", article)) if 15 < len(s) < 90]
            words = _telling(rng.choice(sentences)) if sentences else []
            if len(words) < 3:
                continue
            count = rng.randint(2, min(5, len(words)))
            start = rng.randint(0, len(words) - count)
            picked = [word for word in words[start : start + count + 1] if rng.random() < 0.85]
            if len(picked) < 2:
                continue
            named = ""
            form = rng.random()
            if form < 0.75:
                named = rng.choice([place, re.sub("(?<=..)[省市]$", "", place)]) + rng.choice(["", "对", "关于", "在"])
            if form < 0.25:
                named += subject[:10] + rng.choice(["中", "方面", "对", ""])
            queries.append(Query(f"{named}{''.join(picked)}{rng.choice(_ASKED)}", frozenset({str(row["id"])})))
    rng.shuffle(queries)
    return Benchmark("laws", _documents(local), queries[:LAW_QUERIES])


def _telling(sentence: str) -> list[str]:
    tagged = rjieba.tag(sentence)
    return [w for w, t in tagged if len(w) > 1 and t[0] in "nva" and w not in _SAID_EVERYWHERE]
