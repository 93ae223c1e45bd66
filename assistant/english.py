"""Put an English question into Chinese, word by word, so that all that follows reads one language.

No translation to be read: names and terms in the corpus's words, what is asked for at the end of each clause.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from pathlib import Path

from assistant.schema import Glossary
from assistant.text import normalise

WORDS = Path(__file__).with_name("english.csv")  # of economy and policy: english, then chinese with its synonyms
LONGEST = 6  # words of a phrase

_WORD = re.compile(r"[a-z][a-z&'/]*")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_TOKEN = re.compile(r"[a-z][a-z&/]*|[^\sa-z]+")
_APART = re.compile(r"'s?\b|'|\"|(?<=[a-z])-(?=[a-z])")  # what stands between words
_END = re.compile(r"[,;?!:]|\.(?!\d)|\band (?=how|what|when|where|which|who|until|by when|is|are|does|did|can)")
_ASKS = re.compile(
    r"\b(?P<until>until when|till when|by when|how late)\b|\b(?P<many>how many)\b|\b(?P<much>how much)\b|\b(?P<large>how (?:large|big))\b"
    r"|\b(?P<long>how long)\b|\b(?P<fast>how fast|how quickly)\b|\b(?P<year>(?:what|which) year)\b|\b(?P<day>(?:what|which) (?:date|day))\b"
    r"|\b(?P<when>when)\b|\b(?P<where>where)\b|\b(?P<who>whom?)\b|\b(?P<what>what(?:'s)?(?: exactly)?(?: is| are| was| were)?|which)\b"
    r"|^(?P<whether>is|are|was|were|do|does|did|can|could|will|would|has|have|had|should)\b"
)
_ASKED = {
    "until": "截止什么时候", "many": "数量多少", "much": "多少", "large": "多大", "long": "多久", "fast": "增速多少", "year": "哪年", "day": "哪天",
    "when": "什么时候", "where": "在哪里", "who": "谁", "whether": "是否",
}  # fmt: skip
_MEASURED = re.compile(
    "(?:产值|产出|产量|产能|营收|收入|税收|投资|资金|增加值|面积|例|率|速|增长|目标|金额|数量|价格|占比|规模|奖励|补贴|上限|门槛|利润|总额|费用|租金)$"
)
_SCALE = re.compile("产值|产出|营收|收入|税收|投资|资金|增加值")
_SINGULAR = re.compile("镇|街道|园区|园|部门|公司|局|委")
_PHRASE_ENDS = frozenset(
    "is are was were do does did can could will would has have had should may might must be been to of in on at for from by under as with that there make makes cover covers include includes offer offers pay pays get gets give gives".split()
)
_EMPTY = frozenset(
    "a an the of in on at to by for from with and or as is are was were be been being do does did has have had can could will would should may might shall i "
    "we you he she it they them their its our my your this that these those there here me us so far s just also then than into per under up out if not any "
    "some such please tell about exactly keep many much one two three four five six seven eight nine ten how report reported say said mentioned able supposed officially talking set out toward towards back while whether".split()
)
_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = rf"({'|'.join(rf'{month[:3]}(?:{month[3:]})?' for month in _MONTHS)})\.?"
_REFERS_BACK = re.compile(r"\b(?:it|its|they|them|their|this|that|these|those|(?:what|how) about|same)\b")
_FULL_DATE = re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?,? (20\d\d)\b")
_MONTH_YEAR = re.compile(rf"\b{_MONTH},? (20\d\d)\b")
_MONTH_DAY = re.compile(rf"\b{_MONTH} (\d{{1,2}})(?:st|nd|rd|th)?\b")
_YEARS = re.compile(r"(?<![\d.])(20\d\d(?:-20\d\d)?)(?![\d年-])")
_AMOUNT = re.compile(
    r"(?:rmb|cny|¥) ?(\d[\d.]*) (billion|million|thousand)|(\d[\d.]*) (billion|million|thousand)(?: (?:yuan|rmb))?"
)
_SIZES = {"billion": (10, "亿"), "million": (100, "万"), "thousand": (0.1, "万")}
Table = dict[tuple[str, ...], tuple[str, ...]]  # stems of a phrase → Chinese spellings, the corpus's own first


def translate(text: str, glossary: Glossary) -> tuple[str, Glossary]:
    """Return a normalised question in Chinese, and the synonyms of its words; unchanged, and none, if it is not English."""
    if len(_WORD.findall(text)) < 2 or 4 * len(_CHINESE.findall(text)) > sum(
        map(str.isascii, filter(str.isalpha, text))
    ):
        return text, ()
    table = _table(glossary)
    rows: dict[tuple[str, ...], None] = {}
    clauses = [_clause(clause.strip(), table, rows) for clause in _END.split(_figures(text))]
    return "，".join(filter(None, clauses)) or text, tuple((row[0], row[1:]) for row in rows if len(row) > 1)


def stands_alone(text: str) -> bool:
    """Return whether a normalised English question says itself what it is about."""
    return len(_WORD.findall(text)) > 4 and not _REFERS_BACK.search(text)


def _figures(text: str) -> str:
    """Return the text with its dates, years and amounts in Chinese."""
    text = _FULL_DATE.sub(lambda m: f"{m[3]}年{_month(m[1])}月{m[2]}日", text)
    text = _MONTH_YEAR.sub(lambda m: f"{m[2]}年{_month(m[1])}月", text)
    text = _MONTH_DAY.sub(lambda m: f"{_month(m[1])}月{m[2]}日", text)
    return _YEARS.sub(r"\1年", _AMOUNT.sub(_amount, text))


def _month(name: str) -> int:
    return next(number for number, month in enumerate(_MONTHS, 1) if month.startswith(name[:3]))


def _amount(match: re.Match[str]) -> str:
    times, unit = _SIZES[match[2] or match[4]]
    return f"{float(match[1] or match[3]) * times:g}{unit}元"


def _clause(english: str, table: Table, rows: dict[tuple[str, ...], None]) -> str:
    """Return a clause in Chinese, what it asks for last."""
    asks = _ASKS.search(english)
    if not asks:
        return " ".join(_words(english, table, rows))
    after = english[asks.end() :].split()
    end = next((i for i, word in enumerate(after) if word in _PHRASE_ENDS), len(after))
    phrase = " ".join(_words(" ".join(after[:end]), table, rows))
    rest = " ".join(_words(f"{english[: asks.start()]} {' '.join(after[end:])}", table, rows))
    return f"{rest} {_asked(asks, phrase, rest)}".strip()


def _asked(asks: re.Match[str], phrase: str, rest: str) -> str:
    kind = str(asks.lastgroup)
    if kind == "large" and _SCALE.search(rest + phrase):
        kind = "much"
    if kind != "what":
        return f"{phrase} {_ASKED[kind]}".strip()
    if _MEASURED.search(phrase) or (_MEASURED.search(rest) and not phrase):
        return f"{phrase} 多少".strip()
    if asks.group().split()[-1] in ("is", "are", "was", "were"):
        return f"{phrase} 是什么"
    *before, head = phrase.split(" ")
    return " ".join([*before, f"{'哪个' if _SINGULAR.match(head) else '哪些'}{head}"])


def _words(english: str, table: Table, rows: dict[tuple[str, ...], None]) -> Iterator[str]:
    """Yield the Chinese of the longest phrases known; figures and names unknown as they are; nothing of empty words."""
    tokens = _tokens(english)
    at = 0
    while at < len(tokens):
        for length in range(min(LONGEST, len(tokens) - at), 0, -1):
            phrase = tuple(tokens[at : at + length])
            spellings = table.get(phrase) or table.get(tuple(map(_stem, phrase)))
            if spellings:
                rows.setdefault(spellings)
                yield spellings[0]
                break
        else:
            length = 1
            if tokens[at] not in _EMPTY:
                yield tokens[at]
        at += length


@lru_cache(maxsize=4)
def _table(glossary: Glossary) -> Table:
    table = dict(_general())
    for term, aliases in glossary:
        spellings = tuple(normalise(spelling) for spelling in (term, *aliases))
        chinese = tuple(spelling for spelling in spellings if _CHINESE.search(spelling))
        for spelling in spellings:
            if chinese and not _CHINESE.search(spelling):
                _enter(table, spelling, chinese[:1])  # the glossary has its synonyms
    return table


@cache
def _general() -> Table:
    table: Table = {}
    with WORDS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            _enter(table, row["english"], _spellings(row["chinese"].split(";")))
    return table


def _enter(table: Table, english: str, spellings: tuple[str, ...]) -> None:
    """Enter a phrase as it is and by its stems."""
    tokens = tuple(_tokens(english))
    table[tokens] = table[tuple(map(_stem, tokens))] = spellings


def _spellings(chinese: Sequence[str]) -> tuple[str, ...]:
    first, *others = map(normalise, chinese)
    return (first, *(other for other in others if len(other) > 1))  # 区 is in too many words to stand for 区级


def _tokens(english: str) -> list[str]:
    return _TOKEN.findall(_APART.sub(" ", english))


def _stem(word: str) -> str:
    """Return a word without what ends a plural, a past or an -ing form; only good to compare with another stem."""
    for ending in ("ies", "ing", "ied", "es", "ed", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word
