"""Measure the server under load: many users at once, each asking the test set's questions through the streaming API.

    python -m eval.load [--users 1,50] [--seconds 60] [--url ADDRESS] [--token TOKEN]
    python -m eval.load --browser [--url ADDRESS]

The second asks on the page, in a real browser, one reader's BROWSER_QUESTIONS questions spread over the test set.

Without an address it starts a server of its own, with a workspace of its own and no limit of questions. A user asks the next question as soon as the last one is answered, and
this program shares the processors with the server, so the figures are worse than readers would see.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx

from assistant.chat import MODEL
from eval.metrics import percentile
from eval.testset import read_testset

TIMEOUT_S = 60.0
LIMITS = dict.fromkeys(
    ("JIADING_RATE_PER_MINUTE", "JIADING_USER_RATE_PER_MINUTE"), "1000000"
)  # all ask from one address
BROWSER_QUESTIONS = 20


@dataclass(slots=True)
class Load:
    """What the users saw: milliseconds until the first words and until the end, and what went wrong."""

    first_ms: list[float] = field(default_factory=list)
    total_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


async def ask(client: httpx.AsyncClient, question: str, load: Load) -> None:
    """Ask one question and note when its first words and its end came."""
    body = {"model": MODEL, "stream": True, "messages": [{"role": "user", "content": question}]}
    start, first, last = time.perf_counter(), 0.0, ""
    try:
        async with client.stream("POST", "/v1/chat/completions", json=body) as response:
            if response.status_code != 200:
                load.errors.append(f"{response.status_code} {(await response.aread()).decode()[:200]}")
                return
            async for line in response.aiter_lines():
                if line:
                    first, last = first or time.perf_counter(), line
    except httpx.HTTPError as error:
        load.errors.append(f"{type(error).__name__}: {error}")
        return
    if last != "data: [DONE]":
        load.errors.append(f"broken off: {question}")
        return
    load.first_ms.append(1000 * (first - start))
    load.total_ms.append(1000 * (time.perf_counter() - start))


async def run(client: httpx.AsyncClient, questions: Sequence[str], users: int, seconds: float) -> Load:
    """Let so many users ask for so long; no two begin with the same question."""
    load, end = Load(), time.perf_counter() + seconds

    async def user(number: int) -> None:
        for turn in count(number * len(questions) // users):
            if time.perf_counter() >= end:
                return
            await ask(client, questions[turn % len(questions)], load)

    async with asyncio.TaskGroup() as group:
        for number in range(users):
            group.create_task(user(number))
    return load


async def process(client: httpx.AsyncClient) -> tuple[float, float]:
    """Return the server's resident memory in megabytes and the processor seconds it has used, as it tells them itself."""
    text = (await client.get("/metrics")).text
    names = ("process_resident_memory_bytes", "process_cpu_seconds_total")
    found = [re.search(rf"^{name} (\S+)", text, re.MULTILINE) for name in names]
    memory, seconds = (float(match[1]) if match else float("nan") for match in found)
    return memory / 1e6, seconds


@contextmanager
def server(url: str) -> Iterator[str]:
    """Give the address, of a server started for this if none is given."""
    if url:
        yield url
        return
    command = [sys.executable, "-m", "assistant.cli", "serve", "--port", "0"]
    with (
        tempfile.TemporaryDirectory() as workspace,
        subprocess.Popen(
            command, env={**os.environ, **LIMITS, "JIADING_WORKSPACE": workspace}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, encoding="utf-8",
        ) as process,
    ):  # fmt: skip
        assert process.stdout
        found = re.search(r"http://\S+?:\d+", process.stdout.readline())
        if not found:
            raise SystemExit("服务没有启动，请先运行 jiading-assistant ingest")
        try:
            yield found[0]
        finally:
            process.terminate()
            process.wait()


async def measure(url: str, token: str, users: Sequence[int], seconds: float) -> None:
    """Print a row for each number of users."""
    questions = [question.question for question in read_testset()]
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    print(
        "| 同时的用户 | 回答数 | 每秒 | 首句 P50 / P95 毫秒 | 全文 P50 / P95 毫秒 | 出错 | 服务用去的处理器时间 毫秒/答 | 内存 开始 / 结束 MB |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    async with httpx.AsyncClient(base_url=url, headers=headers, timeout=TIMEOUT_S, limits=limits) as client:
        for number in users:
            before, start = await process(client), time.perf_counter()
            load = await run(client, questions, number, seconds)
            took, after = time.perf_counter() - start, await process(client)
            print(row(number, load, took, before, after), flush=True)
            for error in sorted(set(load.errors))[:5]:
                print(json.dumps(error, ensure_ascii=False), file=sys.stderr)


def row(users: int, load: Load, took: float, before: tuple[float, float], after: tuple[float, float]) -> str:
    """Return the table's row; `before` and `after` are the server's memory and processor seconds."""
    answers = len(load.total_ms)
    first, total = (
        " / ".join(f"{percentile(times, share) or 0:.0f}" for share in (50, 95))
        for times in (load.first_ms, load.total_ms)
    )
    used = 1000 * (after[1] - before[1]) / max(1, answers)
    return (
        f"| {users} | {answers} | {answers / took:.1f} | {first} | {total} | {len(load.errors)} | {used:.1f} "
        f"| {before[0]:.0f} / {after[0]:.0f} |"
    )


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="")
    parser.add_argument("--token", default="")
    parser.add_argument("--users", default="1,50")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    with server(options.url) as url:
        if options.browser:
            from eval.first_words import first_words, table  # the browser is needed for nothing else

            questions = [question.question for question in read_testset()]
            print(table(first_words(url, questions[:: len(questions) // BROWSER_QUESTIONS][:BROWSER_QUESTIONS])))
            return
        asyncio.run(measure(url, options.token, [int(n) for n in options.users.split(",")], options.seconds))


if __name__ == "__main__":
    main()
