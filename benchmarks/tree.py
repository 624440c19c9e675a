"""A large tree of account files, written and rewritten for the benchmarks of `list` and `plan`.

Ordinary files as people write them; no measuring here.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gradesync.domain.action import Plan

SETTINGS = """\
hosts: ["*.example"]
"""

ACCOUNT = """\
# yaml-language-server: $schema=../gradesync.schema.json
account: {key}
name: {name} Public Schools
time_zone: {zone}
canvas:
  url: https://{key}.instructure.example
  token: env:{env}_CANVAS_TOKEN     # a reference, never the token itself
sis:
  profile: genesis
  url: https://genesis.{key}.example/genesis
  client_id: env:{env}_SIS_ID
  client_secret: env:{env}_SIS_SECRET
labels: {{region: {region}}}
contacts: {{sis_admin: sis@{key}.example, canvas_admin: lms@{key}.example}}
passback:
  excused: exempt
  category_map: {{Homework: HW, Tests: TST, Projects: PRJ}}
schedules:
"""

ROSTER = """\
  roster-{number}:
    type: roster import
    interval: daily at 02:{minute:02}
    first_run: 2026-09-01 02:00
    posted_by: sis-admin
"""

GRADES = """\
  grades-{number}:
    type: grade passback
    interval: every {gap} minutes
    first_run: 2026-09-01 07:{minute:02}
    posted_by: sis-admin
"""

_ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
_GAPS = (15, 20, 30, 45, 60)


def write_tree(root: Path, accounts: int, schedules: int, *, comment: str = "", shift: int = 0) -> None:
    """Write the whole tree; `comment` begins every file, `shift` changes when every schedule runs."""
    folder = root / "schedules"
    folder.mkdir(parents=True, exist_ok=True)
    (root / "gradesync.yaml").write_text(SETTINGS)
    for number in range(accounts):
        key = f"district-{number:04}"
        text = _account(key, number, schedules, shift)
        (folder / f"{key}.yaml").write_text(f"# {comment}\n{text}" if comment else text)


def _account(key: str, number: int, schedules: int, shift: int) -> str:
    parts = [
        ACCOUNT.format(
            key=key,
            name=f"District {number}",
            env=key.upper().replace("-", "_"),
            zone=_ZONES[number % len(_ZONES)],
            region="north" if number % 2 else "south",
        )
    ]
    for one in range(schedules):
        minute = (number + one + shift) % 60
        shape: Mapping[str, object] = {"number": one, "minute": minute, "gap": _GAPS[one % len(_GAPS)]}
        parts.append((ROSTER if one % 5 == 0 else GRADES).format(**shape))
    return "".join(parts)


def plan_of(root: Path) -> Plan:
    """What `gradesync plan` does between reading its options and printing: files, store, plan."""
    from gradesync.config.loader import load
    from gradesync.engine.apply import plan_of as planned
    from gradesync.engine.reconcile import PassOptions
    from gradesync.wiring import OpenMode, file_cache, open_app

    loaded = load(root, now=datetime.now(UTC), cache=file_cache(root))
    wrong = [problem for problem in loaded.problems if not problem.warning]
    if wrong:
        raise SystemExit(f"the benchmark's own tree has problems: {wrong[0]}")
    with open_app(root, mode=OpenMode.EMPTY_IF_MISSING, settings=loaded.settings) as app:
        return planned(app.tools(), PassOptions(desired=loaded.desired, problems=loaded.problems).wish)[0]


def recorded_tree(root: Path, accounts: int, schedules: int) -> None:
    """Write a tree and record all of it in its own store, as a first pass would.

    In a process of its own: a child's peak memory begins at its parent's, so benchmarks' own processes stay small.
    """
    write_tree(root, accounts, schedules)
    subprocess.run([sys.executable, "-m", "benchmarks.tree", str(root)], check=True)


def _record(root: Path) -> None:
    from gradesync.config.loader import load
    from gradesync.engine.apply import Wish, apply_wish
    from gradesync.wiring import OpenMode, file_cache, open_app

    loaded = load(root, now=datetime.now(UTC), cache=file_cache(root))
    with open_app(root, mode=OpenMode.CREATE, settings=loaded.settings) as app:
        apply_wish(app.tools(), Wish(loaded.desired))


if __name__ == "__main__":
    _record(Path(sys.argv[1]))
