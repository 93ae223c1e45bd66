"""Draw what the bench measured, one line a system, as one picture.

    python -m eval.plots eval/results/bench-COMMIT.json … docs/bench.png

Several results are drawn together; of the same system and size the later one.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # no screen
from matplotlib import pyplot

from eval.capacity import latest

NAMES = {
    "ours": "本程序", "langchain": "langchain 最简流程", "chroma": "只用 Chroma", "bm25s": "bm25s", "rank_bm25": "rank_bm25",
}  # fmt: skip
COLOURS = {"ours": "#b3261e", "langchain": "#1f5fa8", "chroma": "#2e7d32", "bm25s": "#8a5a00", "rank_bm25": "#6b6b6b"}
FONTS = ["Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", "sans-serif"]
PANELS: dict[str, Callable[[dict[str, Any]], float]] = {
    "入库：每秒段落": lambda row: row["passages"] / row["build_s"],
    "检索一题 P95，一核，毫秒": lambda row: row["search_ms"]["p95"],
    "召回@5": lambda row: row["recall"],
    "提问时的内存，MB": lambda row: row["memory_mb"],
    "占盘，MB": lambda row: row["disk_mb"],
    "同时 8 个线程，每秒检索": lambda row: row["per_second"]["8"],
}
LINEAR = {"召回@5"}


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    rows = sorted(latest(options.results), key=lambda row: int(row["size"]))
    pyplot.rcParams |= {"font.sans-serif": FONTS, "axes.spines.top": False, "axes.spines.right": False}
    figure, axes = pyplot.subplots(2, 3, figsize=(13, 7.5), layout="constrained")
    for place, (title, value) in zip(axes.flat, PANELS.items(), strict=True):
        for system, name in NAMES.items():
            points = [(row["passages"], value(row)) for row in rows if row["system"] == system]
            if points:
                place.plot(*zip(*points, strict=True), marker="o", color=COLOURS[system], label=name)
        place.set(title=title, xscale="log", xlabel="段落", yscale="linear" if title in LINEAR else "log")
        place.grid(alpha=0.25)
    figure.legend(
        *axes.flat[0].get_legend_handles_labels(), loc="outside lower center", ncols=len(NAMES), frameon=False
    )
    figure.savefig(options.picture, dpi=110)


if __name__ == "__main__":
    main()
