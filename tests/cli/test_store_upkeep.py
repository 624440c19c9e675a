"""`store prune` as somebody types it: it shows first, forgets when told, and never what may still live."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import Tree

DAY = 86_400_000_000


@pytest.fixture
def remembering(tree: Tree) -> Tree:
    """Rows of a term long over, of one just over, of one that lives, and of nobody knows when."""
    tree.run("reconcile", "--no-syncs")
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw, raw:
        now = raw.execute("SELECT value FROM meta WHERE key = 'clock'").fetchone()[0]
        for name, days in (("over", -300), ("just-over", -20), ("lives", 60)):
            raw.execute(
                "INSERT INTO class_term VALUES ('riverside', ?, ?, ?)",
                (name, f"term-{name}", int(now) + days * DAY),
            )
        for name in ("over", "just-over", "lives", "unknown"):
            raw.execute(
                "INSERT INTO ledger VALUES ('riverside', 'result', ?, ?, 'r', 'h', 'h', NULL, 'k')",
                (name, name),
            )
    return tree


def remembered(tree: Tree) -> set[str]:
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw:
        return {row[0] for row in raw.execute("SELECT class_id FROM ledger")}


def test_what_would_go_is_shown_and_nothing_goes(remembering: Tree) -> None:
    seen = remembering.run("store", "prune")
    assert "term term-over" in seen.stdout
    assert "1 classes, 1 rows" in seen.stdout
    assert "--delete" in seen.stderr
    assert len(remembered(remembering)) == 4
    assert json.loads(remembering.run("store", "prune", "--format", "json").stdout)["removed"] is None


def test_told_to_it_forgets_the_past_term_alone_and_the_history_says_so(remembering: Tree) -> None:
    answer = json.loads(
        remembering.run("store", "prune", "--ended", "40d", "--delete", "--format", "json").stdout
    )
    assert (answer["removed"], [term["term"] for term in answer["terms"]]) == (1, ["term-over"])
    assert remembered(remembering) == {"just-over", "lives", "unknown"}
    entries = json.loads(remembering.run("history", "riverside", "--format", "json").stdout)["entries"]
    [told] = [entry for entry in entries if entry["what"] == "ledger pruned"]
    assert (told["data"]["rows"], told["data"]["term"]) == (1, "term-over")
    assert "nothing is remembered" in remembering.run("store", "prune", "--delete").stderr


def test_a_term_just_over_is_never_pruned(remembering: Tree) -> None:
    remembering.run("store", "prune", "--ended", "5d", "--delete", code=64)
    remembering.run("store", "prune", "--ended", "30d", "--delete")
    assert "just-over" in remembered(remembering)
    remembering.run("store", "prune", "--account", "nowhere", code=64)
