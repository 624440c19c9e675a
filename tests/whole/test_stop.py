"""A stop reaches a run in another process within one renewal: nothing is written after it, its counts are right, and
the next run goes on from there.

The process at work keeps a lease of four seconds instead of sixty, so that a renewal is a second away; everything
else is the command as people start it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import (
    GRADES,
    KEY,
    SECONDS,
    SOURCES,
    Done,
    Judge,
    Tree,
    at_request,
    created_twice,
    end_of,
)

LEASE = 4.0
SHORT_LEASE = f"""
import dataclasses, sys
from gradesync.wiring import App
usual = App.tools
App.tools = lambda *args, **named: dataclasses.replace(usual(*args, **named), lease_seconds={LEASE})
from gradesync.cli.main import run
sys.exit(run(sys.argv[1:]))
"""
AT_ONCE = 40
"""More requests than any account has under way at once: so many answers a stop may cut off."""


def start(tree: Tree, *args: str) -> subprocess.Popen[str]:
    """A command whose leases are short, as a process of its own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB_"))}
    clean |= {"PYTHONPATH": str(SOURCES), "HOME": str(tree.root)}
    clean |= {"GRADESYNC_TEST_KEY": KEY, "GRADESYNC_TEST_STORE": tree.store or ""}
    return subprocess.Popen(
        [sys.executable, "-c", SHORT_LEASE, "-C", str(tree.root), *args],
        env=clean,
        cwd=tree.root,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


BOTH = pytest.mark.parametrize("place", ["SQLite", "PostgreSQL"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Tree, Sandbox, Judge]]:
    """A school whose people are in Canvas and whose grades wait for their slot, behind a slow line."""
    new_database: Callable[[], str] | None = None
    if getattr(request, "param", "SQLite") == "PostgreSQL":
        new_database = request.getfixturevalue("new_database")
    with running(["riverside"], students=24) as sandbox:
        tree = Tree(tmp_path / "tree", sandbox, store=new_database() if new_database else None)
        tree.prepare("riverside/roster-nightly")
        assert tree.run("reconcile").code in (0, 3)
        tree.make_due(f"riverside/{GRADES}")
        sandbox.front.latency_ms = 150
        sandbox.forget_requests()
        yield tree, sandbox, Judge(sandbox)


@contextmanager
def at_write(sandbox: Sandbox, number: int, act: Callable[[], None]) -> Iterator[None]:
    with at_request(sandbox, number, act, method="PUT") as reached:
        yield
    assert reached.is_set(), "there was not as much to write as the test needs"


def at(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def last_run(tree: Tree) -> dict[str, Any]:
    return tree.runs()[-1]


def check_stopped(tree: Tree, sandbox: Sandbox) -> None:
    """The run ended as stopped within one renewal, wrote nothing afterwards, and counted what it wrote."""
    run = last_run(tree)
    assert (run["state"], run["outcome"]) == ("ended", "stopped")
    assert json.loads(run["codes"])["GS-708"] == 1
    (asked,) = tree.told("stop asked")
    waited = at(run["ended_at"]) - at(asked["at"])
    # A quarter of the lease is a renewal; the rest is for a busy machine, and still no more than one lease.
    assert waited <= timedelta(seconds=LEASE)
    puts = [r for r in sandbox.requests if r.method == "PUT"]
    # Noted by the server when it answers, and nobody was let in before the last one had arrived.
    assert all(r.at <= at(run["ended_at"]) for r in puts)
    # How long each stage took stands beside the counts.
    counts = {word: n for word, n in json.loads(run["counts"]).items() if not word.startswith("seconds of")}
    words = ("sent", "line items sent", "taken, not read back", "line items taken, not read back")
    counted, taken = sum(counts.get(word, 0) for word in words), sum(r.status < 300 for r in puts)
    assert counted > 0
    assert counted <= taken <= counted + AT_ONCE
    (ended,) = [e for e in tree.told("run ended") if e["run_id"] == run["id"]]
    told = json.loads(ended["data"])
    assert told["counts"] == {word: n for word, n in counts.items() if n}
    assert (told["stopped by"], told["why"]) == (asked["actor"], json.loads(asked["data"])["reason"])


def check_next_goes_on(tree: Tree, sandbox: Sandbox, judge: Judge) -> None:
    """The next slot carries the rest, and makes nothing a second time."""
    sandbox.front.latency_ms = 0
    tree.make_due(f"riverside/{GRADES}")
    done = tree.run("reconcile")
    assert done.code in (0, 3), done.said
    assert judge.verdict() == ""
    assert created_twice(sandbox) == []


def test_a_stopped_roster_import_leaves_canvas_its_import_and_the_next_run_takes_it_up(
    tmp_path: Path,
) -> None:
    with running(["riverside"], students=24, populated=False) as sandbox:
        sandbox.schools["riverside"].canvas.settings.import_delay = 3.0
        tree = Tree(tmp_path / "tree", sandbox)
        tree.prepare("riverside/roster-nightly")
        stops: list[subprocess.Popen[str]] = []
        work = start(tree, "reconcile")
        with at_request(
            sandbox,
            1,
            lambda: stops.append(tree.start("stop", "riverside", "--reason", "wrong term")),
            method="GET",
            path="/sis_imports/",
        ) as reached:
            end_of(work)
        assert reached.is_set()
        assert end_of(stops[0]).code == 0
        run = last_run(tree)
        assert (run["outcome"], json.loads(run["codes"])) == ("stopped", {"GS-708": 1})
        assert json.loads(run["counts"])["sent"] > 0
        tree.make_due("riverside/roster-nightly")
        done = tree.run("reconcile")
        assert done.code in (0, 3), done.said
        assert last_run(tree)["outcome"] in ("completed", "warning")
        sent = [r for r in sandbox.requests if r.method == "POST" and r.path.endswith("/sis_imports")]
        assert len(sent) == 1, "the import that was under way is the next run's too"


@BOTH
def test_stopping_an_account_ends_the_run_of_another_process(place: tuple[Tree, Sandbox, Judge]) -> None:
    tree, sandbox, judge = place
    stops: list[subprocess.Popen[str]] = []
    work = start(tree, "reconcile")
    with at_write(
        sandbox, 25, lambda: stops.append(tree.start("stop", "riverside", "--reason", "wrong term"))
    ):
        passed = end_of(work)
    stop = end_of(stops[0])
    assert stop.code == 0, stop.said
    assert "was asked to stop" in stop.err
    assert "stopped" in stop.out
    assert "stopped at" in passed.said
    assert "wrong term" in passed.said, "whoever reads the pass's log learns who stopped it and why"
    check_stopped(tree, sandbox)
    (asked,) = tree.told("stop asked")
    assert json.loads(asked["data"])["reason"] == "wrong term"
    assert "wrong term" in tree.run("history", "riverside").out
    check_next_goes_on(tree, sandbox, judge)


def test_pausing_now_stops_what_runs_and_keeps_the_next_from_starting(
    place: tuple[Tree, Sandbox, Judge],
) -> None:
    tree, sandbox, judge = place
    stops: list[subprocess.Popen[str]] = []
    work = start(tree, "run", f"riverside/{GRADES}", "--full", "--yes")
    pause = ("pause-all", "--type", "grade-passback", "--reason", "leaked key", "--now")
    with at_write(sandbox, 25, lambda: stops.append(tree.start(*pause))):
        assert end_of(work).code == 3, "whoever started it learns that it did not come to its end"
    done = end_of(stops[0])
    assert done.code == 0, done.said
    check_stopped(tree, sandbox)
    sandbox.forget_requests()
    tree.make_due(f"riverside/{GRADES}")
    assert "held by" in tree.run("reconcile").out
    assert sandbox.count(method="PUT") == 0
    assert tree.run("resume", "--type", "grade-passback").code == 0
    check_next_goes_on(tree, sandbox, judge)


@pytest.mark.parametrize("place", ["PostgreSQL"], indirect=True)
def test_a_workers_run_is_stopped_and_the_worker_goes_on(place: tuple[Tree, Sandbox, Judge]) -> None:
    tree, sandbox, judge = place
    stops: list[subprocess.Popen[str]] = []
    worker = start(tree, "worker")
    try:
        stop = ("stop", "riverside", "--reason", "wrong term")
        with at_write(sandbox, 25, lambda: stops.append(tree.start(*stop))):
            assert tree.run("reconcile", "--enqueue").code == 0
            done = end_of(wait_for(stops))
        assert done.code == 0, done.said
        check_stopped(tree, sandbox)
        sandbox.front.latency_ms = 0
        tree.make_due(f"riverside/{GRADES}")
        assert tree.run("reconcile", "--enqueue").code == 0
        ended = time.monotonic() + SECONDS
        while last_run(tree)["state"] != "ended" and time.monotonic() < ended:
            time.sleep(0.1)
        assert judge.verdict() == ""
    finally:
        worker.terminate()
        end_of(worker)


def wait_for(processes: list[subprocess.Popen[str]]) -> subprocess.Popen[str]:
    """The process that somebody else starts."""
    ended = time.monotonic() + SECONDS
    while not processes and time.monotonic() < ended:
        time.sleep(0.05)
    return processes[0]


def test_a_run_whose_process_was_killed_is_stopped_at_once(place: tuple[Tree, Sandbox, Judge]) -> None:
    tree, sandbox, judge = place
    work = start(tree, "reconcile")
    with at_write(sandbox, 25, work.kill):
        assert end_of(work).code == -9
    stop: Done = tree.run("stop", last_run(tree)["id"], "--reason", "not tonight")
    assert stop.code == 0, stop.said
    assert "its process was gone already" in stop.err
    assert (last_run(tree)["state"], last_run(tree)["outcome"]) == ("ended", "stopped")
    assert tree.run("stop", last_run(tree)["id"], "--reason", "again").code == 1
    check_next_goes_on(tree, sandbox, judge)
