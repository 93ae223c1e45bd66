"""The evaluation page as a whole: its tabs, and what is read anew each time it is opened."""

from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse

from assistant.components import PLAIN, PRIVATE, blocks, gr, mount
from assistant.current import Current
from assistant.errors import told
from assistant.evaluation.comparing import build_comparison
from assistant.evaluation.results import build_results
from assistant.evaluation.shown import PARTS
from assistant.evaluation.taking import build_candidates, listed, own_sets
from assistant.viewer import template
from eval.compare import compare
from eval.report import report
from eval.workspace import Workspace

EVALUATE = "/evaluate"
REPORT = f"{EVALUATE}/report"
TITLE = "评测 · 嘉定产业园区与政策问答"


def build_page(current: Current, workspace: Workspace) -> Any:
    """Return the evaluation page; each event is of the generation in service when it begins."""
    with current.use() as assistant:
        documents = assistant.index.manifest.documents
    with blocks(TITLE) as page:
        gr.HTML(PARTS.introduction(documents), **PLAIN)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab("评测"):
                testset, runs = build_results(current, workspace)
            with gr.Tab("比较") as comparing:
                before, after = build_comparison(workspace)
            with gr.Tab("候选题") as taking:
                counts, waiting, target = build_candidates(current, workspace)
        gr.HTML(template("ui.html").reader(), elem_id="reader-frame", **PLAIN)

        def sets() -> list[Any]:
            names = list(workspace.runs())
            return [
                gr.update(choices=list(workspace.testsets())),
                gr.update(choices=names, value=names[0] if names else None),
            ]

        def kept() -> list[Any]:
            names = list(workspace.runs())
            return [gr.update(choices=names), gr.update(choices=names)]

        page.load(sets, None, [testset, runs], **PRIVATE)
        comparing.select(kept, None, [before, after], **PRIVATE)
        taking.select(
            lambda: (*listed(workspace), gr.update(choices=own_sets(workspace))),
            None,
            [counts, waiting, target],
            **PRIVATE,
        )
    return page


def open_evaluation(app: FastAPI, current: Current, workspace: Workspace) -> None:
    """Serve the evaluation page and its reports; the ask page, mounted at the root, must come after."""

    @app.get(EVALUATE, include_in_schema=False)
    def to_page() -> RedirectResponse:
        return RedirectResponse(f"{EVALUATE[1:]}/")

    @app.get(REPORT, include_in_schema=False)
    def run_report(run: str, against: str = "") -> HTMLResponse:
        try:
            return HTMLResponse(_report_html(workspace, run, against))
        except Exception as error:
            return HTMLResponse(template("document.html").missing("没有这份报告", told(error)), status_code=404)

    mount(app, build_page(current, workspace), EVALUATE, "evaluation/page.css")


def _report_html(workspace: Workspace, run: str, against: str) -> str:
    """Return a kept run's report, perhaps beside an earlier one. Raises SettingsError where there is none such."""
    result = workspace.run(run)
    return report(result, compare(workspace.run(against), result) if against else None)
