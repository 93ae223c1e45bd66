"""The API as programs meet it: a real server, and the clients that they use, unchanged."""

import asyncio
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from conftest import DOCUMENTS, ROWS, TODAY, served, write_corpus
from langchain_openai import ChatOpenAI

from assistant import desk
from assistant.config import Settings
from assistant.desk import Caller, Desk
from assistant.errors import BusyError, ModelError
from assistant.forms import AnswerOut, DocumentOut, ErrorOut, SearchOut
from assistant.ingest import Report
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn

MODEL = "jiading-assistant"
AREA = "氢能港的规划面积多大?"
GRANT = "首次认定奖励多少?"
NOWHERE = "月球基地的规划面积多大?"
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


class Held(Assistant):
    """An assistant that can be made to wait, or to fail."""

    def __init__(self, assistant: Assistant) -> None:
        super().__init__(assistant.index, assistant._embeddings)
        self.let, self.failure = threading.Event(), [None]
        self.let.set()

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        assert self.let.wait(30)
        if self.failure[0]:
            raise self.failure[0]
        return super().ask(question, history, filters)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory, run_ingest: Callable[[Path, Path], Report]) -> Held:
    folder = tmp_path_factory.mktemp("api")
    run_ingest(write_corpus(folder / "corpus", DOCUMENTS, ROWS), folder / "index")
    return Held(load_assistant(Settings(index=folder / "index")))


@pytest.fixture(scope="module")
def address(held: Held) -> Iterator[str]:
    with served(held) as address:
        yield address


@pytest.fixture
def http(address: str, held: Held) -> Iterator[httpx.Client]:
    held.failure[0] = None
    with httpx.Client(base_url=address, timeout=30) as client:
        yield client


