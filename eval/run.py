"""Run a test set through the assistant and score every question; what a run was made with is kept beside its answers."""

import hashlib
import json
import platform
import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import mean
from typing import Any

from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Citation, Document, Hit, Statement, hit_to_dict
from assistant.verify import figures, stands, unsupported
from eval import metrics
from eval.names import COLUMNS, category_name, shown
from eval.testset import TestQuestion, holds, to_dict

CUTOFFS = (1, 5, 10)
Progress = Callable[[int, int], None]  # done, total


def evaluate(
    assistant: Assistant, questions: Sequence[TestQuestion], as_of: date,
    progress: Progress = lambda done, total: None, file: str = "",
) -> dict[str, Any]:  # fmt: skip
    """Ask every question and return a run of plain JSON types: "setup", "overall", "categories", "risk_coverage", "documents"
    (a digest of each document cited) and "questions".

    Two runs with the same setup have the same rows, `latency_ms` and `answer_ms` aside. `file` names the test set. What
    `progress` raises ends the run.
    """
    rows = []
    for done, question in enumerate(questions, 1):
        answer = assistant.ask(question.question, question.history, Filters(question.as_of or as_of))
        rows.append(_score(question, answer, assistant))
        progress(done, len(questions))
    categories = sorted({row["category"] for row in rows})
    return {
        "setup": {**_setup(assistant, questions, as_of), "file": file},
        "overall": summarise(rows),
        "categories": {name: summarise([row for row in rows if row["category"] == name]) for name in categories},
        "risk_coverage": metrics.risk_coverage(rows),
        "documents": {key: _digest(assistant.index.document(key)) for key in sorted({key for row in rows for key in row["sources"]})},
        "questions": rows,
    }  # fmt: skip


def _digest(document: Document) -> str:
    """Return what differs where a document's words or its row of the catalogue do."""
    return hashlib.sha256(json.dumps(asdict(document), sort_keys=True).encode()).hexdigest()[:16]


def _setup(assistant: Assistant, questions: Sequence[TestQuestion], as_of: date) -> dict[str, Any]:
    """Return what decides a run's answers: program, index, models, questions and day."""
    digest = hashlib.sha256(json.dumps([to_dict(question) for question in questions], sort_keys=True).encode())
    manifest = assistant.index.manifest
    return {
        "commit": program_commit(), "python": platform.python_version(), "as_of": as_of.isoformat(), "seed": metrics.SEED,
        "testset": digest.hexdigest()[:16], "count": len(questions), "generation": manifest.generation,
        "documents": manifest.documents, "passages": manifest.passages, "embedding": manifest.embedding,
        **assistant.setup,
    }  # fmt: skip


