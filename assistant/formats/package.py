"""Look at an Office file's package before a library unpacks it."""

import zipfile
from pathlib import Path

from assistant.errors import CorpusError
from assistant.formats.converted import BROKEN, MAX_EXPANDED

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # what .doc, .xls and encrypted Office files begin with


def open_package(file: Path, part: str) -> None:
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
