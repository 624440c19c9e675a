"""Reading exports in tests: what a sound one becomes, and the faults of one that is not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

import pytest

from gradesync.connectors.oneroster_csv import OneRosterCsvSource
from gradesync.connectors.roster_faults import RosterFilesProblem
from gradesync.connectors.roster_package import Limits
from gradesync.connectors.roster_pickup import Picked
from gradesync.connectors.spool import ListIntake
from gradesync.domain.roster import Roster


@dataclass
class There:
    """A pickup of files that are where they are."""

    newest: Path
    base: Path | None = None
    looks: int = 0

    async def fetch(self) -> Picked:
        return Picked(self.newest, self.base)

    async def unchanged(self) -> None:
        self.looks += 1


def read(
    path: Path, base: Path | None = None, *, guardians: bool = False, limits: Limits | None = None
) -> Roster:
    source = OneRosterCsvSource(There(path, base), guardians=guardians, limits=limits or Limits())
    intake = ListIntake()
    asyncio.run(source.read_roster(lambda _done, _total: None, intake))
    return intake.roster()


def faults(path: Path, base: Path | None = None, limits: Limits | None = None) -> list[str]:
    with pytest.raises(RosterFilesProblem) as caught:
        read(path, base, limits=limits)
    assert caught.value.code == "GS-610"
    return [str(one) for one in caught.value.faults]
