"""What every store says in the same words: the facts of recovery and of checkpoints, and when a run is given up.

Pure, so that the store in RAM shares it without importing a database library.
"""

from __future__ import annotations

from collections.abc import Mapping

from gradesync.domain.history import CHECKPOINT, Fact, heads_digest
from gradesync.domain.run import Actor, Lease, Mode, Outcome, RunResult

MAX_ABANDONED = 3
"""Attempts that may vanish before the run itself is given up: something in it kills its process."""


def outcome_of_lost(lost: int, *, stop_asked: bool) -> Outcome | None:
    """How a run ends whose attempt vanished for the `lost`-th time; None: it is tried again."""
    if stop_asked:
        return Outcome.STOPPED
    return Outcome.ABANDONED if lost >= MAX_ABANDONED else None


def abandoned_fact(schedule: str, lease: Lease, attempt: int, outcome: Outcome | None) -> Fact:
    """What the history says about a vanished attempt."""
    return Fact(
        what="run abandoned",
        actor=Actor("scheduler", "recovery"),
        account=lease.account,
        schedule=schedule,
        run_id=lease.run_id,
        data={
            "code": "GS-702",
            "attempt": attempt,
            "epoch": lease.epoch,
            "holder": lease.holder,
            "outcome": outcome.value if outcome else "queued",
        },
    )


def checkpoint_fact(heads: Mapping[str, str], entries: int, moved: Mapping[str, int]) -> Fact:
    """One fact over the heads of all accounts' chains, which hold `entries` entries together.

    `moved` tells how far each chain has come that grew since the checkpoint before: with them all, every checkpoint
    can be made again from the entries.
    """
    data = {
        "heads": heads_digest(heads),
        "chains": len(heads),
        "entries": entries,
        "moved": dict(sorted(moved.items())),
    }
    return Fact(CHECKPOINT, Actor("scheduler", "checkpoint"), data=data)


def was_full(mode: Mode, class_filter: str | None, result: RunResult) -> bool:
    """Whether an ended run counts as the schedule's last full one: it looked at every class, and it worked."""
    worked = result.outcome in (Outcome.COMPLETED, Outcome.WARNING)
    return mode is Mode.FULL and class_filter is None and worked
