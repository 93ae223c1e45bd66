"""The gate before the whole application: who makes a request, and whether the table lets it through."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette._utils import get_route_path
from starlette.requests import HTTPConnection, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.errors import DatabaseError
from assistant.faults import fault, is_api
from assistant.people.access import IDENTITY, NOBODY, RECORD, Identity, Permission
from assistant.people.accounts import Account
from assistant.people.addresses import client, is_local, network
from assistant.people.asked import CONNECTION, QUESTIONS
from assistant.people.audit import Event
from assistant.people.people import People
from assistant.people.sessions import PREFIX
from assistant.people.table import needed
from assistant.viewer import template

ACCOUNT, ADDRESS = "jiading.account", "jiading.address"  # in a request's scope, for the account's own pages
AT_ONCE = 8  # look-ups of who makes a request
FIRST_OF_ALL = ("/account", "/account/password")  # all that is open until a one-time password is changed
SAFE = ("GET", "HEAD", "OPTIONS")
POLICY = (  # of a page without scripts
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {"content-security-policy": POLICY, "x-content-type-options": "nosniff", "referrer-policy": "same-origin", "cache-control": "no-store"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request: the account, if one, or that what they showed is no longer good."""

    account: Account | None = None
    refused: bool = False


class Gate:
    """Lets through what the table permits, and leaves in the scope who it is and where to write what they do."""

    def __init__(self, app: ASGIApp, people: People) -> None:
        self._app, self._people, self._room = app, people, CapacityLimiter(AT_ONCE)
        everybody: frozenset[Permission] = frozenset({"ask"}) if people.settings.anonymous else frozenset()
        self._anonymous = Identity(open_to_all=everybody)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path, headers = get_route_path(scope), dict(scope["headers"])
        try:
            visitor = Visitor()
            if b"authorization" in headers or b"cookie" in headers:  # else there is nothing to look up
                visitor = await to_thread.run_sync(self._visitor, headers, is_api(path), limiter=self._room)
        except DatabaseError as error:
            refusal: Response | None = _unavailable(path, str(error))
        else:
            self._mark(scope, visitor)
            refusal = self._refusal(scope, path, headers, visitor)
            if refusal is None and is_api(path) and scope.get("method") == "POST":
                refusal = await to_thread.run_sync(self._too_fast, scope, limiter=self._room)
        if refusal is None:
            CONNECTION.set(HTTPConnection(scope))
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, send)

    def _visitor(self, headers: Mapping[bytes, bytes], program: bool) -> Visitor:
        kind, _, bearer = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if program and kind.lower() == "bearer" and bearer.strip().startswith(PREFIX):
            account = self._people.keys.find(bearer.strip())
            return Visitor(account, refused=account is None)
        token = cookie_parser(headers.get(b"cookie", b"").decode("latin-1")).get(cookie(self._people), "")
        return Visitor(self._people.sessions.find(token) if token else None)

    def _mark(self, scope: Scope, visitor: Visitor) -> None:
        account = visitor.account
        who = (
            self._anonymous if account is None else NOBODY if account.one_time else Identity(account.name, account.role)
        )
        address = client(scope, self._people.proxies)

        def write(action: str, about: str, generation: str, detail: Mapping[str, Any]) -> None:
            name, role = (account.name, account.role) if account else ("", "")
            self._people.audit.add_later(Event(action, name, role, about, network(address), generation, detail))

        scope.update({IDENTITY: who, RECORD: write, QUESTIONS: self._people.questions.keep, ACCOUNT: account, ADDRESS: address})  # fmt: skip

    def _refusal(self, scope: Scope, path: str, headers: Mapping[bytes, bytes], visitor: Visitor) -> Response | None:
        need, api, account = needed(path), is_api(path), visitor.account
        method = scope.get("method", "GET")
        if need is None:
            return fault(404) if api else _page("没有这个网页", "请核对地址。", 404)
        if (method not in SAFE or scope["type"] == "websocket") and _foreign(headers):
            return fault(403, "cross_origin", "不接受其他网站的网页发来的请求") if api else _page("不接受这个请求", "它来自其他网站的网页。", 403)  # fmt: skip
        if need == "nothing" or (path == "/metrics" and is_local(scope)):
            return None
        if visitor.refused:
            return fault(401, message="密钥不对，或者已经撤销", headers={"WWW-Authenticate": "Bearer"})
        if account and account.one_time and path not in FIRST_OF_ALL:
            told = "请先在账号网页修改一次性密码"
            return fault(403, "password_change_required", told) if api else _to("/account", method, told)
        if account if need == "signed in" else need in scope[IDENTITY].permitted:
            return None
        if account is None:
            return _signed_out(scope, path, method)
        return fault(403) if api else _page("没有这项权限", f"账号“{account.name}”没有打开这个网页的权限；需要时请联系管理员。", 403)  # fmt: skip

    def _too_fast(self, scope: Scope) -> Response | None:
        wait = self._people.rates.wait(scope[IDENTITY], scope[ADDRESS])
        return fault(429, headers={"Retry-After": str(wait)}) if wait else None


def cookie(people: People) -> str:
    """Return the name of the session's cookie."""
    return "__Host-jiading" if people.settings.secure_cookie else "jiading"


def _foreign(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a browser says that another site's page sends this."""
    site, origin = headers.get(b"sec-fetch-site", b""), headers.get(b"origin", b"")
    if site:
        return site not in (b"same-origin", b"none")
    return bool(origin) and origin.partition(b"://")[2] != headers.get(b"host", b"")


def _signed_out(scope: Scope, path: str, method: str) -> Response:
    if is_api(path):
        return fault(401, headers={"WWW-Authenticate": "Bearer"})
    query = scope["query_string"].decode("latin-1")
    wanted = path + (f"?{query}" if query else "")
    return _to(f"/login?next={quote(wanted, safe='/')}", method, "请先登录")


def _to(address: str, method: str, told: str) -> Response:
    if method in ("GET", "HEAD"):
        return RedirectResponse(address, 303, HEADERS)
    return _page(told, "登录以后请重新操作。", 401)


def _page(title: str, text: str, status: int) -> Response:
    return HTMLResponse(template("people/page.html").told(title, text), status, HEADERS)


def _unavailable(path: str, told: str) -> Response:
    return fault(503, message=told) if is_api(path) else _page("暂时不能使用", told, 503)
