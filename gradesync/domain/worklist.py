"""One list per teacher of what they must do, and one for each of the others who must act, from the waiting rows and the
names read a moment ago.

Pure. These values carry names and titles on their way into files of the person who asked; nothing else may see them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from gradesync.domain.gradebook import Assignment
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import item_subject, result_subject
from gradesync.domain.people import STUDENT, CoursePeople, Member
from gradesync.domain.problem import CODES, Radius
from gradesync.domain.record import WaitingRow

Alike = Callable[[Assignment, Iterable[Assignment], frozenset[int]], tuple[int, ...]]
"""Canvas's numbers of those assignments that have the first one's name in a class of these sections."""

TEACHERS = "teacher"
"""Who must act, in the catalogue's words, for a row to be a teacher's."""
_NOBODYS = frozenset({TEACHERS, "nobody", ""})


@dataclass(frozen=True, slots=True)
class Task:
    """One line of a list. `student` None: the assignment itself waits, for the whole class. `class_id` of a section
    that is tied to no class is its place in Canvas.

    `grades` is how many scores of the assignment, or else of the student, hang on it;
    `more` and `to_do` say what this one row adds to the code's cause, and
    what they may do who can (empty: the code's own remedy). `link` is the assignment's address in Canvas, which asks
    whoever follows it to log in; empty where Canvas does not know the assignment any more.
    """

    course: str
    class_id: str
    assignment: str
    assignment_id: int | None
    student: str | None
    code: str
    since: datetime
    grades: int = 0
    more: str = ""
    to_do: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class TeacherList:
    """What one teacher must do, by class, assignment and student. `teacher` None: nobody was found."""

    teacher: Member | None
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class OtherList:
    """What somebody else must do: `who` in the catalogue's words, `codes` the number of waiting rows by code."""

    who: str
    tasks: tuple[Task, ...]
    codes: Mapping[str, int]

    @property
    def records(self) -> int:
        """How many rows wait for them."""
        return sum(self.codes.values())


@dataclass(frozen=True, slots=True)
class Worklist:
    """All lists of an account; `records` counts waiting rows, which more than one teacher may find in a list.

    `others` are the lists of those who are no teachers, and not in `files`, `records` and `codes`; `untied` says where
    in Canvas the sections are that no class of the SIS stands behind.
    """

    account: str
    time_zone: str
    at: datetime
    files: tuple[TeacherList, ...]
    records: int
    unplaced: int
    codes: Mapping[str, int]
    others: tuple[OtherList, ...] = ()
    untied: tuple[str, ...] = ()

    @property
    def teachers(self) -> int:
        """How many people have something to do."""
        return sum(one.teacher is not None for one in self.files)


@dataclass(frozen=True, slots=True)
class CourseLook:
    """One course as read for a worklist."""

    people: CoursePeople
    assignments: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class SisLook:
    """What the SIS adds to one class's rows, by our pseudonyms.

    `columns` are titles of line items; `cells` the line item's title and the student's SIS id behind a result;
    `categories` the titles a group's name can match.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    categories: tuple[str, ...] = ()


NO_SIS = SisLook()
"""Nothing needed, or nothing read."""


def needs_columns(rows: Iterable[WaitingRow], look: CourseLook) -> bool:
    """Whether a row is about work Canvas does not know any more, which only the SIS still has a title for."""
    known = {one.id for one in look.assignments}
    return any(row.record.assignment_id not in known for row in rows)


def needs_categories(rows: Iterable[WaitingRow]) -> bool:
    """Whether a row waits for a category."""
    return any(row.record.code == NO_CATEGORY for row in rows)


def for_teachers(rows: Iterable[WaitingRow]) -> list[WaitingRow]:
    """The rows whose code a teacher must act on."""
    return [row for row in rows if _who(row.record.code) == TEACHERS]


def for_others(rows: Iterable[WaitingRow]) -> list[WaitingRow]:
    """The rows whose code somebody else must act on."""
    return [row for row in rows if _who(row.record.code) not in _NOBODYS]


def _who(code: str) -> str:
    entry = CODES.get(code)
    return entry.who if entry is not None else ""


@dataclass
class Lists:
    """Grows class by class; `done` makes the worklist.

    `canvas` is the address of the account's Canvas, `alike` finds the assignments that the SIS could not tell from one.
    """

    keyed: KeyedHash
    canvas: str = ""
    alike: Alike = field(default=lambda *_: ())
    _by_teacher: dict[int | None, tuple[Member | None, list[Task]]] = field(default_factory=dict)
    _unplaced: int = 0
    _records: int = 0
    _codes: Counter[str] = field(default_factory=Counter)
    _others: dict[str, list[Task]] = field(default_factory=lambda: defaultdict(list))
    _other_codes: Counter[str] = field(default_factory=Counter)
    _untied: set[str] = field(default_factory=set)

    def add_class(
        self, class_id: str, rows: Sequence[WaitingRow], look: CourseLook | None, sis: SisLook = NO_SIS
    ) -> None:
        """The class's rows, with its course as it is now; None when no course holds the class any more."""
        met = {row.record.assignment_id for row in rows}
        canvas = self.canvas.rstrip("/")
        named = None if look is None else _Names(self.keyed, class_id, look, sis, met, canvas, self.alike)
        mine, others = for_teachers(rows), for_others(rows)
        self._records += len(mine)
        self._codes.update(row.record.code for row in mine)
        self._other_codes.update(row.record.code for row in others)
        for task in self._tasks(class_id, others, named):
            self._others[_who(task.code)].append(task)
        tasks = self._tasks(class_id, mine, named)
        teachers = () if look is None else look.people.teachers_of(class_id)
        if mine and not teachers:
            self._unplaced += len(mine)
            self._give(None, tasks)
        for teacher in teachers if mine else ():
            self._give(teacher, tasks)

    def add_section(self, row: WaitingRow) -> None:
        """A row of a section that no class stands behind: its place is all there is to say, and all there need be."""
        place, code = row.record.class_id, row.record.code
        link = f"{self.canvas.rstrip('/')}/{place}" if self.canvas else ""
        task = Task("", place, _ALL_WORK, None, None, code, row.since, link=link)
        self._untied.add(place)
        if _who(code) != TEACHERS:
            self._other_codes[code] += 1
            self._others[_who(code)].append(task)
            return
        # A course that is not published any more, say: whose the section is was not asked.
        self._records += 1
        self._codes[code] += 1
        self._unplaced += 1
        self._give(None, [task])

    def _tasks(self, class_id: str, rows: Sequence[WaitingRow], named: _Names | None) -> list[Task]:
        if named is None:
            return [_task(row, class_id, "", None, None) for row in rows]
        tasks = [self._linked(named.task(row), row, named) for row in rows]
        return _one_per_student(_one_per_assignment(tasks))

    def _linked(self, task: Task, row: WaitingRow, named: _Names) -> Task:
        """With the address of what must be changed: the student's page where the student is it, else the work's."""
        course = f"{self.canvas.rstrip('/')}/courses/{named.look.people.course_id}"
        user = named.users.get(row.record.subject) if task.code in OF_STUDENTS else None
        known = any(one.id == task.assignment_id for one in named.look.assignments)
        if not self.canvas or not (user or known):
            return task
        return replace(
            task, link=f"{course}/users/{user}" if user else f"{course}/assignments/{task.assignment_id}"
        )

    def _give(self, teacher: Member | None, tasks: Iterable[Task]) -> None:
        key = teacher.user_id if teacher is not None else None
        self._by_teacher.setdefault(key, (teacher, []))[1].extend(tasks)

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
            tuple(self._other(who) for who in sorted(self._others)),
            tuple(sorted(self._untied)),
        )

    def _other(self, who: str) -> OtherList:
        codes = {code: number for code, number in sorted(self._other_codes.items()) if _who(code) == who}
        return OtherList(who, tuple(sorted(self._others[who], key=_order)), codes)


