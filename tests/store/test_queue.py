"""The queue on PostgreSQL: runs and their jobs come and go together, and no lost job loses a run."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from procrastinate.exceptions import ProcrastinateException
from procrastinate.schema import SchemaManager
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url

from gradesync.domain.run import Run, Trigger
from gradesync.errors import StoreUnavailable
from gradesync.ports import SlotClaim, Store
from gradesync.store.memory import MemoryStore
from gradesync.store.open import open_queue, open_store
from gradesync.store.queue import Deliveries, deliveries
from tests.store.conftest import Place, _place
from tests.store.samples import DONE, ELSEWHERE, GRADES, T0, FakeClock, claim, minutes, new_run, queue, school


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with _place("postgresql", request, tmp_path) as place:
        yield place
        with psycopg.connect(place.url, autocommit=True) as session:
            if session.execute("SELECT to_regclass('procrastinate_jobs')").fetchone() != (None,):
                session.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(place: Place, clock: FakeClock) -> Iterator[Store]:
    with closing(place.open(clock)) as store:
        yield store


def jobs(place: Place, where: str = "true") -> list[dict[str, Any]]:
    with psycopg.connect(place.url, row_factory=dict_row) as session:
        return session.execute(
            f"SELECT * FROM procrastinate_jobs WHERE {where} ORDER BY id".encode()
        ).fetchall()


@contextmanager
def worker(place: Place, *, silent_for: float = 0) -> Iterator[int]:
    """A row of a worker that was heard of so many seconds ago."""
    with psycopg.connect(place.url, autocommit=True) as session:
        row = session.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (clock_timestamp() - make_interval(secs => %s)) RETURNING id",
            [silent_for],
        ).fetchone()
        assert row is not None
        yield int(row[0])


def fetched_by(place: Place, number: int) -> None:
    with psycopg.connect(place.url, autocommit=True) as session:
        session.execute("SELECT * FROM procrastinate_fetch_job_v2(NULL, %s)", [number])


def waiting(store: Store, slot: str = "") -> Run:
    """A run of a slot that was queued without the queue."""
    run = new_run(slot=slot or minutes(next(_slots)).isoformat())
    assert store.add_run(run)
    return run


_slots = itertools.count(100)


def owed(store: Store) -> SlotClaim:
    school(store)
    run = new_run(slot=T0.isoformat())
    return SlotClaim(GRADES, T0, minutes(15), run)


def test_a_claimed_slot_and_its_job_are_there_together(store: Store, place: Place) -> None:
    [run] = store.claim_slots([owed(store)], enqueue=True)
    [job] = jobs(place)
    assert job["args"] == {"run": run.id}
    assert (job["lock"], job["queueing_lock"], job["status"]) == ("riverside", run.id, "todo")


def test_a_slot_that_somebody_else_has_claimed_brings_no_job(store: Store, place: Place) -> None:
    slot = owed(store)
    store.claim_slots([slot], enqueue=True)
    assert store.claim_slots([slot], enqueue=True) == []
    assert len(jobs(place)) == 1


def test_what_is_rolled_back_leaves_neither_a_run_nor_a_job(store: Store, place: Place) -> None:
    store.redeliver()  # makes the queue
    place.execute("ALTER TABLE procrastinate_jobs ADD CONSTRAINT no_more CHECK (false) NOT VALID")
    try:
        with pytest.raises(StoreUnavailable, match="queue"):
            store.claim_slots([owed(store)], enqueue=True)
    finally:
        place.execute("ALTER TABLE procrastinate_jobs DROP CONSTRAINT no_more")
    assert store.queued_runs() == []
    assert [row.next_run_at for row in store.due_rows(T0)] == [T0], "the slot is still owed"
    assert jobs(place) == []


def test_a_job_that_vanished_is_sent_again_once(store: Store, place: Place) -> None:
    store.claim_slots([owed(store)], enqueue=True)
    place.execute("DELETE FROM procrastinate_jobs")
    assert store.redeliver() == 1
    assert store.redeliver() == 0
    assert len(jobs(place)) == 1


def test_a_run_queued_without_a_worker_in_mind_is_delivered_too(store: Store, place: Place) -> None:
    school(store)
    run = waiting(store)
    assert store.redeliver() == 1
    assert [job["queueing_lock"] for job in jobs(place)] == [run.id]


def test_a_run_somebody_works_on_is_not_delivered_and_neither_is_its_account(
    store: Store, place: Place
) -> None:
    school(store)
    first, second = waiting(store), waiting(store)
    claimed = claim(store, first)
    assert store.redeliver() == 0
    store.finish(claimed, DONE, [])
    assert store.redeliver() == 1
    assert [job["queueing_lock"] for job in jobs(place)] == [second.id]


def test_a_run_whose_worker_died_is_delivered_once_its_lease_is_over(
    store: Store, place: Place, clock: FakeClock
) -> None:
    school(store)
    run = waiting(store)
    claim(store, run)
    clock.forward(74)
    assert store.redeliver() == 0
    clock.forward(2)  # 60 s of lease and 15 s of grace are over
    assert store.redeliver() == 1
    again = store.claim(run.id, ELSEWHERE, 60)
    assert getattr(again, "epoch", None) == 2


def test_a_silent_workers_jobs_go_to_others_and_a_live_ones_stay(store: Store, place: Place) -> None:
    store.claim_slots([owed(store)], enqueue=True)
    with worker(place, silent_for=5) as live:
        fetched_by(place, live)
        assert store.redeliver() == 0
        assert [job["status"] for job in jobs(place)] == ["doing"]
    place.execute("UPDATE procrastinate_workers SET last_heartbeat = clock_timestamp() - interval '31 s'")
    assert store.redeliver() == 1
    assert [job["status"] for job in jobs(place)] == ["todo"]


def test_a_persons_own_run_is_left_to_the_process_that_queued_it(
    store: Store, place: Place, clock: FakeClock
) -> None:
    school(store)
    assert queue(store).trigger is Trigger.BY_HAND
    assert store.redeliver() == 0
    clock.forward(61)
    assert store.redeliver() == 1


def test_requests_come_before_slots(store: Store, place: Place) -> None:
    store.claim_slots([owed(store)], enqueue=True)
    asked = replace(new_run(slot="request:1"), trigger=Trigger.REQUEST)
    store.add_run(asked)
    store.redeliver()
    order = sorted(jobs(place), key=lambda job: (-job["priority"], job["id"]))
    assert order[0]["queueing_lock"] == asked.id


def test_two_that_look_for_lost_jobs_at_once_send_one(store: Store, place: Place) -> None:
    school(store)
    waiting(store)
    store.redeliver()
    place.execute("DELETE FROM procrastinate_jobs")
    with psycopg.connect(place.url) as other:
        other.execute("SELECT pg_advisory_xact_lock(7402912)")
        assert store.redeliver() == 0, "somebody else is looking"
    assert store.redeliver() == 1


def test_the_queue_survives_a_second_opening_and_refuses_a_newer_one(place: Place) -> None:
    with closing(place.open(None)) as store:
        school(store)
        store.redeliver()
    open_queue(place.url)
    place.execute("COMMENT ON TABLE procrastinate_jobs IS 'gradesync, delivery of runs; schema 99.00'")
    from gradesync.store import queue as module

    module._prepared.clear()
    try:
        with pytest.raises(StoreUnavailable, match="newer"):
            open_queue(place.url)
        place.execute("COMMENT ON TABLE procrastinate_jobs IS NULL")
        with pytest.raises(StoreUnavailable, match="somebody else's"):
            open_queue(place.url)
    finally:
        place.execute("DROP TABLE procrastinate_jobs CASCADE")
        place.spoilt = True
        module._prepared.clear()


def test_two_that_make_the_queue_at_once_make_one(postgresql_server: str) -> None:
    # The second looks, finds no queue and waits for the first; then it must see what the first has made.
    from gradesync.store import queue as module

    with psycopg.connect(postgresql_server, autocommit=True) as watch:
        watch.execute("DROP DATABASE IF EXISTS two_at_once")
        watch.execute("CREATE DATABASE two_at_once TEMPLATE template")
        url = postgresql_server.replace("/postgres?", "/two_at_once?")
        with psycopg.connect(url) as first, ThreadPoolExecutor() as pool:
            first.execute("SELECT pg_advisory_xact_lock(7402912)")
            first.execute(SchemaManager.get_schema().encode())
            newest = module._migrations()[-1].stem
            first.execute(f"COMMENT ON TABLE procrastinate_jobs IS '{module._MARK}{newest}'".encode())
            second = pool.submit(open_queue, url)
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while watch.execute(waits).fetchone() == (0,):
                assert not second.done()
                time.sleep(0.01)
            first.commit()
            assert isinstance(second.result(timeout=30), Deliveries)


def test_a_database_that_is_away_while_a_worker_opens_the_queue_is_the_queues_own_trouble(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A worker takes it for that and tries again; anything else would end it.
    opening = AsyncConnectionPool.open

    async def patient_for_a_moment(pool: AsyncConnectionPool, wait: bool = False) -> None:
        await opening(pool, wait=wait, timeout=0.1)

    async def begin() -> None:
        async with deliveries(make_url("postgresql://nobody@127.0.0.1:9/none")).open_async():
            raise AssertionError("nothing listens there")

    monkeypatch.setattr(AsyncConnectionPool, "open", patient_for_a_moment)
    with pytest.raises(ProcrastinateException):
        asyncio.run(begin())


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_store_without_a_queue_says_so_and_changes_nothing(kind: str, tmp_path: Path) -> None:
    store: Store = MemoryStore() if kind == "memory" else open_store(tmp_path / "store.db", create=True)
    with closing(store):
        slot = owed(store)
        for call in (lambda: store.claim_slots([slot], enqueue=True), store.redeliver):
            with pytest.raises(StoreUnavailable, match="PostgreSQL"):
                call()
        assert store.queued_runs() == []
        assert len(store.due_rows(T0)) == 1
