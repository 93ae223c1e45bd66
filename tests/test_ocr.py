from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from assistant.catalog import COLUMNS
from assistant.errors import CorpusError
from assistant.formats import IMAGES, OCR, convert
from assistant.load import load

recognises = pytest.mark.skipif(not OCR, reason="the extra [ocr] is not installed")
refuses = pytest.mark.skipif(OCR, reason="the extra [ocr] is installed")
ADVICE = r"pip install '\.\[ocr\]'"
FIRST = ["Farmers who grow cabbage may apply for", "5000 yuan before 15 April.", "Apply at the town hall."]
SECOND = ["Radishes are paid 80 yuan for each mu."]


def scan(lines: Sequence[str]) -> Image.Image:
    """Return a page of A4 with these lines."""
    page = Image.new("RGB", (1654, 2339), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size=60)
    for number, line in enumerate(lines):
        draw.text((150, 300 + 110 * number), line, "black", font)
    return page


def write_scans(file: Path) -> Path:
    """Write two scanned pages: a .pdf or a .tif."""
    scan(FIRST).save(
        file, save_all=True, append_images=[scan(SECOND)], **({"resolution": 200.0} if file.suffix == ".pdf" else {})
    )
    return file


def write_mixed(file: Path) -> Path:
    """Write a PDF of two pages with text and a scan between them."""
    canvas = Canvas(str(file), pagesize=A4)
    for text in ("The subsidy is paid by the town of Mars.", "", "This notice holds until further notice."):
        canvas.drawString(60, 700, text)
        if not text:
            canvas.drawImage(ImageReader(scan(SECOND)), 0, 0, *A4)
        canvas.showPage()
    canvas.save()
    return file


@recognises
@pytest.mark.parametrize("suffix", [".pdf", ".tif"])
def test_scanned_pages_are_read_in_paragraphs_with_their_pages_and_a_warning(tmp_path: Path, suffix: str) -> None:
    loaded = load(write_scans(tmp_path / f"s{suffix}"))
    (document,) = loaded.documents
    bare = document.text.replace(" ", "")
    assert "Farmerswhogrowcabbagemayapplyfor5000yuanbefore15April.\n" in bare  # the first line ran to the margin
    assert "Applyatthetownhall." in bare
    places = [document.text.index(word) for word in ("Farmers", "hall", "Radishes")]
    assert [document.page(at, at + 4) for at in places] == ["第1页", "第1页", "第2页"]
    assert "OCR" in document.metadata.note and "未核对" in document.metadata.note
    assert [(problem.reason, problem.refused) for problem in loaded.problems] == [(document.metadata.note, False)]


@recognises
@pytest.mark.parametrize("suffix", IMAGES)
def test_a_picture_is_read_and_has_no_pages(tmp_path: Path, suffix: str) -> None:
    scan(SECOND).save(tmp_path / f"p{suffix}")
    (document,) = load(tmp_path / f"p{suffix}").documents
    assert "80yuan" in document.text.replace(" ", "") and document.pages == ()


@recognises
def test_a_scan_between_pages_of_text_is_read_in_its_place(tmp_path: Path) -> None:
    (document,) = load(write_mixed(tmp_path / "m.pdf")).documents
    places = [document.text.index(word) for word in ("subsidy", "Radishes", "notice")]
    assert [document.page(at, at + 1) for at in places] == ["第1页", "第2页", "第3页"]
    assert document.metadata.note.startswith("第2页文字由 OCR 识别")


@recognises
def test_a_broken_picture_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    with pytest.raises(CorpusError, match="损坏"):
        convert(tmp_path / "b.png")


@refuses
@pytest.mark.parametrize("name", ["s.pdf", "s.tif"])
def test_without_the_extra_a_scan_is_refused_and_the_extra_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(CorpusError, match=ADVICE):
        convert(write_scans(tmp_path / name))


@refuses
def test_without_the_extra_what_was_left_out_is_told_also_of_a_catalogued_file(tmp_path: Path) -> None:
    (tmp_path / "documents").mkdir()
    write_mixed(tmp_path / "documents" / "m.pdf")
    head, row = (COLUMNS["file"], COLUMNS["title"], COLUMNS["note"]), ("m.pdf", "火星镇补贴", "转载")
    (tmp_path / "catalog.csv").write_text(f"{','.join(head)}\n{','.join(row)}\n", encoding="utf-8")
    loaded = load(tmp_path)
    (document,) = loaded.documents
    assert "subsidy" in document.text and "until" in document.text
    assert document.metadata.note.startswith("转载；第2页是扫描件，没有收录")
    (told,) = [problem for problem in loaded.problems if "第2页是扫描件" in problem.reason]
    assert "pip install '.[ocr]'" in told.reason and not told.refused
