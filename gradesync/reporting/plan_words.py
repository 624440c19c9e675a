"""The phrases about plans that several formats share: changes and when they count, saved plans, older trees."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan
from gradesync.domain.definition import WRITTEN_AS
from gradesync.domain.reasons import begins_to_send
from gradesync.domain.report import PassReport
from gradesync.domain.saved_plan import StaleAction
from gradesync.reporting.clean import clean
from gradesync.reporting.words import clock, plural, span

SIGNS: Mapping[ActionKind, str] = {
    ActionKind.CREATE: "+",
    ActionKind.CHANGE: "~",
    ActionKind.CHANGE_ACCOUNT: "~",
    ActionKind.MOVE: ">",
    ActionKind.PAUSE: "=",
    ActionKind.RESUME: "^",
    ActionKind.RETIRE: "-",
}
WITHHELD_SIGN = "!"


def whole_account(action: Action) -> str:
    """What an action on an account as a whole is about; empty where its heading says it."""
    if action.kind is ActionKind.RETIRE:
        return "the account itself"
    return clean(action.account) if action.kind is ActionKind.MOVE else ""


def stale_line(stale: StaleAction) -> str:
    """Why a part of a saved plan is refused: `riverside/grades (change): schedule paused by alex at ...`."""
    if stale.recorded:
        why = clean(stale.changed) or "it was changed since the plan was saved"
    else:
        why = "the files say otherwise now"
    return f"{clean(stale.subject)} ({clean(stale.kind)}): {why}"


STALE = "Of the saved plan this no longer fits, and was refused; make the plan anew"
"""Heads the parts of a saved plan that were not carried out."""


def behind_line(report: PassReport) -> str:
    """GS-704 in one sentence, with the reason and the way out."""
    why = f": {clean(report.stale_why)}" if report.stale_why else ""
    return (
        f"The tree does not follow commit {clean(report.stale_commit or '')[:12]}, which was applied before{why}. "
        "Nothing of it was applied; what was recorded goes on."
    )


def zone_of(action: Action) -> str:
    """The schedule's zone by its new definition, or its recorded one when it is retired; else UTC."""
    if action.text is None:
        return action.time_zone or "UTC"
    try:
        definition = json.loads(action.text)
    except ValueError:
        return "UTC"
    return str(definition.get("time_zone", "UTC")) if isinstance(definition, dict) else "UTC"


def field_name(path: str) -> str:
    """The field as people write it: what is compared of an interval is written under `interval`."""
    return WRITTEN_AS.get(path, path)


def why(action: Action) -> str:
    """Why the action is there, as one clean sentence; empty where its place says it all."""
    file = action.place.file if action.place else ""
    if action.why == _SAID_BY_PLACE.get(action.kind, "").format(file):
        return ""
    if action.kind is ActionKind.CREATE:
        return clean(action.why.removesuffix(f"; new in {file}"))
    if action.kind is ActionKind.RETIRE and action.schedule is not None:
        return f"{clean(action.why)}; it never runs again, and its history stays"
    return clean(action.why)


_SAID_BY_PLACE = {ActionKind.CREATE: "new in {}", ActionKind.CHANGE: "changed in {}"}


def next_run_line(action: Action, now: datetime | None) -> str | None:
    """What the action means in time; None when nothing moves."""
    zone_name = zone_of(action)
    before, after = action.next_run_before, action.next_run_after
    if action.kind is ActionKind.CHANGE_ACCOUNT or (before is None and after is None):
        return "next run  none" if action.kind is ActionKind.CREATE else None
    held = ", unless a hold still stands" if action.held and after is not None else ""
    if action.kind is ActionKind.CREATE and after is not None:
        return f"next run  {clock(after, zone_name, now)}{held}"
    if before == after and after is not None:
        return f"next run  {clock(after, zone_name, now)}, as before{held}"
    return f"next run  {span(before, after, zone_name, now)}{held}"


