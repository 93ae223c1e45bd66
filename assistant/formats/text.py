"""Read a text file whatever its encoding."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from assistant.errors import CorpusError
from assistant.formats.converted import MAX_TEXT

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


def read_table(file: Path, names: str, lists: str) -> list[tuple[str, tuple[str, ...]]]:
    """Return of each row of a table with a header the name and the members of the list, parted by semicolons; rows without a name are none."""
    rows = csv.DictReader(io.StringIO(read_text(file), newline=""))
    pairs = (((row.get(names) or "").strip(), re.split("[;；]", row.get(lists) or "")) for row in rows)
    return [(name, tuple(member.strip() for member in members if member.strip())) for name, members in pairs if name]


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
