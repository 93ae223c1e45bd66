"""Run a test set through the assistant and score it, without a judge; definitions in eval/README.md."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import mean, quantiles
from typing import Any

from assistant.errors import SettingsError
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn
from assistant.text import normalise
from assistant.verify import figures, stands, unsupported

TESTSET = Path(__file__).parent / "testset.jsonl"
CUTOFFS = (1, 5, 10)


@dataclass(frozen=True, slots=True)
class TestQuestion:
    """A question with what a right answer must hold: each key fact is a choice of spellings, parted by |.

    `as_of` is the day it is asked for, if not that of the run; `stale` pairs documents with how they stand that day
    (expired, superseded, draft, not_yet_valid) or with "target"; `values` pairs what sources say differently with
    the documents that say it.
    """

    __test__ = False  # not a pytest class

    id: str
    question: str
    answerable: bool
    key_facts: tuple[str, ...]
    docs: tuple[str, ...]
    category: str
    history: tuple[Turn, ...] = ()
    as_of: date | None = None
    stale: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()


def read_testset(path: Path | None = None) -> list[TestQuestion]:
    """Read a test set. Raises SettingsError naming the line that cannot be read."""
    path = path or TESTSET
    questions = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不了测试集“{path}”,请核对路径和编码(UTF-8)") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                questions.append(_question(json.loads(line)))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise SettingsError(f"{path.name} 第{number}行:字段不全或不是 JSON,格式见 eval/README.md") from error
    if not questions:
        raise SettingsError(f"测试集“{path}”是空的")
    return questions


def _question(row: dict[str, Any]) -> TestQuestion:
    return TestQuestion(
        str(row["id"]),
        row["question"],
        bool(row["answerable"]),
        tuple(row["key_facts"]),
        tuple(row["docs"]),
        row["category"],
        tuple(Turn(turn["role"], turn["content"]) for turn in row.get("history") or ()),
        date.fromisoformat(row["as_of"]) if row.get("as_of") else None,
        tuple((stale["document"], stale["state"]) for stale in row.get("stale") or ()),
        tuple((value["fact"], tuple(value["documents"])) for value in row.get("values") or ()),
    )


def holds(fact: str, text: str) -> bool:
    """Return whether a text holds one spelling of a fact; a figure counts only whole: 16 is not in 2016 or 16.5."""
    spelled = re.sub(r"\s", "", normalise(text))
    for variant in fact.split("|"):
        pattern = re.escape(re.sub(r"\s", "", normalise(variant)))
        pattern = (r"(?<![\d.])" if pattern[:1].isdigit() else "") + pattern
        if re.search(pattern + (r"(?!\d|\.\d)" if pattern[-1:].isdigit() else ""), spelled):
            return True
    return False


def evaluate(assistant: Assistant, questions: Sequence[TestQuestion], as_of: date) -> dict[str, Any]:
    """Ask every question and return {"overall", "categories", "questions"} of plain JSON types."""
    rows = [_score(q, assistant.ask(q.question, q.history, Filters(q.as_of or as_of)), assistant) for q in questions]
    categories = sorted({row["category"] for row in rows})
    return {
        "as_of": as_of.isoformat(),
        "generation": assistant.index.manifest.generation,
        "overall": summarise(rows),
        "categories": {name: summarise([row for row in rows if row["category"] == name]) for name in categories},
        "risk_coverage": risk_coverage(rows),
        "questions": rows,
    }


def _score(question: TestQuestion, answer: Answer, assistant: Assistant) -> dict[str, Any]:
    text = "\n".join(statement.text for statement in answer.statements)
    found = [hit.document.id for hit in answer.hits]
    citations = [citation for statement in answer.statements for citation in statement.citations]
    return {
        "id": question.id,
        "category": question.category,
        "question": question.question,
        "answerable": question.answerable,
        "status": answer.status,
        "answer": text,
        "missing": [fact for fact in question.key_facts if not holds(fact, text)],
        "rank": next((rank for rank, key in enumerate(found, 1) if key in question.docs), None)
        if question.docs
        else None,
        "has_docs": bool(question.docs),
        "citations": len(citations),
        "valid_citations": sum(stands(c, assistant.index.document(c.document_id)) for c in citations),
        "statements": len(answer.statements),
        "stale": len(question.stale),
        "unmarked": [key for key, state in question.stale if not _marked(key, state, answer)],
        "values": [_shown(fact, documents, answer) for fact, documents in question.values],
        "notices": [f"{notice.kind}: {notice.text}" for notice in answer.notices],
        "unsupported": sorted(item for statement in answer.statements for item in unsupported(statement)),
        "confidence": round(answer.confidence, 4),
        "latency_ms": round(answer.timings_ms["total"], 2),
        "answer_ms": round(sum(answer.timings_ms.get(stage, 0.0) for stage in ("compose", "generate", "verify")), 2),
    }


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


def _right(row: dict[str, Any]) -> bool:
    return row["answerable"] and row["status"] == "answered" and not row["missing"]


def risk_coverage(rows: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """Return, per confidence at which one might stop answering, the share of questions answered and of those wrong.

    The risk–coverage curve of El-Yaniv & Wiener (2010); an answer is right if it has all facts. It ends at what is
    answered at all: what was refused has no answer to be judged.
    """
    answered = sorted((row for row in rows if row["status"] == "answered"), key=lambda row: -row["confidence"])
    curve, wrong = [], 0
    for count, row in enumerate(answered, 1):
        wrong += not _right(row)
        if count == len(answered) or answered[count]["confidence"] < row["confidence"]:
            curve.append({"confidence": row["confidence"], "coverage": count / len(rows), "risk": wrong / count})
    return curve


def area_under(curve: Sequence[dict[str, float]]) -> float | None:
    """Return the mean risk along a risk–coverage curve from no coverage to its last point, lower is better; None if empty."""
    area, before = 0.0, 0.0
    for point in curve:
        area += point["risk"] * (point["coverage"] - before)
        before = point["coverage"]
    return area / before if curve else None


def calibration_error(rows: Sequence[dict[str, Any]], bins: int = 10) -> float | None:
    """Return the expected calibration error of the answers' confidences (Guo et al. 2017, equal-width bins); None without answers."""
    answered = [row for row in rows if row["status"] == "answered"]
    binned: dict[int, list[dict[str, Any]]] = {}
    for row in answered:
        binned.setdefault(min(int(row["confidence"] * bins), bins - 1), []).append(row)
    gaps = (abs(sum(row["confidence"] - _right(row) for row in group)) for group in binned.values())
    return sum(gaps) / len(answered) if answered else None


