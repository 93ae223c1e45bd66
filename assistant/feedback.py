"""Keep what readers say of answers: one line each, and of those that did not help a candidate question for the test sets."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock

from assistant.privacy import mask
from assistant.schema import Answer, Turn

REASONS = {
    "off_point": "没答到点上",
    "outdated": "资料过时",
    "wrong_quote": "引文不对",
    "should_abstain": "该说没有却答了",
    "should_answer": "有答案却说没有",
    "other": "其他",
}
MAX_COMMENT = 500  # characters
HISTORY = 6  # turns before the question that a candidate keeps
FEEDBACK, CANDIDATES = "feedback.jsonl", "candidates.jsonl"  # in the workspace


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question of a conversation and its answer, whose hits may be left out, with the talk before it."""

    number: int
    answer: Answer
    history: tuple[Turn, ...]


def keep_feedback(
    workspace: Path, exchange: Exchange, when: datetime, reason: str = "", comment: str = ""
) -> dict[str, Any]:
    """Write down whether an answer helped: it did unless there is a reason. Return the line; it holds nothing personal.

    `reason` is one of REASONS. One that did not help is written to the candidates too.
    """
    row = {
        "when": when.isoformat(timespec="seconds"), "helpful": not reason, "status": exchange.answer.status,
        "documents": sorted({c.document_id for s in exchange.answer.statements for c in s.citations}),
    }  # fmt: skip
    if reason:
        found = candidate(exchange, reason, comment, when)
        append(workspace / CANDIDATES, found)
        row |= {"reason": reason, "candidate": found["id"]}
    append(workspace / FEEDBACK, row)
    return row


def candidate(exchange: Exchange, reason: str, comment: str, when: datetime) -> dict[str, Any]:
    """Return a candidate question as plain JSON types, masked; contacts that the cited quotes hold stay in the answer."""
    answer = exchange.answer
    citations = [citation for statement in answer.statements for citation in statement.citations]
    quotes = "\n".join(citation.quote for citation in citations)
    sources = {(c.document_id, c.title, c.place) for c in citations}
    return {
        "id": f"fb-{when:%Y%m%d-%H%M%S}-{uuid4().hex[:6]}",
        "when": when.isoformat(timespec="seconds"),
        "question": mask(answer.question),
        "history": [{"role": turn.role, "content": mask(turn.content)} for turn in exchange.history[-HISTORY:]],
        "as_of": answer.as_of.isoformat(),
        "status": answer.status,
        "answer": mask("\n".join(statement.text for statement in answer.statements), quotes),
        "notices": [mask(notice.text) for notice in answer.notices],
        "sources": [{"document": key, "title": title, "place": place} for key, title, place in sorted(sources)],
        "reason": reason,
        "comment": mask(comment.strip()[:MAX_COMMENT]),
        "generation": answer.generation,
    }


def append(file: Path, row: Mapping[str, Any]) -> None:
    """Add a line of JSON to a file that only its owner may read; lines of several writers never mix.

    A lock, not the file being opened to append: where a folder is shared over the network the latter loses lines.
    """
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps(row, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    with FileLock(file.with_name(f".{file.name}.lock"), mode=0o600):
        handle = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            end = os.fstat(handle).st_size
            whole = not end or os.pread(handle, 1, end - 1) == b"\n"  # else a writer was killed within its line
            os.write(handle, line if whole else b"\n" + line)
        finally:
            os.close(handle)
