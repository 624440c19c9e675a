"""What concerns two keys of one rule of `notify`, or two rules. Pure: values in, findings out.

Of a settings file with other problems only the right parts come here: an entry may be None, or lack keys.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradesync.config.findings import Finding, Path
from gradesync.config.schema.fields import MAIL, did_you_mean
from gradesync.domain.interval import IntervalError, parse_interval

_TO = ("contacts", "sis_admin", "canvas_admin", "admin", "support", "sis_vendor")


def notify_findings(rules: Sequence[Mapping[str, Any] | None]) -> list[Finding]:
    """Everything that is wrong between keys that are right alone."""
    found: list[Finding] = []
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule is None:
            continue
        path: Path = ("notify", index)
        name = rule.get("name")
        if name is not None and name in seen:
            found.append(
                Finding(
                    "GS-110", (*path, "name"), f"there are two rules `{name}`", "give each a name of its own"
                )
            )
        seen.add(str(name))
        found += _to_findings(path, rule)
        found += _time_findings(path, rule)
    return found


def _to_findings(path: Path, rule: Mapping[str, Any]) -> list[Finding]:
    to = rule.get("to")
    if to is None:
        return []
    if rule.get("channel") not in (None, "email"):
        message = "only mail has addresses of its own; every other channel is one"
        return [Finding("GS-110", (*path, "to"), message, "remove `to`, or write `channel: email`", "key")]
    return [
        Finding(
            "GS-110",
            (*path, "to", at),
            "this is neither a mail address nor somebody of `contacts`",
            did_you_mean(entry[:40], _TO) or f"one of {', '.join(_TO)}",
        )
        for at, entry in enumerate(to)
        if entry is not None and entry not in _TO and not MAIL.match(entry)
    ]


def _time_findings(path: Path, rule: Mapping[str, Any]) -> list[Finding]:
    found: list[Finding] = []
    for key in ("digest", "quiet_hours"):
        if rule.get(key) is not None and rule.get("time_zone") is None:
            hint = "write `time_zone`, such as America/New_York"
            found.append(
                Finding("GS-111", (*path, key), f"`{key}` needs a `time_zone` beside it", hint, "key")
            )
    digest = rule.get("digest")
    if digest is None:
        return found
    try:
        interval = parse_interval(digest, rule.get("time_zone") or "UTC")
    except IntervalError as error:
        message, advice = error.said
        advice = advice or "write it like `daily at 07:30`"
        found.append(Finding("GS-104", (*path, "digest"), message, advice, sign=error.sign))
    else:
        gap = interval.shortest_gap_minutes
        if gap is None or gap < _SHORTEST:
            message = "a digest comes at fixed times, at least an hour apart"
            found.append(Finding("GS-104", (*path, "digest"), message, "write it like `daily at 07:30`"))
    return found


_SHORTEST = 60
