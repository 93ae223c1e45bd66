"""The people database, the audit log and the question log, on SQLite and on PostgreSQL."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from conftest import ROOT
from databases import database_url, postgres
from sqlalchemy import text

from assistant.errors import DatabaseError
from assistant.people.audit import Audit, Event
from assistant.people.database import FILE, Database
from assistant.people.later import Later
from assistant.people.questions import Asked, Questions
from assistant.people.tables import metadata

__all__ = ["database_url", "postgres"]  # the fixtures
DAY = date(2026, 11, 24)


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    opened = Database(database_url, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def later() -> Iterator[Later]:
    line = Later()
    yield line
    line.close()


@pytest.fixture
def audit(database: Database, later: Later) -> Audit:
    return Audit(database, later)


@pytest.fixture
def questions(database: Database, later: Later) -> Questions:
    return Questions(database, later, 180)


def asked(question: str, status: str = "abstained") -> Asked:
    return Asked(question, "page", DAY, status)  # type: ignore[arg-type]


def test_the_migrations_make_the_very_tables(database: Database) -> None:
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    Database("", tmp_path / "workspace").close()
    assert (tmp_path / "workspace" / FILE).stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_opened_says_which_setting_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in ("nonsense", "mysql://u@h/d", "postgresql://u:geheim@127.0.0.1:1/d", f"sqlite:///{tmp_path}/file/x"):
        with pytest.raises(DatabaseError, match="JIADING_DATABASE") as caught:
            Database(url, tmp_path)
        assert "geheim" not in str(caught.value)


def test_a_newer_programs_database_is_left_alone(database: Database, database_url: str, tmp_path: Path) -> None:
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match="更新版本"):
        Database(database_url, tmp_path)


def test_processes_that_start_together_make_the_tables_once(database_url: str, tmp_path: Path) -> None:
    program = "import sys; from pathlib import Path; from assistant.people.database import Database; Database(sys.argv[1], Path(sys.argv[2])).close()"
    command = [sys.executable, "-c", program, database_url, str(tmp_path)]
    started = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait(60) for process in started] == [0] * 4


def test_the_audit_log_refuses_to_be_changed(database: Database, audit: Audit) -> None:
    audit.add(Event("signed.in", "amy"))
    for change in ("UPDATE audit SET who = 'bob'", "DELETE FROM audit"):
        with pytest.raises(DatabaseError), database.writing() as connection:
            connection.execute(text(change))
    if database.dialect == "postgresql":
        with pytest.raises(DatabaseError), database.writing() as connection:
            connection.execute(text("TRUNCATE audit"))
    assert [entry.event.who for entry in audit.page()] == ["amy"]


def test_what_is_changed_past_the_guards_is_found(database: Database, audit: Audit) -> None:
    for number in range(5):
        audit.add(Event("draft.sent", "amy", "drafter", f"d{number}", detail={"n": number}))
    assert audit.verify() is None
    off = "DROP TRIGGER audit_refuse ON audit" if database.dialect == "postgresql" else "DROP TRIGGER audit_update"
    with database.writing() as connection:
        connection.execute(text(off))
        connection.execute(text("UPDATE audit SET who = 'bob' WHERE id = 3"))
    assert audit.verify() == 3


def test_what_is_taken_out_past_the_guards_is_found(database: Database, audit: Audit) -> None:
    for number in range(5):
        audit.add(Event("draft.sent", about=f"d{number}"))
    off = "DROP TRIGGER audit_refuse ON audit" if database.dialect == "postgresql" else "DROP TRIGGER audit_delete"
    with database.writing() as connection:
        connection.execute(text(off))
        connection.execute(text("DELETE FROM audit WHERE id = 3"))
    assert audit.verify() == 4


def test_threads_that_write_together_make_one_chain(audit: Audit) -> None:
    with ThreadPoolExecutor(8) as pool:
        for number in range(80):
            pool.submit(audit.add, Event("asked", about=str(number)))
    assert audit.verify() is None
    assert {entry.event.about for entry in audit.page(size=100)} == {str(number) for number in range(80)}


def test_pages_follow_each_other_newest_first(audit: Audit) -> None:
    for number in range(7):
        audit.add_later(
            Event("draft.sent" if number % 2 else "user.added", "amy" if number < 3 else "bob", about=str(number))
        )
    first = audit.page(size=4)
    second = audit.page(before=first[-1].id, size=4)
    assert [entry.event.about for entry in (*first, *second)] == list("6543210")
    assert [entry.event.about for entry in audit.page(who="amy", action="draft.")] == ["1"]


def test_an_export_holds_every_field_and_no_formula(audit: Audit) -> None:
    event = Event("user.added", "=1+1", "administrator", "amy", "192.0.2.0/24", "g1", {"role": "asker"})
    audit.add(event)
    exported = b"".join(audit.export("csv"))
    assert exported.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(exported.decode("utf-8-sig")))
    assert (row["账号"], row["操作"], row["对象"], row["地址段"]) == ("'=1+1", "user.added", "amy", "192.0.2.0/24")
    (line,) = b"".join(audit.export("jsonl")).splitlines()
    assert json.loads(line) | {"id": 1} == {
        **audit.page()[0].to_dict(), "id": 1, "previous": "", "who": "=1+1", "detail": {"role": "asker"},
    }  # fmt: skip


def test_a_question_is_kept_without_what_is_personal(questions: Questions) -> None:
    questions.keep(asked("我叫王小明，电话13812345678，氢能港多大？\0\ud800"))
    (kept,) = questions.page()
    assert "氢能港多大" in kept.asked.question
    assert "王小明" not in kept.asked.question and "138" not in kept.asked.question
    assert (kept.asked.as_of, kept.asked.status, kept.asked.channel) == (DAY, "abstained", "page")


def test_questions_are_found_by_status_and_text(questions: Questions) -> None:
    for number in range(5):
        questions.keep(asked(f"第{number}个100%问题", "answered" if number % 2 else "abstained"))
    assert [kept.asked.question[1] for kept in questions.page(status="abstained")] == ["4", "2", "0"]
    assert [kept.asked.question[1] for kept in questions.page(containing="3个100%")] == ["3"]
    assert questions.page(containing="_个") == []
    assert [kept.asked.question[1] for kept in questions.page(before=questions.page()[1].id)] == ["2", "1", "0"]


def test_wordings_that_differ_in_signs_are_one_unanswered_question(questions: Questions) -> None:
    for question in ("月球基地多大？", "月球基地 多大?", "火星基地多大", "月球基地多大"):
        questions.keep(asked(question))
    questions.keep(asked("氢能港多大", "answered"))
    assert [(one.question, one.count) for one in questions.unanswered()] == [("月球基地多大", 3), ("火星基地多大", 1)]


def test_old_questions_are_forgotten_when_new_ones_come(database: Database, later: Later) -> None:
    first = Questions(database, later, 30)
    first.keep(asked("旧问题"))
    later.wait()
    with database.writing() as connection:
        long_ago = (datetime.now(UTC) - timedelta(days=31)).isoformat(timespec="microseconds")
        connection.execute(text("UPDATE questions SET at = :at"), {"at": long_ago})
    Questions(database, later, 30).keep(asked("新问题"))
    assert [kept.asked.question for kept in first.page()] == ["新问题"]
    assert first.forget(0) == 1


def test_a_question_that_cannot_be_kept_fails_nobody(
    database: Database, questions: Questions, later: Later, caplog: pytest.LogCaptureFixture
) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP TABLE questions"))
    questions.keep(asked("月球基地多大？"))
    later.wait()
    assert "not written: question from page, abstained" in caplog.text and "月球基地" not in caplog.text
