"""Turn answers and documents into HTML; whatever comes from a document, a question or a catalogue is escaped."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import cache, partial
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode
from zlib import crc32

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from assistant.catalog import term
from assistant.errors import CorpusError
from assistant.index import Index
from assistant.schema import DOC_TYPE_LABELS, STATUS_LABELS, Answer, Citation, Document, Hit, in_title_marks
from assistant.validity import notice, validity
from assistant.words import ROOTS, TAGS, Language, said, say

NEAREST = 3  # documents offered when nothing answers
STRONG = {"expired", "superseded", "draft", "not_yet_valid"}  # who overlooks one of these acts wrongly
STANDING: dict[str, str] = dict(STATUS_LABELS.items()) | {"not_yet_valid": "尚未生效", "not_applicable": ""}
NOTICES = STANDING | {
    "draft": "征求意见稿", "unverified": "请核实", "not_published": "未公布", "period": "时间口径", "target": "规划目标", "conflict": "说法不同",
    "corrected": "按此查找", "unanswered": "没有查到", "generator_failed": "原文摘录", "withheld": "已略去", "routed": "说明", "contact": "咨询", "nearest": "相近内容",
}  # fmt: skip

_LINE = re.compile(r"(?P<blank>$|-{3,}$)|(?P<heading>#{1,6})\s+|(?P<row>(?=\|))|\s*(?P<item>[-*+])\s+|(?P<text>)")
_SEPARATOR = re.compile(r"[|:\-\s]+")
_PIPE = re.compile(r"(?<!\\)\|")
_HAN = re.compile(r"《[^》]*》|“[^”]*[\u3400-\u9fff][^”]*”|[\u3400-\u9fff](?:[^a-zA-Z\n]*[\u3400-\u9fff])?")


class Source(NamedTuple):
    """A numbered place in a document; `label` says how the document stands, `strong` that it is no rule in force."""

    number: int
    citation: Citation
    label: str
    strong: bool
    document_number: str


class AnswerView:
    """An answer as the page shows it: sources numbered in the order cited, one number for a place in a document.

    `root` leads from the page to the application's root, if not as for its language's ask page; `limited` says in
    words what the answer was limited to.
    """

    def __init__(
        self, answer: Answer, index: Index, root: str = "", limited: str = "", language: Language = "zh"
    ) -> None:
        self.answer, self.limited, self.language = answer, limited, language
        self._root, self._sources = root or ROOTS[language], dict[tuple[str, str], Source]()
        for citation in (c for statement in answer.statements for c in statement.citations):
            label, strong, written = _cited(citation, answer.as_of, index)
            source = Source(len(self._sources) + 1, citation, say(label, language), strong, written)
            self._sources.setdefault((citation.document_id, citation.place), source)
        self.sources = list(self._sources.values())
        notices = [notice for notice in answer.notices if notice.kind != "not_found"]
        notices.sort(key=lambda one: (one.kind not in STRONG, one.kind != "conflict"))
        self.notices = [
            (say(NOTICES[n.kind], language), n.kind, n.kind in STRONG, said(n.text, language)) for n in notices
        ]
        # The nearest documents are shown as links, so their names are cut off here.
        self.not_found = "".join(
            said(n.text.partition("最接近的资料是")[0], language) for n in answer.notices if n.kind == "not_found"
        )

    def chips(self, number: int) -> list[tuple[Source, Citation]]:
        """Return statement `number`'s sources, each with the first span cited there: the one that carries it."""
        first: dict[tuple[str, str], Citation] = {}
        for citation in self.answer.statements[number].citations:
            first.setdefault((citation.document_id, citation.place), citation)
        return [(self._sources[place], citation) for place, citation in first.items()]

    def url(self, span: Citation | Hit) -> str:
        """Return the address of a document's page, opened at a citation or at a passage found."""
        place, text = (span, span.quote) if isinstance(span, Citation) else (span.passage, span.passage.text)
        return self._root + document_url(
            place.document_id, place.start, place.end, self.answer.as_of, text, self.language
        )

    @property
    def nearest(self) -> list[Hit]:
        """The best hit of each of the nearest documents, where there is no answer."""
        best = {hit.document.id: hit for hit in reversed(self.answer.hits)}
        order = dict.fromkeys(hit.document.id for hit in self.answer.hits)
        return [best[key] for key in order][:NEAREST] if self.answer.status == "abstained" else []


def document_url(document_id: str, start: int, end: int, as_of: date, text: str = "", language: Language = "zh") -> str:
    """Return the address of a document's page from the application's root, opened at a span as long as `text` stands there."""
    told = {"start": start, "end": end, "as_of": as_of.isoformat(), **({"check": checksum(text)} if text else {})}
    told |= {"language": language} if language != "zh" else {}
    return f"documents/{quote(document_id, safe='')}?{urlencode(told)}#quote"


def checksum(text: str) -> str:
    """Return what tells whether a span is still what was quoted: a document may change while its link is on the page."""
    return f"{crc32(text.encode()):08x}"


def document_html(
    document: Document, start: int, end: int, as_of: date, index: Index, language: Language = "zh"
) -> str:
    """Return a document's page; offsets that are no span of its text highlight nothing."""
    meta, span = document.metadata, (start, end) if 0 <= start < end <= len(document.text) else (0, 0)
    label, strong = _standing(document, as_of, index)
    facts = {
        "发布者": meta.publisher, "发文机关": meta.issuing_body, "文号": meta.document_number, "发布日期": meta.published,
        "有效期": said(term(meta), language), "类型": say(DOC_TYPE_LABELS[meta.doc_type], language), "级别": say(meta.level, language), "数据时期": meta.data_period,
        "原题": meta.source_title, "可信度": say(meta.confidence, language), "备注": meta.note,
    }  # fmt: skip
    told = notice(document, as_of, index.successors.get(document.id, ()))
    html: str = template("document.html", language).page(
        document, facts, say(label, language), strong, as_of, said(told.text, language) if told else "",
        text_html(document.text, *span, document.pages),
    )  # fmt: skip
    return html


