"""What commands report, as values: one pass, one run, one row of the list. Rendering is `reporting`'s business.

Also the pure rule for exit code 3: which run ends are new or worse than what was known before the pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gradesync.domain.history import GENESIS_HASH
from gradesync.domain.problem import CODES, Act, Problem
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.run import Lease, Outcome, Run, RunResult
from gradesync.domain.schedule import Schedule, ScheduleId

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout
    from gradesync.domain.action import Plan
    from gradesync.domain.due import Block
    from gradesync.domain.hold import Hold
    from gradesync.domain.saved_plan import StaleAction

_RANK = {
    Outcome.SKIPPED: 0,
    Outcome.COMPLETED: 0,
    Outcome.STOPPED: 1,
    Outcome.WARNING: 2,
    Outcome.ABANDONED: 3,
    Outcome.FAILED: 4,
}


@dataclass(frozen=True, slots=True)
class ClassCounts:
    """What a dry run would do in one class, by word and by GS code."""

    class_id: str
    counts: Mapping[str, int]
    codes: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class RunEnd:
    """One run as it ended in this process. `result` None means that its lease was lost: somebody else goes on.

    `previous` is the schedule's last result in the same mode; `known` counts the records of the account that waited
    already, by code: what a person has been told of is not news; `waits` counts those that wait now. `classes` are of a
    dry run of a grade passback, `change` of one of a roster import, `kept` how many files that one left with somebody.
    """

    run: Run
    result: RunResult | None
    previous: RunResult | None = None
    known: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)
    classes: tuple[ClassCounts, ...] = ()
    change: RosterChange | None = None
    problem: str | None = None
    hint: str | None = None
    kept: int = 0

    @property
    def new_or_worse(self) -> bool:
        """Whether a person learns something from this end that the run before did not already say."""
        if self.result is None or _RANK[self.result.outcome] <= 1:
            return False
        before = self.previous.codes if self.previous is not None else {}
        if self.result.outcome is not Outcome.WARNING:
            worse = self.previous is None or _RANK[self.result.outcome] > _RANK[self.previous.outcome]
            return worse or bool(set(self.result.codes) - set(before))
        return any(
            CODES[code].needs_person and count > max(before.get(code, 0), self.known.get(code, 0))
            for code, count in self.result.codes.items()
        )

    @property
    def untried(self) -> Mapping[str, int]:
        """Records that wait, by code, which a delta passed over: nothing had changed that would let them through."""
        if self.result is None or self.result.outcome not in (Outcome.COMPLETED, Outcome.WARNING):
            return {}
        return {code: n for code, n in self.waits.items() if n and code not in self.result.codes}

    @property
    def heals(self) -> bool:
        """Whether the run failed by what the next pass tries again by itself alone, such as a server that is away."""
        if self.result is None or self.result.outcome is not Outcome.FAILED:
            return False
        met = [code for code, count in self.result.codes.items() if count]
        return bool(met) and all(CODES[code].act is Act.RETRY for code in met)

    @property
    def needs_person(self) -> bool:
        """Whether the run failed or waits for somebody, new or not."""
        return self.result is not None and _RANK[self.result.outcome] > 1


@dataclass(frozen=True, slots=True)
class PassReport:
    """One pass of `reconcile`. `busy` are accounts somebody else works in; `applied` counts applied actions.

    `enqueued` counts runs put on the queue (None: the pass did its runs itself), `redelivered` those that waited
    without a messenger, `left` queued runs that a pass did not begin because it was asked to end.

    `stale` are the parts of a saved plan that no longer fit; `stale_commit` is the commit this tree does not follow,
    with `stale_why`. `new_store` is set when the store was created by this pass; `checkpoint` is the hash over all
    history heads.

    `resting` is what gradesync itself stops at the pass's end (`account` or `account/schedule`; a breaker, or another
    institution at the address). `no_key` says why no run could have the ledger's key.
    """

    at: datetime
    plan: Plan | None
    problems: tuple[Problem, ...]
    applied: int
    raced: tuple[str, ...]
    ends: tuple[RunEnd, ...]
    busy: tuple[Lease, ...]
    blocked: Mapping[ScheduleId, tuple[Block, ...]]
    missed: Mapping[ScheduleId, int]
    checkpoint: str | None
    new_store: bool = False
    stale_commit: str | None = None
    stale_why: str = ""
    stale: tuple[StaleAction, ...] = ()
    interrupted: bool = False
    enqueued: int | None = None
    redelivered: int = 0
    left: int = 0
    resting: tuple[str, ...] = ()
    no_key: str | None = None

    @property
    def eventful(self) -> bool:
        """Whether the pass did anything, or left something undone; what merely stands as before is no event."""
        told = (self.applied, self.ends, self.missed, self.enqueued, self.redelivered, self.left, self.raced)
        return any(told) or self.new_store or self.stale_commit is not None

    @property
    def nothing_recorded(self) -> bool:
        """Whether the store knows of no account at all: its history has not begun."""
        return self.checkpoint == GENESIS_HASH


def exit_code_of(report: PassReport, fail_on: str = "new", asked: str | None = None) -> int:
    """The pass's exit code (DESIGN.md 4): of several, the first of 130, 6, 5, 1, 4, 3.

    `asked` is the one account the pass was asked for, if it was: that it is busy is an answer then. What rests behind
    a breaker is nothing new, so it counts by `fail_on` any alone.
    """
    if report.interrupted:
        return 130
    if report.stale:
        return 6
    if report.plan is not None and report.plan.withheld:
        return 5
    if report.stale_commit or report.raced or any(not problem.warning for problem in report.problems):
        return 1
    if report.no_key is not None:
        return 1
    if asked is not None and any(lease.account == asked for lease in report.busy):
        return 4
    counted = {
        "new": [end for end in report.ends if end.new_or_worse],
        "any": [end for end in report.ends if end.needs_person],
        "none": [],
    }[fail_on]
    return 3 if counted or (fail_on == "any" and report.resting) else 0


@dataclass(frozen=True, slots=True)
class ScheduleRow:
    """One line of `list`: the vendor page's columns, and what it never told.

    `next_run_at` is None while anything blocks the schedule; `blocks` name every reason. `waiting` counts the
    account's waiting records by code, `waiting_since` tells when the oldest of each began to wait. `blackouts` are
    those that cover the schedule, past ones too. `hosts` are Canvas's and the SIS's. `frozen_since`: since then the
    account's file has problems, and its last good definition keeps running. `skipped_at` is when the newest attempt was
    skipped, where it is newer than `last`, whose place it never takes; None also where nobody asked for it.
    """

    schedule: Schedule
    next_run_at: datetime | None
    first_ran_at: datetime | None
    blocks: tuple[Block, ...]
    last: Run | None
    running: Lease | None
    group: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    waiting_since: Mapping[str, datetime] = field(default_factory=dict)
    blackouts: tuple[Blackout, ...] = ()
    hosts: tuple[str, str] = ("", "")
    frozen_since: datetime | None = None
    skipped_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountView:
    """What `show ACCOUNT` needs."""

    key: str
    name: str
    time_zone: str
    canvas_url: str
    sis_url: str
    sis_profile: str
    revision: int
    rows: Sequence[ScheduleRow]
    holds: Sequence[Hold]
    waiting: Mapping[str, int]
    lease: Lease | None
    waiting_since: Mapping[str, datetime] = field(default_factory=dict)
    blackouts: tuple[Blackout, ...] = ()


@dataclass(frozen=True, slots=True)
class BlackoutRow:
    """One blackout and the accounts it stands in, which are in one phase of it: `upcoming`, `ongoing` or `past`."""

    blackout: Blackout
    phase: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopped:
    """A run that was asked to end, as it was before. `holder` works on it and will hear of it; None ends it at once."""

    run: Run
    holder: str | None = None
