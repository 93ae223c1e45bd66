"""Print one table of public benchmarks for retrieval, reading and refusal, and keep it by the program's commit.

    python -m eval.external --data DIR [--work DIR] [--sample N] [--save]

DIR holds the data sets named in eval/README.md; none of them is in the project. Reading: the passage is given, and an
answer string of the set stands in the answer's first three statements. Refusal: a question that the passage does not
answer gets no answer. With --sample at most N questions of each reading set are asked, the same each time. With --save
the figures go to eval/results/COMMIT.json, each with its number of questions and half its 95 % bootstrap interval.
"""

import argparse
import json
import os
import platform
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import mean
from typing import Any

from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.schema import Document
from eval.benchmarks import SEED, load, rows
from eval.reading import SENTENCES, contains, policy_asks, read_rgb, score_policy
from eval.retrieval import half_interval, measure, systems
from eval.run import program_commit

RETRIEVAL = {
    "policy": "policy, 15,599 documents",
    "lecoqa.train": "LeCoQA, 1,445 articles of law (the embedding was trained on it)",
}
RGB = {"zh_refine": (0.0, 0.2, 0.4, 0.6, 0.8, 1.0), "zh_int": (0.0, 0.2, 0.4)}  # noise rates, as its paper has them
READING = {
    "cmrc2018.dev": "CMRC 2018", "drcd.test": "DRCD, traditional", "xquad_zh.test": "XQuAD",
    "cjrc.dev": "CJRC, without yes/no questions", "chinesesquad.dev": "ChineseSquad",
}  # fmt: skip
RESULTS = Path(__file__).parent / "results"
AS_OF = date(2026, 11, 25)
Values = dict[str, Sequence[float]]  # metric → a value a question


def retrieval(name: str, data: Path, work: Path) -> Values:
    """Return hit@1, hit@10 and MRR@10 of the product's retrieval on a set."""
    benchmark, embeddings = load(name, data), StaticEmbeddings.load()
    values = measure(systems(benchmark, embeddings, work)["hybrid + rerank"](), benchmark.queries)
    return {metric: values[metric] for metric in ("hit@1", "hit@10", "mrr@10")}


def reading(assistant: Assistant, name: str, data: Path, sample: int) -> Values:
    """Return which answerable questions have their answer given, which are refused, and which unanswerable ones are."""
    collection, split = name.split(".")
    passages = {str(row["id"]): row for row in rows(data, f"{collection}.passages")}
    asked = [row for row in rows(data, f"{collection}.queries.{split}") if not {"YES", "NO"} & set(row["answers"])]
    if sample and len(asked) > sample:
        asked = random.Random(SEED).sample(asked, sample)
    found: dict[str, list[float]] = {"contained": [], "refused": [], "unanswerable refused": []}
    for row in asked:
        passage = passages[str(row.get("context_id") or row["positive_ids"][0])]
        document = Document(str(passage["id"]), passage.get("title") or "", passage["text"])
        answers = [answer for answer in row["answers"] if answer.strip()]
        answer = assistant.ask_over(row["query"], [document], AS_OF, SENTENCES if answers else 0)
        if answers:
            text = "\n".join(statement.text for statement in answer.statements[:SENTENCES])
            found["contained"].append(float(contains([answers], text)))
            found["refused"].append(float(not answer.statements))
        else:
            found["unanswerable refused"].append(float(not answer.statements))
    return {metric: values for metric, values in found.items() if values}


def benchmarks(arguments: argparse.Namespace) -> Iterator[tuple[str, Values]]:
    """Yield the name and the values of every benchmark, one after the other."""
    data, work = arguments.data, arguments.work
    assistant = load_assistant(Settings(index=arguments.index))
    for name, label in RETRIEVAL.items():
        yield label, retrieval(name, data, work)
    for label, ask in policy_asks(assistant, data, work, AS_OF).items():
        scored = score_policy(rows(data, "ncp_policy.queries.dev"), ask)
        yield (
            f"policy answers, {label}",
            {"ROUGE-L": [score for score, *_ in scored], "refused": [float(not text) for *_, text in scored]},
        )
    for name, noises in RGB.items():
        for one in read_rgb(assistant, list(rows(data, f"rgb.{name}.dev")), AS_OF, noises):
            yield f"RGB {name}, noise {one.noise}", {"contained": one.contained, "refused": one.refused}
    for name, label in READING.items():
        yield label, reading(assistant, name, data, arguments.sample)


def summary(values: Values) -> dict[str, dict[str, float]]:
    """Return each metric's mean, half its 95 % interval and its number of questions."""
    return {
        metric: {"value": round(mean(of), 4), "half": round(half_interval(of), 4), "questions": len(of)}
        for metric, of in values.items()
    }


def line(name: str, figures: Mapping[str, Mapping[str, float]]) -> str:
    """Return a benchmark as a row of the table; where some questions cannot be answered, both numbers of questions."""
    counts = " / ".join(dict.fromkeys(str(one["questions"]) for one in figures.values()))
    cells = "；".join(f"{metric} {one['value']:.3f} ± {one['half']:.3f}" for metric, one in figures.items())
    return f"| {name} | {counts} | {cells} |"


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}",
        "packages": {name: version(name) for name in ("jiading-assistant", "numpy", "tokenizers", "rjieba", "chromadb", "langchain-core")},
    }  # fmt: skip


def main() -> None:
    """Measure, print and, if asked, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"), help="where indexes are kept")
    parser.add_argument(
        "--index", type=Path, default=Settings.index, help="of the shipped corpus, for its word weights"
    )
    parser.add_argument("--sample", type=int, default=0, help="at most so many questions of a reading set; 0: all")
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    stay_offline()
    print("| benchmark | questions | figures |\n| --- | ---: | --- |")
    found, commit, started = {}, program_commit(), time.perf_counter()
    for name, values in benchmarks(arguments):
        found[name] = summary(values)
        print(line(name, found[name]), flush=True)
    if arguments.save:
        content = {"commit": commit, "machine": machine(), "seconds": round(time.perf_counter() - started), "sample": arguments.sample, "figures": found}  # fmt: skip
        RESULTS.mkdir(exist_ok=True)
        file = RESULTS / f"{commit}.json"
        file.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
