"""What the evaluation page shows of runs, questions and candidates, as HTML; whatever comes from a file is escaped."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from markupsafe import Markup

from assistant.errors import CorpusError
from assistant.index import Index
from assistant.schema import Answer, Citation, Notice, Statement, in_title_marks, in_words
from assistant.viewer import AnswerView, document_url, template
from eval import metrics
from eval.candidates import Candidate
from eval.names import category_name
from eval.report import summary_html
from eval.testset import holds

PARTS = template("evaluation/page.html")
ROOT = "../"  # from the page to the application
EXCERPT = 160  # characters of a passage
_MARKS = re.compile(r"^#+ |\|[-:| ]*|\*\*", re.MULTILINE)  # of Markdown


def result_html(run: Mapping[str, Any], name: str) -> str:
    """Return a run's headline figures, and where its report is."""
    rows = run["questions"]
    right = sum(metrics.handled(row) for row in rows)
    return str(PARTS.result(Markup(summary_html(run)), right, len(rows), name))


def categories_of(run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a run's categories as (name with its count of questions, category), all of them first."""
    rows = run["questions"]
    counted = {key: sum(row["category"] == key for row in rows) for key in sorted({row["category"] for row in rows})}
    return [
        (f"全部（{len(rows)}）", ""),
        *((f"{category_name(key)}（{count}）", key) for key, count in counted.items()),
    ]


def questions_html(run: Mapping[str, Any], wrong_only: bool, category: str) -> str:
    """Return the list of a run's questions, each with why it is not right."""
    entries = [
        (row, right, category_name(row["category"]), _why(row, right))
        for row in run["questions"]
        for right in [metrics.handled(row)]
        if (not category or row["category"] == category) and not (wrong_only and right)
    ]
    return str(PARTS.questions(entries))


def _why(row: Mapping[str, Any], right: bool) -> str:
    if right:
        return ""
    if not row["answerable"]:
        return "资料不能回答，却答了"
    if row["status"] == "abstained":
        return "资料能回答，却说没有"
    missing = f"缺 {'；'.join(_first(fact) for fact in row['missing'])}" if row["missing"] else ""
    return missing or f"不该有 {'；'.join(row['forbidden'])}"


def _first(fact: str) -> str:
    """Return the first spelling of a fact."""
    return fact.partition("|")[0]


def opened_html(run: Mapping[str, Any], row: Mapping[str, Any], index: Index) -> str:
    """Return a question as it was run: what was asked and expected, the answer, and the passages found."""
    stale = run["setup"]["generation"] != index.manifest.generation
    history = [(turn["role"], turn["content"]) for turn in row.get("history", ())]
    facts = [(fact.replace("|", " 或 "), fact not in row["missing"]) for fact in row["key_facts"]]
    documents = [(_title(key, index), _url(key, index, row), *_state(key, row)) for key in row["docs"]]
    return str(
        PARTS.opened(
            row, metrics.handled(row), category_name(row["category"]), history, facts, documents,
            Markup(_answer_html(row, index)), _passages(row, index, stale), stale,
        )
    )  # fmt: skip


def _state(key: str, row: Mapping[str, Any]) -> tuple[str, bool]:
    """Return what became of a document that was expected, and whether it was at least found."""
    found = key in row["ranked"]
    rank = f"查到，第 {row['ranked'].index(key) + 1} 名" if found else "没有查到"
    return ("引用了" if key in row["sources"] else rank), found


def _title(key: str, index: Index) -> str:
    return in_title_marks(index.titles[key]) if key in index.titles else key


def _url(key: str, index: Index, row: Mapping[str, Any], start: int = 0, end: int = 0) -> str:
    """Return where a document is opened, "" where it is no longer there."""
    day = date.fromisoformat(row["as_of"]) if row.get("as_of") else date.today()
    return ROOT + document_url(key, start, end, day) if key in index.titles else ""


def _answer_html(row: Mapping[str, Any], index: Index) -> str:
    """Return the answer as readers saw it; as plain text where a document of it is gone, or the run is an old one."""
    try:
        return str(template("ui.html").answered(AnswerView(_answer(row), index, ROOT)))
    except (CorpusError, KeyError):
        return str(Markup('<p class="statement">{}</p>').format(row["answer"] or "没有作答。"))


def _answer(row: Mapping[str, Any]) -> Answer:
    statements = tuple(
        Statement(one["text"], tuple(Citation(**citation) for citation in one["citations"]), one["label"])
        for one in row["statements"]
    )
    told: list[Any] = [notice.partition(": ") for notice in row["notices"]]
    notices = tuple(Notice(kind, text) for kind, _, text in told)
    day = date.fromisoformat(row["as_of"])
    return Answer(row["question"], "", day, statements, (), notices, row["confidence"], {}, "")


def _passages(row: Mapping[str, Any], index: Index, stale: bool) -> list[tuple[Any, ...]]:
    """Return the passages found, best first, as (title, place, address, excerpt, facts it holds, whether expected)."""
    found: list[tuple[Any, ...]] = []
    for hit in row.get("hits", ()):
        key, start, end = hit["document_id"], hit["start"], hit["end"]
        text = "" if stale or key not in index.titles else index.document(key).text[start:end]
        facts = [_first(fact) for fact in row["key_facts"] if holds(fact, text)]
        excerpt = " ".join(_MARKS.sub(" ", text).split())
        excerpt = excerpt[:EXCERPT] + ("……" if len(excerpt) > EXCERPT else "")
        url, place = _url(key, index, row, start, end), in_words(hit["locator"], hit["page"])
        found.append((_title(key, index), place, url, excerpt, facts, key in row["docs"]))
    return found


def candidate_html(one: Candidate, index: Index) -> str:
    """Return a candidate question with the answer that did not help."""
    history = [(turn.role, turn.content) for turn in one.history]
    row = {"as_of": one.as_of.isoformat()}
    sources = [(in_title_marks(title), place, _url(key, index, row)) for key, title, place in one.sources]
    return str(PARTS.candidate(one, history, sources))


def candidates_html(found: Sequence[Candidate]) -> str:
    """Return the list of candidate questions."""
    return str(PARTS.candidates(found))
