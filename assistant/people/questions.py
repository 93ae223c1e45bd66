"""The question log: what was asked, masked, and whether there was an answer; kept for a number of days."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Literal

from sqlalchemy import delete, func, insert, select

from assistant.people.database import Database
from assistant.people.later import Later
from assistant.people.tables import questions
from assistant.privacy import mask

PAGE = 50
Channel = Literal["page", "api", "mcp", "openai"]
Status = Literal["answered", "abstained", "error"]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what became of it; `who` is the account's name, "" for one who has not signed in."""

    question: str
    channel: Channel
    as_of: date
    status: Status
    who: str = ""
    confidence: float = 0.0
    generation: str = ""
    ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A question in the log, masked."""

    id: int
    at: datetime
    asked: Asked


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question that had no answer: its latest wording, how often it was asked, and when last."""

    question: str
    count: int
    last: datetime


class Questions:
    """The log in a database; rows older than `days` are taken out. Reading waits for what was to be written before."""

    def __init__(self, database: Database, later: Later, days: int) -> None:
        self._database, self._later, self._days = database, later, days
        self._purged: date | None = None

    def keep(self, asked: Asked) -> None:
        """Write a question down in its turn, masked, without waiting; a failure is logged without the question."""
        self._later.do(lambda: self._keep(asked, datetime.now(UTC)), f"question from {asked.channel}, {asked.status}")

    def page(
        self, before: int | None = None, size: int = PAGE, status: Status | Literal[""] = "", containing: str = ""
    ) -> list[Kept]:
        """Return questions, newest first, with ids below `before`; with a status, and that contain a text."""
        found = select(questions).order_by(questions.c.id.desc()).limit(size)
        found = found.where(questions.c.id < before) if before else found
        found = found.where(questions.c.status == status) if status else found
        found = found.where(questions.c.question.contains(containing, autoescape=True)) if containing else found
        self._later.wait()
        with self._database.reading() as connection:
            rows = connection.execute(found).all()
        return [
            Kept(row.id, row.at, Asked(row.question, row.channel, date.fromisoformat(row.as_of), row.status, row.who,
                                       row.confidence, row.generation, row.ms))
            for row in rows
        ]  # fmt: skip

    def unanswered(self, most: int = PAGE) -> list[Unanswered]:
        """Return what had no answer, the oftenest asked first; wordings that differ in spaces and signs are one question."""
        last = func.max(questions.c.id).label("last")
        groups = (
            select(last, func.count().label("times")).where(questions.c.status == "abstained")
            .group_by(questions.c.likeness).order_by(func.count().desc(), last.desc()).limit(most).subquery()
        )  # fmt: skip
        found = select(questions.c.question, groups.c.times, questions.c.at).join(
            groups, questions.c.id == groups.c.last
        )
        self._later.wait()
        with self._database.reading() as connection:
            rows = connection.execute(found.order_by(groups.c.times.desc(), groups.c.last.desc()))
            return [Unanswered(question, times, at) for question, times, at in rows]

    def forget(self, days: int) -> int:
        """Take out what was asked more than so many days ago, and return how many that were. Raises DatabaseError."""
        self._later.wait()
        return self._forget(datetime.now(UTC) - timedelta(days=days))

    def _forget(self, since: datetime) -> int:
        with self._database.writing() as connection:
            return connection.execute(delete(questions).where(questions.c.at < since)).rowcount

    def _keep(self, asked: Asked, at: datetime) -> None:
        masked = mask(asked.question).replace("\0", "").encode("utf-8", "replace").decode()
        values = {
            "at": at, "who": asked.who, "channel": asked.channel, "question": masked, "likeness": _likeness(masked),
            "as_of": asked.as_of.isoformat(), "status": asked.status, "confidence": asked.confidence,
            "generation": asked.generation, "ms": asked.ms,
        }  # fmt: skip
        with self._database.writing() as connection:
            connection.execute(insert(questions).values(**values))
        if self._purged != at.date():
            self._forget(at - timedelta(days=self._days))
            self._purged = at.date()


def _likeness(question: str) -> str:
    letters = [letter for letter in unicodedata.normalize("NFKC", question).casefold() if letter.isalnum()]
    return sha256("".join(letters).encode()).hexdigest()
