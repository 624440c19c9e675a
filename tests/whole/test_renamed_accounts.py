"""An account under a new name is the same account: nothing is sent again, nothing looks edited by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.teach import teach
from tests.store.conftest import postgresql_server
from tests.whole.harness import GRADES, ROSTER, Judge, Tree, writes

__all__ = ["postgresql_server"]

OLD, NEW = "riverside", "riverside-usd"


def _pass(tree: Tree, account: str, *, full: bool) -> int:
    tree.all_due(account, full=full)
    tree.sandbox.forget_requests()
    done = tree.run("reconcile")
    assert done.code in (0, 3), done.said
    return writes(tree.sandbox)


def _rename(tree: Tree) -> None:
    (tree.root / "schedules" / f"{OLD}.yaml").unlink()
    tree.write_account(NEW, points_at={"canvas": OLD, "sis": OLD})
    path = tree.root / "schedules" / f"{NEW}.yaml"
    path.write_text(path.read_text() + f"moved_from: {OLD}\n")
    (tree.root / "secrets" / OLD).rename(tree.root / "secrets" / NEW)


def _stores(tmp_path: Path, sandbox: Sandbox, kind: str, new_database: Callable[[], str]) -> Tree:
    return Tree(tmp_path, sandbox, store=new_database() if kind == "postgresql" else None)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_renamed_account_goes_on_where_it_was(
    kind: str, tmp_path: Path, new_database: Callable[[], str]
) -> None:
    with running((OLD,), students=30) as sandbox:
        tree, judge = _stores(tmp_path, sandbox, kind, new_database), Judge(sandbox)
        tree.prepare()
        assert _pass(tree, OLD, full=True) > 50
        assert judge.verdict() == ""
        held = tree.run("pause", f"{OLD}/{GRADES}", "--reason", "SIS upgrade", "--for", "1d")
        assert held.code == 0, held.said

        _rename(tree)
        shown = tree.run("plan", "--detailed-exitcode")
        assert shown.code == 2, shown.said
        assert f"{OLD} -> {NEW}" in shown.out
        assert "create" not in shown.out
        applied = tree.run("reconcile", "--no-syncs")
        assert applied.code == 0, applied.said

        assert tree.run("resume", f"{NEW}/{GRADES}").code == 0, "the hold came along"
        assert _pass(tree, NEW, full=True) == 0, "a full look finds everything as it was left"
        waiting = {row["code"] for row in tree.rows("SELECT DISTINCT code FROM waiting")}
        assert "GS-408" not in waiting
        assert {row["account"] for row in tree.rows("SELECT account FROM ledger")} == {NEW}

        assert sum(teach(sandbox.schools[OLD].canvas, seed=3).values()) > 5
        assert _pass(tree, NEW, full=False) > 0
        assert _pass(tree, NEW, full=True) >= 0
        assert judge.verdict() == ""
        verified = tree.run("history", "--verify")
        assert verified.code == 0, verified.said
        told = tree.run("history", NEW, "--last", "200")
        assert "account moved" in told.out
        assert "account created" in told.out or "account changed" in told.out


def test_a_rename_waits_for_the_run_that_works(tmp_path: Path) -> None:
    with running((OLD,), students=30) as sandbox:
        tree = Tree(tmp_path, sandbox)
        tree.prepare()
        tree.execute(
            "INSERT INTO account_lease (account, epoch, run_id, holder, host, pid, since, until) "
            f"VALUES ('{OLD}', 4, 'r', 'another', 'another-host', 1, 0, 9000000000000000)"
        )
        _rename(tree)
        waits = tree.run("reconcile", "--no-syncs")
        assert waits.code == 1, waits.said
        assert "a run works in it" in waits.out
        assert {row["key"] for row in tree.rows("SELECT key FROM account")} == {OLD}
        tree.execute("UPDATE account_lease SET run_id = NULL")
        assert tree.run("reconcile", "--no-syncs").code == 0
        assert {row["key"] for row in tree.rows("SELECT key FROM account")} == {NEW}
        [lease] = tree.rows(f"SELECT epoch FROM account_lease WHERE account = '{NEW}'")
        assert lease["epoch"] == 4, "an epoch never falls, whatever the account is called"


def test_canvas_goes_on_comparing_with_the_same_uploads(tmp_path: Path) -> None:
    with running((OLD,), students=30) as sandbox:
        tree = Tree(tmp_path, sandbox)
        tree.prepare(f"{OLD}/{ROSTER}")
        assert tree.run("reconcile").code in (0, 3)
        _rename(tree)
        assert tree.run("reconcile", "--no-syncs").code == 0
        people = [u for u in sandbox.schools[OLD].sis.raw()["users"] if u["status"] == "active"]
        assert people
        sandbox.forget_requests()
        tree.make_due(f"{NEW}/{ROSTER}")
        done = tree.run("reconcile")
        assert done.code in (0, 3), done.said
        assert writes(sandbox) == 0, "an unchanged roster is no import, under either name"
