"""Real parts, small: the shipped model, temporary indexes, a tiny corpus beside the real one."""

import asyncio
import csv
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import uvicorn
from hypothesis import settings

from assistant.catalog import COLUMNS
from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.ingest import Report, ingest
from assistant.lexical import LexicalIndex, SegmentWriter
from assistant.models import load_assistant
from assistant.people.access import Role
from assistant.people.gate import cookie
from assistant.people.people import People
from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.tokens import count_tokens

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from transformers import BertTokenizerFast

# These take longest, in this order: begun last, one of them would leave the other processor idle.
LONGEST = (
    "evaluate admin_page ui talks cli axe stores current ingest pipeline embedding mcp reply_export access reply"
    " reply_page account_page operation api formats sign_in oidc people_logs people_accounts"
).split()

stay_offline()
settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
settings.load_profile("untimed")
ROOT = Path(__file__).parent.parent
CORPUS = ROOT / "corpus"
PASSWORD = "correct horse battery"
TODAY = Filters(date(2026, 11, 24))
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
)  # the first has no window to draw
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
BROWSER_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WCAG_22_AA = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")  # axe's tags

DOCUMENTS = {
    "grant.md": (
        "# 标准\n\n| 事项 | 标准 |\n| --- | --- |\n| 首次认定 | 一次性奖励30万元 |\n| 技术改造 | 按投入的10%,最高200万元 |\n\n"
        "# 谁能报\n\n1. 注册在园区内的企业;\n2. 信用良好的企业。\n\n# 未见内容\n\n申报截止日期没有查到。\n"
    ),
    "port.md": "# 概况\n\n氢能港位于安亭镇,规划面积2.15平方公里。\n\n# 2025年目标\n\n全产业链年产值500亿元。\n",
    "draft.md": "# 内容\n\n拟对绿色工厂给予最高50万元奖励,公开征求意见。\n",
}
ROWS = {
    "grant.md": {
        "title": "测试区特色园区扶持办法",
        "doc_type": "policy",
        "level": "区级",
        "published": "2023-05-01",
        "valid_from": "2023-06-01",
        "valid_to": "2025-05-31",
        "document_number": "测府规〔2023〕3号",
    },
    "port.md": {"title": "测试区氢能港规划", "doc_type": "plan", "level": "区级", "published": "2019-06-10"},
    "draft.md": {
        "title": "绿色工厂扶持办法",
        "doc_type": "draft",
        "level": "市级",
        "published": "2024-01",
        "status": "draft",
    },
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest."""
    place = {f"test_{name}.py": number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONGEST)))


def write_corpus(folder: Path, documents: dict[str, str], rows: dict[str, dict[str, str]]) -> Path:
    """Write a corpus folder as an officer would: documents and a catalogue that Excel can open."""
    (folder / "documents").mkdir(parents=True, exist_ok=True)
    for name, text in documents.items():
        (folder / "documents" / name).write_text(text, encoding="utf-8")
    with (folder / "catalog.csv").open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.DictWriter(file, list(COLUMNS))
        table.writeheader()
        table.writerows({"file": name, **row} for name, row in rows.items())
    return folder


def write_tokenizer(folder: Path, more: str = "") -> "BertTokenizerFast":
    """Write a tokenizer of single characters, those of the tiny corpus and `more`, for models made on the spot."""
    from transformers import BertTokenizerFast  # slow to load, and only two test files need it

    letters = sorted({letter for text in (*DOCUMENTS.values(), more) for letter in text if letter.strip()})
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters]), encoding="utf-8"
    )
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=128)
    tokenizer.save_pretrained(folder)
    return tokenizer


def build_lexical(texts: Sequence[str], size: int = 100, alive: np.ndarray | None = None) -> LexicalIndex:
    """Index the texts in segments of `size`."""
    directories = []
    for start in range(0, len(texts), size):
        writer = SegmentWriter()
        writer.add(count_tokens(texts[start : start + size]))
        directories.append(Path(tempfile.mkdtemp()) / "segment")
        writer.write(directories[-1])
    return LexicalIndex(directories, np.ones(len(texts), dtype=bool) if alive is None else alive)


def assert_each_of_its_generation(answers: Sequence[dict[str, Any]], texts: dict[str, str]) -> None:
    """Hold the API's answers to quote what their own generation says, where `texts` is of one document by generation."""
    assert {answer["generation"] for answer in answers} == set(texts)
    for answer in answers:
        citations = [citation for statement in answer["statements"] for citation in statement["citations"]]
        assert citations and answer["status"] == "answered"
        for citation in citations:
            assert texts[answer["generation"]][citation["start"] : citation["end"]] == citation["quote"]


@contextmanager
def served(assistant: Assistant, workspace: Path | None = None, **settings: Any) -> Iterator[str]:
    """Run the whole application on a free port, and give its address; the workspace is beside the index unless given."""
    from assistant.ui import build_app  # Gradio is slow to import

    kept = workspace or assistant.index.directory.parent.parent / "workspace"
    chosen = Settings(**{"workspace": kept, "rate_per_minute": 10_000, "user_rate_per_minute": 10_000, **settings})
    people = People(chosen)
    servers: list[uvicorn.Server] = []

    async def run() -> None:  # built within the loop: Gradio would make some of its own and leave them open
        app = build_app(assistant, chosen, people)
        servers.append(
            uvicorn.Server(
                uvicorn.Config(
                    app,
                    port=settings.get("port", 0),
                    log_level="warning",
                    timeout_graceful_shutdown=1,
                    proxy_headers=False,
                )
            )
        )
        await servers[0].serve()

    thread = threading.Thread(target=lambda: asyncio.run(run()), daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not (servers and servers[0].started) and time.monotonic() < deadline:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{servers[0].servers[0].sockets[0].getsockname()[1]}"
    servers[0].should_exit = True
    thread.join(10)
    people.close()


def signed_in(address: str, workspace: Path, role: str, name: str = "") -> dict[str, str]:
    """Give the cookie of somebody with a role, named after it unless told, who is added if there is none such, to an application's workspace."""
    people, name = People(Settings(workspace=workspace)), name or role
    try:
        if not any(one.name == name for one in people.accounts.list()):
            once = people.accounts.add(name, Role(role))
            people.accounts.change_password(name, once, PASSWORD)
        account = next(one for one in people.accounts.list() if one.name == name)
        return {"name": cookie(people), "value": people.sessions.start(account.id), "url": address}
    finally:
        people.close()


def axe(page: "Page") -> list[str]:
    """Return what in a page and its visible frames offends against WCAG 2.2 AA, as `rule: element`; hold it to be [].

    A frame is opened by itself, as wide as it is: axe never ends where a sandbox lets no script run.
    """
    found = _axe(page)
    for frame in page.frames[1:]:
        box = frame.frame_element().bounding_box()
        if box and box["width"] and frame.url.startswith("http"):
            alone = page.context.new_page()
            alone.set_viewport_size({"width": int(box["width"]), "height": int(box["height"])})
            alone.goto(frame.url)
            found += _axe(alone)
            alone.close()
    return found


def _axe(page: "Page") -> list[str]:
    from axe_playwright_python.base import AXE_SCRIPT

    page.evaluate(AXE_SCRIPT)
    run = "tags => axe.run({ runOnly: tags, iframes: false, resultTypes: ['violations'] })"
    return [
        f"{fault['id']}: {node['html'][:300]} {node['failureSummary']}"
        for fault in page.evaluate(run, list(WCAG_22_AA))["violations"]
        for node in fault["nodes"]
    ]


@pytest.fixture(scope="session")
def embeddings() -> StaticEmbeddings:
    return StaticEmbeddings.load()


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_corpus(tmp_path / "corpus", DOCUMENTS, ROWS)


@pytest.fixture(scope="session")
def run_ingest(embeddings: StaticEmbeddings) -> Callable[[Path, Path], Report]:
    """Index a path: (path, index) → report."""
    return lambda path, index: ingest([path], index, embeddings, embeddings.fingerprint, lambda *_: None)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, run_ingest: Callable[[Path, Path], Report]) -> Assistant:
    """The assistant over the tiny corpus."""
    folder = tmp_path_factory.mktemp("small")
    run_ingest(write_corpus(folder / "corpus", DOCUMENTS, ROWS), folder / "index")
    return load_assistant(Settings(index=folder / "index"))


@pytest.fixture(scope="session")
def jiading(tmp_path_factory: pytest.TempPathFactory, run_ingest: Callable[[Path, Path], Report]) -> Assistant:
    """The assistant over the shipped corpus."""
    index = tmp_path_factory.mktemp("jiading")
    assert not run_ingest(CORPUS, index).problems
    return load_assistant(Settings(index=index))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workspace of the application at `address`."""
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="module")
def address(small: Assistant, workspace: Path) -> Iterator[str]:
    """Where the whole application runs over the tiny corpus."""
    with served(small, workspace) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    if not CHROMIUM:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=BROWSER_FLAGS)
        yield running
        running.close()
