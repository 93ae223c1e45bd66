"""What was asked and what was done: the question log and the audit log, page by page and as files."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from assistant.administration.shown import HEADERS, Administration, Kept, Page, shown
from assistant.people.access import record
from assistant.people.audit import CHUNK, cells
from assistant.people.audit import PAGE as EVENTS
from assistant.people.questions import PAGE as QUESTIONS
from assistant.people.questions import Kept as Question
from assistant.people.questions import Status

STATUSES: dict[Status, str] = {"answered": "已回答", "abstained": "没有回答", "error": "出错"}
CHANNELS = {"page": "网页", "api": "接口", "openai": "OpenAI 接口", "mcp": "MCP"}
HEADINGS = ("时间", "问题", "结果", "以哪一天为准", "账号", "渠道", "把握", "索引", "毫秒")
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson; charset=utf-8"}
GROUPS = 20
router = APIRouter(prefix="/admin", include_in_schema=False, route_class=Page)


@router.get("/questions")
def questions(request: Request, admin: Kept, q: str = "", status: Status | Literal[""] = "", before: int = 0) -> Response:  # fmt: skip
    """Show what was asked, masked, newest first, and what had no answer."""
    found = admin.people.questions.page(before or None, QUESTIONS + 1, status, q.strip())
    more = _next("/admin/questions", found[:QUESTIONS], len(found) > QUESTIONS, q=q, status=status)
    groups = [] if before else admin.people.questions.unanswered(GROUPS)
    days = admin.settings.question_days
    asked = {"q": q, "status": status, "before": before}
    return shown(request, "logs", "questions", found[:QUESTIONS], groups, asked, more, (STATUSES, CHANNELS, days))


def _next(path: str, found: list[Question], more: bool, **asked: str) -> str:
    return f"{path}?{urlencode({**asked, 'before': found[-1].id})}" if more else ""


@router.get("/questions/export")
def export_questions(request: Request, admin: Kept) -> Response:
    """Send the whole question log as a table, newest first."""
    record(request, "questions.exported")
    return _sent(_lines(admin), "问题记录", "csv")


def _lines(admin: Administration) -> Iterator[bytes]:
    yield "\ufeff".encode() + cells(HEADINGS)
    before: int | None = None
    while found := admin.people.questions.page(before, CHUNK):
        for one in found:
            asked = one.asked
            yield cells((
                f"{one.at.astimezone():%Y-%m-%d %H:%M:%S}", asked.question, STATUSES[asked.status], asked.as_of, asked.who,
                CHANNELS[asked.channel], f"{asked.confidence:.2f}", asked.generation, round(asked.ms),
            ))  # fmt: skip
        before = found[-1].id


@router.get("/audit")
def audit(request: Request, admin: Kept, who: str = "", action: str = "", before: int = 0, verify: bool = False) -> Response:  # fmt: skip
    """Show what was done, newest first; asked to, hold every row to what was written."""
    log = admin.people.audit
    found = log.page(before or None, EVENTS + 1, who.strip(), action.strip())
    query = urlencode({"who": who, "action": action, "before": found[EVENTS - 1].id}) if len(found) > EVENTS else ""
    verdict = (log.verify() or 0) if verify else None
    asked = {"who": who, "action": action, "before": before}
    return shown(request, "logs", "audit", found[:EVENTS], asked, f"/admin/audit?{query}" if query else "", verdict)


@router.get("/audit/export")
def export_audit(request: Request, admin: Kept, form: Literal["csv", "jsonl"] = "csv") -> Response:
    """Send the whole audit log, oldest first."""
    record(request, "audit.exported", form)
    return _sent(admin.people.audit.export(form), "审计日志", form)


def _sent(content: Iterator[bytes], name: str, form: str) -> Response:
    told = urlencode({"": f"{name} {datetime.now():%Y-%m-%d}.{form}"})[1:].replace("+", "%20")
    disposition = {"content-disposition": f"attachment; filename=\"export.{form}\"; filename*=UTF-8''{told}"}
    return StreamingResponse(content, media_type=TYPES[form], headers={**HEADERS, **disposition})
