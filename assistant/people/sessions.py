"""How a request shows whose it is: a session's token in a cookie, or a key; only their hashes are kept."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, func, insert, select, update

from assistant.errors import AccountError
from assistant.people.accounts import Account, account
from assistant.people.database import Database
from assistant.people.tables import keys, sessions, users

IDLE, ABSOLUTE = timedelta(hours=8), timedelta(days=7)
SEEN = timedelta(minutes=1)  # how exactly it is known when a session or a key was used
PREFIX = "jd_"  # of a key
MOST_KEYS = 10  # of one account


@dataclass(frozen=True, slots=True)
class Key:
    """A key of an account, without what makes it one."""

    id: int
    label: str
    start: str
    created: datetime
    used: datetime | None


class Sessions:
    """The sessions in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self, user_id: int) -> str:
        """Begin a session and return its token."""
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.created < now - ABSOLUTE))
            connection.execute(insert(sessions).values(hash=_hash(token), user_id=user_id, created=now, seen=now))
        return token

    def find(self, token: str) -> Account | None:
        """Return whose session it is, if it is still good."""
        now, mine = datetime.now(UTC), sessions.c.hash == _hash(token)
        found = select(users, sessions.c.seen).join(sessions, sessions.c.user_id == users.c.id)
        good = found.where(mine, sessions.c.created > now - ABSOLUTE, sessions.c.seen > now - IDLE)
        with self._database.reading() as connection:
            row = connection.execute(good.where(users.c.disabled.is_(False))).one_or_none()
        if row is None:
            return None
        if row.seen < now - SEEN:
            with self._database.writing() as connection:
                connection.execute(update(sessions).where(mine).values(seen=now))
        return account(row)

    def end(self, token: str) -> None:
        """End a session."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.hash == _hash(token)))

    def end_all(self, user_id: int) -> None:
        """End all sessions of an account."""
        with self._database.writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.user_id == user_id))


class Keys:
    """The keys for programs, each with its owner's permissions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, user_id: int, label: str) -> str:
        """Make a key and return it, this once. Raises AccountError."""
        label = " ".join(label.split())[:64].replace("\0", "")
        if not label:
            raise AccountError("请写明密钥用在哪里")
        key = PREFIX + secrets.token_urlsafe(32)
        with self._database.writing() as connection:
            mine = select(func.count()).select_from(keys).where(keys.c.user_id == user_id)
            if (connection.execute(mine).scalar() or 0) >= MOST_KEYS:
                raise AccountError(f"一个账号最多{MOST_KEYS}个密钥，请先撤销不用的")
            values = {"hash": _hash(key), "user_id": user_id, "label": label, "start": key[:8]}
            connection.execute(insert(keys).values(**values, created=datetime.now(UTC)))
        return key

    def list(self, user_id: int) -> list[Key]:
        """Return an account's keys, oldest first."""
        columns = (keys.c.id, keys.c.label, keys.c.start, keys.c.created, keys.c.used)
        with self._database.reading() as connection:
            rows = connection.execute(select(*columns).where(keys.c.user_id == user_id).order_by(keys.c.id))
            return [Key(*row) for row in rows]

    def revoke(self, user_id: int, key_id: int) -> None:
        """Take back a key of an account."""
        with self._database.writing() as connection:
            connection.execute(delete(keys).where(keys.c.id == key_id, keys.c.user_id == user_id))

    def find(self, key: str) -> Account | None:
        """Return whose key it is, if it is good."""
        now, mine = datetime.now(UTC), keys.c.hash == _hash(key)
        found = select(users, keys.c.used).join(keys, keys.c.user_id == users.c.id)
        with self._database.reading() as connection:
            row = connection.execute(found.where(mine, users.c.disabled.is_(False))).one_or_none()
        if row is None:
            return None
        if row.used is None or row.used < now - SEEN:
            with self._database.writing() as connection:
                connection.execute(update(keys).where(mine).values(used=now))
        return account(row)


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()
