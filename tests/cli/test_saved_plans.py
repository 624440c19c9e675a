"""Saved plans through the real commands: exactly what was saved, part by part, and nothing a changed file could add."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tree
from tests.cli.test_guards import apply, drop, edit, plan, recorded, told


def save(tree: Tree, *more: str, code: int = 0) -> Path:
    file = tree.root / "plan.json"
    tree.run("plan", "--out", str(file), *more, code=code)
    return file


def carry_out(tree: Tree, file: Path, *more: str, code: int = 0) -> str:
    return tree.run("reconcile", "--no-syncs", "--plan", str(file), *more, code=code).output


def tampered(file: Path, change: Callable[[dict[str, Any]], None], *, sealed: bool) -> Path:
    """The file with a change in it, with a checksum that fits when `sealed`."""
    body = json.loads(file.read_text())
    change(body)
    if sealed:
        body.pop("checksum")
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        body["checksum"] = hashlib.sha256(text.encode()).hexdigest()
    file.write_text(json.dumps(body))
    return file


@pytest.fixture
def changed(tree: Tree) -> Tree:
    """A recorded tree in which one schedule of each account has changed."""
    apply(tree)
    for key in ("riverside", "oak-hill"):
        edit(tree, key, "daily at 04:00", "daily at 05:00")
    return tree


def test_a_saved_plan_is_carried_out_and_a_second_time_there_is_nothing_left(changed: Tree) -> None:
    file = save(changed)
    assert "2 changes applied" in carry_out(changed, file)
    assert recorded(changed)["riverside/grades"] == recorded(changed)["oak-hill/grades"] == "daily at 05:00"
    id_ = json.loads(file.read_text())["checksum"][:12]
    assert {entry["data"]["saved plan"] for entry in told(changed, "schedule changed")} == {id_}
    assert "refused" not in carry_out(changed, file), "what stands already as it was wanted is done"


def test_what_came_after_the_plan_was_saved_is_not_carried_out(changed: Tree) -> None:
    file = save(changed)
    changed.account("elm", changed.text("elm"))
    edit(changed, "riverside", "daily at 03:15", "daily at 03:45")
    assert "2 changes applied" in carry_out(changed, file)
    assert "elm/grades" not in recorded(changed)
    assert recorded(changed)["riverside/roster-nightly"] == "daily at 03:15"
    assert plan(changed)["counts"] == {"change": 1, "change account": 1, "create": 2}


def test_only_what_is_stale_is_refused_and_it_is_named_with_who_changed_it(changed: Tree) -> None:
    file = save(changed)
    edit(changed, "riverside", "daily at 05:00", "daily at 06:00")
    apply(changed, "--account", "riverside")
    edit(changed, "riverside", "daily at 06:00", "daily at 05:00")
    answer = changed.run("reconcile", "--no-syncs", "--plan", str(file), "--format", "json", code=6)
    report = json.loads(answer.stdout)
    assert [(one["account"], one["schedule"], one["changed_in"]) for one in report["stale"]] == [
        ("riverside", "grades", "store")
    ]
    assert "schedule changed by" in report["stale"][0]["changed"]
    assert recorded(changed)["riverside/grades"] == "daily at 06:00"
    assert recorded(changed)["oak-hill/grades"] == "daily at 05:00", "the other part still fits"
    said = carry_out(changed, file, code=6)
    assert "riverside/grades (change): schedule changed by" in said
    assert "1 of the saved plan refused" in said
    assert "riverside/grades (change)" in changed.run(
        "reconcile", "--no-syncs", "--plan", str(file), "--format", "markdown", code=6
    ).stdout.replace("\\", "")


def test_a_file_that_says_otherwise_by_now_makes_its_schedule_stale(changed: Tree) -> None:
    file = save(changed)
    edit(changed, "riverside", "daily at 05:00", "daily at 06:00")
    assert "the files say otherwise now" in carry_out(changed, file, code=6)
    assert recorded(changed)["riverside/grades"] == "daily at 04:00"


def test_runs_requests_and_holds_between_do_not_make_a_plan_stale(live: Tree) -> None:
    edit(live, "riverside", "daily at 04:00", "daily at 05:00")
    edit(live, "oak-hill", "daily at 04:00", "daily at 05:00")
    file = save(live)
    live.run("run", "riverside/roster-nightly", code=None)
    live.run("run", "riverside/grades", "--yes", code=None)
    live.run("reconcile", "--due", code=None)
    live.run("request", "oak-hill/grades")
    live.run("pause", "oak-hill/grades", "--reason", "SIS upgrade")
    with closing(sqlite3.connect(live.root / ".gradesync" / "store.db")) as raw, raw:
        assert raw.execute("SELECT count(*) FROM run").fetchone()[0] >= 2
        raw.execute("UPDATE schedule SET next_run_at = next_run_at - 1000")
    assert "2 changes applied" in carry_out(live, file)


def test_a_plan_for_one_account_stays_one(changed: Tree) -> None:
    file = save(changed, "--account", "riverside")
    carry_out(changed, file)
    assert recorded(changed)["riverside/grades"] == "daily at 05:00"
    assert recorded(changed)["oak-hill/grades"] == "daily at 04:00"
    for option in (["--due"], ["--account", "riverside"], ["--loop"], ["--shard", "1/2"]):
        changed.run("reconcile", "--plan", str(file), *option, code=64)


def test_withheld_parts_stay_withheld_and_need_consent_as_ever(changed: Tree) -> None:
    (changed.root / "schedules" / "oak-hill.yaml").unlink()
    digest = plan(changed, code=5)["digest"]
    file = save(changed, code=5)
    carry_out(changed, file, code=5)
    assert "oak-hill/grades" in recorded(changed)
    assert recorded(changed)["riverside/grades"] == "daily at 05:00"
    carry_out(changed, file, "--allow", digest, "--reason", "they left")
    assert set(recorded(changed)) == {"riverside/grades", "riverside/roster-nightly"}


def test_what_a_guard_withheld_then_is_not_let_through_by_a_wider_limit(tree: Tree) -> None:
    more = "".join(f"  e-{n}:\n    type: grade passback\n    interval: daily at 0{n}:10\n" for n in range(3))
    tree.account("riverside", tree.text("riverside") + more)
    apply(tree)
    for name in ("e-0", "e-1"):
        drop(tree, "riverside", name)
    file = save(tree, code=5)
    settings = tree.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {account_share: 100%}\n")
    said = carry_out(tree, file, code=5)
    assert "withheld when the plan was saved" in said
    assert "riverside/e-0" in recorded(tree)


def test_what_a_guard_withholds_by_now_is_not_let_through_because_it_was_saved(tree: Tree) -> None:
    more = "".join(f"  e-{n}:\n    type: grade passback\n    interval: daily at 0{n}:10\n" for n in range(9))
    tree.account("riverside", tree.text("riverside") + more)
    apply(tree)
    for name in ("e-0", "e-1"):
        drop(tree, "riverside", name)
    file = save(tree)
    settings = tree.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {account_share: 10%}\n")
    carry_out(tree, file, code=5)
    assert "riverside/e-0" in recorded(tree)


def test_an_account_that_came_into_being_meanwhile_is_refused_as_a_whole(tree: Tree) -> None:
    apply(tree)
    tree.account("elm", tree.text("elm"))
    file = save(tree)
    tree.account(
        "elm",
        tree.text("elm").replace("{excused: exempt}", "{excused: withhold}").replace("  grades:", "  g:"),
    )
    apply(tree)
    tree.account("elm", tree.text("elm"))
    said = carry_out(tree, file, code=6)
    assert "elm (change account)" in said
    assert "elm/grades (create)" in said
    assert "elm/grades" not in recorded(tree)


# - what a file is bound to -


def test_a_plan_of_another_store_is_refused(changed: Tree) -> None:
    file = save(changed)
    (changed.root / ".gradesync" / "store.db").unlink()
    changed.run("store", "init")
    refused = changed.run("reconcile", "--no-syncs", "--plan", str(file), code=6)
    assert "lineage" in refused.stderr
    assert not recorded(changed)


def test_a_plan_of_another_gradesync_is_refused(changed: Tree) -> None:
    file = save(changed)
    tampered(file, lambda body: body.update(gradesync="9.9.9"), sealed=True)
    assert "made by gradesync 9.9.9" in carry_out(changed, file, code=6)
    assert recorded(changed)["riverside/grades"] == "daily at 04:00"


def test_no_plan_is_saved_where_there_is_no_store_to_bind_it_to(tree: Tree) -> None:
    tree.run("plan", "--out", str(tree.root / "plan.json"), code=1)
    assert not (tree.root / "plan.json").exists()


def test_a_changed_file_is_noticed_and_nothing_of_it_is_applied(changed: Tree) -> None:
    file = tampered(save(changed), lambda body: body["actions"].pop(), sealed=False)
    assert "was changed after it was saved" in carry_out(changed, file, code=1)
    assert recorded(changed)["riverside/grades"] == "daily at 04:00"
    for text in ("", "{}", "[]", "null", '{"version": 1, "kind": "saved plan", "checksum": 5}'):
        file.write_text(text)
        assert "no plan that this gradesync saved" in carry_out(changed, file, code=1)


def _more(body: dict[str, Any]) -> None:
    """What somebody might add who can seal the file again."""
    invented = {"before": None, "after": "0" * 32, "moved_from": None, "withheld": False}
    body["actions"] += [
        {"kind": "create", "account": "riverside", "schedule": "invented", **invented},
        {"kind": "retire", "account": "oak-hill", "schedule": "roster-nightly", **invented, "after": None},
    ]
    for action in body["actions"]:
        action["after"] = action["after"] and "f" * 32


def test_whoever_seals_a_changed_file_anew_can_still_add_nothing(changed: Tree) -> None:
    before = recorded(changed)
    file = tampered(save(changed), _more, sealed=True)
    carry_out(changed, file, code=6)
    assert recorded(changed) == before


def test_freeing_a_withheld_action_by_hand_does_not_free_it(changed: Tree) -> None:
    (changed.root / "schedules" / "oak-hill.yaml").unlink()

    def free(body: dict[str, Any]) -> None:
        for action in body["actions"]:
            action["withheld"] = False

    file = tampered(save(changed, code=5), free, sealed=True)
    carry_out(changed, file, code=5)
    assert "oak-hill/grades" in recorded(changed)


def test_a_file_holds_names_and_digests_and_neither_definitions_nor_secrets(tree: Tree) -> None:
    apply(tree)
    tree.account("elm", tree.text("elm").replace("canvas:\n", "canvas:\n  token: env:ELM_TOKEN\n", 1))
    edit(tree, "riverside", "posted_by: sis-admin", "posted_by: another-admin")
    body = json.loads(save(tree).read_text())
    for secret in ("ELM_TOKEN", "127.0.0.1", "file:", "05:00"):
        assert secret not in json.dumps(body)
    report = body.pop("report")
    assert [field["after"] for one in report["actions"] for field in one["fields"]] == ["another-admin"]
    assert {one["definition"] for one in report["actions"]} == {None}
    assert "another-admin" not in json.dumps(body)
    assert body["actions"]


def test_what_a_plan_tells_people_is_no_part_of_what_is_carried_out(changed: Tree) -> None:
    def lie(body: dict[str, Any]) -> None:
        body["report"] = None

    file = tampered(save(changed), lie, sealed=True)
    assert "2 changes applied" in carry_out(changed, file)


def test_a_plan_that_cannot_be_written_says_so(changed: Tree) -> None:
    refused = changed.run("plan", "--out", str(changed.root / "nowhere" / "plan.json"), code=1)
    assert "cannot be written" in refused.stderr


def test_what_begins_to_send_is_told_by_the_comment_of_the_saved_file_too(tree: Tree) -> None:
    apply(tree)
    whole = tree.text("oak-hill").replace("oak-hill", "elm-park")
    tree.account("elm-park", whole.replace("posted_by: sis-admin", "state: observe"))
    file = save(tree)
    assert [row["definition"] for row in json.loads(file.read_text())["report"]["actions"]] == [None] * 3
    body = tree.run("comment", "--plan", str(file), "--dry-run").stdout
    begins, others = body.partition("#### Will begin to send")[2].split("#### Other changes")
    assert "elm-park/roster-nightly" in begins
    assert "elm-park/grades" in others, "what observes sends nothing"

    def before_it_was_kept(content: dict[str, Any]) -> None:
        content["report"].pop("unrecorded")
        for row in content["report"]["actions"]:
            row.pop("begins")

    older = tampered(file, before_it_was_kept, sealed=True)
    assert "elm-park/roster-nightly" in tree.run("comment", "--plan", str(older), "--dry-run").stdout
    assert "changes applied" in carry_out(tree, older)


def test_a_new_account_whose_first_file_is_broken_is_not_told_to_go_on(tree: Tree) -> None:
    apply(tree)
    for key in ("oak-hill", "elm-park"):
        tree.account(key, tree.text("oak-hill").replace("oak-hill", key) + "collor: red\n")
    file = save(tree, code=1)
    limited = tree.run("plan", "--account", "riverside", code=None)
    for said in (tree.run("comment", "--plan", str(file), "--dry-run"), tree.run("plan", code=1), limited):
        told = " ".join(said.stdout.split())
        assert "elm-park does not begin until its file is fixed" in told
        assert "elm-park is frozen" not in told
        assert "oak-hill is frozen: its file has problems, so nothing of it changes; its last good" in told
