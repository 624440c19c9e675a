"""What `init --repo` writes: linted like our own workflows, fit to be used as it is, and never over somebody's file."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from gradesync.cli.init_branch import branch_of
from gradesync.cli.init_repo import (
    Actions,
    actions_here,
    next_steps,
    pin_lineage,
    read_account_owners,
    read_actions,
    write_repo,
)
from gradesync.config.loader import load
from gradesync.errors import GradesyncError
from tests.actions.conftest import git
from tests.actions.running import ROOT

OURS = Actions("district-it/gradesync", "0123456789abcdef0123456789abcdef01234567", "gradesync 1.2.3")
OWNERS = ("@district/sync-owners",)


def snapshot(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_workflows_are_our_own_byte_for_byte() -> None:
    kept = ROOT / "gradesync" / "cli" / "repo"
    names = [path.name for path in kept.glob("*.yml") if path.name != "dependabot.yml"]
    assert sorted(names) == ["act.yml", "plan.yml", "reconcile-cron.yml", "reconcile.yml", "validate.yml"]
    for name in names:
        assert (kept / name).read_bytes() == (ROOT / ".github" / "workflows" / name).read_bytes(), name


def test_the_written_repository_is_a_tree_without_problems(tmp_path: Path) -> None:
    written = write_repo(tmp_path, owners=OWNERS, support=("@district/support",), actions=OURS)
    assert {str(path.relative_to(tmp_path)) for path in written} == set(snapshot(tmp_path))
    assert load(tmp_path, now=datetime.now(UTC)).problems == ()


def test_every_action_is_pinned_to_the_commit_that_was_named(tmp_path: Path) -> None:
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    for path in (tmp_path / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        for used in re.findall(r"uses: (\S+)", text):
            assert re.search(r"@[0-9a-f]{40}$", used), used
        assert f"district-it/gradesync/.github/actions/setup@{OURS.commit} # gradesync 1.2.3" in text
        assert "running-in-ci" not in text


def test_a_pass_is_given_the_keys_of_the_accounts_that_are_there(tmp_path: Path) -> None:
    (tmp_path / "schedules" / "north").mkdir(parents=True)
    (tmp_path / "schedules" / "north" / "oak-hill.yaml").write_text("account: oak-hill\n")
    (tmp_path / "schedules" / "_defaults.yaml").write_text("time_zone: America/New_York\n")
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    for name in ("reconcile", "reconcile-cron", "act"):
        job = yaml.safe_load((tmp_path / ".github" / "workflows" / f"{name}.yml").read_text())["jobs"]["pass"]
        given = job["steps"][-1]["env"]
        assert set(given) == {
            "GRADESYNC_STORE",
            "GRADESYNC_KEY",
            "OAK_HILL_CANVAS_TOKEN",
            "OAK_HILL_SIS_ID",
            "OAK_HILL_SIS_SECRET",
        }
    assert not (tmp_path / "schedules" / "example.yaml").exists()


def test_who_owns_what_comes_in_the_order_that_github_reads(tmp_path: Path) -> None:
    write_repo(
        tmp_path,
        owners=OWNERS,
        support=("@district/support",),
        account_owners={"riverside": ("@riverside/it",), "north/": ("@north/it", "lms@north.example")},
        actions=OURS,
    )
    rows = [
        line.split()
        for line in (tmp_path / ".github" / "CODEOWNERS").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rows == [
        ["*", "@district/sync-owners"],
        ["/schedules/", "@district/support"],
        ["/schedules/north/", "@north/it", "lms@north.example"],
        ["/schedules/riverside.yaml", "@riverside/it"],
        ["_defaults.yaml", "@district/sync-owners"],
        ["/gradesync.yaml", "@district/sync-owners"],
        ["/.github/", "@district/sync-owners"],
    ]


def test_its_readme_has_every_step_of_the_first_day(tmp_path: Path) -> None:
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    steps = ("store init", "store grants", "openssl rand -hex 32", "`people`", "`contacts`", "notify test")
    assert [step for step in (*steps, "GRADESYNC_LIVE") if step not in text] == []


def test_a_second_time_writes_nothing(tmp_path: Path) -> None:
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    before = snapshot(tmp_path)
    assert write_repo(tmp_path, owners=OWNERS, actions=OURS) == []
    assert snapshot(tmp_path) == before


def test_nothing_is_overwritten_and_every_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / ".github" / "CODEOWNERS").write_text("* @somebody\n")
    (tmp_path / ".github" / "workflows" / "plan.yml").write_text("on: push\n")
    before = snapshot(tmp_path)
    with pytest.raises(GradesyncError, match=r"\.github/CODEOWNERS, \.github/workflows/plan\.yml"):
        write_repo(tmp_path, owners=OWNERS, actions=OURS)
    assert snapshot(tmp_path) == before


def test_an_existing_tree_keeps_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("ours\n")
    (tmp_path / "gradesync.yaml").write_text("secrets: env\n")
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    assert (tmp_path / "README.md").read_text() == "ours\n"
    assert (tmp_path / "gradesync.yaml").read_text() == "secrets: env\n"


def test_the_lineage_is_pinned_and_then_no_step_any_more(tmp_path: Path) -> None:
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    assert "store init" in next_steps(tmp_path)[0]
    assert pin_lineage(tmp_path, "b054b8963ef84d5ab975b66c210a4932")
    assert yaml.safe_load((tmp_path / "gradesync.yaml").read_text())["lineage"].startswith("b054")
    assert "store init" not in " ".join(next_steps(tmp_path))
    assert not pin_lineage(tmp_path, "another")


@pytest.mark.parametrize(
    "text", ["gradesync@v1", "o/gradesync@main", "o/gradesync@0123456", "../x@" + "0" * 40]
)
def test_what_somebody_could_move_is_no_pin(text: str) -> None:
    with pytest.raises(GradesyncError, match="names no commit"):
        read_actions(text)


@pytest.mark.parametrize("owner", ["district/owners", "@", "@a b", "@a\n* @mallory", "* @mallory"])
def test_an_owner_that_github_could_not_read_is_refused(owner: str, tmp_path: Path) -> None:
    with pytest.raises(GradesyncError, match="is not an owner"):
        write_repo(tmp_path, owners=(owner,), actions=OURS)
    assert snapshot(tmp_path) == {}


def test_the_command_pins_the_store_that_answers_and_says_what_remains(tmp_path: Path) -> None:
    """From the command line, as the owner of a district's schedules begins."""
    import os
    import subprocess
    import sys

    def run(*words: str, store: str | None) -> subprocess.CompletedProcess[str]:
        env = {key: value for key, value in os.environ.items() if key != "GRADESYNC_STORE"}
        if store is not None:
            env["GRADESYNC_STORE"] = store
        command = [sys.executable, "-m", "gradesync", "-C", str(tmp_path), *words]
        return subprocess.run(command, capture_output=True, text=True, env=env, check=False)

    pin = f"district-it/gradesync@{OURS.commit}"
    words = ["init", "--repo", "--owner", OWNERS[0], "--account-owner", "north/=@north/it", "--actions", pin]
    begun = run(*words, store=None)
    assert begun.returncode == 0, begun.stderr
    assert "gradesync store init" in begun.stderr
    assert "/schedules/north/" in (tmp_path / ".github" / "CODEOWNERS").read_text()
    silent = run(*words, store="postgresql://nobody:hunter2@127.0.0.1:9/nothing")
    assert silent.returncode == 0, silent.stderr
    assert "not pinned yet" in silent.stderr
    assert "hunter2" not in silent.stderr
    place = f"sqlite:///{tmp_path}/there.db"
    assert run("store", "init", store=place).returncode == 0
    again = run(*words, store=place)
    assert again.returncode == 0, again.stderr
    assert "is pinned" in again.stderr
    assert "gradesync store init" not in again.stderr


