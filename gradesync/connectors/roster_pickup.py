"""Picking up the newest export of a SIS from this machine: found by pattern, not too old, and no longer written to.

A zip that is still being copied looks like a damaged one, and a folder half filled like a district half gone, so
files are left to rest before they are read, and looked at again afterwards. What is in them is not known here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path
from typing import Protocol

from gradesync.errors import ConnectionProblem

Sleep = Callable[[float], Awaitable[None]]
Stamp = Mapping[str, tuple[int, int]]
"""File name -> its size and its time of change, in nanoseconds."""

RESTED = 120.0
"""Seconds after its last change from which a file needs no second look."""
LOOK_AGAIN = 10.0
"""Seconds between two looks at a file that was changed just now."""
LOOKS = 30
"""Looks after which a file that keeps changing is given up for this run."""
LARGEST = 2 * 1024**3
"""Bytes an export may have: more is no roster, and would fill a disk."""


@dataclass(frozen=True, slots=True)
class Picked:
    """The newest export, and the one its changes count from, where the account names one. Zips or folders."""

    newest: Path
    base: Path | None = None


class Pickup(Protocol):
    """Brings the files of a run. One object per run."""

    async def fetch(self) -> Picked:
        """The files, the same at every call. Raises ConnectionProblem GS-611 and GS-612, and what a server answers."""
        ...

    async def unchanged(self) -> None:
        """Raise ConnectionProblem GS-612 when the files are no longer those that `fetch` brought."""
        ...


def missing(what: str = "No roster file is where the account says") -> ConnectionProblem:
    """There is none."""
    hint = "look at `sis.roster.path`, and whether the SIS's export ran"
    return ConnectionProblem(f"{what}.", code="GS-611", hint=hint)


def too_old(hours: float, most: int) -> ConnectionProblem:
    """The newest is no longer new; `most` is in minutes."""
    return ConnectionProblem(
        f"The newest roster file is {hours:.0f} hours old; at most {most / 60:.0f} are allowed.",
        code="GS-611",
        hint="see why the SIS's export did not arrive, or raise `sis.roster.max_age`",
    )


def restless() -> ConnectionProblem:
    """It is still being written."""
    return ConnectionProblem(
        "The roster files changed while they were read, or are still being written.",
        code="GS-612",
        hint="the next run tries again; plan the schedule later than the SIS's export",
        retryable=True,
    )


def too_large() -> ConnectionProblem:
    """It would fill a disk."""
    return ConnectionProblem(
        f"The roster file is larger than {LARGEST // 1024**3} GiB.",
        code="GS-610",
        hint="look at what the SIS exports; a roster of a million enrollments has less than a tenth of that",
    )


class LocalPickup:
    """Pickup from a folder of this machine. `root` is the tree, which relative paths count from."""

    def __init__(
        self,
        root: Path,
        path: str,
        *,
        base: str | None,
        max_age: int,
        now: Callable[[], float] = time.time,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._root, self._path, self._base, self._max_age = root, path, base, max_age
        self._now, self._sleep = now, sleep
        self._picked: Picked | None = None
        self._stamps: dict[Path, Stamp] = {}

    async def fetch(self) -> Picked:
        """See Pickup. A base may be of any age: what changes count from is as old as the school year."""
        if self._picked is None:
            newest = await self._rested(self._path)
            base = None if self._base is None else await self._rested(self._base)
            if newest is None:
                raise missing()
            if base is not None and _changed(self._stamps[base]) >= _changed(self._stamps[newest]):
                # Changes from before a whole export are in it already.
                newest, base = base, None
            hours = (self._now() - _changed(self._stamps[newest])) / 3600
            if hours * 60 > self._max_age:
                raise too_old(hours, self._max_age)
            self._picked = Picked(newest, base)
        return self._picked

    async def unchanged(self) -> None:
        """See Pickup."""
        for path, stamp in self._stamps.items():
            if await asyncio.to_thread(_stamp, path) != stamp:
                raise restless()

    async def _rested(self, pattern: str) -> Path | None:
        """The newest of a pattern, once it has come to rest; None when nothing fits."""
        for _ in range(LOOKS):
            path = await asyncio.to_thread(_newest, self._root, pattern)
            stamp = None if path is None else await asyncio.to_thread(_stamp, path)
            if path is None or not stamp:
                return None
            if sum(size for size, _ in stamp.values()) > LARGEST:
                raise too_large()
            if self._now() - _changed(stamp) < RESTED:
                await self._sleep(LOOK_AGAIN)
                if await asyncio.to_thread(_stamp, path) != stamp:
                    continue
            self._stamps[path] = stamp
            return path
        raise restless()


def _newest(root: Path, pattern: str) -> Path | None:
    """The newest zip, or folder with CSV files, that fits the pattern; of a plain folder without any its newest zip."""
    # Path.glob refuses patterns that begin at the root, and a district's drop folder mostly lies outside the tree.
    names = glob(pattern, root_dir=root) if has_magic(pattern) else [pattern]  # noqa: PTH207 - see above
    found = [root / one for one in names]
    candidates = [one for path in found for one in _exports(path)]
    rated = [(max(seen), path.name, path) for path in candidates if (seen := _times(path))]
    return max(rated)[2] if rated else None


def _times(path: Path) -> list[int]:
    return [changed for _, changed in _stamp(path).values()]


def _exports(path: Path) -> list[Path]:
    """What at this path is an export: the file or folder itself, or the zips in a folder."""
    if not path.is_dir():
        return [path] if path.is_file() else []
    if any(path.glob("*.csv")):
        return [path]
    return [one for one in path.glob("*.zip") if one.is_file()]


def _stamp(path: Path) -> Stamp:
    """Sizes and times of the file, or of the CSV files in the folder; empty when it is gone."""
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    seen: dict[str, tuple[int, int]] = {}
    for file in files:
        try:
            about = file.stat()
        except OSError:
            continue
        seen[file.name] = (about.st_size, about.st_mtime_ns)
    return seen


def _changed(stamp: Stamp) -> float:
    """When the youngest of the files was last changed, in seconds since the epoch."""
    return max(changed for _, changed in stamp.values()) / 1e9
