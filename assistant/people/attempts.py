"""Attempts to sign in: whoever fails again and again waits longer and longer, known name or not."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, insert, select, update

from assistant.errors import AccountError
from assistant.people.database import Database
from assistant.people.tables import attempts

FREE = {"name": 4, "address": 20}  # attempts before the first wait
LONGEST = {"name": 300, "address": 900}  # seconds
FORGOTTEN = timedelta(days=1)
TRYING = 0x6A66  # PostgreSQL's advisory lock


class Attempts:
    """The counts in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, name: str, address: str) -> None:
        """Count an attempt before its outcome is known. Raises AccountError while either must wait."""
        now = datetime.now(UTC)
        with self._database.writing(TRYING) as connection:
            connection.execute(delete(attempts).where(attempts.c.last < now - FORGOTTEN))
            for kind, value in (("name", name), ("address", address)):
                about = _about(kind, value)
                row = connection.execute(
                    select(attempts.c.count.label("times"), attempts.c.last).where(attempts.c.about == about)
                ).one_or_none()
                if row is None:
                    connection.execute(insert(attempts).values(about=about, count=1, last=now))
                    continue
                wait = _wait(kind, row.times) - (now - row.last).total_seconds()
                if wait > 0:
                    raise AccountError(f"登录失败的次数太多，请 {int(wait) + 1} 秒后再试")
                changed = update(attempts).where(attempts.c.about == about)
                connection.execute(changed.values(count=row.times + 1, last=now))

    def succeeded(self, name: str, address: str) -> None:
        """Forget the attempts for a name, and this one from its address."""
        with self._database.writing(TRYING) as connection:
            connection.execute(delete(attempts).where(attempts.c.about == _about("name", name)))
            mine = attempts.c.about == _about("address", address)
            connection.execute(update(attempts).where(mine, attempts.c.count > 0).values(count=attempts.c.count - 1))


def _wait(kind: str, count: int) -> float:
    over = count - FREE[kind]
    return 0.0 if over < 0 else min(float(2 ** min(over, 20)), LONGEST[kind])


def _about(kind: str, value: str) -> str:
    return sha256(f"{kind}:{value}".encode("utf-8", "replace")).hexdigest()
