"""The guards through the real commands: what they withhold, that consent is bound, and what outlives its line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tree
from tests.postgresql import running_server


def plan(tree: Tree, *more: str, code: int | None = None) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(tree.run("plan", "--format", "json", *more, code=code).stdout)
    return read


def subjects(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(r["action"], r["account"] + (f"/{r['schedule']}" if r["schedule"] else "")) for r in rows}


def apply(tree: Tree, *more: str, code: int = 0) -> str:
    return tree.run("reconcile", "--no-syncs", *more, code=code).output


def recorded(tree: Tree) -> dict[str, str]:
    """Every schedule that is not retired, with its interval, read past the product."""
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw:
        rows = raw.execute("SELECT account, name, interval_text FROM schedule WHERE NOT retired").fetchall()
    return {f"{account}/{name}": interval for account, name, interval in rows}


def told(tree: Tree, what: str) -> list[dict[str, Any]]:
    entries = json.loads(tree.run("history", "--last", "200", "--format", "json").stdout)["entries"]
    return [entry for entry in entries if entry["what"] == what]


def edit(tree: Tree, key: str, old: str, new: str) -> None:
    text = (tree.root / "schedules" / f"{key}.yaml").read_text()
    assert old in text
    tree.account(key, text.replace(old, new))


def drop(tree: Tree, key: str, schedule: str) -> None:
    """Take a schedule with all its lines out of a file."""
    before, _, rest = (tree.root / "schedules" / f"{key}.yaml").read_text().partition(f"  {schedule}:\n")
    lines = rest.splitlines(keepends=True)
    while lines and lines[0].startswith("    "):
        lines.pop(0)
    tree.account(key, before + "".join(lines))


@pytest.fixture
def applied(tree: Tree) -> Tree:
    apply(tree)
    return tree


# - the pinned store -


@pytest.mark.parametrize("command", ["plan", "reconcile --no-syncs", "list", "history", "store info"])
def test_a_store_of_another_lineage_is_refused_by_every_command(applied: Tree, command: str) -> None:
    settings = applied.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "lineage: 0c9f3f1e-8a77-4f0e-9f5e-1f0d6a3f2b11\n")
    refused = applied.run(*command.split(), code=1)
    assert "is of lineage" in refused.stderr
    assert "0c9f3f1e-8a77-4f0e-9f5e-1f0d6a3f2b11" in refused.stderr
    assert "hint:" in refused.stderr


def test_the_pinned_store_itself_is_used(applied: Tree) -> None:
    lineage = json.loads(applied.run("store", "info", "--format", "json").stdout)["lineage"]
    settings = applied.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + f"lineage: {lineage}\n")
    assert "Nothing to do" in applied.run("plan").stdout


@pytest.mark.parametrize("command", ["plan", "reconcile --no-syncs", "store init"])
def test_with_a_pinned_lineage_no_store_is_made_where_none_is(tree: Tree, command: str) -> None:
    settings = tree.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "lineage: 0c9f3f1e-8a77-4f0e-9f5e-1f0d6a3f2b11\n")
    refused = tree.run(*command.split(), code=1)
    assert "store" in refused.stderr
    assert not (tree.root / ".gradesync" / "store.db").exists()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with running_server() as running:
        yield str(running.get_uri())


def test_an_empty_database_is_no_store_where_a_lineage_is_pinned(tree: Tree, server: str) -> None:
    settings = tree.root / "gradesync.yaml"
    usual = settings.read_text() + "store: env:GRADESYNC_TEST_STORE\nkeys: env:GRADESYNC_TEST_KEY\n"
    settings.write_text(usual + "lineage: 0c9f3f1e-8a77-4f0e-9f5e-1f0d6a3f2b11\n")
    env = {"GRADESYNC_TEST_STORE": server, "GRADESYNC_TEST_KEY": "0123456789abcdef" * 4}
    refused = tree.run("reconcile", "--no-syncs", env=env, code=1)
    assert "store" in refused.stderr
    settings.write_text(usual)
    assert "2 new accounts" in tree.run("plan", env=env).stdout, "nothing was made in the database"


# - limits and nothing at all -


def test_a_retired_share_over_the_limit_is_withheld_and_the_rest_is_applied(tree: Tree) -> None:
    more = "".join(
        f"  extra-{n}:\n    type: grade passback\n    interval: daily at 0{n}:10\n" for n in range(4)
    )
    tree.account("riverside", tree.text("riverside") + more)
    apply(tree)
    for name in ("extra-0", "extra-1"):
        drop(tree, "riverside", name)
    edit(tree, "oak-hill", "daily at 04:00", "daily at 05:00")
    shown = plan(tree, code=5)
    assert subjects(shown["withheld"]) == {("retire", "riverside/extra-0"), ("retire", "riverside/extra-1")}
    assert "2 of 6 schedules would be retired, over the limit of 30%" in shown["stops"][0]["sentence"]
    apply(tree, code=5)
    assert recorded(tree)["oak-hill/grades"] == "daily at 05:00"
    assert "riverside/extra-0" in recorded(tree)
    settings = tree.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {account_share: 40%, account_least: 2}\n")
    apply(tree)
    assert "riverside/extra-0" not in recorded(tree), "the owner's limit counts"


@pytest.mark.parametrize("slip", ["the tree is empty", "a file is gone", "no schedules are left"])
def test_nothing_at_all_is_never_taken_at_its_word(applied: Tree, slip: str) -> None:
    if slip == "the tree is empty":
        for key in ("riverside", "oak-hill"):
            (applied.root / "schedules" / f"{key}.yaml").unlink()
    elif slip == "a file is gone":
        (applied.root / "schedules" / "oak-hill.yaml").unlink()
    else:
        text = applied.text("riverside")
        applied.account("riverside", text[: text.index("schedules:")])
    before = recorded(applied)
    assert plan(applied, code=5)["withheld"]
    said = apply(applied, code=5)
    assert "leaving" in said
    assert recorded(applied) == before


def test_a_broken_file_freezes_its_own_account_alone(applied: Tree) -> None:
    edit(applied, "riverside", "daily at 04:00", "dayly at 04:00")
    edit(applied, "oak-hill", "daily at 04:00", "daily at 05:00")
    assert plan(applied, code=1)["frozen"] == ["riverside"]
    assert "GS-104" in apply(applied, code=1)
    assert recorded(applied)["riverside/grades"] == "daily at 04:00"
    assert recorded(applied)["oak-hill/grades"] == "daily at 05:00"


@pytest.mark.parametrize("command", ["plan", "reconcile --no-syncs"])
def test_without_sound_settings_no_store_is_taken_for_the_right_one(tree: Tree, command: str) -> None:
    settings = tree.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "store: mysql://somewhere\n")
    assert "GS-110" in tree.run(*command.split(), code=1).stderr
    assert not (tree.root / ".gradesync" / "store.db").exists()


def due(tree: Tree) -> None:
    """Let riverside's grades be due."""
    with closing(sqlite3.connect(tree.root / ".gradesync" / "store.db")) as raw, raw:
        raw.execute("UPDATE schedule SET next_run_at = 1 WHERE account = 'riverside' AND name = 'grades'")


