"""Signing in and out, one's own keys, limits, and what is written down of who asks, over HTTP."""

import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import PASSWORD, served

from assistant.config import Settings
from assistant.people.access import Role
from assistant.people.people import People
from assistant.pipeline import Assistant

AREA = "氢能港的规划面积多大？"
AGENT = {"accept": "application/json, text/event-stream"}
NEW = "another long password"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sign-in")


@pytest.fixture(scope="module")
def address(small: Assistant, workspace: Path) -> Iterator[str]:
    with served(small, workspace, proxies="127.0.0.1") as running:
        yield running


@pytest.fixture(scope="module")
def people(address: str, workspace: Path) -> Iterator[People]:
    with closing(People(Settings(workspace=workspace))) as opened:
        yield opened


@pytest.fixture
def name(people: People) -> str:
    """A drafter of the test's own, who has a password."""
    chosen = f"person-{len(people.accounts.list())}"
    people.accounts.change_password(chosen, people.accounts.add(chosen, Role.DRAFTER), PASSWORD)
    return chosen


@pytest.fixture
def browser(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address) as client:
        yield client


def enter(client: httpx.Client, name: str, password: str = PASSWORD, **more: str) -> httpx.Response:
    return client.post("/login", data={"name": name, "password": password, **more})


def test_the_right_password_opens_and_the_cookie_is_out_of_scripts_reach(browser: httpx.Client, name: str) -> None:
    entered = enter(browser, name, next="/reply?x=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/reply?x=1")
    kept = entered.headers["set-cookie"]
    assert "HttpOnly" in kept and "SameSite=lax" in kept and "Path=/" in kept
    assert browser.get("/reply").status_code == 200
    assert browser.get("/login", params={"next": "/account"}).headers["location"] == "/account"
    fresh = browser.cookies["jiading"]
    enter(browser, name)
    assert browser.cookies["jiading"] != fresh


def test_under_https_alone_the_cookie_says_so(small: Assistant, workspace: Path, name: str) -> None:
    with served(small, workspace, secure_cookie=True) as secure:
        kept = httpx.post(f"{secure}/login", data={"name": name, "password": PASSWORD}).headers["set-cookie"]
    assert kept.startswith("__Host-jiading=") and "Secure" in kept


def test_wrong_and_unknown_look_alike(browser: httpx.Client, name: str) -> None:
    wrong, unknown = enter(browser, name, "wrong password!"), enter(browser, "nobody-here", "wrong password!")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(name, "") == unknown.text.replace("nobody-here", "")
    assert "账号名或密码不对" in wrong.text and "set-cookie" not in wrong.headers


def test_who_fails_again_and_again_waits_even_with_the_right_password(browser: httpx.Client, name: str) -> None:
    for _ in range(5):
        enter(browser, name, "wrong password!")
    assert "次数太多" in enter(browser, name).text


def test_an_address_that_tries_many_names_waits_and_another_does_not(browser: httpx.Client, name: str) -> None:
    browser.headers["x-forwarded-for"] = "198.51.100.7"
    for number in range(21):
        enter(browser, f"guess-{number}", "x")
    assert "次数太多" in enter(browser, name).text
    browser.headers["x-forwarded-for"] = "198.51.100.8"
    assert enter(browser, name).status_code == 303


@pytest.mark.parametrize(
    "foreign",
    [{"origin": "https://example.com"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}],
)  # fmt: skip
def test_another_sites_form_signs_nobody_in_or_out(browser: httpx.Client, name: str, foreign: dict[str, str]) -> None:
    refused = browser.post("/login", data={"name": name, "password": PASSWORD}, headers=foreign)
    assert refused.status_code == 403 and "set-cookie" not in refused.headers
    enter(browser, name)
    for path in ("/logout", "/account/keys", "/account/sessions"):
        assert browser.post(path, data={"label": "x"}, headers=foreign).status_code == 403
    assert browser.get("/account").status_code == 200


@pytest.mark.parametrize(
    "next",
    ["https://example.com", "//example.com", "/\\example.com", "\\\\example.com", "javascript:alert(1)", "/\texample.com", "///example.com", "login", ""],
)  # fmt: skip
def test_the_way_on_stays_on_this_site(browser: httpx.Client, name: str, next: str) -> None:
    assert enter(browser, name, next=next).headers["location"] == "/"


