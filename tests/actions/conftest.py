"""A district's tree with a store, recorded once, and fresh copies of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.actions.running import Runner
from tests.cli.conftest import ACCOUNT

SETTINGS = """\
keys: env:GRADESYNC_KEY
secrets: "file:.gradesync/sandbox/{account}/{name}"
people:
  ana:
    name: Ana Ortiz
    logins: ["github:aortiz"]
    may: [everything]
  ben:
    name: Ben Lee
    logins: ["github:blee"]
    may:
      pause: [riverside]
      request: [riverside]
"""


def git(root: Path, *words: str) -> None:
    who = ("-c", "user.name=Ana Ortiz", "-c", "user.email=ana@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts in Git, whose files a pass has applied. No other side answers and no key is set: nothing here may
    need one."""
    root = tmp_path_factory.mktemp("district") / "tree"
    (root / "schedules").mkdir(parents=True)
    (root / "gradesync.yaml").write_text(SETTINGS)
    (root / ".gitignore").write_text(".gradesync/\n")
    for key in ("riverside", "oak-hill"):
        (root / "schedules" / f"{key}.yaml").write_text(ACCOUNT.format(key=key, base="http://127.0.0.1:9"))
    git(root, "init", "-q", "-b", "main")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "two accounts")
    for words in (["store", "init"], ["reconcile", "--no-syncs"]):
        command = [sys.executable, "-m", "gradesync", "-C", str(root), *words]
        subprocess.run(command, check=True, capture_output=True, env=as_clock())
    return root


def as_clock() -> dict[str, str]:
    """A clock may always carry out a pass."""
    import os

    return {**os.environ, "GRADESYNC_STARTED_BY": "cron"}


@pytest.fixture
def tree(recorded: Path, tmp_path: Path) -> Path:
    """A copy of the recorded tree, for one test alone."""
    return Path(shutil.copytree(recorded, tmp_path / "tree"))


@pytest.fixture
def job(tree: Path, tmp_path: Path) -> Callable[..., Runner]:
    """Begins a job in the tree, by default somebody's who pressed the button."""

    def begin(login: str = "aortiz", **env: str) -> Runner:
        who = {"GITHUB_ACTOR": login, "GITHUB_TRIGGERING_ACTOR": login}
        return Runner(tmp_path / f"job-{login}", tree, {**who, **env})

    return begin
