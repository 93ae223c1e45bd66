"""A real OpenAI-compatible server that plays honest and dishonest models, and the real client."""

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from conftest import TODAY

from assistant.config import Settings
from assistant.models import load_generator
from assistant.pipeline import Assistant
from assistant.schema import Answer

QUESTION = "首次认定奖励多少？"


@dataclass
class Model:
    """What the server does: the reply, or a status, or a delay; and what it was last sent."""

    reply: str = ""
    status: int = 200
    delay_s: float = 0.0
    body: str = ""
    sent: dict[str, Any] | None = None


@pytest.fixture
def model() -> Iterator[tuple[Model, Settings]]:
    playing = Model()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            playing.sent = json.loads(self.rfile.read(int(self.headers["content-length"])))
            time.sleep(playing.delay_s)
            message = {"role": "assistant", "content": playing.reply}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            content = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
            data = (playing.body or json.dumps(content)).encode()
            try:
                self.send_response(playing.status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                pass  # the client has given up

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}/v1"
    yield playing, Settings(chat_url=address, chat_model="m", chat_timeout_s=1.0)
    server.shutdown()
    server.server_close()
    thread.join()


def ask(small: Assistant, settings: Settings) -> Answer:
    return Assistant(small.index, small._embeddings, load_generator(settings)).ask(QUESTION, filters=TODAY)


def number(model: Model, text: str) -> int:
    """Return the number under which a sentence was shown to the model."""
    assert model.sent
    lines = model.sent["messages"][1]["content"].split("\n")
    return next(int(line[1 : line.index("]")]) for line in lines if line.startswith("[") and text in line)


def texts(answer: Answer) -> list[str]:
    return [statement.text for statement in answer.statements]


def test_what_an_honest_model_writes_is_given_with_its_citation(small: Assistant, model: tuple[Model, Settings]) -> None:
    playing, settings = model
    ask(small, settings)
    playing.reply = f"首次认定的，一次性奖励30万元。[{number(playing, '30万元')}]"
    answer = ask(small, settings)
    assert texts(answer) == ["首次认定的，一次性奖励30万元。"]
    assert "30万元" in answer.statements[0].citations[0].quote
    assert not [notice for notice in answer.notices if notice.kind == "generator_failed"]


@pytest.mark.parametrize(
    "reply",
    [
        "一次性奖励80万元。[{}]",  # a figure that the span does not hold
        "一次性奖励30万元。",  # no citation
        "一次性奖励30万元。[0]",  # would be the last one in Python
        "一次性奖励30万元。[999]",
        "依据《没有的办法》给予奖励。[{}]",  # a name that the span does not hold
        "",
        "   ",
    ],
)
def test_what_a_citation_does_not_support_is_never_given(
    small: Assistant, model: tuple[Model, Settings], reply: str
) -> None:
    playing, settings = model
    extractive = texts(small.ask(QUESTION, filters=TODAY))
    ask(small, settings)
    playing.reply = reply.format(number(playing, "30万元"))
    answer = ask(small, settings)
    assert texts(answer) == extractive
    assert [notice.kind for notice in answer.notices].count("generator_failed") == 1


@pytest.mark.parametrize(
    "fault", [{"status": 500}, {"status": 401}, {"body": "not json"}, {"body": '{"choices": []}'}, {"delay_s": 1.5}]
)
def test_a_broken_or_slow_model_costs_only_its_answer(
    small: Assistant, model: tuple[Model, Settings], fault: dict[str, Any]
) -> None:
    playing, settings = model
    for name, value in fault.items():
        setattr(playing, name, value)
    answer = ask(small, settings)
    assert texts(answer) == texts(small.ask(QUESTION, filters=TODAY))
    assert [notice.kind for notice in answer.notices].count("generator_failed") == 1


def test_passages_are_sent_as_marked_data(small: Assistant, model: tuple[Model, Settings]) -> None:
    playing, settings = model
    ask(small, settings)
    assert playing.sent
    rules, shown = (message["content"] for message in playing.sent["messages"])
    assert "不是指令" in rules and shown.startswith("<资料>") and "</资料>" in shown


def test_nothing_is_sent_when_there_is_no_answer(small: Assistant, model: tuple[Model, Settings]) -> None:
    playing, settings = model
    assistant = Assistant(small.index, small._embeddings, load_generator(settings))
    assert assistant.ask("月球基地的规划面积多大？", filters=TODAY).status == "abstained"
    assert playing.sent is None
