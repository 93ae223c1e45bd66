"""Read saved web pages."""

import re
from pathlib import Path
from typing import Any

import lxml.html
import trafilatura

from assistant.errors import CorpusError
from assistant.formats.converted import Converted
from assistant.formats.tables import Table, markdown_table
from assistant.formats.text import read_text

_UNSEEN = re.compile(r"display:none|visibility:hidden|font-size:0(?:px|pt|em)?(?:;|$)|opacity:0(?:;|$)|left:-\d{3,}")
_SAID = {"ArticleTitle": "title", "PubDate": "published", "ContentSource": "publisher"}  # what government sites state


def read(file: Path) -> Converted:
    """Return a saved web page's main text, and the title, date and publisher that it states."""
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
        found.append(markdown_table(rows))
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
