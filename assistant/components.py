"""Gradio with its telemetry off, and what both pages share: how they are mounted, look and listen."""

import os
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.requests import HTTPConnection

from assistant.config import stay_offline
from assistant.desk import AT_ONCE, WAITING
from assistant.viewer import template
from assistant.words import TAGS, Language

stay_offline()
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))  # else it sums up all questions after each one
import gradio as gr  # noqa: E402  # reads its settings when imported

__all__ = ["PLAIN", "PRIVATE", "asker", "blocks", "gr", "mount"]

PLAIN: Any = {"apply_default_css": False}  # of an HTML part
PRIVATE: Any = {"api_visibility": "private", "show_progress": "hidden"}  # of an event


def asker(request: gr.Request) -> HTTPConnection:
    """Return the request behind an event, with its whole scope; Gradio's own view of it makes copies."""
    if request.request is None:
        raise RuntimeError("an event has a request as long as it is not pickled")
    return request.request


def blocks(title: str) -> Any:
    """Return an empty page."""
    page = gr.Blocks(title=title, analytics_enabled=False, fill_width=True)
    page.queue(max_size=WAITING, api_open=False, default_concurrency_limit=AT_ONCE)
    return page


def mount(app: FastAPI, page: Any, path: str, *styles: str, language: Language = "zh") -> None:
    """Serve a page at a path of the application, with these style sheets of the package after the common one."""
    script = Path(__file__).with_name("ui.js").read_text(encoding="utf-8")
    theme = gr.themes.Default(
        font=["PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", "sans-serif"], font_mono=["monospace"]
    )
    gr.mount_gradio_app(
        app, page, path=path, footer_links=[], run_history=False, show_error=False, max_file_size=0,
        enable_monitoring=False, pwa=False, ssr_mode=False, mcp_server=False, theme=theme,
        head=template("ui.html").head(styles),  # css= would rewrite the rules
        js=f"() => {{ document.documentElement.lang = '{TAGS[language]}'; ({script})(); }}",
    )  # fmt: skip
