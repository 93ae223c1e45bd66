"""Run the application on an address until it is told to stop."""

import gc
import socket
from contextlib import ExitStack
from datetime import date

import uvicorn
from anyio import move_on_after, sleep, to_thread
from fastapi import FastAPI

from assistant.config import Settings
from assistant.errors import SettingsError
from assistant.logs import start_log
from assistant.models import load_assistant
from assistant.page import EXAMPLES
from assistant.people.accounts import FIRST
from assistant.people.people import People
from assistant.retrieve import Filters
from assistant.ui import build_app

# Objects and rounds between collections of garbage: an answer makes many objects that are soon gone, none in circles.
GARBAGE = 20_000, 20, 20
STOP_LOOK_S = 0.05  # between looks whether the last answer is given


class Server(uvicorn.Server):
    """Stops when no answer is under way any more, or `stop_s` seconds after it was told to; it takes no new ones meanwhile."""

    def __init__(self, app: FastAPI, stop_s: float) -> None:
        super().__init__(
            uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, timeout_graceful_shutdown=2)
        )
        self._desk, self._people, self._stop_s = app.state.desk, app.state.people, stop_s

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for the answers, close what is open, for the pages keep a connection each, and write what is in line for the logs.

        After this uvicorn ends the process by the signal that it was told with.
        """
        for listener in self.servers:
            listener.close()
        with move_on_after(self._stop_s):
            while self._desk.running:
                await sleep(STOP_LOOK_S)
        await super().shutdown(sockets)
        await to_thread.run_sync(self._people.close)


def serve(settings: Settings) -> None:
    """Serve the pages until Ctrl-C or SIGTERM. Raises SettingsError for an address in use, and what load_assistant raises."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise SettingsError(f"不能在 {host}:{port} 打开网页（{error}），请换一个端口，例如 --port 7861") from error
    with ExitStack() as opened:
        opened.enter_context(listener)
        assistant = load_assistant(settings)
        assistant.search(EXAMPLES["zh"][0], Filters(date.today()))  # the first search loads what the next ones use
        people = People(settings)
        opened.callback(people.close)
        app = build_app(assistant, settings, people)
        gc.set_threshold(*GARBAGE)
        start_log(settings.log_format)
        shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]", "::1": "[::1]"}.get(host, host)
        print(f"问答网页已就绪：http://{shown}:{listener.getsockname()[1]}（按 Ctrl-C 停止）", flush=True)
        if password := people.accounts.add_first():
            print(f"第一次启动，已建立管理员 {FIRST}，一次性密码：{password}（只显示这一次，登录后要修改）", flush=True)
        Server(app, settings.stop_s).run(sockets=[listener])
