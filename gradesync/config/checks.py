"""What concerns two keys of one file at once: intervals with their zone and first run, policies with the profile.

Pure: values in, findings out. `definitions` calls it with an account whose shape is already right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from gradesync.config.findings import Finding, Path
from gradesync.domain.interval import Interval, IntervalError, parse_interval, warnings
from gradesync.domain.profile import PROFILES


class Intervals:
    """Reads intervals and their warnings, each distinct one once per load."""

    def __init__(self, now: datetime, tick_minutes: int | None) -> None:
        self._now = now
        self._tick = tick_minutes
        self._warned: dict[tuple[str, str, str | None], tuple[str, ...]] = {}

    def read(
        self, path: Path, schedule: Mapping[str, Any], time_zone: str, found: list[Finding]
    ) -> Interval | None:
        """The interval of one schedule, or None with a finding at the key to blame."""
        text, first_run = schedule["interval"], schedule.get("first_run")
        try:
            interval = parse_interval(text, time_zone, first_run)
        except IntervalError as error:
            found.append(_interval_finding(path, error))
            return None
        key = (text, time_zone, first_run)
        if key not in self._warned:
            self._warned[key] = tuple(w.text for w in warnings(interval, self._now, self._tick))
        where = (*path, "interval")
        found += [Finding("GS-115", where, sentence, warning=True) for sentence in self._warned[key]]
        spread, gap = schedule.get("spread"), interval.shortest_gap_minutes
        if spread is not None and gap is not None and spread >= gap:
            message = f"`spread` must be less than the {gap} minutes between two runs"
            found.append(Finding("GS-110", (*path, "spread"), message, "write a smaller spread"))
        return interval


def _interval_finding(path: Path, error: IntervalError) -> Finding:
    code = "GS-105" if error.culprit == "time_zone" else "GS-104"
    hint = error.hint or "see the page on intervals, such as `daily at 02:00`"
    return Finding(code, (*path, error.culprit), str(error), hint)


def account_findings(account: Mapping[str, Any], stem: str) -> list[Finding]:
    """Everything but intervals."""
    found: list[Finding] = []
    if account["account"] != stem:
        message = f"the file is called `{stem}`, but the account `{account['account']}`"
        found.append(Finding("GS-113", ("account",), message, "rename the file or the account"))
    found += _profile_findings(account)
    found += _moved_findings(account)
    found += blackout_findings(account["blackouts"], tuple(account["schedules"]))
    for index, expected in enumerate(account["roster"]["expect"]):
        if expected["until"] < expected["from"]:
            path: Path = ("roster", "expect", index, "until")
            found.append(Finding("GS-110", path, "`until` is before `from`", "exchange the two"))
    return found


def _profile_findings(account: Mapping[str, Any]) -> list[Finding]:
    profile, passback = PROFILES[account["sis"]["profile"]], account["passback"]
    found: list[Finding] = []
    for key, value, able, others in (
        ("missing", "flag", profile.can_flag_missing, "`withhold` or `zero`"),
        ("letter_grades", "text", profile.can_send_text, "`score` or `withhold`"),
    ):
        if passback[key] == value and not able:
            message = f"the profile {profile.name} cannot express `{key}: {value}`"
            found.append(Finding("GS-116", ("passback", key), message, f"write {others}"))
    if passback["deletions"] != "report":
        # Refused here rather than read as `report`: whoever asks for a deletion relies on it.
        message = f"`deletions: {passback['deletions']}` is not offered yet"
        found.append(Finding("GS-116", ("passback", "deletions"), message, "write `report`"))
    return found


def _moved_findings(account: Mapping[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    schedules = account["schedules"]
    for old, new in account["moved"].items():
        if new not in schedules:
            hint = _near(new, tuple(schedules)) or "write `moved: {old-name: new-name}`"
            found.append(Finding("GS-110", ("moved", old), f"there is no schedule `{new}` to move to", hint))
        if old in schedules:
            message = f"`{old}` is still a schedule of this file, so it has not moved"
            found.append(Finding("GS-110", ("moved", old), message, "remove one of the two", "key"))
    if account.get("moved_from") == account["account"]:
        found.append(
            Finding("GS-110", ("moved_from",), "an account cannot move from itself", "remove the line")
        )
    return found


def blackout_findings(
    blackouts: Sequence[Mapping[str, Any]], schedules: Sequence[str] | None
) -> list[Finding]:
    """`schedules` None: the owner's blackouts, which may name schedules that only some accounts have."""
    found: list[Finding] = []
    for index, blackout in enumerate(blackouts):
        path: Path = ("blackouts", index)
        if blackout["until"] <= blackout["from"]:
            found.append(
                Finding("GS-110", (*path, "until"), "`until` is not after `from`", "exchange the two")
            )
        for at, name in enumerate(blackout.get("schedules", ()) if schedules is not None else ()):
            if name not in (schedules or ()):
                hint = _near(name, schedules or ()) or "name a schedule of this file"
                message = f"there is no schedule `{name}`"
                found.append(Finding("GS-110", (*path, "schedules", at), message, hint))
    return found


def _near(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean `{near[0]}`?" if near else ""
