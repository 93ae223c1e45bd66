"""The units that may answer, sentence, list item or table row, each seen with the words around it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from assistant.guard import orders
from assistant.lexical import gram_set
from assistant.schema import Hit
from assistant.split import Unit, units
from assistant.text import normalise

UNTITLED = 200  # characters of a text without a title that stand for it
LEAST_SUBJECT = 6  # characters of a row's first cell that names a thing (易谷智能通信研发总部) rather than what is told of it (占地)
LONGEST_LABEL = 30  # characters within which an item's label ends with a colon
_NOT_STATED = re.compile(
    r"没有(?:查到|公布|给出|读到|说|写|出现|取得|逐一|逐项|附件)|未(?:查到|见|公布|给出|读到|取得|收录|写明)|均未见|不能推断|没写|未在报道"
    r"|只有前半部分|被?截断"
)
_PARTS = re.compile("[、；;]")
_ASIDE = re.compile(r"[(（][^()（）]*[)）]")
_POINTS_ELSEWHERE = re.compile(r"[详另]?见《[^》]*》(?:[(（][^()（）]*[)）])?[。.]?$|[^，,；;]*与嘉定无关")
_SOURCE = re.compile(r"(?:资料|数据|访谈|全市目标|参考)?来源|https?://|.{0,12}(?:链接|报道)[:：]\s*http")
_GENERIC_LABELS = {"数值", "内容", "说明", "备注", "项目", "说法", "情况"}
UNITS_ABOVE = 80  # characters above a table in which its units may be named
_UNITS_LINE = re.compile(r"单位[:：]\s*([^;；。.\n)）]{1,30})")
_UNIT = re.compile(r"[(\[]([百千万亿]?(?:元|美元|平方米|平方公里|亩|公顷|家|个|人|名|项|套|件|%|年|月|天))[)\]]")
_RATE = re.compile(r"同比|增[长速幅]|占比|比[例重]|率")
_BARE = re.compile(r"-?\d[\d,]*(?:\.\d+)?")


@dataclass(frozen=True)
class Candidate:
    """A unit that may answer, seen with the words around it."""

    unit: Unit
    hit: Hit

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
    def label(self) -> str:
        """What a row or a labelled item begins with, its first cell or what stands before its colon, normalised; else ""."""
        if self.unit.kind == "row":
            return normalise(self.unit.cells[0][1]) if self.unit.cells else ""
        before, colon, _ = self.own[:LONGEST_LABEL].partition(":")
        return before if colon else ""

    @cached_property
    def names(self) -> str:
        """The thing that it is of, where its label names one, bare."""
        subject = re.sub(r"\W", "", self.label)
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
    return [Candidate(_untitled(unit, hit.document.title), hit) for hit in hits for unit in _material(hit)]


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


def row_text(unit: Unit) -> str:
    """Return a table row as a sentence: its first cell, then label and value."""
    subject, *rest = [(label, cell) for label, cell in unit.cells if cell not in ("", "—", "-")] or [("", unit.text)]
    values = [cell if label in _GENERIC_LABELS else f"{label} {cell}" for label, cell in rest]
    return subject[1] + ("：" + "；".join(values) if values else "")
