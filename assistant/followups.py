"""Questions that a reader may want to ask next: of the documents that an answer cites, and only such as are answered."""

import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import chain, islice, zip_longest
from typing import NamedTuple

from assistant.pipeline import Assistant
from assistant.retrieve import Filters
from assistant.schema import NORMATIVE, Answer, Document
from assistant.text import normalise
from assistant.validity import validity

MOST = 3  # suggested
CANDIDATES = 8  # tried
BUDGET_S = 0.4  # for all of them
NEIGHBOURS = 10  # passages found beside the cited ones whose documents may be asked about
CONFIDENCE = 0.6  # of an answer: likelier right than wrong with a margin
LONGEST = 32  # characters of a name: a longer one nobody would say
KIN = 0.3  # least score of a neighbour, where the best hit has 1


Candidates = Iterator[tuple[str, re.Pattern[str]]]  # questions, and what the answer to each must tell


class Ask(NamedTuple):
    """A question about a document or place by its name, what other wordings of it say, and what its answer must."""

    question: str
    asked: re.Pattern[str]
    told: re.Pattern[str]


OF_A_POLICY = (
    Ask("{}的主要内容是什么？", re.compile("内容|介绍|要点"), re.compile("")),
    Ask("{}最高支持多少？", re.compile("多少|最高|补贴|奖励|支持|标准|金额"), re.compile(r"\d.*(?:元|%)")),
    Ask("{}需要满足什么条件？", re.compile("条件|门槛|要求|资格"), re.compile("应|须|符合|以上|不低于|条件|注册|设立")),
)
OF_A_CALL = (  # for applications
    *OF_A_POLICY,
    Ask("{}什么时候受理申报？", re.compile("时候|何时|截止|时间|期限|受理期"), re.compile(r"\d[月日]")),
    Ask("{}怎么申报？", re.compile("怎么|如何|流程|材料"), re.compile("申报|申请|登录|提交")),
    Ask("{}的咨询电话是多少？", re.compile("电话|联系|咨询|部门"), re.compile(r"\d{8}")),
)
OF_A_PLAN = (
    Ask("{}提出了哪些目标？", re.compile("目标"), re.compile(r"目标|到20\d\d年|\d")),
    Ask("{}有哪些重点任务？", re.compile("任务|措施|重点"), re.compile("任务|推进|建设|实施|打造")),
)
_STANDING = re.compile("有效|失效|过期|现行|生效|还能|作数")
OF_ONE_NOT_IN_FORCE = (Ask("{}现在还有效吗？", _STANDING, re.compile("")),)
OF_A_CALL_NOT_IN_FORCE = (Ask("{}现在还能申报吗？", _STANDING, re.compile("")),)
OF_A_DRAFT = (Ask("{}现在生效了吗？", _STANDING, re.compile("")),)
OF_A_PLACE = (
    Ask("{}有哪些扶持政策？", re.compile("政策|扶持|补贴|奖励|支持"), re.compile("政策|奖励|补贴|支持|元")),
    Ask("{}有哪些企业？", re.compile("企业|公司"), re.compile("企业|公司|集团")),
    Ask("{}有哪些重点项目？", re.compile("项目"), re.compile("项目|开工|签约|建设")),
    Ask("{}的面积有多大？", re.compile("面积|多大|公顷|亩|范围"), re.compile("平方|公顷|亩")),
    Ask("{}的发展目标是什么？", re.compile("目标"), re.compile("目标|力争|到20")),
    Ask("{}在哪里？", re.compile("哪里|位置|位于|地址|在哪|哪条"), re.compile("位于|地处|路|镇|街道")),
)
OF_A_YEAR = tuple(
    Ask(f"嘉定{{}}{figure}是多少？", re.compile(figure), re.compile(r"\d亿"))
    for figure in ("规上工业总产值", "地区生产总值", "全社会固定资产投资", "社会消费品零售总额", "一般公共预算收入")
)
_FIGURES = re.compile("^(?!.*奖).*(?:产值|生产总值|零售|固定资产投资|预算收入)")
_YEAR = re.compile(r"20\d\d年(?![1-9一上前])")
_PLACE = re.compile(
    r"(?![一二三四五六七八九十两])[^，。：（“”《》与和、\d]{2,12}(?:园|谷|港|小镇|城|湾|集聚区|商务区|工业区)"
)
_POLICY = re.compile(
    r"[^《》：（]{0,8}《[^《》]+》|(?!20\d\d年\d).{4,}(?:政策|办法|措施|意见|方案|计划|奖励|补贴|项目|企业)"
)
_ENDING = re.compile(r"(?:申报)?(?:推荐|指南)?(?:解读)?(?:要点|汇总)$")


