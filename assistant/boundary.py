"""What every request passes: it is counted and logged; the API's answers are kept from caches, and its failures are typed."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.faults import fault, is_api
from assistant.metrics import Metrics

METHODS = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"]
QUIET = ("/healthz", "/readyz", "/metrics")  # asked for every few seconds
HEADERS = {b"cache-control": b"no-store", b"x-content-type-options": b"nosniff"}

log = logging.getLogger("assistant")


class Boundary:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, api, start = 0, is_api(scope["path"]), time.perf_counter()

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if api:
                    kept = [pair for pair in message.get("headers", ()) if pair[0].lower() not in HEADERS]
                    message = {**message, "headers": [*kept, *HEADERS.items()]}
            await send(message)

        try:
            if api and _from_elsewhere(scope):
                await fault(403, "cross_origin", "不接受其他网站的网页发来的请求")(scope, receive, counted)
            else:
                await self._app(scope, receive, counted)
        except Exception:
            if not api or status:
                raise
            log.exception("unforeseen failure")
            await fault(500)(scope, receive, counted)
        finally:
            route, method = _route(scope, api), scope["method"] if scope["method"] in METHODS else "other"
            self._metrics.requested(route, method, status)
            if api and route not in QUIET:
                spent = round((time.perf_counter() - start) * 1000)
                log.info("request", extra={"route": route, "method": method, "status": status, "ms": spent})


def _from_elsewhere(scope: Scope) -> bool:
    """Return whether a browser says that another site's page sends this."""
    headers = dict(scope["headers"])
    origin = headers.get(b"origin", b"")
    return bool(origin) and origin.partition(b"://")[2] != headers.get(b"host", b"")


def _route(scope: Scope, api: bool) -> str:
    """Return the pattern of the route that served a request: never the path, which may hold what was asked."""
    pattern = getattr(scope.get("route"), "path", "")
    return pattern if is_api(pattern) else "other" if api else "page"
