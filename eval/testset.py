"""Test sets: one question a row, read and written as JSON lines or Excel, and checked against the documents."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from assistant.errors import CorpusError, SettingsError
from assistant.formats import read_text
from assistant.schema import Document, Turn
from assistant.text import normalise

TESTSET = Path(__file__).parent / "testset.jsonl"
STATES = ("expired", "superseded", "draft", "not_yet_valid", "target")


@dataclass(frozen=True, slots=True)
class TestQuestion:
    """A question with what a right answer must hold: each key fact is a choice of spellings, parted by |.

    `as_of` is the day it is asked for, if not that of the run; `stale` pairs documents with how they stand that day
    (expired, superseded, draft, not_yet_valid) or with "target"; `values` pairs what sources say differently with
    the documents that say it. No statement may hold one of `must_not_say` or cite one of `forbidden_docs`; `group`
    names questions that ask the same in other words; `provenance` says where a question comes from.
    """

    __test__ = False  # not a pytest class

    id: str
    question: str
    answerable: bool
    key_facts: tuple[str, ...]
    docs: tuple[str, ...]
    category: str
    history: tuple[Turn, ...] = ()
    as_of: date | None = None
    stale: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    must_not_say: tuple[str, ...] = ()
    forbidden_docs: tuple[str, ...] = ()
    group: str = ""
    difficulty: str = ""
    provenance: str = ""
    note: str = ""


def read_testset(path: Path | None = None) -> list[TestQuestion]:
    """Read a test set, .jsonl or .xlsx. Raises SettingsError naming the row that cannot be read."""
    path = path or TESTSET
    rows = _excel_rows(path) if path.suffix.lower() == ".xlsx" else _json_rows(path)
    questions = []
    for number, row in rows:
        try:
            questions.append(from_dict(row))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise SettingsError(
                f"{path.name} 第{number}行：字段不全或格式不对（{error}），格式见 eval/README.md"
            ) from error
    if not questions:
        raise SettingsError(f"测试集“{path}”是空的")
    return questions


def _json_rows(path: Path) -> list[tuple[int, Any]]:
    try:
        lines = read_text(path).splitlines()
    except CorpusError as error:
        raise SettingsError(f"测试集“{path}”：{error}") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                rows.append((number, json.loads(line)))
            except ValueError as error:
                raise SettingsError(f"{path.name} 第{number}行不是 JSON") from error
    return rows


def from_dict(row: Mapping[str, Any]) -> TestQuestion:
    """Return the question of a row. Raises ValueError, TypeError, KeyError or AttributeError where it is none."""
    unknown = row.keys() - {field.name for field in fields(TestQuestion)}
    if unknown:
        raise ValueError(f"没有 {'、'.join(sorted(unknown))} 这样的字段")
    if not all(isinstance(row[name], str) and row[name].strip() for name in ("id", "question", "category")):
        raise ValueError("id、question、category 要是文字")
    if not isinstance(row["answerable"], bool):
        raise ValueError("answerable 要是 true 或 false")
    return TestQuestion(
        row["id"],
        row["question"],
        row["answerable"],
        _texts(row["key_facts"]),
        _texts(row["docs"]),
        row["category"],
        tuple(Turn(turn["role"], turn["content"]) for turn in row.get("history") or ()),
        date.fromisoformat(row["as_of"]) if row.get("as_of") else None,
        tuple((stale["document"], stale["state"]) for stale in row.get("stale") or ()),
        tuple((value["fact"], _texts(value["documents"])) for value in row.get("values") or ()),
        _texts(row.get("must_not_say") or []),
        _texts(row.get("forbidden_docs") or []),
        *(row.get(name) or "" for name in ("group", "difficulty", "provenance", "note")),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError("要是一组文字")
    return tuple(value)


def to_dict(question: TestQuestion) -> dict[str, Any]:
    """Return a question as the row that `read_testset` reads, what is empty left out."""
    row: dict[str, Any] = {
        "id": question.id, "question": question.question, "category": question.category, "answerable": question.answerable,
        "key_facts": list(question.key_facts), "docs": list(question.docs),
    }  # fmt: skip
    more: dict[str, Any] = {
        "history": [{"role": turn.role, "content": turn.content} for turn in question.history],
        "as_of": question.as_of.isoformat() if question.as_of else "",
        "stale": [{"document": document, "state": state} for document, state in question.stale],
        "values": [{"fact": fact, "documents": list(documents)} for fact, documents in question.values],
        "must_not_say": list(question.must_not_say),
        "forbidden_docs": list(question.forbidden_docs),
        **{name: getattr(question, name) for name in ("group", "difficulty", "provenance", "note")},
    }
    return row | {name: value for name, value in more.items() if value}


def write_testset(questions: Sequence[TestQuestion], path: Path) -> None:
    """Write a test set as .jsonl, or as .xlsx for officers: a row a question, the members of a list on lines of a cell."""
    if path.suffix.lower() == ".xlsx":
        _write_excel(questions, path)
    else:
        lines = (json.dumps(to_dict(question), ensure_ascii=False) for question in questions)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


HEADINGS = {
    "id": "编号", "question": "问题", "category": "类别", "answerable": "能否回答", "key_facts": "要点", "docs": "资料",
    "history": "之前的对话", "as_of": "截至日期", "stale": "时效", "values": "各值", "must_not_say": "不得说",
    "forbidden_docs": "不得引用", "group": "同义组", "difficulty": "难度", "provenance": "来历", "note": "备注",
}  # fmt: skip
_ROLES = {"用户": "user", "助手": "assistant"}
_LISTS = ("key_facts", "docs", "must_not_say", "forbidden_docs")


def _write_excel(questions: Sequence[TestQuestion], path: Path) -> None:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font

    book = Workbook()
    sheet = book.active
    sheet.title = "测试集"
    sheet.append(list(HEADINGS.values()))
    for question in questions:
        row = to_dict(question)
        sheet.append([_cell(name, row.get(name, "")) for name in HEADINGS])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for column, name in zip(sheet.columns, HEADINGS, strict=True):
        sheet.column_dimensions[column[0].column_letter].width = (
            40 if name in ("question", "history", "key_facts") else 18
        )
        for cell in column:
            cell.alignment = Alignment(wrap_text=True, vertical="top")
    sheet.freeze_panes = "C2"
    book.save(path)


def _cell(name: str, value: Any) -> str:
    if name == "answerable":
        return "能" if value else "不能"
    if name in _LISTS:
        return "\n".join(value)
    if name == "history":
        shown = {role: label for label, role in _ROLES.items()}
        return "\n".join(f"{shown[turn['role']]}：{turn['content']}" for turn in value or ())
    if name == "stale":
        return "\n".join(f"{one['document']}：{one['state']}" for one in value or ())
    if name == "values":
        return "\n".join(f"{one['fact']}：{'；'.join(one['documents'])}" for one in value or ())
    return str(value)


def _excel_rows(path: Path) -> list[tuple[int, dict[str, Any]]]:
    from openpyxl import load_workbook

    try:
        with closing(load_workbook(path, read_only=True, data_only=True)) as book:
            rows_read = list(book.worksheets[0].iter_rows(values_only=True))
    except Exception as error:  # openpyxl raises many kinds on a broken file
        raise SettingsError(f"测试集“{path}”不是可读的 Excel 文件，请另存为 .xlsx") from error
    table = [[str(cell).strip() if cell is not None else "" for cell in row] for row in rows_read]
    names = {heading: name for name, heading in HEADINGS.items()} | {name: name for name in HEADINGS}
    columns = [names.get(cell, "") for cell in table[0]] if table else []
    rows = []
    for number, cells in enumerate(table[1:], 2):
        values = {name: cell for name, cell in zip(columns, cells, strict=False) if name}
        if any(values.values()):
            try:
                rows.append(
                    (number, {name: _value(name, cell) for name, cell in values.items() if cell or name in _LISTS})
                )
            except (ValueError, KeyError) as error:
                raise SettingsError(f"{path.name} 第{number}行：“{error}”写法不对，格式见 eval/README.md") from error
    return rows


def _value(name: str, cell: str) -> Any:
    lines = [line.strip() for line in cell.split("\n") if line.strip()]
    if name == "answerable":
        return {"能": True, "不能": False, "True": True, "False": False}[cell]
    if name in _LISTS:
        return lines
    if name == "as_of":
        return cell[:10]
    pairs = [re.split("[:：]", line, maxsplit=1) for line in lines] if name in ("history", "stale", "values") else []
    if any(len(pair) != 2 for pair in pairs):
        raise ValueError(cell)
    if name == "history":
        return [{"role": _ROLES[who.strip()], "content": said.strip()} for who, said in pairs]
    if name == "stale":
        return [{"document": document.strip(), "state": state.strip()} for document, state in pairs]
    if name == "values":
        return [
            {"fact": fact.strip(), "documents": [d.strip() for d in re.split("[;；]", documents)]}
            for fact, documents in pairs
        ]
    return cell


def faults(questions: Sequence[TestQuestion], documents: Mapping[str, Document]) -> list[str]:
    """Return what is wrong with a test set over these documents, a line each; [] if a program finds nothing."""
    found = [f"{key}：编号重复" for key, times in Counter(question.id for question in questions).items() if times > 1]
    for question in questions:
        found += [f"{question.id}：{reason}" for reason in _faults(question, documents)]
    return found


def _faults(question: TestQuestion, documents: Mapping[str, Document]) -> list[str]:
    found = []
    named = {
        *question.docs,
        *question.forbidden_docs,
        *(d for d, _ in question.stale),
        *(d for _, ds in question.values for d in ds),
    }
    found += [f"资料“{key}”不在资料库里" for key in sorted(named - documents.keys())]
    found += [f"时效“{state}”不在可选值内：{'、'.join(STATES)}" for _, state in question.stale if state not in STATES]
    if question.answerable and not (question.key_facts and question.docs):
        found.append("可回答的题要有要点和资料")
    if not question.answerable and question.key_facts:
        found.append("不可回答的题不应有要点")
    texts = [_whole(documents[key]) for key in question.docs if key in documents]
    if texts and question.answerable:
        found += [
            f"要点“{fact}”不在所列资料里" for fact in question.key_facts if not any(holds(fact, text) for text in texts)
        ]
    found += [
        f"“{fact}”不在资料“{key}”里"
        for fact, keys in question.values
        for key in keys
        if key in documents and not holds(fact, _whole(documents[key]))
    ]
    if [turn.role for turn in question.history] != ["user", "assistant"] * (len(question.history) // 2):
        found.append("之前的对话要一问一答")
    return found


def _whole(document: Document) -> str:
    meta = document.metadata
    return "\n".join([document.title, document.text, meta.published, meta.publisher, meta.source_title])


def holds(fact: str, text: str) -> bool:
    """Return whether a text holds one spelling of a fact; a figure counts only whole: 16 is not in 2016 or 16.5."""
    spelled = re.sub(r"\s", "", normalise(text))
    for variant in fact.split("|"):
        pattern = re.escape(re.sub(r"\s", "", normalise(variant)))
        pattern = (r"(?<![\d.])" if pattern[:1].isdigit() else "") + pattern
        if re.search(pattern + (r"(?!\d|\.\d)" if pattern[-1:].isdigit() else ""), spelled):
            return True
    return False