def program_commit() -> str:
    """Return the program's commit, with + where files differ from it; "" outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty=+", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _score(question: TestQuestion, answer: Answer, assistant: Assistant) -> dict[str, Any]:
    text = "\n".join(statement.text for statement in answer.statements)
    ranked = list(dict.fromkeys(hit.document.id for hit in answer.hits))
    citations = [citation for statement in answer.statements for citation in statement.citations]
    cited = {citation.document_id for citation in citations}
    support = [_support(statement) for statement in answer.statements]
    return {
        **{name: getattr(question, name) for name in ("id", "category", "group", "question", "answerable")},
        "docs": list(question.docs),
        "key_facts": list(question.key_facts),
        "history": [{"role": turn.role, "content": turn.content} for turn in question.history],
        "as_of": answer.as_of.isoformat(),
        "status": answer.status,
        "answer": text,
        "statements": [{**asdict(s), "citations": [asdict(c) for c in s.citations]} for s in answer.statements],
        "hits": [_place(hit) for hit in answer.hits],
        "sources": sorted(cited),
        "missing": [fact for fact in question.key_facts if not holds(fact, text)],
        "forbidden": [said for said in question.must_not_say if _asserted(said, text)] + sorted(cited & set(question.forbidden_docs)),
        "ranked": ranked,
        "citations": len(citations),
        "valid_citations": sum(stands(c, assistant.index.document(c.document_id)) for c in citations),
        "supported": [whole for whole, _ in support],
        "precise": [one for _, precise in support for one in precise],
        "stale": len(question.stale),
        "unmarked": [key for key, state in question.stale if not _marked(key, state, answer)],
        "values": [_shown(fact, documents, answer) for fact, documents in question.values],
        "notices": [f"{notice.kind}: {notice.text}" for notice in answer.notices],
        "about": [notice.document_id for notice in answer.notices],
        "unsupported": sorted(item for statement in answer.statements for item in unsupported(statement)),
        "confidence": round(answer.confidence, 4),
        "latency_ms": round(answer.timings_ms["total"], 2),
        "answer_ms": round(sum(answer.timings_ms.get(stage, 0.0) for stage in ("compose", "generate", "verify")), 2),
    }  # fmt: skip


def _place(hit: Hit) -> dict[str, Any]:
    """Return a hit as plain JSON types without its text, which stands in the document."""
    return {
        key: value
        for key, value in hit_to_dict(hit).items()
        if key in ("document_id", "locator", "page", "start", "end", "score")
    }


def _asserted(said: str, text: str) -> bool:
    """Return whether a text says something without denying it: 不是25家，而是19家."""
    return holds(said, re.sub(r"(?:不是|并非|而非|没有)[^，。；]{0,20}", "", text))


def _support(statement: Statement) -> tuple[bool, list[bool]]:
    """Return whether a statement's citations support it, and for each whether it is precise; our verifier decides.

    Spans of one place in a document, a row and its header, are one citation, as one number stands for them.
    """
    places: dict[tuple[str, str], list[Citation]] = {}
    for citation in statement.citations:
        places.setdefault((citation.document_id, citation.locator), []).append(citation)
    cited = list(places.values())

    def supports(chosen: Sequence[list[Citation]]) -> bool:
        spans = tuple(citation for place in chosen for citation in place)
        return bool(spans) and not unsupported(Statement(statement.text, spans))

    whole = supports(cited)
    if len(cited) == 1:
        return whole, [whole]
    alone = [supports([place]) for place in cited]
    without = [supports(cited[:at] + cited[at + 1 :]) for at in range(len(cited))]
    return whole, metrics.citation_precision(whole, alone, without)


_STANDS = ("expired", "superseded", "draft", "not_yet_valid")
_SAYS = {
    "target": re.compile(r"目标|计划|预计|预期|力争|规划|(?<![虚模])拟|争取|将|到20\d\d年"),
    "draft": re.compile(r"征求意见|草案"),
}
_SAYS_PAST = re.compile(r"过时|旧|历史|已失效|已截止|不再|时任")


def _marked(document_id: str, state: str, answer: Answer) -> bool:
    """Return whether the answer says how a document stands wherever it cites it: in a notice, or in each statement."""
    kinds = {notice.kind for notice in answer.notices if notice.document_id == document_id}
    if kinds & ({"target"} if state == "target" else set(_STANDS)):
        return True
    citing = [s.text for s in answer.statements if any(c.document_id == document_id for c in s.citations)]
    if state == "target":  # only a figure can be one
        citing = [text for text in citing if figures(text)]
    return all(_SAYS.get(state, _SAYS_PAST).search(text) for text in citing)


def _shown(fact: str, documents: Sequence[str], answer: Answer) -> bool:
    """Return whether a statement holds the value and cites, with its date, a document that says it."""
    return any(
        holds(fact, statement.text) and any(c.document_id in documents and c.published for c in statement.citations)
        for statement in answer.statements
    )


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the metrics of some scored questions, None where there is nothing to average; `intervals` holds 95 % ones."""
    answerable = [row for row in rows if row["answerable"]]
    unanswerable = [row for row in rows if not row["answerable"]]
    placed = [row for row in answerable if row["docs"]]
    answered = [row for row in rows if row["status"] == "answered"]
    averages: dict[str, list[float]] = {
        **{f"recall@{k}": [metrics.hit_at(row["ranked"], row["docs"], k) for row in placed] for k in CUTOFFS},
        "mrr": [metrics.reciprocal_rank(row["ranked"], row["docs"]) for row in placed],
        "ndcg@10": [metrics.ndcg_at(row["ranked"], row["docs"], 10) for row in placed],
        "all_facts": [float(metrics.right(row)) for row in answerable],
        "facts": [float(fact not in row["missing"]) for row in answerable for fact in row["key_facts"]],
        "number_facts": [float(fact not in row["missing"]) for row in answerable for fact in row["key_facts"] if re.search(r"\d", fact)],
        "false_refusals": [float(row["status"] == "abstained") for row in answerable],
        "false_answers": [float(row["status"] == "answered") for row in unanswerable],
        "citation_recall": [float(one) for row in rows for one in row["supported"]],
        "citation_precision": [float(one) for row in rows for one in row["precise"]],
        "figures_supported": [float(not row["unsupported"]) for row in answered],
        "values_shown": [float(all(row["values"])) for row in rows if row["values"]],
    }  # fmt: skip
    cited = sum(row["citations"] for row in rows)
    return {
        "questions": len(rows),
        **{name: mean(values) if values else None for name, values in averages.items()},
        "valid_citations": sum(row["valid_citations"] for row in rows) / cited if cited else None,
        "validity_errors": sum(len(row["unmarked"]) for row in rows) if any(row["stale"] for row in rows) else None,
        "forbidden": sum(len(row["forbidden"]) for row in rows),
        "consistency": metrics.consistency(rows),
        "mean_risk": metrics.area_under(metrics.risk_coverage(rows)),
        "calibration_error": metrics.calibration_error(rows),
        "length_chars": mean(len(row["answer"]) for row in answered) if answered else None,
        "latency_p50_ms": metrics.percentile((row["latency_ms"] for row in rows), 50),
        "latency_p95_ms": metrics.percentile((row["latency_ms"] for row in rows), 95),
        "answer_p95_ms": metrics.percentile((row["answer_ms"] for row in rows), 95),
        "intervals": {name: list(metrics.interval(values) or ()) for name, values in averages.items() if values},
    }


def table(result: dict[str, Any]) -> str:
    """Return the metrics as a Markdown table, a row per category and one for all; – where nothing applies."""
    rows = [*result["categories"].items(), ("全部", result["overall"])]
    used = [key for key in COLUMNS if any(row[key] is not None for _, row in rows)]
    head = ["类别", *(COLUMNS[key] for key in used)]
    lines = [
        head,
        ["---"] * len(head),
        *([category_name(name), *(shown(key, row[key]) for key in used)] for name, row in rows),
    ]
    bounds = result["overall"]["intervals"]
    whole = [f"{bounds[key][0]:.3f}–{bounds[key][1]:.3f}" if bounds.get(key) else "" for key in used]
    return _markdown([*lines, ["95% 区间", *whole]])


RISKS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.0)  # confidences at which the curve is printed


def risk_table(result: dict[str, Any]) -> str:
    """Return the risk–coverage curve as a Markdown table: what is answered, and how much of it is wrong, from a confidence on."""
    lines = [["置信度不低于", "回答的占全部题", "其中答错的"], ["---"] * 3]
    for least in RISKS:
        reached = [point for point in result["risk_coverage"] if point["confidence"] >= least]
        if reached:
            lines.append([str(least), shown("coverage", reached[-1]["coverage"]), shown("risk", reached[-1]["risk"])])
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
