"""A recorded run as one line of a long list: what a page of all accounts shows of tens of thousands of them.

Values only. A tuple on purpose: making one costs a tenth of making a `Run` with its result. Whoever decides about a
run, or needs what another system said of it, asks the store for the run itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gradesync.domain.run import Mode, Outcome, Run, RunState, Stage, Trigger
    from gradesync.domain.schedule import ScheduleId, SyncType


class RunLine(NamedTuple):
    """`Run` without its slot and epoch, and of its result what is counted. All instants are aware UTC.

    `at` is when it started; when it ended or was made, where it never did. `outcome` and `stage` are None, and `counts`
    and `codes` empty, until it has ended.
    """

    id: str
    schedule: ScheduleId
    type: SyncType
    trigger: Trigger
    mode: Mode
    actor: str
    via: str
    state: RunState
    at: datetime
    ended_at: datetime | None
    attempt: int
    late_by: int
    class_filter: str | None
    reason: str | None
    outcome: Outcome | None
    stage: Stage | None
    counts: Mapping[str, int]
    codes: Mapping[str, int]


def line_of(run: Run) -> RunLine:
    """The line of a run."""
    result = run.result
    return RunLine(
        id=run.id,
        schedule=run.schedule,
        type=run.type,
        trigger=run.trigger,
        mode=run.mode,
        actor=run.actor.name,
        via=run.actor.via,
        state=run.state,
        at=run.started_at or run.ended_at or run.created_at,
        ended_at=run.ended_at,
        attempt=run.attempt,
        late_by=run.late_by,
        class_filter=run.class_filter,
        reason=run.reason,
        outcome=None if result is None else result.outcome,
        stage=None if result is None else result.stage,
        counts={} if result is None else result.counts,
        codes={} if result is None else result.codes,
    )


__all__ = ["RunLine", "line_of"]
