"""Every setting, each with a default that works offline: from the environment, else a settings file."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from assistant.errors import SettingsError
from assistant.logs import FORMATS

FILE = Path("jiading.toml")  # in the folder where the program starts, unless JIADING_CONFIG names another
TRUTH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
KINDS = {str: "文字", Path: "路径", float: "不小于 0 的数字", int: "不小于 0 的整数", bool: "true 或 false"}
OFFLINE = {
    "ANONYMIZED_TELEMETRY": "False",  # Chroma
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "PYTHON_DOTENV_DISABLED": "1",  # pymilvus would read a file named .env
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
}
_AT = r"https?://(\[[\da-f:]+\]|[^/@:\s]+)(:\d+)?"
STORE = re.compile(rf"(chroma\+{_AT}|milvus\+{_AT}(/\w+)?|milvus:.+\.db)?")
Source = Literal["默认", "设置文件", "环境变量"]


def setting(default: Any, about: str, secret: bool = False) -> Any:
    """Return a field of Settings: what the README's table says of it, and whether its value may be shown."""
    return field(default=default, metadata={"about": about, "secret": secret})


@dataclass(frozen=True)
class Settings:
    """How the assistant runs; `read` takes them from JIADING_<FIELD IN CAPITALS> or <field> in the settings file."""

    corpus: Path = setting(Path("corpus"), "资料目录")
    index: Path = setting(Path("index"), "索引目录；不填时在资料目录旁边")
    workspace: Path = setting(Path("workspace"), "工作区：反馈、回复草稿、自己的测试集、评测结果；不填时在资料目录旁边")
    host: str = setting("127.0.0.1", "网页和接口的监听地址；`0.0.0.0` 表示对外开放")
    port: int = setting(7860, "网页和接口的端口")
    stop_s: float = setting(10.0, "收到停止信号后，最多等正在进行的回答几秒")
    log_format: str = setting("text", "日志的写法：`text` 或 `json`（每行一条）；都不含问题的文字")
    anonymous: bool = setting(True, "不登录能不能提问")
    rate_per_minute: int = setting(60, "不登录时，一个地址每分钟最多提问、查找几次")
    user_rate_per_minute: int = setting(120, "登录后，一个账号每分钟最多提问、查找、起草几次")
    database: str = setting(
        "",
        "账号、审计日志和问题记录的数据库，例如 `postgresql://用户:密码@主机/库`；不填时是工作区里的一个 SQLite 文件",
        secret=True,
    )
    question_days: int = setting(180, "问题记录保留几天")
    secure_cookie: bool = setting(False, "登录凭证只在 HTTPS 上使用；用 HTTPS 对外开放时填 `true`")
    proxies: str = setting(
        "", "反向代理的地址或网段，逗号分隔；只有它们给出的 X-Forwarded-For、X-Forwarded-Proto、X-Forwarded-Host 才采用"
    )
    oidc_issuer: str = setting("", "统一身份认证（OpenID Connect）的地址；不填时只用本机账号")
    oidc_client_id: str = setting("", "在统一身份认证那里登记的客户端编号")
    oidc_client_secret: str = setting("", "客户端密钥", secret=True)
    oidc_role_claim: str = setting("", "身份信息里写明角色的一项；不填时第一次登录的人只能提问")
    oidc_roles: str = setting(
        "", "这一项的值对应的角色，例如 `staff=drafter,boss=administrator`；几个都对得上时，写在前面的算"
    )
    store: str = setting(
        "",
        "向量库：`chroma+http://主机:8000`、`milvus+http://主机:19530` 或 `milvus:文件.db`（Milvus Lite，只供一个进程）；不填时是索引目录里的 Chroma；改后要重新 `ingest`",
    )
    store_token: str = setting("", "向量库的密钥：Milvus 填 `用户:密码` 或密钥，Chroma 填反向代理要的令牌", secret=True)
    chat_url: str = setting("", "大模型的服务地址，例如 `http://127.0.0.1:11434/v1`；不填时只摘录原文")
    chat_model: str = setting("", "大模型的名称，例如 `qwen3`；与服务地址同时填写")
    chat_api_key: str = setting("", "大模型服务的密钥", secret=True)
    chat_timeout_s: float = setting(30.0, "最多等大模型几秒")
    embedding_model: str = setting(
        "", "其他 sentence-transformers 模型的本地目录或名称，代替自带的向量模型；改后要重新 `ingest`"
    )
    embedding_query_prompt: str = setting("", "上述模型要求的问句前缀")
    reranker_model: str = setting("", "其他 sentence-transformers CrossEncoder 的本地目录或名称，代替自带的重排")
    web_hosts: str = setting("", "`fetch` 可以取的网站，逗号分隔，例如 `www.jiading.gov.cn,*.sh.gov.cn`；不填时不取")

    @classmethod
    def read(cls) -> "Settings":
        """Return the settings in force. Raises SettingsError for a value that cannot be one, and an unknown name."""
        values = {name: value for name, (value, _) in given().items()}
        if bool(values.get("chat_url")) != bool(values.get("chat_model")):
            raise SettingsError("JIADING_CHAT_URL 和 JIADING_CHAT_MODEL 要同时填写，或同时留空")
        if values.get("log_format", FORMATS[0]) not in FORMATS:
            raise SettingsError(f"JIADING_LOG_FORMAT 只能是 {' 或 '.join(FORMATS)}")
        if not STORE.fullmatch(values.get("store", "")):
            raise SettingsError(
                "JIADING_STORE 只能是 chroma+http(s)://主机:端口、milvus+http(s)://主机:端口[/库名] 或 milvus:文件.db；"
                "密钥写在 JIADING_STORE_TOKEN 里"
            )
        beside = values.get("corpus", cls.corpus).parent
        for name in ("index", "workspace"):
            values.setdefault(name, beside / name)
        return cls(**values)


