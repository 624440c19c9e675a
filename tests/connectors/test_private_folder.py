"""Student data on disk goes with the run, also with one that was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from gradesync.connectors.private_folder import PREFIX, private_folder

HOLDER = """
import sys, time
from pathlib import Path
from gradesync.connectors.private_folder import private_folder
with private_folder(Path(sys.argv[1])) as folder:
    (folder / "users.csv").write_text("a name")
    print(folder, flush=True)
    time.sleep(60)
"""


def holder(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """A living process with a folder of its own."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(parent)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_a_folder_is_its_owners_alone_and_goes_with_the_block(tmp_path: Path) -> None:
    with private_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o077 == 0
        (folder / "users.csv").write_text("a name")
    assert list(tmp_path.iterdir()) == []


def test_it_goes_when_the_block_breaks_off(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), private_folder(tmp_path) as folder:
        (folder / "no such folder" / "users.csv").write_text("a name")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_run_and_a_living_ones_stays(tmp_path: Path) -> None:
    dead, left = holder(tmp_path)
    end(dead)
    living, kept = holder(tmp_path)
    try:
        assert not left.exists(), "the second process has already swept"
        with private_folder(tmp_path):
            assert (kept / "users.csv").exists()
    finally:
        end(living)
    with private_folder(tmp_path) as mine:
        assert list(tmp_path.iterdir()) == [mine]


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    others = tmp_path / "gradesync-demo-abc"
    others.mkdir()
    half_made = tmp_path / f"{PREFIX}half-made"
    half_made.mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(others)
    with private_folder(tmp_path):
        pass
    assert others.exists()
    assert half_made.exists()
