"""Candidate questions from readers' feedback: listed, then accepted into a test set or rejected; none is ever erased."""

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from assistant.errors import SettingsError
from assistant.feedback import CANDIDATES, FEEDBACK, REASONS, append
from assistant.schema import Turn
from eval.testset import TestQuestion
from eval.workspace import Workspace

DECISIONS = "decisions.jsonl"
log = logging.getLogger("assistant")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that did not help: what was asked and said, `sources` as (document, title, place), and why."""

    id: str
    when: str
    question: str
    history: tuple[Turn, ...]
    as_of: date
    answer: str
    notices: tuple[str, ...]
    sources: tuple[tuple[str, str, str], ...]
    reason: str
    comment: str

    @property
    def why(self) -> str:
        """The reason in words."""
        return REASONS.get(self.reason, self.reason)


def candidates(folder: Path) -> list[Candidate]:
    """Return the candidates not yet decided upon, the newest first; a line that cannot be read is logged and left."""
    decided = {row["candidate"] for row in _rows(folder / DECISIONS)}
    found = []
    for row in _rows(folder / CANDIDATES):
        try:
            found.append(_candidate(row))
        except (KeyError, TypeError, ValueError) as error:
            log.warning("%s: no candidate: %r", CANDIDATES, error)
    return [one for one in reversed(found) if one.id not in decided]


def _candidate(row: Mapping[str, Any]) -> Candidate:
    return Candidate(
        row["id"], row["when"], row["question"], tuple(Turn(turn["role"], turn["content"]) for turn in row["history"]),
        date.fromisoformat(row["as_of"]), row["answer"], tuple(row["notices"]),
        tuple((one["document"], one["title"], one["place"]) for one in row["sources"]), row["reason"], row["comment"],
    )  # fmt: skip


def _rows(file: Path) -> list[dict[str, Any]]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"读不了工作区的“{file.name}”，请联系维护人员") from error
    rows = []
    for number, line in enumerate(lines, 1):
        try:
            rows.append(json.loads(line))
        except ValueError:
            log.warning("%s line %d is no JSON", file.name, number)
    return rows


def tally(folder: Path) -> dict[str, int]:
    """Return how many answers helped, did not, and how many candidates were accepted and rejected."""
    helped = Counter(bool(row["helpful"]) for row in _rows(folder / FEEDBACK))
    decided = Counter(row["decision"] for row in _rows(folder / DECISIONS))
    return {
        "helped": helped[True],
        "not": helped[False],
        "accepted": decided["accepted"],
        "rejected": decided["rejected"],
    }


def proposed(candidate: Candidate) -> TestQuestion:
    """Return the question that an evaluator begins from: what a right answer holds is for them to write."""
    answerable = candidate.reason != "should_abstain"
    note = f"{candidate.why}：{candidate.comment}" if candidate.comment else candidate.why
    return TestQuestion(
        candidate.id, candidate.question, answerable, (), (), "feedback", candidate.history, candidate.as_of,
        provenance=f"读者反馈 {candidate.when[:10]}", note=note,
    )  # fmt: skip


def accept(workspace: Workspace, candidate: Candidate, question: TestQuestion, name: str, when: datetime) -> str:
    """Add a candidate as a question to a test set, note that, and return the set's name. Raises SettingsError if it is decided."""
    _still_open(workspace, candidate)
    target = workspace.add(name, replace(question, id=candidate.id))
    _decide(workspace, candidate, "accepted", when, {"testset": target})
    return target


def reject(workspace: Workspace, candidate: Candidate, reason: str, when: datetime) -> None:
    """Note that a candidate is not taken and why. Raises SettingsError without a reason, or if it is decided."""
    if not reason.strip():
        raise SettingsError("请写明不收的理由")
    _still_open(workspace, candidate)
    _decide(workspace, candidate, "rejected", when, {"reason": reason.strip()})


def _still_open(workspace: Workspace, candidate: Candidate) -> None:
    if candidate.id not in {one.id for one in candidates(workspace.folder)}:
        raise SettingsError("这道候选题已经处理过了")


def _decide(workspace: Workspace, candidate: Candidate, decision: str, when: datetime, more: Mapping[str, str]) -> None:
    row = {"candidate": candidate.id, "decision": decision, "when": when.isoformat(timespec="seconds"), **more}
    append(workspace.folder / DECISIONS, row)
