"""A folder for student data that lasts as long as one run, and no longer even when the run is killed.

Only its owner may look into it. A process that dies cannot tidy up, so the next one does: each folder holds a locked
file, and a folder whose lock is free belongs to nobody any more.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "gradesync-roster-"
_MAKING = "gradesync-making-"
HELD = ".held"
"""The locked file: empty, and nothing of the run."""


@contextmanager
def private_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new folder (0700) under `parent` (the system's temporary folder), gone when the block ends.

    Folders left by processes that were killed are removed first; those of living ones and of other users stay.
    """
    place = Path(tempfile.gettempdir()) if parent is None else parent
    _sweep(place)
    made = Path(tempfile.mkdtemp(prefix=_MAKING, dir=place))
    folder = place / made.name.replace(_MAKING, PREFIX)
    with open(made / HELD, "wb", opener=_mine_alone) as held:
        # The system itself lets go of the lock when the process ends, however it ends. Taken before the folder has
        # its name, or another run's sweep might meet it unlocked.
        fcntl.flock(held, fcntl.LOCK_EX)
        made.rename(folder)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _mine_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sweep(place: Path) -> None:
    for folder in place.glob(f"{PREFIX}*"):
        if (
            not folder.is_symlink()
            and folder.is_dir()
            and folder.stat().st_uid == os.getuid()
            and _left(folder)
        ):
            shutil.rmtree(folder, ignore_errors=True)


def _left(folder: Path) -> bool:
    """Whether nobody holds the folder. One without the file we lock is none of ours, so it stays."""
    try:
        with (folder / HELD).open("rb") as held:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
