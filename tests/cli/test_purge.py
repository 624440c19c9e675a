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
