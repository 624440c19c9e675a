"""From a course as read to decided classes: sections to SIS classes, what the SIS must be asked, and the decision.

The SIS is asked when the first class needs it and not before, its identity first of all. Every decision is in
`domain.passback`; what is done with one is the caller's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field

from gradesync.domain.gradebook import Assignment, CourseGradebook, SectionStudent, SisCatalogue, Submission
from gradesync.domain.line_item import item_subject, result_subject
from gradesync.domain.passback import ClassDecision, ClassInput, decide_class
from gradesync.domain.passback_decisions import STILL_SHOWN
from gradesync.domain.places import section_place
from gradesync.domain.problem import CODES
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, WaitingRecord
from gradesync.domain.run import Mode, Stage
from gradesync.domain.scope import class_in_scope
from gradesync.domain.wish import Rules, Verdict, wish_for
from gradesync.errors import ConnectionProblem
from gradesync.ports import GradebookReader, ReadRecords
from gradesync.syncs.identity import check_sis
from gradesync.syncs.passback_job import PassbackJob, ends_run

FEW_COLUMNS = 2
"""Up to so many changed columns are read one by one; more are cheaper with the whole class."""

CLASS_UNREAD = "GS-513"
UNPUBLISHED = "GS-303"
UNTIED = "GS-414"

Act = Callable[[ClassInput, ClassDecision], Awaitable[bool]]
"""What is done with a decided class; False when transport trouble left some of it undone."""

Park = Callable[[str, tuple[WaitingRecord, ...]], None]
"""Told what waits in a class, or in a section without one, that cannot be decided at all; nothing: it waits no more."""


@dataclass
class ClassDeciding:
    """Decides the classes of courses, and hands each decision to `act`.

    `met` says that the SIS has shown who it is already; otherwise it is asked before anything else. `seen` are the
    classes that may have something waiting after this run, `untied` the sections met that no SIS class stands behind.
    """

    job: PassbackJob
    sis: GradebookReader
    records: ReadRecords
    act: Act
    rules: Rules
    met: bool
    park: Park | None = None
    seen: set[str] = field(default_factory=set)
    untied: set[str] = field(default_factory=set)
    _catalogue: asyncio.Task[SisCatalogue] | None = field(default=None)

    async def catalogue(self) -> SisCatalogue:
        """The SIS's classes, categories and periods, read once, when the first class needs them."""
        if self._catalogue is None:
            self._catalogue = asyncio.create_task(self._read_catalogue())
        return await asyncio.shield(self._catalogue)

    async def _read_catalogue(self) -> SisCatalogue:
        if not self.met:
            check_sis(self.records, await self.sis.identity())
        return await self.sis.catalogue()

    @property
    def catalogue_read(self) -> SisCatalogue | None:
        """The catalogue if this run needed one and got it."""
        task = self._catalogue
        good = task is not None and task.done() and not task.cancelled() and task.exception() is None
        return task.result() if task is not None and good else None

    async def close(self) -> None:
        """End a catalogue still being read, so that nothing reads on when the connections are closed."""
        if self._catalogue is not None:
            self._catalogue.cancel()
            await asyncio.gather(self._catalogue, return_exceptions=True)

    async def course(self, book: CourseGradebook) -> bool:
        """Every class of the course; False when some of it is owed. Raises ConnectionProblem."""
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
                if ends_run(problem):
                    raise
                self.seen.add(class_id)
                # One class the SIS will not show must not keep the others of its course from their grades.
                if problem.retryable:
                    trouble = problem
                    continue
                self._unread(class_id, problem)
                # A class the SIS does not know waits for the roster; any other reading is owed again.
                whole &= problem.code == "GS-512"
        if trouble is not None:
            raise trouble
        return whole

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
        for section_id in meant:
            place = section_place(book.course.id, section_id)
            self.job.tracker.codes[UNTIED] += 1
            self.untied.add(place)
            self._wait(place, UNTIED)
        for section_id in {one.section_id for one in book.students} - meant if book.complete else ():
            place = section_place(book.course.id, section_id)
            if self.park is not None and self.records.waiting(place):
                # It was tied since, or nothing is meant for the SIS any more.
                self.park(place, ())

    def _unread(self, class_id: str, problem: ConnectionProblem) -> None:
        """A class whose gradebook the SIS will not show: none of its grades is carried, and somebody is told."""
        code = problem.code if CODES[problem.code].needs_person else CLASS_UNREAD
        self.job.tracker.codes[code] += 1
        self.job.tracker.answered(problem)
        self.job.tracker.counts["classes not read"] += 1
        self._wait(class_id, code, keep=code != "GS-512")

    def unpublished(self, class_ids: Iterable[str]) -> None:
        """Classes whose course is not published: what waits there goes on waiting, and nothing is removed.

        A delta tells it once; the nightly run each time.
        """
        for class_id in sorted(set(class_ids) - self.seen):
            waiting = self.records.waiting(class_id)
            if not waiting and not self.records.ledger(class_id):
                continue
            self.seen.add(class_id)
            told = any(row.record.code == UNPUBLISHED for row in waiting.values())
            if self.job.mode is Mode.FULL or not told:
                self.job.tracker.codes[UNPUBLISHED] += 1
                self._wait(class_id, UNPUBLISHED, keep=True)

    def _wait(self, class_id: str, code: str, *, keep: bool = False) -> None:
        """The class waits as a whole: no record of it can be addressed. `keep`: what waits in it waits on."""
        self.seen.add(class_id)
        if self.park is None:
            return
        subject = self.job.keyed("class", class_id)
        rows = self.records.waiting(class_id).values() if keep else ()
        kept = (row.record for row in rows if row.record.subject != subject)
        self.park(class_id, (*kept, WaitingRecord(subject, class_id, code)))

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
            self._wait(class_id, "GS-512")
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
            today=self.job.today,
        )
        self.job.tracker.stage = Stage.DECIDE
        decision = decide_class(given, catalogue, self.rules)
        self.job.tracker.counts["classes"] += 1
        self.seen.add(class_id)
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
        meant = self._watched(book, class_id, ledger)
        touched = {submission.assignment_id for submission in submissions} & meant.keys()
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
        assignments = self._watched(book, class_id, ledger)
        ids = {s.user_id: s.sis_user_id for s in students if not s.test_student}
        for submission in submissions:
            assignment = assignments.get(submission.assignment_id)
            student = ids.get(submission.user_id)
            if assignment is None or student is None:
                continue
            wish = wish_for(submission, assignment, self.rules)
            subject = result_subject(self.job.keyed, assignment.id, class_id, student)
            entry = ledger.get((RESULT, subject))
            if entry is not None and entry.intent is not None:
                # A run broke off here: what the SIS holds now is not known.
                return True
            sent = entry.sent if entry is not None else None
            if wish.verdict is Verdict.SEND and self.job.keyed(wish.key) != sent:
                return True
            if wish.verdict is Verdict.NOTHING and sent is not None:
                return True
            if wish.verdict is Verdict.WITHHELD and not self._waits(class_id, subject, wish.code):
                # A grade hidden, or not posted yet: whoever asks why it is not there must find the reason on record.
                return True
        return False

    def _watched(
        self, book: CourseGradebook, class_id: str, ledger: Mapping[tuple[str, str], LedgerEntry]
    ) -> dict[int, Assignment]:
        """Published work that is flagged for the SIS, or has a column there: a flag may go off by itself."""
        return {
            one.id: one
            for one in book.assignments
            if one.published
            and (one.flagged or (LINE_ITEM, item_subject(self.job.keyed, one.id, class_id)) in ledger)
        }

    def _waits(self, class_id: str, subject: str, code: str | None) -> bool:
        row = self.records.waiting(class_id).get(subject)
        return row is not None and row.record.code in (code, STILL_SHOWN)
