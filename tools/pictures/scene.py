"""A made-up state on this machine: eight districts of the sandbox, a morning of real syncs, and what went wrong in it.

The same seed gives the same schools, so the pictures differ from one time to the next only in their clock.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from gradesync.sandbox.remote import teach_over_http
from gradesync.sandbox.server import Sandbox, running

DISTRICTS = {
    "riverside": ("Riverside Public Schools", "America/New_York", "north"),
    "oak-hill": ("Oak Hill Schools", "America/Chicago", "north"),
    "lakeside": ("Lakeside Academy", "America/Denver", "south"),
    "cedar-falls": ("Cedar Falls Unified", "America/Chicago", "north"),
    "maple-grove": ("Maple Grove Schools", "America/New_York", "south"),
    "stony-creek": ("Stony Creek District 12", "America/Denver", "south"),
    "westbrook": ("Westbrook Public Schools", "America/Los_Angeles", "south"),
    "pine-ridge": ("Pine Ridge Charter Network", "America/Chicago", "north"),
}

ACCOUNT = """\
# yaml-language-server: $schema=../../gradesync.schema.json
account: {key}
name: {name}
time_zone: {zone}
canvas: {{url: "{base}/{key}/canvas"}}
sis: {{profile: genesis, url: "{base}/{key}/genesis"}}
passback: {{excused: exempt, missing: zero}}
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
    posted_by: sis-admin
  grades-evening:
    type: grade passback
    interval: weekdays at 18:00, 21:00
    first_run: 2026-09-01 18:00
"""


@dataclass(frozen=True)
class Scene:
    """The tree, and the commands as they are typed in it."""

    root: Path
    sandbox: Sandbox

    def run(self, *arguments: str) -> str:
        """A command as a process of its own, whatever its exit code."""
        done = subprocess.run(  # noqa: S603 - our own command with our own words
            [sys.executable, "-m", "gradesync", "-C", str(self.root), *arguments],
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    def file(self, key: str) -> Path:
        """The account's file."""
        return self.root / "schedules" / DISTRICTS[key][2] / f"{key}.yaml"


def environment() -> dict[str, str]:
    """As a person at a terminal has it: no CI, a name, no colours decided for them."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB", "GITLAB"))
    }
    gone = ("NO_COLOR", "FORCE_COLOR", "COLUMNS")
    return {
        **{n: v for n, v in kept.items() if n not in gone},
        "USER": "ana",
        "LOGNAME": "ana",
        "PYTHONPATH": str(Path.cwd()),
    }


@contextmanager
def morning(root: Path) -> Iterator[Scene]:
    """The tree with its past, while the sandbox still answers."""
    with running(tuple(DISTRICTS), students=24) as sandbox:
        made = Scene(root, sandbox)
        _write(made)
        made.run("reconcile", "--no-syncs")
        made.run("run", "riverside/roster-nightly", "--yes")
        for key in ("riverside", "oak-hill", "cedar-falls", "lakeside"):
            made.run("run", f"{key}/grades", "--yes")
        for turn in range(9):
            teach_over_http(sandbox.url, "riverside", rounds=1 + turn % 3, seed=turn)
            made.run("run", "riverside/grades", "--yes", *(["--full"] if turn == 5 else []))
        _troubles(made)
        yield made


def _write(made: Scene) -> None:
    (made.root / "gradesync.yaml").write_text(
        'secrets: "file:.gradesync/sandbox/{account}/{name}"\n'
        "people:\n"
        "  ana: {name: Ana Ortiz, logins: [root, ana], may: [everything]}\n"
    )
    made.sandbox.write_secrets(made.root / ".gradesync" / "sandbox")
    start = datetime.now(UTC).date() + timedelta(days=2)
    for key, (name, zone, _) in DISTRICTS.items():
        made.file(key).parent.mkdir(parents=True, exist_ok=True)
        text = ACCOUNT.format(key=key, name=name, zone=zone, base=made.sandbox.url)
        if key in ("riverside", "lakeside"):
            window = (
                f"from: {start} 18:00, until: {start + timedelta(days=1)} 06:00, schedules: [roster-nightly]"
            )
            text = text.replace(
                "schedules:\n", f"blackouts:\n  - {{name: SIS upgrade, {window}}}\nschedules:\n", 1
            )
        made.file(key).write_text(text)


def _troubles(made: Scene) -> None:
    """A lost key, an upgrade, a district on leave, and one that is only watched."""
    for secret in (made.root / ".gradesync" / "sandbox" / "stony-creek").iterdir():
        secret.write_text("no longer valid")
    for _ in range(2):
        made.run("run", "stony-creek/grades", "--yes")
    made.run("pause", "lakeside", "--reason", "SIS upgrade, ticket 4711", "--for", "30h")
    made.run("request", "cedar-falls/roster-nightly", "--reason", "new students at Cedar Falls High")
    watched = made.file("westbrook")
    watched.write_text(watched.read_text() + "    state: observe\n")
    away = made.file("maple-grove")
    away.write_text(
        away.read_text().replace("schedules:\n", "state: paused\nreason: back in January\nschedules:\n", 1)
    )
    made.run("reconcile", "--no-syncs")


__all__ = ["DISTRICTS", "Scene", "environment", "morning"]
