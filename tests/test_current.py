"""A new generation comes into service while questions are being answered, and no answer mixes two."""

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import DOCUMENTS, ROOT, ROWS, TODAY, assert_each_of_its_generation, served, write_corpus

from assistant.config import Settings
from assistant.current import Current
from assistant.evaluation.running import Runner
from assistant.index import Index
from assistant.ingest import Report, ingest
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.viewer import AnswerView
from eval.testset import TestQuestion
from eval.workspace import Workspace

AREA = "氢能港的规划面积多大?"
NEW = DOCUMENTS["port.md"].replace("2.15", "3.75").replace("氢能港位于", "据2026年的规划,氢能港位于")
RunIngest = Callable[[Path, Path], Report]


@pytest.fixture
def folder(tmp_path: Path, run_ingest: RunIngest) -> Path:
    """A folder with a corpus of its own and its index."""
    run_ingest(write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS), tmp_path / "index")
    return tmp_path


@pytest.fixture
def current(folder: Path) -> Current:
    return Current(load_assistant(Settings(index=folder / "index")))


def change(folder: Path, run_ingest: RunIngest, text: str) -> None:
    run_ingest(write_corpus(folder / "corpus", {**DOCUMENTS, "port.md": text}, ROWS), folder / "index")


def said(assistant: Assistant) -> str:
    return "".join(statement.text for statement in assistant.ask(AREA, filters=TODAY).statements)


def test_a_new_generation_is_taken_up_once_it_is_there(folder: Path, current: Current, run_ingest: RunIngest) -> None:
    assert not current.refresh()
    change(folder, run_ingest, NEW)
    with current.use() as assistant:
        assert "2.15" in said(assistant)
    assert current.refresh()
    with current.use() as assistant:
        assert "3.75" in said(assistant) and "2.15" not in said(assistant)
    assert not current.refresh()


def test_an_answer_keeps_the_generation_that_it_began_with(
    folder: Path, current: Current, run_ingest: RunIngest
) -> None:
    with current.use() as old:
        assert "2.15" in said(old)  # its files are open
        for text in (NEW, NEW.replace("3.75", "4.75")):  # twice: the first generation's files are gone then
            change(folder, run_ingest, text)
            assert current.refresh()
        assert "2.15" in said(old)
        with current.use() as fresh:
            assert "4.75" in said(fresh)
    with pytest.raises(Exception, match="closed"):  # its last user is gone
        old.index.fetch("SELECT 1")
    assert not (folder / "index" / old.index.manifest.generation).exists()


def test_a_generation_that_nobody_uses_is_closed_at_once(folder: Path, current: Current, run_ingest: RunIngest) -> None:
    with current.use() as old:
        pass
    change(folder, run_ingest, NEW)
    assert current.refresh()
    with pytest.raises(Exception, match="closed"):
        old.index.fetch("SELECT 1")


def test_an_evaluation_is_of_the_generation_in_service_when_it_begins(
    folder: Path, current: Current, run_ingest: RunIngest
) -> None:
    workspace = Workspace(folder / "workspace")
    workspace.add("工作区 t.jsonl", TestQuestion("a", AREA, True, ("3.75",), ("port",), "numeric"))
    runner = Runner(current, workspace)

    async def run() -> dict[str, Any]:
        (kept,) = [c["run"] async for c in runner.run("v", "工作区 t.jsonl", str(TODAY.as_of), "dense") if "run" in c]
        return workspace.run(kept)

    before = asyncio.run(run())
    change(folder, run_ingest, NEW)
    assert current.refresh()
    gc.collect()  # what nobody holds is closed now
    after = asyncio.run(run())
    assert before["questions"][0]["missing"] == ["3.75"] and after["questions"][0]["missing"] == []


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="tells open files on Linux")
def test_nothing_of_a_closed_generation_stays_open(folder: Path, current: Current, run_ingest: RunIngest) -> None:
    with current.use() as old:
        generation = old.index.manifest.generation
        said(old)
    assert generation in Path("/proc/self/maps").read_text()
    change(folder, run_ingest, NEW)
    assert current.refresh()
    current.refresh()
    assert old.index.manifest.generation == generation  # that somebody holds it does not keep its files
    assert generation not in Path("/proc/self/maps").read_text()


