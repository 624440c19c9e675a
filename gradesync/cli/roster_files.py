"""Copies a roster's files into a folder that only its owner can read. They hold names, so Git must not see them either.

The one place where a command leaves a roster behind; a run itself keeps its files in a private folder and drops them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from gradesync.errors import GradesyncError

MARK = ".gradesync-roster"
"""A file that tells a folder of ours from one with other people's files."""

WARNING = (
    "{folder} holds student data in plain text: names, logins, classes. Look at it on this machine, pass it on to "
    "nobody, and delete it when you are done."
)


def prepare(folder: Path) -> None:
    """Make the folder, or take over one that an earlier dry run made. Raises GradesyncError for any other.

    Done before anything is read, so that nothing is fetched for a folder that cannot take it.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise GradesyncError(f"{folder} is no folder", hint="name another with --csv-to DIR")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise GradesyncError(
            f"{folder} holds other files",
            hint="name a folder of its own with --csv-to DIR; it is made anew",
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    for old in folder.glob("*.csv"):
        # Files of last week beside a run that failed today would pass for today's.
        old.unlink()
    for name, text in ((MARK, "Written by `gradesync run --dry-run --csv-to`.\n"), (".gitignore", "*\n")):
        (folder / name).unlink(missing_ok=True)
        with os.fdopen(_created(folder / name), "w", encoding="utf-8") as file:
            file.write(text)


def copy_into(folder: Path, files: Mapping[str, Path]) -> None:
    """Copy the files, by name, into a prepared folder."""
    for name, path in files.items():
        with os.fdopen(_created(folder / name), "wb") as target, path.open("rb") as source:
            shutil.copyfileobj(source, target)


def _created(path: Path) -> int:
    """A new file that nobody else can read at any moment, and never through a link somebody left there."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)


__all__ = ["MARK", "WARNING", "copy_into", "prepare"]
