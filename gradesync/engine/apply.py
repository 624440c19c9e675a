"""Applying a plan: per account one transaction that compares the revision, one history entry per action.

The lease of running syncs is not touched: a merged pause never waits for a long run.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from gradesync.domain.action import Action, Plan
from gradesync.domain.history import Fact
from gradesync.engine.tools import Tools


def apply_plan(tools: Tools, plan: Plan) -> tuple[int, tuple[str, ...]]:
    """Apply every action of the plan; answers how many were applied, and accounts that moved meanwhile."""
    applied = 0
    raced: list[str] = []
    now = tools.store.now()
    for account, actions in groupby(plan.actions, key=lambda action: action.account):
        mine = tuple(actions)
        done = tools.store.apply_account(
            account,
            expected_revision=plan.revisions.get(account),
            actions=mine,
            facts=[_fact(tools, action, plan.commit) for action in mine],
            commit=plan.commit,
            now=now,
        )
        if done:
            applied += len(mine)
        else:
            # Another pass changed the account since it was read; the next pass plans anew.
            raced.append(account)
    if plan.commit is not None and not raced:
        # Also when a guard withheld a part: an older job must not undo the part that was applied.
        tools.store.set_commit(plan.commit)
    return applied, tuple(raced)


def _fact(tools: Tools, action: Action, commit: str | None) -> Fact:
    data: dict[str, object] = {"why": action.why, "fields": _field_names(action)}
    if action.place is not None:
        data["place"] = str(action.place)
    if commit is not None:
        data["commit"] = commit
    if action.next_run_after is not None:
        data["next run"] = action.next_run_after.isoformat()
    if action.moved_from is not None:
        data["moved from"] = action.moved_from
    subject = "schedule" if action.schedule else "account"
    words = {
        "create": "created",
        "change": "changed",
        "change account": "changed",
        "move": "moved",
        "pause": "paused",
        "resume": "resumed",
        "retire": "retired",
    }
    return Fact(
        what=f"{subject} {words[action.kind.value]}",
        actor=tools.actor,
        account=action.account,
        schedule=action.schedule,
        data=data,
    )


def _field_names(action: Action) -> Sequence[str]:
    """Names only: a field's value may be a person's login, and the definition itself is recorded anyway."""
    return [change.path for change in action.fields]
