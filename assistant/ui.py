"""The web page: a conversation with citations, and each cited document beside it; nothing leaves the machine."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse

from assistant import api
from assistant.catalog import parse_date
from assistant.config import Settings, stay_offline
from assistant.desk import AT_ONCE, MAX_QUESTION, Caller, Desk
from assistant.errors import AssistantError, CorpusError, SettingsError
from assistant.faults import UNFORESEEN, fault, is_api
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Turn
from assistant.viewer import AnswerView, checksum, document_html, template

stay_offline()
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))  # else it sums up all questions after each one
import gradio as gr  # noqa: E402  # reads its settings when imported

TITLE = "嘉定产业园区与政策问答"
EXAMPLES = (
    "嘉定有几家特色产业园区，市级、区级各几家？",
    "三港两园是哪几个？",
    "“七个一”指什么？",
    "首店落户补贴多少？全国首店和上海首店分别？",
    "传感器产业园面积到底是3平方公里还是2.67？",
    "2024年还能申请2023年的产值奖励吗？",
    "申报嘉定集成电路政策需要满足什么条件？",
    "19家特色产业园区各自的税收是多少？",
)
MAX_BODY = 200_000  # bytes of a request, far above the longest question
KEPT = 40  # exchanges of a conversation
WAITING = 100  # questions queued behind those that are being answered
PACE_S = 0.12  # between statements
OPEN_API = ("queue", "heartbeat", "startup-events", "cancel", "reset")  # what the page needs of Gradio's; no uploads
POLICIES = {  # for the browser: the page loads from here alone, a document runs no script
    False: "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'self'; object-src 'none'; base-uri 'self'",  # Gradio compiles in the page
    True: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
}

PARTS = template("ui.html")
log = logging.getLogger("assistant")


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was said, for the assistant, and how the page shows it, one HTML string an exchange."""

    turns: tuple[Turn, ...] = ()
    exchanges: tuple[str, ...] = ()

    def add(self, html: str, *turns: Turn) -> "Conversation":
        """Return the conversation continued by an exchange, its oldest ones dropped when it grows too long."""
        return Conversation((*self.turns, *turns)[-2 * KEPT :], (*self.exchanges, html)[-KEPT:])

    @property
    def html(self) -> str:
        """The whole conversation as HTML."""
        return "".join(self.exchanges)


