"""Weigh whether cited spans bear out a statement that says them in other words.

Rules find where the two differ in what is certain, planned, required or denied, and which words and names are not the
spans'; a logistic model over these and over how much of the wording agrees decides whether the meaning is another.
`python -m eval.fit_support` fits it; `python -m eval.grounding` measures it. All texts here are plain (see verify).
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from math import exp
from pathlib import Path

import rjieba

from assistant.lexical import everyday_idf, gram_set, share
from assistant.tokens import bigrams

MODEL = Path(__file__).parent / "model" / "support.json"
SUPPORTED = 0.7  # least probability; chosen on dev rows and eval/labels.jsonl
OTHERWISE = "意思与引文不同"

DOCUMENT_NUMBER = re.compile(r"[^\W\d_]{0,2}\[\d{4}\]\d+号")
CLAUSE = re.compile(r"[,;:!?\n]|\.(?!\d)")
_LINE = re.compile(r"[\n;]|\.(?!\d)")
_SENTENCE = re.compile(r"[;!?\n]|\.(?!\d)")
_BODY = re.compile(
    r"[\u4e00-\u9fff]{2,7}(?:委员会|委(?!书记|员)|局|厅|办(?!发|法|理|公)|镇|街道|集团|公司|大学|医院|银行|研究院|协会|报社|通讯社)"
)
_LEVEL = re.compile(r"国家级|省级|市级|区级|镇级|每(?:年|月|季度|人|天|吨|公斤|平方米)")
_IMPLIED = {
    "市级": re.compile("上海市|全市|本市|市(?:科技|经信|政府|财政|专项)"),
    "区级": re.compile("嘉定区|本区"),
    "每年": re.compile("(?<!\\d)年[产税销营收均]"),
}
_FUNCTION = frozenset("由找中按在对向把被从于和与及打该过同跟则")  # no part of a noun, but cut into one now and then
_LATIN = re.compile(r"[a-z]+\d+|(?<![\d.])\d+[a-z]+|[a-z]{2,}")
_NOT = re.compile(
    r"不(?![1一](?=[,.;])|是[1一](?:回事|套|样)|在[1一]处|是同|相同|[1一]致|过(?!\d)|要混|能混|宜混|可混|是同1|1样|一样|超过|低于|少于|高于|大于|足|仅|断|同|相同|等(?!于)|限|只|管|论|但|含|动产|锈)|没(?!收)|未(?!来)"
    r"|无(?!人|线|锡|障碍|异议)|并非|而非|暂停|取消|禁止|除外|免(?!费|征|税)"
)
_DONE = re.compile(
    r"已(?!有)|完成|建成|实现了|落成|达到了|达成|如期|正式(?:投|启|开)|获批|批准|揭牌|启用|开园|主体封顶|竣工验收|认定了"
)
_DONE_BESIDE_A_PLAN = re.compile(r"已(?!有)|如期|实现了|达到了|达成了")
_PLANNED = re.compile(
    r"原定|目标|计划|预计|(?<![虚模])拟|力争|规划|将(?!于\d|近)|争取|有望|(?<![年初月日])到20\d\d年(?!\d)|提出|打算|准备|预期|要(?=[在到达做建有])|未来|瞄准"
)
_PLAN_TITLED = re.compile(rf"{_PLANNED.pattern}|行动方案|行动计划|年行动")
_REQUIRED = re.compile(r"应当|必须|应(?![用急对届变收付])|须|需(?!求)|务必|不得|要求|强制")
_ALLOWED = re.compile(r"可以|可(?!能|靠|持|视|观|研|信)|允许|鼓励|自愿|酌情|能(?=[够享获申])|争取")
_HEDGED = re.compile(r"部分|之1|之一|原则上")
_STRONG = {  # what makes a statement stronger than one without it
    "全部": re.compile(r"全部|所有|[1一]律|每[1一][家个项]|无[1一]例外|任何"),
    "唯一": re.compile(r"唯[1一]|独家|仅限"),
    "必须": re.compile(r"必须|务必|强制|方可"),
    "统一": re.compile(r"统[1一]|固定|自动(?!驾|化)|直接|无条件|必然|必定|保证|确保"),
    "首个": re.compile(r"首[个家创次]|率先|最早"),
}
_RULES_TITLED = re.compile("措施|政策|意见|办法|指南")
_DEMANDS = re.compile("条件|对象|谁能|申报|要求|资格|须|应|不得")
_RISES, _FALLS = re.compile("增长|上升|提高|增加"), re.compile("下降|减少|降低|回落")
_SAME_THING = re.compile(r"同[1一]|相同|[1一](?:样|回事|致)")
_DIFFERENT = re.compile(r"不(?:相?同|[1一]样|是同|是[1一]回事|[1一]致)|有别|混淆|区别|分属")
_COMMON_NOUNS = frozenset(
    (
        "时间 数量 方面 层面 园区 板块 时候 材料 基础 二者 两者 企业 政策 项目 单位 文件 办法 规定 情况 内容 数字 资料 方案 措施 标准 条件 要求 "
        "计划 数据 信息 中心 嘉定 嘉定区 上海 上海市 全市 资料 报道 地方 部分 全区 区里 市里 本区 说法 口径 原文 结果 范围 对象 事项 期间 时期 水平 力度 机构 领域 产业 数值 当时 总数 总量 金额 名称 "
        "规划 同比 建议 称号 职务 地址 电话 邮箱 网站 网址 入口 一共 适用范围 选址 布局 邮件 原本 安排 区块 会议 资金 符合条件 前者 后者 增幅 涨幅 其中 目的 方式 方法 做法 意思 公司 区域 地区 业务 对方 阶段 年份 日期 期限 号文 力争"
    ).split()
)
LEAST_GRAMS = 6  # bigrams of a clause that is looked at by itself
LEASTCLAUSE = 0.2  # share of a clause's bigrams that must stand in the spans
TELLING_NOUN = 2.5  # least idf in everyday news of a noun that is no mere connective (问题, 机制)
LEAST_NOUN = 0.66  # share of a noun's characters
CERTAINTY = ("否定", "计划", "完成", "升降", "相同", "可以或应当", "部分")
_NAME_TAGS = ("nr", "ns", "nt", "nz")


def differing(said: str, told: str, titles: str, around: str) -> list[str]:
    """Return what differs between a statement and the text of its spans, in words; nothing if it likely means the same.

    `around` are the spans' titles and headings.
    """
    certainty, foreign = _wrong_certainty(said, told, around), _foreign(said, told, titles, around)
    found = _weighed(said, told, around, certainty, foreign)
    if not found["foreign_name"] and probability(found) >= SUPPORTED:  # a name must be the spans' own
        return []
    return [*certainty, *foreign] or [OTHERWISE]


def features(said: str, told: str, titles: str, around: str) -> dict[str, float]:
    """Return what the model weighs: each sort of difference that the rules find, and how far the wording agrees."""
    return _weighed(said, told, around, _wrong_certainty(said, told, around), _foreign(said, told, titles, around))


def _weighed(said: str, told: str, around: str, certainty: Sequence[str], foreign: Sequence[str]) -> dict[str, float]:
    clauses = {said, *(clause for clause in CLAUSE.split(said) if len(clause) > LEAST_GRAMS)}
    nouns = [word for word in foreign if word not in clauses]
    words = rjieba.tag(said)
    tags = dict(words)
    named = (tags.get(word) in _NAME_TAGS or _LATIN.fullmatch(word) or _BODY.search(word) for word in nouns)
    known = f"{told}{around}"
    characters = [character for character in said if "\u4e00" <= character <= "\u9fff"]
    content = [(word, tag) for word, tag in words if len(word) > 1 and not re.search(r"\d", word)]
    new = sum(tag[0] in "nvad" and not any(c in known for c in word) for word, tag in content)
    return {
        **{name: float(name in certainty) for name in CERTAINTY},
        "stronger": float(not _STRONG.keys().isdisjoint(certainty)),
        "foreign_clause": float(len(nouns) < len(foreign)),
        "foreign_nouns": min(3.0, len(nouns)) / 3,
        "foreign_name": float(any(named)),
        "negated": float(bool(_NOT.search(said)) != bool(_NOT.search(told))),
        "planned": float(bool(_PLANNED.search(said)) != bool(_PLANNED.search(known))),
        "done": float(bool(_DONE.search(said)) and not _DONE.search(told)),
        "covered": _covered(said, told),
        "scattered": _scattered(said, told, around),
        "characters": sum(c in known for c in characters) / len(characters) if characters else 1.0,
        "new_words": min(6.0, new) / 6,
    }


def probability(found: Mapping[str, float]) -> float:
    """Return how likely a statement with these features is supported, by the shipped logistic model."""
    weights = _weights()
    return 1 / (1 + exp(-weights["bias"] - sum(weights[name] * value for name, value in found.items())))


@cache
def _weights() -> dict[str, float]:
    weights: dict[str, float] = json.loads(MODEL.read_text(encoding="utf-8"))["weights"]
    return weights


def _covered(said: str, text: str) -> float:
    """Return the share, by idf in everyday news, of a statement's content words that stand in a text, wholly or in part."""
    idf, rarest = everyday_idf()
    total = got = 0.0
    for word, tag in rjieba.tag(said):
        if len(word) > 1 and tag[0] in "nvajlb" and not re.search(r"\d", word):
            weight = idf.get(word, rarest)
            total += weight
            got += weight * (1.0 if word in text else 0.5 * share(word, text))
    return got / total if total else 1.0


