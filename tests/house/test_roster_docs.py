"""What the page about roster imports shows is what a person gets: its commands run against a school."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.sandbox.accidents import Accident
from gradesync.sandbox.server import Sandbox, running
from tests.house.test_gradebook_docs import CONSOLE, DOCS, masked

ACCOUNT = """\
account: riverside
name: Riverside
time_zone: America/New_York
canvas: {{url: {canvas}}}
sis: {{profile: genesis, url: {sis}}}
schedules:
  roster-nightly: {{type: roster import, interval: daily at 02:00, first_run: 2026-09-01 02:00}}
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as served:
        yield served


def gradesync(root: Path, line: str) -> tuple[int, str]:
    """A command line of the page in the tree; its exit code and all it said."""
    answer = CliRunner().invoke(group, ["-C", str(root), *shlex.split(line)[1:]])
    return answer.exit_code, answer.stdout + answer.stderr


def test_the_page_about_roster_imports(
    tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schedules").mkdir()
    (tmp_path / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
    text = ACCOUNT.format(canvas=sandbox.canvas_url("riverside"), sis=sandbox.sis_url("riverside"))
    (tmp_path / "schedules" / "riverside.yaml").write_text(text)
    sandbox.write_secrets(tmp_path / ".gradesync" / "sandbox")
    assert gradesync(tmp_path, "gradesync reconcile")[0] == 0
    ran, printed = 0, set[str]()
    for block in CONSOLE.findall((DOCS / "roster-import.md").read_text(encoding="utf-8")):
        for line in block.splitlines():
            if not line.startswith("$ "):
                assert masked(line) in printed, (line, sorted(printed))
                continue
            if " approve " in line:
                Accident(sandbox.schools["riverside"].sis, "school-missing")
                assert gradesync(tmp_path, "gradesync run riverside/roster-nightly")[0] == 3
            code, said = gradesync(tmp_path, line[2:].replace("RUN", newest_run(tmp_path)))
            assert code in (0, 3), (line, code, said)
            printed = {masked(one) for one in said.splitlines()}
            ran += 1
    assert ran == 6
    seats = sandbox.schools["riverside"].canvas.enrollments.values()
    assert any(seat.workflow_state == "inactive" for seat in seats), "the approved change went through"


def newest_run(root: Path) -> str:
    """The number of the last run in the history, as people read it there."""
    entries = json.loads(gradesync(root, "gradesync history --format json")[1])["entries"]
    runs = [entry["run"] for entry in entries if entry["run"]]
    return str(runs[0]) if runs else "RUN"


def test_every_stop_the_page_names_is_a_code_of_rosters() -> None:
    page = (DOCS / "roster-import.md").read_text(encoding="utf-8")
    stops = page.partition("## When it stops")[2].partition("\n## ")[0]
    codes = set(re.findall(r"GS-6\d\d", stops))
    assert {
        "GS-601",
        "GS-602",
        "GS-603",
        "GS-609",
        "GS-610",
        "GS-611",
        "GS-613",
        "GS-623",
        "GS-624",
        "GS-625",
        "GS-626",
    } == codes
