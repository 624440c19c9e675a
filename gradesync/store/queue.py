"""The queue on PostgreSQL: runs are put on it inside the store's own transaction, and once more when they got lost.

Procrastinate delivers and decides nothing: a job carries the id of a run and no more, and whether that run may start is
decided by `leases.claim` alone, whoever brings it and however often. So a job may be lost, doubled or delivered late
without harm. Its tables are its own; only what is needed to see whether a run is on its way is read here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import procrastinate
import psycopg
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.manager import JobManager
from procrastinate.schema import SchemaManager
from psycopg import AsyncConnection
from psycopg.errors import InsufficientPrivilege
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import URL, or_, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import TextClause

from gradesync.domain.run import Run, RunState, Trigger, run_order
from gradesync.errors import StoreUnavailable
from gradesync.store import tables as t
from gradesync.store.database import SESSION_SETTINGS, Database, Tx
from gradesync.store.holder import is_over
from gradesync.store.rows import holder_of, run_of

TASK = "gradesync.run"
"""The one kind of job: carry out the run whose id is its argument `run`."""

QUEUE = "gradesync"

STALLED = 30.0
"""Seconds without a sign of life after which a worker's jobs are given to others. Workers give one every ten."""

_BATCH = 1000
_LOCK_KEY = 7_402_912
"""PostgreSQL advisory lock: one process prepares the queue, or looks for lost jobs, at a time."""

_MARK = "gradesync, delivery of runs; schema "
"""Begins the comment on Procrastinate's table of jobs; what follows is the newest of its migrations applied."""

# Its own index is scanned whole for every candidate of a fetch; this one answers from a few rows.
_INDEX = (
    "CREATE INDEX IF NOT EXISTS ix_gradesync_jobs_lock ON procrastinate_jobs (lock, priority DESC, id) "
    "WHERE status IN ('todo', 'doing')"
)

Deliveries = procrastinate.App
"""What a worker takes jobs from."""


class Queue:
    """Puts runs on the queue; `queue_of` makes one for a database."""

    def defer(self, tx: Tx, runs: Iterable[Run]) -> None:
        """One job per run, in the order in which they should start, on the transaction's own connection."""
        jobs = [_job(run) for run in sorted(runs, key=run_order)]
        connection = tx.connection.connection.driver_connection
        try:
            for at in range(0, len(jobs), _BATCH):
                _manager().batch_defer_jobs(jobs[at : at + _BATCH], connection=connection)
        except ConnectorException as problem:
            raise _refused(problem) from problem

    def redeliver(self, tx: Tx, grace: float) -> int:
        """Give lost workers' jobs up, and put every run that waits without a job on the queue; answers how many.

        A run whose account is being worked in waits for the next look: its job could only meet a busy account.
        """
        if not tx.connection.execute(text(f"SELECT pg_try_advisory_xact_lock({_LOCK_KEY})")).scalar_one():
            return 0
        tx.connection.execute(_GIVE_UP, {"queue": QUEUE, "seconds": STALLED})
        waiting = _undelivered(tx, grace)
        self.defer(tx, waiting)
        return len(waiting)


_GIVE_UP: TextClause = text(
    "DELETE FROM procrastinate_jobs j WHERE j.queue_name = :queue AND ("
    "j.status NOT IN ('todo', 'doing') OR (j.status = 'doing' AND NOT EXISTS ("
    "SELECT 1 FROM procrastinate_workers w WHERE w.id = j.worker_id"
    " AND w.last_heartbeat > clock_timestamp() - make_interval(secs => :seconds))))"
)
"""A job is only a messenger: one that has done its errand, or whose worker is silent, is worth nothing. Putting it back
instead could fail on a sibling, and a worker that wakes up again finds its job gone and its run fenced."""

_ON_ITS_WAY = text(
    "NOT EXISTS (SELECT 1 FROM procrastinate_jobs j WHERE j.queueing_lock = run.id AND j.status IN ('todo', 'doing'))"
)


def _undelivered(tx: Tx, grace: float) -> list[Run]:
    """Runs to be claimed that have no job: queued ones of free accounts, and running ones whose lease is over."""
    r, lease = t.run.c, t.account_lease.c
    now = tx.now()
    free = (
        select(*t.run.columns)
        .select_from(t.run.outerjoin(t.account_lease, lease.account == r.account))
        .where(r.state == RunState.QUEUED.value, lease.run_id.is_(None), _ON_ITS_WAY)
        # A person's own run is claimed by the process that queued it a moment ago; afterwards it is anybody's.
        .where(or_(r.trigger != Trigger.BY_HAND.value, r.attempt > 0, r.created_at < now - _BY_HAND))
    )
    held = (
        select(*t.run.columns, *(lease[name] for name in _HOLDER))
        .select_from(t.run.join(t.account_lease, lease.run_id == r.id))
        .where(r.state == RunState.RUNNING.value, _ON_ITS_WAY)
    )
    over = [row for row in tx.execute(held) if is_over(holder_of(row), row.until, now, grace)]
    return [run_of(row) for row in (*tx.execute(free), *over)]


_BY_HAND = timedelta(minutes=1)

_HOLDER = ("holder", "host", "pid", "process_start", "boot_id", "until")


