"""Run a test set from the page, with progress, until it is done or stopped."""

import asyncio
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool

from assistant.conversation import day_of
from assistant.current import Current
from assistant.errors import SettingsError, told
from assistant.evaluation.shown import PARTS
from assistant.pipeline import Component
from eval.run import evaluate
from eval.testset import TestQuestion
from eval.workspace import Workspace

POLL_S = 0.3  # between two looks at how far a run is


class Stopped(Exception):
    """The evaluator stopped the run."""


@dataclass(slots=True)
class Run:
    """How far a run is; one thread counts, another may stop it."""

    done: int = 0
    stop: threading.Event = field(default_factory=threading.Event)

    def count(self, done: int, total: int) -> None:
        """Note how many questions are done. Raises Stopped where no more are wanted."""
        self.done = done
        if self.stop.is_set():
            raise Stopped


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs one test set at a time, whoever asks; `running` holds the run that each visitor waits for."""

    current: Current
    workspace: Workspace
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    running: dict[str, Run] = field(default_factory=dict)

    def stop(self, visitor: str) -> None:
        """Stop a visitor's run after the question that it is at."""
        if visitor in self.running:
            self.running[visitor].stop.set()

    async def run(self, visitor: str, name: str, day: str, part: Component | None) -> AsyncIterator[dict[str, Any]]:
        """Yield what changes on the page: {"progress"}, then {"message"} or {"failure"}, and {"run"}, the kept run's name."""
        try:
            questions, as_of = self.workspace.read(name), day_of(day) if day.strip() else date.today()
            if as_of is None:
                raise SettingsError(f"“截至日期”要写成 {date.today()} 这样的日期，或者留空，表示今天")
        except Exception as error:
            yield {"progress": "", "failure": told(error)}
            return
        self.running[visitor] = run = Run()
        try:
            while self.turn.locked() and not run.stop.is_set():
                yield {"progress": PARTS.nothing("另一次评测正在进行，轮到后自动开始……")}
                await asyncio.sleep(POLL_S)
            async with self.turn:
                async for changes in self._ask_all(run, questions, as_of, part, name):
                    yield changes
        finally:
            run.stop.set()
            self.running.pop(visitor, None)

    async def _ask_all(
        self, run: Run, questions: list[TestQuestion], as_of: date, part: Component | None, name: str
    ) -> AsyncIterator[dict[str, Any]]:
        def work() -> dict[str, Any]:
            with self.current.use() as assistant:  # one generation from the first question to the last
                return evaluate(assistant.ablated([part] if part else []), questions, as_of, run.count, name)

        asking = asyncio.ensure_future(run_in_threadpool(work))
        asking.add_done_callback(lambda task: task.cancelled() or task.exception())  # also where nobody waits any more
        while not asking.done():
            yield {"progress": PARTS.progress(run.done, len(questions))}
            await asyncio.wait({asking}, timeout=POLL_S)
        try:
            kept = self.workspace.keep(asking.result(), datetime.now())
        except Stopped:
            yield {"progress": "", "message": f"已停止。完成了 {run.done} 题，结果没有保存。"}
        except Exception as error:
            yield {"progress": "", "failure": told(error)}
        else:
            yield {"progress": "", "message": f"{len(questions)} 题已全部完成，结果在下面。", "run": kept}
