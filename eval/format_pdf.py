"""Write a made-up document as a PDF, with or without a layer of text."""

import tempfile
from html import escape
from pathlib import Path
from typing import Any

import pypdfium2
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph
from reportlab.platypus import Table as PdfTable

from eval.format_sources import Source, Table

FONT = "STSong-Light"
SCAN_SCALE = 200 / 72  # 200 dots an inch, as office scanners have it
MARGIN, GUTTER = 72, 18  # points


def write_pdf(source: Source, file: Path) -> None:
    """Write a PDF as an office would: A4, page numbers, a header where it has one, footnotes at the foot of their page."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    pages = _build_pdf(source, file, 0)
    if source.header:
        _build_pdf(source, file, pages)  # again, now that "第3页 共7页" is known


def _build_pdf(source: Source, file: Path, pages: int) -> int:
    """Write the PDF and return how many pages it has."""
    notes: list[str] = []

    def begin(canvas: Any, _: Any) -> None:
        canvas.setNamedCB("note", lambda canvas, kind, label: notes.append(label))

    def end(canvas: Any, document: Any) -> None:
        canvas.setFont(FONT, 9)
        number = canvas.getPageNumber()
        foot = f"第 {number} 页 共 {pages} 页" if source.header else f"— {number} —"
        canvas.drawCentredString(A4[0] / 2, 30, foot)
        canvas.drawCentredString(A4[0] / 2, A4[1] - 40, source.header)
        if notes:
            canvas.line(MARGIN, 66, MARGIN + 140, 66)
        for line, label in enumerate(notes):
            canvas.drawString(MARGIN, 54 - 11 * line, label)
        notes.clear()

    document = BaseDocTemplate(str(file), pagesize=A4, title=source.title)
    width = (A4[0] - 2 * MARGIN - GUTTER * (source.columns - 1)) / source.columns
    frames = [
        Frame(MARGIN + column * (width + GUTTER), MARGIN, width, A4[1] - 2 * MARGIN, 0, 0, 0, 0)
        for column in range(source.columns)
    ]
    document.addPageTemplates(PageTemplate("page", frames, onPage=begin, onPageEnd=end))
    document.build(_story(source, width))
    return int(document.page)


def _story(source: Source, width: float) -> list[Any]:
    size = source.size
    body = ParagraphStyle(
        "body", fontName=FONT, fontSize=size, leading=size * 1.7, firstLineIndent=2 * size, wordWrap="CJK"
    )
    styles = {
        "title": ParagraphStyle("title", body, fontSize=size + 6, leading=size * 2.4, alignment=TA_CENTER, firstLineIndent=0, spaceAfter=size),
        "h1": ParagraphStyle("h1", body, fontSize=size + 2, spaceBefore=size / 2),
        "h2": ParagraphStyle("h2", body, fontSize=size + 1),
        "right": ParagraphStyle("right", body, alignment=TA_RIGHT),
        "cell": ParagraphStyle("cell", body, fontSize=size - 2, leading=size * 1.3, firstLineIndent=0),
    }  # fmt: skip
    story, number = [Paragraph(escape(source.title), styles["title"])], 0
    for block in source.blocks:
        if block.table:
            story.append(_pdf_table(block.table, styles["cell"], width))
        elif block.kind == "box":
            box = PdfTable([[Paragraph(escape(block.text), styles["cell"])]], [width * 0.6], hAlign="RIGHT")
            box.setStyle([("BOX", (0, 0), (-1, -1), 0.7, colors.black)])
            story.append(box)
        elif block.note:
            number += 1
            mark = f'<super>{number}</super><onDraw name="note" label="{number} {escape(block.note)}"/>'
            story.append(Paragraph(escape(block.text) + mark, body))
        else:
            story += [
                Paragraph(escape(text), styles.get(block.kind, body))
                for text in ([block.text] if block.text else block.marked)
            ]
    return story


def _pdf_table(table: Table, style: Any, width: float) -> Any:
    cells = [[Paragraph(escape(cell), style) for cell in row] for row in table.blanked()]
    lengths = [max(3, *(len(row[column]) for row in table.blanked())) for column in range(len(cells[0]))]
    lengths = [min(length, 14) for length in lengths]
    drawn = PdfTable(cells, [width * length / sum(lengths) for length in lengths], repeatRows=len(table.header))
    drawn.setStyle(
        [("GRID", (0, 0), (-1, -1), 0.5, colors.black)]
        + [("SPAN", (column, row), (column + wide - 1, row + high - 1)) for row, column, high, wide in table.spans()]
    )
    return drawn


def write_scan(source: Source, file: Path) -> None:
    """Write the PDF's pages as pictures in a PDF."""
    with tempfile.TemporaryDirectory() as folder:
        write_pdf(source, Path(folder) / "text.pdf")
        document = pypdfium2.PdfDocument(Path(folder) / "text.pdf")
        first, *others = [page.render(scale=SCAN_SCALE).to_pil().convert("L") for page in document]
        document.close()
    first.save(file, save_all=True, append_images=others, resolution=200)
