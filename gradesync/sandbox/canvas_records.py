"""The records a Canvas keeps: mutable rows with Canvas's own field names and states.

Shapes only. Indexes live in `canvas_state`, what teachers do in `canvas_world`, JSON in `canvas_json`.
Times are aware UTC datetimes; ids are integers, unique per kind.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

#: Enrollment types whose people have submissions.
STUDENT_TYPES = frozenset({"StudentEnrollment", "StudentViewEnrollment"})


@dataclass(slots=True, eq=False)
class Account:
    """An account of the tree; the root one has no parent."""

    id: int
    name: str
    parent_account_id: int | None
    sis_account_id: str | None = None
    integration_id: str | None = None
    workflow_state: str = "active"
    sis_import_id: int | None = None
    sticky: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Term:
    """An enrollment term."""

    id: int
    name: str
    start_at: datetime | None = None
    end_at: datetime | None = None
    sis_term_id: str | None = None
    integration_id: str | None = None
    workflow_state: str = "active"
    sis_import_id: int | None = None
    sticky: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Course:
    """A course. `workflow_state` is created, claimed, available, completed or deleted."""

    id: int
    name: str
    course_code: str
    account_id: int
    enrollment_term_id: int
    created_at: datetime
    sis_course_id: str | None = None
    integration_id: str | None = None
    workflow_state: str = "claimed"
    start_at: datetime | None = None
    end_at: datetime | None = None
    time_zone: str = "America/New_York"
    apply_assignment_group_weights: bool = False
    grade_passback_setting: str | None = None
    sis_import_id: int | None = None
    sticky: set[str] = field(default_factory=set)

    @property
    def published(self) -> bool:
        """Available or completed: only then do grades leave the course."""
        return self.workflow_state in ("available", "completed")


@dataclass(slots=True, eq=False)
class Section:
    """A section. `nonxlist_course_id` is its home while it is cross-listed elsewhere."""

    id: int
    name: str
    course_id: int
    created_at: datetime
    nonxlist_course_id: int | None = None
    sis_section_id: str | None = None
    integration_id: str | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    workflow_state: str = "active"
    default_section: bool = False
    sis_import_id: int | None = None
    sticky: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class User:
    """A person; SIS ids belong to the person's logins."""

    id: int
    name: str
    sortable_name: str
    short_name: str
    created_at: datetime
    email: str | None = None
    workflow_state: str = "registered"
    admin: bool = False
    sis_import_id: int | None = None
    sticky: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Login:
    """A login (pseudonym) of a person: active, suspended or deleted."""

    id: int
    user_id: int
    unique_id: str
    sis_user_id: str | None = None
    integration_id: str | None = None
    workflow_state: str = "active"
    sis_import_id: int | None = None


@dataclass(slots=True, eq=False)
class Enrollment:
    """A person in a section; remembers the login it came from. `sis_import_id` is the SIS batch flag."""

    id: int
    user_id: int
    course_section_id: int
    type: str
    created_at: datetime
    updated_at: datetime
    workflow_state: str = "active"
    login_id: int | None = None
    sis_import_id: int | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    associated_user_id: int | None = None


@dataclass(slots=True, eq=False)
class AssignmentGroup:
    """A group of assignments within a course."""

    id: int
    course_id: int
    name: str
    position: int
    group_weight: float = 0.0
    rules: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Override:
    """Another due date for one section or for some students."""

    id: int
    title: str
    due_at: datetime | None
    course_section_id: int | None = None
    student_ids: tuple[int, ...] = ()


@dataclass(slots=True, eq=False)
class Assignment:
    """An assignment. `workflow_state` is published, unpublished or deleted."""

    id: int
    course_id: int
    assignment_group_id: int
    name: str
    created_at: datetime
    updated_at: datetime
    points_possible: float | None = 100.0
    grading_type: str = "points"
    due_at: datetime | None = None
    workflow_state: str = "published"
    post_to_sis: bool = True
    post_manually: bool = False
    omit_from_final_grade: bool = False
    hide_in_gradebook: bool = False
    only_visible_to_overrides: bool = False
    submission_types: tuple[str, ...] = ("online_upload",)
    position: int = 1
    sis_assignment_id: str | None = None
    integration_id: str | None = None
    overrides: list[Override] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Submission:
    """One student's row of one assignment, a placeholder included.

    `score` is after the late deduction; the score as entered is `score + points_deducted`.
    """

    id: int
    user_id: int
    assignment_id: int
    course_id: int
    updated_at: datetime
    score: float | None = None
    grade: str | None = None
    excused: bool | None = None
    attempt: int | None = None
    submission_type: str | None = None
    submitted_at: datetime | None = None
    graded_at: datetime | None = None
    posted_at: datetime | None = None
    grader_id: int | None = None
    workflow_state: str = "unsubmitted"
    late_policy_status: str | None = None
    points_deducted: float | None = None
    grade_matches_current_submission: bool = True
    redo_request: bool = False
    custom_grade_status_id: int | None = None


@dataclass(slots=True, eq=False)
class GradingPeriod:
    """A marking period of some terms; `end_at` is the last moment inside it."""

    id: int
    title: str
    start_at: datetime
    end_at: datetime
    term_ids: tuple[int, ...]


def raw_record(record: Any) -> dict[str, Any]:
    """The record as JSON-ready facts: every stored field, times as ISO 8601 with microseconds."""
    # Asking a dataclass for its fields costs more than reading them all; a large district has 60,000 records.
    names = _NAMES.get(type(record))
    if names is None:
        names = _NAMES[type(record)] = tuple(item.name for item in fields(record))
    return {name: _raw(getattr(record, name)) for name in names}


_NAMES: dict[type, tuple[str, ...]] = {}


def _raw(value: Any) -> Any:
    if value is None or isinstance(value, int | float | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, list):
        return [raw_record(entry) for entry in value]
    return value
