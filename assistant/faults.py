"""What the API says when it cannot do what was asked: one typed JSON shape, in Chinese, that OpenAI's clients read too."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler, request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from assistant.errors import (
    UNFORESEEN,
    AssistantError,
    BusyError,
    ConflictError,
    ForbiddenError,
    MissingError,
    SettingsError,
)

PATHS = ("/api", "/v1", "/mcp", "/healthz", "/readyz", "/metrics")
PAGE_PATHS = ("/reply/letters", "/reply/replies")  # what a page's own script asks for
STATUSES: dict[type[AssistantError], int] = {
    SettingsError: 400,
    ForbiddenError: 403,
    MissingError: 404,
    ConflictError: 409,
}
RETRY_S = 2  # until a caller who found no room should ask again
SAID = {  # status: code, message where nothing better is known
    400: ("invalid_request", "请求的内容不对"),
    401: ("unauthorized", "请先登录，或在 Authorization 中给出令牌"),
    403: ("forbidden", "没有这项权限"),
    404: ("not_found", "没有这个接口，或者不支持这种方法"),
    405: ("method_not_allowed", "这个接口不支持这种方法"),
    409: ("conflict", "别人同时改了同一处，请重新打开再改"),
    411: ("length_required", "请求须用 Content-Length 说明长度"),
    413: ("too_large", "请求太长"),
    422: ("invalid_request", "请求的内容不对"),
    429: ("rate_limited", "请求太频繁，请稍后再试"),
    500: ("internal_error", UNFORESEEN),
    503: ("unavailable", "暂时不能回答"),
}
FAULTS = {  # pydantic's kinds of fault, in words
    "missing": "缺少这一项", "extra_forbidden": "没有这一项", "string_too_short": "不能为空", "string_type": "应为文字", "bool_type": "应为 true 或 false",
    "string_too_long": "最多{max_length}个字", "too_long": "最多{max_length}项", "too_short": "至少{min_length}项", "list_type": "应为列表",
    "literal_error": "只能是{expected}", "greater_than_equal": "不能小于{ge}", "less_than_equal": "不能大于{le}", "int_parsing": "应为整数", "int_type": "应为整数",
    "model_attributes_type": "应为 JSON 对象（Content-Type: application/json）", "value_error": "{error}",
}  # fmt: skip


class Refusal(Exception):
    """A request that is refused: HTTP status, code, message and, if one, the field at fault."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param = status, code, message, param


def is_api(path: str) -> bool:
    """Return whether a path is answered in JSON, to a program or a page's script, rather than as a page."""
    return any(path == prefix or path.startswith(f"{prefix}/") for prefix in (*PATHS, *PAGE_PATHS))


def fault(
    status: int, code: str = "", message: str = "", param: str | None = None, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Return the response; code and message are those of the status unless given. `type` is for OpenAI's clients."""
    usual = SAID.get(status, SAID[500] if status >= 500 else SAID[400])
    kind = "server_error" if status >= 500 else "invalid_request_error"
    error = {"code": code or usual[0], "message": message or usual[1], "type": kind, "param": param}
    return JSONResponse({"error": error}, status, dict(headers or {}))


def handle_faults(app: FastAPI) -> None:
    """Answer what goes wrong under the API's paths with typed errors; other paths keep their own."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> Response:
        return fault(error.status, error.code, error.message, error.param)

    @app.exception_handler(AssistantError)
    async def failed(_: Request, error: AssistantError) -> Response:
        if isinstance(error, BusyError):
            return fault(503, "busy", str(error), headers={"Retry-After": str(RETRY_S)})
        return fault(STATUSES.get(type(error), 503), "", str(error))

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if not is_api(request.url.path):
            return await http_exception_handler(request, error)
        chinese = isinstance(error.detail, str) and not error.detail.isascii()
        return fault(error.status_code, "", error.detail if chinese else "", headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if not is_api(request.url.path):
            return await request_validation_exception_handler(request, error)
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return fault(400, message="请求不是有效的 JSON")
        param = ".".join(str(part) for part in first["loc"][1:]) or None
        status = 400 if request.url.path.startswith("/v1/") else 422
        return fault(status, "", f"“{param or '请求'}”{in_words(first)}", param)


def in_words(found: Mapping[str, Any]) -> str:
    """Return one of pydantic's faults in Chinese."""
    context = {key: str(value).replace(" or ", "、") for key, value in found.get("ctx", {}).items()}
    return FAULTS.get(found["type"], "的值不对").format(**context)
