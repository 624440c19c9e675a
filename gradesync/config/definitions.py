"""One account's merged tree as canonical definitions: every default filled in, state pushed down, one shape for all.

The shape is the contract with `domain.account` and the store; a change of it changes every digest. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from gradesync.config import checks
from gradesync.config.findings import Finding, Path
from gradesync.config.settings import Settings
from gradesync.config.sis_checks import address_findings
from gradesync.config.summer import summer_findings
from gradesync.domain.account import ChangeLimit
from gradesync.domain.definition import DesiredAccount, DesiredSchedule, canonical, digest

_LIMITS = asdict(ChangeLimit())
_SECRETS = (
    ("canvas", "token", "canvas_token"),
    ("sis", "client_id", "sis_id"),
    ("sis", "client_secret", "sis_secret"),
)
_NOT_DEFINITION = ("schedules", "moved", "moved_from", "reason", "state", "shared", "protect")


@dataclass(frozen=True, slots=True)
class Origin:
    """Which file an account stands in."""

    file: str
    key: str
    group: str | None


def desired_account(
    account: Mapping[str, Any], origin: Origin, settings: Settings, intervals: checks.Intervals
) -> tuple[DesiredAccount | None, list[Finding]]:
    """The definitions of an account whose shape is right, or None with findings; warnings come with both."""
    found = checks.account_findings(account, origin.key, tuple(account["schedules"]))
    found += secret_findings(account, origin.key, settings)
    definition = _account_definition(account, origin, settings)
    schedules: dict[str, DesiredSchedule] = {}
    for name, schedule in account["schedules"].items():
        mapping = _schedule_definition(name, schedule, account, intervals, found)
        if mapping is not None:
            schedules[name] = DesiredSchedule(name, canonical(mapping), digest(mapping))
    found += summer_findings(account, definition["blackouts"], intervals.today)
    if any(not finding.warning for finding in found):
        return None, found
    desired = DesiredAccount(
        key=origin.key,
        file=origin.file,
        text=canonical(definition),
        digest=digest(definition),
        schedules=schedules,
        leaving=account["state"] == "leaving",
        moved=dict(account["moved"]),
        moved_from=account.get("moved_from"),
    )
    return desired, found


def part_findings(
    part: Mapping[str, Any], written: Mapping[str, Any], stem: str | None, misspelt: set[Path], *, whole: bool
) -> list[Finding]:
    """What else is wrong in a tree with problems: `part` are its right parts, `written` is the tree itself.

    `misspelt` are the keys that unknown ones probably stand for. Unless `whole`, more may come from elsewhere.
    """
    schedules = written.get("schedules", None if ("schedules",) in misspelt else {})
    known = whole and isinstance(schedules, dict)
    found = checks.account_findings(part, stem, tuple(schedules) if known else None)
    for name, schedule in part.get("schedules", {}).items():
        path: Path = ("schedules", name)
        anchored = whole and (*path, "first_run") not in misspelt
        found += checks.interval_findings(path, schedule, schedules[name], anchored=anchored)
    return found


def secret_findings(account: Mapping[str, Any], key: str, settings: Settings) -> list[Finding]:
    """Secrets that neither the account's tree nor the owner's settings say how to find."""
    hint = "write `env:NAME` or `file:PATH`, or have the owner set `secrets` in gradesync.yaml"
    return address_findings(account) + [
        Finding("GS-111", (side, name), f"`{name}` is missing", hint, "inside")
        for side, name, of_settings in _SECRETS
        if isinstance(holder := account.get(side), dict) and name not in holder
        if not (side == "sis" and _files_only(account))
        if settings.reference(key, of_settings) is None
    ]


def _files_only(account: Mapping[str, Any]) -> bool:
    """Whether the SIS is known by its roster files alone."""
    sis = account.get("sis")
    return isinstance(sis, dict) and "url" not in sis and "roster" in sis


def _account_definition(account: Mapping[str, Any], origin: Origin, settings: Settings) -> dict[str, Any]:
    definition = {key: value for key, value in account.items() if key not in _NOT_DEFINITION}
    definition.setdefault("name", origin.key)
    if origin.group is not None:
        definition["group"] = origin.group
    for key in ("state", "shared"):
        if account[key] not in ("active", False):
            definition[key] = account[key]
    for side, key, name in _SECRETS:
        if key not in definition[side] and not (side == "sis" and _files_only(account)):
            definition[side] = {**definition[side], key: settings.reference(origin.key, name)}
    roster = definition["roster"]
    definition["roster"] = {**roster, "change_limit": {**_LIMITS, **roster["change_limit"]}}
    definition["blackouts"] = [*settings.blackouts, *definition["blackouts"]]
    return definition


def _schedule_definition(
    name: str,
    schedule: Mapping[str, Any],
    account: Mapping[str, Any],
    intervals: checks.Intervals,
    found: list[Finding],
) -> dict[str, Any] | None:
    time_zone = schedule.get("time_zone", account["time_zone"])
    interval = intervals.read(("schedules", name), schedule, time_zone, found)
    if interval is None:
        return None
    state, reason = schedule["state"], schedule.get("reason")
    # The stricter of the two: an account's pause is never undone by a schedule that only observes.
    if account["state"] == "paused" or (account["state"] == "observe" and state == "active"):
        if state != account["state"]:
            reason = reason or account.get("reason")
        state = account["state"]
    definition = {
        **schedule,
        "canonical_interval": interval.canonical,
        "time_zone": time_zone,
        "state": state,
        "reason": reason,
        # Kept with each schedule, and only when it says so: what is recorded goes on protecting it.
        "protect": schedule.get("protect", account.get("protect", False)) or None,
    }
    return {key: value for key, value in definition.items() if value is not None}
