"""Changes to the corpus as an administrator makes them: the catalogue, the files, and the index that follows."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path

import pytest
from conftest import CORPUS, DOCUMENTS, ROWS, write_corpus
from hypothesis import given
from hypothesis import strategies as st

from assistant.administration import changes, files, overview
from assistant.administration.building import Rebuild
from assistant.administration.catalogue import BOM, read_catalogue, with_row
from assistant.administration.changes import Change, apply, faults, refuse_taken, restored, tidied, withdrawn
from assistant.administration.files import MAX_FILE, Uploads, safe_name
from assistant.administration.reading import changed, read_file, same_as
from assistant.catalog import COLUMNS, read_catalog
from assistant.config import Settings
from assistant.current import Current
from assistant.errors import CorpusError, SettingsError
from assistant.ingest import Report, writer_lock, writing
from assistant.load import load
from assistant.models import load_assistant

CELL = st.text(st.sampled_from('甲乙"，,\t\n\r ;1-'), max_size=8)
NEW = {"file": "new.md", "title": "新的办法", "doc_type": "policy", "published": "2026-01-05"}
TODAY = date(2026, 11, 24)


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), delimiter="\t" if "\t" in text.split("\n")[0] else ","))


@given(
    st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=5),
    st.sampled_from([",", "\t"]), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.data(),
)  # fmt: skip
def test_other_rows_keep_every_character(
    rest: list[list[str]], delimiter: str, end: str, ended: bool, data: st.DataObject
) -> None:
    """Whatever the other rows hold, a change of one and a new one leave them as they stand."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerow(["文件", "标题", "没有的列", "类型"])
    written = [[f"{number}.md", *cells] for number, cells in enumerate(rest)]
    writer.writerows(written)
    text = table.getvalue() if ended else table.getvalue().removesuffix(end)
    one = data.draw(st.sampled_from(["", *(row[0] for row in written)]))
    values = {"file": one or "new.md", "title": data.draw(CELL).strip() or "题", "doc_type": "policy"}
    after = with_row(text, values, one)
    before, now = rows_of(text), rows_of(after)
    at = [row[0] for row in before].index(one) if one else len(before)
    assert len(now) == len(before) + (not one)
    assert [row for number, row in enumerate(now) if number != at] == [
        row for number, row in enumerate(before) if number != at
    ]
    assert [now[at][0], now[at][1].strip(), now[at][3].strip()] == [values["file"], values["title"], "policy"]
    assert now[at][2] == (before[at][2] if one and len(before[at]) > 2 else "")
    assert one or after.startswith(text)


def test_a_cell_that_stays_is_not_spelt_anew() -> None:
    text = '文件,标题,类型,级别\r\na.md,"甲",政策文件,区级\r\nb.md,乙,plan,市级\r\n'
    after = with_row(text, {"file": "a.md", "title": "丙", "doc_type": "policy", "level": "区级"}, "a.md")
    assert after == "文件,标题,类型,级别\r\na.md,丙,政策文件,区级\r\nb.md,乙,plan,市级\r\n"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("file,title\na.md,甲\n", "没有“类型”、“发布日期”列"),  # nowhere to put what is to be written
        ("file,doc_type\na.md,news\n", "缺少“文件”或“标题”列"),
        ('file,title,doc_type,published\na.md,"甲,news\nb.md,乙,news,2024\n', "引号"),  # a row would be swallowed
    ],
)
def test_a_table_that_cannot_hold_the_row_is_refused(text: str, told: str) -> None:
    with pytest.raises(CorpusError, match=told):
        with_row(text, NEW)


def test_the_shipped_catalogue_takes_a_row_and_reads_as_before() -> None:
    catalogue = read_catalogue(CORPUS)
    after = with_row(catalogue.text, NEW)
    assert after.startswith(catalogue.text) and after.count("\n") == catalogue.text.count("\n") + 1
    rows, refused, problems = read_catalog("catalog.csv", after)
    assert not refused and not problems and rows["new.md"].metadata.doc_type == "policy"


