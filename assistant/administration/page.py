"""Open the administration page in an application: server-rendered forms behind the permission “administer”."""

from functools import cache
from pathlib import Path

from fastapi import FastAPI, Response

from assistant.administration import accounts, documents, logs, state
from assistant.administration.building import Rebuild
from assistant.administration.files import Uploads
from assistant.administration.shown import Administration, to
from assistant.config import Settings
from assistant.desk import Desk
from assistant.people.people import People

UPLOADS = "uploads"  # in the workspace
_PACKAGE = Path(__file__).parent.parent


def open_administration(app: FastAPI, desk: Desk, settings: Settings, people: People) -> None:
    """Serve the pages under /admin; what is mounted at / must come after."""
    uploads, rebuild = Uploads(settings.workspace / UPLOADS), Rebuild(settings, desk.current)
    app.state.administration = Administration(desk, settings, people, uploads, rebuild)
    for part in (documents, state, accounts, logs):
        app.include_router(part.router)

    @app.get("/admin/", include_in_schema=False)
    def to_page() -> Response:
        return to("/admin")

    @app.get("/admin/page.css", include_in_schema=False)
    def style() -> Response:
        return Response(_text("document.css") + _text("administration/page.css"), media_type="text/css")

    @app.get("/admin/page.js", include_in_schema=False)
    def script() -> Response:
        return Response(_text("administration/page.js"), media_type="text/javascript")


@cache
def _text(name: str) -> str:
    return (_PACKAGE / name).read_text(encoding="utf-8")
