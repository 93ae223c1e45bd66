"""Read a letter: who wrote it, when, and what it asks, each question with what it needs to be asked alone."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from assistant.asked import Found, find
from assistant.asking import HAN, AskKind, asks, courtesies_left_out
from assistant.catalog import parse_date
from assistant.errors import CorpusError
from assistant.formats import ADVICE, READERS, convert, read_text
from assistant.guard import orders
from assistant.lexical import gram_set
from assistant.text import normalise
from assistant.topic import anchored, topic_of

PLAIN = (".txt", ".md")
LONGEST = 50_000  # characters of a letter
MAX_FACTS = 4  # given with a question
LEAST_SHARED = 3  # bigrams of a question in a fact that bears on it

_ORG = re.compile(
    r"(?<![\w（）()])[\u4e00-\u9fffA-Za-z0-9（）()·&. ]{2,30}?(?:公司|集团|厂|研究院|研究所|工作室|合作社|商会|协会|事务所|中心|医院|学校|GmbH|Ltd\.?|Inc\.?)(?!的)"
)
_PERSON = re.compile(rf"[{HAN}]{{2,4}}(?:先生|女士|小姐|同志)?|[A-Z][a-z]+(?: [A-Z][a-z]+){{1,2}}")
_NOBODY = re.compile(
    "[一1][名位个]|全体|普通|热心|市民|群众|居民|网友|敬上|某|敬礼|此致|谢谢|感谢|盼复|您好|商祺|业主|员工$|期待|你好|匿名|领导|祝好|regards|sincerely|faithfully|yours"
)
_SELF = re.compile(r"我[司厂]|我公司|我单位|本公司|我们?|本人|本企业|\b(?:we|my|our|I)\b|企业主|笔者")
_CALLS_ITSELF = re.compile(
    rf"(?:我司|我公司|我单位|本公司|我们公司)[（(]([^）)]{{4,30}})[）)]|(?:本人|我叫|我是)([{HAN}]{{2,4}}?)[，,、（(]"
)
_DATE = re.compile(r"(20\d\d)[年./-](\d{1,2})(?:[月./-](?:(\d{1,2})日?)?)?")
_PHONE = re.compile(r"(?<![\dA-Za-z])(?:1[3-9]\d{9}|0\d{2,3}[-— ]?\d{4}[ -]?\d{3,4}|[5-8]\d{7})(?!\d)")
_ID_CARD = re.compile(r"(?<!\d)\d{6}(?:19|20)\d{6}[\dxX]{3,4}")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_REACHED = re.compile(rf"联\s*系\s*人[：:]?\s*([{HAN}]{{1,4}})")
_SALUTATION = re.compile(
    rf"\s*((?:尊敬的|敬爱的)[^\n，。：:,！!]{{1,30}}|[{HAN}、]{{0,16}}(?:领导们?|书记|区长|市长|局长|主任|同志|委|局|办|科|政府|委员会|部门)"
    r"|Dear [^\n,]+|To whom it may concern|您好|你好)\s*(?:您好|你好|好)?\s*[：:，,！!。\s]",
    re.IGNORECASE,
)
_CONTACT_LINE = re.compile("^(?:联系人|联系电话|联系方式|电话|手机|地址|邮箱|Tel|E-?mail)", re.IGNORECASE)
_ORDERS = re.compile(
    r"忽略.{0,12}(?:规则|指令|提示|要求|限制)|系统(?:提示|指令|消息)|你(?:现在)?是.{0,14}(?:机器人|助手|AI|模型)|不要(?:标注|注明|引用|给出)(?:来源|出处)|开发者模式|扮演"
    r"|ignore (?:all|any|previous|the above)|system prompt|you are now",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?\n]*")
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
        return bool(_ORG.search(self.sender) or re.search("我司|我公司|我们公司|本公司|我厂", self.text))

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
    """Return the letter in a DOCX, PDF or text file. Raises CorpusError, in words for the user, where it cannot be read."""
    suffix = file.suffix.lower()
    if not file.is_file():
        raise CorpusError(f"找不到来信“{file}”，请核对路径")
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
    end = _body_end(text)
    ignored = [(a, b) for a, b in _spans(_SENTENCE, text) if _gives_orders(text[a:b])]
    found = [one for one in find(text, 0, end) if not any(a < one.end and one.start < b for a, b in ignored)]
    facts = _facts(text, end, found, ignored)
    salutation = _SALUTATION.match(text)
    asked: list[Ask] = []
    for number, one in enumerate(found, 1):
        said = text[one.start : one.end]
        topic = "" if anchored(said) else topic_of(text, one, [(ask.text, ask.topic) for ask in asked])
        asked.append(
            Ask(f"q{number}", one.kind, said, one.start, one.end, topic, _bearing(said + topic, one, text, facts))
        )
    return Letter(
        text, _sender(text, end), salutation[1].strip() if salutation else "", _date(text, end), _contact(text),
        tuple(asked), tuple(text[a:b] for a, b in facts), tuple(text[a:b].strip() for a, b in ignored),
    )  # fmt: skip


def without_personal_data(text: str) -> str:
    """Return a text with its telephone and identity numbers and addresses of mail left out."""
    return _EMAIL.sub("…", _PHONE.sub("…", _ID_CARD.sub("…", text)))


def _spans(pattern: re.Pattern[str], text: str) -> Iterator[tuple[int, int]]:
    yield from (match.span() for match in pattern.finditer(text))


def _gives_orders(sentence: str) -> bool:
    return bool(_ORDERS.search(sentence)) or bool(
        re.search("你|AI|机器人|模型|you", sentence) and not asks(sentence) and orders(sentence)
    )


def _body_end(text: str) -> int:
    """Return where the signature begins: after the last line that says something."""
    end = len(text)
    lines = list(re.finditer(r"[^\n]+", text))
    for line in reversed(lines[1:]):
        said = line.group().strip()
        signs = len(said) <= 32 and not re.search("[，。？！；?;,]|吗|呢", said) and not asks(said)
        listed = re.match(r"[（(]?[\d一二三四五六七八九十①-⑳]{1,2}[）)、.． ]", said)
        if said and not (
            _CONTACT_LINE.match(said) or not courtesies_left_out(said) or (signs and (not listed or _DATE.match(said)))
        ):
            return line.end()
        end = line.start()
    return lines[0].end() if lines else end


def _sender(text: str, end: int) -> str:
    lines = [*text[end:].split("\n"), *re.split(r"[ \u3000]+", text[max(0, end - 60) : end].split("\n")[-1])[1:]]
    tail = [_PHONE.sub("", line).strip(" \u3000，。,.：:") for line in lines]
    named = [line for line in tail if line and (not _NOBODY.search(line.lower()) or _ORG.match(line))]
    for line in named:
        organisation = _ORG.match(line)
        if organisation and "某" not in line:
            return organisation.group()
    within = _CALLS_ITSELF.search(text)
    if within and within[1]:
        return within[1]
    people = [line for line in named if _PERSON.fullmatch(line) and not asks(line)]
    reached = _REACHED.search(text)
    own = within[2] if within and not re.search("[一家做]", within[2]) else ""
    return (people[0] if people else "") or own or (reached[1] if reached else "")


def _date(text: str, end: int) -> str:
    """Return the day the letter is signed on."""
    for part in (text[end:], text[max(0, end - 30) : end]):
        found = list(_DATE.finditer(normalise(part)))
        if found:
            return parse_date("-".join(group for group in found[-1].groups() if group))
    return ""


def _contact(text: str) -> str:
    reached = _REACHED.search(text)
    numbers = [match.group() for match in _PHONE.finditer(text)] + [match.group() for match in _EMAIL.finditer(text)]
    return " ".join(dict.fromkeys([*([reached[1]] if reached else []), *numbers]))


def _facts(text: str, end: int, found: Sequence[Found], ignored: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans that tell of the sender and what it has done: sentences without what they ask."""
    facts = []
    for a, b in ((m.start(), m.end()) for m in re.finditer(r"[^。！？；!?;\n]+", text[:end])):
        cut = min((one.start for one in found if a <= one.start < b), default=b)
        said = text[a:cut].strip(" \u3000，,：:、")
        told = _SELF.search(said) and len(said) > 8 and len(courtesies_left_out(said)) > 6
        if told and _TELLING.search(said) and not any(x < cut and a < y for x, y in ignored) and not _ID_CARD.search(said):
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
