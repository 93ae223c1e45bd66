"""Measure what one reader waits on the ask page, with a real browser: from the click until the first statement is there to be read."""

import shutil
from collections.abc import Sequence

from playwright.sync_api import Page, sync_playwright

from eval.format_files import BROWSERS
from eval.metrics import percentile

WIDTH, HEIGHT = 1440, 900
TIMEOUT_MS = 60_000
# Counted in the page itself: the clock starts with the click and stops with the first frame after the statement is in it.
CLICK = """() => new Promise((done) => {
  const talk = document.querySelector("#talk"), count = talk.querySelectorAll(".exchange").length, start = performance.now();
  const watch = new MutationObserver(() => {
    const exchange = [...talk.querySelectorAll(".exchange")][count];
    if (!exchange?.querySelector(".statement, .notice")?.checkVisibility()) return;
    watch.disconnect();
    requestAnimationFrame(() => done(performance.now() - start));
  });
  watch.observe(talk, { childList: true, subtree: true });
  document.querySelector("#send").click();
})"""


def first_words(url: str, questions: Sequence[str]) -> list[float]:
    """Ask the questions one after the other, each in a conversation of its own, and return the milliseconds; the first is asked twice to warm up."""
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(TIMEOUT_MS)
        page.goto(url)
        times = [_ask(page, question) for question in (questions[0], *questions)][1:]
        browser.close()
    return times


def table(times: Sequence[float]) -> str:
    """Return the figures as a Markdown table."""
    middle, most = (f"{percentile(times, share) or 0:.0f}" for share in (50, 95))
    return f"| 提问数 | 点发送到看见第一句 P50 / P95 毫秒 |\n| ---: | ---: |\n| {len(times)} | {middle} / {most} |"


def _ask(page: Page, question: str) -> float:
    page.locator("#question textarea").fill(question)
    took = float(page.evaluate(CLICK))
    page.locator(".exchange .foot").wait_for()
    page.click("#new")
    page.locator(".exchange").wait_for(state="detached")
    return took
