"""A small district in RAM on both sides with a store between them, and what can go wrong with its writes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gradesync.connectors.memory import MemoryCanvas, MemoryCourse, MemorySis
from gradesync.domain.account import Account
from gradesync.domain.gradebook import (
    Assignment,
    CanvasCourse,
    Category,
    CourseGradebook,
    GradingPeriod,
    LineItem,
    Result,
    SectionStudent,
    SisCatalogue,
    Submission,
)
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import result_subject
from gradesync.domain.record import RecordEvent
from gradesync.domain.roster import Roster, RosterClass
from gradesync.domain.run import (
    SCHEDULER,
    Claimed,
    Holder,
    Mode,
    Outcome,
    Run,
    RunResult,
    RunState,
    Stage,
    Trigger,
)
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.store.memory import MemoryStore
from gradesync.syncs.grade_passback import ClassPreview, PassbackJob, pass_back, preview_passback
from gradesync.syncs.stage import StageTracker
from tests.domain.plan_samples import definition

START = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)
DUE = datetime(2026, 10, 2, 20, 0, tzinfo=UTC)
GRADES = ScheduleId("riverside", "grades")
HOLDER = Holder("test", "elsewhere", 1, "1", "another-boot")
KEYED = KeyedHash(b"k" * 32, "riverside")
_numbers = itertools.count(1)


class Crash(BaseException):
    """The process is gone: nothing may catch this."""


@dataclass
class Sis(MemorySis):
    """A SIS that counts what it is asked, loses its process, or grows deaf, when told."""

    asked: list[str] = field(default_factory=list)
    crash_at: int | None = None
    crash_after: bool = False
    puts: int = 0
    down: frozenset[str] = frozenset()
    trouble: Exception | None = None

    async def catalogue(self) -> SisCatalogue:
        self.asked.append("catalogue")
        return await MemorySis.catalogue(self)

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        self.asked.append(class_id)
        if class_id in self.down and self.trouble is not None:
            raise self.trouble
        return await MemorySis.read_line_items(self, class_id)

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        self._before()
        held = await MemorySis.put_line_item(self, item, new=new)
        self._after()
        return held

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        self._before()
        held = await MemorySis.put_result(self, result, new=new)
        self._after()
        return held

    def _before(self) -> None:
        self.puts += 1
        if self.puts == self.crash_at and not self.crash_after:
            raise Crash

    def _after(self) -> None:
        if self.puts == self.crash_at and self.crash_after:
            raise Crash


@dataclass
class Canvas(MemoryCanvas):
    """Canvas that remembers how it was read, and can fail for one course."""

    reads: list[tuple[int, bool]] = field(default_factory=list)
    broken: dict[int, Exception] = field(default_factory=dict)

    async def read_course(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:
        self.reads.append((course.id, since is None))
        if course.id in self.broken:
            raise self.broken[course.id]
        return await MemoryCanvas.read_course(self, course, since)


class Watching:
    """Somebody watching; keeps how far it was."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int, int | None]] = []

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None:
        self.heard.append((stage, done, total))

    def say(self, schedule: ScheduleId, sentence: str) -> None: ...

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None: ...


def work(id: int, course: int, **more: Any) -> Assignment:
    usual = Assignment(
        id=id,
        course_id=course,
        title=f"Work {id}",
        group="Homework",
        points=Decimal(10),
        grading_type="points",
        due_at=DUE,
        assign_at=None,
        flagged=True,
        published=True,
    )
    return replace(usual, **more)


def graded(assignment: int, user: int, score: str | None, at: datetime, **more: Any) -> Submission:
    number = None if score is None else Decimal(score)
    usual = Submission(assignment, user, number, False, False, False, at, at, "graded")
    return replace(usual, **more)


def _course(id: int, sections: Mapping[str, Sequence[int]], assignments: Sequence[int]) -> MemoryCourse:
    earlier = START - timedelta(days=1)
    students = [
        SectionStudent(user, f"s{user}", 100 * id + n, class_id, "active")
        for n, (class_id, users) in enumerate(sections.items())
        for user in users
    ]
    return MemoryCourse(
        CanvasCourse(id, f"course-{id}", "available", "America/New_York"),
        [work(one, id) for one in assignments],
        students,
        [graded(one, s.user_id, f"{s.user_id % 7}.5", earlier) for one in assignments for s in students],
    )


