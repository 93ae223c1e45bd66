"""The page's first tab: run a test set, read its figures, open its questions, relabel them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

from assistant.components import PLAIN, PRIVATE, gr
from assistant.current import Current
from assistant.errors import SettingsError, told
from assistant.evaluation.form import Form, build_form, filled, label_of
from assistant.evaluation.running import Runner
from assistant.evaluation.shown import PARTS, categories_of, opened_html, questions_html, result_html
from eval import metrics
from eval.names import COMPONENTS
from eval.relabel import labelled
from eval.report import metrics_html
from eval.run import evaluate
from eval.testset import TESTSET, TestQuestion
from eval.workspace import SHIPPED, Workspace

FIRST = f"{SHIPPED} {TESTSET.name}"
SHOW_OPENED = "() => window.showOpened?.('#opened')"
Opened = tuple[str, TestQuestion, date]  # the test set's name, the question as it was when opened, and the run's day
KEPT_APART = "随程序的测试集不会改动：第一次修改时，先在工作区复制一份同名的，改在那里。重新评测时请选工作区的那一份。"


def build_results(current: Current, workspace: Workspace) -> tuple[Any, Any]:
    """Add the tab to the page that is being built and return the choices of test set and of run."""
    testset, runs = _running(current, workspace)
    result = gr.HTML("", elem_id="result", **PLAIN)
    with gr.Accordion("各类题的指标", open=False, visible=False) as figures:
        measured = gr.HTML("", elem_classes="figures", **PLAIN)
    with gr.Row(elem_classes="fields filters", visible=False) as filters:
        wrong_only = gr.Checkbox(True, label="只看没答对的", elem_id="wrong-only")
        category = gr.Dropdown([("全部", "")], value="", label="类别", elem_id="category")
    questions = gr.HTML("", elem_id="questions", js_on_load=str(PARTS.on_list()), **PLAIN)

    def show(name: str) -> list[Any]:
        try:
            run = workspace.run(name) if name else None
        except Exception as error:
            return [PARTS.message(told(error), strong=True), *[gr.update(visible=False)] * 2, "", gr.update(), ""]
        if run is None:
            nothing = PARTS.nothing("还没有评测结果。选好测试集，点“开始评测”。")
            return [nothing, *[gr.update(visible=False)] * 2, "", gr.update(), ""]
        shown = [gr.update(visible=True)] * 2
        choices = gr.update(choices=categories_of(run), value="")
        return [result_html(run, name), *shown, metrics_html(run), choices, questions_html(run, True, "")]

    def choose(name: str, wrong: bool, chosen: str) -> str:
        return questions_html(workspace.run(name), wrong, chosen or "") if name else ""

    shown = [result, figures, filters, measured, category, questions]
    runs.change(show, runs, shown, **PRIVATE).then(lambda: True, None, wrong_only, **PRIVATE)
    gr.on([wrong_only.input, category.input], choose, [runs, wrong_only, category], questions, **PRIVATE)
    _opening(current, workspace, questions, runs)
    return testset, runs


def _running(current: Current, workspace: Workspace) -> tuple[Any, Any]:
    """Add the form that starts a run, and what it is doing."""
    runner = Runner(current, workspace)
    with gr.Row(elem_classes="fields"):
        testset = gr.Dropdown(list(workspace.testsets()), value=FIRST, label="测试集", elem_id="testset")
        day = gr.Textbox(label="截至日期", placeholder="今天，或 2026-01-31", max_lines=1, elem_id="run-as-of")
        parts = [("全部启用", ""), *((f"停用{name}", key) for key, name in COMPONENTS.items())]
        without = gr.Dropdown(parts, value="", label="停用一个部件，看它有多大作用", elem_id="without")
    with gr.Row(elem_classes="buttons"):
        start = gr.Button("开始评测", variant="primary", elem_id="start")
        stop = gr.Button("停止", interactive=False, elem_id="stop")
    progress = gr.HTML("", elem_id="run-progress", **PLAIN)
    message = gr.HTML("", elem_id="run-message", **PLAIN)
    runs = gr.Dropdown(choices=[], value=None, label="看哪一次的结果", elem_id="runs")

    async def run(name: str, text: str, part: Any, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        yield {start: gr.update(interactive=False), stop: gr.update(interactive=True), message: ""}
        async for changes in runner.run(str(request.session_hash), name, text, part or None):
            page: dict[Any, Any] = {progress: changes["progress"]}
            if "message" in changes or "failure" in changes:
                page[message] = PARTS.message(changes.get("message") or changes["failure"], "failure" in changes)
            if "run" in changes:
                page[runs] = gr.update(choices=list(workspace.runs()), value=changes["run"])
            yield page
        yield {start: gr.update(interactive=True), stop: gr.update(interactive=False)}

    def halt(request: gr.Request) -> None:
        runner.stop(str(request.session_hash))

    start.click(run, [testset, day, without], [start, stop, progress, message, runs], concurrency_limit=None, **PRIVATE)
    stop.click(halt, None, None, **PRIVATE)
    return testset, runs


def _opening(current: Current, workspace: Workspace, questions: Any, runs: Any) -> None:
    """Add the part that shows one question, in which it is relabelled."""
    state = gr.State(None)
    with gr.Column(visible=False, elem_classes="opened") as column:
        detail = gr.HTML("", **PLAIN)
        gr.HTML(f"<h3>改标注</h3><p class='count'>{KEPT_APART}</p>", **PLAIN)
        form = build_form()
        with gr.Row(elem_classes="buttons"):
            save = gr.Button("保存", variant="primary", elem_id="save")
            add = gr.Button("另存为新题", elem_id="save-new")
            close = gr.Button("收起", elem_id="close-opened")
        message = gr.HTML("", elem_id="save-message", **PLAIN)

    def open_one(event: gr.EventData, name: str) -> list[Any]:
        run = workspace.run(name)
        row = next(row for row in run["questions"] if row["id"] == event._data.get("id"))
        source, day = run["setup"].get("file", ""), date.fromisoformat(run["setup"]["as_of"])
        with current.use() as assistant:
            html = opened_html(run, row, assistant.index)
            try:
                question = workspace.question(source, row["id"])
            except SettingsError as error:
                kept = [gr.update()] * len(form.parts)
                return [gr.update(visible=True), html, None, *kept, PARTS.message(str(error), True)]
            values = filled(question, assistant.index, row["ranked"])
        return [gr.update(visible=True), html, (source, question, day), *values, ""]

    opened = questions.open(open_one, runs, [column, detail, state, *form.parts, message], **PRIVATE)
    opened.then(None, None, None, js=SHOW_OPENED, **PRIVATE)
    runs.change(lambda: gr.update(visible=False), None, column, **PRIVATE)
    close.click(lambda: gr.update(visible=False), None, column, js="() => window.backToList?.()", **PRIVATE)
    _saving(current, workspace, form, [state, message], (save, add))


def _saving(current: Current, workspace: Workspace, form: Form, parts: list[Any], buttons: tuple[Any, Any]) -> None:
    """Let one button write a question's label where it stands, the other write it as a new question."""
    state, message = parts

    def saved(opened: Opened | None, new: bool, values: tuple[Any, ...]) -> tuple[Any, str]:
        try:
            if opened is None:
                raise SettingsError("找不到这道题原来的测试集，不能保存")
            name, was, day = opened
            with current.use() as assistant:
                question = labelled(was, label_of(values), assistant.index)
            if new:
                question = replace(question, id=workspace.free_id(name, was.id))
                target = workspace.add(name, question)
                return opened, PARTS.message(f"已作为新题 {question.id} 写进“{target}”。{judged(question, day)}")
            target = workspace.replace(name, was, question)
            return (name, question, day), PARTS.message(f"已保存到“{target}”。{judged(question, day)}")
        except Exception as error:
            return opened, PARTS.message(told(error), strong=True)

    def judged(question: TestQuestion, day: date) -> str:
        """Say whether the answer given now is right by the new label."""
        with current.use() as assistant:
            row = evaluate(assistant, [question], day)["questions"][0]
        if metrics.handled(row):
            return "按新的标注，现在的回答是对的。"
        return f"按新的标注，现在的回答不对{'，缺 ' + '；'.join(row['missing']) if row['missing'] else ''}。"

    inputs, outputs = [state, *form.parts], [state, message]
    buttons[0].click(lambda opened, *values: saved(opened, False, values), inputs, outputs, **PRIVATE)
    buttons[1].click(lambda opened, *values: saved(opened, True, values), inputs, outputs, **PRIVATE)
