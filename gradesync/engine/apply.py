"""The first half of a pass: what is recorded becomes what the files say.

Per account one transaction that compares the revision, one history entry per action. The lease of running syncs is
not touched: a merged pause never waits for a long run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from gradesync.domain.action import Action, Plan
from gradesync.domain.definition import WRITTEN_AS, Desired, Recorded
from gradesync.domain.history import Fact
from gradesync.domain.plan import Safety, make_plan, with_consent
from gradesync.domain.run import Actor
from gradesync.domain.saved_plan import SavedAction, SavedPlan, StaleAction, fitted, saved_actions
from gradesync.engine.tools import Tools
from gradesync.events import tell

Behind = Callable[[str | None], str | None]
"""Commit applied before -> why the tree does not follow it; None when it does (GS-704)."""


Credit = Callable[[str | None], tuple[str, Actor | None] | None]
"""An account's file -> the name of who wrote its change, and the actor where nobody carries the pass out in person;
None where nothing tells."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the files want, and what somebody consented to.

    `only` limits it to accounts; `allow` is the digest of consented withheld actions, `any_commit` the consent to a
    tree that is `behind`, both with their `reason`. `saved` narrows everything to a plan made before.
    """

    desired: Desired
    only: frozenset[str] | None = None
    safety: Safety = field(default_factory=Safety)
    allow: str | None = None
    reason: str | None = None
    saved: SavedPlan | None = None
    behind: Behind | None = None
    any_commit: bool = False
    credit: Credit | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of a wish. `raced` are accounts that somebody else changed, or worked in, at the same moment.

    `behind` is the commit that the tree does not follow, with the reason; nothing was applied then.
    """

    plan: Plan | None
    count: int = 0
    raced: tuple[str, ...] = ()
    stale: tuple[StaleAction, ...] = ()
    behind: tuple[str, str] | None = None


def plan_of(tools: Tools, wish: Wish) -> tuple[Plan, tuple[StaleAction, ...]]:
    """The plan of this moment, and what of a saved one no longer fits; reads, never writes."""
    plan, recorded = _planned(tools, wish)
    if wish.saved is None:
        return with_consent(plan, wish.allow), ()
    fit = fitted(wish.saved, plan, wish.desired, recorded)
    return with_consent(fit.plan, wish.allow), fit.stale


def plan_to_save(tools: Tools, wish: Wish) -> tuple[Plan, tuple[SavedAction, ...]]:
    """The plan of this moment and what a file has to keep of it; reads, never writes."""
    plan, recorded = _planned(tools, wish)
    return plan, saved_actions(plan, wish.desired, recorded)


def _planned(tools: Tools, wish: Wish) -> tuple[Plan, Recorded]:
    recorded = tools.store.recorded(None if wish.only is None else _read(wish))
    plan = make_plan(wish.desired, recorded, tools.store.now(), safety=wish.safety, only=wish.only)
    if not plan.frozen:
        return plan, recorded
    # A limited pass has read the accounts asked for alone, and the frozen ones are told all the same.
    known = (recorded if wish.only is None else tools.store.recorded(plan.frozen)).accounts
    new = tuple(key for key in plan.frozen if key not in known or known[key].retired)
    return replace(plan, unrecorded=new), recorded


def _read(wish: Wish) -> set[str]:
    """The accounts asked for, and the names they bore before."""
    known = wish.desired.accounts
    asked = wish.only or frozenset()
    return {*asked, *(old for key in asked if key in known and (old := known[key].moved_from) is not None)}


def apply_wish(tools: Tools, wish: Wish) -> Applied:
    """Carry out what the files want, unless the tree is behind.

    The commit is moved on before anything is read: from then on a pass with an older tree applies nothing more, so
    nothing that is read afterwards can be undone by it.
    """
    seen = tools.store.recorded([]).commit
    commit = wish.desired.commit
    behind = wish.behind(seen) if wish.behind is not None else None
    if behind is not None and not wish.any_commit:
        return Applied(None, behind=(str(seen), behind))
    if commit is not None and commit != seen and not tools.store.advance_commit(commit, seen):
        # Another pass was quicker by a moment; whether this tree follows that one's is a new question.
        return apply_wish(tools, wish)
    if behind is not None:
        data = {"instead of": seen, "commit": commit, "reason": wish.reason}
        tools.store.append([Fact("older tree allowed", tools.actor, data=data)])
    plan, stale = plan_of(tools, wish)
    count, raced = apply_plan(tools, plan, wish)
    if raced:
        plan, raced = _settled(tools, wish, plan, raced)
    if plan.allowed and count:
        data = {"digest": wish.allow, "reason": wish.reason}
        tools.store.append([Fact("plan allowed", tools.actor, data=data)])
    return Applied(plan, count, raced, tuple(_told(tools, stale)))


