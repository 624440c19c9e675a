"""A roster import that found the way blocked for some minutes is asked for again, or its next slot would be tomorrow's.

Another tool's import in Canvas, an export still being written, a server that is down: all have passed by and by. The
wish is an ordinary request: holds, pauses and blackouts count for it, and it can be withdrawn. Nothing is decided about
grades.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import takewhile
from uuid import uuid4

from gradesync.domain.history import Fact
from gradesync.domain.hold import Request
from gradesync.domain.run import SCHEDULER, Outcome, Run, RunResult
from gradesync.domain.schedule import SyncType
from gradesync.engine.tools import Tools
from gradesync.ports import RunQuery

IN_THE_WAY = frozenset({"GS-607", "GS-612"})
"""What has passed by the next pass."""

AWAY = frozenset({"GS-302", "GS-508"})
"""A side that did not answer, where the run has failed over it."""

FOR = timedelta(hours=12)
"""How long it is tried at every pass; then the next slot has it."""

_LOOKBACK = 500


def ask_again(tools: Tools, run: Run, result: RunResult) -> None:
    """Leave a request for the next pass, unless the run only looked or has been in the way for half a day."""
    codes = _passing(result)
    if run.type is not SyncType.ROSTER_IMPORT or not codes or "would send" in result.counts:
        return
    now = tools.store.now()
    query = RunQuery(account=run.schedule.account, schedule=run.schedule.name, limit=_LOOKBACK)
    ended = [one for one in tools.store.runs(query) if one.id != run.id and one.result is not None]
    blocked = list(takewhile(_was_blocked, ended))
    if blocked and blocked[-1].created_at < now - FOR:
        return
    reason = f"something was in the way ({min(codes)})"
    data = {"mode": run.mode.value, "reason": reason}
    fact = Fact("run requested", SCHEDULER, run.schedule.account, run.schedule.name, run.id, data)
    # False when somebody has asked already, which is as good.
    tools.store.add_request(Request(uuid4().hex, run.schedule, SCHEDULER, run.mode, now, reason), [fact])


def _was_blocked(run: Run) -> bool:
    return run.result is not None and bool(_passing(run.result))


def _passing(result: RunResult) -> frozenset[str]:
    """Codes of what was in the way and will have passed."""
    return (IN_THE_WAY | AWAY if result.outcome is Outcome.FAILED else IN_THE_WAY) & result.codes.keys()


__all__ = ["AWAY", "FOR", "IN_THE_WAY", "ask_again"]
