"""Whether what is asked for a sign of life gives one, soon, however often it is looked for."""

import asyncio
import time
from collections.abc import Callable

from anyio import to_thread

from assistant.errors import AssistantError

FRESH_S = 5.0  # for which a sign is good
SOON_S = 2.0  # the longest that anybody waits for one


class Pulse:
    """Asks at most once in FRESH_S and never twice at a time; for one event loop."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self._ask, self._at = ask, 0.0
        self._asked: asyncio.Task[bool] | None = None

    async def beats(self) -> bool:
        """Return whether the last asking raised no AssistantError; one that takes too long is as good as none."""
        if self._asked is None or (self._asked.done() and time.monotonic() - self._at > FRESH_S):
            self._asked, self._at = asyncio.create_task(self._answered()), time.monotonic()
        await asyncio.wait({self._asked}, timeout=SOON_S)
        return self._asked.done() and self._asked.result()

    async def _answered(self) -> bool:
        try:
            await to_thread.run_sync(self._ask)
        except AssistantError:
            return False
        return True
