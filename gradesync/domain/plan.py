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
from gradesync.domain.problem import Place
from gradesync.domain.safety import Guards, Safety
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
    maker = _Maker(desired, now)
    for key in sorted(desired.accounts):
        if only is None or key in only:
            maker.account(desired.accounts[key], recorded.accounts.get(key))
    vanished = [
        account
        for key, account in sorted(recorded.accounts.items())
        if key not in desired.accounts
        and key not in desired.frozen
        and not account.retired
        and (only is None or key in only)
    ]
    guards = Guards(safety or Safety(), recorded)
    maker.actions.extend(guards.vanished(vanished, empty_tree=not desired.accounts and not desired.frozen))
    moved_from = {a.key: a.moved_from for a in desired.accounts.values() if a.moved_from is not None}
    guards.renamed_accounts(maker.actions, vanished, moved_from)
    guards.renames(maker.actions, recorded)
    guards.moved_hosts(maker.actions)
    guards.shares(maker.actions, frozenset(k for k, a in desired.accounts.items() if a.leaving))
    kept = [action for action in maker.actions if not guards.holds(action)]
    plan = Plan(
        actions=_ordered(kept),
        withheld=_ordered(guards.withheld),
        stops=tuple(guards.stops),
        unchanged=maker.unchanged,
        frozen=tuple(sorted(desired.frozen)),
        revisions={key: account.revision for key, account in recorded.accounts.items()},
        commit=desired.commit,
        accounts=len(desired.accounts),
        schedules=sum(len(account.schedules) for account in desired.accounts.values()),
    )
    if allow is not None and allow == plan.digest:
        return replace(
            plan, actions=_ordered([*plan.actions, *plan.withheld]), withheld=(), stops=(), allowed=True
        )
    return plan


_ORDER = {kind: position for position, kind in enumerate(ActionKind)}


def _ordered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """By account, and within one with the account's own change first: schedules rest on it."""

    def key(action: Action) -> tuple[str, int, int, str]:
        return (action.account, action.schedule is not None, _ORDER[action.kind], action.schedule or "")

    return tuple(sorted(actions, key=key))


class _Maker:
    """Collects the actions of one plan; keeps no state beyond it."""

    def __init__(self, desired: Desired, now: datetime) -> None:
        self.desired = desired
        self.now = now
        self.actions: list[Action] = []
        self.unchanged = 0
        self._changed = 0

    def account(self, want: DesiredAccount, have: RecordedAccount | None) -> None:
        """One account: its own definition, then its schedules by set algebra over digests."""
        if want.leaving:
            self._leave(want, have)
            return
        if have is None or have.retired or have.digest != want.digest:
            self._account_action(want, have)
        recorded = dict(have.schedules) if have else {}
        moves = self._moves(want, recorded)
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

    def _moves(self, want: DesiredAccount, recorded: Mapping[str, RecordedSchedule]) -> Mapping[str, str]:
        """New name -> old name, for moves not yet carried out; two renames in a row are followed to their end."""
        moves: dict[str, str] = {}
        for old in want.moved:
            new = _end_of(old, want)
            # A move to a schedule that is not there either would leave the old one running, in no file at all.
            if (
                new in want.schedules
                and old in recorded
                and not recorded[old].retired
                and old not in want.schedules
                and (new not in recorded or recorded[new].retired)
            ):
                moves[new] = old
        return moves

    def _leave(self, want: DesiredAccount, have: RecordedAccount | None) -> None:
        if have is None or have.retired:
            return
        place = self.desired.place(want.file, ("state",))
        for old in have.schedules.values():
            if not old.retired:
                self.actions.append(retire_action(old, f"{want.file} says the account is leaving", place))

    def _account_action(self, want: DesiredAccount, have: RecordedAccount | None) -> None:
        before = json.loads(have.text) if have else {}
        after = json.loads(want.text)
        fields = self._fields(before, after) if have else ()
        self.actions.append(
            Action(
                kind=ActionKind.CHANGE_ACCOUNT,
                account=want.key,
                schedule=None,
                why=_account_why(fields) if have else "the account is new",
                place=self._place(want.file, (), fields),
                fields=fields,
                text=want.text,
                digest=want.digest,
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
        kind = _schedule_kind(before if alive else None, after, moved_from)
        self.actions.append(
            Action(
                kind=kind,
                account=want.key,
                schedule=new.name,
                why=_schedule_why(kind, after, want.file, moved_from),
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
        if old is not None and before is not None and same and _paused(before) == _paused(after):
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


def _paused(definition: Mapping[str, object]) -> bool:
    return definition.get("state") == "paused"


def _end_of(old: str, want: DesiredAccount) -> str:
    name = want.moved[old]
    for _ in want.moved:  # as many steps as there are moves: a ring of names must not hang
        if name in want.schedules or name not in want.moved:
            break
        name = want.moved[name]
    return name


def _schedule_kind(
    before: Mapping[str, object] | None, after: Mapping[str, object], moved_from: str | None
) -> ActionKind:
    if before is None:
        return ActionKind.CREATE
    was_paused, is_paused = _paused(before), _paused(after)
    if was_paused and not is_paused:
        return ActionKind.RESUME
    if moved_from is not None:
        return ActionKind.MOVE
    if is_paused and not was_paused:
        return ActionKind.PAUSE
    return ActionKind.CHANGE


def _schedule_why(kind: ActionKind, after: Mapping[str, object], file: str, moved_from: str | None) -> str:
    reason = f": {after['reason']}" if after.get("reason") else ""
    match kind:
        case ActionKind.CREATE if after.get("state") == "paused":
            return f"new in {file}, paused{reason}"
        case ActionKind.CREATE:
            return f"new in {file}"
        case ActionKind.PAUSE:
            return f"paused in {file}{reason}"
        case ActionKind.RESUME:
            return f"no longer paused in {file}; nothing is caught up"
        case ActionKind.MOVE:
            return f"renamed from {moved_from}; history, holds and ledger stay"
        case _:
            return f"changed in {file}"


_DECIDED_ANEW = ("passback", "roster", "scope", "sis", "canvas")


def _account_why(fields: tuple[FieldChange, ...]) -> str:
    touched = sorted({f.path.split(".")[0] for f in fields} & set(_DECIDED_ANEW))
    if touched:
        return f"{', '.join(touched)} changed; the next grade passback is full and decides every record anew"
    return "changed; nothing is decided anew"


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
