"""Turn office files into the Markdown that the splitter reads: headings, clauses, list items, tables.

Each file is read by a process of its own, held to limits of time and memory: what a broken or hostile file does there
ends there.
"""

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError

SECONDS, MEMORY = 120, 2_000_000_000  # that a file may take to read: wall clock, bytes
MAX_TEXT, MAX_BYTES, MAX_EXPANDED, MAX_PAGES, MAX_ROWS = 50_000_000, 100_000_000, 400_000_000, 1000, 100_000
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what .doc, .xls and encrypted Office files begin with
BROKEN = "文件损坏，或内容与后缀不符，请用原来的软件重新另存"
Table = list[list[str]]


@dataclass(frozen=True, slots=True)
class Converted:
    """A file's text as Markdown, and what it says of itself: keys are catalogue columns."""

    text: str
    stated: dict[str, str] = field(default_factory=dict)


def convert(file: Path) -> Converted:
    """Return an office file's text. Raises CorpusError, in words for the user, where it cannot be read."""
    command = [sys.executable, "-m", "assistant.formats", str(file)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise CorpusError(f"读取超过 {SECONDS} 秒，请拆分或另存为较简单的文件") from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:  # killed, or out of memory
        raise CorpusError("读取时耗尽内存或意外终止，请拆分或另存为较简单的文件") from error
    if "error" in answer:
        raise CorpusError(answer["error"])
    return Converted(answer["text"], answer["stated"])


def _limit() -> None:
    """Hold this process to its share of memory and time; it writes no files."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _main(file: Path) -> None:
    """Read one file and print its text, or why it cannot be read, as JSON."""
    _limit()
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CorpusError(f"文件超过 {MAX_BYTES // 1_000_000} MB，请拆分")
        converted = READERS[file.suffix.lower()](file)
        if len(converted.text) > MAX_TEXT:
            raise CorpusError(f"正文超过 {MAX_TEXT // 10_000} 万字，请拆分")
        answer: dict[str, Any] = {"text": converted.text, "stated": converted.stated}
    except CorpusError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "读取时耗尽内存，请拆分或另存为较简单的文件"}
    except Exception:  # whatever a library raises on a broken file: the boundary of the process
        answer = {"error": BROKEN}
    print(json.dumps(answer, ensure_ascii=True))


def _opened(file: Path, part: str) -> None:
    """Raise CorpusError unless the file is an Office package that holds `part` and unpacks to a bearable size."""
    with file.open("rb") as data:
        start = data.read(8)
    if start == OLE:
        raise CorpusError("旧版 Office 格式或有密码，请去掉密码，另存为 .docx 或 .xlsx")
    if not zipfile.is_zipfile(file):
        raise CorpusError(BROKEN)
    with zipfile.ZipFile(file) as package:
        parts = package.infolist()
        if part not in {info.filename for info in parts}:
            raise CorpusError(BROKEN)
        if sum(info.file_size for info in parts) > MAX_EXPANDED:
            raise CorpusError(f"解开后超过 {MAX_EXPANDED // 1_000_000} MB，请拆分")


# Text

_COMMON = frozenset(
    "的一是在不了有和人这這中大为為上个個国國我以要他时時来來用们們生到作地于於出就分对對成会會可主发發年动動同工也能下过過子说說产產种種面而方后後多定行学學法所民得经經"
    "十三之进進等部度家电電力如水化高自二理起小物现現实實加量都两兩体體制机機当當使点點从從业業本去把性好应應开開合还還因由其些然前外天政四日社义義事平形相全表间間与與关關各重新"
)


def read_text(file: Path) -> str:
    """Return a file's text, from UTF-8, UTF-16 or GB18030. Raises CorpusError with the reason otherwise."""
    try:
        size, data = file.stat().st_size, b""
        if size <= MAX_TEXT:
            data = file.read_bytes()
    except OSError as error:
        raise CorpusError(f"读不了文件（{error.strerror}），请检查权限") from error
    if size > MAX_TEXT:
        raise CorpusError(f"文件超过 {MAX_TEXT // 1_000_000} MB，请拆分")
    if not data.strip(b"\x00\xef\xbb\xbf\xff\xfe \r\n\t"):
        raise CorpusError("文件是空的，请补内容或删去文件")
    found: list[str] = []
    for encoding in _encodings(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if _readable(text):
            if encoding.startswith("utf"):
                return text
            found.append(text)
    if not found:
        raise CorpusError("不是文本文件，或编码无法识别，请另存为 UTF-8")
    return max(found, key=_familiar)  # bytes of BIG5 are characters in GB18030 too, but odd ones


def _encodings(data: bytes) -> Iterator[str]:
    """Name the encodings to try: the one its byte order mark names, else those its zero bytes allow."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield "utf-16"
    elif b"\x00" in data[:1000]:
        yield from ("utf-16-le", "utf-16-be")
    else:
        yield from ("utf-8-sig", "gb18030", "big5hkscs")


def _familiar(text: str) -> float:
    """Return the share of a text's Chinese characters that are among the commonest, traditional or not."""
    chinese = [character for character in text[:5000] if "\u3400" <= character <= "\u9fff"]
    return sum(character in _COMMON for character in chinese) / max(1, len(chinese))


def _readable(text: str) -> bool:
    """Tell text from bytes that only happened to decode: hardly any control, private or unassigned characters."""
    sample = text[:20_000]
    odd = sum(1 for c in sample if (c < " " and c not in "\t\n\r\f\v") or "\ue000" <= c <= "\uf8ff" or c == "\ufffd")
    common = sum(1 for c in sample if c.isascii() or "\u3000" <= c <= "\u9fff" or "\uff00" <= c <= "\uffef" or "\u2010" <= c <= "\u2030" or "\u2160" <= c <= "\u217f")  # fmt: skip
    return odd <= len(sample) * 0.001 and common >= len(sample) * 0.8


# Tables


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines, its first row the header; two header rows become one. A single row or column is text."""
    cleaned = [[_cell(cell) for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    width = max(map(len, cleaned), default=0)
    cleaned = [row + [""] * (width - len(row)) for row in cleaned]
    kept = [i for i in range(width) if any(row[i] for row in cleaned)]
    cleaned = [[row[i] for i in kept] for row in cleaned]
    if len(cleaned) < 2 or len(kept) < 2:
        return [" ".join(dict.fromkeys(filter(None, row))) for row in cleaned]
    head, *body = cleaned
    if len(body) > 1 and len(set(head)) < len(head) and len(set(body[0])) == len(body[0]):
        head = [top if top == sub else f"{top}{sub}" for top, sub in zip(head, body[0], strict=True)]
        body = body[1:]
    lines = [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body)]
    return ["", *lines, ""]


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "／").strip()


# Word


def _docx(file: Path) -> Converted:
    _opened(file, "word/document.xml")
    import docx

    document = docx.Document(str(file))
    reader = _Word(document)
    lines = list(reader.lines(document.element.body))
    return Converted("\n".join(lines), {"title": reader.title} if reader.title else {})


class _Word:
    """Reads the body of a Word document in order: what is deleted or hidden is left out, numbers are counted."""

    def __init__(self, document: Any) -> None:
        from docx.oxml.ns import qn

        self.qn, self.title = qn, ""
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
                yield from _table(self._rows(element))
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
        found = paragraph.find(f"{self.qn('w:pPr')}/{self.qn('w:pStyle')}")
        style = self._styles.get(found.get(self.qn("w:val"))) if found is not None else None
        name = (style.name or "").lower() if style is not None else ""
        heading = re.fullmatch(r"(?:heading|标题) ?([1-6])", name)
        outline = paragraph.find(f"{self.qn('w:pPr')}/{self.qn('w:outlineLvl')}")
        if heading or name == "title":
            return name, int(heading[1]) if heading else 1
        if outline is not None and int(outline.get(self.qn("w:val"))) < 6:
            return name, int(outline.get(self.qn("w:val"))) + 1
        return name, 0

    def _text(self, parent: Any) -> str:
        parts = []
        for element in parent.iterchildren():
            name = _local(element)
            if name == "r" and not self._hidden(element):
                parts += [self._run(node) for node in element.iterchildren()]
            elif name in ("ins", "hyperlink", "smartTag", "sdt", "sdtContent", "moveTo", "fldSimple"):
                parts.append(self._text(element))
        return "".join(parts)

    def _run(self, node: Any) -> str:
        name = _local(node)
        if name == "t":
            return node.text or ""
        if name == "footnoteReference":
            note = self._notes.get(node.get(self.qn("w:id")), "")
            return f"（注：{note}）" if note else ""
        return {"tab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}.get(name, "")

    def _hidden(self, run: Any) -> bool:
        """Return whether a run is not to be seen: hidden, white without a background, or of no size."""
        look = run.find(self.qn("w:rPr"))
        if look is None:
            return False
        values = {_local(part): part.get(self.qn("w:val")) for part in look}
        plain = "shd" not in values and "highlight" not in values
        size = values.get("sz") or "20"
        return (
            ("vanish" in values and values["vanish"] not in ("0", "false"))
            or ((values.get("color") or "").upper() == "FFFFFF" and plain)
            or (size.isdigit() and int(size) <= 4)
        )

    def _boxes(self, paragraph: Any) -> Iterator[Any]:
        """Yield the text boxes anchored in a paragraph, each once though Word keeps it twice."""
        for box in paragraph.iter(self.qn("w:txbxContent")):
            if not any(_local(parent) == "Fallback" for parent in box.iterancestors()):
                yield box

    def _rows(self, table: Any) -> Table:
        """Return a table's cells; one that spans columns or rows stands in each of them."""
        rows: Table = []
        for line in table.iterchildren(self.qn("w:tr")):
            row: list[str] = []
            for cell in line.iterchildren(self.qn("w:tc")):
                text = " ".join(filter(None, self.lines(cell)))
                span = cell.find(f"{self.qn('w:tcPr')}/{self.qn('w:gridSpan')}")
                merged = cell.find(f"{self.qn('w:tcPr')}/{self.qn('w:vMerge')}")
                if (
                    merged is not None
                    and merged.get(self.qn("w:val")) != "restart"
                    and rows
                    and len(row) < len(rows[-1])
                ):
                    text = rows[-1][len(row)]
                row += [text] * (int(span.get(self.qn("w:val"))) if span is not None else 1)
            rows.append(row)
        return rows

    def _footnotes(self, document: Any) -> dict[str, str]:
        from docx.oxml import parse_xml

        for relation in document.part.rels.values():
            if relation.reltype.endswith("/footnotes"):
                notes = parse_xml(relation.target_part.blob)
                return {
                    note.get(self.qn("w:id")): " ".join(
                        self._text(paragraph).strip() for paragraph in note.iter(self.qn("w:p"))
                    ).strip()
                    for note in notes.iterchildren(self.qn("w:footnote"))
                }
        return {}

    def _numbering(self, document: Any) -> dict[tuple[str, int], tuple[str, str, int]]:
        """Return the number format, its text and its start by numbering and level."""
        try:
            root = document.part.numbering_part.element
        except (KeyError, NotImplementedError):
            return {}
        value = self.qn("w:val")
        abstract: dict[str, dict[int, tuple[str, str, int]]] = {}
        for one in root.iterchildren(self.qn("w:abstractNum")):
            levels = {}
            for level in one.iterchildren(self.qn("w:lvl")):
                parts = {_local(part): part.get(value) or "" for part in level}
                index = int(level.get(self.qn("w:ilvl")))
                levels[index] = (parts.get("numFmt", ""), parts.get("lvlText", ""), int(parts.get("start") or 1))
            abstract[one.get(self.qn("w:abstractNumId"))] = levels
        return {
            (number.get(self.qn("w:numId")), index): level
            for number in root.iterchildren(self.qn("w:num"))
            for index, level in abstract.get(number.find(self.qn("w:abstractNumId")).get(value), {}).items()
        }

    def _label(self, paragraph: Any, style: str) -> str:
        """Return the number or bullet that Word draws before a paragraph, counted on from the one before."""
        found = paragraph.find(f"{self.qn('w:pPr')}/{self.qn('w:numPr')}")
        if found is None:
            named = next((s for s in self._styles.values() if (s.name or "").lower() == style), None)
            found = named.element.find(f"{self.qn('w:pPr')}/{self.qn('w:numPr')}") if named is not None else None
        if found is None:
            return "- " if style.startswith("list bullet") else ""
        parts = {_local(part): part.get(self.qn("w:val")) for part in found}
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


# Spreadsheets


def _xlsx(file: Path) -> Converted:
    _opened(file, "xl/workbook.xml")
    import openpyxl

    book = openpyxl.load_workbook(file, data_only=True)
    lines: list[str] = []
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            if sheet.max_row > MAX_ROWS:
                raise CorpusError(f"工作表“{sheet.title}”超过 {MAX_ROWS} 行，请拆分")
            lines += _sheet(sheet.title, _cells(sheet))
    return Converted("\n".join(lines))


def _cells(sheet: Any) -> Table:
    """Return a sheet's visible cells as they are shown; a merged cell stands in each cell it covers."""
    from openpyxl.utils import get_column_letter

    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }
    columns = [
        number
        for number in range(1, sheet.max_column + 1)
        if not sheet.column_dimensions[get_column_letter(number)].hidden
    ] if sheet.max_column < 1000 else list(range(1, 1000))  # fmt: skip
    return [
        [_shown(sheet.cell(*merged.get((row, column), (row, column)))) for column in columns]
        for row in range(1, sheet.max_row + 1)
        if not sheet.row_dimensions[row].hidden
    ]


def _shown(cell: Any) -> str:
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        moment = value if isinstance(value, datetime) else datetime.combine(value, time())
        return f"{moment:%Y-%m-%d}" + (f" {moment:%H:%M}" if moment.time() != time() else "")
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float):
        percent = "%" in (cell.number_format or "")
        return f"{round(value * (100 if percent else 1), 6):.15g}" + ("%" if percent else "")
    return str(value)


