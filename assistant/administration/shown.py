"""What every administration page needs: the parts of the server it looks after, and the frame that it is shown in."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from assistant.administration.building import Rebuild
from assistant.administration.files import Uploads
from assistant.administration.reading import Reading, read_file
from assistant.config import Settings
from assistant.desk import Desk
from assistant.errors import AssistantError
from assistant.faults import STATUSES
from assistant.people.access import identity, record
from assistant.people.people import People
from assistant.viewer import template

SECTIONS = (
    ("/admin", "资料"), ("/admin/index", "索引"), ("/admin/questions", "问题"), ("/admin/users", "账号"),
    ("/admin/audit", "日志"), ("/admin/settings", "运行"),
)  # fmt: skip
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": POLICY, "cache-control": "no-store"}
READINGS = 4  # files that wait whose text is kept in memory


@dataclass(slots=True)
class Administration:
    """The parts of one server that its administrators look after."""

    desk: Desk
    settings: Settings
    people: People
    uploads: Uploads
    rebuild: Rebuild
    _readings: dict[str, Reading] = field(default_factory=dict)

    @property
    def corpus(self) -> Path:
        """The folder of the corpus."""
        return self.settings.corpus

    def reading(self, token: str) -> Reading:
        """Return a file that waits, as it was read. Raises SettingsError where it is gone, CorpusError where it cannot be read."""
        file = self.uploads.file(token)
        if token not in self._readings:
            found = read_file(file)
            for old in list(self._readings)[: len(self._readings) - READINGS + 1]:
                self._readings.pop(old, None)
            self._readings[token] = found
        return self._readings[token]


class Page(APIRoute):
    """A route whose failures are told on a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, which tells what a user can act on."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except AssistantError as error:
                return shown(request, "page", "told", str(error), status=STATUSES.get(type(error), 409))
            except RequestValidationError:
                return shown(request, "page", "told", "网页的地址或表格不完整，请从上面的目录重新打开。", status=400)

        return told


def administration(request: Request) -> Administration:
    """Return what the application's administrators look after."""
    found: Administration = request.app.state.administration
    return found


async def _typed(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


Kept = Annotated[Administration, Depends(administration)]
Typed = Annotated[dict[str, str], Depends(_typed)]


@dataclass(frozen=True, slots=True)
class Top:
    """What stands above every page."""

    sections: tuple[tuple[str, str], ...]
    here: str
    name: str
    progress: Any


def shown(request: Request, file: str, macro: str, *values: Any, status: int = 200, **more: Any) -> Response:
    """Return a page made by a macro."""
    path = request.url.path
    here = max((at for at, _ in SECTIONS if path == at or path.startswith(f"{at}/")), key=len, default="/admin")
    top = Top(SECTIONS, here, identity(request).name, administration(request).rebuild.progress)
    html = getattr(template(f"administration/{file}.html"), macro)(top, *values, **more)
    return HTMLResponse(html, status, HEADERS)


def to(address: str) -> Response:
    """Send the browser on to a page."""
    return RedirectResponse(address, 303, HEADERS)


def rebuild(request: Request) -> None:
    """Start to bring the index in step with the corpus; the audit log is told when it is."""

    def done(generation: str) -> None:
        record(request, "index.rebuilt", generation, generation)

    administration(request).rebuild.start(identity(request).name, done)
