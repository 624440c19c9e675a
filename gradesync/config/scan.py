"""Finds the files of a tree: `gradesync.yaml`, `schedules/*.yaml|yml`, one level of groups, `_defaults.yaml`.

Plain reading of folders and bytes. What cannot be read is a problem with a place; what nobody reads is a warning.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from gradesync.config.findings import is_name
from gradesync.domain.problem import Place, Problem

SETTINGS = "gradesync.yaml"
FOLDER = "schedules"
_ENDINGS = ("yaml", "yml")
MAX_BYTES = 1_000_000
"""No file may be larger; one byte more is read, which is enough to tell and never fills the memory."""


@dataclass(frozen=True, slots=True)
class Found:
    """One file: `file` relative to the tree with `/`, `key` its name without ending; `text` None when unreadable."""

    file: str
    key: str
    group: str | None
    text: bytes | None


@dataclass(slots=True)
class Scan:
    """Everything found. `defaults` is by group, None for the top."""

    accounts: list[Found] = field(default_factory=list)
    defaults: dict[str | None, Found] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_settings_file(root: Path, problems: list[Problem]) -> Found | None:
    """gradesync.yaml, or None when there is none. `.yml` is pointed out, for it would silently lift every guard."""
    if os.path.lexists(root / "gradesync.yml"):
        hint = "rename it to gradesync.yaml"
        problems.append(Problem("GS-101", "this file is called gradesync.yaml", Place("gradesync.yml"), hint))
    if not os.path.lexists(root / SETTINGS):
        return None
    return _read(str(root / SETTINGS), SETTINGS, "gradesync", None, problems)


def scan(root: Path) -> Scan:
    """Read all account files and defaults, in the order of their names."""
    result = Scan()
    base = root / FOLDER
    if not base.is_dir():
        what = "is not a folder" if os.path.lexists(base) else "is not here"
        message = f"the folder schedules {what}"
        result.problems.append(Problem("GS-101", message, Place(FOLDER), "check the folder given with -C"))
        return result
    _folder(str(base), None, result)
    return result


def _folder(path: str, group: str | None, result: Scan) -> None:
    prefix = f"{FOLDER}/{group}" if group else FOLDER
    try:
        with os.scandir(path) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        result.problems.append(_unreadable(prefix, error))
        return
    for entry in entries:
        name, file = _shown(entry.name), f"{prefix}/{_shown(entry.name)}"
        stem, dot, ending = name.rpartition(".")
        if name.startswith("."):
            continue
        if not dot or ending not in _ENDINGS:
            _other(entry, file, name, group, result)
        elif stem == "_defaults":
            if group in result.defaults:
                result.problems.append(
                    Problem("GS-103", "there are two files of defaults here", Place(file), "keep one")
                )
            else:
                result.defaults[group] = _read(entry.path, file, stem, group, result.problems)
        elif stem.startswith("_"):
            result.problems.append(_stray(file, "only _defaults.yaml may begin with `_`"))
        else:
            result.accounts.append(_read(entry.path, file, stem, group, result.problems))


def _other(entry: os.DirEntry[str], file: str, name: str, group: str | None, result: Scan) -> None:
    if not entry.is_dir():
        result.problems.append(_stray(file, "files here end in .yaml or .yml"))
    elif group is not None:
        result.problems.append(_stray(file, "groups hold files, not folders"))
    elif not is_name(name):
        result.problems.append(_stray(file, "a group's name is lower-case letters, digits, `-` and `_`"))
    else:
        _folder(entry.path, name, result)


def _shown(name: str) -> str:
    """A file's name may hold bytes that are no text; such a name is shown, never looked up again."""
    return name.encode("utf-8", "replace").decode()


def _stray(file: str, hint: str) -> Problem:
    return Problem("GS-114", "this is not read", Place(file), hint, None, True)


def _read(path: str, file: str, key: str, group: str | None, problems: list[Problem]) -> Found:
    account = key if group is not None or file.startswith(FOLDER) else None
    try:
        # Without O_NONBLOCK a named pipe would keep the reader waiting for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            about = os.fstat(handle)
            mode = about.st_mode
            if stat.S_ISREG(mode):
                return Found(file, key, group, _bytes(handle, about.st_size))
        finally:
            os.close(handle)
    except OSError as error:
        problems.append(_unreadable(file, error, account))
        return Found(file, key, group, None)
    what = "this is a folder" if stat.S_ISDIR(mode) else "this is not an ordinary file"
    problems.append(Problem("GS-101", what, Place(file), "put a file here, or remove it", account))
    return Found(file, key, group, None)


def _bytes(handle: int, size: int) -> bytes:
    """All of a file, or one byte more than the limit. A buffer for the largest costs more than reading a small one."""
    parts: list[bytes] = []
    got = 0
    while got <= MAX_BYTES and (part := os.read(handle, min(MAX_BYTES + 1 - got, max(size + 1, 4096)))):
        parts.append(part)
        got += len(part)
        if got == size:  # less than asked for, and as much as there is
            break
    return b"".join(parts)


def _unreadable(file: str, error: OSError, account: str | None = None) -> Problem:
    if isinstance(error, FileNotFoundError):
        message, hint = "this is a link to nothing", "mend the link, or remove it"
    elif isinstance(error, PermissionError):
        message, hint = "this may not be read by this user", "give the user the right to read it"
    else:
        message, hint = "this cannot be read", (os.strerror(error.errno) if error.errno else "check the disk")
    return Problem("GS-101", message, Place(file), hint, account)
