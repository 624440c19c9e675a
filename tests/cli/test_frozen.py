"""A broken file that was merged: whoever asks later sees that the account is frozen, since when, and what to do."""

from __future__ import annotations

import json

from tests.cli.conftest import Tree


def test_a_frozen_account_is_seen_afterwards_until_its_file_is_mended(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.account("oak-hill", tree.text("oak-hill") + "collor: red\n")
    tree.run("reconcile", "--no-syncs", code=1)
    # What is asked for later, and where the files may not be at hand.
    (tree.root / "schedules" / "oak-hill.yaml").rename(tree.root / "oak-hill.away")
    for words in (["list"], ["list", "oak-hill"], ["show", "oak-hill"], ["show", "oak-hill/grades"]):
        told = " ".join(tree.run(*words).stdout.split())
        assert "oak-hill is frozen: its file has problems since" in told, words
        assert "`gradesync validate` says what is wrong" in told
    assert "frozen" not in tree.run("show", "riverside").stdout
    needed = " ".join(tree.run("list", "--needs", "support").stdout.split())
    assert "GS-713 Account frozen: 1 account" in needed
    assert "oak-hill" in needed
    rows = json.loads(tree.run("list", "--format", "json").stdout)["schedules"]
    assert {row["account"] for row in rows if row["frozen_since"]} == {"oak-hill"}
    pages = tree.root / "pages"
    tree.run("page", "-o", str(pages))
    assert "Account frozen" in (pages / "accounts" / "oak-hill" / "index.html").read_text()
    assert "GS-713" in (pages / "index.html").read_text()

    tree.account("oak-hill")
    tree.run("reconcile", "--no-syncs")
    assert "frozen" not in tree.run("list").stdout
    whats = [
        entry["what"]
        for entry in json.loads(tree.run("history", "oak-hill", "--format", "json").stdout)["entries"]
    ]
    assert [what for what in whats if "frozen" in what] == ["account no longer frozen", "account frozen"]


def test_a_pass_of_other_accounts_forgets_no_frozen_one(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.account("oak-hill", tree.text("oak-hill") + "collor: red\n")
    tree.run("reconcile", "--no-syncs", code=1)
    tree.run("reconcile", "--no-syncs", "--account", "riverside", code=None)
    tree.run("reconcile", "--due", "--no-syncs")
    assert "oak-hill is frozen" in tree.run("show", "oak-hill").stdout
