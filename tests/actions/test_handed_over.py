"""A key that no workflow hands to a pass is told by `validate`, on the pull request that brings it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.init_repo import Actions, write_repo
from gradesync.cli.main import group

ACTIONS = Actions("district-it/gradesync", "0123456789abcdef0123456789abcdef01234567")
FOLDER = ".github/workflows"
PASSING = ("act.yml", "reconcile-cron.yml", "reconcile.yml")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository as `init --repo` writes it, and one account more than its workflows know."""
    write_repo(tmp_path, owners=("@district/sync-owners",), actions=ACTIONS)
    text = (tmp_path / "schedules" / "example.yaml").read_text()
    (tmp_path / "schedules" / "oak-hill.yaml").write_text(
        text.replace("account: example", "account: oak-hill")
        .replace("https://example.", "https://oak-hill.")
        .replace("org/genesis", "org/oak-hill")
    )
    return tmp_path


def validated(root: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(group, ["-C", str(root), "validate", *words])
    return done.exit_code, " ".join(done.output.split())


def edit(root: Path, change: Callable[[str], str], *files: str) -> None:
    for file in files:
        path = root / FOLDER / file
        path.write_text(change(path.read_text()))


def hand_over(text: str, *names: str) -> str:
    lines = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names)
    return text.replace("          EXAMPLE_CANVAS_TOKEN:", f"{lines}          EXAMPLE_CANVAS_TOKEN:")


KEYS = ("OAK_HILL_CANVAS_TOKEN", "OAK_HILL_SIS_ID", "OAK_HILL_SIS_SECRET")


def test_an_account_whose_keys_no_workflow_hands_over_is_warned_of_with_the_lines_to_add(repo: Path) -> None:
    code, told = validated(repo)
    assert code == 0
    assert validated(repo, "--strict")[0] == 1
    assert told.count("GS-207") == 1
    assert "schedules/oak-hill.yaml" in told
    assert (
        f"{', '.join(KEYS)} stand in no line of act.yml, reconcile-cron.yml and reconcile.yml in {FOLDER}:"
        in told
    )
    assert f"`{KEYS[0]}: ${{{{ secrets.{KEYS[0]} }}}}`" in told
    # An annotation on the pull request has room for all of it.
    assert "the environment `gradesync`)" in validated(repo, "--format", "github")[1]
    assert "EXAMPLE_" not in told


def test_a_line_that_is_missing_in_one_workflow_is_told_of_that_one(repo: Path) -> None:
    edit(repo, lambda text: hand_over(text, *KEYS), *PASSING[:2])
    edit(repo, lambda text: hand_over(text, *KEYS[:2], f"# {KEYS[2]}"), PASSING[2])
    told = validated(repo)[1]
    assert f"{KEYS[2]} stands in no line of reconcile.yml in {FOLDER}:" in told
    assert KEYS[0] not in told


def test_with_every_line_there_nothing_is_said(repo: Path) -> None:
    edit(repo, lambda text: hand_over(text, *KEYS), *PASSING)
    assert "GS-" not in validated(repo, "--strict")[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace("runs-on: ubuntu-24.04", "runs-on: self-hosted"),
        lambda text: text.replace("    steps:\n", "    steps:\n      - run: ./fetch-keys.sh\n"),
        lambda text: text.replace("    steps:\n", f"    steps:\n      - uses: vendor/load@{'0' * 40}\n"),
        lambda text: text.replace("GRADESYNC_KEY:", "ALL: ${{ toJSON(secrets) }}\n          GRADESYNC_KEY:"),
        lambda text: "not: [yaml",
    ],
)  # fmt: skip
def test_a_workflow_that_may_get_its_keys_in_another_way_is_never_guessed_about(
    repo: Path, change: Callable[[str], str]
) -> None:
    edit(repo, change, *PASSING)
    assert "GS-207" not in validated(repo)[1]


def test_keys_in_files_concern_no_workflow(repo: Path) -> None:
    settings = repo / "gradesync.yaml"
    settings.write_text(
        settings.read_text().replace("secrets: env", 'secrets: "file:/run/g/{account}/{name}"')
    )
    assert "GS-207" not in validated(repo)[1]


@pytest.mark.parametrize("kind", ["pipe", "device", "link out of the tree", "folder"])
def test_what_is_no_plain_file_of_the_tree_is_neither_read_nor_waited_for(
    kind: str, repo: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    odd = repo / FOLDER / "odd.yml"
    if kind == "pipe":
        os.mkfifo(odd)
    elif kind == "device":
        odd.symlink_to("/dev/zero")
    elif kind == "folder":
        odd.mkdir()
    else:
        other = tmp_path_factory.mktemp("elsewhere") / "reconcile.yml"
        # Read, it would hand nothing over, and would be named beside the others.
        other.write_text((repo / FOLDER / "reconcile.yml").read_text())
        odd.symlink_to(other)
    done = subprocess.run(
        [sys.executable, "-m", "gradesync", "-C", str(repo), "validate"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 0, told
    assert "stand in no line of act.yml, reconcile-cron.yml and reconcile.yml" in told
    assert "odd.yml" not in told


def test_a_workflow_longer_than_any_is_passed_over(repo: Path) -> None:
    edit(repo, lambda text: text + "# x\n" * 70_000, *PASSING)
    assert "GS-207" not in validated(repo)[1]
