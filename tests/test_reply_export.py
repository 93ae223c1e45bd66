"""Replies as files: what Word reads in the parts of a .docx, what LibreOffice makes of it, Markdown's footnotes."""

import io
import re
import shutil
import subprocess
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from docx import Document
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from assistant.formats import convert
from assistant.letter import read_letter
from assistant.pipeline import Assistant
from assistant.reply import Draft, Paragraph, draft, to_docx, to_markdown
from assistant.reply.pieces import ANNEX
from assistant.reply.schema import MARKER
from assistant.retrieve import Filters

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
SOFFICE = shutil.which("soffice") or shutil.which("libreoffice")
LETTER = "我公司注册在安亭。请问首店落户补贴多少？技术改造最高支持多少万元？“七个一”指什么？再问一次首店落户补贴多少？\n上海味禾餐饮管理有限公司\n2026年11月10日"


@pytest.fixture(scope="module")
def reply(jiading: Assistant) -> Draft:
    return draft(read_letter(LETTER), jiading, Filters(date(2026, 11, 25)))


@pytest.fixture(scope="module")
def parts(reply: Draft) -> dict[str, bytes]:
    """The parts of the .docx file by name."""
    return read_parts(to_docx(reply, reply.paragraphs))


def read_parts(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        assert package.testzip() is None
        return {name: package.read(name) for name in package.namelist()}


def test_every_mark_has_its_footnote_in_order(parts: dict[str, bytes], reply: Draft) -> None:
    body, notes = (etree.fromstring(parts[f"word/{name}.xml"]) for name in ("document", "footnotes"))
    marks = [mark.get(f"{W}id") for mark in body.iter(f"{W}footnoteReference")]
    numbered = [note.get(f"{W}id") for note in notes.iter(f"{W}footnote") if note.get(f"{W}type") is None]
    assert marks == numbered == [str(n + 1) for n in range(len(marks))]
    assert len(marks) == sum(len(MARKER.findall(p.text)) for p in reply.paragraphs) > len(reply.references)
    assert [note.get(f"{W}id") for note in notes if note.get(f"{W}type")] == ["-1", "0"]
    assert all(note.find(f".//{W}footnoteRef") is not None for note in notes if note.get(f"{W}type") is None)
    listed = etree.fromstring(parts["word/settings.xml"]).find(f"{W}footnotePr")
    assert [note.get(f"{W}id") for note in listed] == ["-1", "0"]


def test_the_package_names_the_footnotes_and_their_links(parts: dict[str, bytes]) -> None:
    assert b'PartName="/word/footnotes.xml"' in parts["[Content_Types].xml"]
    assert b"wordprocessingml.footnotes+xml" in parts["[Content_Types].xml"]
    assert b'Target="footnotes.xml"' in parts["word/_rels/document.xml.rels"]
    links = etree.fromstring(parts["word/_rels/footnotes.xml.rels"])
    known = {link.get("Id"): link for link in links}
    assert all(link.get("TargetMode") == "External" for link in links)
    used = [link.get(f"{R}id") for link in etree.fromstring(parts["word/footnotes.xml"]).iter(f"{W}hyperlink")]
    assert used and set(used) <= known.keys()


def test_a_footnote_says_where_what_is_quoted_stands(parts: dict[str, bytes], reply: Draft) -> None:
    notes = etree.fromstring(parts["word/footnotes.xml"])
    text = ["".join(note.itertext()) for note in notes if note.get(f"{W}type") is None]
    first = reply.references[0]
    assert first.source in text[0] and first.link in text[0] and "全国首店20万元" in text[0]
    assert any(re.fullmatch(r" 同脚注\d+。", one) for one in text)  # cited a second time


def test_the_layout_is_that_of_official_letters(parts: dict[str, bytes], reply: Draft) -> None:
    document = Document(io.BytesIO(to_docx(reply, reply.paragraphs)))
    section = document.sections[0]
    laid = [section.page_width, section.page_height, section.top_margin, section.bottom_margin, section.left_margin]
    assert [round(length.mm) for length in laid] == [210, 297, 37, 35, 28]
    answer = next(p for p in document.paragraphs if "根据《" in p.text)
    indent, spacing = answer._p.pPr.find(f"{W}ind"), answer._p.pPr.find(f"{W}spacing")
    assert indent.get(f"{W}firstLineChars") == "200"
    assert (spacing.get(f"{W}line"), spacing.get(f"{W}lineRule")) == ("560", "exact")  # 28 points
    fonts = {run._r.rPr.rFonts.get(f"{W}eastAsia") for p in document.paragraphs for run in p.runs if run.text}
    assert fonts == {"仿宋_GB2312", "黑体", "方正小标宋简体"}
    assert {run.font.size.pt for run in answer.runs if run.text} == {16.0}
    for name in ("footer1", "footer2"):
        assert b"PAGE" in parts[f"word/{name}.xml"]
    assert "仿宋,FangSong" in parts["word/fontTable.xml"].decode()


def test_open_points_are_highlighted_and_nothing_else(reply: Draft) -> None:
    document = Document(io.BytesIO(to_docx(reply, reply.paragraphs)))
    runs = [run for p in document.paragraphs for run in p.runs]
    marked = [run.text for run in runs if run.font.highlight_color is not None]
    assert marked and all(re.fullmatch("【待核实：[^】]+】", text) for text in marked)
    assert not any("【待核实" in run.text for run in runs if run.font.highlight_color is None)


def test_the_annex_lists_the_sources_with_quotes_and_validity(reply: Draft) -> None:
    lines = [p.text for p in Document(io.BytesIO(to_docx(reply, reply.paragraphs))).paragraphs]
    annex = "\n".join(lines[len(lines) - lines[::-1].index(ANNEX) :])
    cited = {int(n) for p in reply.paragraphs for n in MARKER.findall(p.text)}
    for number in cited:
        one = reply.reference[number]
        assert f"{one.source}；{one.validity}。" in annex and one.link in annex


def test_a_paragraph_keeps_its_footnotes_when_an_editor_removed_the_marks(reply: Draft) -> None:
    bare = [replace(p, text=p.plain) if p.role == "answer" else p for p in reply.paragraphs]
    body = etree.fromstring(read_parts(to_docx(reply, bare))["word/document.xml"])
    bound = sum(len(p.references) for p in reply.paragraphs if p.role == "answer")
    assert len(list(body.iter(f"{W}footnoteReference"))) == bound
    deleted = [p for p in reply.paragraphs if not p.references]
    assert b"footnoteReference " not in read_parts(to_docx(reply, deleted))["word/document.xml"]


def test_what_is_written_can_be_read_back(reply: Draft, tmp_path: Path) -> None:
    (tmp_path / "回复.docx").write_bytes(to_docx(reply, reply.paragraphs))
    text = convert(tmp_path / "回复.docx").text
    assert "首店" in text and "全国首店20万元" in text and "上海味禾餐饮管理有限公司：" in text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60), more=st.sampled_from(["", "[^1]", "[^99]", "【待核实：电话】", "【待核实"]))
