"""What every reader returns, and the limits that it keeps to."""

from dataclasses import dataclass, field
from importlib.util import find_spec

SECONDS, MEMORY = 120, 2_000_000_000  # that a file may take to read: wall clock, bytes
SCAN_SECONDS, SCAN_MEMORY = 1800, 4_000_000_000  # where characters are recognised
OCR = find_spec("rapidocr") is not None  # whether they can be: an optional extra
MAX_TEXT, MAX_BYTES, MAX_EXPANDED, MAX_PAGES, MAX_ROWS = 50_000_000, 100_000_000, 400_000_000, 1000, 100_000
PAGE = "\ufdd0"  # stands where a page begins; a noncharacter, which Unicode keeps for a program's own use
BROKEN = "文件损坏，或内容与后缀不符，请用原来的软件重新另存"


@dataclass(frozen=True, slots=True)
class Converted:
    """A file's text as Markdown, and what it says of itself: keys are catalogue columns.

    `removed` pairs each line that the reader left out with the reason; `note` is what must be known of how it was read.
    """

    text: str
    stated: dict[str, str] = field(default_factory=dict)
    removed: tuple[tuple[str, str], ...] = ()
    note: str = ""
