"""The guards over a plan: they withhold its dangerous part, with numbers and the way out, and never a pause.

Pure. Limits come from `gradesync.yaml` (`safety:`); consent is bound to the digest of what was withheld.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

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
                retire_action(old, "its account's file is gone", Place(_file_of(account)))
                for old in account.schedules.values()
                if not old.retired
            ]
            found.extend(actions)
            what = "the tree holds no account at all" if empty_tree else "its file is gone from the tree"
            count = "1 schedule" if len(actions) == 1 else f"{len(actions)} schedules"
            self._withhold(
                actions,
                Stop(
                    account.key,
                    f"{account.key}: {what}; {count} would be retired",
                    "bring the file back, or write `state: leaving` in it",
                ),
            )
        return found

    def renamed_accounts(
        self, actions: Sequence[Action], gone: Sequence[RecordedAccount], moved_from: Mapping[str, str]
    ) -> None:
        """A new account at the addresses of one whose file is gone: both would sync the same institution.

        The old one goes on with its last good definition, so only the new one is withheld.
        """
        for old in gone:
            sides = _sides(old.text)
            for action in [a for a in actions if a.kind is ActionKind.CHANGE_ACCOUNT]:
                key = action.account
                if key in self.recorded.accounts or action.text is None:
                    continue
                if moved_from.get(key) == old.key or (sides and _sides(action.text) == sides):
                    self._withhold(
                        [a for a in actions if a.account == key],
                        Stop(
                            key,
                            f"{key} looks like {old.key} under a new name; its ledger and history stay with "
                            f"{old.key}, and both would sync the same institution",
                            f"rename the file back to {old.key}, or allow exactly this plan by its digest",
                        ),
                    )

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
            old = self.recorded.accounts.get(action.account)
            if action.kind is not ActionKind.CHANGE_ACCOUNT or action.text is None or old is None:
                continue
            before, after = _hosts(old.text), _hosts(action.text)
            # Each side has its own secrets: the SIS's must not go to Canvas's host either.
            moved = [side for side in _SIDES if before[side] and after[side] - before[side]]
            if moved:
                names = ", ".join(
                    f"{side} {', '.join(sorted(before[side]))} -> {', '.join(sorted(after[side]))}"
                    for side in moved
                )
                self._withhold(
                    [action],
                    Stop(
                        action.account,
                        f"{action.account}: its secrets would be sent to another host ({names})",
                        "have the owner of the secrets confirm the host",
                    ),
                )

    def shares(self, actions: Sequence[Action], leaving: frozenset[str] = frozenset()) -> None:
        """Retires and resumes over the limits of an account, then over all.

        `leaving` accounts have said that all of theirs retire; over all accounts they count like any other.
        """
        for kind, word in ((ActionKind.RETIRE, "retired"), (ActionKind.RESUME, "resumed")):
            meant = [a for a in actions if a.kind is kind and not self.holds(a)]
            if not meant:
                continue
            for key in sorted({a.account for a in meant}):
                if kind is ActionKind.RETIRE and key in leaving:
                    continue
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


def _alive(account: RecordedAccount) -> int:
    return sum(not schedule.retired for schedule in account.schedules.values())


_SIDES = ("canvas", "sis")


def _urls(text: str) -> dict[str, dict[str, str]]:
    definition = json.loads(text)
    found: dict[str, dict[str, str]] = {}
    for side in _SIDES:
        values = definition.get(side)
        rows = values.items() if isinstance(values, dict) else ()
        found[side] = {key: str(value) for key, value in rows if key.endswith("url") and value}
    sftp = ((definition.get("sis") or {}).get("roster") or {}).get("sftp")
    if sftp:
        found["sis"]["sftp"] = f"sftp://{sftp['host']}:{sftp.get('port', 22)}"
    return found


def _hosts(text: str) -> dict[str, frozenset[str]]:
    """Every host that is given the secrets of a side."""
    return {side: frozenset(_host(url) for url in urls.values()) for side, urls in _urls(text).items()}


def _host(url: str) -> str:
    """The host of an address the schema let through: it has a scheme, and no user, query or fragment."""
    return url.partition("://")[2].partition("/")[0].casefold()


def _sides(text: str) -> tuple[str, str] | None:
    """Both addresses of an account, when it has both."""
    urls = _urls(text)
    canvas, sis = urls["canvas"].get("url"), urls["sis"].get("url")
    return (canvas, sis) if canvas and sis else None


def _file_of(account: RecordedAccount) -> str:
    """Where the account's file must have stood."""
    group = json.loads(account.text).get("group") if account.text else None
    return f"schedules/{group}/{account.key}.yaml" if group else f"schedules/{account.key}.yaml"
