"""A reply as it is worked on: the draft, and the entries that say, one after the other, what was done with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from assistant.letter import Letter
from assistant.privacy import mask
from assistant.reply import Draft, Paragraph, Reference
from assistant.reply.wording import gist
from assistant.sender import organisation

State = Literal["draft", "in_review", "approved", "sent"]
Step = Literal["saved", "submitted", "returned", "approved", "finished", "sent"]
AFTER: dict[Step, State] = {
    "saved": "draft", "submitted": "in_review", "returned": "draft", "approved": "approved", "finished": "approved", "sent": "sent",
}  # fmt: skip
STATES: dict[State, str] = {"draft": "草稿", "in_review": "待复核", "approved": "可以发出", "sent": "已发出"}
DONE: dict[Step, str] = {
    "saved": "保存", "submitted": "送审", "returned": "退回", "approved": "复核通过", "finished": "定稿", "sent": "发出",
}  # fmt: skip
UNSIGNED = "未署名"


@dataclass(frozen=True, slots=True)
class Entry:
    """Something done with a reply: `number` from 1, `when` an ISO time, `by` a name, "" for one who did not sign in.

    `paragraphs` and the references `added` to the draft's are those of a version saved; `note` says why a reply was
    returned; `text` is what was really sent, "" if it was the last version.
    """

    number: int
    step: Step
    by: str
    when: str
    paragraphs: tuple[Paragraph, ...] = ()
    added: tuple[Reference, ...] = ()
    note: str = ""
    text: str = ""


@dataclass(frozen=True)
class Reply:
    """A reply with all that was done with it; its first entry is the draft as it was made."""

    id: str
    draft: Draft
    entries: tuple[Entry, ...]

    @property
    def state(self) -> State:
        """Where it stands: an entry takes away what the one before it reached."""
        return AFTER[self.entries[-1].step]

    @property
    def author(self) -> str:
        """Who had it drafted."""
        return self.entries[0].by

    @cached_property
    def versions(self) -> tuple[Entry, ...]:
        """The entries that hold paragraphs; version n is the n-th."""
        return tuple(entry for entry in self.entries if entry.step == "saved")

    @property
    def sent(self) -> Entry | None:
        """What was sent, if it was."""
        return self.entries[-1] if self.state == "sent" else None

    def with_sources(self, added: Sequence[Reference]) -> Draft:
        """Return the draft with the references that were added to it."""
        return replace(self.draft, references=(*self.draft.references, *added))


def masked_sender(letter: Letter) -> str:
    """Return who wrote, for a list: an organisation's name; of a person only that it is one."""
    if not letter.sender:
        return UNSIGNED
    return mask(letter.sender) if organisation(letter.sender) else mask(f"姓名：{letter.sender}").removeprefix("姓名：")


def subject(letter: Letter) -> str:
    """Return the first thing asked, masked, "" if nothing is."""
    return mask(gist(letter.questions[0])) if letter.questions else ""
