"""The API that OpenAI's clients speak: /v1/chat/completions and /v1/models, with the answer's evidence beside its text."""

import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from assistant import plain
from assistant.desk import MAX_QUESTION, Caller, Desk, alone
from assistant.faults import Refusal
from assistant.forms import MAX_TURNS, AsOf, ErrorOut
from assistant.retrieve import Filters
from assistant.schema import Answer, Turn

MODEL = "jiading-assistant"
# What a quoting assistant has no use for, and what asks for something else than it gives (with the values that ask nothing).
IGNORED = frozenset(
    (
        "temperature top_p seed max_tokens max_completion_tokens presence_penalty frequency_penalty user metadata store "
        "service_tier reasoning_effort verbosity parallel_tool_calls prompt_cache_key safety_identifier"
    ).split()
)
NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,), "tools": ([],), "functions": ([],), "tool_choice": ("none", "auto"), "function_call": ("none", "auto"),
    "response_format": ({"type": "text"},), "modalities": (["text"],), "logprobs": (False,), "stop": ([], ""), "logit_bias": ({},),
    "top_logprobs": (0,), "audio": (), "prediction": (), "web_search_options": (),
}  # fmt: skip

router = APIRouter(
    prefix="/v1", tags=["OpenAI 兼容"], responses={"default": {"model": ErrorOut, "description": "错误，与 OpenAI 的形式一致"}}
)  # fmt: skip


class Part(BaseModel):
    """一段文字。"""

    type: Literal["text"] = Field(description="只支持文字。")
    text: str = Field(description="文字。")


class Message(BaseModel):
    """对话里的一句；system 和 developer 的不采用。"""

    role: Literal["system", "developer", "user", "assistant"] = Field(description="谁说的。")
    content: str | list[Part] | None = Field(default=None, description="说了什么。")

    @property
    def text(self) -> str:
        """What was said."""
        said = self.content or ""
        return said if isinstance(said, str) else "\n".join(part.text for part in said)


class StreamOptions(BaseModel):
    """流式输出的选项。"""

    include_usage: bool = Field(default=False, description="最后是否给出字数。")


class ChatIn(BaseModel):
    """一次提问：最后一句是问题，前面的是此前的对话。

    temperature、max_tokens 等不影响摘录的参数不起作用；tools、n 大于 1 等办不到的参数会被拒绝。
    """

    model_config = ConfigDict(extra="allow")
    model: str = Field(description=f"只能是 {MODEL}。")
    messages: list[Message] = Field(
        min_length=1, max_length=MAX_TURNS, description="对话，由早到晚，最后一句是用户的。"
    )
    stream: bool | None = Field(default=False, description="是否逐句返回。")
    stream_options: StreamOptions | None = Field(default=None, description="流式输出的选项。")
    as_of: AsOf = None

    def check(self) -> None:
        """Raise Refusal for a model, a parameter or a conversation that this assistant cannot serve."""
        if self.model != MODEL:
            raise Refusal(404, "model_not_found", f"没有模型“{self.model[:100]}”，只有 {MODEL}", "model")
        for name, value in (self.model_extra or {}).items():
            if name not in IGNORED and value is not None and value not in NEUTRAL.get(name, ()):
                raise Refusal(400, "unsupported_parameter", f"不支持参数“{name[:100]}”，或不支持它的这个值", name[:100])
        if self.talk[-1].role != "user" or not self.question.strip():
            raise Refusal(400, "invalid_request", "最后一句必须是用户的问题", "messages")
        if len(self.question) > MAX_QUESTION:
            told = f"问题有{len(self.question)}个字，最多{MAX_QUESTION}个字"
            raise Refusal(400, "context_length_exceeded", told, "messages")

    @property
    def talk(self) -> list[Turn]:
        """The conversation without its system messages."""
        said = [Turn(m.role, m.text) for m in self.messages if m.role in ("user", "assistant")]
        return said or [Turn("assistant", "")]

    @property
    def question(self) -> str:
        """What is asked: the last turn."""
        return self.talk[-1].content


