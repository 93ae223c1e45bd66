"""Measure what the readers keep of one document written in many formats, and whether the answers stay the same.

    python -m eval.formats [--keep DIR] [--show]

Writes the made-up documents of eval/formats.json as PDF (twice: by an office and by a browser), Word, web page, GB18030
text, workbook and CSV (what is a table), and scan (where rapidocr is installed); reads them back, and asks
the questions over each format's index. --keep leaves the files in DIR; --show lists each item lost, left or added.
"""

import argparse
import importlib.util
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
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
from eval.format_files import CHROMIUM, WRITERS
from eval.format_measure import Tally, measure, squeeze
from eval.format_sources import Source, read_sources
from eval.testset import holds

AS_OF = date(2026, 11, 25)
SHEETS = ("xlsx", "csv")  # of documents that are a table; their indexes hold the others as Word files


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
    if importlib.util.find_spec("rapidocr") is None:
        missing["scan"] = "没有安装 rapidocr"
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
    titles = {"clauses": "条款", "whole": "不断开", "order": "次序", "headings": "标题", "figures": "数字", "cells": "单元格", "particulars": "文号日期等"}  # fmt: skip
    lines = [
        f"| 格式 | {' | '.join(titles.values())} | 多出的数字 | 多余文字 | 要点全对 | 应拒已拒 |",
        "| --- " * 12 + "|",
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