def test_a_generation_that_cannot_be_opened_is_told_and_the_one_before_answers_on(
    folder: Path, current: Current, run_ingest: RunIngest, embeddings: Any
) -> None:
    write_corpus(folder / "corpus", {**DOCUMENTS, "port.md": NEW}, ROWS)
    ingest([folder / "corpus"], folder / "index", embeddings, "another model", lambda *_: None)
    assert not current.refresh() and "另一个向量模型" in current.fault
    with current.use() as assistant:
        assert "2.15" in said(assistant)
    (folder / "index" / "current").rename(folder / "index" / "elsewhere")
    assert not current.refresh() and "不见了" in current.fault
    (folder / "index" / "elsewhere").rename(folder / "index" / "current")
    run_ingest(folder / "corpus", folder / "index")
    assert current.refresh() and not current.fault


def test_what_an_assistant_has_read_of_one_generation_is_not_kept_for_the_next(
    folder: Path, current: Current, run_ingest: RunIngest
) -> None:
    """The contacts are read once for a generation."""
    contacts = "# 咨询电话\n\n| 事项 | 电话 |\n| --- | --- |\n| 技术改造 | {} |\n"
    rows = {**ROWS, "contacts.md": {"title": "咨询电话", "doc_type": "contacts", "published": "2024-05-01"}}
    found = []
    for number in ("021-11112222", "021-33334444"):
        documents = {**DOCUMENTS, "contacts.md": contacts.format(number)}
        run_ingest(write_corpus(folder / "corpus", documents, rows), folder / "index")
        assert current.refresh()
        with current.use() as assistant:
            answer = assistant.ask("技术改造2031年哪天开始申报?", filters=TODAY)
        found.append([notice.text for notice in answer.notices if notice.kind == "contact"])
    assert "11112222" in found[0][0] and "33334444" in found[1][0]


def test_a_link_to_a_span_that_has_changed_marks_nothing(folder: Path, run_ingest: RunIngest) -> None:
    assistant = load_assistant(Settings(index=folder / "index"))
    with served(assistant) as address, httpx.Client(base_url=address) as http:
        answer = assistant.ask(AREA, filters=TODAY)
        link = AnswerView(answer, assistant.index).url(answer.statements[0].citations[0])
        assert 'id="quote"' in http.get(link).text
        change(folder, run_ingest, NEW)
        wait_until(lambda: "3.75" in http.get(link).text)
        assert 'id="quote"' not in http.get(link).text


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert holds()


def asked(http: httpx.Client, done: threading.Event) -> Iterator[dict[str, Any]]:
    while not done.is_set():
        given = http.post("/api/ask", json={"question": AREA, "as_of": "2026-11-24"})
        assert given.status_code == 200
        yield given.json()


def test_the_server_changes_over_while_it_answers(folder: Path) -> None:
    """Every quote stands in the generation that the answer names; the new one answers without a restart."""
    index, done = folder / "index", threading.Event()
    texts = {}
    with (
        served(load_assistant(Settings(index=index))) as address,
        httpx.Client(base_url=address, timeout=30) as http,
        ThreadPoolExecutor() as threads,
    ):
        running = [threads.submit(lambda: list(asked(http, done))) for _ in range(3)]
        for text in (NEW, NEW.replace("3.75", "4.75")):
            opened = Index.open(index)
            texts[opened.manifest.generation] = opened.document("port").text
            opened.close()
            write_corpus(folder / "corpus", {**DOCUMENTS, "port.md": text}, ROWS)
            command = [sys.executable, "-m", "assistant.cli", "ingest", str(folder / "corpus"), "--index", str(index)]
            subprocess.run(command, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
            wait_until(lambda: http.get("/readyz").json()["generation"] not in texts)
        opened = Index.open(index)
        texts[opened.manifest.generation] = opened.document("port").text
        opened.close()
        assert "4.75" in http.post("/api/ask", json={"question": AREA}).text
        assert "4.75" in http.get("/api/documents/port").json()["text"]
        assert "4.75" in http.get("/documents/port").text
        done.set()
        answers = [answer for one in running for answer in one.result()]
    assert len(texts) == 3
    assert_each_of_its_generation(answers, texts)
