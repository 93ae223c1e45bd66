"""Kill the server, the writer and the engine again and again while questions are asked: is anything lost, or half visible?

    python -m eval.kills [--kills N] [--users N] [--data DIR]

The shipped corpus, FILLER passages of news where DIR is given, and two documents that tell the same number are indexed into
a Chroma server and served. A writer gives both documents the next number and runs the ingest command, over and over, and
users ask for both numbers. At random moments one of the three gets SIGKILL, its children too; what ended is started again
at once, as systemd or compose would, and nothing else is done. Right is an answer with two equal numbers, the same for all
answers of its generation, none smaller than one that was answered before it was asked, nor than the last that an ingest had
completed LAG_S before: a server takes up a new generation within a second or two. While something is down a question may be
refused, in words or by a closed connection. Restored is the time from the kill to the next right answer.
"""

import argparse
import asyncio
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from assistant.config import stay_offline
from eval.bench import CORPUS
from eval.load import LIMITS
from eval.metrics import percentile
from eval.workload import write_workload

SEED, FILLER = 20261127, 1000
QUESTION = "示范区氢能大厦和示范区海洋中心各有多少家企业？"
PLACES = ("示范区氢能大厦", "示范区海洋中心")
FIRST = 1001  # the numbers that are told: four digits
PAUSE_S = (0.2, 4.0)  # between one thing running again and the next kill
LAG_S = 5.0  # after which a completed ingest must be answered from
RESTORED_S = 120.0  # the longest that all may take to answer again
VICTIMS = ("server", "writer", "engine")


@dataclass
class Seen:
    """What was answered: how many times which way; the number that each generation tells; and how long it took to be restored."""

    counts: Counter[str] = field(default_factory=Counter)
    numbers: dict[str, str] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    restored_s: dict[str, list[float]] = field(default_factory=dict)
    last_right: float = 0.0
    most: int = 0  # the largest number answered


class Program:
    """A command that is started again whenever it ends."""

    def __init__(
        self, command: list[str], environment: dict[str, str], again: Callable[[int], None] = lambda code: None
    ) -> None:
        self._command, self._environment, self._again = command, environment, again
        self.process: subprocess.Popen[bytes] | None = None

    async def run(self) -> None:
        """Start it again and again, until this is cancelled."""
        try:
            while True:
                self._again(self.process.returncode if self.process else 0)
                self.process = subprocess.Popen(
                    self._command, env=self._environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )  # fmt: skip
                while self.process.poll() is None:
                    await asyncio.sleep(0.05)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill it with all its children, if it runs."""
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)


class Writing:
    """The two documents and the number in them."""

    def __init__(self, file: Path) -> None:
        self._file, self._written = file, FIRST - 1
        self.committed: list[tuple[float, int]] = []  # when, and the number

    def next(self, code: int) -> None:
        """Write the next number, if the last is in the index, which the ingest command's exit code tells."""
        if code == 0:
            if self._written >= FIRST:
                self.committed.append((time.perf_counter(), self._written))
            self._written += 1
        rows = [{"id": place, "title": place, "text": f"{place}共有{self._written}家企业。"} for place in PLACES]
        self._file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")

    def due(self) -> int:
        """Return the number that an answer must tell by now, at least."""
        before = time.perf_counter() - LAG_S
        return max((number for at, number in self.committed if at <= before), default=0)


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


async def ask(client: httpx.AsyncClient, writing: Writing, seen: Seen) -> None:
    """Ask once, and judge the answer."""
    least = max(writing.due(), seen.most)
    try:
        response = await client.post("/api/ask", json={"question": QUESTION})
    except httpx.HTTPError:
        seen.counts["closed"] += 1
        await asyncio.sleep(0.1)
        return
    if response.status_code != 200:
        seen.counts[f"{response.status_code}"] += 1
        await asyncio.sleep(0.1)
        return
    answer = response.json()
    text = " ".join(one["text"] for one in answer["statements"])
    found, generation = re.findall(r"共有(\d{4})家", text), answer["generation"]
    number = found[0] if found else ""
    if (
        len(found) == 2
        and found[0] == found[1]
        and int(number) >= least
        and seen.numbers.setdefault(generation, number) == number
    ):
        seen.counts["right"] += 1
        seen.most = max(seen.most, int(number))
        seen.last_right = time.perf_counter()
    else:
        seen.counts["wrong"] += 1
        seen.wrong.append(f"{generation} {found} 至少 {least}：{text[:200]}")


