"""What the server writes to stderr while it runs: one line an event, and never the text of a question."""

import json
import logging
import traceback
from datetime import datetime
from typing import Any

from assistant.errors import AssistantError

FORMATS = ("text", "json")
USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


class Lines(logging.Formatter):
    """Time, level, event and its particulars, which are what the caller gives as `extra`.

    Of a failure the kind and the places are told; its message only where it is one of ours, since that of another may
    quote what was asked.
    """

    def __init__(self, form: str) -> None:
        super().__init__()
        self._json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        told = {
            "time": datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in USUAL},
            **_failure(record.exc_info[1] if record.exc_info else None),
        }
        if self._json:
            return json.dumps(told, ensure_ascii=False, default=str)
        start = " ".join(str(told.pop(name)) for name in ("time", "level", "event"))
        return " ".join([start, *(f"{name}={value}" for name, value in told.items())]).replace("\n", " ")


def _failure(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    at = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    said = {"said": str(error)} if isinstance(error, AssistantError) else {}
    return {"error": type(error).__name__, **said, "at": at}


def start_log(form: str) -> None:
    """Write the log in one of FORMATS from now on: ours from `info` on, other packages' from `warning` on."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(form))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("assistant").setLevel(logging.INFO)
