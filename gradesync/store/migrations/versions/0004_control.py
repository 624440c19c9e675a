"""Control that survives people and growth: what holds, guards, the ledger's terms, queued work and actors remember."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

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
    with op.batch_alter_table("hold") as batch:
        batch.add_column(sa.Column("mark", sa.Text))
        batch.add_column(sa.Column("code", sa.Text))
        batch.add_column(sa.Column("tried_at", sa.BigInteger))
    op.create_index("ix_hold_end", "hold", ["released_at"])


def _guards() -> None:
    """What plans, protection and approvals remember: the names an account had before."""
    op.add_column("account", sa.Column("origin", sa.Text))
    op.add_column("account", sa.Column("formerly", sa.Text))


def _store() -> None:
    """What pruning remembers, and a short way to the few accounts that had another name."""
    op.create_index(
        "ix_account_formerly",
        "account",
        ["key"],
        sqlite_where=sa.text("formerly IS NOT NULL"),
        postgresql_where=sa.text("formerly IS NOT NULL"),
    )
    op.create_table(
        "class_term",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("class_id", sa.Text, primary_key=True),
        sa.Column("term_id", sa.Text, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
    )


def _workers() -> None:
    """What queued and running work remembers."""
    op.add_column("account_lease", sa.Column("heard_at", sa.BigInteger))
    op.add_column("account_lease", sa.Column("stage", sa.Text))
    op.add_column("account_lease", sa.Column("done", sa.Integer))
    op.add_column("account_lease", sa.Column("total", sa.Integer))


def _actors() -> None:
    """What the history remembers of actors and retention."""
    op.create_table(
        "checkpoint_head",
        sa.Column("chain", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
