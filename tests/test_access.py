"""Who may open what, over HTTP: every route of the application, by everybody who may come."""

import asyncio
import http.client
import re
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import PASSWORD, served
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from assistant.boundary import METHODS
from assistant.config import Settings
from assistant.faults import is_api
from assistant.people.access import PERMITTED, Role
from assistant.people.accounts import Account
from assistant.people.database import Database
from assistant.people.gate import cookie
from assistant.people.people import People
from assistant.pipeline import Assistant
from assistant.ui import build_app

PROVIDER = {"oidc_issuer": "http://127.0.0.1:1", "oidc_client_id": "jiading"}  # one that is away
FAR = {"x-forwarded-for": "192.0.2.1"}  # of a request that is handed on: not this machine's own
PAGES = {"": "ask", "/en": "ask", "/evaluate": "evaluate"}  # Gradio's, with what each needs
MATRIX = {  # what a route needs: its methods and path; “*” is every method
    "nothing": """
        GET /healthz  GET /readyz  GET /login  POST /login  POST /logout  GET /logout  GET /oidc  GET /oidc/callback
        * /healthz  * /readyz
    """,
    "signed in": "GET /account  POST /account/password  POST /account/keys  POST /account/keys/revoke  POST /account/sessions",
    "ask": """
        GET /documents/{document_id:path}  GET /en
        POST /api/ask  POST /api/search  GET /api/documents/{document_id:path}  GET /api/openapi.json  GET /api/docs
        GET /v1/models  GET /v1/models/{model}  POST /v1/chat/completions  POST /mcp
        * /api  * /api/{rest:path}  * /v1  * /v1/{rest:path}  * /mcp  * /mcp/{rest:path}
    """,
    "draft": """
        POST /api/draft
        GET /reply  GET /reply/  GET /reply/page.css  GET /reply/page.js  POST /reply/letters
        GET /reply/replies  POST /reply/replies  GET /reply/replies/{key}  DELETE /reply/replies/{key}
        POST /reply/replies/{key}/check  POST /reply/replies/{key}/versions  POST /reply/replies/{key}/steps
        POST /reply/replies/{key}/search  GET /reply/replies/{key}/compare  GET /reply/replies/{key}/{name}
    """,
    "evaluate": "GET /evaluate  GET /evaluate/report",
    "administer": """
        * /metrics  * /metrics/{rest:path}
        GET /admin  GET /admin/  GET /admin/page.css  GET /admin/page.js
        GET /admin/new  GET /admin/document  POST /admin/document  POST /admin/files  POST /admin/withdraw  POST /admin/restore
        GET /admin/index  POST /admin/index/rebuild  GET /admin/progress  GET /admin/questions  GET /admin/questions/export
        GET /admin/users  POST /admin/users  POST /admin/users/role  POST /admin/users/{step}
        GET /admin/audit  GET /admin/audit/export  GET /admin/settings
    """,
    "closed": "* /healthz/{rest:path}  * /readyz/{rest:path}",
}
GRADIO = """
    GET /  HEAD /  GET /config  GET /config/  GET /svelte/{path:path}  GET /static/{path:path}  GET /assets/{path:path}
    GET /favicon.ico  GET /theme.css  GET /robots.txt  GET /manifest.json
    POST /gradio_api/reset  POST /gradio_api/reset/  GET /gradio_api/heartbeat/{session_hash}  POST /gradio_api/queue/join
    GET /gradio_api/queue/data  GET /gradio_api/queue/status  POST /gradio_api/cancel  GET /gradio_api/startup-events
"""
GRADIO_CLOSED = """
    GET /openapi.json  HEAD /openapi.json  POST /login/  POST /login  GET /logout
    GET /pwa_icon/{size}  GET /pwa_icon  GET /monitoring  GET /monitoring/summary  GET /monitoring/{key}
    GET /gradio_api/deep_link  GET /gradio_api/user/  GET /gradio_api/user  GET /gradio_api/login_check/
    GET /gradio_api/login_check  GET /gradio_api/token/  GET /gradio_api/token  GET /gradio_api/app_id/
    GET /gradio_api/app_id  GET /gradio_api/dev/reload  GET /gradio_api/runs/  GET /gradio_api/runs
    GET /gradio_api/info  GET /gradio_api/info/  GET /gradio_api/openapi.json
    GET /gradio_api/custom_component/{id}/{environment}/{type}/{file_name}
    GET /gradio_api/proxy={url_path:path}  HEAD /gradio_api/proxy={url_path:path}
    GET /gradio_api/file={path_or_url:path}  HEAD /gradio_api/file={path_or_url:path}  GET /gradio_api/file/{path:path}
    POST /gradio_api/stream/{event_id}  POST /gradio_api/stream/{event_id}/close
    GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist.m3u8
    GET /gradio_api/stream/{session_hash}/{run}/{component_id}/{segment_id}.{ext}
    GET /gradio_api/stream/{session_hash}/{run}/{component_id}/playlist-file
    POST /gradio_api/api/{api_name}/  POST /gradio_api/api/{api_name}  POST /gradio_api/run/{api_name}/
    POST /gradio_api/run/{api_name}  POST /gradio_api/call/v2/{api_name}/  POST /gradio_api/call/v2/{api_name}
    POST /gradio_api/call/{api_name}/  POST /gradio_api/call/{api_name}
    GET /gradio_api/call/{api_name}/{event_id}  GET /gradio_api/call/v2/{api_name}/{event_id}
    POST /gradio_api/component_server/  POST /gradio_api/component_server
    GET /gradio_api/upload_progress  POST /gradio_api/upload  GET /gradio_api/theme.css
    POST /gradio_api/process_recording  POST /gradio_api/vibe-edit  POST /gradio_api/vibe-edit/
    POST /gradio_api/undo-vibe-edit  POST /gradio_api/undo-vibe-edit/  GET /gradio_api/vibe-code
    GET /gradio_api/vibe-code/  POST /gradio_api/vibe-code  POST /gradio_api/vibe-code/
    POST /gradio_api/vibe-starter-queries  POST /gradio_api/vibe-starter-queries/
"""
ROLES = tuple(str(role) for role in Role)
VISITORS = ("anonymous", *ROLES, "disabled", "expired", "one-time", "drafter key", "administrator key", "revoked key")
LOCKED_OUT = ("anonymous", "disabled", "expired", "drafter key", "asker")  # where only those signed in may ask
ENDING = ("/logout", "/account/sessions")  # what ends a visitor's session
TOLD = {  # what the gate says: status, and words in its answer
    "change the password": ("303", "→/account "), "change the password first": ("401|403", "修改一次性密码"),
    "refused key": ("401", "已经撤销"), "sign in": ("303", "→/login?"), "sign in first": ("401", "请先登录"),
    "forbidden": ("403", "没有这项权限"), "closed": ("404", "没有这个网页"), "closed first": ("404", '方法"'),
}  # fmt: skip
Route = tuple[str, str]


