"""What an evaluator writes on the page made a question of a test set, once a program finds nothing wrong with it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.errors import SettingsError
from assistant.index import Index
from eval.testset import TestQuestion, faults, from_dict, to_dict


@dataclass(frozen=True, slots=True)
class Label:
    """What a form holds of a question; `key_facts` has one a line."""

    question: str
    category: str
    answerable: bool
    key_facts: str
    docs: Sequence[str]
    note: str


def labelled(question: TestQuestion, label: Label, index: Index) -> TestQuestion:
    """Return the question as relabelled, all else as it was. Raises SettingsError with everything that is wrong."""
    lines = [line.strip() for line in label.key_facts.splitlines() if line.strip()]
    row = to_dict(question) | {
        "question": label.question.strip(), "category": label.category.strip(), "answerable": label.answerable,
        "key_facts": lines, "docs": [_key(document, index) for document in label.docs], "note": label.note.strip(),
    }  # fmt: skip
    for name, told in (("question", "问题"), ("category", "类别")):
        if not row[name]:
            raise SettingsError(f"没有保存：“{told}”不能为空")
    try:
        changed = from_dict(row)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"没有保存：格式不对（{error}）") from error
    found = [line.removeprefix(f"{question.id}：") for line in question_faults(changed, index)]
    if found:
        raise SettingsError("没有保存：" + "；".join(found))
    return changed


def question_faults(question: TestQuestion, index: Index) -> list[str]:
    """Return what is wrong with a question over an index, of which only the documents that it names are read."""
    named = {*question.docs, *question.forbidden_docs, *(key for key, _ in question.stale)}
    named |= {key for _, keys in question.values for key in keys}
    return faults([question], {key: index.document(key) for key in named & index.titles.keys()})


def shown(key: str, index: Index) -> str:
    """Return a document as it is chosen in a form: its title, then its id."""
    return f"{index.titles[key]}（{key}）" if key in index.titles else key


def _key(text: str, index: Index) -> str:
    """Return the id that a choice or an evaluator's own words name: an id, a title, or both."""
    written = text.strip().strip("《》")
    if written in index.titles:
        return written
    ending = re.search(r"（([^（）]+)）$", written)
    if ending and ending[1] in index.titles:
        return ending[1]
    return next((key for key, title in index.titles.items() if title == written), text.strip())
