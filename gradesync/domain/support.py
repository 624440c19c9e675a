"""What somebody far away needs to find out why a run went wrong, as one value. Pure, and nobody's data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gradesync.domain.account import Blackout
from gradesync.domain.hold import Hold
from gradesync.domain.run import Run


@dataclass(frozen=True, slots=True)
class Support:
    """A run and what stood around it when the bundle was made (`at`).

    `good` are the last runs of the schedule before it that completed, `around` the newest ones of any outcome.
    `digests` are of the recorded definitions (account, schedule): equal digests are equal settings, and nobody reads
    settings out of one. `waiting` counts the account's records by code. `versions` names programs and libraries.
    """

    at: datetime
    run: Run
    good: tuple[Run, ...] = ()
    around: tuple[Run, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    holds: tuple[Hold, ...] = ()
    blackouts: tuple[tuple[Blackout, str], ...] = ()
    waiting: Mapping[str, int] = field(default_factory=dict)
    waiting_since: Mapping[str, datetime] = field(default_factory=dict)
    store: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)


__all__ = ["Support"]
