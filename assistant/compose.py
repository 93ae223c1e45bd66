"""Answer by quoting: choose the sentences, list items and table rows that answer, or find that none does."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from assistant.attribute import is_attribute
from assistant.candidate import LEAST_SUBJECT, Candidate, candidates, row_text
from assistant.conditions import part_asked, part_told, place_of
from assistant.evidence import Embed, Scored, coverage_of, judge, weights_of
from assistant.kind import FIGURES, SINGLE, Kind
from assistant.lexical import names as place_names
from assistant.lexical import share, words
from assistant.policy import asks_for_outline, outline, untold
from assistant.question import Aspect, Question, places_of
from assistant.schema import NORMATIVE, Citation, Document, Glossary, Hit, Notice, Statement
from assistant.split import split, units
from assistant.text import normalise
from assistant.verify import figures

# Chosen on the development questions (eval/testset.jsonl).
ANSWERED = 0.55  # least probability at which an answer is given: there, 12 % of what the corpus lacks is answered
NEAR = 0.25  # least probability at which it is shown as what comes nearest
CLOSE = 0.6  # share of the best unit's probability from which another that adds something is given too
DISTANT = 0.35  # the same for one that adds much
NEARLY = 0.75  # share of an expired unit's probability from which one in force goes before it
RIVAL = 0.85  # the same for another document's, which may say it differently
NAMELESS = 2.0  # weight of an aspect's own words below which it goes on about what was named before
NAMED = 0.8  # share of what is asked in a row from which the row is of just that
TITLED = 0.5  # share of what is asked in a title from which a question of validity is about that document
DIFFERS = 0.5  # share of the best unit's probability from which another value is given too
LESS_FOCUS = 0.15  # by how much less of what is asked may stand in it
LESS_COVERED = 0.2  # by how much less may stand in or around it
ALIKE, SAME = 0.3, 0.6  # the same for one that covers each word asked, by this share of what the best covers
LEAST_OF = 0.4  # share of a row's first cell in a question from which the row is of what is asked
MAX_RIVALS = 4
DISPUTED = 0.3  # least probability at which the several values are given that the question itself says there are
DISPUTED_DIFFERS, DISPUTED_FOCUS = 0.25, 0.4  # DIFFERS and LESS_FOCUS for these
NAMESAKE = 0.25  # the same for what another document calls by the same number of articles
REPEATED = 0.9  # share of a unit's bigrams in what was chosen from which it only says that again
SAID = 0.6  # the same for one that fills up an answer
MAX_STATEMENTS = 5  # besides the members of one list
MAX_LIST = 9
LONGEST_ATTRIBUTE = 6  # characters of a row's first cell or an item's label that may be what is told of a thing
MOST_TWINS = 2  # further documents cited that say the same

_TOWN = re.compile("[^\\W\\d_]{2}镇|[^\\W\\d_]{2}街道")
_ARTICLES = re.compile(r"(?<![第\d])\d+条")
_WHERE = re.compile("(?:位于|[在于])[^\\W\\d_]{2}镇")
_NUMBERED = re.compile("^[一二三四五六七八九十]+、")
_TELLING = re.compile(r"目标|计划|预计|规划|草案|征求意见|历史|旧|过时|截至|\d{4}")


Stands = Callable[[Candidate], bool]


@dataclass(frozen=True, slots=True)
class Draft:
    """What composing gives: statements (none means abstain), a confidence in [0, 1], and notices.

    `outdated` are documents that would answer but do not stand on the day asked.
    """

    statements: tuple[Statement, ...]
    confidence: float
    notices: tuple[Notice, ...] = ()
    outdated: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found for one aspect: the units chosen, and those that say that it is not known, best first."""

    chosen: Sequence[Scored]
    silent: Sequence[Scored]
    own_weight: float = 0.0
    confidence: float = 0.0
    untimely: Scored | None = None  # the best of another year than is asked
    outdated: Scored | None = None  # the best that does not stand, where what holds now is asked
    differs: bool = False  # whether sources give different values for what is asked
    nearest: bool = False  # whether what is chosen is of another year than 去年 means
    part: str = ""  # the part of the year asked about of which alone there are figures
    likely: Sequence[Scored] = ()  # all that may answer, best first
    others: Sequence[Scored] = ()  # those among the chosen that give another value

    @property
    def best_and_differing(self) -> Sequence[Scored]:
        """The best unit, and the likeliest that gives another value."""
        return [self.chosen[0], *self.others[:1]]

    @property
    def unknown(self) -> tuple[Notice, ...]:
        """The corpus's own sentence that it is not known, where one is about this."""
        if not self.silent or self.silent[0].features["coverage"] < 0.45:
            return ()
        document, text, _ = _told(self.silent[0])
        return (Notice("not_published", f"{document.named}写明：{text}", document.id),)

    @property
    def caveats(self) -> tuple[Notice, ...]:
        """That the sources give several values, or those of another year or of a part of it alone, where they do."""
        several = "资料中有几个不同的数字，可能日期、范围或口径不同，已分别列出；引用时请写明各条的出处和日期。"
        other = "资料中没有这一年的内容，以下是其他年份的，年份见各条原文和出处。"
        part = f"所列是{self.part}的数字，资料中没有找到全年的。"
        return (
            *((Notice("conflict", several),) if self.differs else ()),
            *((Notice("period", other),) if self.nearest else ()),
            *((Notice("period", part),) if self.part else ()),
        )

    @property
    def nearest_unit(self) -> tuple[Notice, ...]:
        """What is most likely to answer, where it is too unlikely to be given as the answer."""
        if not self.likely or self.likely[0].probability < NEAR:
            return ()
        document, text, place = _told(self.likely[0])
        return (Notice("nearest", f"最接近的内容是{text}（{place}），未必回答了所问。", document.id),)

    @property
    def other_year(self) -> tuple[Notice, ...]:
        """What the corpus has of another year than is asked."""
        if not self.untimely:
            return ()
        document, text, place = _told(self.untimely)
        return (Notice("period", f"没有所问年份的内容，相近的有：{text}（{place}），未必是同一件事。", document.id),)