def summarise(rows: Sequence[dict[str, Any]]) -> dict[str, float | int | None]:
    """Return the metrics of some scored questions; None where there is nothing to average."""
    answerable = [row for row in rows if row["answerable"]]
    unanswerable = [row for row in rows if not row["answerable"]]
    placed = [row for row in answerable if row["has_docs"]]
    answered = [row for row in rows if row["status"] == "answered"]
    latencies = sorted(row["latency_ms"] for row in rows)
    return {
        "questions": len(rows),
        **{f"recall@{k}": _share(row["rank"] is not None and row["rank"] <= k for row in placed) for k in CUTOFFS},
        "mrr": mean(1 / row["rank"] if row["rank"] else 0.0 for row in placed) if placed else None,
        "all_facts": _share(map(_right, answerable)),
        "false_refusals": _share(row["status"] == "abstained" for row in answerable),
        "false_answers": _share(row["status"] == "answered" for row in unanswerable),
        "valid_citations": _ratio(sum(r["valid_citations"] for r in rows), sum(r["citations"] for r in rows)),
        "figures_supported": _share(not row["unsupported"] for row in answered),
        "validity_errors": sum(len(row["unmarked"]) for row in rows) if any(row["stale"] for row in rows) else None,
        "values_shown": _share(all(row["values"]) for row in rows if row["values"]),
        "mean_risk": area_under(risk_coverage(rows)),
        "calibration_error": calibration_error(rows),
        "length_chars": mean(len(row["answer"]) for row in answered) if answered else None,
        "latency_p50_ms": _percentile(latencies, 50),
        "latency_p95_ms": _percentile(latencies, 95),
        "answer_p95_ms": _percentile(sorted(row["answer_ms"] for row in rows), 95),
    }


def _share(flags: Any) -> float | None:
    flags = list(flags)
    return sum(flags) / len(flags) if flags else None


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percentile(ordered: Sequence[float], percent: int) -> float | None:
    if not ordered:
        return None
    return quantiles(ordered, n=100, method="inclusive")[percent - 1] if len(ordered) > 1 else ordered[0]


_COLUMNS = {
    "questions": "题数", "recall@1": "召回@1", "recall@5": "召回@5", "recall@10": "召回@10", "mrr": "MRR",
    "all_facts": "要点全对", "false_refusals": "误拒", "false_answers": "误答", "valid_citations": "引文有效",
    "figures_supported": "数字有据", "validity_errors": "时效错误", "values_shown": "各值并列", "mean_risk": "平均风险", "calibration_error": "校准误差", "length_chars": "字数", "latency_p50_ms": "P50毫秒", "latency_p95_ms": "P95毫秒", "answer_p95_ms": "检索后P95毫秒",
}  # fmt: skip


def table(result: dict[str, Any]) -> str:
    """Return the metrics as a Markdown table, a row per category and one for all; – where nothing applies."""
    rows = [*result["categories"].items(), ("全部", result["overall"])]
    head = ["类别", *_COLUMNS.values()]
    lines = [head, ["---"] * len(head), *([name, *(_cell(key, row[key]) for key in _COLUMNS)] for name, row in rows)]
    return _markdown(lines)


RISKS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.0)  # confidences at which the curve is printed


def risk_table(result: dict[str, Any]) -> str:
    """Return the risk–coverage curve as a Markdown table: what is answered, and how much of it is wrong, from a confidence on."""
    lines = [["置信度不低于", "回答的占全部题", "其中答错的"], ["---"] * 3]
    for least in RISKS:
        reached = [point for point in result["risk_coverage"] if point["confidence"] >= least]
        if reached:
            lines.append([str(least), _cell("coverage", reached[-1]["coverage"]), _cell("risk", reached[-1]["risk"])])
    return _markdown(lines)


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(key: str, value: float | int | None) -> str:
    if value is None:
        return "–"
    if key in ("questions", "validity_errors"):
        return str(value)
    return f"{value:.1f}" if key == "length_chars" or key.endswith("_ms") else f"{value:.3f}"