def lines(written: str, prefix: str = "") -> Iterator[Route]:
    """Each route of a part of the table."""
    words = written.split()
    for methods, path in zip(words[::2], words[1::2], strict=True):
        yield from ((method, prefix + path) for method in (METHODS if methods == "*" else [methods]))


def table() -> dict[Route, str]:
    """What each route needs. At one address the application's own route goes before Gradio's."""
    needs: dict[Route, str] = {}
    for prefix, need in PAGES.items():
        needs |= dict.fromkeys(lines(GRADIO, prefix), need) | dict.fromkeys(lines(GRADIO_CLOSED, prefix), "closed")
    for need, written in MATRIX.items():
        needs |= dict.fromkeys(lines(written), need)
    return needs


NEEDS = table()


def routes(found: Sequence[Any], prefix: str = "") -> Iterator[Route]:
    """Every route of an application and of what is mounted in it; one that is no HTTP route has no method to be listed by."""
    for one in iter_route_contexts(found):
        route = one.original_route
        if inner := getattr(route, "routes", None):
            yield from routes(inner, prefix + route.path)  # type: ignore[attr-defined]
        else:
            yield from ((method, prefix + str(one.path)) for method in getattr(route, "methods", None) or ["?"])


@pytest.fixture(scope="module")
def address(small: Assistant, workspace: Path) -> Iterator[str]:
    with served(small, workspace, **PROVIDER) as running:
        yield running


@pytest.fixture(scope="module")
def locked(small: Assistant, workspace: Path) -> Iterator[str]:
    """The same application where only those signed in may ask."""
    with served(small, workspace, anonymous=False, **PROVIDER) as running:
        yield running


@pytest.fixture(scope="module")
def people(address: str, workspace: Path) -> Iterator[People]:
    with closing(People(Settings(workspace=workspace))) as opened:
        yield opened


