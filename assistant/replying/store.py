"""Keep replies in the workspace, each in a folder of its own that only the program's account may read.

An entry is a file named by its number, written whole and then put in its place by a link, which fails where there is
one already: of two who did something at once the second is told, and nobody's work is written over.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError

from assistant.errors import ConflictError, MissingError, WorkspaceError
from assistant.reply import Draft
from assistant.replying.reply import DONE, Entry, Reply

FOLDER, DRAFT = "replies", "draft.json"
NOBODY = "另一个人"
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_DRAFT, _ENTRY = TypeAdapter(Draft), TypeAdapter(Entry)
_GONE = "没有这份回复，可能已经删除，请回到列表"


class Replies:
    """The replies of a workspace."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER

    def make(self, draft: Draft, by: str, when: datetime) -> Reply:
        """Keep a new draft and return it as a reply. Raises WorkspaceError where it cannot be written."""
        points = tuple(replace(point, answer=replace(point.answer, hits=())) for point in draft.points)
        kept = replace(draft, points=points)  # what came near is shown by the notes
        reply = Reply(f"{when:%Y%m%d-%H%M%S}-{uuid4().hex[:8]}", kept, (self._entry(1, by, when, draft),))
        with _written():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = self.folder / reply.id
            folder.mkdir(mode=0o700)
            _put(folder / DRAFT, _DRAFT.dump_json(kept))
            _put(folder / "1.json", _ENTRY.dump_json(reply.entries[0]))
        return reply

    def _entry(self, number: int, by: str, when: datetime, draft: Draft) -> Entry:
        return Entry(number, "saved", by, when.isoformat(timespec="seconds"), draft.paragraphs)

    def get(self, key: str) -> Reply:
        """Return a reply. Raises MissingError where there is none, WorkspaceError where its files are damaged."""
        folder = self._folder(key)
        try:
            return _read(folder, tuple(sorted(int(file.stem) for file in folder.glob("[0-9]*.json"))))
        except FileNotFoundError as error:
            raise MissingError(_GONE) from error
        except (OSError, ValidationError) as error:
            raise WorkspaceError(f"回复 {key} 的文件读不出来，请联系维护人员") from error

    def add(self, reply: Reply, entry: Entry) -> Reply:
        """Keep what was done with a reply as it was seen, and return it so.

        Raises ConflictError where something was done meanwhile, MissingError where it is no longer there.
        """
        entries = self.get(reply.id).entries
        if entry.number != len(entries) + 1:
            raise _conflict(entries[-1])
        try:
            with _written():
                _put(self._folder(reply.id) / f"{entry.number}.json", _ENTRY.dump_json(entry))
        except FileExistsError as error:
            raise _conflict(self.get(reply.id).entries[-1]) from error
        return self.get(reply.id)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self._keys())

    def _keys(self) -> list[str]:
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        return sorted(filter(_ID.fullmatch, names), reverse=True)

    def all(self) -> Iterator[Reply]:
        """Yield the replies that can be read, the newest first."""
        for name in self._keys():
            with suppress(MissingError, WorkspaceError):
                yield self.get(name)

    def delete(self, reply: Reply) -> None:
        """Delete all that is kept of a reply: the letter, every version, what was sent."""
        folder = self._folder(reply.id)
        gone = folder.with_name(f".deleted-{reply.id}")
        with _written():
            folder.rename(gone)  # at once, so that nobody writes into what is being deleted
            shutil.rmtree(gone)

    def _folder(self, key: str) -> Path:
        if not _ID.fullmatch(key):
            raise MissingError(_GONE)
        return self.folder / key


def _conflict(last: Entry) -> ConflictError:
    done = f"{last.by or NOBODY}在 {last.when.replace('T', ' ')} {DONE[last.step]}了这份回复"
    return ConflictError(f"{done}。您的改动没有写入，也没有丢失，还在这一页上")


@lru_cache(maxsize=256)
def _read(folder: Path, numbers: tuple[int, ...]) -> Reply:
    """Return the reply in a folder with these entries, which never change."""
    if not numbers:
        raise FileNotFoundError(folder)
    draft = _DRAFT.validate_json((folder / DRAFT).read_bytes())
    entries = tuple(_ENTRY.validate_json((folder / f"{number}.json").read_bytes()) for number in numbers)
    return Reply(folder.name, draft, entries)


def _put(file: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all. Raises FileExistsError if it is there."""
    beside = file.with_name(f".{uuid4().hex}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(handle)
        os.link(beside, file)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def _written() -> Iterator[None]:
    """Say in words what keeps something from being written; that a file is there already is left to the caller."""
    try:
        yield
    except FileExistsError:
        raise
    except FileNotFoundError as error:
        raise MissingError(_GONE) from error
    except OSError as error:
        raise WorkspaceError(f"回复没有写入工作区（{error.strerror}），请联系维护人员") from error
