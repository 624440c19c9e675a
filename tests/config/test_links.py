"""Git carries links: one that leads out of the tree is a problem, and what it leads to is never read."""

from __future__ import annotations

from pathlib import Path

import pytest

from gradesync.config.cache import FolderCache
from gradesync.config.effective import effective
from gradesync.config.scan import tree_text
from gradesync.errors import ConfigInvalid
from tests.config.trees import GOOD, SECRET, SETTINGS, account, errors, loaded, tree

OUTSIDE = "this is a link to outside of the tree"


@pytest.fixture
def token(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(SECRET)
    return file


@pytest.mark.parametrize("name", ["riverside.yaml", "north/riverside.yml"])
def test_an_account_file_that_links_out_of_the_tree_is_a_problem_and_frozen(
    tmp_path: Path, token: Path, name: str
) -> None:
    root = tree(tmp_path / "tree", {"hillside.yaml": account("hillside"), "north/lakeside.yaml": "x"})
    (root / "schedules" / "north" / "lakeside.yaml").unlink()
    (root / "schedules" / name).symlink_to(token)
    result = loaded(root)
    (problem,) = result.problems
    assert (problem.code, problem.message, problem.account) == ("GS-101", OUTSIDE, "riverside")
    assert problem.place.file == f"schedules/{name}"
    assert result.desired.frozen == {"riverside"}
    assert set(result.desired.accounts) == {"hillside"}
    assert tree_text(root, f"schedules/{name}") is None


def test_a_good_account_outside_is_no_account_of_the_tree_even_when_the_cache_knows_it(
    tmp_path: Path,
) -> None:
    root = tree(tmp_path / "tree", {"riverside.yaml": GOOD})
    cache = FolderCache(tmp_path / "cache")
    assert set(loaded(root, cache).desired.accounts) == {"riverside"}
    file = root / "schedules" / "riverside.yaml"
    file.rename(tmp_path / "moved.yaml")
    file.symlink_to(tmp_path / "moved.yaml")
    result = loaded(root, cache)
    assert not result.desired.accounts
    assert result.desired.frozen == {"riverside"}
    with pytest.raises(ConfigInvalid):
        effective(root, "riverside")


@pytest.mark.parametrize("folder", [".git", ".gradesync", ".gradesync/sandbox/riverside"])
def test_a_link_to_what_git_or_gradesync_keeps_in_the_tree_is_never_followed(
    tmp_path: Path, folder: str
) -> None:
    root = tree(tmp_path, {"hillside.yaml": account("hillside")})
    (root / folder).mkdir(parents=True)
    (root / folder / "config").write_text(account("lakeside"))
    (root / "schedules" / "lakeside.yaml").symlink_to(Path("..") / folder / "config")
    result = loaded(root)
    (problem,) = result.problems
    assert problem.message == f"this is a link into {folder.partition('/')[0]}"
    assert result.desired.frozen == {"lakeside"}
    assert tree_text(root, "schedules/lakeside.yaml") is None


def test_settings_that_link_out_of_the_tree_are_not_used(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"riverside.yaml": GOOD}, None)
    (tmp_path / "other.yaml").write_text(SETTINGS + "store: /elsewhere.db\n")
    (root / "gradesync.yaml").symlink_to(tmp_path / "other.yaml")
    result = loaded(root)
    assert (OUTSIDE, "gradesync.yaml") in {(p.message, p.place.file) for p in errors(result)}
    assert result.settings.store is None
    assert not result.known


def test_defaults_that_link_out_of_the_tree_freeze_what_they_apply_to(tmp_path: Path, token: Path) -> None:
    root = tree(tmp_path / "tree", {"riverside.yaml": GOOD, "north/hillside.yaml": account("hillside")})
    (root / "schedules" / "north" / "_defaults.yaml").symlink_to(token)
    result = loaded(root)
    assert (OUTSIDE, "schedules/north/_defaults.yaml") in {(p.message, p.place.file) for p in errors(result)}
    assert result.desired.frozen == {"hillside"}
    assert set(result.desired.accounts) == {"riverside"}
    assert not any(SECRET in str(p) for p in result.problems)


@pytest.mark.parametrize("linked", ["schedules", "schedules/north"])
def test_a_folder_that_links_out_of_the_tree_is_one_problem_and_its_accounts_are_frozen(
    tmp_path: Path, linked: str
) -> None:
    other = tree(tmp_path / "other", {"north/riverside.yaml": GOOD, "north/_defaults.yaml": SECRET})
    root = tmp_path / "tree"
    (root / linked).parent.mkdir(parents=True)
    (root / "gradesync.yaml").write_text(SETTINGS)
    (root / linked).symlink_to(other / linked)
    result = loaded(root)
    assert [(p.code, p.message, p.place.file) for p in result.problems] == [("GS-101", OUTSIDE, linked)]
    assert result.desired.frozen == {"riverside"}
    assert not result.desired.accounts


def test_links_inside_the_tree_go_on_working_however_the_tree_is_reached(tmp_path: Path) -> None:
    root = tree(tmp_path / "tree", {"north/hillside.yaml": account("hillside")})
    (root / "shared").mkdir()
    (root / "shared" / "riverside.txt").write_text(GOOD)
    (root / "schedules" / "riverside.yaml").symlink_to("../shared/riverside.txt")
    (tmp_path / "link").symlink_to(root)
    for way in (root, tmp_path / "link"):
        result = loaded(way)
        assert not result.problems
        assert set(result.desired.accounts) == {"riverside", "hillside"}
        assert tree_text(way, "schedules/riverside.yaml") == GOOD


def test_links_in_a_circle_are_a_placed_problem(tmp_path: Path) -> None:
    root = tree(tmp_path, {"hillside.yaml": account("hillside")})
    (root / "schedules" / "a.yaml").symlink_to("b.yaml")
    (root / "schedules" / "b.yaml").symlink_to("a.yaml")
    result = loaded(root)
    assert {(p.code, p.place.file) for p in result.problems} == {
        ("GS-101", "schedules/a.yaml"),
        ("GS-101", "schedules/b.yaml"),
    }
    assert result.desired.frozen == {"a", "b"}
