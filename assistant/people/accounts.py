"""The accounts: added, given a role, closed and opened by an administrator; each signs in with a password of its own."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from assistant.errors import AccountError
from assistant.people import passwords
from assistant.people.access import Role
from assistant.people.attempts import Attempts
from assistant.people.database import Database
from assistant.people.tables import keys, sessions, users

FIRST = "admin"
NAME = re.compile(r"[\w][\w.@-]{0,63}")
CHANGING = 0x6A67  # PostgreSQL's advisory lock of who changes accounts
WRONG = "账号名或密码不对"


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who can sign in; `one_time` says that the password must be changed first, `remote` that there is none here."""

    id: int
    name: str
    role: Role
    disabled: bool
    one_time: bool
    remote: bool
    created: datetime


def account(row: Row[Any]) -> Account:
    """Return an account from its row."""
    return Account(row.id, row.name, Role(row.role), row.disabled, row.one_time, bool(row.subject), row.created)


class Accounts:
    """The accounts in a database. Every method raises AccountError for what cannot be, and DatabaseError."""

    def __init__(self, database: Database, attempts: Attempts) -> None:
        self._database, self._attempts = database, attempts

    def list(self) -> list[Account]:
        """Return all accounts by name."""
        with self._database.reading() as connection:
            return [account(row) for row in connection.execute(select(users).order_by(users.c.name))]

    def add(self, name: str, role: Role) -> str:
        """Add an account and return its one-time password, which is shown once."""
        password = passwords.one_time()
        with self._database.writing(CHANGING) as connection:
            _insert(connection, plain(name), role, passwords.hashed(password))
        return password

    def add_first(self) -> str | None:
        """Add the first administrator if there is no account at all, and return the one-time password."""
        password = passwords.one_time()
        kept = passwords.hashed(password)
        with self._database.writing(CHANGING) as connection:
            if connection.execute(select(func.count()).select_from(users)).scalar():
                return None
            _insert(connection, FIRST, Role.ADMINISTRATOR, kept)
        return password

    def set_role(self, name: str, role: Role) -> None:
        """Give an account another role; the last active administrator keeps theirs."""
        with self._database.writing(CHANGING) as connection:
            found = _found(connection, name)
            if role != Role.ADMINISTRATOR:
                _keep_one(connection, found)
            connection.execute(update(users).where(users.c.id == found.id).values(role=role))

    def disable(self, name: str) -> None:
        """Close an account and end its sessions; the last active administrator stays."""
        with self._database.writing(CHANGING) as connection:
            found = _found(connection, name)
            _keep_one(connection, found)
            connection.execute(update(users).where(users.c.id == found.id).values(disabled=True))
            connection.execute(delete(sessions).where(sessions.c.user_id == found.id))

    def enable(self, name: str) -> None:
        """Open a closed account."""
        with self._database.writing(CHANGING) as connection:
            found = _found(connection, name)
            connection.execute(update(users).where(users.c.id == found.id).values(disabled=False))

    def reset(self, name: str) -> str:
        """Replace the password by a one-time one, which is returned; sessions and keys end."""
        password = passwords.one_time()
        kept = passwords.hashed(password)
        with self._database.writing(CHANGING) as connection:
            found = _found(connection, name)
            if found.remote:
                raise AccountError(f"账号“{found.name}”由统一身份认证登录，密码不在这里")
            _replace(connection, found.id, kept, one_time=True)
            connection.execute(delete(keys).where(keys.c.user_id == found.id))
        return password

    def change_password(self, name: str, old: str, new: str, address: str = "") -> None:
        """Change one's own password, and end all sessions."""
        passwords.check(plain(name), new)
        if old == new:
            raise AccountError("新密码不能与原密码相同")
        found = self.sign_in(name, old, address)
        kept = passwords.hashed(new)
        with self._database.writing(CHANGING) as connection:
            _replace(connection, found.id, kept, one_time=False)

    def sign_in(self, name: str, password: str, address: str = "") -> Account:
        """Return the account with a name and password. Unknown, closed and wrong look alike."""
        name = unicodedata.normalize("NFKC", name).strip().casefold()
        self._attempts.begin(name, address)
        with self._database.reading() as connection:
            row = connection.execute(select(users).where(users.c.name == name)).one_or_none()
        right = passwords.matches(row.password if row else "", password)
        if row is None or not right or row.disabled:
            raise AccountError(WRONG)
        self._attempts.succeeded(name, address)
        return account(row)

    def remote(self, subject: str, name: str, role: Role | None) -> Account:
        """Return the account of one whom an identity provider vouches for; it is added the first time.

        Its role follows the provider's; without one it is an asker's until an administrator gives it another.
        """
        with self._database.writing(CHANGING) as connection:
            row = connection.execute(select(users).where(users.c.subject == subject)).one_or_none()
            if row is None:
                _insert(connection, plain(name), role or Role.ASKER, "", subject)
            elif row.disabled:
                raise AccountError("账号已停用，请联系管理员")
            elif role and row.role != role:
                if role != Role.ADMINISTRATOR:
                    _keep_one(connection, account(row))
                connection.execute(update(users).where(users.c.id == row.id).values(role=role))
            return account(connection.execute(select(users).where(users.c.subject == subject)).one())


def plain(name: str) -> str:
    """Return a name as it is kept. Raises AccountError for what cannot be one."""
    written = unicodedata.normalize("NFKC", name).strip().casefold()
    if not NAME.fullmatch(written):
        raise AccountError("账号名可以用文字、数字和 . _ - @，最多64个字，以文字或数字开头")
    return written


def _insert(connection: Connection, name: str, role: Role, kept: str, subject: str | None = None) -> None:
    if connection.execute(select(users.c.id).where(users.c.name == name)).one_or_none():
        raise AccountError(f"已经有账号“{name}”")
    values = {"name": name, "role": role, "password": kept, "one_time": not subject, "subject": subject}
    connection.execute(insert(users).values(**values, created=datetime.now(UTC)))


def _found(connection: Connection, name: str) -> Account:
    row = connection.execute(select(users).where(users.c.name == plain(name))).one_or_none()
    if row is None:
        raise AccountError(f"没有账号“{plain(name)}”")
    return account(row)


def _keep_one(connection: Connection, leaving: Account) -> None:
    """Raise AccountError if an account is the only active administrator."""
    active = select(users.c.id).where(users.c.role == Role.ADMINISTRATOR, users.c.disabled.is_(False))
    if connection.execute(active).scalars().all() == [leaving.id]:
        raise AccountError(f"“{leaving.name}”是唯一的管理员，不能停用或改变角色，请先指定另一位管理员")


def _replace(connection: Connection, user_id: int, kept: str, one_time: bool) -> None:
    connection.execute(update(users).where(users.c.id == user_id).values(password=kept, one_time=one_time))
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