def _csv(file: Path) -> Converted:
    text = read_text(file)
    csv.field_size_limit(MAX_BYTES)
    rows = list(
        csv.reader(io.StringIO(text, newline=""), delimiter="\t" if text.count("\t") > text.count(",") else ",")
    )
    if len(rows) > MAX_ROWS:
        raise CorpusError(f"超过 {MAX_ROWS} 行，请拆分")
    return Converted("\n".join(_sheet("", rows)))


def _sheet(name: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a sheet's lines: what stands alone above the table is text, the first full row its header."""
    filled = [row for row in rows if any(_cell(cell) for cell in row)]
    above = []
    while len(filled) > 1 and len({_cell(cell) for cell in filled[0] if _cell(cell)}) == 1:
        above.append(next(_cell(cell) for cell in filled.pop(0) if _cell(cell)))
    generic = re.fullmatch(r"(?:Sheet|工作表)\d*", name)
    return [*([f"# {name}", ""] if name and not generic else []), *above, *_table(filled)]


# Web pages

_UNSEEN = re.compile(r"display:none|visibility:hidden|font-size:0(?:px|pt|em)?(?:;|$)|opacity:0(?:;|$)|left:-\d{3,}")
_SAID = {"ArticleTitle": "title", "PubDate": "published", "ContentSource": "publisher"}  # what government sites state


def _html(file: Path) -> Converted:
    import lxml.html
    import trafilatura

    tree = lxml.html.document_fromstring(read_text(file).encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    for element in list(tree.iter()):
        style = re.sub(r"\s", "", str(element.get("style") or "")).lower() if isinstance(element.tag, str) else ""
        if (style and _UNSEEN.search(style)) or (isinstance(element.tag, str) and element.get("hidden") is not None):
            element.drop_tree()
    tables = _data_tables(tree)
    metas = {meta.get("name"): (meta.get("content") or "").strip() for meta in tree.iter("meta")}
    stated = {column: metas[name] for name, column in _SAID.items() if metas.get(name)}
    title = tree.findtext(".//title") or ""
    stated.setdefault("title", re.split(r"[_|]|-(?=[^-]*$)", title.strip())[0].strip() or "")
    stated["published"] = stated.get("published", "")[:10]
    text = trafilatura.extract(
        lxml.html.tostring(tree, encoding="unicode"), output_format="markdown", include_tables=True, include_comments=False,
        include_links=False, include_images=False, include_formatting=True, favor_recall=True,
    )  # fmt: skip
    if not text:
        raise CorpusError("网页里没有找到正文，请另存网页全部内容，或复制正文存为 .txt")
    text = re.sub(
        r"\s*表格位置(\d+)\s*", lambda m: "\n\n" + "\n".join(tables[int(m[1])]).strip() + "\n\n", text.replace("**", "")
    )
    return Converted(text, {column: value for column, value in stated.items() if value})


def _data_tables(tree: Any) -> list[list[str]]:
    """Return the lines of each table that holds data, not the page's layout; a mark stands in its place from here on."""
    found: list[list[str]] = []
    for table in list(tree.iter("table")):
        rows = _grid(table)
        cells = [cell for row in rows for cell in row]
        if (
            table.find(".//table") is not None
            or len(rows) < 2
            or max(map(len, rows)) < 2
            or max(map(len, cells)) > 2000
        ):
            continue
        mark = table.makeelement("p")
        mark.text = f"表格位置{len(found)}"
        mark.tail = table.tail
        table.getparent().replace(table, mark)
        found.append(_table(rows))
    return found


def _grid(table: Any) -> Table:
    """Return a table's cells; one that spans columns or rows stands in each of them."""
    held: dict[tuple[int, int], str] = {}
    for at, line in enumerate(table.iter("tr")):
        column = 0
        for cell in line:
            if cell.tag not in ("td", "th"):
                continue
            while (at, column) in held:
                column += 1
            wide, high = (min(max(_integer(cell.get(name)), 1), 100) for name in ("colspan", "rowspan"))
            for row in range(at, at + high):
                held |= {(row, column + offset): cell.text_content() for offset in range(wide)}
            column += wide
    rows = 1 + max((row for row, _ in held), default=-1)
    columns = 1 + max((column for _, column in held), default=-1)
    return [[held.get((row, column), "") for column in range(columns)] for row in range(rows)]


def _integer(text: str | None) -> int:
    return int(text) if text and text.strip().isdecimal() else 1


# PDF

_PAGE_NUMBER = re.compile(
    r"[-—–\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／]\s*(?:共\s*)?\d{1,4}(?:\s*页)?)?[-—–\s]*|第\s*\d+\s*页\s*共\s*\d+\s*页"
)
_BEGINS = re.compile(
    r"第[一二三四五六七八九十百零〇\d]+[编章节条]|[一二三四五六七八九十]+、|[(（][一二三四五六七八九十\d]+[)）]|\d{1,2}[.、．]|[-•●■]|附件|[①-⑳]"
)
EDGE = 2  # lines at a page's top and bottom that may be a header or footer


@dataclass(slots=True)
class _Line:
    """A line of a page, or a table in its place."""

    text: str
    top: float
    x0: float = 0.0
    x1: float = 0.0
    size: float = 0.0
    table: Table = field(default_factory=list)


def _pdf(file: Path) -> Converted:
    import pdfplumber
    from pdfplumber.utils.exceptions import PdfminerException

    with file.open("rb") as data:
        if b"%PDF-" not in data.read(1024):
            raise CorpusError(BROKEN)
    try:
        with pdfplumber.open(file) as pdf:
            if len(pdf.pages) > MAX_PAGES:
                raise CorpusError(f"超过 {MAX_PAGES} 页，请拆分")
            pages, pictures = [], 0
            for page in pdf.pages:
                pages.append(_lines(page))
                pictures += bool(page.images)
                page.close()
    except PdfminerException as error:
        raise CorpusError("PDF 有密码或已损坏，请去掉密码或重新导出") from error
    characters = sum(
        len(line.text) + sum(len(cell) for row in line.table for cell in row) for page in pages for line in page
    )
    if characters < 20 * len(pages) and pictures:
        raise CorpusError("这是扫描件，没有文字层；请先做文字识别（OCR），另存为带文字的 PDF 或 .docx")
    return Converted("\n".join(_paragraphs(_without_edges(pages))))


def _lines(page: Any) -> list[_Line]:
    """Return a page's lines in reading order, column by column, its tables in their places."""
    whole = page
    page = whole.filter(lambda thing: thing["object_type"] != "char" or _seen(thing, whole))
    tables = [table for table in page.find_tables() if len(table.rows) > 1 and len(table.columns) > 1]
    boxes = [table.bbox for table in tables]
    found = [
        _Line(
            "",
            table.bbox[1],
            table.bbox[0],
            table.bbox[2],
            0.0,
            [[cell or "" for cell in row] for row in table.extract()],
        )
        for table in tables
    ]
    outside = page.filter(lambda thing: thing["object_type"] != "char" or not any(_within(thing, box) for box in boxes))
    words = outside.extract_words(extra_attrs=["size"], keep_blank_chars=False, x_tolerance=3)
    gutter = _gutter(words, page.width)
    for number, column in enumerate(_columns(words, gutter)):
        for line in _rows_of(column):
            found.append(_Line(*line))
            if gutter:  # the right column comes after the left one
                found[-1].top += number * page.height
    return sorted(found, key=lambda line: line.top)


def _seen(char: dict[str, Any], page: Any) -> bool:
    """Return whether a character can be seen: on the page, of some size, not white on white."""
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    if not (0 <= x <= page.width and 0 <= y <= page.height) or char["size"] < 2:
        return False
    color = char.get("non_stroking_color")
    if color is None or not all(isinstance(part, int | float) for part in color):
        return True
    white = (len(color) in (1, 3) and min(color) >= 0.99) or (len(color) == 4 and max(color) <= 0.01)
    return not white or any(
        rect["x0"] <= x <= rect["x1"] and rect["top"] <= y <= rect["bottom"] and rect.get("fill") for rect in page.rects
    )


def _within(char: dict[str, Any], box: tuple[float, float, float, float]) -> bool:
    x, y = (char["x0"] + char["x1"]) / 2, (char["top"] + char["bottom"]) / 2
    return bool(box[0] <= x <= box[2] and box[1] <= y <= box[3])


def _gutter(words: Sequence[dict[str, Any]], width: float) -> float:
    """Return where the gap between two columns lies, 0 if the page has one: hardly a word crosses it, many stand beside it."""
    if len(words) < 20:
        return 0.0
    places = [width * part / 100 for part in range(35, 66)]
    crossing = {x: sum(word["x0"] < x < word["x1"] for word in words) for x in places}
    best = min(places, key=lambda x: (crossing[x], abs(x - width / 2)))
    left = sum(word["x1"] <= best for word in words)
    right = sum(word["x0"] >= best for word in words)
    long = [word for word in words if word["x1"] - word["x0"] > width * 0.25]  # running text, not cells
    columns = (
        crossing[best] <= 0.1 * len(words) and min(left, right) >= 0.25 * len(words) and len(long) >= 0.5 * len(words)
    )
    return best if columns else 0.0


def _columns(words: Sequence[dict[str, Any]], gutter: float) -> list[list[dict[str, Any]]]:
    if not gutter:
        return [list(words)]
    return [[w for w in words if w["x0"] < gutter], [w for w in words if w["x0"] >= gutter]]


def _rows_of(words: Sequence[dict[str, Any]]) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield (text, top, x0, x1, size) of each line of words; words far apart are parted by a space."""
    rows: list[list[dict[str, Any]]] = []
    for word in sorted(words, key=lambda word: (word["top"], word["x0"])):
        if rows and abs(word["top"] - rows[-1][0]["top"]) <= 0.5 * word["size"]:
            rows[-1].append(word)
        else:
            rows.append([word])
    for row in rows:
        row.sort(key=lambda word: word["x0"])
        text = row[0]["text"]
        for before, word in pairwise(row):
            text += (" " if word["x0"] - before["x1"] > 0.3 * word["size"] else "") + word["text"]
        yield text, row[0]["top"], row[0]["x0"], row[-1]["x1"], max(word["size"] for word in row)


def _without_edges(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Return the pages without page numbers and the headers and footers that most of them repeat."""
    seen = Counter(
        _edge(line)
        for page in pages
        for line in {id(one): one for one in (*page[:EDGE], *page[-EDGE:])}.values()
        if line.text
    )
    repeated = {text for text, count in seen.items() if count >= max(3, len(pages) / 2)}
    return [
        [
            line
            for at, line in enumerate(page)
            if line.table
            or not (
                (at < EDGE or at >= len(page) - EDGE)
                and (_edge(line) in repeated or _PAGE_NUMBER.fullmatch(line.text.strip()))
            )
        ]
        for page in pages
    ]


def _edge(line: _Line) -> str:
    return re.sub(r"\d+", "#", re.sub(r"\s", "", line.text))


def _paragraphs(pages: list[list[_Line]]) -> Iterator[str]:
    """Yield paragraphs, headings and tables; a line that ran to the margin goes on in the next, also over a page."""
    lines = [line for page in pages for line in page]
    sizes = Counter(round(line.size) for line in lines if line.text for _ in line.text)
    body = sizes.most_common(1)[0][0] if sizes else 0
    margin = max((line.x1 for line in lines if line.text), default=0.0)
    paragraph, last = "", None
    for line in _joined_tables(lines):
        text = line.text.strip()
        goes_on = (
            paragraph and last is not None and text and round(line.size) == round(last.size)
            and last.x1 >= margin - 2.5 * last.size and not _BEGINS.match(text)
        )  # fmt: skip
        if goes_on:
            hyphenated = re.search(r"[a-z]-$", paragraph) and text[:1].islower()
            spaced = paragraph[-1:].isascii() and text[:1].isascii() and paragraph[-1:].isalnum() and text[:1].isalnum()
            paragraph = paragraph[:-1] + text if hyphenated else paragraph + (" " if spaced else "") + text
        else:
            if paragraph:
                yield paragraph
                yield ""
            paragraph = text
            if text and round(line.size) > 1.15 * body and len(text) <= 60 and not text.endswith(("。", "；", "，")):
                yield f"# {text}"
                yield ""
                paragraph = ""
        if line.table:
            yield from _table(line.table)
        last = line
    if paragraph:
        yield paragraph


def _joined_tables(lines: Sequence[_Line]) -> Iterator[_Line]:
    """Yield the lines, a table that goes on over the page joined to its first part, its repeated header left out."""
    held: _Line | None = None
    for line in lines:
        if line.table and held is not None and len(held.table[0]) == len(line.table[0]):
            rows = line.table[1:] if line.table[0] == held.table[0] else line.table
            held.table += rows
            continue
        if held is not None:
            yield held
        held = line if line.table else None
        if held is None:
            yield line
    if held is not None:
        yield held


READERS: dict[str, Callable[[Path], Converted]] = {
    ".docx": _docx,
    ".xlsx": _xlsx,
    ".csv": _csv,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
}
ADVICE = {  # for formats that are known and not read
    ".doc": "旧版 Word 文件，请另存为 .docx",
    ".xls": "旧版 Excel 文件，请另存为 .xlsx",
    ".docm": "含宏的文件，请另存为 .docx",
    ".xlsm": "含宏的文件，请另存为 .xlsx",
    ".ppt": "演示文稿，请导出为 PDF",
    ".pptx": "演示文稿，请导出为 PDF",
    ".wps": "WPS 文件，请另存为 .docx",
    ".et": "WPS 表格，请另存为 .xlsx",
    ".ofd": "OFD 版式文件，请导出为 PDF 或 .docx",
    **dict.fromkeys(
        (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"), "图片，请先做文字识别（OCR），另存为 .docx 或 .txt"
    ),
    **dict.fromkeys((".zip", ".rar", ".7z", ".gz"), "压缩包，请解开后放入"),
}


if __name__ == "__main__":
    _main(Path(sys.argv[1]))
