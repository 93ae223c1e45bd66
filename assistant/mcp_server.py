"""The MCP server: ask, search and get_document, read-only, over stdio and streamable HTTP; nothing of the administration."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from functools import wraps
from typing import Annotated, Any, ParamSpec

import anyio
from fastapi import APIRouter, Request, Response
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolResult, TextContent, ToolAnnotations
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant import plain
from assistant.desk import MAX_BODY, Caller, Desk, alone
from assistant.errors import AssistantError
from assistant.forms import AnswerOut, AsOf, DocumentId, DocumentOut, History, Question, SearchOut, TopK
from assistant.people.asked import CONNECTION
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn, in_title_marks

READ_ONLY = ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
INSTRUCTIONS = (
    "回答上海市嘉定区产业园区和产业政策的问题，每句话附引文；资料里没有的，直接说没有。引用时请保留出处和“※”后的说明。\n"
    "Answers questions on the industrial parks and policies of Jiading District, Shanghai, from a local corpus. Every statement "
    "is quoted with its source; what the corpus lacks is said to be missing. Keep the sources and the notices (※) when quoting."
)
P = ParamSpec("P")
Tool = Callable[P, Awaitable[CallToolResult]]


def build(desk: Desk) -> MCPServer[Any]:
    """Return a server whose tools put their questions to the desk."""
    server: MCPServer[Any] = MCPServer(
        "jiading-assistant", title="嘉定产业园区与政策问答", instructions=INSTRUCTIONS, log_level="WARNING", subscriptions=False
    )  # fmt: skip
    for title, tool in (("回答问题 Ask", _ask(desk)), ("查找段落 Search", _search(desk)), ("取一份资料 Get a document", _get_document(desk))):  # fmt: skip
        server.add_tool(tool, title=title, annotations=READ_ONLY)
    return server


async def serve_stdio(assistant: Assistant) -> None:
    """Serve one client over standard input and output until it leaves."""
    desk = Desk(assistant)
    async with _followed(desk):
        await build(desk).run_stdio_async()


def router(desk: Desk) -> APIRouter:
    """Return the route /mcp, each request for itself: there are no sessions to hold or to steal."""
    app = build(desk)
    app.streamable_http_app(json_response=True, stateless_http=True, max_request_body_size=MAX_BODY, host="")
    manager: StreamableHTTPSessionManager = app.session_manager

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with manager.run(), _followed(desk):
            yield

    routes = APIRouter(lifespan=lifespan)

    @routes.post("/mcp", include_in_schema=False)
    async def mcp(_: Request) -> Response:
        return _Handed(manager.handle_request)

    return routes


class _Handed(Response):
    """A response that another application gives."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request over."""
        await self._app(scope, receive, send)


@asynccontextmanager
async def _followed(desk: Desk) -> AsyncIterator[None]:
    """Take up new generations of the index while this lasts."""
    watching = asyncio.create_task(desk.current.watch())
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching


def _ask(desk: Desk) -> Tool[...]:
    @_told
    async def ask(question: Question, as_of: AsOf = None, history: History = ()) -> Annotated[CallToolResult, AnswerOut]:  # fmt: skip
        """回答一个关于嘉定区产业园区或产业政策的问题，每句附引文；资料里没有的，status 为 abstained。

        Answer a question on Jiading's industrial parks or policies; each statement carries its quotes. `as_of` is the day that
        counts for what is in force (today unless given); `history` are the earlier turns. Ask in Chinese for the best result.
        """
        turns = [Turn(turn.role, turn.content) for turn in history]
        answer: Answer = await desk.ask(question, turns, _on(as_of), alone, Caller("mcp", CONNECTION.get()))
        return _result(plain.text(answer), {**answer.to_dict(), "hits": []})

    return ask


def _search(desk: Desk) -> Tool[...]:
    @_told
    async def search(question: Question, top_k: TopK = 10, as_of: AsOf = None) -> Annotated[CallToolResult, SearchOut]:
        """查找与问题最接近的原文段落，不作回答。

        Find the passages nearest to a question, without answering it.
        """
        found = await desk.run(
            lambda assistant: plain.found(assistant, question, _on(as_of), top_k), Caller("mcp", CONNECTION.get())
        )
        lines = [f"[{hit['document_id']}] {in_title_marks(hit['title'])} {hit['locator']}\n{hit['text']}" for hit in found["hits"]]  # fmt: skip
        return _result("\n\n".join(lines) or "没有找到。", found)

    return search


def _get_document(desk: Desk) -> Tool[...]:
    @_told
    async def get_document(document_id: DocumentId, as_of: AsOf = None) -> Annotated[CallToolResult, DocumentOut]:
        """按编号取一份资料的正文和各项说明，以及它在某一天是否有效。

        Get a document by its id (as citations and passages give it): text, metadata, and whether it is in force on a day.
        """
        day = as_of or date.today()
        found = await desk.run(
            lambda assistant: plain.described(assistant.index, document_id, day), Caller("mcp", CONNECTION.get())
        )
        told = f"\n※ {found['notice']}" if found["notice"] else ""
        return _result(f"{in_title_marks(found['title'])}{told}\n\n{found['text']}", found)

    return get_document


def _told(tool: Tool[P]) -> Tool[P]:
    """Turn the assistant's errors into those that the protocol shows to the model; all others stay hidden."""

    @wraps(tool)
    async def checked(*args: P.args, **kwargs: P.kwargs) -> CallToolResult:
        try:
            return await tool(*args, **kwargs)
        except AssistantError as error:
            raise ToolError(str(error)) from error

    return checked


def _on(as_of: date | None) -> Filters:
    return Filters(as_of or date.today())


def _result(text: str, structured: dict[str, Any]) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=structured)


def run_stdio(assistant: Assistant) -> None:
    """Serve one client over standard input and output, from where nothing else runs."""
    anyio.run(serve_stdio, assistant)
