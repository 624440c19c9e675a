"""`explain ACCOUNT --assignment A --student S`: reads what the store remembers and, read-only, what both sides show.

That somebody looked is appended to the history before anything is read, under a pseudonym. What the answers mean is
put together in `domain.explaining`; deciding is grade passback's own, or an explanation could disagree with a run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice

from gradesync.domain.account import Account
from gradesync.domain.comparison import Weighing
from gradesync.domain.explained import ClassStory, Explanation
from gradesync.domain.explaining import (
    Memory,
    Seen,
    Subjects,
    live_story,
    remembered_story,
    subjects_in,
    was_sent,
)
from gradesync.domain.gradebook import CanvasCourse, CourseGradebook, SectionStudent, Submission
from gradesync.domain.history import Fact
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.passback_decisions import GONE_STATES
from gradesync.domain.people import CoursePeople
from gradesync.domain.places import section_place
from gradesync.domain.record import EVENTS_KEPT
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Run
from gradesync.domain.schedule import ScheduleId, State, SyncType
from gradesync.engine.control import find_account
from gradesync.engine.explain_found import Found, GradeWish, nothing_known
from gradesync.engine.queries import schedule_row
from gradesync.engine.runner import EffectiveAccount, known_key, look_job
from gradesync.engine.tools import Tools
from gradesync.errors import NotFound, UsageProblem
from gradesync.ports import ChangeFeed, GradebookReader, GradebookSource, RunQuery
from gradesync.syncs.grade_passback import Decided, look
from gradesync.syncs.identity import check_identity
from gradesync.syncs.stage import StageTracker


def passback_of(tools: Tools, account: str, schedule: str | None) -> tuple[EffectiveAccount, ScheduleRow]:
    """The account with the grade passback meant: the named one, else the first. Raises NotFound, UsageProblem."""
    target = find_account(tools, account)
    mine = sorted(
        name for name, one in target.account.schedules.items() if one.type is SyncType.GRADE_PASSBACK
    )
    if schedule is not None and schedule not in mine:
        if schedule in target.account.schedules:
            raise UsageProblem(f"{account}/{schedule} is a roster import", hint="name a grade passback")
        raise NotFound(f"{account} has no schedule {schedule}", hint=f"it has: {', '.join(mine) or 'none'}")
    if not mine:
        raise NotFound(f"{account} has no grade passback", hint="see `gradesync list`")
    return target, schedule_row(tools.store, ScheduleId(account, schedule or mine[0]))


async def explain_grade(tools: Tools, account: str, schedule: str | None, wish: GradeWish) -> Explanation:
    """The life of one grade. Raises NotFound when neither the store nor Canvas knows it, and ConnectionProblem."""
    target, row = passback_of(tools, account, schedule)
    keyed = known_key(tools, account)
    who = keyed("student", wish.student)
    _told(tools, row.schedule.id, wish, who)
    search = _Search(tools, target, row.schedule.id, keyed, wish)
    if wish.offline:
        found = Found(search.remembered(search.offline_ids(), None))
    else:
        found = await search.live()
    stories = found.stories
    if not stories and not found.present:
        raise nothing_known(wish, found)
    since = max(tools.store.now() - EVENTS_KEPT, _began(tools, account, stories))
    was = None
    if wish.was is not None:
        was = was_sent(wish.was, stories, keyed, decimals=target.account.sis.profile.decimals, since=since)
    return Explanation(
        account=account,
        schedule=str(row.schedule.id),
        time_zone=row.schedule.time_zone,
        assignment_id=wish.assignment_id,
        student=who,
        at=tools.store.now(),
        live=not wish.offline,
        course_id=found.course_id,
        in_course=found.present,
        gone=found.gone,
        unpublished=found.unpublished,
        classes=stories if wish.values else tuple(replace(one, shown=None) for one in stories),
        runs=_runs(tools, stories),
        next_run_at=row.next_run_at,
        blocked=tuple(block.sentence for block in row.blocks),
        observes=row.schedule.state is State.OBSERVE,
        was=was,
    )


def _began(tools: Tools, account: str, stories: Iterable[ClassStory]) -> datetime:
    """When this store's history of the account begins: of what was before, it knows nothing."""
    first = (entry.at for entry in islice(tools.store.chain(account), 1))
    # An account that was renamed has a new history, and the events of the old name.
    records = (one for story in stories for one in (story.item, story.result) if one is not None)
    return min([tools.store.now(), *first, *(past.at for record in records for past in record.events)])


def _told(tools: Tools, id: ScheduleId, wish: GradeWish, who: str) -> None:
    """Who looked at which grade; the student only as a pseudonym, the value asked for not at all."""
    data = {
        "assignment": wish.assignment_id,
        "student": who,
        "offline": wish.offline,
        "values": wish.values,
        "asked for a value": wish.was is not None,
    }
    tools.store.append([Fact("grade explained", tools.actor, id.account, id.name, data=data)])