@pytest.fixture
def client(address: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        yield client


def complete(client: openai.OpenAI, *turns: str, **more: Any) -> Any:
    """Ask with the turns of user and assistant by turns."""
    messages = [{"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(turns)]
    return client.chat.completions.create(model=MODEL, messages=messages, **more)


def figures(http: httpx.Client) -> dict[str, float]:
    """Return what /metrics counts."""
    lines = [line for line in http.get("/metrics").text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_plain_client_shows_an_answer_that_can_be_signed(client: openai.OpenAI, held: Held) -> None:
    message = complete(client, GRANT).choices[0].message
    first, *_ = message.content.splitlines()
    assert "30万元" in first and first.strip().endswith("[1]")
    assert "※ 《测试区特色园区扶持办法》有效期或执行期到2025年5月31日为止" in message.content
    assert re.search(
        r"^\[1\] 《测试区特色园区扶持办法》 › 标准，发布者未注明，2023-05-01", message.content, re.MULTILINE
    )
    assert f"（截至 {date.today()}）" in message.content
    assert (message.status, message.generation) == ("answered", held.index.manifest.generation)
    assert 0 < message.confidence <= 1 and message.as_of == date.today().isoformat()
    assert "expired" in [notice["kind"] for notice in message.notices]
    for citation in message.citations:
        text = held.index.document(citation["document_id"]).text
        assert text[citation["start"] : citation["end"]] == citation["quote"]
        assert f"[{citation['number']}] 《{citation['title']}》" in message.content


def test_a_stream_tells_the_same_statement_by_statement(client: openai.OpenAI) -> None:
    question = "谁能报?企业有什么条件?"
    whole = complete(client, question)
    chunks = list(complete(client, question, stream=True, stream_options={"include_usage": True}))
    pieces = [chunk.choices[0].delta.content for chunk in chunks if chunk.choices]
    assert "".join(piece or "" for piece in pieces) == whole.choices[0].message.content
    assert sum(bool(re.search(r"\[\d+\]\s*$", piece or "")) for piece in pieces) >= 2
    last = chunks[-2].choices[0]
    assert last.finish_reason == "stop" and last.delta.citations == whole.choices[0].message.citations
    assert last.delta.status == "answered"
    assert chunks[-1].usage == whole.usage and whole.usage.total_tokens > len(question)
    assert len({chunk.id for chunk in chunks}) == 1


def test_the_asynchronous_client_works_too(address: str) -> None:
    async def ask() -> list[str]:
        async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none") as client:
            messages: Any = [{"role": "user", "content": AREA}]
            whole = await client.chat.completions.create(model=MODEL, messages=messages)
            stream = await client.chat.completions.create(model=MODEL, messages=messages, stream=True)
            pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
            return [whole.choices[0].message.content or "", "".join(pieces)]

    whole, streamed = asyncio.run(ask())
    assert whole == streamed and "2.15平方公里" in whole


def test_langchain_works_unchanged(address: str) -> None:
    model = ChatOpenAI(base_url=f"{address}/v1", model=MODEL, api_key="none", temperature=0)
    talk = [("system", "用英文回答。"), ("human", AREA), ("ai", "2.15平方公里。"), ("human", "它在哪里?")]
    assert "安亭镇" in str(model.invoke(talk).content)
    assert "2.15平方公里" in "".join(str(chunk.content) for chunk in model.stream(AREA))


def test_abstaining_is_a_normal_answer(client: openai.OpenAI) -> None:
    choice = complete(client, NOWHERE).choices[0]
    assert choice.finish_reason == "stop" and choice.message.status == "abstained"
    assert "资料中没有能回答这个问题的内容" in choice.message.content and choice.message.citations == []
    streamed = complete(client, NOWHERE, stream=True)
    assert "资料中没有" in "".join(chunk.choices[0].delta.content or "" for chunk in streamed)


def test_the_earlier_turns_are_the_history(client: openai.OpenAI) -> None:
    assert "安亭镇" in complete(client, AREA, "2.15平方公里", "它在哪里?").choices[0].message.content
    assert complete(client, "它在哪里?").choices[0].message.status == "abstained"


def test_the_day_counts(client: openai.OpenAI) -> None:
    message = complete(client, GRANT, extra_body={"as_of": "2024-01-05"}).choices[0].message
    assert message.as_of == "2024-01-05" and "（截至 2024-01-05）" in message.content
    assert not [notice for notice in message.notices if notice["kind"] == "expired"]


def test_the_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == [client.models.retrieve(MODEL).id] == [MODEL]
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"tools": [TOOL]}, "unsupported_parameter"),
        ({"n": 2}, "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "unsupported_parameter"),
        ({"logprobs": True}, "unsupported_parameter"),
        ({"stop": ["。"]}, "unsupported_parameter"),
        ({"extra_body": {"asof": "2024-01-05"}}, "unsupported_parameter"),  # misspelt: today's answer would be wrong
        ({"extra_body": {"as_of": "去年"}}, "invalid_request"),
        ({"extra_body": {"as_of": 20240105}}, "invalid_request"),
        ({"messages": [{"role": "user", "content": "问" * 2001}]}, "context_length_exceeded"),
        ({"messages": [{"role": "user", "content": AREA}] * 201}, "invalid_request"),
        ({"messages": [{"role": "user", "content": AREA}, {"role": "assistant", "content": "2"}]}, "invalid_request"),
        ({"messages": [{"role": "system", "content": AREA}]}, "invalid_request"),
        ({"messages": [{"role": "user", "content": "  "}]}, "invalid_request"),
        ({"messages": []}, "invalid_request"),
        ({"messages": [{"role": "tool", "content": AREA, "tool_call_id": "1"}]}, "invalid_request"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]}, "invalid_request"),
    ],
)  # fmt: skip
def test_what_it_cannot_do_is_refused_as_openai_would(client: openai.OpenAI, more: dict[str, Any], code: str) -> None:
    asked = {"model": MODEL, "messages": [{"role": "user", "content": AREA}], **more}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**asked)
    assert refused.value.code == code and refused.value.type == "invalid_request_error"
    assert re.search(r"[\u4e00-\u9fff]", refused.value.body["message"])


def test_what_makes_no_difference_is_taken(client: openai.OpenAI) -> None:
    parts: Any = [{"type": "text", "text": AREA}]
    reply = client.chat.completions.create(
        model=MODEL, messages=[{"role": "developer", "content": "x"}, {"role": "user", "content": parts}], temperature=0.3,
        top_p=1, n=1, max_tokens=5, seed=1, user="u", tools=[], tool_choice="none", response_format={"type": "text"},
    )  # fmt: skip
    assert "2.15平方公里" in (reply.choices[0].message.content or "")
    with pytest.raises(openai.NotFoundError, match="gpt-4"):
        client.chat.completions.create(model="gpt-4", messages=[{"role": "user", "content": AREA}])


