"""Open the reply page in an application: its own HTML, style and script, which load nothing else."""

from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.desk import Desk
from assistant.people.access import identity
from assistant.replying.routes import router
from assistant.replying.shown import PARTS
from assistant.replying.store import Replies
from assistant.viewer import template

PAGE = "/reply"
POLICY = (  # nothing inline: what a letter or a document says can never run here
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_PACKAGE = Path(__file__).parent.parent


def open_replies(app: FastAPI, desk: Desk, workspace: Path) -> None:
    """Serve the reply page and what is behind it; the ask page, mounted at the root, must come after."""
    app.state.replies, app.state.desk = Replies(workspace), desk

    @app.get(PAGE, include_in_schema=False)
    def page(request: Request) -> HTMLResponse:
        kept = str(app.state.replies.folder.resolve())
        html = PARTS.page(identity(request).name, kept, template("ui.html").reader())
        return HTMLResponse(html, headers={"content-security-policy": POLICY, "cache-control": "no-store"})

    @app.get(f"{PAGE}/", include_in_schema=False)
    def to_page() -> RedirectResponse:
        return RedirectResponse(f"..{PAGE}")

    @app.get(f"{PAGE}/page.css", include_in_schema=False)
    def style() -> Response:
        return Response(_text("ui.css") + _text("replying/page.css"), media_type="text/css")

    @app.get(f"{PAGE}/page.js", include_in_schema=False)
    def script() -> Response:
        return Response(f"({_text('ui.js')})();\n{_text('replying/page.js')}", media_type="text/javascript")

    app.include_router(router)


@cache
def _text(name: str) -> str:
    return (_PACKAGE / name).read_text(encoding="utf-8")
