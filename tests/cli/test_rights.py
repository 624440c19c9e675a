"""`people` decides what each may do: every command that acts asks, and what somebody claims to be never counts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import click
import pytest

from gradesync.cli.main import group
from gradesync.cli.table import MODULES
from gradesync.domain.schedule import ScheduleId
from gradesync.store.open import open_store
from gradesync.wiring.actor import os_user
from tests.cli.conftest import Tree
from tests.store.samples import new_run

RUN = "7" * 32
"""A run of riverside that waits in the store."""

ACTING: dict[str, tuple[str, ...]] = {
    "reconcile": ("--no-syncs",),
    "run": ("riverside/grades",),
    "request": ("riverside/grades",),
    "pause": ("riverside", "--reason", "x"),
    "pause-all": ("--everything", "--reason", "x"),
    "resume": ("riverside",),
    "approve": (RUN, "--reason", "x"),
    "adopt": ("riverside/grades", "--yes"),
    "store unlock": ("riverside", "--reason", "x"),
    "store purge": ("--older-than", "400d"),
    "store prune": ("--delete",),
    "store migrate": (),
    "store import": (__file__,),
    "store rekey": ("--forget", "--reason", "x"),
    "stop": ("riverside", "--reason", "x"),
    "history": ("--purge", "--before", "2020-01-01", "--yes", "--reason", "x"),
}
"""Commands that change what is recorded or sent, with the least that makes them."""

LOOKING = frozenset(
    {
        *("init", "validate", "plan", "schema", "next", "sandbox", "demo", "worker"),
        *("list", "show", "holds", "compare", "explain", "upcoming", "comment", "page", "doctor"),
        *("support-bundle", "completion", "notify"),
        *("store init", "store info", "store grants", "store export"),
    }
)
"""Commands that only look; that concern no account yet (`store init` makes what is empty); the worker, which
carries out what is owed; and `notify`, which tells what stands."""

ME = os_user()
OTHERS = """\
people:
  ana: {name: Ana Ortiz, logins: [nobody-here], may: [everything]}
  ben: {name: Ben Lee, logins: [nobody-either], may: {pause: [riverside]}}
