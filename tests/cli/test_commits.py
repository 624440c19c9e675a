"""The commit rule with a real Git and without one: an older tree undoes nothing, and nothing is taken on trust."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gradesync.store.sql import SqlStore
from tests.cli.conftest import Tree
from tests.cli.test_guards import apply, edit, recorded, told


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
    asked = ["git", "-C", str(root), *identity, *arguments]
    return subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()


def commit(tree: Tree) -> str:
    git(tree.root, "add", "schedules", "gradesync.yaml")
    git(tree.root, "commit", "-q", "--allow-empty", "-m", "change")
    return git(tree.root, "rev-parse", "HEAD")


def at(tree: Tree, hour: int) -> None:
    """Let riverside's grades go at this hour."""
    tree.account("riverside", tree.text("riverside").replace("daily at 04:00", f"daily at {hour:02}:00"))


@pytest.fixture
def merged(tree: Tree) -> tuple[Tree, list[str]]:
    """A tree of three commits, each with another hour; the last one is applied."""
    git(tree.root, "init", "-q", "-b", "main")
    commits = []
    for hour in (4, 5, 6):
        at(tree, hour)
        commits.append(commit(tree))
    apply(tree)
    return tree, commits


def elsewhere(tree: Tree, folder: Path) -> Tree:
    """Another copy of the tree that shares the store, as another job's checkout does."""
    settings = folder / "gradesync.yaml"
    store = tree.root / ".gradesync" / "store.db"
    settings.write_text(settings.read_text() + f"store: sqlite:///{store}\n")
    return Tree(folder, tree.base)


def cloned(tree: Tree, folder: Path, *more: str) -> Tree:
    git(tree.root.parent, "clone", "-q", *more, f"file://{tree.root}", str(folder))
    return elsewhere(tree, folder)


def test_a_job_that_was_queued_for_an_hour_cannot_undo_a_merge(
    merged: tuple[Tree, list[str]], tmp_path: Path
) -> None:
    tree, commits = merged
    late = cloned(tree, tmp_path / "late")
    git(late.root, "checkout", "-q", commits[0], "--", "schedules")
    git(late.root, "reset", "-q", "--hard", commits[0])
    elsewhere(tree, late.root)
    said = apply(late, code=1)
    assert "GS-704" in said
    assert "it is older: update the checkout" in said
    assert recorded(tree)["riverside/grades"] == "daily at 06:00"
    report = json.loads(late.run("reconcile", "--no-syncs", "--format", "json", code=1).stdout)
    assert (report["stale_commit"], report["plan"], report["applied"]) == (commits[2], None, 0)
    assert "is older" in report["stale_why"]


def test_what_is_due_runs_although_the_tree_is_behind(merged: tuple[Tree, list[str]]) -> None:
    tree, _ = merged
    git(tree.root, "checkout", "-q", "HEAD~1")
    tree.run("request", "riverside/grades")
    report = json.loads(tree.run("reconcile", "--format", "json", code=None).stdout)
    assert report["stale_commit"]
    assert [run["run"]["schedule"] for run in report["runs"]] == ["riverside/grades"]


def test_the_same_commit_and_its_descendants_apply(merged: tuple[Tree, list[str]]) -> None:
    tree, _ = merged
    assert "Nothing to do" in apply(tree) or "0" in apply(tree)
    at(tree, 7)
    commit(tree)
    apply(tree)
    assert recorded(tree)["riverside/grades"] == "daily at 07:00"


def test_a_tree_that_was_fully_applied_before_is_still_not_undone_by_a_reverted_change(
    tree: Tree, tmp_path: Path
) -> None:
    git(tree.root, "init", "-q", "-b", "main")
    commit(tree)
    apply(tree)
    at(tree, 5)
    middle = commit(tree)
    at(tree, 4)
    commit(tree)
    late = cloned(tree, tmp_path / "late")
    git(late.root, "reset", "-q", "--hard", middle)
    elsewhere(tree, late.root)
    apply(tree)
    apply(late, code=1)
    assert recorded(tree)["riverside/grades"] == "daily at 04:00", (
        "the revert changed nothing, and still counts"
    )


