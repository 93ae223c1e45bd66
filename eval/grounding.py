"""Measure how many planted hallucinations the verifier withholds, and how many honest sentences.

    python -m eval.grounding [--statements FILE] [--show]

Each row of eval/statements.jsonl is one sentence as a chat model would write it, with the spans it cites: "honest", or
changed in one way (its `kind`) so that the spans no longer bear it out. Its `split` is dev, dev2, dev3 or dev4 (on which the
verifier's rules were chosen) or test, test3. eval/labels.jsonl holds sentences that a person labelled (supported, partly, not):
with these the verifier's verdict is compared, as it decides what counts as supported in the evaluation.
"""

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from assistant.load import load
from assistant.schema import Citation, Document, Statement
from assistant.split import split
from assistant.verify import unsupported
from eval.metrics import kappa

CORPUS = Path(__file__).parent.parent / "corpus"
STATEMENTS = Path(__file__).parent / "statements.jsonl"
LABELS = [Path(__file__).parent / name for name in ("labels.jsonl", "labels_heldout.jsonl")]


def read_statements(file: Path = STATEMENTS) -> list[tuple[str, str, Statement]]:
    """Return (split, kind, statement) of each row; of labelled rows, ("labels", label, statement)."""
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line]
    documents = {document.id: document for document in load(CORPUS).documents}
    return [
        (
            row.get("split", "labels"),
            row.get("kind") or row["label"],
            Statement(row["text"], tuple(_cited(span, documents) for span in row["citations"])),
        )
        for row in rows
    ]


def _cited(span: dict[str, str], documents: dict[str, Document]) -> Citation:
    """Return the citation with the title and headings that the product would give it."""
    document, quote = documents[span["document"]], span["quote"]
    at = document.text.find(quote.split("\n")[0])
    locator = next((p.locator for p in split(document) if p.start <= at < p.end), "")
    return Citation(document.id, document.title, locator, quote, 0, len(quote), "", "", "")


def withheld(statements: Sequence[tuple[str, str, Statement]]) -> dict[str, dict[str, tuple[int, int]]]:
    """Return, per split and kind, how many of how many sentences the verifier withholds."""
    asked: Counter[tuple[str, str]] = Counter((part, kind) for part, kind, _ in statements)
    held = Counter((part, kind) for part, kind, statement in statements if unsupported(statement))
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for (part, kind), count in sorted(asked.items()):
        found.setdefault(part, {})[kind] = (held[part, kind], count)
    return found


def agreement(statements: Sequence[tuple[str, str, Statement]]) -> tuple[float, float]:
    """Return the share of labelled statements on which verifier and label agree (supported or not), and Cohen's κ."""
    pairs = [(label == "supported", not unsupported(statement)) for _, label, statement in statements]
    return sum(a == b for a, b in pairs) / len(pairs), kappa(pairs)


def main() -> None:
    """Print a table, the agreement with both sets of labels, and with --show each sentence that was judged wrongly."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=Path, default=STATEMENTS)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    statements = read_statements(arguments.statements)
    print("| split | planted withheld | honest withheld | by kind |\n| --- | --- | --- | --- |")
    for part, kinds in withheld(statements).items():
        honest, honest_of = kinds.pop("honest", (0, 0))
        planted, planted_of = (sum(counts) for counts in zip(*kinds.values(), strict=True))
        by_kind = ", ".join(f"{kind} {held}/{of}" for kind, (held, of) in kinds.items())
        print(
            f"| {part} | {planted / planted_of:.3f} of {planted_of} | {honest / honest_of:.3f} of {honest_of} | {by_kind} |"
        )
    for path in LABELS:
        labelled = read_statements(path)
        share, chance_corrected = agreement(labelled)
        kinds = withheld(labelled)["labels"]
        by_label = ", ".join(f"{label} withheld {held}/{of}" for label, (held, of) in kinds.items())
        print(f"\n{path.name}, {len(labelled)}: agreement {share:.3f}, κ {chance_corrected:.3f}; {by_label}")
    for part, kind, statement in statements if arguments.show else ():
        found = unsupported(statement)
        if bool(found) == (kind == "honest"):
            print(f"{part} {kind}: {statement.text} << {[c.quote for c in statement.citations]} {sorted(found)}")


if __name__ == "__main__":
    main()