def _told(scored: Scored) -> tuple[Document, str, str]:
    """Return a unit's document, its text in quotation marks (those within it as ‘’), and where it stands, in words."""
    hit, unit = scored.candidate.hit, scored.candidate.unit
    text = row_text(unit) if unit.kind == "row" else unit.text
    quoted = f"“{text.translate(str.maketrans('“”', '‘’'))}”"
    return hit.document, quoted, f"{hit.document.named}{hit.place}"


def compose(
    question: Question, hits: Sequence[Hit], weigh: Callable[[str], float], embed: Embed, stands: Stands, fill: int = 0
) -> Draft:
    """Compose an answer from the hits, aspect by aspect, best evidence first.

    `weigh` tells how much a word tells, `embed` gives vectors of length one, `stands` whether what a unit says holds
    on the day asked. An aspect is left open when no unit likely answers it; all open gives a draft without statements.
    An answer of fewer than `fill` statements gets the next likely units that say something else.
    """
    shown = candidates(hits)
    vectors = embed([candidate.read for candidate in shown])
    one_by_one = [find(aspect, shown, vectors, weigh, embed, stands) for aspect in question.compared]
    compared = _side_by_side(question.compared, one_by_one)
    if compared:
        return compared
    findings = [find(aspect, shown, vectors, weigh, embed, stands) for aspect in question.aspects]
    findings = [_continued(finding, findings) for finding in findings]
    chosen: dict[tuple[str, int], Candidate] = {}
    notices: dict[Notice, None] = {}
    for finding in findings:
        if finding.confidence >= ANSWERED:
            units = [*finding.chosen, *_filling(finding, fill)]
            chosen |= {s.candidate.place: s.candidate for s in units if s.candidate.place not in chosen}
            notices |= dict.fromkeys(finding.caveats)
        else:
            notices |= dict.fromkeys(finding.unknown or finding.other_year)
    confidence = max(finding.confidence for finding in findings)
    laid_out = _laid_out(question, findings, shown, weigh)
    if laid_out:
        return replace(laid_out, confidence=max(confidence, ANSWERED))
    if not chosen and not notices:
        notices |= dict.fromkeys(max(findings, key=lambda finding: finding.confidence).nearest_unit)
    if chosen and notices:  # a part is answered: that another is not known is part of the answer, with its citation
        unknown = [f.silent[0].candidate for f in findings if f.confidence < ANSWERED and f.unknown]
        chosen |= {candidate.place: candidate for candidate in unknown}
        notices = {notice: None for notice in notices if notice.kind != "not_published"}
    outdated = {f.outdated.document_id: f.outdated.candidate.hit.document for f in findings if f.outdated}
    sources = {_told_by(s.candidate) for f in findings if f.differs for s in (f.chosen[0], *f.others)}
    differing = any(notice.kind == "conflict" for notice in notices) and len(sources) > 1
    labels = [
        aspect.label for aspect in question.compared if place_names(aspect.label)
    ]  # other words may be read amiss
    told = {label for label in labels for candidate in chosen.values() if _tells_of(label, candidate, titled=False)}
    if told and len(told) < len(set(labels)):  # a part is answered: say of which, and that the rest is not
        missing = (label for label in labels if label not in told)
        notices |= {Notice("unanswered", f"关于“{label}”，没有在资料中找到能回答的内容。"): None for label in missing}
        names = {
            place: next((label for label in told if _tells_of(label, c, titled=False)), "")
            for place, c in chosen.items()
        }
    else:
        names = {place: _told_by(c) if differing else "" for place, c in chosen.items()}
    statements = [
        _labelled(candidate, _named(names[place], _unsaid(candidate, question.glossary)))
        for place, candidate in chosen.items()
    ]
    return Draft(tuple(statements), confidence, tuple(notices), tuple(outdated.values()))


