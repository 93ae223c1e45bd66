"""The people database: SQLite beside what the pages keep, or PostgreSQL; brought to this program's version when opened."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from filelock import FileLock, Timeout
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from assistant.errors import DatabaseError

FILE = "people.sqlite3"  # in the workspace
DRIVERS = {"postgres": "postgresql+psycopg", "postgresql": "postgresql+psycopg", "sqlite": "sqlite+pysqlite"}
BUSY_MS = 10_000  # how long one writer of SQLite waits for another
CONNECT_S = 5
LOCK_S = 60.0  # for another process that is bringing the database up to date
MIGRATING = 0x6A64  # PostgreSQL's advisory locks: of who brings the tables up to date
WRITING = "jiading_writing"


class Database:
    """An open database. Safe to share between threads."""

    def __init__(self, url: str, workspace: Path) -> None:
        """Open the database at a URL, "" for the file in the workspace. Raises DatabaseError."""
        place = _place(url, workspace)
        self._told = place.render_as_string(hide_password=True)
        self.dialect = place.get_backend_name()
        with ExitStack() as opening:
            try:
                self._engine = _lite(Path(place.database or "")) if self.dialect == "sqlite" else _postgres(place)
                opening.callback(self.close)
                with _alone(place):
                    self._migrate()
            except (SQLAlchemyError, OSError, Timeout) as error:
                raise DatabaseError(
                    f"打不开账号数据库“{self._told}”，请检查 JIADING_DATABASE 的地址、目录的写权限和数据库服务是否在运行"
                ) from error
            opening.pop_all()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state. Raises DatabaseError."""
        with self._told_faults(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self, alone: int = 0) -> Iterator[Connection]:
        """Give a connection whose changes are kept together when the block ends, or none. Raises DatabaseError.

        Of those that give the same number `alone` there is one at a time; SQLite has one writer anyhow.
        """
        engine = self._engine.execution_options(**{WRITING: True})
        with self._told_faults(), engine.begin() as connection:
            if alone and self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": alone})
            yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()

    @contextmanager
    def _told_faults(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            raise DatabaseError("账号数据库暂时不能读写，请稍后再试；如果一直这样，请联系维护人员") from error

    def _migrate(self) -> None:
        settings = Config()
        settings.set_main_option("script_location", "assistant.people:migrations")
        with self._engine.execution_options(**{WRITING: True}).begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATING})
            settings.attributes["connection"] = connection
            try:
                command.upgrade(settings, "head")
            except CommandError as error:
                raise DatabaseError(f"账号数据库“{self._told}”是更新版本的程序建立的，请换用那个版本的程序") from error


def _place(url: str, workspace: Path) -> URL:
    if not url:
        return URL.create(DRIVERS["sqlite"], database=str(workspace / FILE))
    try:
        place = make_url(url)
        return place.set(drivername=DRIVERS[place.get_backend_name()])
    except (ArgumentError, KeyError) as error:
        raise DatabaseError(
            "JIADING_DATABASE 应写成 postgresql://用户:口令@主机/库名，或者留空，使用 SQLite"
        ) from error


def _alone(place: URL) -> Any:
    """Return what keeps other processes from bringing a file up to date at the same time."""
    return FileLock(f"{place.database}.lock", LOCK_S) if place.get_backend_name() == "sqlite" else nullcontext()


def _postgres(place: URL) -> Engine:
    return create_engine(place, pool_pre_ping=True, hide_parameters=True, connect_args={"connect_timeout": CONNECT_S})


def _lite(file: Path) -> Engine:
    """Return the engine of a file that only its owner may read."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    file.chmod(0o600)
    engine = create_engine(URL.create(DRIVERS["sqlite"], database=str(file)), hide_parameters=True)

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins transactions late, and none for changes of tables
        for pragma in (f"busy_timeout={BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def began(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITING)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine
