"""What people do to schedules outside the files: run now, request, pause, resume.

Holds only subtract: nothing here can make a schedule run that YAML declares paused, except a single run by hand
that names every block it goes over, with a reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from gradesync.domain.due import Block, blocks
from gradesync.domain.history import Fact
from gradesync.domain.hold import Hold, HoldKind, HoldScope
from gradesync.domain.hold_rules import LONGEST_HOLD, default_end, group_of, mark_of, zone_of
from gradesync.domain.report import RunEnd
from gradesync.domain.run import Busy, Gone, Lease, Mode, Run, Trigger
from gradesync.domain.schedule import ScheduleId, State, SyncType
from gradesync.engine.runner import EffectiveAccount, dry_run, effective, execute, queued_run
from gradesync.engine.tools import Tools
from gradesync.errors import AccountBusy, Blocked, ConnectionProblem, GradesyncError, NotFound


@dataclass(frozen=True, slots=True)
class ByHand:
    """A person's wish to run now. `despite` names kinds of blocks to go over (paused, hold, breaker, blackout).

    `most` is how many results a grade passback may write without being asked about; None when it was, and `lifted` when
    a person agreed to any number. `keep` is handed
    the files of a dry roster import, by name, before they go.
    """

    schedule: ScheduleId
    mode: Mode = Mode.DELTA
    dry: bool = False
    class_filter: str | None = None
    despite: frozenset[str] = frozenset()
    reason: str | None = None
    most: int | None = None
    lifted: bool = False
    keep: Callable[[Mapping[str, Path]], None] | None = None


@dataclass(slots=True)
class _Keeping:
    """Hands on the files of a dry roster import after it is in the history that they were written, and by whom.

    A dry run records nothing; files with names in a folder are not nothing, and nobody should find them unexplained.
    """

    tools: Tools
    schedule: ScheduleId
    keep: Callable[[Mapping[str, Path]], None]
    files: int = 0

    def __call__(self, files: Mapping[str, Path]) -> None:
        # Neither where nor what: the folder's path may hold a person's name.
        fact = Fact(
            "roster files written",
            self.tools.actor,
            self.schedule.account,
            self.schedule.name,
            data={"files": len(files)},
        )
        self.tools.store.append([fact])
        self.files = len(files)
        self.keep(files)


class NeedsConsent(GradesyncError):
    """A run by hand would write more than anybody has agreed to; nothing was sent and nothing recorded."""


async def run_by_hand(tools: Tools, wish: ByHand) -> RunEnd:
    """Run one schedule now, in the person's name.

    Raises NotFound; Blocked naming every block not gone over; AccountBusy saying who works and since when;
    NeedsConsent, with counts, when a passback would write more results than `wish.most`.
    """
    target = find_account(tools, wish.schedule.account)
    now = tools.store.now()
    run = queued_run(
        target.account,
        wish.schedule.name,
        slot_key=f"manual:{uuid4().hex}",
        slot_at=None,
        trigger=Trigger.BY_HAND,
        mode=wish.mode,
        actor=tools.actor,
        now=now,
        class_filter=wish.class_filter,
        reason=wish.reason,
    )
    if wish.dry:
        if wish.keep is None:
            return await dry_run(tools, run, target)
        keeping = _Keeping(tools, wish.schedule, wish.keep)
        end = await dry_run(tools, run, target, keep=keeping)
        return replace(end, kept=keeping.files)
    over = _refuse_blocked(tools, wish, target, now)
    broken = None
    if wish.most is not None and _may_write(target, wish.schedule):
        _refuse_busy(tools, wish.schedule)
        broken = await _refuse_large(tools, run, target, wish.most)
    tools.store.add_run(
        run, _consents(tools, run, over, lifted=wish.lifted and _may_write(target, wish.schedule))
    )
    answer = await execute(tools, run, target, broken)
    if isinstance(answer, RunEnd):
        return answer
    tools.store.skip_runs([run.id], [not_begun(tools, run)])
    if isinstance(answer, Busy):
        raise busy_error(wish.schedule, answer.lease)
    assert isinstance(answer, Gone)
    raise GradesyncError("the run was withdrawn before it could start", hint="start it again")


def _may_write(target: EffectiveAccount, id: ScheduleId) -> bool:
    """Whether a run of the schedule can write into the SIS: families see what it does there at once."""
    schedule = target.account.schedules[id.name]
    return schedule.type is SyncType.GRADE_PASSBACK and schedule.state is not State.OBSERVE


def not_begun(tools: Tools, run: Run) -> Fact:
    """What the history says of a person's run that met a busy account: every run has an end there."""
    why = {"why": "the account was busy, or the run was withdrawn, before it could start"}
    return Fact("run skipped", tools.actor, run.schedule.account, run.schedule.name, run.id, why)


def _refuse_busy(tools: Tools, id: ScheduleId) -> None:
    """Looking at everything first is for nothing while somebody else works in the account."""
    for lease in tools.store.leases():
        if lease.account == id.account:
            raise busy_error(id, lease)


