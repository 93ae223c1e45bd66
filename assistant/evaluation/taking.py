"""The page's third tab: questions from readers' feedback, taken into a test set or not."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from assistant.components import PLAIN, PRIVATE, gr
from assistant.current import Current
from assistant.errors import SettingsError, told
from assistant.evaluation.form import build_form, filled, label_of
from assistant.evaluation.shown import PARTS, candidate_html, candidates_html
from assistant.retrieve import Filters
from eval.candidates import Candidate, accept, candidates, proposed, reject, tally
from eval.relabel import labelled
from eval.workspace import OURS, Workspace

FEEDBACK_SET = "反馈.jsonl"  # offered where there is no other
SHOW_OPENED = "() => window.showOpened?.('#opened-candidate')"


def listed(workspace: Workspace) -> tuple[str, str]:
    """Return how readers judged so far, and the candidates that wait, as HTML."""
    try:
        waiting = candidates(workspace.folder)
        return PARTS.tally(tally(workspace.folder), len(waiting)), candidates_html(waiting)
    except Exception as error:
        return "", PARTS.message(told(error), strong=True)


def own_sets(workspace: Workspace) -> list[str]:
    """Return the names of files that a candidate may be taken into."""
    names = [name.partition(" ")[2] for name in workspace.testsets() if name.startswith(OURS)]
    return list(dict.fromkeys([FEEDBACK_SET, *names]))


def build_candidates(current: Current, workspace: Workspace) -> tuple[Any, Any, Any]:
    """Add the tab to the page that is being built and return its parts that follow the workspace."""
    counts = gr.HTML("", elem_id="tally", **PLAIN)
    message = gr.HTML("", elem_id="candidate-message", **PLAIN)
    waiting = gr.HTML("", elem_id="candidates", js_on_load=str(PARTS.on_list()), **PLAIN)
    state = gr.State(None)
    with gr.Column(visible=False, elem_classes="opened") as column:
        detail = gr.HTML("", **PLAIN)
        gr.HTML("<h3>写明正确的回答应当怎样</h3>", **PLAIN)
        form = build_form()
        with gr.Row(elem_classes="fields"):
            target = gr.Dropdown(
                [FEEDBACK_SET],
                value=FEEDBACK_SET,
                label="收入工作区的哪个测试集；可以写新的名称",
                allow_custom_value=True,
            )
            reason = gr.Textbox(label="不收的理由", max_lines=3)
        with gr.Row(elem_classes="buttons"):
            take = gr.Button("收入测试集", variant="primary", elem_id="accept")
            leave = gr.Button("不收", elem_id="reject")
            close = gr.Button("收起")
        fault = gr.HTML("", elem_id="candidate-fault", **PLAIN)

    def open_one(event: gr.EventData) -> list[Any]:
        key = event._data.get("id")
        found = next((one for one in candidates(workspace.folder) if one.id == key), None)
        if found is None:
            gone = PARTS.message("这道候选题已经处理过了。")
            return [gr.update(visible=False), "", None, *[gr.update()] * (len(form.parts) + 1), gone, ""]
        sets = gr.update(choices=own_sets(workspace))
        with current.use() as assistant:
            hits = assistant.search(found.question, Filters(found.as_of), history=found.history)
            near = [key for key, _, _ in found.sources] + [hit.document.id for hit in hits]
            values = filled(proposed(found), assistant.index, near)
            return [gr.update(visible=True), candidate_html(found, assistant.index), found, *values, sets, "", ""]

    shown = [column, detail, state, *form.parts, target, message, fault]
    waiting.open(open_one, None, shown, **PRIVATE).then(None, None, None, js=SHOW_OPENED, **PRIVATE)
    close.click(lambda: gr.update(visible=False), None, column, js="() => window.backToList?.()", **PRIVATE)
    changed = [column, message, fault, counts, waiting, reason, target]
    taken, left = _deciding(current, workspace)
    take.click(taken, [state, target, *form.parts], changed, **PRIVATE)
    leave.click(left, [state, reason], changed, **PRIVATE)
    return counts, waiting, target


def _deciding(current: Current, workspace: Workspace) -> tuple[Callable[..., list[Any]], Callable[..., list[Any]]]:
    """Return what accepts a candidate and what rejects it; each returns what changes on the page."""

    def done(text: str) -> list[Any]:
        return [
            gr.update(visible=False),
            PARTS.message(text),
            "",
            *listed(workspace),
            "",
            gr.update(choices=own_sets(workspace)),
        ]

    def taken(found: Candidate | None, name: str, *values: Any) -> list[Any]:
        try:
            with current.use() as assistant:
                question = labelled(proposed(_given(found)), label_of(values), assistant.index)
            written = accept(workspace, _given(found), question, workspace.new(name or ""), datetime.now())
        except Exception as error:
            return [gr.update(), "", PARTS.message(told(error), strong=True), *[gr.update()] * 4]
        return done(f"已收入“{written}”，编号 {question.id}。")

    def left(found: Candidate | None, why: str) -> list[Any]:
        try:
            reject(workspace, _given(found), why or "", datetime.now())
        except Exception as error:
            return [gr.update(), "", PARTS.message(told(error), strong=True), *[gr.update()] * 4]
        return done("已记为不收。")

    return taken, left


def _given(found: Candidate | None) -> Candidate:
    if found is None:
        raise SettingsError("请先打开一道候选题")
    return found
