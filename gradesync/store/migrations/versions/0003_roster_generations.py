"""The last good roster read, who approved what the brake stopped, and what a roster import changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `roster_generation`, `roster_chunk` and `run.roster`; make `approval` anew."""
    op.add_column("run", sa.Column("roster", sa.Text))
    op.create_table(
        "roster_generation",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "roster_chunk",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("school", sa.Text, primary_key=True),
        sa.Column("numbers", sa.LargeBinary, nullable=False),
    )
    # No command of an earlier version wrote approvals, so none is lost.
    op.drop_table("approval")
    op.create_table(
        "approval",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
    )
