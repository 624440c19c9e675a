"""Picking up an export on this machine: the newest that fits, not too old, and no longer written to."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from gradesync.connectors.roster_pickup import LocalPickup, Picked
from gradesync.errors import ConnectionProblem

NOW = 1_800_000_000.0


def put(path: Path, content: bytes = b"x", *, minutes: float) -> Path:
    """A file last changed so many minutes ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW - 60 * minutes,) * 2)
    return path


async def no_rest(_seconds: float) -> None:
    """Time does not pass."""


def pickup(root: Path, path: str, **more: Any) -> LocalPickup:
    settings: dict[str, Any] = {"base": None, "max_age": 600, "now": lambda: NOW, "sleep": no_rest, **more}
    return LocalPickup(root, path, **settings)


def picked(root: Path, path: str, **more: Any) -> Picked:
    return asyncio.run(pickup(root, path, **more).fetch())


def refused(root: Path, path: str, **more: Any) -> ConnectionProblem:
    with pytest.raises(ConnectionProblem) as caught:
        picked(root, path, **more)
    return caught.value


def test_the_newest_of_a_pattern_counts_below_the_tree_and_elsewhere(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a-2.zip", minutes=90)
    newest = put(tmp_path / "in" / "a-1.zip", minutes=30)
    put(tmp_path / "in" / "b.zip", minutes=5)
    assert picked(tmp_path, "in/a-*.zip").newest == newest
    assert picked(Path("/nowhere"), f"{tmp_path}/in/a-*.zip").newest == newest


def test_a_folder_is_the_export_itself_or_holds_zips(tmp_path: Path) -> None:
    newest = put(tmp_path / "drop" / "x.zip", minutes=30)
    put(tmp_path / "drop" / "w.zip", minutes=40)
    assert picked(tmp_path, "drop").newest == newest
    put(tmp_path / "loose" / "users.csv", minutes=30)
    assert picked(tmp_path, "loose").newest == tmp_path / "loose"


def test_nothing_that_fits_and_an_old_export_are_told_apart(tmp_path: Path) -> None:
    assert refused(tmp_path, "in/*.zip").code == "GS-611"
    put(tmp_path / "in" / "a.zip", minutes=601)
    problem = refused(tmp_path, "in/*.zip")
    assert problem.code == "GS-611"
    assert "10 hours old" in str(problem)
    assert "a.zip" not in f"{problem} {problem.hint}"


def test_a_file_still_being_copied_is_waited_for_and_at_last_given_up(tmp_path: Path) -> None:
    file = put(tmp_path / "a.zip", minutes=0)
    looks = 0

    async def copying(_seconds: float) -> None:
        nonlocal looks
        looks += 1
        if looks < 5:
            put(file, b"x" * (looks + 1), minutes=0)

    assert picked(tmp_path, "a.zip", sleep=copying).newest == file
    assert looks == 5

    async def for_ever(_seconds: float) -> None:
        put(file, file.read_bytes() + b"x", minutes=0)

    problem = refused(tmp_path, "a.zip", sleep=for_ever)
    assert (problem.code, problem.retryable) == ("GS-612", True)


@pytest.mark.parametrize("act", ["changed", "gone", "one more file"])
def test_files_that_change_while_they_are_read_make_the_read_worthless(tmp_path: Path, act: str) -> None:
    file = put(tmp_path / "loose" / "users.csv", minutes=30)

    async def run() -> None:
        one = pickup(tmp_path, "loose")
        await one.fetch()
        await one.unchanged()
        if act == "gone":
            file.unlink()
        elif act == "changed":
            put(file, b"y", minutes=29)
        else:
            put(file.with_name("orgs.csv"), minutes=30)
        await one.unchanged()

    with pytest.raises(ConnectionProblem) as caught:
        asyncio.run(run())
    assert caught.value.code == "GS-612"


def test_changes_go_with_the_newest_base_and_not_with_a_later_one(tmp_path: Path) -> None:
    bulk = put(tmp_path / "bulk-1.zip", minutes=500)
    delta = put(tmp_path / "delta-1.zip", minutes=30)
    assert picked(tmp_path, "delta-*.zip", base="bulk-*.zip") == Picked(delta, bulk)
    later = put(tmp_path / "bulk-2.zip", minutes=20)
    assert picked(tmp_path, "delta-*.zip", base="bulk-*.zip") == Picked(later)
    assert picked(tmp_path, "delta-*.zip", base="none-*.zip") == Picked(delta)
