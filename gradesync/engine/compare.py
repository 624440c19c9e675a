"""`compare`: both gradebooks of an account, or its rosters, beside each other; no lease, and nothing that can write.

Only reading and bundling; what a difference means is decided in `domain.comparing` and `domain.roster_comparing`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from gradesync.domain.comparison import ClassComparison, Comparison, Uneven
from gradesync.domain.history import Fact
from gradesync.domain.roster_comparing import RosterComparison
from gradesync.domain.schedule import Schedule, ScheduleId, State, SyncType
from gradesync.engine.control import find_account
from gradesync.engine.rosters import roster_look
from gradesync.engine.runner import EffectiveAccount, known_key, look_job, roster_brake
from gradesync.engine.tools import Tools
from gradesync.errors import NotFound, UsageProblem
from gradesync.ports import GradebookSource
from gradesync.syncs.compare import NOT_READ, compare_gradebooks
from gradesync.syncs.roster_compare import compare_rosters
from gradesync.syncs.stage import StageTracker


@dataclass(frozen=True, slots=True)
class CompareWish:
    """What to compare. `values` keeps scores beside the differences: for a person at a terminal alone; `full` looks at
    the seats of every class of a roster."""

    schedule: ScheduleId
    class_filter: str | None = None
    values: bool = False
    full: bool = False


def compared_type(tools: Tools, id: ScheduleId) -> SyncType:
    """Which of the two comparisons a schedule asks for. Raises NotFound."""
    return _schedule(tools, id)[1].type


async def compare_roster(tools: Tools, wish: CompareWish) -> RosterComparison:
    """Lay the SIS's roster, the last good import and Canvas beside each other.

    Raises NotFound, and ConnectionProblem when a side cannot be read or the roster files are not to be used.
    """
    target, schedule = _schedule(tools, wish.schedule)
    brake = roster_brake(tools, target.account)
    async with tools.connections.roster_readonly(target.account) as sides:
        job = roster_look(tools, target.account, wish.schedule, StageTracker(), sides, brake)
        found = await compare_rosters(job, brake, full=wish.full, class_filter=wish.class_filter)
    return replace(found, observes=schedule.state is State.OBSERVE)


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
        classes, untied = await compare_gradebooks(job, reader, records, values=wish.values)
        classes = await _averages(classes, source, max(1, target.account.canvas.concurrency))
    return Comparison(
        schedule=str(wish.schedule),
        classes=classes,
        unread={word: tracker.counts[word] for word in NOT_READ if tracker.counts[word]},
        codes={code: count for code, count in sorted(tracker.codes.items()) if count},
        observes=target.account.schedules[wish.schedule.name].state is State.OBSERVE,
        untied=untied,
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
    target, schedule = _schedule(tools, id)
    if schedule.type is not SyncType.GRADE_PASSBACK:
        raise UsageProblem(f"{id} is a roster import", hint="name a grade passback of the account")
    return target


def _schedule(tools: Tools, id: ScheduleId) -> tuple[EffectiveAccount, Schedule]:
    target = find_account(tools, id.account)
    schedule = target.account.schedules.get(id.name)
    if schedule is None:
        names = ", ".join(sorted(target.account.schedules)) or "none"
        raise NotFound(f"{id.account} has no schedule {id.name}", hint=f"it has: {names}")
    return target, schedule


__all__ = ["CompareWish", "compare", "compare_roster", "compared_type", "passback_account"]