def test_after_a_forced_push_somebody_has_to_say_so(merged: tuple[Tree, list[str]]) -> None:
    tree, commits = merged
    git(tree.root, "reset", "-q", "--hard", commits[0])
    at(tree, 9)
    rewritten = commit(tree)
    assert "the two have parted" in apply(tree, code=1)
    git(tree.root, "reflog", "expire", "--expire=now", "--all")
    git(tree.root, "gc", "-q", "--prune=now")
    assert "forced push" in apply(tree, code=1), "the commit is gone from this clone"
    tree.run("reconcile", "--no-syncs", "--any-commit", code=64)
    apply(tree, "--any-commit", "--reason", "history was rewritten to take a name out")
    assert recorded(tree)["riverside/grades"] == "daily at 09:00"
    [entry] = told(tree, "older tree allowed")
    assert entry["data"] == {
        "instead of": commits[2],
        "commit": rewritten,
        "reason": "history was rewritten to take a name out",
    }
    apply(tree)


def test_a_shallow_clone_says_that_it_is_one(merged: tuple[Tree, list[str]], tmp_path: Path) -> None:
    tree, _ = merged
    for hour in (7, 8):
        at(tree, hour)
        commit(tree)
    shallow = cloned(tree, tmp_path / "shallow", "--depth", "1")
    said = apply(shallow, code=1)
    assert "the clone is shallow" in said
    assert "fetch-depth: 0" in said
    git(shallow.root, "fetch", "-q", "--unshallow")
    apply(shallow)
    assert recorded(tree)["riverside/grades"] == "daily at 08:00"


def test_a_shallow_clone_of_the_applied_commit_is_enough(
    merged: tuple[Tree, list[str]], tmp_path: Path
) -> None:
    tree, _ = merged
    assert "GS-704" not in apply(cloned(tree, tmp_path / "shallow", "--depth", "1"))


def test_uncommitted_changes_are_applied_and_told(merged: tuple[Tree, list[str]]) -> None:
    tree, commits = merged
    at(tree, 9)
    assert "with uncommitted changes" in tree.run("plan").stdout
    assert json.loads(tree.run("plan", "--format", "json").stdout)["uncommitted"] is True
    assert "does not; the history will say so" in apply(tree)
    [entry] = [e for e in told(tree, "schedule changed") if e["data"].get("uncommitted changes")]
    assert entry["data"]["commit"] == commits[2]
    (tree.root / "notes.txt").write_text("not a file of the tree")
    git(tree.root, "checkout", "-q", "--", "schedules")
    assert "uncommitted" not in tree.run("plan").stdout


# - without Git -


def quicker(tree: Tree) -> None:
    """Another job's pass, in a process of its own, from its beginning to its end."""
    process = tree.start("reconcile", "--no-syncs")
    said = process.communicate(timeout=60)
    assert process.returncode == 0, said


def exported(tree: Tree, folder: Path) -> Tree:
    """The tree's files as an archive leaves them: no Git."""
    shutil.copytree(tree.root, folder, ignore=shutil.ignore_patterns(".git", ".gradesync"))
    return elsewhere(tree, folder)


def test_a_tree_without_git_must_be_named_once_commits_count(
    merged: tuple[Tree, list[str]], tmp_path: Path
) -> None:
    tree, commits = merged
    files = exported(tree, tmp_path / "files")
    assert "say --commit" in apply(files, code=1)
    assert "GS-704" not in apply(files, "--commit", commits[2])
    files.run("reconcile", "--commit", commits[2][:8], code=64)
    files.run("reconcile", "--commit", "main", code=64)