def _side_by_side(aspects: Sequence[Aspect], findings: Sequence[Finding]) -> Draft | None:
    """Return what answers each thing compared, labelled with it; None unless each is answered, by a unit of its own."""
    sure = all(
        finding.confidence >= ANSWERED and _tells_of(aspect.label, finding.chosen[0].candidate)
        for aspect, finding in zip(aspects, findings, strict=True)
    )
    if not findings or not sure or len({finding.chosen[0].candidate.place for finding in findings}) < len(findings):
        return None
    statements = tuple(
        _labelled(scored.candidate, aspect.label)
        for aspect, finding in zip(aspects, findings, strict=True)
        for scored in finding.best_and_differing
    )
    notices = dict.fromkeys(notice for finding in findings for notice in finding.caveats)
    outdated = {f.outdated.document_id: f.outdated.candidate.hit.document for f in findings if f.outdated}
    return Draft(statements, min(f.confidence for f in findings), tuple(notices), tuple(outdated.values()))


def _tells_of(label: str, candidate: Candidate, titled: bool = True) -> bool:
    """Return whether a unit, its headings or, `titled`, its title have what a thing compared is called: each figure, half of the rest."""
    named = re.sub(r"\d{4}年?", "", label)
    text = f"{candidate.own} {candidate.around} {candidate.title if titled else ''}"
    if figures(label) - figures(text):
        return False
    return len(named) < 2 or max(share(named, text), max((share(w, text) for w in words(named)), default=0.0)) >= 0.5


def _laid_out(
    question: Question, findings: Sequence[Finding], shown: Sequence[Candidate], weigh: Callable[[str], float]
) -> Draft | None:
    """Return the outline of the policy that a question asks for as a whole; None if it asks for none, or it has none."""
    if not asks_for_outline(question.text):
        return None
    terms = list({term.word: term for aspect in question.aspects for term in aspect.terms}.values())
    weights = weights_of(terms, weigh)
    policies = [candidate for candidate in shown if candidate.hit.document.metadata.doc_type in NORMATIVE]
    best = max(policies, key=lambda c: coverage_of(terms, c.title, weights), default=None)
    if best is None or coverage_of(terms, best.title, weights) < TITLED:
        sure = [f.chosen[0].candidate for f in findings if f.confidence >= ANSWERED]
        best = next((c for c in sure if c.hit.document.metadata.doc_type in NORMATIVE), None)
    if best is None:
        return None
    document = best.hit.document
    near = [s.candidate for f in findings for s in f.likely if s.document_id == document.id] or [best]
    laid_out = outline(candidates([Hit(passage, document, 0.0) for passage in split(document)]), near[0])
    if not laid_out:
        return None
    missing = "、".join(untold(laid_out, question.text))
    notice = Notice("not_published", f"{document.named}没有写明：{missing}。", document.id)
    return Draft(tuple(_labelled(c, name) for name, c in laid_out), 0.0, (notice,) if missing else ())