def test_any_text_an_editor_types_can_be_written(text: str, more: str, reply: Draft) -> None:
    own = [Paragraph("x1", "body", text + more), *reply.paragraphs[:4]]
    document = Document(io.BytesIO(to_docx(reply, own)))
    assert document.paragraphs
    assert to_markdown(reply, own).encode("utf-8", "replace")


def test_markdown_defines_each_footnote_it_marks(reply: Draft) -> None:
    text = to_markdown(reply, reply.paragraphs)
    defined = re.findall(r"^\[\^(\d+)\]: ", text, re.MULTILINE)
    assert len(defined) == len(set(defined)) and set(defined) == set(MARKER.findall(text))
    assert f"## {ANNEX}" in text and "**【待核实：落款单位】**" in text


@pytest.mark.skipif(not SOFFICE, reason="没有装 LibreOffice（soffice），不转换成 PDF")
def test_libreoffice_shows_numbered_footnotes(reply: Draft, tmp_path: Path) -> None:
    import pypdfium2

    (tmp_path / "回复.docx").write_bytes(to_docx(reply, reply.paragraphs))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [str(SOFFICE), profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), "回复.docx"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=180, check=True)
    pdf = pypdfium2.PdfDocument(str(tmp_path / "回复.pdf"))
    pages = [page.get_textpage().get_text_range() for page in pdf]
    pdf.close()
    text = "".join(pages)
    assert "— 1 —" in pages[0] and len(pages) > 2
    assert re.search(r"1\s*《〈嘉定区促进商贸服务业发展的若干意见〉解读", text)
    assert "附：引用资料" in "".join(pages[-2:])  # a long footnote may run over to the last page
    assert "同脚注" in text