def test_every_route_has_a_line_in_the_table(small: Assistant, workspace: Path) -> None:
    settings = Settings(workspace=workspace, **PROVIDER)  # type: ignore[arg-type]

    async def found() -> set[Route]:
        with closing(People(settings)) as people:
            return set(routes(build_app(small, settings, people).routes))

    assert asyncio.run(found()) == set(NEEDS)


def account(people: People, name: str) -> Account:
    """The account of a visitor, added if there is none: a role's, else an administrator's."""
    found = next((one for one in people.accounts.list() if one.name == name), None)
    if found:
        return found
    once = people.accounts.add(name, Role(name) if name in ROLES else Role.ADMINISTRATOR)
    if name != "one-time":
        people.accounts.change_password(name, once, PASSWORD)
    if name == "disabled":
        people.accounts.disable(name)
    return account(people, name)


def carried(people: People, name: str) -> dict[str, str]:
    """What a visitor's requests carry: a session or a key of its own, made anew."""
    if name == "anonymous":
        return FAR
    if name.endswith(" key"):
        owner = account(people, name.removesuffix(" key"))
        for key in people.keys.list(owner.id):
            people.keys.revoke(owner.id, key.id)
        return FAR | {"authorization": f"Bearer {people.keys.add(owner.id, '测试')}"}
    owner = account(people, name)
    token = people.sessions.start(owner.id)  # of a closed account too
    if name == "expired":
        with closing(Database("", people.settings.workspace)) as database, database.writing() as connection:
            long_ago = (datetime.now(UTC) - timedelta(hours=9)).isoformat(timespec="microseconds")
            mine = {"at": long_ago, "id": owner.id}
            connection.execute(text("UPDATE sessions SET seen = :at WHERE user_id = :id"), mine)
    return FAR | {"cookie": f"{cookie(people)}={token}"}


def expected(name: str, path: str, need: str, open_to_all: bool) -> str:
    """What becomes of a visitor's request."""
    if need in ("closed", "nothing"):
        return "closed" if need == "closed" else "passed"
    if name == "revoked key" and is_api(path):
        return "refused key"
    if name == "one-time":
        return "passed" if path in ("/account", "/account/password") else "change the password"
    role = name.removesuffix(" key") if is_api(path) else name
    if role not in ROLES:
        return "passed" if need == "ask" and open_to_all else "sign in"
    return "passed" if need == "signed in" or need in PERMITTED[Role(role)] else "forbidden"


def outcome(client: httpx.Client, method: str, path: str, headers: dict[str, str]) -> str:
    """What became of a request; a gate's answer is told from the application's by its words, an endless one is left."""
    content = b"{}" if method in ("POST", "PUT", "PATCH") else b""
    with client.stream(method, path, headers=headers, content=content) as response:
        status, said = response.status_code, ""
        if not response.headers.get("content-type", "").startswith("text/event-stream"):
            said = f"→{response.headers.get('location', '')} {response.read().decode()}"
    if method == "HEAD" and status in (401, 403, 404):  # it has no words
        return outcome(client, "GET", path, headers)
    return next(
        (
            told.removesuffix(" first")
            for told, (code, words) in TOLD.items()
            if re.fullmatch(code, str(status)) and words in said
        ),
        "passed",
    )


@pytest.mark.parametrize(
    ("name", "open_to_all"), [*((one, True) for one in VISITORS), *((one, False) for one in LOCKED_OUT)]
)
def test_a_route_opens_to_whom_the_table_names(
    address: str, locked: str, people: People, name: str, open_to_all: bool
) -> None:
    headers, wrong = carried(people, name), []
    if name == "revoked key":
        people.keys.revoke(account(people, "revoked").id, people.keys.list(account(people, "revoked").id)[0].id)
    with httpx.Client(base_url=address if open_to_all else locked) as client:
        for (method, pattern), need in NEEDS.items():
            path = re.sub(r"\{[^}]+\}", "x", pattern)
            found, wanted = outcome(client, method, path, headers), expected(name, path, need, open_to_all)
            if found != wanted:
                wrong.append((method, path, need, found, wanted))
            if path in ENDING:
                headers = carried(people, name) if name != "revoked key" else headers
    assert not wrong


def test_this_machine_itself_reads_the_metrics(address: str) -> None:
    assert httpx.get(f"{address}/metrics").status_code == 200
    assert httpx.get(f"{address}/metrics", headers=FAR).status_code == 401


