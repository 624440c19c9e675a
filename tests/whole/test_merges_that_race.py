"""Jobs of many merges start at once, in any order: the newest merge stands, and no older one wrote after it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.cli.test_commits import git
from tests.store.conftest import postgresql_server
from tests.whole.harness import Tree, end_of

__all__ = ["postgresql_server"]

ACCOUNTS = ("riverside", "oak-hill")
INTERVALS = ("daily at 01:00", "daily at 02:00", "daily at 01:00", "daily at 03:00", "daily at 01:00")
"""One per merge; some take back what the merge before had brought, so that nothing but the commit tells them apart."""


def _merge(tree: Tree, interval: str) -> str:
    for key in ACCOUNTS:
        path = tree.root / "schedules" / f"{key}.yaml"
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(
            "".join(f"    interval: {interval}\n" if "interval:" in line else line for line in lines)
        )
    git(tree.root, "add", "schedules", "gradesync.yaml")
    git(tree.root, "commit", "-q", "-m", interval)
    return git(tree.root, "rev-parse", "HEAD")


def _job(main: Tree, folder: Path, commit: str) -> Tree:
    """Another job's checkout at the commit, with the same store."""
    git(main.root.parent, "clone", "-q", f"file://{main.root}", str(folder))
    git(folder, "checkout", "-q", commit)
    job = Tree.__new__(Tree)
    job.root, job.sandbox, job.accounts, job.store = folder, main.sandbox, main.accounts, main.store
    if main.store is None:
        settings = folder / "gradesync.yaml"
        settings.write_text(settings.read_text() + f"store: sqlite:///{main.database}\n")
    return job


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_the_newest_merge_stands_and_no_older_one_writes_after_it(
    kind: str, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    with running(("riverside",), students=5, populated=False) as sandbox:
        _race(sandbox, kind, tmp_path, new_database)


def _race(sandbox: Sandbox, kind: str, tmp_path: Path, new_database: Callable[[], str]) -> None:
    points = {"oak-hill": {"canvas": "riverside", "sis": "riverside"}}
    tree = Tree(
        tmp_path / "main",
        sandbox,
        accounts=ACCOUNTS,
        store=new_database() if kind == "postgresql" else None,
        points_at=points,
    )
    for key in ACCOUNTS:
        path = tree.root / "schedules" / f"{key}.yaml"
        path.write_text(path.read_text() + "shared: true\n")
    git(tree.root, "init", "-q", "-b", "main")
    _merge(tree, "daily at 00:00")
    tree.prepare()
    order = [_merge(tree, interval) for interval in INTERVALS]
    jobs = [_job(tree, tmp_path / f"job{number}", commit) for number, commit in enumerate(order)]
    random.Random(5).shuffle(jobs)
    ends = [end_of(process) for process in [job.start("reconcile", "--no-syncs") for job in jobs]]
    assert all(one.code in (0, 1) for one in ends), [one.said for one in ends]
    assert any(one.code == 0 for one in ends)

    [applied] = tree.rows("SELECT value FROM meta WHERE key = 'commit'")
    assert applied["value"] == order[-1]
    intervals = {row["interval_text"] for row in tree.rows("SELECT interval_text FROM schedule")}
    assert intervals == {INTERVALS[-1]}
    for key in ACCOUNTS:
        rows = tree.rows(f"SELECT data FROM history WHERE chain = '{key}' ORDER BY seq")
        told = [json.loads(row["data"]).get("commit") for row in rows]
        places = [order.index(commit) for commit in told if commit in order]
        assert places == sorted(places), "an older merge wrote after a newer one"
