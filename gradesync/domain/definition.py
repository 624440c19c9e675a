"""Canonical definitions and their digests: what "the same" means for accounts and schedules.

Desired (from YAML) and recorded (from the store) meet in this one shape, so that a comparison never depends on how
either side keeps it. No YAML, no database.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gradesync.domain.problem import Place

if TYPE_CHECKING:
    from gradesync.domain.hold import Hold

NOT_COMPARED = frozenset({"interval"})
"""Kept for people to read; `canonical_interval` is what counts, so a respelling is no change."""


WRITTEN_AS = {"canonical_interval": "interval"}
"""What is compared under a name of its own, by the name people write it under."""


def canonical(definition: Mapping[str, object]) -> str:
    """JSON text with sorted keys and no spaces: equal definitions give equal text."""
    return json.dumps(definition, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(definition: Mapping[str, object]) -> str:
    """32 hex digits over what is compared of a definition."""
    compared = {key: value for key, value in definition.items() if key not in NOT_COMPARED}
    return hashlib.blake2b(canonical(compared).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class DesiredSchedule:
    """A schedule as YAML says: its canonical text (`canonical(...)`, parse with json.loads) and digest."""

    name: str
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class DesiredAccount:
    """An account as YAML says. `text` holds everything but the schedules. `moved` maps old to new schedule names."""

    key: str
    file: str
    text: str
    digest: str
    schedules: Mapping[str, DesiredSchedule]
    leaving: bool = False
    moved: Mapping[str, str] = field(default_factory=dict)
    moved_from: str | None = None


PlaceFinder = Callable[[str, tuple[str, ...]], Place]
"""(file, path of keys) -> where it stands; composing a file for positions is put off until a change needs it."""


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole tree: accounts by key, keys of accounts whose file has problems (frozen), and its commit.

    `files` counts the account files seen, `place` finds lines on demand. `dirty`: the files differ from the commit.
    """

    accounts: Mapping[str, DesiredAccount]
    frozen: frozenset[str]
    files: int
    commit: str | None
    place: PlaceFinder
    dirty: bool = False


@dataclass(frozen=True, slots=True)
class RecordedSchedule:
    """A schedule as the store last agreed to. `next_run_at` is aware UTC.

    `held`: any hold covers it now; `stopped`: one that a person placed does.
    """

    account: str
    name: str
    text: str
    digest: str
    next_run_at: datetime | None = None
    retired: bool = False
    held: bool = False
    stopped: bool = False

    @property
    def protected(self) -> bool:
        """Whether the definition last agreed to says `protect: true`, whatever the files say now."""
        # The word stands in few definitions, and parsing all of them would cost a large plan its time.
        return '"protect":true' in self.text and json.loads(self.text).get("protect") is True


@dataclass(frozen=True, slots=True)
class RecordedAccount:
    """An account as the store last agreed to; `revision` grows with every applied change of its definitions."""

    key: str
    text: str
    digest: str
    revision: int
    schedules: Mapping[str, RecordedSchedule]
    retired: bool = False


@dataclass(frozen=True, slots=True)
class Recorded:
    """All recorded accounts by key, the commit last applied, and the holds in force."""

    accounts: Mapping[str, RecordedAccount]
    commit: str | None = None
    holds: tuple[Hold, ...] = ()
