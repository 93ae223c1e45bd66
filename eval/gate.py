"""Plant faults in the corpus and the program, one at a time, and count how many the gate of `eval compare` catches.

    python -m eval.gate [--only NAME] [--reruns N]

Every set of questions is asked of a sound index, of each faulty one, of some that were changed harmlessly, and N times of
the sound one again: the gate should stop every faulty run and none of the others. A run that is stopped for another
reason than its fault counts as caught. The faults were known when the gate's rules were written; those drawn by chance,
one digit of a document each, were not, and many stand where no question asks.
"""

import argparse
import csv
import io
import json
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import date
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from assistant.compose import cite
from assistant.config import Settings, stay_offline
from assistant.errors import CorpusError
from assistant.ingest import ingest
from assistant.models import load_assistant, load_embeddings
from assistant.schema import Citation, Hit
from eval.compare import compare
from eval.metrics import SEED
from eval.run import evaluate
from eval.testset import TESTSET, TestQuestion, read_testset

CORPUS = TESTSET.parent.parent / "corpus"
SETS = (
    "testset", "heldout", "time", "time_heldout", "conflict", "conflict_heldout", "premise", "dialogues", "dialogues_heldout",
    "wordings", "nearmiss", "nearmiss_heldout",
)  # fmt: skip
AS_OF = date(2026, 11, 25)
AT_ONCE = 2
DRAWN = 40  # faults drawn by chance
Change = Callable[[Path], None]  # of a copy of the corpus folder
Fault = tuple[Change | None, Callable[[], AbstractContextManager[Any]], tuple[str, ...]]  # corpus, program, --without


def _document(name: str) -> str:
    """Return the one document whose name begins so."""
    (found,) = CORPUS.glob(f"documents/{name}*")
    return found.name


def _dropped(name: str, corpus: Path) -> None:
    (corpus / "documents" / _document(name)).unlink()


def _text(name: str, old: str, new: str, corpus: Path) -> None:
    file = corpus / "documents" / _document(name)
    text = file.read_text(encoding="utf-8")
    if not re.search(old, text):
        raise CorpusError(f"{name}: nothing to change")
    file.write_text(re.sub(old, new, text), encoding="utf-8")


def _row(name: str, changes: dict[str, str], corpus: Path) -> None:
    file = corpus / "catalog.csv"
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"), newline="")))
    row = next(row for row in rows if row["file"] == _document(name))
    row |= changes
    with file.open("w", encoding="utf-8-sig", newline="") as out:
        table = csv.DictWriter(out, list(row))
        table.writeheader()
        table.writerows(rows)


def _table(name: str, corpus: Path) -> None:
    (corpus / name).unlink()


def _shifted(hit: Hit, start: int, end: int) -> Citation:
    """Cite a span one character further on."""
    found = cite(hit, start, end)
    return replace(found, start=found.start + 1, end=found.end + 1)


def _patched(place: str, value: Any) -> Callable[[], AbstractContextManager[Any]]:
    return lambda: patch(place, value)


