"""The way of a reply from draft to sent: which step may follow, and who may take it."""

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.reply import Finding, Risk
from assistant.replying.reply import Reply, State, Step

FOLLOWING: dict[State, tuple[Step, ...]] = {
    "draft": ("saved", "submitted", "finished"),
    "in_review": ("saved", "approved", "returned"),
    "approved": ("saved", "sent"),
    "sent": (),
}
NOT_NOW = "这份回复的状态已经变了，请重新打开"
OPEN_LEFT = "还有【待核实】没有填写"
UNKNOWN = "还没有登录，分不清是不是另一个人，不能复核"
SAME = "您是最后的修改人或送审人，复核要由另一个人来做"
AT_RISK = "需要复核，不能直接定稿"
NO_SUPPORT = "有所引资料和来信都没有的内容，不能直接定稿"


@dataclass(frozen=True, slots=True)
class Judged:
    """The last version as it was checked."""

    findings: Sequence[Finding]
    risk: Risk


def refusal(step: Step, reply: Reply, by: str, judged: Judged) -> str:
    """Return why a person may not take a step with a reply as it is now, "" if they may."""
    if step not in FOLLOWING[reply.state]:
        return NOT_NOW
    if step in ("approved", "finished", "sent") and any(finding.kind == "open" for finding in judged.findings):
        return OPEN_LEFT
    if step == "approved":
        return UNKNOWN if not by else SAME if by in _hands(reply) else ""
    if step == "finished":
        return AT_RISK if judged.risk.review else NO_SUPPORT if any(f.serious for f in judged.findings) else ""
    return ""


def _hands(reply: Reply) -> set[str]:
    """Return who wrote the version that is to be approved, and who asked for its approval."""
    last = reply.versions[-1].number
    return {
        entry.by
        for entry in reply.entries
        if entry.number == last or (entry.number > last and entry.step == "submitted")
    }
