"""The plan: the ordered changes from what is recorded to what is desired.

Pure: `plan` and `reconcile` call the same function, so a plan that was read is the plan that is applied. Nothing
here reads a file, a clock or the store; the guards stand in `domain.safety`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from gradesync.domain.action import Action, ActionKind, FieldChange, Plan, Stop, retire_action
from gradesync.domain.definition import (
    NOT_COMPARED,
    Desired,
    DesiredAccount,
    DesiredSchedule,
    Recorded,
    RecordedAccount,
    RecordedSchedule,
)
from gradesync.domain.plan_holds import told_of_holds
from gradesync.domain.problem import Place
from gradesync.domain.reasons import account_why, is_paused, schedule_kind, schedule_why
from gradesync.domain.renaming import account_moves, recorded_under_new_names, schedule_moves
from gradesync.domain.safety import Clash, Guards, Safety, farewell, file_of
from gradesync.domain.schedule import Schedule, ScheduleId
from gradesync.domain.upcoming import next_run

__all__ = ["Action", "ActionKind", "FieldChange", "Plan", "Safety", "Stop", "changed_fields", "make_plan"]

DEEPDIFF_LIMIT = 500
"""Above this many changed definitions the field list is made by hand: deepdiff costs 0.3 ms each."""


def make_plan(
    desired: Desired,
    recorded: Recorded,
    now: datetime,
    *,
    safety: Safety | None = None,
    allow: str | None = None,
    only: frozenset[str] | None = None,
) -> Plan:
    """The ordered changes from `recorded` to `desired`, dangerous ones withheld.

    `allow` is the digest of a plan whose withheld actions somebody consented to; `only` limits the plan to the
    named accounts (nothing is retired because it was not looked at). Accounts in `desired.frozen` are left as they
    are: a typo must neither stop nor change a school's grades.
    """
    renamed = account_moves(desired, recorded)
    recorded = recorded_under_new_names(recorded, renamed)
    maker = _Maker(desired, now, renamed)
    for key in sorted(desired.accounts):
        if only is None or key in only:
            maker.account(desired.accounts[key], recorded.accounts.get(key))
    maker.actions = told_of_holds(maker.actions, recorded.holds, desired, renamed)
    vanished = [
        account
        for key, account in sorted(recorded.accounts.items())
        if key not in desired.accounts
        and key not in desired.frozen
        and not account.retired
        and (only is None or key in only)
    ]
    for account in vanished:
        maker.actions.extend(farewell(account, "its account's file is gone", Place(file_of(account))))
    guards = Guards(safety or Safety(), recorded)
    guards.judge(maker.actions, desired, vanished, maker.clashes)
    kept = [action for action in maker.actions if not guards.holds(action)]
    staying = {action.account: action.moved_from for action in guards.withheld if _moves_account(action)}
    plan = Plan(
        # A pause is never withheld: of an account that keeps its old name it counts under that.
        actions=_ordered(replace(a, account=staying.get(a.account) or a.account) for a in kept),
        withheld=_ordered(guards.withheld),
        stops=tuple(guards.stops),
        unchanged=maker.unchanged,
        frozen=tuple(sorted(desired.frozen)),
        revisions={
            name: account.revision
            for key, account in recorded.accounts.items()
            for name in (key, renamed.get(key, key))
        },
        commit=desired.commit,
        accounts=len(desired.accounts),
        schedules=sum(len(account.schedules) for account in desired.accounts.values()),
        dirty=desired.dirty,
    )
    return with_consent(plan, allow)


def with_consent(plan: Plan, allow: str | None) -> Plan:
    """The plan with what somebody consented to, when `allow` is the digest of exactly what is withheld.

    What is locked stays withheld, with the stops that say why.
    """
    if not allow or allow != plan.digest:
        return plan
    freed = [replace(action, consent=allow) for action in plan.consentable]
    return replace(
        plan,
        actions=_ordered([*plan.actions, *freed]),
        withheld=tuple(action for action in plan.withheld if action.locked),
        stops=tuple(stop for stop in plan.stops if stop.locked),
        allowed=True,
    )


def _moves_account(action: Action) -> bool:
    return action.kind is ActionKind.MOVE and action.schedule is None


_ORDER = {kind: position for position, kind in enumerate(ActionKind)}


def _ordered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """By account, and within one with the account's own change first: schedules rest on it. It leaves after them."""

    def key(action: Action) -> tuple[str, int, int, str]:
        leaves = action.schedule is None and action.kind is ActionKind.RETIRE
        rank = 2 if leaves else int(action.schedule is not None)
        return (action.account, rank, _ORDER[action.kind], action.schedule or "")

    return tuple(sorted(actions, key=key))


