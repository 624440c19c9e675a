"""The shape of one entry of the catalogue. Only the shape: the entries stand in the modules beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Act(StrEnum):
    """Whether a finding needs a person: `person` and `bug` turn a run into a `warning`."""

    RETRY = "retry"
    PERSON = "person"
    HOLD = "hold"
    INFO = "info"
    BUG = "bug"


class Radius(StrEnum):
    """How far one finding reaches: is it this grade, this assignment, this class, or the whole account?"""

    RECORD = "record"
    ASSIGNMENT = "assignment"
    CLASS = "class"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of the catalogue, in words a teacher understands.

    `cause` says why in one sentence, `remedy` what to do in one, `who` must do it; `meanwhile` says what gradesync
    does until then. Never a vendor's text: what the other side said is kept apart.
    """

    code: str
    title: str
    cause: str
    remedy: str
    who: str
    act: Act
    radius: Radius
    meanwhile: str

    @property
    def needs_person(self) -> bool:
        """True when a run that met this code ends as `warning` (DESIGN.md 8)."""
        return self.act in (Act.PERSON, Act.BUG)


R, P, H, I, B = Act.RETRY, Act.PERSON, Act.HOLD, Act.INFO, Act.BUG  # noqa: E741 - the tables are read by column
RECORD, ASSIGNMENT, CLASS, ACCOUNT = Radius.RECORD, Radius.ASSIGNMENT, Radius.CLASS, Radius.ACCOUNT
