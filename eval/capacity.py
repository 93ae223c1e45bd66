"""Model what a corpus of so many passages takes, from what the bench measured, and check the model where it was not fitted.

    python -m eval.capacity eval/results/bench-COMMIT.json …

Memory, disk and the time to index grow by so much a passage; the dense arm with the logarithm of their number (HNSW: Malkov
& Yashunin, IEEE TPAMI 2018); the lexical arm by so much a passage, for it adds up every posting of the query's tokens; what
comes after both arms sees 50 passages whatever their number. Each is fitted by least squares on all sizes but the largest,
which it then has to foretell, and anew on all sizes for what lies beyond. Of several results the later ones count.
"""

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

BEYOND = (3_000_000, 10_000_000, 30_000_000, 100_000_000)
GROWTH: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "linear": lambda size: size,
    "logarithmic": np.log10,
    "constant": np.zeros_like,
}
Row = dict[str, Any]


def _stage(name: str) -> Callable[[Row], float]:
    return lambda row: float(row["answer_ms"][name]["p50"])


def _rest(row: Row) -> float:
    """Return what an answer takes besides both arms."""
    stages = row["answer_ms"]
    return float(stages["total"]["p50"] - stages["lexical arm"]["p50"] - stages["dense arm"]["p50"])


QUANTITIES: dict[str, tuple[str, Callable[[Row], float]]] = {
    "入库 秒": ("linear", lambda row: float(row["build_s"])),
    "入库峰值内存 MB": ("linear", lambda row: float(row["build_mb"])),
    "占盘 MB": ("linear", lambda row: float(row["disk_mb"])),
    "提问时的内存 MB": ("linear", lambda row: float(row["memory_mb"])),
    "向量检索 P50 毫秒": ("logarithmic", _stage("dense arm")),
    "词法检索 P50 毫秒": ("linear", _stage("lexical arm")),
    "其余 P50 毫秒": ("constant", _rest),
}


def latest(results: Sequence[Path]) -> list[Row]:
    """Return the rows of the bench's results, of each system and size the last."""
    rows = (row for file in results for row in json.loads(file.read_text(encoding="utf-8"))["rows"])
    return list({(row["system"], row["size"]): row for row in rows}.values())


def fitted(growth: str, sizes: Sequence[float], values: Sequence[float]) -> Callable[[float], float]:
    """Return the model a + b · growth(size) of least relative squares, as a function of the size."""
    shape, weights = GROWTH[growth], 1 / np.array(values)
    grown = shape(np.array(sizes, dtype=float))
    columns = np.stack([np.ones_like(grown), grown], axis=1)[:, : 1 if growth == "constant" else 2]
    found, *_ = np.linalg.lstsq(columns * weights[:, None], np.ones(len(values)), rcond=None)
    return lambda size: float(
        found[0] + (found[1] * shape(np.array([size], dtype=float))[0] if len(found) > 1 else 0.0)
    )


def main() -> None:
    """Print the check and what is foretold."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+")
    rows = sorted(
        (row for row in latest(parser.parse_args().results) if row["system"] == "ours"), key=lambda row: row["size"]
    )
    sizes = [row["passages"] for row in rows]
    print(
        f"| | 实测 {' / '.join(f'{size:,}' for size in sizes)} | 由较小的几次推算最大的一次 | {' | '.join(f'{size:,}' for size in BEYOND)} |"
    )
    print("| --- | ---: | ---: |" + " ---: |" * len(BEYOND))
    for name, (growth, value) in QUANTITIES.items():
        values = [value(row) for row in rows]
        foretold = fitted(growth, sizes[:-1], values[:-1])(sizes[-1])
        model = fitted(growth, sizes, values)
        beyond = " | ".join(f"{model(size):,.0f}" for size in BEYOND)
        print(
            f"| {name} | {' / '.join(f'{one:,.1f}' for one in values)} | {foretold:,.1f}（差 {foretold / values[-1] - 1:+.0%}） | {beyond} |"
        )


if __name__ == "__main__":
    main()