@dataclass
class _Names:
    """Names for the rows of one class, made anew from live data: no pseudonym can be read backwards."""

    keyed: KeyedHash
    class_id: str
    look: CourseLook
    sis: SisLook
    met: set[int | None]
    canvas: str
    alike: Alike
    titles: Mapping[int, Assignment] = field(init=False)
    known: dict[str, tuple[int, str | None]] = field(default_factory=dict)
    columns: dict[int, str] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.titles = {one.id: one for one in self.look.assignments}
        members = [one for one in self.look.people.members if one.role == STUDENT]
        # Work that was deleted is in no listing, and its students are still there to be named.
        for id in {*self.titles, *(one for one in self.met if one is not None)}:
            subject = item_subject(self.keyed, id, self.class_id)
            self.known[subject] = (id, None)
            if subject in self.sis.columns:
                self.columns[id] = self.sis.columns[subject]
            for member in members:
                subject = self._subject(id, member)
                self.known.setdefault(subject, (id, self._name(member)))
                self.users.setdefault(subject, member.user_id)

    def _subject(self, id: int, member: Member) -> str:
        if member.sis_user_id is None:
            return self.keyed("result", str(id), self.class_id, f"canvas:{member.user_id}")
        return result_subject(self.keyed, id, self.class_id, member.sis_user_id)

    def _name(self, member: Member) -> str:
        own = any(
            (one.user_id, one.class_id) == (member.user_id, self.class_id) for one in self.look.people.members
        )
        return member.name if own else f"{member.name} (no longer in this class)"

    def task(self, row: WaitingRow) -> Task:
        """The row with names, or with what can be said in their place."""
        subject = row.record.subject
        if subject == self.keyed("class", self.class_id):
            whole = _task(row, self.class_id, self.look.people.course_name, None, None)
            return replace(whole, assignment=_ALL_WORK)
        id, student = self.known.get(subject, (row.record.assignment_id, _NOBODY))
        assignment = self.titles.get(id or 0)
        task = _task(row, self.class_id, self.look.people.course_name, assignment, student)
        title = self.columns.get(id or 0)
        if subject in self.sis.columns:
            title, task = self.sis.columns[subject], replace(task, student=None)
        elif subject in self.sis.cells:
            title, sis_id = self.sis.cells[subject]
            members = self.look.people.members
            name = next((self._name(one) for one in members if one.sis_user_id == sis_id), None)
            task = replace(task, student=name or _NOBODY)
        if assignment is None:
            return replace(task, assignment=_DELETED.format(title)) if title is not None else task
        if task.code == NAMED_TWICE:
            return replace(task, more=self._others(assignment))
        return self._grouped(task, assignment) if task.code == NO_CATEGORY else task

    def _others(self, assignment: Assignment) -> str:
        members = self.look.people.members
        sections = frozenset(one.section_id for one in members if one.class_id == self.class_id)
        found = self.alike(assignment, self.look.assignments, sections)
        base = f"{self.canvas}/courses/{self.look.people.course_id}/assignments/"
        return f"(The other one: {', '.join(f'{base}{one}' for one in found)})" if found else ""

    def _grouped(self, task: Task, assignment: Assignment) -> Task:
        group = f'"{assignment.group.strip()}"'
        here = ", ".join(f'"{one}"' for one in self.sis.categories) or "not read now"
        return replace(
            task,
            more=f"Group in Canvas: {group}. Categories in the SIS: {here}.",
            to_do=(
                "Teacher: move the assignment to a group named like one of these categories, or rename its group. "
                f"District: or name the category for {group} in passback.category_map."
            ),
        )


