"""The page as a reader meets it: a real server and a real browser; a console error or a foreign request fails."""

import html
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import pytest
from conftest import CORPUS, DOCUMENTS, ROOT, ROWS, axe, served, signed_in, write_corpus
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect, sync_playwright

from assistant.config import Settings
from assistant.conversation import Conversation
from assistant.errors import ModelError
from assistant.ingest import Report
from assistant.kept import MOST
from assistant.models import load_assistant
from assistant.page import EXAMPLES
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn
from assistant.viewer import AnswerView, text_html

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
ATTACK = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
MARKUP = "<b onclick=hacked()>"  # what looks like a program's own text is not quoted: this does not
HOSTILE = 'a&b #1?"<i>.md'
LONG = "\n\n".join(f"第{n}段说明园区的日常服务。" for n in range(80))
LEFT = (
    "AbortError: signal is aborted",
    "Unexpected error Connection errored out",
)  # Gradio, of what a reload breaks off
CONTRAST = """() => {
  const rgba = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (color) => color.slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const color = rgba(getComputedStyle(node).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll("body *")].filter((node) => node.checkVisibility() && !node.matches("option") &&
    [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim())).map((node) => {
    const [a, b] = [light(rgba(getComputedStyle(node).color)), light(behind(node))].sort((x, y) => y - x);
    return { text: node.textContent.trim().slice(0, 20), ratio: (a + 0.05) / (b + 0.05) };
  }).filter((one) => one.ratio < 4.5);
}"""


NOT_ENGLISH = """() => {
  const han = (text) => /[\\u3400-\\u9fff]/.test((text || "").replace(/《[^》]*》/g, ""));
  const nodes = [...document.querySelectorAll("head title, body, body *:not(script, style, template)")];
  return nodes.filter((node) => !node.closest("[lang|=zh], .question, #talks li")).flatMap((node) => [
    ...[...node.childNodes].filter((child) => child.nodeType === 3).map((child) => child.textContent),
    ...["aria-label", "placeholder", "alt"].map((name) => node.getAttribute(name)),
  ]).filter(han);
}"""


class Recorder(Assistant):
    """An assistant that remembers what it was asked, and can be made to fail."""

    def __init__(self, assistant: Assistant) -> None:
        super().__init__(assistant.index, assistant._embeddings)
        self.asked: list[tuple[str, Sequence[Turn], date]] = []
        self.failure: Exception | None = None

    def ask(self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None) -> Answer:
        assert filters
        if sys._getframe(1).f_code.co_name == "follow_ups":  # nobody asked: it looks what may be suggested
            return super().ask(question, history, filters)
        self.asked.append((question, history, filters.as_of))
        if self.failure:
            raise self.failure
        return super().ask(question, history, filters)


@pytest.fixture(scope="module")
def recorder(tmp_path_factory: pytest.TempPathFactory, run_ingest: Callable[[Path, Path], Report]) -> Recorder:
    folder = tmp_path_factory.mktemp("ui")
    documents = {
        **DOCUMENTS,
        HOSTILE: f"# 概况\n\n{LONG}\n\n机器人园的建筑面积是5平方公里{MARKUP}。\n\n{ATTACK}\n",
    }
    rows = {
        **ROWS,
        HOSTILE: {"title": f"测试区机器人园{ATTACK}", "doc_type": "news", "published": "2024-05-01", "source_url": "javascript:alert(1)", "publisher": ATTACK},
    }  # fmt: skip
    rows["port.md"] = {**rows["port.md"], "source_url": "https://example.com/port"}
    run_ingest(write_corpus(folder / "corpus", documents, rows), folder / "index")
    return Recorder(load_assistant(Settings(index=folder / "index")))


