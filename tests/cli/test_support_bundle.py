"""A support bundle helps whoever must find out why, and holds nothing of anybody: searched for a school's seed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.cli.conftest import Tree


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tree, Sandbox]]:
    """An account with runs of both kinds, refused grades, a hold, a blackout and texts of the other side."""
    root = tmp_path_factory.mktemp("bundle") / "tree"
    (root / "schedules").mkdir(parents=True)
    (root / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
    with running(("riverside",), students=24) as sandbox:
        live = Tree(root, sandbox.url)
        live.account("riverside")
        sandbox.write_secrets(root / ".gradesync" / "sandbox")
        live.run("reconcile", "--no-syncs")
        live.run("run", "riverside/roster-nightly", code=None)
        live.run("run", "riverside/grades", "--full", "--yes", code=None)
        for row in list(sandbox.schools["riverside"].sis.rows["users"].values())[::3]:
            row["status"] = "inactive"
        live.run("run", "riverside/grades", "--full", "--yes", code=None)
        blackout = "{name: Ana Ortiz leaves, from: 2020-06-25 18:00, until: 2090-07-06 06:00}"
        live.account("riverside", f"{live.text('riverside')}blackouts:\n  - {blackout}\n")
        live.run("reconcile", "--no-syncs", code=None)
        live.run("pause", "riverside/grades", "--reason", "Ana Ortiz asked for it")
        yield live, sandbox


@pytest.fixture
def lived(scene: tuple[Tree, Sandbox]) -> Tree:
    return scene[0]


def needles(sandbox: Sandbox) -> set[str]:
    """Every name, login, id and title of the school, on both sides."""
    found: set[str] = set()
    school = sandbox.schools["riverside"]
    for kind, rows in school.sis.rows.items():
        for row in rows.values():
            found.add(str(row["sourcedId"]))
            names = ("givenName", "familyName", "username", "email", "title", "name", "identifier")
            found |= {str(row[key]) for key in names if row.get(key) and kind != "categories"}
    raw = school.canvas.raw()
    for user in raw["users"]:
        found |= {str(user[key]) for key in ("name", "sortable_name", "email") if user.get(key)}
    found |= {str(one.name) for one in school.canvas.assignments.values()}
    found |= {school.canvas.token, school.sis.client_id, school.sis.client_secret, "Ortiz"}
    return {one for one in found if len(one) > 3}


def met(text: str, words: set[str]) -> set[str]:
    pattern = "|".join(re.escape(one) for one in sorted(words, key=len, reverse=True))
    return set(re.findall(rf"(?<![0-9A-Za-z])(?:{pattern})(?![0-9A-Za-z])", text))


@pytest.mark.parametrize("schedule", ["grades", "roster-nightly"])
def test_nothing_of_a_school_is_in_a_bundle(scene: tuple[Tree, Sandbox], schedule: str) -> None:
    lived, sandbox = scene
    shown = lived.run("support-bundle", f"riverside/{schedule}", "--show").stdout
    words = needles(sandbox)
    assert len(words) > 100
    assert met(f"Dear {next(iter(words))}, hello", words), "the search would find something"
    assert met(shown, words) == set()
    assert "reason" not in json.dumps(json.loads(shown.partition("bundle.json\n")[2]))


def test_a_bundle_says_what_is_needed(lived: Tree) -> None:
    shown = lived.run("support-bundle", "riverside/grades", "--show").stdout
    bundle = json.loads(shown.partition("----- bundle.json\n")[2])
    assert set(bundle) == {
        *("version", "kind", "at", "versions", "store", "settings", "hosts", "run", "last_good_runs"),
        *("newest_runs", "waiting", "holds", "blackouts"),
    }
    assert bundle["versions"]["gradesync"]
    assert bundle["store"] == {"kind": "sqlite", "schema": bundle["store"]["schema"]}
    assert re.fullmatch(r"[0-9a-f]+", bundle["settings"]["digests"]["account"])
    assert bundle["hosts"]["canvas"].startswith("127.0.0.1")
    assert bundle["run"]["codes"]
    assert bundle["run"]["seconds"].keys() >= {"fetch", "classes"}
    assert bundle["waiting"]
    assert [hold["kind"] for hold in bundle["holds"]] == ["operator"]
    assert [one["phase"] for one in bundle["blackouts"]] == ["ongoing"]
    assert len(bundle["newest_runs"]) >= 2


def test_the_file_holds_exactly_what_is_shown_and_only_for_its_owner(lived: Tree, tmp_path: Path) -> None:
    place = tmp_path / "for-support.zip"
    lived.run("support-bundle", "riverside/grades", "-o", str(place))
    assert place.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(io.BytesIO(place.read_bytes())) as pack:
        inside = {name.rpartition("/")[2]: pack.read(name).decode() for name in pack.namelist()}
    shown = lived.run("support-bundle", "riverside/grades", "--show").stdout
    without_time = [re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+Z", "T", text) for text in inside.values()]
    assert [*inside] == ["README.txt", "bundle.json"]
    for text in without_time:
        assert text in re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+Z", "T", shown)
    assert (
        "is there already"
        in lived.run("support-bundle", "riverside/grades", "-o", str(place), code=64).stderr
    )
    lived.run("support-bundle", "riverside/grades", "-o", str(place), "--force")


def test_left_to_itself_it_is_written_where_git_looks_away(lived: Tree, tmp_path: Path) -> None:
    place = Path(lived.run("support-bundle", "riverside/grades").stdout.strip())
    assert place.parent == lived.root / ".gradesync"
    assert zipfile.is_zipfile(place)
    assert place.stat().st_mode & 0o777 == 0o600
    nowhere = str(tmp_path / "none" / "x.zip")
    assert (
        "cannot be written" in lived.run("support-bundle", "riverside/grades", "-o", nowhere, code=64).stderr
    )


def test_a_run_nobody_knows_and_a_target_that_is_none(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    assert "no run" in tree.run("support-bundle", "0" * 32, code=1).stderr
    assert "no run of" in tree.run("support-bundle", "riverside/grades", code=1).stderr
    assert "first 8 characters" in tree.run("support-bundle", "0f3a", code=64).stderr
