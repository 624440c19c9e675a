"""The guards over a plan: they withhold its dangerous part, with numbers and the way out, and never a pause.

Pure. Limits come from `gradesync.yaml` (`safety:`); consent is bound to the digest of what was withheld.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from gradesync.domain.action import Action, ActionKind, Stop, retire_account, retire_action
from gradesync.domain.addresses import SIDES, both_addresses, hosts_of, secrets_of
from gradesync.domain.definition import (
    Desired,
    DesiredAccount,
    Recorded,
    RecordedAccount,
    RecordedSchedule,
)
from gradesync.domain.hold import HoldKind
from gradesync.domain.problem import Place
from gradesync.domain.slipping import group_of, operators_over, slipping


@dataclass(frozen=True, slots=True)
class Safety:
    """Limits of the guards (DESIGN.md 6): a share and a least number, per account and over all."""

    account_share: float = 0.30
    account_least: int = 2
    all_share: float = 0.10
    all_least: int = 10


@dataclass(frozen=True, slots=True)
class Clash:
    """Names that `moved` cannot bring together: what would be retired or made instead, and why."""

    account: str
    schedules: frozenset[str]
    sentence: str


class Guards:
    """Withholds the dangerous part of a plan, never a pause, and says why with numbers."""

    def __init__(self, safety: Safety, recorded: Recorded) -> None:
        self.safety = safety
        self.recorded = recorded
        self.withheld: list[Action] = []
        self.stops: list[Stop] = []
        self._subjects: set[tuple[str, str]] = set()
        self._despite: dict[tuple[str, str], set[str]] = {}

    def holds(self, action: Action) -> bool:
        """Whether the action is withheld; an action is known by its kind and subject within one plan."""
        return (action.kind.value, action.subject) in self._subjects

    def judge(
        self,
        actions: Sequence[Action],
        desired: Desired,
        vanished: Sequence[RecordedAccount],
        clashes: Sequence[Clash],
    ) -> None:
        """Every guard in turn. What no consent lets through comes first: the first word on an action counts."""
        leaving = frozenset(key for key, account in desired.accounts.items() if account.leaving)
        self._protected(actions)
        self._gone(vanished, actions, empty_tree=not desired.accounts and not desired.frozen)
        self._renamed_accounts(actions, vanished, desired.accounts)
        self._clashes(actions, clashes)
        self._renames(actions)
        self._moved_hosts(actions)
        self._borrowed_secrets(actions)
        self._without_schedules(actions, desired.accounts)
        self._held(actions, leaving)
        self._slipped(actions)
        self._shares(actions, leaving)
        self._farewells(actions)
        noted = ((a, self._despite.get((a.kind.value, a.subject), ())) for a in self.withheld)
        self.withheld = [replace(a, despite=tuple(sorted(holds))) for a, holds in noted]

    def _note(self, action: Action, holds: Iterable[str]) -> None:
        """Holds an action would go over, whichever guard withholds it: consent is bound to them."""
        self._despite.setdefault((action.kind.value, action.subject), set()).update(holds)

    def _withhold(self, actions: Iterable[Action], stop: Stop) -> None:
        fresh = [replace(action, locked=stop.locked) for action in actions if not self.holds(action)]
        if fresh:
            self.withheld.extend(fresh)
            self._subjects.update((action.kind.value, action.subject) for action in fresh)
            self.stops.append(stop)

    def _protected(self, actions: Sequence[Action]) -> None:
        """`protect: true` outlives its line: what counts is the definition last agreed to, not the files now."""
        for key, mine in _by_account(a for a in actions if a.kind is ActionKind.RETIRE).items():
            kept = [a for a in mine if a.schedule is not None and self._recorded(a).protected]
            if kept:
                # Its account cannot have left while something of it goes on.
                whole = [action for action in mine if action.schedule is None]
                names = ", ".join(str(action.schedule) for action in kept)
                self._withhold(
                    [*kept, *whole],
                    Stop(
                        key,
                        f"{key}: {names} {'is' if len(kept) == 1 else 'are'} protected and would be retired",
                        "no consent lets this through: merge the schedule without `protect: true` first, "
                        "and its removal after that",
                        locked=True,
                    ),
                )

    def _recorded(self, action: Action) -> RecordedSchedule:
        return self.recorded.accounts[action.account].schedules[str(action.schedule)]

    def _gone(
        self, vanished: Sequence[RecordedAccount], actions: Sequence[Action], *, empty_tree: bool
    ) -> None:
        """A file that is gone is more often a slip than a farewell; leaving has its own word."""
        mine = _by_account([a for a in actions if a.kind is ActionKind.RETIRE])
        for account in vanished:
            gone = mine.get(account.key, [])
            if all(action.schedule is None for action in gone):
                continue  # nothing of it runs any more
            what = "the tree holds no account at all" if empty_tree else "its file is gone from the tree"
            self._withhold(
                gone,
                Stop(
                    account.key,
                    f"{account.key}: {what}; {_count(sum(a.schedule is not None for a in gone))} would be retired",
                    "bring the file back, or write `state: leaving` in it",
                ),
            )

    def _renamed_accounts(
        self,
        actions: Sequence[Action],
        vanished: Sequence[RecordedAccount],
        desired: Mapping[str, DesiredAccount],
    ) -> None:
        """A new account at the addresses of one whose file is gone: both would sync the same institution.

        The old one goes on with its last good definition, so only the new one is withheld.
        """
        by_name = {old.key: old for old in vanished}
        by_addresses = {sides: old for old in vanished if (sides := both_addresses(old.text)) is not None}
        if not vanished:
            return
        mine = _by_account(actions)
        for action in [a for a in actions if a.kind is ActionKind.CHANGE_ACCOUNT and a.text is not None]:
            key = action.account
            said = by_name.get(desired[key].moved_from or "")
            like = None
            if key not in self.recorded.accounts and (sides := both_addresses(str(action.text))) is not None:
                like = by_addresses.get(sides)
            old = said or like
            if old is not None:
                self._withhold(mine[key], _renamed(key, old.key, said=said is not None))

    def _clashes(self, actions: Sequence[Action], clashes: Sequence[Clash]) -> None:
        """A `moved` that cannot be carried out would quietly retire what it meant to keep."""
        for clash in clashes:
            self._withhold(
                [
                    a
                    for a in actions
                    if a.account == clash.account
                    and a.schedule in clash.schedules
                    and a.kind in (ActionKind.RETIRE, ActionKind.CREATE)
                ],
                Stop(
                    clash.account, clash.sentence, "correct `moved`, or allow exactly this plan by its digest"
                ),
            )

    def _renames(self, actions: Sequence[Action]) -> None:
        """Equal definitions under a new name: history, holds and ledger would be torn off."""
        created = [a for a in actions if a.kind is ActionKind.CREATE and not self.holds(a)]
        for gone in [a for a in _retiring(actions) if not self.holds(a)]:
            digest = self._recorded(gone).digest
            twin = next((a for a in created if a.account == gone.account and a.digest == digest), None)
            if twin is not None:
                created.remove(twin)
                self._withhold(
                    [gone, twin],
                    Stop(
                        gone.account,
                        f"{gone.account}: {gone.schedule} vanishes and {twin.schedule} appears with the same "
                        "definition; this looks like a rename",
                        f"add `moved: {{{gone.schedule}: {twin.schedule}}}` to the account",
                    ),
                )

    def _moved_hosts(self, actions: Sequence[Action]) -> None:
        """A changed host would hand an account's secrets to another server."""
        for action in actions:
            old = self.recorded.accounts.get(action.account)
            if action.schedule is not None or action.text is None or old is None:
                continue
            before, after = hosts_of(old.text), hosts_of(action.text)
            # Each side has its own secrets: the SIS's must not go to Canvas's host either.
            moved = [side for side in SIDES if before[side] and after[side] - before[side]]
            if moved:
                names = ", ".join(
                    f"{side} {', '.join(sorted(before[side]))} -> {', '.join(sorted(after[side]))}"
                    for side in moved
                )
                # A renamed account is one piece: its schedules cannot move without it.
                whole = actions if action.kind is ActionKind.MOVE else (action,)
                self._withhold(
                    [a for a in whole if a.account == action.account and a.kind is not ActionKind.PAUSE],
                    Stop(
                        action.account,
                        f"{action.account}: its secrets would be sent to another host ({names})",
                        "have the owner of the secrets confirm the host",
                    ),
                )

    def _borrowed_secrets(self, actions: Sequence[Action]) -> None:
        """A new account must not carry the secret of another one to a host that one never named."""
        fresh = [
            a
            for a in actions
            if a.kind is ActionKind.CHANGE_ACCOUNT and a.text and a.account not in self.recorded.accounts
        ]
        if not fresh or not self.recorded.accounts:
            return
        known: dict[str, tuple[str, frozenset[str]]] = {}
        for account in self.recorded.accounts.values():
            for reference, hosts in secrets_of(account.text).items():
                known[reference] = (account.key, hosts | known.get(reference, ("", frozenset()))[1])
        for action in fresh:
            for reference, hosts in secrets_of(str(action.text)).items():
                owner, usual = known.get(reference, ("", hosts))
                if hosts - usual:
                    self._withhold(
                        [a for a in actions if a.account == action.account],
                        Stop(
                            action.account,
                            f"{action.account}: the secret of {owner} would be sent to another host "
                            f"({', '.join(sorted(usual))} -> {', '.join(sorted(hosts - usual))})",
                            "give the account a secret of its own, or have the owner confirm the host",
                        ),
                    )

    def _without_schedules(self, actions: Sequence[Action], desired: Mapping[str, DesiredAccount]) -> None:
        """No schedule at all is no share of anything: a slip with the indentation looks just like it."""
        for key, mine in _by_account(_retiring(actions)).items():
            want = desired.get(key)
            if want is not None and not want.leaving and not want.schedules:
                self._withhold(
                    mine,
                    Stop(
                        key,
                        f"{key}: its file holds no schedule any more; {_count(len(mine))} would be retired",
                        "write the schedules back; if the account goes, write `state: leaving`",
                    ),
                )

    def _held(self, actions: Sequence[Action], leaving: Collection[str]) -> None:
        """Somebody stopped the schedule and means to look at it; deleting it would end that quietly."""
        former = {a.account: a.moved_from for a in actions if a.schedule is None and a.moved_from}
        for key, mine in _by_account(_retiring(actions)).items():
            held = [action for action in mine if self._recorded(action).stopped]
            if held and key not in leaving:
                for action in held:
                    old = self._recorded(action)
                    self._note(action, operators_over(self.recorded, old, former.get(key, key)))
                names = ", ".join(str(action.schedule) for action in held)
                self._withhold(
                    held,
                    Stop(
                        key,
                        f"{key}: an operator holds {names}, which would be retired",
                        "see `gradesync holds`; resume it first, or allow exactly this plan by its digest",
                    ),
                )

    def _slipped(self, actions: Sequence[Action]) -> None:
        """Another group or another type would take a schedule out from under an operator's hold: a deploy would undo a
        stop, and nobody would have released it."""
        operators = [hold for hold in self.recorded.holds if hold.kind is HoldKind.OPERATOR]
        wide = [hold for hold in operators if hold.scope.group or hold.scope.type]
        if not wide:
            return
        scopes = [hold.scope for hold in operators]
        for key, mine in _by_account(actions).items():
            whole = next((a for a in mine if a.schedule is None and a.text is not None), None)
            old = self.recorded.accounts.get((whole.moved_from if whole is not None else None) or key)
            if old is None:
                continue
            before = group_of(old.text)
            after = before if whole is None else group_of(str(whole.text))
            slipped = slipping(old, key, mine, scopes, (before, after))
            if slipped:
                changed = [a for a in mine if (a.moved_from or a.schedule) in slipped and a.text is not None]
                # In another group the account is one piece: a schedule of it cannot stay behind.
                moved = [a for a in mine if a.kind is not ActionKind.PAUSE] if before != after else changed
                for action in moved:
                    self._note(action, (hold.id for hold in wide))
                how = f"group {before or 'none'} -> {after or 'none'}" if before != after else "another type"
                self._withhold(
                    moved,
                    Stop(
                        key,
                        f"{key}: {', '.join(slipped)} would slip from under an operator's hold ({how})",
                        "see `gradesync holds`; hold the account itself first or release the hold, or allow exactly "
                        "this plan by its digest",
                    ),
                )

    def _shares(self, actions: Sequence[Action], leaving: Collection[str]) -> None:
        """Retires and resumes over the limits of an account, then over all.

        `leaving` accounts have said that all of theirs retire; over all accounts they count like any other.
        """
        for kind, word in ((ActionKind.RETIRE, "retired"), (ActionKind.RESUME, "resumed")):
            meant = [a for a in actions if a.kind is kind and a.schedule is not None and not self.holds(a)]
            for key, mine in _by_account(meant).items():
                if kind is ActionKind.RETIRE and key in leaving:
                    continue
                total = _alive(self.recorded.accounts[key])
                limit = (self.safety.account_share, self.safety.account_least)
                self._over(mine, total, limit, key, word)
            rest = [a for a in meant if not self.holds(a)]
            total = sum(_alive(account) for account in self.recorded.accounts.values())
            self._over(rest, total, (self.safety.all_share, self.safety.all_least), None, word)

    def _farewells(self, actions: Sequence[Action]) -> None:
        """An account of which something goes on has not left; what withholds the one withholds the other."""
        staying = {a.account for a in self.withheld if a.kind is ActionKind.RETIRE}
        for action in [a for a in actions if a.account in staying and not self.holds(a)]:
            if action.kind is ActionKind.RETIRE and action.schedule is None:
                self.withheld.append(action)
                self._subjects.add((action.kind.value, action.subject))

    def _over(
        self, actions: Sequence[Action], total: int, limit: tuple[float, int], account: str | None, word: str
    ) -> None:
        share, least = limit
        # In exact numbers: 0.1 + 0.2 is no border to stop a school at.
        if len(actions) < least or len(actions) <= Fraction(str(share)) * total:
            return
        where = account or "all accounts"
        self._withhold(
            actions,
            Stop(
                account,
                f"{where}: {len(actions)} of {total} schedules would be {word}, over the limit of {share:.0%}",
                "check the change, then allow exactly this plan by its digest",
            ),
        )