@pytest.fixture
def change(corpus: Path, tmp_path: Path) -> Change:
    """A new document that waits."""
    upload = tmp_path / "upload" / "new.md"
    upload.parent.mkdir()
    upload.write_text("# 内容\n\n首次认定奖励60万元。\n", encoding="utf-8")
    return Change("added", "new.md", NEW, read_catalogue(corpus).stamp, False, upload)


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file() and file.name != ".catalog.lock"
    }


def test_a_confirmed_document_is_there_with_its_row_and_nothing_else_changes(
    corpus: Path, change: Change, tmp_path: Path
) -> None:
    before = snapshot(corpus)
    apply(change, corpus, tmp_path / "workspace")
    after = snapshot(corpus)
    assert after.pop("documents/new.md") == change.upload.read_bytes() if change.upload else False
    table = after.pop("catalog.csv")
    was = before.pop("catalog.csv")
    assert table.startswith(was) and table.startswith(BOM) and len(table[len(was) :].splitlines()) == 1
    assert after == before
    assert not load(corpus).problems and "new" in {document.id for document in load(corpus).documents}


def test_what_was_changed_meanwhile_is_never_written_over(corpus: Path, change: Change, tmp_path: Path) -> None:
    catalog = corpus / "catalog.csv"
    catalog.write_bytes(catalog.read_bytes() + "x.md,别人加的\r\n".encode())
    before = snapshot(corpus)
    with pytest.raises(CorpusError, match="被改过，没有写入"):
        apply(change, corpus, tmp_path / "workspace")
    assert snapshot(corpus) == before


def test_a_change_that_cannot_be_written_leaves_no_file(corpus: Path, change: Change, tmp_path: Path) -> None:
    catalog = corpus / "catalog.csv"
    catalog.write_bytes(catalog.read_text(encoding="utf-8-sig").encode("gb18030"))
    new = Change(change.kind, change.file, change.values, read_catalogue(corpus).stamp, False, change.upload)
    version = Change(
        "amended", "port.md", {**read_catalogue(corpus).rows["port.md"], "title": "改"}, new.stamp, True, change.upload
    )
    before = snapshot(corpus)
    for one in (new, version):
        with pytest.raises(CorpusError, match="另存为“CSV UTF-8"):
            apply(one, corpus, tmp_path / "workspace")
        assert snapshot(corpus) == before


def test_a_new_version_takes_the_files_place_and_the_old_one_is_kept(
    corpus: Path, change: Change, tmp_path: Path
) -> None:
    row = read_catalogue(corpus).rows["port.md"]
    was = (corpus / "documents" / "port.md").read_bytes()
    apply(
        Change("amended", "port.md", {**row, "note": "新版"}, change.stamp, True, change.upload),
        corpus,
        tmp_path / "workspace",
    )
    assert change.upload and (corpus / "documents" / "port.md").read_bytes() == change.upload.read_bytes()
    (kept,) = (tmp_path / "workspace" / "replaced").iterdir()
    assert kept.read_bytes() == was
    assert read_catalogue(corpus).rows["port.md"]["note"] == "新版"
    other = tmp_path / "x.txt"
    other.write_text("甲")
    with pytest.raises(SettingsError, match="格式相同"):
        apply(Change("amended", "port.md", row, read_catalogue(corpus).stamp, True, other), corpus, tmp_path)


def test_a_withdrawn_document_stays_and_comes_back(corpus: Path, tmp_path: Path) -> None:
    for reason, told in (("  ", "请写明"), ("=1+1", "不能以")):
        with pytest.raises(SettingsError, match=told):
            withdrawn(corpus, "port.md", reason, "")
    before = snapshot(corpus)
    apply(withdrawn(corpus, "port.md", "内容\n过时", read_catalogue(corpus).stamp), corpus, tmp_path)
    assert read_catalogue(corpus).rows["port.md"]["withdrawn"] == "内容 过时"
    assert "port" not in {document.id for document in load(corpus).documents}
    apply(restored(corpus, "port.md", read_catalogue(corpus).stamp), corpus, tmp_path)
    assert snapshot(corpus) == before