def _runs(tools: Tools, stories: Iterable[ClassStory]) -> dict[str, Run]:
    """The runs that the events name, as far as they are still recorded."""
    named = {
        past.run_id
        for story in stories
        for record in (story.item, story.result)
        if record is not None
        for past in record.events
    }
    found = (tools.store.runs(RunQuery(run_id=run_id, limit=1)) for run_id in sorted(named))
    return {run.id: run for runs in found for run in runs}


@dataclass(frozen=True, slots=True)
class _Search:
    """One question, and where its answer is looked for."""

    tools: Tools
    target: EffectiveAccount
    schedule: ScheduleId
    keyed: KeyedHash
    wish: GradeWish

    @property
    def account(self) -> Account:
        return self.target.account

    def offline_ids(self) -> frozenset[str]:
        """The student's SIS ids without asking Canvas. Raises UsageProblem for a Canvas number."""
        if not self.wish.student.startswith("sis:"):
            raise UsageProblem(
                "the store knows students by their SIS id only", hint="with --offline write --student sis:ID"
            )
        return frozenset({self.wish.student.removeprefix("sis:")})

    # - the store -

    def remembered(self, sis_ids: frozenset[str], user_id: int | None) -> tuple[ClassStory, ...]:
        """Classes in which the student's result was ever met."""
        found = self._stories(self.tools.store.classes(self.account.key), sis_ids, user_id)
        return tuple(one for one in found if one.result is not None and one.result.anything)

    def _stories(
        self, classes: Iterable[str], sis_ids: frozenset[str], user_id: int | None
    ) -> list[ClassStory]:
        wanted = [
            subjects_in(self.keyed, self.wish.assignment_id, one, sis_ids=sis_ids, user_id=user_id)
            for one in classes
        ]
        memory = self._memory(wanted)
        return [remembered_story(memory, subjects) for subjects in wanted]

    def _memory(self, wanted: Sequence[Subjects]) -> Memory:
        names = [name for one in wanted for name in (one.item, *one.results)]
        store, key = self.tools.store, self.account.key
        known = set(names)
        return Memory(
            entries=store.ledger_entries(key, names),
            waiting=[row for row in store.waiting_rows(key) if row.record.subject in known],
            events=store.record_events(key, names),
        )

    def _known_classes(self) -> list[str]:
        """Classes in which the store has met the assignment: one of them tells its course without a search."""
        store, key = self.tools.store, self.account.key
        mine = self.wish.assignment_id
        waits = {r.record.class_id for r in store.waiting_rows(key) if r.record.assignment_id == mine}
        subjects = [
            subjects_in(self.keyed, mine, one, sis_ids=(), user_id=None).item for one in store.classes(key)
        ]
        linked = {entry.class_id for entry in store.ledger_entries(key, subjects)}
        return sorted(waits | linked)

    # - both sides -

    async def live(self) -> Found:
        """The stories with what both sides show now, as far as Canvas still knows the assignment."""
        async with self.tools.connections.gradebook_readonly(self.account) as (source, reader):
            records = self.tools.store.read_records(self.account.key)
            canvas, sis = await asyncio.gather(source.identity(), reader.identity())
            # First contact is a run's business; here a stranger is only refused.
            check_identity(records, canvas, sis)
            course = await self._course(source)
            if course is None:
                # Deleted in Canvas: what the store remembers is all there is, and it knows SIS ids only.
                ids, number = await self._all_ids(source), self._typed_number()
                told = self.remembered(ids or frozenset(), number)
                return Found(told, self.wish.course_id, gone=True, stranger=ids is None)
            if course.state == "unpublished":
                # Canvas shows nobody a grade of it, and what it lists then reads as if everything had been withdrawn.
                ids, number = await self._all_ids(source), self._typed_number()
                told = self.remembered(ids or frozenset(), number)
                return Found(told, course.id, unpublished=True, stranger=ids is None)
            one = _OneCourse(source, course)
            book = await one.read_course(course, None)
            seats = self._seats(book)
            sis_ids = self._typed_ids() | {s.sis_user_id for s in seats if s.sis_user_id is not None}
            stranger = False
            if not sis_ids:
                # Dropped from the course, so that no listing of it names the person.
                ids = await self._all_ids(source)
                sis_ids, stranger = ids or frozenset(), ids is None
            user_id = seats[0].user_id if seats else self._typed_number()
            stories = [await self._live_class(seat, book, one, reader, sis_ids) for seat in seats]
            here = {story.class_id for story in stories}
            # Classes the student has left keep what was sent there.
            earlier = (story for story in self.remembered(sis_ids, user_id) if story.class_id not in here)
            return Found((*stories, *earlier), course.id, bool(seats), stranger=stranger)

    async def _all_ids(self, source: GradebookSource) -> frozenset[str] | None:
        """The SIS ids of the student meant; a Canvas number is looked up in Canvas, None when it has no such user."""
        number = self._typed_number()
        return self._typed_ids() if number is None else await source.sis_ids_of(number)

    def _typed_ids(self) -> frozenset[str]:
        return self.offline_ids() if self.wish.student.startswith("sis:") else frozenset()

    def _typed_number(self) -> int | None:
        return int(self.wish.student) if self.wish.student.isdecimal() else None

    async def _course(self, source: GradebookSource) -> CanvasCourse | None:
        """The assignment's course: named, told by the store, or found by asking every course."""
        mine = self.wish.assignment_id
        if self.wish.course_id is not None:
            named = await source.find_course(course_id=self.wish.course_id)
            held = named is not None and await source.has_assignment(named, mine)
            return named if held else None
        for class_id in self._known_classes():
            course = await source.find_course(class_id=class_id)
            if course is not None and await source.has_assignment(course, mine):
                return course
        return await self._searched(source)

    async def _searched(self, source: GradebookSource) -> CanvasCourse | None:
        courses = [course async for course in source.courses()]
        at_once = max(1, self.account.canvas.concurrency)
        for at in range(0, len(courses), at_once):
            self.tools.progress.stage(self.schedule, "fetch", at, len(courses))
            some = courses[at : at + at_once]
            answers = await asyncio.gather(
                *(source.has_assignment(course, self.wish.assignment_id) for course in some)
            )
            for course, holds in zip(some, answers, strict=True):
                if holds:
                    return course
        return None

    def _seats(self, book: CourseGradebook) -> list[SectionStudent]:
        """The student's places in the course: one per section, the living ones first, one per SIS class."""
        ids, number = self._typed_ids(), self._typed_number()
        mine = [s for s in book.students if s.user_id == number or s.sis_user_id in ids]
        chosen: dict[str | None, SectionStudent] = {}
        for seat in sorted(mine, key=lambda s: (s.state in GONE_STATES, s.section_id)):
            if not seat.test_student:
                chosen.setdefault(seat.section_sis_id, seat)
        return list(chosen.values())

    async def _live_class(
        self,
        seat: SectionStudent,
        book: CourseGradebook,
        source: _OneCourse,
        reader: GradebookReader,
        sis_ids: frozenset[str],
    ) -> ClassStory:
        if seat.section_sis_id is None:
            return live_story(
                ClassStory(None, None, None, section=section_place(book.course.id, seat.section_id)),
                book,
                self.wish.assignment_id,
                seat,
                Seen(None, None, None, None),
            )
        mine = frozenset({seat.sis_user_id}) if seat.sis_user_id is not None else sis_ids
        [told] = self._stories([seat.section_sis_id], mine, seat.user_id)
        seen = await self._seen(seat.section_sis_id, source, reader)
        return live_story(told, book, self.wish.assignment_id, seat, seen)

    async def _seen(self, class_id: str, source: _OneCourse, reader: GradebookReader) -> Seen:
        """The class through grade passback's own eyes."""
        tracker = StageTracker()
        job = look_job(
            self.tools, self.target, self.schedule, tracker, source, self.keyed, class_filter=class_id
        )
        found: list[Decided] = []
        await look(job, reader, self.tools.store.read_records(self.account.key), found.append)
        for one in found:
            return Seen(one.given, one.decision, one.catalogue, one.rules)
        refused = next((code for code, count in sorted(tracker.codes.items()) if count), None)
        return Seen(None, None, None, None, refused, tracker.counts["classes out of scope"] > 0)


