"""Weigh how well each sentence, list item and table row answers what is asked.

Hard conditions come first (years, places, names, the sort of answer); what passes gets a probability from a logistic
model over features of the unit, which eval/fit_evidence.py fits.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, lru_cache
from math import exp, log
from pathlib import Path

import numpy as np

from assistant.attribute import asked_for, event_of, speaks_of
from assistant.guard import orders
from assistant.kind import FIGURES, Kind, measures_of
from assistant.lexical import gram_set, names, share, words
from assistant.question import Aspect, Term, told_in, years
from assistant.schema import NORMATIVE, Glossary, Hit
from assistant.split import Unit, units
from assistant.text import normalise

MODEL = Path(__file__).parent / "model" / "evidence.json"
EARLY = 40  # characters of a sentence in which its subject stands
LATE_WEIGHT = 0.85  # a term that stands later in it
HEADING_WEIGHT = 0.9  # a term that stands in the unit's headings
LEAD_WEIGHT = 0.8  # a term that stands in the sentence that leads to the list
SUBJECT_WEIGHT = 0.8  # a term that stands in what the title begins with
TITLE_WEIGHT = 0.55  # a term that stands only in the document's title
TELLING = 4  # terms from which a question's vector tells in full
UNTITLED = 200  # characters of a text without a title that stand for it
LEAST_SUBJECT = 6  # characters of a row's first cell that names a thing (易谷智能通信研发总部) rather than what is told of it (占地)
LONGEST_LABEL = 30  # characters within which an item's label ends with a colon
LEAST_NAME = 0.4  # share of a proper name's bigrams

_NOT_STATED = re.compile(
    r"没有(?:查到|公布|给出|读到|说|写|出现|取得|逐一|逐项|附件)|未(?:查到|见|公布|给出|读到|取得|收录|写明)|均未见|不能推断|没写|未在报道"
    r"|只有前半部分|被?截断"
)
_PARTS = re.compile("[、；;]")
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_POINTS_ELSEWHERE = re.compile(r"[详另]?见《[^》]*》(?:[(（][^()（）]*[)）])?[。.]?$|[^，,；;]*与嘉定无关")
_SOURCE = re.compile(r"(?:资料|数据|访谈|全市目标|参考)?来源|https?://|.{0,12}(?:链接|报道)[:：]\s*http")
_GENERIC_LABELS = {"数值", "内容", "说明", "备注", "项目", "说法", "情况"}
_EACH = re.compile(r"各|每|分别")
_TARGET = re.compile(r"目标|计划|预计|预期|力争|规划|(?<![虚模])拟|争取|到20\d\d年")
_ACTUAL = re.compile(
    r"实际|目前(?!有效|执行|生效|适用|按|的?政策)|现在(?!还)|现有|去年|上年|已经|完成(?:了|情况|多少)|[达做干办]到了|实绩|完成多少|[建达办]成了|达成|有没有到"
    r"|[过破].{0,5}了[没吗]|最后[做达完建]"
)
_AIMED = re.compile(r"(?:目标|计划|规划|预计)(?:是|定|提|要|为|多少)")
_CODE = re.compile(r"(?<![a-z\d.])(?:[a-z]+\d[a-z\d]*|\d+[a-z]+)(?![a-z\d])")
_PLACE = re.compile("(?:园|港|谷|湾|小镇|软件园|工业区|商务区|汽车城|科技城)$")
_TOWN = re.compile("([^\\W\\d_哪几各个些这那每小乡城村街的]{2})(?:镇|街道)")
_ORDINALS = [
    *(re.compile(rf"\d+(?={unit})") for unit in ("期(?!间)", "批", "轮", "届")),
    re.compile(r"(?<=第)[1一2二3三](?![批期轮届章条季次类版\d]|产业|个)"),
]
_FIRST = re.compile(r"首(?=[批轮届期])")
_MOST = re.compile(r"最[大高多早低小长快晚少](?!限度)")
_CEILING = re.compile(
    "最[高多](?:能|可以?)?(?:奖|补|资助|支持|给|拿|领|得|享)|(?:奖励|补贴|资助|补助|扶持)(?:的?标准|.{0,2}(?:怎么|如何)(?:给|发|算))"
)
_PAID_IN_ALL = re.compile(r"合计|共(?:计|发|奖|获|兑)|累计|总[额计]|专项资金|资金池|\d[个家项户]\w{0,12}[获奖]")
_DISTRICT = re.compile("嘉定(?!工业|新城|镇|街道)|全区|[我本]区")
_DEADLINE, _IN_FORCE = re.compile("截[止至]|受理|征求意见"), re.compile("有效|施行|实施|执行|试行|废止|失效")
_WHETHER_THERE_IS = re.compile("有没有|有无|是否有|有木有")
_WHICH_ONE = re.compile(r"哪[1一]?[个家座条项所]|谁|什么(?!时)")
_MONTHS = re.compile(r"(?<!\d)1月?[-至到](\d{1,2})月")
Embed = Callable[[Sequence[str]], np.ndarray]
Judged = tuple["Candidate", dict[str, float], dict[str, float], dict[str, float]]  # with covered, own, features
UNITS_ABOVE = 80  # characters above a table in which its units may be named
_UNITS_LINE = re.compile(r"单位[:：]\s*([^;；。.\n)）]{1,30})")
_UNIT = re.compile(r"[(\[]([百千万亿]?(?:元|美元|平方米|平方公里|亩|公顷|家|个|人|名|项|套|件|%|年|月|天))[)\]]")
_RATE = re.compile(r"同比|增[长速幅]|占比|比[例重]|率")
_BARE = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_TELL_THEMSELVES: frozenset[Kind] = frozenset({"money", "area", "percent", "count", "contact", "document_number"})


@dataclass(frozen=True)
class Candidate:
    """A unit that may answer, seen with the words around it."""

    unit: Unit
    hit: Hit
    rank: int

    @property
    def place(self) -> tuple[str, int]:
        """Its document and where it starts there."""
        return self.hit.document.id, self.unit.start

    @cached_property
    def own(self) -> str:
        """The unit's text, normalised; a row's with its column labels, as it is shown."""
        return normalise(row_text(self.unit) if self.unit.kind == "row" else self.unit.text)

    @cached_property
    def grams(self) -> frozenset[str]:
        """The bigrams of its text."""
        return gram_set(self.own)

    @cached_property
    def lists(self) -> bool:
        """Whether it lists things itself, or its paragraph leads to a list."""
        rest = self.hit.document.text[self.unit.end - 1 :].split("\n", 1)[0]
        return len(_PARTS.findall(self.unit.text)) >= 2 or rest.endswith((":", "："))

    @property
    def enumerates(self) -> bool:
        """Whether it is one of a list, lists things itself, or its paragraph leads to a list."""
        return self.unit.kind == "item" or self.lists

    @cached_property
    def facts(self) -> str:
        """The same without the clauses and asides that say that something is not known; normalised."""
        own = ";".join(filter(None, [self.own, self._with_units]))
        text = _ASIDE.sub(lambda aside: "" if _NOT_STATED.search(aside.group()) else aside.group(), own)
        return ";".join(clause for clause in text.split(";") if not _NOT_STATED.search(clause))

    @cached_property
    def units_line(self) -> tuple[int, int]:
        """The span above a row's table that names the units of its bare figures, 单位：亿元; empty where there is none."""
        start = max(0, self.unit.header[0] - UNITS_ABOVE)
        named = _UNITS_LINE.search(self.hit.document.text, start, self.unit.header[0])
        bare = any(
            _BARE.fullmatch(normalise(cell)) and not _UNIT.search(normalise(label)) for label, cell in self.unit.cells
        )
        return named.span() if named and bare else (0, 0)

    @property
    def _with_units(self) -> str:
        """A row's bare figures with the units that their labels name, 最高金额(万元), or the line above the table."""
        named = _UNITS_LINE.match(self.hit.document.text, *self.units_line)
        units = re.split(r"[、,/ 和]+", normalise(named[1])) if named else []
        found = []
        for label, cell in self.unit.cells:
            label = normalise(label)
            bracket = _UNIT.search(label)
            kind = "%" if _RATE.search(label) else "count" if label.endswith("数") else "money"
            fitting = (u for u in units if (u == "%") == (kind == "%") and ("元" in u) == (kind == "money"))
            unit = bracket[1] if bracket else next(fitting, "")
            if unit and _BARE.fullmatch(normalise(cell)):
                found.append(f"{normalise(cell)}{unit}")
        return ";".join(found)

    @property
    def heading(self) -> str:
        """The last heading above it, as it is written; "" if there is none."""
        return self.hit.passage.headings[-1] if self.hit.passage.headings else ""

    @cached_property
    def headings(self) -> str:
        """The heading path above it, normalised."""
        return normalise(" ".join(self.hit.passage.headings))

    @cached_property
    def lead(self) -> str:
        """The sentence that leads to its list or table, normalised."""
        return normalise(self.unit.lead)

    @cached_property
    def around(self) -> str:
        """Headings and lead together."""
        return f"{self.headings} {self.lead}"

    @cached_property
    def read(self) -> str:
        """What a reader sees of it with its place: title, headings, lead and text."""
        return f"{self.hit.document.title} {' '.join(self.hit.passage.headings)} {self.unit.lead} {self.unit.text}"

    @cached_property
    def title(self) -> str:
        """The document's title, normalised; an untitled text speaks of what it begins with."""
        return normalise(self.hit.document.title or self.hit.document.text[:UNTITLED])

    @cached_property
    def subject(self) -> str:
        """What the document's title begins with, before any colon."""
        return self.title.split(":")[0]

    @cached_property
    def names(self) -> str:
        """The thing that it is of, where it is a row or a labelled item that names one: its first cell or label, bare."""
        row, label = self.unit.kind == "row", self.own[:LONGEST_LABEL].split(":")
        first = self.unit.cells[0][1] if row and self.unit.cells else label[0] if len(label) > 1 and not row else ""
        subject = re.sub(r"\W", "", normalise(first))
        return subject if len(subject) >= LEAST_SUBJECT else ""

    @cached_property
    def not_stated(self) -> bool:
        """Whether all that it says is that something is not known."""
        return not self.facts.strip(" ;")

    @cached_property
    def partly_stated(self) -> bool:
        """Whether it says, anywhere in it, that something is not known."""
        return bool(_NOT_STATED.search(self.own))


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Return every unit of the hits' passages."""
    return [
        Candidate(_untitled(unit, hit.document.title), hit, rank)
        for rank, hit in enumerate(hits)
        for unit in _material(hit)
    ]


