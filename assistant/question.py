"""Read a question: what it asks for, about which years and places, in which words, and what it refers back to."""

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache, cached_property, lru_cache
from pathlib import Path

import rjieba

from assistant.english import stands_alone, translate
from assistant.kind import HARD_KINDS, Kind, concerns, counted, gives, kinds, values
from assistant.lexical import content_words, gram_set, names, share, whole_word, words
from assistant.schema import NORMATIVE, Document, Glossary, Turn
from assistant.spelling import mend
from assistant.text import normalise

# Phrases that ask or soften but name nothing to look for; long enough never to be part of another word.
_FILLER = re.compile(
    r"请问|想问一?下|请介绍|介绍一?下|告诉我|麻烦|帮我查|查一下|有没有|是不是|是否|能不能|可不可以|怎么回事|怎么样|怎么|如何"
    r"|是什么意思|什么意思|指的是什么|指什么|指啥|是什么|有什么|什么时候|什么|多少钱?|多大|哪几?[个家天年月里儿些项条座]|哪[一二两三四五六七八九\d]+[个家项条座]"
    r"|几[家个条项座批]|分别|各自|具体|到底|一共|总共|咱们?|我们|你们|有说"
    r"|听说|据说|那么|那要|要交|要带|想知道|最多能|最少|最多|能拿|现在|还?算数|还?作数|好处|到哪儿?|有啥|啥"
)
_STOP_WORDS = frozenset(
    (
        "目前 现在 可以 可能 需要 应该 我们 你们 他们 它们 这个 那个 这些 那些 一个 1个 一下 一般 以及 还有 "
        "或者 如果 因为 所以 但是 关于 对于 进行 通过 其中 之间 方面 情况 问题 内容 提到 说法 已经 多少 什么 "
        "怎么 哪些 大概 左右 能够 还能 哪里 里面 之后 以前 精确 到底 是不是 有没有 靠谱 一样 表述 没有 就是 "
        "包括 这样 那样 来说 比较 时候 时间 它 后来 区里 各是 1 怎样 哪儿 嘉定区里"
    ).split()
)
_YEAR = re.compile(  # 2068.8亿元 and 2025家 are none
    r"(?<![\d.])(20\d\d)(?:-(20\d\d))?(?!\d|\.\d|[余多]?[万亿元家个人名项户套辆亩台件吨%]|平方)"
)
_SHORT_YEAR = re.compile(r"(?<![\d.])([12]\d)(?=年(?!代|来|内|间|前|后|以|期|度计))")  # 23年
_TO_COME = re.compile(
    r"目标|计划|预计|预期|力争|规划|拟|争取|将|有望|有效|截[止至]|受理|申报|期限|月(?:\d+日)?[止前底]|[至到]20"
)
_EVENT_DATE = re.compile(  # 2021年1-10月 is a period
    r"20\d\d年\d{1,2}月(?:\d{1,2}日)?|20\d\d-\d\d(?:-\d\d)?(?![\d年])"
)
_AIMED_YEAR = re.compile(r"20\d\d年?(?:发展)?目标")
# Names that say a question is not about Jiading; Shanghai's other districts first.
ELSEWHERE = re.compile(
    "浦东|黄浦|徐汇|长宁|静安|普陀|虹口|杨浦|闵行|宝山|金山|松江|青浦|奉贤|崇明|临港新片区|昆山|太仓|苏州|无锡|常州|南京|杭州|宁波|嘉兴"
    "|合肥|北京|天津|重庆|深圳|广州|武汉|成都|西安|郑州|香港"
)
_REFERS_BACK = re.compile(
    r"^(?:那|它|这|该|其|此|跟|和|与|还|再|然后|具体|他们|她们)|它们?|这[个些家项份]|该[园政项]|上述|前面|刚才"
)
_DEFINED = re.compile(r"(?:具体)?(?:是)?(?:指|什么意思|什么概念|是什么\??$|是啥\??$|是哪[几些\d一两三四五六七八九])")
_RELATIVE = {"前年": -2, "去年(?!同期)": -1, "上1?年": -1, "明年": 1}  # years from the day it is asked
_NOW = re.compile("现在|目前|现行|当前|如今|眼下|今年|最新|还在执行|还能用|(?<!没)有效的")
_DISPUTED = re.compile(
    "[两2三3几]个数|[两2三3几]种(?:说法|写法|数)|说法不[1一同]|不[1一]样|对不上|[哪谁]个?为准|有说|有写|又有|不止[1一]个|换过|也有|[差不]在哪"
)
_EVERY = re.compile(r"各自的?|每[家个]|逐[1一个](?!列|说|讲)|各园区|各街镇")
_EACH = re.compile(r"各(?!自的|类|级|项|种|区|地)|分别")
_COMPARES = re.compile(
    r"分别|各自|各(?:是|有|为|多少|几|什么)|[哪谁][个家]?.{0,6}[高低大小多少快慢早晚]|相比|对比|比[1一]?[比下]|比较|差多少|差几|[高大多]还是"
)
_ALIKE = re.compile(r"区别|不[1一]?[样同]|[1一]样|[1一]回事|是不是[1一]个|是不是同|矛盾|混")
_ONE_BY_ONE = re.compile(
    r"分别|各自|各(?=是|有|为|多少|几|什么)|哪[年个家][高多大快]|(?:放[1一]起)?比[1一]?[下比]|差多少|相差"
)
_JOINS = ("和", "与", "跟", "及", ",")
_NOMINAL = frozenset(("vn", "zg", "l", "eng", "x", "an", "ag"))  # tags that a noun phrase may hold besides nouns
_PART = re.compile(r"(?:第?\d+期|[上下]半年|\d{4}年.{0,3})$")
_ASKS = re.compile(r"哪|谁|什么|啥|吗|怎|是否|是不是|有没有")
# What is asked for, rather than about: the kind of answer sees to it.
_SLOT_WORDS = frozenset(
    "家数 件数 套数 人数 总数 名次 比率 增速 增幅 目标 规划 计划 实际 标准 范围 比例 上限 金额 数量 面积 情况 时间 条件 要求 数据 具体 名单 内容 截止 日期 材料".split()
)
_SLOT_FACTOR = 0.6
_BENEFIT = re.compile("补贴|奖励|资助|补助|扶持|奖补|减免")
_ANYONE = re.compile(  # who or what any benefit may be for, who gives it, and of what sort it is
    "^(?:政府|企业|公司|单位|项目|行业|产业|机构|人员|个人|嘉定区?|上海市?|区里|[本区市]级?|国家级?|政策|资金|专项|专项资金|财政|中央|现金|标准|相关|各类"
    "|1?次性|落户|认定|入驻|引进|建设)$|多少|几|[委局]$"
)
_CODE = re.compile(r"(?<![a-z\d.])(?:[a-z]+\d[a-z\d]*|\d+[a-z]+)(?![a-z\d])")
_PLACE = re.compile("(?:园|港|谷|湾|小镇|软件园|工业区|商务区|汽车城|科技城)$")
ENGLISH_FACTOR = 0.2  # of an English word that is not known: the corpus is Chinese
CONTEXT_FACTOR = 0.5
LAY = Path(__file__).with_name("lay.csv")  # words of everyday speech: lay, then official with its synonyms
_SHORT = 7  # content characters below which a question after another cannot stand alone


