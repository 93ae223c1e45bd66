"""Read documents from folders, single files and JSON lines; what cannot be read is refused by name and reason."""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from assistant.catalog import Problem, Row, parse_row, read_catalog
from assistant.clean import Cleaned, clean_markdown, clean_page
from assistant.errors import CorpusError
from assistant.formats import ADVICE, OCR, READERS, convert, read_table, read_text
from assistant.formats.converted import MAX_TEXT
from assistant.formats.tables import tabbed_as_tables
from assistant.metadata import differing, particulars, read_metadata, stated_row, told
from assistant.schema import Document, Glossary

CATALOG, DOCUMENTS = "catalog.csv", "documents"
GLOSSARY, TOPICS, ADDRESSES = "glossary.csv", "topics.csv", "addresses.csv"  # tables beside it, no documents
MARKDOWN, PLAIN, PAGES = {".md", ".markdown"}, {".txt"}, {".html", ".htm"}
READING = (
    "load",
    "clean",
    "metadata",
    "particulars",
    "catalog",
    "schema",
)  # modules that shape a document, besides formats
LINES = (".jsonl", ".jsonl.gz")
Entry = tuple[str, list[tuple[str, str]]]  # its id, and place and reason of each remark on it
Reader = Callable[[Path, str], Cleaned]  # of a file and its fingerprint; raises CorpusError as `read_file` does


@dataclass(slots=True)
class Loaded:
    """What one path holds. `refused` are ids that were there but could not be read: their last version stays.

    `seen` maps the fingerprint of each entry that was read, now or before, to its id and what was remarked on it;
    `removed` maps the name of each file that was read now to what cleaning left out of it: (reason, line).
    """

    documents: list[Document] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    complete: bool = True  # whether all that could not be read is named in `refused`
    ids: set[str] = field(default_factory=set)
    known: Mapping[str, Entry] = field(default_factory=dict)
    read: Reader | None = None
    seen: dict[str, Entry] = field(default_factory=dict)
    removed: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)

    @property
    def unchanged(self) -> set[str]:
        """The ids of entries that were known, and not read again."""
        return {document_id for document_id, _ in self.seen.values()} - {document.id for document in self.documents}

    def skip(self, fingerprint: str) -> bool:
        """Return whether an entry is known; its remarks are made again."""
        if fingerprint not in self.known or fingerprint in self.seen:
            return False
        document_id, remarks = self.seen[fingerprint] = self.known[fingerprint]
        self.ids.add(document_id)
        self.problems += [Problem(place, reason, False) for place, reason in remarks]
        return True

    def add(self, document: Document, fingerprint: str, remarks: Sequence[Problem] = ()) -> None:
        """Add a document that was read."""
        self.documents.append(document)
        self.problems += remarks
        self.seen[fingerprint] = document.id, [(remark.place, remark.reason) for remark in remarks]


def load(
    path: Path,
    known: Mapping[str, Entry] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    read: Reader | None = None,
) -> Loaded:
    """Load a folder (with or without a catalogue), one document, or a .jsonl or .jsonl.gz of {id, title, text}.

    Entries whose fingerprint is `known` from the last time are not read again. `progress` is told the files of a folder
    that are done, and their number; files are read by `read`, or else by `read_file`. Raises CorpusError where the path
    itself cannot be used; single faults are problems of the result.
    """
    if not path.exists():
        raise CorpusError(f"找不到“{path}”，请核对路径")
    loaded = Loaded(known=known or {}, read=read)
    if path.is_dir():
        return _load_folder(path, loaded, progress)
    if path.name.endswith(LINES):
        return _load_lines(path, loaded)
    _add_file(loaded, path, path.stem, None)
    return loaded


def _load_folder(folder: Path, loaded: Loaded, progress: Callable[[int, int], None]) -> Loaded:
    rows, refused, root = _load_catalog(folder, loaded)
    files, inside = sorted(root.rglob("*")), root.resolve()
    for number, file in enumerate(files, 1):
        progress(number, len(files))
        name = file.relative_to(root).as_posix()
        if not file.is_file() or any(part.startswith((".", "~$")) for part in name.split("/")):
            continue
        if root == folder and name in {"README.md", CATALOG, GLOSSARY, TOPICS, ADDRESSES}:
            continue
        if not file.resolve().is_relative_to(inside):
            loaded.problems.append(Problem(name, "是指向资料目录之外的链接，没有读取，请放入文件本身"))
            continue
        if name in refused:
            loaded.refused.add(_document_id(name))
            continue
        row = rows.pop(name, None)
        if row and row.withdrawn:
            continue
        if root != folder and row is None:
            loaded.problems.append(Problem(name, f"{CATALOG} 中没有这个文件的行，已按“未核对”收录，请补一行", False))
        _add_file(loaded, file, _document_id(name), row)
    loaded.problems += [Problem(CATALOG, f"“{name}”有行但没有文件，请补文件或删去该行") for name in rows]
    return loaded


def read_glossary(folder: Path) -> Glossary | None:
    """Return a folder's glossary; None where there is none. Raises CorpusError where it cannot be read."""
    file = folder / GLOSSARY
    return tuple(read_table(file, "term", "aliases")) if file.is_file() else None


def _load_catalog(folder: Path, loaded: Loaded) -> tuple[dict[str, Row], set[str], Path]:
    """Return the rows, the files refused by their row, and the folder that holds the documents."""
    catalog, documents = folder / CATALOG, folder / DOCUMENTS
    root = documents if documents.is_dir() else folder
    if not catalog.is_file():
        if root == documents:
            loaded.problems.append(Problem(CATALOG, "没有这个目录表，全部文件按“未核对”收录", False))
        return {}, set(), root
    try:
        rows, refused, problems = read_catalog(CATALOG, read_text(catalog))
    except CorpusError as error:
        loaded.problems.append(Problem(CATALOG, f"{error}；全部文件按“未核对”收录", False))
        return {}, set(), root
    loaded.problems += problems
    return rows, refused, root


