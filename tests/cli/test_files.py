"""Beginning a tree, checking it, planning and applying it: exit codes, and what is written where."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gradesync.cli.main import group
from tests.cli.conftest import Tree


def test_a_fresh_tree_is_valid_and_changes_nothing_until_somebody_fills_it_in(tmp_path: Path) -> None:
    first = CliRunner().invoke(group, ["-C", str(tmp_path), "init"])
    assert first.exit_code == 0, first.output
    assert (tmp_path / ".gitignore").read_text() == ".gradesync/\n"
    assert (
        (tmp_path / "schedules" / "example.yaml").read_text().startswith("# yaml-language-server: $schema=")
    )
    assert CliRunner().invoke(group, ["-C", str(tmp_path), "validate", "--strict"]).exit_code == 0
    plan = CliRunner().invoke(group, ["-C", str(tmp_path), "plan", "--format", "json"])
    created = [a for a in json.loads(plan.stdout)["actions"] if a["action"] == "create"]
    assert created
    assert {a.get("next_run_after") for a in created} == {None}


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "gradesync.yaml").write_text("hosts: [mine.example]\n")
    result = CliRunner().invoke(group, ["-C", str(tmp_path), "init"])
    assert result.exit_code == 1
    assert (tmp_path / "gradesync.yaml").read_text() == "hosts: [mine.example]\n"
    assert not (tmp_path / "schedules").exists()


def test_init_can_make_the_store_too(tmp_path: Path) -> None:
    assert CliRunner().invoke(group, ["-C", str(tmp_path), "init", "--store"]).exit_code == 0
    assert (tmp_path / ".gradesync" / "store.db").stat().st_mode & 0o777 == 0o600


def test_validate_needs_neither_store_nor_secrets_and_names_line_and_remedy(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("interval: daily", "intervl: daily"))
    result = tree.run("validate", code=1)
    assert "schedules/riverside.yaml:13" in result.stdout
    assert "did you mean `interval`" in result.stdout
    assert not (tree.root / ".gradesync" / "store.db").exists()


def test_validate_speaks_json_and_github(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("daily at 03:15", "daily at 25:00"))
    answer = json.loads(tree.run("validate", "--format", "json", code=1).stdout)
    assert answer["version"] == 1
    assert "::error " in tree.run("validate", "--format", "github", code=1).stdout


def test_warnings_alone_pass_unless_strict(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("daily at 03:15", "monthly on 31 at 03:15"))
    assert "GS-115" in tree.run("validate").stdout
    tree.run("validate", "--strict", code=1)


def test_a_pasted_token_never_comes_out_again(tree: Tree) -> None:
    token = "7~AbCdEfGh1234567890IjKlMnOpQrStUvWx"
    tree.account("riverside", tree.text("riverside").replace("sis-admin", token))
    for command in (["validate"], ["validate", "--format", "json"], ["plan"], ["reconcile"]):
        result = tree.run(*command, code=None)
        assert result.exit_code == 1, result.output
        assert token not in result.output


def test_a_folder_that_is_no_tree_is_not_taken_for_an_empty_one(tmp_path: Path) -> None:
    for command in ("validate", "plan", "reconcile"):
        result = CliRunner().invoke(group, ["-C", str(tmp_path), command])
        assert result.exit_code == 1
        assert "gradesync init" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_plan_makes_no_store_and_says_that_everything_is_new(tree: Tree) -> None:
    result = tree.run("plan", "--detailed-exitcode", code=2)
    assert "everything is new" in result.stderr
    assert not (tree.root / ".gradesync" / "store.db").exists()


def test_plan_limited_to_an_account_shows_only_that_one(tree: Tree) -> None:
    answer = json.loads(tree.run("plan", "--account", "oak-hill", "--format", "json").stdout)
    assert {action["account"] for action in answer["actions"]} == {"oak-hill"}
    assert "did you mean oak-hill?" in tree.run("plan", "--account", "oak-hil", code=1).stderr


def test_plan_tells_a_workflow_whether_changes_wait(tree: Tree, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    tree.run("plan", env={"GITHUB_OUTPUT": str(outputs)})
    assert "changes=true" in outputs.read_text()


def test_what_was_applied_is_no_change_any_more(tree: Tree) -> None:
    first = tree.run("reconcile")
    assert "a new store was made" in first.stderr
    tree.run("plan", "--detailed-exitcode", code=0)
    again = json.loads(tree.run("reconcile", "--format", "json").stdout)
    assert again["applied"] == 0


def test_a_file_with_problems_freezes_its_account_only(tree: Tree) -> None:
    tree.run("reconcile")
    tree.account("riverside", tree.text("riverside").replace("03:15", "99:99"))
    tree.account("oak-hill", tree.text("oak-hill").replace("03:15", "04:45"))
    result = tree.run("reconcile", code=1)
    assert "GS-104" in result.stdout
    rows = json.loads(tree.run("list", "--format", "json").stdout)["schedules"]
    intervals = {row["id"]: row["interval"] for row in rows}
    assert intervals["riverside/roster-nightly"] == "daily at 03:15"
    assert intervals["oak-hill/roster-nightly"] == "daily at 04:45"


def test_a_vanished_file_is_a_safety_stop_until_somebody_allows_it_with_a_reason(tree: Tree) -> None:
    tree.run("reconcile")
    (tree.root / "schedules" / "oak-hill.yaml").unlink()
    digest = json.loads(tree.run("plan", "--format", "json", code=5).stdout)["digest"]
    tree.run("reconcile", code=5)
    tree.run("reconcile", "--allow", digest, code=64)
    tree.run("reconcile", "--allow", digest, "--reason", "the district left")
    told = tree.run("history", "--format", "json").stdout
    assert "the district left" in told
    rows = json.loads(tree.run("list", "--format", "json").stdout)["schedules"]
    assert {row["id"].split("/")[0] for row in rows} == {"riverside"}


def test_a_pinned_lineage_refuses_another_store_and_a_new_one(tree: Tree) -> None:
    settings = tree.root / "gradesync.yaml"
    with settings.open("a") as file:
        file.write("lineage: 0123456789abcdef0123456789abcdef\n")
    assert "no store" in tree.run("reconcile", code=1).stderr
    assert not (tree.root / ".gradesync" / "store.db").exists()
    text = settings.read_text()
    settings.write_text(text.replace("lineage", "# lineage"))
    tree.run("store", "init")
    settings.write_text(text)
    assert "lineage" in tree.run("reconcile", code=1).stderr


def test_store_info_and_a_second_init(tree: Tree) -> None:
    assert "gradesync store init" in tree.run("store", "info", code=1).stderr
    tree.run("store", "init")
    assert json.loads(tree.run("store", "info", "--format", "json").stdout)["kind"]
    tree.run("store", "migrate")
    assert "already" in tree.run("store", "init", code=1).stderr


def test_effective_values_name_file_and_line(tree: Tree) -> None:
    shown = tree.run("show", "riverside", "--effective").stdout
    assert "passback.excused" in shown
    assert "schedules/riverside.yaml:9" in shown


def test_the_schema_can_be_written_to_a_file(tree: Tree) -> None:
    tree.run("schema", "--kind", "settings", "--output", "settings.json")
    assert json.loads((tree.root / "settings.json").read_text())["title"]


def test_this_projects_own_tree_is_valid() -> None:
    top = Path(__file__).parents[2]
    result = CliRunner().invoke(group, ["-C", str(top), "validate", "--strict"])
    assert result.exit_code == 0, result.output


def test_list_loads_nothing_it_does_not_need(tree: Tree) -> None:
    tree.run("reconcile")
    heavy = ["pydantic", "yaml", "aiohttp", "rich", "deepdiff", "croniter", "alembic", "psycopg"]
    code = (
        "import sys; from gradesync.cli.main import run; "
        f"assert run(['-C', {str(tree.root)!r}, 'list']) == 0; "
        f"print([m for m in {heavy!r} if m in sys.modules], file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stderr.strip() == "[]"
    assert "riverside/grades" in answer.stdout


def _git(tree: Tree, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", "-C", str(tree.root), *identity, *arguments], check=True, capture_output=True)


def _commit(tree: Tree) -> None:
    _git(tree, "add", "schedules", "gradesync.yaml")
    _git(tree, "commit", "-q", "-m", "change")


def test_a_checkout_older_than_what_was_applied_applies_nothing(tree: Tree) -> None:
    _git(tree, "init", "-q")
    _commit(tree)
    tree.run("reconcile")
    tree.account("riverside", tree.text("riverside").replace("03:15", "04:45"))
    _commit(tree)
    tree.run("reconcile")
    _git(tree, "checkout", "-q", "HEAD~1")
    assert "GS-704" in tree.run("plan", code=None).stderr
    assert "GS-704" in tree.run("reconcile", code=1).stdout
    assert "daily at 04:45" in tree.run("list", "riverside").stdout
    tree.run("reconcile", "--any-commit", code=64)
    tree.run("reconcile", "--any-commit", "--reason", "back to last week on purpose")
    assert "daily at 04:45" not in tree.run("list", "riverside").stdout
    assert "back to last week on purpose" in tree.run("history", "--format", "json").stdout


def test_init_makes_the_folder_it_is_given(tmp_path: Path) -> None:
    made = CliRunner().invoke(group, ["init", str(tmp_path / "new" / "tree")])
    assert made.exit_code == 0, made.stderr
    assert (tmp_path / "new" / "tree" / "schedules" / "example.yaml").exists()


def test_an_interval_shorter_than_the_passes_is_warned_of_when_their_pace_is_told(tree: Tree) -> None:
    tree.account("riverside", tree.text("riverside").replace("daily at 03:15", "cron */2 * * * *"))
    assert "every 10 minutes" in tree.run("validate", "--tick", "10", code=0).stdout
    assert "every 10 minutes" not in tree.run("validate", code=0).stdout
    words = ("next", "cron * * * * *", "--time-zone", "America/New_York", "--tick", "10")
    assert "reconcile is started every 10 minutes" in tree.run(*words).stdout
