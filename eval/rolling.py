"""Ask without a pause while the index rolls on: does any answer fail, or mix two generations, and how long does it take?

    python -m eval.rolling --data DIR [--size N] [--users N] [--seconds S] [--servers N] [--engine] [--work DIR]

A workload of eval/workload.py is indexed and served; so many users ask, each the next question as soon as the last one is
answered: the test set's, and one of each law that changes. After a third of the time CHANGED documents, laws among them,
get a line at their beginning, so all their spans move, and the ingest command brings the index in step. Afterwards each
quotation of such a document is compared with its text in the generation that the answer names. Several servers share the
index, with --engine also a Chroma server. All of it, the users too, shares this machine's processors.
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from assistant.config import stay_offline
from assistant.index import Index
from eval.bench import CORPUS, MALLOC
from eval.conformance import chroma_server
from eval.load import LIMITS, TIMEOUT_S, process
from eval.metrics import percentile
from eval.testset import read_testset
from eval.workload import write_workload

CHANGED, LAWS = 1000, 100  # documents, and how many of them are laws
LINE = "以下内容已重新发布。\n\n"
LOOK_S, WARM = 5.0, 12  # seconds between looks at the servers' memory, and after how many of them it is warm
Texts = dict[str, dict[str, str]]  # generation → id → text, of the documents that change


@dataclass(slots=True)
class Asked:
    """What the users saw: when each answer came, its milliseconds, and its generation and citations; and what went wrong."""

    answers: list[tuple[float, float, str, list[tuple[str, int, int, str]]]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: list[list[float]] = field(default_factory=list)  # a server's megabytes, one after the other


def changing(file: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return a workload's rows, and those among them that change: its first laws, then its first articles."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    laws = [row for row in rows if row.get("title")][:LAWS]
    return rows, laws + [row for row in rows if not row.get("title")][: CHANGED - len(laws)]


def write(file: Path, rows: Sequence[Mapping[str, Any]], changed: Sequence[Mapping[str, Any]]) -> None:
    """Write the rows, a line added to those that changed."""
    ids = {row["id"] for row in changed}
    lines = (
        json.dumps({**row, "text": LINE + row["text"]} if row["id"] in ids else row, ensure_ascii=False) for row in rows
    )
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def texts(root: Path, ids: set[str]) -> Texts:
    """Return the texts of these documents in the generation in service."""
    index = Index.open(root)
    found = {document.id: document.text for document in index.documents() if document.id in ids}
    index.close()
    return {index.manifest.generation: found}


@contextmanager
def serving(environment: Mapping[str, str], count: int) -> Iterator[list[str]]:
    """Run so many servers, with a workspace each, and give their addresses."""
    with ExitStack() as stack:
        addresses, running = list[str](), list[subprocess.Popen[str]]()
        for _ in range(count):
            workspace = stack.enter_context(tempfile.TemporaryDirectory())
            server = subprocess.Popen(
                [sys.executable, "-m", "assistant.cli", "serve", "--port", "0"], stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env={**environment, "JIADING_WORKSPACE": workspace},
            )  # fmt: skip
            running.append(server)
            stack.callback(server.wait)
            stack.callback(server.terminate)
            assert server.stdout
            found = re.search(r"http://\S+?:\d+", server.stdout.readline())
            if not found:
                raise SystemExit("服务没有启动")
            addresses.append(found[0])
        yield addresses


async def ask(client: httpx.AsyncClient, question: str, asked: Asked) -> None:
    """Ask one question and keep what came of it."""
    start = time.perf_counter()
    try:
        response = await client.post("/api/ask", json={"question": question})
    except httpx.HTTPError as error:
        asked.errors.append(f"{type(error).__name__}: {error}")
        return
    taken = 1000 * (time.perf_counter() - start)
    if response.status_code != 200:
        asked.errors.append(f"{response.status_code} {response.text[:200]}")
        return
    answer = response.json()
    cited = [
        (one["document_id"], one["start"], one["end"], one["quote"])
        for statement in answer["statements"] for one in statement["citations"]
    ]  # fmt: skip
    asked.answers.append((time.perf_counter(), taken, answer["generation"], cited))


async def crowd(
    addresses: Sequence[str], questions: Sequence[str], users: int, seconds: float, change: Sequence[str], environment: Mapping[str, str],
) -> tuple[Asked, float]:  # fmt: skip
    """Let the users ask, change the documents after a third of the time, and return what they saw and the seconds it took to change."""
    asked, end, changed_s = Asked(), time.perf_counter() + seconds, 0.0
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    clients = [httpx.AsyncClient(base_url=one, timeout=TIMEOUT_S, limits=limits) for one in addresses]

    async def user(number: int) -> None:
        for turn in itertools.count(number * len(questions) // users):
            if time.perf_counter() >= end:
                return
            await ask(clients[number % len(clients)], questions[turn % len(questions)], asked)

    async def look() -> None:
        while time.perf_counter() < end:
            asked.memory.append([(await process(client))[0] for client in clients])
            await asyncio.sleep(LOOK_S)

    async def amend() -> None:
        nonlocal changed_s
        await asyncio.sleep(seconds / 3)
        start = time.perf_counter()
        writer = await asyncio.create_subprocess_exec(
            *change, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        if await writer.wait():
            asked.errors.append("the index was not brought in step")
        changed_s = time.perf_counter() - start

    async with asyncio.TaskGroup() as group:
        for number in range(users):
            group.create_task(user(number))
        group.create_task(look())
        group.create_task(amend())
    for client in clients:
        await client.aclose()
    return asked, changed_s


def mixed(asked: Asked, known: Texts) -> tuple[int, int]:
    """Return how many quotations of changed documents were compared, and how many do not stand in their answer's generation."""
    compared = wrong = 0
    for _, _, generation, cited in asked.answers:
        for key, start, end, quote in cited:
            if any(key in documents for documents in known.values()):
                compared += 1
                wrong += known.get(generation, {}).get(key, "")[start:end] != quote
    return compared, wrong


