"""A dead key, for real: one alarm, no further request, and everything goes on by itself once the key works again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gradesync.sandbox.server import running
from tests.whole.harness import GRADES, ROSTER, Judge, Tree

HOUR = 3_600_000_000


@pytest.mark.parametrize(
    ("secret", "code"),
    [("canvas_token", "GS-201"), ("sis_secret", "GS-202")],
    ids=["Canvas", "SIS"],
)
def test_a_dead_key_is_told_once_and_nothing_asks_on_until_it_works(
    tmp_path: Path, secret: str, code: str
) -> None:
    with running(["riverside"], students=24) as sandbox:
        tree, judge = Tree(tmp_path / "tree", sandbox), Judge(sandbox)
        tree.prepare()
        path = tree.root / "secrets" / "riverside" / secret
        right = path.read_text(encoding="utf-8")
        path.write_text("revoked", encoding="utf-8")

        tree.all_due()
        first = tree.run("reconcile")
        assert first.code == 3, first.said
        assert code in first.out
        assert "the breaker is open for riverside" in first.out
        assert [run["outcome"] for run in tree.runs()].count("failed") == 1
        (opened,) = tree.told("breaker opened")
        assert json.loads(opened["data"])["code"] == code
        assert "breaker open" in tree.run("list").out
        for schedule in (ROSTER, GRADES):
            assert f"({code})" in tree.run("show", f"riverside/{schedule}").out
        assert code in tree.run("holds").out

        sandbox.forget_requests()
        for _ in range(3):
            tree.all_due()
            again = tree.run("reconcile")
            assert again.code == 0, again.said
        assert list(sandbox.requests) == []
        assert len(tree.told("breaker opened")) == 1

        path.write_text(right, encoding="utf-8")
        tree.execute(f"UPDATE hold SET created_at = created_at - {HOUR}, tried_at = tried_at - {HOUR}")
        tree.all_due()
        assert tree.run("reconcile").code in (0, 3)
        assert [run["outcome"] for run in tree.runs()][-2:] != ["failed", "failed"]
        assert judge.verdict() == ""
        assert len(tree.told("breaker closed")) == 1
        assert "No holds." in tree.run("holds").out
        assert tree.run("history", "--verify").code == 0
