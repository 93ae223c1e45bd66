"""Measure what is found in letters, and whether the replies drafted say anything that no source holds.

    python -m eval.letters [--index DIR] [--data DIR] [--show SPLIT]

Rows of eval/letters.jsonl: a letter with what it asks, each with words that must stand in the question found, whether
the corpus answers it, and what a right answer holds. A found question counts for one labelled question at most; those
that count for none lower the precision. `split` is dev (on which the rules were chosen) or test. With --data, 200
citizens' letters to another city are read and answered too; of these no text is printed, but with --show answered.
"""

import argparse
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from assistant.catalog import written
from assistant.config import Settings, stay_offline
from assistant.letter import Letter, read_letter
from assistant.lexical import names as proper_names
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.reply import Draft, check, draft
from assistant.reply.schema import OPEN, Paragraph
from assistant.retrieve import Filters
from assistant.text import normalise
from assistant.verify import figures
from eval.benchmarks import rows
from eval.metrics import percentile
from eval.testset import holds

CASES = Path(__file__).parent / "letters.jsonl"
AS_OF = "2026-11-25"
SEED, SAMPLE = 20261125, 200
_MASK = re.compile("［[^］]*］")  # for what a reply leaves out of the letter: ［姓名］
_QUOTED = re.compile("[《“「『]([^》”」』]+)[》”」』]")
_ENUMERATOR = re.compile(r"^(?:[一二三四五六七八九十]+、|\d+\. )")


