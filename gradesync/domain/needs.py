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
from gradesync.domain.run import Outcome, Run
from gradesync.domain.schedule import ScheduleId

FRESH = timedelta(hours=24)
"""What began within this time is new since yesterday."""

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
    result = row.last.result if row.last is not None else None
    if result is None:
        return ()
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
    runs: Sequence[Run] = (),
) -> tuple[Cause, ...]:
    """The causes of the rows, what is new first, and the worst first among the new and among the rest.

    `group` keeps one list's. `hosts` are Canvas's and the SIS's by account: a cause that many accounts of one host
    share is a line of its own. `runs` are recent ones of the schedules, newest first, and tell since when runs fail.
    """
    streaks = _Streaks(runs)
    met: dict[str, list[tuple[ScheduleRow, Need]]] = {}
    for row in rows:
        for need in needs(row):
            if group in (None, need.group):
                met.setdefault(need.code, []).append((row, need))
    found = [
        _cause(code, host, some, streaks, now)
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
    code: str, host: str, met: Sequence[tuple[ScheduleRow, Need]], streaks: _Streaks, now: datetime
) -> Cause:
    schedules = sorted({row.schedule.id for row, _ in met})
    records: dict[tuple[str, str], int] = {}
    began: list[tuple[datetime, bool]] = []
    for row, need in met:
        # What waits is the account's, what a run met is the schedule's own.
        whose = "" if row.waiting.get(code) else row.schedule.id.name
        records[row.schedule.id.account, whose] = need.records
        if code in row.waiting_since:
            began.append((row.waiting_since[code], False))
        else:
            began += streaks.began(row, code)
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


class _Streaks:
    """Since when the runs of a schedule meet a code: the oldest of an unbroken row of them."""

    def __init__(self, runs: Sequence[Run]) -> None:
        self._runs: dict[ScheduleId, list[Run]] = {}
        for run in runs:
            if run.result is not None:
                self._runs.setdefault(run.schedule, []).append(run)

    def began(self, row: ScheduleRow, code: str) -> list[tuple[datetime, bool]]:
        """The instant, and whether the streak may be older than the runs at hand; empty where nothing is known."""
        runs = self._runs.get(row.schedule.id, [row.last] if row.last is not None else [])
        first, capped = None, True
        for run in runs:
            result = run.result
            if result is None or result.outcome in (Outcome.STOPPED, Outcome.SKIPPED, Outcome.ABANDONED):
                continue
            if code in result.codes or (not code and result.outcome is Outcome.FAILED):
                first = run.started_at or run.created_at
            else:
                capped = False
                break
        return [] if first is None else [(first, capped and len(runs) >= MANY)]


MANY = 20
"""How many runs of a schedule are enough to say since when it meets a code."""


__all__ = ["FRESH", "MANY", "Cause", "Need", "causes", "groups", "needs"]
