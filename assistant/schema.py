"""The nouns: documents, passages, hits, citations, statements and answers; all frozen and JSON-serialisable."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Literal

DocType = Literal[
    "briefing", "policy", "guide", "draft", "plan", "interpretation", "news", "statistics", "catalogue", "contacts"
]
Level = Literal["", "国家级", "市级", "区级", "镇级"]
Status = Literal["in_force", "draft", "expired", "superseded", "unverified", "not_applicable"]
Precision = Literal["day", "month", "year", "event"]
Confidence = Literal["", "高", "中高", "中", "中低", "低"]
Glossary = tuple[tuple[str, tuple[str, ...]], ...]  # (the corpus's term, other spellings)

DOC_TYPE_LABELS: dict[DocType, str] = {
    "briefing": "发布会",
    "policy": "政策文件",
    "guide": "申报指南",
    "draft": "征求意见稿",
    "plan": "规划方案",
    "interpretation": "政策解读",
    "news": "新闻报道",
    "statistics": "统计数据",
    "catalogue": "名录",
    "contacts": "联系方式",
}
NORMATIVE: frozenset[DocType] = frozenset({"policy", "guide", "draft", "plan", "interpretation"})
STATUS_LABELS: dict[Status, str] = {
    "in_force": "现行有效",
    "draft": "征求意见",
    "expired": "已失效",
    "superseded": "已被替代",
    "unverified": "未核对",
    "not_applicable": "不适用",
}


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the catalogue says of a document; "" where it says nothing.

    Dates are partial ISO dates: YYYY, YYYY-MM or YYYY-MM-DD; valid_from and valid_to are both inclusive.
    """

    publisher: str = ""
    source_title: str = ""
    source_url: str = ""
    published: str = ""
    published_precision: Precision = "day"
    doc_type: DocType = "news"
    level: Level = ""
    issuing_body: str = ""
    document_number: str = ""
    valid_from: str = ""
    valid_to: str = ""
    status: Status = "unverified"
    supersedes: tuple[str, ...] = ()
    data_period: str = ""
    confidence: Confidence = ""
    note: str = ""
    read: tuple[str, ...] = ()  # fields that were read from the text and that nobody has confirmed


def in_title_marks(title: str) -> str:
    """Return a title in 《》, those within it as 〈〉 (GB/T 15834—2011)."""
    return f"《{title.translate(str.maketrans('《》', '〈〉'))}》"


@dataclass(frozen=True, slots=True)
class Document:
    """One policy, briefing or report; every offset in the product refers to its `text`, which is cleaned once.

    Page n of the file is `text[pages[n - 1]:pages[n]]`; `pages` is empty where the format has none.
    """

    id: str
    title: str
    text: str
    metadata: Metadata = field(default_factory=Metadata)
    pages: tuple[int, ...] = ()

    @property
    def named(self) -> str:
        """The title as it is written in a sentence."""
        return in_title_marks(self.title)

    def page(self, start: int, end: int) -> str:
        """Name the page or pages that a span stands on: 第3页, 第3—4页; "" if none, as below the last page."""
        first, last = (bisect_right(self.pages, at) for at in (start, max(start, end - 1)))
        last = min(last, len(self.pages) - 1)
        if not 0 < first <= last:
            return ""
        return f"第{first}页" if first == last else f"第{first}—{last}页"


def in_words(locator: str, page: str) -> str:
    """Return where a span stands in its document: under which headings, on which page."""
    return "，".join(filter(None, (locator, page)))


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrievable span: `document.text[start:end] == text`, 0-based characters, end exclusive.

    `headings` is the heading path above it, outermost first; `context` is what a reader needs besides the text
    (the table's header row where the passage holds later rows of it).
    """

    id: str
    document_id: str
    headings: tuple[str, ...]
    text: str
    start: int
    end: int
    context: str = ""

    @property
    def locator(self) -> str:
        """Where in the document, in words: the heading path."""
        return " › ".join(self.headings)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query; its score is in (0, 1], 1 for the best. `ranks` holds the rank in each arm, from 1.

    `twins` are passages of other documents that say the same, folded into this one.
    """

    passage: Passage
    document: Document
    score: float
    ranks: Mapping[str, int] = field(default_factory=dict)
    twins: "tuple[Hit, ...]" = ()

    @property
    def page(self) -> str:
        """The page or pages that the passage stands on, in words."""
        return self.document.page(self.passage.start, self.passage.end)

    @property
    def place(self) -> str:
        """Where in the document, in words."""
        return in_words(self.passage.locator, self.page)


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim span: `document.text[start:end] == quote`.

    `locator` is the heading path, which says something of what is quoted; `page` only says where it stands.
    """

    document_id: str
    title: str
    locator: str
    quote: str
    start: int
    end: int
    published: str
    publisher: str
    source_url: str
    page: str = ""

    @property
    def place(self) -> str:
        """Where in the document, in words."""
        return in_words(self.locator, self.page)


@dataclass(frozen=True, slots=True)
class Statement:
    """One sentence, list item or table row of an answer: the unit that is cited, checked and evaluated.

    `label` names what it is of, where an answer sets several side by side: the facet of a policy, the thing compared,
    the date and publisher of one of several values.
    """

    text: str
    citations: tuple[Citation, ...]
    label: str = ""


NoticeKind = Literal[
    "not_found", "not_published", "expired", "superseded", "draft", "not_yet_valid", "unverified", "period", "target", "conflict",
    "corrected", "unanswered", "generator_failed", "withheld", "routed", "contact", "nearest",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notice:
    """What a reader must know beside the statements; `document_id` names the document it speaks of, if one."""

    kind: NoticeKind
    text: str
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a user gets. No statements means abstained; the hits are still there to show what came nearest.

    `confidence` is how likely the answer is right, in [0, 1]; `timings_ms` holds each stage's wall time; `generation` names the index that answered.
    """

    question: str
    query: str
    as_of: date
    statements: tuple[Statement, ...]
    hits: tuple[Hit, ...]
    notices: tuple[Notice, ...]
    confidence: float
    timings_ms: Mapping[str, float]
    generation: str

    @property
    def status(self) -> Literal["answered", "abstained"]:
        """Derived, so it can never disagree with the statements."""
        return "answered" if self.statements else "abstained"

    def to_dict(self) -> dict[str, Any]:
        """Return the answer as plain JSON types; hits are shortened to what names and places them."""
        return {
            "question": self.question,
            "query": self.query,
            "status": self.status,
            "statements": [asdict(statement) for statement in self.statements],
            "notices": [asdict(notice) for notice in self.notices],
            "confidence": round(self.confidence, 4),
            "as_of": self.as_of.isoformat(),
            "timings_ms": {stage: round(ms, 2) for stage, ms in self.timings_ms.items()},
            "generation": self.generation,
            "hits": [hit_to_dict(hit) for hit in self.hits],
        }


def hit_to_dict(hit: Hit) -> dict[str, Any]:
    """Return a hit as plain JSON types."""
    return {
        "document_id": hit.document.id,
        "title": hit.document.title,
        "locator": hit.passage.locator,
        "page": hit.page,
        "text": hit.passage.text,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "score": round(hit.score, 6),
        "published": hit.document.metadata.published,
        "source_url": hit.document.metadata.source_url,
    }
