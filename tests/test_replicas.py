"""Two servers as they are run, on one PostgreSQL, one engine and one folder: whatever either knows, the other knows."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from conftest import DOCUMENTS, PASSWORD, ROOT, ROWS, assert_each_of_its_generation, write_corpus
from databases import new_database, postgres

from assistant.config import Settings
from assistant.feedback import append
from assistant.index import Index, read_manifest
from assistant.ingest import RETIRED
from assistant.models import load_store
from assistant.people.audit import ADDING
from assistant.people.people import People
from eval.conformance import chroma_server

__all__ = ["postgres"]  # the fixture
AREA = "氢能港的规划面积多大？"
STARTS_S = 120
ASKING = 2  # programs that ask each replica all the time


@dataclass
class Replica:
    """A running server, its address, and what it said when it began."""

    process: subprocess.Popen[str]
    address: str
    said: str

    def ask(self, http: httpx.Client) -> dict[str, Any]:
        given = http.post(f"{self.address}/api/ask", json={"question": AREA, "as_of": "2026-11-24"})
        assert given.status_code == 200, given.text
        found: dict[str, Any] = given.json()
        return found


@dataclass
class Site:
    """The replicas and what they share."""

    settings: Settings
    environment: dict[str, str]
    replicas: list[Replica]

    def ingest(self, area: str) -> str:
        """Bring in the corpus with another area, and return the generation."""
        text = DOCUMENTS["port.md"].replace("2.15", area)
        write_corpus(self.settings.corpus, {**DOCUMENTS, "port.md": text}, ROWS)
        command = [sys.executable, "-m", "assistant.cli", "ingest"]
        subprocess.run(command, check=True, capture_output=True, env=self.environment)
        manifest = read_manifest(self.settings.index)
        assert manifest
        return manifest.generation

    def spawn(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "assistant.cli", "serve"]
        return subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, encoding="utf-8"
        )  # fmt: skip

    @staticmethod
    def begun(process: subprocess.Popen[str]) -> Replica:
        assert process.stdout
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert address, line
        with closing(httpx.Client(base_url=address[0])) as http:  # the next line comes before the first answer
            until(lambda: http.get("/healthz").status_code == 200)
        return Replica(process, address[0], line)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + STARTS_S
    while True:
        try:
            if holds():
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with ExitStack() as opened:
        settings = Settings(
            folder / "corpus", folder / "index", folder / "workspace", database=new_database(postgres),
            store=opened.enter_context(chroma_server(folder / "engine")),
        )  # fmt: skip
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "JIADING_CORPUS": str(settings.corpus), "JIADING_PORT": "0",
            "JIADING_DATABASE": settings.database, "JIADING_STORE": settings.store, "JIADING_STOP_S": "5",
            "JIADING_RATE_PER_MINUTE": "100000",
        }  # fmt: skip
        site = Site(settings, environment, [])
        site.ingest("2.15")
        processes = [site.spawn() for _ in range(2)]  # at the same time, on an empty database
        for process in processes:
            opened.enter_context(process)
            opened.callback(process.kill)
        site.replicas += map(site.begun, processes)
        yield site


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=60) as client:
        yield client


@pytest.fixture
def people(site: Site) -> Iterator[People]:
    with closing(People(site.settings)) as opened:
        yield opened


def test_one_of_those_that_start_together_makes_the_first_account(site: Site, people: People) -> None:
    assert [one.name for one in people.accounts.list()] == ["admin"]


def test_who_signs_in_at_one_is_signed_in_and_out_at_the_other(site: Site, people: People) -> None:
    people.accounts.change_password("amy", people.accounts.add("amy", "drafter"), PASSWORD)  # type: ignore[arg-type]
    one, other = site.replicas
    with httpx.Client() as browser:
        assert browser.post(f"{one.address}/login", data={"name": "amy", "password": PASSWORD}).status_code == 303
        assert "amy" in browser.get(f"{other.address}/account").text
        token = browser.cookies["jiading"]
        browser.post(f"{other.address}/logout")
        gone = httpx.get(f"{one.address}/account", cookies={"jiading": token})
        assert gone.status_code == 303 and gone.headers["location"].startswith("/login")


def test_who_fails_at_one_must_wait_at_the_other(site: Site, http: httpx.Client) -> None:
    def failed(replica: Replica) -> str:
        return http.post(f"{replica.address}/login", data={"name": "nobody", "password": "wrong"}).text

    for _ in range(15):  # each wait is twice the one before
        told = failed(site.replicas[0])
    assert "秒后再试" in told and "秒后再试" in failed(site.replicas[1])


def test_the_log_of_both_is_one_whole_chain(site: Site, people: People, http: httpx.Client) -> None:
    before = len(list(people.audit.export("jsonl")))
    with ThreadPoolExecutor(6) as threads:
        list(threads.map(lambda number: site.replicas[number % 2].ask(http), range(60)))
    until(lambda: len(list(people.audit.export("jsonl"))) == before + 60)
    assert people.audit.verify() is None
    assert len(people.questions.page(size=100_000)) >= 60


def texts_of(site: Site) -> str:
    index = Index.open(site.settings.index)
    try:
        return index.document("port").text
    finally:
        index.close()


def serving(site: Site, http: httpx.Client, generation: str) -> None:
    for one in site.replicas:
        until(lambda one=one: http.get(f"{one.address}/readyz").json().get("generation") == generation)  # type: ignore[misc]


def collections(site: Site) -> set[str]:
    from assistant.vectors import release

    client = load_store(site.settings).client(Path())  # type: ignore[attr-defined]
    found = {one.name for one in client.list_collections()}
    release(client)
    return found


def test_both_roll_to_a_new_generation_and_no_answer_mixes_two(site: Site, http: httpx.Client) -> None:
    """Every answer is one generation's; one out of service stays for its readers as long as it may have any."""
    manifest, done = read_manifest(site.settings.index), threading.Event()
    assert manifest
    first, texts, names = manifest.generation, {manifest.generation: texts_of(site)}, {manifest.collection}

    def asked(replica: Replica) -> list[dict[str, Any]]:
        answers = []
        with httpx.Client(timeout=60) as own:
            while not done.is_set():
                answers.append(replica.ask(own))
        return answers

    with ThreadPoolExecutor(2 * ASKING) as threads:
        try:
            running = [threads.submit(asked, one) for one in site.replicas for _ in range(ASKING)]
            for area in ("3.75", "4.75"):
                generation = site.ingest(area)
                texts[generation] = texts_of(site)
                manifest = read_manifest(site.settings.index)
                assert manifest
                names.add(manifest.collection)
                serving(site, http, generation)
        finally:
            done.set()
        answers = [answer for one in running for answer in one.result()]
    assert len(texts) == 3
    assert_each_of_its_generation(answers, texts)
    assert names <= collections(site)  # two switches ago, and still there
    os.utime(site.settings.index / first / RETIRED, (0, 0))
    serving(site, http, site.ingest("5.75"))
    assert not (site.settings.index / first).exists() and len(names & collections(site)) == 2


