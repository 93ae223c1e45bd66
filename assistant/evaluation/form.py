"""The form in which an evaluator writes what a right answer to a question holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from assistant.components import gr
from assistant.index import Index
from eval.names import CATEGORIES
from eval.relabel import Label, shown
from eval.testset import TestQuestion

CAN, CANNOT = "资料能回答", "资料不能回答"


@dataclass(frozen=True, slots=True)
class Form:
    """The parts of a form, in the order of Label's fields."""

    parts: list[Any]


def build_form() -> Form:
    """Add the form to the page that is being built."""
    question = gr.Textbox(label="问题", lines=2, max_lines=4)
    with gr.Row(elem_classes="fields"):
        category = gr.Dropdown([(name, key) for key, name in CATEGORIES.items()], label="类别", allow_custom_value=True)
        answerable = gr.Radio([CAN, CANNOT], label="资料能不能回答")
    facts = gr.Textbox(label="要点：一行一条；一条的几种写法用 | 隔开", lines=3, max_lines=8)
    docs = gr.Dropdown([], multiselect=True, label="依据的资料：可以按标题选，也可以填编号", allow_custom_value=True)
    note = gr.Textbox(label="备注", max_lines=3)
    return Form([question, category, answerable, facts, docs, note])


def filled(question: TestQuestion, index: Index, near: Iterable[str]) -> list[Any]:
    """Return what the parts of a form hold of a question; `near` are documents to choose from besides its own."""
    choices = list(dict.fromkeys((*question.docs, *near)))
    return [
        question.question,
        question.category,
        CAN if question.answerable else CANNOT,
        "\n".join(question.key_facts),
        gr.update(
            choices=[shown(key, index) for key in choices], value=[shown(key, index) for key in question.docs]
        ),
        question.note,
    ]  # fmt: skip


def label_of(values: Sequence[Any]) -> Label:
    """Return what was written in the parts of a form."""
    question, category, answerable, facts, docs, note = values
    return Label(question or "", category or "", answerable == CAN, facts or "", docs or (), note or "")
