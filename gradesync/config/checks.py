"""What concerns two keys of one file at once: intervals with their zone and first run, policies with the profile.

Pure: values in, findings out. The shape of what is given is right, but anything may be missing from it: of a file with
other problems only the right parts come here, and an entry of a list may be None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

from gradesync.config.findings import Finding, Path
from gradesync.config.sis_checks import sis_findings
from gradesync.domain.documents import in_docs
from gradesync.domain.interval import SOON, Interval, IntervalError, parse_interval, warnings
from gradesync.domain.renaming import end_of


class Intervals:
    """Reads intervals and their warnings, each distinct one once per load."""

    def __init__(self, now: datetime, tick_minutes: int | None) -> None:
        self._now = now
        self._tick = tick_minutes
        self._warned: dict[tuple[str, str, str | None], tuple[str, ...]] = {}

    @property
    def today(self) -> date:
        """The day (in UTC) of the load, for findings that come with the season."""
        return self._now.date()

    def read(
        self, path: Path, schedule: Mapping[str, Any], time_zone: str, found: list[Finding]
    ) -> Interval | None:
        """The interval of one schedule, or None with a finding at each key to blame."""
        text, first_run = schedule["interval"], schedule.get("first_run")
        try:
            interval = parse_interval(text, time_zone, first_run)
        except IntervalError as error:
            found.append(_interval_finding(path, error))
            if error.culprit == "first_run" and (other := _refusal(text, _SOME_FIRST_RUN)):
                found.append(_interval_finding(path, other))
            return None
        key = (text, time_zone, first_run)
        if key not in self._warned:
            self._warned[key] = tuple(w.text for w in warnings(interval, self._now, self._tick, ahead=SOON))
        where = (*path, "interval")
        found += [Finding("GS-115", where, sentence, warning=True) for sentence in self._warned[key]]
        if spread := _spread_finding(path, schedule, interval):
            found.append(spread)
        return interval


def interval_findings(
    path: Path, schedule: Mapping[str, Any], written: Any, *, anchored: bool
) -> list[Finding]:
    """What is wrong with a schedule of which other things are wrong too; none of it depends on the time zone.

    `written` is the schedule as in the file. Unless `anchored`, a first run may still come from elsewhere.
    """
    text, first_run = schedule.get("interval"), schedule.get("first_run")
    found: list[Finding] = []
    if first_run is not None and (error := _refusal("manual", first_run)):
        found.append(_interval_finding(path, error))
        first_run = None
    if text is None:
        return found
    known = first_run is not None or (anchored and isinstance(written, dict) and "first_run" not in written)
    first_run = first_run if known else _SOME_FIRST_RUN
    if error := _refusal(text, first_run):
        if known or error.culprit != "first_run":
            found.append(_interval_finding(path, error))
    elif spread := _spread_finding(path, schedule, parse_interval(text, "UTC", first_run)):
        found.append(spread)
    return found


# Stands in for a first run that is itself wrong, or still to come: an anchor is needed to judge some intervals.
_SOME_FIRST_RUN = "2026-01-01 00:00"


def _refusal(text: str, first_run: str | None) -> IntervalError | None:
    try:
        parse_interval(text, "UTC", first_run)
    except IntervalError as error:
        return error
    return None


def _spread_finding(path: Path, schedule: Mapping[str, Any], interval: Interval) -> Finding | None:
    spread, gap = schedule.get("spread"), interval.shortest_gap_minutes
    if spread is None or gap is None or spread < gap:
        return None
    message = f"`spread` must be less than the {gap} minutes between two runs"
    return Finding("GS-110", (*path, "spread"), message, "write a smaller spread")


_SHAPES = {
    "interval": f"write it like `daily at 02:00` or `every 30 minutes`; {in_docs('schedules-file')} has every way",
    "first_run": "a first run is written like `2026-09-01 02:00`",
    "time_zone": "write a place of the IANA list, such as America/Chicago",
}


def _interval_finding(path: Path, error: IntervalError) -> Finding:
    code = "GS-105" if error.culprit == "time_zone" else "GS-104"
    message, advice = error.said
    return Finding(code, (*path, error.culprit), message, advice or _SHAPES[error.culprit], sign=error.sign)


def account_findings(
    account: Mapping[str, Any], stem: str | None, schedules: Sequence[str] | None
) -> list[Finding]:
    """Everything but intervals. `stem` is the file's name, None for defaults; `schedules` None: names not known."""
    found: list[Finding] = []
    if stem is not None and account.get("account", stem) != stem:
        message = f"the file is called `{stem}`, but the account `{account['account']}`"
        found.append(Finding("GS-113", ("account",), message, "rename the file or the account"))
    found += sis_findings(account)
    found += _moved_findings(account, schedules)
    found += blackout_findings(account.get("blackouts", ()), schedules)
    for index, expected in enumerate(account.get("roster", {}).get("expect", ())):
        if expected and {"from", "until"} <= expected.keys() and expected["until"] < expected["from"]:
            path: Path = ("roster", "expect", index, "until")
            found.append(Finding("GS-110", path, "`until` is before `from`", "exchange the two"))
    return [*found, *_mapping_findings(account), *_person_findings(account)]


