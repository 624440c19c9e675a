"""The one place where a command asks whether whoever started it may do what it is about to do.

Every command that acts calls `require` right after it has opened the store and before it changes anything; the house
tests hold a list of them. Who may is decided in `domain.rights`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gradesync.domain.rights import People, Right, Target, keeps_rights, refusal
from gradesync.errors import NotAllowed

if TYPE_CHECKING:
    from gradesync.cli.common import Invocation
    from gradesync.domain.acting import Identity
    from gradesync.domain.hold import HoldScope
    from gradesync.wiring import App


def require(app: App, right: Right, account: str | None = None, *, group: str | None = None) -> None:
    """Raise NotAllowed unless `people` lets whoever started this do it on the account, the group, or everywhere.

    The claimed name of --as plays no part. Without rights in `people` nothing is asked.
    """
    people = app.settings.people
    if not keeps_rights(people):
        return
    if account is not None:
        group = _group_of(app, account)
    _refuse(people, app.identity, right, Target(account, group))


def require_before_opening(said: Invocation, right: Right) -> None:
    """`require` everywhere, for a command whose opening of the store changes it already."""
    from gradesync.config.settings import read_settings
    from gradesync.wiring.actor import identity

    people = read_settings(said.root).people
    if keeps_rights(people):
        _refuse(people, identity(), right, Target())


def _refuse(people: People, who: Identity, right: Right, target: Target) -> None:
    found = refusal(people, who, right, target)
    if found is None:
        return
    ask = f"ask {_listed(found.who_may)}, or " if found.who_may else ""
    # Whom GitHub knows may be a stranger on this machine: the way it is written here saves a second refusal.
    login = "" if who.by_clock else f", with the login `{who.realm}:{who.login}`"
    raise NotAllowed(
        f"GS-710: {found.sentence}",
        hint=f"{ask}have the owner of the tree add `{right}` to `people` in gradesync.yaml{login}",
    )


def require_scope(app: App, right: Right, scope: HoldScope) -> None:
    """`require` for what a hold covers: a sync type by itself concerns every account."""
    require(app, right, scope.account, group=scope.group)


def account_of_run(app: App, run_id: str) -> str | None:
    """The account of a recorded run; None for an unknown one, about which the command itself complains."""
    from gradesync.ports import RunQuery

    return next((run.schedule.account for run in app.store.runs(RunQuery(run_id=run_id, limit=1))), None)


def _group_of(app: App, account: str) -> str | None:
    """The recorded account's group: what a changed file says counts when it is applied, and not before."""
    recorded = app.store.recorded([account]).accounts.get(account)
    if recorded is None or not recorded.text:
        return None
    group = json.loads(recorded.text).get("group")
    return None if group is None else str(group)


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


__all__ = ["account_of_run", "require", "require_before_opening", "require_scope"]
