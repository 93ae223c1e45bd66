"""What the tests of the ask page share: a recording assistant behind a real server, a window on it, and asking there."""

import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from conftest import DOCUMENTS, ROWS, served, write_corpus
from playwright.sync_api import Browser, Page, expect

from assistant.config import Settings
from assistant.ingest import Report
from assistant.models import load_assistant
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn

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