async def kill(programs: dict[str, Program], seen: Seen, times: int) -> None:
    """Kill one after the other, each once all is well again. Raises TimeoutError where it does not come back."""
    draw = random.Random(SEED)
    for _ in range(times):
        await asyncio.sleep(draw.uniform(*PAUSE_S))
        victim = draw.choice(VICTIMS)
        async with asyncio.timeout(RESTORED_S):
            while not (running := programs[victim].process) or running.poll() is not None:
                await asyncio.sleep(0.02)
            programs[victim].kill()
            start = time.perf_counter()
            while seen.last_right <= start + 0.2:  # an answer may have been on its way
                await asyncio.sleep(0.02)
        seen.restored_s.setdefault(victim, []).append(seen.last_right - start)


async def trial(folder: Path, sources: list[Path], times: int, users: int) -> tuple[Seen, Writing]:
    """Run everything until so many kills are done and all is well."""
    engine, port = free_port(), free_port()
    file, seen = folder / "numbers.jsonl", Seen()
    environment = {
        **os.environ, **LIMITS, "JIADING_STORE": f"chroma+http://127.0.0.1:{engine}",
        "JIADING_INDEX": str(folder / "index"), "JIADING_WORKSPACE": str(folder / "workspace"),
    }  # fmt: skip
    writing, cli = Writing(file), [sys.executable, "-m", "assistant.cli"]
    chroma = str(Path(sysconfig.get_path("scripts")) / "chroma")
    programs = {
        "engine": Program([chroma, "run", "--path", str(folder / "chroma"), "--port", str(engine)], environment),
        "writer": Program([*cli, "ingest", *map(str, [*sources, file])], environment, writing.next),
        "server": Program([*cli, "serve", "--port", str(port)], environment),
    }
    running = [asyncio.create_task(one.run()) for one in programs.values()]

    async def user() -> None:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            while True:
                await ask(client, writing, seen)

    running += [asyncio.create_task(user()) for _ in range(users)]
    try:
        async with asyncio.timeout(RESTORED_S):
            while not seen.counts["right"]:
                await asyncio.sleep(0.1)
        seen.counts.clear()
        await kill(programs, seen, times)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    return seen, writing


def main() -> None:
    """Try it and print what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--users", type=int, default=4)
    parser.add_argument("--data", type=Path)
    options = parser.parse_args()
    stay_offline()
    with tempfile.TemporaryDirectory() as place:
        folder, sources = Path(place), [CORPUS]
        if options.data:
            sources.append(folder / "filler.jsonl")
            write_workload(options.data, sources[-1], FILLER)
        seen, writing = asyncio.run(trial(folder, sources, options.kills, options.users))
        environment = {
            **os.environ,
            "JIADING_WORKSPACE": str(folder / "workspace"),
            "JIADING_INDEX": str(folder / "index"),
        }
        audit = subprocess.run(
            [sys.executable, "-m", "assistant.cli", "audit", "verify"], env=environment, capture_output=True, text=True
        )
    for victim, taken in seen.restored_s.items():
        print(f"| {victim} | {len(taken)} 次 | 恢复 中位 / 最长 {percentile(taken, 50):.1f} / {max(taken):.1f} 秒 |")
    refused = {name: number for name, number in seen.counts.items() if name not in ("right", "wrong")}
    print(f"| 回答 对 / 错 | {seen.counts['right']} / {seen.counts['wrong']} | 没有回答（停着的时候）{refused} |")
    print(
        f"| 更新 | 写完 {len(writing.committed)} 次 | 见到 {len(seen.numbers)} 代，审计日志：{audit.stdout.strip()} |"
    )
    for one in seen.wrong[:5]:
        print(one, file=sys.stderr)


if __name__ == "__main__":
    main()
