"""Normalise Chinese text so that one meaning has one spelling, for searching and for comparing figures.

Normalised text is never shown and never indexed into: offsets always refer to the original.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from opencc import OpenCC

_DIGITS = dict(zip("零〇一二三四五六七八九两", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2), strict=True))
_SMALL = {"十": 10, "百": 100, "千": 1000}
_MEASURE = "家个条项元年月日号人名套辆座批次期倍亩岁天周场章款度届类种台件户栋幢页份只款间所处%"
_FIRST = "".join(_DIGITS) + "十"
_NUMERAL = re.compile(  # a number before a measure word, or before 万 or 亿; looking back comes second: it is slow
    rf"[{_FIRST}](?<![\d.几数][{_FIRST}])"
    rf"(?:[{_FIRST}百千万亿]*(?=[余多]?(?:[{_MEASURE}]|平方|公[里顷斤]|小时|分钟))"
    r"|(?<=[一二三四五六七八九十两])[零一二三四五六七八九十百千]*(?=[万亿]))"
)
_PERCENT = re.compile(rf"百分之([{''.join(_DIGITS)}十百]+)(?:点([{''.join(_DIGITS)}]+))?")
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_LISTED = re.compile(r"(?<=\d)[，、](?=\d)")  # 2021、2022年: not a grouped number
_RAISED = re.compile(r"(?<=\d)[⁰¹²³⁴-⁹①-⑳]")
_FULL_WIDTH = tuple(zip("，：；！？（）", ",:;!?()", strict=True))
_PUNCTUATION = tuple(zip("“”「」『』‘’—–―。、【】〔〕﹝﹞", '""""""\'\'---.,[][][]', strict=True))


@lru_cache(maxsize=20_000)  # the same sentences are judged for question after question
def normalise(text: str) -> str:
    """Fold full-width forms, case, traditional characters, quotes and Chinese numerals.

    十九家 → 19家, 五千亿 → 5000亿, 百分之七十五 → 75%, 2,001.6 → 2001.6, 園區 → 园区.
    Equal input gives equal output; normalising twice changes nothing more.
    """
    text = _replaced(_LISTED.sub("；", text), _FULL_WIDTH)
    text = _RAISED.sub(r"[\g<0>]", text)  # 2.67¹ is no 2.671
    if not unicodedata.is_normalized("NFKC", text):  # seldom, once common punctuation is out of the way
        text = unicodedata.normalize("NFKC", text)
    text = text.lower()
    text = _GROUPED.sub(lambda match: match.group().replace(",", ""), text)
    text = _replaced(_traditional_to_simplified().convert(text), _PUNCTUATION)
    text = _PERCENT.sub(_percent, text)
    return _NUMERAL.sub(lambda match: _arabic(match.group()), text)


def _replaced(text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    """Return the text with each first character of a pair written as the second; str.translate takes five times as long."""
    for old, new in pairs:
        text = text.replace(old, new)
    return text


@cache
def _traditional_to_simplified() -> "OpenCC":
    from opencc import OpenCC  # 20 ms and a dictionary: loaded with the first text, not with the module

    return OpenCC("t2s")


def _percent(match: re.Match[str]) -> str:
    fraction = "".join(str(_DIGITS[c]) for c in match[2]) if match[2] else ""
    return _arabic(match[1]) + ("." + fraction if fraction else "") + "%"


def _arabic(numeral: str) -> str:
    """Write a Chinese numeral in Arabic digits, keeping 万 and 亿 where the text ends a part with them."""
    if len(numeral) > 1 and all(c in _DIGITS for c in numeral):  # 二〇二三
        return "".join(str(_DIGITS[c]) for c in numeral)
    parts = re.split("([万亿])", numeral)
    written = "".join(part if part in "万亿" else str(_below_ten_thousand(part)) for part in parts if part)
    return written


def _below_ten_thousand(numeral: str) -> int:
    total, digit = 0, 0
    for character in numeral:
        if character in _SMALL:
            total += (digit or 1) * _SMALL[character]
            digit = 0
        else:
            digit = _DIGITS[character]
    return total + digit