def farewell(account: RecordedAccount, why: str, place: Place) -> list[Action]:
    """Every schedule that still runs is retired, and then the account itself."""
    retired = [retire_action(old, why, place) for old in account.schedules.values() if not old.retired]
    return [*retired, retire_account(account.key, why, place)]


def file_of(account: RecordedAccount) -> str:
    """Where the account's file must have stood."""
    group = json.loads(account.text).get("group") if account.text else None
    return f"schedules/{group}/{account.key}.yaml" if group else f"schedules/{account.key}.yaml"


def _renamed(key: str, old: str, *, said: bool) -> Stop:
    if said:
        return Stop(
            key,
            f"{key} says that it was {old}, but {key} is recorded already as an account with a history of its own",
            f"bring {old}'s file back, or take another name",
        )
    return Stop(
        key,
        f"{key} looks like {old} under a new name; its ledger and history would stay with {old}, and both "
        "would sync the same institution",
        f"add `moved_from: {old}` to {key}'s file",
    )


def _retiring(actions: Sequence[Action]) -> list[Action]:
    return [a for a in actions if a.kind is ActionKind.RETIRE and a.schedule is not None]


def _by_account(actions: Iterable[Action]) -> dict[str, list[Action]]:
    found: dict[str, list[Action]] = {}
    for action in sorted(actions, key=lambda action: action.account):
        found.setdefault(action.account, []).append(action)
    return found


def _count(number: int) -> str:
    return "1 schedule" if number == 1 else f"{number} schedules"


def _alive(account: RecordedAccount) -> int:
    return sum(not schedule.retired for schedule in account.schedules.values())
