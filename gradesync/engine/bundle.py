"""Gathers what a support bundle is made of. Reads the store alone; what is told of it is `reporting.bundle`'s."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gradesync.domain.due import phase_of
from gradesync.domain.run import Outcome, Run
from gradesync.domain.schedule import ScheduleId
from gradesync.domain.support import Support
from gradesync.engine.queries import account_view
from gradesync.errors import NotFound
from gradesync.ports import RunQuery, Store

GOOD = 3
AROUND = 20
LOOKBACK = 500
"""Runs of the schedule among which the last good ones are looked for."""


def gather(store: Store, target: str, versions: Mapping[str, str]) -> Support:
    """The bundle of a run, named by its id, or of a schedule's last run, named by `account/schedule`.

    Raises NotFound.
    """
    run = _run(store, target)
    account, name = run.schedule.account, run.schedule.name
    earlier = store.runs(RunQuery(account=account, schedule=name, limit=LOOKBACK))
    good = [
        one
        for one in earlier
        if one.id != run.id
        and one.created_at <= run.created_at
        and one.result is not None
        and one.result.outcome is Outcome.COMPLETED
    ]
    view, now, info = account_view(store, account), store.now(), store.info()
    recorded = store.recorded([account]).accounts[account]
    schedule = recorded.schedules.get(name)
    digests = {"account": recorded.digest} | ({} if schedule is None else {"schedule": schedule.digest})
    return Support(
        at=now,
        run=run,
        good=tuple(good[:GOOD]),
        around=tuple(earlier[:AROUND]),
        digests=digests,
        settings=_settings(json.loads(recorded.text), {} if schedule is None else json.loads(schedule.text)),
        hosts=_hosts(view.canvas_url, view.sis_url),
        holds=tuple(hold for hold in view.holds if hold.in_force(now)),
        blackouts=tuple((one, phase_of(one, now)) for one in view.blackouts if one.covers(name)),
        waiting=view.waiting,
        waiting_since=view.waiting_since,
        store={"kind": info.kind, "schema": info.schema},
        versions=versions,
    )


def _run(store: Store, target: str) -> Run:
    if "/" in target:
        id = ScheduleId.parse(target)
        last = store.last_runs([id.account]).get(id)
        if last is None:
            raise NotFound(f"no run of {id} is recorded", hint="`gradesync list` shows every schedule")
        return last
    found = store.runs(RunQuery(run_id=target, limit=1))
    if not found:
        raise NotFound(f"no run {target} is recorded", hint="`gradesync history` shows runs")
    return found[0]


_CHOICES = ("excused", "missing", "no_due_date", "conflict", "deletions", "over_max", "letter_grades")
"""Policies of which the value is one of few words that this program knows: no text of anybody's."""


def _settings(account: Mapping[str, Any], schedule: Mapping[str, Any]) -> dict[str, str]:
    """What is told of settings in words of our own; everything else is in the digest alone."""
    told = {"profile": str(account.get("sis", {}).get("profile", ""))}
    told |= {
        name: str(schedule[name]) for name in ("type", "interval", "time_zone", "state") if name in schedule
    }
    passback = account.get("passback") or {}
    return told | {f"passback.{name}": str(passback[name]) for name in _CHOICES if name in passback}


def _hosts(canvas: str, sis: str) -> dict[str, str]:
    """The hosts alone: an address may carry a district's path or a query."""
    found = {"canvas": canvas.partition("://")[2], "sis": sis.partition("://")[2]}
    return {side: place.partition("/")[0].rpartition("@")[2] for side, place in found.items() if place}


__all__ = ["gather"]