@dataclass(frozen=True, slots=True)
class Term:
    """A word or name to look for, other spellings of which any will do, and how much it counts beside the others."""

    word: str
    alternatives: tuple[str, ...] = ()
    factor: float = 1.0

    @property
    def spellings(self) -> tuple[str, ...]:
        """The word and its alternatives."""
        return (self.word, *self.alternatives)

    def share_in(self, text: str) -> float:
        """Return how much of it stands in a normalised text, in [0, 1]; an alternative stands for all of it."""
        return 1.0 if any(other in text for other in self.alternatives) else share(self.word, text)


@dataclass(frozen=True)
class Aspect:
    """One thing that a question asks; `text` is its own words, `context` the rest of the question and the talk before, `history` that alone."""

    text: str
    context: str
    whole: str
    glossary: Glossary
    history: str = ""
    relative: frozenset[int] = frozenset()
    label: str = ""  # what it is of, as the question names it, where several are compared

    @cached_property
    def own_terms(self) -> tuple[Term, ...]:
        """The names and content words of its own text."""
        return tuple(_terms(self.text, self.glossary))

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """What an answer should cover: this aspect's own words in full, those of its context for half."""
        known = {term.word for term in self.own_terms}
        around = (term for term in _terms(self.context, self.glossary) if term.word not in known)
        return (*self.own_terms, *(replace(term, factor=term.factor * CONTEXT_FACTOR) for term in around))

    @cached_property
    def kinds(self) -> frozenset[Kind]:
        """What sorts of answer it asks for; an aspect that does not say takes the question's."""
        if _ASKS.search(self.text) or kinds(self.text) - {"number", "list"}:
            return kinds(self.text)
        return kinds(self.whole) or kinds(self.context) or frozenset({"list"})  # a bare name asks what it is

    @cached_property
    def grams(self) -> frozenset[str]:
        """The bigrams of its text, phrases that only ask left out."""
        return gram_set(without_phrases(self.text))

    @cached_property
    def hard_kinds(self) -> frozenset[Kind]:
        """The sorts that only a figure, date, number or address answers."""
        return self.kinds & HARD_KINDS

    @cached_property
    def years(self) -> frozenset[int]:
        """The years it names, else those named up to the end of its sentence, else in the talk before, else last year's.

        None for a question of whether something still holds.
        """
        if "validity" in self.kinds:
            return frozenset()
        at = max(0, self.whole.find(self.text))
        rest = re.split(r"[?!;]|\.(?!\d)", self.whole[at + len(self.text) :])[0]
        return (
            years(self.text) or years(self.whole[: at + len(self.text)] + rest) or years(self.history) or self.relative
        )

    @cached_property
    def current(self) -> bool:
        """Whether it asks for what holds now, so that what has expired is no answer."""
        return bool(_NOW.search(self.text)) and not self.years and "validity" not in kinds(self.whole)

    @cached_property
    def disputed(self) -> bool:
        """Whether it says itself that sources differ."""
        return bool(_DISPUTED.search(self.whole))

    @cached_property
    def dated(self) -> bool:
        """Whether an event's month or day, or a press conference, is named."""
        return bool(_EVENT_DATE.search(self.whole + self.context)) or "发布会" in self.whole + self.context

    @cached_property
    def elsewhere(self) -> frozenset[str]:
        """The places outside Jiading that it is about; none if Jiading is named too."""
        said = self.whole + self.context
        return frozenset() if "嘉定" in said or "jiading" in said else frozenset(ELSEWHERE.findall(said))

    @cached_property
    def every(self) -> bool:
        """Whether it asks for each member's own figure."""
        return bool(_EVERY.search(self.text))

    @cached_property
    def each(self) -> bool:
        """Whether it asks for several things' figures."""
        return bool(_EACH.search(self.text))

    def concerns(self, normalised: str) -> bool:
        """Return whether a sentence that something is not known may speak of what is asked: same sort, no other year."""
        spoken = years(normalised)
        if self.years and spoken and not spoken & self.years:
            return False
        return not self.hard_kinds or any(concerns(kind, normalised) for kind in self.hard_kinds)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The proper names in it and its context."""
        return tuple(names(f"{self.context} {self.whole}"))

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """The names in its own text that are letters and figures (L3, M0)."""
        return tuple(term.word for term in self.own_terms if _CODE.fullmatch(term.word) and not term.alternatives)

    @cached_property
    def places(self) -> tuple[Term, ...]:
        """The parks and places of the glossary that it names."""
        return tuple(term for term in self.terms if term.alternatives and _PLACE.search(term.word))

    @cached_property
    def known_places(self) -> frozenset[str]:
        """The spellings of all parks and places of the glossary."""
        return places_of(self.glossary)

    @cached_property
    def beneficiaries(self) -> tuple[Term, ...]:
        """Whom or what the benefit is for that it asks about: the last noun before it (购车 of 新能源汽车购车补贴)."""
        last = ""
        for word, noun in _nouns(self.text, self.glossary):
            if last and _BENEFIT.match(word):
                return tuple(_terms(last, self.glossary))
            if noun and not _ANYONE.search(word):
                last = word
            elif not noun and word != "的":
                last = ""
        return ()

    @cached_property
    def of_nothing(self) -> bool:
        """Whether it asks for a benefit without saying for what or whom (政府有没有补助): anything would answer."""
        return bool(self.terms) and all(_BENEFIT.search(t.word) or _ANYONE.search(t.word) for t in self.terms)

    def holds(self, kind: Kind, normalised: str, around: str = "") -> bool:
        """Return whether a text has what answers this kind of question; `around` is what introduces it."""
        return gives(kind, normalised, around, self.whole, self._measures)

    def values(self, kind: Kind, normalised: str) -> frozenset[str]:
        """Return the values that a text gives for this kind of question."""
        return values(kind, normalised, self._measures)

    @cached_property
    def _measures(self) -> str:
        return counted(self.text) or counted(self.whole) or counted(self.context)


@dataclass(frozen=True)
class Question:
    """A question, read. `text` is normalised; `context` is what it refers back to, if it does.

    `mended` pairs what was misspelt in it with the name that was taken for it, `resolved` what names a year without
    its number (去年) with that year.
    """

    text: str
    glossary: Glossary = ()
    context: str = ""
    mended: tuple[tuple[str, str], ...] = ()
    resolved: tuple[tuple[str, int], ...] = ()
    foreign: bool = False

    @cached_property
    def query(self) -> str:
        """What is searched: the question, what it refers back to, and the corpus's own words for what it names."""
        said = f"{self.context} {self.text}".strip()
        extra = (spellings[0] for _, spellings in _aliases(said, self.glossary) if spellings[0] not in said)
        return " ".join(dict.fromkeys([said, *extra]))

    @cached_property
    def aspects(self) -> tuple[Aspect, ...]:
        """The things it asks one by one, in order; at least one."""
        parts = _parts(self.text)
        return tuple(
            Aspect(
                part,
                " ".join([self.context, *parts[:i], *parts[i + 1 :]]).strip(),
                self.text,
                self.glossary,
                self.context,
                self._relative,
            )
            for i, part in enumerate(parts)
        )

    @property
    def _relative(self) -> frozenset[int]:
        return frozenset(year for _, year in self.resolved)

    @cached_property
    def compared(self) -> tuple[Aspect, ...]:
        """The question asked of each of the things that it compares or asks about one by one; empty if it does neither."""
        return tuple(
            Aspect(text, self.context, text, self.glossary, self.context, self._relative, label)
            for label, text in _compared(self.text, self.glossary)
        )


