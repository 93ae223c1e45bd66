"""Hold an edited reply to its footnotes: mark each figure, date, document number and name that none of them holds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assistant.catalog import written
from assistant.reply.schema import MARKER, OPEN, Draft, Paragraph, Reference
from assistant.schema import Statement
from assistant.text import normalise
from assistant.verify import figures, unsupported

FindingKind = Literal["open", "figure", "date", "document_number", "name", "sense", "marker", "from_letter"]
MESSAGES: dict[FindingKind, str] = {
    "open": "待核实的内容还没有填写",
    "figure": "所引资料和来信中都没有这个数字",
    "date": "所引资料和来信中都没有这个日期",
    "document_number": "所引资料和来信中都没有这个文号",
    "name": "所引资料和来信中都没有这个名称",
    "sense": "所引资料不支持这一说法",
    "marker": "没有这个脚注",
    "from_letter": "这个数字只见于来信，资料中没有",
}
SERIOUS = frozenset(("open", "figure", "date", "document_number", "name", "marker"))
_MEASURES = "家个条项元年月日号人名套辆座批次期倍亩天周场章届类种台件户栋页份款所处%余多成"
_FIGURE = re.compile(
    rf"[\u4e00-\u9fff]{{0,8}}?[〔\[（(]\d{{4}}[〕\]）)]\s*\d+\s*号|\d{{4}}[年./-]\d{{1,2}}(?:[月./-]\d{{1,2}}日?|月)?|\d{{1,2}}月\d{{1,2}}日"
    rf"|百分之[〇零一二三四五六七八九十百点两]+|[\d０-９]+(?:[,.，．][\d０-９]+)*\s*[百千]?[万亿]*[{_MEASURES}]?"
    rf"|[〇零一二三四五六七八九十百千两]+[万亿]*[余多]?[{_MEASURES}万亿千百]|[一二三四五六七八九十两][百千万亿]+"
)
_CITING = re.compile("依据|根据|按照?|参照|执行|详?见")  # before a document number
_NAME = re.compile(r"《(?:[^《》]|《[^《》]*》)+》|“[^”]+”|「[^」]+」|『[^』]+』")
_SENTENCE = re.compile(r"[^。！？；\n]+[。！？；\n]?")
# Numerals that count nothing, and the enumerators of a list.
_NO_FIGURE = re.compile(
    r"[一1][次站]?[性式体般定律并些直切方](?![家个])|一网通办|第[一二三四五六七八九十]+|^\s*(?:[一二三四五六七八九十]+、|[（(][一二三四五六七八九十\d]+[）)]|\d+[.．、])\s*"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to mend: `paragraphs[at].text[start:end] == text`; `at` tells the parts of a split paragraph apart."""

    kind: FindingKind
    paragraph: str
    at: int
    start: int
    end: int
    text: str

    @property
    def message(self) -> str:
        """What is wrong, in words for the officer."""
        return MESSAGES[self.kind]

    @property
    def serious(self) -> bool:
        """Whether the letter should not be signed with it."""
        return self.kind in SERIOUS

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain JSON types."""
        return {**asdict(self), "message": self.message, "serious": self.serious}


def check(paragraphs: Sequence[Paragraph], draft: Draft) -> list[Finding]:
    """Return what is to be mended in edited paragraphs, in order; each is held to the footnotes it is bound to.

    A figure must stand in one of these, in what the catalogue says of their documents, or in the letter; a sentence
    that the draft does not have must also say nothing else than they do.
    """
    drafted = {p.id: {sentence.strip() for sentence in _SENTENCE.findall(p.plain)} for p in draft.paragraphs}
    letter = _given(f"{draft.letter.heard}\n{written(draft.letter.date)}\n{written(draft.as_of.isoformat())}")
    found = []
    for at, paragraph in enumerate(paragraphs):
        known = drafted.get(paragraph.id.split("/")[0], set())
        spans = sorted(_in_paragraph(paragraph, draft, known, letter), key=lambda span: span[1:3])
        for kind, start, end in spans:
            found.append(Finding(kind, paragraph.id, at, start, end, paragraph.text[start:end]))
    return found


Given = tuple[frozenset[str], str]  # the figures of a text, and the text folded
Span = tuple[FindingKind, int, int]


def _given(text: str) -> Given:
    return figures(text), folded(text)


def folded(text: str) -> str:
    """Return a text normalised, and as it is written, without quotation marks and white space, for comparing names."""
    return "\n".join(re.sub(r"[\s\"'‘’“”「」『』《》〈〉〔〕【】\[\]]", "", one) for one in (normalise(text), text))


def told(name: str, text: str) -> bool:
    """Return whether a folded text has a name, normalised or as it is written; of a shortened one, each part."""
    return any(all(part in text for part in re.split(r"…+|\.{3,}", one)) for one in folded(name).split("\n"))


def bound(paragraph: Paragraph, draft: Draft) -> list[Reference]:
    """Return the references a paragraph is held to: those it was drafted with, and those it marks."""
    marked = (int(number) for number in MARKER.findall(paragraph.text))
    numbers = dict.fromkeys([*paragraph.references, *marked])
    return [draft.reference[number] for number in numbers if number in draft.reference]


def _in_paragraph(paragraph: Paragraph, draft: Draft, drafted: set[str], letter: Given) -> Iterator[Span]:
    text = paragraph.text
    for match in OPEN.finditer(text):
        yield "open", *match.span()
    for match in MARKER.finditer(text):
        if int(match[1]) not in draft.reference:
            yield "marker", *match.span()
    references = bound(paragraph, draft)
    known = _given("\n".join(reference.known for reference in references))
    masked = _blanked(OPEN, _blanked(MARKER, text))  # of the same length
    for match in _SENTENCE.finditer(masked):
        changed = MARKER.sub("", text[slice(*match.span())]).strip() not in drafted
        spans = list(_in_sentence(match.group(), known, letter, changed))
        yield from ((kind, match.start() + a, match.start() + b) for kind, a, b in spans)
        if changed and references and not any(kind in SERIOUS for kind, _, _ in spans):
            yield from _sense(match, references, letter)


def _blanked(pattern: re.Pattern[str], text: str) -> str:
    return pattern.sub(lambda match: " " * len(match.group()), text)


def _in_sentence(sentence: str, known: Given, letter: Given, changed: bool) -> Iterator[Span]:
    """Yield the figures and names of a sentence that are not known; those of the letter alone where it was changed."""
    for match in _NAME.finditer(sentence):
        if not (told(match.group(), known[1]) or told(match.group(), letter[1])):
            yield "name", *match.span()
    counting = _blanked(_NO_FIGURE, sentence)
    said = figures(counting)
    wrong, own = said - known[0] - letter[0], said - known[0]
    for match in _FIGURE.finditer(counting):
        here, lead = figures(match.group()), _CITING.match(match.group())
        start = match.start() + (lead.end() if lead else 0)
        if here & wrong:
            yield _kind(match.group()), start, match.end()
        elif changed and here & own:
            yield "from_letter", start, match.end()
        said -= here
    if said & wrong:  # a figure whose words were not found: the sentence is marked
        yield "figure", len(sentence) - len(sentence.lstrip()), len(sentence.rstrip())


def _kind(written_as: str) -> FindingKind:
    if re.search(r"号$", written_as) and re.search(r"[〔\[（(]", written_as):
        return "document_number"
    return "date" if re.search(r"\d{4}[年./-]\d|月\d|\d{4}年|日$", written_as) else "figure"


def _sense(match: re.Match[str], references: Sequence[Reference], letter: Given) -> Iterator[Span]:
    """Yield what a sentence written anew says otherwise than its footnotes: its words where they stand in it, else all of it."""
    sentence = match.group()
    lead = len(sentence) - len(sentence.lstrip())
    said = _NO_FIGURE.sub("", sentence).strip()
    if not said:
        return
    found = unsupported(Statement(said, tuple(span for reference in references for span in reference.spans)))
    known = "".join(folded(reference.known) for reference in references)
    wrong = {word for word in found if not told(word, letter[1]) and not told(word, known)}
    placed = [(sentence.find(word), word) for word in sorted(wrong)]
    if any(at < 0 for at, _ in placed):
        yield "sense", match.start() + lead, match.start() + len(sentence.rstrip())
        return
    yield from (("sense", match.start() + at, match.start() + at + len(word)) for at, word in placed)
