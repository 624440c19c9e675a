"""Passes beside passes, people beside passes: one works, the others say so, and nothing is made twice."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import (
    GRADES,
    ROSTER,
    SECONDS,
    Judge,
    Tree,
    at_request,
    created_twice,
    end_of,
    writes,
)

ACCOUNT = "riverside"
ID = f"{ACCOUNT}/{GRADES}"


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    """On SQLite."""
    with _prepared(tmp_path, None) as tree:
        yield tree


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Tree]:
    """On SQLite, and on PostgreSQL."""
    store = None
    if request.param == "postgresql":
        new_database: Callable[[], str] = request.getfixturevalue("new_database")
        store = new_database()
    with _prepared(tmp_path, store) as tree:
        yield tree


@contextmanager
def _prepared(tmp_path: Path, store: str | None) -> Iterator[Tree]:
    with running((ACCOUNT,), students=24) as sandbox:
        tree = Tree(tmp_path, sandbox, store=store)
        tree.prepare()
        yield tree


@contextmanager
def _busy(sandbox: Sandbox, tree: Tree, *command: str) -> Iterator[subprocess.Popen[str]]:
    """A command held up in the middle of its writing for as long as the body takes."""
    with at_request(sandbox, 3, lambda: _slow_down(sandbox, 300), method="PUT") as reached:
        process = tree.start(*command)
        try:
            assert reached.wait(SECONDS)
            yield process
            assert process.poll() is None, "the body took longer than the run: it proved nothing"
            _slow_down(sandbox, 0)
            end = end_of(process)
            assert end.code in (0, 3), end.said
        finally:
            _slow_down(sandbox, 0)
            process.kill()
            process.wait()


def _slow_down(sandbox: Sandbox, milliseconds: float) -> None:
    sandbox.front.latency_ms = milliseconds


def _ended_well(tree: Tree, runs: int) -> None:
    assert Judge(tree.sandbox).verdict() == ""
    assert created_twice(tree.sandbox) == []
    assert len([run for run in tree.runs() if run["outcome"] in ("completed", "warning")]) == runs


def test_a_second_pass_says_who_works_and_a_run_by_hand_ends_with_4(either: Tree) -> None:
    tree = either
    tree.make_due(ID)
    with _busy(tree.sandbox, tree, "reconcile"):
        tree.make_due(f"{ACCOUNT}/{ROSTER}")
        second = tree.run("reconcile")
        assert second.code == 0, second.said
        assert "busy" in second.said.lower()
        by_hand = tree.run("run", ID)
        assert by_hand.code == 4, by_hand.said
        assert f"gradesync request {ID}" in by_hand.err
    assert tree.sandbox.count(method="POST", side="canvas") <= _graphql(tree.sandbox)
    assert tree.run("reconcile").code in (0, 3)
    _ended_well(tree, runs=2)


def _graphql(sandbox: Sandbox) -> int:
    return sum(record.path.endswith("/graphql") for record in sandbox.requests)


def test_two_passes_at_the_same_moment_run_each_slot_once(either: Tree) -> None:
    tree = either
    tree.all_due()
    started = [tree.start("reconcile") for _ in range(3)]
    ends = [end_of(process) for process in started]
    assert all(end.code in (0, 3) for end in ends), [end.said for end in ends]
    last = tree.run("reconcile")
    assert last.code in (0, 3), last.said
    _ended_well(tree, runs=2)
    assert sum(r.path.endswith("/sis_imports") and r.method == "POST" for r in tree.sandbox.requests) == 1
    tree.sandbox.forget_requests()
    tree.make_due(ID, full=True)
    assert tree.run("reconcile").code in (0, 3)
    assert writes(tree.sandbox) == 0


def test_a_merged_pause_applies_at_once_while_a_long_run_goes_on_to_its_end(tree: Tree) -> None:
    tree.make_due(ID)
    with _busy(tree.sandbox, tree, "reconcile") as working:
        tree.write_account(ACCOUNT, grades="state: paused\nreason: SIS upgrade")
        paused = tree.run("reconcile")
        assert paused.code == 0, paused.said
        assert working.poll() is None
        (row,) = tree.rows(f"SELECT text FROM schedule WHERE name = '{GRADES}'")
        assert json.loads(row["text"])["state"] == "paused"
        assert [entry["schedule"] for entry in tree.told("schedule paused")] == [GRADES]
    _ended_well(tree, runs=1)
    tree.sandbox.forget_requests()
    tree.make_due(ID)
    assert tree.run("reconcile").code == 0
    assert tree.sandbox.requests == [], "paused: its slot starts nothing"
    assert len(tree.runs()) == 1


def test_a_hold_lets_the_running_run_end_and_starts_no_other(tree: Tree) -> None:
    tree.make_due(ID)
    with _busy(tree.sandbox, tree, "reconcile"):
        assert tree.run("pause", ID, "--reason", "parents' evening").code == 0
    _ended_well(tree, runs=1)
    tree.make_due(ID)
    assert tree.run("reconcile").code == 0
    refused = tree.run("run", ID)
    assert refused.code == 1
    assert "parents' evening" in refused.err
    assert len(tree.runs()) == 1


@pytest.mark.parametrize("signal_", [signal.SIGTERM, signal.SIGINT])
def test_a_pass_asked_to_end_hands_its_run_back_and_the_next_pass_finishes_it(
    signal_: signal.Signals, tree: Tree
) -> None:
    tree.make_due(ID)
    with at_request(tree.sandbox, 40, lambda: _slow_down(tree.sandbox, 300), method="PUT") as reached:
        process = tree.start("reconcile")
        assert reached.wait(SECONDS)
        process.send_signal(signal_)
        end = end_of(process)
    _slow_down(tree.sandbox, 0)
    assert end.code == 130, end.said
    assert [run["state"] for run in tree.runs()] == ["queued"]
    assert tree.run("reconcile").code in (0, 3)
    assert tree.told("run abandoned") == [], "handed back, not lost"
    _ended_well(tree, runs=1)
