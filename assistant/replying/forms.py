"""What the reply page's script sends, as pydantic models."""

from typing import Annotated, Literal

from pydantic import Field

from assistant.forms import AsOf, Form
from assistant.letter import LONGEST
from assistant.replying.sources import Chosen

MOST_PARAGRAPHS, MOST_SOURCES, MOST_CHARACTERS = 300, 100, 20_000
MAX_QUERY, MAX_NOTE = 200, 500  # characters

Seen = Annotated[int, Field(ge=1, description="看到的最后一条记录的编号。")]


class LetterIn(Form):
    """A letter to be answered."""

    letter: str = Field(max_length=LONGEST)
    as_of: AsOf = None


class ParagraphIn(Form):
    """A paragraph as it stands in the editor."""

    id: str = Field(pattern=r"^[\w.]{1,40}(/\w{1,20})*$", max_length=80)
    text: str = Field(max_length=MOST_CHARACTERS)


class SourceIn(Form):
    """A span that an officer chose to cite."""

    document_id: str = Field(max_length=300)
    start: int = Field(ge=0)
    end: int = Field(ge=1)
    check: str = Field(max_length=20)


class TextIn(Form):
    """The paragraphs of the editor with the sources added to the draft's, in the order of their numbers."""

    paragraphs: list[ParagraphIn] = Field(max_length=MOST_PARAGRAPHS)
    added: list[SourceIn] = Field(default=[], max_length=MOST_SOURCES)

    @property
    def chosen(self) -> list[Chosen]:
        """The sources added."""
        return [Chosen(one.document_id, one.start, one.end, one.check) for one in self.added]

    @property
    def edited(self) -> list[dict[str, str]]:
        """The paragraphs as Draft.revised takes them."""
        return [{"id": one.id, "text": one.text} for one in self.paragraphs]


class VersionIn(TextIn):
    """A version to be kept."""

    seen: Seen


class StepIn(Form):
    """A step to be taken; `note` goes with a return, `text` with what was sent."""

    step: Literal["submitted", "returned", "approved", "finished", "sent"]
    seen: Seen
    note: str = Field(default="", max_length=MAX_NOTE)
    text: str = Field(default="", max_length=LONGEST)


class QueryIn(Form):
    """What is looked for."""

    query: str = Field(min_length=1, max_length=MAX_QUERY)
