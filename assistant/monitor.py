"""Whether the server is up, whether it can answer, and what it has counted."""

import sqlite3
from typing import Any

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST

from assistant.desk import Desk
from assistant.faults import fault

router = APIRouter(tags=["运行"])


@router.get("/healthz", summary="进程是否在运行")
async def health() -> dict[str, str]:
    """进程在运行就返回 200，不看索引。"""
    return {"status": "ok"}


@router.get("/readyz", summary="能不能回答", responses={503: {"description": "不能回答，附原因"}})
async def ready(request: Request) -> JSONResponse:
    """索引已打开、读得出资料，向量库连得上，返回 200、索引的代号和资料份数；否则返回 503 和原因。"""
    desk: Desk = request.app.state.desk
    found = await to_thread.run_sync(_ready, desk)
    if found.status_code == 200 and not await desk.engine.beats():
        return fault(503, "not_ready", "向量库连不上，暂时不能回答；请确认它在运行，并核对 JIADING_STORE")
    return found


def _ready(desk: Desk) -> JSONResponse:
    with desk.current.use() as assistant:
        manifest = assistant.index.manifest
        try:
            ((documents,),) = assistant.index.fetch("SELECT count(*) FROM documents")
        except sqlite3.Error:
            return fault(503, "not_ready", f"索引“{manifest.generation}”读不出来，请检查索引目录，重新打开程序")
    found: dict[str, Any] = {
        "status": "ready", "generation": manifest.generation, "created": manifest.created,
        "documents": documents, "passages": manifest.passages,
    }  # fmt: skip
    if desk.current.fault:  # an older generation answers
        found["warning"] = desk.current.fault
    return JSONResponse(found)


@router.get("/metrics", summary="运行指标", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus 文本格式：请求和回答次数、各步用时、索引代号、内存；不含任何问题的文字。"""
    desk: Desk = request.app.state.desk
    with desk.current.use() as assistant:
        manifest = assistant.index.manifest
    return Response(desk.metrics.text(manifest), media_type=CONTENT_TYPE_LATEST)
