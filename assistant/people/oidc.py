"""Signing in with an identity provider: /oidc sends the browser there, /oidc/callback takes it back."""

import logging

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.errors import AccountError, AssistantError, DatabaseError, ProviderError
from assistant.people.access import record
from assistant.people.addresses import network, origin
from assistant.people.audit import Event
from assistant.people.gate import ADDRESS, HEADERS
from assistant.people.journeys import LASTS
from assistant.people.pages import enter, local
from assistant.people.people import People
from assistant.people.provider import UNPROVEN, Journey, Provider
from assistant.viewer import template

START, CALLBACK = "/oidc", "/oidc/callback"
COOKIE = "jiading-oidc"

log = logging.getLogger("assistant")


def open_oidc(app: FastAPI, people: People) -> None:
    """Serve the sign-in where the settings name a provider. Raises SettingsError for settings that cannot be."""
    if people.settings.oidc_issuer or people.settings.oidc_client_id:
        app.include_router(_router(people, Provider(people.settings)))


def _router(people: People, provider: Provider) -> APIRouter:
    router, journeys = APIRouter(include_in_schema=False), people.journeys

    @router.get(START)
    def start(request: Request, next: str = "/") -> Response:
        here = origin(request.scope, people.proxies, people.settings.secure_cookie)
        journey = Journey(local(next), f"{here}{CALLBACK}")
        try:
            response, token = RedirectResponse(provider.address(journey), 303, HEADERS), journeys.add(journey)
        except (ProviderError, DatabaseError) as error:
            return _failed(request, error)
        secure = people.settings.secure_cookie
        lasts_s = int(LASTS.total_seconds())
        response.set_cookie(COOKIE, token, lasts_s, path=START, httponly=True, samesite="lax", secure=secure)  # fmt: skip
        return response

    @router.get(CALLBACK)
    def callback(request: Request, code: str = "", state: str = "") -> Response:
        try:
            journey = journeys.take(request.cookies.get(COOKIE, ""), state)
            if not code:
                raise AccountError("统一身份认证没有同意登录，请重新登录；一直这样，请联系管理员。")
            person = provider.vouched(code, journey)
            account = people.accounts.remote(person.subject, person.name, person.role)
        except (AccountError, ProviderError, DatabaseError) as error:
            return _failed(request, error)
        address = network(request.scope[ADDRESS])
        people.audit.add_later(Event("signed_in", account.name, account.role, address=address, detail={"by": "oidc"}))
        response = enter(people, account, journey.next)
        response.delete_cookie(COOKIE, START, httponly=True, samesite="lax", secure=people.settings.secure_cookie)
        return response

    return router


def _failed(request: Request, error: AssistantError) -> Response:
    """Show why nobody is signed in; the cause goes to the log by its kind alone, for its words may name somebody."""
    away = isinstance(error, ProviderError | DatabaseError)
    if away or str(error) == UNPROVEN:
        log.warning(
            "sign-in by the identity provider: %s (%s)", type(error).__name__, type(error.__cause__ or error).__name__
        )
    record(request, "sign_in.refused", by="oidc")
    page = template("people/page.html").told("没有登录成功", str(error), "/login", "返回登录")
    return HTMLResponse(page, 502 if away else 403, HEADERS)
