"""The reply page as staff meet it: a real server, a real browser, two people, a letter in Word."""

import io
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from conftest import signed_in
from docx import Document
from playwright.sync_api import Browser, Page, expect
from replying import LETTER

from assistant.reply.schema import OPEN

FILLED = {"q3": "不能安排宿舍。", "contact": "如需进一步咨询，请来信。", "signature": "测试区经济委员会"}


@pytest.fixture
def letter(tmp_path: Path) -> Path:
    document = Document()
    for line in LETTER.split("\n"):
        document.add_paragraph(line)
    document.save(str(tmp_path / "来信.docx"))
    return tmp_path / "来信.docx"


Opened = Callable[..., Page]


@pytest.fixture
def opened(browser: Browser, address: str, workspace: Path) -> Iterator[Opened]:
    """Open the page as somebody; a page that is left open goes on costing time."""
    yield partial(open_as, browser, address, workspace)
    for context in browser.contexts:
        context.close()


def open_as(
    browser: Browser, address: str, workspace: Path, who: str, width: int = 1440, scheme: str = "light"
) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
    context.add_cookies([signed_in(address, workspace, "drafter", who)])
    page = context.new_page()
    page.goto(f"{address}/reply")
    return page


def drafted(page: Page, letter: Path) -> None:
    page.set_input_files("#letter-file", letter)
    expect(page.locator("#letter")).to_have_value(LETTER.replace("\n", "\n\n"), timeout=20_000)
    page.click("#make")
    expect(page.locator("#opened")).to_be_visible(timeout=20_000)


def test_a_letter_goes_from_word_to_an_approved_reply_in_word(opened: Opened, letter: Path) -> None:
    page = opened("jia")
    drafted(page, letter)
    expect(page.locator(".points > li")).to_have_count(3)
    page.locator(".points a.chip").first.click()
    expect(page.frame_locator("iframe[name=document]").locator("#quote")).to_be_visible()
    page.click("#close-reader")
    area = page.locator(".paragraph.answer textarea").first
    area.fill(area.input_value().replace("200万元", "300万元"))
    expect(page.locator(".paragraph.answer .under mark.figure").first).to_have_text("300万元")
    expect(page.locator(".paragraph.answer .findings").first).to_contain_text("没有这个数字")
    area.focus()
    page.keyboard.press("Control+z")
    expect(page.locator(".under mark.figure")).to_have_count(0)
    for item in page.locator(".paragraph").all():
        key, box = item.get_attribute("data-id") or "", item.locator("textarea")
        said = FILLED.get(key.split(".")[0]) if not key.endswith(".h") else None
        text = box.input_value()
        if said or OPEN.search(text):
            box.fill(said or OPEN.sub("", text))
    page.click("#save")
    expect(page.locator("#notice")).to_contain_text("已保存")
    page.click('[data-step="submitted"]')
    expect(page.locator("#reply-head .badge")).to_have_text("待复核")
    expect(page.locator("#refusals")).to_contain_text("另一个人")
    other = opened("yi")
    other.locator("#list a").first.click()
    other.click('[data-step="approved"]')
    expect(other.locator("#reply-head .badge")).to_have_text("可以发出")
    with other.expect_download() as download:
        other.click("#docx")
    word = Document(io.BytesIO(Path(download.value.path()).read_bytes()))
    assert "测试区经济委员会" in [paragraph.text for paragraph in word.paragraphs]


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (360, "dark")])
def test_everybody_can_use_it(opened: Opened, letter: Path, width: int, scheme: str) -> None:
    page = opened("jia", width, scheme)
    options = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}
    for _ in range(2):
        found = Axe().run(page, options=options)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if page.locator("#opened").count() == 0:
            drafted(page, letter)