def apply_plan(tools: Tools, plan: Plan, wish: Wish) -> tuple[int, tuple[str, ...]]:
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
            facts=[fact for action in mine for fact in _facts(tools, action, plan, wish)],
            commit=plan.commit,
            now=now,
        )
        if done:
            applied += len(mine)
            tell("account.applied", "{changes} changes recorded", account=account, changes=len(mine))
        else:
            # Another pass changed the account since it was read; the next pass plans anew.
            raced.append(account)
    return applied, tuple(raced)


def _settled(tools: Tools, wish: Wish, plan: Plan, raced: tuple[str, ...]) -> tuple[Plan, tuple[str, ...]]:
    """The plan without accounts that another pass has just made as the files say, and the accounts really raced.

    Two passes of one merge meet often; where the quicker one left nothing to do, nobody has to look.
    """
    now, stale = plan_of(tools, wish)
    open_still = {action.account for action in (*now.actions, *now.withheld)} | {one.account for one in stale}
    settled = frozenset(raced) - open_still
    kept = tuple(action for action in plan.actions if action.account not in settled)
    same = sum(
        action.account in settled and action.schedule is not None and action.text is not None
        for action in plan.actions
    )
    left = replace(plan, actions=kept, unchanged=plan.unchanged + same)
    return left, tuple(key for key in raced if key not in settled)


def _told(tools: Tools, stale: Sequence[StaleAction]) -> Iterator[StaleAction]:
    """Who changed what a saved plan was made from, as far as the history knows."""
    for one in stale:
        entries = tools.store.history(one.account, one.schedule, limit=20) if one.recorded else ()
        last = next((e for e in entries if e.fact.what.startswith(("schedule ", "account "))), None)
        if last is None:
            yield one
            continue
        commit = f", commit {str(last.fact.data['commit'])[:12]}" if last.fact.data.get("commit") else ""
        changed = f"{last.fact.what} by {last.fact.actor.name} at {last.at:%Y-%m-%d %H:%M} UTC{commit}"
        yield replace(one, changed=changed)


_WORDS = {
    "create": "created",
    "change": "changed",
    "change account": "changed",
    "move": "moved",
    "pause": "paused",
    "resume": "resumed",
    "retire": "retired",
}


def _facts(tools: Tools, action: Action, plan: Plan, wish: Wish) -> Iterator[Fact]:
    data: dict[str, object] = {"why": action.why, "fields": _field_names(action)}
    if action.place is not None:
        data["place"] = str(action.place)
    if plan.commit is not None:
        data["commit"] = plan.commit
    if plan.dirty:
        data["uncommitted changes"] = True
    if action.next_run_after is not None:
        data["next run"] = action.next_run_after.isoformat()
    if action.moved_from is not None:
        data["moved from"] = action.moved_from
    if wish.saved is not None:
        data["saved plan"] = wish.saved.id
    if action.consent is not None:
        # In the action's own transaction: a consent must not get lost between it and a later entry.
        data |= {"allowed": action.consent, "reason": wish.reason}
    actor = _credited(tools, action, plan, wish, data)
    subject = "schedule" if action.schedule else "account"
    what = f"{subject} {_WORDS[action.kind.value]}"
    yield Fact(what, actor, action.account, action.schedule, data=data)
    if action.schedule is None and action.moved_from is not None:
        away = {"to": action.account, **({"commit": plan.commit} if plan.commit is not None else {})}
        yield Fact("account moved away", tools.actor, action.moved_from, data=away)


def _credited(tools: Tools, action: Action, plan: Plan, wish: Wish, data: dict[str, object]) -> Actor:
    """Who caused the action; the change's author is told in `data` too. Nobody wrote what no commit holds."""
    file = wish.desired.accounts[action.account].file if action.account in wish.desired.accounts else None
    found = wish.credit(file) if wish.credit is not None and not plan.dirty else None
    if found is None:
        return tools.actor
    author, actor = found
    data["author"] = author
    return actor if actor is not None else tools.actor


def _field_names(action: Action) -> Sequence[str]:
    """Names only: a field's value may be a person's login, and the definition itself is recorded anyway."""
    return [WRITTEN_AS.get(change.path, change.path) for change in action.fields]