def _told_by(candidate: Candidate) -> str:
    """Return the date and the publisher, or first of its publishers, of what tells one of several values."""
    meta = candidate.hit.document.metadata
    return f"{meta.published} {re.split('[（(；;、]', meta.publisher)[0]}".strip() or candidate.hit.document.title


def _unsaid(candidate: Candidate, glossary: Glossary) -> str:
    """Return what a unit's document is of, as its title says, where that is a park or zone and the unit names nothing."""
    place = place_of(candidate.subject, places_of(glossary))
    said = _WHERE.sub("", candidate.own) + candidate.headings
    if not place or share(place, said) > 0.5 or place_names(said):
        return ""
    title = candidate.hit.document.title.split("：")[0]
    named, found, rest = title.partition(place)
    if rest[:1] in ("与", "和", "、"):  # of several things
        return "" if _names_thing(candidate) else title
    return named + found


def _named(told_by: str, subject: str) -> str:
    return f"{subject}（{told_by}）" if subject and told_by else subject or told_by


def _labelled(candidate: Candidate, label: str) -> Statement:
    return replace(_statement(candidate), label=label)


def find(
    aspect: Aspect, shown: Sequence[Candidate], vectors: np.ndarray, weigh: Callable[[str], float], embed: Embed,
    stands: Stands,
) -> Finding:  # fmt: skip
    """Return what answers one aspect; what no longer holds is no answer where what holds now is asked."""
    judged, weights = judge(aspect, shown, vectors, weigh, embed)
    likely = sorted((s for s in judged if s.fits), key=lambda s: -s.probability)
    untimely = next((s for s in likely if not s.timely and s.probability >= ANSWERED), None)
    timely = [s for s in likely if s.timely]
    nearest = bool(aspect.relative and untimely) and not (timely and timely[0].probability >= ANSWERED)
    likely = likely if nearest else timely
    fitting = [s for s in likely if stands(s.candidate)] if aspect.current else likely
    outdated = likely[0] if likely and fitting[:1] != likely[:1] and likely[0].probability >= ANSWERED else None
    silent = sorted(
        (s for s in judged if s.candidate.partly_stated and aspect.concerns(s.candidate.own)),
        key=lambda s: -s.features["coverage"],
    )
    own_weight = sum(weights[term.word] for term in aspect.own_terms)
    if "validity" in aspect.kinds and (not fitting or fitting[0].probability < ANSWERED):
        term = _term_of_titled(aspect, judged, weights)
        if term:
            return Finding(term, silent, own_weight, ANSWERED, untimely, outdated)
    if not fitting:
        return Finding([], silent, own_weight, 0.0, untimely, outdated)
    chosen = _choose(aspect, _standing_first(aspect, fitting, stands), weights)
    confidence = fitting[0].probability
    differing = _differing(aspect, chosen, fitting)
    if differing and aspect.disputed and confidence >= DISPUTED:
        confidence = max(confidence, ANSWERED)
    differs = bool(differing) or aspect.disputed
    given = [*chosen, *differing]
    return Finding(
        given, silent, own_weight, confidence, untimely, outdated, differs, nearest, _part_alone(aspect, given),
        fitting, differing,
    )  # fmt: skip


def _part_alone(aspect: Aspect, given: Sequence[Scored]) -> str:
    """Return the part of a year that all figures given are of where the year's are asked for; "" otherwise."""
    if not aspect.years or aspect.dated or part_asked(aspect) or not aspect.hard_kinds & FIGURES:
        return ""
    parts = [part_told(scored.candidate) for scored in given]
    return "、".join(sorted(frozenset().union(*parts))) if all(parts) and "全年" not in parts[0] else ""


def _filling(finding: Finding, fill: int) -> list[Scored]:
    """Return the units that fill an answer up to `fill`: the next likely ones, each of which says something new."""
    chosen = list(finding.chosen)
    for scored in finding.likely:
        if len(chosen) >= fill:
            break
        if not _said(scored, chosen, SAID):
            chosen.append(scored)
    return chosen[len(finding.chosen) :]