@lru_cache(maxsize=16)
def places_of(glossary: Glossary) -> frozenset[str]:
    """Return the spellings of the parks and places in a glossary, normalised."""
    spellings = (spelling for spelling, _ in _looked_for(glossary))
    return frozenset(s for s in spellings if _PLACE.search(s) and len(s) > 2 and not s.startswith("特色"))


def without_phrases(normalised: str) -> str:
    """Return a question without the phrases that only ask or soften (请问, 有哪些, 是什么)."""
    return _FILLER.sub(" ", normalised)


def _parts(text: str) -> list[str]:
    """Split a question at sentence ends, and at commas and 和 where each side asks something itself."""
    parts = []
    for sentence in re.split(r"[?!;]|\.(?!\d)", text):
        pieces = re.split(r"[,:]|(?<=[^\d])和(?=[^\d])" if not _EACH.search(sentence) else r"[,:]|和|与", sentence)
        asking = [piece for piece in pieces if kinds(piece) and words(without_phrases(piece))]
        parts += pieces if len(asking) == len(pieces) or _EACH.search(sentence) else [sentence]
    found: list[str] = []
    for part in filter(str.strip, parts):
        if found and not words(without_phrases(part)):
            found[-1] += f",{part}"  # 还算数吗: asked of what was named before
        else:
            found.append(part.strip())
    return [part for part in found if words(without_phrases(part))] or [text]