def _scattered(said: str, told: str, around: str) -> float:
    """Return how much more of a clause, on average, the spans have together than the line of them that has most of it."""
    clauses = [clause for clause in CLAUSE.split(said) if len(clause) > 3] or [said]
    lines = [line for line in _LINE.split(told) if line.strip()] or [told]
    gaps = [
        _covered(clause, told + around) - max(_covered(clause, line + around) for line in lines) for clause in clauses
    ]
    return max(0.0, sum(gaps) / len(gaps))


def _wrong_certainty(said: str, told: str, around: str) -> list[str]:
    """Return the negations, and the words on what is done, planned, allowed or required, that differ from the spans'.

    `around` are the spans' titles and headings: a figure below 目标 is one.
    """
    wrong = ["否定"] if _NOT.search(said) and not _NOT.search(told) else []
    wrong += ["否定"] if _otherwise(said, told, _NOT) else []
    planned, was_planned = bool(_PLANNED.search(said)), bool(_PLANNED.search(told))
    was_planned = was_planned or bool(_PLAN_TITLED.search(around) and not _DONE.search(told))
    ruled = bool(_RULES_TITLED.search(around)) and not _DONE.search(told)  # what a policy says is to come about
    if (planned and not (was_planned or ruled)) or (not planned and _otherwise(said, told, _PLANNED)):
        wrong.append("计划")
    done = _DONE_BESIDE_A_PLAN if planned else _DONE
    if done.search(said) and not _DONE.search(told) and (was_planned or _RULES_TITLED.search(around)):
        wrong.append("完成")
    demanded = _DEMANDS.search(told + around)
    strong = (name for name, pattern in _STRONG.items() if pattern.search(said) and not pattern.search(told))
    wrong += [name for name in strong if not (name == "必须" and demanded)]
    for one, other in ((_RISES, _FALLS), (_FALLS, _RISES)):
        if one.search(said) and not one.search(told) and other.search(told) and not other.search(said):
            wrong.append("升降")
    if _SAME_THING.search(said) and _DIFFERENT.search(told) and not _DIFFERENT.search(said):
        wrong.append("相同")
    for one, other in ((_ALLOWED, _REQUIRED), (_REQUIRED, _ALLOWED)):
        again = other.search(said) or (other is _REQUIRED and "要" in said)
        if one.search(said) and not one.search(told) and other.search(told) and not again:
            wrong.append("可以或应当")
    if _HEDGED.search(told) and not re.search(r"部分|之1|之一|原则上|其中|有", said):
        wrong.append("部分")
    return wrong


