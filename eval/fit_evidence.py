"""Fit the logistic model that says how likely a unit answers, and its calibration: assistant/model/evidence.json.

    python -m eval.fit_evidence [--testset FILE …] [--index DIR]

Positive units stand in a document that the test set names and hold one of its key facts; all other units that pass
the hard conditions are negative, those of unanswerable questions among them. Prints five-fold cross-validated figures,
folds by question, then fits on all. Fit on development questions only.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from assistant.candidate import candidates
from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.evidence import MODEL, judge
from assistant.models import load_assistant
from assistant.pipeline import TOP_K
from assistant.retrieve import Filters
from eval.testset import TESTSET, TestQuestion, holds, read_testset

SEED = 20260822
FOLDS = 5
PENALTY = 0.3  # on squared weights
ROUNDS, HARDEST = 3, 4  # fits, each on the units of a question that the one before took most for answers
AGAINST = ("less_alike", "less_unit", "less_document", "lacking", "silent_here", "another", "unsaid")


@dataclass(frozen=True, slots=True)
class Example:
    """The units of one question that pass the hard conditions: features, shape (units, features), and labels."""

    question: TestQuestion
    features: np.ndarray
    labels: np.ndarray


def examples(questions: Sequence[TestQuestion], settings: Settings, as_of: date) -> tuple[list[str], list[Example]]:
    """Return the feature names, and each question's units."""
    assistant, names, found = load_assistant(settings), [], []
    embed = StaticEmbeddings.load().encode
    for question in questions:
        asked = assistant.read(question.question, question.history, as_of)
        hits = assistant.search(question.question, Filters(as_of), TOP_K, question.history)
        rows, labels = [], []
        shown = candidates(hits)
        vectors = embed([candidate.read for candidate in shown])
        for aspect in asked.aspects:
            for scored in judge(aspect, shown, vectors, assistant.index.lexical.weight, embed)[0]:
                if scored.fits and scored.timely:
                    names = list(scored.features)
                    rows.append(list(scored.features.values()))
                    right = question.answerable and scored.document_id in question.docs
                    told = scored.candidate.own + scored.candidate.around
                    labels.append(right and any(holds(fact, told) for fact in question.key_facts))
        found.append(Example(question, np.array(rows, dtype=float), np.array(labels, dtype=bool)))
    return names, found


def fit(names: Sequence[str], chosen: Sequence[Example]) -> np.ndarray:
    """Return the bias and the weights, shape (1 + features,), fitted on each question's hardest units.

    An answer is given or withheld by the best unit alone, so the many hopeless ones should not decide.
    """
    weights = _fit(names, chosen)
    for _ in range(ROUNDS):
        weights = _fit(names, [_hardest(weights, example) for example in chosen])
    return weights


def _hardest(weights: np.ndarray, example: Example) -> Example:
    if not len(example.labels):
        return example
    order = np.argsort(-probabilities(weights, example))
    right, wrong = order[example.labels[order]], order[~example.labels[order]]
    kept = np.concatenate([right[: HARDEST // 2], wrong[:HARDEST]])
    return replace(example, features=example.features[kept], labels=example.labels[kept])


def _fit(names: Sequence[str], chosen: Sequence[Example]) -> np.ndarray:
    """Return the bias and the weights of a logistic regression with the sign of each weight fixed.

    What speaks for an answer may never count against it, nor the reverse, whatever the sample. Each question has the
    same weight for its positive units together as for its negative ones.
    """
    filled = [example for example in chosen if len(example.labels)]
    features = np.concatenate([np.insert(example.features, 0, 1.0, axis=1) for example in filled])
    signs = np.concatenate([np.where(example.labels, 1.0, -1.0) for example in filled])
    parts = [np.where(e.labels, 1 / max(1, e.labels.sum()), 1 / max(1, (~e.labels).sum())) for e in filled]
    each = np.concatenate(parts)

    return signed_logistic(features, signs, each, [name in AGAINST for name in names])


def signed_logistic(features: np.ndarray, signs: np.ndarray, each: np.ndarray, against: Sequence[bool]) -> np.ndarray:
    """Return the weights, shape (columns,), of a logistic regression with an L2 penalty; the first column is the bias's ones.

    `signs` are 1 and -1, `each` the rows' weights; a feature `against` gets no weight above 0, any other none below.
    """

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        margins = signs * (features @ weights)
        gradient = -features.T @ (each * signs / (1 + np.exp(margins)))
        penalty = np.concatenate([[0.0], weights[1:]])
        return float(each @ np.logaddexp(0, -margins) + PENALTY * penalty @ penalty / 2), gradient + PENALTY * penalty

    bounds = [(None, None), *((None, 0.0) if one else (0.0, None) for one in against)]
    fitted: np.ndarray = minimize(loss, np.zeros(features.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B").x
    return fitted


def probabilities(weights: np.ndarray, example: Example) -> np.ndarray:
    """Return each unit's probability, shape (units,)."""
    chances: np.ndarray = 1 / (1 + np.exp(-(weights[0] + example.features @ weights[1:])))
    return chances


def cross_validate(names: Sequence[str], found: Sequence[Example]) -> dict[str, float]:
    """Print, over held-out folds, how well the best unit's probability tells right answers, by threshold.

    Returns the slope and intercept by which its log-odds become how likely it is right.
    """
    order = np.random.default_rng(SEED).permutation(len(found))
    best, right = np.zeros(len(found)), np.zeros(len(found), dtype=bool)
    for fold in range(FOLDS):
        held = order[fold::FOLDS]
        weights = fit(names, [found[i] for i in order if i not in set(held)])
        for i in held:
            if len(found[i].labels):
                chances = probabilities(weights, found[i])
                best[i], right[i] = chances.max(), found[i].labels[chances.argmax()]
    answerable = np.array([example.question.answerable for example in found])
    print(
        f"AUC answerable {roc_auc_score(answerable, best):.3f}, best unit right {roc_auc_score(right, best):.3f}, "
        f"best unit right of answerable {right[answerable].mean():.3f}"
    )
    for threshold in np.arange(0.3, 0.75, 0.05):
        given = best >= threshold
        print(
            f"threshold {threshold:.2f}: right {(right & given)[answerable].mean():.3f}, "
            f"refused {(~given)[answerable].mean():.3f}, answered though unanswerable {given[~answerable].mean():.3f}"
        )
    seen = best > 0
    odds = np.log(best[seen] / (1 - best[seen]))[:, None]
    scale = LogisticRegression(C=1e6).fit(odds, right[seen])
    return {"slope": round(float(scale.coef_[0, 0]), 4), "intercept": round(float(scale.intercept_[0]), 4)}


def main() -> None:
    """Cross-validate, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--testset", type=Path, nargs="*", default=[TESTSET, TESTSET.with_name("nearmiss.jsonl")])
    parser.add_argument("--index", type=Path, default=Settings.index)
    parser.add_argument("--as-of", type=date.fromisoformat, default=date(2026, 11, 24))
    arguments = parser.parse_args()
    stay_offline()
    questions = [question for path in arguments.testset for question in read_testset(path)]
    names, found = examples(questions, Settings(index=arguments.index), arguments.as_of)
    calibration = cross_validate(names, found)
    weights = dict(zip(["bias", *names], fit(names, found), strict=True))
    content = {"fitted_on": [path.name for path in arguments.testset], "questions": len(questions),
               "weights": {name: round(float(weight), 4) for name, weight in weights.items()},
               "calibration": calibration}  # fmt: skip
    MODEL.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(json.dumps({**weights, **calibration}))


if __name__ == "__main__":
    main()