def _compared(text: str, glossary: Glossary) -> list[tuple[str, str]]:
    """Return (thing, the question asked of it alone) for the nouns that 和, 与 or 、 joins, where each is asked about."""
    if not _COMPARES.search(text) or _ALIKE.search(text) or _DISPUTED.search(text):
        return []
    tokens = _nouns(text, glossary)
    starts = [sum(len(word) for word, _ in tokens[:i]) for i in range(len(tokens) + 1)]
    for i, (word, _) in enumerate(tokens):
        if word not in _JOINS:
            continue
        first = last = i
        while first and tokens[first - 1][1]:
            first -= 1
        while last + 1 < len(tokens) and (tokens[last + 1][1] or (tokens[last + 1][0] in _JOINS and last > i)):
            last += 1
        asked = text[starts[last + 1] :]
        things = [thing for thing in re.split("[和与跟及,]", text[starts[first] : starts[last + 1]]) if thing]
        joined = word != "," or re.match("[各分哪谁]", asked)  # 、 is a comma once the text is normalised
        if joined and len(things) > 1 and all(len(thing) > 1 and thing not in _STOP_WORDS for thing in things):
            rest = _ONE_BY_ONE.sub("", asked)
            return [(thing, text[: starts[first]] + thing + rest) for thing in _completed(things)]
    return []


