"""Small trees of files for the tests of the configuration."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from gradesync.config.loader import Loaded, load
from gradesync.domain.problem import Problem
from gradesync.ports import FileCache

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
SECRET = "7~kQ9vZ2mB4xT8sL1pW6nR3yD5gH0jF7cV"  # a made-up Canvas token

SETTINGS = 'hosts: ["*.instructure.com", "*.example"]\n'
GOOD = """\
account: riverside
name: Riverside Public Schools
time_zone: America/New_York
canvas: {url: https://riverside.instructure.com, token: env:RIVERSIDE_CANVAS_TOKEN}
sis:
  profile: genesis
  url: https://genesis.riverside.example/genesis
  client_id: env:RIVERSIDE_SIS_ID
  client_secret: env:RIVERSIDE_SIS_SECRET
schedules:
  grades:
    type: grade passback
    interval: every 15 minutes
    first_run: 2026-09-01 07:00
    posted_by: sis-admin
"""


def account(name: str, body: str = GOOD) -> str:
    """A good file of another account, with addresses and secrets of its own."""
    return body.replace("riverside", name).replace("RIVERSIDE", name.upper().replace("-", "_"))


def tree(root: Path, files: dict[str, str | bytes], settings: str | None = SETTINGS) -> Path:
    """Write files below `schedules/` and gradesync.yaml."""
    (root / "schedules").mkdir(parents=True, exist_ok=True)
    if settings is not None:
        (root / "gradesync.yaml").write_text(settings, encoding="utf-8")
    for name, text in files.items():
        path = root / "schedules" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def loaded(root: Path, cache: FileCache | None = None) -> Loaded:
    """Load at a fixed time."""
    return load(root, now=NOW, cache=cache)


def errors(result: Loaded) -> list[Problem]:
    """Problems that are not warnings."""
    return [problem for problem in result.problems if not problem.warning]


def pointed_at(root: Path, problem: Problem) -> str:
    """The text under the caret."""
    line = (root / problem.place.file).read_text(encoding="utf-8").split("\n")[problem.place.line - 1]
    start = problem.place.column - 1
    return line[start : start + problem.width]
