"""A state of a schedule that its account's own leaves without effect: whoever wrote it waits for runs in vain.

Pure. The stricter of the two counts (see `definitions`). That is no mistake of its own, so it is a warning; a schedule
that repeats its account's state, or is stricter, says nothing wrong and is left alone.
"""

from __future__ import annotations

from typing import Any

from gradesync.config.findings import Finding

_STANDS = {
    ("paused", "active"): "the schedule stays paused, and nothing starts",
    ("paused", "observe"): "the schedule stays paused, and nothing starts",
    ("observe", "active"): "the schedule goes on looking only, and nothing is sent",
}
"""(account's, schedule's) -> what happens all the same. An account that is leaving retires all, as its plan says."""


def overruled_findings(written: Any) -> list[Finding]:
    """GS-120 at each `state` of a schedule that is written and has no effect; `written` is the account's tree."""
    schedules = written.get("schedules") if isinstance(written, dict) else None
    if not isinstance(schedules, dict):
        return []
    return [
        Finding("GS-120", ("schedules", name, "state"), _message(*said), _hint(*said), warning=True)
        for name, schedule in schedules.items()
        if isinstance(schedule, dict) and (said := _said(written, schedule)) in _STANDS
    ]


def _said(account: dict[str, Any], schedule: dict[str, Any]) -> tuple[str, str]:
    return (str(account.get("state")), str(schedule.get("state")))


def _message(account: str, schedule: str) -> str:
    return (
        f"`state: {schedule}` has no effect here: the account itself has `state: {account}`, so "
        f"{_STANDS[account, schedule]}"
    )


def _hint(account: str, schedule: str) -> str:
    return (
        f"if `{schedule}` is meant, write `state: active` for the account, and `state: {account}` at each schedule "
        "that should stay so; if not, remove this line"
    )


__all__ = ["overruled_findings"]
