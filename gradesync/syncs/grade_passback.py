"""Grade passback, Canvas to SIS: read, let the domain decide, write, read back, record.

One course is read at a time by each of a few workers, so memory stays flat however large the district; one class is
the unit of writing and of the checkpoint. Which courses are looked at is `course_reading`'s, how they become classes
`class_deciding`'s. Knows only ports and domain; every decision is in `domain.passback`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field

from gradesync.domain.class_terms import ClassTerm, class_terms
from gradesync.domain.gradebook import SisCatalogue
from gradesync.domain.passback import ClassDecision, ClassInput
from gradesync.domain.record import WaitingRecord
from gradesync.domain.run import Mode, Stage
from gradesync.domain.wish import Rules
from gradesync.errors import ConnectionProblem, Halted
from gradesync.ports import GradebookReader, GradebookSink, ReadRecords, RunRecords
from gradesync.syncs.class_deciding import UNTIED, Act, ClassDeciding, Park
from gradesync.syncs.class_writer import REMOVALS_STOPPED, ClassWriter
from gradesync.syncs.course_marks import CourseMarks
from gradesync.syncs.course_reading import CourseReading, Piece
from gradesync.syncs.identity import SIS_IDENTITY, check_canvas, check_sis, record_identity
from gradesync.syncs.marks import ROSTER_SENT
from gradesync.syncs.passback_job import PassbackJob, ends_run
from gradesync.syncs.together import together
from gradesync.syncs.waiting import Again, after_full, classes_to_retry

TRANSPORT_LIMIT = 4
"""Courses in a row lost to transport trouble before the run gives up; the next pass resumes."""


@dataclass(frozen=True, slots=True)
class ClassPreview:
    """What a dry run would do in one class, by word and by code; `class_id` may be a section's place (GS-414)."""

    class_id: str
    counts: Mapping[str, int]
    codes: Mapping[str, int]


async def pass_back(job: PassbackJob, sink: GradebookSink, records: RunRecords) -> None:
    """Carry the account's grades; counts and codes go to `job.tracker`.

    Raises ConnectionProblem when the run cannot go on, LeaseLost when it may not.
    """
    limit, stopped = job.account.passback.deletion_limit, records.watermark(REMOVALS_STOPPED)
    # Consent to removing more than a run once stopped at is a higher limit than the one it stopped at.
    writer = ClassWriter(sink, records, job.keyed, job.tracker, removes=not stopped or limit > int(stopped))

    def park(class_id: str, waiting: tuple[WaitingRecord, ...]) -> None:
        records.checkpoint(class_id, ledger=(), waiting=waiting, complete=True)

    passback = _Passback(job, sink, records, writer.write, park)
    fresh = await passback.meet()
    record_identity(records, fresh)
    await passback.all_courses(on_marks=records.set_watermarks)
    if terms := passback.terms():
        records.note_terms(terms)
    for class_id in passback.left_behind():
        park(class_id, ())
    if stopped and passback.saw_all() and not writer.over_limit:
        # Nothing is left that anybody would have to consent to.
        records.set_watermarks({REMOVALS_STOPPED: ""})


@dataclass(frozen=True, slots=True)
class Decided:
    """One class as read and decided, for whoever only looks."""

    given: ClassInput
    decision: ClassDecision
    catalogue: SisCatalogue
    rules: Rules


async def look(
    job: PassbackJob, reader: GradebookReader, records: ReadRecords, see: Callable[[Decided], None]
) -> tuple[str, ...]:
    """The same reading and deciding without anything that could write; `see` is told of every class.

    Answers where in Canvas sections with grades for the SIS are tied to none of its classes (GS-414).
    Raises ConnectionProblem when nothing can be read any more.
    """

    async def note(given: ClassInput, decision: ClassDecision) -> bool:
        see(Decided(given, decision, await passback.deciding.catalogue(), passback.deciding.rules))
        return True

    passback = _Passback(job, reader, records, note)
    await passback.meet()
    await passback.all_courses(on_marks=None)
    return tuple(sorted(passback.deciding.untied))


async def preview_passback(
    job: PassbackJob, reader: GradebookReader, records: ReadRecords
) -> tuple[ClassPreview, ...]:
    """What a run would do, class by class."""
    previews: list[ClassPreview] = []

    def note(seen: Decided) -> None:
        counts, codes = seen.decision.counts(), seen.decision.codes()
        job.tracker.counts.update(counts)
        job.tracker.codes.update(codes)
        if codes or any(counts[word] for word in _WRITTEN):
            previews.append(ClassPreview(seen.given.class_id, counts, codes))

    places = await look(job, reader, records, note)
    previews += [ClassPreview(place, {}, {UNTIED: 1}) for place in places]
    return tuple(sorted(previews, key=lambda preview: preview.class_id))


_WRITTEN = ("sent", "line items sent", "blanked", "deleted", "line items deleted")
"""Words under which a run counts what it writes."""


