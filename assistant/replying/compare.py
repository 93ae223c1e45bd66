"""Set two texts of a reply side by side, paragraph by paragraph, and mark what was taken out and put in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from assistant.reply import Paragraph

Change = Literal["same", "changed", "added", "removed"]
Kind = Literal["same", "added", "removed"]
ALIKE = 0.6  # of the characters of both, from which on a paragraph that was sent is one of the version's
LONGEST = 4000  # words of a paragraph that are set against another's; beyond, it is all taken out and put in
_WORD = re.compile(r"\[\^\d+\]|[\d.,]+|[A-Za-z]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One paragraph of both texts: what stands in both, what only in the one before (removed), what only in the later."""

    change: Change
    parts: tuple[tuple[Kind, str], ...]
    moved: bool = False


def compare(before: Sequence[Paragraph], after: Sequence[Paragraph]) -> list[Line]:
    """Return the paragraphs of the later text in order, those taken out where they stood; the same id is the same paragraph."""
    old, new = {p.id: p.text for p in before}, {p.id: p.text for p in after}
    shared = [key for key in old if key in new]
    kept = _in_order(shared, [key for key in new if key in old])
    lines = [_line(old.get(key), text, key in old and key not in kept) for key, text in new.items()]
    places = {key: at for at, key in enumerate(new)}
    gone, at = [], 0
    for key, text in old.items():
        if key in new:
            at = places[key] + 1
        else:
            gone.append((at, Line("removed", (("removed", text),))))
    for place, line in reversed(gone):
        lines.insert(place, line)
    return lines


def _in_order(shared: Sequence[str], later: Sequence[str]) -> set[str]:
    """Return the ids that kept their order: the longest run of matches, so that one paragraph moved is one that moved."""
    blocks = SequenceMatcher(None, shared, later, autojunk=False).get_matching_blocks()
    return {shared[at] for block in blocks for at in range(block.a, block.a + block.size)}


def _line(old: str | None, text: str, moved: bool) -> Line:
    if old is None:
        return Line("added", (("added", text),))
    if old == text:
        return Line("same", (("same", text),), moved)
    return Line("changed", tuple(_parts(old, text)), moved)


def _parts(old: str, text: str) -> Iterator[tuple[Kind, str]]:
    before, after = _WORD.findall(old), _WORD.findall(text)
    if max(len(before), len(after)) > LONGEST:
        yield from (("removed", old), ("added", text))
        return
    for tag, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag == "equal":
            yield "same", "".join(before[a:b])
            continue
        if b > a:
            yield "removed", "".join(before[a:b])
        if d > c:
            yield "added", "".join(after[c:d])


def sent_paragraphs(text: str, version: Sequence[Paragraph]) -> list[Paragraph]:
    """Return the lines of what was sent as paragraphs, each with the id of the version's that it is most like, if any is."""
    free = {paragraph.id: paragraph for paragraph in version}
    found = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), 1):
        likeness = {key: SequenceMatcher(None, p.plain, line, autojunk=False).quick_ratio() for key, p in free.items()}
        best = max(likeness, key=likeness.__getitem__, default="")
        if best and likeness[best] >= ALIKE:
            found.append(Paragraph(best, free.pop(best).role, line))
        else:
            found.append(Paragraph(f"sent-{number}", "body", line))
    return found
