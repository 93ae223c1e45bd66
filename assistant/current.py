"""The assistant over the generation in service: a new one is taken up without a restart, and no answer mixes two."""

import asyncio
import gc
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from threading import Lock

from anyio import to_thread

from assistant.errors import AssistantError, NoIndexError
from assistant.index import Index, read_manifest
from assistant.pipeline import Assistant
from assistant.retrieve import Filters

CHECK_S = 1.0  # between looks at which generation is in service
WARMING = "嘉定有哪些产业园区？"  # a first search loads what the next ones use

log = logging.getLogger("assistant")


@dataclass(slots=True)
class _Lent:
    """An assistant and how many are using it; a retired one is closed by the last of them."""

    assistant: Assistant
    users: int = 0
    retired: bool = False


class Current:
    """Lends the assistant in service. Safe to share between threads, `refresh` apart: one thread at a time."""

    def __init__(self, assistant: Assistant) -> None:
        self._lent, self._lock = _Lent(assistant), Lock()
        self._root = assistant.index.directory.parent
        self._seen: tuple[int, int] | None = (0, 0)  # not looked at yet
        self._garbage = False
        self.fault = ""  # why the newest generation could not be taken up

    @contextmanager
    def use(self) -> Iterator[Assistant]:
        """Lend the assistant for one answer; its generation stays open until it is given back."""
        with self._lock:
            lent = self._lent
            lent.users += 1
        try:
            yield lent.assistant
        finally:
            with self._lock:
                lent.users -= 1
                last = lent.retired and not lent.users
            if last:
                self._close(lent)

    def refresh(self) -> bool:
        """Take up the generation that the index names now, and return whether it is another.

        One that cannot be opened is said in `fault` and tried again the next time; the one before goes on answering.
        """
        if self._garbage:  # a removed index's files keep their place on the disk as long as they are open
            self._garbage = False
            gc.collect()
        seen = self._stamp()
        if seen == self._seen:
            return False
        try:
            switched = self._switch()
        except AssistantError as error:
            if self.fault != str(error):
                log.warning("the new generation was not taken up: %s", error)
            self.fault = str(error)
            return False
        self._seen, self.fault = seen, ""
        return switched

    async def watch(self) -> None:
        """Refresh for as long as the server runs: an outer boundary, which logs what it did not foresee."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await to_thread.run_sync(self.refresh)
            except Exception:
                log.exception("unforeseen failure while taking up a generation")

    def _stamp(self) -> tuple[int, int] | None:
        """Return what tells one version of the file `current` from another; a switch replaces the file."""
        try:
            found = (self._root / "current").stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns

    def _switch(self) -> bool:
        before = self._lent.assistant
        manifest = read_manifest(self._root)
        if manifest is None:
            raise NoIndexError(f"“{self._root}”里的索引不见了，仍用已打开的一代回答")
        if manifest.generation == before.index.manifest.generation:
            return False
        fresh = before.over(Index.open(self._root, before.index.manifest.embedding, before.index.engine))
        fresh.search(WARMING, Filters(date.today()))
        with self._lock:
            old, self._lent = self._lent, _Lent(fresh)
            old.retired = True
            idle = not old.users
        if idle:
            self._close(old)
        return True

    def _close(self, lent: _Lent) -> None:
        lent.assistant.close()
        self._garbage = True