def fresh(replica: Replica) -> dict[str, Any]:
    with httpx.Client(timeout=120) as own:  # a connection that has rested may be closed before it is used again
        return replica.ask(own)


def test_a_replica_that_stood_still_over_two_switches_goes_on(site: Site, http: httpx.Client) -> None:
    slow = site.replicas[1]
    slow.process.send_signal(signal.SIGSTOP)
    with ThreadPoolExecutor(4) as threads:
        waiting = [threads.submit(fresh, slow) for _ in range(4)]
        for area in ("6.75", "7.75"):
            generation = site.ingest(area)
        slow.process.send_signal(signal.SIGCONT)
        assert all(one.result()["status"] == "answered" for one in waiting)
    serving(site, http, generation)


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_what_is_in_line_is_written_before_a_replica_ends(
    site: Site, people: People, http: httpx.Client, opened: ExitStack
) -> None:
    leaving = site.begun(opened.enter_context(site.spawn()))
    opened.callback(leaving.process.kill)
    asked = len(people.questions.page(size=100_000))
    with psycopg.connect(site.settings.database, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (ADDING,))  # nobody adds to the log
        leaving.ask(http)
        leaving.process.send_signal(signal.SIGTERM)
        until(lambda: _closed(leaving))
        assert len(people.questions.page(size=100_000)) == asked
        connection.execute("SELECT pg_advisory_unlock(%s)", (ADDING,))
        assert leaving.process.wait(60) == -signal.SIGTERM
    assert len(people.questions.page(size=100_000)) == asked + 1 and people.audit.verify() is None


def _closed(replica: Replica) -> bool:
    try:
        httpx.get(f"{replica.address}/healthz", timeout=5)
    except httpx.ConnectError:
        return True
    except httpx.TransportError:
        return False
    return False


def test_lines_of_several_programs_never_mix(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from assistant.feedback import append\n"
        "for number in range(200): append(Path(sys.argv[1]), {'by': sys.argv[2], 'number': number, 'text': '长' * 3000})"
    )
    file = tmp_path / "feedback.jsonl"
    append(file, {"by": "first"})
    started = [subprocess.Popen([sys.executable, "-c", program, str(file), str(n)], cwd=ROOT) for n in range(3)]
    assert [process.wait(120) for process in started] == [0] * 3
    lines = file.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 601 and all(line.startswith("{") and line.endswith("}") for line in lines)