def follow_ups(
    assistant: Assistant, answer: Answer, filters: Filters, asked: Collection[str], stop: Callable[[], bool]
) -> list[str]:
    """Return up to MOST questions, each with an answer of its own that the documents give on that day.

    Nothing of `asked` is among them. They are whole questions, understood without the conversation. Ends early, with
    what there is, when the time is up or `stop` says that somebody waits.
    """
    end, found = time.perf_counter() + BUDGET_S, list[str]()
    known = {statement.text for statement in answer.statements}
    for question, told in islice(candidates(assistant, answer, filters, asked), CANDIDATES):
        if len(found) == MOST or stop() or time.perf_counter() > end:
            break
        given = assistant.ask(question, (), filters)
        texts = [statement.text for statement in given.statements]
        new = bool(told.search("".join(texts))) and not known.issuperset(texts)
        if new and given.confidence >= CONFIDENCE:
            found.append(question)
            known.update(texts)
    return found


def candidates(assistant: Assistant, answer: Answer, filters: Filters, asked: Collection[str]) -> Candidates:
    """Yield what may be asked and what its answer must tell: of the documents cited, of the places named, of what is near."""
    if not answer.statements:
        return
    before = {normalise(question) for question in asked}
    for question, told in _all(assistant, answer, filters):
        if normalise(question) not in before:
            before.add(normalise(question))
            yield question, told


def _all(assistant: Assistant, answer: Answer, filters: Filters) -> Candidates:
    document, said = assistant.index.document, normalise("".join(statement.text for statement in answer.statements))
    cited = dict.fromkeys(citation.document_id for one in answer.statements for citation in one.citations)
    yield from _in_turn([_of(assistant, document(key), answer) for key in cited])
    yield from _in_turn([_asks(place, OF_A_PLACE, answer) for place in places(assistant, answer.query + said)])
    if _FIGURES.search(answer.question):
        yield from _asks(max(_YEAR.findall(said), default=""), OF_A_YEAR, answer)
    hits = assistant.search(answer.query, filters, NEIGHBOURS)
    near = dict.fromkeys(hit.document.id for hit in hits if hit.score >= KIN and hit.document.id not in cited)
    yield from _in_turn([_of(assistant, document(key), answer) for key in near])


def _in_turn(rows: Sequence[Candidates]) -> Candidates:
    return (one for one in chain.from_iterable(zip_longest(*rows)) if one)


def places(assistant: Assistant, said: str) -> list[str]:
    """Return the glossary's places that a normalised text names, the longest name of each."""
    terms = (
        term for term, others in assistant.index.manifest.glossary
        if _PLACE.fullmatch(term) and any(normalise(name) in said for name in (term, *others) if not name.isascii())
    )  # fmt: skip
    found: list[str] = []
    for term in sorted(terms, key=len, reverse=True):
        if not any(term in longer for longer in found):
            found.append(term)
    return found


def _of(assistant: Assistant, document: Document, answer: Answer) -> Candidates:
    """Yield what may be asked of a document, save what the answer's question asked."""
    name, kind = called(document), document.metadata.doc_type
    if _PLACE.fullmatch(name):
        return _asks(name, OF_A_PLACE, answer, document.text)
    standing = validity(document, answer.as_of, assistant.index.successors.get(document.id, ()))
    if standing not in ("in_force", "unverified"):
        return _asks(
            name, {"draft": OF_A_DRAFT, "guide": OF_A_CALL_NOT_IN_FORCE}.get(kind, OF_ONE_NOT_IN_FORCE), answer
        )
    return _asks(name, {"plan": OF_A_PLAN, "guide": OF_A_CALL}.get(kind, OF_A_POLICY), answer, document.text)


def _asks(name: str, asks: Sequence[Ask], answer: Answer, text: str = "") -> Candidates:
    """Yield the questions about a name, save what was asked, and what a text, if given, does not tell."""
    for ask in asks if name else ():
        if not ask.asked.search(answer.question) and (not text or ask.told.search(text)):
            yield ask.question.format(name), ask.told


def called(document: Document) -> str:
    """Return what one calls a document's policy, or the place that it is about; "" if its title has no such name."""
    title, policy = document.title, document.metadata.doc_type in NORMATIVE
    cited = _POLICY.match(title) if "《" in title else None
    name = cited.group() if cited else _ENDING.sub("", re.split("[：（]", _ENDING.sub("", title))[0])
    fits = _PLACE.fullmatch(name) or (policy and _POLICY.fullmatch(name))
    return name if fits and len(name) <= LONGEST else ""
