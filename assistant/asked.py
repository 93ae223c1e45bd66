"""Find what a letter asks: its questions and its requests, each with its span."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.asking import (
    ASKING,
    HAN,
    LEAD,
    LEAST_SAID,
    AskKind,
    courtesies_left_out,
    english_kind,
    kind,
    lists_asked,
    rhetorical,
)

_DIGIT = "一二三四五六七八九十"
_SENTENCE_END = re.compile(
    r"[。！？；]|[!?;]+|\n|\u3000\u3000+|(?<![\d.])\.(?=\s|$)|(?=[①-⑳])|(?<=[：:，,。\s])(?=[（(]?\d{1,2}[）)、.．](?!\d))"
)
_BREAK = re.compile(rf"[，,：:]|(?<=[{HAN}\d）)”])[ \u3000]+(?=[{HAN}\d（(“])")
ITEM = re.compile(  # 1、 （一） ① 问题一： 一是 第二，
    rf"\s*(?:[（(]\s*(?:[{_DIGIT}]{{1,3}}|\d{{1,2}})\s*[）)]|(?:[{_DIGIT}]{{1,3}}\s*[、.．）)]|\d{{1,2}}\s*[、.．）)](?!\d))|[①-⑳]"
    rf"|\d{{1,2}}[ \u3000]+(?=[{HAN}])|问题[{_DIGIT}\d]{{1,2}}\s*[：:、，,]?|第[{_DIGIT}\d]{{1,2}}\s*[：:、，,]|其?[{_DIGIT}]是|[-—•·]\s*)\s*"
)
_AND_ALSO = re.compile(r"(?:还有|以及|另外是|和|及)[^了，。]{3,16}$")  # a thing named after a question: 还有招生范围
_QUOTED = re.compile("“[^”]*”")
_OPENS = re.compile(  # that something is to be asked, what it is being named without a question
    r"(?:想|要|欲|拟|特|现|请|来信|希望|需要?)(?:请教|咨询|了解|知道|问|打听|询问)(?:一下|下)?(?P<what>.+)|^(?:请问|咨询[：:]?)(?P<rest>.+)"
)
_QUESTIONS_FOLLOW = re.compile("咨询|请教|请问|想问|了解|想知道|疑问|询问|(?:以下|如下|下列|几个|的)问题")
_REQUESTS_FOLLOW = re.compile("建议|请求|诉求|希望")
_GENERIC = re.compile(
    r"以下|如下|下列|上述|有关|相关|具体|一些|事宜|事情|问题|情况|事项|疑问|几[点个项条]|贵[区委局单位司]*|政府|惠企|政策|[的下就在向对一些点个]"
)
_PURPOSE = re.compile("^(?:为|因为?|由于)")
_TITLE = re.compile("^[^，。！？]*的(?:报告|请求|建议|咨询|函|信|反映|申请|诉求)$")
_SPOKEN_TO = re.compile("(?:[跟向对问].{1,8}|司机|人员|他们?|她|对方)(?:说|问|道)$")
_TURNS = re.compile("^(?:但|可是|然而|却|结果|至今)")
_NAMELESS = re.compile(
    rf"{ASKING.pattern}|知道|清楚|真[的假]|这[个样]|那[个样]|到底|究竟|现在|目前|具体|大概|一般|一共|是|的|了|能|还|要|会|该|其|它|呢|啊|呀|\W"
)
_CONDITION = re.compile(
    r"^(?:如果|若|如(?!何|下|上)|假如|假设|要是|倘若|万一)|(?:的话|情况下|期间|之后|以后|[^最前]后|之前|时)$"
)
_POINTS_BACK = re.compile(r"^\s*(?:这[个些项种样]?|那[个些项]?|该|此|其中?|它们?|上述)(?!里|边|次|几)")
LEAST_NAMED = 3  # characters that name something, below which a question takes in the clause before it
LONGESTITEM = 30  # characters of a list's item that asks without saying so


@dataclass(frozen=True, slots=True)
class Found:
    """Something asked: `text[start:end]` of the letter; `sentence` is where the sentence it stands in begins and ends."""

    kind: AskKind
    start: int
    end: int
    sentence: tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence or list item, and its clauses as spans without their enumerator."""

    start: int
    end: int
    clauses: tuple[tuple[int, int], ...]
    item: bool
    asked: bool  # whether it ends in a question mark


def find(text: str, start: int, end: int) -> list[Found]:
    """Return what is asked in a span of a letter, in order; greetings, thanks and complaints ask nothing."""
    found: list[Found] = []
    intro: AskKind | None = None
    sentences = list(_sentences(text, start, end))
    for i, sentence in enumerate(sentences):
        said = text[sentence.start : sentence.end]
        if not re.search(f"[{HAN}]", said):
            asked = english_kind(said)
            found += [_whole(asked, sentence)] if asked else []
            continue
        followed = i + 1 < len(sentences) and sentences[i + 1].item
        found += _in_sentence(text, sentence, intro if sentence.item else None, followed)
        if not sentence.item:
            intro = _introduced(said)
    return found


def _introduced(said: str) -> AskKind | None:
    """Return what the items of a list are that a sentence opens."""
    if _QUESTIONS_FOLLOW.search(said):
        return "question"
    return "request" if _REQUESTS_FOLLOW.search(said) else None