def _one_per_assignment(tasks: Sequence[Task]) -> list[Task]:
    """What is wrong with an assignment is said once, with how many grades wait for it, not once per student."""
    whole: dict[tuple[str, int | None, str], list[Task]] = {}
    told: list[Task] = []
    for one in tasks:
        entry = CODES.get(one.code)
        if entry is None or entry.radius is not Radius.ASSIGNMENT or one.assignment == _NO_TITLE:
            told.append(one)
        else:
            whole.setdefault((one.assignment, one.assignment_id, one.code), []).append(one)
    for same in whole.values():
        grades = sum(one.student is not None for one in same)
        told.append(replace(same[0], student=None, since=min(one.since for one in same), grades=grades))
    return told


def _one_per_student(tasks: Sequence[Task]) -> list[Task]:
    """What is wrong with a student is said once in each class, with how many grades wait for it."""
    whole: dict[tuple[str, str | None, str], list[Task]] = {}
    told: list[Task] = []
    for one in tasks:
        if one.code in OF_STUDENTS and one.student not in (None, _NOBODY):
            whole.setdefault((one.link, one.student, one.code), []).append(one)
        else:
            told.append(one)
    for same in whole.values():
        since = min(one.since for one in same)
        told.append(replace(same[0], assignment=_ALL_WORK, assignment_id=None, since=since, grades=len(same)))
    return told


NAMED_TWICE = "GS-404"
NO_CATEGORY = "GS-405"
OF_STUDENTS = frozenset({"GS-417", "GS-503"})
"""Codes about a student and no piece of work: whoever acts on one does it once for all of the student's grades."""
_DELETED = "{} (its title in the SIS; no longer in Canvas)"
_NOBODY = "(a student who is no longer in this class)"
_ALL_WORK = "(all of its work)"
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