def serve(settings: Settings, host: str, port: int) -> None:
    """Serve the page until Ctrl-C. Raises SettingsError for an address in use, and what load_assistant raises."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise SettingsError(f"不能在 {host}:{port} 打开网页（{error}），请换一个端口，例如 --port 7861") from error
    with listener:
        assistant = load_assistant(settings)
        assistant.search(EXAMPLES[0], Filters(date.today()))  # the first search loads what the next ones use
        server = uvicorn.Server(uvicorn.Config(build_app(assistant), log_level="warning", timeout_graceful_shutdown=2))
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
        print(f"问答网页已就绪：http://{shown}:{listener.getsockname()[1]}（按 Ctrl-C 停止）", flush=True)
        server.run(sockets=[listener])


def build_app(assistant: Assistant) -> FastAPI:
    """Return the web application over an assistant: the page, and the API for programs."""
    app, desk = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None), Desk(assistant)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        path, length = request.url.path, request.headers.get("content-length", "0")
        if (path.startswith("/gradio_api/") and path.split("/")[2] not in OPEN_API) or path.startswith("/monitoring"):
            return Response(status_code=404)
        untold = "transfer-encoding" in request.headers  # a body that does not say how long it is
        if untold or not length.isdecimal() or int(length) > MAX_BODY:
            status = 411 if untold else 413
            return fault(status) if is_api(path) else Response(status_code=status)
        response = await call_next(request)
        response.headers["content-security-policy"] = POLICIES[path.startswith("/documents/") or is_api(path)]
        response.headers["x-content-type-options"], response.headers["referrer-policy"] = "nosniff", "no-referrer"
        return response

    @app.get("/documents/{document_id:path}", include_in_schema=False)
    def document(document_id: str, start: str = "", end: str = "", as_of: str = "", check: str = "") -> HTMLResponse:
        with desk.current.use() as lent:
            try:
                found = lent.index.document(document_id)
            except CorpusError:
                return HTMLResponse(template("document.html").missing(), status_code=404)
            span = _offset(start), _offset(end)
            if check and check != checksum(found.text[slice(*span)]):  # the document has changed since
                span = -1, -1
            return HTMLResponse(document_html(found, *span, _day(as_of) or date.today(), lent.index))

    api.mount(app, desk)
    theme = gr.themes.Default(
        font=["PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"], font_mono=["monospace"]
    )
    gr.mount_gradio_app(
        app, _page(desk, assistant.index.manifest.documents), path="/", footer_links=[], run_history=False, show_error=False, max_file_size=0,
        enable_monitoring=False, pwa=False, ssr_mode=False, mcp_server=False, theme=theme,
        head=PARTS.head(),  # css= would rewrite the rules
        js=Path(__file__).with_name("ui.js").read_text(encoding="utf-8"),
    )  # fmt: skip
    return app


def _page(desk: Desk, documents: int) -> Any:
    """Return the page's parts and what happens when."""
    plain: Any = {"apply_default_css": False}
    private: Any = {"api_visibility": "private", "show_progress": "hidden"}
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        page.queue(max_size=WAITING, api_open=False, default_concurrency_limit=AT_ONCE)
        conversation = gr.State(Conversation())
        gr.HTML(PARTS.introduction(TITLE, documents), **plain)
        talk = gr.HTML("", elem_id="talk", js_on_load="element.setAttribute('role', 'log')", **plain)
        with gr.Column(elem_id="examples") as examples:
            gr.HTML("<h2>可以这样问</h2>", **plain)
            buttons = [gr.Button(text, size="sm", elem_classes="example") for text in EXAMPLES]
        with gr.Column(elem_id="composer"):
            message = gr.HTML("", elem_id="message", js_on_load="element.setAttribute('role', 'alert')", **plain)
            with gr.Row(elem_id="entry"):
                box = gr.Textbox(label="您的问题", placeholder="请输入问题", max_lines=6, elem_id="question")
                send = gr.Button("发送", variant="primary", elem_id="send", min_width=80)
            with gr.Row(elem_id="controls"):
                as_of = gr.Textbox(label="截至日期", placeholder="今天，或 2026-01-31", max_lines=1, elem_id="as-of")
                clear = gr.Button("清空对话", elem_id="clear", min_width=80)
        gr.HTML(PARTS.reader(), elem_id="reader-frame", **plain)

        parts = {"conversation": conversation, "talk": talk, "examples": examples, "message": message, "box": box}

        async def ask(question: str, day: str, so_far: Conversation) -> AsyncIterator[dict[Any, Any]]:
            async for changes in _exchange(desk, question, day, so_far):
                yield {parts[name]: value for name, value in changes.items()}

        asked: Any = {"fn": ask, "inputs": [box, as_of, conversation], "outputs": list(parts.values()), **private}
        running = [gr.on([box.submit, send.click], **asked, concurrency_id="ask")]
        for button, text in zip(buttons, EXAMPLES, strict=True):
            filled = button.click(partial(str, text), None, box, **private)
            running.append(filled.then(**asked, concurrency_id="ask"))
        clear.click(
            lambda: (Conversation(), "", gr.update(visible=True), "", ""), None, list(parts.values()),
            js="() => window.closeReader?.()", cancels=running, **private,
        )  # fmt: skip
    return page


async def _exchange(desk: Desk, question: str, day: str, so_far: Conversation) -> AsyncIterator[dict[str, Any]]:
    """Yield what changes on the page, by part: the question, then the statements one by one, then all the rest."""
    question, as_of = question.strip(), _day(day) if day.strip() else date.today()
    if not question:
        yield {"message": ""}
        return
    if as_of is None:
        yield {"message": f"“截至日期”要写成 {date.today()} 这样的日期，或者留空，表示今天。"}
        return
    if len(question) > MAX_QUESTION:
        yield {"message": f"问题有{len(question)}个字，最多{MAX_QUESTION}个字，请精简后再发送。"}
        return
    asked = so_far.add(PARTS.exchange(question))
    yield {"talk": asked.html, "box": "", "message": "", "examples": gr.update(visible=False)}
    view = await _answer(desk, question, so_far, as_of)
    if isinstance(view, str):
        done = so_far.add(PARTS.exchange(question, error=view))
    else:
        answer = view.answer
        for shown in range(1, len(answer.statements) + 1):
            yield {"talk": so_far.add(PARTS.exchange(question, view, shown)).html}
            await asyncio.sleep(PACE_S)
        said = "".join(part.text for part in answer.statements or answer.notices)
        done = so_far.add(PARTS.exchange(question, view), Turn("user", question), Turn("assistant", said))
    yield {"talk": done.html, "conversation": done}


async def _answer(desk: Desk, question: str, so_far: Conversation, as_of: date) -> AnswerView | str:
    """Return the answer, or what to tell the user in its stead: the page's outer boundary."""
    try:
        return await desk.ask(question, so_far.turns, Filters(as_of), AnswerView, Caller(page=True))
    except AssistantError as error:
        return str(error)
    except Exception:
        log.exception("unforeseen failure")
        return UNFORESEEN


def _day(text: str) -> date | None:
    """Return the day written, also as 2026/1/31 or 2026年1月31日; None if it is no full date."""
    written = parse_date(text or "")
    return date.fromisoformat(written) if len(written) == 10 else None


def _offset(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
