"""Where the page, the API and MCP put their questions: so many at a time, each answered by one generation."""

import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from anyio import CancelScope, CapacityLimiter, create_task_group, move_on_after, sleep, to_thread
from starlette.requests import HTTPConnection

from assistant.current import Current
from assistant.errors import BusyError
from assistant.index import Index
from assistant.metrics import Metrics
from assistant.people import asked
from assistant.people.questions import Channel
from assistant.pipeline import Assistant
from assistant.pulse import Pulse
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn

AT_ONCE = 4  # questions answered at the same time
FOR_THE_PAGE = 1  # of these places, how many programs cannot take
WAITING = 100  # questions of programs that may stand in line
WAIT_S = 20.0  # the longest that a question stands in line
LOOK_S = 0.5  # between looks whether a caller who waits is still there
MAX_QUESTION = 2000  # characters
MAX_BODY = 200_000  # bytes of a request, far above the longest question
T = TypeVar("T")

log = logging.getLogger("assistant")


async def _stays() -> bool:
    return False


def alone(answer: Answer, _: Index) -> Answer:
    """Return the answer: what is shown of it where its index is not needed."""
    return answer


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, by which way and in which request, and how to learn that they have gone away."""

    channel: Channel = "api"
    request: HTTPConnection | None = None
    gone: Callable[[], Awaitable[bool]] = _stays


class Desk:
    """Answers with the assistant in service, in threads, as many at a time as there are places."""

    def __init__(self, assistant: Assistant) -> None:
        self.current, self.metrics = Current(assistant), Metrics()
        self.engine = Pulse(self._reach)
        self._all, self._programs = CapacityLimiter(AT_ONCE), CapacityLimiter(AT_ONCE - FOR_THE_PAGE)
        self.metrics.gauge("jiading_asks_running", "正在回答的问题", lambda: self.running)
        self.metrics.gauge("jiading_asks_waiting", "排队的问题", lambda: self.waiting)

    @property
    def running(self) -> int:
        """How many questions are being answered."""
        return self._all.borrowed_tokens

    @property
    def waiting(self) -> int:
        """How many questions stand in line."""
        return sum(limiter.statistics().tasks_waiting for limiter in (self._all, self._programs))

    async def ask(
        self, question: str, history: Sequence[Turn], filters: Filters, show: Callable[[Answer, Index], T], caller: Caller
    ) -> T:  # fmt: skip
        """Answer a question and return what `show` makes of it while its generation is held.

        Raises BusyError when there is no room, or the caller has gone, and what Assistant.ask raises.
        """

        def work(assistant: Assistant) -> T:
            start = time.perf_counter()
            answer: Answer | None = None
            try:
                answer = assistant.ask(question, history, filters)
            finally:
                ms = 1000 * (time.perf_counter() - start)
                asked.keep(caller.request, caller.channel, question, answer or filters.as_of, ms)
            self.metrics.answered(answer)
            log.info("answer", extra={**_particulars(answer), "channel": caller.channel})
            return show(answer, assistant.index)

        return await self.run(work, caller)

    async def run(self, work: Callable[[Assistant], T], caller: Caller) -> T:
        """Return what `work` makes of the assistant in service, in a thread, once there is room. Raises BusyError."""
        async with self._place(caller):
            return await to_thread.run_sync(self._lent, work)

    def _reach(self) -> None:
        with self.current.use() as assistant:
            assistant.index.reach()

    def _lent(self, work: Callable[[Assistant], T]) -> T:
        with self.current.use() as assistant:
            return work(assistant)

    @asynccontextmanager
    async def _place(self, caller: Caller) -> AsyncIterator[None]:
        limiters = (self._all,) if caller.channel == "page" else (self._programs, self._all)
        if caller.channel != "page" and self.waiting >= WAITING:
            raise self._busy()
        start = time.perf_counter()
        async with AsyncExitStack() as held:
            if not await _entered(held, limiters, caller):
                raise self._busy()
            self.metrics.waited(time.perf_counter() - start)
            yield

    def _busy(self) -> BusyError:
        self.metrics.refused()
        return BusyError("现在提问的人太多，请稍后再试")


def _particulars(answer: Answer) -> dict[str, Any]:
    """Return what the log may hold of an answer."""
    spent = round(sum(answer.timings_ms.values()))
    return {"status": answer.status, "ms": spent, "generation": answer.generation, "as_of": str(answer.as_of)}


async def _entered(held: AsyncExitStack, limiters: Sequence[CapacityLimiter], caller: Caller) -> bool:
    """Enter the limiters in turn, and return whether that came to pass before the time was up or the caller gone."""
    with move_on_after(WAIT_S):
        async with create_task_group() as group:
            group.start_soon(_leave, caller, group.cancel_scope)
            for limiter in limiters:
                await held.enter_async_context(limiter)
            group.cancel_scope.cancel()
            return True
    return False


async def _leave(caller: Caller, waiting: CancelScope) -> None:
    while not await caller.gone():
        await sleep(LOOK_S)
    waiting.cancel()