def _nouns(text: str, glossary: Glossary) -> list[tuple[str, bool]]:
    """Return the words of a text, names of the glossary whole, each with whether it may be part of a noun phrase."""
    names = [re.escape(spelling) for spelling, _ in _aliases(text, glossary)]
    parts = re.split(f"({'|'.join(names)})", text) if names else [text]
    tokens: list[tuple[str, bool]] = []
    for i, part in enumerate(parts):
        tokens += [(part, True)] if i % 2 else [(word, _nominal(word, tag)) for word, tag in rjieba.tag(part)]
    return tokens


def _nominal(word: str, tag: str) -> bool:
    return word not in _JOINS and (tag[0] in "njmtqbs" or word == '"' or (tag in _NOMINAL and word.isalnum()))


def _completed(things: list[str]) -> list[str]:
    """Return things with the name that only the first says: 嘉康园1期, 2期 → 嘉康园1期, 嘉康园2期."""
    part = _PART.search(things[0])
    name = things[0][: part.start()] if part else ""
    return [things[0], *(name + thing if _PART.fullmatch(thing) else thing for thing in things[1:])]


def _terms(text: str, glossary: Glossary) -> list[Term]:
    """Return the names and content words of a text, in order of first mention; a name's words are not counted again."""
    found: dict[str, Term] = {}
    rest = text
    for spelling, spellings in _aliases(text, glossary):
        if share(spelling, rest) == 1.0:
            rest = whole_word(spelling).sub(" ", rest) if spelling.isascii() else rest.replace(spelling, " ")
            found[spelling] = Term(spelling, tuple(other for other in spellings if other != spelling))
    for quoted in re.findall(r'"([^"]{2,20})"|((?<![第\d])\d+条)', rest):
        name = quoted[0] or quoted[1]  # "七个一", 34条
        rest = rest.replace(name, " ")
        found[name] = Term(name)
    rest = without_phrases(rest)
    for word, factor in content_words(rest).items():
        if word not in _STOP_WORDS:
            slot = _SLOT_FACTOR if word in _SLOT_WORDS else ENGLISH_FACTOR if word.isascii() and word.isalpha() else 1.0
            found[word] = Term(word, factor=factor * slot)
    return list(found.values())


def _aliases(text: str, glossary: Glossary) -> list[tuple[str, tuple[str, ...]]]:
    """Return (spelling that stands in the text, all spellings, the corpus's own first), longest first."""
    found = [
        (spelling, spellings)
        for spelling, spellings in _looked_for(glossary)
        if spelling in text and share(spelling, text) == 1.0
    ]
    return sorted(found, key=lambda pair: -len(pair[0]))


@lru_cache(maxsize=16)  # an English question brings its own synonyms
def _looked_for(glossary: Glossary) -> list[tuple[str, tuple[str, ...]]]:
    """Return (spelling, all spellings of its row) for each that may stand in a question, normalised."""
    rows = [tuple(dict.fromkeys(map(normalise, (term, *aliases)))) for term, aliases in glossary]
    return [(spelling, row) for row in rows for spelling in row]


