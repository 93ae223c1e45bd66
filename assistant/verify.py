"""Hold statements to their citations: removes what no cited span supports, adds nothing."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal

from assistant.schema import Citation, Document, Statement
from assistant.text import normalise

_MAGNITUDES = {
    "百": 100,
    "千": 1000,
    "万": 10_000,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "千亿": 10**11,
    "万亿": 10**12,
}
_DATE = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?:年|[-/.](?=\d{1,2}(?!\d)))(?:(?P<m>\d{1,2})(?:月|[-/.](?=\d))?(?:(?P<d>\d{1,2})日?)?)?"
)
_DOCUMENT_NUMBER = re.compile(r"\w{1,10}\[\d{4}\]\d+号")
_NUMBER = re.compile(r"(?<![\d.])(?P<n>\d+(?:\.\d+)?)(?P<m>[百千]?[万亿]亿?|百|千)?(?P<p>%)?")
_QUOTED = re.compile(r"[《“「『]([^》”」』]+)[》”」』]")


def figures(text: str) -> frozenset[str]:
    """Return every figure of a text in one spelling: amounts, counts, percentages, dates and 文号.

    5000亿元 and 五千亿 give 500000000000, not 5000万's 50000000; 2023年8月22日 and 2023-08-22 give the same;
    a date also gives its month and its year, which it implies.
    """
    text = normalise(text)
    found = {match.group() for match in _DOCUMENT_NUMBER.finditer(text)}
    text = _DOCUMENT_NUMBER.sub(" ", text)
    for match in _DATE.finditer(text):
        parts = [match["y"], *(f"{int(part):02d}" for part in (match["m"], match["d"]) if part)]
        found |= {"-".join(parts[:count]) for count in range(1, len(parts) + 1)}
    text = _DATE.sub(" ", text)
    for match in _NUMBER.finditer(text):
        value = Decimal(match["n"]) * _MAGNITUDES.get(match["m"] or "", 1)
        found.add(f"{value.normalize():f}{match['p'] or ''}")
    return frozenset(found)


def names(text: str) -> frozenset[str]:
    """Return the names a text quotes, in 《》 or quotation marks, normalised."""
    return frozenset(normalise(name) for name in _QUOTED.findall(text))


def stands(citation: Citation, document: Document) -> bool:
    """Return whether the quote is in the document, verbatim, at its offsets."""
    return bool(citation.quote) and document.text[citation.start : citation.end] == citation.quote


def unsupported(statement: Statement) -> frozenset[str]:
    """Return the figures and quoted names of a statement that stand in no span it cites."""
    spans = " \n ".join(citation.quote for citation in statement.citations)
    spelled = normalise(spans)
    return (figures(statement.text) - figures(spans)) | {name for name in names(statement.text) if name not in spelled}


def verify(statements: Sequence[Statement], document: Callable[[str], Document]) -> tuple[Statement, ...]:
    """Return the statements that hold, each with the citations that stand."""
    kept = []
    for statement in statements:
        citations = tuple(c for c in statement.citations if stands(c, document(c.document_id)))
        statement = replace(statement, citations=citations)
        if citations and not unsupported(statement):
            kept.append(statement)
    return tuple(kept)
