"""The MCP server as its official client meets it, over both transports."""

import asyncio
import os
import re
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import DOCUMENTS, ROOT, ROWS, served, write_corpus
from mcp import Client, StdioServerParameters

from assistant.config import Settings
from assistant.forms import AnswerOut, DocumentOut, SearchOut
from assistant.ingest import Report
from assistant.models import load_assistant

AREA = "氢能港的规划面积多大?"
GRANT = "首次认定奖励多少?"
Use = Callable[[Client], Awaitable[Any]]
Run = Callable[[Use], Any]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, run_ingest: Callable[[Path, Path], Report]) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    run_ingest(write_corpus(folder / "corpus", DOCUMENTS, ROWS), folder / "index")
    return folder / "index"


@pytest.fixture(scope="module")
def address(index: Path) -> Iterator[str]:
    with served(load_assistant(Settings(index=index))) as address:
        yield address


@pytest.fixture(params=["stdio", "http", "http before 2026"])
def run(request: pytest.FixtureRequest, index: Path, address: str) -> Run:
    """Connect a client by one of the transports, and let a function use it."""
    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "assistant.cli", "mcp", "--index", str(index)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    place = command if request.param == "stdio" else f"{address}/mcp"
    mode = "legacy" if "before" in request.param else "auto"

    def connected(use: Use) -> Any:
        async def go() -> Any:
            async with Client(place, mode=mode) as client:
                return await use(client)

        return asyncio.run(go())

    return connected


def text(result: Any) -> str:
    return "".join(part.text for part in result.content)


def test_what_it_offers_is_read_only_and_told_in_both_languages(run: Run) -> None:
    async def use(client: Client) -> list[Any]:
        return (await client.list_tools()).tools

    tools = run(use)
    assert [tool.name for tool in tools] == ["ask", "search", "get_document"]  # nothing of the administration
    for tool in tools:
        assert re.search("[\u4e00-\u9fff]{8}", tool.description) and re.search("[a-z]+ [a-z]+ [a-z]+", tool.description)
        assert tool.annotations.read_only_hint and not tool.annotations.destructive_hint
        assert tool.output_schema
        assert all(one.get("description") for one in tool.input_schema["properties"].values() if "$ref" not in one)


def test_its_tools_answer_find_and_fetch(run: Run) -> None:
    async def use(client: Client) -> dict[str, Any]:
        turns = [{"role": "user", "content": AREA}, {"role": "assistant", "content": "2.15平方公里"}]
        return {
            "ask": await client.call_tool("ask", {"question": GRANT, "as_of": "2026-11-24"}),
            "then": await client.call_tool("ask", {"question": GRANT, "as_of": "2024-01-05"}),
            "follow": await client.call_tool("ask", {"question": "它在哪里?", "history": turns}),
            "nothing": await client.call_tool("ask", {"question": "月球基地的规划面积多大?"}),
            "search": await client.call_tool("search", {"question": AREA, "top_k": 2}),
            "document": await client.call_tool("get_document", {"document_id": "grant", "as_of": "2026-11-24"}),
        }

    found = run(use)
    assert not any(result.is_error for result in found.values())
    assert "30万元 [1]" in text(found["ask"]) and "《测试区特色园区扶持办法》" in text(found["ask"])
    assert "不是现行规定" in text(found["ask"]) and "不是现行规定" not in text(found["then"])
    assert AnswerOut.model_validate(found["ask"].structured_content).status == "answered"
    assert "安亭镇" in text(found["follow"])
    assert found["nothing"].structured_content["status"] == "abstained" and "资料中没有" in text(found["nothing"])
    hits = SearchOut.model_validate(found["search"].structured_content).hits
    assert len(hits) == 2 and hits[0].document_id == "port" and "2.15平方公里" in text(found["search"])
    document = DocumentOut.model_validate(found["document"].structured_content)
    assert document.validity == "expired" and document.text in text(found["document"])


def test_what_it_cannot_do_is_told_to_the_model(run: Run) -> None:
    """All over one connection: a server at the other end of a pipe takes seconds to start."""
    faulty: list[tuple[str, dict[str, Any], str]] = [
        ("get_document", {"document_id": "none"}, "没有文件"),
        ("ask", {"question": "问" * 2001}, "2000"),
        ("ask", {"question": AREA, "as_of": "去年"}, "不是日期"),
        ("ingest", {}, "ingest"),
    ]

    async def use(client: Client) -> list[Any]:
        return [await client.call_tool(tool, arguments) for tool, arguments, _ in faulty]

    for result, (tool, _, told) in zip(run(use), faulty, strict=True):
        assert result.is_error and told in text(result) and "Traceback" not in text(result), tool


def test_the_route_keeps_to_the_rules_of_the_others(address: str) -> None:
    with httpx.Client(base_url=address) as http:
        assert http.get("/mcp").status_code == 405 and http.get("/mcp").headers["allow"] == "POST"
        assert http.post("/mcp", content=b"x" * 300_000).status_code == 413
        assert http.post("/mcp", json={}, headers={"origin": "https://example.com"}).status_code == 403
        given = http.post("/mcp", json={})
        assert given.status_code == 400 and given.headers["cache-control"] == "no-store"
        assert http.post("/mcp/admin", json={}).status_code == 404
        assert 'route="/mcp",status="413"' in http.get("/metrics").text or 'route="other"' in http.get("/metrics").text