def main() -> None:
    """Index, serve, ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--size", type=int, default=100_000)
    parser.add_argument("--users", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--servers", type=int, default=1)
    parser.add_argument("--engine", action="store_true", help="keep the vectors in a Chroma server")
    parser.add_argument("--work", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    stay_offline()
    options.work.mkdir(parents=True, exist_ok=True)
    write_workload(options.data, options.work / f"{options.size}.jsonl", options.size)
    rows, changed = changing(options.work / f"{options.size}.jsonl")
    questions = [one.question for one in read_testset()] + [
        f"《{row['title']}》的制定目的是什么？" for row in changed[:LAWS]
    ]
    ids = {row["id"] for row in changed}
    with tempfile.TemporaryDirectory(dir=options.work) as folder, ExitStack() as stack:
        root, file = Path(folder, "index"), Path(folder, "documents.jsonl")
        store = stack.enter_context(chroma_server(Path(folder, "chroma"))) if options.engine else ""
        environment = {
            "GLIBC_TUNABLES": MALLOC,
            **os.environ,
            **LIMITS,
            "JIADING_INDEX": str(root),
            "JIADING_STORE": store,
        }
        ingest = [sys.executable, "-m", "assistant.cli", "ingest", str(CORPUS), str(file)]
        write(file, rows, [])
        subprocess.run(ingest, env=environment, check=True, capture_output=True)
        known = texts(root, ids)
        write(file, rows, changed)
        addresses = stack.enter_context(serving(environment, options.servers))
        asked, changed_s = asyncio.run(crowd(addresses, questions, options.users, options.seconds, ingest, environment))
        known |= texts(root, ids)
    print(table(asked, changed_s, known, options.seconds))
    for error in sorted(set(asked.errors))[:5]:
        print(error, file=sys.stderr)


def table(asked: Asked, changed_s: float, known: Texts, seconds: float) -> str:
    """Return what was seen, as a table."""
    compared, wrong = mixed(asked, known)
    generations = [sum(one[2] == generation for one in asked.answers) for generation in known]
    looks = [asked.memory[at] for at in (0, min(WARM, len(asked.memory) - 1), -1)]
    spent = " / ".join(f"{percentile([one[1] for one in asked.answers], share) or 0:.0f}" for share in (50, 95, 99))
    rows = {
        "回答数；每秒": f"{len(asked.answers)}；{len(asked.answers) / seconds:.1f}",
        "出错": len(asked.errors),
        "一个回答 P50 / P95 / P99 毫秒": spent,
        "更新用时 秒": f"{changed_s:.1f}",
        "各代的回答数": " / ".join(map(str, generations)),
        "核对的引文（改过的资料）；与所写的一代不符": f"{compared}；{wrong}",
        "各服务内存 开始 / 一分钟后 / 结束；最高 MB": "；".join(
            f"{' / '.join(f'{one:.0f}' for one in seen)}；{max(one[at] for one in asked.memory):.0f}"
            for at, seen in enumerate(zip(*looks, strict=True))
        ),
    }  # fmt: skip
    return "\n".join(f"| {name} | {value} |" for name, value in rows.items())


if __name__ == "__main__":
    main()
