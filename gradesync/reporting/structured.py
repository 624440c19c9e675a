"""Reports for programs: mappings of JSON values with stable keys. The shapes are documented in docs/json-output.md.

`version` grows only when a key changes its meaning or goes; new keys may come at any time. Instants are ISO 8601 in UTC
with `Z`, absent values are null, and nothing is left out because it is empty. The other side's own words and erasable
details never stand here: this output ends up in logs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from gradesync.domain.action import Plan
from gradesync.domain.alarm import AlarmLine
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.domain.approval import Approved
from gradesync.domain.comparing import Comparison
from gradesync.domain.explained import Explanation
from gradesync.domain.history import HistoryEntry
from gradesync.domain.hold import Hold
from gradesync.domain.interval import Interval, IntervalWarning
from gradesync.domain.needs import Cause
from gradesync.domain.problem import Code, Place, Problem
from gradesync.domain.report import (
    AccountView,
    BlackoutRow,
    ClassCounts,
    PassReport,
    RunEnd,
    ScheduleRow,
    Stopped,
)
from gradesync.domain.roster_comparing import RosterComparison
from gradesync.domain.run import Run
from gradesync.domain.take_over import TakeOver
from gradesync.domain.week import AccountWeek
from gradesync.domain.worklist import Worklist
from gradesync.ports import StoreInfo
from gradesync.reporting.alarm_shapes import alarms_keys, channel_shapes
from gradesync.reporting.compare_shapes import adoption_keys, comparison_keys
from gradesync.reporting.explain_shapes import explanation_keys, worklist_keys
from gradesync.reporting.roster_compare_shapes import roster_comparison_keys
from gradesync.reporting.roster_shapes import stop_shape
from gradesync.reporting.shapes import (
    Shape,
    actor_shape,
    blackout_shape,
    block_shapes,
    cause_shape,
    class_shapes,
    code_keys,
    end_keys,
    entry_shape,
    hold_shape,
    instant,
    json_value,
    lease_shape,
    place_shape,
    plan_keys,
    problem_shape,
    row_shape,
    run_shape,
    waiting_shapes,
)
from gradesync.reporting.upcoming_shapes import upcoming_keys
from gradesync.reporting.words import code_page, needs_someone

VERSION = 1


def _report(kind: str, **values: Any) -> Shape:
    return {"version": VERSION, "kind": kind, **values}


def problems(problems: Sequence[Problem], sources: Callable[[str], str | None] | None = None) -> Shape:
    """All problems with place, remedy and who must act. `sources` is not needed: no line is repeated here."""
    del sources  # the same call as the other formats'
    return _report(
        "problems",
        errors=sum(not problem.warning for problem in problems),
        warnings=sum(problem.warning for problem in problems),
        problems=[problem_shape(problem) for problem in problems],
    )


def plan(
    plan: Plan,
    problems: Sequence[Problem] = (),
    now: datetime | None = None,
    *,
    limited_to: Collection[str] | None = None,
    tree: str = "",
    settings: Sequence[str] = (),
    remarks: Sequence[str] = (),
) -> Shape:
    """The whole plan, complete enough to be shown elsewhere. `limited_to` are the accounts it was made for, `tree` is
    the tree's folder in its repository, `settings` the changed keys of gradesync.yaml, `remarks` what must be known.
    """
    return _report(
        "plan",
        at=instant(now),
        **plan_keys(plan),
        problems=[problem_shape(problem) for problem in problems],
        limited_to=None if limited_to is None else sorted(limited_to),
        tree=tree,
        settings=list(settings),
        remarks=list(remarks),
    )


def comment(
    *,
    did: str,
    url: str | None,
    doubles: int,
    labels: Sequence[str],
    added: Sequence[str],
    removed: Sequence[str],
    trouble: str | None,
    body: str | None,
) -> Shape:
    """What became of a plan's comment; `body` is told of a dry run alone."""
    return _report(
        "comment",
        did=did,
        url=url,
        doubles_removed=doubles,
        labels=list(labels),
        labels_added=list(added),
        labels_removed=list(removed),
        trouble=trouble,
        body=body,
    )


def pass_report(report: PassReport) -> Shape:
    """One pass: plan, run ends, and what was left alone."""
    return _report(
        "pass",
        at=instant(report.at),
        plan=None if report.plan is None else plan_keys(report.plan),
        problems=[problem_shape(problem) for problem in report.problems],
        applied=report.applied,
        raced=list(report.raced),
        runs=[end_keys(end) for end in report.ends],
        busy=[lease_shape(lease) for lease in report.busy],
        blocked=[
            {"schedule": str(id), "blocks": block_shapes(blocks)}
            for id, blocks in sorted(report.blocked.items())
        ],
        missed={str(id): count for id, count in sorted(report.missed.items())},
        checkpoint=report.checkpoint,
        new_store=report.new_store,
        stale_commit=report.stale_commit,
        stale_why=report.stale_why or None,
        stale=[
            {
                "account": one.account,
                "schedule": one.schedule,
                "action": one.kind,
                "changed_in": "store" if one.recorded else "files",
                "changed": one.changed or None,
            }
            for one in report.stale
        ],
        interrupted=report.interrupted,
        enqueued=report.enqueued,
        redelivered=report.redelivered,
        left=report.left,
        resting=list(report.resting),
        no_key=report.no_key,
    )


def run_end(end: RunEnd) -> Shape:
    """One run as it ended in this process."""
    return _report("run_end", **end_keys(end))


def run(run: Run, classes: Sequence[ClassCounts] = ()) -> Shape:
    """One run as the store keeps it."""
    return _report("run", run=run_shape(run), classes=class_shapes(classes))


