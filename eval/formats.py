"""Measure what the readers keep of one document written in many formats, and whether the answers stay the same.

    python -m eval.formats [--keep DIR] [--show]

Writes the made-up documents of eval/formats.json as PDF (twice: by an office and by a browser), Word, web page, GB18030
text, workbook and CSV (what is a table), and scan (where rapidocr_onnxruntime is installed); reads them back, and asks
the questions over each format's index. --keep leaves the files in DIR; --show lists each item lost, left or added.
"""

import argparse
import importlib.util
import re
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from assistant.config import Settings, stay_offline
from assistant.embedding import StaticEmbeddings
from assistant.ingest import Source as Ingested
from assistant.ingest import update
from assistant.load import Loaded, load
from assistant.models import load_assistant
from assistant.retrieve import Filters
from assistant.schema import Answer, Document
from assistant.split import Unit, split, units
from eval.format_files import CHROMIUM, LEGAL, MENU, RELATED, TOOLS, WRITERS
from eval.format_sources import LEFT, Source, figures, read_sources
from eval.testset import holds

AS_OF = date(2026, 11, 25)
SHEETS = ("xlsx", "csv")  # of documents that are a table; their indexes hold the others as Word files
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
    places: list[int] = []
    for clause in source.clauses:
        at = plain.find(squeeze(clause), places[-1] if places else 0)
        at = at if at >= 0 else plain.find(squeeze(clause))
        tally.count("clauses", at >= 0, f"{source.id} 缺：{clause}")
        places += [at] if at >= 0 else []
    for aside in source.asides:
        tally.count("clauses", squeeze(aside) in text, f"{source.id} 缺：{aside}")
    tally.count("order", all(a <= b for a, b in pairwise(places)), f"{source.id} 次序颠倒")
    for figure in sorted(source.figures):
        tally.count("figures", holds(figure, document.text), f"{source.id} 缺数字：{figure}")
    added = sorted(figures(document.text) - source.figures)
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


def write_and_load(sources: Sequence[Source], name: str, folder: Path) -> Loaded:
    """Write the documents in one format into a folder, named by their titles, and load it."""
    suffix, write = WRITERS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        write(source, folder / f"{source.title}{suffix}")
    return load(folder)


def ask_all(documents: Sequence[Document], questions: Sequence[dict[str, Any]], index: Path) -> list[Answer]:
    """Index the documents and ask each question of them."""
    embeddings = StaticEmbeddings.load()
    update(index, [Ingested("formats", documents)], embeddings, embeddings.fingerprint, None)
    assistant = load_assistant(Settings(index=index))
    try:
        return [assistant.ask(row["question"], (), Filters(AS_OF)) for row in questions]
    finally:
        assistant.close()


def said(answer: Answer) -> str:
    """Return what an answer states, a statement a line, white space within one left out."""
    return "\n".join(squeeze(statement.text) for statement in answer.statements)


def right(row: dict[str, Any], answer: Answer) -> bool:
    """Return whether an answer holds all key facts, or abstains where there are none."""
    return all(holds(fact, said(answer)) for fact in row["key_facts"]) if row["key_facts"] else not said(answer)


def formats() -> list[str]:
    """Return the names of the formats that can be written and read here, and say which cannot."""
    missing = {}
    if not CHROMIUM:
        missing["printed"] = "没有 Chromium"
    if importlib.util.find_spec("rapidocr_onnxruntime") is None:
        missing["scan"] = "没有安装 rapidocr_onnxruntime"
    for name, why in missing.items():
        print(f"略去 {name}：{why}")
    return [name for name in WRITERS if name not in missing]


def tally_of(sources: Sequence[Source], loaded: Loaded) -> Tally:
    """Measure each document of one format; one that was refused holds nothing."""
    tally = Tally(faults=[f"没有读：{p}" for p in loaded.problems if p.refused])
    documents = {document.id: document for document in loaded.documents}
    for source in sources:
        measure(source, documents.get(source.title, Document(source.title, "", "\n")), tally)
    return tally


def table_of(tallies: dict[str, Tally], answers: dict[str, list[Answer]], questions: Sequence[dict[str, Any]]) -> str:
    """Return the result by format as a Markdown table."""
    titles = {"clauses": "条款", "order": "次序", "headings": "标题", "figures": "数字", "cells": "单元格", "particulars": "文号日期等"}  # fmt: skip
    lines = [
        f"| 格式 | {' | '.join(titles.values())} | 多出的数字 | 多余文字 | 要点全对 | 应拒已拒 |",
        "| --- " * 11 + "|",
    ]
    for name, tally in tallies.items():
        scored = list(zip(questions, answers[name], strict=True))
        can, cannot = ([right(row, a) for row, a in scored if bool(row["key_facts"]) is kind] for kind in (True, False))
        shares = " | ".join(map(tally.share, titles))
        lines.append(
            f"| {name} | {shares} | {tally.found['added']} | {tally.found['noise']} "
            f"| {sum(can)}/{len(can)} | {sum(cannot)}/{len(cannot)} |"
        )
    return "\n".join(lines)


def differing(answers: dict[str, list[Answer]], questions: Sequence[dict[str, Any]]) -> list[str]:
    """Return each question whose answers differ between formats, with each answer and the formats that gave it."""
    found = []
    for at, row in enumerate(questions):
        groups: dict[str, list[str]] = defaultdict(list)
        for name, given in answers.items():
            groups[said(given[at])].append(name)
        if len(groups) > 1:
            lines = [f"  {'、'.join(names)}：{text or '（没有回答）'}" for text, names in groups.items()]
            found.append("\n".join([row["question"], *lines]))
    return found


def run(sources: Sequence[Source], questions: Sequence[dict[str, Any]], names: Sequence[str], folder: Path) -> tuple[
    dict[str, Tally], dict[str, list[Answer]]
]:  # fmt: skip
    """Write, read and ask in each format; `docx` comes first, as sheets lack most documents."""
    tallies, answers = {}, {}
    word = write_and_load(sources, "docx", folder / "docx")
    for name in names:
        chosen = [source for source in sources if source.is_table] if name in SHEETS else sources
        loaded = word if name == "docx" else write_and_load(chosen, name, folder / name)
        tallies[name] = tally_of(chosen, loaded)
        held = {source.title for source in chosen}
        documents = [*loaded.documents, *(document for document in word.documents if document.id not in held)]
        answers[name] = ask_all(documents, questions, folder / "index" / name)
    return tallies, answers


def main() -> None:
    """Print what each format keeps, then the answers that differ between formats."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--show", action="store_true")
    arguments = parser.parse_args()
    stay_offline()
    sources, questions = read_sources()
    with tempfile.TemporaryDirectory() as temporary:
        tallies, answers = run(sources, questions, formats(), arguments.keep or Path(temporary))
    print(table_of(tallies, answers, questions))
    for name, tally in tallies.items():
        for fault in tally.faults if arguments.show else ():
            print(f"{name} {fault}")
    for name, given in answers.items():
        for row, answer in zip(questions, given, strict=True):
            if not right(row, answer):
                print(f"{name} 答得不全：{row['question']} {row['key_facts']}：{said(answer) or '（没有回答）'}")
    differ = differing(answers, questions)
    print(f"各格式回答相同：{len(questions) - len(differ)}/{len(questions)}")
    print("\n".join(differ))


if __name__ == "__main__":
    main()
