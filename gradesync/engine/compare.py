"""`compare`: both gradebooks of an account beside each other, without a lease and without anything that can write.

Only reading and bundling; what a difference means is decided in `domain.comparing`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from gradesync.domain.comparison import ClassComparison, Comparison, Uneven
from gradesync.domain.history import Fact
from gradesync.domain.schedule import ScheduleId, State, SyncType
from gradesync.engine.control import find_account
from gradesync.engine.runner import EffectiveAccount, known_key, look_job
from gradesync.engine.tools import Tools
from gradesync.errors import NotFound, UsageProblem
from gradesync.ports import GradebookSource
from gradesync.syncs.compare import NOT_READ, compare_gradebooks
from gradesync.syncs.stage import StageTracker


@dataclass(frozen=True, slots=True)
class CompareWish:
    """What to compare. `values` keeps scores beside the differences: for a person at a terminal alone."""

    schedule: ScheduleId
    class_filter: str | None = None
    values: bool = False


async def compare(tools: Tools, wish: CompareWish) -> Comparison:
    """Compare both sides of a grade passback's account.

    That somebody looked at values is kept in the history. Raises NotFound, UsageProblem for a roster import, and
    ConnectionProblem when a side cannot be read at all.
    """
    target = passback_account(tools, wish.schedule)
    tracker = StageTracker()
    if wish.values:
        data = {"class": wish.class_filter} if wish.class_filter else {}
        fact = Fact(
            "values compared", tools.actor, wish.schedule.account, wish.schedule.name, data=dict(data)
        )
        tools.store.append([fact])
    async with tools.connections.gradebook_readonly(target.account) as (source, reader):
        keyed = known_key(tools, target.account.key)
        job = look_job(tools, target, wish.schedule, tracker, source, keyed, class_filter=wish.class_filter)
        records = tools.store.read_records(wish.schedule.account)
        classes = await compare_gradebooks(job, reader, records, values=wish.values)
        classes = await _averages(classes, source, max(1, target.account.canvas.concurrency))
    return Comparison(
        schedule=str(wish.schedule),
        classes=classes,
        unread={word: tracker.counts[word] for word in NOT_READ if tracker.counts[word]},
        codes={code: count for code, count in sorted(tracker.codes.items()) if count},
        observes=target.account.schedules[wish.schedule.name].state is State.OBSERVE,
    )


async def _averages(
    classes: tuple[ClassComparison, ...], source: GradebookSource, at_once: int
) -> tuple[ClassComparison, ...]:
    """The classes with why averages may differ; asked only of courses in which every score of a class agrees."""
    wanted = sorted({one.course_id for one in classes if one.scores_agree and one.course_id is not None})
    found: dict[int | None, tuple[Uneven, ...]] = {}
    for at in range(0, len(wanted), at_once):
        some = wanted[at : at + at_once]
        answers = await asyncio.gather(*(source.weighing(course_id) for course_id in some))
        found |= {course: one.uneven for course, one in zip(some, answers, strict=True) if one is not None}
    return tuple(
        replace(one, averages=found.get(one.course_id, ())) if one.scores_agree else one for one in classes
    )


def passback_account(tools: Tools, id: ScheduleId) -> EffectiveAccount:
    """The account of a grade passback. Raises NotFound, and UsageProblem for a roster import."""
    target = find_account(tools, id.account)
    schedule = target.account.schedules.get(id.name)
    if schedule is None:
        names = ", ".join(sorted(target.account.schedules)) or "none"
        raise NotFound(f"{id.account} has no schedule {id.name}", hint=f"it has: {names}")
    if schedule.type is not SyncType.GRADE_PASSBACK:
        raise UsageProblem(f"{id} is a roster import", hint="name a grade passback of the account")
    return target


__all__ = ["CompareWish", "compare", "passback_account"]
