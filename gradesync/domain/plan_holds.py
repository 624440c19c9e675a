"""Which holds stand over the changes of a plan: a merge does not end one, and whoever reads the plan is told.

Pure. A schedule that is new joins whatever its group, its type or its account is held by.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from gradesync.domain.action import Action
from gradesync.domain.definition import Desired
from gradesync.domain.due import block_of
from gradesync.domain.hold import Hold, HoldsByAccount, HoldScope
from gradesync.domain.schedule import ScheduleId, SyncType


def told_of_holds(
    actions: Iterable[Action], holds: Sequence[Hold], desired: Desired, renamed: Mapping[str, str]
) -> list[Action]:
    """The actions, each with the holds in force over it; `renamed` maps new account keys to those holds still name."""
    if not holds:
        return list(actions)
    groups: dict[str, str | None] = {}
    told, by_account = [], HoldsByAccount(holds)
    for action in actions:
        if action.account not in groups:
            account = desired.accounts.get(action.account)
            groups[action.account] = json.loads(account.text).get("group") if account is not None else None
        keys = tuple(dict.fromkeys((action.account, renamed.get(action.account, action.account))))
        mine = dict.fromkeys(hold for key in keys for hold in by_account.of(key))
        over = [hold for hold in mine if _over(hold.scope, action, keys, groups[action.account])]
        if over:
            by = "; ".join(block_of(hold, _zone_of(action)).sentence for hold in over)
            told.append(replace(action, held=True, held_by=by, hold_ids=tuple(hold.id for hold in over)))
        else:
            told.append(action)
    return told


def _zone_of(action: Action) -> str:
    if action.text is None:
        return action.time_zone or "UTC"
    return str(json.loads(action.text).get("time_zone") or "UTC")


def _over(scope: HoldScope, action: Action, keys: Sequence[str], group: str | None) -> bool:
    if action.schedule is None:
        return (
            scope.schedule is None
            and scope.type is None
            and (scope.account is None or scope.account in keys)
            and scope.group in (None, group)
        )
    if action.text is None:
        return action.held and scope.account in (None, *keys) and scope.schedule in (None, action.schedule)
    type = SyncType(json.loads(action.text)["type"])
    names = {action.schedule, action.moved_from or action.schedule}
    return any(scope.covers(ScheduleId(key, name), type, group) for key in keys for name in names)


__all__ = ["told_of_holds"]
