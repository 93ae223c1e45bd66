"""Write the bench's fixed workloads: so many passages of real text, the larger ones by varying it.

The shipped corpus comes first, for its test set is asked. Then come news articles and laws, LAW_EVERY articles to a law, as
they are, until both are used up: some 310,000 passages. Past that, each further round takes every document again, varied: each
of its sentences is replaced, with a chance of REPLACED, by one from anywhere among the same source's documents, and every
figure in it is changed. So the words and the lengths are those of real text, no two documents are the same, and what the
documents say is not to be believed. Nothing is drawn but from SEED: a workload is the same on every machine, and each
holds the smaller ones.
"""

import gzip
import json
import random
import re
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from assistant.schema import Document
from assistant.split import split

SEED = 20261127
LAW_EVERY = 20  # about as in the data: 69,538 articles and 3,475 laws
REPLACED = 0.5
SOURCES = {"news": "news.passages", "laws": "laws.documents"}
_SENTENCE = re.compile(r"[^。\n]*[。\n]|[^。\n]+$")
_FIGURE = re.compile(r"\d{2,}")
Row = dict[str, Any]


def documents(data: Path) -> Iterator[Row]:
    """Yield the workload's documents without end, the same each time, as rows of {id, title, text}."""
    sources = {name: _rows(data / f"{file}.jsonl.gz") for name, file in SOURCES.items()}
    yield from _interleaved(sources)
    pools = {name: [text for row in rows for text in _SENTENCE.findall(row["text"])] for name, rows in sources.items()}
    for number in count(1):
        draw = random.Random(SEED + number)
        yield from _interleaved({
            name: [_varied(row, number, pools[name], draw) for row in rows] for name, rows in sources.items()
        })  # fmt: skip


def _rows(file: Path) -> list[Row]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [{name: row[name] for name in ("id", "title", "text") if name in row} for row in map(json.loads, lines)]


def _interleaved(sources: dict[str, list[Row]]) -> Iterator[Row]:
    news, laws = sources["news"], iter(sources["laws"])
    for number, row in enumerate(news, 1):
        yield row
        if number % LAW_EVERY == 0:
            yield from (law for law in [next(laws, None)] if law)
    yield from laws


def _varied(row: Row, number: int, pool: list[str], draw: random.Random) -> Row:
    sentences = (
        draw.choice(pool) if draw.random() < REPLACED and not sentence.isspace() and sentence[0] not in "#第" else sentence
        for sentence in _SENTENCE.findall(row["text"])
    )  # fmt: skip
    text = _FIGURE.sub(lambda match: str(draw.randrange(10 ** len(match[0]))), "".join(sentences))
    title = {"title": f"{row['title']}（{number}）"} if row.get("title") else {}
    return {"id": f"{row['id']}-{number}", **title, "text": text}


def write_workload(data: Path, file: Path, passages: int) -> int:
    """Write documents of about so many passages as JSON lines, unless the file is there, and return how many there are."""
    if not file.exists():
        beside, left = file.with_suffix(".new"), passages
        with beside.open("w", encoding="utf-8") as out:
            for row in documents(data):
                if not row["text"].strip():
                    continue  # what a short one became
                left -= len(split(Document(row["id"], row.get("title", ""), row["text"])))
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                if left <= 0:
                    break
        beside.replace(file)
    with file.open(encoding="utf-8") as lines:
        return sum(1 for _ in lines)