@pytest.mark.parametrize("text", ["@district/it", "../x=@a/b", "a b=@a/b", "=@a/b"])
def test_an_account_owner_without_an_account_is_refused(text: str) -> None:
    with pytest.raises(GradesyncError, match="names no account"):
        read_account_owners([text])


def test_a_clone_names_its_own_commit_once_github_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "clone"
    (clone / ".github" / "actions" / "setup").mkdir(parents=True)
    (clone / ".github" / "actions" / "setup" / "action.yml").write_text("name: setup\n")
    (clone / "gradesync").mkdir()
    monkeypatch.setattr("gradesync.__file__", str(clone / "gradesync" / "__init__.py"))
    git(clone, "init", "-q", "-b", "main")
    git(clone, "add", "-A")
    git(clone, "commit", "-q", "-m", "a clone")
    assert actions_here() is None  # no origin
    git(clone, "remote", "add", "origin", "git@github.com:district-it/gradesync.git")
    assert actions_here() is None  # a commit that only this machine has
    git(clone, "update-ref", "refs/remotes/origin/main", "HEAD")
    found = actions_here()
    assert found is not None
    assert found.repository == "district-it/gradesync"
    assert re.fullmatch(r"[0-9a-f]{40}", found.commit)
    git(clone, "remote", "set-url", "origin", "https://git.example.org/district-it/gradesync.git")
    assert actions_here() is None  # GitHub could not fetch it from there
    with pytest.raises(GradesyncError) as caught:
        write_repo(tmp_path / "repo", owners=OWNERS)
    assert f"--actions OWNER/REPOSITORY@{found.commit}" in (caught.value.hint or "")


