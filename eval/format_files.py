"""Write a made-up document as a file: PDF, Word, web page, workbook, CSV, plain text, or a scan."""

import csv
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.styles import Alignment

from eval.format_pdf import write_pdf, write_scan
from eval.format_sources import Block, Source, Table
from eval.format_word import write_docx

Writer = Callable[[Source, Path], None]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), "")
MENU = ("网站首页", "政务公开", "办事大厅", "互动交流", "数据开放", "无障碍阅读")
TOOLS = ("分享到：微信 微博 QQ空间", "【打印本页】【关闭窗口】", "字号：大 中 小", "浏览次数：10253")
RELATED = ("相关阅读：一图看懂营商环境改革", "热门推荐：春季招聘会报名入口", "政务新媒体矩阵")
LEGAL = (
    "版权所有：测试区网络信息中心",
    "网站标识码：9900000001",
    "京ICP备00000000号",
    "法律声明 隐私条款 联系我们 网站地图",
)


def write_printed(source: Source, file: Path) -> None:
    """Write the article's web page as the browser prints it: fonts within, its own header and footer."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "article.html"
        page.write_text(_html(source, f"<body>{_article(source)}</body>"), encoding="utf-8")
        subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={file}", page.as_uri()],
            check=True,
            capture_output=True,
            timeout=60,
        )


def write_html(source: Source, file: Path) -> None:
    """Write a web page with what stands around an article on a government site."""
    menu = "".join(f'<li><a href="/{n}/">{word}</a></li>' for n, word in enumerate(MENU))
    related = "".join(f'<li><a href="/r{n}.html">{word}</a></li>' for n, word in enumerate(RELATED))
    tools = "".join(f'<span class="tool">{word}</span>' for word in TOOLS)
    legal = "".join(f"<p>{word}</p>" for word in LEGAL)
    around = (
        f'<body><div class="header"><ul class="nav">{menu}</ul></div><div class="position">当前位置：<a href="/">首页</a> &gt; '
        f'<a href="/zc/">政策文件</a></div><div class="main">{_article(source)}<div class="tools">{tools}</div></div>'
        f'<div class="sidebar"><ul>{related}</ul></div><div class="footer">{legal}</div>'
        f"<script>var shown = 1;</script></body>"
    )
    file.write_text(_html(source, around), encoding="utf-8")


def _html(source: Source, body: str) -> str:
    style = "table{border-collapse:collapse}td,th{border:1px solid}body{font-family:'Noto Sans CJK SC',sans-serif}"
    head = f'<meta charset="utf-8"><title>{escape(source.title)}</title><style>{style}</style>'
    return f'<!DOCTYPE html><html lang="zh"><head>{head}</head>{body}</html>'


def _article(source: Source) -> str:
    notes = [block.note for block in source.blocks if block.note]
    parts = [f'<div class="article"><h1>{escape(source.title)}</h1><div id="zoom" class="content">']
    for block in source.blocks:
        if block.table:
            parts.append(_html_table(block.table))
        elif block.kind == "items" and block.marker == "%d.":
            parts.append(f"<ol>{''.join(f'<li>{escape(item)}</li>' for item in block.items)}</ol>")
        elif block.kind == "items":
            parts += [f"<p>{escape(item)}</p>" for item in block.marked]
        else:
            parts.append(_html_block(block, notes))
    parts += [f'<p id="note{n}">[{n}] {escape(note)}</p>' for n, note in enumerate(notes, 1)]
    return "".join([*parts, "</div></div>"])


def _html_block(block: Block, notes: list[str]) -> str:
    text = escape(block.text)
    if block.note:
        number = notes.index(block.note) + 1
        return f'<p>{text}<sup><a href="#note{number}">[{number}]</a></sup></p>'
    match block.kind:
        case "h1" | "h2":
            level = int(block.kind[1]) + 1
            return f"<h{level}>{text}</h{level}>"
        case "right":
            return f'<p style="text-align:right">{text}</p>'
        case "box":
            return f'<div class="tip" style="float:right;width:40%;border:1px solid">{text}</div>'
        case "q":
            return f"<p><strong>{text}</strong></p>"
    return f"<p>{text}</p>"


def _html_table(table: Table) -> str:
    lines: list[list[str]] = [[] for _ in table.grid]
    for row, column, high, wide in table.spans():
        tag = "th" if row < len(table.header) else "td"
        lines[row].append(f'<{tag} rowspan="{high}" colspan="{wide}">{escape(table.grid[row][column])}</{tag}>')
    return f"<table>{''.join(f'<tr>{chr(10).join(cells)}</tr>' for cells in lines)}</table>"


def write_xlsx(source: Source, file: Path) -> None:
    """Write a workbook as an office keeps a table: the title and notes in merged rows around it, numbers as numbers."""
    book = openpyxl.Workbook()
    sheet = book.active
    wide = max(len(row) for table in source.tables for row in table.grid)
    for block in (Block("p", source.title), *source.blocks):
        top = sheet.max_row + 1 if sheet["A1"].value else 1
        if block.table:
            _fill(sheet, block.table, top)
        else:
            sheet.cell(top, 1, block.text)
            sheet.merge_cells(start_row=top, start_column=1, end_row=top, end_column=wide)
    book.save(file)


def _fill(sheet: Any, table: Table, top: int) -> None:
    for row, column, high, wide in table.spans():
        text = table.grid[row][column]
        cell = sheet.cell(top + row, column + 1, text)
        cell.alignment = Alignment(horizontal="center")
        if text.replace(".", "").lstrip("-").isdigit():
            cell.value = float(text) if "." in text else int(text)
            cell.number_format = f"0.{'0' * len(text.partition('.')[2])}" if "." in text else "0"
        if high > 1 or wide > 1:
            sheet.merge_cells(
                start_row=top + row, start_column=column + 1, end_row=top + row + high - 1, end_column=column + wide
            )


def write_csv(source: Source, file: Path) -> None:
    """Write what Excel saves of that workbook as CSV in Chinese Windows: GB18030, merged cells blank."""
    with file.open("w", encoding="gb18030", newline="") as target:
        rows = csv.writer(target)
        wide = max(len(row) for table in source.tables for row in table.grid)
        for block in (Block("p", source.title), *source.blocks):
            rows.writerows(block.table.blanked() if block.table else [[block.text] + [""] * (wide - 1)])


def write_text(source: Source, file: Path) -> None:
    """Write plain text in GB18030, cells parted by tabs, footnotes at the end."""
    lines = [source.title, ""]
    for block in source.blocks:
        if block.table:
            lines += ["\t".join(row) for row in block.table.blanked()]
        else:
            mark = "[注]" if block.note else ""
            lines += [text + mark for text in ([block.text] if block.text else block.marked)]
    lines += [f"[注] {block.note}" for block in source.blocks if block.note]
    file.write_bytes("\n".join(lines).encode("gb18030"))


WRITERS: dict[str, tuple[str, Writer]] = {  # name → how the file's name ends, and what writes it
    "pdf": (".pdf", write_pdf),
    "printed": (".pdf", write_printed),
    "docx": (".docx", write_docx),
    "html": (".html", write_html),
    "txt": (".txt", write_text),
    "xlsx": (".xlsx", write_xlsx),
    "csv": (".csv", write_csv),
    "scan": (".pdf", write_scan),
}