@pytest.mark.parametrize(
    "slip",
    ["the account's file", "a part of gradesync.yaml", "a part of gradesync.yaml, by recorded definitions"],
)
def test_a_typo_stops_no_grades(live: Tree, slip: str) -> None:
    if slip == "the account's file":
        edit(live, "riverside", "daily at 04:00", "dayly at 04:00")
    else:
        settings = live.root / "gradesync.yaml"
        settings.write_text(settings.read_text() + "notify: [{channel: pigeon}]\n")
    due(live)
    more = ("--due",) if slip.endswith("definitions") else ()
    done = live.run("reconcile", "--format", "json", *more, code=None)
    report = json.loads(done.stdout)
    assert [run["run"]["schedule"] for run in report["runs"]] == ["riverside/grades"]
    assert report["applied"] == 0
    assert done.exit_code in ((0, 3) if more else (1,))


@pytest.mark.parametrize("line", ["keys: nowhere", "lineage: 5", "stor: sqlite:///x.db"])
def test_nothing_runs_where_it_is_open_which_store_or_key_is_meant(live: Tree, line: str) -> None:
    settings = live.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + f"{line}\n")
    due(live)
    for more in ((), ("--due",)):
        assert "gradesync.yaml:2" in live.run("reconcile", *more, code=1).stderr


