"""Count what a document that was read back holds of what it was written from, and what it should not hold."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from assistant.schema import Document
from assistant.split import Unit, split, units
from eval.format_files import LEGAL, MENU, RELATED, TOOLS
from eval.format_sources import LEFT, Source, figures
from eval.testset import holds

PARTICULARS = ("document_number", "issuing_body", "published", "valid_from", "valid_to", "supersedes")
_NOISE = re.compile(
    "|".join(
        [*map(re.escape, (*MENU, *TOOLS, *RELATED, *LEGAL)), r"—\d+—", r"第\d+页共\d+页", r"\d+/\d+$", "file:///"]
    ),
    re.MULTILINE,
)
_REFERENCE = re.compile(r"\[\d\]|\[注\]|（注：.*?）")  # marks of footnotes, and footnotes in the text itself


@dataclass(slots=True)
class Tally:
    """What was found of what there was, and the faults in words, for one format."""

    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    total: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    faults: list[str] = field(default_factory=list)

    def count(self, what: str, found: bool, fault: str) -> None:
        """Count one item, and note the fault if it was not found."""
        self.total[what] += 1
        self.found[what] += found
        if not found:
            self.faults.append(fault)

    def share(self, what: str) -> str:
        """Return found/total."""
        return f"{self.found[what]}/{self.total[what]}"


def squeeze(text: str) -> str:
    """Return a text without white space."""
    return re.sub(r"\s", "", text)


def measure(source: Source, document: Document, tally: Tally) -> None:
    """Count what a document that was read holds of its source, and what it should not hold."""
    text = squeeze(document.text)
    plain = _REFERENCE.sub("", text)
    lines = [_REFERENCE.sub("", squeeze(line)) for line in document.text.split("\n")]
    places: list[int] = []
    for clause in source.clauses:
        at = plain.find(squeeze(clause), places[-1] if places else 0)
        at = at if at >= 0 else plain.find(squeeze(clause))
        tally.count("clauses", at >= 0, f"{source.id} 缺：{clause}")
        if at >= 0:
            places.append(at)
            whole = any(squeeze(clause) in line for line in lines)
            tally.count("whole", whole, f"{source.id} 断成几段：{clause}")
    for aside in source.asides:
        tally.count("clauses", squeeze(aside) in text, f"{source.id} 缺：{aside}")
    tally.count("order", all(a <= b for a, b in pairwise(places)), f"{source.id} 次序颠倒")
    parted = f"{document.title}\n{document.text}".replace("\t", "|").replace("\n", "|")
    for figure in sorted(source.figures):
        tally.count("figures", holds(figure, parted), f"{source.id} 缺数字：{figure}")
    added = sorted(figures(document.text) - source.figures - source.item_numbers)
    tally.found["added"] += len(added)
    tally.faults += [f"{source.id} 多出数字：{figure}" for figure in added]
    noise = [match.group() for match in _NOISE.finditer(re.sub(r"[^\S\n]", "", document.text))]
    noise += [source.header] * text.count(squeeze(source.header)) if source.header else []
    tally.found["noise"] += len(noise)
    tally.faults += [f"{source.id} 多余：{words}" for words in noise]
    headings = {heading for passage in split(document) for heading in passage.headings}
    for block in source.blocks:
        if block.kind in ("h1", "h2"):
            known = squeeze(block.text) in map(squeeze, headings)
            tally.count("headings", known, f"{source.id} 不是标题：{block.text}")
    measure_tables(source, document, tally)
    measure_particulars(source, document, tally)


def measure_tables(source: Source, document: Document, tally: Tally) -> None:
    """Count the cells that stand in a row with what names the row, each under its own column's header."""
    rows = [
        unit
        for passage in split(document)
        for unit in units(document.text, passage.start, passage.end, passage.context)
        if unit.kind == "row"
    ]
    for table in source.tables:
        full, heads = table.filled(), len(table.header)
        for written, row in zip(table.rows, full[heads:], strict=True):
            named = [unit for unit in rows if _names(unit, row[: table.labels])]
            for column, cell in enumerate(row):
                if written[column] != LEFT:
                    head = [line[column] for line in full[:heads]]
                    found = any(_holds(unit, head, cell) for unit in named)
                    place = f"{'／'.join(row[: table.labels])}，{'／'.join(dict.fromkeys(head))}"
                    tally.count("cells", found, f"{source.id} 缺单元格：{place}：{cell}")


def _names(unit: Unit, labels: Sequence[str]) -> bool:
    values = {squeeze(value) for _, value in unit.cells}
    return all(squeeze(label) in values for label in labels)


def _holds(unit: Unit, head: Sequence[str], cell: str) -> bool:
    return any(
        squeeze(value) == squeeze(cell) and all(squeeze(part) in squeeze(header) for part in head)
        for header, value in unit.cells
    )


def measure_particulars(source: Source, document: Document, tally: Tally) -> None:
    """Count the particulars that are as the document says, those it does not say being blank."""
    said = {"title": source.title, **source.particulars}
    for name in ("title", *PARTICULARS):
        read = document.title if name == "title" else getattr(document.metadata, name)
        read = list(read) if isinstance(read, tuple) else read
        tally.count("particulars", read == said[name], f"{source.id} {name}：读作{read!r}，应为{said[name]!r}")