class _Maker:
    """Collects the actions of one plan; keeps no state beyond it."""

    def __init__(self, desired: Desired, now: datetime, renamed: Mapping[str, str]) -> None:
        self.desired = desired
        self.now = now
        self.renamed = renamed
        self.actions: list[Action] = []
        self.clashes: list[Clash] = []
        self.unchanged = 0
        self._changed = 0

    def account(self, want: DesiredAccount, have: RecordedAccount | None) -> None:
        """One account: its own definition, then its schedules by set algebra over digests."""
        if want.leaving:
            self._leave(want, have)
            return
        if have is None or have.retired or have.digest != want.digest or want.key in self.renamed:
            self._account_action(want, have)
        recorded = dict(have.schedules) if have else {}
        said = schedule_moves(want, recorded)
        self.clashes += said.clashes
        moves = said.moves
        for name, schedule in want.schedules.items():
            old = recorded.get(moves.get(name, name))
            if old is not None and not old.retired and old.digest == schedule.digest and name == old.name:
                self.unchanged += 1
            else:
                self._schedule_action(want, schedule, old)
        gone = set(recorded) - set(want.schedules) - set(moves.values())
        for name in sorted(gone):
            if not recorded[name].retired:
                why = f"no longer in {want.file}"
                self.actions.append(
                    retire_action(recorded[name], why, self.desired.place(want.file, ("schedules",)))
                )

    def _leave(self, want: DesiredAccount, have: RecordedAccount | None) -> None:
        if have is None or have.retired:
            return
        if want.key in self.renamed:
            self._account_action(want, have)
        why = f"{want.file} says the account is leaving"
        self.actions.extend(farewell(have, why, self.desired.place(want.file, ("state",))))

    def _account_action(self, want: DesiredAccount, have: RecordedAccount | None) -> None:
        before = json.loads(have.text) if have else {}
        after = json.loads(want.text)
        fields = self._fields(before, after) if have else ()
        old = self.renamed.get(want.key)
        self.actions.append(
            Action(
                kind=ActionKind.CHANGE_ACCOUNT if old is None else ActionKind.MOVE,
                account=want.key,
                schedule=None,
                why=account_why(fields, old) if have else "the account is new",
                place=self._place(
                    want.file, () if old is None else ("moved_from",), fields if old is None else ()
                ),
                fields=fields,
                text=want.text,
                digest=want.digest,
                moved_from=old,
            )
        )

    def _schedule_action(
        self, want: DesiredAccount, new: DesiredSchedule, old: RecordedSchedule | None
    ) -> None:
        after = json.loads(new.text)
        before = json.loads(old.text) if old else {}
        alive = old is not None and not old.retired
        fields = self._fields(before, after) if alive else ()
        schedule = Schedule.from_definition(ScheduleId(want.key, new.name), after)
        moved_from = old.name if old is not None and alive and old.name != new.name else None
        kind = schedule_kind(before if alive else None, after, moved_from)
        self.actions.append(
            Action(
                kind=kind,
                account=want.key,
                schedule=new.name,
                why=schedule_why(kind, after, want.file, moved_from, fields),
                place=self._place(want.file, ("schedules", new.name), fields),
                fields=fields,
                text=new.text,
                digest=new.digest,
                next_run_before=old.next_run_at if old is not None and alive else None,
                next_run_after=self._next(schedule, before if alive else None, after, old),
                moved_from=moved_from,
                held=old.held if old is not None else False,
            )
        )

    def _next(
        self,
        schedule: Schedule,
        before: Mapping[str, object] | None,
        after: Mapping[str, object],
        old: RecordedSchedule | None,
    ) -> datetime | None:
        """Metadata changes leave the next run alone, so that an overdue slot is still run (scheduling.md 2.3)."""
        timing = ("canonical_interval", "time_zone", "first_run", "spread")
        same = before is not None and all(before.get(k) == after.get(k) for k in timing)
        # Observing keeps the slots of a schedule; only a pause ends them.
        if old is not None and before is not None and same and is_paused(before) == is_paused(after):
            return old.next_run_at
        return next_run(schedule, self.now)

    def _fields(self, before: Mapping[str, object], after: Mapping[str, object]) -> tuple[FieldChange, ...]:
        self._changed += 1
        if self._changed > DEEPDIFF_LIMIT:
            return _as_written(changed_fields_by_hand(before, after), before, after)
        return _as_written(changed_fields(before, after), before, after)

    def _place(self, file: str, root: tuple[str, ...], fields: tuple[FieldChange, ...]) -> Place:
        """The first changed field's line, or the schedule's own; positions cost a parse, so only for some."""
        if self._changed > DEEPDIFF_LIMIT:
            return Place(file)
        path = (*root, *fields[0].path.split(".")) if fields else root
        return self.desired.place(file, path)