def _job(run: Run) -> Job:
    """The messenger of a run. People's requests go first; its lock is the account, so that few meet a busy one."""
    return Job(
        queue=QUEUE,
        task_name=TASK,
        lock=run.schedule.account,
        queueing_lock=run.id,
        priority=0 if run.trigger is Trigger.SLOT else 10,
        task_kwargs={"run": run.id},
    )


@lru_cache(maxsize=1)
def _manager() -> JobManager:
    """Only makes statements; it has no connection of its own."""
    return JobManager(procrastinate.SyncPsycopgConnector())


def _refused(problem: Exception) -> StoreUnavailable:
    return StoreUnavailable(
        "The queue in the store's database cannot be used",
        hint=f"Look at the rights on Procrastinate's tables, and at the database ({type(problem).__name__}).",
    )


def queue_of(database: Database) -> Queue:
    """The store's queue, prepared when it is not yet. Raises StoreUnavailable where there can be none."""
    if database.on_sqlite:
        raise no_queue(database.kind)
    prepare(database)
    return Queue()


def no_queue(kind: str) -> StoreUnavailable:
    """The error of a store that has no queue."""
    return StoreUnavailable(
        f"A queue needs a store on PostgreSQL, and this one is {kind}",
        hint="Point `store` to a PostgreSQL URL, or let `gradesync reconcile --loop` do the runs in one process.",
    )


_prepared: set[str] = set()


def prepare(database: Database) -> None:
    """Bring the queue's tables to the installed Procrastinate's; once per process and database.

    Needs the right to create tables the first time and after an upgrade. Raises StoreUnavailable for a newer queue and
    for tables of somebody else's.
    """
    if database.place in _prepared:
        return
    newest = _migrations()[-1].stem
    with database.read() as tx:
        found = _found(tx)
    if found != newest:
        with database.write() as tx:
            tx.connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})")
            found = _found(tx)
            if found != newest:
                _bring_up(tx, found, newest)
    _prepared.add(database.place)


def _migrations() -> list[Path]:
    return sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql"))


def _found(tx: Tx) -> str | None:
    """The queue's newest migration; None while there is no queue, "" for one that is not ours."""
    # A look into the table, and not to_regclass: that answers from the session's cache, which is not cleared while the
    # session waits for the lock, so a queue that somebody else has just made would not be seen.
    row = tx.connection.exec_driver_sql(
        "SELECT coalesce(obj_description(oid, 'pg_class'), '') FROM pg_catalog.pg_class"
        " WHERE relname = 'procrastinate_jobs' AND pg_table_is_visible(oid)"
    ).one_or_none()
    if row is None:
        return None
    comment = str(row[0])
    return comment.removeprefix(_MARK) if comment.startswith(_MARK) else ""


def _bring_up(tx: Tx, found: str | None, newest: str) -> None:
    if found is not None and (not found or found > newest):
        whose = f"prepared by a newer Procrastinate ({found})" if found else "somebody else's"
        raise StoreUnavailable(
            f"The queue in the store's database is {whose}",
            hint="Upgrade gradesync's extra `cluster` on this machine, or give the store a database of its own.",
        )
    if found is None:
        steps: Sequence[str] = [SchemaManager.get_schema()]
    else:
        steps = [path.read_text(encoding="utf-8") for path in _migrations() if path.stem > found]
    driver = tx.connection.connection.driver_connection
    assert driver is not None  # the connection is open
    try:
        for step in steps:
            # Straight to the driver: a percent sign in a function's text is no parameter.
            driver.execute(step)
        driver.execute(_INDEX)
        driver.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{_MARK}{newest}'")
    except InsufficientPrivilege:
        state = "not prepared yet" if found is None else "older than this gradesync needs"
        raise StoreUnavailable(
            f"The queue in the store's database is {state}, and this user may not make tables",
            hint="The owner of the tables runs `gradesync store migrate --backed-up` on a machine with the extra "
            "`cluster`, and then what `gradesync store grants` writes.",
        ) from None
    except psycopg.Error as problem:
        # As if SQLAlchemy had run it, so that the database's own sentence (out of time, gone, full) is told.
        raise DBAPIError.instance("the queue's tables", None, problem, psycopg.Error) from problem


class _Connector(procrastinate.PsycopgConnector):
    """The library's own; but while it opens, trouble with the database comes out as that of everything else it does."""

    async def open_async(self, pool: AsyncConnectionPool[Any] | None = None) -> None:
        """Make the connections. Raises ConnectorException when the database is away."""
        try:
            await super().open_async(pool)
        except psycopg.Error as away:
            raise ConnectorException from away


def deliveries(url: URL) -> Deliveries:
    """The queue as a worker takes from it, over connections of its own; to be opened by the caller."""

    async def configure(connection: AsyncConnection[object]) -> None:
        await connection.execute(SESSION_SETTINGS)
        await connection.commit()

    connector = _Connector(
        conninfo=url.set(drivername="postgresql").render_as_string(hide_password=False),
        configure=configure,
        min_size=1,
        max_size=4,
        timeout=10,
        kwargs={"application_name": "gradesync worker"},
    )
    return procrastinate.App(connector=connector)
