"""The tree the whole stories are about: files, a school over HTTP, a store, channels on this machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.sandbox.server import Sandbox, running
from tests.notify.sinks import Hook, Mailbox, http_sink, smtp_sink
from tests.whole.harness import Done, Tree

RULES = """\
notify:
  - {name: ops, channel: webhook, url: "file:secrets/hook"}
  - {name: schools, channel: email, url: "file:secrets/mail", on: [key, expires, waiting, recovered]}
ping: file:secrets/ping
ping_fail: file:secrets/ping_fail
"""

CONTACTS = "contacts: {canvas_admin: lms@riverside.example, sis_admin: sis@riverside.example}\n"


class Here(Tree):
    """A tree whose commands run in this process: starting one costs more than most of them."""

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Done:
        gone = dict.fromkeys(("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
        result = CliRunner().invoke(group, ["-C", str(self.root), *args], env={**gone, **(env or {})})
        return Done(result.exit_code, result.stdout, result.stderr)


@pytest.fixture(scope="module")
def school() -> Iterator[Sandbox]:
    with running(["riverside"], students=24) as sandbox:
        yield sandbox


@pytest.fixture
def hook() -> Iterator[Hook]:
    with http_sink() as made:
        yield made


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with smtp_sink() as made:
        yield made


@pytest.fixture
def tree(tmp_path: Path, school: Sandbox, hook: Hook, box: Mailbox) -> Tree:
    made = Here(tmp_path / "tree", school)
    with (made.root / "gradesync.yaml").open("a") as file:
        file.write(RULES)
    keep(made, "hook", hook.url())
    keep(made, "ping", hook.url("/ping"))
    keep(made, "ping_fail", hook.url("/ping/fail"))
    keep(made, "mail", box.url())
    with (made.root / "schedules" / "riverside.yaml").open("a") as file:
        file.write(CONTACTS)
    made.prepare()
    return made


def keep(tree: Tree, name: str, value: str) -> None:
    (tree.root / "secrets" / name).write_text(value)
