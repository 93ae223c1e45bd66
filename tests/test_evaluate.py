"""The evaluation page as an evaluator meets it: a real server, a real browser, a small corpus and small test sets."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from asking import CONTRAST, fetch
from conftest import TODAY, signed_in
from playwright.sync_api import Browser, Page, expect
from typer.testing import CliRunner

from assistant.cli import app
from assistant.feedback import Exchange, keep_feedback
from assistant.pipeline import Assistant
from assistant.schema import Turn
from eval.testset import TestQuestion, read_testset, write_testset

AREA = TestQuestion("area", "氢能港规划面积多大？", True, ("2.15",), ("port",), "numeric")
QUESTIONS = [
    AREA,
    TestQuestion("wrong", "首次认定奖励多少？", True, ("30万元", "50家"), ("grant",), "numeric"),
    TestQuestion("moon", "月球基地的面积多大？", False, (), (), "unanswerable"),
    TestQuestion("talk", "它在哪里？", True, ("安亭",), ("port",), "follow_up",
                 (Turn("user", "氢能港的规划面积多大？"), Turn("assistant", "2.15平方公里"))),
]  # fmt: skip
LONG = [replace(AREA, id=f"n{number}", question=f"氢能港第{number}期的规划面积多大？") for number in range(2000)]
SET = "工作区 t.jsonl"


@pytest.fixture(autouse=True)
def emptied(workspace: Path) -> None:
    """Leave the server's workspace one test set, and nothing that another test left but the accounts."""
    for kept in workspace.iterdir():
        if kept.is_dir():
            shutil.rmtree(kept)
        elif not kept.name.startswith("people.sqlite"):
            kept.unlink()
    (workspace / "testsets").mkdir()
    write_testset(QUESTIONS, workspace / "testsets" / "t.jsonl")


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str, workspace: Path) -> Iterator[Open]:
    """Open the page in a window of its own; what the console complains of and what goes elsewhere fails the test."""
    faults: list[str] = []

    def opened(width: int = 1440, height: int = 900, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="zh-CN")
        context.add_cookies([signed_in(address, workspace, "evaluator")])
        page = context.new_page()
        page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: None if r.url.startswith((address, "data:")) else faults.append(r.url))
        page.on("response", lambda r: faults.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.goto(f"{address}/evaluate")
        expect(page.locator("#start")).to_be_visible(timeout=20_000)
        return page

    yield opened
    for context in browser.contexts:
        context.close()
    assert not faults


def choose(page: Page, box: str, option: str) -> None:
    page.locator(f"{box} input").click()
    page.get_by_role("option", name=option, exact=True).click()


def run(page: Page, name: str = SET, without: str = "") -> None:
    """Run a test set and wait for its result."""
    choose(page, "#testset", name)
    if without:
        choose(page, "#without", without)
    page.fill("#run-as-of input", TODAY.as_of.isoformat())
    page.click("#start")
    expect(page.locator("#run-message")).to_contain_text("已全部完成", timeout=60_000)
    expect(page.locator("#result .right")).to_be_visible()


def open_question(page: Page, text: str) -> None:
    page.get_by_role("button", name=text).click()
    expect(page.locator("#opened")).to_be_visible()
    expect(page.locator("#opened")).to_contain_text(text)


def test_a_run_shows_its_figures_and_its_wrong_questions_first(open_page: Open, workspace: Path) -> None:
    page = open_page()
    expect(page.locator("#result")).to_contain_text("还没有评测结果")
    run(page)
    expect(page.locator("#result .right")).to_contain_text("4 题处理得对 3 题（75.0%）")
    expect(page.locator("#questions button.open")).to_have_text(["首次认定奖励多少？"])
    expect(page.locator("#questions")).to_contain_text("缺 50家")
    page.get_by_label("只看没答对的").uncheck()
    expect(page.locator("#questions button.open")).to_have_count(4)
    choose(page, "#category", "数字（2）")
    expect(page.locator("#questions button.open")).to_have_count(2)
    page.get_by_role("button", name="各类题的指标").click()
    expect(page.locator(".figures table").first.locator("tbody th, th[scope=row]")).to_have_text(
        ["全部", "接着问", "数字", "资料没有"]
    )
    expect(page.locator(".figures dl").first).to_contain_text("资料能回答，却说没有的比例")
    (kept,) = (workspace / "runs").glob("*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text(encoding="utf-8"))["setup"]["file"] == SET


def test_progress_is_shown_and_a_run_can_be_stopped(open_page: Open, workspace: Path) -> None:
    write_testset(LONG, workspace / "testsets" / "long.jsonl")
    page = open_page()
    choose(page, "#testset", "工作区 long.jsonl")
    expect(page.locator("#stop")).to_be_disabled()
    page.click("#start")
    expect(page.get_by_label("/ 2000 题")).to_be_visible()
    page.wait_for_function("document.querySelector('#progress')?.value > 3")
    page.click("#stop")
    expect(page.locator("#run-message")).to_contain_text("已停止", timeout=20_000)
    expect(page.locator("#start")).to_be_enabled()
    expect(page.locator("#progress")).to_have_count(0)
    assert not (workspace / "runs").exists()
    run(page)


def test_a_run_ends_when_its_page_is_closed(open_page: Open, workspace: Path) -> None:
    write_testset(LONG, workspace / "testsets" / "long.jsonl")
    page = open_page()
    choose(page, "#testset", "工作区 long.jsonl")
    page.click("#start")
    page.wait_for_function("document.querySelector('#progress')?.value > 3")
    page.context.close()
    run(open_page())  # which waits for its turn
    assert len(list((workspace / "runs").glob("*.json"))) == 1


def test_an_opened_question_shows_what_was_wanted_beside_what_was_said(open_page: Open) -> None:
    page = open_page()
    run(page)
    open_question(page, "首次认定奖励多少？")
    opened = page.locator("#opened")
    expect(opened.locator(".facts").first.locator("li")).to_have_text(["答到 30万元", "缺 50家"])
    expect(opened.locator(".facts").nth(1)).to_contain_text("《测试区特色园区扶持办法》 引用了")
    expect(opened.locator(".answer .statement")).to_contain_text("30万元")
    expect(opened.locator(".answer .notice.strong")).to_contain_text("已失效")
    expect(opened.locator(".passages li.named").first).to_contain_text("有“30万元”")
    opened.locator(".chip").first.click()
    frame = page.frame_locator("iframe[name=document]")
    expect(frame.locator("#quote")).to_be_visible()
    assert "一次性奖励30万元" in frame.locator("mark").all_inner_texts()
    page.click("#close-reader")
    page.get_by_role("button", name="收起").click()
    expect(opened).to_have_count(0)
    page.get_by_label("只看没答对的").uncheck()
    open_question(page, "它在哪里？")
    expect(page.locator("#opened .turn")).to_have_text(
        ["用户：氢能港的规划面积多大？", "助手：2.15平方公里", "问：它在哪里？"]
    )


def test_a_label_is_saved_or_refused_and_what_was_typed_stays(open_page: Open, workspace: Path) -> None:
    page = open_page()
    run(page)
    open_question(page, "首次认定奖励多少？")
    facts = page.get_by_label("要点").locator("visible=true")
    facts.fill("30万元\n99万元")
    page.click("#save")
    expect(page.locator("#save-message")).to_contain_text("没有保存：要点“99万元”不在所列资料里")
    expect(facts).to_have_value("30万元\n99万元")
    assert read_testset(workspace / "testsets" / "t.jsonl") == QUESTIONS
    facts.fill("30万元")
    page.get_by_label("备注").locator("visible=true").fill("原来写错了")
    page.click("#save")
    expect(page.locator("#save-message")).to_contain_text("已保存到“工作区 t.jsonl”。按新的标注，现在的回答是对的。")
    saved = read_testset(workspace / "testsets" / "t.jsonl")
    assert saved == [AREA, replace(QUESTIONS[1], key_facts=("30万元",), note="原来写错了"), *QUESTIONS[2:]]
    page.get_by_label("问题", exact=True).locator("visible=true").fill("技术改造最高多少？")
    facts.fill("200万元")
    page.click("#save-new")
    expect(page.locator("#save-message")).to_contain_text("已作为新题 wrong-2 写进")
    assert [question.id for question in read_testset(workspace / "testsets" / "t.jsonl")][-1] == "wrong-2"
    run(page)
    expect(page.locator("#result .right")).to_contain_text("5 题")


def test_two_runs_are_compared_and_one_without_a_part_may_be_stopped(open_page: Open, small: Assistant) -> None:
    page = open_page()
    run(page)
    run(page, without="停用时效检查")
    expect(page.locator("#result .setup")).to_contain_text("停用时效检查")
    page.get_by_role("tab", name="比较").click()
    page.click("#compare")
    expect(page.locator("#comparison")).to_contain_text("请选好前、后两次评测")
    options = page.get_by_role("option")
    for box, last in (("#before", True), ("#after", False)):
        page.locator(f"{box} input").click()
        (options.last if last else options.first).click()
    page.click("#compare")
    expect(page.locator("#comparison .verdict")).to_contain_text("上线")
    expect(page.locator("#comparison")).to_contain_text("改好 0 题，改坏 0 题")
    expect(page.locator("#comparison table.text")).to_contain_text("时效检查")
    link = page.locator("#comparison").get_by_role("link", name="打开报告")
    body = page.request.get(page.evaluate("(link) => link.href", link.element_handle())).text()
    assert "与上一次比较" in body and "<script" not in body
    with page.expect_popup() as popup:
        link.click()
    expect(popup.value.get_by_role("heading", name="评测报告")).to_be_visible()
    with page.expect_download() as download:
        page.locator("#comparison").get_by_role("link", name="下载报告").click()
    assert download.value.suggested_filename == "评测报告.html"


def test_what_a_reader_found_wrong_becomes_a_test_question(open_page: Open, small: Assistant, workspace: Path) -> None:
    history = (Turn("user", "我是李女士，手机13812345678"), Turn("assistant", "您好"))
    for question, reason in (("氢能港规划面积多大？", "off_point"), ("明天天气怎么样？", "should_answer")):
        answer = replace(small.ask(question, history, TODAY), hits=())
        keep_feedback(workspace, Exchange(0, answer, history), datetime(2026, 11, 26, 9, 30), reason, "我叫张三")
    page = open_page()
    page.get_by_role("tab", name="候选题").click()
    expect(page.locator("#tally")).to_contain_text("待处理 2 题")
    expect(page.locator("#candidates")).to_contain_text("我叫［姓名］")
    page.locator("#candidates").get_by_role("button", name="氢能港规划面积多大？").click()
    opened = page.locator("#opened-candidate")
    expect(opened.locator(".turn").first).to_have_text("用户：我是［姓名］女士，手机［手机号码］")
    expect(opened.locator(".answer")).to_contain_text("2.15")
    page.click("#accept")
    expect(page.locator("#candidate-fault")).to_contain_text("可回答的题要有要点和资料")
    page.get_by_label("要点").locator("visible=true").fill("2.15")
    page.get_by_label("依据的资料").locator("visible=true").click()
    page.get_by_role("option", name="测试区氢能港规划（port）").click()
    page.keyboard.press("Escape")
    page.click("#accept")
    expect(page.locator("#candidate-message")).to_contain_text("已收入“工作区 反馈.jsonl”")
    expect(page.locator("#tally")).to_contain_text("待处理 1 题，已收入 1 题，不收 0 题")
    expect(opened).to_have_count(0)
    index = small.index.directory.parent
    checked = CliRunner().invoke(
        app, ["eval", "check", str(workspace / "testsets" / "反馈.jsonl"), "--index", str(index)]
    )
    assert (checked.exit_code, checked.stdout) == (0, "共 1 题，发现 0 个问题。\n")
    page.locator("#candidates").get_by_role("button", name="明天天气").click()
    page.click("#reject")
    expect(page.locator("#candidate-fault")).to_contain_text("请写明不收的理由")
    page.get_by_label("不收的理由").fill("与园区无关")
    page.click("#reject")
    expect(page.locator("#candidates")).to_contain_text("没有待处理的候选题")
    kept = "".join(file.read_text(encoding="utf-8") for file in workspace.rglob("*.jsonl"))
    assert not any(word in kept for word in ("13812345678", "张三", "李女士"))
    page.get_by_role("tab", name="评测").click()
    page.reload()
    run(page, "工作区 反馈.jsonl")
    expect(page.locator("#result .right")).to_contain_text("1 题处理得对 1 题")


def test_a_test_set_that_is_broken_is_told_in_words(open_page: Open, workspace: Path) -> None:
    (workspace / "testsets" / "坏.jsonl").write_text('{"id": "a"}\n', encoding="utf-8")
    (workspace / "testsets" / "坏.xlsx").write_bytes(b"PK")
    page = open_page()
    for name, told in (("工作区 坏.jsonl", "坏.jsonl 第1行"), ("工作区 坏.xlsx", "不是可读的 Excel 文件")):
        choose(page, "#testset", name)
        page.click("#start")
        expect(page.locator("#run-message [role=alert]")).to_contain_text(told)
    choose(page, "#testset", SET)
    page.fill("#run-as-of input", "明天")
    page.click("#start")
    expect(page.locator("#run-message")).to_contain_text("“截至日期”要写成")
    expect(page.locator("#start")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_a_phone_needs_no_sideways_scrolling(open_page: Open, scheme: str) -> None:
    page = open_page(390, 844, scheme)
    run(page)
    page.get_by_role("button", name="各类题的指标").click()
    open_question(page, "首次认定奖励多少？")
    for tab in ("评测", "比较", "候选题"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(500)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert [one for one in page.evaluate(CONTRAST) if one["text"] != "停止"] == []  # disabled


def test_the_keyboard_is_enough_and_every_control_has_a_name(open_page: Open) -> None:
    page = open_page()
    run(page)
    button = page.get_by_role("button", name="首次认定奖励多少？")
    button.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert float(button.evaluate("node => parseFloat(getComputedStyle(node).outlineWidth)")) >= 2
    page.keyboard.press("Enter")
    expect(page.locator("#opened")).to_be_focused()
    page.get_by_role("button", name="收起").press("Enter")
    expect(button).to_be_focused()
    nameless = """() => [...document.querySelectorAll("input, textarea, select, button, iframe")].filter((node) => node.checkVisibility()
      && !node.getAttribute("aria-label") && !node.labels?.length && !node.closest("label") && !node.textContent.trim()
      && !node.title).map((node) => node.outerHTML)"""
    assert page.evaluate(nameless) == []


def test_what_the_page_does_not_use_is_shut(address: str, workspace: Path) -> None:
    cookie = signed_in(address, workspace, "evaluator")
    headers = {"cookie": f"{cookie['name']}={cookie['value']}"}
    for path in (
        "upload",
        "info",
        "openapi.json",
        "file=/etc/passwd",
        "run/run",
        "call/run",
        "proxy=http://example.com",
        "",
    ):
        for root in ("evaluate/gradio_api/", "evaluate//gradio_api/", "/gradio_api/"):
            assert fetch(f"{address}/{root}{path}", b"" if path in ("upload", "run/run") else None, headers)[0] == 404
    assert fetch(f"{address}/evaluate/monitoring", None, headers)[0] == 404
    assert fetch(f"{address}/evaluate/gradio_api/queue/join", b"x" * 300_000, headers)[0] == 413
    status, body = fetch(f"{address}/evaluate/report?run=../t&against=", None, headers)
    assert status == 404 and "没有这次评测" in body
    for site, answer in (("cross-site", 403), ("same-origin", 422)):  # a form of another site cannot act here
        told = headers | {"sec-fetch-site": site}
        assert fetch(f"{address}/evaluate/gradio_api/queue/join", b"{}", told)[0] == answer
