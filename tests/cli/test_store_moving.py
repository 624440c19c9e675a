"""`store export`, `import`, `grants` and `migrate` as somebody types them."""

from __future__ import annotations

import gzip
import json
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from gradesync.store import schema
from tests.cli.conftest import Tree


@pytest.mark.parametrize("name", ["moved.jsonl", "moved.jsonl.gz"])
def test_a_store_moves_into_another_tree_and_its_history_says_so(
    tree: Tree, tmp_path: Path, name: str
) -> None:
    tree.run("reconcile", "--no-syncs")
    file = tmp_path / name
    left = json.loads(tree.run("store", "export", str(file), "--format", "json").stdout)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    tree.run("store", "import", str(file), code=1)
    store = tree.root / ".gradesync" / "store.db"
    before = tree.run("list", "--format", "json").stdout
    for path in store.parent.glob("store.db*"):
        path.unlink()
    arrived = json.loads(tree.run("--as", "Ana", "store", "import", str(file), "--format", "json").stdout)
    assert arrived == left
    assert {"kind", "version", "lineage", "rows", "digest"} == left.keys()
    shown = json.loads(tree.run("list", "--format", "json").stdout)
    assert shown["schedules"] == json.loads(before)["schedules"]
    [told] = [
        entry
        for entry in json.loads(tree.run("history", "--format", "json").stdout)["entries"]
        if entry["what"] == "store imported"
    ]
    assert "Ana" in json.dumps(told)
    assert "verifies" in tree.run("history", "--verify").stdout


def test_a_file_that_is_there_is_not_written_over_and_a_damaged_one_not_taken_in(
    tree: Tree, tmp_path: Path
) -> None:
    tree.run("reconcile", "--no-syncs")
    file = tmp_path / "moved.jsonl.gz"
    tree.run("store", "export", str(file))
    assert "is there already" in tree.run("store", "export", str(file), code=1).stderr
    for path in (tree.root / ".gradesync").glob("store.db*"):
        path.unlink()
    whole = file.read_bytes()
    for bad in (whole[:-200], gzip.compress(b"remember the milk"), b"no archive", whole[:-9] + b"\0" * 9):
        file.write_bytes(bad)
        said = tree.run("store", "import", str(file), code=1).stderr
        assert not (tree.root / ".gradesync" / "store.db").exists(), (
            "no empty store is left that a pass would take"
        )
        assert "nothing was taken in" in said or "exported file" in said
    file.write_bytes(whole)
    (tree.root / "gradesync.yaml").write_text('lineage: "' + "0" * 32 + '"\n')
    assert "pins 0000" in tree.run("store", "import", str(file), code=1).stderr
    assert "no store at" in tree.run("list", code=1).stderr


def test_the_rights_of_the_roles_are_written_without_a_store(tree: Tree) -> None:
    text = tree.run("store", "grants", "--read", "looker", "--run", "runner").stdout
    assert 'GRANT SELECT, INSERT ON "public"."history" TO "runner";' in text
    tree.run("store", "grants", "--read", 'a"b', "--run", "runner", code=64)
    tree.run("store", "grants", "--read", "a", code=64)


def test_migrating_tells_what_became_of_what_and_where_the_copy_is(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    assert "nothing was changed" in tree.run("store", "migrate").stderr
    old = tree.root / ".gradesync" / "store.db"
    with closing(sqlite3.connect(old)) as raw, raw:
        raw.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    assert "newer than this gradesync" in tree.run("store", "migrate", code=1).stderr
    assert "newer than this gradesync" in tree.run("list", code=1).stderr
