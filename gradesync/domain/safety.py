"""The guards over a plan: they withhold its dangerous part, with numbers and the way out, and never a pause.

Pure. Limits come from `gradesync.yaml` (`safety:`); consent is bound to the digest of what was withheld.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from gradesync.domain.action import Action, ActionKind, Stop, retire_action
from gradesync.domain.definition import Recorded, RecordedAccount
from gradesync.domain.problem import Place


@dataclass(frozen=True, slots=True)
class Safety:
    """Limits of the guards (DESIGN.md 6): a share and a least number, per account and over all."""

    account_share: float = 0.30
    account_least: int = 2
    all_share: float = 0.10
    all_least: int = 10


class Guards:
    """Withholds the dangerous part of a plan, never a pause, and says why with numbers."""

    def __init__(self, safety: Safety, recorded: Recorded) -> None:
        self.safety = safety
        self.recorded = recorded
        self.withheld: list[Action] = []
        self.stops: list[Stop] = []
        self._subjects: set[tuple[str, str]] = set()

    def holds(self, action: Action) -> bool:
        """Whether the action is withheld; an action is known by its kind and subject within one plan."""
        return (action.kind.value, action.subject) in self._subjects

    def _withhold(self, actions: Iterable[Action], stop: Stop) -> None:
        fresh = [action for action in actions if not self.holds(action)]
        if fresh:
            self.withheld.extend(fresh)
            self._subjects.update((action.kind.value, action.subject) for action in fresh)
            self.stops.append(stop)

    def vanished(self, gone: Sequence[RecordedAccount], *, empty_tree: bool) -> list[Action]:
        """A file that is gone is more often a slip than a farewell; leaving has its own word."""
        found: list[Action] = []
        for account in gone:
            actions = [
                retire_action(old, "its account's file is gone", Place(f"schedules/{account.key}.yaml"))
                for old in account.schedules.values()
                if not old.retired
            ]
            found.extend(actions)
            what = "the tree holds no account at all" if empty_tree else "its file is gone from the tree"
            self._withhold(
                actions,
                Stop(
                    account.key,
                    f"{account.key}: {what}; {len(actions)} schedules would be retired",
                    "bring the file back, or write `state: leaving` in it",
                ),
            )
        return found

    def renames(self, actions: Sequence[Action], recorded: Recorded) -> None:
        """Equal definitions under a new name: history, holds and ledger would be torn off."""
        created = [a for a in actions if a.kind is ActionKind.CREATE]
        for gone in [a for a in actions if a.kind is ActionKind.RETIRE and a.schedule]:
            old = recorded.accounts[gone.account].schedules[str(gone.schedule)]
            twin = next((a for a in created if a.account == gone.account and a.digest == old.digest), None)
            if twin is not None and not self.holds(gone):
                self._withhold(
                    [gone, twin],
                    Stop(
                        gone.account,
                        f"{gone.account}: {gone.schedule} vanishes and {twin.schedule} appears with the same "
                        "definition; this looks like a rename",
                        f"add `moved: {{{gone.schedule}: {twin.schedule}}}` to the account",
                    ),
                )

    def moved_hosts(self, actions: Sequence[Action]) -> None:
        """A changed host would hand an account's secrets to another server."""
        for action in actions:
            if action.kind is not ActionKind.CHANGE_ACCOUNT or not action.fields:
                continue
            moved = [f for f in action.fields if f.path.endswith("url") and _host(f.before) != _host(f.after)]
            if moved:
                names = ", ".join(f"{f.path} {_host(f.before)} -> {_host(f.after)}" for f in moved)
                self._withhold(
                    [action],
                    Stop(
                        action.account,
                        f"{action.account}: its secrets would be sent to another host ({names})",
                        "have the owner of the secrets confirm the host",
                    ),
                )

    def shares(self, actions: Sequence[Action]) -> None:
        """Retires and resumes over the limits of an account, then over all."""
        for kind, word in ((ActionKind.RETIRE, "retired"), (ActionKind.RESUME, "resumed")):
            meant = [a for a in actions if a.kind is kind and not self.holds(a)]
            for key in sorted({a.account for a in meant}):
                mine = [a for a in meant if a.account == key]
                total = _alive(self.recorded.accounts[key])
                limit = (self.safety.account_share, self.safety.account_least)
                self._over(mine, total, limit, key, word)
            rest = [a for a in meant if not self.holds(a)]
            total = sum(_alive(account) for account in self.recorded.accounts.values())
            self._over(rest, total, (self.safety.all_share, self.safety.all_least), None, word)

    def _over(
        self, actions: Sequence[Action], total: int, limit: tuple[float, int], account: str | None, word: str
    ) -> None:
        share, least = limit
        if len(actions) < least or len(actions) <= share * total:
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


def _alive(account: RecordedAccount) -> int:
    return sum(not schedule.retired for schedule in account.schedules.values())


def _host(json_text: str | None) -> str:
    return urlsplit(json.loads(json_text)).netloc if json_text and json_text != "null" else "(none)"
