"""Rights in gradesync.yaml that nobody could ever use: at a place that is none, or of a person without a login.

Only notes. A right at a misspelt place gives nothing away; but whoever wrote it believes somebody has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gradesync.config.findings import Finding
from gradesync.config.scan import Scan, read_settings_file
from gradesync.domain.problem import Problem
from gradesync.domain.rights import EVERYWHERE, GROUP


def rights_problems(root: Path, people: Mapping[str, Mapping[str, Any]], found: Scan) -> list[Problem]:
    """The findings with their places in gradesync.yaml, which is composed only when there are any."""
    keys = {file.key for file in found.accounts}
    groups = {file.group for file in found.accounts if file.group is not None}
    findings = [one for key, person in people.items() for one in _findings(key, person, keys, groups)]
    file = read_settings_file(root, []) if findings else None
    if file is None or file.text is None:
        return []
    from gradesync.config.sources import Sources  # imports yaml, and most trees have nothing to tell

    source = Sources([(file.file, file.text)])
    return [source.problem(one) for one in findings]


def _findings(
    key: str, person: Mapping[str, Any], keys: Collection[str], groups: Collection[str]
) -> list[Finding]:
    may: Mapping[str, Collection[str]] = person.get("may") or {}
    if may and not person.get("logins"):
        hint = "add `logins`, or take `may` away"
        return [
            Finding("GS-118", ("people", key, "may"), "nobody has these rights: no login", hint, "key", True)
        ]
    return [
        Finding(
            "GS-118",
            ("people", key, "may", right),
            _sentence(right, place),
            _hint(place, keys, groups),
            "key",
            True,
        )
        for right, places in may.items()
        for place in places
        if not _is_there(place, keys, groups)
    ]


def _is_there(place: str, keys: Collection[str], groups: Collection[str]) -> bool:
    if place == EVERYWHERE:
        return True
    if place.startswith(GROUP):
        return place.removeprefix(GROUP) in groups
    return any(fnmatchcase(key, place) for key in keys)


def _sentence(right: str, place: str) -> str:
    return f"the right `{right}` counts on `{place}`, and there is no such account or group"


def _hint(place: str, keys: Collection[str], groups: Collection[str]) -> str:
    near = get_close_matches(
        place, [*sorted(keys), *(f"{GROUP}{one}" for one in sorted(groups)), EVERYWHERE], n=1
    )
    return f"did you mean `{near[0]}`?" if near else "write `everywhere`, an account, or `group:NAME`"


__all__ = ["rights_problems"]
