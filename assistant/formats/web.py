"""Read saved web pages."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lxml.html
import trafilatura
from lxml import etree

from assistant.errors import CorpusError
from assistant.formats.converted import Converted
from assistant.formats.tables import Table, markdown_table
from assistant.formats.text import read_text

_UNSEEN = re.compile(r"display:none|visibility:hidden|font-size:0(?:px|pt|em)?(?:;|$)|opacity:0(?:;|$)|left:-\d{3,}")
_SAID = {"ArticleTitle": "title", "PubDate": "published", "ContentSource": "publisher"}  # what government sites state


def read(file: Path) -> Converted:
    """Return a saved web page's main text, and the title, date and publisher that it states."""
    source = read_text(file)
    tree = lxml.html.document_fromstring(source.encode(), parser=lxml.html.HTMLParser(encoding="utf-8"))
    removed = [("看不见的文字", line) for line in _take_out_unseen(tree)]
    shown = list(_lines(tree))
    _mark_up(tree)
    tables = _data_tables(tree)
    metas = {meta.get("name"): (meta.get("content") or "").strip() for meta in tree.iter("meta")}
    stated = {column: metas[name] for name, column in _SAID.items() if metas.get(name)}
    title = tree.findtext(".//title") or ""
    stated.setdefault("title", re.split(r"[_|]|-(?=[^-]*$)", title.strip())[0].strip() or "")
    stated["published"] = stated.get("published", "")[:10]
    stated["source_url"] = _address(tree, source)
    text = trafilatura.extract(
        lxml.html.tostring(tree, encoding="unicode"), output_format="markdown", include_tables=True, include_comments=False,
        include_links=False, include_images=False, include_formatting=True, favor_recall=True,
    )  # fmt: skip
    if not text:
        raise CorpusError("网页里没有找到正文，请另存网页全部内容，或复制正文存为 .txt")
    text = re.sub(
        r"\s*表格位置(\d+)\s*", lambda m: "\n\n" + "\n".join(tables[int(m[1])]).strip() + "\n\n", text.replace("**", "")
    )
    kept = re.sub(r"[\W_]", "", text)
    removed += [("网页正文以外", line) for line in shown if re.sub(r"[\W_]", "", line) not in kept]
    return Converted(text, {column: value for column, value in stated.items() if value}, tuple(removed))


def _mark_up(tree: Any) -> None:
    """Take out what is struck, set note numbers apart (2.67¹ is no 2.671), and part what stands on lines of its own in a cell."""
    for element in list(tree.iter("del", "s", "strike")):
        element.drop_tree()
    for element in tree.iter("sup"):
        if (element.text or "").strip().isdigit():
            element.text = f"[{element.text.strip()}]"
    for cell in tree.iter("td", "th"):
        for element in cell.iter("p", "div", "br", "li"):
            element.tail = f" {element.tail or ''}"


def _take_out_unseen(tree: Any) -> list[str]:
    """Remove the elements that a reader of the page cannot see, and return their lines."""
    found: list[str] = []
    for element in list(tree.iter(etree.Element)):
        style = re.sub(r"\s", "", str(element.get("style") or "")).lower()
        if element.get("hidden") is not None or (style and _UNSEEN.search(style)):
            found += _lines(element)
            element.drop_tree()
    return found


def _lines(tree: Any) -> Iterator[str]:
    """Yield the lines of text that an element holds, scripts and the like left out."""
    for element in tree.iter(etree.Element):
        texts = [element.text] if element.tag not in ("script", "style", "noscript", "template", "title") else []
        for text in (*texts, element.tail if element is not tree else None):
            if text and text.strip():
                yield " ".join(text.split())


def _address(tree: Any, source: str) -> str:
    """Return where the page was saved from, as browsers note it or as it says itself; "" if that is not known."""
    noted = re.search(r"<!-- saved from url=\(\d+\)(\S+) -->", source[:2000])
    links = (link.get("href") or "" for link in tree.iter("link") if (link.get("rel") or "").lower() == "canonical")
    address = noted[1] if noted else next(links, "")
    return address if address.startswith(("http://", "https://")) else ""


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
