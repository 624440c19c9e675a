"""`run ID --dry-run` on a roster schedule: what would become of whom, school by school, without sending anything."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path
from typing import Any

from gradesync.sandbox.school_year import SchoolYear
from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree, writes
from tests.whole.roster_oracle import Held, Seat, canvas_held

ID = "riverside/roster-nightly"


def dry(live: Tree) -> list[dict[str, object]]:
    """The schools of a dry run's JSON."""
    answer = json.loads(live.run("run", ID, "--dry-run", "--format", "json").stdout)
    if answer["change"] is None:
        return []
    schools: list[dict[str, object]] = answer["change"]["schools"]
    changing = ("created", "changed", "ended", "removed", "moved")
    return [row for row in schools if any(row[word] for word in changing)]


def test_before_the_first_import_everything_would_be_created_in_every_school(
    live: Tree, sandbox: Sandbox
) -> None:
    district = sandbox.schools["riverside"].district
    found = dry(live)
    assert {row["school"] for row in found} >= {school.sourced_id for school in district.schools}
    sections = sum(int(str(row["created"])) for row in found if row["kind"] == "sections")
    assert sections == len(district.classes)
    assert all(row["changed"] == row["ended"] == row["removed"] == 0 for row in found)
    assert writes(sandbox) == 0


def test_after_an_import_only_what_the_sis_changed_would_be_done(live: Tree, sandbox: Sandbox) -> None:
    live.run("run", ID, code=None)
    assert dry(live) == []
    year = SchoolYear(sandbox.schools["riverside"].sis)
    year.act("drop-class")
    year.act("rename-student")
    year.act("admit-student")
    found = dry(live)
    words = ("created", "changed", "ended", "removed")
    total = {word: sum(int(str(row[word])) for row in found) for word in words}
    users = [row for row in found if row["kind"] == "users"]
    assert sum(int(str(row["created"])) for row in users) == 1
    assert sum(int(str(row["changed"])) for row in users) == 1
    assert total["ended"] + total["removed"] == 1, "one seat in one class"
    text = live.run("run", ID, "--dry-run").output
    assert "WOULD CREATE" in text
    assert "nothing was sent and nothing was recorded" in text


def test_what_a_dry_run_says_is_what_the_run_then_does_in_canvas(live: Tree, sandbox: Sandbox) -> None:
    live.run("run", ID, code=None)
    school = sandbox.schools["riverside"]
    year = SchoolYear(school.sis)
    for act in (
        "admit-student",
        "add-class",
        "drop-class",
        "delete-enrollment",
        "withdraw-student",
        "open-class",
    ):
        year.act(act)
    said = {
        (kind, word): sum(int(str(row[word])) for row in dry(live) if row["kind"] == kind)
        for kind in ("sections", "users", "enrollments")
        for word in ("created", "changed", "ended", "removed", "moved")
    }
    before = canvas_held(school.canvas.raw())
    live.run("run", ID, code=None)
    after = canvas_held(school.canvas.raw())

    def in_class(held: Held) -> set[Seat]:
        return {seat for seat, state in held.seats.items() if state == "active"}

    assert said["sections", "created"] == len(after.sections.keys() - before.sections.keys())
    assert said["users", "created"] == len(after.people.keys() - before.people.keys())
    gained, lost = in_class(after) - in_class(before), in_class(before) - in_class(after)
    moved = said["enrollments", "moved"]
    assert said["enrollments", "created"] + moved == len(gained)
    assert said["enrollments", "ended"] + said["enrollments", "removed"] + moved == len(lost)
    assert min(len(gained), len(lost)) > 3, "there was something to tell"
    assert dry(live) == []


def test_a_renamed_school_and_another_title_of_a_term_stand_in_the_table(
    live: Tree, sandbox: Sandbox
) -> None:
    end = json.loads(live.run("run", ID, "--format", "json", code=None).stdout)
    shown = json.loads(live.run("show", end["run"]["id"], "--format", "json").stdout)
    seats = shown["run"]["result"]["read_back"]
    assert {row["school"] for row in seats} == {
        school.sourced_id for school in sandbox.schools["riverside"].district.schools
    }
    assert sum(row["seats"] for row in seats) == shown["run"]["result"]["counts"]["read back"]
    assert not any(row["missing"] for row in seats)
    assert "SEATS READ BACK" in live.run("show", end["run"]["id"]).stdout
    sis = sandbox.schools["riverside"].sis
    school = next(row for row in sis.rows["orgs"].values() if row["type"] == "school")
    school["name"] = "Another name"
    [found] = dry(live)
    assert (found["kind"], found["school"], found["changed"]) == ("accounts", school["sourcedId"], 1)
    text = live.run("run", ID, "--dry-run").stdout
    assert "sub-accounts" in text
    assert "Another name" not in text


def test_the_files_are_left_for_their_owner_alone_and_with_a_warning(
    live: Tree, sandbox: Sandbox, tmp_path: Path
) -> None:
    folder = tmp_path / "look"
    result = live.run("run", ID, "--dry-run", "--csv-to", str(folder))
    assert "student data" in result.stderr
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = sorted(folder.glob("*.csv"))
    assert {file.name for file in files} >= {"users.csv", "sections.csv", "enrollments.csv"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    with (folder / "users.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(sandbox.schools["riverside"].district.people)
    assert (folder / ".gitignore").read_text() == "*\n"
    assert writes(sandbox) == 0
    person = sandbox.schools["riverside"].district.people[0]
    assert person.family_name not in result.output


def test_that_files_with_student_data_were_written_is_in_the_history_and_a_plain_look_is_not(
    live: Tree, tmp_path: Path
) -> None:
    def entries() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(live.run("history", "riverside", "--format", "json").stdout)[
            "entries"
        ]
        return found

    before = entries()
    live.run("run", ID, "--dry-run")
    assert entries() == before
    folder = tmp_path / "robin-smith"
    for _ in range(2):
        result = live.run("--as", "alex", "run", ID, "--dry-run", "--csv-to", str(folder))
    files = len(list(folder.glob("*.csv")))
    told = [one for one in entries() if one not in before]
    assert [(one["what"], one["data"]) for one in told] == [("roster files written", {"files": files})] * 2
    assert all("alex" in json.dumps(one["actor"]) for one in told)
    assert "robin" not in json.dumps(told)
    assert f"you had {files} files written" in " ".join(result.stdout.split())


def test_files_never_go_over_what_somebody_else_keeps_there(live: Tree, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("mine")
    result = live.run("run", ID, "--dry-run", "--csv-to", str(mine), code=1)
    assert "holds other files" in result.output
    assert [path.name for path in mine.iterdir()] == ["letter.txt"]


def test_files_are_asked_for_of_dry_roster_runs_alone(live: Tree, tmp_path: Path) -> None:
    assert "--dry-run" in live.run("run", ID, "--csv-to", str(tmp_path / "a"), code=64).output
    wrong = live.run("run", "riverside/grades", "--dry-run", "--csv-to", str(tmp_path / "b"), code=64)
    assert "roster imports" in wrong.output
    assert not (tmp_path / "b").exists()
