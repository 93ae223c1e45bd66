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


@dataclass(frozen=True)
class Settings:
    """How the assistant runs; `from_environment` reads JIADING_<FIELD IN CAPITALS>.

    `embedding_model` is a sentence-transformers model (local folder or hub name), "" for the shipped one.
    `reranker_model` is a sentence-transformers CrossEncoder, "" for the shipped reranker.
    `chat_url` is an OpenAI-compatible endpoint, "" for quoting answers only. `web_hosts` are the sites that `fetch` may
    read, parted by commas, "" for none. `workspace` holds what the pages keep: feedback, test sets and evaluation runs.
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

    @classmethod
    def from_environment(cls) -> "Settings":
        """Return the settings. Raises SettingsError for a value that cannot be one."""
        values = {name: os.environ.get(f"JIADING_{name.upper()}", "") for name in cls.__dataclass_fields__}
        try:
            timeout = float(values.pop("chat_timeout_s") or cls.chat_timeout_s)
        except ValueError as error:
            raise SettingsError("环境变量 JIADING_CHAT_TIMEOUT_S 应为秒数，例如 30") from error
        if bool(values["chat_url"]) != bool(values["chat_model"]):
            raise SettingsError("JIADING_CHAT_URL 和 JIADING_CHAT_MODEL 要同时填写，或同时留空")
        root = Path(values.pop("corpus") or cls.corpus)
        index, workspace = (Path(values.pop(name) or root.parent / name) for name in ("index", "workspace"))
        return cls(root, index, workspace=workspace, **values, chat_timeout_s=timeout)


def stay_offline() -> None:
    """Switch the telemetry of Chroma, Gradio, Hugging Face and langchain off unless the administrator set it."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
