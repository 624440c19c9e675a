"""Small trees and what the store would have recorded of them; `applied` is the store's part of a plan, pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from gradesync.domain.action import Action, ActionKind
from gradesync.domain.definition import (
    Desired,
    DesiredAccount,
    DesiredSchedule,
    Recorded,
    RecordedAccount,
    RecordedSchedule,
    canonical,
    digest,
)
from gradesync.domain.plan import make_plan
from gradesync.domain.problem import Place

NOW = datetime(2026, 10, 6, 14, 0, tzinfo=UTC)


def schedule(**more: Any) -> dict[str, Any]:
    """A canonical schedule mapping."""
    return {
        "type": "grade passback",
        "interval": "every 15 minutes",
        "canonical_interval": "every 15 minutes",
        "time_zone": "America/New_York",
        "first_run": "2026-09-01 07:00",
        "state": "active",
        **more,
    }


def definition(key: str, **more: Any) -> dict[str, Any]:
    """A canonical account mapping without its schedules."""
    return {
        "account": key,
        "name": key.title(),
        "time_zone": "America/New_York",
        "canvas": {"url": f"https://{key}.canvas.example", "token": f"env:{key}-TOKEN"},
        "sis": {
            "profile": "genesis",
            "url": f"https://{key}.sis.example",
            "client_id": f"env:{key}-ID",
            "client_secret": f"env:{key}-SECRET",
        },
        **more,
    }


def account(key: str, schedules: Mapping[str, Mapping[str, Any]], **more: Any) -> DesiredAccount:
    """An account as YAML would say it."""
    values = definition(key, **more)
    return DesiredAccount(
        key=key,
        file=f"schedules/{key}.yaml",
        text=canonical(values),
        digest=digest(values),
        schedules={n: DesiredSchedule(n, canonical(s), digest(s)) for n, s in schedules.items()},
    )


def desired(*accounts: DesiredAccount, frozen: Iterable[str] = (), commit: str | None = None) -> Desired:
    """The whole tree."""
    by_key = {one.key: one for one in accounts}
    return Desired(by_key, frozenset(frozen), len(accounts), commit, lambda file, path: Place(file))


def recorded(*accounts: DesiredAccount, next_run: datetime | None = None) -> Recorded:
    """What the store holds after the accounts were applied; `next_run` for all of their schedules."""
    done = everything_applied(desired(*accounts), Recorded({}))
    if next_run is None:
        return done
    return replace(
        done,
        accounts={
            key: replace(
                one, schedules={n: replace(s, next_run_at=next_run) for n, s in one.schedules.items()}
            )
            for key, one in done.accounts.items()
        },
    )


def everything_applied(tree: Desired, have: Recorded) -> Recorded:
    """Recorded after the plan and all that its guards withheld."""
    plan = make_plan(tree, have, NOW)
    return applied(have, [*plan.actions, *plan.withheld])


def applied(have: Recorded, actions: Iterable[Action]) -> Recorded:
    """What the store's contract makes of actions, as values."""
    accounts = dict(have.accounts)
    for action in actions:
        if action.schedule is None and action.moved_from is not None:
            accounts[action.account] = _under_new_name(accounts.pop(action.moved_from), action.account)
        one = accounts.get(action.account) or RecordedAccount(action.account, "{}", "", 0, {})
        accounts[action.account] = replace(_one(one, action), revision=one.revision + 1)
    return replace(have, accounts=accounts)


def _under_new_name(one: RecordedAccount, key: str) -> RecordedAccount:
    return replace(one, key=key, schedules={n: replace(s, account=key) for n, s in one.schedules.items()})


def _one(one: RecordedAccount, action: Action) -> RecordedAccount:
    schedules = dict(one.schedules)
    if action.kind is ActionKind.RETIRE and action.schedule is None:
        return replace(one, retired=True)
    if action.kind is ActionKind.RETIRE:
        name = str(action.schedule)
        schedules[name] = replace(schedules[name], retired=True, next_run_at=None)
        return replace(one, schedules=schedules)
    assert action.text is not None
    assert action.digest is not None
    if action.schedule is None:
        return replace(one, text=action.text, digest=action.digest, retired=False)
    if action.moved_from is not None:
        schedules.pop(action.moved_from)
    schedules[action.schedule] = RecordedSchedule(
        action.account, action.schedule, action.text, action.digest, action.next_run_after
    )
    return replace(one, schedules=schedules, retired=False)
