"""Compare two runs question by question, and decide whether the second may take the place of the first."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from assistant.errors import SettingsError
from eval import metrics
from eval.lost import listed, lost_warnings, other_figures
from eval.metrics import Row
from eval.names import COLUMNS

SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class Difference:
    """The paired difference of a metric, second run less first, with its bootstrap 95 % interval."""

    name: str
    before: float
    after: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed between two runs of the same questions; each change pairs a question's two rows.

    `fixed` and `broken` went from wrongly handled to rightly and back; `reworded` answer otherwise, but as rightly or
    wrongly as before. `p_value` is McNemar's, exact, of as many fixed as broken. `against` lists what speaks against
    the second run, in words; empty if it may go live.
    """

    fixed: tuple[tuple[Row, Row], ...]
    broken: tuple[tuple[Row, Row], ...]
    reworded: tuple[tuple[Row, Row], ...]
    same: int
    p_value: float
    differences: tuple[Difference, ...]
    setup: tuple[tuple[str, Any, Any], ...]  # what the runs were made with, where that differs
    against: tuple[str, ...]


def read_run(path: Path) -> dict[str, Any]:
    """Read what `eval run --json` wrote. Raises SettingsError where that is not a run."""
    try:
        run: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not {"setup", "overall", "categories", "risk_coverage", "questions"} <= run.keys():
            raise ValueError
    except (OSError, ValueError, AttributeError) as error:
        raise SettingsError(f"“{path}”不是评测结果，请用 eval run --json 生成") from error
    return run


def compare(before: Mapping[str, Any], after: Mapping[str, Any], changed: Collection[str] = ()) -> Comparison:
    """Compare two runs over the questions that both have. Raises SettingsError where they have none in common.

    `changed` names documents amended on purpose, and questions looked at: their figures and warnings may differ.
    """
    olds = {row["id"]: row for row in before["questions"]}
    news = {row["id"]: row for row in after["questions"]}
    pairs = [(olds[key], news[key]) for key in olds if key in news]
    if not pairs:
        raise SettingsError("两次评测没有相同的题，不能比较")
    handled = [(metrics.handled(old), metrics.handled(new)) for old, new in pairs]
    fixed = tuple(pair for pair, (was, now) in zip(pairs, handled, strict=True) if now and not was)
    broken = tuple(pair for pair, (was, now) in zip(pairs, handled, strict=True) if was and not now)
    level = [pair for pair, (was, now) in zip(pairs, handled, strict=True) if was is now]
    reworded = tuple((old, new) for old, new in level if _said(old) != _said(new))
    p_value = metrics.mcnemar(len(fixed), len(broken))
    differences = tuple(_differences(pairs))
    return Comparison(
        fixed, broken, reworded, len(level) - len(reworded), p_value, differences, _setups(before, after),
        (
            *_against(before, after, pairs, len(fixed), len(broken), p_value, differences),
            *lost_warnings(pairs, changed),
            *other_figures(before, after, pairs, changed),
        ),
    )  # fmt: skip


def _said(row: Row) -> tuple[Any, ...]:
    return row["status"], row["answer"], row["sources"]


def _setups(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    old, new = before["setup"], after["setup"]
    return tuple((key, old.get(key), new.get(key)) for key in {**old, **new} if old.get(key) != new.get(key))


_MEASURES: dict[str, tuple[Callable[[Row], bool], Callable[[Row], float]]] = {  # which questions, and how much of each
    "recall@1": (lambda row: row["answerable"] and bool(row["docs"]), lambda row: metrics.hit_at(row["ranked"], row["docs"], 1)),
    "mrr": (lambda row: row["answerable"] and bool(row["docs"]), lambda row: metrics.reciprocal_rank(row["ranked"], row["docs"])),
    "all_facts": (lambda row: row["answerable"], lambda row: float(metrics.right(row))),
    "false_refusals": (lambda row: row["answerable"], lambda row: float(row["status"] == "abstained")),
    "false_answers": (lambda row: not row["answerable"], lambda row: float(row["status"] == "answered")),
}  # fmt: skip
_LESS_IS_BETTER = {"false_refusals", "false_answers"}


def _differences(pairs: Sequence[tuple[Row, Row]]) -> list[Difference]:
    found = []
    for name, (counts, measure) in _MEASURES.items():
        values = [(measure(old), measure(new)) for old, new in pairs if counts(old)]
        if values:
            gaps = np.array([now - was for was, now in values])
            low, high = metrics.interval(gaps.tolist()) or (0.0, 0.0)
            found.append(Difference(name, mean(was for was, _ in values), mean(now for _, now in values), low, high))
    return found


def _against(
    before: Mapping[str, Any], after: Mapping[str, Any], pairs: Sequence[tuple[Row, Row]],
    fixed: int, broken: int, p_value: float, differences: Sequence[Difference],
) -> list[str]:  # fmt: skip
    """Return what speaks against the second run: a significant loss, or anything that must never get worse."""
    reasons = []
    if broken > fixed and p_value < SIGNIFICANT:
        reasons.append(f"答对的题显著变少：改坏 {broken} 题，改好 {fixed} 题，p = {p_value:.3g}")
    elif broken > fixed and not before["setup"].get("chat_model") and not after["setup"].get("chat_model"):
        reasons.append(f"改坏的题多于改好的：{broken} 比 {fixed}；不接大模型时两次结果应当相同，每一题都是真的变化")
    for one in differences:
        loss = one.low > 0 if one.name in _LESS_IS_BETTER else one.high < 0
        if loss:
            reasons.append(f"{COLUMNS[one.name]}显著变差：{one.before:.3f} → {one.after:.3f}")
    for name, told in _NEVER.items():
        worse = [new["id"] for old, new in pairs if _count(name, new) > _count(name, old)]
        if worse:
            reasons.append(f"{told}：{listed(worse)}")
    gone = len(before["questions"]) - len(pairs)
    if gone:
        reasons.append(f"少了 {gone} 题")
    return reasons


_NEVER = {
    "unmarked": "时效错误变多",
    "invalid": "引文与资料不符变多",
    "unsupported": "没有依据的数字或名称变多",
    "uncited": "引文不支持的句子变多",
    "forbidden": "说了不该说的或引了不该引的变多",
}


def _count(name: str, row: Row) -> int:
    if name == "invalid":
        return int(row["citations"] - row["valid_citations"])
    if name == "uncited":
        return sum(not whole for whole in row["supported"])
    return len(row[name])


def comparison_text(found: Comparison) -> str:
    """Return a comparison as Markdown."""
    lines = [
        f"改好 {len(found.fixed)} 题，改坏 {len(found.broken)} 题，换了说法 {len(found.reworded)} 题，不变 {found.same} 题；McNemar p = {found.p_value:.3g}",
        "", "| 指标 | 前 | 后 | 差的 95% 区间 |", "| --- | --- | --- | --- |",
        *(f"| {COLUMNS[d.name]} | {d.before:.3f} | {d.after:.3f} | {d.low:+.3f} 至 {d.high:+.3f} |" for d in found.differences),
    ]  # fmt: skip
    lines += ["", *(f"设置 {key}：{old} → {new}" for key, old, new in found.setup)]
    for label, pairs in (("改坏", found.broken), ("改好", found.fixed)):
        lines += [f"{label} {new['id']} {new['question']}：缺 {new['missing'] or old['missing']}" for old, new in pairs]
    verdict = (
        ["", "不能上线：", *(f"- {reason}" for reason in found.against)]
        if found.against
        else ["", "可以上线：没有发现变差。"]
    )
    return "\n".join([*lines, *verdict])
