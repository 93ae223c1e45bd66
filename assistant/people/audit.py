"""The audit log: who did what and when. It is only added to, and each row's hash holds the one before it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select

from assistant.people.database import Database
from assistant.people.later import Later
from assistant.people.tables import audit

PAGE = 50
CHUNK = 500  # rows read at a time
ADDING = 0x6A65  # PostgreSQL's advisory lock of who adds a row
HEADINGS = {
    "id": "序号", "at": "时间", "who": "账号", "role": "角色", "action": "操作", "about": "对象", "address": "地址段",
    "generation": "索引", "detail": "详情", "hash": "校验",
}  # fmt: skip
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would reckon what begins so
Format = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class Event:
    """What somebody did: `action` as in “draft.sent”, `about` the thing's id, `address` a network and no single machine.

    `generation` is the index's, if an answer came from it. `detail` is of plain JSON types and holds nothing personal.
    """

    action: str
    who: str = ""
    role: str = ""
    about: str = ""
    address: str = ""
    generation: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log."""

    id: int
    at: datetime
    event: Event
    hash: str

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        when = self.at.isoformat(timespec="microseconds")
        return {"id": self.id, "at": when, **asdict(self.event), "detail": dict(self.event.detail), "hash": self.hash}


class Audit:
    """The log in a database. Reading waits for what was to be written before."""

    def __init__(self, database: Database, later: Later) -> None:
        self._database, self._later = database, later

    def add(self, event: Event) -> None:
        """Write down an event. Raises DatabaseError."""
        with self._database.writing(ADDING) as connection:
            self._add(connection, event)

    def _add(self, connection: Connection, event: Event) -> None:
        last = connection.execute(select(audit.c.hash).order_by(audit.c.id.desc()).limit(1)).scalar()
        values = {
            "at": datetime.now(UTC), "who": event.who[:64], "role": event.role, "action": event.action[:64],
            "about": event.about[:256], "address": event.address, "generation": event.generation[:64],
            "detail": json.dumps(dict(event.detail), ensure_ascii=False, sort_keys=True, default=str), "previous": last or "",
        }  # fmt: skip
        connection.execute(insert(audit).values(**values, hash=_hash(values)))

    def add_later(self, event: Event) -> None:
        """Write down an event in its turn, without waiting; one that could not be written goes to the program's log."""
        self._later.do(lambda: self.add(event), f"audit {event}")

    def page(self, before: int | None = None, size: int = PAGE, who: str = "", action: str = "") -> list[Entry]:
        """Return entries, newest first, with ids below `before`; of one account, and actions that begin with `action`."""
        found = select(audit).order_by(audit.c.id.desc()).limit(size)
        found = found.where(audit.c.id < before) if before else found
        found = found.where(audit.c.who == who) if who else found
        found = found.where(audit.c.action.startswith(action, autoescape=True)) if action else found
        self._later.wait()
        with self._database.reading() as connection:
            return [_entry(row) for row in connection.execute(found)]

    def export(self, form: Format) -> Iterator[bytes]:
        """Yield the whole log, oldest first: a CSV that Excel and WPS open, or JSON Lines."""
        if form == "csv":
            yield "\ufeff".encode() + cells(HEADINGS.values())
        for row in self._rows():
            content = _entry(row).to_dict()
            if form == "jsonl":
                yield json.dumps(content | {"previous": row.previous}, ensure_ascii=False).encode() + b"\n"
            else:
                yield cells(content[name] for name in HEADINGS)

    def verify(self) -> int | None:
        """Return the first row that is not as it was written, or that does not follow the one before it; None if all are.

        Rows taken off the end cannot be seen here; an export made before shows them.
        """
        previous = ""
        for row in self._rows():
            if row.previous != previous or row.hash != _hash(row._mapping):
                return int(row.id)
            previous = row.hash
        return None

    def _rows(self) -> Iterator[Row[Any]]:
        self._later.wait()
        last = 0
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    select(audit).where(audit.c.id > last).order_by(audit.c.id).limit(CHUNK)
                ).all()
            yield from rows
            if len(rows) < CHUNK:
                return
            last = rows[-1].id


def _hash(row: Mapping[Any, Any]) -> str:
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    names = ("previous", "who", "role", "action", "about", "address", "generation", "detail")
    return sha256(json.dumps([at, *(row[name] for name in names)], ensure_ascii=False).encode()).hexdigest()


def _entry(row: Row[Any]) -> Entry:
    event = Event(row.action, row.who, row.role, row.about, row.address, row.generation, json.loads(row.detail))
    return Entry(row.id, row.at, event, row.hash)


def cells(values: Iterable[Any]) -> bytes:
    """Return a line of a table; what a spreadsheet would reckon is marked as text."""
    line = io.StringIO()
    csv.writer(line).writerow(map(_cell, values))
    return line.getvalue().encode()


def _cell(value: Any) -> str:
    written = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
    return f"'{written}" if written.startswith(FORMULA) else written
