"""Operators' stops and wishes: holds over schedules, and requests for one run.

Holds only subtract: what YAML declares paused stays paused (DESIGN.md 5). Pure rules, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gradesync.domain.run import Actor, Mode
from gradesync.domain.schedule import ScheduleId, SyncType


class HoldKind(StrEnum):
    """`breaker` and `identity` are placed by gradesync itself and have no expiry."""

    OPERATOR = "operator"
    BREAKER = "breaker"
    IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class HoldScope:
    """What a hold covers; a field left None covers all of that kind. All None is everything."""

    account: str | None = None
    schedule: str | None = None
    group: str | None = None
    type: SyncType | None = None

    def covers(self, schedule: ScheduleId, type: SyncType, group: str | None) -> bool:
        """Whether the schedule stands under this scope."""
        return (
            self.account in (None, schedule.account)
            and self.schedule in (None, schedule.name)
            and self.group in (None, group)
            and self.type in (None, type)
        )

    def __str__(self) -> str:
        return ", ".join(self._parts("group ", "type ")) or "everything"

    @property
    def arguments(self) -> str:
        """The scope as `gradesync resume` takes it."""
        return " ".join(self._parts("--group ", "--type ", blank="-")) or "--everything"

    def _parts(self, group: str, type: str, blank: str = " ") -> list[str]:
        place = self.account if self.schedule is None else f"{self.account}/{self.schedule}"
        return [
            *([place] if place is not None else []),
            *([f"{group}{self.group}"] if self.group is not None else []),
            *([f"{type}{self.type.value.replace(' ', blank)}"] if self.type is not None else []),
        ]


@dataclass(frozen=True, slots=True)
class Hold:
    """One stop, kept in the store over the YAML. Instants are aware UTC; `released_at` ends it early.

    `mark` tells what the definitions it stands on looked like (`hold_rules.mark_of`): an operator's hold that carries
    one ends when they change, a breaker tries again then. `code` is what opened a breaker, and `tried_at` when it last
    let a run through to see.
    """

    id: str
    scope: HoldScope
    actor: Actor
    reason: str
    created_at: datetime
    expires_at: datetime | None
    kind: HoldKind = HoldKind.OPERATOR
    released_at: datetime | None = None
    mark: str | None = None
    code: str | None = None
    tried_at: datetime | None = None

    @property
    def until_changed(self) -> bool:
        """Whether a change of the definitions in the files ends it."""
        return self.kind is HoldKind.OPERATOR and self.mark is not None

    def in_force(self, now: datetime) -> bool:
        """Whether it stops a start at `now`."""
        if self.released_at is not None and self.released_at <= now:
            return False
        return self.expires_at is None or now < self.expires_at


class HoldsByAccount:
    """Holds looked up by account: in an outage thousands of accounts have one of their own, and few concern all.

    A mapping only; what a hold covers within the account is still the scope's to say.
    """

    def __init__(self, holds: Iterable[Hold]) -> None:
        self._wide: list[Hold] = []
        self._own: dict[str, list[Hold]] = {}
        for hold in holds:
            if hold.scope.account is None:
                self._wide.append(hold)
            else:
                self._own.setdefault(hold.scope.account, []).append(hold)

    def of(self, account: str) -> Sequence[Hold]:
        """The holds that may cover a schedule of the account, wide ones first."""
        own = self._own.get(account)
        return self._wide if own is None else [*self._wide, *own]


REQUEST_LIFE = timedelta(hours=24)
"""How long a wish waits, in the queue or before it: after that it is not what anybody means any more."""


@dataclass(frozen=True, slots=True)
class Request:
    """A durable wish that a schedule run at the next pass; one per schedule, until run, withdrawn or 24 h old."""

    id: str
    schedule: ScheduleId
    actor: Actor
    mode: Mode
    created_at: datetime
    reason: str | None = None