@pytest.fixture(scope="module")
def address(recorder: Recorder) -> Iterator[str]:
    """A running server's address."""
    with served(recorder) as running:
        yield f"{running}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS)
        yield running
        running.close()


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str, recorder: Recorder) -> Iterator[Open]:
    """Open the page in a window of its own; what the console complains of and what goes elsewhere fails the test."""
    recorder.asked.clear()
    recorder.failure = None
    faults: list[str] = []

    def opened(width: int = 1440, height: int = 900, scheme: str = "light", path: str = "") -> Page:
        locale = "en-GB" if path else "zh-CN"
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale=locale)
        page = context.new_page()
        page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else faults.append(r.url))
        page.on("response", lambda r: faults.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on(
            "domcontentloaded", lambda _: faults.__setitem__(slice(None), [f for f in faults if not f.startswith(LEFT)])
        )
        page.goto(address + path)
        expect(page.locator("#question textarea")).to_be_visible(timeout=20_000)
        expect(page.locator("#links a")).not_to_have_count(0)  # all is loaded: nothing is cut off by what comes next
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert not faults


def ask(page: Page, question: str) -> None:
    """Ask and wait for the whole answer."""
    count = page.locator(".exchange").count()
    page.fill("#question textarea", question)
    page.keyboard.press("Enter")
    expect(page.locator(".exchange")).to_have_count(count + 1)
    expect(page.locator(".exchange").last.locator(".as-of, .notice[role=alert]")).to_be_visible(timeout=20_000)


def marks(page: Page) -> list[str]:
    """Return the marked texts of the document beside the conversation."""
    frame = page.frame_locator("iframe[name=document]")
    expect(frame.locator("#quote")).to_be_visible()
    return frame.locator("mark").all_inner_texts()


def fetch(url: str, data: bytes | None = None, headers: Mapping[str, str] = MappingProxyType({})) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, dict(headers))) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_a_citation_opens_its_document_at_the_very_quote(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    statement = page.locator(".statement", has_text="30万元")
    expect(statement).to_have_count(1)
    expect(page.locator(".notice.strong", has_text="已失效")).to_be_visible()  # grant.md ended in 2025
    statement.locator(".chip").first.click()
    assert [mark.strip() for mark in marks(page)] == ["首次认定", "一次性奖励30万元"]
    expect(page.frame_locator("iframe[name=document]").locator("dl")).to_contain_text("测府规〔2023〕3号")


def test_the_quote_is_scrolled_into_view(open_page: Open) -> None:
    page = open_page()
    ask(page, "机器人园的建筑面积是多少?")
    page.locator(".chip").first.click()
    assert "5平方公里" in "".join(marks(page))
    expect(page.frame_locator("iframe[name=document]").locator("#quote")).to_be_in_viewport()
    assert page.evaluate("frames[0].scrollY") > 500


def test_the_question_is_shown_at_once_and_statements_follow(open_page: Open) -> None:
    page = open_page()
    page.evaluate(
        "window.seen = []; new MutationObserver(() => seen.push(document.querySelector('.exchange')?.innerText))"
        ".observe(document.querySelector('#talk'), { childList: true, subtree: true, characterData: true })"
    )
    ask(page, "谁能报?企业有什么条件?")
    seen = [text for text in page.evaluate("seen") if text]
    assert "谁能报" in seen[0] and "正在查找" in seen[0]
    assert len(seen) > 2


def test_a_follow_up_carries_the_history_until_it_is_cleared(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    ask(page, "氢能港的规划面积多大?")
    ask(page, "它在哪里?")
    history = recorder.asked[1][1]
    assert [turn.role for turn in history] == ["user", "assistant"]
    assert history[0].content == "氢能港的规划面积多大?" and "2.15" in history[1].content
    page.click("#new")
    expect(page.locator(".exchange")).to_have_count(0)
    expect(page.locator("#examples")).to_be_visible()
    ask(page, "氢能港的规划面积多大?")
    assert recorder.asked[2][1] == ()


def kept(page: Page) -> list[dict[str, Any]]:
    """What the browser keeps of conversations, newest first."""
    found: list[dict[str, Any]] = page.evaluate("JSON.parse(localStorage.getItem('jiading.talks') || '[]')")
    return found


def reload(page: Page) -> None:
    """Load the page anew, nothing of it being under way, and wait until its own first requests are answered."""
    page.wait_for_timeout(800)
    page.reload()
    expect(page.locator("#links a")).not_to_have_count(0, timeout=20_000)
    page.wait_for_timeout(500)


def test_a_conversation_outlives_a_reload_until_it_is_deleted(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    ask(page, f"月球基地{ATTACK}有多大?")
    shown = [page.locator(".exchange").nth(n).inner_text().replace("有帮助没帮助", "").split() for n in (0, 1)]
    reload(page)
    expect(page.locator(".exchange")).to_have_count(2, timeout=20_000)
    assert [page.locator(".exchange").nth(n).inner_text().split() for n in (0, 1)] == shown
    expect(page.locator("#examples")).to_be_hidden()
    expect(page.locator("#talk img, #talk script")).to_have_count(0)
    page.locator(".exchange").first.locator(".chip").first.click()
    assert marks(page)
    page.keyboard.press("Escape")
    ask(page, "它什么时候到期?")
    assert recorder.asked[-1][1][0].content == "首次认定奖励多少?"
    page.click("#show-talks")
    page.get_by_role("button", name="删除：").click()
    expect(page.locator(".exchange")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_contain_text("还没有对话")
    page.keyboard.press("Escape")
    expect(page.locator("#download")).to_be_hidden()
    reload(page)
    expect(page.locator(".exchange")).to_have_count(0)


def test_conversations_are_listed_opened_and_deleted_by_the_keyboard(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    page.click("#new")
    expect(page.locator("#examples")).to_be_visible()
    expect(page.locator(".exchange")).to_have_count(0)
    reload(page)
    expect(page.locator(".exchange")).to_have_count(0)  # the new one is still the open one
    ask(page, f"氢能港的规划面积多大?{ATTACK}")
    ask(page, "它在哪里?")
    page.get_by_role("button", name="历史对话").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="历史对话")
    titles = dialog.locator("li [data-talk] span")
    expect(titles).to_have_text([f"氢能港的规划面积多大?{ATTACK}", "首次认定奖励多少?"])
    expect(dialog.locator("time").first).to_have_text(str(date.today()))
    expect(dialog.locator("[aria-current=true]")).to_contain_text("氢能港")
    assert axe(page) == []
    dialog.get_by_role("button", name="首次认定").first.focus()
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    expect(page.locator(".question")).to_have_text(["问：首次认定奖励多少?"])
    expect(page.locator("#question textarea")).to_be_focused()
    ask(page, "谁能报?")
    assert [turn.content for turn in recorder.asked[-1][1] if turn.role == "user"] == ["首次认定奖励多少?"]
    assert [(one["title"][:4], len(one["answers"])) for one in kept(page)] == [("首次认定", 2), ("氢能港的", 2)]
    page.get_by_role("button", name="历史对话").click()
    page.get_by_role("button", name="删除：氢能港的规划面积多大").focus()
    page.keyboard.press("Enter")
    expect(titles).to_have_text(["首次认定奖励多少?"])
    page.once("dialog", lambda sure: sure.dismiss())
    page.get_by_role("button", name="全部删除").click()
    expect(titles).to_have_count(1)
    page.once("dialog", lambda sure: sure.accept())
    page.get_by_role("button", name="全部删除").click()
    expect(page.locator(".exchange")).to_have_count(0)
    expect(page.get_by_role("button", name="关闭")).to_be_focused()
    assert kept(page) == []


def test_what_is_kept_is_bounded(open_page: Open) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    page.evaluate(
        """() => {
        const [one] = JSON.parse(localStorage.getItem("jiading.talks"));
        const many = Array.from({ length: 25 }, (_, n) => ({ ...one, id: `old${n}`, title: `旧${n}` }));
        localStorage.setItem("jiading.talks", JSON.stringify([one, ...many]));
    }"""
    )
    ask(page, "谁能报?")
    assert len(kept(page)) == 20 and kept(page)[0]["title"] == "首次认定奖励多少?"
    page.evaluate(
        "keepTalk('big', Array.from({ length: 30 }, (_, n) => ({ question: `问${n}`, statements: ['字'.repeat(4000)] })))"
    )
    assert len(json.dumps(kept(page)[0]["answers"], ensure_ascii=False).encode()) <= 140_000
    page.evaluate("localStorage.setItem('other', 'x'.repeat(5 * 1024 * 1024 - 200_000))")  # the browser has little room
    ask(page, "首次认定奖励多少?")
    assert kept(page)[0]["answers"][-1]["question"] == "首次认定奖励多少?"


def test_the_one_conversation_kept_before_is_taken_over(open_page: Open) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    page.evaluate(
        """() => {
        localStorage.setItem("jiading.talk", JSON.stringify(JSON.parse(localStorage.getItem("jiading.talks"))[0].answers));
        ["jiading.talks", "jiading.owner"].forEach((key) => localStorage.removeItem(key));
        sessionStorage.clear();
    }"""
    )
    reload(page)
    expect(page.locator(".exchange .statement").first).to_contain_text("30万元", timeout=20_000)
    assert [one["title"] for one in kept(page)] == ["首次认定奖励多少?"]
    assert page.evaluate("localStorage.getItem('jiading.talk')") is None


def test_what_answers_are_limited_to_outlives_a_reload(open_page: Open) -> None:
    page = open_page()
    page.click("#scope > button")
    page.get_by_label("市级").check()
    page.get_by_label("政策文件").check()
    expect(page.locator("#limits button")).to_have_count(2)
    reload(page)
    expect(page.locator("#limits button")).to_have_text(["市级 ×", "政策文件 ×"])
    page.click("#scope > button")
    expect(page.get_by_role("checkbox", name="政策文件")).to_be_checked()
    page.get_by_role("button", name="不再限定政策文件").click()
    expect(page.locator("#limits button")).to_have_count(1)
    ask(page, "氢能港的规划面积多大?")
    expect(page.locator(".limited")).to_contain_text("只查了：市级")
    reload(page)
    expect(page.locator("#limits button")).to_have_text(["市级 ×"])
    expect(page.locator(".exchange")).to_have_count(1)


@pytest.mark.parametrize(
    "found", ["[1]", "x" * 300_000, '[{"id":"a","answers":[{"question":"问","statements":[{"text":"<b>"}]}]}]']
)
@pytest.mark.parametrize("key", ["jiading.talks", "jiading.talk", "jiading.limits"])
def test_a_spoiled_conversation_is_left_alone(open_page: Open, key: str, found: str) -> None:
    page = open_page()
    page.wait_for_timeout(500)  # the page's own first requests are answered
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, found])
    reload(page)
    ask(page, "氢能港的规划面积多大?")
    expect(page.locator(".exchange")).to_have_count(1)


def test_whoever_comes_next_finds_nothing(browser: Browser, recorder: Recorder) -> None:
    """At a shared computer: after somebody signs out, and when somebody else signs in."""
    workspace = recorder.index.directory.parent.parent / "workspace"
    with served(recorder) as running:
        context = browser.new_context(locale="zh-CN")
        page, other = context.new_page(), context.new_page()
        context.add_cookies([signed_in(running, workspace, "asker")])
        for one in (page, other):
            one.goto(running)
            expect(one.get_by_role("link", name="asker")).to_be_visible(timeout=20_000)
        ask(page, "首次认定奖励多少?")
        reload(page)
        expect(page.locator(".exchange")).to_have_count(1)
        reload(other)
        expect(other.locator(".exchange")).to_have_count(1)
        page.goto(f"{running}/account")
        page.get_by_role("button", name="退出登录").click()
        expect(page.get_by_role("heading")).to_have_text("已退出登录")
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
        expect(other.get_by_role("link", name="登录")).to_be_visible(timeout=20_000)  # another window left open
        expect(other.locator(".exchange")).to_have_count(0)
        other.close()
        page.goto(running)
        context.add_cookies([signed_in(running, workspace, "asker")])
        reload(page)
        ask(page, "首次认定奖励多少?")
        assert kept(page)
        context.add_cookies([signed_in(running, workspace, "drafter")])
        reload(page)
        expect(page.locator(".exchange")).to_have_count(0)
        assert kept(page) == []
        context.close()


def test_an_answer_is_copied_and_the_conversation_saved_with_sources(open_page: Open) -> None:
    page = open_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    ask(page, "首次认定奖励多少?")
    ask(page, "氢能港的规划面积多大?")
    page.get_by_role("button", name="复制").last.click()
    expect(page.get_by_role("button", name="已复制")).to_be_focused()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "2.15平方公里" in copied and "[1] 《测试区氢能港规划》" in copied and "https://example.com/port" in copied
    with page.expect_download() as saved:
        page.get_by_role("button", name="下载对话").click()
    text = Path(saved.value.path()).read_text(encoding="utf-8")
    assert copied.strip().splitlines()[0] in text and text.index("## 首次认定") < text.index("## 氢能港")
    assert "不是现行规定" in text and "截至" in text and "资料版本：" in text


def test_an_answer_is_copied_where_the_clipboard_is_shut(open_page: Open) -> None:
    page = open_page()
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.evaluate("document.addEventListener('copy', () => { window.copied = document.activeElement.value })")
    ask(page, "氢能港的规划面积多大?")
    page.get_by_role("button", name="复制").click()
    expect(page.get_by_role("button", name="已复制")).to_be_focused()
    assert "[1]" in page.evaluate("window.copied")


def test_a_broken_connection_is_said_and_mended_and_nothing_written_is_lost(
    browser: Browser, recorder: Recorder
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    recorder.failure = None
    page = browser.new_context(locale="zh-CN").new_page()
    with served(recorder, port=port) as running:
        page.goto(running)
        ask(page, "首次认定奖励多少?")
    page.fill("#question textarea", "氢能港的规划面积多大?")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text("连接断了", timeout=20_000)
    expect(page.locator("#question textarea")).to_have_value("氢能港的规划面积多大?")
    expect(page.get_by_text("Connection to the server")).to_be_hidden()
    with served(recorder, port=port):
        expect(page.locator("#state")).to_be_hidden(timeout=20_000)
        expect(page.locator(".exchange")).to_have_count(1, timeout=20_000)
        expect(page.locator("#question textarea")).to_have_value("氢能港的规划面积多大?")
        page.click("#send")
        expect(page.locator(".exchange").last.locator(".statement")).to_contain_text("2.15", timeout=20_000)
        page.context.close()


def test_a_question_that_takes_long_is_said_so(open_page: Open) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    pending = '<p class="pending">正在查找资料……</p>'
    page.evaluate("html => document.querySelector('#talk .answer').insertAdjacentHTML('beforeend', html)", pending)
    expect(page.locator(".pending")).to_have_text("还在查找……")


@pytest.mark.parametrize(("status", "told"), [(413, "太长"), (429, "太频繁"), (503, "人太多"), (500, "没有发送成")])
def test_a_refusal_is_said_plainly_and_what_was_written_stays(
    browser: Browser, address: str, status: int, told: str
) -> None:
    page = browser.new_context(locale="zh-CN").new_page()
    page.goto(address)
    expect(page.locator("#links a")).not_to_have_count(0)
    page.route("**/queue/join*", lambda route: route.fulfill(status=status, json={"detail": "refused"}))
    page.fill("#question textarea", "氢能港的规划面积多大?")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_contain_text(told)
    expect(page.locator("#question textarea")).to_have_value("氢能港的规划面积多大?")
    expect(page.locator(".toast-wrap")).to_be_hidden()
    page.unroute("**/queue/join*")
    page.click("#send")
    expect(page.locator("#state")).to_be_hidden()
    expect(page.locator(".statement")).to_contain_text("2.15", timeout=20_000)
    page.context.close()


def test_the_calendar_fills_in_the_day(open_page: Open, recorder: Recorder) -> None:
    page = open_page(390, 844)
    page.get_by_role("button", name="更多").click()
    page.fill("#as-of input", "2024年1月5日")
    page.get_by_role("button", name="选日期").click()
    expect(page.locator("#day")).to_have_value("2024-01-05")
    page.keyboard.press("Escape")
    page.locator("#day").evaluate("day => { day.value = '2024-02-06'; day.dispatchEvent(new Event('change')) }")
    expect(page.locator("#as-of input")).to_have_value("2024-02-06")
    ask(page, "首次认定奖励多少?")
    assert recorder.asked[0][2] == date(2024, 2, 6)


def test_an_example_is_asked_by_one_click(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    page.get_by_role("button", name=EXAMPLES["zh"][2]).click()
    expect(page.locator(".exchange .as-of")).to_be_visible(timeout=20_000)
    assert recorder.asked[0][0] == EXAMPLES["zh"][2]
    expect(page.locator("#examples")).to_be_hidden()


def test_what_may_be_asked_next_is_asked_by_the_keyboard_and_kept_nowhere(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    page.fill("#as-of input", "2024-06-01")
    ask(page, "谁能报?企业有什么条件?")
    following = page.locator("#next button")
    expect(following.first).to_have_text("测试区特色园区扶持办法最高支持多少？")
    log = recorder.index.directory.parent.parent / "workspace" / "people.sqlite"
    assert "最高支持多少".encode() not in b"".join(file.read_bytes() for file in log.parent.glob("*.sqlite*"))
    following.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".exchange .as-of")).to_have_count(2, timeout=20_000)
    assert recorder.asked[1][0] == "测试区特色园区扶持办法最高支持多少？"
    page.click("#new")
    expect(following).to_have_count(0)


def test_a_new_conversation_has_suggestions_of_its_own(open_page: Open) -> None:
    page = open_page()
    page.fill("#as-of input", "2024-06-01")
    for _ in range(2):
        ask(page, "谁能报?企业有什么条件?")
        expect(page.locator("#next button").first).to_be_visible(timeout=20_000)
        page.click("#new")
        expect(page.locator("#next button")).to_have_count(0)
        expect(page.locator(".exchange")).to_have_count(0)


def test_an_answer_says_what_it_was_limited_to_and_can_be_had_without(open_page: Open) -> None:
    page = open_page()
    page.click("#scope > button")
    assert page.locator("#scope label").all_inner_texts() == [
        "市级",
        "区级",
        "政策文件",
        "征求意见稿",
        "规划方案",
        "新闻报道",
    ]
    page.get_by_label("市级").check()
    page.get_by_label("政策文件").check()
    expect(page.locator("#limits button")).to_have_count(2)
    page.get_by_role("button", name="不再限定政策文件").click()
    expect(page.locator("#limits button")).to_have_count(1)
    expect(page.get_by_label("政策文件")).not_to_be_checked()
    assert axe(page) == []
    ask(page, "氢能港的规划面积多大?")
    expect(page.locator(".statement")).to_contain_text("没有能回答")
    expect(page.locator(".limited")).to_contain_text("只查了：市级")
    page.get_by_role("button", name="不限范围再查一次").click()
    expect(page.locator(".exchange")).to_have_count(2)
    expect(page.locator(".exchange").last.locator(".statement").first).to_contain_text("2.15", timeout=20_000)
    expect(page.locator(".exchange").last.locator(".limited")).to_have_count(0)
    expect(page.locator("#limits button")).to_have_count(0)


def test_a_source_tells_what_it_is_before_it_is_opened(open_page: Open) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    chip, about = page.locator(".chip").first, page.locator("#about")
    expect(about).to_be_hidden()
    chip.hover()
    for part in ("30万元", "测试区特色园区扶持办法", "2023-05-01", "测府规〔2023〕3号", "已失效"):
        expect(about).to_contain_text(part)
    about.hover()  # it stays as long as it is pointed at
    page.wait_for_timeout(400)
    expect(about).to_be_visible()
    assert axe(page) == []
    page.keyboard.press("Escape")
    expect(about).to_be_hidden()
    page.mouse.move(0, 0)
    page.locator("#question textarea").focus()
    for _ in range(40):  # up to the number, by the keyboard
        page.keyboard.press("Shift+Tab")
        if chip.evaluate("node => node === document.activeElement"):
            break
    expect(about).to_be_visible()
    expect(chip).to_have_attribute("aria-describedby", "about")
    page.keyboard.press("Escape")
    expect(about).to_be_hidden()
    expect(chip).to_be_focused()


def test_the_first_touch_tells_and_the_second_opens(browser: Browser, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(address)
    ask(page, "首次认定奖励多少?")
    page.locator(".chip").first.tap()
    expect(page.locator("#about")).to_be_visible()
    expect(page.locator("#reader")).to_be_hidden()
    page.locator(".chip").first.tap()
    expect(page.locator("#about")).to_be_hidden()
    assert marks(page)
    context.close()


def test_an_abstention_says_so_and_links_the_nearest_documents(open_page: Open) -> None:
    page = open_page()
    ask(page, "月球基地的规划面积多大?")
    expect(page.locator(".statement")).to_contain_text("没有能回答")
    expect(page.locator(".chip")).to_have_count(0)
    page.locator(".sources a").first.click()
    assert marks(page)


@pytest.mark.parametrize("day", ["明天", "2026-02-30", "2026-11"])
def test_a_date_that_is_none_is_refused_kindly(open_page: Open, recorder: Recorder, day: str) -> None:
    page = open_page()
    page.fill("#as-of input", day)
    page.fill("#question textarea", "氢能港的规划面积多大?")
    page.click("#send")
    expect(page.locator("#message")).to_contain_text("截至日期")
    expect(page.locator("#question textarea")).to_have_value("氢能港的规划面积多大?")
    assert not recorder.asked


def test_the_as_of_date_reaches_the_assistant(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    page.fill("#as-of input", "2024年1月5日")
    ask(page, "首次认定奖励多少?")
    assert recorder.asked[0][2] == date(2024, 1, 5)
    expect(page.locator(".exchange .as-of")).to_have_text("截至 2024-01-05")
    expect(page.locator(".notice.strong")).to_have_count(0)  # the grant was in force then


def test_questions_that_cannot_be_asked(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    page.fill("#question textarea", "   ")
    page.keyboard.press("Enter")
    page.wait_for_timeout(500)
    page.fill("#question textarea", "问" * 2001)
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("2000")
    # Enter that confirms a candidate of an input method
    page.fill("#question textarea", "qing")
    page.dispatch_event("#question textarea", "keydown", {"key": "Enter", "isComposing": True})
    page.wait_for_timeout(500)
    assert not recorder.asked
    expect(page.locator(".exchange")).to_have_count(0)


def test_nothing_of_a_question_or_a_document_is_interpreted(open_page: Open, address: str) -> None:
    page = open_page()
    ask(page, f"机器人园的建筑面积是多少?{ATTACK}${{alert(1)}}{{{{7*7}}}}")
    expect(page.locator(".question")).to_contain_text(ATTACK + "${alert(1)}{{7*7}}")
    expect(page.locator(".answer")).to_contain_text(ATTACK)  # the publisher
    expect(page.locator(".statement")).to_contain_text(MARKUP)
    expect(page.locator(".sources a", has_text="来源网页")).to_have_count(0)  # javascript: is no web page
    page.locator(".chip").first.click()
    marks(page)
    frame = page.frame_locator("iframe[name=document]")
    expect(frame.locator("main")).to_contain_text(ATTACK)
    expect(frame.locator("h1")).to_contain_text(ATTACK)
    expect(frame.locator("script, img, b[onclick]")).to_have_count(0)
    expect(page.locator("#talk script, #talk img, #talk b[onclick]")).to_have_count(0)
    assert page.evaluate("window.hacked || frames[0].hacked") is None


def test_a_source_opens_its_web_page_in_a_new_window(open_page: Open) -> None:
    page = open_page()
    ask(page, "氢能港的规划面积多大?")
    link = page.locator(".sources a", has_text="来源网页")
    assert [link.get_attribute(name) for name in ("href", "target", "rel")] == [
        "https://example.com/port", "_blank", "noopener noreferrer",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("failure", "shown"),
    [(ModelError("大模型没有回答,请稍后再试"), "大模型没有回答"), (RuntimeError("secret detail"), "意外故障")],
)
def test_a_failure_is_one_calm_line(open_page: Open, recorder: Recorder, failure: Exception, shown: str) -> None:
    page = open_page()
    recorder.failure = failure
    ask(page, "氢能港的规划面积多大?")
    expect(page.locator(".notice")).to_contain_text(shown)
    assert "secret" not in page.content() and "Traceback" not in page.content()
    recorder.failure = None
    ask(page, "氢能港的规划面积多大?")
    expect(page.locator(".statement").first).to_contain_text("2.15")


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_an_answer_that_did_not_help_becomes_a_candidate_without_personal_data(
    open_page: Open, recorder: Recorder
) -> None:
    page = open_page()
    ask(page, "氢能港的规划面积多大?")
    page.fill("#as-of input", "2024-01-05")
    ask(page, "我叫张三，手机13812345678，氢能港的规划面积多大?")
    page.locator(".exchange").last.get_by_role("button", name="没帮助").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_label("资料过时").check()
    page.get_by_label("补充说明").fill("请打021-59990000告诉我")
    page.get_by_role("button", name="提交").click()
    expect(page.locator(".exchange").last.locator(".feedback")).to_have_text("已记下：没帮助（资料过时）。谢谢。")
    expect(page.locator("#question textarea")).to_be_focused()
    expect(page.get_by_role("button", name="没帮助")).to_have_count(1)  # the first answer may still be rated
    workspace = recorder.index.directory.parent.parent / "workspace"
    written = (workspace / "candidates.jsonl").read_text(encoding="utf-8")
    found = lines(workspace / "candidates.jsonl")[-1]
    assert not any(kept in written for kept in ("张三", "13812345678", "59990000"))
    assert found["question"] == "我叫［姓名］，手机［手机号码］，氢能港的规划面积多大?"
    assert [turn["role"] for turn in found["history"]] == ["user", "assistant"]
    assert (found["reason"], found["comment"]) == ("outdated", "请打［电话号码］告诉我")
    assert found["as_of"] == "2024-01-05" and "2.15" in found["answer"] and found["sources"][0]["document"] == "port"
    assert (workspace / "candidates.jsonl").stat().st_mode & 0o777 == 0o600


def test_an_answer_that_helped_is_counted_and_the_talk_goes_on(open_page: Open, recorder: Recorder) -> None:
    page = open_page()
    ask(page, "氢能港的规划面积多大?")
    page.get_by_role("button", name="有帮助").click()
    expect(page.locator(".feedback")).to_have_text("已记下：有帮助。谢谢。")
    assert lines(recorder.index.directory.parent.parent / "workspace" / "feedback.jsonl")[-1]["helpful"] is True
    ask(page, "它在哪里?")
    expect(page.locator(".exchange").first.locator(".feedback")).to_have_text("已记下：有帮助。谢谢。")
    page.get_by_role("button", name="没帮助").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="没帮助")).to_be_focused()
    page.wait_for_timeout(300)
    assert len(recorder.asked[1][1]) == 2


def test_the_keyboard_is_enough(open_page: Open) -> None:
    page = open_page()
    ask(page, "氢能港的规划面积多大?")
    chip = page.locator(".chip").first
    chip.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    expect(chip).to_be_focused()
    assert float(chip.evaluate("node => parseFloat(getComputedStyle(node).outlineWidth)")) >= 2
    page.keyboard.press("Enter")
    marks(page)
    page.keyboard.press("Escape")
    expect(page.locator("#reader")).to_be_hidden()
    expect(chip).to_be_focused()


def test_a_phone_needs_no_sideways_scrolling(open_page: Open) -> None:
    page = open_page(390, 844)
    ask(page, "首次认定奖励多少?" + "很长的英文" + "W" * 200)
    ask(page, "首次认定奖励多少?")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    expect(page.locator("#send")).to_be_in_viewport(ratio=1)
    page.locator(".exchange").last.locator(".chip").first.click()
    marks(page)
    assert page.evaluate("frames[0].document.documentElement.scrollWidth") == 390
    assert page.locator("#reader").bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.click("#close-reader")
    expect(page.locator("#reader")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 390])
def test_a_phone_leaves_the_screen_to_the_conversation(open_page: Open, width: int) -> None:
    page = open_page(width, 844)
    ask(page, "首次认定奖励多少?")
    composer, more = page.locator("#composer"), page.get_by_role("button", name="更多")
    assert (composer.bounding_box() or {})["height"] <= 844 * 0.1
    expect(page.get_by_label("截至日期", exact=True)).to_be_hidden()
    more.focus()
    page.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(page.get_by_label("截至日期", exact=True)).to_be_visible()
    expect(page.locator("#new")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert axe(page) == []
    more.click()
    expect(page.get_by_label("截至日期", exact=True)).to_be_hidden()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(open_page: Open, scheme: str) -> None:
    """WCAG 2.2 asks 4.5:1."""
    page = open_page(scheme=scheme)
    assert page.evaluate(CONTRAST) == []
    ask(page, "首次认定奖励多少?")
    page.locator(".chip").first.click()
    marks(page)
    assert page.evaluate(CONTRAST) == []
    assert page.frames[1].evaluate(CONTRAST) == []
    ground = page.frames[1].evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, re.findall(r"\d+", ground))) < 200) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_the_page_and_the_document_beside_it_hold_to_wcag(open_page: Open, width: int, scheme: str) -> None:
    page = open_page(width, 900, scheme)
    assert axe(page) == []
    ask(page, "首次认定奖励多少?")
    assert axe(page) == []
    page.locator(".chip").first.click()
    marks(page)
    assert axe(page) == []


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
def test_the_page_in_english(open_page: Open, recorder: Recorder, width: int, scheme: str) -> None:
    """Each state of it: all in English but what is marked as Chinese."""
    page = open_page(width, 844, scheme, "en")
    states: list[list[str]] = []

    def look() -> None:
        states.append(page.evaluate(NOT_ENGLISH) + axe(page))
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    assert page.url.endswith("/en/") and page.evaluate("document.documentElement.lang") == "en"
    if width < 600:
        page.get_by_role("button", name="More").click()
    page.click("#scope > button")
    page.get_by_label("Municipal").check()
    expect(page.locator("#limits button")).to_have_count(1)
    look()
    ask(page, "月球基地有多大?")
    expect(page.locator(".limited")).to_contain_text("Searched only: Municipal")
    page.get_by_role("button", name="No longer limit to: Municipal").click()
    look()
    page.click("#new")
    expect(page.locator(".exchange")).to_have_count(0)
    ask(page, "How much is the one-off reward 首次认定?")
    expect(page.locator(".notice.strong")).to_contain_text("was valid until 2025-05-31")
    expect(page.locator(".chip").first).to_contain_text("No longer in force")
    page.locator(".chip").first.hover()
    expect(page.locator("#about")).to_contain_text("Document no.")
    look()
    page.locator(".chip").first.click()
    assert marks(page)
    states.append(page.frames[1].evaluate(NOT_ENGLISH) + axe(page))
    expect(page.frame_locator("iframe[name=document]").locator("dl")).to_contain_text("From 2023-06-01 to 2025-05-31")
    assert page.frames[1].evaluate("document.documentElement.lang") == "en"
    page.click("#close-reader")
    page.mouse.move(0, 0)
    page.get_by_role("button", name="Not helpful").click()
    look()
    page.get_by_label("The documents are out of date").check()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".feedback")).to_have_text("Noted: Not helpful (The documents are out of date). Thank you.")
    page.get_by_role("button", name="History").click()
    look()
    page.keyboard.press("Escape")
    page.fill("#as-of input", "tomorrow")
    page.fill("#question textarea", "Where?")
    page.click("#send")
    expect(page.locator("#message")).to_contain_text("Please write the as-of date like")
    page.fill("#as-of input", "")
    recorder.failure = RuntimeError("secret")
    ask(page, "Where?")
    expect(page.locator(".notice[role=alert]")).to_contain_text("Something unexpected went wrong")
    look()
    recorder.failure = None
    page.click("#new")
    expect(page.locator(".exchange")).to_have_count(0)
    page.fill("#as-of input", "2024-06-01")
    ask(page, "谁能报?企业有什么条件?")
    page.get_by_role("button", name="What is the most that 测试区特色园区扶持办法 pays?").click(timeout=20_000)
    expect(page.locator(".exchange .as-of")).to_have_count(2, timeout=20_000)
    assert recorder.asked[-1][0] == "测试区特色园区扶持办法最高支持多少？"  # in the documents' language
    look()
    assert states == [[]] * len(states)