def test_secrets_do_not_follow_a_changed_host_until_somebody_allows_it(applied: Tree) -> None:
    edit(applied, "riverside", "http://127.0.0.1:9/riverside/genesis", "http://localhost:9/riverside/genesis")
    shown = plan(applied, code=5)
    assert subjects(shown["withheld"]) == {("change account", "riverside")}
    apply(applied, code=5)
    apply(applied, "--allow", shown["digest"], "--reason", "the SIS moved")
    assert not plan(applied, code=0)["changes"]


# - consent -


def test_consent_is_for_exactly_what_was_shown_and_stands_in_the_history(applied: Tree) -> None:
    (applied.root / "schedules" / "oak-hill.yaml").unlink()
    shown = plan(applied, code=5)
    text = applied.run("plan", code=5).stdout
    assert f"gradesync reconcile --allow {shown['digest']}" in text
    (applied.root / "schedules" / "riverside.yaml").unlink()
    said = apply(applied, "--allow", shown["digest"], "--reason", "oak-hill left", code=5)
    assert "fits nothing that is withheld now" in said
    assert len(recorded(applied)) == 4, "more than was consented to is withheld, so nothing goes through"
    applied.account("riverside")
    apply(applied, "--allow", shown["digest"], "--reason", "oak-hill left")
    assert set(recorded(applied)) == {"riverside/grades", "riverside/roster-nightly"}
    for what in ("schedule retired", "account retired"):
        for entry in told(applied, what):
            assert (entry["data"]["allowed"], entry["data"]["reason"]) == (shown["digest"], "oak-hill left")
    assert [entry["data"] for entry in told(applied, "plan allowed")] == [
        {"digest": shown["digest"], "reason": "oak-hill left"}
    ]
    apply(applied, "--allow", shown["digest"], code=64)


# - protection -


def test_a_protected_schedule_outlives_its_own_line_and_every_consent(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("  grades:\n", "  grades:\n    protect: true\n"))
    apply(tree)
    drop(tree, "riverside", "grades")
    shown = plan(tree, code=5)
    assert subjects(shown["withheld"]) == {("retire", "riverside/grades")}
    assert shown["withheld"][0]["locked"] is True
    assert shown["digest"] is None
    assert "--allow" not in tree.run("plan", code=5).stdout
    apply(tree, "--allow", "0" * 12, "--reason", "I insist", code=5)
    assert "riverside/grades" in recorded(tree)
    tree.account("riverside", tree.text("riverside"))
    apply(tree)
    drop(tree, "riverside", "grades")
    apply(tree)
    assert "riverside/grades" not in recorded(tree)