def _whole(asked: AskKind, sentence: _Sentence) -> Found:
    return Found(asked, sentence.clauses[0][0], sentence.clauses[-1][1], (sentence.start, sentence.end))


def _sentences(text: str, start: int, end: int) -> Iterator[_Sentence]:
    at = start
    for stop in [*(match.end() for match in _SENTENCE_END.finditer(text, start, end)), end]:
        mark = ITEM.match(text, at, stop)
        clauses = tuple(_clauses(text, mark.end() if mark else at, stop))
        if clauses:
            asked = text[at:stop].rstrip("！!\n \u3000").endswith(("？", "?"))
            yield _Sentence(at, stop, clauses, bool(mark), asked)
        at = stop


def _clauses(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the clauses of a sentence; 、 parts them where something is asked before and after it."""
    at = start
    for stop, after in [*(match.span() for match in _BREAK.finditer(text, start, end)), (end, end)]:
        marks = [match.end() for match in re.compile("、").finditer(text, at, stop)]
        parts = list(zip([at, *marks], [*marks, stop], strict=True))
        for a, b in parts if lists_asked([text[a:b] for a, b in parts]) else [(at, stop)]:
            said = text[a:b].rstrip("。！？；!?;\n、 \u3000.")
            if said.strip():
                yield a + len(said) - len(said.lstrip()), a + len(said)
        at = after


def _in_sentence(text: str, sentence: _Sentence, listed: AskKind | None, followed: bool) -> list[Found]:
    """Return what a sentence asks; `listed` is what an item of a list is that does not say so itself."""
    clauses, said = sentence.clauses, text[sentence.start : sentence.end]
    if _TITLE.match(said.strip()):
        return []
    kinds = _kinds(text, sentence)
    if sentence.asked and not any(kinds) and not rhetorical(said):
        kinds[-1] = "question"
    found: list[Found] = []
    for i, one in enumerate(kinds):
        start, end = clauses[i][0], clauses[i][1]
        if one == "question":
            start = _begin(text, clauses, kinds, i)
        elif one == "request":
            end = clauses[_last(text, clauses, kinds, i)][1]
        if one:
            found.append(Found(one, start, end, (sentence.start, sentence.end)))
    if found:
        return found
    if listed and clauses[-1][1] - clauses[0][0] <= LONGESTITEM and "了" not in said:
        return [_whole(listed, sentence)]
    return [] if followed else _named(text, sentence)


def _kinds(text: str, sentence: _Sentence) -> list[AskKind | None]:
    """Return what each clause is; what somebody is reported to have said is nothing that the letter asks."""
    told = [match.span() for match in _QUOTED.finditer(text, sentence.start, sentence.end)]
    kinds: list[AskKind | None] = []
    for i, (a, b) in enumerate(sentence.clauses):
        reported = any(start < b - 1 and a < end - 1 and start <= a and b <= end for start, end in told)
        reported = reported or bool(i and _SPOKEN_TO.search(text[slice(*sentence.clauses[i - 1])]))
        said = None if reported else kind(text[a:b], text[b : sentence.end], first=i == 0)
        more = kinds[-1:] == ["question"] and _AND_ALSO.match(text[a:b])
        kinds.append(said or ("question" if more else None))
    return kinds


def _last(text: str, clauses: Sequence[tuple[int, int]], kinds: Sequence[AskKind | None], first: int) -> int:
    """Return the last clause of a request: before what is asked next or turns against it, and no mere courtesy."""
    last = first
    while last + 1 < len(clauses) and not kinds[last + 1] and not _TURNS.match(text[slice(*clauses[last + 1])]):
        last += 1
    while last > first and len(courtesies_left_out(text[slice(*clauses[last])])) < LEAST_SAID:
        last -= 1
    return last


def _begin(text: str, clauses: Sequence[tuple[int, int]], kinds: Sequence[AskKind | None], i: int) -> int:
    """Return where a question begins: with the condition before it, and with what it is about if it does not say."""
    first = i
    while first and not kinds[first - 1]:
        before, said = text[slice(*clauses[first - 1])], LEAD.sub("", text[clauses[first][0] : clauses[i][1]])
        nameless = len(_NAMELESS.sub("", said)) < LEAST_NAMED or _POINTS_BACK.match(said)
        if not (_CONDITION.search(before) or nameless) or LEAD.fullmatch(before):
            break
        first -= 1
    start, end = clauses[first][0], clauses[i][1]
    lead = LEAD.match(text[start:end])
    return start + lead.end() if lead and lead.end() < end - start else start


def _named(text: str, sentence: _Sentence) -> list[Found]:
    """Return what a sentence wants to know that only names it: 想了解一下嘉定的人才政策."""
    for a, b in sentence.clauses:
        match = _OPENS.search(text[a:b])
        if match and not _PURPOSE.match(text[a:b]):
            group = "what" if match["what"] else "rest"
            if len(re.sub(r"\W", "", _GENERIC.sub("", match[group]))) > LEAST_SAID:
                return [Found("question", a + match.start(group), b, (sentence.start, sentence.end))]
    return []