def _said(scored: Scored, chosen: Sequence[Scored], share: float) -> bool:
    """Return whether more than a share of the unit's bigrams stands in what was chosen."""
    told = frozenset[str]().union(*(s.candidate.grams for s in chosen))
    return len(scored.candidate.grams & told) > share * len(scored.candidate.grams)


def _term_of_titled(aspect: Aspect, judged: Sequence[Scored], weights: dict[str, float]) -> list[Scored]:
    """Return what says how long the document holds whose title has most of what is asked; none if less than half."""
    titles: dict[str, tuple[float, Scored]] = {}
    for scored in judged:
        covered = coverage_of(aspect.terms, scored.candidate.title, weights)
        titles.setdefault(scored.document_id, (covered, scored))
    covered, best = max(titles.values(), key=lambda one: one[0], default=(0.0, None))
    return _term(aspect, best) if best and covered >= TITLED else []


def _standing_first(aspect: Aspect, fitting: Sequence[Scored], stands: Stands) -> Sequence[Scored]:
    """Return the units, one that holds on the day asked first where it is nearly as likely as the best, which does not."""
    if aspect.years or "validity" in aspect.kinds or stands(fitting[0].candidate):
        return fitting
    nearly = (
        s for s in fitting
        if s.probability >= NEARLY * fitting[0].probability
        and s.candidate.hit.document.metadata.doc_type in NORMATIVE
        and stands(s.candidate)
    )  # fmt: skip
    first = next(nearly, fitting[0])
    return [first, *(s for s in fitting if s is not first)]


def _continued(finding: Finding, findings: Sequence[Finding]) -> Finding:
    """Return the finding of an aspect that names nothing itself (在哪条路?) as sure as the one whose section answers it."""
    if finding.confidence >= ANSWERED or finding.own_weight >= NAMELESS:
        return finding
    held = [s for s in finding.chosen if s.features["held"]]
    for other in findings:
        beside = [s for s in held if other.confidence >= ANSWERED and _beside(s, other.chosen[0])]
        if beside:
            return replace(finding, chosen=beside, confidence=other.confidence)
    return finding


def _choose(aspect: Aspect, fitting: Sequence[Scored], weights: dict[str, float]) -> list[Scored]:
    """Take the best, then what adds to it: its list, uncovered terms, a kind still open, a rival elsewhere."""
    best = fitting[0]
    if not best.features["listed"]:  # where a list is asked for, one that is close and gives it comes first
        nearly = (s for s in fitting if s.probability >= CLOSE * best.probability and s.features["defines"])
        best = next(nearly, best)
    chosen = [best, *_members(aspect, best, fitting)]
    if best.candidate.unit.kind == "item":
        chosen.sort(key=lambda s: s.candidate.unit.start)  # a list keeps its order
    single, total = 1, sum(weights.values()) or 1.0
    for scored in fitting[:30]:
        if single >= MAX_STATEMENTS:
            break
        if scored in chosen or _said(scored, chosen, REPEATED):
            continue
        ratio = scored.probability / best.probability
        gain = sum(w * max(0.0, scored.own[t] - max(s.tells(t) for s in chosen)) for t, w in weights.items()) / total
        news = any(scored.gives(aspect, kind) for kind in _open(aspect, chosen))
        rival = scored.document_id not in {s.document_id for s in chosen}
        if (
            (ratio >= CLOSE and (gain >= 0.08 or news))
            or (ratio >= DISTANT and (gain >= 0.15 or (news and scored.document_id == best.document_id)))
            or (ratio >= NAMESAKE and rival and _namesake(aspect, scored))
            or (ratio >= RIVAL and (rival or "verdict" in aspect.kinds) and scored.focus >= 0.5)
            or (ratio >= CLOSE and aspect.each and _beside(scored, best) and scored.focus >= 0.5)
        ):
            chosen.append(scored)
            single += 1
    return [*_newest_first(aspect, chosen), *_standing(aspect, chosen)]


def _namesake(aspect: Aspect, scored: Scored) -> bool:
    """Return whether a unit of another document tells of a policy that is called by the same number of articles (16条)."""
    return any(name in scored.candidate.own for name in _ARTICLES.findall(aspect.text))


