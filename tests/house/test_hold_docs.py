"""The page about holds shows what a person gets: its commands run in order, against a tree with two accounts."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from tests.house.test_gradebook_docs import CONSOLE, DOCS

ACCOUNT = """\
account: {key}
time_zone: America/New_York
canvas: {{url: "http://127.0.0.1:9/{key}/canvas"}}
sis: {{profile: genesis, url: "http://127.0.0.1:9/{key}/genesis"}}
schedules:
  roster-nightly: {{type: roster import, interval: daily at 02:00}}
  grades: {{type: grade passback, interval: daily at 04:00}}
"""


def test_the_page_about_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "schedules").mkdir()
    (tmp_path / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
    for key in ("riverside", "oak-hill"):
        (tmp_path / "schedules" / f"{key}.yaml").write_text(ACCOUNT.format(key=key))
    assert gradesync(tmp_path, "gradesync reconcile --no-syncs")[0] == 0
    typed: list[str] = []
    said = ""
    for block in CONSOLE.findall((DOCS / "holds.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            if not line.startswith("$ "):
                assert line.replace("held by you", "held by") in said.replace(actor(tmp_path), ""), line
                continue
            code, said = gradesync(tmp_path, line[2:])
            # The page's second `resume riverside` closes a breaker; here no key was ever refused, and it says so.
            again = line == "$ gradesync resume riverside" and line in typed
            assert code == (1 if again else 0), (line, said)
            typed.append(line)
    assert len(typed) == 19


def actor(root: Path) -> str:
    """` NAME` of whoever runs the tests, as the product calls them."""
    import json

    entries = json.loads(gradesync(root, "gradesync history --format json")[1])["entries"]
    return f" {entries[0]['actor']['name']}"


def gradesync(root: Path, line: str) -> tuple[int, str]:
    """A command line of the page in the tree; its exit code and all it said."""
    answer = CliRunner().invoke(group, ["-C", str(root), *shlex.split(line)[1:]])
    return answer.exit_code, answer.stdout + answer.stderr
