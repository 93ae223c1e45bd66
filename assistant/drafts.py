"""The API's draft of a reply to a letter; nothing of it is kept."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from anyio import to_thread
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from assistant.desk import Caller
from assistant.errors import CorpusError
from assistant.faults import Refusal
from assistant.forms import AnswerOut, AsOf, CitationOut, ErrorOut, Form
from assistant.letter import LONGEST, Letter, read_letter
from assistant.people.access import record
from assistant.pipeline import Assistant
from assistant.reply import check, draft, risk, to_markdown
from assistant.reply.check import FindingKind
from assistant.reply.risk import ReasonKind
from assistant.reply.schema import Role, State
from assistant.retrieve import Filters
from assistant.schema import DocType, Level

ERRORS: Mapping[int | str, dict[str, Any]] = {
    413: {"model": ErrorOut, "description": "请求太长"},
    422: {"model": ErrorOut, "description": "有一项的值不对"},
    503: {"model": ErrorOut, "description": "太忙，或索引不可用；Retry-After 说明几秒后再试"},
}
router = APIRouter(prefix="/api", responses=dict(ERRORS), tags=["起草"])


class DraftIn(Form):
    """一封来信。"""

    letter: str = Field(min_length=1, max_length=LONGEST, description="来信的全文。")
    as_of: AsOf = None
    levels: list[Level] = Field(default=[], description="只用这些级别的资料；不填是全部。")
    doc_types: list[DocType] = Field(default=[], description="只用这些类型的资料；不填是全部。")

    @property
    def filters(self) -> Filters:
        """The day, today unless given, and which documents may answer."""
        return Filters(self.as_of or date.today(), tuple(self.levels), tuple(self.doc_types))


class AskedOut(Form):
    """来信里的一个问题或一项请求。"""

    id: str = Field(description="编号。")
    kind: Literal["question", "request"] = Field(description="question 是问题，request 是请求或建议。")
    text: str = Field(description="来信里的原话。")
    start: int = Field(description="从来信第几个字开始，从 0 数起。")
    end: int = Field(description="到第几个字为止，不含这个字。")
    topic: str = Field(description="问的是哪件事，原话里没有写明时才有。")
    facts: list[str] = Field(description="来信里与它有关的情况，逐字摘出。")


class LetterOut(Form):
    """读出的来信。"""

    text: str = Field(description="全文。")
    sender: str = Field(description="谁写的；没有写明则为空。")
    salutation: str = Field(description="称呼。")
    date: str = Field(description="落款日期。")
    contact: str = Field(description="联系人和联系方式。")
    questions: list[AskedOut] = Field(description="问题和请求。")
    facts: list[str] = Field(description="来信人说明的情况。")
    ignored: list[str] = Field(description="像是写给程序的指令，没有照办，也没有当作问题。")


class PointOut(Form):
    """一个问题和对它的回答。"""

    ask: AskedOut = Field(description="所问。")
    answer: AnswerOut = Field(description="回答。")
    answered: bool = Field(description="是否写入了回复。")
    missing: list[str] = Field(description="没有答到的。")
    notes: list[str] = Field(description="给承办人的说明，不是回复的内容。")


class ParagraphOut(Form):
    """回复的一段；正文里的 [^n] 是第 n 条脚注。"""

    id: str = Field(description="编号。")
    role: Role = Field(description="哪一部分：answer 是答复，heading 是小标题，等等。")
    text: str = Field(description="这一段。【待核实：……】要由承办人填写。")
    references: list[int] = Field(description="脚注的编号。")
    notes: list[str] = Field(description="给承办人的说明。")


class ReferenceOut(Form):
    """一条脚注。"""

    number: int = Field(description="编号，从 1 起。")
    citation: CitationOut = Field(description="所引的一处。")
    beside: list[CitationOut] = Field(description="一并引用的，例如表头。")
    quote: str = Field(description="引文。")
    state: State = Field(description="资料是否有效。")
    validity: str = Field(description="同上，用中文说。")
    document_number: str = Field(description="文号。")
    source: str = Field(description="题名、发布者、文号、日期。")


class FindingOut(Form):
    """要改的一处：paragraphs[at].text 的 [start, end)。"""

    kind: FindingKind = Field(description="哪一种。")
    paragraph: str = Field(description="哪一段。")
    at: int = Field(description="第几段，从 0 数起。")
    start: int = Field(description="从第几个字开始。")
    end: int = Field(description="到第几个字为止。")
    text: str = Field(description="这几个字。")
    message: str = Field(description="哪里不对。")
    serious: bool = Field(description="是否改好才能签发。")


class ReasonOut(Form):
    """要第二人复核的一个原因。"""

    kind: ReasonKind = Field(description="哪一种。")
    text: str = Field(description="原因。")
    paragraphs: list[str] = Field(description="哪几段。")


class RiskOut(Form):
    """要不要第二人复核。"""

    review: bool = Field(description="要不要。")
    verdict: str = Field(description="同上，用中文说。")
    reasons: list[ReasonOut] = Field(description="原因。")


class DraftOut(Form):
    """一份回复草稿。"""

    letter: LetterOut = Field(description="来信。")
    as_of: date = Field(description="以哪一天为准。")
    points: list[PointOut] = Field(description="逐项的问题和回答。")
    paragraphs: list[ParagraphOut] = Field(description="回复的各段。")
    references: list[ReferenceOut] = Field(description="脚注。")
    notes: list[str] = Field(description="给承办人的说明。")
    findings: list[FindingOut] = Field(description="要改的地方，包括待核实的。")
    risk: RiskOut = Field(description="要不要复核，为什么。")
    markdown: str = Field(description="整份回复，Markdown。")
    generation: str = Field(description="用哪一代索引。")


@router.post("/draft", response_model=DraftOut, summary="起草一封来信的回复")
async def draft_reply(request: Request, asked: DraftIn) -> JSONResponse:
    """读出来信里的问题，逐项查资料，写成带脚注的草稿；答不出的写成【待核实：……】。不保存来信和草稿。"""
    letter = await to_thread.run_sync(_read, asked.letter)
    found = await request.app.state.desk.run(
        lambda assistant: _drafted(letter, assistant, asked.filters), Caller("api", request, request.is_disconnected)
    )
    record(request, "draft.made", generation=found["generation"])
    return JSONResponse(found)


def _read(text: str) -> Letter:
    try:
        return read_letter(text)
    except CorpusError as error:
        raise Refusal(422, "invalid_request", str(error), "letter") from error


def _drafted(letter: Letter, assistant: Assistant, filters: Filters) -> dict[str, Any]:
    reply = draft(letter, assistant, filters)
    findings = check(reply.paragraphs, reply)
    return {
        **reply.to_dict(), "findings": [finding.to_dict() for finding in findings],
        "risk": risk(reply, findings=findings).to_dict(), "markdown": to_markdown(reply, reply.paragraphs),
        "generation": assistant.index.manifest.generation,
    }  # fmt: skip
