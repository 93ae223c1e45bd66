"""What a unit must hold whatever else speaks for it: the years, places, names and the sort of answer that are asked for."""

import re
from collections.abc import Iterable
from functools import lru_cache

from assistant.attribute import asked_for, event_of, is_attribute, speaks_of
from assistant.candidate import Candidate
from assistant.kind import FIGURES, measures_of
from assistant.lexical import names, share
from assistant.question import Aspect, told_in, years
from assistant.schema import NORMATIVE
from assistant.text import normalise

LEAST_NAME = 0.4  # share of a proper name's bigrams
_EACH = re.compile(r"各|每|分别")
_TARGET = re.compile(r"目标|计划|预计|预期|力争|规划|(?<![虚模])拟|争取|到20\d\d年")
_ACTUAL = re.compile(
    r"实际|目前(?!有效|执行|生效|适用|按|的?政策)|现在(?!还)|现有|去年|上年|已经|完成(?:了|情况|多少)|[达做干办]到了|实绩|完成多少|[建达办]成了|达成|有没有到"
    r"|[过破].{0,5}了[没吗]|最后[做达完建]"
)
_AIMED = re.compile(r"(?:目标|计划|规划|预计)(?:是|定|提|要|为|多少)")
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
_THINGS = re.compile(r"哪[些几][个家]?[^,;?的]{0,6}(?:园区?|企业|公司|项目|基地|机构|医院|高校)")
_WHICH_ONE = re.compile(r"哪[1一]?[个家座条项所]|谁|什么(?!时)")
_MONTHS = re.compile(r"(?<!\d)1月?[-至到](\d{1,2})月")


def fits(aspect: Aspect, candidate: Candidate) -> bool:
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
        and _may_be_member(aspect, candidate)
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
    return any(term.share_in(text) > LEAST_NAME for term in aspect.beneficiaries)  # 工作 is no 工作站


def _may_be_member(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for a row or item of one thing's attributes or periods (占地, 2023全年) where things are to be listed."""
    return not _THINGS.search(aspect.text) or bool(aspect.hard_kinds) or not is_attribute(candidate.label)


def _term_told(aspect: Aspect, candidate: Candidate) -> bool:
    """Return False for the last day to apply or to comment where it is asked how long a document is valid."""
    told = f"{candidate.own} {candidate.around}"
    return "有效期" not in aspect.text or not _DEADLINE.search(told) or bool(_IN_FORCE.search(told))


def in_time(aspect: Aspect, candidate: Candidate) -> bool:
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
    if any(code not in text for code in aspect.codes):
        return False
    for asked, spoken in zip(_ordinals(aspect.whole), _ordinals(candidate.own), strict=True):
        if asked and spoken and not asked & spoken:
            return False
    if any(not any(spelling in text for spelling in term.spellings) for term in aspect.places):
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
    known = [spelling for term in aspect.places for spelling in term.spellings]
    asked = known or aspect.names
    if figures and not asked and _DISTRICT.search(aspect.whole):
        told = f"{candidate.headings} {candidate.own}"
        return not place_of(candidate.subject, aspect.known_places) or bool(_DISTRICT.search(told))
    told = candidate.headings + candidate.own
    unsaid = figures and asked and not any(share(place, told) >= (1.0 if known else LEAST_NAME) for place in asked)
    if unsaid and (
        any(place in candidate.headings for place in aspect.known_places)
        or any(share(name, f"{aspect.context} {aspect.whole}") < LEAST_NAME for name in _named_in(candidate.headings))
    ):
        return False  # of the park, or of what else, its heading names
    around = f"{candidate.around} {candidate.title}"
    within = [term.spellings for term in aspect.places if not any(s in around for s in term.spellings)]
    if not figures or not within:
        return True
    parts = [candidate.facts] if candidate.unit.kind == "row" else candidate.facts.split(";")  # a row is of one thing
    clauses = [part for part in parts if any(aspect.holds(kind, part) for kind in figures)]
    return any(all(any(s in part for s in spellings) for spellings in within) for part in clauses)


@lru_cache(maxsize=2000)
def _named_in(headings: str) -> tuple[str, ...]:
    return tuple(names(headings))


def place_of(title: str, known: Iterable[str]) -> str:
    """Return the park or zone, of these known ones, that a normalised title begins with; "" if there is none."""
    bare = title[2:] if title.startswith(("上海", "嘉定")) else title
    return max((place for place in known if title.startswith(place) or bare.startswith(place)), key=len, default="")


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
