"""One list per teacher of what they must do, from the waiting rows and the names read a moment ago.

Pure. These values carry names and titles on their way into files of the person who asked; nothing else may see them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from gradesync.domain.gradebook import Assignment
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import item_subject, result_subject
from gradesync.domain.people import CoursePeople, Member
from gradesync.domain.problem import CODES
from gradesync.domain.record import WaitingRow

TEACHERS = "teacher"
"""Who must act, in the catalogue's words, for a row to be a teacher's."""


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a list. `student` None: the assignment itself waits, for the whole class."""

    course: str
    class_id: str
    assignment: str
    assignment_id: int | None
    student: str | None
    code: str
    since: datetime


@dataclass(frozen=True, slots=True)
class TeacherList:
    """What one teacher must do, by class, assignment and student. `teacher` None: nobody was found."""

    teacher: Member | None
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Worklist:
    """All lists of an account; `records` counts waiting rows, which more than one teacher may find in a list."""

    account: str
    time_zone: str
    at: datetime
    files: tuple[TeacherList, ...]
    records: int
    unplaced: int
    codes: Mapping[str, int]

    @property
    def teachers(self) -> int:
        """How many people have something to do."""
        return sum(one.teacher is not None for one in self.files)


@dataclass(frozen=True, slots=True)
class CourseLook:
    """One course as read for a worklist."""

    people: CoursePeople
    assignments: tuple[Assignment, ...]


def for_teachers(rows: Iterable[WaitingRow]) -> list[WaitingRow]:
    """The rows whose code a teacher must act on."""
    return [row for row in rows if _who(row.record.code) == TEACHERS]


def _who(code: str) -> str:
    entry = CODES.get(code)
    return entry.who if entry is not None else ""


@dataclass
class Lists:
    """Grows class by class; `done` makes the worklist."""

    keyed: KeyedHash
    _by_teacher: dict[int | None, tuple[Member | None, list[Task]]] = field(default_factory=dict)
    _unplaced: int = 0
    _records: int = 0
    _codes: Counter[str] = field(default_factory=Counter)

    def add_class(self, class_id: str, rows: Sequence[WaitingRow], look: CourseLook | None) -> None:
        """The class's rows, with its course as it is now; None when no course holds the class any more."""
        self._records += len(rows)
        self._codes.update(row.record.code for row in rows)
        if look is None:
            self._unplaced += len(rows)
            self._give(None, [_task(row, class_id, "", None, None) for row in rows])
            return
        named = self._names(class_id, look)
        titles = {one.id: one for one in look.assignments}
        tasks = []
        for row in rows:
            assignment_id, student = named(row.record.subject)
            assignment = titles.get(assignment_id or row.record.assignment_id or 0)
            tasks.append(_task(row, class_id, look.people.course_name, assignment, student))
        teachers = look.people.teachers_of(class_id)
        if not teachers:
            self._unplaced += len(rows)
            self._give(None, tasks)
        for teacher in teachers:
            self._give(teacher, tasks)

    def _give(self, teacher: Member | None, tasks: Iterable[Task]) -> None:
        key = teacher.user_id if teacher is not None else None
        self._by_teacher.setdefault(key, (teacher, []))[1].extend(tasks)

    def _names(self, class_id: str, look: CourseLook) -> Callable[[str], tuple[int | None, str | None]]:
        """Pseudonym -> (assignment, student's name): made anew from live data, since none can be read backwards."""
        known: dict[str, tuple[int | None, str | None]] = {}
        for assignment in look.assignments:
            known[item_subject(self.keyed, assignment.id, class_id)] = (assignment.id, None)
            for member in look.people.students_of(class_id):
                subject = (
                    result_subject(self.keyed, assignment.id, class_id, member.sis_user_id)
                    if member.sis_user_id is not None
                    else self.keyed("result", str(assignment.id), class_id, f"canvas:{member.user_id}")
                )
                known[subject] = (assignment.id, member.name)
        return lambda subject: known.get(subject, (None, _NOBODY))

    def done(self, account: str, time_zone: str, at: datetime) -> Worklist:
        """Every list, sorted for reading; nobody's comes last."""
        lists = [
            TeacherList(teacher, tuple(sorted(tasks, key=_order)))
            for teacher, tasks in self._by_teacher.values()
        ]
        lists.sort(key=lambda one: (one.teacher is None, one.teacher.name if one.teacher is not None else ""))
        return Worklist(
            account,
            time_zone,
            at,
            tuple(lists),
            self._records,
            self._unplaced,
            dict(sorted(self._codes.items())),
        )


_NOBODY = "(a student who is no longer in this class)"
_NO_TITLE = "(an assignment that is no longer in Canvas)"


def _task(
    row: WaitingRow, class_id: str, course: str, assignment: Assignment | None, student: str | None
) -> Task:
    return Task(
        course=course,
        class_id=class_id,
        assignment=assignment.title if assignment is not None else _NO_TITLE,
        assignment_id=assignment.id if assignment is not None else row.record.assignment_id,
        student=student,
        code=row.record.code,
        since=row.since,
    )


def _order(task: Task) -> tuple[str, str, str, int, str, str]:
    whole = task.student is None
    return (
        task.course,
        task.class_id,
        task.assignment,
        task.assignment_id or 0,
        "" if whole else str(task.student),
        task.code,
    )
