"""Measure indexing as a user runs it: speed, memory and size as the corpus grows, and one changed document.

    python -m eval.bench --data DIR [--sizes 1000,10000,all]

DIR holds news.passages.jsonl.gz and laws.documents.jsonl.gz. Each size takes that many news articles; `all` takes every
article and every law. Memory is the resident memory of the command and its children together, looked at ten times a second.
"""

import argparse
import gzip
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

CHANGED = "示范区氢能大厦共有4871家企业入驻。"  # stands in no other document
QUESTION = "示范区氢能大厦有多少家企业？"


@dataclass(frozen=True, slots=True)
class Run:
    """What a command took: seconds, megabytes at its peak, and what it printed."""

    seconds: float
    peak_mb: float
    output: str


def run(*arguments: str) -> Run:
    """Run the assistant's command line and watch it."""
    start, peak = time.perf_counter(), 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "assistant.cli", *arguments], stdout=output, stderr=subprocess.DEVNULL
        )
        while process.poll() is None:
            peak = max(peak, sum(map(_resident, _family(process.pid))))
            time.sleep(0.1)
        seconds = time.perf_counter() - start
        output.seek(0)
        return Run(seconds, peak / 1e6, output.read().decode())


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


def write_corpus(data: Path, folder: Path, articles: int) -> tuple[list[Path], int]:
    """Write the first articles, 0 for all and the laws, and return the files and the number of documents in them."""
    folder.mkdir()
    count = 0
    files = []
    for name in ("news.passages", *(["laws.documents"] if not articles else [])):
        files.append(folder / f"{name}.jsonl")
        with gzip.open(data / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines, files[-1].open("w") as out:
            for line in lines:
                if articles and count == articles:
                    break
                out.write(line)
                count += 1
    return files, count


def change_one(file: Path) -> None:
    """Add a sentence to the document in the middle of a file."""
    lines = file.read_text(encoding="utf-8").splitlines()
    entry = json.loads(lines[len(lines) // 2])
    lines[len(lines) // 2] = json.dumps({**entry, "text": f"{entry['text']}\n\n{CHANGED}"}, ensure_ascii=False)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure each size and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sizes", default="1000,10000,all")
    options = parser.parse_args()
    print(
        "| 文件数 | 建索引 秒 | 文件/秒 | 毫秒/文件 | 毫秒/段 | 峰值内存 MB | 索引 MB | 改一份后 秒 | 不变再跑 秒 | 再问一题 秒 | 答对 |"
    )
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for size in options.sizes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            print(row(options.data, Path(folder), 0 if size == "all" else int(size)), flush=True)


def row(data: Path, folder: Path, articles: int) -> str:
    """Return the table's row of one size."""
    files, count = write_corpus(data, folder / "files", articles)
    command = ("ingest", *map(str, files), "--index", str(folder / "index"))
    built = run(*command)
    (manifest,) = (json.loads(file.read_text()) for file in folder.glob("index/*/manifest.json"))
    size = sum(file.stat().st_size for file in folder.glob("index/**/*") if file.is_file()) / 1e6
    change_one(files[0])
    changed, again = run(*command), run(*command)
    asked = run("ask", QUESTION, "--index", str(folder / "index"))
    return (
        f"| {count} | {built.seconds:.1f} | {count / built.seconds:.0f} | {1000 * built.seconds / count:.2f} "
        f"| {1000 * built.seconds / manifest['passages']:.3f} | {built.peak_mb:.0f} | {size:.0f} | {changed.seconds:.1f} "
        f"| {again.seconds:.1f} | {asked.seconds:.1f} | {'是' if '4871' in asked.output else '否'} |"
    )


if __name__ == "__main__":
    main()
