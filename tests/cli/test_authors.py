"""Who is credited with a change: whoever carried the pass out, and what Git says where that was only a clock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gradesync.wiring.actor import os_user
from tests.cli.conftest import Tree
from tests.cli.test_commits import at, git

CLOCK = {"GRADESYNC_STARTED_BY": "cron"}
PEOPLE = "people:\n  ben: {name: Ben Lee, logins: ['git:ben@example.org']}\n"


def commit_as(tree: Tree, name: str, mail: str) -> None:
    git(tree.root, "add", "schedules", "gradesync.yaml")
    git(tree.root, "-c", f"user.name={name}", "-c", f"user.email={mail}", "commit", "-q", "-m", "change")


@pytest.fixture
def repository(tree: Tree) -> Tree:
    """A tree whose first commit is applied; Ana wrote it."""
    (tree.root / "gradesync.yaml").write_text((tree.root / "gradesync.yaml").read_text() + PEOPLE)
    git(tree.root, "init", "-q", "-b", "main")
    commit_as(tree, "Ana Ortiz", "ana@example.org")
    tree.run("reconcile", "--no-syncs")
    return tree


def last(tree: Tree, account: str = "riverside") -> dict[str, Any]:
    entries = json.loads(tree.run("history", account, "--format", "json").stdout)["entries"]
    return dict(entries[0])


def test_a_person_who_applies_is_the_actor_and_the_author_is_told(repository: Tree) -> None:
    at(repository, 5)
    commit_as(repository, "Cleo Diaz", "cleo@example.org")
    repository.run("reconcile", "--no-syncs")
    told = last(repository)
    assert (told["actor"]["name"], told["data"]["author"]) == (os_user(), "Cleo Diaz")


def test_a_hold_that_waited_for_a_change_is_ended_by_whoever_made_it(repository: Tree) -> None:
    repository.run("pause", "riverside", "--reason", "wrong map", "--until-changed")
    at(repository, 5)
    commit_as(repository, "bl", "ben@example.org")
    repository.run("reconcile", "--no-syncs", env=CLOCK)
    released = last(repository)
    assert (released["what"], released["actor"]["name"]) == ("hold released", "Ben Lee")


def test_a_changed_interval_is_called_as_it_is_written(repository: Tree) -> None:
    at(repository, 5)
    commit_as(repository, "Cleo Diaz", "cleo@example.org")
    repository.run("reconcile", "--no-syncs")
    assert "interval" in last(repository)["data"]["fields"]
    assert "canonical" not in repository.run("history", "riverside").stdout


def test_what_a_clock_applies_is_its_authors_change(repository: Tree) -> None:
    at(repository, 5)
    commit_as(repository, "bl", "ben@example.org")
    # A later commit by somebody else that has nothing to do with riverside.
    repository.account("oak-hill", repository.text("oak-hill").replace("daily at 04:00", "daily at 09:00"))
    commit_as(repository, "Cleo Diaz", "cleo@example.org")
    repository.run("reconcile", "--no-syncs", env=CLOCK)
    mine, other = last(repository), last(repository, "oak-hill")
    assert (mine["actor"]["name"], mine["actor"]["how"]) == ("Ben Lee", "git author")
    assert mine["actor"]["os_user"] == os_user()
    assert other["actor"]["name"] == "Cleo Diaz"
    assert "example.org" not in json.dumps([mine["actor"], other["actor"]])


def test_defaults_that_change_an_account_name_their_author(repository: Tree) -> None:
    (repository.root / "schedules" / "_defaults.yaml").write_text("passback: {missing: zero}\n")
    commit_as(repository, "Dora", "dora@example.org")
    repository.run("reconcile", "--no-syncs", env=CLOCK)
    assert last(repository)["actor"]["name"] == "Dora"


def test_what_no_commit_holds_is_nobodys_but_the_passs(repository: Tree) -> None:
    at(repository, 5)
    repository.run("reconcile", "--no-syncs", env=CLOCK)
    told = last(repository)
    assert told["actor"]["name"] == "scheduler"
    assert "author" not in told["data"]


def test_without_git_nothing_is_made_up(tree: Tree, tmp_path: Path) -> None:
    tree.run("reconcile", "--no-syncs", env=CLOCK)
    told = last(tree)
    assert told["actor"]["name"] == "scheduler"
    assert "author" not in told["data"]