def faults() -> dict[str, Fault]:
    """Return the faults by name."""
    found: dict[str, Fault] = {}

    def in_corpus(name: str, change: Change) -> None:
        found[name] = (change, nullcontext, ())

    def in_program(name: str, change: Callable[[], AbstractContextManager[Any]]) -> None:
        found[name] = (None, change, ())

    for name in ("01", "05", "08", "11", "14", "16", "20", "22", "23", "25", "26", "29", "34", "42", "45", "49", "50", "58", "61"):  # fmt: skip
        in_corpus(f"dropped document {name}", partial(_dropped, name))
    for name, old, new in (
        ("01", "19家", "18家"), ("01", "5000亿", "6000亿"), ("16", "3月20日", "5月20日"), ("23", "2月4日", "3月4日"),
        ("25", "50万元", "80万元"), ("26", "历年", "三年内"), ("29", "20万元", "25万元"), ("34", r"9\\.5平方公里|9\.5平方公里", "8.5平方公里"),
        ("07", r"2\.67", "2.76"), ("50", r"1312\.1", "1321.1"),
    ):  # fmt: skip
        in_corpus(f"changed {old} in {name}", partial(_text, name, old, new))
    for name, changes in (
        ("16", {"valid_to": ""}), ("22", {"valid_to": "", "valid_from": ""}), ("23", {"valid_to": "2027-02-04"}),
        ("25", {"valid_to": "2026-12-31"}), ("26", {"valid_to": "", "valid_from": "", "status": "in_force"}),
        ("28", {"status": "", "doc_type": "policy"}), ("58", {"status": "", "doc_type": "policy"}),
        ("20", {"valid_to": "2027"}), ("12", {"valid_to": ""}),
    ):  # fmt: skip
        in_corpus(f"catalogue {name} {' '.join(f'{k}={v}' for k, v in changes.items())}", partial(_row, name, changes))
    in_corpus("no glossary", partial(_table, "glossary.csv"))
    in_program("whole clauses as tokens", _patched("assistant.lexical.tokenize", lambda text: re.split(r"\W+", text)))
    in_program("words only, no bigrams", _patched("assistant.lexical.bigrams", lambda text: []))
    in_program("5 candidates", _patched("assistant.retrieve.CANDIDATES", 5))
    in_program("2 passages may answer", _patched("assistant.pipeline.TOP_K", 2))
    in_program("passages of 60 characters", _patched("assistant.split.MAX_CHARS", 60))
    in_program("citations shifted by one", _patched("assistant.compose.cite", _shifted))
    in_program("answers at 0.9", _patched("assistant.compose.ANSWERED", 0.9))
    in_program("answers at 0.2", _patched("assistant.compose.ANSWERED", 0.2))
    in_program("one statement", _patched("assistant.compose.MAX_STATEMENTS", 1))
    in_program("lists of three", _patched("assistant.compose.MAX_LIST", 3))
    in_program("no other values", _patched("assistant.compose.MAX_RIVALS", 0))
    in_program("nothing mended", _patched("assistant.question.mend", lambda *rest: {}))
    in_program("history forgotten", _patched("assistant.question._depends", lambda *rest: False))
    in_program("no years resolved", _patched("assistant.question._resolved", lambda *rest: ()))
    in_program("no targets told", _patched("assistant.validity.target_notice", lambda *rest: None))
    in_program("no spans told", _patched("assistant.validity.span_notice", lambda *rest: None))
    in_program("no documents told", _patched("assistant.validity.notice", lambda *rest: None))
    in_program("vectors of noise", _patched("assistant.embedding.StaticEmbeddings.encode", _noise))
    for part in ("lexical", "rerank", "validity"):
        found[f"without {part}"] = (None, nullcontext, (part,))
    return found


def drawn() -> dict[str, Fault]:
    """Return faults drawn by chance, by name: another digit in a figure of a document."""
    rng = random.Random(SEED)
    files = sorted((CORPUS / "documents").iterdir())
    found: dict[str, Fault] = {}
    while len(found) < DRAWN:
        file, digit = rng.choice(files), str(rng.randrange(10))
        text = file.read_text(encoding="utf-8")
        at = rng.choice([match.start() for match in re.finditer(r"\d", text)])
        if text[at] != digit:
            around = f"{text[max(0, at - 8) : at]}[{text[at]}→{digit}]{text[at + 1 : at + 8]}".replace("\n", " ")
            found[f"drawn {file.name[:2]} {around}"] = (partial(_digit, file.name, at, digit), nullcontext, ())
    return found


def _digit(name: str, at: int, digit: str, corpus: Path) -> None:
    file = corpus / "documents" / name
    text = file.read_text(encoding="utf-8")
    file.write_text(text[:at] + digit + text[at + 1 :], encoding="utf-8")


