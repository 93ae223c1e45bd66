"""Give a python-docx document real footnotes: the part, its relationships, the separators, the styles and the marks."""

from typing import Any

from docx.document import Document as DocxDocument
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import XmlPart
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt
from lxml import etree

_SEPARATORS = (("-1", "separator"), ("0", "continuationSeparator"))
TEXT_STYLE, MARK_STYLE = "footnote text", "footnote reference"
SIZE = 10.5  # points: 五号


class Footnotes:
    """The footnotes of one document, numbered from 1 in the order in which they are added, which must be that of the text."""

    def __init__(self, document: DocxDocument) -> None:
        """Add the empty part, its styles and its settings to a document that has none."""
        styles = document.styles
        text = styles.add_style(TEXT_STYLE, WD_STYLE_TYPE.PARAGRAPH)
        text.font.size, text.paragraph_format.space_after = Pt(SIZE), Pt(0)
        mark = styles.add_style(MARK_STYLE, WD_STYLE_TYPE.CHARACTER)
        mark.font.superscript = True
        self._text, self._mark = text.style_id, mark.style_id
        self._part = XmlPart(
            PackURI("/word/footnotes.xml"), CONTENT_TYPE.WML_FOOTNOTES, self._empty(), document.part.package
        )
        document.part.relate_to(self._part, RELATIONSHIP_TYPE.FOOTNOTES)
        document.settings.element.insert_element_before(
            parse_xml(
                f"<w:footnotePr {nsdecls('w')}>"
                + "".join(f'<w:footnote w:id="{number}"/>' for number, _ in _SEPARATORS)
                + "</w:footnotePr>"
            ),
            "w:endnotePr", "w:compat", "w:docVars", "w:rsids", "m:mathPr", "w:attachedSchema", "w:themeFontLang", "w:clrSchemeMapping",
            "w:doNotIncludeSubdocsInStats", "w:shapeDefaults", "w:decimalSymbol", "w:listSeparator",
        )  # fmt: skip
        self.count = 0

    def _empty(self) -> Any:
        notes = "".join(
            f'<w:footnote w:type="{kind}" w:id="{number}"><w:p><w:pPr><w:spacing w:after="0" w:line="240" w:lineRule="auto"/></w:pPr>'
            f"<w:r><w:{kind}/></w:r></w:p></w:footnote>"
            for number, kind in _SEPARATORS
        )
        return parse_xml(f"<w:footnotes {nsdecls('w', 'r')}>{notes}</w:footnotes>")

    def add(self, paragraph: Any, text: str, link: str = "") -> int:
        """Set a mark at the end of a paragraph and return the footnote's number; the link follows its text."""
        self.count += 1
        mark = parse_xml(
            f'<w:r {nsdecls("w")}><w:rPr><w:rStyle w:val="{self._mark}"/></w:rPr><w:footnoteReference w:id="{self.count}"/></w:r>'
        )
        paragraph._p.append(mark)
        note = parse_xml(
            f'<w:footnote {nsdecls("w", "r")} w:id="{self.count}"><w:p><w:pPr><w:pStyle w:val="{self._text}"/></w:pPr>'
            f'<w:r><w:rPr><w:rStyle w:val="{self._mark}"/></w:rPr><w:footnoteRef/></w:r></w:p></w:footnote>'
        )
        line = note.find(qn("w:p"))
        line.append(_run(f" {text}"))
        if link:
            outside = etree.SubElement(line, qn("w:hyperlink"))
            outside.set(qn("r:id"), self._part.relate_to(link, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
            outside.append(_run(f" {link}"))
        self._part.element.append(note)
        return self.count


def _run(text: str) -> Any:
    run = parse_xml(f'<w:r {nsdecls("w")}><w:t xml:space="preserve"/></w:r>')
    run.find(qn("w:t")).text = text
    return run
