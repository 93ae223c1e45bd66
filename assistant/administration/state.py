"""How the server does: its index and what became of it, and the settings it runs with."""

import os
import platform
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from assistant.administration.changes import KINDS
from assistant.administration.shown import HEADERS, Administration, Kept, Page, rebuild, shown, to
from assistant.config import shown as all_settings
from assistant.history import History
from assistant.ingest import writing

EVENTS = 50  # changes of documents that are listed
HAPPENED = {"added": "收录", "changed": "更新", "withdrawn": "撤下"}
router = APIRouter(prefix="/admin", include_in_schema=False, route_class=Page)


@router.get("/index")
def index(request: Request, admin: Kept, done: str = "") -> Response:
    """Show the index in service, what is under way, and what changed before."""
    root = admin.settings.index
    with admin.desk.current.use() as lent:
        manifest = lent.index.manifest
    events = [(one.at.replace("T", " "), HAPPENED[one.kind], one.title) for one in History(root).events(last=EVENTS)]
    written = {key: name for key, name in KINDS.items() if key == done}.get(done, "")  # type: ignore[call-overload]
    return shown(request, "state", "index", manifest, admin.desk.current.fault, writing(root), events, written)


@router.post("/index/rebuild")
def start(request: Request) -> Response:
    """Bring the index in step with the corpus."""
    rebuild(request)
    return to("/admin/index")


@router.get("/progress")
def progress(admin: Kept) -> JSONResponse:
    """Return how far the rebuild is, for the page's script."""
    now = admin.rebuild.progress
    return JSONResponse({"running": now.running, "stage": now.stage, "done": now.done, "total": now.total}, headers=HEADERS)  # fmt: skip


@router.get("/settings")
def settings(request: Request, admin: Kept) -> Response:
    """Show the settings in force and how the server does."""
    return shown(request, "state", "settings", all_settings(), _facts(admin))


def _facts(admin: Administration) -> dict[str, str]:
    desk, chosen = admin.desk, admin.settings
    with desk.current.use() as lent:
        manifest = lent.index.manifest
    return {
        "版本": version("jiading-assistant"),
        "Python": f"{platform.python_version()}（{sys.platform}）",
        "处理器": f"{os.cpu_count()} 核",
        "正在回答": f"{desk.running} 个，排队 {desk.waiting} 个",
        "索引": f"{manifest.documents} 份资料、{manifest.passages} 个段落",
        "索引大小": _megabytes(chosen.index),
        "工作区大小": _megabytes(chosen.workspace),
        "磁盘剩余": f"{shutil.disk_usage(chosen.index).free / 1e9:.1f} GB",
        "大模型": chosen.chat_model or "没有接，只摘录原文",
    }


def _megabytes(folder: Path) -> str:
    return f"{sum(file.stat().st_size for file in folder.rglob('*') if file.is_file()) / 1e6:.1f} MB"