def test_an_answer_is_what_the_assistant_gives_and_what_the_description_says(http: httpx.Client, held: Held) -> None:
    body = {"question": GRANT, "as_of": TODAY.as_of.isoformat()}
    given = http.post("/api/ask", json=body).json()
    wanted = json.loads(json.dumps(held.ask(GRANT, filters=TODAY).to_dict()))
    assert {**given, "timings_ms": 0} == {**wanted, "timings_ms": 0}
    AnswerOut.model_validate(given)
    history = [{"role": "user", "content": AREA}, {"role": "assistant", "content": "2.15平方公里"}]
    assert "安亭镇" in http.post("/api/ask", json={"question": "它在哪里?", "history": history}).text


@pytest.mark.parametrize(
    ("filters", "found"),
    [({}, {"grant", "port", "draft"}), ({"levels": ["市级"]}, {"draft"}), ({"doc_types": ["plan"]}, {"port"}),
     ({"as_of": "2020-01-01"}, {"port"}), ({"levels": ["国家级"]}, set())],
)  # fmt: skip
def test_a_search_is_limited_as_asked(http: httpx.Client, filters: dict[str, Any], found: set[str]) -> None:
    given = http.post("/api/search", json={"question": "奖励和面积", "top_k": 20, **filters}).json()
    assert {hit["document_id"] for hit in given["hits"]} == found
    SearchOut.model_validate(given)


@pytest.mark.parametrize(
    ("day", "standing", "told"),
    [
        ("2024-01-05", "in_force", ""),
        ("2026-11-24", "expired", "有效期或执行期到2025年5月31日为止"),
        ("2023-05-20", "not_yet_valid", "尚未生效"),
    ],
)
def test_a_document_is_given_as_it_stands_on_a_day(
    http: httpx.Client, held: Held, day: str, standing: str, told: str
) -> None:
    given = http.get("/api/documents/grant", params={"as_of": day}).json()
    assert given["text"] == held.index.document("grant").text
    assert given["metadata"]["document_number"] == "测府规〔2023〕3号"
    assert given["validity"] == standing and told in given["notice"] and bool(given["notice"]) == bool(told)
    DocumentOut.model_validate(given)


@pytest.mark.parametrize(
    ("method", "path", "sent", "status", "code"),
    [
        ("POST", "/api/ask", {"content": '{"question": "', "headers": {"content-type": "application/json"}}, 400, "invalid_request"),
        ("POST", "/api/ask", {"content": '{"question": "问"}', "headers": {"content-type": "text/plain"}}, 422, "invalid_request"),
        ("POST", "/api/ask", {"content": "[" * 100_000, "headers": {"content-type": "application/json"}}, 400, "invalid_request"),
        ("POST", "/api/ask", {"json": {}}, 422, "invalid_request"),
        ("POST", "/api/ask", {"json": {"question": ""}}, 422, "invalid_request"),
        ("POST", "/api/ask", {"json": {"question": "问" * 2001}}, 422, "invalid_request"),
        ("POST", "/api/ask", {"json": {"question": AREA, "history": [{"role": "system", "content": ""}]}}, 422, "invalid_request"),
        ("POST", "/api/search", {"json": {"question": AREA, "top_k": 51}}, 422, "invalid_request"),
        ("POST", "/api/search", {"json": {"question": AREA, "doc_types": ["谣言"]}}, 422, "invalid_request"),
        ("POST", "/api/ask", {"json": {"question": "x" * 300_000}}, 413, "too_large"),
        ("POST", "/api/ask", {"content": iter([b"x" * 100_000] * 3), "headers": {"content-type": "application/json"}}, 411, "length_required"),
        ("POST", "/v1/chat/completions", {"content": iter([b"x" * 100_000] * 3), "headers": {"content-type": "application/json"}}, 411, "length_required"),
        ("POST", "/api/ask", {"json": {"question": AREA}, "headers": {"origin": "https://example.com"}}, 403, "cross_origin"),
        ("GET", "/api/documents/none", {}, 404, "not_found"),
        ("GET", "/api/documents/..%2F..%2Fetc%2Fpasswd", {}, 404, "not_found"),
        ("GET", "/api/documents/grant?as_of=2024", {}, 422, "invalid_request"),
        ("GET", "/api/ask", {}, 404, "not_found"),
        ("GET", "/api/nothing", {}, 404, "not_found"),
        ("GET", "/v1/nothing", {}, 404, "not_found"),
        ("DELETE", "/metrics", {}, 404, "not_found"),
    ],
)  # fmt: skip
def test_errors_are_typed_and_chinese(
    http: httpx.Client, method: str, path: str, sent: dict[str, Any], status: int, code: str
) -> None:
    given = http.request(method, path, **sent)
    error = ErrorOut.model_validate(given.json()).error
    assert (given.status_code, error.code) == (status, code)
    assert re.search(r"[\u4e00-\u9fff]", error.message) and "Traceback" not in given.text


