"""Gradebook values of both sides in the field's words, as the decision table reads them.

Canvas: course, assignment, submission, section. OneRoster: line item, result, category, grading period. Scores are
Decimal, instants aware UTC. Connectors build these from JSON; nothing here knows a wire shape.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class CanvasCourse:
    """A Canvas course that may hold grades to pass back. `state` is unpublished, available or completed."""

    id: int
    sis_id: str | None
    state: str
    time_zone: str | None
    term_sis_id: str | None = None
    account_id: int | None = None


@dataclass(frozen=True, slots=True)
class DueOverride:
    """A due date for one section (`section_id`) or for named students (`section_id` None)."""

    section_id: int | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A Canvas assignment. `points` None means none were given; `group` is the assignment group's name.

    `period_closed` is Canvas's word on its own grading period (False also where it has none); `post_manually` tells
    that nothing of it is shown to students before the teacher posts it.
    """

    id: int
    course_id: int
    title: str
    group: str
    points: Decimal | None
    grading_type: str
    due_at: datetime | None
    assign_at: datetime | None
    flagged: bool
    published: bool
    counts: bool = True
    hidden: bool = False
    only_overrides: bool = False
    overrides: tuple[DueOverride, ...] = ()
    period_closed: bool = False
    post_manually: bool = False


@dataclass(frozen=True, slots=True)
class Submission:
    """What Canvas holds for one student and assignment. `score` is after late deductions (canvas.md 3.4)."""

    assignment_id: int
    user_id: int
    score: Decimal | None
    excused: bool
    missing: bool
    late: bool
    posted_at: datetime | None
    graded_at: datetime | None
    state: str
    grade: str | None = None


@dataclass(frozen=True, slots=True)
class SectionStudent:
    """A student's enrollment in a Canvas section; `section_sis_id` is the SIS class, None when not tied.

    `test_student` rows are Canvas's own make-believe student and never leave Canvas.
    """

    user_id: int
    sis_user_id: str | None
    section_id: int
    section_sis_id: str | None
    state: str
    test_student: bool = False


@dataclass(frozen=True, slots=True)
class CourseGradebook:
    """One course as read. `complete` tells a full listing from a delta; only a full one can show disappearances.

    `read_at` is the server's clock at the first request: the next watermark starts there.
    """

    course: CanvasCourse
    assignments: tuple[Assignment, ...]
    students: tuple[SectionStudent, ...]
    submissions: tuple[Submission, ...]
    complete: bool
    read_at: datetime


@dataclass(frozen=True, slots=True)
class CourseChange:
    """What moved in one course since some instant, as an account-wide listing of changes tells it.

    `course.state` may also be unpublished or deleted here. `submissions` None: this course's changes could not be
    told. `stamp` is opaque and changes when anything that decides about a line item does; empty when not known.
    `meant` are the assignments that are published and flagged for the SIS.
    """

    course: CanvasCourse
    submissions: tuple[Submission, ...] | None
    stamp: str
    meant: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Category:
    """A SIS gradebook category; `class_id` None means it serves every class."""

    id: str
    title: str
    class_id: str | None = None


@dataclass(frozen=True, slots=True)
class GradingPeriod:
    """A marking period of the SIS. `end` is exclusive (OneRoster); `parent_id` is its term."""

    id: str
    title: str
    start: date
    end: date
    parent_id: str | None


@dataclass(frozen=True, slots=True)
class SisClass:
    """A class of the SIS and the sessions it belongs to."""

    id: str
    school_id: str
    term_ids: tuple[str, ...]
    code: str = ""


@dataclass(frozen=True, slots=True)
class LineItem:
    """A column of a SIS gradebook. Dates are instants in UTC as OneRoster REST has them."""

    id: str
    title: str
    class_id: str
    category_id: str | None
    period_id: str | None
    assign_date: datetime | None
    due_date: datetime | None
    minimum: Decimal | None
    maximum: Decimal | None
    school_id: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """One student's cell in a column. `status` is OneRoster's scoreStatus vocabulary.

    `late` and `missing` are OneRoster 1.2's independent flags; a SIS that has none never shows one.
    """

    id: str
    line_item_id: str
    student_id: str
    score: Decimal | None
    status: str
    score_date: date | None
    class_id: str | None = None
    text: str | None = None
    late: bool = False
    missing: bool = False


@dataclass(frozen=True, slots=True)
class SisGradebook:
    """One class of the SIS as read: its columns, cells and who may receive a result."""

    class_id: str
    line_items: tuple[LineItem, ...]
    results: tuple[Result, ...]
    students: frozenset[str]


@dataclass(frozen=True, slots=True)
class SisCatalogue:
    """What a run reads of the SIS once: classes by id, categories, grading periods, and its sessions.

    `sessions` maps a session's id to (title, start, end exclusive); `session_parents` to its parent's id.
    """

    classes: Mapping[str, SisClass]
    categories: tuple[Category, ...]
    periods: tuple[GradingPeriod, ...]
    session_parents: Mapping[str, str | None] = field(default_factory=dict)
    sessions: Mapping[str, tuple[str, date, date]] = field(default_factory=dict)