@dataclass(slots=True)
class _OneCourse:
    """Canvas as if it held one course, read once: what limits a look to a single grade's course."""

    source: GradebookSource
    course: CanvasCourse
    book: CourseGradebook | None = None

    async def identity(self) -> str:
        return await self.source.identity()

    async def courses(self) -> AsyncIterator[CanvasCourse]:
        yield self.course

    async def read_course(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:  # noqa: ARG002 - the port's call; always read whole
        if self.book is None:
            self.book = await self.source.read_course(course, None)
        return self.book

    async def changes(self, since: datetime | None) -> ChangeFeed | None:  # noqa: ARG002 - the port's call; one course needs no feed
        return None

    async def read_around(
        self,
        course: CanvasCourse,
        submissions: tuple[Submission, ...],
    ) -> CourseGradebook:
        return await self.source.read_around(course, submissions)

    async def find_course(
        self, *, course_id: int | None = None, class_id: str | None = None
    ) -> CanvasCourse | None:
        return await self.source.find_course(course_id=course_id, class_id=class_id)

    async def has_assignment(self, course: CanvasCourse, assignment_id: int) -> bool:
        return await self.source.has_assignment(course, assignment_id)

    async def sis_ids_of(self, user_id: int) -> frozenset[str] | None:
        return await self.source.sis_ids_of(user_id)

    async def weighing(self, course_id: int) -> Weighing | None:
        return await self.source.weighing(course_id)

    async def people(self, course: CanvasCourse) -> CoursePeople:
        return await self.source.people(course)


__all__ = ["GradeWish", "explain_grade", "passback_of"]