@pytest.mark.parametrize(
    ("failure", "status", "code"), [(ModelError("大模型没有回应"), 503, "unavailable"), (RuntimeError("secret"), 500, "internal_error")]
)  # fmt: skip
@pytest.mark.parametrize("path", ["/api/ask", "/v1/chat/completions"])
def test_a_failure_is_told_without_its_innards(
    http: httpx.Client, held: Held, path: str, failure: Exception, status: int, code: str
) -> None:
    held.failure[0] = failure
    body = (
        {"question": AREA} if path == "/api/ask" else {"model": MODEL, "messages": [{"role": "user", "content": AREA}]}
    )
    given = http.post(path, json=body)
    assert (given.status_code, given.json()["error"]["code"]) == (status, code)
    assert "secret" not in given.text and given.headers["cache-control"] == "no-store"


def test_answers_are_kept_from_caches_and_from_being_run(http: httpx.Client) -> None:
    for given in (http.get("/v1/models"), http.post("/api/ask", json={"question": AREA}), http.get("/api/nothing"), http.get("/api/docs"), http.post("/api/ask", content=b"x" * 300_000)):  # fmt: skip
        assert given.headers["cache-control"] == "no-store" and given.headers["x-content-type-options"] == "nosniff"
        if given.status_code != 413:  # the guard's own answer
            assert "default-src 'none'" in given.headers["content-security-policy"]


def test_the_description_is_complete_and_its_page_loads_nothing(http: httpx.Client) -> None:
    described = http.get("/api/openapi.json").json()
    wanted = {"/api/ask", "/api/draft", "/api/search", "/api/documents/{document_id}", "/v1/chat/completions", "/v1/models", "/v1/models/{model}", "/healthz", "/readyz", "/metrics"}  # fmt: skip
    assert set(described["paths"]) == wanted
    page = http.get("/api/docs").text
    assert all(path in page for path in wanted)
    assert not re.search(r"<script|<link|<img|<iframe|https?://|@import|url\(", page)
    for name, model in described["components"]["schemas"].items():
        assert re.search(r"[\u4e00-\u9fff]", model["description"]), name
        for field, one in model["properties"].items():
            assert one.get("description"), f"{name}.{field}"
    for path in wanted:
        for route in described["paths"][path].values():
            assert route["summary"] and route["description"]


def test_the_server_tells_how_it_is(http: httpx.Client, held: Held) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    ready = http.get("/readyz").json()
    assert (ready["status"], ready["generation"], ready["documents"]) == ("ready", held.index.manifest.generation, 3)


def test_an_index_that_cannot_be_read_is_not_ready(
    tmp_path: Path, corpus: Path, run_ingest: Callable[[Path, Path], Report]
) -> None:
    run_ingest(corpus, tmp_path / "index")
    assistant = load_assistant(Settings(index=tmp_path / "index"))
    with served(assistant) as address, httpx.Client(base_url=address) as http:
        assert http.get("/readyz").status_code == 200
        assistant.close()
        given = http.get("/readyz")
        assert given.status_code == 503 and "重新打开" in given.json()["error"]["message"]
        assert http.get("/healthz").status_code == 200


