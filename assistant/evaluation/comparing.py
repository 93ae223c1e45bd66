"""The page's second tab: what changed between two runs, question by question, and whether the later one may go live."""

from typing import Any

from assistant.components import PLAIN, PRIVATE, gr
from assistant.errors import SettingsError, told
from assistant.evaluation.shown import PARTS
from eval.compare import compare
from eval.report import comparison_html
from eval.workspace import Workspace


def build_comparison(workspace: Workspace) -> tuple[Any, Any]:
    """Add the tab to the page that is being built and return the choices of the two runs."""
    with gr.Row(elem_classes="fields"):
        before = gr.Dropdown([], value=None, label="前：改动以前的结果", elem_id="before")
        after = gr.Dropdown([], value=None, label="后：改动以后的结果", elem_id="after")
    with gr.Row(elem_classes="buttons"):
        start = gr.Button("比较", variant="primary", elem_id="compare")
    result = gr.HTML("", elem_id="comparison", elem_classes="figures", **PLAIN)

    def show(old: str | None, new: str | None) -> str:
        try:
            if not old or not new:
                raise SettingsError("请选好前、后两次评测")
            found = compare(workspace.run(old), workspace.run(new))
        except Exception as error:
            return str(PARTS.message(told(error), strong=True))
        return comparison_html(found) + str(PARTS.links({"run": new, "against": old}))

    start.click(show, [before, after], result, **PRIVATE)
    return before, after
