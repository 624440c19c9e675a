"""The tables of the store as SQLAlchemy Core sees them: the same for SQLite and PostgreSQL.

What creates them are the migrations; a test compares both. No statement is made and no rule is decided here.
Partial indexes name their condition for SQLite only: naming one for PostgreSQL here would load its dialect, 50 ms,
with every command. The migrations name both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An instant as microseconds since 1970 in UTC: sorts as a number, aware on the way out, refuses naive ones."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else (value - EPOCH) // _MICROSECOND

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[int | None], datetime | None]:  # noqa: ARG002 - SQLAlchemy's signature
        # Ten thousand schedules share a few hundred next runs, and a plan reads them all.
        return _instant


@lru_cache(maxsize=4096)
def _instant(value: int | None) -> datetime | None:
    return None if value is None else EPOCH + timedelta(microseconds=value)


def micros_of(value: datetime) -> int:
    """An instant as stored, for statements that pass `Instant` over."""
    return (value - EPOCH) // _MICROSECOND


def instant_of(value: int) -> datetime:
    """A stored instant read by a statement that passes `Instant` over."""
    return EPOCH + timedelta(microseconds=value)


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Single facts about the store: lineage, commit, key id, clock (the latest time written, SQLite only)."""

account = Table(
    "account",
    metadata,
    Column("key", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("retired", Boolean, nullable=False),
    Column("group_name", Text),
    Column("applied_commit", Text),
    Column("applied_at", Instant, nullable=False),
    Column("origin", Text),
    Column("formerly", Text),
    Index("ix_account_formerly", "key", sqlite_where=text("formerly IS NOT NULL")),
)
"""`origin` is the name the account's hashes are keyed with, NULL its own; `formerly` a JSON list of earlier names,
each with the last entry of its chain that is this account's."""

schedule = Table(
    "schedule",
    metadata,
    Column("account", Text, ForeignKey("account.key"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("interval_text", Text, nullable=False),
    Column("time_zone", Text, nullable=False),
    Column("posted_by", Text),
    Column("next_run_at", Instant),
    Column("retired", Boolean, nullable=False),
    Column("first_ran_at", Instant),
    Column("last_run_id", Text),
    Column("last_full_at", Instant),
    Column("formerly", Text, nullable=False),
    # A retired schedule has no next run, so this one condition keeps it out too.
    Index("ix_schedule_due", "next_run_at", sqlite_where=text("next_run_at IS NOT NULL")),
)  # fmt: skip
"""`formerly` is a JSON list of earlier names: history cannot be renamed, so it is looked up under those too."""

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("schedule", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("slot_key", Text, nullable=False),
    Column("slot_at", Instant),
    Column("trigger", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("abandoned", Integer, nullable=False),
    Column("epoch", BigInteger),
    Column("started_at", Instant),
    Column("ended_at", Instant),
    Column("late_by", Integer, nullable=False),
    Column("class_filter", Text),
    Column("reason", Text),
    Column("stop_asked", Boolean, nullable=False),
    Column("outcome", Text),
    Column("stage", Text),
    Column("counts", Text),
    Column("codes", Text),
    Column("vendor", Text),
    Column("roster", Text),
    UniqueConstraint("account", "schedule", "slot_key", name="uq_run_slot"),
    Index("uq_run_running", "account", unique=True, sqlite_where=text("state = 'running'")),
    Index("ix_run_open", "state", "created_at", sqlite_where=text("state IN ('queued', 'running')")),
    Index("ix_run_schedule", "account", "schedule", "created_at"),
    Index("ix_run_created", "created_at"),
)  # fmt: skip
"""`abandoned` counts attempts whose holder vanished; `vendor` is the erasable part of the result;
`roster` what a roster import changed, as JSON of counts."""

account_lease = Table(
    "account_lease",
    metadata,
    Column("account", Text, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("run_id", Text),
    Column("holder", Text),
    Column("host", Text),
    Column("pid", Integer),
    Column("process_start", Text),
    Column("boot_id", Text),
    Column("since", Instant),
    Column("until", Instant),
    Column("heard_at", Instant),
    Column("stage", Text),
    Column("done", Integer),
    Column("total", Integer),
)
"""One row per account, for ever: `run_id` NULL means free, `epoch` only grows. `heard_at` and what follows come with
each renewal, and nobody decides by them."""

hold = Table(
    "hold",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text),
    Column("schedule", Text),
    Column("group_name", Text),
    Column("type", Text),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("released_at", Instant),
    Column("kind", Text, nullable=False),
    Column("mark", Text),
    Column("code", Text),
    Column("tried_at", Instant),
    Index("ix_hold_end", "released_at"),
)
"""`mark`, `code` and `tried_at`: see `domain.hold.Hold`. A hold that expired is `released_at` its expiry once that was
told."""

request = Table(
    "request",
    metadata,
    Column("account", Text, primary_key=True),
    Column("schedule", Text, primary_key=True),
    Column("id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("reason", Text),
)

approval = Table(
    "approval",
    metadata,
    Column("account", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
)

waiting = Table(
    "waiting",
    metadata,
    Column("account", Text, primary_key=True),
    Column("class_id", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("code", Text, nullable=False),
    Column("assignment_id", BigInteger),
    Column("since", Instant, nullable=False),
)
"""`since`: when the record began to wait for this code."""

history_head = Table(
    "history_head",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

checkpoint_head = Table(
    "checkpoint_head",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
"""How far each chain had come at the last checkpoint; only the next checkpoint asks."""

history = Table(
    "history",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("what", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("via", Text, nullable=False),
    Column("schedule", Text),
    Column("run_id", Text),
    Column("data", Text, nullable=False),
    Column("detail_hash", Text),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Index("ix_history_at", "at"),
    Index("ix_history_schedule", "chain", "schedule", "seq"),
    # Without a hidden row number there is only one key that INSERT OR REPLACE could collide on, and it is guarded.
    sqlite_with_rowid=False,
)

history_detail = Table(
    "history_detail",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("detail", Text, nullable=False),
)
"""`detail` is a JSON string: vendor texts may hold a NUL, which PostgreSQL's text does not take."""

ledger = Table(
    "ledger",
    metadata,
    Column("account", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("class_id", Text, nullable=False),
    Column("record_id", Text, nullable=False),
    Column("sent", Text),
    Column("read_back", Text),
    Column("intent", Text),
    Column("key_id", Text),
    Index("ix_ledger_class", "account", "class_id"),
)

record_event = Table(
    "record_event",
    metadata,
    # SQLite numbers rows by itself only under the exact type INTEGER.
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("account", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("class_id", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("code", Text),
    Column("value", Text),
    Column("key_id", Text),
    Index("ix_record_event_subject", "account", "subject"),
)
"""Appended only. `value` is the keyed hash of a value, never the value; `key_id` the key it was made with."""

watermark = Table(
    "watermark",
    metadata,
    Column("account", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

alarm = Table(
    "alarm",
    metadata,
    Column("rule", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("turn", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("news_at", Instant),
    Column("told_at", Instant),
    Column("ended_at", Instant),
    Column("claimed_until", Instant),
    Column("tried_at", Instant),
    Column("attempts", Integer, nullable=False),
)
"""What each rule was told of each cause that stands (`domain.alarm.Alarm`); `account` is empty for everybody's."""

class_term = Table(
    "class_term",
    metadata,
    Column("account", Text, primary_key=True),
    Column("class_id", Text, primary_key=True),
    Column("term_id", Text, nullable=False),
    Column("ends_at", Instant, nullable=False),
)
"""When a class is over, by the SIS's catalogue of the last full run: what pruning goes by."""

roster_generation = Table(
    "roster_generation",
    metadata,
    Column("account", Text, primary_key=True),
    Column("head", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
"""The last roster import that counted: what the next one is measured against. `head` is JSON of counts."""

roster_chunk = Table(
    "roster_chunk",
    metadata,
    Column("account", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("school", Text, primary_key=True),
    Column("numbers", LargeBinary, nullable=False),
)
"""Its records by kind and school, as keyed hashes; `school` is the SIS's id of a school, never a person's."""