def test_the_metrics_count_and_hold_no_word_of_a_question(http: httpx.Client, held: Held) -> None:
    secret = "zebra9173"
    before = figures(http)
    http.post("/api/ask", json={"question": f"{AREA}{secret}"})
    http.post(
        "/v1/chat/completions", json={"model": MODEL, "messages": [{"role": "user", "content": f"月球基地{secret}"}]}
    )
    http.get(f"/api/documents/{secret}")
    http.get(f"/api/{secret}/{secret}?q={secret}")
    http.get(f"/{secret}")
    http.request(secret.upper(), "/api/ask")
    after = figures(http)

    def more(name: str) -> float:
        return after[name] - before.get(name, 0)

    assert more('jiading_requests_total{method="POST",route="/api/ask",status="200"}') == 1
    assert more('jiading_requests_total{method="GET",route="/api/documents/{document_id:path}",status="404"}') == 1
    assert more('jiading_answers_total{status="answered"}') == more('jiading_answers_total{status="abstained"}') == 1
    for stage in ("retrieve", "compose", "verify", "total", "wait"):
        assert more(f'jiading_stage_seconds_count{{stage="{stage}"}}') >= 2
    assert after["process_resident_memory_bytes"] > 1e7 and after["jiading_documents"] == 3
    assert held.index.manifest.generation in http.get("/metrics").text
    assert secret not in http.get("/metrics").text.lower()


def test_programs_leave_a_place_to_the_page(held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "WAIT_S", 0.3)

    async def run() -> None:
        office = Desk(held)
        filled = [
            asyncio.create_task(office.run(lambda one: held.let.wait(30), Caller())) for _ in range(desk.AT_ONCE - 1)
        ]
        await asyncio.sleep(0.1)
        with pytest.raises(BusyError):
            await office.ask(AREA, (), TODAY, lambda answer, _: answer, Caller())
        assert office.waiting == 0
        assert await office.run(lambda one: "page", Caller("page")) == "page"
        held.let.set()
        await asyncio.gather(*filled)
        assert (await office.ask(AREA, (), TODAY, lambda answer, _: answer, Caller())).status == "answered"

    held.let.clear()
    asyncio.run(run())


def test_who_finds_no_room_is_told_when_to_ask_again(
    http: httpx.Client, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "WAIT_S", 0.3)
    held.let.clear()
    with ThreadPoolExecutor() as threads:
        running = [threads.submit(http.post, "/api/ask", json={"question": AREA}) for _ in range(desk.AT_ONCE - 1)]
        wait_until(lambda: figures(http)["jiading_asks_running"] == desk.AT_ONCE - 1)
        given = http.post("/api/ask", json={"question": AREA})
        assert (given.status_code, given.json()["error"]["code"]) == (503, "busy")
        assert int(given.headers["retry-after"]) > 0
        held.let.set()
        assert [one.result().status_code for one in running] == [200] * len(running)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert holds()


def send(address: str, stream: bool) -> socket.socket:
    """Ask over a bare connection."""
    host, port = address.removeprefix("http://").split(":")
    body = json.dumps({"model": MODEL, "stream": stream, "messages": [{"role": "user", "content": AREA}]}).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    connection = socket.create_connection((host, int(port)))
    connection.sendall(head.encode() + body)
    return connection


def test_who_goes_away_frees_their_place(
    http: httpx.Client, address: str, held: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "WAIT_S", 300)  # nobody leaves because their time is up
    held.let.clear()
    connections = [send(address, stream=True) for _ in range(desk.AT_ONCE + 2)]
    wait_until(lambda: figures(http)["jiading_asks_waiting"] == 3)
    for connection in connections:
        connection.close()
    wait_until(lambda: figures(http)["jiading_asks_waiting"] == 0)  # they no longer stand in line
    held.let.set()
    wait_until(lambda: figures(http)["jiading_asks_running"] == 0)
    with send(address, stream=True) as connection:  # and one that leaves in the middle of its answer
        assert connection.recv(10)
    wait_until(lambda: figures(http)["jiading_asks_running"] == 0)
    assert http.post("/api/ask", json={"question": AREA}).status_code == 200


def test_the_guard_of_the_page_is_as_strict_as_before(http: httpx.Client) -> None:
    for path in ("/gradio_api/upload", "/gradio_api/info", "/gradio_api/openapi.json", "/monitoring"):
        assert http.get(path).status_code == 404
    assert http.post("/gradio_api/queue/join", content=iter([b"x" * 100_000] * 3)).status_code == 411
    assert http.post("/gradio_api/queue/join", content=b"x" * 300_000).status_code == 413
    assert "script-src 'self'" in http.get("/").headers["content-security-policy"]
