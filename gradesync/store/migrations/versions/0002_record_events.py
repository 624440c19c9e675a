"""Since when a record waits, and the life of single records as events."""

from __future__ import annotations

import time

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add `waiting.since` and the table `record_event`."""
    # Nobody knows since when the old rows wait: they say "not later than today", which is the honest direction.
    with op.batch_alter_table("waiting") as batch:
        batch.add_column(sa.Column("since", sa.BigInteger))
    waiting = sa.table("waiting", sa.column("since", sa.BigInteger))
    op.execute(waiting.update().values(since=_now()))
    with op.batch_alter_table("waiting") as batch:
        batch.alter_column("since", existing_type=sa.BigInteger, nullable=False)
    op.create_table(
        "record_event",
        # SQLite numbers rows by itself only under the exact type INTEGER.
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("class_id", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("code", sa.Text),
        sa.Column("value", sa.Text),
        sa.Column("key_id", sa.Text),
    )
    op.create_index("ix_record_event_subject", "record_event", ["account", "subject"])


def _now() -> int:
    """Microseconds since 1970, never before the latest time this store wrote (kept on SQLite)."""
    meta = sa.table("meta", sa.column("key", sa.Text), sa.column("value", sa.Text))
    latest = op.get_bind().execute(sa.select(meta.c.value).where(meta.c.key == "clock")).scalar()
    return max(int(time.time() * 1_000_000), int(latest or 0))
