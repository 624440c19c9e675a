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


def test_a_new_account_whose_first_file_is_broken_is_told_by_its_file(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    whole = tree.text("oak-hill").replace("oak-hill", "elm-park")
    tree.account("elm-park", f"{whole}collor: red\n")
    pages = tree.root / "pages"
    # Nobody has applied it yet: the files at hand say so.
    tree.run("page", "-o", str(pages))
    line = len(whole.splitlines()) + 1
    assert f"schedules/elm-park.yaml:{line}</code>: " in (pages / "index.html").read_text()
    assert "elm-park" not in tree.run("list").stderr
    tree.run("reconcile", "--no-syncs", code=1)
    for more in ([], ["--needs", "support"], ["--format", "json"]):
        told = tree.run("list", *more)
        assert "schedules/elm-park.yaml has problems since" in told.stderr, more
        assert "support must act: `gradesync validate`" in told.stderr
        assert "elm-park" not in told.stdout
    for more in (["riverside"], ["--needs", "teacher"], ["--type", "grade-passback"]):
        assert "elm-park" not in tree.run("list", *more).output, more
    tree.run("page", "-o", str(pages))
    front = (pages / "index.html").read_text()
    code = json.loads(tree.run("validate", "--format", "json", code=1).stdout)["problems"][0]["code"]
    assert f'<a class="code" href="codes.html#{code}">{code}</a>' in front
    assert f'id="{code}"' in (pages / "codes.html").read_text()
    assert "Support must act" in front


def test_a_new_file_that_is_mended_or_gone_is_told_no_longer_and_has_no_frozen_past(tree: Tree) -> None:
    good = tree.text("oak-hill")
    whole = good.replace("oak-hill", "elm-park")
    for key in ("elm-park", "ash-lane"):
        tree.account(key, f"{whole.replace('elm-park', key)}collor: red\n")
    tree.run("reconcile", "--no-syncs", code=1)
    tree.run("reconcile", "--no-syncs", "--account", "riverside", code=None)
    assert tree.run("list").stderr.count("has problems since") == 2
    tree.account("elm-park", whole)
    (tree.root / "schedules" / "ash-lane.yaml").unlink()
    tree.run("reconcile", "--no-syncs")
    assert "has problems since" not in tree.run("list").stderr
    entries = json.loads(tree.run("history", "elm-park", "--format", "json").stdout)["entries"]
    assert not [entry for entry in entries if "frozen" in entry["what"]]


def test_the_public_page_tells_no_file(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    tree.account("elm-park", "collor: red\n")
    tree.run("reconcile", "--no-syncs", code=1)
    tree.run("page", "-o", str(tree.root / "public"), "--audience", "public")
    assert "elm-park" not in (tree.root / "public" / "index.html").read_text()
