"""Write a made-up document for Word: true headings, numbers that Word makes, merged cells, footnotes, a text box."""

import re
from pathlib import Path
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from eval.format_sources import Source, Table

MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
RELATIONSHIPS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
HEADINGS = (("%1、", "chineseCounting"), ("（%2）", "chineseCounting"))
_NUMBER = re.compile(r"[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）")
_NAMESPACES = (
    f'xmlns:w="{MAIN}" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape" xmlns:v="urn:schemas-microsoft-com:vml"'
)


def write_docx(source: Source, file: Path) -> None:
    """Write the document; headings that begin with 一、 and （一） get that number from Word, as items do."""
    document: Any = docx.Document()
    document.core_properties.title = ""
    document.add_heading(source.title, 0)
    headings, notes = _numbering(document, HEADINGS), list[str]()
    for block in source.blocks:
        if block.table:
            _add_table(document, block.table)
        elif block.items:
            number = _numbering(
                document, ((block.marker.replace("%c", "%1").replace("%d", "%1"), _format(block.marker)),)
            )
            for item in block.items:
                _count(document.add_paragraph(item), number, 0)
        elif block.kind in ("h1", "h2"):
            level = int(block.kind[1])
            bare = _NUMBER.sub("", block.text, count=1)
            heading = document.add_heading(bare, level)
            if bare != block.text:
                _count(heading, headings, level - 1)
        elif block.kind == "box":
            document.add_paragraph()._p.append(_text_box(block.text))
        else:
            paragraph = document.add_paragraph()
            paragraph.add_run(block.text).bold = block.kind == "q"
            if block.kind == "right":
                paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            if block.note:
                notes.append(block.note)
                paragraph.add_run()._r.append(_element(f'<w:footnoteReference w:id="{len(notes)}"/>'))
    if notes:
        _add_notes(document, notes)
    _frame(document, source)
    document.save(str(file))


def _element(xml: str) -> Any:
    """Make an element of its source, which names no namespaces."""
    return parse_xml(re.sub(r"^<([\w:]+)", rf"<\1 {_NAMESPACES}", xml, count=1))


def _format(marker: str) -> str:
    return "chineseCounting" if "%c" in marker else "decimal"


def _numbering(document: Any, levels: tuple[tuple[str, str], ...]) -> int:
    """Add a list to the document's numberings, its levels as (text, number format), and return its id."""
    numbering = document.part.numbering_part.element
    number = 100 + len(numbering.findall(qn("w:num")))
    parts = "".join(
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="1"/><w:numFmt w:val="{form}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for depth, (text, form) in enumerate(levels)
    )
    kind = _element(
        f'<w:abstractNum w:abstractNumId="{number}"><w:multiLevelType w:val="multilevel"/>{parts}</w:abstractNum>'
    )
    numbering.insert(0, kind)
    numbering.append(_element(f'<w:num w:numId="{number}"><w:abstractNumId w:val="{number}"/></w:num>'))
    return number


def _count(paragraph: Any, number: int, level: int) -> None:
    """Make a paragraph one of a list's."""
    properties = paragraph._p.get_or_add_pPr()
    properties.append(_element(f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'))


def _add_table(document: Any, table: Table) -> None:
    drawn = document.add_table(len(table.grid), len(table.grid[0]), style="Table Grid")
    for row, column, high, wide in table.spans():
        cell = drawn.cell(row, column)
        if high > 1 or wide > 1:
            cell = cell.merge(drawn.cell(row + high - 1, column + wide - 1))
        cell.text = table.grid[row][column]
    for line in drawn.rows[: len(table.header)]:
        line._tr.get_or_add_trPr().append(_element("<w:tblHeader/>"))


def _text_box(text: str) -> Any:
    """Return a run with a text box, as Word writes it: once for itself, once for readers that know only VML."""
    inside = f"<w:txbxContent><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:txbxContent>"
    return _element(
        '<w:r><mc:AlternateContent><mc:Choice Requires="wps"><w:drawing><wp:anchor><a:graphic><a:graphicData '
        'uri="http://schemas.microsoft.com/office/word/2010/wordprocessingShape">'
        f"<wps:wsp><wps:txbx>{inside}</wps:txbx></wps:wsp></a:graphicData></a:graphic></wp:anchor></w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape><v:textbox>{inside}</v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )


def _add_notes(document: Any, notes: list[str]) -> None:
    """Add the footnotes part, with the two separators that Word puts first."""
    separators = "".join(
        f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:r><w:{kind}/></w:r></w:p></w:footnote>'
        for number, kind in ((-1, "separator"), (0, "continuationSeparator"))
    )
    written = "".join(
        f'<w:footnote w:id="{number}"><w:p><w:r><w:footnoteRef/></w:r><w:r><w:t>{note}</w:t></w:r></w:p></w:footnote>'
        for number, note in enumerate(notes, 1)
    )
    content = f'<?xml version="1.0" encoding="UTF-8"?><w:footnotes xmlns:w="{MAIN}">{separators}{written}</w:footnotes>'
    name = PackURI("/word/footnotes.xml")
    part = Part(name, f"{CONTENT_TYPE}.footnotes+xml", content.encode(), document.part.package)
    document.part.relate_to(part, f"{RELATIONSHIPS}/footnotes")


def _frame(document: Any, source: Source) -> None:
    """Set the header, the page number at the foot, and the columns."""
    section = document.sections[0]
    section.header.paragraphs[0].text = source.header
    foot = section.footer.paragraphs[0]
    foot.add_run("— ")
    foot._p.append(_element('<w:fldSimple w:instr=" PAGE "><w:r><w:t>1</w:t></w:r></w:fldSimple>'))
    foot.add_run(" —")
    if source.columns > 1:
        section._sectPr.append(_element(f'<w:cols w:num="{source.columns}"/>'))