@router.get("/models", summary="列出模型")
def models() -> dict[str, Any]:
    """列出模型，只有一个。"""
    return {"object": "list", "data": [_model()]}


@router.get("/models/{model}", summary="查看模型", responses={404: {"model": ErrorOut, "description": "没有这个模型"}})
def model(model: Annotated[str, Field(description="模型名。")]) -> dict[str, Any]:
    """查看一个模型。"""
    if model != MODEL:
        raise Refusal(404, "model_not_found", f"没有模型“{model[:100]}”，只有 {MODEL}", "model")
    return _model()


def _model() -> dict[str, Any]:
    return {"id": MODEL, "object": "model", "created": 0, "owned_by": "jiading"}


@router.post(
    "/chat/completions", summary="回答对话里的最后一个问题",
    responses={
        400: {"model": ErrorOut, "description": "参数不对或不支持"}, 404: {"model": ErrorOut, "description": "没有这个模型"},
        503: {"model": ErrorOut, "description": "太忙，Retry-After 说明几秒后再试"},
    },
)  # fmt: skip
async def completions(request: Request, asked: ChatIn) -> Response:
    """返回的 content 是可以直接使用的全文：逐句带编号的出处、必须知道的事、出处列表。

    同一个对象里还有 citations、notices、status、confidence、as_of、generation（流式时在最后一段的 delta 里）。
    资料里没有答案时照常返回，status 为 abstained。usage 以字数代替词元数。
    """
    asked.check()
    desk: Desk = request.app.state.desk
    *before, _ = asked.talk
    answer: Answer = await desk.ask(
        asked.question,
        before,
        Filters(asked.as_of or date.today()),
        alone,
        Caller("openai", request, request.is_disconnected),
    )
    reply = Reply(answer, sum(len(message.text) for message in asked.messages))
    if not asked.stream:
        return JSONResponse(reply.whole())
    usage = bool(asked.stream_options and asked.stream_options.include_usage)
    return StreamingResponse(_events(reply.chunks(usage)), media_type="text/event-stream")


class Reply:
    """An answer in the shapes of OpenAI's API."""

    def __init__(self, answer: Answer, prompt: int) -> None:
        self._answer, self._prompt = answer, prompt
        self._head = {
            "id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": MODEL,
            "system_fingerprint": answer.generation,
        }  # fmt: skip

    def whole(self) -> dict[str, Any]:
        """Return the completion."""
        message = {"role": "assistant", "content": plain.text(self._answer), "refusal": None, **self._evidence()}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": self._usage()}

    def chunks(self, usage: bool) -> Iterator[dict[str, Any]]:
        """Yield the completion piece by piece: the statements one by one, the rest, the evidence, the usage if asked."""
        first, *rest = plain.pieces(self._answer)
        yield self._chunk({"role": "assistant", "content": first})
        yield from (self._chunk({"content": piece}) for piece in rest)
        yield self._chunk(self._evidence(), "stop")
        if usage:
            yield {**self._head, "object": "chat.completion.chunk", "choices": [], "usage": self._usage()}

    def _chunk(self, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return {**self._head, "object": "chat.completion.chunk", "choices": [choice]}

    def _evidence(self) -> dict[str, Any]:
        answer = self._answer
        return {
            "citations": plain.citations(answer), "notices": [asdict(notice) for notice in answer.notices],
            "status": answer.status, "confidence": round(answer.confidence, 4), "as_of": answer.as_of.isoformat(),
            "generation": answer.generation,
        }  # fmt: skip

    def _usage(self) -> dict[str, int]:
        said = len(plain.text(self._answer))
        return {"prompt_tokens": self._prompt, "completion_tokens": said, "total_tokens": self._prompt + said}


async def _events(chunks: Iterator[dict[str, Any]]) -> AsyncIterator[str]:
    for chunk in chunks:
        yield f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"
    yield "data: [DONE]\n\n"