def _newest_first(aspect: Aspect, chosen: list[Scored]) -> list[Scored]:
    """Put what was published last first, where each tells a figure and no year is asked for."""
    figures = aspect.hard_kinds & FIGURES
    if aspect.years or not all(any(s.gives(aspect, kind) for kind in figures) for s in chosen):
        return chosen
    return sorted(chosen, key=lambda s: s.candidate.hit.document.metadata.published, reverse=True)


def _differing(aspect: Aspect, chosen: Sequence[Scored], fitting: Sequence[Scored]) -> list[Scored]:
    """Return up to MAX_RIVALS further units that give another value for what is asked, each of a value not yet given."""
    sought = aspect.hard_kinds & SINGLE or (SINGLE if aspect.disputed else frozenset())
    least, less = (DISPUTED_DIFFERS, DISPUTED_FOCUS) if aspect.disputed else (DIFFERS, LESS_FOCUS)
    best, found = chosen[0], list(chosen)
    for scored in fitting:
        likely = scored.probability >= least * best.probability and scored.focus >= best.focus - less
        likely = likely and scored.features["coverage"] >= best.features["coverage"] - LESS_COVERED
        if scored in found or not (likely or _same_matter(aspect, scored, best)) or _of_another(aspect, scored, best):
            continue
        given = {value for kind in sought for s in found for value in aspect.values(kind, s.candidate.facts)}
        new = {value for kind in sought for value in aspect.values(kind, scored.candidate.facts)} - given
        if new:
            found.append(scored)
    return found[len(chosen) : len(chosen) + MAX_RIVALS]


def _of_another(aspect: Aspect, scored: Scored, best: Scored) -> bool:
    """Return whether a unit's value is of another thing than is asked: its row's, its heading's town, or another day's."""
    unit, asked = scored.candidate.unit, f"{aspect.context} {aspect.whole}"
    towns = set(_TOWN.findall(scored.candidate.headings)) - set(
        _TOWN.findall(best.candidate.headings + best.candidate.own)
    )
    if any(town not in asked for town in towns):
        return True
    if unit.kind != "row" or not unit.cells:
        return False
    subject = normalise(unit.cells[0][1])
    if re.search(r"20\d\d", subject):
        first = best.candidate.unit.cells[0][1] if best.candidate.unit.cells else ""
        return aspect.dated and subject != normalise(first)  # the question names the day
    name = scored.candidate.names
    return bool(name) and share(name, re.sub(r"\W", "", asked)) < LEAST_OF


def _same_matter(aspect: Aspect, scored: Scored, best: Scored) -> bool:
    """Return whether a unit tells of each thing asked about as much as the best does, by nearly the same words."""
    asked = [term.word for term in aspect.own_terms]
    likely = scored.probability >= ALIKE * best.probability and scored.focus >= SAME * best.focus
    return likely and all(scored.covered[word] >= SAME * best.covered[word] for word in asked)


def _beside(scored: Scored, best: Scored) -> bool:
    a, b = scored.candidate.hit.passage, best.candidate.hit.passage
    return a.document_id == b.document_id and a.headings == b.headings


def _open(aspect: Aspect, chosen: Sequence[Scored]) -> set[Kind]:
    """Return the sorts of answer asked for that nothing chosen gives yet."""
    sought = aspect.hard_kinds | (aspect.kinds & {"list"})
    return {kind for kind in sought if not any(scored.gives(aspect, kind) for scored in chosen)}


def _standing(aspect: Aspect, chosen: Sequence[Scored]) -> list[Scored]:
    """Return what the best document says of its own validity, where that is asked and not said yet."""
    if "validity" not in aspect.kinds or any(aspect.holds("validity", s.candidate.own) for s in chosen):
        return []
    return _term(aspect, chosen[0])


def _term(aspect: Aspect, scored: Scored) -> list[Scored]:
    """Return what the unit's document says of its own validity, as a unit judged like this one."""
    document = scored.candidate.hit.document
    whole = candidates([Hit(passage, document, 0.0) for passage in split(document)])
    return [replace(scored, candidate=c) for c in whole if aspect.holds("validity", c.facts)][:1]


