"""The administration page as an administrator meets it: a real server, a real browser, a corpus that changes."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from conftest import DOCUMENTS, ROWS, axe, served, signed_in, write_corpus
from playwright.sync_api import Browser, Page, expect

from assistant.config import Settings
from assistant.ingest import Report
from assistant.models import load_assistant

NEW = "# 奖励标准\n\n智慧养老示范点一次性奖励88万元。\n\n本办法自2026年1月5日起施行，有效期至2030年12月31日。\n"
QUESTION = "智慧养老示范点奖励多少万元？"
SECTIONS = ("", "/document?file=grant.md", "/index", "/questions", "/users", "/audit?verify=true", "/settings")
BUILT_MS = 30_000
Opened = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("administered")


@pytest.fixture(scope="module")
def address(folder: Path, run_ingest: Callable[[Path, Path], Report]) -> Iterator[str]:
    corpus, index = write_corpus(folder / "corpus", DOCUMENTS, ROWS), folder / "index"
    run_ingest(corpus, index)
    with served(load_assistant(Settings(index=index)), folder / "workspace", corpus=corpus, index=index) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, address: str, folder: Path) -> Iterator[Opened]:
    """Open a page as somebody with a role; a page that is left open goes on costing time."""

    def open_at(path: str = "", width: int = 1440, scheme: str = "light", role: str = "administrator") -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, locale="zh-CN")
        context.add_cookies([signed_in(address, folder / "workspace", role)])
        page = context.new_page()
        page.goto(f"{address}/admin{path}")
        return page

    yield open_at
    for context in browser.contexts:
        context.close()


def answered(address: str) -> str:
    reply = httpx.post(f"{address}/api/ask", json={"question": QUESTION}, timeout=60).json()
    return "".join(one["text"] for one in reply["statements"])


def built(page: Page, told: str) -> None:
    expect(page.get_by_role("heading", name="上一次更新")).to_be_visible(timeout=BUILT_MS)
    expect(page.get_by_text(told)).to_be_visible(timeout=BUILT_MS)


def test_a_document_is_added_answers_is_amended_replaced_withdrawn_and_restored(
    opened: Opened, address: str, folder: Path, tmp_path: Path
) -> None:
    assert "88" not in answered(address)
    upload = tmp_path / "智慧养老.md"
    upload.write_text(NEW, encoding="utf-8")
    page = opened()
    page.set_input_files("#upload", upload)
    page.get_by_role("button", name="读取文件").click()
    expect(page.locator(".text")).to_contain_text("奖励88万元")
    expect(page.get_by_label("生效日")).to_have_value("2026-01-05")
    page.fill("#title", "")
    page.get_by_role("button", name="下一步：看改动").click()
    expect(page.get_by_role("alert")).to_contain_text("还没有写入")
    expect(page.locator("#title-fault")).to_contain_text("不能为空")
    assert axe(page) == []
    page.fill("#title", "测试区智慧养老扶持办法")
    page.select_option("#doc_type", "policy")
    page.get_by_role("button", name="下一步：看改动").click()
    expect(page.get_by_role("heading", name="确认加入")).to_be_visible()
    assert "88" not in answered(address) and not (folder / "corpus" / "documents" / upload.name).exists()
    page.get_by_role("button", name="写入并更新索引").click()
    built(page, "新增 1 份")
    assert "88万元" in answered(address)

    page.goto(f"{address}/admin?q=智慧养老")
    page.get_by_role("link", name="测试区智慧养老扶持办法").click()
    page.fill("#publisher", "测试区民政局")
    page.get_by_role("button", name="下一步：看改动").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="返回修改").click()
    expect(page.get_by_label("发布者")).to_have_value("测试区民政局")

    upload.write_text(NEW.replace("88", "66"), encoding="utf-8")
    page.goto(f"{address}/admin/document?file={upload.name}")
    page.set_input_files("#upload", upload)
    page.get_by_role("button", name="读取文件").click()
    page.get_by_role("button", name="下一步：看改动").click()
    expect(page.locator(".text")).to_contain_text("〔-88-〕〔+66+〕")
    assert axe(page) == []
    page.get_by_role("button", name="写入并更新索引").click()
    built(page, "更新 1 份")
    assert "66万元" in answered(address)

    page.goto(f"{address}/admin/document?file={upload.name}")
    page.get_by_label("撤下的原因").fill("测试区已废止")
    page.get_by_role("button", name="撤下").click()
    built(page, "撤下 1 份")
    assert "66" not in answered(address)
    page.goto(f"{address}/admin?state=已撤下")
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("link", name="测试区智慧养老扶持办法").click()
    page.get_by_role("button", name="恢复").click()
    built(page, "新增 1 份")
    assert "66万元" in answered(address)
    page.goto(f"{address}/admin/audit?action=corpus")
    for action in ("corpus.added", "corpus.amended", "corpus.withdrawn", "corpus.restored"):
        expect(page.get_by_role("cell", name=action)).to_be_visible()


def test_a_row_changed_meanwhile_is_not_written_over(opened: Opened, folder: Path) -> None:
    page = opened("/document?file=port.md")
    page.fill("#publisher", "甲")
    page.get_by_role("button", name="下一步：看改动").click()
    catalog = folder / "corpus" / "catalog.csv"
    before = catalog.read_bytes()
    catalog.write_bytes(before + "别人.md,别人加的\r\n".encode())
    page.get_by_role("button", name="写入并更新索引").click()
    expect(page.get_by_role("alert")).to_contain_text("被改过，没有写入")
    assert catalog.read_bytes().endswith("别人加的\r\n".encode())
    catalog.write_bytes(before)


def test_a_file_that_cannot_be_read_is_told_and_not_written(opened: Opened, folder: Path, tmp_path: Path) -> None:
    bad = tmp_path / "坏.docx"
    bad.write_bytes(b"no archive")
    before = sorted((folder / "corpus" / "documents").iterdir())
    page = opened()
    page.set_input_files("#upload", bad)
    page.get_by_role("button", name="读取文件").click()
    expect(page.get_by_role("alert")).to_contain_text("坏.docx")
    assert sorted((folder / "corpus" / "documents").iterdir()) == before


def test_an_account_is_added_changed_closed_and_opened(opened: Opened, address: str) -> None:
    page = opened("/users")
    page.get_by_label("账号名").fill("wang")
    page.locator("#role").select_option("drafter")
    page.get_by_role("button", name="增加", exact=True).click()
    assert len(page.locator(".password").inner_text()) >= 12
    page.goto(f"{address}/admin/users")
    expect(page.locator(".password")).to_have_count(0)
    row = page.get_by_role("row", name="wang")
    row.get_by_role("combobox").select_option("evaluator")
    row.get_by_role("button", name="改变").click()
    expect(page.get_by_role("row", name="wang").get_by_role("combobox")).to_have_value("evaluator")
    page.get_by_role("button", name="停用wang").click()
    expect(page.get_by_role("row", name="wang")).to_contain_text("停用")
    page.get_by_role("button", name="启用wang").click()
    expect(page.get_by_role("button", name="停用wang")).to_be_visible()
    page.locator("summary[aria-label=重设wang的密码]").click()
    page.get_by_role("button", name="确定重设wang的密码").click()
    expect(page.locator(".password")).to_be_visible()
    page.get_by_role("button", name="停用administrator").click()
    expect(page.get_by_role("alert")).to_contain_text("唯一的管理员")
    page.goto(f"{address}/admin/audit?action=user")
    for action in ("user.added", "user.role", "user.disabled", "user.enabled", "user.reset"):
        expect(page.get_by_role("cell", name=action)).to_be_visible()


def test_the_logs_show_and_export_what_was_asked_and_hold_to_what_was_written(opened: Opened, address: str) -> None:
    asked = "=SUM(1) 张三的手机13800001234能报销宠物吗"
    for _ in range(2):
        httpx.post(f"{address}/api/ask", json={"question": asked}, timeout=60)
    page = opened("/questions?q=宠物")
    expect(page.get_by_role("region", name="没有回答的问题")).to_contain_text("宠物")
    assert "13800001234" not in page.content()
    with page.expect_download() as got:
        page.get_by_role("link", name="下载全部（CSV）").click()
    rows = list(csv.reader(io.StringIO(got.value.path().read_text("utf-8-sig"))))
    found = [row[1] for row in rows if "宠物" in row[1]]
    assert len(found) == 2 and all(cell.startswith("'=") and "13800001234" not in cell for cell in found)
    page.goto(f"{address}/admin/audit")
    page.get_by_role("link", name="核对有没有被改动").click()
    expect(page.get_by_text("每一条都与写入时一致")).to_be_visible()
    with page.expect_download() as got:
        page.get_by_role("link", name="下载全部（JSON Lines）").click()
    assert '"audit.exported"' in got.value.path().read_text("utf-8")


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_accessible_and_fits(opened: Opened, section: str) -> None:
    page = opened(section)
    for width, scheme in ((1440, "light"), (390, "light"), (390, "dark"), (1440, "dark"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert width == 360 or axe(page) == [], (width, scheme)


def test_a_file_alone_may_be_longer_than_a_form(address: str, folder: Path) -> None:
    held, text = signed_in(address, folder / "workspace", "administrator"), ("园区服务。\n" * 30_000).encode()
    with httpx.Client(base_url=address, cookies={held["name"]: held["value"]}, timeout=60) as client:
        assert (
            client.post("/admin/files", files={"file": ("长.txt", text)}).headers["location"].startswith("/admin/new?")
        )
        assert client.post("/admin/document", content=text).status_code == 413
        assert client.post("/admin/files", files={"file": ("a.exe", b"x")}).status_code == 400


def test_only_an_administrator_opens_any_of_it(opened: Opened, address: str, folder: Path) -> None:
    for section in SECTIONS:
        page = opened(section, role="drafter")
        expect(page.get_by_role("heading", name="没有这项权限")).to_be_visible()
        page.context.close()
    held = signed_in(address, folder / "workspace", "drafter")
    with httpx.Client(base_url=address, cookies={held["name"]: held["value"]}) as client:
        for path in ("files", "document", "withdraw", "restore", "index/rebuild", "users", "users/role", "users/reset"):
            assert client.post(f"/admin/{path}").status_code == 403, path
        for path in ("questions/export", "audit/export", "progress"):
            assert client.get(f"/admin/{path}").status_code == 403, path
