"""What is written after the one who caused it has gone on: in turn, in a thread of its own, never failing its cause."""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore

WAITING = 10_000  # writes in line; more than these means that the database is away

log = logging.getLogger("assistant")


class Later:
    """A line of writes; what is in it is done before the program ends."""

    def __init__(self) -> None:
        self._thread, self._room = ThreadPoolExecutor(1, "people"), BoundedSemaphore(WAITING)

    def do(self, write: Callable[[], None], what: str) -> None:
        """Do it in its turn; a failure is logged with `what`, which must hold nothing personal."""
        if not self._room.acquire(blocking=False):
            log.error("not written, too many wait: %s", what)
            return
        self._thread.submit(self._done, write, what)

    def wait(self) -> None:
        """Return when everything that was in line is done."""
        self._thread.submit(lambda: None).result()

    def close(self) -> None:
        """Do what is in line, then no more."""
        self._thread.shutdown()

    def _done(self, write: Callable[[], None], what: str) -> None:
        try:
            write()
        except Exception as error:  # a database's message may hold what was to be written
            log.error("not written: %s (%s)", what, type(error.__cause__ or error).__name__)
        finally:
            self._room.release()
