"""How often one may ask: a bucket of tokens each for accounts and for networks, in the database that all replicas share."""

import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select, update

from assistant.errors import DatabaseError
from assistant.people.access import Identity
from assistant.people.addresses import network
from assistant.people.database import Database
from assistant.people.tables import rates

FULL = timedelta(minutes=1)  # a bucket that has rested so long is full, whoever's it is
FORGETTING = 0x6A67  # PostgreSQL's advisory lock of who takes full buckets out

log = logging.getLogger("assistant")


def _now() -> datetime:
    return datetime.now(UTC)


class Rates:
    """The buckets in a database. Safe to share between threads."""

    def __init__(
        self, database: Database, per_minute: int, users_per_minute: int, clock: Callable[[], datetime] = _now
    ) -> None:
        self._database, self._clock = database, clock
        self._anonymous, self._users = per_minute, users_per_minute
        self._forgot = 0.0

    def wait(self, identity: Identity, address: str) -> int:
        """Count a request, and return 0, or how many seconds must pass before it is let through.

        A request that cannot be counted is let through: that the database is away is told where it is needed.
        """
        try:
            self._forget()
            if identity.role:
                return self._taken(f"user {identity.name}", self._users)
            return self._taken(f"network {network(address, 32, 64)}", self._anonymous)
        except DatabaseError as error:
            log.warning("request not counted (%s)", type(error.__cause__ or error).__name__)
            return 0

    def _taken(self, who: str, per_minute: int) -> int:
        about, now, rate = sha256(who.encode("utf-8", "replace")), self._clock(), per_minute / 60
        mine = rates.c.about == about.hexdigest()
        with self._database.writing(int.from_bytes(about.digest()[:7])) as connection:
            row = connection.execute(select(rates.c.tokens, rates.c.last).where(mine)).one_or_none()
            tokens, last = (row.tokens, row.last) if row else (float(per_minute), now)
            rested = max(0.0, (now - last).total_seconds())  # another machine's clock may be ahead
            tokens = min(float(per_minute), tokens + rested * rate)
            granted = tokens >= 1
            values = {"tokens": tokens - granted, "last": max(now, last)}
            made = insert(rates).values(about=about.hexdigest(), **values)
            connection.execute(update(rates).where(mine).values(**values) if row else made)
        return 0 if granted else max(1, math.ceil((1 - tokens) / rate))

    def _forget(self) -> None:
        """Take out the buckets that are full, now and then, so that there are not ever more."""
        if self._forgot and time.monotonic() - self._forgot < FULL.total_seconds():
            return
        self._forgot = time.monotonic()
        with self._database.writing(FORGETTING) as connection:
            connection.execute(delete(rates).where(rates.c.last < self._clock() - FULL))