def _members(aspect: Aspect, best: Scored, fitting: Sequence[Scored]) -> list[Scored]:
    """Return the rest of the list or section that `best` belongs to, where the question asks for a list."""
    if "list" not in aspect.kinds or (best.candidate.unit.kind == "item" and best.features["defines"]):
        return []
    unit, document = best.candidate.unit, best.candidate.hit.document
    section = [s for s in fitting if s is not best and _beside(s, best)]
    if _names_it(aspect, best):  # the other rows are of other things
        section = [s for s in section if s.focus >= best.focus / 2]
    if unit.lead:
        section = [s for s in section if s.candidate.unit.lead == unit.lead]
    elif unit.kind == "sentence":
        paragraph = document.text[unit.start :].split("\n", 1)[0]
        headed = best.focus < 0.5 <= best.near  # the heading names it, the section tells it
        section = [
            s for s in section
            if (s.candidate.unit.lead and s.candidate.unit.lead in paragraph)
            or (headed and s.candidate.unit.kind == "sentence" and s.candidate.enumerates)
        ]  # fmt: skip
    else:
        section = [s for s in section if s.candidate.unit.kind == unit.kind]
    return sorted(section, key=lambda s: s.candidate.unit.start)[:MAX_LIST]


def _names_it(aspect: Aspect, scored: Scored) -> bool:
    """Return whether a row is of just what is asked: its first cell stands in the question, or it has nearly all of it."""
    if scored.candidate.unit.kind != "row":
        return False
    subject = re.sub(r"\W", "", normalise(scored.candidate.unit.cells[0][1]))
    return scored.focus >= NAMED or (len(subject) > 2 and subject in re.sub(r"\W", "", aspect.whole))


def _statement(candidate: Candidate) -> Statement:
    """Return the unit as a statement; a row reads as label and value, and brings its units and what its heading says of it."""
    unit, document = candidate.unit, candidate.hit.document
    spans = [(unit.start, unit.end)]
    text = unit.text
    if unit.kind == "row":
        text = row_text(unit)
        spans += [unit.header, candidate.units_line]
        if units_line := document.text[slice(*candidate.units_line)].strip():
            text += f"（{units_line}）"
    if unit.kind != "sentence" and (_TELLING.search(candidate.heading) or _names_thing(candidate)):
        heading = candidate.heading
        start = document.text.rfind(heading, 0, unit.start)
        text = f"{_NUMBERED.sub('', heading)}：{text}"
        spans.append((start, start + len(heading)))
    citations = [cite(candidate.hit, start, end) for start, end in spans if end > start >= 0]
    return Statement(text, (*citations, *cite_twins(candidate)))


def _names_thing(candidate: Candidate) -> bool:
    """Return whether the heading names what a row or item is of that itself only gives an attribute of it (占地, 总投资)."""
    label = candidate.label
    if candidate.unit.kind == "sentence" or not label:
        return False
    heading = re.sub(r"[(（].*|\W", "", _NUMBERED.sub("", candidate.heading))
    attribute = is_attribute(label) and len(heading) >= LEAST_SUBJECT
    return len(label) <= LONGEST_ATTRIBUTE and (attribute or bool(place_names(heading)))


def cite(hit: Hit, start: int, end: int) -> Citation:
    """Return the citation of a span of a hit's document."""
    document, meta = hit.document, hit.document.metadata
    return Citation(
        document.id, document.title, hit.passage.locator, document.text[start:end], start, end,
        meta.published, meta.publisher, meta.source_url, document.page(start, end),
    )  # fmt: skip


def cite_twins(candidate: Candidate) -> list[Citation]:
    """Return the citations of a unit in other documents that say it in the same words, punctuation and width aside."""
    hit, words = candidate.hit, _bare(candidate.unit.text)
    return [
        cite(twin, unit.start, unit.end)
        for twin in hit.twins
        if twin.document.id != hit.document.id
        for unit in units(twin.document.text, twin.passage.start, twin.passage.end, twin.passage.context)
        if _bare(unit.text) == words
    ][:MOST_TWINS]


def _bare(text: str) -> str:
    return re.sub(r"[\W_]", "", normalise(text))