def test_a_one_time_password_is_changed_before_anything_else(browser: httpx.Client, people: People) -> None:
    once = people.accounts.add("newcomer", Role.ADMINISTRATOR)
    assert enter(browser, "newcomer", once, next="/reply").headers["location"] == "/account"
    for path in ("/", "/reply", "/evaluate/"):
        assert browser.get(path).headers["location"] == "/account"
    refused = browser.post("/api/ask", json={"question": AREA})
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "password_change_required")
    assert browser.post("/account/keys", data={"label": "x"}).status_code == 401
    page = browser.get("/account").text
    assert "一次性密码" in page and "接口密钥" not in page
    for new, again, said in ((NEW, "other", "不一样"), ("short", "short", "个"), (once, once, "原密码")):
        told = browser.post("/account/password", data={"old": once, "new": new, "again": again})
        assert told.status_code == 400 and said in told.text
    changed = browser.post("/account/password", data={"old": once, "new": NEW, "again": NEW})
    assert changed.status_code == 303
    assert browser.get("/reply").status_code == 200
    assert enter(browser, "newcomer", once).status_code == 401


def test_the_form_speaks_the_language_of_the_page_it_leads_to(address: str, browser: httpx.Client) -> None:
    form = browser.get("/login?next=/en/").text
    assert (
        '<html lang="en">' in form
        and "Account name" in form
        and not re.search("[\u3400-\u9fff]", form.split("<main>")[1])
    )
    refused = browser.post("/login", data={"name": "nobody", "password": "wrong password!", "next": "/en/"})
    assert refused.status_code == 401 and "The account name or the password is wrong" in refused.text
    assert "账号名或密码不对" in browser.post("/login", data={"name": "nobody", "password": "wrong password!"}).text


def test_a_changed_password_signs_out_elsewhere(address: str, browser: httpx.Client, name: str) -> None:
    with httpx.Client(base_url=address) as other:
        enter(other, name)
        enter(browser, name)
        browser.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
        assert (browser.get("/account").status_code, other.get("/account").status_code) == (200, 303)


def test_signing_out_ends_the_session_not_only_the_cookie(address: str, browser: httpx.Client, name: str) -> None:
    enter(browser, name)
    cookies = dict(browser.cookies)
    left = browser.post("/logout")
    assert left.status_code == 200 and "已退出登录" in left.text and not browser.cookies
    assert httpx.get(f"{address}/account", cookies=cookies).status_code == 303


def test_signing_out_everywhere_leaves_the_keys(address: str, browser: httpx.Client, name: str) -> None:
    with httpx.Client(base_url=address) as other:
        enter(other, name)
        enter(browser, name)
        key = made(browser)
        browser.post("/account/sessions")
        assert (browser.get("/account").status_code, other.get("/account").status_code) == (303, 303)
    assert drafts(address, key) != 401


def made(browser: httpx.Client) -> str:
    """Make a key on the page, which shows it this once."""
    page = browser.post("/account/keys", data={"label": "台账 <b>系统"}).text
    key = re.search(r"<code>(jd_[\w-]+)</code>", page)
    assert key and "台账 &lt;b&gt;系统" in page and key[1] not in browser.get("/account").text
    return key[1]


def drafts(address: str, key: str) -> int:
    """Ask for what drafters alone may have."""
    return httpx.post(f"{address}/api/draft", json={}, headers={"authorization": f"Bearer {key}"}).status_code


def test_a_key_does_what_its_owner_may_until_the_owner_takes_it_back(
    address: str, browser: httpx.Client, name: str, people: People
) -> None:
    enter(browser, name)
    key = made(browser)
    assert drafts(address, key) == 422
    number = re.search(r'name="key" value="(\d+)"', browser.get("/account").text)
    assert number
    people.accounts.change_password("thief", people.accounts.add("thief", Role.DRAFTER), PASSWORD)
    with httpx.Client(base_url=address) as thief:
        enter(thief, "thief")
        thief.post("/account/keys/revoke", data={"key": number[1]})
        assert drafts(address, key) == 422  # it is not the other's to take
    people.accounts.set_role(name, Role.ASKER)
    assert drafts(address, key) == 403
    browser.post("/account/keys/revoke", data={"key": number[1]})
    assert drafts(address, key) == 401


def test_a_label_that_is_none_and_an_eleventh_key_are_refused(browser: httpx.Client, name: str) -> None:
    enter(browser, name)
    assert browser.post("/account/keys", data={"label": "  "}).status_code == 400
    statuses = [browser.post("/account/keys", data={"label": "x"}).status_code for _ in range(11)]
    assert statuses == [200] * 10 + [400]


