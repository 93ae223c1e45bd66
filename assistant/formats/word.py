"""Read Word documents."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from assistant.formats.converted import Converted
from assistant.formats.package import open_package
from assistant.formats.tables import Table, markdown_table


def read(file: Path) -> Converted:
    """Return a .docx file's text, and its title if it has one."""
    open_package(file, "word/document.xml")
    document = docx.Document(str(file))
    reader = _Word(document)
    lines = list(reader.lines(document.element.body))
    return Converted("\n".join(lines), {"title": reader.title} if reader.title else {})


def _raised(run: Any) -> bool:
    look = run.find(f"{qn('w:rPr')}/{qn('w:vertAlign')}")
    return look is not None and look.get(qn("w:val")) == "superscript"


class _Word:
    """Reads the body of a Word document in order: what is deleted or hidden is left out, numbers are counted."""

    def __init__(self, document: Any) -> None:
        self.title = ""
        self._styles = {style.element.styleId: style for style in document.styles}
        self._notes = self._footnotes(document)
        self._levels = self._numbering(document)
        self._counts: Counter[tuple[str, int]] = Counter()

    def lines(self, parent: Any) -> Iterator[str]:
        for element in parent.iterchildren():
            name = _local(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name == "tbl":
                yield from markdown_table(self._rows(element))
            elif name in ("sdt", "sdtContent", "ins", "customXml"):
                yield from self.lines(element)

    def _paragraph(self, paragraph: Any) -> Iterator[str]:
        text = self._text(paragraph).strip()
        boxes = [line for box in self._boxes(paragraph) for line in self.lines(box)]
        if text:
            style, level = self._style(paragraph)
            label = self._label(paragraph, style)
            if style == "title" and not self.title:
                self.title = text
            yield "#" * level + (" " if level else "") + label + text.replace("\n", "" if level else "\n")
            yield ""
        yield from boxes

    def _style(self, paragraph: Any) -> tuple[str, int]:
        """Return a paragraph's style, lower case, and the level of the heading it is, 0 if none."""
        found = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style = self._styles.get(found.get(qn("w:val"))) if found is not None else None
        name = (style.name or "").lower() if style is not None else ""
        heading = re.fullmatch(r"(?:heading|标题) ?([1-6])", name)
        outline = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
        if heading or name == "title":
            return name, int(heading[1]) if heading else 1
        if outline is not None and int(outline.get(qn("w:val"))) < 6:
            return name, int(outline.get(qn("w:val"))) + 1
        return name, 0

    def _text(self, parent: Any) -> str:
        parts: list[str] = []
        for element in parent.iterchildren():
            name = _local(element)
            if name == "r" and not self._hidden(element):
                text = "".join(self._run(node) for node in element.iterchildren())
                raised = _raised(element) and text.strip().isdigit() and parts and parts[-1][-1:].isdigit()
                parts.append(f"[{text}]" if raised else text)  # 2.67¹ is no 2.671
            elif name in ("ins", "hyperlink", "smartTag", "sdt", "sdtContent", "moveTo", "fldSimple"):
                parts.append(self._text(element))
        return "".join(parts)

    def _run(self, node: Any) -> str:
        name = _local(node)
        if name == "t":
            return node.text or ""
        if name == "footnoteReference":
            note = self._notes.get(node.get(qn("w:id")), "")
            return f"（注：{note}）" if note else ""
        return {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}.get(name, "")

    def _hidden(self, run: Any) -> bool:
        """Return whether a run is not to be read: hidden, struck out, white without a background, or of no size."""
        look = run.find(qn("w:rPr"))
        if look is None:
            return False
        values = {_local(part): part.get(qn("w:val")) for part in look}
        plain = "shd" not in values and "highlight" not in values
        size = values.get("sz") or "20"
        return (
            any(name in values and values[name] not in ("0", "false") for name in ("vanish", "strike", "dstrike"))
            or ((values.get("color") or "").upper() == "FFFFFF" and plain)
            or (size.isdigit() and int(size) <= 4)
        )

    def _boxes(self, paragraph: Any) -> Iterator[Any]:
        """Yield the text boxes anchored in a paragraph, each once though Word keeps it twice."""
        for box in paragraph.iter(qn("w:txbxContent")):
            if not any(_local(parent) == "Fallback" for parent in box.iterancestors()):
                yield box

    def _rows(self, table: Any) -> Table:
        """Return a table's cells; one that spans columns or rows stands in each of them."""
        rows: Table = []
        for line in table.iterchildren(qn("w:tr")):
            row: list[str] = []
            for cell in line.iterchildren(qn("w:tc")):
                text = " ".join(filter(None, self.lines(cell)))
                span = cell.find(f"{qn('w:tcPr')}/{qn('w:gridSpan')}")
                merged = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
                if merged is not None and merged.get(qn("w:val")) != "restart" and rows and len(row) < len(rows[-1]):
                    text = rows[-1][len(row)]
                row += [text] * (int(span.get(qn("w:val"))) if span is not None else 1)
            rows.append(row)
        return rows

    def _footnotes(self, document: Any) -> dict[str, str]:
        for relation in document.part.rels.values():
            if relation.reltype.endswith("/footnotes"):
                notes = parse_xml(relation.target_part.blob)
                return {
                    note.get(qn("w:id")): " ".join(
                        self._text(paragraph).strip() for paragraph in note.iter(qn("w:p"))
                    ).strip()
                    for note in notes.iterchildren(qn("w:footnote"))
                }
        return {}

    def _numbering(self, document: Any) -> dict[tuple[str, int], tuple[str, str, int]]:
        """Return the number format, its text and its start by numbering and level."""
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):
            return {}
        value = qn("w:val")
        abstract: dict[str, dict[int, tuple[str, str, int]]] = {}
        for one in root.iterchildren(qn("w:abstractNum")):
            levels = {}
            for level in one.iterchildren(qn("w:lvl")):
                parts = {_local(part): part.get(value) or "" for part in level}
                index = int(level.get(qn("w:ilvl")))
                levels[index] = (parts.get("numFmt", ""), parts.get("lvlText", ""), int(parts.get("start") or 1))
            abstract[one.get(qn("w:abstractNumId"))] = levels
        return {
            (number.get(qn("w:numId")), index): level
            for number in root.iterchildren(qn("w:num"))
            for index, level in abstract.get(number.find(qn("w:abstractNumId")).get(value), {}).items()
        }

    def _label(self, paragraph: Any, style: str) -> str:
        """Return the number or bullet that Word draws before a paragraph, counted on from the one before."""
        found = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if found is None:
            named = next((s for s in self._styles.values() if (s.name or "").lower() == style), None)
            found = named.element.find(f"{qn('w:pPr')}/{qn('w:numPr')}") if named is not None else None
        if found is None:
            return "- " if style.startswith("list bullet") else ""
        parts = {_local(part): part.get(qn("w:val")) for part in found}
        number, level = parts.get("numId") or "0", int(parts.get("ilvl") or 0)
        if (number, level) not in self._levels:
            return ""
        kind, text, _ = self._levels[number, level]
        self._counts[number, level] += 1
        for deeper in range(level + 1, 9):
            self._counts.pop((number, deeper), None)
        if kind == "bullet":
            return "- "

        def count(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            form, _, start = self._levels.get((number, at), ("", "", 1))
            return _numeral(max(self._counts[number, at], 1) + start - 1, form)

        label = re.sub(r"%(\d)", count, text)
        return label + ("" if label.endswith(("、", "．", ")", "）")) else " ")


def _numeral(number: int, form: str) -> str:
    """Return a number as Word writes it in a numbering format."""
    if form in (
        "chineseCounting",
        "chineseCountingThousand",
        "japaneseCounting",
        "ideographDigital",
        "taiwaneseCounting",
    ):
        return _chinese(number)
    if form == "decimalEnclosedCircle" and number <= 20:
        return chr(0x2460 + number - 1)
    if form in ("upperLetter", "lowerLetter") and number <= 26:
        return chr((65 if form == "upperLetter" else 97) + number - 1)
    return str(number)


def _chinese(number: int) -> str:
    """Return a number below 1000 in Chinese: 十二, 一百零三."""
    digits = "零一二三四五六七八九"
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{digits[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else digits[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (digits[ones] if ones or not text else "")


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]