async def _refuse_large(
    tools: Tools, run: Run, target: EffectiveAccount, most: int
) -> ConnectionProblem | None:
    """Look at what the run would write, with the same decisions; raises NeedsConsent above `most` results.

    Answers the trouble that kept it from looking: that run is recorded as failed and does not write unseen.
    """
    try:
        preview = await dry_run(tools, run, target)
    except ConnectionProblem as problem:
        return problem
    counts = preview.result.counts if preview.result is not None else {}
    results = sum(counts.get(word, 0) for word in WRITTEN)
    if results <= most:
        return None
    classes = sum(any(one.counts.get(word) for word in WRITTEN) for one in preview.classes)
    raise NeedsConsent(
        f"{run.schedule} would write {results:,} results and {counts.get('line items sent', 0):,} line items "
        f"in {classes:,} classes; that is more than the {most:,} results a run by hand sends without asking",
        hint="look closer with --dry-run; to send them, repeat with --yes",
    )


WRITTEN = ("sent", "blanked", "deleted")
"""Words under which a run counts results it writes."""


def busy_error(schedule: ScheduleId, lease: Lease) -> AccountBusy:
    """Who works in the account, and since when."""
    return AccountBusy(
        f"{schedule.account} is being synced by {lease.holder} since {lease.since:%Y-%m-%d %H:%M:%S} UTC",
        hint=f"wait, or leave a request for the next pass: gradesync request {schedule}",
    )


def _refuse_blocked(tools: Tools, wish: ByHand, target: EffectiveAccount, now: datetime) -> tuple[Block, ...]:
    """What the run goes over, by the person's own word; raises Blocked naming everything else."""
    found = blocks_of(tools, target, wish.schedule, now)
    left = [block for block in found if block.kind not in wish.despite]
    if left:
        raise Blocked(
            f"{wish.schedule} is blocked: " + "; ".join(block.sentence for block in left),
            hint=_ways_past(left),
        )
    if found and not wish.reason:
        raise Blocked(f"{wish.schedule}: going over a block needs a reason", hint="add --reason '...'")
    return found


def _ways_past(left: Sequence[Block]) -> str:
    """Ending what can be ended by a command comes first; going over it is the exception."""
    scopes = dict.fromkeys(block.scope for block in left if block.scope)
    ending = " and ".join(f"`gradesync resume {scope}`" for scope in scopes)
    despite = " ".join(f"--despite {kind}" for kind in sorted({block.kind for block in left}))
    once = f"to run once and leave it in force: {despite} --reason '...'"
    return f"to end what holds it: {ending}; {once}" if ending else once


def _consents(tools: Tools, run: Run, over: Sequence[Block], *, lifted: bool) -> list[Fact]:
    """What a person took upon themselves: told when it is decided, and not only if the run comes to an end."""
    of = (tools.actor, run.schedule.account, run.schedule.name, run.id)
    facts = []
    if over:
        data = {"despite": sorted({block.kind for block in over}), "reason": run.reason}
        facts.append(Fact("block overridden", *of, data))
    if lifted:
        facts.append(Fact("results limit lifted", *of, {"reason": run.reason} if run.reason else {}))
    return facts


def blocks_of(
    tools: Tools, target: EffectiveAccount, schedule: ScheduleId, now: datetime
) -> tuple[Block, ...]:
    """Everything that blocks the schedule now."""
    return blocks(
        target.account.schedules[schedule.name],
        tools.store.holds(now, account=schedule.account),
        target.account.blackouts,
        now,
        target.group,
    )


def find_account(tools: Tools, key: str) -> EffectiveAccount:
    """The recorded account. Raises NotFound, with what to do first."""
    recorded = tools.store.recorded([key]).accounts.get(key)
    if recorded is None:
        raise NotFound(
            f"no account {key} is recorded",
            hint="check the name with `gradesync list`; a new file is recorded by `gradesync reconcile`",
        )
    return effective(recorded)


def place_hold(
    tools: Tools,
    scope: HoldScope,
    reason: str,
    lasting: timedelta | None,
    *,
    until_changed: bool = False,
) -> Hold:
    """Stop what the scope covers from starting. Running syncs go on.

    `lasting` None means 72 hours, moved on into working hours; with `until_changed`, which ends the hold when the
    definition of its schedule or account changes in the files, it means the longest time allowed. Raises NotFound for
    an unknown account or schedule, GradesyncError for a lasting over 30 days or none at all.
    """
    if not reason.strip():
        raise GradesyncError("a hold needs a reason", hint="add --reason '...'")
    if lasting is not None and not timedelta(0) < lasting <= LONGEST_HOLD:
        raise GradesyncError(
            "a hold lasts at most 30 days", hint="for longer, pause the schedule in its YAML file"
        )
    if scope.account is not None:
        target = find_account(tools, scope.account)
        if scope.schedule is not None and scope.schedule not in target.account.schedules:
            names = ", ".join(sorted(target.account.schedules)) or "none"
            raise NotFound(f"{scope.account} has no schedule {scope.schedule}", hint=f"it has: {names}")
    now = tools.store.now()
    hold = Hold(
        id=uuid4().hex,
        scope=scope,
        actor=tools.actor,
        reason=reason.strip(),
        created_at=now,
        expires_at=_end_of(tools, scope, lasting, now, until_changed=until_changed),
        mark=_mark(tools, scope) if until_changed else None,
    )
    tools.store.add_hold(hold, [_hold_fact("hold placed", tools, hold)])
    return hold


