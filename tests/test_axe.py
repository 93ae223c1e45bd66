"""The pages that anybody and evaluators open hold to WCAG 2.2 AA as far as axe can tell, in both themes, on a desk and on a phone."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import axe, signed_in
from playwright.sync_api import Browser, Page, expect

LOOKS = pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")]
)  # fmt: skip
Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str, workspace: Path) -> Iterator[Open]:
    def opened(path: str, width: int, scheme: str, role: str = "") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
        if role:
            context.add_cookies([signed_in(address, workspace, role)])
        page = context.new_page()
        page.goto(f"{address}{path}")
        return page

    yield opened
    for context in browser.contexts:
        context.close()


@LOOKS
@pytest.mark.parametrize("path", ["/login", "/login?next=/en/", "/api/docs", "/documents/grant", "/documents/none"])
def test_a_page_without_scripts(open_page: Open, path: str, width: int, scheme: str) -> None:
    page = open_page(path, width, scheme)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@LOOKS
def test_the_ask_page_in_its_states(open_page: Open, width: int, scheme: str) -> None:
    page = open_page("/", width, scheme)
    page.fill("#question textarea", "首次认定奖励多少?")
    page.keyboard.press("Enter")
    expect(page.locator(".exchange .as-of")).to_be_visible(timeout=20_000)
    if width < 600:
        page.get_by_role("button", name="更多").click()
    page.fill("#as-of input", "明天")
    page.fill("#question textarea", "氢能港的规划面积多大?")
    page.click("#send")
    expect(page.locator("#message")).to_contain_text("截至日期")
    assert axe(page) == []  # a date refused
    page.get_by_role("button", name="没帮助").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert axe(page) == []  # the form of what was not good
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator(".exchange")).to_have_count(1, timeout=20_000)
    page.route("**/queue/join*", lambda route: route.fulfill(status=503, json={"detail": "full"}))
    page.fill("#question textarea", "氢能港的规划面积多大?")
    page.keyboard.press("Enter")
    expect(page.locator("#state")).to_be_visible()
    assert axe(page) == []  # a conversation read back, a question refused
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_evaluation_page_on_each_tab(open_page: Open, width: int, scheme: str) -> None:
    page = open_page("/evaluate", width, scheme, "evaluator")
    for name in ("评测", "比较", "候选题"):
        tab = page.get_by_role("tab", name=name)
        tab.click(timeout=20_000)
        expect(tab).to_have_attribute("aria-selected", "true")
        assert axe(page) == [], name
