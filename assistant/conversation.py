"""A reader's conversation on the page: what was said and how it is shown, a question asked, an answer rated."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from markupsafe import Markup

from assistant.catalog import parse_date
from assistant.desk import MAX_QUESTION, Caller, Desk
from assistant.errors import told
from assistant.feedback import REASONS, Exchange, keep_feedback
from assistant.followups import follow_ups
from assistant.index import Index
from assistant.kept import MOST, kept, restored
from assistant.pipeline import Assistant
from assistant.plain import text
from assistant.retrieve import Filters
from assistant.schema import Turn
from assistant.scope import Scope
from assistant.viewer import AnswerView, template
from assistant.words import Language, said, say

PACE_S = 0.12  # between statements
MAX_ID = 64  # characters
log = logging.getLogger("assistant")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, for the assistant, and how the page shows it, one HTML string an exchange.

    `answered` are the exchanges that may still be rated; `count` numbers them. `id` tells one conversation that a
    browser keeps from another; it is given with the first question. `language` is the page's, not the answers'.
    """

    turns: tuple[Turn, ...] = ()
    shown: tuple[str, ...] = ()
    answered: tuple[Exchange, ...] = ()
    count: int = 0
    id: str = ""
    language: Language = "zh"

    def add(self, html: str, *turns: Turn, exchange: Exchange | None = None) -> "Conversation":
        """Return the conversation continued by an exchange, its oldest ones dropped when it grows too long."""
        answered = (*self.answered, exchange)[-MOST:] if exchange else self.answered
        return Conversation(
            (*self.turns, *turns)[-2 * MOST :],
            (*self.shown, html)[-MOST:],
            tuple(one for one in answered if one),
            self.count + bool(exchange),
            self.id,
            self.language,
        )

    def answer(self, question: str, view: AnswerView, exchange: Exchange | None = None) -> "Conversation":
        """Return the conversation continued by a question and its whole answer, which may be rated if it is an exchange."""
        said = "".join(part.text for part in view.answer.statements or view.answer.notices)
        whole = {"kept": kept(view), "text": text(view.answer, self.language)}
        html = self.parts.exchange(question, view, number=exchange.number if exchange else None, whole=whole)
        return self.add(html, Turn("user", question), Turn("assistant", said), exchange=exchange)

    def rated(self, number: int, verdict: str) -> "Conversation":
        """Return the conversation with an answer's buttons replaced by what was said of it."""
        asked, rated = self.parts.feedback(number), self.parts.feedback(number, verdict)
        return replace(
            self,
            shown=tuple(html.replace(asked, rated) for html in self.shown),
            answered=tuple(one for one in self.answered if one.number != number),
        )

    @property
    def parts(self) -> Any:
        """What shows it, in its language."""
        return template("ui.html", self.language)

    @property
    def html(self) -> str:
        """The whole conversation as HTML."""
        shown = Markup("".join(self.shown))
        return Markup('<div data-talk="{}">{}</div>').format(self.id, shown) if shown else ""


async def ask(
    desk: Desk, question: str, scope: Scope, so_far: Conversation, caller: Caller
) -> AsyncIterator[dict[str, Any]]:
    """Yield what changes on the page, by part, False for what is to be hidden: the question, then the statements one by one, then all the rest."""
    question, as_of = question.strip(), day_of(scope.day) if scope.day.strip() else date.today()
    if not question:
        yield {"message": ""}
        return
    parts, language = so_far.parts, so_far.language
    if as_of is None:
        told = "“截至日期”要写成 {today} 这样的日期，或者留空，表示今天。"
        yield {"message": say(told, language, today=date.today())}
        return
    if len(question) > MAX_QUESTION:
        told = "问题有{n}个字，最多{most}个字，请精简后再发送。"
        yield {"message": say(told, language, n=len(question), most=MAX_QUESTION)}
        return
    so_far = replace(so_far, id=so_far.id or uuid4().hex)
    asked = so_far.add(parts.exchange(question))
    yield {"talk": asked.html, "box": "", "message": "", "examples": False}
    view = await _answer(desk, question, so_far, (scope.filters(as_of), scope.named(language)), caller)
    if isinstance(view, str):
        done = so_far.add(parts.exchange(question, error=view))
    else:
        answer = view.answer
        for shown in range(1, len(answer.statements) + 1):
            yield {"talk": so_far.add(parts.exchange(question, view, shown)).html}
            await asyncio.sleep(PACE_S)
        done = so_far.answer(question, view, Exchange(so_far.count, replace(answer, hits=()), so_far.turns))
    yield {"talk": done.html, "conversation": done}


async def _answer(
    desk: Desk, question: str, so_far: Conversation, limits: tuple[Filters, str], caller: Caller
) -> AnswerView | str:
    """Return the answer, or what to tell the user in its stead: the page's outer boundary."""
    try:
        filters, named = limits
        return await desk.ask(
            question, so_far.turns, filters, partial(AnswerView, limited=named, language=so_far.language), caller
        )
    except Exception as error:
        return said(told(error), so_far.language)


async def suggest(desk: Desk, so_far: Conversation, scope: Scope, caller: Caller) -> str:
    """Return the questions that may follow the newest answer, as HTML; "" if there are none or others are asking."""
    if not so_far.answered or desk.running:
        return ""
    answer, asked = so_far.answered[-1].answer, [turn.content for turn in so_far.turns if turn.role == "user"]

    def work(assistant: Assistant) -> list[str]:
        return follow_ups(assistant, answer, scope.filters(answer.as_of), asked, lambda: desk.running > 1)

    try:
        return str(so_far.parts.follow_ups(await desk.run(work, caller)))
    except Exception:  # nobody asked for them: the answer stands without
        log.exception("no questions were suggested")
        return ""


def restore(data: Mapping[str, Any], index: Index, language: Language = "zh") -> Conversation:
    """Return the conversation that a browser kept, as the page sends it, shown anew."""
    identity, written = data.get("id"), data.get("answers")
    if not isinstance(identity, str) or not isinstance(written, str) or len(identity) > MAX_ID:
        return Conversation(language=language)
    talk = Conversation(id=identity or uuid4().hex, language=language)
    for answer in restored(written):
        talk = talk.answer(answer.question, AnswerView(answer, index, language=language))
    return talk


def rate(workspace: Path, data: Mapping[str, Any], so_far: Conversation) -> dict[str, Any]:
    """Write down what a reader said of an answer, as the page sends it, and return what changes on the page, by part."""
    number, reason, comment = data.get("exchange"), data.get("reason", ""), data.get("comment", "")
    exchange = next((one for one in so_far.answered if one.number == number), None)
    if exchange is None or not isinstance(comment, str) or reason not in ("", *REASONS):
        return {"message": ""}
    try:
        keep_feedback(workspace, exchange, datetime.now(), reason, comment)
    except OSError:
        log.exception("feedback was not written")
        return {"message": say("您的反馈没有记下来，请联系维护人员。", so_far.language)}
    why = say(REASONS[reason], so_far.language) if reason else ""
    done = so_far.rated(exchange.number, say("没帮助（{reason}）" if why else "有帮助", so_far.language, reason=why))
    return {"talk": done.html, "conversation": done, "message": ""}


def day_of(text: str) -> date | None:
    """Return the day written, also as 2026/1/31 or 2026年1月31日; None if it is no full date."""
    written = parse_date(text or "")
    return date.fromisoformat(written) if len(written) == 10 else None
