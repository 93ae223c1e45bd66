"""Signing in with an identity provider, over HTTP, at a small one that keeps to the protocol unless told to cheat."""

import json
import threading
import time
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import httpx
import pytest
from conftest import served
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from assistant.config import Settings
from assistant.errors import SettingsError
from assistant.people.access import Role
from assistant.people.people import People
from assistant.people.provider import Provider, mapping
from assistant.pipeline import Assistant

CLIENT, SECRET = "jiading", "a secret/with:signs"
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "k1"}), RSAKey.generate_key(2048, {"kid": "k1"})
CURVE = ECKey.generate_key("P-256", {"kid": "k2"})


class Identities(ThreadingHTTPServer):
    """The provider: who signs in next, and what of the protocol it breaks."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.codes: dict[str, dict[str, str]] = {}
        self.honest()

    def honest(self, **claims: Any) -> None:
        """Keep to the protocol, with these claims of the next one."""
        self.claims = {"sub": "s-1", "preferred_username": "amy", **claims}
        self.header: dict[str, str] = {"alg": "RS256", "kid": "k1"}
        self.key: Any = KEY
        self.token: str | None = None
        self.status = 200
        self.asked: list[str] = []

    def id_token(self, nonce: str) -> str:
        now = int(time.time())
        usual = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce}
        claims = {name: value for name, value in {**usual, **self.claims}.items() if value is not None}
        return self.token or jwt.encode(self.header, claims, self.key, [self.header["alg"]])


class Answers(BaseHTTPRequestHandler):
    server: Identities

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        here, query = self.server.issuer, {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append(parts.path)
        if parts.path == "/authorize":
            code = f"code-{len(self.server.codes)}"
            self.server.codes[code] = query
            self.send_response(303)
            back = urlencode({"code": code, "state": query["state"]})
            self.send_header("location", f"{query['redirect_uri']}?{back}")
            self.end_headers()
        elif parts.path == "/jwks":
            self.say(KeySet([KEY, CURVE]).as_dict(private=False))
        else:
            places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "jwks"}
            self.say({"issuer": here} | {name: f"{here}/{place}" for name, place in places.items()})

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode())
        begun = self.server.codes.pop(form["code"][0], {})
        challenge = urlsafe_b64encode(sha256(form["code_verifier"][0].encode()).digest()).decode().rstrip("=")
        who = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
        right = who == f"{quote(CLIENT)}:{quote(SECRET, safe='')}" and begun.get("code_challenge") == challenge
        if not right or begun["code_challenge_method"] != "S256" or form["redirect_uri"][0] != begun["redirect_uri"]:
            self.say({"error": "invalid_grant"}, 400)
        else:
            token = self.server.id_token(begun["nonce"])
            self.say({"access_token": "a", "token_type": "Bearer", "id_token": token}, self.server.status)

    def say(self, told: Any, status: int = 200) -> None:
        body = json.dumps(told).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def running() -> Iterator[Identities]:
    with Identities() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def provider(running: Identities) -> Identities:
    running.honest()
    return running


def settings(issuer: str, **more: Any) -> dict[str, Any]:
    return {
        "oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, "oidc_role_claim": "groups",
        "oidc_roles": "staff=drafter, boss=administrator", "proxies": "127.0.0.1", **more,
    }  # fmt: skip


@pytest.fixture(scope="module")
def address(small: Assistant, workspace: Path, running: Identities) -> Iterator[str]:
    with served(small, workspace, **settings(running.issuer)) as address:
        yield address


@pytest.fixture
def people(address: str, workspace: Path) -> Iterator[People]:
    with closing(People(Settings(workspace=workspace))) as opened:
        yield opened


@pytest.fixture
def browser(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as client:
        yield client


def back(browser: httpx.Client, next: str = "/") -> str:
    """Set out, sign in at the provider, and return the address that it sends the browser back to."""
    begun = browser.get("/oidc", params={"next": next})
    assert begun.status_code == 303
    return str(httpx.get(begun.headers["location"]).headers["location"])


def role(browser: httpx.Client) -> str:
    return browser.get("/account").text.partition("角色</dt><dd>")[2].partition("<")[0]


@pytest.mark.parametrize(
    ("subject", "groups", "found"),
    [
        ("r-1", "staff", "起草"),
        ("r-2", ["guest", "boss", "staff"], "起草"),  # the setting's first
        ("r-3", ["boss"], "管理"),
        ("r-4", ["guest"], "提问"),
        ("r-5", None, "提问"),
    ],
)
def test_who_signs_in_there_is_signed_in_here(
    provider: Identities, browser: httpx.Client, subject: str, groups: Any, found: str
) -> None:
    provider.honest(sub=subject, preferred_username=f"who-{subject}", groups=groups)
    entered = browser.get(back(browser, "/account"))
    assert (entered.status_code, entered.headers["location"]) == (303, "/account")
    assert "HttpOnly" in entered.headers["set-cookie"] and "SameSite=lax" in entered.headers["set-cookie"]
    assert f"who-{subject}" in browser.get("/account").text and role(browser) == found
    assert "修改密码" not in browser.get("/account").text


def test_the_same_one_keeps_the_account_and_the_role_follows(
    provider: Identities, browser: httpx.Client, people: People
) -> None:
    for name, groups, found in (("carol", "staff", "起草"), ("caroline", "guest", "提问")):
        provider.honest(sub="same", preferred_username=name, groups=groups)
        browser.get(back(browser))
        assert role(browser) == found
    assert [one.name for one in people.accounts.list() if one.name.startswith("carol")] == ["carol"]


def test_without_a_claim_of_roles_an_administrators_choice_stays(people: People) -> None:
    first = people.accounts.remote("https://id.example one", "dora", None)
    people.accounts.set_role("dora", Role.DRAFTER)
    again = people.accounts.remote("https://id.example one", "dora", None)
    assert (first.role, again.role) == (Role.ASKER, Role.DRAFTER)


def test_a_signature_on_a_curve_will_do(provider: Identities, browser: httpx.Client) -> None:
    provider.header, provider.key = {"alg": "ES256", "kid": "k2"}, CURVE
    assert browser.get(back(browser)).status_code == 303


def unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


def cheat(provider: Identities, how: str) -> None:
    now = int(time.time())
    wrong: dict[str, dict[str, Any]] = {
        "nonce": {"nonce": "other"}, "no nonce": {"nonce": None}, "audience": {"aud": "other"}, "no audience": {"aud": None},
        "two audiences": {"aud": [CLIENT, "other"]}, "party": {"aud": [CLIENT, "other"], "azp": "other"},
        "issuer": {"iss": "https://id.example"}, "expired": {"exp": now - 120}, "no end": {"exp": None},
        "future": {"iat": now + 600}, "no subject": {"sub": None}, "blank subject": {"sub": ""}, "long subject": {"sub": "s" * 256},
    }  # fmt: skip
    provider.claims |= wrong.get(how, {})
    good = {"iss": provider.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "sub": "s-1", "nonce": "n"}
    if how == "signature":
        provider.key = OTHER
    elif how == "symmetric":  # by what both know
        provider.header, provider.key = {"alg": "HS256", "kid": "k1"}, OctKey.import_key(SECRET * 3)
    elif how == "unknown key":
        provider.header = {"alg": "RS256", "kid": "k9"}
    elif how in ("none", "nonsense"):
        provider.token = unsigned(good) if how == "none" else "a.b"


CHEATS = ["nonce", "no nonce", "audience", "no audience", "two audiences", "party", "issuer", "expired", "no end", "future", "no subject", "blank subject", "long subject", "signature", "symmetric", "unknown key", "none", "nonsense"]  # fmt: skip


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
@pytest.mark.parametrize("how", CHEATS)
def test_a_proof_that_is_none_signs_nobody_in(provider: Identities, browser: httpx.Client, how: str) -> None:
    cheat(provider, how)
    refused = browser.get(back(browser))
    assert refused.status_code == 403 and "没有通过核对" in refused.text
    assert "jiading=" not in refused.headers.get("set-cookie", "")
    assert browser.get("/account").headers["location"].startswith("/login")


def test_a_return_counts_once_in_the_browser_that_set_out(provider: Identities, browser: httpx.Client) -> None:
    good = back(browser)
    journey = browser.cookies["jiading-oidc"]
    with httpx.Client(base_url=str(browser.base_url)) as other:
        assert "重新登录" in other.get(good).text
        elsewhere = back(other)  # another's return, laid under this browser
    for wrong in (elsewhere, good):  # a wrong state ends the journey
        assert browser.get(wrong).status_code == 403
    again = back(browser)
    journey = browser.cookies["jiading-oidc"]
    assert browser.get(again).status_code == 303
    browser.cookies.set("jiading-oidc", journey)
    assert browser.get(again).status_code == 403


def test_the_browser_may_come_back_to_another_replica(
    small: Assistant, provider: Identities, browser: httpx.Client, workspace: Path
) -> None:
    provider.honest(sub="roams", preferred_username="roams")
    way = urlsplit(back(browser))
    with (
        served(small, workspace, **settings(provider.issuer)) as replica,
        httpx.Client(base_url=replica, cookies=browser.cookies) as there,
    ):
        assert there.get(f"{way.path}?{way.query}").status_code == 303
        assert "roams" in there.get("/account").text
        assert there.get(f"{way.path}?{way.query}").status_code == 403


def test_a_refusal_there_is_told_here(provider: Identities, browser: httpx.Client) -> None:
    state = parse_qs(urlsplit(back(browser)).query)["state"][0]
    told = browser.get("/oidc/callback", params={"error": "access_denied", "state": state})
    assert told.status_code == 403 and "没有同意" in told.text and 'href="/login"' in told.text


def test_a_code_that_is_none_is_refused(provider: Identities, browser: httpx.Client) -> None:
    state = parse_qs(urlsplit(back(browser)).query)["state"][0]
    assert browser.get("/oidc/callback", params={"code": "made-up", "state": state}).status_code == 403


def test_a_closed_account_stays_out_and_a_local_one_is_not_taken_over(
    provider: Identities, browser: httpx.Client, people: People
) -> None:
    provider.honest(sub="closed", preferred_username="closed")
    browser.get(back(browser))
    people.accounts.disable("closed")
    browser.cookies.clear()
    assert "停用" in browser.get(back(browser)).text
    people.accounts.add("local", Role.ADMINISTRATOR)
    provider.honest(sub="thief", preferred_username="local")
    assert "已经有账号" in browser.get(back(browser)).text
    assert browser.get("/account").status_code == 303


@pytest.mark.parametrize("next", ["//example.com", "https://example.com/", "/\\example.com", "javascript:alert(1)"])
def test_the_way_on_stays_on_this_site(provider: Identities, browser: httpx.Client, next: str) -> None:
    assert browser.get(back(browser, next)).headers["location"] == "/"


def test_the_way_back_is_the_address_that_the_browser_knows(
    small: Assistant, provider: Identities, browser: httpx.Client, tmp_path: Path
) -> None:
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-host": "ask.example"}

    def told(client: httpx.Client) -> str:
        location = client.get("/oidc", headers=forwarded).headers["location"]
        return parse_qs(urlsplit(location).query)["redirect_uri"][0]

    assert told(browser) == "https://ask.example/oidc/callback"
    with (
        served(small, tmp_path, **settings(provider.issuer, proxies="", secure_cookie=True)) as untrusting,
        httpx.Client(base_url=untrusting) as client,
    ):
        assert told(client) == f"{untrusting.replace('http:', 'https:')}/oidc/callback"
        assert "Secure" in client.get("/oidc").headers["set-cookie"]


def test_a_provider_that_is_away_is_told_and_local_accounts_still_serve(
    small: Assistant, provider: Identities, browser: httpx.Client, tmp_path: Path
) -> None:
    way = back(browser)
    provider.status = 500
    assert browser.get(way).status_code == 502
    with served(small, tmp_path, **settings("http://127.0.0.1:1")) as address:
        away = httpx.get(f"{address}/oidc")
        assert away.status_code == 502 and "本机账号" in away.text
        assert "统一身份认证" in httpx.get(f"{address}/login").text


def test_an_issuer_that_is_not_the_one_set_is_not_followed(
    small: Assistant, provider: Identities, tmp_path: Path
) -> None:
    with served(small, tmp_path, **settings(f"{provider.issuer}/")) as address:
        assert httpx.get(f"{address}/oidc").status_code == 502


def test_without_a_provider_there_is_no_way_to_one(small: Assistant, tmp_path: Path) -> None:
    with served(small, tmp_path) as address:
        assert "统一身份认证" not in httpx.get(f"{address}/login").text
        assert httpx.get(f"{address}/oidc").status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"oidc_client_id": ""}, "CLIENT_ID"),
        ({"oidc_issuer": ""}, "ISSUER"),
        ({"oidc_issuer": "http://id.example"}, "https"),  # the network would read along
        ({"oidc_issuer": "id.example"}, "https"),
        ({"oidc_roles": ""}, "ROLES"),
        ({"oidc_role_claim": ""}, "ROLE_CLAIM"),
        ({"oidc_roles": "staff=king"}, "administrator"),
        ({"oidc_roles": "=drafter"}, "administrator"),
        ({"oidc_roles": "staff"}, "administrator"),
    ],
)
def test_settings_that_cannot_be_are_told_at_the_start(wrong: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        Provider(Settings(**settings("https://id.example", **wrong)))


def test_a_value_may_hold_the_sign_between() -> None:
    assert mapping("cn=staff=drafter") == {"cn=staff": Role.DRAFTER}
