"""Find what a run no longer tells, or tells otherwise, though nobody said that it should: warnings, and amended figures."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from assistant.verify import figures
from eval.metrics import Row

_WARNINGS = {
    "expired": "已失效", "superseded": "被替代", "draft": "征求意见", "not_yet_valid": "未生效", "unverified": "未核实", "target": "目标",
    "period": "年份", "corrected": "读法", "conflict": "说法不同", "unanswered": "没有查到",
}  # fmt: skip
_OF_A_DOCUMENT = ("expired", "superseded", "draft", "not_yet_valid", "unverified", "target")
_AS_GOOD = {  # what may stand in for a warning that is gone
    "expired": {"superseded"}, "superseded": {"expired"}, "unverified": {"expired", "superseded", "draft", "not_yet_valid"},
}  # fmt: skip


def lost_warnings(pairs: Sequence[tuple[Row, Row]], changed: Collection[str]) -> list[str]:
    """Return, in words, which warnings are gone though the words that they were about are still given.

    Of a document: how it stands, or that a figure is a target, while all that was quoted from it still is; where it is
    cited no more, or otherwise, nothing is lost. Of the question: how it was read, what differs or was not found, while
    the answer is the same.
    """
    found = []
    for old, new in pairs:
        kept = _warnings(new)
        lost = [
            f"{_WARNINGS[kind]} {document}".rstrip()
            for kind, document in sorted(_warnings(old) - kept)
            if not any((kind_kept, document) in kept for kind_kept in _AS_GOOD.get(kind, ()))
            and document not in changed
            and (_still_said(document, old, new) if document else old["answer"] == new["answer"])
        ]
        if lost and old["id"] not in changed:
            found.append(f"{old['id']}（{'、'.join(lost)}）")
    return [f"说的还是原来的话，提醒却没有了：{listed(found)}"] if found else []


def _warnings(row: Row) -> set[tuple[str, str]]:
    """Return the warnings of a row as (kind, document or ""); none where an older program did not keep them."""
    told = zip((text.partition(":")[0] for text in row["notices"]), row.get("about", ()), strict=False)
    return {
        (kind, document) for kind, document in told if kind in _WARNINGS and (kind in _OF_A_DOCUMENT) is bool(document)
    }


def _still_said(document: str, old: Row, new: Row) -> bool:
    """Return whether a document was cited and all that was quoted from it still is."""
    before, after = _said(old, document), _said(new, document)
    return bool(before) and {*before} <= {*after}


def _said(row: Row, document: str) -> list[str]:
    """Return the sentences of an answer that cite a document; none where an older program did not keep them."""
    return [
        statement["text"] for statement in row.get("statements", ())
        if any(citation["document_id"] == document for citation in statement["citations"])
    ]  # fmt: skip


def _amended(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    """Return the documents cited in both runs whose words or catalogue row differ."""
    old, new = before.get("documents", {}), after.get("documents", {})
    return {key for key in old if key in new and old[key] != new[key]}


def other_figures(
    before: Mapping[str, Any], after: Mapping[str, Any], pairs: Sequence[tuple[Row, Row]], changed: Collection[str]
) -> list[str]:
    """Return, in words, for which amended documents an answer that cites them gives other figures than before."""
    found = []
    for document in sorted(_amended(before, after) - {*changed}):
        questions = [
            old["id"] for old, new in pairs
            if old["id"] not in changed and document in old["sources"] and document in new["sources"]
            and _figures(old, document) != _figures(new, document)
        ]  # fmt: skip
        if questions:
            found.append(f"{document}（{listed(questions)}）")
    return [f"资料改过，回答里的数字也变了，请核对；是有意改的，用 --changed 写明：{'；'.join(found)}"] if found else []


def _figures(row: Row, document: str) -> set[str]:
    """Return the figures that a row tells from a document, and of it."""
    notices = (
        text for text, about in zip(row["notices"], row["about"], strict=True)
        if about == document and text.partition(":")[0] in _OF_A_DOCUMENT
    )  # fmt: skip
    return {figure for text in (*_said(row, document), *notices) for figure in figures(text)}


def listed(names: Sequence[str]) -> str:
    """Return the first names in a row."""
    return "、".join(names[:10]) + ("等" if len(names) > 10 else "")
