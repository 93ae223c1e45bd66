"""Say whether a second person must look at a reply before it is signed, and why."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from assistant.reply.check import Finding
from assistant.reply.draft import SURE
from assistant.reply.schema import OPEN, Draft, Paragraph

ReasonKind = Literal[
    "open", "confidence", "conflict", "money", "expired", "draft", "unverified", "unsupported", "orders"
]
REVIEW, READY = "需要复核（第二人）", "可直接送签"
_MONEY = re.compile(
    r"\d(?:[\d.,]*)\s*[百千]?[万亿]*(?:美元|元)|[一二三四五六七八九十百千]+[万亿]*元|\d[\d.]*[万亿](?![\d平家个人套辆台件])"
)
_STATES: dict[str, tuple[ReasonKind, str]] = {
    "expired": ("expired", "引用了已到期或已失效的文件"),
    "superseded": ("expired", "引用了已被替代的文件"),
    "draft": ("draft", "引用了征求意见稿"),
    "not_yet_valid": ("draft", "引用了尚未生效的文件"),
    "unverified": ("unverified", "引用的文件是否现行有效没有核实"),
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a reply must be looked at, and the paragraphs it is about."""

    kind: ReasonKind
    text: str
    paragraphs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Risk:
    """Whether a second person must look; no reasons means that none must."""

    reasons: tuple[Reason, ...]

    @property
    def review(self) -> bool:
        """Whether a second person must look."""
        return bool(self.reasons)

    @property
    def verdict(self) -> str:
        """What to do, in words."""
        return REVIEW if self.review else READY

    def to_dict(self) -> dict[str, Any]:
        """Return the risk as plain JSON types."""
        return {"review": self.review, "verdict": self.verdict, "reasons": [asdict(reason) for reason in self.reasons]}


def risk(draft: Draft, paragraphs: Sequence[Paragraph] | None = None, findings: Sequence[Finding] = ()) -> Risk:
    """Return the risk of a draft, or of its edited paragraphs with what was found in them."""
    shown = draft.paragraphs if paragraphs is None else tuple(paragraphs)
    reasons = [
        _reason("open", "有待核实的内容", [p for p in shown if p.open_points and p.role != "signature"]),
        _reason("money", "写有金额", [p for p in shown if p.role not in ("heading", "basis") and _MONEY.search(OPEN.sub("", p.plain))]),
        *_by_answer(draft, shown),
        *_by_state(draft, shown),
        Reason("orders", "来信中有像是写给程序的指令") if draft.letter.ignored else None,
    ]  # fmt: skip
    held = tuple(dict.fromkeys(finding.paragraph for finding in findings if finding.kind != "open"))
    reasons.append(Reason("unsupported", "改动后有所引资料不支持的内容", held) if held else None)
    return Risk(tuple(reason for reason in reasons if reason))


def _reason(kind: ReasonKind, text: str, paragraphs: Sequence[Paragraph]) -> Reason | None:
    return Reason(kind, text, tuple(dict.fromkeys(p.id for p in paragraphs))) if paragraphs else None


def _by_answer(draft: Draft, shown: Sequence[Paragraph]) -> list[Reason | None]:
    """Return the reasons that lie in how a question was answered, where its answer is still in the reply."""
    there = {p.id.split(".")[0] for p in shown if p.references}
    answered = [point for point in draft.points if point.answered and point.ask.id in there]
    unsure = tuple(f"{p.ask.id}.1" for p in answered if p.answer.confidence < SURE)
    differing = tuple(f"{p.ask.id}.1" for p in answered if any(n.kind == "conflict" for n in p.answer.notices))
    return [
        Reason("confidence", f"回答的置信度低于{SURE:.0%}", unsure) if unsure else None,
        Reason("conflict", "各份资料的说法不同", differing) if differing else None,
    ]


def _by_state(draft: Draft, shown: Sequence[Paragraph]) -> list[Reason | None]:
    found: list[Reason | None] = []
    for state, (kind, text) in _STATES.items():
        numbers = {reference.number for reference in draft.references if reference.state == state}
        found.append(_reason(kind, text, [p for p in shown if p.role != "basis" and numbers & set(p.references)]))
    return found
