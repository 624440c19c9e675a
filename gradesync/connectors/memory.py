"""Both other sides in RAM: the fakes that ship with the connectors and pass the same conformance suite.

For tests of syncs and engine, which need honest sinks and not mocks: what was put is read back, and what a real SIS
refuses is refused with the same codes. No HTTP, no delay, no sandbox; state is public and may be changed by tests.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from gradesync.domain.comparison import Weighing
from gradesync.domain.gradebook import (
    Assignment,
    CanvasCourse,
    Category,
    CourseChange,
    CourseGradebook,
    GradingPeriod,
    LineItem,
    Result,
    SectionStudent,
    SisCatalogue,
    SisClass,
    SisGradebook,
    Submission,
)
from gradesync.domain.people import CoursePeople, Member
from gradesync.domain.roster import ImportStatus, Roster
from gradesync.domain.roster_rows import RowMessage
from gradesync.domain.roster_takeover import HeldIds
from gradesync.errors import ConnectionProblem
from gradesync.ports import ChangeFeed, RosterIntake


def _text(path: Path) -> str:
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def _refused(message: str, code: str, status: int) -> ConnectionProblem:
    return ConnectionProblem(message, code=code, status=status, vendor_text=message)


@dataclass(slots=True)
class MemorySis:
    """RosterSource and GradebookSink. `students` is class id -> who may receive a result.

    `decimals` is how many places of a score are kept, `closed` names closed grading periods, `refuse` maps a record's
    id to the problem its next writes raise, `forget` accepts writes without storing them. `own_ids` gives new records
    ids of the SIS's own, `max_title` cuts titles, `keeps` says yes to deletions and deletes nothing. `writes` counts
    puts and deletions.
    """

    district: str
    roster: Roster = field(default_factory=Roster)
    categories: tuple[Category, ...] = ()
    periods: tuple[GradingPeriod, ...] = ()
    students: dict[str, frozenset[str]] = field(default_factory=dict)
    line_items: dict[str, LineItem] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    guard: Callable[[], None] | None = None
    decimals: int | None = None
    closed: frozenset[str] = frozenset()
    refuse: dict[str, ConnectionProblem] = field(default_factory=dict)
    forget: bool = False
    own_ids: bool = False
    max_title: int | None = None
    keeps: bool = False
    writes: int = 0

    async def identity(self) -> str:
        """The district's id."""
        return self.district

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """The roster as it stands."""
        held = self.roster
        intake.orgs(held.orgs)
        intake.sessions(held.sessions)
        intake.courses(held.courses)
        intake.classes(held.classes)
        intake.users(held.users)
        intake.enrollments(held.enrollments)
        told(1, 1)

    async def catalogue(self) -> SisCatalogue:
        """Every class of the roster."""
        return SisCatalogue(
            classes={
                one.id: SisClass(one.id, one.school_id, one.term_ids, one.code) for one in self.roster.classes
            },
            categories=self.categories,
            periods=self.periods,
            session_parents={one.id: one.parent_id for one in self.roster.sessions},
            sessions={one.id: (one.title, one.start, one.end) for one in self.roster.sessions},
        )

    async def read_class(self, class_id: str, columns: Sequence[str] = ()) -> SisGradebook:
        """Line items, results (of some columns) and students of a class; GS-512 when unknown."""
        items = await self.read_line_items(class_id)
        results = [r for r in await self.read_results(class_id) if not columns or r.line_item_id in columns]
        return SisGradebook(class_id, tuple(items), tuple(results), self._students_of(class_id))

    async def read_results(self, class_id: str) -> Sequence[Result]:
        """The class's results."""
        items = {one.id for one in await self.read_line_items(class_id)}
        return [replace(one, class_id=class_id) for one in self.results.values() if one.line_item_id in items]

    async def read_line_item_results(self, class_id: str, line_item_id: str) -> Sequence[Result]:
        """One line item's results."""
        return [one for one in await self.read_results(class_id) if one.line_item_id == line_item_id]

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items."""
        self._known(class_id, "GS-512")
        return [one for one in self.line_items.values() if one.class_id == class_id]

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        """Create or replace; GS-505 for an unknown class, GS-405 for an unknown category, GS-501 for a closed one."""
        self._before_write(item.id)
        self._known(item.class_id, "GS-505")
        if item.category_id is not None and item.category_id not in {one.id for one in self.categories}:
            raise _refused("unknown category", "GS-405", 404)
        self._open(item.period_id)
        held = replace(
            item, id=self._id_for(item.id, self.line_items, new), title=item.title[: self.max_title]
        )
        if not self.forget:
            self.line_items[held.id] = held
        return held.id

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        """Create or replace; GS-505 for an unknown line item, GS-503 for a student not in its class."""
        self._before_write(result.id)
        item = self.line_items.get(result.line_item_id)
        if item is None:
            raise _refused("unknown lineItem", "GS-505", 404)
        if result.student_id not in self._students_of(item.class_id):
            raise _refused("student does not belong to this class", "GS-503", 422)
        self._open(item.period_id)
        held = replace(result, id=self._id_for(result.id, self.results, new), score=self._kept(result.score))
        if not self.forget:
            self.results[held.id] = held
        return held.id

    async def delete_result(self, result_id: str) -> None:
        """Remove; gone already is removed."""
        self._before_write(result_id)
        if not self.keeps:
            self.results.pop(result_id, None)

    async def delete_line_item(self, line_item_id: str) -> None:
        """Remove with its results; gone already is removed."""
        self._before_write(line_item_id)
        if self.keeps:
            return
        self.line_items.pop(line_item_id, None)
        for one in [one.id for one in self.results.values() if one.line_item_id == line_item_id]:
            del self.results[one]

    def _students_of(self, class_id: str) -> frozenset[str]:
        if class_id in self.students:
            return self.students[class_id]
        enrolled = (one for one in self.roster.enrollments if one.class_id == class_id)
        return frozenset(one.user_id for one in enrolled if one.role == "student")

    def _known(self, class_id: str, code: str) -> None:
        if class_id not in self.students and all(one.id != class_id for one in self.roster.classes):
            raise _refused("unknown class", code, 404)

    def _open(self, period_id: str | None) -> None:
        if period_id is not None and period_id in self.closed:
            raise _refused("the grading period is closed", "GS-501", 422)

    def _before_write(self, record_id: str) -> None:
        if self.guard is not None:
            self.guard()
        if record_id in self.refuse:
            raise self.refuse[record_id]
        self.writes += 1

    def _id_for(self, asked: str, held: Mapping[str, object], new: bool) -> str:
        if not self.own_ids:
            return asked
        if new:
            return f"own-{self.writes}"
        if asked not in held:
            raise _refused("unknown record", "GS-505", 404)
        return asked

    def _kept(self, score: Decimal | None) -> Decimal | None:
        if score is None or self.decimals is None:
            return score
        return round(score, self.decimals)


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
            raise _refused("the course does not exist", "GS-305", 404)
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

    async def sis_ids_of(self, user_id: int) -> frozenset[str]:
        """The ids of the user's seats, and those set in `former`."""
        seats = (one for held in self.held.values() for one in held.students if one.user_id == user_id)
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
            raise _refused("the import does not exist", "GS-305", 404)
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
