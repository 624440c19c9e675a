"""Runs as values: why one started, how far it got, how it ended and what it counted.

Shared by the store, the runner and the reports. No clock and no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from gradesync.domain.problem import CODES
from gradesync.domain.schedule import ScheduleId, SyncType

if TYPE_CHECKING:
    from gradesync.domain.roster_change import RosterChange


class Trigger(StrEnum):
    """What made a run start."""

    SLOT = "slot"
    REQUEST = "request"
    BY_HAND = "by hand"


class Mode(StrEnum):
    """`full` looks at everything; `delta` at what changed since the watermark."""

    DELTA = "delta"
    FULL = "full"


class Outcome(StrEnum):
    """How a run ended. `warning` means something needs a person."""

    COMPLETED = "completed"
    WARNING = "warning"
    FAILED = "failed"
    STOPPED = "stopped"
    SKIPPED = "skipped"
    ABANDONED = "abandoned"


class Stage(StrEnum):
    """Where a run is, or stopped."""

    FETCH = "fetch"
    MATCH = "match"
    DECIDE = "decide"
    WRITE = "write"
    VERIFY = "verify"
    RECORD = "record"


class RunState(StrEnum):
    """Where a run row stands in its life."""

    QUEUED = "queued"
    RUNNING = "running"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who caused something, and how we know (`via`: `OS user`, `CI`, `slot` ...)."""

    name: str
    via: str


ADOPTING = " (adopt)"
"""Ends the name under which an adoption's run is kept. No schedule can be called so: a pass that finds one broken off
must never take it up as a run that sends grades."""

SCHEDULER = Actor("scheduler", "slot")


@dataclass(frozen=True, slots=True)
class RunResult:
    """What one run did. `counts` by word (`sent`, `unchanged`, `withheld`, `refused`, `nothing to send` ...) and
    `codes` by GS code; `vendor` keeps short vendor texts by code for the private detail, never for a log.

    `answers` tells apart what a code alone does not: `GS-599 0a1b2c3d4e5f` (code and fingerprint) -> how often, and
    `GS-502 HTTP 403` (code and status) likewise; nothing of an answer's body.
    `roster` is what a roster import would change or changed, in numbers. `seconds` is how long each stage took.
    """

    outcome: Outcome
    stage: Stage
    counts: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    vendor: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, int] = field(default_factory=dict)
    roster: RosterChange | None = None
    seconds: Mapping[str, float] = field(default_factory=dict)

    @property
    def did_nothing(self) -> bool:
        """True for an uneventful run: such streaks share one history entry (DESIGN.md 7)."""
        return self.outcome is Outcome.COMPLETED and not any(self.counts.get(word) for word in _EVENTFUL)


_EVENTFUL = (
    *("sent", "line items sent", "blanked", "deleted", "line items deleted"),
    *("would send", "would send line items", "would blank", "would delete", "would delete line items"),
    *("withheld", "refused", "imported", "would import"),
)
"""Counts that make a run more than a look: records written or to be written, and records left behind."""


def answers_to(result: RunResult, code: str) -> list[tuple[str, int]]:
    """(fingerprint, how often) of the answers behind a code, the most frequent first."""
    return [(told, n) for told, n in _told(result, code) if not told.startswith(HTTP)]


def statuses_to(result: RunResult, code: str) -> list[tuple[str, int]]:
    """(HTTP status, how often) of the answers behind a code, the most frequent first."""
    return [(told.removeprefix(HTTP), n) for told, n in _told(result, code) if told.startswith(HTTP)]


def _told(result: RunResult, code: str) -> list[tuple[str, int]]:
    mine = [(key.partition(" ")[2], n) for key, n in result.answers.items() if key.startswith(f"{code} ")]
    return sorted(mine, key=lambda one: (-one[1], one[0]))


HTTP = "HTTP "
"""Begins a status where a fingerprint could stand."""


def outcome_of(codes: Mapping[str, int]) -> Outcome:
    """`warning` when any code met needs a person or is a bug, else `completed` (DESIGN.md 8)."""
    needs_person = any(count and CODES[code].needs_person for code, count in codes.items())
    return Outcome.WARNING if needs_person else Outcome.COMPLETED


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one schedule, as the store keeps it. All instants are aware UTC.

    `slot_key` is the slot in ISO form, or `manual:<uuid>` / `request:<uuid>`; unique per schedule. `late_by` is in
    seconds. `attempt` counts claims; `epoch` is the lease's at the last claim.
    """

    id: str
    schedule: ScheduleId
    type: SyncType
    slot_key: str
    slot_at: datetime | None
    trigger: Trigger
    mode: Mode
    actor: Actor
    state: RunState
    created_at: datetime
    attempt: int = 0
    epoch: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    late_by: int = 0
    result: RunResult | None = None
    class_filter: str | None = None
    reason: str | None = None


def run_order(run: Run) -> tuple[datetime, bool, str]:
    """Slot time, then roster before grades (grades need the people), then id; people's runs as they came."""
    return (run.slot_at or run.created_at, run.type is not SyncType.ROSTER_IMPORT, str(run.schedule))


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that works under a lease: enough to tell on the same host whether it is still alive."""

    name: str
    host: str
    pid: int
    process_start: str
    boot_id: str


@dataclass(frozen=True, slots=True)
class Headway:
    """How far a run has come: `done` of `total` units of a stage; total None while unknown."""

    stage: str
    done: int = 0
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to run in an account until `until` (aware UTC). `epoch` is the fencing number.

    `heard_at` is when its holder last renewed it, and `headway` what it said of its run then.
    """

    account: str
    epoch: int
    run_id: str
    holder: str
    since: datetime
    until: datetime
    host: str = ""
    heard_at: datetime | None = None
    headway: Headway | None = None
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """The run is ours: `epoch` fences every later write; the guard counts `ttl` from before the claim was sent."""

    run: Run
    epoch: int
    ttl: float


@dataclass(frozen=True, slots=True)
class Busy:
    """The account is being worked in by somebody else."""

    lease: Lease


@dataclass(frozen=True, slots=True)
class Gone:
    """The run is no longer to be run: it has ended, or was superseded."""

    run_id: str


ClaimAnswer = Claimed | Busy | Gone