def _cited(citation: Citation, as_of: date, index: Index) -> tuple[str, bool, str]:
    """Return how a cited document stands, and its 文号; the answer may be older than the index."""
    try:
        document = index.document(citation.document_id)
    except CorpusError:
        return "资料已撤下", True, ""
    if document.text[citation.start : citation.end] != citation.quote:
        return "资料已更新", True, document.metadata.document_number
    return *_standing(document, as_of, index), document.metadata.document_number


def _standing(document: Document, as_of: date, index: Index) -> tuple[str, bool]:
    standing = validity(document, as_of, index.successors.get(document.id, ()))
    return STANDING[standing], standing in STRONG


def text_html(text: str, start: int, end: int, pages: Sequence[int] = ()) -> Markup:
    """Return Markdown as HTML with [start, end) marked; every character shown comes from its own offset.

    Headings, lists and tables are rendered, all else stands as it is. The first mark has the id "quote". Signs without
    text tell where the pages of the file begin (`Document.pages`).
    """
    lines, at = [], 0
    for line in text.split("\n"):
        match = _LINE.match(line)
        assert match and match.lastgroup  # the last alternative matches every line
        kind = match["heading"] or match.lastgroup
        lines.append((kind, at + match.end() * (kind != "blank"), at + len(line)))
        at += len(line) + 1
    write = partial(_write, text, start, end, list(enumerate(pages[:-1], 1)))
    groups = groupby(lines, key=lambda one: one[0])
    html = "\n".join(part for kind, group in groups for part in _block(kind, [s[1:] for s in group], text, write))
    return Markup(html.replace("<mark>", '<mark id="quote">', 1))


def _block(kind: str, spans: Sequence[tuple[int, int]], text: str, write: Callable[..., Markup]) -> Iterator[Markup]:
    """Yield the HTML of neighbouring lines of one kind: blank, row, item, text, or a heading's number signs."""
    if kind == "row":
        yield _table(spans, text, write)
    elif kind == "item":
        yield Markup("<ul>{}</ul>").format(Markup().join(write(*span, "li") for span in spans))
    elif kind == "text":
        yield Markup("<p>{}</p>").format(Markup("<br>").join(write(*span) for span in spans))
    elif kind != "blank":
        yield from (write(*span, f"h{min(len(kind) + 1, 6)}") for span in spans)  # h1 is the title


def _table(spans: Sequence[tuple[int, int]], text: str, write: Callable[..., Markup]) -> Markup:
    rows = []
    headed = len(spans) > 1 and bool(_SEPARATOR.fullmatch(text[slice(*spans[1])]))
    for number, (a, b) in enumerate(spans):
        pipes = [match.start() for match in _PIPE.finditer(text, a, b)]
        ends = pipes[1:] + ([b] if text[pipes[-1] + 1 : b].strip() else [])
        tag = "th" if headed and number == 0 else "td"
        cells = [write(pipe + 1, end, tag) for pipe, end in zip(pipes, ends, strict=False)]
        rows += [] if headed and number == 1 else [Markup("<tr>{}</tr>").format(Markup().join(cells))]
    return Markup('<div class="table" tabindex="0"><table>{}</table></div>').format(Markup().join(rows))


def _write(
    text: str, start: int, end: int, to_come: list[tuple[int, int]], a: int, b: int, tag: str = "span"
) -> Markup:
    """Return text[a:b] in an element, the part within [start, end) marked, the pages `to_come` that begin there signed.

    A page that begins before `a`, at characters that are not shown (the bar of a row), is signed at `a`.
    """
    cuts = sorted({a, b, *(at for at in (start, end, *(at for _, at in to_come)) if a < at < b)})
    parts = []
    for low, high in pairwise(cuts):
        while to_come and to_come[0][1] <= low:
            parts.append(Markup('<span role="doc-pagebreak" aria-label="第{}页"></span>').format(to_come.pop(0)[0]))
        parts.append(Markup("<mark>{}</mark>" if start <= low < end else "{}").format(text[low:high]))
    return Markup(f"<{tag}>{{}}</{tag}>").format(Markup().join(parts))


@cache
def _templates(language: Language) -> Environment:
    """Return the templates in a language: `_` gives their words in it."""
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"_": partial(say, language=language), "said": partial(said, language=language), "language": language, "tag": TAGS[language], "root": ROOTS[language]}  # fmt: skip
    made.filters["chinese"] = _marked if language != "zh" else str
    made.filters["web"] = lambda url: url.startswith(("http://", "https://"))
    made.filters["titled"] = in_title_marks
    made.filters["cells"] = lambda quote: " ".join(_PIPE.sub(" ", quote).split()) if quote.startswith("|") else quote
    return made


def _marked(text: str) -> Markup:
    """Return a text of another language as HTML, the Chinese in it marked as such."""
    parts, at = Markup(), 0
    for match in _HAN.finditer(text):
        parts += Markup('{}<span lang="zh-CN">{}</span>').format(text[at : match.start()], match.group())
        at = match.end()
    return parts + text[at:]


def template(name: str, language: Language = "zh") -> Any:
    """Return a template's macros in a language; they give HTML for their arguments."""
    return _templates(language).get_template(name).module
