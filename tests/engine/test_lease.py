"""A lease that ends, a store that goes away, a pass that is shut down: what a run may still do, and what it says."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gradesync.domain.gradebook import Result
from gradesync.domain.history import Fact
from gradesync.domain.run import Claimed, Outcome, RunResult, RunState
from gradesync.engine.lease import LeaseGuard, kept
from gradesync.engine.reconcile import PassOptions, reconcile
from gradesync.errors import LeaseLost, StoreUnavailable
from gradesync.store.open import open_store
from tests.domain.plan_samples import schedule
from tests.engine.district import District


def away(*_: object) -> Any:
    raise StoreUnavailable("the database is away")


def put_in(target: Any, name: str, verb: Any) -> None:
    """Another verb in the place of one."""
    setattr(target, name, verb)


def owed(lease_seconds: float = 60.0) -> District:
    """A district whose first slot is due."""
    district = District()
    district.reconcile(district.tree())
    district.later(15)
    district.tools = replace(district.tools, lease_seconds=lease_seconds)
    return district


def guard_of(district: District) -> LeaseGuard:
    guard = LeaseGuard(district.tools.lease_seconds, district.tools.monotonic)
    guard.extend_from(district.tools.monotonic())
    return guard


def test_a_write_under_way_ends_with_a_lease_that_could_not_be_renewed() -> None:
    district = owed(lease_seconds=0.2)
    put_in(district.store, "renew", away)  # the database goes away in mid-run

    async def uploading() -> None:
        async with kept(district.tools, "riverside", 1, guard_of(district)):
            await asyncio.sleep(3600)

    with pytest.raises(LeaseLost):
        asyncio.run(asyncio.wait_for(uploading(), 30))


def test_a_database_that_hangs_does_not_keep_a_write_alive_past_the_lease() -> None:
    district = owed(lease_seconds=0.2)
    answers = threading.Event()

    def hangs(*_: object) -> bool:
        answers.wait(30)
        return True

    put_in(district.store, "renew", hangs)  # no answer until the test is over

    async def uploading() -> None:
        with suppress(LeaseLost):
            async with kept(district.tools, "riverside", 1, guard_of(district)):
                await asyncio.sleep(3600)
        answers.set()

    asyncio.run(asyncio.wait_for(uploading(), 20))
    assert answers.is_set()


def test_a_database_that_comes_back_before_the_lease_ends_costs_the_run_nothing() -> None:
    district = owed(lease_seconds=4)
    renew, asked = district.store.renew, 0
    enough = threading.Event()

    def sometimes(*asked_for: Any) -> bool:
        nonlocal asked
        asked += 1
        if asked < 4:
            away()
        enough.set()
        return renew(*asked_for)

    put_in(district.store, "renew", sometimes)  # away for the first three times
    sis = district.school.sis
    put = sis.put_result

    async def slow(result: Result, *, new: bool = True) -> str:
        await asyncio.to_thread(enough.wait, 30)
        return await put(result, new=new)

    put_in(sis, "put_result", slow)  # until the lease was renewed
    report = district.reconcile()
    assert report.ends[0].result is not None
    assert report.ends[0].result.outcome is Outcome.COMPLETED
    assert len(district.school.grades()) == 6


def test_a_lease_on_disk_is_renewed_beside_the_runs_own_writes(tmp_path: Path) -> None:
    district = District()
    with closing(open_store(tmp_path / "store.db", create=True, clock=lambda: district.school.now)) as store:
        district.store = store  # type: ignore[assignment]  # another kind
        district.tools = replace(district.tools, store=store, lease_seconds=2)
        district.reconcile(district.tree())
        district.later(15)
        renew, renewed = store.renew, threading.Event()

        def counted(*asked_for: Any) -> bool:
            ours = renew(*asked_for)
            renewed.set()
            return ours

        put_in(store, "renew", counted)
        put = district.school.sis.put_result

        async def slow(result: Result, *, new: bool = True) -> str:
            await asyncio.to_thread(renewed.wait, 20)
            return await put(result, new=new)

        put_in(district.school.sis, "put_result", slow)
        report = district.reconcile()
        assert report.ends[0].result is not None
        assert report.ends[0].result.outcome is Outcome.COMPLETED
        assert len(district.school.grades()) == 6


def test_a_bug_in_renewing_ends_the_right_to_write() -> None:
    district = owed(lease_seconds=0.2)

    def broken(*_: object) -> bool:
        raise ZeroDivisionError

    put_in(district.store, "renew", broken)  # a bug of ours

    async def working() -> None:
        guard = guard_of(district)
        try:
            async with kept(district.tools, "riverside", 1, guard):
                await asyncio.sleep(3600)
        finally:
            assert guard.lost

    with pytest.raises(LeaseLost):
        asyncio.run(asyncio.wait_for(working(), 30))


def test_a_shutdown_in_the_moment_a_lease_is_lost_stays_a_shutdown() -> None:
    district = owed(lease_seconds=0.04)

    async def both() -> None:
        task = asyncio.current_task()
        assert task is not None

        def taken(*_: object) -> bool:
            loop.call_soon_threadsafe(task.cancel)
            return False

        loop = asyncio.get_running_loop()
        put_in(district.store, "renew", taken)  # the lease and the process end together
        async with kept(district.tools, "riverside", 1, guard_of(district)):
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(3600)
            await asyncio.sleep(3600)

    async def whole() -> None:
        task = asyncio.create_task(both())
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(asyncio.wait_for(whole(), 30))


def test_a_shutdown_stays_one_when_the_run_cannot_be_handed_back() -> None:
    district = owed()
    writing = asyncio.Event()

    async def stuck(result: Result, *, new: bool = True) -> str:
        writing.set()
        await asyncio.sleep(3600)
        return result.id

    put_in(district.school.sis, "put_result", stuck)  # a SIS that never answers
    put_in(district.store, "hand_back", away)  # and a database that is away

    async def interrupted() -> None:
        task = asyncio.create_task(reconcile(district.tools, PassOptions()))
        await writing.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(interrupted())


def test_a_shutdown_that_an_error_outshines_still_starts_no_other_run() -> None:
    district = District()
    district.reconcile(district.tree(more={"later": schedule()}))
    district.later(15)
    writing = asyncio.Event()

    async def fails_when_stopped(result: Result, *, new: bool = True) -> str:
        writing.set()
        try:
            await asyncio.sleep(3600)
            return result.id
        except asyncio.CancelledError:
            raise ZeroDivisionError from None

    put_in(district.school.sis, "put_result", fails_when_stopped)  # answers a cancel with a bug
    started: list[str] = []
    claim = district.store.claim

    def counting(*given: Any) -> Any:
        started.append(given[0])
        return claim(*given)

    put_in(district.store, "claim", counting)  # to see what is claimed

    async def interrupted() -> None:
        task = asyncio.create_task(reconcile(district.tools, PassOptions()))
        await writing.wait()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    asyncio.run(interrupted())
    assert len(started) == 1


def test_a_run_whose_end_meets_a_restarting_database_is_written_down_once() -> None:
    district = owed()
    finish, asked = district.store.finish, 0

    def restarting(claimed: Claimed, result: RunResult, facts: Sequence[Fact]) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            away()
        finish(claimed, result, facts)
        if asked == 2:
            # Committed, and the connection broke before the answer came.
            away()

    async def at_once(_: float) -> None:
        return None

    district.tools = replace(district.tools, sleep=at_once)
    put_in(district.store, "finish", restarting)  # away twice
    report = district.reconcile()
    assert report.ends[0].result is not None
    assert report.ends[0].result.outcome is Outcome.COMPLETED
    assert [run.state for run in district.runs()] == [RunState.ENDED]
    assert len(district.history("run ended")) == 1
    assert asked == 3


def test_a_run_that_loses_its_store_fails_as_that_and_not_as_a_bug() -> None:
    district = owed()
    put_in(district.store, "records", lambda claimed: Deaf())  # no store
    report = district.reconcile()
    assert report.ends[0].result is not None
    assert (report.ends[0].result.outcome, report.ends[0].result.codes) == (Outcome.FAILED, {"GS-705": 1})


class Deaf:
    """Records of a store that is away."""

    def __getattr__(self, name: str) -> Any:
        return away