def _end_of(
    tools: Tools, scope: HoldScope, lasting: timedelta | None, now: datetime, *, until_changed: bool
) -> datetime:
    if lasting is not None:
        return now + lasting
    # The change is what is waited for; an end that comes before it would start what somebody knows to be wrong.
    return now + LONGEST_HOLD if until_changed else default_end(now, zone_of_scope(tools, scope))


def zone_of_scope(tools: Tools, scope: HoldScope) -> str:
    """The zone whose working hours count for a hold: the account's, or the one most covered accounts are in."""
    wanted = None if scope.account is None else [scope.account]
    return zone_of(scope, tools.store.recorded(wanted).accounts.values()) or "UTC"


def _mark(tools: Tools, scope: HoldScope) -> str:
    """What ends the hold when it changes. Raises GradesyncError where that would be anybody's change."""
    if scope.account is None:
        raise GradesyncError(
            "only a hold on one schedule or one account can end with a change of the files",
            hint="name the account, or give an end with --for or --until",
        )
    mark = mark_of(scope, tools.store.recorded([scope.account]).accounts[scope.account])
    if mark is None:
        raise NotFound(f"nothing in {scope.account} is covered by {scope}", hint="see `gradesync list`")
    return mark


def _hold_fact(what: str, tools: Tools, hold: Hold, **more: str) -> Fact:
    until = hold.expires_at.isoformat() if hold.expires_at else None
    return Fact(
        what,
        tools.actor,
        hold.scope.account,
        hold.scope.schedule,
        data={
            "scope": str(hold.scope),
            "reason": hold.reason,
            "until": until,
            "kind": hold.kind.value,
            **({"until changed": True} if hold.until_changed else {}),
            **more,
        },
    )


@dataclass(frozen=True, slots=True)
class Resumed:
    """What `resume` released, and what still blocks the schedules meant."""

    released: tuple[Hold, ...]
    still: tuple[tuple[ScheduleId, Block], ...]


def release(tools: Tools, scope: HoldScope, reason: str | None = None) -> Resumed:
    """Release the holds whose scope is exactly this one, and every breaker within it; nothing is caught up.

    `reason` stands in the history as `released because`; `reason` there is why the hold was placed.

    A hold over more than was asked for stays: releasing it would start schedules nobody named. So does a person's hold
    over less: it has a reason of its own, which a breaker has not.
    """
    now = tools.store.now()
    mine = [hold for hold in tools.store.holds(now) if hold.scope == scope or _breaker_in(tools, hold, scope)]
    because = {} if reason is None else {"released because": reason}
    facts = [_hold_fact("hold released", tools, hold, **because) for hold in mine]
    if mine:
        tools.store.release_holds([hold.id for hold in mine], now, facts)
    return Resumed(tuple(mine), tuple(_still_blocked(tools, scope, now)))


def _breaker_in(tools: Tools, hold: Hold, scope: HoldScope) -> bool:
    """Whether the hold is a breaker over nothing but what the scope covers."""
    one = hold.scope
    if hold.kind is not HoldKind.BREAKER or one.account is None or scope.account not in (None, one.account):
        return False
    if scope.schedule not in (None, one.schedule) or scope.type not in (None, one.type):
        return False
    if scope.group is None:
        return True
    account = tools.store.recorded([one.account]).accounts.get(one.account)
    return account is not None and group_of(account) == scope.group


def _still_blocked(tools: Tools, scope: HoldScope, now: datetime) -> Iterable[tuple[ScheduleId, Block]]:
    if scope.account is None:
        return
    target = find_account(tools, scope.account)
    for name in sorted(target.account.schedules):
        if scope.schedule in (None, name):
            for block in blocks_of(tools, target, ScheduleId(scope.account, name), now):
                yield ScheduleId(scope.account, name), block


def paused_in_yaml(tools: Tools, scope: HoldScope) -> Sequence[ScheduleId]:
    """Schedules of the scope that are paused in their file: no resume can start these."""
    if scope.account is None:
        return ()
    target = find_account(tools, scope.account)
    return [
        schedule.id
        for name, schedule in sorted(target.account.schedules.items())
        if scope.schedule in (None, name) and schedule.state is State.PAUSED
    ]


__all__ = [
    "ByHand",
    "NeedsConsent",
    "Resumed",
    "blocks_of",
    "busy_error",
    "find_account",
    "paused_in_yaml",
    "place_hold",
    "release",
    "run_by_hand",
    "zone_of_scope",
]
