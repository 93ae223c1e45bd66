"""Which path needs which permission: the one table. What is not in it is closed."""

from typing import Literal

from assistant.people.access import Permission

Need = Permission | Literal["nothing", "signed in"]

OPEN: dict[str, Need] = {"/healthz": "nothing", "/readyz": "nothing", "/login": "nothing", "/logout": "nothing", "/oidc": "nothing", "/oidc/callback": "nothing"}  # fmt: skip
WITH_ALL_BELOW: dict[str, Need] = {  # the longest that fits counts
    "/account": "signed in", "/documents": "ask", "/api": "ask", "/api/draft": "draft", "/api/drafts": "draft", "/v1": "ask", "/mcp": "ask", "/metrics": "administer",
}  # fmt: skip
PAGES: dict[str, Need] = {
    "": "ask",
    "/en": "ask",
    "/reply": "draft",
    "/evaluate": "evaluate",
    "/admin": "administer",
}  # Gradio's
GRADIO_API = ("queue", "heartbeat", "startup-events", "cancel", "reset")  # what a page needs of it; no uploads
GRADIO_FILES = ("config", "assets", "static", "svelte", "theme.css", "favicon.ico", "manifest.json", "robots.txt")
GRADIO_CLOSED = ("gradio_api", "monitoring", "login", "logout", "openapi.json", "pwa_icon")


def needed(path: str) -> Need | None:
    """Return what a path needs, as the router reads it; None for one that is closed."""
    if path in OPEN:
        return OPEN[path]
    parts = path.split("/")[1:]
    if not path.startswith("/") or ".." in parts or "\\" in path:
        return None
    for length in (2, 1):
        if (found := WITH_ALL_BELOW.get("/" + "/".join(parts[:length]))) and len(parts) >= length:
            return found
    page = f"/{parts[0]}" if f"/{parts[0]}" in PAGES else ""
    inner = parts[1:] if page else parts
    return PAGES[page] if _within(inner, bool(page)) else None


def _within(inner: list[str], own: bool) -> bool:
    """Return whether a page's part is open; a page with a prefix may have routes of its `own` beside Gradio's."""
    if inner in ([], [""]):
        return True
    if inner[0] == "gradio_api":
        return len(inner) > 1 and inner[1] in GRADIO_API
    return inner[0] in GRADIO_FILES or (own and bool(inner[0]) and inner[0] not in GRADIO_CLOSED)
