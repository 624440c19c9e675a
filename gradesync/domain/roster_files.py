"""Where an account's SIS leaves its roster files, and of which kind they are. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ONEROSTER_CSV, CANVAS_CSV = "oneroster csv", "canvas csv"
FORMATS = (ONEROSTER_CSV, CANVAS_CSV)

MAX_AGE_MINUTES = 72 * 60
"""How old an export may be where the account says nothing: a weekend, and the night before it."""


@dataclass(frozen=True, slots=True)
class SftpPlace:
    """An SFTP server. `password`, `private_key` and `passphrase` are references, one of the first two is given.

    `host_key` is the server's key as a fingerprint (`SHA256:...`) or as a line of a known_hosts file.
    """

    host: str
    user: str
    host_key: str
    port: int = 22
    password: str | None = None
    private_key: str | None = None
    passphrase: str | None = None


@dataclass(frozen=True, slots=True)
class RosterFiles:
    """Roster files instead of REST. `path` and `base` are a zip, a folder or a pattern of either, of which the newest
    counts; on this machine, counted from the tree, or on the `sftp` server. `base` is the bulk export that changes
    (delta) count from. `max_age` is in minutes.
    """

    format: str
    path: str
    base: str | None = None
    max_age: int = MAX_AGE_MINUTES
    sftp: SftpPlace | None = None


def roster_files(values: Mapping[str, Any] | None) -> RosterFiles | None:
    """Read from the canonical mapping `sis.roster`; None where the SIS is read over REST."""
    if not values:
        return None
    sftp = values.get("sftp")
    return RosterFiles(
        format=str(values["format"]),
        path=str(values["path"]),
        base=values.get("base"),
        max_age=int(values.get("max_age") or MAX_AGE_MINUTES),
        sftp=None if sftp is None else SftpPlace(**sftp),
    )
