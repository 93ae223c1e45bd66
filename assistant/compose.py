"""Answer by quoting: choose the sentences, list items and table rows that answer, or find that none does."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from assistant.kind import FIGURES, Kind
from assistant.lexical import share, words
from assistant.question import Aspect, Question, Term, years
from assistant.schema import Citation, Document, Hit, Notice, Statement
from assistant.split import Unit, split, units
from assistant.text import normalise
from assistant.validity import NORMATIVE

# Chosen on the development questions (eval/testset.jsonl), see eval/README.md.
EARLY = 40  # characters of a sentence in which its subject stands
LATE_WEIGHT = 0.85  # a term that stands later in it
HEADING_WEIGHT = 0.9  # a term that stands in the unit's headings
NEAR_WEIGHT = 0.8  # a term that stands in the list's lead or the table's header
SUBJECT_WEIGHT = 0.8  # a term that stands in what the title begins with
TITLE_WEIGHT = 0.55  # a term that stands only in the document's title
ANSWERED = 0.56  # least confidence at which an answer is given
LEAST_NAME = 0.4  # share of a proper name's bigrams
LEAST_FOCUS = 0.4  # share of an aspect's own words below which a unit answers something else
OWN_BONUS = 0.1  # for terms that stand in the unit itself
KIND_BONUS = 0.12  # for holding the sort of answer asked for
LIST_BONUS = 0.15  # for a unit that enumerates, where a list is asked for
CITY_COST = 0.15  # for what is of the whole city, where Jiading is asked about
RANK_COST = 0.005  # for each passage found before this one's
MAX_STATEMENTS = 5  # besides the members of one list
MAX_LIST = 9

_NOT_STATED = re.compile(
    r"没有(?:查到|公布|给出|读到|说|写|出现|取得|逐一|逐项|附件)|未(?:查到|见|公布|给出|读到|取得|收录|写明)|均未见|不能推断|没写|未在报道|只有前半部分|被?截断"
)
_PARTS = re.compile("[、；;]")
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_SOURCE = re.compile(r"(?:资料|数据|访谈|全市目标|参考)?来源|https?://|后者:http|.{0,12}链接:|.{0,12}报道:http")
_GENERIC_LABELS = {"数值", "内容", "说明", "备注", "项目", "说法", "情况"}
_EACH = re.compile(r"各|每|分别")
_TELLING = re.compile(r"目标|计划|预计|规划|草案|征求意见|历史|旧|过时|截至|\d{4}")
_TARGET = re.compile(r"目标|计划|预计|预期|力争|规划|拟|争取|到20\d\d年")
_ACTUAL = re.compile(r"实际|完成(?:了|情况|多少)|达到了|实绩|完成多少")


@dataclass(frozen=True)
class Candidate:
    """A unit that may answer, seen with the words around it."""

    unit: Unit
    hit: Hit
    rank: int

    @cached_property
    def own(self) -> str:
        """The unit's text, normalised; a row's with its column labels, as it is shown."""
        return normalise(_row_text(self.unit) if self.unit.kind == "row" else self.unit.text)

    @cached_property
    def facts(self) -> str:
        """The same without the clauses and asides that say that something is not known; normalised."""
        text = _ASIDE.sub(lambda aside: "" if _NOT_STATED.search(aside.group()) else aside.group(), self.own)
        return ";".join(clause for clause in text.split(";") if not _NOT_STATED.search(clause))

    @cached_property
    def headings(self) -> str:
        """The heading path above it, normalised."""
        return normalise(" ".join(self.hit.passage.headings))

    @cached_property
    def near(self) -> str:
        """What introduces it, normalised: the list's or the table's lead."""
        return normalise(self.unit.lead)

    @cached_property
    def around(self) -> str:
        """Headings and introduction together."""
        return f"{self.headings} {self.near}"

    @cached_property
    def title(self) -> str:
        """The document's title, normalised."""
        return normalise(self.hit.document.title)

    @cached_property
    def subject(self) -> str:
        """What the document's title begins with, before any colon."""
        return self.title.split(":")[0]

    @cached_property
    def not_stated(self) -> bool:
        """Whether all that it says is that something is not known."""
        return not self.facts.strip(" ;")

    @cached_property
    def partly_stated(self) -> bool:
        """Whether it says, anywhere in it, that something is not known."""
        return bool(_NOT_STATED.search(self.own))


