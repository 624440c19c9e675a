"""Keys of `sis:` that contradict each other, the profile or the account's policies, and headers with secrets.

Pure, as `checks`: the shape of what is given is right, but anything may be missing from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from gradesync.config.findings import Finding
from gradesync.domain.account import RosterMapping
from gradesync.domain.profile import POST, PROFILES, V1P1, SisProfile, profile_with
from gradesync.domain.roster_files import CANVAS_CSV

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}\Z")
_OURS = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "cookie",
        "date",
        "expect",
        "host",
        "proxy-authorization",
        "te",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
"""Headers that gradesync or the protocol sets itself; a second one would break or betray a request."""
_SECRET_NAME = re.compile(r"auth|key|secret|token|password|credential|signature", re.IGNORECASE)
REFERENCES = ("env:", "file:")
"""How a header's value begins when it is kept elsewhere."""


def sis_findings(account: Mapping[str, Any]) -> list[Finding]:
    """What the keys of `sis:` and `passback:` say against each other."""
    sis = account.get("sis", {})
    found = list(_header_findings(sis.get("headers") or {}))
    found += _file_findings(sis.get("roster") or {})
    found += _mapping_findings(sis.get("roster") or {}, account.get("roster", {}))
    if sis.get("profile") in PROFILES:
        profile = profile_with(sis["profile"], sis)
        found += _contradictions(sis, profile)
        if not sis.get("roster"):
            found += _name_findings(account.get("roster", {}), profile)
        found += _policies(account.get("passback", {}), profile)
    return found


def address_findings(account: Mapping[str, Any]) -> list[Finding]:
    """The SIS needs an address, unless all that is wanted of it are roster files, and an SFTP server a login."""
    sis = account.get("sis")
    if not isinstance(sis, dict):
        return []
    login = _login_findings(sis.get("roster"))
    if "url" in sis:
        return login
    if "roster" not in sis:
        return [
            Finding("GS-111", ("sis", "url"), "`url` is missing", "add `url:` (address of the SIS)", "inside")
        ]
    schedules = account.get("schedules")
    rows = schedules.items() if isinstance(schedules, dict) else ()
    return login + [
        Finding(
            "GS-116",
            ("schedules", name, "type"),
            "grades need the SIS's service, and `sis` has no `url`",
            "write `url`, `client_id` and `client_secret` under `sis`, or remove the schedule",
        )
        for name, one in rows
        if isinstance(one, dict) and one.get("type") == "grade passback"
    ]


def _login_findings(files: Any) -> list[Finding]:
    sftp = files.get("sftp") if isinstance(files, dict) else None
    if not isinstance(sftp, dict) or "password" in sftp or "private_key" in sftp:
        return []
    hint = "write `password` or `private_key`, as `env:NAME` or `file:PATH`"
    path = ("sis", "roster", "sftp", "password")
    return [Finding("GS-111", path, "`password` is missing", hint, "inside")]


def _file_findings(files: Mapping[str, Any]) -> Iterator[Finding]:
    """Keys of `sis.roster` that contradict each other."""
    path = ("sis", "roster")
    if files.get("base") is not None and files.get("format") == CANVAS_CSV:
        message = "`base` is for changes, and `canvas csv` knows none: every export is whole"
        yield Finding("GS-116", (*path, "base"), message, "remove `base`")
    sftp = files.get("sftp")
    if not isinstance(sftp, Mapping):
        return
    if "password" in sftp and "private_key" in sftp:
        message = "a password and a private key: one of them would never be used"
        yield Finding("GS-116", (*path, "sftp", "password"), message, "remove one of the two")
    if "passphrase" in sftp and "private_key" not in sftp:
        message = "a passphrase belongs to a private key, and there is none"
        yield Finding("GS-116", (*path, "sftp", "passphrase"), message, "write `private_key`, or remove it")


def _mapping_findings(files: Mapping[str, Any], roster: Mapping[str, Any]) -> Iterator[Finding]:
    """Settings of the mapping that do nothing, because rows in Canvas's own format are carried as they are."""
    if files.get("format") != CANVAS_CSV:
        return
    usual = asdict(RosterMapping())
    for key in usual.keys() & roster.keys():
        if roster[key] != usual[key]:
            message = f"`{key}` does nothing with `canvas csv`: its rows are carried as they are"
            yield Finding("GS-116", ("roster", key), message, "remove it", warning=True)


