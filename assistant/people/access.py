"""Who may do what: the roles, what each permits, and who makes a request."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from starlette.requests import HTTPConnection

Permission = Literal["ask", "draft", "evaluate", "administer"]
IDENTITY, RECORD = "jiading.identity", "jiading.record"  # where the gate leaves them in a request's scope


class Role(StrEnum):
    """What a person does here; everybody may ask."""

    ASKER = "asker"
    DRAFTER = "drafter"
    EVALUATOR = "evaluator"
    ADMINISTRATOR = "administrator"


ROLES = {Role.ASKER: "提问", Role.DRAFTER: "起草", Role.EVALUATOR: "评测", Role.ADMINISTRATOR: "管理"}
PERMITTED: dict[Role, frozenset[Permission]] = {
    Role.ASKER: frozenset({"ask"}),
    Role.DRAFTER: frozenset({"ask", "draft"}),
    Role.EVALUATOR: frozenset({"ask", "evaluate"}),
    Role.ADMINISTRATOR: frozenset({"ask", "draft", "evaluate", "administer"}),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """Who makes a request; without a role somebody who has not signed in, whose `permitted` is what is open to all."""

    name: str = ""
    role: Role | None = None
    open_to_all: frozenset[Permission] = frozenset()

    @property
    def permitted(self) -> frozenset[Permission]:
        """What this one may do."""
        return PERMITTED[self.role] if self.role else self.open_to_all


NOBODY = Identity()


def identity(request: HTTPConnection) -> Identity:
    """Return who makes a request; NOBODY where no gate stands before the application."""
    found: Identity = request.scope.get(IDENTITY, NOBODY)
    return found


def record(request: HTTPConnection, action: str, about: str = "", generation: str = "", **detail: Any) -> None:
    """Add to the audit log what the one who makes a request did: `action` as in “draft.sent”, `about` the thing's id.

    `generation` is the index's, if an answer came from it. Nothing personal and no question's text belongs in `detail`.
    Without a gate before the application nothing is written.
    """
    write: Callable[..., None] | None = request.scope.get(RECORD)
    if write:
        write(action, about, generation, detail)
