"""Alarms: what each rule of `notify` was told of each cause that stands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the one table; what stands is told with the next pass."""
    op.create_table(
        "alarm",
        sa.Column("rule", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("turn", sa.Integer, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("raised_at", sa.BigInteger, nullable=False),
        sa.Column("news_at", sa.BigInteger),
        sa.Column("told_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("claimed_until", sa.BigInteger),
        sa.Column("tried_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False),
    )
