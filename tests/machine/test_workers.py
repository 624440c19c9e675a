"""Workers as real processes on a real PostgreSQL: one run per account, whoever dies, freezes or is asked to end.

Leases and looks last seconds here (see tools.crash_storm.zygote), so that a lost worker is missed within the test.
"""

from __future__ import annotations

import itertools
import logging
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from gradesync.sandbox.remote import teach_over_http
from tests.whole.harness import GRADES, Judge
from tools.crash_storm.judge import late_writes
from tools.crash_storm.scene import LATENCY, Scene, Write, scene

PATIENCE = 45.0


def until(what: Callable[[], object], why: str) -> Any:
    ends_at = time.monotonic() + PATIENCE
    while time.monotonic() < ends_at:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(why)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    logging.getLogger(
        "aiohttp.server"
    ).disabled = True  # it would tell of every connection of a killed process
    with scene(tmp_path_factory.mktemp("workers"), "postgresql", accounts=2, guard=True) as stage:
        yield stage
    logging.getLogger("aiohttp.server").disabled = False


@pytest.fixture
def stage(whole: Scene) -> Iterator[Scene]:
    """The districts with grades to carry, nobody at work, and what went before forgotten."""
    for number, account in enumerate(whole.accounts):
        teach_over_http(whole.sandbox.url, account, seed=next(_seeds) + number, style="regrade-all")
    whole.ask("DELETE FROM procrastinate_jobs")
    whole.writes.seen.clear()
    yield whole
    whole.writes.told = lambda _: None
    for pid in whole.living():
        whole.signal(pid, signal.SIGKILL)
    assert "something broke" not in whole.spoken(), whole.spoken()


_seeds = itertools.count(1, 10)


def rows(stage: Scene, query: str) -> list[dict[str, Any]]:
    found = stage.ask(query)
    assert found is not None
    return found


def open_runs(stage: Scene) -> int:
    return int(rows(stage, "SELECT count(*) AS n FROM run WHERE state <> 'ended'")[0]["n"])


def owe(stage: Scene) -> int:
    """Both schedules of each account on the queue; answers how many runs there were before."""
    before = len(rows(stage, "SELECT 1 FROM run"))
    for account in stage.accounts:
        stage.tree.all_due(account)
    done = stage.tree.run("reconcile", "--due", "--enqueue")
    assert done.code == 0, done.said
    assert "4 runs given to workers" in done.out
    return before


def new_runs(stage: Scene, before: int) -> list[dict[str, Any]]:
    return rows(stage, "SELECT * FROM run ORDER BY created_at")[before:]


def at_write(stage: Scene, number: int, act: Callable[[Write], None], district: str = "district0") -> None:
    left = [number]

    def told(write: Write) -> None:
        if write.district == district and "/sis_imports" not in write.what:
            left[0] -= 1
            if left[0] == 0:
                act(write)

    stage.writes.told = told


def settled(stage: Scene) -> None:
    until(lambda: open_runs(stage) == 0, f"runs are left:\n{stage.spoken()}")
    for account in stage.accounts:
        assert Judge(stage.sandbox, account).verdict() == ""
    assert late_writes(stage.writes.seen) == []


def test_two_workers_carry_every_run_out_once_and_the_list_tells_of_them(stage: Scene) -> None:
    before = owe(stage)
    reached: list[str] = []

    def linger(_: Write) -> None:
        stage.sandbox.front.latency_ms = 500
        reached.append("now")

    at_write(stage, 10, linger)
    workers = [stage.begin("worker", "--name", name) for name in ("north", "south")]
    until(lambda: reached, stage.spoken())
    shown = stage.tree.run("list").out
    stage.sandbox.front.latency_ms = LATENCY
    assert "running  district0/grades: " in shown
    assert "heard of" in shown
    settled(stage)
    assert [run["attempt"] for run in new_runs(stage, before)] == [1] * 4
    assert rows(stage, "SELECT 1 FROM procrastinate_jobs") == []
    for pid in workers:
        stage.signal(pid, signal.SIGTERM)
    until(lambda: not stage.living(), "a worker did not end")
    assert stage.spoken().count("stopped; what was unfinished was handed back") >= 2


def test_a_killed_workers_run_is_taken_over_by_another(stage: Scene) -> None:
    owe(stage)
    first = stage.begin("worker", "--name", "first")
    killed: list[Write] = []

    def kill(write: Write) -> None:
        os.kill(first, signal.SIGKILL)
        killed.append(write)

    at_write(stage, 15, kill)
    until(lambda: killed, stage.spoken())
    stage.begin("worker", "--name", "second")
    settled(stage)
    lost = rows(stage, "SELECT run_id FROM history WHERE what = 'run abandoned'")
    assert killed[0].run in {one["run_id"] for one in lost}


def test_a_worker_asked_to_end_hands_back_at_a_class_boundary_and_nothing_is_sent_twice(stage: Scene) -> None:
    before = owe(stage)
    first = stage.begin("worker", "--name", "first")
    at_write(stage, 15, lambda _: os.kill(first, signal.SIGTERM))
    until(lambda: not stage.living(), stage.spoken())
    [run] = [
        run for run in new_runs(stage, before) if (run["account"], run["schedule"]) == ("district0", GRADES)
    ]
    assert (run["state"], run["attempt"], run["abandoned"]) == ("queued", 1, 0)
    assert rows(stage, "SELECT 1 FROM account_lease WHERE run_id IS NOT NULL") == []
    stage.begin("worker", "--name", "second")
    settled(stage)
    sent = [write.what for write in stage.writes.seen if write.what.startswith("PUT")]
    assert len(sent) == len(set(sent)), "a class is finished before its run is handed back"


def test_jobs_that_vanished_are_delivered_again_by_the_next_pass(stage: Scene) -> None:
    owe(stage)
    rows(stage, "DELETE FROM procrastinate_jobs")
    done = stage.tree.run("reconcile", "--due", "--enqueue")
    assert "4 runs given to workers (4 of earlier passes)" in done.out
    stage.begin("worker")
    settled(stage)


def test_a_database_that_goes_away_for_a_moment_stops_no_worker(stage: Scene) -> None:
    owe(stage)
    stage.begin("worker")
    restarted: list[Write] = []
    at_write(stage, 15, restarted.append)
    until(lambda: restarted, stage.spoken())
    stage.restart_database()
    until(lambda: stage.ask("SELECT 1"), "the database is away")
    until(lambda: open_runs(stage) == 0, stage.spoken())
    owe(stage)  # a run whose ledger could not be written says so and leaves the rest to the next slot
    settled(stage)
    assert stage.living(), "the worker is still there"
    assert stage.tree.run("history", "--verify").code == 0
