"""Fit the logistic model that says whether spans bear out a statement in other words: assistant/model/support.json.

    python -m eval.fit_support

Fits on the dev rows of eval/statements.jsonl and on eval/labels.jsonl, as far as no figure or name decides already;
"partly" supported counts as not supported. Prints five-fold cross-validated shares by threshold, folds by what is cited,
so that the changed copies of a sentence are in one fold.
"""

import json
from collections.abc import Sequence

import numpy as np

from assistant.schema import Statement
from assistant.support import MODEL
from assistant.verify import signals
from eval.fit_evidence import signed_logistic
from eval.grounding import LABELS, STATEMENTS, read_statements

FITTED_ON = ("dev", "dev2", "dev3", "dev4", "labels")
FOLDS = 5
FOR = ("covered", "characters")  # what speaks for support; all else against it
LABELLED = 2.0  # weight of a labelled row: closer to what a model writes than one changed on purpose


def fit(names: Sequence[str], rows: Sequence[tuple[str, bool, dict[str, float]]]) -> np.ndarray:
    """Return the bias and the weights, shape (1 + features,), fitted on (split, supported, features)."""
    features = np.array([[1.0, *found.values()] for _, _, found in rows])
    signs = np.array([1.0 if supported else -1.0 for _, supported, _ in rows])
    each = np.array([LABELLED if part == "labels" else 1.0 for part, _, _ in rows])
    return signed_logistic(features, signs, each, [name not in FOR for name in names])


def cited(statement: Statement) -> str:
    """Return what tells the statements apart that are copies of each other: what they cite."""
    return "|".join(sorted(f"{citation.document_id}{citation.quote[:40]}" for citation in statement.citations))


def main() -> None:
    """Cross-validate, fit and write."""
    found = [row for path in (STATEMENTS, LABELS[0]) for row in read_statements(path) if row[0] in FITTED_ON]
    read = [
        (part, kind in ("honest", "supported"), signals(statement), cited(statement)) for part, kind, statement in found
    ]
    rows = [(part, supported, features, key) for part, supported, features, key in read if features]
    names = list(rows[0][2])
    keys = sorted({key for *_, key in rows})
    chances = np.zeros(len(rows))
    for fold in range(FOLDS):
        held = set(keys[fold::FOLDS])
        weights = fit(names, [row[:3] for row in rows if row[3] not in held])
        for i, (_, _, features, key) in enumerate(rows):
            if key in held:
                chances[i] = 1 / (1 + np.exp(-weights[0] - weights[1:] @ np.array(list(features.values()))))
    right = np.array([row[1] for row in rows])
    labels = np.array([row[0] == "labels" for row in rows])
    for threshold in np.arange(0.3, 0.8, 0.1):
        withheld = chances < threshold
        shares = [
            withheld[chosen].mean() for chosen in (~right & ~labels, right & ~labels, ~right & labels, right & labels)
        ]
        print(
            f"threshold {threshold:.1f}: planted {shares[0]:.3f}, honest {shares[1]:.3f}, labelled not {shares[2]:.3f}, supported {shares[3]:.3f} withheld"
        )
    fitted = dict(
        zip(["bias", *names], (round(float(w), 4) for w in fit(names, [row[:3] for row in rows])), strict=True)
    )
    MODEL.write_text(
        json.dumps({"fitted_on": FITTED_ON, "rows": len(rows), "weights": fitted}, ensure_ascii=False, indent=1) + "\n",
        encoding="utf-8",
    )
    print(json.dumps(fitted, ensure_ascii=False))


if __name__ == "__main__":
    main()
