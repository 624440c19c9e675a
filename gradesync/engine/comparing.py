"""What a run's end is told beside: how the schedule stood before, and what waits in its account.

Reads the store only; what of it is news is `domain.report`'s to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from gradesync.domain.run import Mode, Outcome, Run, RunResult
from gradesync.domain.schedule import SyncType
from gradesync.engine.tools import Tools
from gradesync.errors import StoreUnavailable
from gradesync.ports import RunQuery

LOOKBACK = 500
"""How many runs back an earlier one of the same mode is looked for."""


def result_before(tools: Tools, run: Run) -> RunResult | None:
    """The last result in the same mode: a delta sees less than a full run, so each is compared with its like."""
    query = RunQuery(account=run.schedule.account, schedule=run.schedule.name, limit=LOOKBACK)
    for earlier in tools.store.runs(query):
        if earlier.id == run.id or earlier.mode is not run.mode or earlier.result is None:
            continue
        if earlier.result.outcome is not Outcome.SKIPPED:
            # One that never began has met nothing, and would make everything of the run after it look new.
            return earlier.result
    return None


def known_waiting(tools: Tools, run: Run) -> Mapping[str, int]:
    """Records of the account that waited already, by code."""
    return {code: count for (_, code), count in tools.store.waiting_counts(run.schedule.account).items()}


def left_waiting(tools: Tools, run: Run) -> Mapping[str, int]:
    """What a delta leaves waiting; a full run tries everything, and a roster import leaves nothing."""
    if run.mode is not Mode.DELTA or run.type is not SyncType.GRADE_PASSBACK:
        return {}
    with suppress(StoreUnavailable):
        return known_waiting(tools, run)
    return {}


__all__ = ["known_waiting", "left_waiting", "result_before"]
