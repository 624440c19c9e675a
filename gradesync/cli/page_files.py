"""Puts a page on the disk as a whole: made beside its place, then put there, so that no reader meets half of one.

Only a folder that is empty, or that holds a page made here before, is ever replaced.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from gradesync.errors import GradesyncError

MARKER = ".gradesync-page"
"""Tells a page from a folder that somebody else fills."""

_MARKED = b"Made by `gradesync page`. All of this folder is replaced each time the page is made.\n"


class NoPlaceForPage(GradesyncError):
    """The folder asked for is not one that a page may replace."""


@dataclass(frozen=True, slots=True)
class Put:
    """What was written."""

    files: int
    bytes: int
    largest: int


def check_place(target: Path) -> None:
    """Raises NoPlaceForPage, before anything is made, where a page must not go."""
    try:
        _check_place(target)
    except OSError as error:
        raise _unwritable(target, error) from None


def _check_place(target: Path) -> None:
    if target.is_symlink():
        raise NoPlaceForPage(
            f"{target} is a symbolic link; a page is never written through one",
            hint=f"name the folder itself: -o {target.resolve()}",
        )
    if not target.exists():
        stands = next(one for one in target.absolute().parents if one.exists())
        if not stands.is_dir():
            raise NoPlaceForPage(
                f"{stands} is a file, and a page is a folder", hint="name another folder with -o"
            )
        return
    if not target.is_dir():
        raise NoPlaceForPage(
            f"{target} is a file, and a page is a folder", hint="name another folder with -o"
        )
    if any(target.iterdir()) and not (target / MARKER).is_file():
        raise NoPlaceForPage(
            f"{target} holds files that are no page of gradesync's, and all of a folder is replaced",
            hint="name an empty folder or a new one with -o, such as -o site",
        )


def put(target: Path, files: Iterable[tuple[str, bytes]]) -> Put:
    """Write the files and put them where `target` is, in place of what a page left there.

    Folders and files can be read by everybody on the machine: a web server is somebody else. Raises NoPlaceForPage.
    """
    check_place(target)
    target = target.absolute()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise _unwritable(target, error) from None
    try:
        done = _write(made, files)
        _swap(made, target)
    except OSError as error:
        raise _unwritable(target, error) from None
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return done


def _write(folder: Path, files: Iterable[tuple[str, bytes]]) -> Put:
    number = size = largest = 0
    known: set[str] = {""}
    folder.chmod(0o755)
    # For as long as it takes: else each file and each folder would need a call of its own for its rights.
    before = os.umask(0o022)
    try:
        _write_one(f"{folder}/{MARKER}", _MARKED)
        for name, content in files:
            parent = name.rpartition("/")[0]
            if parent not in known:
                _make(folder, parent, known)
            _write_one(f"{folder}/{name}", content)
            number, size, largest = number + 1, size + len(content), max(largest, len(content))
    finally:
        os.umask(before)
    return Put(number, size, largest)


def _make(folder: Path, parent: str, known: set[str]) -> None:
    parts = parent.split("/")
    for number in range(1, len(parts) + 1):
        part = "/".join(parts[:number])
        if part not in known:
            os.mkdir(f"{folder}/{part}", 0o755)  # noqa: PTH102 - a path object for each costs as much as the folder
            known.add(part)


def _write_one(path: str, content: bytes) -> None:
    # A page is thousands of small files: a file object for each costs as much as the writing.
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        written = os.write(handle, content)
        while written < len(content):
            written += os.write(handle, memoryview(content)[written:])
    finally:
        os.close(handle)


def _swap(made: Path, target: Path) -> None:
    """Two renames: what stood there steps aside, the new one takes its place, and only then is the old one removed."""
    aside = made.with_name(f"{made.name}.old")
    # Somebody may have put something there since it was looked at.
    check_place(target)
    stood = target.exists()
    if stood:
        target.rename(aside)
    try:
        made.rename(target)
    except OSError:
        if stood:
            aside.rename(target)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> NoPlaceForPage:
    return NoPlaceForPage(
        f"the page cannot be written to {target}: {error.strerror}",
        hint="give this user the right to write there, or name another folder with -o",
    )


__all__ = ["MARKER", "NoPlaceForPage", "Put", "check_place", "put"]
