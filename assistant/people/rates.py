"""How often one may ask: a bucket of tokens each for accounts and for networks, of which only so many are held."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from assistant.people.access import Identity
from assistant.people.addresses import network

HELD = 20_000  # buckets; the one that has rested longest goes first


class Rates:
    """The buckets in memory. Safe to share between threads."""

    def __init__(self, per_minute: int, users_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._anonymous, self._users, self._clock = per_minute, users_per_minute, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = Lock()

    def wait(self, identity: Identity, address: str) -> int:
        """Count a request, and return 0, or how many seconds must pass before it is let through."""
        if identity.role:
            return self._taken(f"user {identity.name}", self._users)
        return self._taken(f"network {network(address, 32, 64)}", self._anonymous)

    def _taken(self, who: str, per_minute: int) -> int:
        now, rate = self._clock(), per_minute / 60
        with self._lock:
            tokens, last = self._buckets.pop(who, (float(per_minute), now))
            tokens = min(float(per_minute), tokens + (now - last) * rate)
            granted = tokens >= 1
            self._buckets[who] = (tokens - granted, now)
            while len(self._buckets) > HELD:
                self._buckets.popitem(last=False)
        return 0 if granted else max(1, math.ceil((1 - tokens) / rate))