@cache
def _lay() -> list[tuple[str, tuple[str, tuple[str, ...]]]]:
    """Return (everyday words, the row of a glossary that gives the words of documents for them)."""
    with LAY.open(encoding="utf-8", newline="") as file:
        rows = [(normalise(row["lay"]), row["official"].split(";")) for row in csv.DictReader(file)]
    return [(lay, (official[0], (*official[1:], lay))) for lay, official in rows]


def years(normalised: str, event_dates: bool = True) -> frozenset[int]:
    """Return the years a normalised text names, ranges filled in; without event dates, only years and periods."""
    text = normalised if event_dates else _EVENT_DATE.sub(" ", normalised)
    found: set[int] = set()
    for match in _YEAR.finditer(text):
        first = int(match[1])
        last = int(match[2] or first)
        found |= set(range(first, last + 1)) if last - first < 20 else {first, last}
    return frozenset(found)


def told_in(normalised: str, document: Document) -> int:
    """Return the year in which a text of a document was told, 0 if unknown: the latest of the text's days and months,
    the document's publication, the last event that it reports, and the years that a report's title says it covers.
    """
    dated = {int(date.group()[:4]) for date in _EVENT_DATE.finditer(normalised)}
    meta = document.metadata
    title = "" if meta.doc_type in NORMATIVE else _AIMED_YEAR.sub("", normalise(document.title))
    return max([*dated, *years(title), _last_reported(document.text), int(meta.published[:4] or 0)])


@lru_cache(maxsize=1000)
def _last_reported(text: str) -> int:
    """Return the year of the last day or month that a document tells of, but for what it says is to come; 0 if none."""
    clauses = (clause for clause in re.split(r"[,;|\n]|\.(?!\d)", normalise(text)) if not _TO_COME.search(clause))
    return max((int(date.group()[:4]) for clause in clauses for date in _EVENT_DATE.finditer(clause)), default=0)


def read(question: str, history: Sequence[Turn], glossary: Glossary, as_of: date) -> Question:
    """Read a question asked on a day; one that refers back takes what the user asked before as its context.

    Only the user's turns count: an answer's words are not what is asked.
    """
    written = normalise(question)
    text, synonyms = translate(written, glossary)
    foreign = text != written
    asked = [
        translate(normalise(turn.content), glossary)[0]
        for turn in history
        if turn.role == "user" and turn.content.strip()
    ]
    text = _SHORT_YEAR.sub(r"20\1", text)
    glossary = (*glossary, *synonyms, *(row for lay, row in _lay() if lay in text))
    mended = mend(text, [spelling for spelling, _ in _looked_for(glossary)])
    for wrong, name in mended.items():
        text = text.replace(wrong, normalise(name))
    context: list[str] = []
    current = text
    while not (foreign and stands_alone(written)) and asked and _depends(current, glossary):
        current = asked.pop()
        context.insert(0, current)
    said = " ".join(context)
    return Question(text, glossary, said, tuple(mended.items()), _resolved(text, said, as_of), foreign)


def _resolved(text: str, context: str, as_of: date) -> tuple[tuple[str, int], ...]:
    """Return what names a year by its distance from the day asked; nothing beside a year's number or an event."""
    if years(f"{context} {text}") or "发布会" in context + text:
        return ()
    found = ((re.search(pattern, text), as_of.year + distance) for pattern, distance in _RELATIVE.items())
    return tuple((match.group(), year) for match, year in found if match)


def _depends(text: str, glossary: Glossary) -> bool:
    if _REFERS_BACK.search(text):
        return True
    defined = _DEFINED.search(text)  # what "七个一" means does not hang on what was asked before
    named = text[: defined.start()] if defined else ""
    if named.startswith('"') or (
        re.search(r"[\d一二两三四五六七八九]", named) and any(named == name for name, _ in _aliases(text, glossary))
    ):
        return False
    return sum(len(term.word) for term in _terms(text, glossary)) < _SHORT
