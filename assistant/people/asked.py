"""What is kept of a question that somebody put: that it was put, in the audit log, and its masked text in the question log."""

from collections.abc import Callable
from contextvars import ContextVar
from datetime import date

from starlette.requests import HTTPConnection

from assistant.people.access import identity, record
from assistant.people.questions import Asked, Channel
from assistant.schema import Answer

QUESTIONS = "jiading.questions"  # where the gate leaves the log in a request's scope
CONNECTION: ContextVar[HTTPConnection | None] = ContextVar("connection", default=None)  # for what is handed no request


def keep(request: HTTPConnection | None, channel: Channel, question: str, answer: Answer | date, ms: float) -> None:
    """Keep a question and its answer; the day that it was asked for where answering failed. Without a gate nothing is kept."""
    if request is None:
        return
    who, write = identity(request).name, request.scope.get(QUESTIONS)
    if isinstance(answer, date):
        status, asked = "error", Asked(question, channel, answer, "error", who, ms=ms)
    else:
        status, generation = answer.status, answer.generation
        asked = Asked(question, channel, answer.as_of, status, who, answer.confidence, generation, ms)
    record(request, "ask", generation=asked.generation, channel=channel, status=status)
    if write:
        log: Callable[[Asked], None] = write
        log(asked)