@pytest.mark.parametrize("name", ["new.md", "NEW.pdf", "port.docx", "PORT.md"])
def test_no_document_is_overwritten_by_a_new_one(corpus: Path, change: Change, tmp_path: Path, name: str) -> None:
    apply(change, corpus, tmp_path)
    with pytest.raises(SettingsError, match="换新版本"):
        refuse_taken(corpus, name)
    again = changes.renamed(Change("added", "new.md", NEW, read_catalogue(corpus).stamp, False, change.upload), name)
    before = snapshot(corpus)
    with pytest.raises(SettingsError):
        apply(again, corpus, tmp_path)
    assert snapshot(corpus) == before


def test_a_row_that_names_a_file_elsewhere_reaches_nothing(corpus: Path, change: Change, tmp_path: Path) -> None:
    values = {**NEW, "file": "../../outside.md"}
    text = with_row(read_catalogue(corpus).text, values)
    (corpus / "catalog.csv").write_bytes(BOM + text.encode())
    with pytest.raises(CorpusError, match="不在资料目录里"):
        apply(
            Change("amended", values["file"], values, read_catalogue(corpus).stamp, True, change.upload),
            corpus,
            tmp_path,
        )
    assert not (corpus / "documents" / values["file"]).exists()


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("办法（2026）.md", "办法（2026）.md"),
        ("C:\\文件\\a b.PDF", "a b.PDF"),
        ("../../etc/甲.docx", "甲.docx"),
        ("e\u0301.md", "é.md"),
    ],
)
def test_an_upload_keeps_its_base_name_only(name: str, kept: str) -> None:
    assert safe_name(name) == kept


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("", "文件名"), (".md", "文件名"), ("..", "文件名"), (".hidden.md", "文件名"), ("~$a.docx", "文件名"), ("a\n.md", "文件名"), ("a\x00.md", "文件名"),
        ("=a.md", "文件名"), ("甲" * 101 + ".md", "文件名"), ("甲" * 80 + ".md", "太长"), ("a.exe", "不能收“.exe”"), ("a", "无后缀"),
        ("a.doc", "另存为 .docx"), ("a.zip", "解开"), ("a.jsonl", "不能收"), ("a<b>.md", "文件名"),
    ],
)  # fmt: skip
def test_an_upload_that_could_do_harm_is_refused_in_words(name: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        safe_name(name)


@given(st.text(max_size=60))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    try:
        kept = safe_name(name + ".md")
    except SettingsError:
        return
    assert (Path("/a/b") / kept).resolve().parent == Path("/a/b") and kept.isprintable()


def receive(folder: Path, name: str, *chunks: bytes) -> str:
    async def sent() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return asyncio.run(Uploads(folder).receive(name, sent()))


def test_a_file_that_waits_is_found_by_its_token_alone(tmp_path: Path) -> None:
    uploads = Uploads(tmp_path / "uploads")
    token = receive(tmp_path / "uploads", "甲.md", b"# ", b"a\n")
    assert uploads.file(token).read_bytes() == b"# a\n" and uploads.file(token).stat().st_mode & 0o777 == 0o600
    for wrong in ("", "..", "../uploads", "0" * 32, token + "/.."):
        with pytest.raises(SettingsError, match="已经不在"):
            uploads.file(wrong)
        uploads.drop(wrong)
    uploads.drop(token)
    with pytest.raises(SettingsError):
        uploads.file(token)
    for chunks, told in (((b"x" * MAX_FILE, b"x"), "50 MB"), ((), "空的")):
        with pytest.raises(SettingsError, match=told):
            receive(tmp_path / "uploads", "甲.md", *chunks)
    assert not list((tmp_path / "uploads").iterdir())
    tokens = [receive(tmp_path / "uploads", "甲.md", b"a") for _ in range(files.WAITING + 3)]
    assert len(list((tmp_path / "uploads").iterdir())) == files.WAITING and uploads.file(tokens[-1])


def test_what_a_file_says_of_itself_is_offered_and_what_it_does_not_say_is_left_blank(tmp_path: Path) -> None:
    file = tmp_path / "办法.txt"
    file.write_text(
        "测试区促进氢能发展办法\n测府规〔2026〕9号\n首页\n政务公开\n互动交流\n本办法自2026年2月1日起施行，有效期至2028年1月31日。\n阅读次数：12\n",
        encoding="utf-8",
    )
    found = read_file(file)
    assert found.values["document_number"] == "测府规〔2026〕9号" and found.values["valid_to"] == "2028-01-31"
    assert {"document_number", "valid_from", "valid_to"} <= found.read
    assert found.values["file"] == "办法.txt" and found.values["confidence"] == found.values["status"] == ""
    assert ("网页菜单", "首页", 1) in found.left_out and ("浏览计数", "阅读次数：12", 1) in found.left_out
    news = tmp_path / "news.md"
    news.write_text("# 园区动态\n\n企业来了。\n", encoding="utf-8")
    assert read_file(news).values["doc_type"] == "" == read_file(news).values["published_precision"]
    for name, content, told in (
        ("坏.docx", b"PK\x03\x04x", "文件损坏"),
        ("空.md", b"\n\n", "空"),
        ("乱.txt", bytes(range(256)) * 9, "编码"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(CorpusError, match=told):
            read_file(tmp_path / name)


def test_a_row_is_checked_by_column_before_it_is_written() -> None:
    values = tidied(
        {"file": "a.md", "title": "=HYPERLINK(1)", "published": "去年", "doc_type": "", "note": "甲\n乙\x07"}
    )
    assert values["note"] == "甲 乙"
    found = faults(values)
    assert set(found) == {"title", "published", "doc_type"}
    assert "公式" in found["title"][0] and "不是有效日期" in found["published"][0]
    assert not faults(tidied(NEW))


def test_the_same_document_under_another_name_is_pointed_out(corpus: Path) -> None:
    documents = load(corpus).documents
    port = next(document for document in documents if document.id == "port")
    long = "测试区氢能港规划面积2.15平方公里，重点发展燃料电池、电解槽和储氢三个方向，由安亭镇负责开发建设。" * 3
    assert same_as(port.text, documents)[0].id == "port"
    assert not same_as(port.text, documents, own="port") and not same_as(long, documents)


def test_a_difference_names_columns_and_words(corpus: Path, tmp_path: Path) -> None:
    before = next(document for document in load(corpus).documents if document.id == "grant")
    file = tmp_path / "grant.md"
    file.write_text(DOCUMENTS["grant.md"].replace("30万元", "50万元"), encoding="utf-8")
    from assistant.administration.reading import as_document

    after = as_document(
        {"file": "grant.md", **ROWS["grant.md"], "valid_to": "2027-05-31"}, read_file(file).document.text
    )
    told = changed(before, after)
    assert "失效日：2025-05-31 → 2027-05-31" in told
    assert len(told) == 2 and "〔-30-〕〔+50+〕万元" in told[1]


@pytest.fixture
def setup(corpus: Path, tmp_path: Path, run_ingest: Callable[[Path, Path], Report]) -> tuple[Settings, Current]:
    run_ingest(corpus, tmp_path / "index")
    settings = Settings(corpus, tmp_path / "index", workspace=tmp_path / "workspace")
    return settings, Current(load_assistant(settings))


def rebuilt(rebuild: Rebuild, current: Current) -> list[str]:
    told: list[str] = []
    rebuild.start("王", told.append)
    while rebuild.progress.running:
        current.refresh()
    return told


def test_a_rebuild_puts_the_change_into_service(setup: tuple[Settings, Current], change: Change) -> None:
    settings, current = setup
    apply(change, settings.corpus, settings.workspace)
    with current.use() as assistant:
        seen = overview.overview(settings.corpus, assistant.index, TODAY)
    assert seen.stale and overview.WAITING in next(one.states for one in seen.entries if one.file == "new.md")
    rebuild = Rebuild(settings, current)
    told = rebuilt(rebuild, current)
    assert "新增 1 份" in rebuild.progress.message and not rebuild.progress.failed and rebuild.progress.count == 1
    with current.use() as assistant:
        assert told == [assistant.index.manifest.generation] and "new" in assistant.index.titles
        assert not overview.overview(settings.corpus, assistant.index, TODAY).stale
    rebuilt(rebuild, current)
    assert "没有变化" in rebuild.progress.message and rebuild.progress.count == 2


def test_a_failed_rebuild_leaves_the_old_generation_answering(setup: tuple[Settings, Current]) -> None:
    settings, current = setup
    for file in (settings.corpus / "documents").iterdir():
        file.write_bytes(b"\n")
    rebuild = Rebuild(settings, current)
    assert rebuilt(rebuild, current) == []
    assert rebuild.progress.failed and "仍用原来的索引" in rebuild.progress.message
    with current.use() as assistant:
        assert "port" in assistant.index.titles


def test_a_rebuild_waits_for_another_servers(setup: tuple[Settings, Current]) -> None:
    settings, current = setup
    rebuild, told = Rebuild(settings, current), list[str]()
    with writer_lock(settings.index):
        assert "进程" in writing(settings.index)
        rebuild.start("amy", told.append)
        while rebuild.progress.stage != "等另一处写完索引":
            assert rebuild.progress.running
    while rebuild.progress.running:
        current.refresh()
    assert told and not rebuild.progress.failed and writing(settings.index) == ""


def test_the_table_says_how_each_document_stands(
    corpus: Path, tmp_path: Path, run_ingest: Callable[[Path, Path], Report]
) -> None:
    soon = {"title": "快到期的办法", "doc_type": "policy", "valid_to": "2027-01-31", "valid_from": "2024-02-01"}
    documents = {**DOCUMENTS, "soon.md": "# 甲\n\n乙。\n", "out.md": "# 丙\n\n丁。\n", "bare.md": "# 戊\n\n己。\n"}
    rows = {
        **ROWS,
        "soon.md": soon,
        "out.md": {"title": "撤下的", "withdrawn": "过时"},
        "gone.md": {"title": "没有文件"},
    }
    write_corpus(corpus, documents, rows)
    run_ingest(corpus, tmp_path / "index")
    with Current(load_assistant(Settings(corpus, tmp_path / "index"))).use() as assistant:
        write_corpus(corpus, documents, {**rows, "port.md": {**rows["port.md"], "published": "去年"}})
        found = overview.overview(corpus, assistant.index, TODAY)
    states = {entry.file: entry.states for entry in found.entries}
    assert states["grant.md"] == ("已失效",) and states["draft.md"] == ("征求意见",)
    assert states["soon.md"] == ("有效", "90天内到期") and found.expiring == 1
    assert states["out.md"] == ("已撤下",) and states["bare.md"][0] == "没有目录行"
    assert states["gone.md"][0] == "缺文件" and states["port.md"] == ("目录行有误",)
    reasons = {fault.file: fault.reason for fault in found.faults}
    assert (
        "不是有效日期" in reasons["port.md"]
        and "没有文件" in reasons["gone.md"]
        and "没有这个文件的行" in reasons["bare.md"]
    )
    chosen = overview.chosen(found.entries, "办法", "", "", "title", False)
    assert [entry.title for entry in chosen] == sorted(entry.title for entry in chosen) and len(chosen) == 3
    assert [one.file for one in overview.chosen(found.entries, "", "", "已撤下", "", False)] == ["out.md"]
    dated = [one.valid_to for one in overview.chosen(found.entries, "", "", "", "valid_to", True)]
    assert dated[:2] == ["2027-01-31", "2025-05-31"] and not any(dated[2:])


def test_every_column_is_offered() -> None:
    assert set(tidied({})) == set(COLUMNS)
