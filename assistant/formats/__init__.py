"""Turn office files into the Markdown that the splitter reads: headings, clauses, list items, tables.

Each file is read by a process of its own, held to limits of time and memory: what a broken or hostile file does there
ends there. That process alone loads the libraries which read the formats.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError
from assistant.formats.converted import OCR, PAGE, SCAN_SECONDS, SECONDS, Converted
from assistant.formats.text import read_table, read_text

__all__ = ["ADVICE", "IMAGES", "OCR", "PAGE", "READERS", "SECONDS", "Converted", "convert", "read_table", "read_text"]

IMAGES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
SCANS = (*IMAGES, ".pdf")
READERS = {  # the module here that reads each format
    ".docx": "word",
    ".xlsx": "sheets",
    ".csv": "sheets",
    ".html": "web",
    ".htm": "web",
    ".pdf": "pdf",
    **dict.fromkeys(IMAGES, "images"),
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
    **dict.fromkeys((".zip", ".rar", ".7z", ".gz"), "压缩包，请解开后放入"),
}


def convert(file: Path, kept: Path | None = None) -> Converted:
    """Return an office file's text. Raises CorpusError, in words for the user, where it cannot be read.

    What was read is written to `kept` at once, and taken from there if it is there: reading takes long.
    """
    answer = _taken_up(kept) or _read(file)
    if "error" in answer:
        raise CorpusError(answer["error"])
    if kept:
        beside = kept.with_suffix(".part")
        beside.write_text(json.dumps(answer), encoding="utf-8")
        beside.replace(kept)
    removed = tuple((reason, line) for reason, line in answer["removed"])
    return Converted(answer["text"], answer["stated"], removed, answer["note"])


def _taken_up(kept: Path | None) -> dict[str, Any] | None:
    return json.loads(kept.read_text(encoding="utf-8")) if kept and kept.is_file() else None


def _read(file: Path) -> dict[str, Any]:
    """Return what the reading process says of a file."""
    command = [sys.executable, "-m", "assistant.formats", str(file)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each thread takes address space, which is limited
    seconds = SCAN_SECONDS if file.suffix.lower() in SCANS else SECONDS
    try:
        done = subprocess.run(command, capture_output=True, timeout=seconds, check=False, env=environment)
    except subprocess.TimeoutExpired as error:
        raise CorpusError(f"读取超过 {seconds} 秒，请拆分或另存为较简单的文件") from error
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:  # killed, out of processor time or out of memory
        raise CorpusError("读取时用尽时间或内存，或意外终止，请拆分或另存为较简单的文件") from error
    return answer
