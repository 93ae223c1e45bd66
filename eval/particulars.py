"""Measure how well a document's own particulars are read from its text.

    python -m eval.particulars [--cases FILE] [--show SPLIT] [--data DIR]

Each row of eval/particulars.jsonl is a document's title and text with what it says of itself; `split` is dev (on which
the rules were chosen) or test. Precision is the share of what was read that is right, recall the share of what the
text says that was read; a list's members count one by one. With --data, the laws of laws.documents.jsonl.gz whose last
article names, by a plain rule, the one day from which they apply, and what they repeal with it, are counted too.
"""

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.particulars import read_particulars

CASES = Path(__file__).parent / "particulars.jsonl"
FIELDS = (
    "document_number",
    "issuing_body",
    "written",
    "published",
    "valid_from",
    "valid_to",
    "draft",
    "repeals",
    "amends",
)


def read_cases(file: Path = CASES) -> list[dict[str, Any]]:
    """Return the rows as they are written."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def _items(value: Any) -> set[Any]:
    return set(value) if isinstance(value, list | tuple) else {value} if value else set()


def score(cases: Sequence[dict[str, Any]]) -> dict[str, tuple[int, int, int]]:
    """Return, per field, how many values were right, read, and said."""
    counts: dict[str, Counter[str]] = {name: Counter() for name in FIELDS}
    for case in cases:
        found = read_particulars(case["title"], case["text"])
        for name in case["expected"]:
            read, said = _items(getattr(found, name)), _items(case["expected"][name])
            counts[name] += Counter(right=len(read & said), read=len(read), said=len(said))
    return {name: (count["right"], count["read"], count["said"]) for name, count in counts.items()}


_APPLIES = re.compile(r"自(\d{4})年(\d{1,2})月(\d{1,2})日起(?:施行|实施|执行)")
_REPEALS = re.compile(r"[^。\n]*同时废止")


def law_cases(data: Path) -> list[dict[str, Any]]:
    """Return the laws whose last lines name one day, with that day and the titles before 同时废止 as what is expected."""
    cases = []
    with gzip.open(data / "laws.documents.jsonl.gz", "rt", encoding="utf-8") as lines:
        for law in map(json.loads, lines):
            days = {match.groups() for match in _APPLIES.finditer(law["text"])}
            end = "\n".join(law["text"].strip().split("\n")[-3:])
            last = _APPLIES.search(end)
            if len(days) != 1 or not last:
                continue
            year, month, day = map(int, last.groups())
            repeals = {title for clause in _REPEALS.findall(end) for title in re.findall("《([^《》]+)》", clause)}
            cases.append(
                {**law, "expected": {"valid_from": f"{year}-{month:02d}-{day:02d}", "repeals": sorted(repeals)}}
            )
    return cases


def main() -> None:
    """Print precision and recall per field and split, and with --show each value read wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, default=CASES)
    parser.add_argument("--show", default="")
    parser.add_argument("--data", type=Path)
    arguments = parser.parse_args()
    cases = read_cases(arguments.cases)
    if arguments.data:
        cases += [{**case, "split": "laws"} for case in law_cases(arguments.data)]
    print("| split | field | precision | recall |\n| --- | --- | --- | --- |")
    for part in sorted({case["split"] for case in cases}):
        scores = score([case for case in cases if case["split"] == part])
        total = tuple(map(sum, zip(*scores.values(), strict=True)))
        for name, (right, read, said) in {**scores, "all": total}.items():
            print(f"| {part} | {name} | {right / max(1, read):.3f} of {read} | {right / max(1, said):.3f} of {said} |")
    for case in cases:
        if case["split"] == arguments.show:
            found = read_particulars(case["title"], case["text"])
            for name in case["expected"]:
                got, want = _items(getattr(found, name)), _items(case["expected"][name])
                if got != want:
                    print(
                        f"{case['id']} {name}: read {got or '–'}, said {want or '–'} << {case['title']} | {case['text']!r}"
                    )


if __name__ == "__main__":
    main()
