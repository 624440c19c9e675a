"""A run is named by its id or the beginning of it that is printed, and never by chance."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.conftest import Tree


@pytest.fixture
def run(tree: Tree) -> str:
    """The id of the one run of a tree; nobody answered it."""
    tree.run("reconcile", "--no-syncs")
    tree.run("run", "riverside/grades", code=3)
    [entry] = [
        one
        for one in json.loads(tree.run("history", "--format", "json").stdout)["entries"]
        if one["what"] == "run ended"
    ]
    return str(entry["run"])


def test_the_beginning_that_is_printed_is_enough_for_every_command(tree: Tree, run: str) -> None:
    for text in (run, run[:12], run[:8]):
        assert f"run {run}" in tree.run("show", text).stdout
        assert run in tree.run("support-bundle", text, "--show").stdout
    assert "nothing runs" not in tree.run("stop", run[:12], "--reason", "x", code=None).output
    assert "no run" not in tree.run("approve", run[:12], "--reason", "x", code=1).stderr


def test_a_beginning_of_several_runs_or_of_none_is_refused(tree: Tree, run: str) -> None:
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as store, store:
        names = [row[1] for row in store.execute("PRAGMA table_info(run)")]
        other = {"id": f"'{run[:12]}' || substr('{'0' * 32}', 13)", "slot_key": "'manual:other'"}
        columns = ", ".join(other.get(name, name) for name in names)
        store.execute(f"INSERT INTO run SELECT {columns} FROM run WHERE id = ?", (run,))
    assert "several runs begin with" in tree.run("show", run[:12], code=1).stderr
    assert f"run {run}" in tree.run("show", run).stdout
    none = "0" * 12
    for words in (["show"], ["stop", "--reason", "x"], ["approve", "--reason", "x"], ["support-bundle"]):
        assert f"no run {none}" in tree.run(words[0], none, *words[1:], code=1).stderr
    assert "no account 0000" in tree.run("show", "0000", code=1).stderr


def test_an_account_whose_name_could_be_a_runs_is_the_account(tree: Tree, run: str) -> None:
    tree.account("deadbeef", tree.text("riverside").replace("riverside", "deadbeef"))
    tree.run("reconcile", "--no-syncs")
    assert "deadbeef/grades" in tree.run("show", "deadbeef").stdout
    assert "nothing runs" in tree.run("stop", "deadbeef", "--reason", "x").stderr
