"""A tree with real runs behind it, whose names, reasons and windows are as hostile as their owners can make them.

Two districts of the sandbox sync over real HTTP; a third has lost its key. The rest are recorded and never ran.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.sandbox.server import Sandbox

WRITTEN = "<script>alert(1)</script> </title>\"'&amp; ::set-output name=x::y @everyone =cmd()"
"""Everything that would do something somewhere if it were not shown as the text it is, as a file may hold it."""

TYPED = f"{WRITTEN} \u202egnissim \x1b[2J"
"""With what only a command line can carry: a file with hidden characters is refused."""

LONG = "Consolidated Independent Regional School District of the Northernmost-Lakes-and-Rivers Counties"
QUIET = 14

ACCOUNT = """\
account: {key}
name: {name}
time_zone: {zone}
canvas: {{url: "{base}/{key}/canvas"}}
sis: {{profile: genesis, url: "{base}/{key}/genesis"}}
passback: {{excused: exempt}}
blackouts:
  - {{name: "{blackout}", from: {start:%Y-%m-%d} 00:00, until: {until:%Y-%m-%d} 00:00, schedules: [roster-nightly]}}
schedules:
  roster-nightly:
    type: roster import
    interval: daily at 03:15
    first_run: 2026-09-01 03:15
    posted_by: sis-admin
  grades:
    type: grade passback
    interval: every 15 minutes
    first_run: 2026-09-01 07:00
    posted_by: "<b>admin</b>"
  grades-old:
    type: grade passback
    interval: weekdays at 06:00, 12:00, 18:00
    state: paused
    reason: {reason}
  by-hand:
    type: roster import
    interval: manual
"""


@dataclass(frozen=True)
class School:
    """The folder, and how to run commands in it."""

    root: Path
    sandbox: Sandbox

    def run(self, *arguments: str, code: int | None = 0, env: Mapping[str, str] | None = None) -> str:
        """A command in this process; `code` None accepts any exit code."""
        gone: dict[str, str | None] = dict.fromkeys(("CI", "GITHUB_ACTIONS", "GITLAB_CI", "FORCE_COLOR"))
        result = CliRunner().invoke(group, ["-C", str(self.root), *arguments], env={**gone, **(env or {})})
        assert code is None or result.exit_code == code, result.output
        return result.output


def school(root: Path, sandbox: Sandbox) -> School:
    """Write the tree, and let a morning pass in it."""
    made = School(root, sandbox)
    (root / "schedules" / "north").mkdir(parents=True)
    (root / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
    sandbox.write_secrets(root / ".gradesync" / "sandbox")
    _account(made, "riverside", f"Riverside {WRITTEN}", sandbox.url)
    _account(made, "oak-hill", "Oak Hill", sandbox.url, zone="America/Chicago")
    _account(made, "lakeside", LONG, sandbox.url, zone="America/Denver")
    for number in range(QUIET):
        _account(made, f"quiet-{number:02}", f"Quiet District {number}", "http://127.0.0.1:9", folder="north")
    made.run("reconcile", "--no-syncs")
    made.run("run", "riverside/roster-nightly", code=None)
    made.run("run", "riverside/grades", code=None)
    made.run("run", "oak-hill/grades", code=None)
    for token in (root / ".gradesync" / "sandbox" / "lakeside").iterdir():
        token.write_text("no longer valid")
    made.run("run", "lakeside/grades", code=3)  # a refused key is a failed run, not an interrupted one
    made.run("run", "riverside/grades", code=None)
    made.run("request", "oak-hill/roster-nightly", "--reason", TYPED)
    made.run("pause", "oak-hill/grades", "--reason", TYPED, "--for", "30h")
    made.run("pause", "quiet-03", "--reason", "SIS upgrade, ticket 4711", "--for", "20d")
    return made


def _account(
    made: School, key: str, name: str, base: str, zone: str = "America/New_York", folder: str = ""
) -> None:
    today = datetime.now(UTC).date()
    text = ACCOUNT.format(
        key=key,
        name=json.dumps(name),
        base=base,
        zone=zone,
        reason=json.dumps(WRITTEN),
        blackout="Roll-over <img src=x onerror=alert(1)>",
        start=today + timedelta(days=2),
        until=today + timedelta(days=3),
    )
    (made.root / "schedules" / folder / f"{key}.yaml").write_text(text, encoding="utf-8")


__all__ = ["LONG", "QUIET", "TYPED", "WRITTEN", "School", "school"]
