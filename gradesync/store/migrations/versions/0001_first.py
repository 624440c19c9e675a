"""The first schema, and the triggers that make the history append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "meta",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "account",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("group_name", sa.Text),
        sa.Column("applied_commit", sa.Text),
        sa.Column("applied_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "schedule",
        sa.Column("account", sa.Text, sa.ForeignKey("account.key"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("interval_text", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text, nullable=False),
        sa.Column("posted_by", sa.Text),
        sa.Column("next_run_at", sa.BigInteger),
        sa.Column("retired", sa.Boolean, nullable=False),
        sa.Column("first_ran_at", sa.BigInteger),
        sa.Column("last_run_id", sa.Text),
        sa.Column("last_full_at", sa.BigInteger),
        sa.Column("formerly", sa.Text, nullable=False),
    )
    op.create_index(
        "ix_schedule_due",
        "schedule",
        ["next_run_at"],
        sqlite_where=sa.text("next_run_at IS NOT NULL"),
        postgresql_where=sa.text("next_run_at IS NOT NULL"),
    )
    op.create_table(
        "run",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("schedule", sa.Text, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("slot_key", sa.Text, nullable=False),
        sa.Column("slot_at", sa.BigInteger),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("abandoned", sa.Integer, nullable=False),
        sa.Column("epoch", sa.BigInteger),
        sa.Column("started_at", sa.BigInteger),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("late_by", sa.Integer, nullable=False),
        sa.Column("class_filter", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("stop_asked", sa.Boolean, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.Column("stage", sa.Text),
        sa.Column("counts", sa.Text),
        sa.Column("codes", sa.Text),
        sa.Column("vendor", sa.Text),
        sa.UniqueConstraint("account", "schedule", "slot_key", name="uq_run_slot"),
    )
    op.create_index(
        "uq_run_running",
        "run",
        ["account"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )
    op.create_index(
        "ix_run_open",
        "run",
        ["state", "created_at"],
        sqlite_where=sa.text("state IN ('queued', 'running')"),
        postgresql_where=sa.text("state IN ('queued', 'running')"),
    )
    op.create_index("ix_run_schedule", "run", ["account", "schedule", "created_at"])
    op.create_index("ix_run_created", "run", ["created_at"])
    op.create_table(
        "account_lease",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("holder", sa.Text),
        sa.Column("host", sa.Text),
        sa.Column("pid", sa.Integer),
        sa.Column("process_start", sa.Text),
        sa.Column("boot_id", sa.Text),
        sa.Column("since", sa.BigInteger),
        sa.Column("until", sa.BigInteger),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("account", sa.Text),
        sa.Column("schedule", sa.Text),
        sa.Column("group_name", sa.Text),
        sa.Column("type", sa.Text),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("released_at", sa.BigInteger),
        sa.Column("kind", sa.Text, nullable=False),
    )
    op.create_table(
        "request",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("schedule", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text),
    )
    op.create_table(
        "approval",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "waiting",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("class_id", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("assignment_id", sa.BigInteger),
    )
    op.create_table(
        "history_head",
        sa.Column("chain", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "history",
        sa.Column("chain", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("via", sa.Text, nullable=False),
        sa.Column("schedule", sa.Text),
        sa.Column("run_id", sa.Text),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("detail_hash", sa.Text),
        sa.Column("previous", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_history_at", "history", ["at"])
    op.create_index("ix_history_schedule", "history", ["chain", "schedule", "seq"])
    op.create_table(
        "history_detail",
        sa.Column("chain", sa.Text, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_table(
        "ledger",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, primary_key=True),
        sa.Column("class_id", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("sent", sa.Text),
        sa.Column("read_back", sa.Text),
        sa.Column("intent", sa.Text),
        sa.Column("key_id", sa.Text),
    )
    op.create_index("ix_ledger_class", "ledger", ["account", "class_id"])
    op.create_table(
        "watermark",
        sa.Column("account", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        _guard_on_sqlite()
    else:
        _guard_on_postgresql()


def _guard_on_sqlite() -> None:
    """Refuse UPDATE and DELETE; and an INSERT over an existing key, because INSERT OR REPLACE fires neither."""
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER history_no_{verb.lower()} BEFORE {verb} ON history "
            "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
        )
    op.execute(
        "CREATE TRIGGER history_no_replace BEFORE INSERT ON history "
        "WHEN EXISTS (SELECT 1 FROM history WHERE chain = NEW.chain AND seq = NEW.seq) "
        "BEGIN SELECT RAISE(ABORT, 'history is append-only'); END"
    )


def _guard_on_postgresql() -> None:
    """Refuse UPDATE, DELETE and TRUNCATE.

    The table's owner can drop triggers: where that matters, let an owner of its own migrate and grant the
    application role no more than INSERT and SELECT on `history`.
    """
    op.execute(
        "CREATE FUNCTION history_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'history is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER history_no_change BEFORE UPDATE OR DELETE ON history "
        "FOR EACH ROW EXECUTE FUNCTION history_refuse()"
    )
    op.execute(
        "CREATE TRIGGER history_no_truncate BEFORE TRUNCATE ON history "
        "FOR EACH STATEMENT EXECUTE FUNCTION history_refuse()"
    )
