"""The demo as a newcomer starts it: a real process against a real sandbox, honest about how it ended."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from click.testing import CliRunner

from gradesync.cli.main import group

TOP = Path(__file__).parents[2]


def test_the_demo_tells_its_story_and_leaves_nothing_behind(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "gradesync", "-C", str(TOP), "demo", "--students", "24"],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={
            **os.environ,
            "GRADESYNC_STORE": "postgresql://nobody@127.0.0.1:9/nothing",
            "TMPDIR": str(tmp_path),
        },
    )
    assert told.returncode == 0, told.stdout[-2000:] + told.stderr[-2000:]
    assert "Only the changes went" in told.stdout
    assert "The SIS counted 0 writes." in told.stdout
    assert "The history verifies" in told.stdout
    assert "site/index.html" in told.stdout + told.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_demo_needs_the_accounts_it_tells_of(tmp_path: Path) -> None:
    result = CliRunner().invoke(group, ["-C", str(tmp_path), "demo"])
    assert result.exit_code == 1
    assert "riverside" in result.stderr
