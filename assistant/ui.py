"""The whole application: the pages and the API behind one gate; nothing leaves the machine."""

from datetime import date

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant import api
from assistant.administration.documents import FILES, MAX_UPLOAD
from assistant.administration.page import open_administration
from assistant.components import mount
from assistant.config import Settings
from assistant.conversation import day_of
from assistant.desk import MAX_BODY, Desk
from assistant.errors import CorpusError
from assistant.evaluation.page import REPORT, open_evaluation
from assistant.faults import fault, is_api
from assistant.page import TITLE, build_page
from assistant.people.gate import Gate
from assistant.people.oidc import open_oidc
from assistant.people.pages import open_accounts
from assistant.people.people import People
from assistant.pipeline import Assistant
from assistant.replying.page import open_replies
from assistant.replying.routes import LETTERS, MAX_LETTER
from assistant.viewer import checksum, document_html, template
from assistant.words import Language
from eval.workspace import Workspace

POLICIES = {  # for the browser: the page loads from here alone, a document runs no script
    False: "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'self'; object-src 'none'; base-uri 'self'",  # Gradio compiles in the page
    True: "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'",
}

LONGEST = {LETTERS: MAX_LETTER, FILES: MAX_UPLOAD}  # bytes of a request, where they are not MAX_BODY


class Guard:
    """Refuses a body that is too long or does not say how long it is, and limits what a browser does with a response.

    It passes `receive` on as it is: a middleware function of FastAPI's would hide it when a caller goes away.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        path, length = request.url.path, request.headers.get("content-length", "0")
        untold = "transfer-encoding" in request.headers  # a body that does not say how long it is
        if untold or not length.isdecimal() or int(length) > LONGEST.get(path, MAX_BODY):
            status = 411 if untold else 413
            refusal = fault(status) if is_api(path) else Response(status_code=status)
            await refusal(scope, receive, send)
            return

        async def limited(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                policy = POLICIES[path.startswith("/documents/") or is_api(path) or path == REPORT]
                headers.setdefault("content-security-policy", policy)  # some pages have a stricter one of their own
                headers["x-content-type-options"], headers["referrer-policy"] = "nosniff", "same-origin"
            await send(message)

        await self._app(scope, receive, limited)


def build_app(assistant: Assistant, settings: Settings, people: People) -> FastAPI:
    """Return the web application over an assistant: the pages, and the API for programs, behind the gate."""
    app, desk = FastAPI(title=TITLE, docs_url=None, redoc_url=None, openapi_url=None), Desk(assistant)

    @app.get("/documents/{document_id:path}", include_in_schema=False)
    def document(
        document_id: str, start: str = "", end: str = "", as_of: str = "", check: str = "", language: str = ""
    ) -> HTMLResponse:
        read: Language = "en" if language == "en" else "zh"
        with desk.current.use() as lent:
            try:
                found = lent.index.document(document_id)
            except CorpusError:
                return HTMLResponse(template("document.html", read).missing(), status_code=404)
            span = _offset(start), _offset(end)
            if check and check != checksum(found.text[slice(*span)]):  # the document has changed since
                span = -1, -1
            return HTMLResponse(document_html(found, *span, day_of(as_of) or date.today(), lent.index, read))

    @app.get("/en", include_in_schema=False)
    def english() -> RedirectResponse:
        return RedirectResponse("/en/", 308)

    app.add_middleware(Guard)
    app.add_middleware(Gate, people=people)
    api.mount(app, desk)
    open_accounts(app, people)
    open_oidc(app, people)
    open_replies(app, desk, settings.workspace)
    open_evaluation(app, desk.current, Workspace(settings.workspace))
    open_administration(app, desk, settings, people)
    mount(app, build_page(desk, settings, people, "en"), "/en", language="en")
    mount(app, build_page(desk, settings, people), "/")
    return app


def _offset(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else -1