def given() -> dict[str, tuple[Any, Source]]:
    """Return the settings that are not left at their defaults, and where each comes from; "" is as good as none.

    Raises SettingsError for a value that cannot be one, and for names in the settings file that are none.
    """
    kinds = {one.name: type(one.default) for one in fields(Settings)}
    written, found = _file(), dict[str, tuple[Any, Source]]()
    for name in written:
        if name not in kinds:
            raise SettingsError(f"设置文件里的“{name}”不是设置项，请对照 jiading-assistant settings 列出的名称")
    for name, kind in kinds.items():
        variable = f"JIADING_{name.upper()}"
        if value := os.environ.get(variable, ""):
            found[name] = _as(kind, value, f"环境变量 {variable}"), "环境变量"
        elif (value := written.get(name, "")) != "":
            found[name] = _as(kind, value, f"设置文件里的“{name}”"), "设置文件"
    return found


def shown() -> list[tuple[str, str, Source, str]]:
    """Return every setting's variable, value in force, source and meaning; of a secret only whether there is one.

    Raises SettingsError as `Settings.read` does.
    """
    settings, sources = Settings.read(), {name: source for name, (_, source) in given().items()}
    rows = []
    for one in fields(settings):
        value = getattr(settings, one.name)
        told = ("已设置" if value else "") if one.metadata["secret"] else str(value)
        rows.append((f"JIADING_{one.name.upper()}", told, sources.get(one.name, "默认"), one.metadata["about"]))
    return rows


def _file() -> Mapping[str, Any]:
    named = os.environ.get("JIADING_CONFIG", "")
    path = Path(named or FILE)
    if not named and not path.exists():
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"设置文件“{path}”读不出来（{error}），请改正，或去掉 JIADING_CONFIG") from error


def _as(kind: type, value: Any, named: str) -> Any:
    """Return a value as the kind of thing that a setting is. Raises SettingsError where it cannot be."""
    try:
        if kind is bool:
            return value if isinstance(value, bool) else TRUTH[str(value).lower()]
        if isinstance(value, bool | dict | list) or (kind in (str, Path) and not isinstance(value, str)):
            raise ValueError
        if kind is int and isinstance(value, float):
            raise ValueError
        number = kind(value)
        if kind in (int, float) and not 0 <= number < float("inf"):
            raise ValueError
        return number
    except (KeyError, ValueError) as error:
        raise SettingsError(f"{named}应为{KINDS[kind]}，现在是“{value}”") from error


def stay_offline() -> None:
    """Switch the telemetry of Chroma, Gradio, Hugging Face, Ray and langchain off, and .env files, unless the administrator set it."""
    for name, value in OFFLINE.items():
        os.environ.setdefault(name, value)
