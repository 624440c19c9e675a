"""Finds the files of a tree: `gradesync.yaml`, `schedules/*.yaml|yml`, one level of groups, `_defaults.yaml`.

Plain reading of folders and bytes. What cannot be read is a problem with a place; what nobody reads is a warning.
A link that leads out of the tree is never followed. Whoever quotes a file of the tree reads it with `tree_text`.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from gradesync.config.findings import is_name
from gradesync.config.within import real_path
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
    link = str(root) if (root / SETTINGS).is_symlink() else None
    return _read(str(root / SETTINGS), SETTINGS, "gradesync", None, problems, link)


def tree_text(root: Path, file: str) -> str | None:
    """The text of a file of the tree, to quote its lines; None for what may not or cannot be read."""
    path, wrong = real_path(str(root), str(root / file))
    if wrong is not None:
        return None
    try:
        text, _ = _opened(path)
        return None if text is None else text.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except (OSError, UnicodeDecodeError):
        return None


def scan(root: Path) -> Scan:
    """Read all account files and defaults, in the order of their names."""
    result = Scan()
    base = root / FOLDER
    if not base.is_dir():
        what = "is not a folder" if os.path.lexists(base) else "is not here"
        message = f"the folder schedules {what}"
        hint = "start gradesync in the folder of the tree, or name it with -C"
        if what == "is not here" and os.path.lexists(root / SETTINGS):
            hint = "Git drops a folder that has no file left: put a file back into it, such as schedules/.gitkeep"
        result.problems.append(Problem("GS-101", message, Place(FOLDER), hint))
        return result
    if base.is_symlink() and (wrong := real_path(str(root), str(base))[1]) is not None:
        _refused(str(base), FOLDER, wrong, None, result)
    else:
        _folder(str(root), str(base), None, result)
    return result


def _refused(path: str, file: str, wrong: str, group: str | None, result: Scan) -> None:
    """A linked folder that is not of the tree. Its names freeze their accounts, for absent ones would be retired."""
    result.problems.append(Problem("GS-101", wrong, Place(file), "put the folder itself here"))
    folders = [(path, file, group)]
    for folder, prefix, within in folders:
        try:
            with os.scandir(folder) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            name = _shown(entry.name)
            stem, dot, ending = name.rpartition(".")
            if dot and ending in _ENDINGS and is_name(stem):
                result.accounts.append(Found(f"{prefix}/{name}", stem, within, None))
            elif within is None and is_name(name) and entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, f"{prefix}/{name}", name))


def _folder(root: str, path: str, group: str | None, result: Scan) -> None:
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
        link = root if entry.is_symlink() else None  # told by the listing, without a look at the file
        if not dot or ending not in _ENDINGS:
            _other(root, entry, file, group, result)
        elif stem == "_defaults":
            if group in result.defaults:
                result.problems.append(
                    Problem("GS-103", "there are two files of defaults here", Place(file), "keep one")
                )
            else:
                result.defaults[group] = _read(entry.path, file, stem, group, result.problems, link)
        elif stem.startswith("_"):
            result.problems.append(_stray(file, "only _defaults.yaml may begin with `_`"))
        else:
            result.accounts.append(_read(entry.path, file, stem, group, result.problems, link))


def _other(root: str, entry: os.DirEntry[str], file: str, group: str | None, result: Scan) -> None:
    name = _shown(entry.name)
    if not entry.is_dir():
        result.problems.append(_stray(file, "files here end in .yaml or .yml"))
    elif group is not None:
        result.problems.append(_stray(file, "groups hold files, not folders"))
    elif not is_name(name):
        result.problems.append(_stray(file, "a group's name is lower-case letters, digits, `-` and `_`"))
    elif entry.is_symlink() and (wrong := real_path(root, entry.path)[1]) is not None:
        _refused(entry.path, file, wrong, name, result)
    else:
        _folder(root, entry.path, name, result)


def _shown(name: str) -> str:
    """A file's name may hold bytes that are no text; such a name is shown, never looked up again."""
    return name.encode("utf-8", "replace").decode()


def _stray(file: str, hint: str) -> Problem:
    return Problem("GS-114", "this is not read", Place(file), hint, None, True)


def _read(
    path: str, file: str, key: str, group: str | None, problems: list[Problem], link: str | None
) -> Found:
    """Read one file. `link` is the tree's root when the file is a link, whose end must then lie in the tree."""
    account = key if group is not None or file.startswith(FOLDER) else None
    if link is not None:
        path, wrong = real_path(link, path)
        if wrong is not None:
            problems.append(Problem("GS-101", wrong, Place(file), "write the file itself", account))
            return Found(file, key, group, None)
    try:
        text, mode = _opened(path)
    except OSError as error:
        problems.append(_unreadable(file, error, account))
        return Found(file, key, group, None)
    if text is None:
        what = "this is a folder" if stat.S_ISDIR(mode) else "this is not an ordinary file"
        problems.append(Problem("GS-101", what, Place(file), "put a file here, or remove it", account))
    return Found(file, key, group, text)


_FLAGS = (
    os.O_RDONLY
    # Without it a named pipe would keep the reader waiting for ever.
    | getattr(os, "O_NONBLOCK", 0)
    # Links were judged before: what has become one since is not followed.
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_BINARY", 0)
)


def _opened(path: str) -> tuple[bytes | None, int]:
    """The bytes of an ordinary file, None for anything else, and the mode. Raises OSError."""
    handle = os.open(path, _FLAGS)
    try:
        about = os.fstat(handle)
        return (_bytes(handle, about.st_size) if stat.S_ISREG(about.st_mode) else None), about.st_mode
    finally:
        os.close(handle)


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
        message, hint = "this is a link to nothing", "fix the link, or remove it"
    elif isinstance(error, PermissionError):
        message, hint = "this may not be read by this user", "give the user the right to read it"
    else:
        message, hint = "this cannot be read", (os.strerror(error.errno) if error.errno else "check the disk")
    return Problem("GS-101", message, Place(file), hint, account)