def _material(hit: Hit) -> list[Unit]:
    """Return the passage's units, without its sources, what only points elsewhere, and what gives orders to a program."""
    found = units(hit.document.text, hit.passage.start, hit.passage.end, hit.passage.context)
    ordered = orders(hit.passage.text)
    start, end = (hit.passage.start + offset for offset in ordered or (0, 0))
    kept = (unit for unit in found if not (_SOURCE.match(unit.text) or _POINTS_ELSEWHERE.match(unit.text)))
    return [unit for unit in kept if not (unit.start < end and unit.end > start)]


def _untitled(unit: Unit, title: str) -> Unit:
    """Return the unit without the document's title, where its first sentence runs on from it."""
    rest = unit.text.removeprefix(title).lstrip() if title and not unit.start else ""
    return replace(unit, text=rest, start=unit.end - len(rest)) if rest else unit


@dataclass(frozen=True)
class Scored:
    """A candidate's judgement for one aspect.

    `covered` holds, per term, the share of it that stands in or around the unit, `own` the share in the unit itself;
    `features` what the model weighs; `focus` the share of the aspect's own words that stands in the unit, `near` the share in or around it; `probability` how likely the unit answers.
    One that `fits` may answer, if it is also `timely`: of the years asked for.
    """

    candidate: Candidate
    covered: dict[str, float] = field(repr=False)
    own: dict[str, float] = field(repr=False)
    features: dict[str, float] = field(repr=False)
    focus: float
    near: float
    fits: bool
    timely: bool
    probability: float

    @property
    def document_id(self) -> str:
        """The document it stands in."""
        return self.candidate.hit.document.id

    def tells(self, word: str) -> float:
        """Return the share of a term that a reader of the unit, or of its heading, is told."""
        return max(self.own[word], self.covered[word] if self.covered[word] >= HEADING_WEIGHT else 0.0)

    def gives(self, aspect: Aspect, kind: Kind) -> bool:
        """Return whether it holds what answers this kind of question."""
        if kind == "list":
            return self.candidate.enumerates
        return aspect.holds(kind, self.candidate.facts, self.candidate.around)