def test_a_protected_account_neither_leaves_nor_vanishes(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside") + "protect: true\n")
    apply(tree)
    tree.account("riverside", tree.text("riverside") + "state: leaving\n")
    apply(tree, code=5)
    (tree.root / "schedules" / "riverside.yaml").unlink()
    shown = plan(tree, code=5)
    apply(tree, *(("--allow", shown["digest"], "--reason", "x") if shown["digest"] else ()), code=5)
    assert {"riverside/grades", "riverside/roster-nightly"} <= set(recorded(tree))


def test_protection_does_not_stand_in_the_way_of_a_pause(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside") + "protect: true\n")
    apply(tree)
    tree.account("riverside", tree.text("riverside") + "protect: true\nstate: paused\nreason: SIS upgrade\n")
    apply(tree)
    tree.run("pause", "oak-hill", "--reason", "x")


# - renames -


def test_a_rename_without_moved_is_withheld_with_the_line_to_add(applied: Tree) -> None:
    applied.run("pause", "riverside/grades", "--reason", "looks odd", "--for", "2d")
    applied.run("request", "riverside/grades")
    edit(applied, "riverside", "  grades:", "  passback:")
    said = apply(applied, code=5)
    assert "looks like a rename" in said
    assert "moved: {grades: passback}" in said
    applied.account(
        "riverside",
        applied.text("riverside").replace("  grades:", "  passback:") + "moved: {grades: passback}\n",
    )
    apply(applied)
    assert "riverside/passback" in recorded(applied)
    assert "riverside/grades" not in recorded(applied)
    assert "riverside/passback" in applied.run("holds").stdout
    assert told(applied, "schedule moved")[0]["data"]["moved from"] == "grades"
    history = applied.run("history", "riverside/passback", "--format", "json").stdout
    assert "schedule created" in history, "its past is found under the new name"


def test_a_held_schedule_is_not_quietly_deleted_nor_its_hold_shaken_off(applied: Tree) -> None:
    applied.run("pause", "riverside/grades", "--reason", "looks odd", "--for", "2d")
    whole = applied.text("riverside")
    drop(applied, "riverside", "grades")
    shown = plan(applied, code=5)
    assert "an operator holds grades" in shown["stops"][0]["sentence"]
    apply(applied, "--allow", shown["digest"], "--reason", "no longer used")
    applied.account("riverside", whole)
    apply(applied)
    assert "held" in applied.run("show", "riverside/grades").stdout, "deleting and adding again ends no hold"


# - leaving -


def test_an_account_leaves_and_its_data_is_erased_only_then(applied: Tree) -> None:
    with closing(sqlite3.connect(applied.root / ".gradesync" / "store.db")) as raw, raw:
        raw.execute(
            "INSERT INTO watermark VALUES ('riverside', 'identity', 'x'), ('oak-hill', 'identity', 'y')"
        )
    refused = applied.run("store", "purge", "riverside", "--yes", "--reason", "x", code=1)
    assert "is live" in refused.stderr
    applied.account(
        "riverside", applied.text("riverside") + "state: leaving\nreason: merged into another district\n"
    )
    apply(applied)
    assert not plan(applied, code=0)["changes"]
    (applied.root / "schedules" / "riverside.yaml").unlink()
    assert not plan(applied, code=0)["changes"], "it has said good-bye, so its file may go"
    applied.run("store", "purge", "riverside", "--reason", "x", code=64)
    assert "--reason" in applied.run("store", "purge", "riverside", "--yes", code=64).stderr
    code, shown = applied.at_a_terminal("store", "purge", "riverside", "--reason", "x", typed="oak-hill\n")
    assert (code, "nothing was erased" in shown) == (1, True)
    code, shown = applied.at_a_terminal(
        "store", "purge", "riverside", "--reason", "contract ended", typed="riverside\n"
    )
    assert (code, "1 watermark" in shown) == (0, True), shown
    with closing(sqlite3.connect(applied.root / ".gradesync" / "store.db")) as raw:
        assert raw.execute("SELECT account FROM watermark").fetchall() == [("oak-hill",)]
    [entry] = told(applied, "account purged")
    assert entry["data"]["reason"] == "contract ended"
    assert entry["data"]["erased"]["watermark"] == 1
    assert "verifies" in applied.run("history", "--verify").stdout
    assert "no account" in applied.run("store", "purge", "riversid", "--yes", "--reason", "x", code=1).stderr


# - exit codes -


def test_the_exit_code_of_a_plan_is_the_worst_that_is_true(tree: Tree) -> None:
    assert tree.run("plan").exit_code == 0, "changes alone are fine"
    tree.run("plan", "--detailed-exitcode", code=2)
    apply(tree)
    tree.run("plan", "--detailed-exitcode", code=0)
    edit(tree, "riverside", "daily at 04:00", "daily at 05:00")
    tree.run("plan", "--detailed-exitcode", code=2)
    edit(tree, "riverside", "daily at 05:00", "dayly at 05:00")
    tree.run("plan", "--detailed-exitcode", code=1)
    (tree.root / "schedules" / "oak-hill.yaml").unlink()
    tree.run("plan", "--detailed-exitcode", code=5)
    tree.run("plan", "--detailed-exitcod", code=64)


def test_the_digest_reaches_the_next_steps_of_a_workflow(applied: Tree, tmp_path: Path) -> None:
    (applied.root / "schedules" / "oak-hill.yaml").unlink()
    outputs = tmp_path / "outputs"
    applied.run("plan", env={"GITHUB_OUTPUT": str(outputs)}, code=5)
    assert f"digest={plan(applied)['digest']}\n" in outputs.read_text()
    assert "changes=true\n" in outputs.read_text()
    assert "unsafe=true\n" in outputs.read_text()
