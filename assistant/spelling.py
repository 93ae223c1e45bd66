"""Mend names that were typed by sound: a wrong character of the same pinyin, or pinyin letters."""

import os
import re
from collections.abc import Sequence
from functools import cache

LEAST = 3  # characters; shorter names have too many homophones
_CHINESE = re.compile(r"[\u3400-\u9fff]+")
_LETTERS = re.compile(r"[a-z]+(?: [a-z]+)*")


def mend(text: str, names: Sequence[str]) -> dict[str, str]:
    """Return what stands in normalised text for one of `names` misspelt by sound → the name, longest names first.

    联影小阵 → 联影小镇, san gang liang yuan → 三港两园. At least half of a name's characters must be right, or it
    must be all letters.
    """
    found: dict[str, str] = {}
    runs = [run.group() for run in _CHINESE.finditer(text)]
    letters = [run.group() for run in _LETTERS.finditer(text)]
    for name in sorted(filter(_CHINESE.fullmatch, names), key=len, reverse=True):
        right = sum(character in text for character in name)
        if len(name) < LEAST or name in text or (right < len(name) - len(name) // 2 and not letters):
            continue
        sound = _sound(name)
        windows = (run[i : i + len(name)] for run in runs for i in range(len(run) - len(name) + 1))
        heard = [w for w in windows if 0 < _differ(w, name) <= len(name) // 2 and _sound(w) == sound]
        heard += [run for run in letters if run.replace(" ", "") == "".join(sound)]
        found |= {wrong: name for wrong in heard if not any(wrong in longer for longer in found)}
    return found


def _differ(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))


@cache
def _sound(text: str) -> tuple[str, ...]:
    """Return the syllables without tones."""
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "1")  # single readings will do; the phrases take 45 MB
    from pypinyin import lazy_pinyin  # 60 ms: loaded with the first question, not with the module

    return tuple(lazy_pinyin(text))
