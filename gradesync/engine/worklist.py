"""`explain ACCOUNT --worklist`: the waiting rows a teacher must act on, with the names both sides show right now.

What is read here goes into the lists handed back and nowhere else; that somebody asked is appended to the history
before the first name is read.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.gradebook import CanvasCourse
from gradesync.domain.history import Fact
from gradesync.domain.record import WaitingRow
from gradesync.domain.worklist import CourseLook, Lists, Worklist, for_teachers
from gradesync.engine.explain import passback_of
from gradesync.engine.runner import known_key
from gradesync.engine.tools import Tools
from gradesync.errors import ConnectionProblem
from gradesync.ports import GradebookSource
from gradesync.syncs.identity import CANVAS_IDENTITY


async def make_worklist(tools: Tools, account: str, schedule: str | None) -> Worklist:
    """One list per teacher. Raises NotFound, UsageProblem and ConnectionProblem."""
    target, row = passback_of(tools, account, schedule)
    keyed = known_key(tools, account)
    rows = for_teachers(tools.store.waiting_rows(account))
    data = {"records": len(rows)}
    tools.store.append([Fact("worklist written", tools.actor, account, row.schedule.id.name, data=data)])
    by_class: dict[str, list[WaitingRow]] = defaultdict(list)
    for one in rows:
        by_class[one.record.class_id].append(one)
    lists = Lists(keyed)
    if by_class:
        async with tools.connections.gradebook_readonly(target.account) as (source, _):
            await _same_canvas(tools, account, source)
            looks = _Looks(source, tools.store.now())
            at_once = max(1, target.account.canvas.concurrency)
            classes = sorted(by_class)
            for at in range(0, len(classes), at_once):
                tools.progress.stage(row.schedule.id, "classes", at, len(classes))
                some = classes[at : at + at_once]
                found = await looks.of(some)
                for class_id, look in zip(some, found, strict=True):
                    lists.add_class(class_id, by_class[class_id], look)
    return lists.done(account, row.schedule.time_zone, tools.store.now())


async def _same_canvas(tools: Tools, account: str, source: GradebookSource) -> None:
    """Names of another district's people must not come from an address somebody mistyped."""
    known = tools.store.read_records(account).watermark(CANVAS_IDENTITY)
    if known is not None and await source.identity() != known:
        raise ConnectionProblem(
            "Canvas at this address is not the institution recorded for the account", code="GS-208"
        )


class _Looks:
    """Courses read once each, however many of their classes wait; kept only while one batch of classes needs them."""

    def __init__(self, source: GradebookSource, now: datetime) -> None:
        self._source = source
        self._now = now
        self._last: dict[int, CourseLook] = {}

    async def of(self, classes: Sequence[str]) -> list[CourseLook | None]:
        """The course of each class; None where no course holds it any more."""
        courses = await asyncio.gather(*(self._source.find_course(class_id=one) for one in classes))
        wanted = {course.id: course for course in courses if course is not None}
        fresh = [course for id, course in wanted.items() if id not in self._last]
        read = await asyncio.gather(*(self._read(course) for course in fresh))
        known = {**self._last, **{course.id: look for course, look in zip(fresh, read, strict=True)}}
        # Cross-listed classes of one course mostly follow each other; more than a batch is never held.
        self._last = {id: known[id] for id in wanted}
        return [None if course is None else known[course.id] for course in courses]

    async def _read(self, course: CanvasCourse) -> CourseLook:
        people = await self._source.people(course)
        # Asked as a delta from now on, a course answers its assignments and next to no grades.
        book = await self._source.read_course(course, self._now)
        return CourseLook(people, book.assignments)


__all__ = ["make_worklist"]