@dataclass(frozen=True, slots=True)
class Draft:
    """What composing gives: statements (none means abstain), a confidence in [0, 1], and notices."""

    statements: tuple[Statement, ...]
    confidence: float
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class Scored:
    """A candidate's judgement. `covered` holds, per term, the share of it that stands in or around the unit;
    `own` the share that stands in the unit itself; `coverage` is the weighted mean of `covered`.
    """

    candidate: Candidate
    covered: dict[str, float] = field(repr=False)
    own: dict[str, float] = field(repr=False)
    coverage: float
    focus: float
    focus_near: float
    score: float
    fits: bool
    holds: bool

    @property
    def document_id(self) -> str:
        """The document it stands in."""
        return self.candidate.hit.document.id

    def gives(self, aspect: Aspect, kind: Kind) -> bool:
        """Return whether it holds what answers this kind of question."""
        if kind == "list":
            return _enumerates(self.candidate.unit)
        return aspect.holds(kind, self.candidate.facts, self.candidate.around)


def compose(question: Question, hits: Sequence[Hit], weigh: Callable[[str], float]) -> Draft:
    """Compose an answer from the hits, aspect by aspect, best evidence first.

    `weigh` tells how much a word tells. An aspect is left open when nothing fits its kind, years and place, or
    when the best that there is says that it is not known; all open gives a draft without statements.
    """
    shown = candidates(hits)
    findings = [_find(aspect, shown, weigh) for aspect in question.aspects]
    chosen: list[Scored] = []
    notices: dict[Notice, None] = {}
    for finding in findings:
        if finding.confidence >= ANSWERED:
            units_chosen = {s.candidate.unit for s in chosen}
            chosen += [s for s in finding.chosen if s.candidate.unit not in units_chosen]
        else:
            notices |= dict.fromkeys(finding.unknown)
    confidence = max(finding.confidence for finding in findings)
    if chosen and notices:
        chosen += [
            s for finding in findings if finding.confidence < ANSWERED for s in finding.silent[:1] if finding.unknown
        ]
        return Draft(tuple(_statement(s.candidate) for s in chosen), confidence)
    return Draft(tuple(_statement(s.candidate) for s in chosen), confidence, tuple(notices))


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for one aspect: the units chosen, and those that say that it is not known, best first."""

    chosen: Sequence[Scored]
    silent: Sequence[Scored]
    confidence: float

    @property
    def unknown(self) -> tuple[Notice, ...]:
        """The corpus's own sentence that it is not known, where one is about this."""
        if not self.silent or self.silent[0].coverage < ANSWERED - 0.1:
            return ()
        document, unit = self.silent[0].candidate.hit.document, self.silent[0].candidate.unit
        return (Notice("not_published", f"《{document.title}》写明：“{unit.text}”", document.id),)


def _find(aspect: Aspect, shown: Sequence[Candidate], weigh: Callable[[str], float]) -> Finding:
    weights = {term.word: term.factor * min(_weight(s, weigh) for s in term.spellings) for term in aspect.terms}
    judged = [judge(aspect, candidate, weights) for candidate in shown]
    fitting = sorted((s for s in judged if s.fits), key=lambda s: -s.score)
    silent = sorted(
        (s for s in judged if s.candidate.partly_stated and aspect.concerns(s.candidate.own)), key=lambda s: -s.score
    )
    chosen = _choose(aspect, fitting, weights) if fitting else []
    return Finding(chosen, silent, _confidence(chosen, silent, weights))


def _weight(spelling: str, weigh: Callable[[str], float]) -> float:
    return sum(map(weigh, words(spelling) or [spelling]))


def candidates(hits: Sequence[Hit]) -> list[Candidate]:
    """Return every unit of the hits' passages."""
    return [
        Candidate(unit, hit, rank)
        for rank, hit in enumerate(hits)
        for unit in units(hit.document.text, hit.passage.start, hit.passage.end, hit.passage.context)
        if not _SOURCE.match(unit.text)
    ]


def judge(aspect: Aspect, candidate: Candidate, weights: dict[str, float]) -> Scored:
    """Score one candidate: the weighted share of the question's terms it covers, and what it fits."""
    own = {term.word: _share(term, candidate.own) for term in aspect.terms}
    early = candidate.own if candidate.unit.kind == "row" else candidate.own[:EARLY]
    listed = "list" in aspect.kinds and _enumerates(candidate.unit)
    heading = 1.0 if listed and candidate.unit.kind != "item" else HEADING_WEIGHT
    covered = {
        term.word: max(
            own[term.word] * (1.0 if _share(term, early) == own[term.word] else LATE_WEIGHT),
            heading * _share(term, candidate.headings),
            NEAR_WEIGHT * _share(term, candidate.near),
            SUBJECT_WEIGHT * _share(term, candidate.subject),
            TITLE_WEIGHT * _share(term, candidate.title),
        )
        for term in aspect.terms
    }
    asked = {term.word: weights[term.word] for term in aspect.own_terms}
    held = {kind for kind in aspect.hard_kinds if aspect.holds(kind, candidate.facts, candidate.around)}
    coverage = _mean(covered, weights)
    introduced = _mean({term.word: _share(term, candidate.around) for term in aspect.own_terms}, asked)
    score = (
        coverage
        + OWN_BONUS * _mean(own, weights)
        + KIND_BONUS * len(held) / max(1, len(aspect.hard_kinds))
        + LIST_BONUS * (listed and (len(_PARTS.findall(candidate.unit.text)) >= 2 or introduced >= 0.5))
        - CITY_COST * _citywide(aspect, candidate)
        - RANK_COST * candidate.rank
    )
    return Scored(
        candidate, covered, own, coverage, score=score, holds=bool(held), fits=_fits(aspect, candidate, bool(held)),
        focus=_mean({word: own[word] for word in asked}, asked),
        focus_near=_mean({word: covered[word] for word in asked}, asked),
    )  # fmt: skip


