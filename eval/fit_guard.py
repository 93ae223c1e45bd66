"""Fit the linear model that tells orders to a program from text for people: assistant/model/guard.json.

    python -m eval.fit_guard --data DIR

Positive are the sentences of eval/injection.jsonl that hold a planted order, negative those of news, laws, official
replies (DIR, see eval/README.md), of corpus/ and of the honest passages. Prints what each half of the set (`split`)
finds in the other, and what it takes for orders among policies that it has not seen; then fits on all.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from assistant.guard import MODEL, SUSPECT, sentences, shape
from assistant.load import load
from eval.benchmarks import rows
from eval.grounding import CORPUS
from eval.injection import ROWS

SEED = 20260822
SETS = {"news.passages": ("text", 6000), "laws.documents": ("text", 400), "xinwenlianbo.title_body": ("body", 1500),
        "gov_messages.reply": ("a", 2816)}  # fmt: skip
LEAST = 0.02  # weight of a unit that is kept
EACH = 6  # sentences of a document
POSITIVE_WEIGHT, HONEST_WEIGHT = 20, 20
PENALTY = 1.0  # inverse strength of the penalty

Row = dict[str, str]


def orders_in(row: Row) -> list[str]:
    """Return the sentences of a row that hold its marker, or its whole text where none does."""
    text = row.get("passage") or row["question"]
    return [s for s in sentences(text) if row["marker"] in s] or [text]


def fit(positive: Sequence[str], negative: Sequence[str]) -> tuple[CountVectorizer, LogisticRegression]:
    """Return the units that are counted and the model."""
    units = CountVectorizer(analyzer=shape, binary=True, min_df=3)
    counted = units.fit_transform([*positive, *negative])
    labels = np.r_[np.ones(len(positive)), np.zeros(len(negative))]
    model = LogisticRegression(
        solver="liblinear", C=PENALTY, class_weight={1: POSITIVE_WEIGHT, 0: 1}, random_state=SEED
    )
    return units, model.fit(counted, labels)


def honest(data: Path) -> Iterator[str]:
    """Yield sentences that order no program about."""
    rng = random.Random(SEED)
    for name, (field, count) in SETS.items():
        for row, _ in zip(rows(data, name), range(count), strict=False):
            found = sentences(row[field])
            yield from rng.sample(found, min(EACH, len(found)))
    for document in load(CORPUS).documents:
        yield from sentences(document.text)


def main() -> None:
    """Cross-validate between the halves, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    arguments = parser.parse_args()
    planted = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()]
    ordering = [row for row in planted if row["where"] == "document" or (row["where"] == "question" and not row["mix"])]
    benign = [row for row in planted if row["where"] == "benign" and row["passage"]]
    negative = list(honest(arguments.data))
    policies = [s for row in rows(arguments.data, "ncp_policy.passages") for s in sentences(row["text"])]

    def fitted(splits: set[str]) -> tuple[CountVectorizer, LogisticRegression]:
        passages = [s for row in benign if row["split"] in splits for s in sentences(row["passage"])]
        return fit(
            [s for row in ordering if row["split"] in splits for s in orders_in(row)],
            [*negative, *passages * HONEST_WEIGHT],
        )

    for known, unseen in (("dev", "test"), ("test", "dev")):
        units, model = fitted({known})

        def flagged(
            texts: Sequence[str], units: CountVectorizer = units, model: LogisticRegression = model
        ) -> np.ndarray:
            found: np.ndarray = model.decision_function(units.transform(texts)) > SUSPECT
            return found

        found = [
            flagged(orders_in(row)).any() for row in ordering if row["split"] == unseen and row["where"] == "document"
        ]
        passages = [flagged(sentences(row["passage"])).any() for row in benign if row["split"] == unseen]
        print(
            f"fitted on {known}: finds {np.mean(found):.3f} of {len(found)} orders in {unseen} passages, flags "
            f"{np.mean(passages):.3f} of {len(passages)} honest ones and {flagged(policies).mean():.5f} of "
            f"{len(policies)} sentences of policies"
        )
    units, model = fitted({"dev", "test"})
    weights = dict(zip(units.get_feature_names_out(), model.coef_[0].tolist(), strict=True))
    kept = {unit: round(weight, 3) for unit, weight in weights.items() if abs(weight) >= LEAST}
    content = {"bias": round(float(model.intercept_[0]), 3), "weights": kept}
    MODEL.write_text(json.dumps(content, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")
    print(f"{len(kept)} units kept")


if __name__ == "__main__":
    main()