def judge(
    aspect: Aspect, shown: Sequence[Candidate], vectors: np.ndarray, weigh: Callable[[str], float], embed: Embed
) -> tuple[list[Scored], dict[str, float]]:
    """Return the candidates' judgements for an aspect, and the weight of each of its terms.

    `vectors` are what `embed` gives for what is `read` of each candidate, of length one, shape (candidates,
    dimension); `weigh` tells how much a word tells.
    """
    weights = weights_of(aspect.terms, weigh)
    if not shown:
        return [], weights
    likeness = vectors @ embed([f"{aspect.text} {aspect.context}"])[0]
    most, telling = float(likeness.max()), min(1.0, len(aspect.terms) / TELLING)
    beside: dict[tuple[str, str], float] = {}
    judged = []
    for candidate, alike in zip(shown, likeness.tolist(), strict=True):
        covered, own, features = _match(aspect, candidate, weights, beside)
        features["less_alike"] = (most - alike) * telling
        judged.append((candidate, covered, own, features))
    _of_documents(aspect, judged, weights)
    silent = [(c, f["coverage"]) for c, _, _, f in judged if c.partly_stated and aspect.concerns(c.own)]
    best: dict[str, float] = {}  # of each document's hits
    for hit in {candidate.hit.passage.id: candidate.hit for candidate in shown}.values():
        best[hit.document.id] = max(best.get(hit.document.id, 0.0), hit.score)
    scored = []
    for candidate, covered, own, features in judged:
        key = candidate.hit.document.id
        here = max((share for c, share in silent if c.hit.document.id == key and c is not candidate), default=0.0)
        features["silent_here"] = max(0.0, here - features["coverage"] + 0.3)
        features["found"] = best[key]
        focus, near = (_mean({t.word: shares[t.word] for t in aspect.own_terms}, weights) for shares in (own, covered))
        fits = _fits(aspect, candidate) and (not features["lacking"] or _free(aspect))
        fits = fits and _there_is(aspect, covered, weights)
        timely = _in_time(aspect, candidate)
        scored.append(Scored(candidate, covered, own, features, focus, near, fits, timely, probability(features)))
    return scored, weights


