"""A PostgreSQL of our own for the tests that want one, and a people database on each engine."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

PROGRAMS = Path("/usr/lib/postgresql/15/bin")
OWNER = "postgres" if os.getuid() == 0 else None  # PostgreSQL does not run as root


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The folder of a running server's socket."""
    programs = PROGRAMS if PROGRAMS.exists() else Path(shutil.which("postgres") or "/nowhere/postgres").parent
    if not (programs / "postgres").exists():
        pytest.skip("no PostgreSQL on this machine")
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    if OWNER:
        shutil.chown(folder, OWNER)
    started = {"user": OWNER, "cwd": "/", "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    initdb = [programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8"]
    subprocess.run(initdb, check=True, **started)
    run = [programs / "postgres", "-D", folder / "data", "-k", folder, "-h", "", "-F"]
    server = subprocess.Popen(run, **started)
    deadline = time.monotonic() + 30
    while not (folder / ".s.PGSQL.5432").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    yield str(folder)
    server.terminate()
    server.wait(20)
    shutil.rmtree(folder)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    """An empty database, "" for the file that there is without a setting."""
    if request.param == "sqlite":
        return ""
    return new_database(request.getfixturevalue("postgres"))


def new_database(folder: str) -> str:
    """Make an empty database on the server with its socket in a folder, and return its URL."""
    name = f"t{uuid4().hex}"
    for attempt in range(100):
        try:
            with psycopg.connect(f"host={folder} user=postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            break
        except psycopg.OperationalError:
            if attempt == 99:
                raise
            time.sleep(0.1)
    return f"postgresql://postgres@/{name}?host={folder}"
