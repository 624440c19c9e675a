"""What a district consists of before either side has heard of it: plain facts, no API shapes.

The generator (`generate.py`) fills these; the SIS world and the Canvas world each translate them into their own
shapes. Nothing here knows JSON, HTTP or CSV.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True, slots=True)
class School:
    """A school building; `sourced_id` is its id in the SIS."""

    sourced_id: str
    name: str
    identifier: str


@dataclass(frozen=True, slots=True)
class Session:
    """An academic session. `kind` is schoolYear, semester or gradingPeriod; `end` is exclusive (OneRoster)."""

    sourced_id: str
    title: str
    kind: str
    start: date
    end: date
    parent_id: str | None
    school_year: str


@dataclass(frozen=True, slots=True)
class Course:
    """A course of the catalogue ("Biology"), taught in classes."""

    sourced_id: str
    title: str
    code: str
    school_id: str


@dataclass(frozen=True, slots=True)
class Class:
    """A class (Canvas: section). `term_ids` holds one semester, or both for a year-long class."""

    sourced_id: str
    title: str
    code: str
    course_id: str
    school_id: str
    term_ids: tuple[str, ...]
    period: str


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the SIS. `role` is student, teacher or aide."""

    sourced_id: str
    username: str
    given_name: str
    family_name: str
    email: str
    role: str
    school_id: str
    grade: str | None = None


@dataclass(frozen=True, slots=True)
class Enrollment:
    """One person in one class; `end` is exclusive. A transfer is one ended and one begun enrollment."""

    sourced_id: str
    person_id: str
    class_id: str
    school_id: str
    role: str
    begin: date | None = None
    end: date | None = None
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Category:
    """A gradebook category that all classes of the district share."""

    sourced_id: str
    title: str


@dataclass(frozen=True, slots=True)
class District:
    """A whole district as its SIS knows it, plus what Canvas has not heard of yet.

    `news` names SIS ids (people, classes, enrollments) that appeared after Canvas was last filled: the first
    roster import has them to bring. `ended` names enrollments that were still open when Canvas was last filled.
    """

    key: str
    name: str
    time_zone: str
    today: date
    org_id: str
    schools: tuple[School, ...]
    sessions: tuple[Session, ...]
    courses: tuple[Course, ...]
    classes: tuple[Class, ...]
    people: tuple[Person, ...]
    enrollments: tuple[Enrollment, ...]
    categories: tuple[Category, ...]
    news: frozenset[str] = field(default_factory=frozenset)
    ended: frozenset[str] = field(default_factory=frozenset)
