"""`explain ACCOUNT --worklist`: the waiting rows somebody must act on, with the names both sides show right now.

What is read here goes into the lists handed back and nowhere else; that somebody asked is appended to the history
before the first name is read.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from gradesync.domain.gradebook import CanvasCourse, SisCatalogue
from gradesync.domain.history import Fact
from gradesync.domain.passback_linked import namesakes
from gradesync.domain.places import is_section_place
from gradesync.domain.record import LINE_ITEM, RESULT, WaitingRow
from gradesync.domain.worklist import (
    NO_SIS,
    CourseLook,
    Lists,
    SisLook,
    Worklist,
    for_others,
    for_teachers,
    needs_categories,
    needs_columns,
)
from gradesync.engine.explain import passback_of
from gradesync.engine.runner import known_key
from gradesync.engine.tools import Tools
from gradesync.errors import ConnectionProblem
from gradesync.ports import GradebookReader, GradebookSource, ReadRecords
from gradesync.syncs.identity import CANVAS_IDENTITY, SIS_IDENTITY


async def make_worklist(tools: Tools, account: str, schedule: str | None) -> Worklist:
    """One list per teacher, and one for each of the others. Raises NotFound, UsageProblem and ConnectionProblem."""
    target, row = passback_of(tools, account, schedule)
    keyed = known_key(tools, account)
    every = tools.store.waiting_rows(account)
    rows = [*for_teachers(every), *for_others(every)]
    data = {"records": len(rows)}
    tools.store.append([Fact("worklist written", tools.actor, account, row.schedule.id.name, data=data)])
    by_class: dict[str, list[WaitingRow]] = defaultdict(list)
    alone = target.account.sis.profile.unique_titles
    alike = partial(namesakes, time_zone=target.account.time_zone, by_name_alone=alone)
    lists = Lists(keyed, target.account.canvas.url, alike)
    for one in rows:
        if is_section_place(one.record.class_id):
            lists.add_section(one)
        else:
            by_class[one.record.class_id].append(one)
    if by_class:
        async with tools.connections.gradebook_readonly(target.account) as (source, reader):
            await _same_canvas(tools, account, source)
            looks = _Looks(source, tools.store.now())
            sis = _SisLooks(reader, tools.store.read_records(account))
            at_once = max(1, target.account.canvas.concurrency)
            classes = sorted(by_class)
            for at in range(0, len(classes), at_once):
                tools.progress.stage(row.schedule.id, "classes", at, len(classes))
                some = classes[at : at + at_once]
                found = await looks.of(some)
                for class_id, look in zip(some, found, strict=True):
                    mine = by_class[class_id]
                    more = NO_SIS if look is None else await sis.of(class_id, mine, look)
                    lists.add_class(class_id, mine, look, more)
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


@dataclass
class _SisLooks:
    """What only the SIS still knows: titles of deleted work, and its categories. Asked for where a row needs it.

    A SIS that does not answer, or is not the one recorded, adds nothing: the lists are worth having without it.
    """

    reader: GradebookReader
    records: ReadRecords
    _same: bool | None = None
    _catalogue: SisCatalogue | None = None

    async def of(self, class_id: str, rows: Sequence[WaitingRow], look: CourseLook) -> SisLook:
        """The class's titles and categories, as far as its rows need them."""
        columns, categories = needs_columns(rows, look), needs_categories(rows)
        if not (columns or categories):
            return NO_SIS
        try:
            if not await self._known():
                return NO_SIS
            found = await self._titles(class_id, rows) if columns else NO_SIS
            return replace(found, categories=await self._categories(class_id)) if categories else found
        except ConnectionProblem:
            return NO_SIS

    async def _known(self) -> bool:
        if self._same is None:
            known = self.records.watermark(SIS_IDENTITY)
            self._same = known is not None and await self.reader.identity() == known
        return self._same

    async def _titles(self, class_id: str, rows: Sequence[WaitingRow]) -> SisLook:
        ledger = self.records.ledger(class_id)
        titles = {one.id: one.title for one in await self.reader.read_line_items(class_id)}
        columns = {
            subject: titles[entry.record_id]
            for (kind, subject), entry in ledger.items()
            if kind == LINE_ITEM and entry.record_id in titles
        }
        lost = {r.record.subject for r in rows if r.record.assignment_id is None}
        entries = [entry for (kind, subject), entry in ledger.items() if kind == RESULT and subject in lost]
        if not entries:
            return SisLook(columns)
        results = {one.id: one for one in await self.reader.read_results(class_id)}
        cells = {
            entry.subject: (titles[held.line_item_id], held.student_id)
            for entry in entries
            if (held := results.get(entry.record_id)) is not None and held.line_item_id in titles
        }
        return SisLook(columns, cells)

    async def _categories(self, class_id: str) -> tuple[str, ...]:
        if self._catalogue is None:
            self._catalogue = await self.reader.catalogue()
        usable = (one.title for one in self._catalogue.categories if one.class_id in (None, class_id))
        return tuple(sorted(set(usable)))


__all__ = ["make_worklist"]
