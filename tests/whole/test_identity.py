"""Copy and paste must never send one district's grades to another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import GRADES, Tree, writes

OURS, OTHERS = "riverside", "oak-hill"
OF_IDENTITY = ("/token", "/orgs", "/accounts", "/graphql")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running((OURS, OTHERS), students=20) as sandbox:
        yield sandbox


def _move(tree: Tree, side: str) -> None:
    """Somebody copies an address, and the credentials that fit it, from another district."""
    tree.write_account(OURS, points_at={side: OTHERS})
    names = {"sis": ("sis_id", "sis_secret"), "canvas": ("canvas_token",)}[side]
    for name in names:
        secret = (tree.root / "secrets" / OTHERS / name).read_text()
        (tree.root / "secrets" / OURS / name).write_text(secret)


@pytest.mark.parametrize("side", ["sis", "canvas"])
def test_a_run_that_meets_another_institution_stops_before_reading_and_holds_the_account(
    side: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    tree = Tree(tmp_path, sandbox)
    tree.prepare()
    tree.all_due()
    assert tree.run("reconcile").code in (0, 3)
    _move(tree, side)
    moved = tree.run("reconcile")
    assert moved.code == 0, moved.said
    tree.all_due()
    sandbox.forget_requests()
    stopped = tree.run("reconcile")
    assert stopped.code == 3, stopped.said
    assert "GS-208" in stopped.out
    assert writes(sandbox) == 0
    touched = {record.path for record in sandbox.requests}
    assert all(path.rstrip("/").endswith(OF_IDENTITY) or _is_account(path) for path in touched), touched
    held = [(hold["account"], hold["kind"], hold["expires_at"]) for hold in tree.rows("SELECT * FROM hold")]
    assert held == [(OURS, "identity", None)], "one hold, until a person resumes it"

    sandbox.forget_requests()
    tree.all_due()
    assert tree.run("reconcile").code == 0
    assert tree.run("run", f"{OURS}/{GRADES}").code == 1
    assert sandbox.requests == [], "held: nobody is even asked"
    assert "not the institution" in tree.run("holds").out


def _is_account(path: str) -> bool:
    return "/accounts/" in path and "sis_imports" not in path and "courses" not in path


def test_a_dry_run_stops_at_another_institution_too(sandbox: Sandbox, tmp_path: Path) -> None:
    tree = Tree(tmp_path, sandbox)
    tree.prepare()
    tree.all_due()
    assert tree.run("reconcile").code in (0, 3)
    _move(tree, "sis")
    assert tree.run("reconcile", "--no-syncs").code == 0
    done = tree.run("run", f"{OURS}/{GRADES}", "--dry-run")
    assert done.code != 0
    assert "not the institution" in done.err
