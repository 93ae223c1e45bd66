"""Say how a document stands on a given day; recency is not validity."""

from collections.abc import Sequence
from datetime import date
from typing import Literal

from assistant.catalog import first_day, last_day, written
from assistant.schema import DOC_TYPE_LABELS, NORMATIVE, Document, Notice

Validity = Literal["in_force", "draft", "expired", "superseded", "not_yet_valid", "unverified", "not_applicable"]


def validity(document: Document, as_of: date, successors: Sequence[Document] = ()) -> Validity:
    """Return how the document stands on that day; `successors` are the documents that replace it."""
    meta = document.metadata
    if _draft(document):
        return "draft"
    if _in_effect(successors, as_of):
        return "superseded"
    if meta.valid_to and last_day(meta.valid_to) < as_of:
        return "expired"
    if meta.valid_from and first_day(meta.valid_from) > as_of:
        return "not_yet_valid"
    if meta.status in ("expired", "superseded"):
        return "unverified" if meta.valid_to else meta.status
    if meta.status == "in_force" or meta.doc_type not in NORMATIVE:
        return "in_force" if meta.doc_type in NORMATIVE else "not_applicable"
    return "in_force" if meta.valid_to else "unverified"


def _in_effect(successors: Sequence[Document], as_of: date) -> list[Document]:
    """Return the successors that replace by that day; a draft replaces nothing."""
    starts = ((s, s.metadata.valid_from or s.metadata.published or "1900") for s in successors if not _draft(s))
    return [successor for successor, start in starts if first_day(start) <= as_of]


def _draft(document: Document) -> bool:
    return document.metadata.status == "draft" or document.metadata.doc_type == "draft"


def notice(document: Document, as_of: date, successors: Sequence[Document] = ()) -> Notice | None:
    """Return what a reader of an answer must know of this source on that day, or None."""
    name, meta = f"《{document.title}》", document.metadata
    match validity(document, as_of, successors):
        case "draft":
            return Notice("draft", f"{name}是征求意见稿，不是生效文件，不能作为现行依据。", document.id)
        case "expired":
            until = f"有效期或执行期到{written(meta.valid_to)}为止" if meta.valid_to else "已失效"
            return Notice(
                "expired",
                f"{name}{until}，截至{written(as_of.isoformat())}不是现行规定，仅供了解当时情况。",
                document.id,
            )
        case "superseded":
            names = "、".join(f"《{s.title}》" for s in _in_effect(successors, as_of))
            by = f"已被{names}替代" if names else "已被后来的文件替代"
            return Notice("superseded", f"{name}{by}，截至{written(as_of.isoformat())}不是现行规定。", document.id)
        case "not_yet_valid":
            return Notice(
                "not_yet_valid",
                f"{name}自{written(meta.valid_from)}起执行，截至{written(as_of.isoformat())}尚未生效。",
                document.id,
            )
        case "unverified":
            kind = DOC_TYPE_LABELS[meta.doc_type]
            return Notice(
                "unverified", f"{name}（{kind}）现在是否有效，资料中没有写明，办理前请向主管部门核实。", document.id
            )
    return None
