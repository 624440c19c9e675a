"""A plan that was saved to be carried out later: what it named, and whether each part of it still fits.

A saved plan only narrows. What is applied is made anew from the files and from what is recorded; of that, nothing goes
through but what the saved plan named, between the very same definitions. It holds names and digests, no definitions.
Pure: no file is read here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gradesync.domain.action import Action, Plan, Stop
from gradesync.domain.definition import Desired, Recorded
from gradesync.domain.renaming import account_moves, recorded_under_new_names


@dataclass(frozen=True, slots=True)
class SavedAction:
    """One action as it was planned: from the digest `before` (None: nothing in force) to `after` (None: retired)."""

    kind: str
    account: str
    schedule: str | None
    before: str | None
    after: str | None
    moved_from: str | None = None
    withheld: bool = False

    @property
    def subject(self) -> str:
        """`account/schedule`, or the account alone."""
        return f"{self.account}/{self.schedule}" if self.schedule else self.account


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a file of `plan --out` says. `only` are the accounts it was limited to; None for the whole tree."""

    version: str
    lineage: str
    commit: str | None
    only: frozenset[str] | None
    actions: tuple[SavedAction, ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class StaleAction:
    """A part of a saved plan that is not carried out: what it was about, and why it no longer fits.

    `recorded`: it was changed in the store since (then history tells by whom); otherwise the files say otherwise now.
    """

    account: str
    schedule: str | None
    kind: str
    recorded: bool
    changed: str = ""

    @property
    def subject(self) -> str:
        """`account/schedule`, or the account alone."""
        return f"{self.account}/{self.schedule}" if self.schedule else self.account


def misfit(saved: SavedPlan, *, version: str, lineage: str, commit: str | None) -> str | None:
    """Why a saved plan cannot be used here at all; None when it can. The order is that of how far off it is."""
    if saved.lineage != lineage:
        return f"it was made for the store of lineage {saved.lineage}, and this one is of {lineage}"
    if saved.version != version:
        return f"it was made by gradesync {saved.version}, and this is {version}"
    if saved.commit != commit:
        there, here = (f"commit {one[:12]}" if one else "no commit" for one in (saved.commit, commit))
        return f"it was made of {there}, and this tree is of {here}"
    return None


@dataclass(frozen=True, slots=True)
class Fitted:
    """The part of a plan that a saved one named and that still fits, and what does not."""

    plan: Plan
    stale: tuple[StaleAction, ...]


def saved_actions(plan: Plan, desired: Desired, recorded: Recorded) -> tuple[SavedAction, ...]:
    """Every action of the plan with what it starts from; withheld ones too, so that consent can reach them."""
    standing = _standing(desired, recorded)
    return tuple(
        SavedAction(
            kind=action.kind.value,
            account=action.account,
            schedule=action.schedule,
            before=standing.of(action.account, action.schedule, action.moved_from),
            after=action.digest,
            moved_from=action.moved_from,
            withheld=withheld,
        )
        for withheld, actions in ((False, plan.actions), (True, plan.withheld))
        for action in actions
    )


def fitted(saved: SavedPlan, plan: Plan, desired: Desired, recorded: Recorded) -> Fitted:
    """Narrow a plan made just now to what the saved one named.

    Run bookkeeping does not count: only definitions are compared. What stands already as the saved plan wanted it is
    done, whoever did it. What was withheld then needs consent still, whatever the guards say by now.
    """
    standing = _standing(desired, recorded)
    free = {_key(action): action for action in plan.actions}
    held = {_key(action): action for action in plan.withheld}
    kept: list[Action] = []
    withheld: list[Action] = []
    stale: list[StaleAction] = []
    done = 0
    for one in saved.actions:
        now = standing.of(one.account, one.schedule, one.moved_from)
        action = free.get(_saved_key(one)) or held.get(_saved_key(one))
        if now != one.before:
            if standing.of(one.account, one.schedule, None) == one.after and action is None:
                done += one.schedule is not None
            else:
                stale.append(StaleAction(one.account, one.schedule, one.kind, recorded=True))
        elif action is None:
            stale.append(StaleAction(one.account, one.schedule, one.kind, recorded=False))
        elif one.withheld or _saved_key(one) in held:
            withheld.append(action)
        else:
            kept.append(action)
    lost = _lost(saved, stale)
    stale += [_dependent(action) for action in (*kept, *withheld) if action.account in lost]
    kept = [action for action in kept if action.account not in lost]
    withheld = [action for action in withheld if action.account not in lost]
    narrowed = replace(
        plan,
        actions=_in_order(kept, plan.actions),
        withheld=tuple(withheld),
        stops=_stops(plan, withheld, held),
        unchanged=plan.unchanged + done,
    )
    return Fitted(narrowed, tuple(stale))


def _lost(saved: SavedPlan, stale: list[StaleAction]) -> frozenset[str]:
    """Accounts that were to come into being, or to be renamed, and are not: nothing else of theirs has a place."""
    gone = {one.account for one in stale if one.schedule is None}
    return frozenset(
        one.account
        for one in saved.actions
        if one.schedule is None and one.account in gone and (one.before is None or one.moved_from is not None)
    )


def _dependent(action: Action) -> StaleAction:
    return StaleAction(action.account, action.schedule, action.kind.value, recorded=True)


def _in_order(kept: Iterable[Action], order: tuple[Action, ...]) -> tuple[Action, ...]:
    wanted = {_key(action) for action in kept}
    return tuple(action for action in order if _key(action) in wanted)


def _stops(plan: Plan, withheld: list[Action], held: dict[_Key, Action]) -> tuple[Stop, ...]:
    accounts = {action.account for action in withheld}
    stops = [stop for stop in plan.stops if stop.account is None or stop.account in accounts]
    later = [action.subject for action in withheld if _key(action) not in held]
    if later:
        stops.append(
            Stop(
                None,
                f"{', '.join(later)}: withheld when the plan was saved",
                "make the plan anew, or allow exactly this plan by its digest",
            )
        )
    return tuple(stops) if withheld else ()


_Key = tuple[str, str, str | None, str | None]


def _key(action: Action) -> _Key:
    return (action.kind.value, action.subject, action.digest, action.moved_from)


def _saved_key(one: SavedAction) -> _Key:
    return (one.kind, one.subject, one.after, one.moved_from)


@dataclass(frozen=True, slots=True)
class _Standing:
    recorded: Recorded

    def of(self, account: str, schedule: str | None, moved_from: str | None) -> str | None:
        """The digest in force of an account, or of a schedule under its earlier name; None when nothing is."""
        one = self.recorded.accounts.get(account)
        if one is None:
            return None
        if schedule is None:
            return None if one.retired else one.digest
        row = one.schedules.get(moved_from or schedule)
        return None if row is None or row.retired else row.digest


def _standing(desired: Desired, recorded: Recorded) -> _Standing:
    return _Standing(recorded_under_new_names(recorded, account_moves(desired, recorded)))
