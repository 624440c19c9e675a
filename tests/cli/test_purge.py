"""`store purge`: what is old goes, the history stays whole, and somebody is named for it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

from tests.cli.conftest import Tree


def test_old_events_go_and_the_history_tells_who_purged(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw, raw:
        for at in (0, 4_000_000_000_000_000):
            raw.execute(
                "INSERT INTO record_event (account, subject, at, run_id, class_id, what) "
                "VALUES ('riverside', 's', ?, 'r', 'c', 'sent')",
                (at,),
            )
    assert (
        "1 texts and events erased" in tree.run("--as", "Ana", "store", "purge", "--older-than", "26w").output
    )
    entries = json.loads(tree.run("history", "--format", "json").stdout)["entries"]
    [told] = [entry for entry in entries if entry["what"] == "purged"]
    assert "claims Ana" in json.dumps(told)
    assert told["data"] == {"older than days": 182}
    assert "verifies" in tree.run("history", "--verify").stdout
    tree.run("store", "purge", "--older-than", "soon", code=64)


def aged(tree: Tree) -> None:
    """A recorded tree with one old event of each of two accounts."""
    tree.run("reconcile", "--no-syncs")
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw, raw:
        for account in ("riverside", "oak-hill"):
            raw.execute(
                "INSERT INTO record_event (account, subject, at, run_id, class_id, what) "
                f"VALUES ('{account}', 's', 0, 'r', 'c', 'sent')"
            )


def test_a_purge_is_looked_at_first_and_names_who_and_why(tree: Tree) -> None:
    aged(tree)
    look = tree.run("history", "--purge", "--before", "2026-01-01")
    assert "2 record events. Nothing was erased" in look.output
    assert "2 record events. Nothing" in tree.run("history", "--purge", "--before", "2026-01-01").output
    done = tree.run(
        "history", "riverside", "--purge", "--before", "2026-01-01", "--yes", "--reason", "two years"
    )
    assert "1 record events from before 2026-01-01" in done.output
    left = json.loads(tree.run("history", "--purge", "--before", "2026-01-01", "--format", "json").stdout)
    assert (left["record_events"], left["erased"]) == (1, False)
    [told, *_] = json.loads(tree.run("history", "riverside", "--format", "json").stdout)["entries"]
    assert told["what"] == "purged"
    assert told["data"]["reason"] == "two years"
    assert told["data"]["erased"]["record events"] == 1
    assert "verifies" in tree.run("history", "--verify").stdout


def test_a_purge_takes_a_day_that_has_been_a_reason_and_nothing_else(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.run("history", "--purge", code=64)
    tree.run("history", "--purge", "--before", "soon", code=64)
    tree.run("history", "--purge", "--before", "2999-01-01", code=64)
    tree.run("history", "--purge", "--before", "2026-01-01", "--yes", code=64)
    tree.run("history", "--yes", code=64)
    tree.run("history", "riverside/grades", "--purge", "--before", "2026-01-01", code=64)
    tree.run("history", "--purge", "--before", "2026-01-01", "--verify", code=64)
    tree.run("history", "nowhere", "--purge", "--before", "2026-01-01", code=1)
