"""Measure the product at 1,000 to 1,000,000 passages, beside what could be used in its place, in one run.

    python -m eval.bench --data DIR [--size N …] [--system NAME …] [--work DIR] [--save]

DIR holds news.passages.jsonl.gz and laws.documents.jsonl.gz; eval/workload.py says how a workload is made of them and of
the corpus, eval/systems.py what is compared. Each system indexes each size in a process of its own, then answers the test
set's questions in another, on one core, then is searched from many threads. Memory is the resident memory of the process and
its children, looked at ten times a second. LARGEST is how far a system is taken, for what comes after takes hours or more
memory than two cores come with. The file cache is as the run before left it. With --save the figures are kept in eval/results/, with the machine's; of the same program, beside those kept before.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.external import RESULTS, machine
from eval.run import program_commit
from eval.systems import SYSTEMS
from eval.workload import write_workload

SIZES = (1_000, 10_000, 100_000, 1_000_000)
LARGEST = {"langchain": 100_000, "bm25s": 100_000, "rank_bm25": 100_000}  # passages
CORPUS = Path("corpus")
MALLOC = "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=1"  # as deploy/ sets it; GLIBC_TUNABLES= measures without
CHANGED = "示范区氢能大厦共有4871家企业入驻。"  # stands in no other document
REFUSED = 1  # exit code of an ingest that refused some documents, and indexed the rest
QUESTION = "示范区氢能大厦有多少家企业？"


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took: seconds, megabytes at its peak, and what it printed."""

    seconds: float
    peak_mb: float
    output: str


def run(*arguments: str, one_core: bool = False) -> Run:
    """Run a module and watch it. Raises SystemExit with what it complained of."""
    start, peak = time.perf_counter(), 0
    command = [sys.executable, "-m", *arguments]
    cores, environment = os.sched_getaffinity(0), {"GLIBC_TUNABLES": MALLOC, **os.environ}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        preexec_fn=lambda: os.sched_setaffinity(0, {max(cores)} if one_core else cores),
    ) as process:  # fmt: skip
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(0.1)
        seconds, (output, errors) = time.perf_counter() - start, process.communicate()
    if process.returncode not in (0, REFUSED):
        raise SystemExit(f"{' '.join(arguments)}: {errors[-2000:]}")
    return Run(seconds, peak / 1e6, output)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0


def change_one(file: Path, changed: Path) -> None:
    """Write the file again with a sentence added to the document in its middle."""
    lines = file.read_text(encoding="utf-8").splitlines()
    entry = json.loads(lines[len(lines) // 2])
    lines[len(lines) // 2] = json.dumps({**entry, "text": f"{entry['text']}\n\n{CHANGED}"}, ensure_ascii=False)
    changed.write_text("\n".join(lines) + "\n", encoding="utf-8")


def measure(system: str, size: int, file: Path, folder: Path) -> dict[str, Any]:
    """Return what a system takes for a workload, its index left in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    place = ["--folder", str(folder)]
    built = run("eval.systems", "build", system, str(CORPUS), str(file), *place)
    found = {
        "system": system, "size": size, **json.loads(built.output), "build_mb": round(built.peak_mb),
        "disk_mb": round(sum(one.stat().st_size for one in folder.rglob("*") if one.is_file()) / 1e6, 1),
    }  # fmt: skip
    asked = run("eval.systems", "ask", system, *place, one_core=True)
    found |= {**json.loads(asked.output), "ask_mb": round(asked.peak_mb)}
    found |= json.loads(run("eval.systems", "crowd", system, *place).output)
    return found


def amended(file: Path, folder: Path) -> dict[str, Any]:
    """Return what the command line takes for a workload that is indexed: nothing changed, one document changed, one question."""
    index = ("--index", str(folder / "index"))
    again = run("assistant.cli", "ingest", str(CORPUS), str(file), *index)
    asked = run("assistant.cli", "ask", QUESTION, *index)
    before = file.with_suffix(".before")
    file.rename(before)
    try:
        change_one(before, file)
        changed = run("assistant.cli", "ingest", str(CORPUS), str(file), *index)
        right = "4871" in run("assistant.cli", "ask", QUESTION, *index).output
    finally:
        before.replace(file)
    return {
        "unchanged_s": round(again.seconds, 2), "changed_s": round(changed.seconds, 2), "changed_is_answered": right,
        "cold_ask_s": round(asked.seconds, 2), "cold_ask_mb": round(asked.peak_mb),
    }  # fmt: skip


def row(found: dict[str, Any]) -> str:
    """Return the table's row of what was measured."""
    search, whole = found["search_ms"], found.get("answer_ms", {}).get("total")
    figures = (
        found["system"], f"{found['passages']:,}", f"{found['passages'] / found['build_s']:,.0f}", found["build_mb"],
        found["disk_mb"], found["open_s"], *(f"{search[p]:.1f}" for p in ("p50", "p95", "p99")),
        "/".join(f"{whole[p]:.0f}" for p in ("p50", "p95", "p99")) if whole else "", f"{found['recall']:.3f}",
        "/".join(f"{value:.0f}" for value in found["per_second"].values()), found["ask_mb"],
        *(found.get(name, "") for name in ("cold_ask_s", "changed_s", "unchanged_s")),
    )  # fmt: skip
    return f"| {' | '.join(map(str, figures))} |"


HEADS = (
    "系统", "段落", "入库 段/秒", "入库峰值 MB", "占盘 MB", "打开 秒", "检索 P50", "P95", "P99 毫秒", "整个回答 P50/P95/P99 毫秒",
    "召回@5", "同时 1/8/64 每秒", "提问峰值 MB", "冷启动问一题 秒", "改一份 秒", "不变再跑 秒",
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and, if asked, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--size", type=int, nargs="*", default=SIZES)
    parser.add_argument("--system", nargs="*", default=list(SYSTEMS), choices=SYSTEMS)
    parser.add_argument("--work", type=Path, default=Path("build/bench"))
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args(arguments)
    options.work.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    print(f"| {' | '.join(HEADS)} |\n|{' --- |' * len(HEADS)}")
    for size in options.size:
        file = options.work / f"{size}.jsonl"
        write_workload(options.data, file, size)
        for system in options.system:
            if size > LARGEST.get(system, size):
                continue
            folder = options.work / f"{system}-{size}"
            rows.append(measure(system, size, file, folder))
            if system == "ours":
                rows[-1] |= amended(file, folder)
            else:
                shutil.rmtree(folder)
            print(row(rows[-1]), flush=True)
            if options.save:
                save(rows, RESULTS / f"bench-{program_commit().rstrip('+')}.json")


def save(rows: Sequence[dict[str, Any]], file: Path) -> None:
    """Keep the rows in a file, beside those that an earlier run of this program left there of other systems and sizes."""
    before = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else []
    kept = {(one["system"], one["size"]): one for one in (*before, *rows)}
    content = {
        "commit": program_commit(),
        "machine": machine(),
        "rows": [kept[key] for key in sorted(kept, key=_order)],
    }
    file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _order(key: tuple[str, int]) -> tuple[int, int]:
    return key[1], list(SYSTEMS).index(key[0])


if __name__ == "__main__":
    main()
