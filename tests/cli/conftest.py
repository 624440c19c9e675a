"""A tree on disk, a sandbox over real HTTP, and two ways to run the command line: in this process and as a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gradesync.cli import boundary, logs
from gradesync.cli.main import group
from gradesync.sandbox.server import Sandbox, running

DISTRICTS = ("riverside", "oak-hill")

ACCOUNT = """\
account: {key}
name: {key} schools
time_zone: America/New_York
canvas:
  url: {base}/{key}/canvas
sis:
  profile: genesis
  url: {base}/{key}/genesis
passback: {{excused: exempt}}
schedules:
  roster-nightly:
    type: roster import
    interval: daily at 03:15
    first_run: 2026-09-01 03:15
  grades:
    type: grade passback
    interval: daily at 04:00
    first_run: 2026-09-01 04:00
    posted_by: sis-admin
"""


@dataclass(frozen=True)
class Tree:
    """A tree of files and how to run commands in it."""

    root: Path
    base: str

    def run(self, *arguments: str, code: int | None = 0, env: Mapping[str, str] | None = None) -> Result:
        """Run a command in this process; `code` None accepts any exit code."""
        result = CliRunner().invoke(group, ["-C", str(self.root), *arguments], env=_environment(env))
        assert code is None or result.exit_code == code, result.output
        return result

    def start(self, *arguments: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Run a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "gradesync", "-C", str(self.root), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **{k: v for k, v in _environment(env).items() if v is not None}},
        )

    def at_a_terminal(self, *arguments: str, typed: str = "") -> tuple[int, str]:
        """Run a command as a process whose terminal somebody types into; its exit code and all it showed."""
        ours, theirs = os.openpty()
        environment = {key: value for key, value in os.environ.items() if key not in _GONE}
        process = subprocess.Popen(
            [sys.executable, "-m", "gradesync", "-C", str(self.root), *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "dumb", "NO_COLOR": "1"},
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        shown = b""
        with os.fdopen(ours, "rb", buffering=0) as terminal:
            try:
                while block := terminal.read(4096):
                    shown += block
            except OSError:
                pass  # how a terminal says that nobody is at its other end any more
        return process.wait(timeout=30), shown.decode(errors="replace")

    def account(self, key: str, text: str | None = None) -> Path:
        """Write (or replace) an account file."""
        path = self.root / "schedules" / f"{key}.yaml"
        path.write_text(text if text is not None else self.text(key))
        return path

    def text(self, key: str) -> str:
        """The account file as it is written by default."""
        return ACCOUNT.format(key=key, base=self.base)


def _environment(more: Mapping[str, str] | None) -> dict[str, Any]:
    """Whoever runs these tests (CI too), the commands see a person at a plain terminal."""
    return {**dict.fromkeys(_GONE), **(more or {})}


_GONE = (
    *("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_REPOSITORY"),
    *("GITHUB_EVENT_PATH", "GITHUB_WORKSPACE", "GITHUB_TOKEN", "GITHUB_API_URL", "FORCE_COLOR"),
)


def writes(sandbox: Sandbox, district: str | None = None) -> int:
    """Requests that could change something on either side; a question over POST is none."""
    return sum(
        one.method in ("PUT", "POST", "DELETE", "PATCH")
        and not one.path.endswith(("/graphql", "/token"))
        and district in (None, one.district)
        for one in sandbox.requests
    )


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """A --verbose of one test is not the next one's: commands that share a process would remember it."""
    monkeypatch.setattr(boundary, "_verbose", [False])
    monkeypatch.setattr(logs, "_state", {"json": False, "verbose": False})


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _GONE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Two small districts."""
    with running(DISTRICTS, students=24) as served:
        yield served


@pytest.fixture
def make_tree(tmp_path: Path, clean_environment: None) -> Callable[[str], Tree]:
    """A tree with both districts; no server is needed to make one."""

    def make(base: str) -> Tree:
        root = tmp_path / "tree"
        (root / "schedules").mkdir(parents=True)
        (root / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
        tree = Tree(root, base)
        for key in DISTRICTS:
            tree.account(key)
        return tree

    return make


@pytest.fixture
def tree(make_tree: Callable[[str], Tree]) -> Tree:
    """A tree whose addresses nobody answers: enough for everything that needs no network."""
    return make_tree("http://127.0.0.1:9")


@pytest.fixture
def live(make_tree: Callable[[str], Tree], sandbox: Sandbox) -> Tree:
    """A tree against the running sandbox, recorded once."""
    tree = make_tree(sandbox.url)
    sandbox.write_secrets(tree.root / ".gradesync" / "sandbox")
    tree.run("reconcile")
    return tree
