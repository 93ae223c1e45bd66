"""The pages of signing in and of one's own account: plain HTML with forms."""

from base64 import b64encode
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.errors import AccountError
from assistant.people.access import ROLES, record
from assistant.people.accounts import Account
from assistant.people.addresses import network
from assistant.people.audit import Event
from assistant.people.gate import ACCOUNT, ADDRESS, HEADERS, cookie
from assistant.people.passwords import SHORTEST
from assistant.people.people import People
from assistant.people.sessions import ABSOLUTE
from assistant.viewer import template
from assistant.words import language_of, said

Text = Annotated[str, Form()]
FORGET = "try { localStorage.clear(); sessionStorage.clear(); } catch { /* the browser keeps nothing */ }"


def open_accounts(app: FastAPI, people: People) -> None:
    """Serve /login, /logout and /account; what is mounted at / must come after."""
    app.state.people = people
    app.include_router(router)


router = APIRouter(include_in_schema=False)


@router.get("/login")
def login_page(request: Request, next: str = "/") -> Response:
    """Show the form, or go on if somebody is signed in."""
    if request.scope.get(ACCOUNT):
        return _to(local(next))
    return _login(_people(request), local(next))


@router.post("/login")
def login(request: Request, name: Text = "", password: Text = "", next: Text = "/") -> Response:
    """Sign in."""
    people, address = _people(request), request.scope[ADDRESS]
    try:
        account = people.accounts.sign_in(name, password, address)
    except AccountError as error:
        record(request, "sign_in.refused")
        return _login(people, local(next), 401, name=name[:64], fault=str(error))
    people.audit.add_later(Event("signed_in", account.name, account.role, address=network(address)))
    return enter(people, account, "/account" if account.one_time else local(next))


@router.post("/logout")
def logout(request: Request) -> Response:
    """Sign out here."""
    people = _people(request)
    people.sessions.end(request.cookies.get(cookie(people), ""))
    if request.scope.get(ACCOUNT):
        record(request, "signed_out")
    return _left(people)


@router.get("/account")
def account_page(request: Request) -> Response:
    """Show one's own account."""
    return _account(request)


@router.post("/account/password")
def change_password(request: Request, old: Text = "", new: Text = "", again: Text = "") -> Response:
    """Change one's own password; signed in anew here, out everywhere else."""
    people, account = _people(request), _mine(request)
    try:
        if new != again:
            raise AccountError("两次输入的新密码不一样")
        people.accounts.change_password(account.name, old, new, request.scope[ADDRESS])
    except AccountError as error:
        told = "原密码不对" if str(error).startswith("账号名或") else str(error)
        return _account(request, fault=told, status=400)
    record(request, "password.changed", account.name)
    return enter(people, account, "/account")


@router.post("/account/keys")
def add_key(request: Request, label: Text = "") -> Response:
    """Make a key and show it this once."""
    try:
        key = _people(request).keys.add(_mine(request).id, label)
    except AccountError as error:
        return _account(request, fault=str(error), status=400)
    record(request, "key.added", label[:64])
    return _account(request, key=key)


@router.post("/account/keys/revoke")
def revoke_key(request: Request, key: Annotated[int, Form()]) -> Response:
    """Take back one of one's own keys."""
    _people(request).keys.revoke(_mine(request).id, key)
    record(request, "key.revoked", str(key))
    return _to("/account")


@router.post("/account/sessions")
def end_sessions(request: Request) -> Response:
    """Sign out everywhere."""
    people = _people(request)
    people.sessions.end_all(_mine(request).id)
    record(request, "signed_out.everywhere")
    return _left(people)


def enter(people: People, account: Account, next: str) -> Response:
    """Begin a session and go on to a page."""
    response = _to(next)
    response.set_cookie(
        cookie(people), people.sessions.start(account.id), int(ABSOLUTE.total_seconds()), httponly=True, samesite="lax",
        secure=people.settings.secure_cookie,
    )  # fmt: skip
    return response


def local(address: str) -> str:
    """Return an address if it is a path of this site, else its root."""
    parts = urlsplit(address) if address.isprintable() and "\\" not in address else None
    good = parts and not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    return address if good else "/"


def _login(people: People, next: str, status: int = 200, name: str = "", fault: str = "") -> Response:
    """Show the form, in the language of the page that it leads to."""
    language, oidc = language_of(next), bool(people.settings.oidc_issuer)
    page = template("people/page.html", language).login(next, name, said(fault, language), oidc)
    return HTMLResponse(page, status, HEADERS)


def _left(people: People) -> Response:
    policy = (
        HEADERS["content-security-policy"]
        + f"; script-src 'sha256-{b64encode(sha256(FORGET.encode()).digest()).decode()}'"
    )
    response = HTMLResponse(
        template("people/page.html").left(FORGET), headers={**HEADERS, "content-security-policy": policy}
    )
    response.delete_cookie(cookie(people), httponly=True, samesite="lax", secure=people.settings.secure_cookie)
    return response


def _account(request: Request, status: int = 200, **told: str) -> Response:
    people, account = _people(request), _mine(request)
    return _page("account", account, ROLES[account.role], people.keys.list(account.id), SHORTEST, status=status, **told)


def _mine(request: Request) -> Account:
    account: Account = request.scope[ACCOUNT]
    return account


def _people(request: Request) -> People:
    people: People = request.app.state.people
    return people


def _page(name: str, *values: Any, status: int = 200, **more: Any) -> Response:
    return HTMLResponse(getattr(template("people/page.html"), name)(*values, **more), status, HEADERS)


def _to(address: str) -> Response:
    return RedirectResponse(address, 303, HEADERS)
