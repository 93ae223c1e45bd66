"""What the API takes and gives, as pydantic models: the source of its description in /api/openapi.json."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assistant.desk import MAX_QUESTION
from assistant.retrieve import Filters
from assistant.schema import DocType, Level, NoticeKind, Turn
from assistant.validity import Validity

MAX_TURNS = 200  # of a conversation; the assistant looks at the user's last ones


def _day(value: Any) -> Any:
    """Return an ISO date, or what is no text as it is. Raises ValueError for other text."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise ValueError("不是日期，请写成 2026-01-31 这样") from error
    if value is None or isinstance(value, date):
        return value
    raise ValueError('应为日期，写成 "2026-01-31" 这样')


AsOf = Annotated[
    date | None, BeforeValidator(_day), Field(description="回答以哪一天为准，例如 2026-01-31；不填是今天。")
]
Question = Annotated[str, Field(min_length=1, max_length=MAX_QUESTION, description="问题。")]
DocumentId = Annotated[str, Field(description="资料编号，引文和段落里的 document_id。")]
TopK = Annotated[int, Field(ge=1, le=50, description="最多几个段落。")]


class Form(BaseModel):
    """Fields that are not named are refused: a misspelt `as_of` must not pass unseen."""

    model_config = ConfigDict(extra="forbid")


class TurnIn(Form):
    """对话里的一句。"""

    role: Literal["user", "assistant"] = Field(description="谁说的：user 是用户，assistant 是助手。")
    content: str = Field(description="说了什么。只有用户的话用来理解后面的问题。")


History = Annotated[Sequence[TurnIn], Field(max_length=MAX_TURNS, description="此前的对话，由早到晚。")]


class AskIn(Form):
    """一个问题。"""

    question: Question
    history: History = ()
    as_of: AsOf = None
    levels: list[Level] = Field(default=[], description="只用这些级别的资料；不填是全部。")
    doc_types: list[DocType] = Field(default=[], description="只用这些类型的资料；不填是全部。")

    @property
    def turns(self) -> list[Turn]:
        """The conversation so far."""
        return [Turn(turn.role, turn.content) for turn in self.history]

    @property
    def filters(self) -> Filters:
        """The day, today unless given, and which documents may answer."""
        return Filters(self.as_of or date.today(), tuple(self.levels), tuple(self.doc_types))


class SearchIn(AskIn):
    """一次查找。"""

    top_k: TopK = 10


class CitationOut(Form):
    """一处引文：资料正文的 [start, end) 逐字就是 quote。"""

    document_id: str = Field(description="资料编号。")
    title: str = Field(description="资料题名。")
    locator: str = Field(description="在哪些标题下面。")
    page: str = Field(description="在文件的第几页；没有页码的格式为空。")
    quote: str = Field(description="原文。")
    start: int = Field(description="从正文第几个字开始，从 0 数起。")
    end: int = Field(description="到第几个字为止，不含这个字。")
    published: str = Field(description="发布日期：YYYY、YYYY-MM 或 YYYY-MM-DD。")
    publisher: str = Field(description="发布者。")
    source_url: str = Field(description="来源网页。")


class StatementOut(Form):
    """回答中的一句，附引文。"""

    text: str = Field(description="这一句。")
    label: str = Field(description="说的是哪一样，在并列几样时才有。")
    citations: list[CitationOut] = Field(description="引文，至少一处。")


class NoticeOut(Form):
    """读者必须知道的事。"""

    kind: NoticeKind = Field(description="哪一种：not_found 没有答案，expired 已失效，conflict 说法不同，等等。")
    text: str = Field(description="说明。")
    document_id: str = Field(description="说的是哪份资料；不限于一份时为空。")


class HitOut(Form):
    """找到的一个段落。"""

    document_id: str = Field(description="资料编号。")
    title: str = Field(description="资料题名。")
    locator: str = Field(description="在哪些标题下面。")
    page: str = Field(description="在文件的第几页。")
    text: str = Field(description="段落原文。")
    start: int = Field(description="从正文第几个字开始，从 0 数起。")
    end: int = Field(description="到第几个字为止，不含这个字。")
    score: float = Field(description="得分，在 (0, 1] 之间，最好的是 1。")
    published: str = Field(description="发布日期。")
    source_url: str = Field(description="来源网页。")


class AnswerOut(Form):
    """一个回答；没有句子就是资料里没有答案，这不是错误。"""

    question: str = Field(description="所问。")
    query: str = Field(description="所查。")
    status: Literal["answered", "abstained"] = Field(description="answered 有答案，abstained 没有。")
    statements: list[StatementOut] = Field(description="逐句的回答。")
    notices: list[NoticeOut] = Field(description="必须知道的事。")
    confidence: float = Field(description="答对的可能，在 0 到 1 之间。")
    as_of: date = Field(description="以哪一天为准。")
    timings_ms: dict[str, float] = Field(description="各步用时，毫秒。")
    generation: str = Field(description="用哪一代索引回答。")
    hits: list[HitOut] = Field(description="找到的段落，没有答案时也有。")


class SearchOut(Form):
    """查找的结果。"""

    hits: list[HitOut] = Field(description="段落，最好的在前。")
    as_of: date = Field(description="以哪一天为准。")
    generation: str = Field(description="用哪一代索引查找。")


class DocumentOut(Form):
    """一份资料。"""

    id: str = Field(description="资料编号。")
    title: str = Field(description="题名。")
    text: str = Field(description="正文；引文的位置以它为准。")
    metadata: dict[str, Any] = Field(description="目录表里的各项。")
    pages: list[int] = Field(description="各页从正文第几个字开始，末一项是正文长度；没有页码的格式为空。")
    as_of: date = Field(description="以哪一天为准。")
    validity: Validity = Field(description="那一天是否有效。")
    validity_label: str = Field(description="同上，用中文说。")
    notice: str = Field(description="引用它时必须说明的事；没有则为空。")
    superseded_by: list[str] = Field(description="替代它的资料的编号。")
    generation: str = Field(description="取自哪一代索引。")


class ErrorDetail(Form):
    """错在哪里。"""

    code: str = Field(description="错误代码，供程序判断。")
    message: str = Field(description="中文说明。")
    type: str = Field(description="invalid_request_error 或 server_error，与 OpenAI 一致。")
    param: str | None = Field(description="哪一项不对。")


class ErrorOut(Form):
    """错误。"""

    error: ErrorDetail = Field(description="代码和说明。")