def merged_branches(root: Path) -> object:
    """What GitHub reads: `on` is the key that YAML 1.1 takes for true."""
    return yaml.safe_load((root / ".github" / "workflows" / "reconcile.yml").read_text())[True]["push"][
        "branches"
    ]


def test_a_merge_takes_effect_on_the_default_branch_of_the_remote_else_on_the_one_checked_out(
    tmp_path: Path,
) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    for path in write_repo(tmp_path, owners=OWNERS, actions=OURS):
        if path.name != "reconcile.yml":
            continue
        assert merged_branches(tmp_path) == ["trunk"]
        assert "names trunk" in " ".join(next_steps(tmp_path))
        path.unlink()
    git(tmp_path, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/live/schools")
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    assert merged_branches(tmp_path) == ["live/schools"]


def test_the_branch_that_a_workflow_names_already_stays(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    git(tmp_path, "symbolic-ref", "HEAD", "refs/heads/a-change")
    assert write_repo(tmp_path, owners=OWNERS, actions=OURS) == []
    assert merged_branches(tmp_path) == ["trunk"]


def test_a_folder_of_somebody_elses_clone_and_a_detached_one_have_the_usual_branch(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "theirs")
    inner = tmp_path / "schedules-of-ours"
    inner.mkdir()
    assert branch_of(inner) == branch_of(tmp_path / "not-there") == "main"
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "something")
    git(tmp_path, "checkout", "-q", "--detach")
    assert branch_of(tmp_path) == "main"


@pytest.mark.parametrize(
    ("name", "written"), [("on", "on"), ("1.0", "1.0"), ("a+b", r"a\+b"), ("x#y", "x#y")]
)
def test_a_name_that_yaml_or_a_pattern_would_read_otherwise_is_the_branch_all_the_same(
    name: str, written: str, tmp_path: Path
) -> None:
    git(tmp_path, "init", "-q", "-b", name)
    write_repo(tmp_path, owners=OWNERS, actions=OURS)
    assert merged_branches(tmp_path) == [written]
    assert f"must name it, and names {name})" in " ".join(next_steps(tmp_path))


@pytest.mark.parametrize(
    "name", ["!main", 'a"]', "${{secrets.X}}", "$(id)", "a`id`", "a;b", "a\u202eb", "x'y"]
)
def test_a_hostile_branch_is_refused_before_anything_is_written(name: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "main")
    (tmp_path / ".git" / "HEAD").write_text(f"ref: refs/heads/{name}\n", encoding="utf-8")
    before = snapshot(tmp_path)
    with pytest.raises(GradesyncError, match="cannot be written into a workflow"):
        write_repo(tmp_path, owners=OWNERS, actions=OURS)
    assert snapshot(tmp_path) == before