def _name_findings(roster: Mapping[str, Any], profile: SisProfile) -> Iterator[Finding]:
    if roster.get("names") == "preferred" and profile.version == V1P1:
        message = (
            "OneRoster 1.1 has no preferred names; legal ones are used unless the SIS sends others unasked"
        )
        hint = 'write `version: "1.2"` under `sis` if the SIS has it, or remove `names`'
        yield Finding("GS-116", ("roster", "names"), message, hint, warning=True)


def _header_findings(headers: Mapping[str, Any]) -> Iterator[Finding]:
    for name, value in headers.items():
        path = ("sis", "headers", name)
        if not _HEADER.match(name):
            yield Finding(
                "GS-110", path, "this cannot be the name of a header", "write it like `X-Vendor`", "key"
            )
        elif name.lower() in _OURS:
            hint = "remove it; keys belong in `client_id` and `client_secret`"
            yield Finding("GS-110", path, "gradesync sets this header itself", hint, "key")
        if not isinstance(value, str) or value.startswith(REFERENCES):
            continue
        if _SECRET_NAME.search(name):
            message = "a header of this name holds a secret, and a secret is never written here"
            yield Finding("GS-107", path, message, "write `env:NAME` or `file:PATH`; rotate a real key now")
        elif not (value.isascii() and value.isprintable()):
            yield Finding(
                "GS-110", path, "a header's value is one line of plain ASCII", "write plain letters"
            )


def _contradictions(sis: Mapping[str, Any], profile: SisProfile) -> Iterator[Finding]:
    if sis.get("write_mode") == POST and profile.version == V1P1:
        message = "OneRoster 1.1 knows no POST; this works only where the vendor added it"
        hint = 'write `version: "1.2"`, or `server_ids`'
        yield Finding("GS-116", ("sis", "write_mode"), message, hint, warning=True)
    for index, name in enumerate(sis.get("omit") or ()):
        rule = _NEEDED.get(name)
        if rule and getattr(profile, rule):
            message = f"`{name}` cannot be left out while `{rule}` is true"
            hint = f"write `{rule}: false`, or leave `{name}` in"
            yield Finding("GS-116", ("sis", "omit", index), message, hint)
    if sis.get("exempt_needs_score") is False and profile.score_required:
        message = "every result must have a score here, an exempt one too"
        yield Finding(
            "GS-116", ("sis", "exempt_needs_score"), message, "write `score_required: false` as well"
        )


_NEEDED = {
    "school": "school_required",
    "missing": "can_flag_missing",
    "late": "sends_late",
    "textScore": "can_send_text",
}
"""Fields that a key of their own says are sent."""


def _policies(passback: Mapping[str, Any], profile: SisProfile) -> Iterator[Finding]:
    for key, value, able, others in (
        ("missing", "flag", profile.can_flag_missing, "`withhold` or `zero`"),
        ("letter_grades", "text", profile.can_send_text, "`score` or `withhold`"),
    ):
        if passback.get(key) == value and not able:
            message = f"the profile {profile.name} cannot express `{key}: {value}`"
            yield Finding("GS-116", ("passback", key), message, f"write {others}")
    if passback.get("missing") == "flag" and profile.can_flag_missing and profile.score_required:
        message = "a flag without a number cannot be sent while `score_required` is true"
        yield Finding("GS-116", ("passback", "missing"), message, "write `withhold`, `zero` or the other key")
    if passback.get("deletions") == "blank" and profile.score_required:
        # A blank that had to carry a number would be a zero, and a zero is a grade.
        message = (
            f"the profile {profile.name} cannot express `deletions: blank`: every result must have a number"
        )
        yield Finding("GS-116", ("passback", "deletions"), message, "write `report` or `delete`")
    if passback.get("long_titles") == "shorten" and profile.max_title is None:
        message = f"the profile {profile.name} knows no longest title, so `long_titles: shorten` cuts nothing"
        hint = "write `max_title` under `sis`, or leave `long_titles` out"
        yield Finding("GS-116", ("passback", "long_titles"), message, hint)