def rows(
    rows: Sequence[ScheduleRow],
    now: datetime,
    holds: Sequence[Hold] = (),
    causes: Sequence[Cause] | None = None,
) -> Shape:
    """The list, in the order given; `causes` where it was asked what waits for somebody."""
    return _report(
        "schedules",
        at=instant(now),
        need_someone=sum(needs_someone(row) for row in rows),
        holds_in_force=sum(hold.in_force(now) for hold in holds),
        causes=None if causes is None else [cause_shape(one) for one in causes],
        schedules=[row_shape(row, now) for row in rows],
    )


def schedule(row: ScheduleRow, now: datetime) -> Shape:
    """One schedule."""
    return _report("schedule", at=instant(now), schedule=row_shape(row, now))


def account(view: AccountView, now: datetime) -> Shape:
    """One account with its schedules, holds and waiting records by code."""
    return _report(
        "account",
        at=instant(now),
        account=view.key,
        name=view.name,
        time_zone=view.time_zone,
        canvas_url=view.canvas_url,
        sis_url=view.sis_url,
        sis_profile=view.sis_profile,
        revision=view.revision,
        schedules=[row_shape(row, now) for row in view.rows],
        holds=[hold_shape(hold, now) for hold in view.holds],
        blackouts=[blackout_shape(one, now) for one in view.blackouts],
        waiting=waiting_shapes(view.waiting, view.waiting_since),
        busy=lease_shape(view.lease),
    )


def history(entries: Sequence[HistoryEntry]) -> Shape:
    """History entries as appended, without their erasable details."""
    return _report("history", entries=[entry_shape(entry) for entry in entries])


def adoption(found: TakeOver) -> Shape:
    """What another tool's sync left, class by class."""
    return _report("adoption", **adoption_keys(found))


def approved(found: Approved) -> Shape:
    """One change of a roster that a person let through."""
    one = found.approval
    return _report(
        "approved",
        run=one.run_id,
        schedule=str(found.run.schedule),
        digest=one.digest,
        reason=one.reason,
        actor=actor_shape(one.actor),
        expires_at=instant(one.expires_at),
        stop=stop_shape(found.change),
    )


def comparison(comparison: Comparison, *, every: bool = False) -> Shape:
    """Both gradebooks beside each other, without any value. `every` is not needed: all records stand here."""
    del every  # the same call as the text's
    return _report("comparison", **comparison_keys(comparison))


def roster_comparison(found: RosterComparison, *, every: bool = False) -> Shape:
    """The SIS, the last good import and Canvas beside each other, by opaque ids and pseudonyms."""
    del every  # the same call as the text's
    return _report("roster_comparison", **roster_comparison_keys(found))


def explanation(told: Explanation) -> Shape:
    """The life of one grade, without any value."""
    return _report("explanation", **explanation_keys(told))


def worklist(found: Worklist, folder: str) -> Shape:
    """What was written for teachers: counts alone."""
    return _report("worklist", **worklist_keys(found, folder))


def code(entry: Code) -> Shape:
    """One code of the catalogue."""
    return _report(
        "code",
        code=entry.code,
        **code_keys(entry.code),
        cause=entry.cause,
        meanwhile=entry.meanwhile,
        needs_person=entry.needs_person,
        page=code_page(entry),
    )


def alarms(
    lines: Sequence[AlarmLine],
    rules: Sequence[str],
    last_pass: datetime | None,
    no_pass_since: datetime | None,
) -> Shape:
    """What stands, for which rule, and whether it was told."""
    return _report("alarms", **alarms_keys(lines, rules, last_pass, no_pass_since))


def channels(answers: Sequence[tuple[AlarmRule, str | None, str | None]]) -> Shape:
    """Channels that were tried."""
    return _report("channels", channels=channel_shapes(answers))


def holds(holds: Sequence[Hold], now: datetime, blackouts: Sequence[BlackoutRow] = ()) -> Shape:
    """Holds, in force or past, and blackouts."""
    return _report(
        "holds",
        at=instant(now),
        holds=[hold_shape(hold, now) for hold in holds],
        blackouts=[
            {**blackout_shape(row.blackout), "phase": row.phase, "accounts": list(row.accounts)}
            for row in blackouts
        ],
    )


def stopped(stopped: Sequence[Stopped], runs: Sequence[Run]) -> Shape:
    """Runs that were asked to end, as they stand now."""
    now = {run.id: run for run in runs}
    return _report(
        "stopped",
        runs=[
            {"was": one.run.state.value, "holder": one.holder, "run": run_shape(now.get(one.run.id, one.run))}
            for one in stopped
        ],
    )


def next_runs(
    interval: Interval, slots: Sequence[datetime], warnings: Sequence[IntervalWarning] = ()
) -> Shape:
    """What an interval means."""
    return _report(
        "next_runs",
        interval=interval.text,
        canonical_interval=interval.canonical,
        words=interval.words,
        time_zone=interval.time_zone,
        slots=[instant(slot) for slot in slots],
        warnings=[{"key": warning.key, "text": warning.text} for warning in warnings],
    )


def upcoming(weeks: Sequence[AccountWeek], days: int, now: datetime) -> Shape:
    """What runs in the coming days, and what does not and why."""
    return _report("upcoming", **upcoming_keys(weeks, days, now))


def effective(rows: Sequence[tuple[str, object, Place]]) -> Shape:
    """Every value of an effective account and where it is written."""
    return _report(
        "effective",
        settings=[
            {"path": path, "value": json_value(value), "place": place_shape(place)}
            for path, value, place in rows
        ],
    )


def store_info(info: StoreInfo) -> Shape:
    """What and where the store is."""
    return _report(
        "store",
        store=info.kind,
        place=info.place,
        lineage=info.lineage,
        schema=info.schema,
        counts=dict(sorted(info.counts.items())),
        created=info.created,
    )