def held_line(action: Action) -> str:
    """What a hold over a change means, and whose it is."""
    means = "held: the change is stored, and nothing starts"
    if action.kind is ActionKind.RETIRE:
        means = "somebody holds it"
    return f"{means} ({clean(action.held_by)})" if action.held_by else f"{means} until the hold ends"


def held_summary(plan: Plan) -> str:
    """How many holds touch the plan, empty when none does: people expect a merge to end a hold."""
    number = sum(action.held for action in (*plan.actions, *plan.withheld))
    if not number:
        return ""
    holds = len({id for action in (*plan.actions, *plan.withheld) for id in action.hold_ids})
    who = plural(holds, "hold touches", "holds touch") if holds else "Holds touch"
    return (
        f"{who} this plan: {plural(number, 'change')} will be stored and start nothing. "
        "A merge ends no hold (`gradesync holds`)."
    )


HOLDS_NAMED = 3
"""Holds told at the head of a plan; each change under one says so itself."""


def holds_in_force(plan: Plan) -> Sequence[str]:
    """Whose holds touch the plan, the most frequent first; at most `HOLDS_NAMED`, and how many more."""
    found = Counter(action.held_by for action in (*plan.actions, *plan.withheld) if action.held_by)
    told = [f"{clean(by)} ({plural(number, 'change')})" for by, number in found.most_common(HOLDS_NAMED)]
    return [*told, f"and {len(found) - HOLDS_NAMED:,} more"] if len(found) > HOLDS_NAMED else told


def read_line(plan: Plan) -> str:
    """What the plan was made of: `Plan at commit 4f2c1ab99001: 2 accounts, 38 schedules read, 1 frozen`."""
    if not plan.changes:
        return ""
    commit = f" at commit {clean(plan.commit)[:12]}" if plan.commit else ""
    commit += " with uncommitted changes" if plan.dirty else ""
    frozen = f", {len(plan.frozen):,} frozen" if plan.frozen else ""
    read = f"{plural(plan.accounts, 'account')}, {plural(plan.schedules, 'schedule')} read"
    return f"Plan{commit}: {read}{frozen}"


def numbers(actions: Sequence[Action]) -> str:
    """`2 to create, 1 to change, 1 account to change`, of some actions."""
    counts = Counter(a.kind.value for a in actions if (a.kind, a.schedule) != (ActionKind.RETIRE, None))
    new = sum(is_new_account(action) for action in actions)
    counts[ActionKind.CHANGE_ACCOUNT.value] -= new
    parts = [plural(new, "new account") if new else ""]
    parts += [_to(kind, counts[kind.value]) for kind in _KIND_ORDER]
    return ", ".join(part for part in parts if part)


def value(json_text: str | None) -> str:
    """One side of a field change: text without its quotes, `(none)` when absent."""
    if json_text is None:
        return "(none)"
    try:
        found = json.loads(json_text)
    except ValueError:
        return clean(json_text)
    if found == []:
        return "(none)"
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return clean("; ".join(_entry(one) for one in found))
    return clean(found) if isinstance(found, str) and found else clean(json_text)


def _entry(one: Mapping[str, object]) -> str:
    """An entry of a list, such as a blackout: `name Summer, from ..., until ..., schedules roster-nightly`."""
    order = ("name", "from", "until")
    keys = [*(key for key in order if key in one), *(key for key in one if key not in order)]
    return ", ".join(f"{key} {_plain(one[key])}" for key in keys)


def _plain(found: object) -> str:
    if isinstance(found, list) and all(isinstance(one, str) for one in found):
        return " and ".join(found)
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def side(field: FieldChange, before_or_after: str | None) -> str:
    """One side of a field change; what a file leaves out is told as the value that counts then."""
    if before_or_after is None and field.path in _LEFT_OUT:
        return _LEFT_OUT[field.path]
    return value(before_or_after)


_LEFT_OUT = {"state": "active", "shared": "false", "protect": "false"}
"""Not recorded where it is the usual one."""


def begins(action: Action) -> bool:
    """Whether something that sent nothing until now will send: out of `observe`, or new and active.

    A saved plan holds no definition, and says it itself.
    """
    new = action.kind is ActionKind.CREATE and '"state":"active"' in (action.text or "").replace(" ", "")
    return new or action.begins or begins_to_send(action.fields)


