"""Lay a policy out by what applicants need: whom it is for, on which conditions, what it gives, until when, where, on what basis."""

import re
from collections.abc import Sequence

from assistant.candidate import Candidate

# What a heading, a label or a column says of what stands below or beside it, in the order in which it is shown.
FACETS: dict[str, re.Pattern[str]] = {
    "对象": re.compile("对象|谁能|适用范围|支持范围|面向"),
    "条件": re.compile("条件|门槛|资格|申报要求"),
    "标准": re.compile("标准|金额|封顶|上限|最高额|支持|奖励|补[助贴]|资助|优惠|减免|措施|提质|贴息|基准"),
    "期限": re.compile("时间|期限|时效|截止|有效期|日期"),
    "申报受理": re.compile("怎么报|流程|申报|受理|方式|材料|步骤|联系|咨询|渠道|窗口|入口|评审"),
    "依据": re.compile("依据|文号|沿革|发文"),
}
UNKNOWN = "未写明"  # what the document itself says is not in it
LEAST = 3  # facets that a section of its own tells, or that a question asks for
OUTLINE = 2  # facets that make an outline
MOST = 8  # units of one facet

_POLICY = "(?:政策|办法|措施|意见|指南|奖励|补[贴助]|专项|资助|扶持|小巨人|条)"
_OVERVIEW = re.compile(
    rf"(?:介绍|解读|说说|讲讲|讲解|概括|梳理).{{0,30}}{_POLICY}|{_POLICY}.{{0,4}}(?:主要|具体|详细)?(?:内容|要点|详情)(?:是|有|$|\?)"
    rf"|{_POLICY}.{{0,3}}(?:讲了?|说了?|规定了?)(?:些?什么|哪些内容)|{_POLICY}是?怎么回事"
)
_ASKED = {
    "对象": re.compile("给谁|谁能|谁可以|哪些(?:企业|单位|人)|什么(?:企业|样的企业)|对象"),
    "条件": re.compile("条件|门槛|要求|资格"),
    "标准": re.compile("多少(?!号)|金额|比例|最高|什么支持|给什么"),
    "期限": re.compile("什么时候|何时|截止|期限|有效期|到期|哪天|几月"),
    "申报受理": re.compile(
        "(?:怎么|如何|怎样|哪里|哪儿|去哪|向谁|找谁).{0,3}(?:申|报|办|领|受理|交)|哪个部门|受理|联系"
    ),
    "依据": re.compile("依据|文号"),
}


def asks_for_outline(normalised: str) -> bool:
    """Return whether a question asks for a policy as a whole, or for three or more of its facets."""
    return bool(_OVERVIEW.search(normalised)) or len(_asked(normalised)) >= LEAST


def _asked(normalised: str) -> list[str]:
    return [name for name, pattern in _ASKED.items() if pattern.search(normalised)]


def facet(candidate: Candidate) -> str:
    """Return which facet of its policy a unit tells, by its label, its columns or its heading; "" if none says."""
    if candidate.not_stated:
        return UNKNOWN
    label = re.match(r"[^:,;.]{2,8}(?=:)", candidate.own)
    columns = [column for column, _ in candidate.unit.cells[1:]]
    headings = candidate.hit.passage.headings
    gives = "标准" if any(FACETS["标准"].search(column) for column in columns) else ""  # 条件 and 支持上限 side by side
    for named in (label.group() if label else "", gives, *columns, *reversed(headings)):
        for name, pattern in FACETS.items():
            if pattern.search(named):
                return name
    return ""


def outline(units: Sequence[Candidate], best: Candidate) -> list[tuple[str, Candidate]]:
    """Return a policy's units with their facets, in the order of FACETS; none if fewer than OUTLINE facets are told.

    Where the section that `best` stands in tells LEAST facets by itself (one of several schemes), the other schemes'
    units are left out. What is not known comes last.
    """
    told = [(facet(unit), unit) for unit in units]
    told = [(name, unit) for name, unit in told if name]
    section = [(name, unit) for name, unit in told if _section(unit) == _section(best)]
    if len({name for name, _ in section} - {UNKNOWN}) >= LEAST:
        shared = {_section(unit) for _, unit in told if _heads_one(unit)}
        told = [(name, unit) for name, unit in told if _section(unit) in shared | {_section(best)}]
    if len({name for name, _ in told} - {UNKNOWN}) < OUTLINE:
        return []
    order = [*FACETS, UNKNOWN]
    return [pair for name in order for pair in [pair for pair in told if pair[0] == name][:MOST]]


def _section(unit: Candidate) -> str:
    headings = unit.hit.passage.headings
    return headings[0] if headings else ""


def _heads_one(unit: Candidate) -> bool:
    """Return whether a unit's section is of one facet for the whole document: its basis, its term, whom to ask."""
    return any(FACETS[name].search(_section(unit)) for name in ("依据", "期限")) or "联系" in _section(unit)


def untold(laid_out: Sequence[tuple[str, Candidate]], normalised: str) -> list[str]:
    """Return the facets, of those that a question asks for where it names some, that an outline says nothing of."""
    told, asked = {name for name, _ in laid_out}, _asked(normalised)
    return [name for name in asked or FACETS if name not in told]
