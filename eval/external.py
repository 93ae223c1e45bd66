"""Print one table of public benchmarks for retrieval, reading and refusal, and keep it by the program's commit.

    python -m eval.external --data DIR [--work DIR] [--sample N] [--save]

DIR holds the data sets named in eval/README.md; none of them is in the project. Reading: the passage is given, and an
answer string of the set stands in the answer's first three statements. Refusal: a question that the passage does not
answer gets no answer. Of larger sets N questions are asked, the same each time. With --save the figures go to
eval/results/COMMIT.json.
"""

import argparse
import json
import random
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Any

from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.schema import Document
from eval.benchmarks import SEED, load, rows
from eval.reading import SENTENCES, contains, read_rgb, rouge_l
from eval.retrieval import measure, systems
from eval.run import program_commit

RETRIEVAL = ("policy", "lecoqa.train")
READING = ("cmrc2018.dev", "drcd.test", "xquad_zh.test", "cjrc.dev", "chinesesquad.dev")
RESULTS = Path(__file__).parent / "results"
AS_OF = date(2026, 11, 25)


def retrieval(name: str, data: Path, work: Path) -> dict[str, float]:
    """Return hit@1, hit@10 and MRR@10 of the product's retrieval on a set."""
    benchmark, embeddings = load(name, data), StaticEmbeddings.load()
    values = measure(systems(benchmark, embeddings, work)["hybrid + rerank"](), benchmark.queries)
    return {metric: mean(values[metric]) for metric in ("hit@1", "hit@10", "mrr@10")}


def reading(assistant: Assistant, name: str, data: Path, sample: int) -> dict[str, float]:
    """Return the share of answerable questions whose answer is given, of those refused, and of unanswerable ones refused."""
    collection, split = name.split(".")
    passages = {str(row["id"]): row for row in rows(data, f"{collection}.passages")}
    asked = [row for row in rows(data, f"{collection}.queries.{split}") if not {"YES", "NO"} & set(row["answers"])]
    if len(asked) > sample:
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
    return {name: mean(values) for name, values in found.items() if values}


def given_policy(assistant: Assistant, data: Path) -> dict[str, float]:
    """Return the mean ROUGE-L of the answers to policy questions, the document given."""
    policies = {row["id"]: row for row in rows(data, "ncp_policy.passages")}
    scores = []
    for row in rows(data, "ncp_policy.queries.dev"):
        policy = policies[row["positive_ids"][0]]
        answer = assistant.ask_over(row["query"], [Document(policy["id"], policy["title"], policy["text"])], AS_OF)
        text = "\n".join(statement.text for statement in answer.statements)
        scores.append(max(rouge_l(text, expected) for expected in row["answers"]))
    return {"ROUGE-L": mean(scores)}


def _line(name: str, figures: dict[str, float]) -> str:
    return f"| {name} | {'；'.join(f'{metric} {value:.3f}' for metric, value in figures.items())} |"


def measured(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Measure every benchmark, printing each line as it comes."""
    assistant = load_assistant(Settings(index=arguments.index))
    found: dict[str, dict[str, float]] = {}

    def told(name: str, figures: dict[str, float]) -> None:
        found[name] = figures
        print(_line(name, figures), flush=True)

    for name in RETRIEVAL:
        told(f"retrieval {name}", retrieval(name, arguments.data, arguments.work))
    told("policy given", given_policy(assistant, arguments.data))
    questions: Sequence[dict[str, Any]] = list(rows(arguments.data, "rgb.zh_refine.dev"))
    for result in read_rgb(assistant, questions, AS_OF):
        told(f"RGB noise {result.noise}", {"contained": result.contained, "refused": result.refused})
    for name in READING:
        told(f"reading {name}", reading(assistant, name, arguments.data, arguments.sample))
    return found


def main() -> None:
    """Measure, print and, if asked, keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("build/benchmarks"), help="where indexes are kept")
    parser.add_argument(
        "--index", type=Path, default=Settings.index, help="of the shipped corpus, for its word weights"
    )
    parser.add_argument("--sample", type=int, default=1000)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    stay_offline()
    print("| benchmark | figures |\n| --- | --- |")
    found = measured(arguments)
    if arguments.save:
        RESULTS.mkdir(exist_ok=True)
        content = {"commit": program_commit(), "sample": arguments.sample, "figures": found}
        (RESULTS / f"{program_commit()}.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
