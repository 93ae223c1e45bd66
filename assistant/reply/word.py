"""Write a reply as a Word file in the layout of official letters (GB/T 9704—2012), with footnotes and the annex of its sources."""

import io
from collections.abc import Sequence
from typing import Any

from docx import Document as new_document
from docx.document import Document as DocxDocument
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_COLOR_INDEX, WD_LINE_SPACING
from docx.oxml import OxmlElement, parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from lxml import etree

from assistant.reply.footnotes import TEXT_STYLE, Footnotes
from assistant.reply.pieces import ANNEX, clean, marked, pieces, sources
from assistant.reply.schema import Draft, Paragraph, Reference, Role

BODY, HEADING, TITLE, LATIN, NUMBERS = "仿宋_GB2312", "黑体", "方正小标宋简体", "Times New Roman", "宋体"
FALLBACKS = {BODY: "仿宋,FangSong,STFangsong", HEADING: "SimHei,STHeiti", TITLE: "小标宋,宋体,SimSun", NUMBERS: "SimSun,STSong"}  # fmt: skip
SIZE, TITLE_SIZE, PAGE_SIZE = Pt(16), Pt(22), Pt(14)  # 三号, 二号, 四号
LINE = Pt(28)
TOP, BOTTOM, LEFT, RIGHT = Mm(37), Mm(35), Mm(28), Mm(26)  # what leaves the 156 × 225 mm of the standard
FOOTER = Mm(23)  # from the page's edge: the number's line stands 7 mm below the text
INDENT = 2  # characters before a paragraph
FROM_RIGHT = 4  # characters after the signature and the date
_FONTS: dict[Role, str] = {"title": TITLE, "heading": HEADING}


def to_docx(draft: Draft, paragraphs: Sequence[Paragraph]) -> bytes:
    """Return the paragraphs as a .docx file: footnotes where they are marked, open points highlighted, then the annex."""
    shown = [paragraph for paragraph in marked(paragraphs) if paragraph.text.strip()]
    document = new_document()
    _lay_out(document)
    footnotes, numbers = Footnotes(document), dict[int, int]()
    _set_fonts(document.styles[TEXT_STYLE].element.get_or_add_rPr(), BODY)
    cited = sources(shown, draft)
    for paragraph in shown:
        if paragraph.role == "signature" and cited:
            _text(document, ANNEX).paragraph_format.keep_with_next = True
        _add(document, paragraph, draft, footnotes, numbers)
    if cited:
        _annex(document, cited)
    file = io.BytesIO()
    document.save(file)
    return file.getvalue()


