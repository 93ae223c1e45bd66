"""Every setting, each an environment variable with a default that works offline."""

import os
from dataclasses import dataclass
from pathlib import Path

from assistant.errors import SettingsError

OFFLINE = {
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
}
NUMBERS = {
    "chat_timeout_s": "秒数，例如 30", "question_days": "天数，例如 180", "rate_per_minute": "每分钟的次数，例如 60",
    "user_rate_per_minute": "每分钟的次数，例如 120",
}  # fmt: skip
SWITCHES = ("anonymous", "secure_cookie")
SWITCHED = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


@dataclass(frozen=True)
class Settings:
    """How the assistant runs; `from_environment` reads JIADING_<FIELD IN CAPITALS>.

    `embedding_model` is a sentence-transformers model (local folder or hub name), "" for the shipped one.
    `reranker_model` is a sentence-transformers CrossEncoder, "" for the shipped reranker.
    `chat_url` is an OpenAI-compatible endpoint, "" for quoting answers only. `web_hosts` are the sites that `fetch` may
    read, parted by commas, "" for none. `workspace` holds what the pages keep: feedback, test sets and evaluation runs.
    `database` is the people database's URL, "" for a file in the workspace; `question_days` is how long questions are kept.
    `anonymous` lets everybody ask without signing in; `secure_cookie` keeps the session's cookie to HTTPS. `proxies` are
    the addresses, parted by commas, of which X-Forwarded-For is believed. The `oidc_` ones name an identity provider,
    "" for none, the claim that holds a person's role there, and what its values mean here, as in “staff=drafter,boss=administrator”.
    """

    corpus: Path = Path("corpus")
    index: Path = Path("index")
    embedding_model: str = ""
    embedding_query_prompt: str = ""
    reranker_model: str = ""
    chat_url: str = ""
    chat_model: str = ""
    chat_api_key: str = ""
    chat_timeout_s: float = 30.0
    web_hosts: str = ""
    workspace: Path = Path("workspace")
    database: str = ""
    question_days: int = 180
    anonymous: bool = True
    secure_cookie: bool = False
    rate_per_minute: int = 60
    user_rate_per_minute: int = 120
    proxies: str = ""
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_role_claim: str = ""
    oidc_roles: str = ""

    @classmethod
    def from_environment(cls) -> "Settings":
        """Return the settings. Raises SettingsError for a value that cannot be one."""
        values = {name: os.environ.get(f"JIADING_{name.upper()}", "") for name in cls.__dataclass_fields__}
        numbers = {name: _number(name, values.pop(name)) for name in NUMBERS}
        switches = {name: _switch(name, values.pop(name)) for name in SWITCHES}
        if bool(values["chat_url"]) != bool(values["chat_model"]):
            raise SettingsError("JIADING_CHAT_URL 和 JIADING_CHAT_MODEL 要同时填写，或同时留空")
        root = Path(values.pop("corpus") or cls.corpus)
        index, workspace = (Path(values.pop(name) or root.parent / name) for name in ("index", "workspace"))
        return cls(root, index, workspace=workspace, **values, **numbers, **switches)  # type: ignore[arg-type]


def _number(name: str, written: str) -> float:
    default: float = getattr(Settings, name)
    try:
        found = type(default)(written) if written else default
    except ValueError:
        found = 0
    if not 0 < found < float("inf"):
        raise SettingsError(f"环境变量 JIADING_{name.upper()} 应为{NUMBERS[name]}")
    return found


def _switch(name: str, written: str) -> bool:
    if written.lower() not in ("", *SWITCHED):
        raise SettingsError(f"环境变量 JIADING_{name.upper()} 应为 1（开）或 0（关）")
    return SWITCHED[written.lower()] if written else bool(getattr(Settings, name))


def stay_offline() -> None:
    """Switch the telemetry of Chroma, Gradio, Hugging Face and langchain off unless the administrator set it."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
