"""The tables of the people database: who may do what, what was done and what was asked."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
)

NAMING = {
    "pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
}  # fmt: skip


class Moment(TypeDecorator[datetime]):
    """A time with its zone, written as text of one length in UTC, so that it sorts and hashes alike on every engine."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Return the text."""
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the time."""
        return None if value is None else datetime.fromisoformat(value)


metadata = MetaData(naming_convention=NAMING)
_Number = BigInteger().with_variant(Integer, "sqlite")

users = Table(
    "users", metadata,
    Column("id", _Number, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("password", String(256), nullable=False),  # argon2id, "" for one who signs in elsewhere only
    Column("one_time", Boolean, nullable=False, server_default=false()),  # to be changed at the next sign-in
    Column("disabled", Boolean, nullable=False, server_default=false()),
    Column("subject", String(512), unique=True),  # issuer and subject of one who signs in elsewhere
    Column("created", Moment, nullable=False),
)  # fmt: skip
sessions = Table(
    "sessions", metadata,
    Column("hash", String(64), primary_key=True),
    Column("user_id", _Number, ForeignKey("users.id"), nullable=False, index=True),
    Column("created", Moment, nullable=False),
    Column("seen", Moment, nullable=False),
)  # fmt: skip
keys = Table(
    "keys", metadata,
    Column("id", _Number, primary_key=True),
    Column("hash", String(64), nullable=False, unique=True),
    Column("user_id", _Number, ForeignKey("users.id"), nullable=False, index=True),
    Column("label", String(64), nullable=False),
    Column("start", String(16), nullable=False),  # what its owner knows it by
    Column("created", Moment, nullable=False),
    Column("used", Moment),
)  # fmt: skip
attempts = Table(
    "attempts", metadata,
    Column("about", String(64), primary_key=True),  # the hash of a name or an address
    Column("count", Integer, nullable=False),
    Column("last", Moment, nullable=False),
)  # fmt: skip
audit = Table(
    "audit", metadata,
    Column("id", _Number, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("who", String(64), nullable=False, index=True),
    Column("role", String(16), nullable=False),
    Column("action", String(64), nullable=False, index=True),
    Column("about", String(256), nullable=False),
    Column("address", String(64), nullable=False),
    Column("generation", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)  # fmt: skip
rates = Table(
    "rates", metadata,
    Column("about", String(64), primary_key=True),  # the hash of an account's name or a network
    Column("tokens", Float, nullable=False),
    Column("last", Moment, nullable=False, index=True),
)  # fmt: skip
journeys = Table(
    "journeys", metadata,
    Column("hash", String(64), primary_key=True),  # of what the browser holds
    Column("content", Text, nullable=False),
    Column("begun", Moment, nullable=False, index=True),
)  # fmt: skip
questions = Table(
    "questions", metadata,
    Column("id", _Number, primary_key=True),
    Column("at", Moment, nullable=False, index=True),
    Column("who", String(64), nullable=False),
    Column("channel", String(16), nullable=False),
    Column("question", Text, nullable=False),
    Column("likeness", String(64), nullable=False),  # the same for questions that differ in spaces and signs alone
    Column("as_of", String(10), nullable=False),
    Column("status", String(16), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("generation", String(64), nullable=False),
    Column("ms", Float, nullable=False),
    Index("ix_questions_status", "status", "likeness"),
)  # fmt: skip
