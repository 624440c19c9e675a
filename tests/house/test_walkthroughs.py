"""The README, the tutorial and the move are walked through by a stranger: files, edits, commands, outputs.

One made-up school for the whole module. Each page works on trees of its own; the tutorial comes first, as the README
sends the same grades.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.house.walkthrough import ROOT, Walk, masked, not_printed

TREE = (
    "gradesync.yaml",
    "schedules/riverside.yaml",
    "schedules/lakeside.yaml",
    "schedules/pilot/_defaults.yaml",
    "schedules/pilot/oak-hill.yaml",
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running() as served:
        yield served


@pytest.fixture
def walk(tmp_path: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Walk]:
    """A stranger's tree with these files of the repository, and the credentials the sandbox hands out."""
    for name in ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def begin(*paths: str) -> Walk:
        found = Walk(tmp_path, sandbox)
        found.lay(*paths)
        sandbox.write_secrets(tmp_path / ".gradesync" / "sandbox")
        return found

    return begin


def test_the_first_sync_goes_as_its_page_says(walk: Callable[..., Walk]) -> None:
    reader = walk(*TREE)
    reader.through(ROOT / "docs" / "first-sync.md")
    assert len(reader.ran) >= 20


def test_moving_from_the_vendor_goes_as_its_page_says(walk: Callable[..., Walk]) -> None:
    reader = walk("gradesync.yaml")
    reader.through(ROOT / "docs" / "moving.md")
    assert len(reader.ran) >= 15


def test_the_readme_s_first_minute_goes_as_it_says(walk: Callable[..., Walk]) -> None:
    """Its sh block; what it shows of files and of the demo is tried in test_readme and by `make demo`."""
    reader = walk(*TREE)
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for block in text.split("```sh\n")[1:]:
        for line in block.split("```")[0].splitlines():
            reader.do(line)
    assert len(reader.ran) >= 5


def test_the_drill_of_a_restore_goes_as_the_page_for_production_says(
    walk: Callable[..., Walk], tmp_path: Path, sandbox: Sandbox
) -> None:
    """Its steps with SQLite: export, a clone with the key and an empty place, import, the same digest, no changes."""
    page = (ROOT / "docs" / "production.md").read_text(encoding="utf-8")
    for told in (
        "gradesync store import",
        "gradesync store grants",
        "gradesync store info",
        "gradesync history --verify",
        "gradesync plan",
    ):
        assert told in page.partition("**The drill**")[2]
    here = walk(*TREE)
    here.do("gradesync reconcile --no-syncs")
    here.do("gradesync run riverside/roster-nightly")
    copy, export = Walk(tmp_path / "drill", sandbox), tmp_path / "store.jsonl.gz"
    digest = here.do(f"gradesync store export {export}").split("digest ")[1].split()[0]
    copy.lay(*TREE)
    copy.write(".gradesync/key", (tmp_path / ".gradesync" / "key").read_text(encoding="utf-8"))
    assert digest in copy.do(f"gradesync store import {export}")
    assert copy.do("gradesync store info").split("lineage")[1].split()[0]
    assert "nothing changed and nothing missing" in copy.do("gradesync history --verify")
    assert copy.do("gradesync plan").startswith("Nothing to do")


def test_a_walk_notices_what_is_not_printed_and_what_comes_in_another_order() -> None:
    printed = "one 17 records\ntwo\nthree and more\n"
    assert not_printed(["one 3 records", "...", "three ..."], printed) is None
    assert not_printed(["two", "one 1 record"], printed) == "one 1 record"
    assert not_printed(["four"], printed) == "four"
    assert masked("1,183 classes") == masked("1 class")
    assert masked("12 GS-401, every 15 minutes") == "0 GS-401, every 15 minutes"
