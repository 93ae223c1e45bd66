"""Bring the index in step with the corpus in the background, one at a time, for all who look on."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from assistant.config import Settings
from assistant.current import Current
from assistant.errors import IndexLockedError, told
from assistant.ingest import Report, ingest
from assistant.models import load_embeddings, load_store

TAKEN_UP_S = 60.0  # the longest that a new generation takes to come into service
LOOK_S = 0.1
OTHER_S = 1800.0  # the longest that another one's build is waited for


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a rebuild is, or what became of the last one; `count` is how many have ended since the server began."""

    running: bool = False
    by: str = ""
    stage: str = ""
    done: int = 0
    total: int = 0
    message: str = ""
    failed: bool = False
    problems: tuple[str, ...] = ()
    ended: str = ""
    count: int = 0


class Rebuild:
    """The rebuild of one server. Safe to share between threads."""

    def __init__(self, settings: Settings, current: Current) -> None:
        self._settings, self._current = settings, current
        self._lock, self._again, self.progress = threading.Lock(), False, Progress()
        self._done: list[Callable[[str], None]] = []

    def start(self, by: str, done: Callable[[str], None]) -> None:
        """Begin, or begin once more when the one that is running ends; `done` is told the generation, where it came to one."""
        with self._lock:
            self._done.append(done)
            self._again = self.progress.running
            if self.progress.running:
                return
            self.progress = Progress(running=True, by=by, stage="读取资料", count=self.progress.count)
        threading.Thread(target=self._run, name="rebuild", daemon=True).start()

    def _run(self) -> None:
        while True:
            with self._lock:
                done, self._done, self._again = self._done, [], False
            try:
                report = self._build()
                self._wait(report.update.manifest.generation)
                end = Progress(message=said(report), problems=tuple(map(str, report.problems)))
                for one in done:
                    one(report.update.manifest.generation)
            except Exception as error:  # the boundary of the thread
                end = Progress(message=f"没有建成，仍用原来的索引回答。{told(error)}", failed=True)
            with self._lock:
                if not self._again:
                    count, by = self.progress.count + 1, self.progress.by
                    self.progress = replace(end, by=by, ended=f"{datetime.now():%Y-%m-%d %H:%M:%S}", count=count)
                    return

    def _build(self) -> Report:
        """Ingest once nobody else does: another server may have begun before the change that this is for."""
        settings, until = self._settings, time.monotonic() + OTHER_S
        engine, (embeddings, fingerprint) = load_store(settings), load_embeddings(settings)
        while True:
            try:
                return ingest([settings.corpus], settings.index, embeddings, fingerprint, self._told, engine)
            except IndexLockedError:
                if time.monotonic() > until:
                    raise
            self._told("等另一处写完索引", 0, 0)
            time.sleep(LOOK_S)

    def _told(self, stage: str, done: int, total: int) -> None:
        self.progress = replace(self.progress, stage=stage, done=done, total=total)

    def _wait(self, generation: str) -> None:
        """Wait until the generation answers, or is said to be unusable."""
        self._told("启用新的索引", 0, 0)
        until = time.monotonic() + TAKEN_UP_S
        while time.monotonic() < until and not self._current.fault:
            with self._current.use() as assistant:
                if assistant.index.manifest.generation == generation:
                    return
            time.sleep(LOOK_S)


def said(report: Report) -> str:
    """Return in one sentence what a rebuild did."""
    update = report.update
    if not update.switched:
        return f"资料没有变化，索引不用更新：{update.manifest.documents} 份资料、{update.manifest.passages} 个段落。"
    return (
        f"索引已更新：{update.manifest.documents} 份资料、{update.manifest.passages} 个段落；"
        f"新增 {update.added} 份，更新 {update.changed} 份，撤下 {update.removed} 份。"
    )
