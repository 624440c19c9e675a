"""`store prune` as somebody types it: it shows first, forgets when told, and never what may still live."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree, writes

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


def key_of(tree: Tree) -> str | None:
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw:
        row = raw.execute("SELECT value FROM meta WHERE key = 'key id'").fetchone()
    return None if row is None else str(row[0])


def test_a_new_key_forgets_the_old_hashes_and_the_next_runs_know_everything_again(live: Tree) -> None:
    live.run("run", "riverside/grades", code=None)
    old_key, old_file = key_of(live), (live.root / ".gradesync" / "key").read_text()
    known = len(remembered(live))
    assert known
    assert "--forget" in live.run("store", "rekey").stderr
    live.run("store", "rekey", "--forget", code=64)
    assert key_of(live) == old_key
    live.run("store", "rekey", "--forget", "--reason", "it was in a log")
    assert key_of(live) != old_key
    assert (live.root / ".gradesync" / "key").read_text() != old_file
    assert not (live.root / ".gradesync" / "key.next").exists()
    assert remembered(live) == set()
    live.run("run", "riverside/grades", code=None)
    assert len(remembered(live)) == known
    entries = json.loads(live.run("history", "--format", "json", "--last", "100").stdout)["entries"]
    [told] = [entry for entry in entries if entry["what"] == "rekeyed"]
    assert told["data"]["reason"] == "it was in a log"
    assert "verifies" in live.run("history", "--verify").stdout


@pytest.mark.parametrize("cut", ["before the store", "after the store"])
def test_cut_short_it_is_finished_by_the_next_call(
    live: Tree, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    live.run("run", "riverside/grades", code=None)
    old_key = key_of(live)
    aim = "gradesync.store.sql.SqlStore.rekey" if cut == "before the store" else "pathlib.Path.replace"

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(aim, killed)
        live.run("store", "rekey", "--forget", "--reason", "leaked", code=130)
    assert (key_of(live) == old_key) is (cut == "before the store")
    if cut == "after the store":
        # Between the two nothing runs, so nothing is hashed with a key that the store does not know.
        assert "another key" in live.run("run", "riverside/grades", code=None).output
    live.run("store", "rekey", "--forget", "--reason", "leaked")
    assert key_of(live) != old_key
    live.run("run", "riverside/grades", code=None)
    assert remembered(live)
    entries = json.loads(live.run("history", "--format", "json", "--last", "100").stdout)["entries"]
    assert [entry["what"] for entry in entries].count("rekeyed") == 1


def test_a_key_named_in_the_settings_must_be_the_new_one(live: Tree) -> None:
    old = {"KEY": "o" * 64}
    settings = live.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "keys: env:KEY\n")
    live.run("run", "riverside/grades", code=None, env=old)
    assert "still names" in live.run("store", "rekey", "--forget", "--reason", "x", code=1, env=old).stderr
    assert (
        "fewer than"
        in live.run("store", "rekey", "--forget", "--reason", "x", code=1, env={"KEY": "n"}).stderr
    )
    before = key_of(live)
    live.run("store", "rekey", "--forget", "--reason", "x", env={"KEY": "n" * 64})
    assert key_of(live) != before
    assert "another key" in live.run("run", "riverside/grades", code=None, env=old).output


def rows_of(tree: Tree, query: str) -> list[Any]:
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw, raw:
        return raw.execute(query).fetchall()


def test_full_runs_learn_the_terms_and_a_pruned_class_that_comes_back_is_not_sent_again(
    live: Tree, sandbox: Sandbox
) -> None:
    live.run("run", "riverside/grades", "--full", code=None)
    classes = {row[0] for row in rows_of(live, "SELECT DISTINCT class_id FROM ledger")}
    terms = dict(rows_of(live, "SELECT class_id, ends_at FROM class_term WHERE account = 'riverside'"))
    assert classes
    assert classes <= terms.keys()
    known = remembered(live)
    assert "nothing is remembered" in live.run("store", "prune", "--delete").stderr
    rows_of(live, "UPDATE class_term SET ends_at = 1")
    live.run("store", "prune", "--delete")
    assert remembered(live) == set()
    before = writes(sandbox)
    live.run("run", "riverside/grades", "--full", code=None)
    assert writes(sandbox) == before
    assert remembered(live) == known
    assert (
        dict(rows_of(live, "SELECT class_id, ends_at FROM class_term WHERE account = 'riverside'")) == terms
    )
