"""A person's consent to one change that the brake of the roster import stopped. A value without rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from gradesync.domain.roster_change import RosterChange
from gradesync.domain.run import Actor, Run

APPROVAL_LIFE = timedelta(hours=72)
"""How long an approval waits for its run: over a weekend, and no longer."""


@dataclass(frozen=True, slots=True)
class Approval:
    """Lets the change named by `digest` through in `account`, and no other. Instants are aware UTC."""

    account: str
    digest: str
    run_id: str
    actor: Actor
    reason: str
    created_at: datetime
    expires_at: datetime

    def in_force(self, now: datetime) -> bool:
        """Whether it still counts."""
        return now < self.expires_at


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval just given: the run that was stopped, and what it would change."""

    run: Run
    change: RosterChange
    approval: Approval


__all__ = ["APPROVAL_LIFE", "Approval", "Approved"]
