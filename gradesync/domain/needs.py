"""What waits for people, by cause: which code, of how many accounts, since when, and who must act.

Six hundred accounts have few causes: a key that died, a host that is down, a category nobody mapped. Pure; rows, runs
and hosts are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gradesync.domain.problem import CODES, Act, Radius
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Outcome, Run, RunResult
from gradesync.domain.schedule import ScheduleId

FRESH = timedelta(hours=24)
"""What began within this time is new since yesterday."""

Began = Mapping[tuple[ScheduleId, str], tuple[datetime, bool]]
"""By schedule and code: since when its runs meet it, and whether it may be longer (see `streak`)."""

FROZEN = "GS-713"
"""The account's file has problems: nobody sees from the runs that it is not what they follow."""

GROUPS = {"teacher": "teacher", "support": "support", "us": "support", "admin": "district"}
"""Who must act -> whose list it stands in; everybody else is the district's."""


@dataclass(frozen=True, slots=True)
class Need:
    """One cause as one schedule has it. `code` is empty for a run that failed without saying why.

    `records` counts what waits, `failing` tells that the run itself ended by it.
    """

    code: str
    group: str
    records: int
    failing: bool = False


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause of all schedules chosen. `host` is the one host they share, or empty.

    `since` is None where nobody knows when it began; `capped` tells that it began no later than that. `records` counts
    an account's waiting records once, however many schedules it has.
    """

    code: str
    group: str
    host: str
    schedules: tuple[ScheduleId, ...]
    accounts: tuple[str, ...]
    records: int
    since: datetime | None
    capped: bool
    fresh: bool
    failing: bool


def needs(row: ScheduleRow) -> tuple[Need, ...]:
    """Every cause for which somebody must act on a row, by the last run's codes and what still waits.

    What waits counts too: a quiet delta does not make the records of the night before disappear.
    """
    frozen = (Need(FROZEN, "support", 0),) if row.frozen_since is not None else ()
    result = row.last.result if row.last is not None else None
    return frozen if result is None else (*_of_run(row, result), *frozen)


def _of_run(row: ScheduleRow, result: RunResult) -> tuple[Need, ...]:
    failed = result.outcome is Outcome.FAILED
    found = []
    for code in sorted({*result.codes, *row.waiting}):
        entry = CODES[code]
        # A closed period opens by itself for nobody: while grades wait for it, the district is named.
        if entry.needs_person or (code in row.waiting and entry.act is Act.HOLD):
            count = row.waiting.get(code) or result.codes.get(code, 0)
            failing = failed and code in result.codes and entry.radius is Radius.ACCOUNT
            found.append(Need(code, GROUPS.get(entry.who, "district"), count, failing))
    if failed and not found:
        code = min(result.codes, default="")
        return (Need(code, "support", result.codes.get(code, 0), True),)
    return tuple(found)


def groups(row: ScheduleRow) -> frozenset[str]:
    """Who must act on a row: `support`, `district`, `teacher`."""
    return frozenset(need.group for need in needs(row))


def causes(
    rows: Iterable[ScheduleRow],
    now: datetime,
    *,
    group: str | None = None,
    hosts: Mapping[str, tuple[str, str]] | None = None,
    began: Began | None = None,
) -> tuple[Cause, ...]:
    """The causes of the rows, what is new first, and the worst first among the new and among the rest.

    `group` keeps one list's. `hosts` are Canvas's and the SIS's by account: a cause that many accounts of one host
    share is a line of its own. `began` tells since when the runs of a schedule meet a code.
    """
    met: dict[str, list[tuple[ScheduleRow, Need]]] = {}
    for row in rows:
        for need in needs(row):
            if group in (None, need.group):
                met.setdefault(need.code, []).append((row, need))
    found = [
        _cause(code, host, some, began or {}, now)
        for code, all_ in met.items()
        for host, some in _by_host(code, all_, hosts or {}).items()
    ]
    return tuple(sorted(found, key=_worst))


def _worst(cause: Cause) -> tuple[bool, bool, int, int, int, str, str]:
    radius = list(Radius).index(CODES[cause.code].radius) if cause.code else len(Radius)
    return (
        not cause.fresh,
        not cause.failing,
        -radius,
        -len(cause.accounts),
        -cause.records,
        cause.code,
        cause.host,
    )


def _by_host(
    code: str,
    met: Sequence[tuple[ScheduleRow, Need]],
    hosts: Mapping[str, tuple[str, str]],
) -> dict[str, list[tuple[ScheduleRow, Need]]]:
    """What one host has in common stands together; hosts with one account each are told as one."""
    side = _side(code)
    if side is None:
        return {"": list(met)}
    by_host: dict[str, list[tuple[ScheduleRow, Need]]] = {}
    for one in met:
        by_host.setdefault(hosts.get(one[0].schedule.id.account, ("", ""))[side], []).append(one)
    parted: dict[str, list[tuple[ScheduleRow, Need]]] = {}
    for host, some in by_host.items():
        shared = len({row.schedule.id.account for row, _ in some}) > 1
        parted.setdefault(host if shared else "", []).extend(some)
    return parted


_CANVAS, _SIS = 0, 1
_SIDES = {
    **dict.fromkeys(("GS-201", "GS-301", "GS-302", "GS-304"), _CANVAS),
    **dict.fromkeys(("GS-202", "GS-507", "GS-508", "GS-510", "GS-602"), _SIS),
}


def _side(code: str) -> int | None:
    """The side whose host a code is about; None where it is about neither, or may be about both."""
    return _SIDES.get(code)


def _cause(
    code: str, host: str, met: Sequence[tuple[ScheduleRow, Need]], known: Began, now: datetime
) -> Cause:
    schedules = sorted({row.schedule.id for row, _ in met})
    records: dict[tuple[str, str], int] = {}
    began: list[tuple[datetime, bool]] = []
    for row, need in met:
        # What waits is the account's, what a run met is the schedule's own.
        whose = "" if row.waiting.get(code) else row.schedule.id.name
        records[row.schedule.id.account, whose] = need.records
        if code == FROZEN and row.frozen_since is not None:
            began.append((row.frozen_since, False))
        elif code in row.waiting_since:
            began.append((row.waiting_since[code], False))
        elif (since := known.get((row.schedule.id, code))) is not None:
            began.append(since)
    first, capped = min(began, default=(None, False))
    return Cause(
        code=code,
        group=met[0][1].group,
        host=host,
        schedules=tuple(schedules),
        accounts=tuple(sorted({one.account for one in schedules})),
        records=sum(records.values()),
        since=first,
        capped=capped,
        fresh=first is not None and not capped and now - first < FRESH,
        failing=any(need.failing for _, need in met),
    )


def streak(runs: Iterable[Run], code: str) -> tuple[datetime, bool] | None:
    """When the unbroken row of runs that meet the code began, of runs newest first; None where the last one does not.

    An empty code means any failure. True beside it: all of these runs meet it, so an older one may have, too. Runs that
    were stopped, skipped or given up judge nothing.
    """
    first = None
    for run in runs:
        result = run.result
        if result is None or result.outcome not in JUDGING:
            continue
        if code in result.codes or (not code and result.outcome is Outcome.FAILED):
            first = run.created_at
        else:
            return None if first is None else (first, False)
    return None if first is None else (first, True)


def streaks(runs: Iterable[Run], met: Iterable[tuple[ScheduleId, str]], each: int) -> Began:
    """The streaks of many schedules, of all their runs newest first; `each` newest that judge are looked at."""
    by_schedule: dict[ScheduleId, list[Run]] = {}
    for run in runs:
        if run.result is not None and run.result.outcome in JUDGING:
            by_schedule.setdefault(run.schedule, []).append(run)
    found: dict[tuple[ScheduleId, str], tuple[datetime, bool]] = {}
    for id, code in met:
        of_schedule = by_schedule.get(id, [])
        if (began := streak(of_schedule[:each], code)) is not None:
            # Runs are never deleted: where there are no more, the first one was the beginning.
            found[id, code] = (began[0], began[1] and len(of_schedule) >= each)
    return found


JUDGING = (Outcome.COMPLETED, Outcome.WARNING, Outcome.FAILED)
"""Ends of runs that say whether a cause still stands."""


__all__ = [
    "FRESH",
    "FROZEN",
    "JUDGING",
    "Began",
    "Cause",
    "Need",
    "causes",
    "groups",
    "needs",
    "streak",
    "streaks",
]