def test_without_git_a_list_of_commits_shows_what_the_tree_follows(
    merged: tuple[Tree, list[str]], tmp_path: Path
) -> None:
    tree, commits = merged
    at(tree, 7)
    newest = commit(tree)
    files = exported(tree, tmp_path / "files")
    assert "--ancestors FILE" in apply(files, "--commit", newest, code=1)
    listing = tmp_path / "commits"
    listing.write_text(git(tree.root, "rev-list", "HEAD"))
    apply(files, "--commit", newest, "--ancestors", str(listing))
    assert recorded(tree)["riverside/grades"] == "daily at 07:00"
    listing.write_text(git(tree.root, "rev-list", commits[1]))
    assert "not among the commits" in apply(
        files, "--commit", commits[1], "--ancestors", str(listing), code=1
    )
    listing.write_text("no commits")
    files.run("reconcile", "--commit", newest, "--ancestors", str(listing), code=64)


def test_where_git_is_nobody_may_say_otherwise(merged: tuple[Tree, list[str]]) -> None:
    tree, commits = merged
    assert "checked out at" in tree.run("reconcile", "--no-syncs", "--commit", commits[0], code=64).stderr
    apply(tree, "--commit", commits[2])


def test_where_no_commit_ever_counted_none_is_asked_for(tree: Tree) -> None:
    apply(tree)
    at(tree, 5)
    apply(tree)
    assert recorded(tree)["riverside/grades"] == "daily at 05:00"


# - two jobs at once -


@pytest.mark.parametrize("newest", [8, 6], ids=["another change", "the change taken back"])
def test_a_job_that_is_overtaken_between_its_look_and_its_writing_applies_nothing(
    newest: int, merged: tuple[Tree, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, _ = merged
    at(tree, 7)
    commit(tree)
    slow = cloned(tree, tmp_path / "slow")
    at(tree, newest)
    commit(tree)
    usual: Callable[..., Any] = SqlStore.apply_account
    overtaken = threading.Event()

    def late(store: SqlStore, *arguments: Any, **named: Any) -> bool:
        if not overtaken.is_set():
            overtaken.set()
            quicker(tree)
        return bool(usual(store, *arguments, **named))

    monkeypatch.setattr(SqlStore, "apply_account", late)
    apply(slow, code=1)
    assert overtaken.is_set()
    assert recorded(tree)["riverside/grades"] == f"daily at {newest:02}:00"
    assert "GS-704" in apply(slow, code=1)


def test_a_job_that_is_overtaken_before_its_first_write_asks_anew(
    merged: tuple[Tree, list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, _ = merged
    at(tree, 7)
    commit(tree)
    slow = cloned(tree, tmp_path / "slow")
    at(tree, 8)
    commit(tree)
    usual: Callable[..., Any] = SqlStore.advance_commit
    overtaken = threading.Event()

    def late(store: SqlStore, *arguments: Any) -> bool:
        if not overtaken.is_set():
            overtaken.set()
            quicker(tree)
        return bool(usual(store, *arguments))

    monkeypatch.setattr(SqlStore, "advance_commit", late)
    assert "GS-704" in apply(slow, code=1)
    assert recorded(tree)["riverside/grades"] == "daily at 08:00"


def test_a_saved_plan_is_for_the_commit_it_was_made_of(merged: tuple[Tree, list[str]]) -> None:
    tree, _ = merged
    at(tree, 7)
    first = commit(tree)
    file = tree.root / "plan.json"
    tree.run("plan", "--out", str(file))
    at(tree, 8)
    commit(tree)
    refused = tree.run("reconcile", "--no-syncs", "--plan", str(file), code=6)
    assert first[:12] in refused.stderr
    assert recorded(tree)["riverside/grades"] == "daily at 06:00"
    git(tree.root, "checkout", "-q", first)
    tree.run("reconcile", "--no-syncs", "--plan", str(file))
    assert recorded(tree)["riverside/grades"] == "daily at 07:00"
    edit(tree, "riverside", "daily at 07:00", "daily at 10:00")
    tree.run("reconcile", "--no-syncs", "--plan", str(file))
    assert recorded(tree)["riverside/grades"] == "daily at 07:00", "what is not committed was never planned"
