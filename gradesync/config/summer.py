"""A roster import that would run on through the summer roll-over, told in spring, while there is time to write a pause.

Pure: the day is an argument. One warning per account; nothing else is judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from gradesync.config.findings import Finding
from gradesync.config.schema.addresses import is_loopback

SPRING = (3, 6)
"""First and last month in which the warning is given."""

SUMMER = ((6, 1), (8, 31))
"""First and last day (month, day) between which school systems roll their SIS over to the next year."""


def summer_findings(
    account: Mapping[str, Any], blackouts: Sequence[Mapping[str, Any] | None], today: date
) -> list[Finding]:
    """GS-117 when a roster import of the account has no blackout this summer; `blackouts` are all that cover it.

    Schedules that do not run by themselves are left alone: paused ones, and those started by hand only. So are made-up
    schools on this machine, which know no summer.
    """
    if not SPRING[0] <= today.month <= SPRING[1] or account.get("state") in ("paused", "leaving"):
        return []
    if is_loopback(urlsplit(str(account["canvas"]["url"])).hostname or ""):
        return []
    bare = [
        name
        for name, schedule in account.get("schedules", {}).items()
        if _runs_by_itself(schedule) and not any(_pauses(one, name, today.year) for one in blackouts if one)
    ]
    if not bare:
        return []
    others = f" (nor have {', '.join(bare[1:])})" if bare[1:] else ""
    return [
        Finding(
            "GS-117",
            ("schedules", bare[0]),
            f"this roster import has no blackout between {_day(today.year, 0)} and {_day(today.year, 1)}{others}; "
            "a SIS in its roll-over answers with half a school year",
            "write one under `blackouts`, from the day before the roll-over to the day after it",
            "key",
            warning=True,
        )
    ]


def _runs_by_itself(schedule: Mapping[str, Any]) -> bool:
    of_type = schedule.get("type") == "roster import"
    return of_type and schedule.get("state") != "paused" and schedule.get("interval") != "manual"


def _pauses(blackout: Mapping[str, Any], schedule: str, year: int) -> bool:
    """Whether a blackout (local times `YYYY-MM-DD HH:MM`) covers the schedule on some day of the year's summer."""
    only = blackout.get("schedules")
    if only is not None and schedule not in only:
        return False
    start, until = str(blackout.get("from", "")), str(blackout.get("until", ""))
    return start[:10] <= _day(year, 1) and until[:10] >= _day(year, 0)


def _day(year: int, end: int) -> str:
    month, day = SUMMER[end]
    return date(year, month, day).isoformat()


__all__ = ["SPRING", "SUMMER", "summer_findings"]
