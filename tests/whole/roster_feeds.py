"""How a district's roster reaches the product: over the SIS's service, or as the files it leaves every night."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradesync.sandbox.sis_export import Records, export_files, export_records, write_zip
from gradesync.sandbox.sis_export_canvas import canvas_export_files
from gradesync.sandbox.sis_world import SisWorld
from tests.whole.roster_oracle import CanvasOracle
from tests.whole.roster_oracle_files import CanvasFilesOracle

EXPORT, BASE = "exports/roster.zip", "exports/base.zip"
RESTED = 600
"""Seconds: a file written this moment would be left to rest first."""


@dataclass
class Service:
    """The SIS's OneRoster service, read anew every night."""

    keys: str = ""
    """What stands behind the profile in the account's `sis`."""

    def export(self, world: SisWorld, root: Path) -> None:
        """Nothing is left anywhere."""

    def judge(self, oracle: Any, world: SisWorld) -> None:
        """Tell the oracle what went through."""
        assert isinstance(oracle, CanvasOracle)
        oracle.night(world.raw())


@dataclass
class Bulk(Service):
    """A whole OneRoster export every night."""

    version: str = "1.1"
    keys: str = f", roster: {{format: oneroster csv, path: {EXPORT}}}"

    def export(self, world: SisWorld, root: Path) -> None:
        write_zip(export_files(world, self.version), root / EXPORT)
        aged(root / EXPORT)


@dataclass
class Delta(Service):
    """All changes since a whole OneRoster export, which is renewed when `renew` is set."""

    version: str = "1.1"
    keys: str = f", roster: {{format: oneroster csv, path: {EXPORT}, base: {BASE}}}"
    renew: bool = True
    nights_of_changes: int = 0
    since: Records = field(default_factory=dict)

    def export(self, world: SisWorld, root: Path) -> None:
        if self.renew:
            self.since, self.renew = export_records(world, self.version), False
            write_zip(export_files(world, self.version), root / BASE)
            if not (root / EXPORT).exists():
                write_zip(export_files(world, self.version, since=self.since), root / EXPORT)
            # Changes from before the whole export, if there are any: they are in it already.
            aged(root / EXPORT, 2 * RESTED)
            aged(root / BASE)
            return
        self.nights_of_changes += 1
        aged(root / BASE, 2 * RESTED)
        write_zip(export_files(world, self.version, since=self.since), root / EXPORT)
        aged(root / EXPORT)


@dataclass
class CanvasFormat(Service):
    """Canvas's own SIS files every night."""

    keys: str = f", roster: {{format: canvas csv, path: {EXPORT}}}"

    def export(self, world: SisWorld, root: Path) -> None:
        write_zip(canvas_export_files(world), root / EXPORT)
        aged(root / EXPORT)

    def judge(self, oracle: Any, world: SisWorld) -> None:
        assert isinstance(oracle, CanvasFilesOracle)
        oracle.night(canvas_export_files(world))


def aged(path: Path, seconds: int = RESTED) -> None:
    """Let a file be as old as that."""
    then = time.time() - seconds
    os.utime(path, (then, then))