def _of_documents(aspect: Aspect, judged: Sequence[Judged], weights: dict[str, float]) -> None:
    """Add how much less of what is asked each unit's document has, as far as it was found, than the one with most."""
    texts: dict[str, list[str]] = {}
    for candidate, *_ in judged:
        texts.setdefault(candidate.hit.document.id, [candidate.title]).extend((candidate.around, candidate.own))
    covered = {key: coverage_of(aspect.terms, " ".join(parts), weights) for key, parts in texts.items()}
    most = max(features["coverage"] for *_, features in judged)
    for candidate, _, _, features in judged:
        features["less_unit"] = most - features["coverage"]
        features["less_document"] = max(covered.values()) - covered[candidate.hit.document.id]


def _match(
    aspect: Aspect, candidate: Candidate, weights: dict[str, float], beside: dict[tuple[str, str], float]
) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Return the share of each term in or around a unit, that in it alone, and the features that follow.

    `beside` keeps the shares in titles and headings, which many units have in common.
    """

    def near(term: Term, text: str) -> float:
        if (term.word, text) not in beside:
            beside[term.word, text] = _share(term, text) if text else 0.0
        return beside[term.word, text]

    own = {term.word: _share(term, candidate.own) for term in aspect.terms}
    early = candidate.own if candidate.unit.kind == "row" else candidate.own[:EARLY]
    listed = "list" in aspect.kinds and candidate.enumerates
    heading = 1.0 if listed and candidate.unit.kind != "item" else HEADING_WEIGHT
    places = (
        (heading, candidate.headings),
        (LEAD_WEIGHT, candidate.lead),
        (SUBJECT_WEIGHT, candidate.subject),
        (TITLE_WEIGHT, candidate.title),
    )
    covered = {}
    for term in aspect.terms:
        held_here = own[term.word]
        most = held_here and held_here * (1.0 if _share(term, early) == held_here else LATE_WEIGHT)
        for weight, text in places:  # those that count most first
            if most >= weight:
                break
            most = max(most, weight * near(term, text))
        covered[term.word] = most
    asked = {term.word: weights[term.word] for term in aspect.own_terms}
    held = {kind for kind in aspect.hard_kinds if aspect.holds(kind, candidate.facts, candidate.around)}
    introduced = 1.0
    if listed and candidate.unit.kind == "item":
        introduced = _mean({term.word: near(term, candidate.around) for term in aspect.own_terms}, asked)
    context = {word: weight for word, weight in weights.items() if word not in asked}
    focus = _mean({word: own[word] for word in asked}, asked)
    return covered, own, {
        "coverage": _mean(covered, weights),
        "lacking": float(bool(aspect.hard_kinds) and not held),
        "held": len(held) / len(aspect.hard_kinds) if aspect.hard_kinds else 0.0,
        "context": _mean({word: covered[word] for word in context}, context) if context else 1.0,
        "listed": float(listed and introduced >= 0.5),
        "defines": float(listed and candidate.lists and max(focus, _mean(own, weights)) >= 0.8),
        "grams": _grams_share(aspect, candidate),
        "unsaid": 0.0 if held & _TELL_THEMSELVES else 1.0 - _attribute(aspect, candidate),
        "another": _another(aspect, candidate, weights),
        "clause": _clause(aspect, candidate, weights),
    }  # fmt: skip


def _there_is(aspect: Aspect, covered: dict[str, float], weights: dict[str, float]) -> bool:
    """Return False where a question is whether there is something and a unit does not speak of what tells most of it."""
    if not _WHETHER_THERE_IS.search(aspect.text) or not aspect.own_terms:
        return True
    telling = max(aspect.own_terms, key=lambda term: weights[term.word])
    return covered[telling.word] >= LEAST_NAME


def _free(aspect: Aspect) -> bool:
    """Return whether something else than what its kinds ask for may answer too: a list, or a yes or no."""
    return bool(aspect.kinds & {"list", "verdict"}) and not aspect.hard_kinds & {"document_number", "contact"}


def _attribute(aspect: Aspect, candidate: Candidate) -> float:
    """Return how far a unit with its heading and lead speaks of what of a thing is asked for; 1 if the question names nothing."""
    asked = asked_for(aspect.text)
    told = f"{candidate.own} {candidate.around}"
    return sum(speaks_of(word, told) for word in asked) / len(asked) if asked else 1.0


def _another(aspect: Aspect, candidate: Candidate, weights: dict[str, float]) -> float:
    """Return how surely a row or labelled item is of another thing than is asked, by what it begins with; 0 for others."""
    subject = candidate.names
    if not subject or not aspect.hard_kinds or re.search(r"20\d\d", subject):
        return 0.0
    asked = re.sub(r"\W", "", f"{aspect.context} {aspect.whole}")
    return 1.0 - max(share(subject, asked), coverage_of(aspect.own_terms, subject, weights))


def _clause(aspect: Aspect, candidate: Candidate, weights: dict[str, float]) -> float:
    """Return the share of the aspect's own words in the clause, or around it, that holds the figure asked for; 1 where none is."""
    sought = aspect.hard_kinds & FIGURES
    if not sought or candidate.unit.kind == "row":
        return 1.0
    around = f"{candidate.around} {candidate.title}"
    clauses = [part for part in candidate.facts.split(";") if any(aspect.holds(kind, part) for kind in sought)]
    return max((coverage_of(aspect.own_terms, f"{part} {around}", weights) for part in clauses), default=1.0)