def _otherwise(said: str, told: str, mark: re.Pattern[str]) -> bool:
    """Return whether a clause of the spans that is told again has a mark (of negation, of a plan) in one of both only."""
    clauses = [
        (gram_set(clause), bool(mark.search(clause)), bool(mark.search(sentence)))
        for sentence in _SENTENCE.split(told)
        for clause in CLAUSE.split(sentence)
    ]
    again: dict[tuple[frozenset[str], bool, bool], bool] = {}
    for clause in CLAUSE.split(said):
        grams = gram_set(clause)
        best = max(clauses, key=lambda one: len(grams & one[0]))
        if len(grams & best[0]) >= max(3, min(len(grams), len(best[0])) / 2) and "而非" not in clause:
            again[best] = again.get(best, False) or bool(mark.search(clause))
    # A list of things is one sentence: what is marked at its end is marked for each.
    return any((marked and not now) or (now and not about) for (_, marked, about), now in again.items())


def _foreign(said: str, spans: str, titles: str, around: str) -> list[str]:
    """Return the clauses, nouns and bodies that are hardly in the spans; a noun may stand in what is `around` them."""
    known, told = gram_set(f"{spans}\n{titles}"), f"{spans}\n{around}".replace("企业", "企业公司")
    told += "面积" if re.search("平方|亩|公顷", spans) else ""
    idf, rarest = everyday_idf()
    foreign = []
    for clause in (said, *CLAUSE.split(said)):
        grams = [gram for gram in bigrams(clause) if not re.search(r"\d", gram)]
        if len(grams) >= (2 if clause is said else LEAST_GRAMS) and sum(
            gram in known for gram in grams
        ) < LEASTCLAUSE * len(grams):
            foreign.append(clause)
    for word, tag in rjieba.tag(re.sub(rf"[^\W\d_]{{0,8}}{DOCUMENT_NUMBER.pattern}", " ", said)):
        noun = len(word) > 1 and tag[0] in "nj" and word not in told and word not in _COMMON_NOUNS
        noun = noun and _FUNCTION.isdisjoint(word) and word[0] not in "个一" and not re.search(r"\d", word)
        noun = noun and (tag in _NAME_TAGS or idf.get(word, rarest) >= TELLING_NOUN)
        if noun and sum(character in told for character in word) < LEAST_NOUN * len(word):
            foreign.append(word)
    for level in sorted(set(_LEVEL.findall(said)) - set(_LEVEL.findall(told))):
        implied = level in _IMPLIED and not _LEVEL.search(spans) and _IMPLIED[level].search(told)
        foreign += [] if implied else [level]
    foreign += [word for word in _LATIN.findall(said) if word not in told]
    for body in _BODY.findall(said):
        grams = bigrams(body[-4:])
        shortened = re.search(".{0,4}".join(body[-3:]), told)  # 区经委: 区经济委员会
        if sum(gram in known for gram in grams) < len(grams) / 2 and not shortened:
            foreign.append(body)
    return foreign
