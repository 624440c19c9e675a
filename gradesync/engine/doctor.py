"""`gradesync doctor`: examine an account's two connections and whether what they hold fits together.

Needs no lease, no recorded definition and no run; writes nothing, here or there. Both sides are looked at beside each
other, each gently and in order; then a sample of classes beside each other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from datetime import datetime
from typing import TypeVar

from gradesync.domain import doctor_matching as matching
from gradesync.domain.doctor import BOTH, CANVAS, SIS, Check, Examination, fine, of_problem, skipped
from gradesync.domain.doctor_facts import Groups, Section, SectionSample, Students
from gradesync.domain.gradebook import Category
from gradesync.domain.schedule import SyncType
from gradesync.engine.doctor_sides import (
    LONG,
    CanvasSide,
    Instruments,
    Patient,
    Side,
    SisSide,
    look_at_canvas,
    look_at_sis,
    refused,
)
from gradesync.errors import ConnectionProblem

T = TypeVar("T")

COURSES = 10
"""Courses whose sections are compared; a passback looks at all of them, an examination at a sample."""
CLASSES_OF_STUDENTS = 5
"""Classes whose students are compared."""


async def examine(
    patient: Patient, tools: Instruments, now: Callable[[], datetime], first: Sequence[Check] = ()
) -> Examination:
    """Make every check. `first` are checks of this installation that were made already.

    Never raises for what a side does: it becomes a check with a code. What could not be asked says why.
    """
    left, right = Side(CANVAS, now), Side(SIS, now)
    async with AsyncExitStack() as stack:
        canvas = await _opened(stack, left, "canvas-token", tools.canvas)
        sis = await _opened(stack, right, "sis-token", tools.sis) if patient.rest else None
        looks = []
        if canvas is not None:
            looks.append(look_at_canvas(left, canvas, tools, patient))
        if sis is not None:
            looks.append(look_at_sis(right, sis, tools, patient))
        await asyncio.gather(*looks)
        await _files(right, tools, patient)
        both = Side(BOTH, now)
        both.dead = _why_not(patient, left, right)
        await _compare(both, canvas, sis, patient)
    checks = (*first, *left.checks, *right.checks, *both.checks)
    return Examination(patient.account.key, now(), checks)


async def _opened(
    stack: AsyncExitStack, side: Side, name: str, opener: Callable[[], AbstractAsyncContextManager[T]]
) -> T | None:
    """The side's probe; None, and a failed check, when its keys cannot be found or its address may not be used."""
    try:
        return await stack.enter_async_context(opener())
    except ConnectionProblem as problem:
        side.checks.append(of_problem(name, side.name, problem))
        side.dead = f"its key or address cannot be used ({problem.code})"
        return None


def _why_not(patient: Patient, left: Side, right: Side) -> str | None:
    """Why the two sides cannot be laid beside each other."""
    if not patient.rest:
        return "the roster comes from files, and no service of the SIS is named"
    for side, name in ((left, "Canvas"), (right, "the SIS")):
        if side.dead is not None:
            return f"{name} could not be asked: {side.dead}"
    return None


async def _files(side: Side, tools: Instruments, patient: Patient) -> None:
    """The roster files, where the account has some: a dead service says nothing about them."""
    if patient.account.sis.roster is None:
        return

    async def look() -> Check:
        return fine("sis-files", SIS, await tools.roster_files())

    apart = Side(SIS, side.now)
    await apart.make("sis-files", look, seconds=LONG)
    side.checks += apart.checks


async def _compare(side: Side, canvas: CanvasSide | None, sis: SisSide | None, patient: Patient) -> None:
    """Classes, students and categories of a sample."""
    sample = SectionSample((), 0, more=False)
    classes: frozenset[str] = frozenset()

    async def ids() -> Check:
        nonlocal sample, classes
        assert canvas is not None  # a side without its probe is dead, so this is never reached
        assert sis is not None
        sample, classes = await canvas.sections(COURSES), await sis.class_ids()
        return matching.class_ids(sample, classes)

    answered = await side.make("ids-classes", ids, seconds=LONG)
    names = ["ids-students"]
    if str(SyncType.GRADE_PASSBACK) in patient.types:
        names += ["canvas-course-calls", "categories"]
    if not answered or canvas is None or sis is None:
        reason = side.dead or "the classes of the two sides could not be compared"
        side.checks += [skipped(name, BOTH, reason) for name in names]
        return
    met = [one for one in sample.sections if one.class_id in classes]
    await side.make("ids-students", _students(canvas, sis, met), seconds=LONG)
    if len(names) > 1 and sample.sections:
        await side.make("canvas-course-calls", _course_calls(canvas, sample.sections[0].course_id))
        await side.make("categories", _categories(canvas, sis, met, patient), seconds=LONG)


def _students(canvas: CanvasSide, sis: SisSide, met: Sequence[Section]) -> Callable[[], Awaitable[Check]]:
    async def look() -> Check:
        pairs: list[tuple[Students, frozenset[str]]] = []
        chosen = _spread(met, CLASSES_OF_STUDENTS)
        for one in chosen:
            assert one.class_id is not None  # only sections tied to a class are looked at
            pairs.append((await canvas.students(one.section_id), await sis.members(one.class_id)))
        return matching.student_ids(pairs, [matching.where(one) for one in chosen])

    return look


def _course_calls(canvas: CanvasSide, course_id: int) -> Callable[[], Awaitable[Check]]:
    async def look() -> Check:
        return refused("canvas-course-calls", CANVAS, await canvas.course_calls(course_id), "Of one course,")

    return look


def _categories(
    canvas: CanvasSide, sis: SisSide, met: Sequence[Section], patient: Patient
) -> Callable[[], Awaitable[Check]]:
    async def look() -> Check:
        by_class = {one.class_id: one for one in _spread(met, COURSES) if one.class_id is not None}
        books: dict[int, Groups] = {}
        for one in by_class.values():
            if one.course_id not in books:
                books[one.course_id] = await canvas.groups(one.course_id)
        known = await sis.categories(list(by_class)) if by_class else {}
        seen: list[tuple[str, Groups, Sequence[Category]]] = [
            (class_id, books[one.course_id], known[class_id]) for class_id, one in by_class.items()
        ]
        return matching.categories(seen, patient.account.passback)

    return look


def _spread(sections: Sequence[Section], most: int) -> Sequence[Section]:
    """At most so many, evenly drawn: the first ones may all be of one course."""
    step = max(1, len(sections) // most)
    return sections[::step][:most]


__all__ = ["CLASSES_OF_STUDENTS", "COURSES", "examine"]
