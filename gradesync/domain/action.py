"""Actions and plans as values: what changes, what a guard withholds, and what it means in time.

Shared by the plan, the guards, the store and the reports. Only data and its digest here.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gradesync.domain.definition import RecordedSchedule
from gradesync.domain.problem import Place


class ActionKind(StrEnum):
    """What one action does, most dangerous first (the order a plan is printed in)."""

    RETIRE = "retire"
    RESUME = "resume"
    CHANGE_ACCOUNT = "change account"
    MOVE = "move"
    CHANGE = "change"
    PAUSE = "pause"
    CREATE = "create"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field by its dotted path; `before`/`after` are JSON texts, None when absent."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Action:
    """One change. `text`/`digest` are the new canonical definition (None when retired).

    `next_run_before`/`next_run_after` are aware UTC; `why` is one sentence; `place` is where it is written.
    `moved_from` is the old name of a move: a schedule's, or the account's when `schedule` is None. `time_zone` is the
    recorded zone of what has no new definition. `locked`: no consent lets it through, only another merge first;
    `consent` is the digest by which somebody let it through. `held_by` tells the holds over it to people, `hold_ids`
    names them. `despite` names the persons' holds it would end or slip from: consent to it is consent despite these.
    `begins`: a plan that was read back from a file says so of an action whose definition the file does not hold.
    """

    kind: ActionKind
    account: str
    schedule: str | None
    why: str
    place: Place | None = None
    fields: tuple[FieldChange, ...] = ()
    text: str | None = None
    digest: str | None = None
    next_run_before: datetime | None = None
    next_run_after: datetime | None = None
    moved_from: str | None = None
    held: bool = False
    held_by: str = ""
    hold_ids: tuple[str, ...] = ()
    despite: tuple[str, ...] = ()
    time_zone: str | None = None
    locked: bool = False
    consent: str | None = None
    begins: bool = False

    @property
    def subject(self) -> str:
        """`account/schedule`, or the account alone."""
        return f"{self.account}/{self.schedule}" if self.schedule else self.account


@dataclass(frozen=True, slots=True)
class Stop:
    """A guard that withholds actions: the numbers, in one sentence, and the way out; `locked` as for actions."""

    account: str | None
    sentence: str
    hint: str
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All actions to apply, those a guard withheld with their stops, and what was left alone.

    `revisions` are the recorded revisions the plan was made against, by account. `digest` covers the withheld
    actions that can be consented to: `reconcile --allow DIGEST` lets through exactly those; `allowed` says that
    somebody did. `dirty`: the tree holds changes that its commit does not. `unrecorded` are those of the frozen
    accounts of which nothing is in force: no definition of theirs could go on.
    """

    actions: tuple[Action, ...]
    withheld: tuple[Action, ...] = ()
    stops: tuple[Stop, ...] = ()
    unchanged: int = 0
    frozen: tuple[str, ...] = ()
    revisions: Mapping[str, int] = field(default_factory=dict)
    commit: str | None = None
    accounts: int = 0
    schedules: int = 0
    allowed: bool = False
    dirty: bool = False
    unrecorded: tuple[str, ...] = ()

    @property
    def consentable(self) -> tuple[Action, ...]:
        """The withheld actions that a digest can let through."""
        return tuple(action for action in self.withheld if not action.locked)

    @property
    def digest(self) -> str:
        """12 hex digits over the withheld actions that can be allowed; empty text when there is none.

        A hold that somebody places over one of them makes it another digest: whoever consented did not know of it.
        """
        if not self.consentable:
            return ""
        rows = sorted(
            [a.kind, a.subject, a.digest or "", a.moved_from or "", *a.despite] for a in self.consentable
        )
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:12]

    @property
    def changes(self) -> bool:
        """Whether anything would change (withheld actions count)."""
        return bool(self.actions or self.withheld)

    def counts(self) -> Mapping[str, int]:
        """Actions to apply by kind; an account that leaves counts by its schedules."""
        leaves = (ActionKind.RETIRE, None)
        return Counter(a.kind.value for a in self.actions if (a.kind, a.schedule) != leaves)


def retire_account(account: str, why: str, place: Place) -> Action:
    """The account itself has left: what its schedules' retiring ends with."""
    return Action(kind=ActionKind.RETIRE, account=account, schedule=None, why=why, place=place)


def retire_action(old: RecordedSchedule, why: str, place: Place) -> Action:
    """One schedule never runs again; its history and its ledger stay."""
    return Action(
        kind=ActionKind.RETIRE,
        account=old.account,
        schedule=old.name,
        why=why,
        place=place,
        next_run_before=old.next_run_at,
        held=old.held,
        time_zone=json.loads(old.text).get("time_zone"),
    )