def read_cases(file: Path = CASES) -> list[dict[str, Any]]:
    """Return the rows as they are written."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]


def matched(case: dict[str, Any], letter: Letter) -> list[int | None]:
    """Return for each labelled question the place of the question found that holds its words; each counts once."""
    free = dict(enumerate(ask.text for ask in letter.questions))
    found: list[int | None] = []
    for label in case["questions"]:
        fits = (
            at for at, text in free.items() if all(any(w in text for w in gist.split("|")) for gist in label["gist"])
        )
        found.append(next(fits, None))
        free.pop(found[-1], None) if found[-1] is not None else None
    return found


def _folded(text: str) -> str:
    """Return a text without quotation marks and white space: a heading quotes the letter with other marks."""
    return re.sub(r"[\s\"'‘’“”《》〈〉〔〕【】\[\]]", "", text)


def _held(name: str, given: str) -> bool:
    """Return whether a text holds a name, as it is written or normalised; of a shortened or masked one, each part."""
    name = _MASK.sub("…", name)
    pairs = ((_folded(name), _folded(given)), (_folded(normalise(name)), _folded(normalise(given))))
    return any(all(part in text for part in re.split(r"…+|\.{3,}", said)) for said, text in pairs)


def unsourced(reply: Draft) -> Iterator[tuple[Paragraph, str]]:
    """Yield each figure, date, document number and name of a draft that neither its citations nor the letter hold.

    Open points quote the letter and are held to it like the rest; only a paragraph's own enumerator is left out.
    """
    letter = f"{reply.letter.heard}\n{written(reply.letter.date)}"
    for paragraph in reply.paragraphs:
        text = _ENUMERATOR.sub("", paragraph.plain)
        cited = "\n".join(reply.reference[number].known for number in paragraph.references)
        day = written(reply.as_of.isoformat()) if paragraph.role == "date" else ""
        given = f"{cited}\n{letter}\n{day}"
        yield from ((paragraph, figure) for figure in sorted(figures(text) - figures(given)))
        named = {*_QUOTED.findall(text), *proper_names(normalise(OPEN.sub(" ", text)))}
        yield from ((paragraph, name) for name in sorted(named) if not _held(name, given))


def score(cases: Sequence[dict[str, Any]], assistant: Assistant) -> tuple[Counter[str], list[str]]:
    """Return what the letters of one split come to, and a line for each thing that went wrong."""
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    for case in cases:
        letter = read_letter(case["letter"])
        reply = draft(letter, assistant, Filters(date.fromisoformat(case.get("as_of", AS_OF))))
        places = matched(case, letter)
        counts.update(
            labelled=len(places), found=len(letter.questions), right=sum(place is not None for place in places)
        )
        wrong += [f"{case['id']} not found: {q['gist']}" for q, at in zip(case["questions"], places, strict=True) if at is None]  # fmt: skip
        extra = set(range(len(letter.questions))) - set(places)
        wrong += [f"{case['id']} not asked: {letter.questions[at].text}" for at in sorted(extra)]
        strays = [f"{case['id']} {paragraph.id} without a source: {what}" for paragraph, what in unsourced(reply)]
        strays += [f"{case['id']} obeys" for text in letter.ignored for p in reply.paragraphs if text[:8] in p.text]
        counts.update(unsourced=bool(strays), letters=1, kinds=_kinds(case, places, letter))
        wrong += strays
        for label, at in zip(case["questions"], places, strict=True):
            if at is not None:
                _answered(case["id"], label, reply, at, counts, wrong)
    return counts, wrong


def _kinds(case: dict[str, Any], places: Sequence[int | None], letter: Letter) -> int:
    pairs = zip(case["questions"], places, strict=True)
    return sum(at is not None and letter.questions[at].kind == label["kind"] for label, at in pairs)


def _answered(case: str, label: dict[str, Any], reply: Draft, at: int, counts: Counter[str], wrong: list[str]) -> None:
    """Count whether a question was answered, as it should be, and with which facts."""
    point = reply.points[at]
    text = " ".join(p.plain for p in reply.paragraphs if p.id.startswith(f"{point.ask.id}."))
    sort = "answerable" if label["answerable"] else "unanswerable"
    counts.update({sort: 1, f"{sort} answered": point.answered})
    for fact in label.get("facts", ()):
        counts.update({"facts": 1, "facts held": holds(fact, text)})
        wrong += [] if holds(fact, text) else [f"{case} {point.ask.text}: without {fact}"]


def lines(name: str, counts: Counter[str]) -> list[str]:
    """Return what a split comes to, as lines to print."""

    def share(part: str, whole: str) -> str:
        return f"{counts[part]}/{counts[whole]}" + (f" ({counts[part] / counts[whole]:.1%})" if counts[whole] else "")

    return [
        f"{name}: {counts['letters']} letters",
        f"  questions found (recall) {share('right', 'labelled')}, precision {share('right', 'found')}, of the right kind {share('kinds', 'right')}",
        f"  drafts with a figure, date, number or name without a source: {counts['unsourced']}",
        f"  answerable and answered {share('answerable answered', 'answerable')}, not answerable and answered {share('unanswerable answered', 'unanswerable')}",
        f"  key facts held {share('facts held', 'facts')}",
    ]  # fmt: skip


def foreign(data: Path, assistant: Assistant, as_of: date, show: bool) -> list[str]:
    """Return what 200 letters to another city come to: questions, answers that there should hardly be, time."""
    letters = [row["detail"] for row in rows(data, "gov_messages.reply") if row["detail"].strip()]
    counts, reading, drafting, held = Counter[str](), [], [], []
    for text in random.Random(SEED).sample(letters, SAMPLE):
        started = time.perf_counter()
        letter = read_letter(text)
        reading.append((time.perf_counter() - started) * 1000)
        reply = draft(letter, assistant, Filters(as_of))
        drafting.append((time.perf_counter() - started) * 1000)
        started = time.perf_counter()
        check(reply.paragraphs, reply)
        held.append((time.perf_counter() - started) * 1000)
        counts.update(
            asked=len(reply.points), none=not reply.points, answered=sum(point.answered for point in reply.points),
            unsourced=any(True for _ in unsourced(reply)), ignored=bool(letter.ignored),
            requests=sum(point.ask.kind == "request" for point in reply.points),
        )  # fmt: skip
        if show:
            answers = ((point.ask.text, point.answer) for point in reply.points if point.answered)
            print(*(f"{asked} → {a.confidence:.2f} {a.statements[0].text}" for asked, a in answers), sep="\n")
            print(*(f"without a source: {p.id} {what}: {p.text}" for p, what in unsourced(reply)), sep="\n")
    return [
        f"{SAMPLE} letters to another city: {counts['asked'] / SAMPLE:.2f} questions a letter ({counts['requests']} of {counts['asked']} requests), "
        f"{counts['none']} letters with none, {counts['ignored']} with orders to a program",
        f"  answered {counts['answered']} of {counts['asked']}; drafts with a figure, date, number or name without a source: {counts['unsourced']}",
        "  ms a letter, P50 / P95: "
        + ", ".join(f"{name} {percentile(times, 50):.1f} / {percentile(times, 95):.1f}" for name, times in (("read", reading), ("read and draft", drafting), ("check", held))),
    ]  # fmt: skip


def main() -> None:
    """Print the figures of each split, and with --data those of the letters to another city."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--index", type=Path, help="an index of the shipped corpus; else the default one")
    parser.add_argument("--data", type=Path, help="the folder of gov_messages.reply.jsonl.gz")
    parser.add_argument(
        "--show", choices=("dev", "test", "answered"), help="print what went wrong, or what was answered"
    )
    arguments = parser.parse_args()
    stay_offline()
    settings = Settings.read()
    assistant = load_assistant(Settings(index=arguments.index) if arguments.index else settings)
    cases = read_cases()
    for split in ("dev", "test"):
        counts, wrong = score([case for case in cases if case["split"] == split], assistant)
        print(*lines(split, counts), *(wrong if arguments.show == split else ()), sep="\n")
    if arguments.data:
        shown = arguments.show == "answered"
        print(*foreign(arguments.data, assistant, date.fromisoformat(AS_OF), shown), sep="\n")


if __name__ == "__main__":
    main()