def _person_findings(account: Mapping[str, Any]) -> list[Finding]:
    """A name where Canvas's login or number is meant: it finds nobody, and is shown to everybody. Logins with an @ are
    `secrets`' to judge.
    """
    message = "this looks like a person's name, and this text is shown in reports"
    hint = "write the person's Canvas login, or the number of the user"
    schedules: Mapping[str, Any] = account.get("schedules", {})
    return [
        Finding("GS-110", ("schedules", name, "posted_by"), message, hint, warning=True)
        for name, schedule in schedules.items()
        if isinstance(schedule, Mapping)
        and " " in (said := str(schedule.get("posted_by", "")).strip())
        and "@" not in said
    ]


def _mapping_findings(account: Mapping[str, Any]) -> list[Finding]:
    """A class belongs to one course; and grades find their students by the SIS id alone."""
    roster = account.get("roster", {})
    found: list[Finding] = []
    seen: dict[str, str] = {}
    for course, classes in roster.get("cross_list", {}).items():
        for index, one in enumerate(classes or ()):
            if one in seen:
                path: Path = ("roster", "cross_list", course, index)
                message = f"the class is taught in `{seen[one]}` already"
                found.append(Finding("GS-110", path, message, "name each class once"))
            seen.setdefault(one, course)
    types = [one.get("type") for one in account.get("schedules", {}).values() if isinstance(one, dict)]
    if roster.get("people") == "integration_id" and "grade passback" in types:
        message = "with `integration_id` grades do not find their students"
        hint = "write `sis_id`, or remove the grade passback"
        found.append(Finding("GS-110", ("roster", "people"), message, hint))
    return found


def _moved_findings(account: Mapping[str, Any], schedules: Sequence[str] | None) -> list[Finding]:
    found: list[Finding] = []
    moved = account.get("moved", {})
    for old in moved:
        if schedules is None:
            break
        end = end_of(old, moved, schedules)
        if end not in schedules and end in moved:
            message = f"`{old}` moves in a circle"
            found.append(
                Finding("GS-110", ("moved", old), message, "end the renames at a schedule of this file")
            )
        elif end not in schedules:
            hint = _near(end, schedules) or "write `moved: {old-name: new-name}`"
            found.append(Finding("GS-110", ("moved", old), f"there is no schedule `{end}` to move to", hint))
        if old in schedules:
            message = f"`{old}` is still a schedule of this file, so it has not moved"
            found.append(Finding("GS-110", ("moved", old), message, "remove one of the two", "key"))
    if "moved_from" in account and account["moved_from"] == account.get("account"):
        found.append(
            Finding("GS-110", ("moved_from",), "an account cannot move from itself", "remove the line")
        )
    return found


def blackout_findings(
    blackouts: Sequence[Mapping[str, Any] | None], schedules: Sequence[str] | None
) -> list[Finding]:
    """`schedules` None: the owner's blackouts, which may name schedules that only some accounts have."""
    found: list[Finding] = []
    for index, blackout in enumerate(blackouts):
        path: Path = ("blackouts", index)
        if blackout is None:
            continue
        if {"from", "until"} <= blackout.keys() and blackout["until"] <= blackout["from"]:
            found.append(
                Finding("GS-110", (*path, "until"), "`until` is not after `from`", "exchange the two")
            )
        for at, name in enumerate(blackout.get("schedules", ()) if schedules is not None else ()):
            if name is not None and name not in (schedules or ()):
                hint = _near(name, schedules or ()) or "name a schedule of this file"
                message = f"there is no schedule `{name}`"
                found.append(Finding("GS-110", (*path, "schedules", at), message, hint))
    return found


def _near(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else ""
