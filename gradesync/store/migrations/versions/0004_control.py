"""Control that survives people and growth: what holds, guards, the ledger's terms, queued work and actors remember."""

from __future__ import annotations

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what each part of the control needs; the parts do not touch each other's tables."""
    _holds()
    _guards()
    _store()
    _workers()
    _actors()


def _holds() -> None:
    """What holds, blackouts and breakers remember."""


def _guards() -> None:
    """What plans, protection and approvals remember."""


def _store() -> None:
    """What pruning and rekeying remember."""


def _workers() -> None:
    """What queued and running work remembers."""


def _actors() -> None:
    """What the history remembers of actors and retention."""
