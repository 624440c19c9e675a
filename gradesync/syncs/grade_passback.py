"""Grade passback, Canvas to SIS: read, let the domain decide, write, read back, record.

One course is read at a time by each of a few workers, so memory stays flat however large the district; one class is
the unit of writing and of the checkpoint. Knows only ports and domain; every decision is in `domain.passback`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from gradesync.domain.account import Account
from gradesync.domain.gradebook import (
    CanvasCourse,
    CourseGradebook,
    SectionStudent,
    SisCatalogue,
    Submission,
)
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import fingerprint, item_subject, result_subject
from gradesync.domain.passback import ClassDecision, ClassInput, decide_class
from gradesync.domain.problem import ENDS_RUN
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry
from gradesync.domain.run import Mode, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.domain.scope import class_in_scope
from gradesync.domain.wish import Rules, Verdict, wish_for
from gradesync.errors import ConnectionProblem
from gradesync.ports import (
    GradebookReader,
    GradebookSink,
    GradebookSource,
    Progress,
    ReadRecords,
    RunRecords,
)
from gradesync.syncs.class_writer import ClassWriter, WritesForbidden
from gradesync.syncs.identity import check_identity, record_identity
from gradesync.syncs.marks import ROSTER_SENT
from gradesync.syncs.stage import StageTracker

OVERLAP = timedelta(minutes=10)
"""How far a delta looks back before its watermark: long transactions in Canvas commit late (canvas.md 5.1)."""

FEW_COLUMNS = 2
"""Up to so many changed columns are read one by one; more are cheaper with the whole class."""

TRANSPORT_LIMIT = 4
"""Courses in a row lost to transport trouble before the run gives up; the next pass resumes."""


@dataclass(frozen=True, slots=True)
class PassbackJob:
    """One passback. `policy` is the digest of the account's definition: when it changes, everything is decided anew.

    `workers` is how many courses are in work at once; `class_filter` limits the run to one SIS class.
    """

    account: Account
    schedule: ScheduleId
    mode: Mode
    policy: str
    today: date
    source: GradebookSource
    keyed: KeyedHash
    progress: Progress
    tracker: StageTracker
    workers: int = 8
    class_filter: str | None = None


@dataclass(frozen=True, slots=True)
class ClassPreview:
    """What a dry run would do in one class, by word and by code."""

    class_id: str
    counts: Mapping[str, int]
    codes: Mapping[str, int]


async def pass_back(job: PassbackJob, sink: GradebookSink, records: RunRecords) -> None:
    """Carry the account's grades; counts and codes go to `job.tracker`.

    Raises ConnectionProblem when the run cannot go on, LeaseLost when it may not.
    """
    writer = ClassWriter(sink, records, job.keyed, job.tracker)
    reading = _Reading(job, sink, records, writer.write)
    fresh = await reading.meet()
    record_identity(records, fresh)
    await reading.all_courses(on_marks=records.set_watermarks)


@dataclass(frozen=True, slots=True)
class Decided:
    """One class as read and decided, for whoever only looks."""

    given: ClassInput
    decision: ClassDecision
    catalogue: SisCatalogue
    rules: Rules


async def look(
    job: PassbackJob, reader: GradebookReader, records: ReadRecords, see: Callable[[Decided], None]
) -> None:
    """The same reading and deciding without anything that could write; `see` is told of every class.

    Raises ConnectionProblem when nothing can be read any more.
    """

    async def note(given: ClassInput, decision: ClassDecision) -> bool:
        see(Decided(given, decision, await reading.catalogue(), reading.rules))
        return True

    reading = _Reading(job, reader, records, note)
    await reading.meet()
    await reading.all_courses(on_marks=None)


async def preview_passback(
    job: PassbackJob, reader: GradebookReader, records: ReadRecords
) -> tuple[ClassPreview, ...]:
    """What a run would do, class by class."""
    previews: list[ClassPreview] = []

    def note(seen: Decided) -> None:
        counts, codes = seen.decision.counts(), seen.decision.codes()
        job.tracker.counts.update(counts)
        job.tracker.codes.update(codes)
        if counts["sent"] or counts["line items sent"] or codes:
            previews.append(ClassPreview(seen.given.class_id, counts, codes))

    await look(job, reader, records, note)
    return tuple(sorted(previews, key=lambda preview: preview.class_id))


Act = Callable[[ClassInput, ClassDecision], Awaitable[bool]]
"""What is done with a decided class; False when transport trouble left some of it undone."""


@dataclass
class _Reading:
    """Reads courses, decides classes, and hands each decision to `act`."""

    job: PassbackJob
    sis: GradebookReader
    records: ReadRecords
    act: Act
    rules: Rules = field(init=False)
    roster: str | None = None
    done: int = 0
    troubles: int = 0
    marks: dict[str, str] = field(default_factory=dict)
    _catalogue: asyncio.Task[SisCatalogue] | None = None

    async def meet(self) -> dict[str, str]:
        """Check who both sides are, and set up the rules that rest on it."""
        self.job.tracker.stage = Stage.FETCH
        try:
            async with asyncio.TaskGroup() as group:
                canvas_answer = group.create_task(self.job.source.identity())
                sis_answer = group.create_task(self.sis.identity())
        except BaseExceptionGroup as several:
            raise _first(several) from None
        canvas, sis = canvas_answer.result(), sis_answer.result()
        fresh = check_identity(self.records, canvas, sis)
        self.roster = self.records.watermark(ROSTER_SENT)
        account = self.job.account
        self.rules = Rules(account.passback, account.sis.profile, account.time_zone, canvas, self.job.keyed)
        return fresh

    async def catalogue(self) -> SisCatalogue:
        """The SIS's classes, categories and periods, read once, when the first class needs them."""
        if self._catalogue is None:
            self._catalogue = asyncio.create_task(self._read_catalogue())
        return await asyncio.shield(self._catalogue)

    async def _read_catalogue(self) -> SisCatalogue:
        return await self.sis.catalogue()

    async def all_courses(self, on_marks: Callable[[Mapping[str, str]], None] | None) -> None:
        """Every course, by a few workers sharing one list; watermarks are stored in small batches."""
        courses = [course async for course in self.job.source.courses()]
        total = len(courses)
        rest = iter(courses)
        self.job.progress.stage(self.job.schedule, "fetch", 0, total)

        def flush(*, least: int) -> None:
            if on_marks is not None and len(self.marks) >= least:
                on_marks(self.marks)
                self.marks = {}

        async def worker(mine: Iterator[CanvasCourse]) -> None:
            for course in mine:
                await self._course_or_trouble(course)
                self.done += 1
                self.job.progress.stage(self.job.schedule, "classes", self.done, total)
                flush(least=20)

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.job.workers, max(1, total))):
                    group.create_task(worker(rest))
        except BaseExceptionGroup as several:
            # One worker's end ends all; the first cause is what the history needs, without its wrapping.
            raise _first(several) from None
        finally:
            if self._catalogue is not None:
                # Waited for, so that nothing reads on when the connections are closed.
                self._catalogue.cancel()
                await asyncio.gather(self._catalogue, return_exceptions=True)
        self.job.tracker.stage = Stage.RECORD
        flush(least=1)

    async def _course_or_trouble(self, course: CanvasCourse) -> None:
        """One course; its trouble is counted and the next course is served, unless nothing can work any more."""
        try:
            await self._course(course)
        except ConnectionProblem as problem:
            if _ends_run(problem):
                raise
            self.job.tracker.codes[problem.code] += 1
            self.job.tracker.counts["courses not read"] += 1
            if problem.retryable:
                self.troubles += 1
                if self.troubles >= TRANSPORT_LIMIT:
                    raise
        else:
            self.troubles = 0

    async def _course(self, course: CanvasCourse) -> None:
        book = await self._read(course)
        if book is None:
            return
        by_class: dict[str, list[SectionStudent]] = {}
        untied: list[SectionStudent] = []
        for student in book.students:
            if student.section_sis_id is not None:
                by_class.setdefault(student.section_sis_id, []).append(student)
            elif not student.test_student:
                untied.append(student)
        if self.job.class_filter is None:
            self._untied(book, untied)
        whole = True
        trouble: ConnectionProblem | None = None
        for class_id, students in sorted(by_class.items()):
            if self.job.class_filter not in (None, class_id):
                continue
            try:
                whole &= await self._class(book, class_id, tuple(students))
            except ConnectionProblem as problem:
                if _ends_run(problem):
                    raise
                # One class the SIS will not show must not keep the others of its course from their grades.
                if problem.retryable:
                    trouble = problem
                    continue
                self.job.tracker.codes[problem.code] += 1
                self.job.tracker.counts["classes not read"] += 1
                # A class the SIS does not know waits for the roster; any other reading is owed again.
                whole &= problem.code == "GS-512"
        if trouble is not None:
            raise trouble
        if whole and self.job.class_filter is None:
            self._mark(book)

    async def _read(self, course: CanvasCourse) -> CourseGradebook | None:
        """The course as far as it must be looked at; None when a delta shows that nothing changed."""
        mark = self._old_mark(course)
        if mark is None:
            return await self.job.source.read_course(course, None)
        since = datetime.fromisoformat(mark["at"]) - OVERLAP
        book = await self.job.source.read_course(course, since)
        if fingerprint(book.assignments, self.job.keyed) != mark["assignments"]:
            # A changed assignment can free scores that no delta would list again.
            return await self.job.source.read_course(course, None)
        if not book.submissions:
            return None
        return book

    def _old_mark(self, course: CanvasCourse) -> dict[str, str] | None:
        if self.job.mode is Mode.FULL or self.job.class_filter is not None:
            return None
        text = self.records.watermark(_mark_name(course))
        mark = json.loads(text) if text else None
        # A roster that changed since may have brought people whose grades waited for them (GS-503, GS-417).
        same = mark and mark.get("policy") == self.job.policy and mark.get("roster") == self.roster
        return mark if same else None

    def _mark(self, book: CourseGradebook) -> None:
        self.marks[_mark_name(book.course)] = json.dumps(
            {
                "at": book.read_at.isoformat(),
                "assignments": fingerprint(book.assignments, self.job.keyed),
                "policy": self.job.policy,
                "roster": self.roster,
            }
        )

    def _untied(self, book: CourseGradebook, students: list[SectionStudent]) -> None:
        """Students of sections that no SIS class stands behind: told once per section, never guessed."""
        flagged = {a.id: a for a in book.assignments if a.flagged and a.published}
        sections = {s.user_id: s.section_id for s in students}
        meant = {
            sections[submission.user_id]
            for submission in book.submissions
            if submission.user_id in sections
            and submission.assignment_id in flagged
            and wish_for(submission, flagged[submission.assignment_id], self.rules).verdict is Verdict.SEND
        }
        if meant:
            self.job.tracker.codes["GS-414"] += len(meant)

    async def _class(
        self, book: CourseGradebook, class_id: str, students: tuple[SectionStudent, ...]
    ) -> bool:
        ledger = self.records.ledger(class_id)
        users = {student.user_id for student in students}
        submissions = tuple(s for s in book.submissions if s.user_id in users)
        if not self._worth_asking(book, class_id, students, submissions, ledger):
            return True
        catalogue = await self.catalogue()
        sis_class = catalogue.classes.get(class_id)
        if sis_class is None:
            # The section names a class the SIS does not have: nothing can be addressed.
            self.job.tracker.codes["GS-512"] += 1
            return True
        in_scope = class_in_scope(
            self.job.account.scope,
            code=sis_class.code,
            school_id=sis_class.school_id,
            term_ids=sis_class.term_ids,
            sessions=catalogue.sessions,
            today=self.job.today,
        )
        if not in_scope:
            self.job.tracker.counts["classes out of scope"] += 1
            return True
        self.job.tracker.stage = Stage.MATCH
        given = ClassInput(
            class_id=class_id,
            section_ids=frozenset(student.section_id for student in students),
            students=students,
            assignments=book.assignments,
            submissions=submissions,
            sis=await self.sis.read_class(class_id, self._columns(book, class_id, submissions, ledger)),
            ledger=ledger,
            complete=book.complete,
        )
        self.job.tracker.stage = Stage.DECIDE
        decision = decide_class(given, catalogue, self.rules)
        self.job.tracker.counts["classes"] += 1
        return await self.act(given, decision)

    def _columns(
        self,
        book: CourseGradebook,
        class_id: str,
        submissions: tuple[Submission, ...],
        ledger: Mapping[tuple[str, str], LedgerEntry],
    ) -> tuple[str, ...]:
        """The line items whose results a delta must see; empty for all.

        A day's change is mostly one or two columns, and a delta decides no result of another one.
        """
        if book.complete:
            return ()
        meant = {a.id for a in book.assignments if a.flagged and a.published}
        touched = {submission.assignment_id for submission in submissions} & meant
        subjects = (item_subject(self.job.keyed, one, class_id) for one in touched)
        entries = [ledger.get((LINE_ITEM, subject)) for subject in subjects]
        if len(entries) > FEW_COLUMNS or any(entry is None for entry in entries):
            return ()
        return tuple(sorted({entry.record_id for entry in entries if entry is not None}))

    def _worth_asking(
        self,
        book: CourseGradebook,
        class_id: str,
        students: tuple[SectionStudent, ...],
        submissions: tuple[Submission, ...],
        ledger: Mapping[tuple[str, str], LedgerEntry],
    ) -> bool:
        """Whether the SIS must be asked about the class at all; a delta that changes nothing costs it nothing."""
        if book.complete:
            return bool(ledger) or any(a.flagged and a.published for a in book.assignments)
        assignments = {a.id: a for a in book.assignments if a.flagged and a.published}
        ids = {s.user_id: s.sis_user_id for s in students if not s.test_student}
        for submission in submissions:
            assignment = assignments.get(submission.assignment_id)
            student = ids.get(submission.user_id)
            if assignment is None or student is None:
                continue
            wish = wish_for(submission, assignment, self.rules)
            entry = ledger.get((RESULT, result_subject(self.job.keyed, assignment.id, class_id, student)))
            if entry is not None and entry.intent is not None:
                # A run broke off here: what the SIS holds now is not known.
                return True
            sent = entry.sent if entry is not None else None
            if wish.verdict is Verdict.SEND and self.job.keyed(wish.key) != sent:
                return True
            if wish.verdict is Verdict.NOTHING and sent is not None:
                return True
        return False


def _ends_run(problem: ConnectionProblem) -> bool:
    return problem.code in ENDS_RUN or isinstance(problem, WritesForbidden)


def _mark_name(course: CanvasCourse) -> str:
    return f"course:{course.id}"


def _first(several: BaseExceptionGroup[BaseException]) -> BaseException:
    inner = several.exceptions[0]
    return _first(inner) if isinstance(inner, BaseExceptionGroup) else inner


__all__ = ["ClassPreview", "Decided", "PassbackJob", "look", "pass_back", "preview_passback"]