def _lay_out(document: DocxDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = TOP, BOTTOM, LEFT, RIGHT
    section.footer_distance = FOOTER
    document.settings.odd_and_even_pages_header_footer = True
    _page_number(section.footer, WD_ALIGN_PARAGRAPH.RIGHT, "right")
    _page_number(section.even_page_footer, WD_ALIGN_PARAGRAPH.LEFT, "left")
    normal = document.styles["Normal"]
    normal.font.size = SIZE
    _set_fonts(normal.element.get_or_add_rPr(), BODY)
    normal.paragraph_format.space_after = Pt(0)
    for language in document.styles.element.iter(qn("w:lang")):
        language.set(qn("w:eastAsia"), "zh-CN")
    properties = document.core_properties
    properties.author, properties.comments, properties.title = "", "", "答复草稿"
    _name_fallbacks(document)


def _set_fonts(properties: Any, east_asian: str, latin: str = LATIN) -> None:
    fonts = properties.get_or_add_rFonts()
    for name in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
        fonts.attrib.pop(qn(f"w:{name}"), None)
    for name, font in {"ascii": latin, "hAnsi": latin, "eastAsia": east_asian}.items():
        fonts.set(qn(f"w:{name}"), font)


def _name_fallbacks(document: DocxDocument) -> None:
    """Say in the table of fonts which others stand for those that a machine may lack."""
    part = next(rel.target_part for rel in document.part.rels.values() if rel.reltype.endswith("/fontTable"))
    table = etree.fromstring(part.blob)
    for name, others in FALLBACKS.items():
        table.append(
            parse_xml(
                f'<w:font {nsdecls("w")} w:name="{name}"><w:altName w:val="{others}"/><w:charset w:val="86"/><w:family w:val="auto"/></w:font>'
            )
        )
    part._blob = etree.tostring(table, xml_declaration=True, encoding="UTF-8", standalone=True)


def _page_number(footer: Any, alignment: WD_ALIGN_PARAGRAPH, side: str) -> None:
    """Write — 1 — at the outer side, one character in from it."""
    footer.is_linked_to_previous = False
    paragraph = footer.paragraphs[0]
    paragraph.alignment = alignment
    _indent(paragraph, **{f"{side}Chars": "100", side: str(PAGE_SIZE.twips)})
    for content in ("— ", "PAGE", " —"):
        run = paragraph.add_run("" if content == "PAGE" else content)
        run.font.size = PAGE_SIZE
        _set_fonts(run._r.get_or_add_rPr(), NUMBERS, NUMBERS)
        if content == "PAGE":
            field = OxmlElement("w:fldSimple")
            field.set(qn("w:instr"), "PAGE")
            paragraph._p.append(field)
            field.append(run._r)
            run.text = "1"


def _indent(paragraph: Any, **values: str) -> None:
    indent = paragraph._p.get_or_add_pPr().get_or_add_ind()
    for name, value in values.items():
        indent.set(qn(f"w:{name}"), value)


def _line(document: DocxDocument, role: Role) -> Any:
    """Return a new paragraph, placed as its role has it."""
    paragraph = document.add_paragraph()
    form = paragraph.paragraph_format
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, LINE
    if role == "title":
        paragraph.alignment, form.space_after, form.line_spacing = WD_ALIGN_PARAGRAPH.CENTER, LINE, Pt(36)
    elif role in ("signature", "date"):
        paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        form.space_before = LINE if role == "signature" else Pt(0)
        _indent(paragraph, rightChars=str(100 * FROM_RIGHT), right=str(FROM_RIGHT * SIZE.twips))
    elif role != "salutation":
        paragraph.alignment = WD_ALIGN_PARAGRAPH.JUSTIFY
        _indent(paragraph, firstLineChars=str(100 * INDENT), firstLine=str(INDENT * SIZE.twips))
    form.keep_with_next = role in ("heading", "closing", "signature")  # a signature never stands on a page alone
    return paragraph


def _add(
    document: DocxDocument, paragraph: Paragraph, draft: Draft, footnotes: Footnotes, numbers: dict[int, int]
) -> None:
    """Add a paragraph; a footnote that was set before is named by its number."""
    line, font = _line(document, paragraph.role), _FONTS.get(paragraph.role, BODY)
    before = ""
    for piece in pieces(paragraph, draft):
        beside, before = piece.kind == before == "mark", piece.kind
        if beside:
            line.add_run("，").font.superscript = True
        if piece.kind == "mark":
            reference, first = draft.reference[piece.number], numbers.get(piece.number)
            text, link = (f"同脚注{first}。", "") if first else (clean(reference.footnote), reference.link)
            number = footnotes.add(line, text, clean(link))
            numbers.setdefault(piece.number, number)
            continue
        run = line.add_run(piece.text)
        run.font.size = TITLE_SIZE if paragraph.role == "title" else SIZE
        _set_fonts(run._r.get_or_add_rPr(), font)
        if piece.kind == "open":
            run.font.highlight_color = WD_COLOR_INDEX.YELLOW


def _text(document: DocxDocument, text: str, role: Role = "body", font: str = BODY) -> Any:
    line = _line(document, role)
    _set_fonts(line.add_run(clean(text))._r.get_or_add_rPr(), font)
    return line


def _annex(document: DocxDocument, cited: Sequence[Sequence[Reference]]) -> None:
    """Add the sources on a page of their own, each with how it stands, what is quoted and where it is."""
    _text(document, ANNEX, "salutation", HEADING).paragraph_format.page_break_before = True
    for number, references in enumerate(cited, 1):
        first = references[0]
        _text(document, f"{number}. {first.source}；{first.validity}。")
        for reference in references:
            _text(document, reference.quote)
        if first.link:
            _text(document, f"链接：{first.link}").alignment = WD_ALIGN_PARAGRAPH.LEFT
