"""The HTTP API for programs, beside the page in one application: ask, search, documents, and what describes them."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException

from assistant import chat, drafts, mcp_server, monitor, plain
from assistant.boundary import METHODS, Boundary
from assistant.desk import Caller, Desk
from assistant.errors import CorpusError
from assistant.faults import PATHS, Refusal, handle_faults
from assistant.forms import AnswerOut, AskIn, AsOf, DocumentId, DocumentOut, ErrorOut, SearchIn, SearchOut
from assistant.index import Index
from assistant.schema import Answer
from assistant.viewer import template

ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorOut, "description": "请求不是有效的 JSON"},
    413: {"model": ErrorOut, "description": "请求太长"},
    422: {"model": ErrorOut, "description": "有一项的值不对"},
    503: {"model": ErrorOut, "description": "太忙，或索引不可用；Retry-After 说明几秒后再试"},
}
router = APIRouter(prefix="/api", responses=ERRORS, tags=["问答"])


def mount(app: FastAPI, desk: Desk) -> None:
    """Add the API to an application, ahead of what it mounts at /; the gate says who may use what."""
    app.state.desk = desk
    for part in (router, drafts.router, chat.router, mcp_server.router(desk), monitor.router):
        app.include_router(part)
    for path in (*(f"{prefix}/{{rest:path}}" for prefix in PATHS), *PATHS):
        app.add_api_route(path, _nowhere, methods=METHODS, include_in_schema=False)
    handle_faults(app)
    app.add_middleware(Boundary, metrics=desk.metrics)


def _nowhere(request: Request) -> None:
    if request.url.path == "/mcp":  # what the protocol asks of a server that sends nothing unasked
        raise HTTPException(405, headers={"Allow": "POST"})
    raise Refusal(404, "not_found", "没有这个接口，或者不支持这种方法；接口列在 /api/docs")


@router.post("/ask", response_model=AnswerOut, summary="回答一个问题")
async def ask(request: Request, asked: AskIn) -> JSONResponse:
    """回答一个问题，每句附引文；资料里没有的，status 为 abstained，这不是错误。"""
    answer: dict[str, Any] = await request.app.state.desk.ask(
        asked.question, asked.turns, asked.filters, _as_dict, Caller("api", request, request.is_disconnected)
    )
    return JSONResponse(answer)


def _as_dict(answer: Answer, _: Index) -> dict[str, Any]:
    return answer.to_dict()


@router.post("/search", response_model=SearchOut, summary="查找段落")
async def search(request: Request, asked: SearchIn) -> JSONResponse:
    """查找与问题最接近的段落，不作回答。"""
    found = await request.app.state.desk.run(
        lambda assistant: plain.found(assistant, asked.question, asked.filters, asked.top_k, asked.turns),
        Caller("api", request, request.is_disconnected),
    )
    return JSONResponse(found)


@router.get(
    "/documents/{document_id:path}", response_model=DocumentOut, summary="取一份资料",
    responses={404: {"model": ErrorOut, "description": "没有这份资料"}},
)  # fmt: skip
async def document(request: Request, document_id: DocumentId, as_of: Annotated[AsOf, Query()] = None) -> JSONResponse:
    """取一份资料的正文、目录表各项，以及它在某一天是否有效。"""
    day = as_of or date.today()
    try:
        return JSONResponse(
            await request.app.state.desk.run(
                lambda assistant: plain.described(assistant.index, document_id, day),
                Caller("api", request, request.is_disconnected),
            )
        )
    except CorpusError as error:
        raise Refusal(404, "not_found", f"没有编号为“{document_id[:100]}”的资料") from error


@router.get("/openapi.json", include_in_schema=False)
def openapi(request: Request) -> JSONResponse:
    """Return the description of all routes."""
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
def docs(request: Request) -> HTMLResponse:
    """Return the same as a page that loads nothing."""
    return HTMLResponse(template("api.html").page(request.app.openapi()))
