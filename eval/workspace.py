"""The folder where evaluators keep their test sets and runs; what comes with the program is never written to."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from filelock import FileLock, Timeout

from assistant.errors import SettingsError
from eval.compare import read_run
from eval.names import COMPONENTS
from eval.testset import TESTSET, TestQuestion, read_testset, write_testset

OURS, SHIPPED = "工作区", "随程序"
SUFFIXES = (".jsonl", ".xlsx")
LOCK_TIMEOUT_S = 10.0
_NAME = re.compile(r"[\w\u4e00-\u9fff（）()-][\w\u4e00-\u9fff（）(). -]{0,60}")
_RUN = re.compile(r"(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d) (.+)")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Test sets are named “工作区 x.jsonl” or “随程序 x.jsonl”, runs by when and what they ran."""

    folder: Path

    def testsets(self) -> dict[str, Path]:
        """Return the test sets by name, the evaluators' own first; of those shipped, the files that are test sets."""
        own = sorted((self.folder / "testsets").glob("*"))
        found = {
            f"{OURS} {file.name}": file for file in own if file.suffix.lower() in SUFFIXES and file.name[0] not in ".~"
        }
        return found | {f"{SHIPPED} {file.name}": file for file in _shipped(TESTSET.parent)}

    def read(self, name: str) -> list[TestQuestion]:
        """Return a test set's questions. Raises SettingsError where there is none such, or what cannot be read."""
        path = self.testsets().get(name)
        if path is None:
            raise SettingsError(f"没有“{name}”这个测试集，请重新选择")
        return read_testset(path)

    def edited_as(self, name: str) -> str:
        """Return the name of the test set that an edit of this one goes to: a shipped one is first copied."""
        return f"{OURS} {name.partition(' ')[2] or name}"

    def new(self, text: str) -> str:
        """Return the name of the evaluators' test set that the text names. Raises SettingsError for no file name."""
        written = text.strip().removeprefix(OURS).strip()
        written += "" if written.lower().endswith(SUFFIXES) else SUFFIXES[0]
        if not _NAME.fullmatch(written):
            raise SettingsError(f"“{text}”不能作测试集的名称，请用汉字、字母、数字，例如 反馈.jsonl")
        return f"{OURS} {written}"

    def question(self, name: str, key: str) -> TestQuestion:
        """Return a question as it stands now, edited or not. Raises SettingsError where it is gone."""
        for file in self._sources(name):
            found = [question for question in read_testset(file) if question.id == key]
            if found:
                return found[0]
        raise SettingsError(f"测试集“{name}”里找不到编号为 {key} 的题，不能修改")

    def replace(self, name: str, was: TestQuestion, question: TestQuestion) -> str:
        """Write a question in the place of what it was, and return the test set's name.

        Raises SettingsError where the file cannot be read, or holds something else by now.
        """
        with self._editing(name) as (questions, target):
            places = [at for at, one in enumerate(questions) if one.id == was.id]
            if not places or questions[places[0]] != was:
                raise SettingsError("这道题在您打开以后被改过或删去了，请重新打开再改")
            questions[places[0]] = question
        return target

    def add(self, name: str, question: TestQuestion) -> str:
        """Write a question at a test set's end, the set begun where there is none, and return the set's name.

        Raises SettingsError where its id is taken.
        """
        with self._editing(name) as (questions, target):
            if any(one.id == question.id for one in questions):
                raise SettingsError(f"“{target}”里已经有编号为 {question.id} 的题")
            questions.append(question)
        return target

    def free_id(self, name: str, key: str) -> str:
        """Return an id like this one that the set that edits go to has not."""
        taken = {one.id for file in self._sources(name) for one in read_testset(file)}
        base = re.sub(r"-\d+$", "", key)
        return next(new for new in (f"{base}-{number}" for number in range(2, len(taken) + 4)) if new not in taken)

    def _sources(self, name: str) -> list[Path]:
        """Return the files that may hold a set's questions, the one that edits go to first; “x.jsonl” alone is a shipped one."""
        sets, names = self.testsets(), (self.edited_as(name), name, f"{SHIPPED} {name}")
        return [sets[one] for one in names if one in sets]

    @contextmanager
    def _editing(self, name: str) -> Iterator[tuple[list[TestQuestion], str]]:
        """Yield the questions to change and where they go; they are written when nothing was raised, all or nothing."""
        target, sources = self.edited_as(name), self._sources(name)
        file = self.folder / "testsets" / target.partition(" ")[2]
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / "testsets" / ".lock", timeout=LOCK_TIMEOUT_S, mode=0o600):
                questions = read_testset(sources[0]) if sources else []
                yield questions, target
                _write(file, questions)
        except Timeout as error:
            raise SettingsError("测试集正在被别人修改，请稍后再试") from error
        except OSError as error:
            raise SettingsError(f"测试集“{target}”写不进去（{error.strerror}），请联系维护人员") from error

    def runs(self) -> dict[str, Path]:
        """Return the runs kept by name, the newest first, then those that were put there under another name."""
        files = sorted((self.folder / "runs").glob("*.json"), reverse=True)
        return {_told(file.stem): file for file in sorted(files, key=lambda file: not _RUN.fullmatch(file.stem))}

    def run(self, name: str) -> dict[str, Any]:
        """Return a run, not to be changed. Raises SettingsError where there is none such."""
        path = self.runs().get(name)
        if path is None:
            raise SettingsError("没有这次评测，请重新选择")
        return _read_run(path, path.stat().st_mtime_ns)

    def keep(self, run: Mapping[str, Any], when: datetime) -> str:
        """Write a run down as `eval run --json` does, whole, and return its name; one of the same second keeps its place."""
        without = "".join(f" 停用{COMPONENTS[part]}" for part in run["setup"]["without"])
        stem = f"{when:%Y%m%d-%H%M%S} {Path(run['setup']['file']).stem}{without}"
        folder = self.folder / "runs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f".{uuid4().hex}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
                json.dump(run, out, ensure_ascii=False, indent=1)
            return _told(_placed(draft, folder, stem))
        finally:
            draft.unlink(missing_ok=True)


def _write(file: Path, questions: Sequence[TestQuestion]) -> None:
    draft = file.with_name(f".draft-{os.getpid()}{file.suffix}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        write_testset(questions, draft)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def _placed(draft: Path, folder: Path, stem: str) -> str:
    """Put a file in a folder under the first name like this one that is free, and return that."""
    name, number = stem, 1
    while True:
        try:
            os.link(draft, folder / f"{name}.json")
            return name
        except FileExistsError:
            number += 1
            name = f"{stem} {number}"


def _told(stem: str) -> str:
    return _RUN.sub(r"\1-\2-\3 \4:\5:\6 · \7", stem) if _RUN.fullmatch(stem) else stem


@lru_cache(maxsize=1)
def _shipped(folder: Path) -> tuple[Path, ...]:
    found = []
    for file in sorted(folder.glob("*.jsonl")) + sorted(folder.glob("*.xlsx")):
        try:
            read_testset(file)
        except SettingsError:
            continue  # labelled sentences and the like stand beside the test sets
        found.append(file)
    return tuple(found)


@lru_cache(maxsize=4)
def _read_run(path: Path, changed_ns: int) -> dict[str, Any]:
    return read_run(path)