def events(address: str, question: str, **headers: str) -> str:
    """Ask on the page as its script does, and return all that the page is told."""
    fields = httpx.get(f"{address}/config", headers=headers).json()["dependencies"]
    ask = next(one["id"] for one in fields if [how for _, how in one["targets"]] == ["submit", "click"])
    asked = {"fn_index": ask, "data": [question, "", [], [], None], "session_hash": question, "trigger_id": None}
    queue = f"{address}/gradio_api/queue"
    assert httpx.post(f"{queue}/join", json=asked, headers=headers).status_code == 200
    told = httpx.get(f"{queue}/data", params={"session_hash": question}, headers=headers, timeout=60).text
    return "".join(json.dumps(json.loads(line[5:]), ensure_ascii=False) for line in told.splitlines() if line)


def test_who_asks_too_often_is_told_when_to_come_back(small: Assistant, workspace: Path, name: str) -> None:
    with (
        served(small, workspace, rate_per_minute=2, user_rate_per_minute=1, proxies="127.0.0.1") as address,
        httpx.Client(base_url=address) as client,
    ):
        far = {"x-forwarded-for": "203.0.113.9"}
        for path, sent in (("/api/search", {"question": AREA}), ("/v1/chat/completions", {})):  # one limit for all ways
            assert client.post(path, json=sent, headers=far).status_code in (200, 400)
        refused = client.post("/api/ask", json={"question": AREA}, headers=far)
        assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate_limited")
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        assert "提问太频繁" in events(address, AREA, **far)
        neighbour = {"x-forwarded-for": "203.0.113.10"}
        assert client.post("/api/search", json={"question": AREA}, headers=neighbour).status_code == 200
        enter(client, name)
        assert client.post("/api/search", json={"question": AREA}, headers=far).status_code == 200
        assert client.post("/api/search", json={"question": AREA}, headers=neighbour).status_code == 429


@pytest.mark.parametrize("channel", ["page", "api", "openai", "mcp"])
def test_whoever_asks_by_whatever_way_is_written_down(
    address: str, browser: httpx.Client, people: People, name: str, channel: str
) -> None:
    enter(browser, name)
    who = {"cookie": f"jiading={browser.cookies['jiading']}"}
    question = f"{AREA}电话13812345678，经{channel}"
    chat = {"model": "jiading-assistant", "messages": [{"role": "user", "content": question}]}
    tool = {"name": "ask", "arguments": {"question": question}}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": tool}
    if channel == "page":
        events(address, question, **who)
    else:
        path, sent = {"api": ("/api/ask", {"question": question}), "openai": ("/v1/chat/completions", chat), "mcp": ("/mcp", call)}[channel]  # fmt: skip
        answered = httpx.post(address + path, json=sent, headers=who | AGENT, timeout=60)
        assert answered.status_code == 200, answered.text
    kept, entry = written(people, name)
    assert (kept.who, kept.channel, kept.status) == (name, channel, "answered")
    assert "氢能港" in kept.question and "138" not in kept.question
    assert (entry.who, entry.role, entry.detail["channel"]) == (name, "drafter", channel)
    assert entry.generation == kept.generation != "" and "氢能港" not in json.dumps(entry.detail)


def written(people: People, name: str) -> tuple[Any, Any]:
    """The latest question and the latest audit row of asking, once the server has written them."""
    for _ in range(100):
        time.sleep(0.02)
        mine = [kept.asked for kept in people.questions.page() if kept.asked.who == name]
        rows = [entry.event for entry in people.audit.page(who=name, action="ask")]
        if mine and rows:
            return mine[0], rows[0]
    raise AssertionError("nothing was written")


def test_the_audit_tells_of_every_step_and_of_no_secret(browser: httpx.Client, people: People, name: str) -> None:
    enter(browser, name, "wrong password!")
    enter(browser, name)
    key = made(browser)
    number = re.search(r'name="key" value="(\d+)"', browser.get("/account").text)
    browser.post("/account/keys/revoke", data={"key": number[1] if number else ""})
    browser.post("/account/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
    browser.post("/logout")
    wanted = {"signed_in", "key.added", "key.revoked", "password.changed", "signed_out"}
    for _ in range(100):
        time.sleep(0.02)
        rows = people.audit.page(who=name)
        if wanted <= {entry.event.action for entry in rows}:
            break
    assert wanted == {entry.event.action for entry in rows}
    assert people.audit.page(action="sign_in.refused") and people.audit.verify() is None
    everything = json.dumps([entry.to_dict() for entry in people.audit.page(size=200)], ensure_ascii=False)
    assert not any(secret in everything for secret in (key, PASSWORD, NEW, "wrong password!", "127.0.0.1"))
