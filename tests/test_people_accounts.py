"""Accounts, sessions, keys and limits, on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import PASSWORD
from databases import database_url, postgres
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from typer.testing import CliRunner

from assistant.cli import app
from assistant.config import Settings
from assistant.errors import AccountError, SettingsError
from assistant.people.access import Identity, Role
from assistant.people.accounts import WRONG
from assistant.people.addresses import client, network, networks
from assistant.people.database import Database
from assistant.people.pages import local
from assistant.people.people import People
from assistant.people.rates import Rates
from assistant.people.tables import rates as buckets

__all__ = ["database_url", "postgres"]  # the fixtures


@pytest.fixture
def people(database_url: str, tmp_path: Path) -> Iterator[People]:
    opened = People(Settings(workspace=tmp_path, database=database_url))
    yield opened
    opened.close()


@pytest.fixture
def database(people: People) -> Database:
    return people._database


def known(people: People, name: str = "amy", role: Role = Role.DRAFTER) -> str:
    """Add an account with PASSWORD and return its name."""
    people.accounts.change_password(name, people.accounts.add(name, role), PASSWORD)
    return name


def aged(people: People, by: timedelta, column: str) -> None:
    with people._database.writing() as connection:
        then = (datetime.now(UTC) - by).isoformat(timespec="microseconds")
        connection.execute(text(f"UPDATE sessions SET {column} = :then"), {"then": then})


def test_an_account_begins_with_a_password_for_once(people: People) -> None:
    once = people.accounts.add("Amy", Role.DRAFTER)
    assert people.accounts.sign_in("AMY", once).one_time
    people.accounts.change_password("amy", once, PASSWORD)
    found = people.accounts.sign_in("amy", PASSWORD)
    assert (found.name, found.role, found.one_time) == ("amy", Role.DRAFTER, False)
    with pytest.raises(AccountError, match=WRONG):
        people.accounts.sign_in("amy", once)


@pytest.mark.parametrize("password", ["short", "1234567890", "QWERTYUIOP", "aaaaaaaaaaaa", "amy.from.jiading", "x" * 201])  # fmt: skip
def test_passwords_that_are_guessed_first_are_refused(people: People, password: str) -> None:
    once = people.accounts.add("amy.from.jiading", Role.ASKER)
    with pytest.raises(AccountError):
        people.accounts.change_password("amy.from.jiading", once, password)


def test_the_last_active_administrator_stays(people: People) -> None:
    assert people.accounts.add_first() and people.accounts.add_first() is None
    for change in (lambda: people.accounts.disable("admin"), lambda: people.accounts.set_role("admin", Role.ASKER)):
        with pytest.raises(AccountError, match="唯一的管理员"):
            change()
    people.accounts.add("bob", Role.ADMINISTRATOR)
    people.accounts.disable("admin")
    with pytest.raises(AccountError, match="唯一的管理员"):
        people.accounts.set_role("bob", Role.DRAFTER)


def test_names_are_unique_whatever_their_case(people: People) -> None:
    people.accounts.add("Amy", Role.ASKER)
    with pytest.raises(AccountError, match="已经有"):
        people.accounts.add("ａｍｙ", Role.ASKER)
    for name in ("", " ", "a b", "-a", "a\0", "a/b", "x" * 65, "<b>"):
        with pytest.raises(AccountError, match="账号名"):
            people.accounts.add(name, Role.ASKER)


def test_sessions_end_with_time_with_the_password_and_with_the_account(people: People) -> None:
    known(people)
    mine = people.accounts.list()[0].id
    token = people.sessions.start(mine)
    assert people.sessions.find(token) and people.sessions.find(token + "x") is None
    aged(people, timedelta(hours=9), "seen")
    assert people.sessions.find(token) is None
    token = people.sessions.start(mine)
    aged(people, timedelta(days=8), "created")
    assert people.sessions.find(token) is None
    for end in (
        lambda: people.accounts.change_password("amy", PASSWORD, f"{PASSWORD} 2"),
        lambda: people.accounts.reset("amy"),
        lambda: people.accounts.disable("amy"),
        lambda: (people.accounts.enable("amy"), people.sessions.end_all(mine)),
    ):
        token = people.sessions.start(mine)
        end()
        assert people.sessions.find(token) is None


def test_nothing_that_lets_one_in_is_kept_as_it_is(people: People, tmp_path: Path) -> None:
    known(people)
    mine = people.accounts.list()[0].id
    secrets = [people.sessions.start(mine), people.keys.add(mine, "日报程序"), PASSWORD]
    with people._database.reading() as connection:
        rows = [str(row) for table in ("users", "sessions", "keys") for row in connection.execute(text(f"SELECT * FROM {table}"))]  # fmt: skip
    assert not [secret for secret in secrets if secret in "".join(rows)]


def test_a_key_is_its_owners_until_it_is_revoked(people: People) -> None:
    known(people)
    mine = people.accounts.list()[0].id
    key = people.keys.add(mine, "日报程序")
    found = people.keys.find(key)
    assert found and found.name == "amy"
    (kept,) = people.keys.list(mine)
    assert key.startswith(kept.start) and kept.used
    people.keys.revoke(mine + 1, kept.id)
    assert people.keys.find(key)
    people.keys.revoke(mine, kept.id)
    assert people.keys.find(key) is None
    key = people.keys.add(mine, "又一个")
    people.accounts.disable("amy")
    assert people.keys.find(key) is None


def test_who_fails_again_and_again_must_wait_known_or_not(people: People) -> None:
    known(people)
    for name in ("amy", "nobody"):
        told = []
        for _ in range(7):
            with pytest.raises(AccountError) as caught:
                people.accounts.sign_in(name, "wrong", "192.0.2.1")
            told.append(str(caught.value))
        assert told[:4] == [WRONG] * 4 and "秒后再试" in told[-1]
    with pytest.raises(AccountError, match="秒后再试"):
        people.accounts.sign_in("amy", PASSWORD, "198.51.100.1")  # not even with the right one


def test_an_address_that_tries_many_names_must_wait(people: People) -> None:
    for number in range(20):
        with pytest.raises(AccountError, match=WRONG):
            people.accounts.sign_in(f"n{number}", "wrong", "192.0.2.1")
    with pytest.raises(AccountError, match="秒后再试"):
        people.accounts.sign_in("another", "wrong", "192.0.2.1")


def test_one_whom_a_provider_vouches_for_has_no_password_here(people: People) -> None:
    people.accounts.add_first()
    first = people.accounts.remote("https://id.example sub1", "Amy", Role.ASKER)
    again = people.accounts.remote("https://id.example sub1", "other", Role.DRAFTER)
    assert (first.id, again.name, again.role, again.remote) == (again.id, "amy", Role.DRAFTER, True)
    for password in ("", PASSWORD):
        with pytest.raises(AccountError, match=WRONG):
            people.accounts.sign_in("amy", password)
    with pytest.raises(AccountError, match="已经有"):
        people.accounts.remote("https://id.example sub2", "admin", Role.ADMINISTRATOR)


def test_the_commands_do_what_they_say_and_write_it_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JIADING_WORKSPACE", str(tmp_path))
    run = CliRunner().invoke
    added = run(app, ["users", "add", "amy", "administrator"])
    assert added.exit_code == 0 and "一次性密码" in added.output
    for command in (["add", "bob", "drafter"], ["role", "bob", "evaluator"], ["reset", "bob"], ["disable", "bob"]):
        assert run(app, ["users", *command]).exit_code == 0
    assert "bob\t评测\t停用" in run(app, ["users", "list"]).output
    assert isinstance(run(app, ["users", "disable", "amy"]).exception, AccountError)
    exported = run(app, ["audit", "export", "--format", "jsonl"]).output.splitlines()
    assert len(exported) == 5 and '"user.disabled"' in exported[-1]
    assert "没有发现改动" in run(app, ["audit", "verify"]).output


AMY = Identity("amy", Role.ASKER)


START = datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_a_bucket_fills_again_with_time(database: Database) -> None:
    now = [START]
    rates = Rates(database, 60, 120, lambda: now[0])
    assert [rates.wait(Identity(), "192.0.2.1") for _ in range(60)] == [0] * 60
    assert rates.wait(Identity(), "192.0.2.1") == 1
    assert rates.wait(Identity(), "192.0.2.2") == 0 and rates.wait(AMY, "192.0.2.1") == 0
    now[0] += timedelta(seconds=2)
    assert [rates.wait(Identity(), "192.0.2.1") for _ in range(3)] == [0, 0, 1]


def test_a_network_of_ipv6_is_one_asker(database: Database) -> None:
    rates = Rates(database, 1, 1, lambda: START)
    assert rates.wait(Identity(), "2001:db8::1") == 0 and rates.wait(Identity(), "2001:db8::2") > 0
    assert rates.wait(Identity(), "2001:db8:0:1::2") == 0


def test_replicas_count_together(database: Database, database_url: str, tmp_path: Path) -> None:
    """However their requests meet, and where one machine's clock is ahead."""
    with closing(Database(database_url, tmp_path)) as elsewhere, ThreadPoolExecutor(8) as threads:
        here = Rates(database, 60, 20, lambda: START)
        ahead = Rates(elsewhere, 60, 20, lambda: START + timedelta(seconds=3))
        assert ahead.wait(AMY, "") == 0  # what one second holds is not gained twice
        waits = list(threads.map(lambda number: (here, ahead)[number % 2].wait(AMY, ""), range(60)))
    assert waits.count(0) == 19


