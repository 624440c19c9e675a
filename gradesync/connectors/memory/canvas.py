"""A Canvas in RAM: courses that are read, and imports that take their time."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from gradesync.connectors.memory.refusals import refused
from gradesync.domain.comparison import Weighing
from gradesync.domain.gradebook import (
    Assignment,
    CanvasCourse,
    CourseChange,
    CourseGradebook,
    SectionStudent,
    Submission,
)
from gradesync.domain.people import CoursePeople, Member
from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_rows import RowMessage
from gradesync.domain.roster_takeover import HeldIds
from gradesync.ports import ChangeFeed


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@dataclass(slots=True)
class MemoryCourse:
    """One Canvas course with all it holds.

    `touched` says when a submission (assignment, user) last changed, where that is not when it was graded.
    """

    course: CanvasCourse
    assignments: list[Assignment] = field(default_factory=list)
    students: list[SectionStudent] = field(default_factory=list)
    submissions: list[Submission] = field(default_factory=list)
    touched: dict[tuple[int, int], datetime] = field(default_factory=dict)
    name: str = ""
    members: list[Member] = field(default_factory=list)

    def changed_since(self, since: datetime) -> list[Submission]:
        """Submissions of published assignments and present students changed strictly after `since`."""
        published = {one.id for one in self.assignments if one.published}
        present = {one.user_id for one in self.students}
        return [
            one
            for one in self.submissions
            if one.assignment_id in published
            and one.user_id in present
            and (at := self.touched.get((one.assignment_id, one.user_id), one.graded_at)) is not None
            and at > since
        ]


@dataclass(frozen=True, slots=True)
class SentImport:
    """What one import brought."""

    files: Mapping[str, str]
    data_set: str | None
    remaster: bool
    expected_change: int = 0
    deletes: bool = False


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class MemoryCanvas:
    """GradebookSource and RosterSink. An import is `created`, then `importing` for `polls` looks, then `ends`.

    `now` is Canvas's clock: it stamps what is read and decides nothing else. `follows`: whether the key may ask what
    changed in the whole account; without it courses are read one by one.
    """

    uuid: str
    held: dict[int, MemoryCourse] = field(default_factory=dict)
    sections: frozenset[str] = frozenset()
    now: Callable[[], datetime] = _utc_now
    guard: Callable[[], None] | None = None
    polls: int = 1
    ends: ImportStatus = field(default_factory=lambda: ImportStatus(0, "imported", 100))
    follows: bool = False
    sent: list[SentImport] = field(default_factory=list)
    waiting: list[ImportStatus] = field(default_factory=list)
    messages: dict[int, list[RowMessage]] = field(default_factory=dict)
    former: dict[int, frozenset[str]] = field(default_factory=dict)
    weighs: dict[int, Weighing] = field(default_factory=dict)
    _looks: dict[int, int] = field(default_factory=dict)

    def hold(self, courses: Iterable[MemoryCourse]) -> None:
        """Add or replace courses."""
        self.held |= {one.course.id: one for one in courses}

    async def identity(self) -> str:
        """The root account's uuid."""
        return self.uuid

    async def courses(self) -> AsyncIterator[CanvasCourse]:
        """Every course that is not deleted."""
        for one in list(self.held.values()):
            if one.course.state in ("available", "completed", "unpublished"):
                yield one.course

    async def read_course(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:
        """All of it, or assignments and what was graded strictly after `since`."""
        return self._book(course, since)

    def _book(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:
        held = self.held.get(course.id)
        if held is None:
            raise refused("the course does not exist", "GS-305", 404)
        rows = held.submissions
        if since is not None:
            rows = [one for one in rows if one.graded_at is not None and one.graded_at > since]
        return CourseGradebook(
            course=held.course,
            assignments=tuple(held.assignments),
            students=tuple(held.students) if since is None or rows else (),
            submissions=tuple(rows),
            complete=since is None,
            read_at=self.now(),
        )

    async def changes(self, since: datetime | None) -> ChangeFeed | None:
        """Every course, with the submissions changed strictly after `since`; None unless `follows`."""
        return ChangeFeed(self.now(), self._changes(since)) if self.follows else None

    async def _changes(self, since: datetime | None) -> AsyncIterator[CourseChange]:
        for one in list(self.held.values()):
            rows = () if since is None else tuple(one.changed_since(since))
            meant = frozenset(work.id for work in one.assignments if work.flagged and work.published)
            yield CourseChange(one.course, rows, repr(one.assignments), meant)

    async def read_around(self, course: CanvasCourse, submissions: tuple[Submission, ...]) -> CourseGradebook:
        """Assignments and students around submissions told by `changes`."""
        return replace(self._book(course, None), submissions=submissions, complete=False)

    async def find_course(
        self, *, course_id: int | None = None, class_id: str | None = None
    ) -> CanvasCourse | None:
        """A course by its number, or the one in which a student of the class sits."""
        for one in self.held.values():
            sits = class_id is not None and any(who.section_sis_id == class_id for who in one.students)
            if one.course.id == course_id or sits:
                return one.course
        return None

    async def has_assignment(self, course: CanvasCourse, assignment_id: int) -> bool:
        """Whether the course holds the assignment."""
        held = self.held.get(course.id)
        return held is not None and any(one.id == assignment_id for one in held.assignments)

    async def sis_ids_of(self, user_id: int) -> frozenset[str] | None:
        """The ids of the user's seats, and those set in `former`; None for a user of neither."""
        seats = [one for held in self.held.values() for one in held.students if one.user_id == user_id]
        if not seats and user_id not in self.former:
            return None
        return frozenset(one.sis_user_id for one in seats if one.sis_user_id) | self.former.get(
            user_id, frozenset()
        )

    async def weighing(self, course_id: int) -> Weighing | None:
        """As set in `weighs`; else nothing is weighed or dropped."""
        return self.weighs.get(course_id, Weighing(weighted=False, dropping=0))

    async def people(self, course: CanvasCourse) -> CoursePeople:
        """Name and members as set."""
        held = self.held[course.id]
        return CoursePeople(course.id, held.name, tuple(held.members))

    async def unfinished_imports(self) -> Sequence[ImportStatus]:
        """Imports set in `waiting`, and our own while they run."""
        ours = [self._status(number) for number in self._looks]
        return [*self.waiting, *(one for one in ours if not one.finished)]

    async def held_ids(self, people: str) -> AsyncIterator[HeldIds]:
        """SIS ids of courses, of sections (those set in `sections` and those of enrollments), and of students."""
        yield HeldIds("courses", [one.course.sis_id for one in self.held.values() if one.course.sis_id])
        students = [who for one in self.held.values() for who in one.students]
        lived = {who.section_sis_id for who in students if who.section_sis_id}
        yield HeldIds("sections", sorted(self.sections | lived))
        if people == "sis_id":
            yield HeldIds("users", sorted({who.sis_user_id for who in students if who.sis_user_id}))

    async def start_import(
        self,
        files: Mapping[str, Path],
        *,
        data_set: str | None,
        remaster: bool,
        expected_change: int = 0,
        deletes: bool = False,
    ) -> ImportStatus:
        """Keep the files' texts in `sent`."""
        if self.guard is not None:
            self.guard()
        texts = {name: _text(path) for name, path in files.items()}
        self.sent.append(SentImport(texts, data_set, remaster, expected_change, deletes))
        number = len(self.sent)
        self._looks[number] = 0
        return ImportStatus(number, "created")

    async def import_status(self, import_id: int) -> ImportStatus:
        """Where the import is; each look brings it on."""
        if import_id not in self._looks:
            raise refused("the import does not exist", "GS-305", 404)
        self._looks[import_id] += 1
        return self._status(import_id)

    async def recent_imports(self) -> Sequence[ImportStatus]:
        """Those set in `waiting`, and our own, newest first."""
        return [*self.waiting, *(self._status(number) for number in sorted(self._looks, reverse=True))]

    async def import_messages(self, import_id: int) -> AsyncIterator[RowMessage]:
        """What was set in `messages`, for the import."""
        for one in self.messages.get(import_id, ()):
            yield one

    async def class_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """Who sat in the class by the last roster sent; None when it held no such section."""
        files = next((one.files for one in reversed(self.sent) if "sections.csv" in one.files), None)
        if files is None:
            return None
        if class_id not in {row["section_id"] for row in _rows(files["sections.csv"])}:
            return None
        return frozenset(
            (row["user_id"], row["role"])
            for row in _rows(files["enrollments.csv"])
            if row["section_id"] == class_id and row["status"] == "active"
        )

    async def imported_seats(self, class_id: str) -> frozenset[tuple[str, str]] | None:
        """The same: nobody sits here by hand."""
        return await self.class_seats(class_id)

    def _status(self, number: int) -> ImportStatus:
        data_set = self.sent[number - 1].data_set or ""
        if self._looks[number] <= self.polls:
            return ImportStatus(number, "importing", 50, data_set=data_set)
        return replace(self.ends, id=number, data_set=data_set)
