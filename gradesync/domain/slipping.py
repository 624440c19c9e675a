"""Schedules that a change of their group or type would take out from under a hold on that group or type, and the holds
that persons placed over one. Pure.

Whether that may happen is `safety`'s to say.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from gradesync.domain.action import Action
from gradesync.domain.definition import Recorded, RecordedAccount, RecordedSchedule
from gradesync.domain.hold import HoldKind, HoldScope
from gradesync.domain.schedule import ScheduleId, SyncType


def slipping(
    old: RecordedAccount,
    key: str,
    actions: Sequence[Action],
    scopes: Sequence[HoldScope],
    groups: tuple[str | None, str | None],
) -> list[str]:
    """Names of the schedules that stand under a hold now and would under none afterwards."""
    texts = {a.moved_from or a.schedule: a for a in actions if a.schedule is not None and a.text is not None}
    found = []
    for name, one in old.schedules.items():
        action = texts.get(name)
        was, will = _type_of(one.text), _type_of(one.text if action is None else str(action.text))
        now = ScheduleId(key, name if action is None else str(action.schedule))
        held = any(scope.covers(ScheduleId(old.key, name), was, groups[0]) for scope in scopes)
        # A hold on the account or the schedule itself goes along under a new name.
        still = any(
            scope.covers(now, will, groups[1]) or scope.covers(ScheduleId(old.key, name), will, groups[1])
            for scope in scopes
        )
        if held and not still and not one.retired:
            found.append(name)
    return found


def operators_over(recorded: Recorded, old: RecordedSchedule, former: str) -> list[str]:
    """The ids of the persons' holds over a schedule that is stopped; `former` is its account's key in the holds."""
    type, group = _type_of(old.text), group_of(recorded.accounts[old.account].text)
    ids = [
        hold.id
        for hold in recorded.holds
        if hold.kind is HoldKind.OPERATOR
        and any(hold.scope.covers(ScheduleId(key, old.name), type, group) for key in {old.account, former})
    ]
    return ids or ["held"]


def group_of(text: str) -> str | None:
    """The folder of an account, from its canonical definition."""
    group: str | None = json.loads(text).get("group")
    return group


def _type_of(text: str) -> SyncType:
    return SyncType(json.loads(text)["type"])


__all__ = ["group_of", "operators_over", "slipping"]