"""


def people(tree: Tree, text: str) -> None:
    path = tree.root / "gradesync.yaml"
    path.write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n' + text)


@pytest.fixture
def guarded(tree: Tree) -> Tree:
    """A recorded tree in which other people have rights."""
    tree.run("reconcile", "--no-syncs")
    with closing(open_store(tree.root / ".gradesync" / "store.db", create=False)) as store:
        store.add_run(replace(new_run(ScheduleId("riverside", "grades")), id=RUN))
    people(tree, OTHERS)
    return tree


def commands() -> Iterator[str]:
    context = click.Context(group)
    for name in MODULES:
        found = group.get_command(context, name)
        if name == "store" and isinstance(found, click.Group):
            yield from (f"store {sub}" for sub in found.commands)
        else:
            yield name


def test_every_command_either_asks_or_only_looks() -> None:
    assert set(commands()) - LOOKING - ACTING.keys() == set(), "say in this test whether the command acts"


@pytest.mark.parametrize("command", ACTING)
def test_whom_nobody_wrote_down_cannot_act(guarded: Tree, command: str) -> None:
    before = guarded.run("history", "--format", "json").stdout
    refused = guarded.run("--as", "Ana Ortiz", *command.split(), *ACTING[command], code=1)
    assert "GS-710" in refused.stderr
    assert f"with the login `os:{ME}`" in refused.stderr
    assert "Ana Ortiz" in refused.stderr
    assert guarded.run("history", "--format", "json").stdout == before


def test_what_is_due_is_owed_whoever_asks(guarded: Tree) -> None:
    guarded.run("reconcile", "--due", "--no-syncs")
    guarded.run("reconcile", "--no-syncs", env={"GRADESYNC_STARTED_BY": "cron"})


def test_an_older_tree_and_withheld_actions_take_a_right_of_their_own(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    people(tree, f"people:\n  me: {{name: Me, logins: ['{ME}'], may: [reconcile]}}\n")
    tree.run("reconcile", "--no-syncs")
    refused = tree.run("reconcile", "--no-syncs", "--any-commit", "--reason", "x", code=1)
    assert "no right `allow`" in refused.stderr


def test_a_right_counts_in_its_account_and_in_its_group(tree: Tree) -> None:
    (tree.root / "schedules" / "north").mkdir()
    for key in ("riverside", "oak-hill"):
        (tree.root / "schedules" / f"{key}.yaml").rename(tree.root / "schedules" / "north" / f"{key}.yaml")
    tree.account("elm", tree.text("elm"))
    tree.run("reconcile", "--no-syncs")
    people(
        tree,
        f"people:\n  me:\n    name: Me\n    logins: ['os:{ME}']\n"
        "    may: {pause: [riverside], request: ['group:north'], resume: ['oak-*', elm]}\n",
    )
    tree.run("pause", "riverside/grades", "--reason", "x")
    assert "only on riverside" in tree.run("pause", "oak-hill", "--reason", "x", code=1).stderr
    tree.run("request", "oak-hill/grades")
    tree.run("request", "elm/grades", code=1)
    assert "no hold" in tree.run("resume", "elm", code=1).stderr
    tree.run("resume", "--everything", code=1)
    tree.run("pause-all", "--group", "north", "--reason", "x", code=1)


def test_a_claimed_name_gives_no_right_and_is_kept_beside_the_login(guarded: Tree) -> None:
    people(guarded, f"{OTHERS}  me: {{name: 'Me Myself', logins: ['{ME}'], may: [request]}}\n")
    guarded.run("--as", "Ana Ortiz", "pause", "riverside", "--reason", "x", code=1)
    guarded.run("--as", "Ana Ortiz", "request", "riverside/grades")
    [told, *_] = json.loads(guarded.run("history", "riverside", "--format", "json").stdout)["entries"]
    assert told["actor"] == {
        "name": "Me Myself",
        "via": f"OS user {ME}, claims Ana Ortiz",
        "how": "OS user",
        "login": ME,
        "run_url": None,
        "os_user": None,
        "claims": "Ana Ortiz",
    }


def test_an_address_book_without_rights_refuses_nobody(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    people(tree, "people:\n  ana: {name: Ana Ortiz, logins: [nobody-here]}\n")
    tree.run("pause", "riverside", "--reason", "x")


@pytest.mark.parametrize(
    ("may", "words"),
    [
        ("[runn]", "did you mean `run`?"),
        ("run", "rights are a list"),
        ("{run: []}", "accounts, groups or everywhere"),
        ("{run: 'River side'}", "accounts, groups or everywhere"),
    ],
)
def test_a_right_that_is_none_is_a_problem_of_the_file(tree: Tree, may: str, words: str) -> None:
    people(tree, f"people:\n  ana: {{name: Ana Ortiz, logins: [a], may: {may}}}\n")
    told = tree.run("validate", code=1)
    assert "GS-110" in told.output
    assert words in told.output


def test_a_dispatch_in_ci_shows_its_run(tree: Tree, make_tree: Callable[[str], Tree]) -> None:
    tree.run("reconcile", "--no-syncs")
    ci = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "aortiz",
        "GITHUB_EVENT_NAME": "workflow_dispatch",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "district/sync",
        "GITHUB_RUN_ID": "17",
        "GITHUB_RUN_ATTEMPT": "1",
        "GITHUB_TRIGGERING_ACTOR": "",
    }
    tree.run("request", "riverside/grades", env=ci)
    [told, *_] = json.loads(tree.run("history", "riverside", "--format", "json").stdout)["entries"]
    assert told["actor"]["name"] == "aortiz"
    assert told["actor"]["run_url"] == "https://github.com/district/sync/actions/runs/17"
    assert "actions/runs/17" in tree.run("history", "riverside").output
