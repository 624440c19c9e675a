"""`gradesync page`: what is written where, what is never replaced, and what it says of a real tree."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradesync.cli.page_files import MARKER, NoPlaceForPage, put
from gradesync.domain.schedule import ScheduleId
from tests.cli.conftest import Tree


@pytest.fixture
def recorded(tree: Tree) -> Tree:
    tree.run("reconcile", "--no-syncs")
    return tree


def text(folder: Path, name: str) -> str:
    return (folder / name).read_text(encoding="utf-8")


def test_a_page_is_a_folder_that_needs_nothing_else(recorded: Tree, tmp_path: Path) -> None:
    site = tmp_path / "site"
    told = recorded.run("page", "-o", str(site)).output
    assert told.startswith("2 accounts, ")
    assert "riverside schools" in text(site, "index.html")
    assert "daily at 04:00" in text(site, "schedules.html")
    assert {path.name for path in (site / "accounts").iterdir()} == {"riverside", "oak-hill"}
    for name in ("index.html", "history.html", "week.html", "codes.html", "style.css", "page.js"):
        assert (site / "accounts" / "riverside" / name).is_file()


def test_it_names_the_line_of_the_file_and_links_to_it(recorded: Tree, tmp_path: Path) -> None:
    site = tmp_path / "site"
    recorded.run("page", "-o", str(site), "--source", "https://git.example.org/o/r/blob/main")
    page = text(site, "accounts/riverside/index.html")
    lines = recorded.text("riverside").splitlines()
    line = lines.index("  grades:") + 1
    assert f'href="https://git.example.org/o/r/blob/main/schedules/riverside.yaml#L{line}"' in page
    assert f">schedules/riverside.yaml:{line}</a>" in page
    assert "already says something else" not in page


def test_where_the_files_can_be_seen_is_written_once_and_what_is_typed_comes_first(
    recorded: Tree, tmp_path: Path
) -> None:
    settings = recorded.root / "gradesync.yaml"
    settings.write_text(
        settings.read_text(encoding="utf-8") + "page: {source: 'https://git.example.org/o/r/blob/main/'}\n",
        encoding="utf-8",
    )
    for typed, shown in (((), "/o/r/blob/main/"), (("--source", "https://git.example.org/typed"), "/typed/")):
        recorded.run("page", "-o", str(tmp_path / "site"), *typed)
        page = text(tmp_path / "site", "accounts/riverside/index.html")
        assert f'href="https://git.example.org{shown}schedules/riverside.yaml#L' in page


@pytest.mark.parametrize(
    "address",
    ["http://git.example.org/o", "javascript:alert(1)", "https://me:word@git.example.org", "https://x/?a=b"],
)
def test_an_address_that_makes_no_safe_link_is_a_problem_of_the_file(recorded: Tree, address: str) -> None:
    settings = recorded.root / "gradesync.yaml"
    settings.write_text(
        settings.read_text(encoding="utf-8") + f"page: {{source: '{address}'}}\n", encoding="utf-8"
    )
    said = recorded.run("validate", code=1).output
    assert re.search(r"gradesync\.yaml:\d+:\d+: GS-1(?:07|10) `source`", said), said
    assert "word" not in said.replace("password", ""), "what may be a secret is not shown again"


def test_it_says_when_the_file_is_ahead_of_what_is_recorded(recorded: Tree, tmp_path: Path) -> None:
    recorded.account("riverside", recorded.text("riverside").replace("daily at 04:00", "daily at 05:00"))
    recorded.run("page", "-o", str(tmp_path / "site"))
    page = text(tmp_path / "site", "accounts/riverside/index.html")
    assert page.count("already says something else") == 1
    assert "daily at 04:00" in page


def test_an_account_that_only_observes_says_so_and_where_that_is_changed(tree: Tree, tmp_path: Path) -> None:
    site = tmp_path / "site"
    tree.account("riverside", tree.text("riverside") + "state: observe\n")
    tree.run("reconcile", "--no-syncs")
    tree.run("page", "-o", str(site))
    page = text(site, "accounts/riverside/index.html")
    assert page.count("In the account's file, at the top") == 2, "once under each schedule"
    assert "let it send again" not in page
    assert "at the top" not in text(site, "accounts/oak-hill/index.html")
    tree.account("riverside", tree.text("riverside") + "state: active\n")
    tree.run("reconcile", "--no-syncs")
    tree.run("page", "-o", str(site))
    assert "at the top" not in text(site, "accounts/riverside/index.html"), (
        "the line it told does what it said"
    )


def test_in_a_job_of_github_s_the_links_are_known(recorded: Tree, tmp_path: Path) -> None:
    known = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": "4f2c1ab"}
    recorded.run("page", "-o", str(tmp_path / "site"), env=known)
    assert "https://github.com/o/r/blob/4f2c1ab/schedules/" in text(
        tmp_path / "site", "accounts/riverside/index.html"
    )


def test_without_readable_files_the_page_is_made_all_the_same(recorded: Tree, tmp_path: Path) -> None:
    recorded.account("riverside", "account: [")
    recorded.run("page", "-o", str(tmp_path / "site"))
    assert "Open a pull request" in text(tmp_path / "site", "accounts/riverside/index.html")


def test_a_later_page_replaces_the_earlier_one_with_the_folders_of_accounts_gone(
    recorded: Tree, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    recorded.run("page", "-o", str(site))
    (site / "accounts" / "gone").mkdir()
    (site / "accounts" / "gone" / "index.html").write_text("old")
    recorded.run("page", "-o", str(site))
    assert not (site / "accounts" / "gone").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".site")] == []


def test_a_folder_that_somebody_else_fills_is_left_alone(recorded: Tree, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work")
    told = recorded.run("page", "-o", str(mine), code=1).output
    assert "holds files that are no page" in told
    assert "-o site" in told
    assert text(mine, "thesis.txt") == "years of work"


def test_a_page_is_not_written_through_a_link(recorded: Tree, tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    assert "symbolic link" in recorded.run("page", "-o", str(tmp_path / "link"), code=1).output
    assert list(real.iterdir()) == []


def test_links_inside_an_old_page_are_removed_and_not_followed(recorded: Tree, tmp_path: Path) -> None:
    site, outside = tmp_path / "site", tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    recorded.run("page", "-o", str(site))
    (site / "accounts" / "riverside" / "out").symlink_to(outside)
    recorded.run("page", "-o", str(site))
    assert text(outside, "kept.txt") == "kept"


def test_a_web_server_s_user_can_read_it_whatever_the_umask(recorded: Tree, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        recorded.run("page", "-o", str(tmp_path / "site"))
    finally:
        os.umask(before)
    for path in [tmp_path / "site", *(tmp_path / "site").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o755 if path.is_dir() else 0o644), path


def test_a_reader_meets_the_old_page_until_the_new_one_is_whole(tmp_path: Path) -> None:
    site = tmp_path / "site"
    put(site, [("index.html", b"old"), ("a/b.html", b"old")])

    def breaks_off() -> Iterator[tuple[str, bytes]]:
        yield "index.html", b"new"
        assert (site / "index.html").read_bytes() == b"old"
        raise RuntimeError("the power went out")

    with pytest.raises(RuntimeError, match="power"):
        put(site, breaks_off())
    assert (site / "index.html").read_bytes() == b"old"
    assert (site / "a" / "b.html").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "site").write_text("a file")
    with pytest.raises(NoPlaceForPage, match="is a file"):
        put(tmp_path / "site", [])
    assert not (tmp_path / MARKER).exists()


@pytest.mark.parametrize(
    ("place", "told"),
    [("file/site", "file is a file, and a page is a folder"), ("x" * 300, "File name too long")],
)
def test_a_place_that_cannot_be_is_told_as_the_option_s(
    recorded: Tree, tmp_path: Path, place: str, told: str
) -> None:
    (tmp_path / "file").write_text("a file")
    answer = recorded.run("page", "-o", str(tmp_path / place), code=1).stderr
    assert told in answer
    assert "name another folder with -o" in answer
    assert "-C" not in answer


def test_one_account_s_page_stands_at_the_top_and_knows_no_other(recorded: Tree, tmp_path: Path) -> None:
    recorded.run("page", "-o", str(tmp_path / "one"), "--account", "riverside")
    everything = "".join(path.read_text() for path in (tmp_path / "one").rglob("*.html"))
    assert "riverside schools" in everything
    assert "oak-hill" not in everything
    assert not (tmp_path / "one" / "accounts").exists()
    told = recorded.run("page", "-o", str(tmp_path / "two"), "--account", "riversid", code=1).output
    assert "no account riversid is recorded" in told


def test_the_public_page_shows_no_admin(recorded: Tree, tmp_path: Path) -> None:
    recorded.run("pause", "riverside/grades", "--reason", "ticket 4711")
    recorded.run("page", "-o", str(tmp_path / "public"), "--audience", "public")
    everything = "".join(path.read_text() for path in (tmp_path / "public").rglob("*.html"))
    for word in ("sis-admin", "ticket 4711", "gradesync pause", "GS-"):
        assert word not in everything
    assert "On hold" in everything


def test_programs_are_told_what_was_written(recorded: Tree, tmp_path: Path) -> None:
    told = json.loads(recorded.run("page", "-o", str(tmp_path / "site"), "--format", "json").stdout)
    files = [path for path in (tmp_path / "site").rglob("*") if path.is_file() and path.name != MARKER]
    assert told == {
        "version": 1,
        "kind": "page",
        "folder": str(tmp_path / "site"),
        "audience": "staff",
        "accounts": 2,
        "files": len(files),
        "bytes": sum(path.stat().st_size for path in files),
        "largest_file_bytes": max(path.stat().st_size for path in files),
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "say where with -o DIR"),
        (("-o", "x", "--serve"), "say where with -o DIR"),
        (("-o", "x", "--source", "http://git.example.org"), "begins with https://"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_is_made(
    recorded: Tree, arguments: tuple[str, ...], told: str
) -> None:
    assert told in recorded.run("page", *arguments, code=64).output


def test_lines_are_found_in_files_of_any_shape(tree: Tree) -> None:
    from datetime import UTC, datetime

    from gradesync.cli.page_places import places
    from gradesync.config.loader import load
    from gradesync.domain.definition import Recorded, RecordedAccount, RecordedSchedule

    shapes = {
        "plain": "schedules:\n  # grades: no\n  grades:\n    type: grade passback\n    interval: daily at 04:00\n",
        "quoted": 'schedules:\n  "grades":\n    type: grade passback\n    interval: daily at 04:00\n',
        "braces": "schedules: {grades: {type: grade passback, interval: daily at 04:00}}\n",
        "deep": "schedules:\n      grades:\n        type: grade passback\n        interval: daily at 04:00\n",
    }
    head = tree.text("riverside").partition("schedules:")[0]
    for name, tail in shapes.items():
        written = (
            (head + tail)
            .replace("account: riverside", f"account: {name}")
            .replace("/riverside/", f"/{name}/")
        )
        tree.account(name, written)
    desired = load(tree.root, now=datetime.now(UTC)).desired
    recorded = Recorded(
        {
            key: RecordedAccount(
                key, one.text, one.digest, 1, {"grades": RecordedSchedule(key, "grades", "{}", "other")}
            )
            for key, one in desired.accounts.items()
            if key in shapes
        }
    )
    assert set(shapes) <= set(desired.accounts), "a sample is no account file"
    found = places(tree.root, desired, recorded)
    top = head.count("\n")
    lines = {key: found[ScheduleId(key, "grades")].line - top for key in shapes}
    assert lines == {"plain": 3, "quoted": 2, "braces": 1, "deep": 2}