def _fits(aspect: Aspect, candidate: Candidate, held: bool) -> bool:
    """Return whether a unit may answer at all: its sort, years, places, names, and whether it is a result or a target."""
    return (
        "full_text" not in aspect.kinds
        and not candidate.not_stated
        and (held or not aspect.hard_kinds or "verdict" in aspect.kinds)
        and (not aspect.every or bool(_EACH.search(candidate.own)))
        and _in_time(aspect, candidate)
        and _in_place(aspect, candidate)
        and _named(aspect, candidate)
        and _real(aspect, candidate)
    )


def _enumerates(unit: Unit) -> bool:
    """Return whether a unit lists things itself, is one of a list, or leads to one."""
    return unit.kind == "item" or len(_PARTS.findall(unit.text)) >= 2 or unit.text.endswith((":", "："))


def _citywide(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether Jiading is asked about and this is of the whole city or country."""
    level = candidate.hit.document.metadata.level
    said = candidate.own + candidate.around + candidate.title
    return level in ("市级", "国家级") and "嘉定" in aspect.whole + aspect.context and "嘉定" not in said


def _share(term: Term, text: str) -> float:
    return 1.0 if any(other in text for other in term.alternatives) else share(term.word, text)


def _mean(shares: dict[str, float], weights: dict[str, float]) -> float:
    return sum(weights[word] * part for word, part in shares.items()) / (sum(weights.values()) or 1.0)


def _in_time(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether it speaks of the years asked for: its own years decide, else those around it.

    A policy's edition is in its title (2025年度申报指南), so there a year within may be any.
    """
    if not aspect.years:
        return True
    meta = candidate.hit.document.metadata
    normative = meta.doc_type in NORMATIVE
    titled = years(candidate.title, event_dates=aspect.dated or normative)
    if normative and titled & aspect.years:
        return True
    # 2023年8月称2022年度营收: a figure is of a period, not of the day on which it was told.
    periods = years(candidate.own, event_dates=False) if aspect.hard_kinds & FIGURES and not aspect.dated else None
    spoken = periods or years(candidate.own) or years(candidate.around) or titled
    period = years(normalise(meta.data_period))
    return bool((spoken or (period if len(period) == 1 else frozenset())) & aspect.years)


def _in_place(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether it is about the places outside Jiading that the question names."""
    around = candidate.own + candidate.around + candidate.title
    return all(place in around for place in aspect.elsewhere)


def _named(aspect: Aspect, candidate: Candidate) -> bool:
    """Return whether every park, town or centre that the question names stands, at least in good part, in or around it."""
    text = f"{candidate.own} {candidate.around} {candidate.title}"
    return all(share(name, text) >= LEAST_NAME for name in aspect.names) if aspect.hard_kinds else True


def _real(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for a target where a result is asked for."""
    return not (
        _ACTUAL.search(aspect.whole)
        and not _TARGET.search(aspect.whole)
        and _TARGET.search(candidate.own + candidate.around)
    )


def _confidence(chosen: Sequence[Scored], silent: Sequence[Scored], weights: dict[str, float]) -> float:
    """Return how sure we are that the chosen answer: what they cover together, less if it is said to be unknown."""
    if not chosen:
        return 0.0
    together = {word: max(s.covered[word] for s in chosen) for word in weights}
    confidence = 0.5 * _mean(together, weights) + 0.5 * chosen[0].coverage
    best = chosen[0]
    margin = 0.05 if best.holds else -0.02
    elsewhere = 0.1  # what one document does not say, another may
    if any(
        s.focus >= best.focus + margin + elsewhere * (s.document_id != best.document_id)
        and s.coverage >= best.coverage - 0.1 + 2 * elsewhere * (s.document_id != best.document_id)
        for s in silent
    ):
        confidence -= 0.5
    if best.focus_near < LEAST_FOCUS:
        confidence -= 0.2
    return max(0.0, confidence)


def _choose(aspect: Aspect, fitting: Sequence[Scored], weights: dict[str, float]) -> list[Scored]:
    """Take the best, then what adds to it: its list, uncovered terms, a kind still open, a rival elsewhere."""
    best = fitting[0]
    chosen = [best, *_members(aspect, best, fitting)]
    single = 1
    for scored in fitting[1:30]:
        if single >= MAX_STATEMENTS:
            break
        if scored in chosen:
            continue
        done = {word: max(s.own[word] for s in chosen) for word in weights}
        gain = _mean({word: max(0.0, part - done[word]) for word, part in scored.own.items()}, weights)
        news = any(scored.gives(aspect, kind) for kind in _open(aspect, chosen))
        rival = scored.document_id not in {s.document_id for s in chosen}
        close = scored.score >= 0.8 * best.score
        if (
            (close and (gain >= 0.08 or news))
            or (gain >= 0.15 and scored.score > 0.65 * best.score)
            or (rival and scored.score >= 0.92 * best.score)
        ):
            chosen.append(scored)
            single += 1
    return [*chosen, *_standing(aspect, chosen)]


def _standing(aspect: Aspect, chosen: Sequence[Scored]) -> list[Scored]:
    """Return what the best document says of its own validity, where that is asked and not said yet."""
    if "validity" not in aspect.kinds or any(aspect.holds("validity", s.candidate.own) for s in chosen):
        return []
    document = chosen[0].candidate.hit.document
    whole = candidates([Hit(passage, document, 0.0) for passage in split(document)])
    return [replace(chosen[0], candidate=c) for c in whole if aspect.holds("validity", c.facts)][:1]


def _open(aspect: Aspect, chosen: Sequence[Scored]) -> set[Kind]:
    """Return the sorts of answer asked for that nothing chosen gives yet."""
    return {
        kind
        for kind in aspect.hard_kinds | (aspect.kinds & {"list"})
        if not any(scored.gives(aspect, kind) for scored in chosen)
    }


def _members(aspect: Aspect, best: Scored, fitting: Sequence[Scored]) -> list[Scored]:
    """Return the rest of the list or section that `best` belongs to, where the question asks for a list."""
    if "list" not in aspect.kinds:
        return []
    unit, hit = best.candidate.unit, best.candidate.hit
    section = [
        s for s in fitting
        if s is not best and s.document_id == hit.document.id and s.candidate.hit.passage.headings == hit.passage.headings
    ]  # fmt: skip
    if unit.lead:
        section = [s for s in section if s.candidate.unit.lead == unit.lead]
    elif unit.kind == "sentence":
        paragraph = hit.document.text[unit.start :].split("\n", 1)[0]
        headed = best.focus < 0.5 <= best.focus_near  # the heading names what is asked, the section tells it
        section = [
            s for s in section
            if (s.candidate.unit.lead and s.candidate.unit.lead in paragraph)
            or (headed and s.candidate.unit.kind == "sentence" and _enumerates(s.candidate.unit))
        ]  # fmt: skip
    else:
        section = [s for s in section if s.candidate.unit.kind == unit.kind]
    return sorted(section, key=lambda s: s.candidate.unit.start)[:MAX_LIST]


def _statement(candidate: Candidate) -> Statement:
    """Return the unit as a statement; a row reads as label and value, and brings what its heading says of it."""
    unit, document = candidate.unit, candidate.hit.document
    spans = [(unit.start, unit.end)]
    text = unit.text
    if unit.kind == "row":
        text = _row_text(unit)
        spans.append(unit.header)
    heading = candidate.hit.passage.headings[-1] if candidate.hit.passage.headings else ""
    if unit.kind != "sentence" and _TELLING.search(heading):
        start = document.text.rfind(heading, 0, unit.start)
        text = f"{heading}：{text}"
        spans.append((start, start + len(heading)))
    return Statement(text, tuple(cite(document, start, end, candidate) for start, end in spans if end > start >= 0))


def _row_text(unit: Unit) -> str:
    subject, *rest = [(label, cell) for label, cell in unit.cells if cell not in ("", "—", "-")] or [("", unit.text)]
    values = [cell if label in _GENERIC_LABELS else f"{label} {cell}" for label, cell in rest]
    return subject[1] + ("：" + "；".join(values) if values else "")


def cite(document: Document, start: int, end: int, candidate: Candidate) -> Citation:
    """Return the citation of a span of a document."""
    meta = document.metadata
    return Citation(
        document.id, document.title, candidate.hit.passage.locator, document.text[start:end], start, end,
        meta.published, meta.publisher, meta.source_url,
    )  # fmt: skip
