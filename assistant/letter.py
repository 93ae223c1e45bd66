"""Read a letter: who wrote it, when, and what it asks, each question with what it needs to be asked alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from assistant.asked import Found, find
from assistant.asking import HAN, AskKind, asks, courtesies_left_out, english_kind
from assistant.errors import CorpusError, SettingsError
from assistant.formats import ADVICE, READERS, convert, read_text
from assistant.guard import orders
from assistant.lexical import gram_set
from assistant.privacy import mask
from assistant.sender import body_end, contact, date_of, organisation, sender
from assistant.text import normalise
from assistant.topic import QUESTIONS, anchored, topic_of

PLAIN = (".txt", ".md")
LONGEST = 20_000  # characters of a letter
MAX_FACTS = 4  # given with a question
LEAST_SHARED = 3  # bigrams of a question in a fact that bears on it

_OURS = re.compile("我司|我公司|我们公司|本公司|我厂")
_SELF = re.compile(r"我[司厂]|我公司|我单位|本公司|我们?|本人|本企业|\b(?:we|my|our|I)\b|企业主|笔者")
_SALUTATION = re.compile(
    rf"\s*((?:尊敬的|敬爱的)[^\n，。：:,！!]{{1,30}}|[{HAN}、]{{0,16}}(?:领导们?|书记|区长|市长|局长|主任|同志|委|局|办|科|政府|委员会|部门)"
    r"|Dear [^\n,]+|To whom it may concern|您好|你好)\s*(?:您好|你好|好)?\s*[：:，,！!。\s]",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"忽略.{0,12}(?:规则|指令|提示|要求|限制)|系统(?:提示|指令|消息)|你(?:现在)?是.{0,14}(?:机器人|助手|AI|模型)|不要(?:标注|注明|引用|给出)(?:来源|出处)|开发者模式|扮演"
    r"|ignore (?:all|any|previous|the above)|system prompt|you are now",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?:[^。！？!?.\n]|\.(?!\s))+[。！？!?.\n]*")
_ID = "［证件号码］"  # what masking puts for the number of an identity card
_TELLING = re.compile(r"\d|《|注册|成立|落户|从事|位于|主营|办了|启动|享受过|[一二三四五六七八九十百]家")


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing asked: `letter.text[start:end] == text`; `topic` names what it is about where it does not say so itself.

    `facts` are what the letter tells that an answer may depend on, word for word.
    """

    id: str
    kind: AskKind
    text: str
    start: int
    end: int
    topic: str = ""
    facts: tuple[str, ...] = ()

    @property
    def alone(self) -> str:
        """The question as it is asked without the letter."""
        return f"{self.topic}，{self.text}" if self.topic else self.text


@dataclass(frozen=True)
class Letter:
    """A letter as it was read; "" where it does not say. `date` is a partial ISO date, `ignored` orders to a program."""

    text: str
    sender: str
    salutation: str
    date: str
    contact: str
    questions: tuple[Ask, ...]
    facts: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    @property
    def organisation(self) -> bool:
        """Whether an organisation writes, as far as it shows."""
        return organisation(self.sender) or (not self.sender and bool(_OURS.search(self.text)))

    @cached_property
    def heard(self) -> str:
        """The text without the orders to a program."""
        text = self.text
        for order in self.ignored:
            text = text.replace(order, " ")
        return text

    def to_dict(self) -> dict[str, Any]:
        """Return the letter as plain JSON types."""
        return asdict(self)


def read_file(file: Path) -> Letter:
    """Return the letter in a DOCX, PDF or text file. Raises SettingsError if there is none, CorpusError if it cannot be read."""
    suffix = file.suffix.lower()
    if not file.is_file():
        raise SettingsError(f"找不到来信“{file}”，请核对路径")
    if suffix in READERS:
        return read_letter(re.sub(r"^#+ +|\ufdd0", "", convert(file).text, flags=re.MULTILINE))
    if suffix not in PLAIN:
        raise CorpusError(f"读不了来信“{file.name}”：{ADVICE.get(suffix, '请存为 .docx、.pdf 或 .txt')}")
    return read_letter(read_text(file))


def read_letter(text: str) -> Letter:
    """Return what a letter asks and who wrote it. Raises CorpusError for an empty or overlong one."""
    text = text.replace("\r\n", "\n").encode("utf-8", "replace").decode()
    if not text.strip():
        raise CorpusError("来信是空的，请给出来信的正文")
    if len(text) > LONGEST:
        raise CorpusError(f"来信超过 {LONGEST // 10_000} 万字，请只留正文")
    end = body_end(text)
    ignored = [(a, b) for a, b in _spans(_SENTENCE, text) if _gives_orders(text[a:b])]
    found = [one for one in find(text, 0, end) if not any(a < one.end and one.start < b for a, b in ignored)]
    facts = _facts(text, end, found, ignored)
    salutation = _SALUTATION.match(text)
    asked: list[Ask] = []
    for number, one in enumerate(found, 1):
        said = text[one.start : one.end]
        topic = "" if anchored(said) else topic_of(text, one, [(ask.text, ask.topic) for ask in asked[-QUESTIONS:]])
        asked.append(
            Ask(f"q{number}", one.kind, said, one.start, one.end, topic, _bearing(said + topic, one, text, facts))
        )
    return Letter(
        text, sender(text, end), salutation[1].strip() if salutation else "", date_of(text, end), contact(text),
        tuple(asked), tuple(text[a:b] for a, b in facts), tuple(text[a:b].strip() for a, b in ignored),
    )  # fmt: skip


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in pattern.finditer(text))


def _gives_orders(sentence: str) -> bool:
    return bool(_ORDERS.search(sentence)) or bool(
        re.search("你|AI|机器人|模型|you", sentence)
        and not asks(sentence)
        and not english_kind(sentence)
        and orders(sentence)
    )


def _facts(text: str, end: int, found: Sequence[Found], ignored: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans that tell of the sender and what it has done: sentences without what they ask."""
    facts = []
    for a, b in ((m.start(), m.end()) for m in re.finditer(r"[^。！？；!?;\n]+", text[:end])):
        cut = min((one.start for one in found if a <= one.start < b), default=b)
        said = text[a:cut].strip(" \u3000，,：:、")
        told = _SELF.search(said) and len(said) > 8 and len(courtesies_left_out(said)) > 6
        if told and _TELLING.search(said) and not any(x < cut and a < y for x, y in ignored) and _ID not in mask(said):
            start = text.index(said, a)
            facts.append((start, start + len(said)))
    return facts


def _bearing(said: str, one: Found, text: str, facts: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    """Return the facts that a question depends on: who asks, what stands in its sentence, what tells of the same."""
    grams = gram_set(normalise(said))
    near = [
        (a, b) for i, (a, b) in enumerate(facts)
        if i == 0 or one.sentence[0] <= a < one.sentence[1] or len(grams & gram_set(normalise(text[a:b]))) >= LEAST_SHARED
    ]  # fmt: skip
    return tuple(text[a:b] for a, b in near[:MAX_FACTS])