def test_buckets_that_are_full_again_are_not_held(database: Database) -> None:
    for day in range(3):
        now = START + timedelta(days=day)
        rates = Rates(database, 1, 1, now.replace)
        for number in range(3):
            assert rates.wait(replace(AMY, name=f"{number}"), "") == 0
            assert rates.wait(replace(AMY, name=f"{number}"), "") == 60
    with database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(buckets)).scalar() == 3


def test_who_cannot_be_counted_is_let_through(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    with database.writing() as connection:
        connection.execute(text("DROP TABLE rates"))
    assert Rates(database, 1, 1).wait(AMY, "") == 0 and "not counted" in caplog.text


@given(st.lists(st.ip_addresses(), min_size=1, max_size=4))
def test_a_forwarded_address_counts_only_from_a_trusted_proxy(addresses: list[object]) -> None:
    told = [str(one) for one in addresses]
    scope = {"client": ("203.0.113.9", 1), "headers": [(b"x-forwarded-for", ", ".join(told).encode())]}
    assert client(scope, ()) == client(scope, networks("203.0.114.0/24, 2001:db8::/32")) == "203.0.113.9"
    for proxies in ("203.0.113.9", "203.0.113.0/24"):
        trusted = client(scope, networks(proxies))
        assert network(trusted, 32, 128) == network(told[-1], 32, 128)


def test_what_is_no_network_is_a_settings_error() -> None:
    with pytest.raises(SettingsError, match="JIADING_PROXIES"):
        networks("proxy.internal")


@pytest.mark.parametrize(
    ("address", "kept"),
    [("192.0.2.77", "192.0.2.0/24"), ("::ffff:192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"),
     ("testclient", ""), ("", "")],
)  # fmt: skip
def test_an_address_is_kept_as_its_network(address: str, kept: str) -> None:
    assert network(address) == kept


@pytest.mark.parametrize("address", ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)", "evil", "/a\nb", "", "/\t/evil.example"])  # fmt: skip
def test_nobody_is_sent_to_another_site(address: str) -> None:
    assert local(address) == "/"
    assert local("/evaluate/?a=b#c") == "/evaluate/?a=b#c"