def _document_id(name: str) -> str:
    return name.rsplit(".", 1)[0]


def _add_file(loaded: Loaded, file: Path, document_id: str, row: Row | None) -> None:
    """Add one document to `loaded`, or the reason why not."""
    if document_id in loaded.ids:
        loaded.problems.append(Problem(file.name, f"与同名文件编号相同（“{document_id}”），请改名"))
        return
    loaded.ids.add(document_id)
    try:
        stat = file.stat()
        entry = repr((document_id, file.suffix, stat.st_size, stat.st_mtime_ns, row))
        fingerprint = _fingerprint(entry.encode("utf-8", "surrogatepass"))
        if loaded.skip(fingerprint):
            return
        cleaned = loaded.read(file, fingerprint) if loaded.read else read_file(file)
    except (CorpusError, OSError) as error:
        reason = str(error) if isinstance(error, CorpusError) else f"读不了文件（{error.strerror}），请检查权限"
        loaded.problems.append(Problem(file.name, reason))
        loaded.refused.add(document_id)
        return
    text = cleaned.text + (particulars(row.metadata) if row else "")
    remarks: list[Problem] = []
    if row is None:
        row = stated_row(file.name, document_id, cleaned)
        row = replace(row, metadata=read_metadata(row, cleaned.text))
        if row.metadata.read:
            remarks.append(Problem(file.name, f"{told(row.metadata)}，未核对，请在 {CATALOG} 填写确认", False))
    else:
        remarks = [Problem(file.name, reason, False) for reason in differing(row, cleaned.text)]
    if cleaned.note:
        remarks.append(Problem(file.name, cleaned.note, False))
        note = "；".join(filter(None, (row.metadata.note, cleaned.note)))
        row = replace(row, metadata=replace(row.metadata, note=note))
    loaded.add(Document(document_id, row.title, text, row.metadata, cleaned.pages), fingerprint, remarks)
    loaded.removed[file.name] = cleaned.removed


@cache
def code(modules: tuple[str, ...] = READING) -> bytes:
    """Return a hash of the code that makes a document of a file: other code may make another, or recognise more."""
    package = Path(__file__).parent
    files = [*package.glob("formats/*.py"), *(package / f"{name}.py" for name in modules)]
    return hashlib.sha256(b"".join([*(file.read_bytes() for file in sorted(files)), bytes([OCR])])).digest()


def _fingerprint(entry: bytes) -> str:
    return hashlib.blake2b(entry, key=code(), digest_size=16).hexdigest()


def read_file(file: Path, kept: Path | None = None) -> Cleaned:
    """Read and clean a file; the text of an office file is put down in `kept` at once, and taken from there if it is there.

    Raises CorpusError, in words for the user, or OSError where it cannot be read.
    """
    suffix = file.suffix.lower()
    if suffix in READERS:
        converted = convert(file, kept)
        cleaned = (clean_page if suffix in PAGES else clean_markdown)(converted.text)
        removed = (*converted.removed, *cleaned.removed)
        cleaned = replace(cleaned, stated=cleaned.stated | converted.stated, removed=removed, note=converted.note)
    elif suffix in MARKDOWN | PLAIN:
        text = read_text(file)
        cleaned = clean_markdown(text) if suffix in MARKDOWN else clean_page(tabbed_as_tables(text))
    else:
        advice = ADVICE.get(suffix, f"不支持“{suffix or '无后缀'}”格式，请另存为 .docx、.pdf、.md 或 .txt")
        raise CorpusError(advice)
    if not cleaned.text.strip():
        raise CorpusError("文件没有正文，请补内容或删去文件")
    return cleaned


def _load_lines(path: Path, loaded: Loaded) -> Loaded:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as lines:
            for number, line in enumerate(iter(lambda: lines.readline(MAX_TEXT), b""), 1):
                if len(line) == MAX_TEXT:
                    raise CorpusError(f"{path.name} 第{number}行超过 {MAX_TEXT // 1_000_000} MB，请拆分")
                if line.strip() and not loaded.skip(fingerprint := _fingerprint(line)):
                    _add_line(loaded, f"{path.name} 第{number}行", line.decode("utf-8-sig"), fingerprint)
    except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CorpusError(f"{path.name}：文件损坏或不是 UTF-8 编码的 JSON 行，请重新导出") from error
    return loaded


def _add_line(loaded: Loaded, place: str, line: str, fingerprint: str) -> None:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError as error:
        loaded.problems.append(Problem(place, f"不是有效的 JSON（{error.msg}），请修改这一行"))
        loaded.complete = False
        return
    if not isinstance(entry, dict) or not all(
        isinstance(entry.get(k), str) and entry[k].strip() for k in ("id", "text")
    ):
        loaded.problems.append(Problem(place, "需要非空的文字字段 id 和 text"))
        loaded.complete = False
        return
    if entry["id"] in loaded.ids:
        loaded.problems.append(Problem(place, f"编号“{entry['id']}”与前面重复"))
        return
    loaded.ids.add(entry["id"])
    title = str(entry.get("title") or "").strip() or entry["text"].strip().split("\n")[0][:40]
    row, faults = parse_row({**entry, "file": entry["id"], "title": title})
    loaded.problems += [Problem(f"{place}（{entry['id']}）", fault) for fault in faults]
    if row and not row.withdrawn:
        loaded.add(Document(entry["id"], row.title, clean_markdown(entry["text"]).text, row.metadata), fingerprint)
    elif not row:
        loaded.refused.add(entry["id"])
