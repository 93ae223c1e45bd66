"""The process that reads one file: python -m assistant.formats FILE."""

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError
from assistant.formats import READERS
from assistant.formats.converted import (
    BROKEN,
    MAX_BYTES,
    MAX_TEXT,
    MEMORY,
    SCAN_MEMORY,
    SCAN_SECONDS,
    SECONDS,
    Converted,
)


def _limit() -> None:
    """Hold this process to its share of memory and time, more only once it recognises characters; it writes no files."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, SCAN_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SCAN_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main(file: Path) -> None:
    """Read one file and print its text, or why it cannot be read, as JSON."""
    _limit()
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CorpusError(f"文件超过 {MAX_BYTES // 1_000_000} MB，请拆分")
        converted = _reader(file.suffix.lower())(file)
        if len(converted.text) > MAX_TEXT:
            raise CorpusError(f"正文超过 {MAX_TEXT // 10_000} 万字，请拆分")
        answer: dict[str, Any] = asdict(converted)
    except CorpusError as error:
        answer = {"error": str(error)}
    except MemoryError:
        answer = {"error": "读取时耗尽内存，请拆分或另存为较简单的文件"}
    except Exception:  # whatever a library raises on a broken file: the boundary of the process
        answer = {"error": BROKEN}
    print(json.dumps(answer, ensure_ascii=True))


def _reader(suffix: str) -> Callable[[Path], Converted]:
    """Load the one reader that a format needs, and with it the one library."""
    reader: Callable[[Path], Converted] = import_module(f"assistant.formats.{READERS[suffix]}").read
    return reader


if __name__ == "__main__":
    main(Path(sys.argv[1]))