def test_nothing_of_evaluation_or_administration_is_for_programs(address: str, people: People) -> None:
    programs = [(path, need) for (_, path), need in NEEDS.items() if path.startswith(("/api", "/v1", "/mcp"))]
    assert {need for _, need in programs} == {"ask", "draft"}
    headers = carried(people, "administrator key")
    calls = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accepted = headers | {"accept": "application/json, text/event-stream"}
    tools = httpx.post(f"{address}/mcp", headers=accepted, json=calls).json()["result"]["tools"]
    assert {tool["name"] for tool in tools} == {"ask", "search", "get_document"}
    for path in ("/admin", "/evaluate/", "/account", "/evaluate/gradio_api/queue/data?session_hash=x"):
        assert httpx.get(address + path, headers=headers).status_code in (303, 404), path


def test_one_pages_events_are_not_reached_through_another(address: str, people: People) -> None:
    mine, foreign = carried(people, "evaluator"), carried(people, "asker")
    evaluation = httpx.get(f"{address}/evaluate/config", headers=mine).json()["dependencies"]
    ask = {one["id"] for one in httpx.get(f"{address}/config", headers=mine).json()["dependencies"]}
    load = next(one["id"] for one in evaluation if one["targets"][0][1] == "load" and one["outputs"])
    opened = {"fn_index": load, "data": [], "session_hash": "mine"}
    assert httpx.post(f"{address}/evaluate/gradio_api/queue/join", headers=mine, json=opened).status_code == 200
    for number in {one["id"] for one in evaluation} - ask:
        asked = {"fn_index": number, "data": [], "session_hash": "foreign"}
        assert httpx.post(f"{address}/gradio_api/queue/join", headers=foreign, json=asked).status_code >= 400
    for headers in (foreign, mine):  # the ask page knows nothing of the session, whoever asks
        assert "session_not_found" in data(address, "", headers)
    assert "没有这项权限" in data(address, "/evaluate", foreign)
    assert '"msg":"process_completed"' in data(address, "/evaluate", mine)


def data(address: str, prefix: str, headers: dict[str, str]) -> str:
    """What a page tells of the session “mine”."""
    told, target = "", f"{address}{prefix}/gradio_api/queue/data?session_hash=mine"
    with suppress(httpx.RemoteProtocolError), httpx.stream("GET", target, headers=headers, timeout=20) as response:
        for part in response.iter_text():  # Gradio breaks off after it has said that it knows no such session
            told += part
    return told


def fetched(address: str, target: str) -> tuple[int, str]:
    """Ask for a path just as it is written."""
    with closing(http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)) as connection:
        connection.putrequest("GET", target, skip_host=True)
        connection.putheader("host", "example.com")
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read().decode()


STEPS = st.sampled_from(["evaluate", "config", "EVALUATE", "..", "%2e%2e", ".", "%2e", "", "assets", "static", "documents", "api", "login", "healthz", "x;a=b", "evaluate;a", "%65valuate"])  # fmt: skip
BETWEEN = st.sampled_from(["/", "//", "\\", "%2f", "%2F", "%5c", "%252f"])


@given(
    st.lists(st.tuples(BETWEEN, STEPS), min_size=1, max_size=6).map(
        lambda parts: "".join("".join(part) for part in parts)
    )
)
def test_no_spelling_of_a_path_gets_past_the_gate(address: str, path: str) -> None:
    status, body = fetched(address, f"/{path}" if path[0] in "%\\" else path)
    assert status in (200, 303, 307, 400, 403, 404)
    if status == 200:
        assert "比较" not in body and "评测" not in body.replace("evaluate/", ""), path


@pytest.mark.parametrize("path", ["//evaluate/", "/EVALUATE", "/%65valuate/config", "/evaluate/%2e%2e/evaluate/config", "/evaluate%2fconfig", "/evaluate;a=b/config", "/evaluate\\config", "/./evaluate/config", "/assets/../evaluate/config", "/documents/../evaluate/config", "/api/../evaluate/config", "/evaluate//config", "/evaluate/config/", "/evaluate/config%00", "http://example.com/evaluate/config", "/reply;x", "/Reply", "/gradio_api/queue/../../evaluate/config", "/gradio_api/upload", "/monitoring", "/login/", "/evaluate/gradio_api/info", "/nowhere"])  # fmt: skip
def test_a_path_written_in_another_way_is_shut(address: str, path: str) -> None:
    status, body = fetched(address, path)
    assert status in (303, 404) and "dependencies" not in body


def test_a_socket_is_refused(address: str) -> None:
    wanted = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for path in ("/", "/gradio_api/queue/join", "/evaluate/gradio_api/queue/join"):
        assert httpx.get(address + path, headers=wanted).status_code == 403, path