class School:
    """Course 1 is one class; course 2 is two classes cross-listed. Time stands until `later`."""

    def __init__(self, **sis: Any) -> None:
        self.now = START
        self.store = MemoryStore(clock=lambda: self.now)
        classes = [RosterClass(c, c, f"CODE-{c}", "x", "oak", ("q1",)) for c in ("c1", "c2", "c3")]
        self.sis = Sis(
            "district-1",
            roster=Roster(classes=classes),
            categories=(Category("hw", "Homework"),),
            periods=(GradingPeriod("q1", "Q1", date(2026, 9, 1), date(2026, 11, 15), None),),
            students={"c1": frozenset({"s11", "s12"}), "c2": frozenset({"s21"}), "c3": frozenset({"s31"})},
            **sis,
        )
        self.canvas = Canvas("root-uuid", now=lambda: self.now)
        self.canvas.hold([_course(1, {"c1": (11, 12)}, (1, 2)), _course(2, {"c2": (21,), "c3": (31,)}, (3,))])
        self.passback: dict[str, Any] = {}
        self.sis_keys: dict[str, Any] = {}
        self.scope: dict[str, Any] = {"terms": "all"}
        self.policy = "policy-1"
        self.watching = Watching()

    def later(self, minutes: float = 30) -> None:
        self.now += timedelta(minutes=minutes)

    def grade(self, assignment: int, user: int, score: str | None, **more: Any) -> None:
        """A teacher changes one score now."""
        for course in self.canvas.held.values():
            for n, one in enumerate(course.submissions):
                if (one.assignment_id, one.user_id) == (assignment, user):
                    course.submissions[n] = graded(assignment, user, score, self.now, **more)

    def claim(self) -> Claimed:
        run = Run(
            id=f"{next(_numbers):032x}",
            schedule=GRADES,
            type=SyncType.GRADE_PASSBACK,
            slot_key=f"manual:{next(_numbers)}",
            slot_at=None,
            trigger=Trigger.SLOT,
            mode=Mode.DELTA,
            actor=SCHEDULER,
            state=RunState.QUEUED,
            created_at=self.now,
        )
        assert self.store.add_run(run)
        answer = self.store.claim(run.id, HOLDER, 60)
        assert isinstance(answer, Claimed), answer
        return answer

    def job(self, mode: Mode, class_filter: str | None = None) -> PassbackJob:
        values = definition("riverside", passback=self.passback, scope=self.scope)
        values["sis"] |= self.sis_keys
        account = Account.from_definitions("riverside", values, {})
        return PassbackJob(
            account=account,
            schedule=GRADES,
            mode=mode,
            policy=self.policy,
            today=self.now.date(),
            source=self.canvas,
            keyed=KEYED,
            progress=self.watching,
            tracker=StageTracker(),
            workers=2,
            class_filter=class_filter,
        )

    def run(self, mode: Mode = Mode.DELTA, class_filter: str | None = None) -> StageTracker:
        """One run to its end; the account is free afterwards whatever happened."""
        job, claimed = self.job(mode, class_filter), self.claim()
        try:
            asyncio.run(pass_back(job, self.sis, self.store.records(claimed)))
        except Crash:
            self.store.unlock("riverside", [])
            raise
        finally:
            if claimed.run.id in {lease.run_id for lease in self.store.leases()}:
                self.store.finish(claimed, RunResult(Outcome.COMPLETED, Stage.RECORD), [])
        return job.tracker

    def preview(self, mode: Mode = Mode.DELTA) -> tuple[StageTracker, tuple[ClassPreview, ...]]:
        job = self.job(mode)
        previews = asyncio.run(preview_passback(job, self.sis, self.store.read_records("riverside")))
        return job.tracker, previews

    def grades(self) -> dict[tuple[str, str], tuple[Decimal | None, str]]:
        """What the SIS shows: (column's title, student) -> score and status; no cell may be there twice."""
        shown: dict[tuple[str, str], tuple[Decimal | None, str]] = {}
        for one in self.sis.results.values():
            cell = (self.sis.line_items[one.line_item_id].title, one.student_id)
            assert cell not in shown, "one student has two results in one column"
            shown[cell] = (one.score, one.status)
        return shown


def told(school: School, subject: str) -> list[RecordEvent]:
    """What was told of one record, oldest first."""
    return [past.event for past in school.store.record_events("riverside", [subject])]


def words(school: School, subject: str) -> list[tuple[str, str | None]]:
    """The same without values."""
    return [(event.what, event.code) for event in told(school, subject)]


def score_of(assignment: int = 1, class_id: str = "c1", student: str = "s11") -> str:
    """The subject of one score."""
    return result_subject(KEYED, assignment, class_id, student)