def begins_summary(plan: Plan) -> str:
    """How many schedules begin to send; empty when none does."""
    found = sum(begins(action) for action in plan.actions)
    return f"{plural(found, 'schedule begins', 'schedules begin')} to send with this plan." if found else ""


def is_new_account(action: Action) -> bool:
    """An account met for the first time: nothing of it was recorded, so nothing of it differs."""
    return action.kind is ActionKind.CHANGE_ACCOUNT and not action.fields


_KIND_ORDER = (
    ActionKind.CREATE,
    ActionKind.CHANGE_ACCOUNT,
    ActionKind.CHANGE,
    ActionKind.MOVE,
    ActionKind.PAUSE,
    ActionKind.RESUME,
    ActionKind.RETIRE,
)


_TO = {ActionKind.CHANGE_ACCOUNT: ("account to change", "accounts to change")}


def plan_summary(plan: Plan) -> str:
    """`Plan: 1 to create, 2 to change. 34 unchanged.`; one sentence when there is nothing to do."""
    unchanged = f"{plan.unchanged:,} unchanged."
    if not plan.changes and plan.frozen:
        frozen = plural(len(plan.frozen), "account is", "accounts are")
        return f"{frozen} frozen: files have problems. In all others nothing would change: {unchanged}"
    if not plan.changes:
        return f"Nothing to do: {plural(plan.accounts, 'account')} as the files say, {unchanged}"
    counts, new = dict(plan.counts()), sum(is_new_account(action) for action in plan.actions)
    counts[ActionKind.CHANGE_ACCOUNT.value] = counts.get(ActionKind.CHANGE_ACCOUNT.value, 0) - new
    parts = [plural(new, "new account") if new else ""]
    parts += [_to(kind, counts.get(kind.value, 0)) for kind in _KIND_ORDER]
    told = ", ".join(part for part in parts if part) or "nothing to apply"
    withheld = f", {len(plan.withheld):,} withheld" if plan.withheld else ""
    frozen = f" {plural(len(plan.frozen), 'account')} frozen by problems." if plan.frozen else ""
    return f"Plan: {told}{withheld}. {unchanged}{frozen}"


def _to(kind: ActionKind, count: int) -> str:
    if not count:
        return ""
    one, many = _TO.get(kind, (f"to {kind.value}",) * 2)
    return f"{count:,} {one if count == 1 else many}"


def frozen_line(plan: Plan, account: str) -> str:
    """What a frozen account of the plan means: of a new one nothing is in force that could go on."""
    if account in plan.unrecorded:
        return (
            f"{clean(account)} does not begin until its file is fixed: the file has problems, "
            "and nothing of the account is in force"
        )
    return (
        f"{clean(account)} is frozen: its file has problems, so nothing of it changes; "
        "its last good definition keeps running"
    )


def frozen_counts(plan: Plan) -> Sequence[str]:
    """The same in numbers, where there is no room for names."""
    new = len(plan.unrecorded)
    old = len(plan.frozen) - new
    number = plural(old, "account is", "accounts are")
    frozen = f"{number} frozen: files have problems, and the last good definitions keep running"
    begin = f"{plural(new, 'account does', 'accounts do')} not begin until their files are fixed"
    return [line for number, line in ((old, frozen), (new, begin)) if number]


def allow_command(digest: str) -> str:
    """The one command that consents to exactly what was withheld."""
    return f"gradesync reconcile --allow {clean(digest)} --reason '...'"


def allow_form(digest: str) -> str:
    """The same consent for whoever has no terminal."""
    return f"on GitHub: Actions, act, Run workflow (action `allow`, target `{clean(digest)}`, and a reason)"


def group(actions: Sequence[Action]) -> Mapping[str, list[Action]]:
    """Actions by account, in the order given."""
    by_account: dict[str, list[Action]] = {}
    for action in actions:
        by_account.setdefault(action.account, []).append(action)
    return by_account
