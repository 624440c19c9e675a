"""Rosters: what the SIS says of people, classes and enrollments, and how a Canvas import of them stands.

The values only. Deciding is pure and beside it: `roster_scope` (what the account looks at), `roster_csv` (the files),
`roster_guard` (what is too strange to send). Reading, sending and polling belong to `syncs.roster_import`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class Org:
    """A district or school. `kind` is OneRoster's org type."""

    id: str
    name: str
    kind: str
    parent_id: str | None = None


@dataclass(frozen=True, slots=True)
class AcademicSession:
    """A school year, semester, term or grading period; `end` is exclusive (OneRoster)."""

    id: str
    title: str
    kind: str
    start: date
    end: date
    parent_id: str | None = None
    school_year: str = ""


@dataclass(frozen=True, slots=True)
class RosterCourse:
    """A course of the catalogue."""

    id: str
    title: str
    code: str
    org_id: str | None = None


@dataclass(frozen=True, slots=True)
class RosterClass:
    """A class: the unit that becomes a Canvas section."""

    id: str
    title: str
    code: str
    course_id: str
    school_id: str
    term_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RosterUser:
    """A person, with only the fields Canvas needs."""

    id: str
    username: str
    given_name: str
    family_name: str
    email: str
    role: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RosterEnrollment:
    """One person in one class. `end` is exclusive; an ended enrollment stays in a OneRoster read."""

    id: str
    user_id: str
    class_id: str
    role: str
    begin: date | None = None
    end: date | None = None
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Roster:
    """One full read of the SIS, without rows marked `tobedeleted`."""

    orgs: Sequence[Org] = ()
    sessions: Sequence[AcademicSession] = ()
    courses: Sequence[RosterCourse] = ()
    classes: Sequence[RosterClass] = ()
    users: Sequence[RosterUser] = ()
    enrollments: Sequence[RosterEnrollment] = ()


@dataclass(frozen=True, slots=True)
class ImportStatus:
    """A Canvas SIS import as it stands. `state` is Canvas's workflow_state; messages count, their texts stay out."""

    id: int
    state: str
    progress: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    statistics: Mapping[str, int] = field(default_factory=dict)
    warnings: int = 0
    errors: int = 0

    @property
    def finished(self) -> bool:
        """Whether Canvas is done with it (canvas.md 2.3)."""
        return self.state in FINISHED


FINISHED = frozenset(
    {
        "imported",
        "imported_with_messages",
        "failed",
        "failed_with_messages",
        "aborted",
        "restored",
        "partially_restored",
    }
)
