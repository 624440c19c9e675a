"""Three classes of the sandbox's school, their grades in a Canvas in RAM, and a SIS that serves one of them badly.

The connector is the real one over real HTTP, the store is the one in RAM. Scores are looked up in the SIS's own
world, past everything the product says. No test may live here.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gradesync.connectors.auth import ClientCredentials
from gradesync.connectors.http import HttpClient
from gradesync.connectors.memory import MemoryCanvas, MemoryCourse
from gradesync.connectors.oneroster import OneRosterConnector
from gradesync.connectors.retry import Timeouts
from gradesync.domain.account import Account
from gradesync.domain.gradebook import Assignment, CanvasCourse, SectionStudent, Submission
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.profile import SisProfile
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
from gradesync.errors import ConnectionProblem
from gradesync.sandbox.server import Sandbox
from gradesync.sandbox.sis_behaviour import SisBehaviour
from gradesync.store.memory import MemoryStore
from gradesync.syncs.grade_passback import PassbackJob, pass_back
from gradesync.syncs.stage import StageTracker
from tests.connectors.hostile import Sleeps
from tests.connectors.meddler import Meddler, meddling
from tests.domain.plan_samples import definition

KEY = "riverside"
GRADES = ScheduleId(KEY, "grades")
START = datetime(2026, 11, 23, 15, tzinfo=UTC)
PATIENT = Timeouts(connect=5.0, read=5.0, write=5.0, whole=15.0)
HURRY = Timeouts(connect=1.0, read=1.0, write=1.0, whole=1.0)
"""For a server that never comes to an end: nobody wants to wait for it in a test."""
DEADLINE = 40.0
"""Seconds one run may take, however the SIS behaves: hundreds of times what it needs, and less than a drip lasts."""
POINTS = (10, 20)
STUDENTS = 3
TITLES = {10: "Reading log, week one of the winter term", 20: "Essay on rivers and their towns"}

Cells = dict[tuple[int, str], list[Decimal | None]]


class Watching:
    """Somebody watching; keeps nothing."""

    def stage(self, schedule: ScheduleId, stage: str, done: int = 0, total: int | None = None) -> None: ...

    def say(self, schedule: ScheduleId, sentence: str) -> None: ...

    def ended(self, schedule: ScheduleId, done: int, total: int | None) -> None: ...


@dataclass
class Town:
    """One account. Courses are read in the order of `classes`; the second one is the one badly served."""

    sandbox: Sandbox
    profile: SisProfile
    now: datetime = START
    timeouts: Timeouts = PATIENT
    store: MemoryStore = field(init=False)
    canvas: MemoryCanvas = field(init=False)
    meddler: Meddler = field(init=False)
    ended: ConnectionProblem | None = None
    _runs: int = 0

    def __post_init__(self) -> None:
        school = self.sandbox.schools[KEY]
        for kind in ("results", "lineItems"):
            for one in list(school.sis.rows[kind]):
                school.sis.remove(kind, one)
        self.store = MemoryStore(clock=lambda: self.now)
        self.meddler = Meddler(school, self.sandbox.url)
        self.calm()
        self.canvas = MemoryCanvas("root-uuid", now=lambda: self.now)
        self.canvas.hold([self._course(n, one) for n, one in enumerate(self.classes, 1)])

    @property
    def behaviour(self) -> SisBehaviour:
        return self.sandbox.schools[KEY].sis.behaviour

    @property
    def classes(self) -> list[str]:
        world = self.sandbox.schools[KEY].sis
        return [one for one in world.rows["classes"] if len(world.people_of_class(one, "student")) > 2][:3]

    @property
    def bad(self) -> str:
        return self.classes[1]

    def calm(self) -> None:
        """From here on the SIS behaves."""
        school = self.sandbox.schools[KEY]
        school.sis.behaviour = SisBehaviour(write_mode=self.profile.write_mode.replace("_", "-"))
        self.meddler.before = self.meddler.after = None
        self.timeouts = PATIENT

    def students(self, class_id: str) -> list[str]:
        people = self.sandbox.schools[KEY].sis.people_of_class(class_id, "student")
        return sorted(str(one["sourcedId"]) for one in people)[:STUDENTS]

    def _course(self, number: int, class_id: str) -> MemoryCourse:
        who = [
            SectionStudent(100 * number + n, one, number, class_id, "active")
            for n, one in enumerate(self.students(class_id))
        ]
        earlier = START - timedelta(days=1)
        work = [
            Assignment(
                id=10 * number + n, course_id=number, title=TITLES[points], group="Homework",
                points=Decimal(points), grading_type="points", due_at=datetime(2026, 11, 20, 20 + n, tzinfo=UTC),
                assign_at=datetime(2026, 11, 16, tzinfo=UTC), flagged=True, published=True,
            )
            for n, points in enumerate(POINTS)
        ]  # fmt: skip
        grades = [
            Submission(
                one.id, student.user_id, _score(one.points, student), False, False, False, earlier, earlier,
                "graded",
            )
            for one in work
            for student in who
        ]  # fmt: skip
        course = CanvasCourse(number, f"course-{number}", "available", "America/New_York")
        return MemoryCourse(course, work, who, grades)

    def wanted(self, class_id: str) -> Cells:
        """(points, student) -> the score Canvas shows."""
        number = self.classes.index(class_id) + 1
        held = self.canvas.held[number]
        ids = {one.user_id: str(one.sis_user_id) for one in held.students}
        points = {one.id: int(one.points or 0) for one in held.assignments}
        return {(points[s.assignment_id], ids[s.user_id]): [s.score] for s in held.submissions}

    def regrade(self) -> None:
        """Every teacher changes every score, a little."""
        self.now += timedelta(minutes=5)
        for course in self.canvas.held.values():
            course.submissions = [
                replace(one, score=(one.score or Decimal(0)) + 1, graded_at=self.now, posted_at=self.now)
                for one in course.submissions
            ]

    def held(self, class_id: str) -> Cells:
        """(points, student) -> every score the SIS holds there."""
        rows = self.sandbox.schools[KEY].sis.rows
        found: Cells = defaultdict(list)
        for one in rows["results"].values():
            item = rows["lineItems"][one["lineItem"]["sourcedId"]]
            if item["class"]["sourcedId"] == class_id:
                cell = int(item["resultValueMax"]), str(one["student"]["sourcedId"])
                found[cell].append(Decimal(str(one["score"])))
        return dict(found)

    def columns(self, class_id: str) -> int:
        """How many line items the class has."""
        items = self.sandbox.schools[KEY].sis.rows["lineItems"].values()
        return sum(one["class"]["sourcedId"] == class_id for one in items)

    def waiting(self, class_id: str) -> int:
        """How many records of the class wait with a code."""
        return sum(row.record.class_id == class_id for row in self.store.waiting_rows(KEY))

    # -- running -------------------------------------------------------------------------------------------------

    def run(self) -> StageTracker:
        """One full run to its end, within the deadline; what ended it early is in `ended`."""
        self.now += timedelta(hours=1)
        self.meddler.writes.clear()
        with self._claimed() as claimed:
            return asyncio.run(self._run(claimed))

    async def _run(self, claimed: Claimed) -> StageTracker:
        tracker = StageTracker()
        self.ended = None
        async with asyncio.timeout(DEADLINE), meddling(self.meddler) as meddler:
            desk, url = self.sandbox.schools[KEY].sis.desk, f"{meddler.url}/{KEY}/genesis"
            scopes = (*self.profile.write_scopes, self.profile.delete_scope)
            auth = ClientCredentials(f"{url}/token", desk.client_id, desk.client_secret, scopes)
            options: dict[str, Any] = {
                "side": "sis",
                "auth": auth,
                "sleep": Sleeps(),
                "timeouts": self.timeouts,
            }
            async with (
                HttpClient(url + self.profile.rostering_path, **options) as rostering,
                HttpClient(url + self.profile.gradebook_path, **options) as gradebook,
            ):
                sink = OneRosterConnector(rostering, self.profile, gradebook=gradebook)
                try:
                    await pass_back(self._job(tracker), sink, self.store.records(claimed))
                except ConnectionProblem as problem:
                    self.ended = problem
        return tracker

    def _job(self, tracker: StageTracker) -> PassbackJob:
        sis = {
            **definition(KEY)["sis"],
            "profile": self.profile.name,
            "write_mode": self.profile.write_mode,
        }
        return PassbackJob(
            account=Account.from_definitions(KEY, definition(KEY, sis=sis, scope={"terms": "all"}), {}),
            schedule=GRADES,
            mode=Mode.FULL,
            policy="policy",
            today=date(2026, 11, 23),
            source=self.canvas,
            keyed=KeyedHash(b"k" * 32, KEY),
            progress=Watching(),
            tracker=tracker,
            workers=1,
        )

    @contextmanager
    def _claimed(self) -> Iterator[Claimed]:
        self._runs += 1
        run = Run(
            id=f"{self._runs:032x}", schedule=GRADES, type=SyncType.GRADE_PASSBACK,
            slot_key=f"manual:{self._runs}", slot_at=None, trigger=Trigger.SLOT, mode=Mode.FULL, actor=SCHEDULER,
            state=RunState.QUEUED, created_at=self.now,
        )  # fmt: skip
        assert self.store.add_run(run)
        claimed = self.store.claim(run.id, Holder("test", "elsewhere", 1, "1", "another-boot"), 3600)
        assert isinstance(claimed, Claimed), claimed
        try:
            yield claimed
        finally:
            self.store.finish(claimed, RunResult(Outcome.COMPLETED, Stage.RECORD), [])


def _score(points: Decimal | None, student: SectionStudent) -> Decimal:
    return (points or Decimal(0)) / 2 + Decimal(student.user_id % 7) + Decimal("0.25")
