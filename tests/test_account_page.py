"""Signing in and one's own account in a browser."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import axe, served, signed_in
from playwright.sync_api import Browser, Page

from assistant.config import Settings
from assistant.people.access import Role
from assistant.people.people import People
from assistant.pipeline import Assistant


@pytest.fixture(scope="module")
def address(small: Assistant, workspace: Path) -> Iterator[str]:
    with served(small, workspace, oidc_issuer="http://127.0.0.1:1", oidc_client_id="jiading") as running:
        yield running


def sound(page: Page) -> None:
    """Hold a page to WCAG, and to the width of its window."""
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_signing_in_and_the_account_hold_to_wcag(
    browser: Browser, address: str, workspace: Path, width: int, scheme: str
) -> None:
    name = f"newcomer-{scheme}-{width}"
    with closing(People(Settings(workspace=workspace))) as people:
        once = people.accounts.add(name, Role.DRAFTER)
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{address}/login")
    sound(page)
    page.get_by_label("账号").fill(name)
    page.get_by_label("密码").fill("wrong")
    page.keyboard.press("Enter")
    assert "不对" in page.get_by_role("alert").inner_text()
    sound(page)
    page.get_by_label("密码").fill(once)
    page.keyboard.press("Enter")
    page.get_by_text("一次性密码", exact=False).wait_for()
    sound(page)
    page.get_by_label("原密码").fill(once)
    for label in ("新密码", "再输一次新密码"):
        page.get_by_label(label, exact=True).fill("a long new password")
    page.keyboard.press("Enter")
    page.get_by_label("用在哪里").fill("台账系统")
    page.keyboard.press("Enter")
    page.get_by_text("只显示这一次").wait_for()
    sound(page)
    context.close()


def test_a_refused_page_and_a_failed_sign_in_say_what_to_do(browser: Browser, address: str, workspace: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800})
    page = context.new_page()
    page.goto(f"{address}/login")
    page.get_by_role("link", name="用统一身份认证登录").click()
    assert "本机账号" in page.get_by_role("main").inner_text()
    sound(page)
    page.get_by_role("link", name="返回登录").click()
    assert page.url == f"{address}/login"
    context.add_cookies([signed_in(address, workspace, "asker")])  # type: ignore[list-item]
    page.goto(f"{address}/reply")
    assert "管理员" in page.get_by_role("main").inner_text()
    sound(page)
    context.close()