def harmless() -> dict[str, Fault]:
    """Return changes of the corpus that should stop nobody, by name."""

    def _unrelated(corpus: Path) -> None:
        (corpus / "documents" / "62-library.md").write_text(
            "# 开放时间\n\n图书馆周一闭馆，周二至周日开放。\n", encoding="utf-8"
        )

    changes: dict[str, Change] = {
        "an unrelated document added": _unrelated,
        "blank lines in 01": partial(_text, "01", "\n\n", "\n\n\n"),
        "a word in 34": partial(_text, "34", "注意：", "请注意："),
        "a closing line in 26": partial(_text, "26", r"\Z", "\n\n以上由编者摘录。\n"),
        "a note on 16": partial(_row, "16", {"note": "已与原文核对"}),
        "an address of 29": partial(_row, "29", {"source_url": "https://example.org/29"}),
    }
    return {name: (change, nullcontext, ()) for name, change in changes.items()}


def _noise(self: object, texts: Sequence[str]) -> np.ndarray:
    rows = np.random.default_rng(len(texts)).normal(size=(len(texts), 256)).astype(np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def questions() -> list[TestQuestion]:
    """Return the sets as one; ids stay unique."""
    return [
        replace(question, id=f"{name}/{question.id}")
        for name in SETS
        for question in read_testset(TESTSET.with_name(f"{name}.jsonl"))
    ]


def answered(name: str | None) -> dict[str, Any]:
    """Return a run over the corpus with a fault or a harmless change, by name; None for none."""
    change, program, without = {**faults(), **drawn(), **harmless()}[name] if name else (None, nullcontext, ())
    stay_offline()
    with tempfile.TemporaryDirectory() as folder, program():
        corpus, settings = Path(folder) / "corpus", Settings(index=Path(folder) / "index")
        shutil.copytree(CORPUS, corpus)
        if change:
            change(corpus)
        embeddings, fingerprint = load_embeddings(settings)
        ingest([corpus], settings.index, embeddings, fingerprint, lambda *_: None)
        assistant = load_assistant(settings, without)  # type: ignore[arg-type]
        try:
            result: dict[str, Any] = json.loads(json.dumps(evaluate(assistant, questions(), AS_OF)))
        finally:
            assistant.close()
    return result


def main() -> None:
    """Run the sound corpus, each change of it and the sound corpus again, and print what the gate says of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="faults whose name holds this")
    parser.add_argument("--reruns", type=int, default=60)
    arguments = parser.parse_args()
    groups = {"faults": faults(), "faults drawn by chance": drawn(), "harmless changes": harmless()}
    changes = [(group, name) for group, members in groups.items() for name in members if arguments.only in name]
    sound = answered(None)
    stopped = dict.fromkeys(groups, 0)
    alarms = same = 0
    with get_context("spawn").Pool(AT_ONCE, maxtasksperchild=1) as pool:
        for (group, name), run in zip(changes, pool.imap(answered, [name for _, name in changes]), strict=True):
            against = compare(sound, run).against
            stopped[group] += bool(against)
            print(f"{'stopped' if against else 'PASSED'}  {group}  {name}：{'；'.join(against)}", flush=True)
        for run in pool.imap(answered, [None] * arguments.reruns):
            alarms += bool(compare(sound, run).against)
            same += timeless(run) == timeless(sound)
    for group, count in stopped.items():
        print(f"{group}: {count} of {sum(label == group for label, _ in changes)} stopped")
    print(f"unchanged runs: {alarms} of {arguments.reruns} stopped, {same} the same to the byte but for times")


def timeless(run: dict[str, Any]) -> str:
    """Return a run's answers and scores as JSON, how long they took left out."""
    rows = ({key: value for key, value in row.items() if not key.endswith("_ms")} for row in run["questions"])
    return json.dumps(list(rows), ensure_ascii=False)


if __name__ == "__main__":
    main()
