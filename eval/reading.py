"""Measure answering over given documents: RGB under noise, and policy questions with the document that answers them.

    python -m eval.reading --data DIR [--show] [--work DIR]

DIR holds rgb.zh_refine.dev.jsonl.gz and ncp_policy.{passages,queries.dev}.jsonl.gz (see eval/README.md); nothing was
fitted on either. The index serves only for its word weights. With --work, the folder for the benchmark's index, the policy
questions are asked of all 15,599 documents too.
"""

import argparse
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import zip_longest
from pathlib import Path
from statistics import mean
from typing import Any

from rapidfuzz.distance import LCSseq

from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.schema import Answer, Document
from eval.benchmarks import ANY_DAY, load, rows

NOISES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
DOCUMENTS = 5  # given for each RGB question
SENTENCES = 3  # of an answer that are scored


def rgb_documents(row: dict[str, Any], noise: float) -> list[Document]:
    """Return the five documents of a question at a noise rate, as RGB's evaluation script takes them.

    Chen et al., Benchmarking Large Language Models in Retrieval-Augmented Generation, AAAI 2024.
    """
    positive, least = row["positive"], 0
    if isinstance(positive[0], list):  # zh_int: several things are asked; the first document on each is always given
        least = len(positive)
        positive = [text for turn in zip_longest(*positive) for text in turn if text]
    negatives = math.ceil(DOCUMENTS * noise)
    positives = max(DOCUMENTS - negatives, least)
    if noise < 1:
        positives = min(positives, len(positive))
        negatives = min(DOCUMENTS - positives, len(row["negative"]))
        positives = DOCUMENTS - negatives
    texts = [*positive[:positives], *row["negative"][:negatives]]
    return [Document(str(number), "", text) for number, text in enumerate(texts)]


def contains(answers: Sequence[str | list[str]], text: str) -> bool:
    """Return whether each answer, or one spelling of it, stands in the text: RGB's own scoring."""
    spellings = ([answer] if isinstance(answer, str) else answer for answer in answers)
    return all(any(spelling.lower() in text.lower() for spelling in spelled) for spelled in spellings)


def rouge_l(given: str, expected: str) -> float:
    """Return the F1 of the longest common subsequence of characters, white space left out (Lin, ROUGE, 2004)."""
    given, expected = "".join(given.split()), "".join(expected.split())
    common = LCSseq.similarity(given, expected)
    return 2 * common / (len(given) + len(expected)) if common else 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The answers to RGB's questions at one noise rate, a value a question."""

    noise: float
    contained: list[float]
    refused: list[float]
    characters: list[float]


def read_rgb(
    assistant: Assistant, questions: Sequence[dict[str, Any]], as_of: date, noises: Sequence[float] = NOISES
) -> Iterator[Reading]:
    """Yield what became of each question at each noise rate; what is scored is the answer's first sentences."""
    for noise in noises:
        answers = [assistant.ask_over(row["query"], rgb_documents(row, noise), as_of, SENTENCES) for row in questions]
        texts = [_text(answer) for answer in answers]
        yield Reading(
            noise,
            [float(contains(row["answer"], text)) for row, text in zip(questions, texts, strict=True)],
            [float(not answer.statements) for answer in answers],
            [float(len(text)) for text in texts],
        )


def _text(answer: Answer) -> str:
    return "\n".join(statement.text for statement in answer.statements[:SENTENCES])


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--index", type=Path, default=Settings.index)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 11, 25))
    parser.add_argument("--work", type=Path)
    parser.add_argument("--show", action="store_true", help="print the policy answers, worst first")
    arguments = parser.parse_args()
    stay_offline()
    assistant = load_assistant(Settings(index=arguments.index))
    print("| RGB zh_refine, noise | answer contained | refused | characters |\n| --- | --- | --- | --- |")
    for reading in read_rgb(assistant, list(rows(arguments.data, "rgb.zh_refine.dev")), arguments.as_of):
        figures = (mean(reading.contained), mean(reading.refused), mean(reading.characters))
        print(f"| {reading.noise} | {figures[0]:.3f} | {figures[1]:.3f} | {figures[2]:.0f} |")
    for name, ask in policy_asks(assistant, arguments.data, arguments.work, arguments.as_of).items():
        scored = score_policy(rows(arguments.data, "ncp_policy.queries.dev"), ask)
        refused = mean(not text for *_, text in scored)
        print(f"\npolicy questions, {name}: ROUGE-L {mean(score for score, *_ in scored):.3f}, refused {refused:.3f}")
        for score, row, text in sorted(scored, key=lambda one: one[0]) if arguments.show else ():
            print(f"{score:.2f} {row['query']}\n  > {text}\n  = {row['answers'][0]}")


Ask = Callable[[dict[str, Any]], Answer]


def policy_asks(assistant: Assistant, data: Path, work: Path | None, as_of: date) -> dict[str, Ask]:
    """Return the ways to ask a policy question: over the document that answers it, and with `work` over all of them."""
    policies = {row["id"]: row for row in rows(data, "ncp_policy.passages")}

    def given(row: dict[str, Any]) -> Answer:
        policy = policies[row["positive_ids"][0]]
        document = Document(policy["id"], policy["title"], policy["text"])
        return assistant.ask_over(row["query"], [document], as_of)

    if not work:
        return {"document given": given}
    embeddings = StaticEmbeddings.load()
    full = Assistant(load("policy", data).index(work, embeddings), embeddings)
    return {"document given": given, "of 15,599 documents": lambda row: full.ask(row["query"], (), ANY_DAY)}


def score_policy(questions: Iterable[dict[str, Any]], ask: Ask) -> list[tuple[float, dict[str, Any], str]]:
    """Return ROUGE-L, the question and the answer of each; a refusal scores 0."""
    scored = []
    for row in questions:
        text = "\n".join(statement.text for statement in ask(row).statements)
        scored.append((max(rouge_l(text, expected) for expected in row["answers"]), row, text))
    return scored


if __name__ == "__main__":
    main()
