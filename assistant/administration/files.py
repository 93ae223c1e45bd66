"""Files that come in: named safely, kept apart until a change is confirmed, then put among the documents."""

import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.errors import CorpusError, SettingsError
from assistant.formats import ADVICE, IMAGES, OCR, READERS
from assistant.load import DOCUMENTS, MARKDOWN, PLAIN

MAX_FILE = 50_000_000  # bytes
KEPT_S = 24 * 3600  # that a file waits for its confirmation
WAITING = 20  # files that may wait
FORMATS = tuple(sorted({suffix for suffix in (*READERS, *MARKDOWN, *PLAIN) if OCR or suffix not in IMAGES}))
_NAME = re.compile(r"[\w（）()《》〈〉〔〕【】“”‘’·、，：！—–+&%#@~' .-]{1,100}")
_TOKEN = re.compile(r"[0-9a-f]{32}")


def safe_name(name: str) -> str:
    """Return the base name that a file is kept under. Raises SettingsError, saying what to do, for one that is not safe."""
    base = unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1]).strip()
    suffix = Path(base).suffix.lower()
    if not _NAME.fullmatch(base) or base.startswith((".", "~", "=", "+", "-", "@")) or not Path(base).stem.strip():
        raise SettingsError("文件名请用汉字、字母、数字，不超过 100 个字，不以符号开头，改好后再传")
    if len(base.encode()) > 200:
        raise SettingsError("文件名太长，请改短后再传")
    if suffix not in FORMATS:
        advice = "读图片要先装文字识别" if suffix in IMAGES else f"可以是 {'、'.join(FORMATS)}"
        raise SettingsError(f"不能收“{suffix or '无后缀'}”文件：{ADVICE.get(suffix, advice)}")
    return base


def documents_folder(corpus: Path) -> Path:
    """Return the folder of a corpus that holds its documents, as `load` finds it."""
    return corpus / DOCUMENTS if (corpus / DOCUMENTS).is_dir() else corpus


def placed_at(corpus: Path, file: str) -> Path:
    """Return where a catalogue row's file is. Raises CorpusError for a place outside the documents."""
    root = documents_folder(corpus)
    target = root / file
    if not target.resolve().is_relative_to(root.resolve()) or target.resolve() == root.resolve():
        raise CorpusError(f"“{file}”不在资料目录里，请改目录表的“文件”一列")
    return target


class Uploads:
    """The folder of files that wait, each under a token that nobody can guess."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def receive(self, name: str, chunks: AsyncIterator[bytes]) -> str:
        """Write a file down as it comes and return its token. Raises SettingsError for a bad name, and for what is too long or empty."""
        base, token, size = safe_name(name), secrets.token_hex(16), 0
        self._make_room()
        place = self._folder / token
        place.mkdir(mode=0o700, parents=True)
        try:
            with open(os.open(place / base, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > MAX_FILE:
                        raise SettingsError(f"文件超过 {MAX_FILE // 1_000_000} MB，请拆分后再传")
                    out.write(chunk)
            if not size:
                raise SettingsError("文件是空的，请核对后再传")
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
        return token

    def file(self, token: str) -> Path:
        """Return the file of a token. Raises SettingsError where it no longer waits."""
        found = (
            list((self._folder / token).iterdir())
            if _TOKEN.fullmatch(token) and (self._folder / token).is_dir()
            else []
        )
        if not found:
            raise SettingsError("传上来的文件已经不在了（只保留一天），请重新选择文件")
        return found[0]

    def drop(self, token: str) -> None:
        """Remove a file that no longer waits."""
        if _TOKEN.fullmatch(token):
            shutil.rmtree(self._folder / token, ignore_errors=True)

    def _make_room(self) -> None:
        places = sorted(self._folder.glob("*"), key=lambda place: place.stat().st_mtime)
        for number, place in enumerate(places, 1):
            if time.time() - place.stat().st_mtime > KEPT_S or number <= len(places) - WAITING + 1:
                shutil.rmtree(place, ignore_errors=True)


@contextmanager
def put(file: Path, target: Path, former: Path | None) -> Iterator[None]:
    """Have a copy of a file at `target` while the rest of a change is written; where that fails all is as before.

    With `former` it takes the place of what is there, which is kept in that folder; without, a file that is there is a CorpusError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{os.getpid()}-{target.name}")
    kept = _keep(target, former) if former and target.exists() else None
    shutil.copyfile(file, beside)
    beside.chmod(0o644)
    try:
        if not former:  # fails where there is one, however it came there
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        beside.replace(target)
    except FileExistsError as error:
        raise CorpusError(f"资料目录里已有“{target.name}”，请改名，或打开那一份换新版本") from error
    finally:
        beside.unlink(missing_ok=True)
    try:
        yield
    except BaseException:
        if kept:
            shutil.copy2(kept, target)
        else:
            target.unlink(missing_ok=True)
        raise


def _keep(target: Path, folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = folder / f"{time.strftime('%Y%m%d-%H%M%S')} {target.name}"
    shutil.copy2(target, kept)
    return kept
