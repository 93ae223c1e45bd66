"""The web page: a conversation with citations, and each cited document beside it; nothing leaves the machine."""

import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from assistant import api, conversation
from assistant.components import PLAIN, PRIVATE, blocks, gr, mount
from assistant.config import Settings
from assistant.conversation import PARTS, Conversation, day_of
from assistant.current import Current
from assistant.desk import MAX_BODY, Desk
from assistant.errors import CorpusError, SettingsError, told
from assistant.evaluation.page import build_page, report_html
from assistant.faults import fault, is_api
from assistant.feedback import MAX_COMMENT, REASONS
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.replying.page import open_replies
from assistant.replying.routes import LETTERS, MAX_LETTER
from assistant.retrieve import Filters
from assistant.viewer import checksum, document_html, template
from eval.workspace import Workspace

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
EVALUATE = "/evaluate"
OPEN_API = ("queue", "heartbeat", "startup-events", "cancel", "reset")  # what the page needs of Gradio's; no uploads
POLICIES = {  # for the browser: the page loads from here alone, a document runs no script
    False: "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'self'; object-src 'none'; base-uri 'self'",  # Gradio compiles in the page
    True: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
}


def serve(settings: Settings, host: str, port: int, evaluate: bool = False) -> None:
    """Serve the page, and the evaluation page if asked, until Ctrl-C. Raises SettingsError for an address in use, and what load_assistant raises."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise SettingsError(f"不能在 {host}:{port} 打开网页（{error}），请换一个端口，例如 --port 7861") from error
    with listener:
        assistant = load_assistant(settings)
        assistant.search(EXAMPLES[0], Filters(date.today()))  # the first search loads what the next ones use
        app = build_app(assistant, settings.workspace, evaluate)
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2))
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
        print(f"问答网页已就绪：http://{shown}:{listener.getsockname()[1]}（按 Ctrl-C 停止）", flush=True)
        server.run(sockets=[listener])


def build_app(assistant: Assistant, workspace: Path, evaluate: bool = False) -> FastAPI:
    """Return the web application over an assistant: the page, whose feedback is kept in the workspace, and the API for programs.

    `evaluate` opens /evaluate.
    """
    app, desk = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None), Desk(assistant)

    @app.middleware("http")
    async def guard(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        path, length = request.url.path, request.headers.get("content-length", "0")
        if not _allowed(path, evaluate):
            return Response(status_code=404)
        if request.method not in ("GET", "HEAD") and request.headers.get("sec-fetch-site") == "cross-site":
            return Response(status_code=403)
        untold = "transfer-encoding" in request.headers  # a body that does not say how long it is
        if untold or not length.isdecimal() or int(length) > (MAX_LETTER if path == LETTERS else MAX_BODY):
            status = 411 if untold else 413
            return fault(status) if is_api(path) else Response(status_code=status)
        response = await call_next(request)
        closed = path.startswith("/documents/") or is_api(path) or path == f"{EVALUATE}/report"
        response.headers.setdefault("content-security-policy", POLICIES[closed])  # the reply page has its own
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
            return HTMLResponse(document_html(found, *span, day_of(as_of) or date.today(), lent.index))

    api.mount(app, desk)
    open_replies(app, desk, workspace)
    if evaluate:
        _open_evaluation(app, desk.current, Workspace(workspace))
    mount(app, _page(desk, assistant.index.manifest.documents, workspace, evaluate), "/")
    return app


def _allowed(path: str, evaluate: bool) -> bool:
    """Return whether a path is open: of Gradio's own interface only what the pages need, of /evaluate all or nothing."""
    inner = path.removeprefix(EVALUATE) if path == EVALUATE or path.startswith(f"{EVALUATE}/") else path
    if inner != path and not evaluate:
        return False
    parts = inner.strip("/").split("/")
    return parts[0] != "monitoring" and (parts[0] != "gradio_api" or (parts[1:] or [""])[0] in OPEN_API)


def _open_evaluation(app: FastAPI, current: Current, workspace: Workspace) -> None:
    """Serve the evaluation page and its reports; the ask page, mounted at the root, must come after."""

    @app.get(EVALUATE, include_in_schema=False)
    def to_page() -> RedirectResponse:
        return RedirectResponse(f"{EVALUATE[1:]}/")

    @app.get(f"{EVALUATE}/report", include_in_schema=False)
    def run_report(run: str, against: str = "") -> HTMLResponse:
        try:
            return HTMLResponse(report_html(workspace, run, against))
        except Exception as error:
            return HTMLResponse(template("document.html").missing("没有这份报告", told(error)), status_code=404)

    mount(app, build_page(current, workspace), EVALUATE, "evaluation/page.css")


def _page(desk: Desk, documents: int, workspace: Path, evaluate: bool) -> Any:
    """Return the page's parts and what happens when."""
    with blocks(TITLE) as page:
        so_far = gr.State(Conversation())
        gr.HTML(PARTS.introduction(TITLE, documents, evaluate), **PLAIN)
        talk = gr.HTML("", elem_id="talk", js_on_load=str(PARTS.on_talk()), **PLAIN)
        with gr.Column(elem_id="examples") as examples:
            gr.HTML("<h2>可以这样问</h2>", **PLAIN)
            buttons = [gr.Button(text, size="sm", elem_classes="example") for text in EXAMPLES]
        with gr.Column(elem_id="composer"):
            message = gr.HTML("", elem_id="message", js_on_load="element.setAttribute('role', 'alert')", **PLAIN)
            with gr.Row(elem_id="entry"):
                box = gr.Textbox(label="您的问题", placeholder="请输入问题", max_lines=6, elem_id="question")
                send = gr.Button("发送", variant="primary", elem_id="send", min_width=80)
            with gr.Row(elem_id="controls"):
                as_of = gr.Textbox(label="截至日期", placeholder="今天，或 2026-01-31", max_lines=1, elem_id="as-of")
                clear = gr.Button("清空对话", elem_id="clear", min_width=80)
        form = gr.HTML(PARTS.feedback_form(REASONS, MAX_COMMENT), js_on_load=str(PARTS.on_feedback()), **PLAIN)
        gr.HTML(PARTS.reader(), elem_id="reader-frame", **PLAIN)

        parts = {"conversation": so_far, "talk": talk, "examples": examples, "message": message, "box": box}

        def placed(changes: dict[str, Any]) -> dict[Any, Any]:
            return {parts[k]: gr.update(visible=False) if value is False else value for k, value in changes.items()}

        async def ask(question: str, day: str, talk_so_far: Conversation) -> AsyncIterator[dict[Any, Any]]:
            async for changes in conversation.ask(desk, question, day, talk_so_far):
                yield placed(changes)

        def rate(event: gr.EventData, talk_so_far: Conversation) -> dict[Any, Any]:
            return placed(conversation.rate(workspace, event._data, talk_so_far))

        asked: Any = {"fn": ask, "inputs": [box, as_of, so_far], "outputs": list(parts.values()), **PRIVATE}
        running = [gr.on([box.submit, send.click], **asked, concurrency_id="ask")]
        for button, text in zip(buttons, EXAMPLES, strict=True):
            filled = button.click(partial(str, text), None, box, **PRIVATE)
            running.append(filled.then(**asked, concurrency_id="ask"))
        clear.click(
            lambda: (Conversation(), "", gr.update(visible=True), "", ""), None, list(parts.values()),
            js="() => window.closeReader?.()", cancels=running, **PRIVATE,
        )  # fmt: skip
        for rated in (talk.helpful, form.feedback):
            rated(rate, so_far, [so_far, talk, message], **PRIVATE)
    return page


def _offset(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
