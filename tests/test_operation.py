"""The server as it is run: how it stops, and what it writes to its log."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from conftest import DOCUMENTS, ROOT, ROWS, write_corpus

QUESTION = "氢能港规划面积多大？"
SLOW_S = 1.5


class SlowModel(BaseHTTPRequestHandler):
    """A chat model that takes its time and then fails, so that the answer is a quoted one."""

    def do_POST(self) -> None:
        self.server.asked.set()  # type: ignore[attr-defined]
        time.sleep(SLOW_S)
        self.send_error(500)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow_model() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowModel)
    server.asked = threading.Event()  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_a_stop_waits_for_the_answer_under_way_and_the_log_never_holds_a_question(
    tmp_path: Path, slow_model: ThreadingHTTPServer
) -> None:
    write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)
    environment = {
        **os.environ, "JIADING_CORPUS": str(tmp_path / "corpus"), "JIADING_LOG_FORMAT": "json", "JIADING_PORT": "0", "PYTHONPATH": str(ROOT),
        "JIADING_CHAT_URL": f"http://127.0.0.1:{slow_model.server_address[1]}/v1", "JIADING_CHAT_MODEL": "slow",
    }  # fmt: skip
    command = [sys.executable, "-m", "assistant.cli"]
    subprocess.run([*command, "ingest"], env=environment, check=True, capture_output=True)
    with subprocess.Popen(
        [*command, "serve"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:  # fmt: skip
        assert process.stdout and process.stderr
        lines = iter(process.stdout.readline, "")
        address = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        answers: list[httpx.Response] = []
        ask = threading.Thread(
            target=lambda: answers.append(httpx.post(f"{address}/api/ask", json={"question": QUESTION}, timeout=20))
        )
        ask.start()
        assert slow_model.asked.wait(20)  # type: ignore[attr-defined]
        process.send_signal(signal.SIGTERM)
        ask.join(20)
        assert process.wait(20) in (0, -signal.SIGTERM)
        log = process.stderr.read()
    assert "2.15平方公里" in answers[0].json()["statements"][0]["text"]
    events = [json.loads(line) for line in log.splitlines()]
    answered, requested = (next(one for one in events if one["event"] == event) for event in ("answer", "request"))
    assert answered["status"] == "answered" and answered["generation"] and answered["ms"] >= SLOW_S * 1000
    assert (requested["route"], requested["method"], requested["status"]) == ("/api/ask", "POST", 200)
    assert "氢能" not in log and "平方公里" not in log
