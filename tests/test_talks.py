"""Conversations on the ask page: what the browser keeps, what follows, what answers are limited to, and what goes wrong under way."""

import json
import socket
from datetime import date
from pathlib import Path

import pytest
from asking import ATTACK, Open, Recorder, address, ask, kept, marks, open_page, recorder, reload
from conftest import axe, served, signed_in
from playwright.sync_api import Browser, expect

from assistant.page import EXAMPLES

__all__ = ["address", "open_page", "recorder"]  # the fixtures


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
