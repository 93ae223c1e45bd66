"""The sign-ins with an identity provider that are under way, in the database: the browser may come back to another replica."""

import json
import secrets
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select

from assistant.errors import AccountError
from assistant.people.database import Database
from assistant.people.provider import Journey
from assistant.people.tables import journeys

LASTS = timedelta(minutes=10)  # until who was sent to the provider must be back
HELD = 10_000  # of them; the oldest goes first
STARTING = 0x6A68  # PostgreSQL's advisory lock


class Journeys:
    """The sign-ins under way, each for the browser that holds its token, and for one return."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, journey: Journey) -> str:
        """Hold one and return its token."""
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        newest = select(journeys.c.hash).order_by(journeys.c.begun.desc()).limit(HELD)
        with self._database.writing(STARTING) as connection:
            content = json.dumps(asdict(journey))
            connection.execute(insert(journeys).values(hash=_hash(token), content=content, begun=now))
            connection.execute(
                delete(journeys).where((journeys.c.begun < now - LASTS) | journeys.c.hash.not_in(newest))
            )
        return token

    def take(self, token: str, state: str) -> Journey:
        """Return it and hold it no longer. Raises AccountError where there is none, or not of this state."""
        mine = journeys.c.hash == _hash(token)
        with self._database.writing() as connection:
            row = connection.execute(delete(journeys).where(mine).returning(journeys)).one_or_none()
        journey = Journey(**json.loads(row.content)) if row and datetime.now(UTC) - row.begun < LASTS else None
        if not journey or not secrets.compare_digest(journey.state.encode(), state.encode()):
            raise AccountError("这次登录已经过期或已用过，请重新登录。")
        return journey


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