def changed_fields(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[FieldChange, ...]:
    """The fields in which two canonical mappings differ, by dotted path, named by deepdiff.

    Only canonical JSON values may come here: deepdiff calls equal what is not (zones, naive instants).
    """
    from deepdiff import DeepDiff  # import costs 150 ms, and most plans change nothing

    diff = DeepDiff(
        _told_apart(_compared(before)),
        _told_apart(_compared(after)),
        view="tree",
        threshold_to_diff_deeper=0,
        ignore_private_variables=False,  # a category may be called `__x`; it is no variable
    )
    paths: dict[tuple[str, ...], FieldChange] = {}
    for levels in diff.values():
        for level in levels:
            path = [str(part) for part in level.path(output_format="list")]
            top = _to_leaf_list(path, before, after)
            paths[tuple(top)] = FieldChange(".".join(top), _text_at(before, top), _text_at(after, top))
    return tuple(paths[path] for path in sorted(paths))


def changed_fields_by_hand(
    before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[FieldChange, ...]:
    """The same answer as `changed_fields`, 100 times quicker; a property test holds the two together."""
    found: dict[tuple[str, ...], FieldChange] = {}
    _walk(_compared(before), _compared(after), (), found)
    return tuple(found[path] for path in sorted(found))


def _as_written(
    fields: tuple[FieldChange, ...], before: Mapping[str, object], after: Mapping[str, object]
) -> tuple[FieldChange, ...]:
    """Intervals in the words of the files: they are compared in canonical form, which nobody wrote."""
    old, new = before.get("interval", _ABSENT), after.get("interval", _ABSENT)
    if old == new or _ABSENT in (old, new):
        return fields
    return tuple(
        FieldChange(field.path, _json(old), _json(new)) if field.path == "canonical_interval" else field
        for field in fields
    )


def _compared(definition: Mapping[str, object]) -> Mapping[str, object]:
    return {key: value for key, value in definition.items() if key not in NOT_COMPARED}


def _told_apart(value: object) -> object:
    """Every leaf as its JSON text: deepdiff calls 0 and false within a list equal, and JSON does not."""
    if isinstance(value, Mapping):
        return {key: _told_apart(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_told_apart(inner) for inner in value]
    return _json(value)


def _walk(
    before: object, after: object, path: tuple[str, ...], found: dict[tuple[str, ...], FieldChange]
) -> None:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in {*before, *after}:
            _walk(before.get(key, _ABSENT), after.get(key, _ABSENT), (*path, str(key)), found)
        return
    if type(before) is str and before == after:
        # Most fields are texts that did not change; whatever else looks equal is compared as JSON.
        return
    old, new = _json(before), _json(after)
    if old != new:
        found[path] = FieldChange(".".join(path), old, new)


_ABSENT = object()


def _json(value: object) -> str | None:
    return None if value is _ABSENT else json.dumps(value, sort_keys=True, ensure_ascii=False)


def _to_leaf_list(path: list[str], before: object, after: object) -> list[str]:
    """Cut the path where either side stops being a mapping: a list is shown whole, never by index."""
    walked: list[str] = []
    for part in path:
        if not (isinstance(before, dict) and isinstance(after, dict)):
            break
        walked.append(part)
        before, after = before.get(part, _ABSENT), after.get(part, _ABSENT)
    return walked


def _text_at(value: object, path: Sequence[str]) -> str | None:
    for part in path:
        value = value.get(part, _ABSENT) if isinstance(value, dict) else _ABSENT
    return _json(value)