def test_the_language_is_changed_by_a_link_and_the_conversation_goes_along(open_page: Open) -> None:
    page = open_page()
    ask(page, "首次认定奖励多少?")
    page.wait_for_timeout(800)
    page.get_by_role("link", name="English").click()
    expect(page.locator(".exchange .notice.strong")).to_contain_text("was valid until", timeout=20_000)
    expect(page.locator(".statement")).to_contain_text("30万元")
    reload(page)
    assert page.evaluate("document.documentElement.lang") == "en"
    expect(page.get_by_role("button", name="Send")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_focused()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert "Sources:" in copied and "was valid until" in copied and "30万元" in copied
    with page.expect_download() as saved:
        page.get_by_role("button", name="Download").click()
    assert Path(saved.value.path()).read_text(encoding="utf-8").startswith("# Jiading industrial parks")
    page.wait_for_timeout(800)
    page.get_by_role("link", name="中文").click()
    expect(page.locator(".exchange .notice.strong")).to_contain_text("不是现行规定", timeout=20_000)
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_a_document_that_is_not_there(address: str) -> None:
    for name in ("没有的", "../../etc/passwd", quote("../x", safe=""), "%00", "<script>"):
        status, body = fetch(f"{address}documents/{quote(name, safe='%/.')}")
        assert status == 404
    assert "没有这份资料" in body


@pytest.mark.parametrize("span", ["", "start=5", "start=9&end=3", "start=-1&end=2", "start=a&end=b", "start=0&end=999999", "start=1e3&end=٣"])  # fmt: skip
def test_bad_offsets_show_the_document_unmarked(address: str, recorder: Recorder, span: str) -> None:
    identity = next(document.id for document in recorder.index.documents() if "氢能港" in document.title)
    status, body = fetch(f"{address}documents/{quote(identity, safe='')}?{quote(span, safe='=&')}&as_of=x")
    assert status == 200 and "2.15平方公里" in body and "<mark" not in body


def test_what_the_page_does_not_use_is_shut(address: str) -> None:
    for path in (
        "upload",
        "info",
        "openapi.json",
        "file=/etc/passwd",
        "run/ask",
        "call/ask",
        "proxy=http://example.com",
    ):
        assert fetch(f"{address}gradio_api/{path}", b"" if path in ("upload", "run/ask") else None)[0] == 404
    assert fetch(f"{address}monitoring")[0] == 404
    assert fetch(f"{address}gradio_api/queue/join", b"x" * 300_000)[0] == 413


@pytest.mark.parametrize(
    ("text", "quoted", "shown"),
    [
        ("# 标题\n\n第一句。第二句。\n", "第二句。", ["第二句。"]),
        ("| 项 | 数 |\n| --- | --- |\n| 甲 | 1 |\n| 乙 | 1 |\n", "| 乙 | 1 |", [" 乙 ", " 1 "]),
        ("| 甲 |  | 1\n", "| 甲 |  | 1", [" 甲 ", "  ", " 1"]),  # an empty cell, and no bar at the end
        ("- 一;\n- 二;\n", "- 二;", ["二;"]),
        ("## 小标题\n正文", "小标题", ["小标题"]),
        ("甲\n乙\n\n丙", "乙\n\n丙", ["乙", "丙"]),  # across paragraphs
        ("a < b & c", "< b &", ["< b &"]),
        ("|\n---\n**粗**", "**粗**", ["**粗**"]),
    ],
)
def test_the_marked_text_is_the_span(text: str, quoted: str, shown: list[str]) -> None:
    start = text.index(quoted)
    written = text_html(text, start, start + len(quoted))
    assert [html.unescape(mark) for mark in re.findall("<mark[^>]*>(.*?)</mark>", written, re.DOTALL)] == shown
    assert written.count('id="quote"') == 1


@pytest.mark.parametrize(
    ("text", "begins", "shown"),
    [
        ("甲乙丙丁", "丙", "<p><span>甲<mark>乙</mark>|2|<mark>丙</mark>丁</span></p>"),  # within the quote
        ("# 甲乙丙", "# 甲", "<h2>|2|甲<mark>乙丙</mark></h2>"),  # before the signs of a heading
        ("| 甲 |\n| 乙丙 |", "| 乙", "<td> 甲 </td></tr><tr><td>|2| <mark>乙丙</mark> </td></tr>"),  # of a row
        ("- 甲\n- 乙丙", "- 乙", "<ul><li>甲</li><li>|2|<mark>乙丙</mark></li></ul>"),  # of an item
    ],
)
def test_a_page_is_signed_where_it_begins(text: str, begins: str, shown: str) -> None:
    written = text_html(text, text.index("乙"), text.index("丙") + 1, (0, text.index(begins), len(text)))
    signs = re.sub(r'<span role="doc-pagebreak" aria-label="第(\d)页"></span>', r"|\1|", written)
    assert signs.count("|1|") == signs.count("|2|") == 1
    assert shown in signs.replace("|1|", "").replace(' id="quote"', "")


@given(st.text("甲乙<&|#-* \n1", max_size=40), st.integers(0, 40), st.integers(0, 40), st.lists(st.integers(0, 40)))
def test_a_document_page_shows_all_text_and_marks_only_the_span(
    text: str, start: int, end: int, pages: list[int]
) -> None:
    written = text_html(text, start, end, sorted(at for at in pages if at < len(text)))
    markup = str.maketrans("", "", "|#-* \n")
    assert html.unescape(re.sub("<[^>]*>", "", written)).translate(markup) == text.translate(markup)
    marked = "".join(re.findall("<mark[^>]*>(.*?)</mark>", written, re.DOTALL))
    assert html.unescape(marked).translate(markup) == text[start:end].translate(markup)


def test_a_long_conversation_keeps_its_end() -> None:
    talk = Conversation()
    for number in range(MOST + 5):
        talk = talk.add(f"<{number}>", Turn("user", str(number)), Turn("assistant", ""))
    assert talk.shown[0] == "<5>" and talk.turns[0].content == "5"


@pytest.mark.skipif(not (CORPUS / "documents").exists(), reason="the corpus is not in this checkout")
@pytest.mark.parametrize("question", [*EXAMPLES["zh"], *EXAMPLES["en"]])
def test_every_citation_of_an_example_is_marked_to_the_letter(jiading: Assistant, question: str) -> None:
    answer = jiading.ask(question, filters=Filters(date(2026, 11, 24)))
    assert answer.status == ("abstained" if "税收" in question or "tax" in question else "answered")
    markup = str.maketrans("", "", "|#- \n")
    for number, statement in enumerate(answer.statements):
        assert AnswerView(answer, jiading.index).chips(number)
        for citation in statement.citations:
            written = text_html(jiading.index.document(citation.document_id).text, citation.start, citation.end)
            marked = "".join(re.findall("<mark[^>]*>(.*?)</mark>", written))
            assert html.unescape(marked).translate(markup) == citation.quote.translate(markup)


def test_app_py_serves_until_interrupted(recorder: Recorder) -> None:
    environment = {**os.environ, "JIADING_CORPUS": str(recorder.index.directory.parent.parent / "corpus")}
    command = [sys.executable, str(ROOT / "app.py"), "--port", "0"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout
        line = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found and "已就绪" in line
        status, body = fetch(f"{found[0]}/")
        assert status == 200 and "嘉定产业园区与政策问答" in body
        process.send_signal(signal.SIGINT)
        assert process.wait(10) in (0, 130, -signal.SIGINT)


def test_a_port_in_use_is_said_plainly(address: str, recorder: Recorder) -> None:
    from assistant.errors import SettingsError
    from assistant.serve import serve

    with pytest.raises(SettingsError, match="换一个端口"):
        serve(Settings(index=recorder.index.directory.parent, port=int(address.rsplit(":", 1)[1].strip("/"))))
