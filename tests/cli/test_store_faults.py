"""A store that fails in the middle of a run: it is told, and the next run neither doubles nor loses a grade."""

from __future__ import annotations

import os
import shlex
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree


def limited(tree: Tree, room: int, command: str) -> subprocess.Popen[str]:
    """A command on a disk on which no file may grow beyond `room` kilobytes."""
    program = (
        f"ulimit -f {room}; exec {sys.executable} -m gradesync -C {shlex.quote(str(tree.root))} {command}"
    )
    return subprocess.Popen(
        ["bash", "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "NO_COLOR": "1"},
    )


def ended(process: subprocess.Popen[str], sandbox: Sandbox) -> str:
    """Wait for its end, or end it once it sends nothing any more: it would try to record until its lease is over."""
    before = seen = len(sandbox.requests)
    quiet = 0
    while process.poll() is None and quiet < 30:
        time.sleep(0.1)
        count = len(sandbox.requests)
        quiet = quiet + 1 if before < count == seen else 0
        seen = count
    process.kill()
    return "".join(process.communicate())


def sent(sandbox: Sandbox) -> Counter[str]:
    """Results the SIS was sent, by their address."""
    put = (one for one in sandbox.requests if one.method == "PUT" and one.district == "riverside")
    return Counter(one.path for one in put if "/results/" in one.path)


def records(tree: Tree) -> int:
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw:
        return int(raw.execute("SELECT count(*) FROM ledger WHERE account = 'riverside'").fetchone()[0])


def test_a_disk_that_is_full_before_anything_was_sent_is_told(live: Tree, sandbox: Sandbox) -> None:
    said = ended(limited(live, 48, "run riverside/grades"), sandbox)
    assert "GS-705: " in said
    assert "store.db" in said
    assert not sent(sandbox)
    live.run("run", "riverside/grades", code=None)
    assert sent(sandbox)


def test_a_disk_that_fills_up_in_a_run_costs_nothing_but_time(live: Tree, sandbox: Sandbox) -> None:
    for room in range(360, 2000, 60):
        ended(limited(live, room, "run riverside/grades"), sandbox)
        if begun := sent(sandbox):
            break
    assert begun
    live.run("run", "riverside/grades", code=None)
    assert "verifies" in live.run("history", "--verify").stdout
    assert len(begun) < len(sent(sandbox))
    assert set(sent(sandbox).values()) == {1}
    known = records(live)
    assert known >= len(sent(sandbox))
    before = sent(sandbox)
    live.run("run", "riverside/grades", "--full", code=None)
    # All is known by now: a further full run has nothing to send.
    assert sent(sandbox) == before
    assert records(live) == known


@pytest.mark.parametrize("command", ["list", "plan", "reconcile --no-syncs", "history", "store info"])
def test_every_command_tells_a_damaged_store_by_its_code_and_leaves_it(tree: Tree, command: str) -> None:
    tree.run("reconcile", "--no-syncs")
    store = tree.root / ".gradesync" / "store.db"
    for side in (Path(f"{store}-wal"), Path(f"{store}-shm")):
        side.unlink(missing_ok=True)
    store.write_bytes(b"remember the milk " * 500)
    told = tree.run(*shlex.split(command), code=1)
    assert "error: GS-705: " in told.stderr
    assert "hint: " in told.stderr
    assert store.read_bytes() == b"remember the milk " * 500
    assert "GS-705" in tree.run("explain", "GS-705").stdout