def probability(features: dict[str, float]) -> float:
    """Return how likely a unit with these features answers, by the shipped logistic model."""
    weights = _model()["weights"]
    return 1 / (1 + exp(-weights["bias"] - sum(weights[name] * value for name, value in features.items())))


def calibrated(best: float) -> float:
    """Return how likely an answer is right whose best unit has this probability.

    Platt scaling (Platt 1999) of the model's log-odds, fitted on questions that the model had not seen.
    """
    scale = _model()["calibration"]
    odds = log(max(best, 1e-9) / max(1 - best, 1e-9))
    return 1 / (1 + exp(-scale["intercept"] - scale["slope"] * odds))


@cache
def _model() -> dict[str, dict[str, float]]:
    model: dict[str, dict[str, float]] = json.loads(MODEL.read_text(encoding="utf-8"))
    return model


def weights_of(terms: Sequence[Term], weigh: Callable[[str], float]) -> dict[str, float]:
    """Return how much each term tells, by its word."""
    return {term.word: term.factor * min(_weight(s, weigh) for s in term.spellings) for term in terms}


def _weight(spelling: str, weigh: Callable[[str], float]) -> float:
    return sum(map(weigh, words(spelling) or [spelling]))


def _fits(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether a unit may answer in the years it is of: its places, names, and whether it is a result or a target."""
    return (
        "full_text" not in aspect.kinds
        and not candidate.not_stated
        and not candidate.own.endswith("?")
        and (not aspect.every or bool(_EACH.search(candidate.own)))
        and _in_place(aspect, candidate)
        and _named(aspect, candidate)
        and _of_place(aspect, candidate)
        and _part_of_year(aspect, candidate)
        and _measured(aspect, candidate)
        and _for_one(aspect, candidate)
        and _real(aspect, candidate)
        and _of_that_one(aspect, candidate)
        and _benefits(aspect, candidate)
        and _term_told(aspect, candidate)
        and not aspect.of_nothing
    )


def _of_that_one(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False where the one that is most (最大的是哪家) is asked for and the unit names none, or another sort of thing or day."""
    if _MOST.search(aspect.text) and _WHICH_ONE.search(aspect.text) and not aspect.hard_kinds & FIGURES:
        return bool(re.search("最|首|冠|第[1一]", candidate.own))
    event = event_of(aspect.text) if "date" in aspect.hard_kinds else ""
    if event and not speaks_of(event, f"{candidate.own} {candidate.around}"):
        return False
    if "day" in aspect.kinds and not aspect.holds("day", candidate.facts):
        asked = asked_for(aspect.text)[:1]  # what happens on the day
        return all(speaks_of(word, f"{candidate.own} {candidate.around}") for word in asked)
    return True


def _benefits(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False where the figure of a benefit is asked and a unit speaks of nothing that it is asked for."""
    if not aspect.hard_kinds or not aspect.hard_kinds <= FIGURES or not aspect.beneficiaries:
        return True
    text = f"{candidate.own} {candidate.around} {candidate.title}"
    return any(_share(term, text) >= LEAST_NAME for term in aspect.beneficiaries)


def _term_told(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for the last day to apply or to comment where it is asked how long a document is valid."""
    told = f"{candidate.own} {candidate.around}"
    return "有效期" not in aspect.text or not _DEADLINE.search(told) or bool(_IN_FORCE.search(told))


def _grams_share(aspect: Aspect, candidate: Candidate) -> float:
    """Return the share of the aspect's bigrams, its phrases that only ask left out, that stands in the unit."""
    asked = aspect.grams
    return sum(gram in candidate.own for gram in asked) / len(asked) if asked else 0.0


def _share(term: Term, text: str) -> float:
    return 1.0 if any(other in text for other in term.alternatives) else share(term.word, text)


def coverage_of(terms: Sequence[Term], text: str, weights: dict[str, float]) -> float:
    """Return the share of the terms, by weight, that stands in a normalised text."""
    return _mean({term.word: _share(term, text) for term in terms}, weights)


def _mean(shares: dict[str, float], weights: dict[str, float]) -> float:
    return sum(weights[word] * part for word, part in shares.items()) / (sum(weights[word] for word in shares) or 1.0)


def _in_time(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether it speaks of the years asked for: its own years decide, else those around it.

    A policy's edition is in its title (2025年度申报指南), so there a year within may be any.
    """
    if not aspect.years:
        return True
    meta = candidate.hit.document.metadata
    normative = meta.doc_type in NORMATIVE
    titled = years(candidate.title, event_dates=aspect.dated or normative)
    # Of several editions, what is said within tells of which a figure is.
    several = len(titled) > 1 and bool(aspect.hard_kinds & FIGURES) and years(candidate.own)
    if normative and titled & aspect.years and not several:
        return True
    # 2023年8月称2022年度营收: a figure is of a period, not of the day on which it was told.
    figures = bool(aspect.hard_kinds & FIGURES) and not aspect.dated
    spoken = years(candidate.own, event_dates=False) if figures else frozenset()
    if figures and not spoken and not _TARGET.search(aspect.whole):
        told = [
            part for part in candidate.own.split(";") if any(aspect.holds(kind, part) for kind in aspect.hard_kinds)
        ]
        if told and all(_TARGET.search(part) for part in told):
            return False  # a target told in the year asked about is of a later one
    spoken = spoken or years(candidate.own)
    if spoken & aspect.years:
        return True
    # What a sentence says besides its targets is of the time of what stands around it.
    rest = ";".join(part for part in re.split(r"[,;]|\.(?!\d)", candidate.own) if not _TARGET.search(part))
    if rest and years(rest, event_dates=not figures):
        return False
    around = years(candidate.around) or titled or years(normalise(meta.data_period))
    if not around and not meta.published:
        return True  # a text of unknown date
    if len(around) > 1 and not years(candidate.around) and not titled:
        return False
    return bool((around or (frozenset() if figures else years(meta.published[:4]))) & aspect.years)


def _in_place(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether it is about the places outside Jiading that the question names."""
    around = candidate.own + candidate.around + candidate.title
    return all(place in around for place in aspect.elsewhere)


def _named(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether what the question names stands in or around it: each L3 or M0; each park or town, in good part."""
    text = f"{candidate.own} {candidate.around} {candidate.title}"
    codes = (term.word for term in aspect.own_terms if _CODE.fullmatch(term.word) and not term.alternatives)
    if any(code not in text for code in codes):
        return False
    for asked, spoken in zip(_ordinals(aspect.whole), _ordinals(candidate.own), strict=True):
        if asked and spoken and not asked & spoken:
            return False
    if any(not any(spelling in text for spelling in term.spellings) for term in _places(aspect)):
        return False
    if candidate.unit.kind == "row" and any(town not in text for town in _TOWN.findall(aspect.text)):
        return False  # a row of another town; a sentence may leave it unsaid
    return all(share(name, text) >= LEAST_NAME for name in aspect.names) if aspect.hard_kinds else True


@lru_cache(maxsize=8192)
def _ordinals(text: str) -> tuple[frozenset[str], ...]:
    """Return the numbers of the phases, batches and so on that a text names, by their sort."""
    return tuple(frozenset(ordinal.findall(_FIRST.sub("1", text))) for ordinal in _ORDINALS)


def _of_place(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether a figure stands in one clause, or one row, with the park or town asked about, or below its heading or title."""
    figures = aspect.hard_kinds & FIGURES
    known = [spelling for term in _places(aspect) for spelling in term.spellings]
    asked = known or aspect.names
    if figures and not asked and _DISTRICT.search(aspect.whole):
        told = f"{candidate.headings} {candidate.own}"
        return not place_of(candidate.subject, aspect.glossary) or bool(_DISTRICT.search(told))
    told = candidate.headings + candidate.own
    unsaid = figures and asked and not any(share(place, told) >= (1.0 if known else LEAST_NAME) for place in asked)
    if unsaid and (
        any(place in candidate.headings for place in _glossary_places(aspect.glossary))
        or any(share(name, f"{aspect.context} {aspect.whole}") < LEAST_NAME for name in _named_in(candidate.headings))
    ):
        return False  # of the park, or of what else, its heading names
    around = f"{candidate.around} {candidate.title}"
    within = [term.spellings for term in _places(aspect) if not any(s in around for s in term.spellings)]
    if not figures or not within:
        return True
    parts = [candidate.facts] if candidate.unit.kind == "row" else candidate.facts.split(";")  # a row is of one thing
    clauses = [part for part in parts if any(aspect.holds(kind, part) for kind in figures)]
    return any(all(any(s in part for s in spellings) for spellings in within) for part in clauses)


@lru_cache(maxsize=16)
def _glossary_places(glossary: Glossary) -> frozenset[str]:
    """Return the spellings of the parks and places in a glossary, normalised."""
    spellings = (normalise(spelling) for term, others in glossary for spelling in (term, *others))
    return frozenset(s for s in spellings if _PLACE.search(s) and len(s) > 2 and not s.startswith("特色"))


@lru_cache(maxsize=2000)
def _named_in(headings: str) -> tuple[str, ...]:
    return tuple(names(headings))


def place_of(title: str, glossary: Glossary) -> str:
    """Return the park or zone of a glossary, normalised, that a normalised title begins with; "" if there is none."""
    found = (place for place in _glossary_places(glossary) if re.match(f"(?:上海|嘉定)?{re.escape(place)}", title))
    return max(found, key=len, default="")


def _places(aspect: Aspect) -> list[Term]:
    return [term for term in aspect.terms if term.alternatives and _PLACE.search(term.word)]


def _part_of_year(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for the figure of another part of the year than is asked: a half's where the whole is, and so on."""
    if not aspect.hard_kinds & FIGURES:
        return True
    spoken, asked = part_told(candidate), part_asked(aspect)
    return not asked or not spoken or bool(asked & spoken)


def part_asked(aspect: Aspect) -> frozenset[str]:
    """Return the parts of a year that a question names (上半年, 1-10月, 全年)."""
    return _parts_of_year(aspect.text) or _parts_of_year(aspect.whole)


def part_told(candidate: Candidate) -> frozenset[str]:
    """Return the parts of a year that a unit is of, by itself or by what stands around it."""
    return _parts_of_year(candidate.own) or _parts_of_year(f"{candidate.around} {candidate.title}")


def _measured(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for the figure of another measure than is asked: output where investment is, and so on."""
    if "money" not in aspect.hard_kinds:
        return True
    asked, spoken = measures_of(aspect.text) or measures_of(aspect.whole), measures_of(candidate.facts)
    spoken = spoken or measures_of(candidate.around)
    return not asked or not spoken or bool(asked & spoken)


def _for_one(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for what was paid in all where the most, or the rate, that one may get is asked for."""
    if not _CEILING.search(aspect.text):
        return True
    told = [part for part in re.split("[,;]", candidate.facts) if aspect.holds("money", part)]
    return not told or not all(_PAID_IN_ALL.search(part) for part in told)


@lru_cache(maxsize=8192)
def _parts_of_year(text: str) -> frozenset[str]:
    found = {part for part in ("全年", "上半年", "下半年", "季度") if part in text}
    months = {f"1-{month}月" for month in _MONTHS.findall(text)}
    return frozenset({"上半年" if part == "1-6月" else part for part in found | months})


def _real(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for a target where a result is asked for: said to be one, or of a year that had yet to come."""
    if not _ACTUAL.search(aspect.whole) or _AIMED.search(aspect.text):
        return True
    told = told_in(candidate.own + candidate.around, candidate.hit.document)
    named = aspect.years - aspect.relative
    ahead = bool(named) and told > 0 and min(named) > told
    return not (ahead or _TARGET.search(candidate.own + candidate.around))


def row_text(unit: Unit) -> str:
    """Return a table row as a sentence: its first cell, then label and value."""
    subject, *rest = [(label, cell) for label, cell in unit.cells if cell not in ("", "—", "-")] or [("", unit.text)]
    values = [cell if label in _GENERIC_LABELS else f"{label} {cell}" for label, cell in rest]
    return subject[1] + ("：" + "；".join(values) if values else "")
