"""The page as a reader meets it: a real server and a real browser; a console error or a foreign request fails."""

import html
import json
import os
import re
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from asking import (
    ATTACK,
    CONTRAST,
    MARKUP,
    NOT_ENGLISH,
    Open,
    Recorder,
    address,
    ask,
    fetch,
    marks,
    open_page,
    recorder,
    reload,
)
from conftest import CORPUS, ROOT, axe
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, expect

from assistant.config import Settings
from assistant.conversation import Conversation
from assistant.errors import ModelError
from assistant.kept import MOST
from assistant.page import EXAMPLES
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Turn
from assistant.viewer import AnswerView, text_html

__all__ = ["address", "open_page", "recorder"]  # the fixtures


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
