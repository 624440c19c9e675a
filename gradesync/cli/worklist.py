"""Writes worklists into a folder that only its owner can read. They hold names, so Git must not see them either."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gradesync.errors import GradesyncError

if TYPE_CHECKING:
    from gradesync.domain.worklist import OtherList, TeacherList, Worklist

MARK = ".gradesync-worklist"
"""A file that tells a folder of ours from one with other people's files."""


def prepare(folder: Path) -> None:
    """Make the folder, or take over one that an earlier worklist made. Raises GradesyncError for any other.

    Done before anything is read, so that no name is fetched for a folder that cannot take it.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise GradesyncError(f"{folder} is no folder", hint="name another with --worklist DIR")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise GradesyncError(
            f"{folder} holds other files",
            hint="name a folder of its own with --worklist DIR; it is made anew",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    _write(folder / MARK, "Lists written by `gradesync explain --worklist`; the next call replaces them.\n")
    _write(folder / ".gitignore", "*\n")


def write(found: Worklist, folder: Path) -> None:
    """Replace the lists in the folder by these."""
    from gradesync.reporting.lists import list_name, list_text

    for old in folder.glob("*.csv"):
        # A list of last week would have people do what is done.
        old.unlink()
    lists: list[TeacherList | OtherList] = [*found.files, *found.others]
    for one in lists:
        _write(folder / list_name(one), list_text(one, found.time_zone))


def _write(path: Path, text: str) -> None:
    """A new file that nobody else can read at any moment, and never through a link somebody left there."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        file.write(text)


__all__ = ["MARK", "prepare", "write"]