@dataclass
class _Passback:
    """One job at work: a reader of courses, a few workers deciding their classes, and the marks that come of it."""

    job: PassbackJob
    sis: GradebookReader
    records: ReadRecords
    act: Act
    park: Park | None = None
    done: int = 0
    cut: bool = False
    troubles: int = 0
    deciding: ClassDeciding = field(init=False)
    marks: CourseMarks = field(init=False)
    reading: CourseReading = field(init=False)
    again: Again = field(default_factory=Again)

    async def meet(self) -> dict[str, str]:
        """Check who the sides are, and set up what rests on it; answers identities met for the first time.

        Where Canvas tells what changed, a delta of a definition that went through before asks the SIS only when a
        class needs it: a quiet one costs the SIS nothing.
        """
        job, records = self.job, self.records
        job.tracker.stage = Stage.FETCH
        self.marks = CourseMarks(records, job.keyed, job.policy, records.watermark(ROSTER_SENT))
        self.reading = CourseReading(job, self.marks)
        later = (
            job.mode is Mode.DELTA
            and self.marks.same_policy()
            and records.watermark(SIS_IDENTITY) is not None
        )
        canvas, sis = await self._identities(later=later)
        fresh = check_canvas(records, canvas) | ({} if sis is None else check_sis(records, sis))
        await self.reading.open()
        if sis is None and not self.reading.follows:
            sis = await self.sis.identity()
            check_sis(records, sis)
        account = job.account
        rules = Rules(account.passback, account.sis.profile, account.time_zone, canvas, job.keyed)
        self.deciding = ClassDeciding(
            job, self.sis, records, self.act, rules, met=sis is not None, park=self.park
        )
        self.again = await self._again()
        self.marks.again = self.again.classes
        return fresh

    async def _again(self) -> Again:
        """What waits and is worth another look. A SIS that does not answer now is asked again by the next run."""
        job = self.job
        if job.waiting is None or job.mode is Mode.FULL or job.class_filter is not None:
            return Again()
        try:
            return await classes_to_retry(job.waiting, self.records, job.keyed, self.deciding.catalogue)
        except ConnectionProblem as problem:
            if ends_run(problem):
                raise
            job.tracker.codes[problem.code] += 1
            job.tracker.answered(problem)
            return Again()

    def left_behind(self) -> frozenset[str]:
        """After a full run: classes in which records wait although no course leads there any more, as after a term."""
        job = self.job
        if job.waiting is None or not self.saw_all():
            return frozenset()
        return frozenset(row.record.class_id for row in job.waiting.rows(None)) - self.deciding.seen

    def saw_all(self) -> bool:
        """Whether this run looked at every course there is."""
        job = self.job
        whole = job.mode is Mode.FULL and job.class_filter is None
        return whole and not job.tracker.counts["courses not read"]

    async def _identities(self, *, later: bool) -> tuple[str, str | None]:
        """Canvas's, and the SIS's unless that may come later."""
        asked = [self.job.source.identity] if later else [self.job.source.identity, self.sis.identity]
        canvas, *sis = await together(ask() for ask in asked)
        return canvas, sis[0] if sis else None

    async def all_courses(self, on_marks: Callable[[Mapping[str, str]], None] | None) -> None:
        """Every course that needs a look, by a few workers; marks are stored in small batches."""
        queue: asyncio.Queue[Piece | None] = asyncio.Queue(maxsize=2 * self.job.workers)
        self.job.progress.stage(self.job.schedule, "fetch", 0, None)

        def flush(*, least: int) -> None:
            if on_marks is not None and len(self.marks.fresh) >= least:
                on_marks(self.marks.take())

        async def find() -> None:
            async with aclosing(self.reading.pieces()) as pieces:
                async for piece in pieces:
                    await queue.put(piece)
                    if self.cut:
                        break
            for _ in range(self.job.workers):
                await queue.put(None)

        async def work() -> None:
            while (piece := await queue.get()) is not None:
                self.cut = self.cut or self.job.halted()
                if self.cut:
                    # Taken and left, so that whoever finds courses is never kept waiting for a place.
                    continue
                await self._course_or_trouble(piece)
                self.done += 1
                self.job.progress.stage(self.job.schedule, "classes", self.done, self.reading.total)
                flush(least=20)

        try:
            await together(one() for one in (find, *[work] * self.job.workers))
        finally:
            await self.deciding.close()
        if self.cut:
            # What is done is in the ledger; nothing may look as if the rest had been done too.
            flush(least=1)
            raise Halted("this process was asked to end; the run was handed back at a class boundary")
        self.job.tracker.stage = Stage.RECORD
        self.deciding.unpublished(self.reading.unpublished)
        self.reading.through()
        self.marks.fresh.update(self._looked())
        flush(least=1)

    def terms(self) -> Mapping[str, ClassTerm]:
        """When classes are over, by the catalogue of a full run; a delta leaves what is known of them."""
        catalogue = self.deciding.catalogue_read if self.job.mode is Mode.FULL else None
        return class_terms(catalogue) if catalogue is not None else {}

    def _looked(self) -> Mapping[str, str]:
        job = self.job
        if job.waiting is None or job.mode is not Mode.FULL or job.class_filter is not None:
            return self.again.marks
        return after_full(job.waiting, self.records, job.keyed, self.deciding.catalogue_read)

    async def _course_or_trouble(self, piece: Piece) -> None:
        """One course; its trouble is counted and the next course is served, unless nothing can work any more."""
        try:
            await self._course(piece)
        except ConnectionProblem as problem:
            if ends_run(problem):
                raise
            self.reading.owed(piece.course)
            self.job.tracker.codes[problem.code] += 1
            self.job.tracker.answered(problem)
            self.job.tracker.counts["courses not read"] += 1
            if problem.retryable:
                self.troubles += 1
                if self.troubles >= TRANSPORT_LIMIT:
                    raise
        else:
            self.troubles = 0

    async def _course(self, piece: Piece) -> None:
        book = await self.reading.read(piece)
        if book is None:
            return
        if await self.deciding.course(book):
            self.reading.carried(piece, book)
        else:
            self.reading.owed(piece.course)


__all__ = ["ClassPreview", "Decided", "PassbackJob", "look", "pass_back", "preview_passback"]
