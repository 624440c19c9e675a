"""`explain` through the command line against both sides over HTTP: grades, worklists, and what may be said."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from gradesync.cli.explain import _student
from gradesync.cli.main import group
from gradesync.sandbox.server import Sandbox, running
from tests.cli.conftest import Tree


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=24) as served:
        yield served


@pytest.fixture(scope="module")
def graded(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The first grades are carried; titles are such as no other text holds by chance."""
    root = tmp_path_factory.mktemp("tree")
    (root / "schedules").mkdir()
    (root / "gradesync.yaml").write_text('secrets: "file:.gradesync/sandbox/{account}/{name}"\n')
    tree = Tree(root, sandbox.url)
    tree.account("riverside")
    sandbox.write_secrets(root / ".gradesync" / "sandbox")
    for number, assignment in enumerate(sandbox.schools["riverside"].canvas.assignments.values()):
        assignment.name = f"Zebra {number}"
    tree.run("reconcile")
    tree.run("run", "riverside/grades", "--full", code=None)
    return tree


def carried(sandbox: Sandbox) -> tuple[int, int, str, str]:
    """Assignment, Canvas user, SIS id and score of one grade the SIS holds."""
    school = sandbox.schools["riverside"]
    sis = school.sis.raw()
    canvas = school.canvas
    items = {row["sourcedId"]: row["title"] for row in sis["lineItems"]}
    titles = {a.name: a.id for a in canvas.assignments.values()}
    users = {login.sis_user_id: login.user_id for login in canvas.logins.values() if login.sis_user_id}
    for row in sis["results"]:
        student, title = row["student"]["sourcedId"], items.get(row["lineItem"]["sourcedId"])
        if (
            row["status"] == "active"
            and title in titles
            and student in users
            and row.get("score") is not None
        ):
            return titles[title], users[student], student, str(row["score"])
    raise AssertionError("the run carried nothing")


def everybody(sandbox: Sandbox) -> list[str]:
    people = sandbox.schools["riverside"].district.people
    return [text for one in people for text in (one.family_name, one.sourced_id, one.email) if len(text) > 3]


def named(needles: list[str], text: str) -> list[str]:
    return [one for one in needles if re.search(rf"(?<![0-9A-Za-z]){re.escape(one)}(?![0-9A-Za-z])", text)]


def test_a_grade_is_explained_by_either_id_and_says_no_name_score_or_title(
    graded: Tree, sandbox: Sandbox
) -> None:
    assignment, user, student, score = carried(sandbox)
    sandbox.forget_requests()
    spoken = ""
    for who in (str(user), f"sis:{student}"):
        for form in ("text", "json"):
            asked = ("explain", "riverside/grades", "--assignment", str(assignment), "--student", who)
            spoken += graded.run("--verbose", *asked, "--was", score, "--format", form).output
    assert sandbox.count(side="sis", method="PUT") == 0
    assert "both sides agree" in spoken
    assert "value gradesync last wrote" in spoken
    assert named([*everybody(sandbox), "Zebra"], spoken) == []
    found = json.loads(spoken[spoken.rindex('{\n  "version"') :])
    assert (found["kind"], found["assignment"], found["live"]) == ("explanation", assignment, True)
    [one] = found["classes"]
    assert (one["sis_holds"], one["next"], found["was_sent"]["sent"]) == (
        "what Canvas shows",
        "stays as it is",
        True,
    )
    assert one["last_write"]["what"] == "sent"


def test_an_address_from_canvas_names_the_course_too(graded: Tree, sandbox: Sandbox) -> None:
    assignment, user, _, _ = carried(sandbox)
    course = sandbox.schools["riverside"].canvas.assignments[assignment].course_id
    address = f"https://x.example/courses/{course}/assignments/{assignment}?module_item_id=4"
    found = graded.run("explain", "riverside", "--assignment", address, "--student", str(user)).stdout
    assert f"assignment {assignment}" in found
    graded.run("explain", "riverside", "--assignment", "courses/1", "--student", str(user), code=64)


def test_offline_no_request_leaves_the_machine(graded: Tree, sandbox: Sandbox) -> None:
    assignment, _, student, _ = carried(sandbox)
    sandbox.forget_requests()
    asked = (
        "explain",
        "riverside",
        "--assignment",
        str(assignment),
        "--student",
        f"sis:{student}",
        "--offline",
    )
    assert "From the store alone" in graded.run(*asked).stdout
    assert sandbox.count() == 0


def test_every_look_stands_in_the_history_without_the_student(graded: Tree, sandbox: Sandbox) -> None:
    assignment, user, student, score = carried(sandbox)
    asked = ("--assignment", str(assignment), "--student", str(user), "--was", score)
    graded.run("--as", "Ana Ortiz", "explain", "riverside/grades", *asked)
    entries = json.loads(graded.run("history", "riverside", "--format", "json").stdout)["entries"]
    told = next(entry for entry in entries if entry["what"] == "grade explained")
    assert "claims Ana Ortiz" in json.dumps(told)
    assert told["data"]["assignment"] == assignment
    assert student not in json.dumps(told)
    assert "verifies" in graded.run("history", "--verify").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("--student", "1"),
        ("--assignment", "1"),
        ("--assignment", "x", "--student", "1"),
        ("--assignment", "1", "--student", "Ana"),
        ("--assignment", "1", "--student", "https://canvas.example/courses/12/users/"),
        ("--assignment", "courses/12/assignments/1", "--student", "courses/13/users/5"),
        ("--assignment", "1", "--student", "1", "--was", "much"),
        ("--assignment", "1", "--student", "1", "--was", "nan"),
        ("--assignment", "1", "--student", "1", "--show-values"),
        ("--assignment", "1", "--worklist"),
        ("--offline",),
    ],
)
def test_what_cannot_be_meant_is_refused(tree: Tree, arguments: tuple[str, ...]) -> None:
    tree.run("explain", "riverside", *arguments, code=64)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("88", (None, "88")),
        ("088", (None, "88")),
        ("sis:users/5", (None, "sis:users/5")),
        ("https://canvas.example/courses/12/users/88", (12, "88")),
        ("http://127.0.0.1:8765/riverside/courses/12/users/88?page=2#top", (12, "88")),
        ("courses/12/grades/88", (12, "88")),
        ("https://canvas.example/users/88", (None, "88")),
    ],
)
def test_a_student_is_named_by_number_sis_id_or_the_address_of_their_page(
    typed: str, meant: tuple[int | None, str]
) -> None:
    assert _student(typed) == meant


def test_the_two_addresses_a_teacher_hands_in_are_taken_as_they_are(graded: Tree, sandbox: Sandbox) -> None:
    assignment, user, _, _ = carried(sandbox)
    course = sandbox.schools["riverside"].canvas.assignments[assignment].course_id
    page = f"{graded.base}/courses/{course}/users/{user}"
    work = f"{graded.base}/courses/{course}/assignments/{assignment}"
    asked = ("--format", "json", "--assignment", work, "--student", page)
    found = json.loads(graded.run("explain", "riverside", *asked).stdout)
    assert (found["course"], found["in_course"]) == (course, True)
    said = graded.run("explain", "riverside", "--assignment", work, "--student", "99999", code=None).output
    assert "Canvas knows no user with this number" in said


def test_a_code_is_still_explained(tree: Tree) -> None:
    assert tree.run("explain", "405").stdout.startswith("GS-405")
    assert json.loads(tree.run("explain", "GS-405", "--format", "json").stdout)["kind"] == "code"


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals are POSIX's")
def test_a_terminal_shows_score_and_title(graded: Tree, sandbox: Sandbox) -> None:
    assignment, user, _, _ = carried(sandbox)
    shown = _at_a_terminal(
        graded,
        "explain",
        "riverside",
        "--assignment",
        str(assignment),
        "--student",
        str(user),
        "--show-values",
    )
    assert "Zebra" in shown
    assert "the SIS shows" in shown


def _at_a_terminal(tree: Tree, *arguments: str) -> str:
    """What the command writes when its stdout is a terminal."""
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "gradesync", "-C", str(tree.root), *arguments]
    env = {**{k: v for k, v in os.environ.items() if k != "CI"}, "NO_COLOR": "1", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=slave, stderr=subprocess.PIPE, env=env)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 65536):
            text += chunk
    except OSError:
        pass  # Linux reports a closed terminal as an error, not as an end
    finally:
        os.close(master)
    _, trouble = process.communicate(timeout=60)
    assert process.returncode == 0, trouble.decode()
    return text.decode()


def test_worklists_are_private_files_with_names_and_stdout_has_none(
    graded: Tree, sandbox: Sandbox, tmp_path: Path
) -> None:
    canvas = sandbox.schools["riverside"].canvas
    for assignment in canvas.assignments.values():
        assignment.due_at = None
    graded.run("run", "riverside/grades", "--full", code=None)
    folder = tmp_path / "lists"
    done = graded.run("--verbose", "explain", "riverside", "--worklist", str(folder))
    lists = sorted(folder.glob("*.csv"))
    assert lists
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    rows = [
        row for path in lists for row in csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
    ]
    assert any(row["student"] != "(whole class)" for row in rows)
    assert any(row["assignment"].startswith("Zebra") for row in rows)
    assert {"GS-401"} <= {row["code"] for row in rows}
    teachers = {user.name for user in canvas.users.values()}
    assert any(name.split()[-1] in path.name for path in lists for name in teachers)
    assert "lists written to" in done.output or "list written to" in done.output
    said = done.output.replace(str(folder), "")
    assert named([*everybody(sandbox), "Zebra"], said) == []
    found = json.loads(
        graded.run("explain", "riverside", "--worklist", str(folder), "--format", "json").stdout
    )
    assert (found["kind"], found["lists"]) == ("worklist", len(lists))
    store = (graded.root / ".gradesync" / "store.db").read_bytes().decode("latin-1")
    assert named([*everybody(sandbox), "Zebra"], store) == []


def test_a_worklist_replaces_the_last_one_and_never_other_peoples_files(graded: Tree, tmp_path: Path) -> None:
    folder = tmp_path / "lists"
    graded.run("explain", "riverside", "--worklist", str(folder))
    (folder / "Old-1.csv").write_text("done long ago")
    graded.run("explain", "riverside", "--worklist", str(folder))
    assert not (folder / "Old-1.csv").exists()
    assert (folder / ".gitignore").read_text() == "*\n"
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.csv").write_text("years of work")
    assert "other files" in graded.run("explain", "riverside", "--worklist", str(mine), code=1).output
    assert (mine / "thesis.csv").read_text() == "years of work"
    link = tmp_path / "link"
    link.symlink_to(folder)
    graded.run("explain", "riverside", "--worklist", str(link), code=1)


def test_without_a_folder_the_lists_go_beside_the_person(
    graded: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    graded.run("explain", "riverside/grades", "--worklist")
    assert (tmp_path / "worklist-riverside").is_dir()


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (
            "riverside",
            "riverside is no code\nhint: `gradesync show riverside` tells about an account or a schedule",
        ),
        ("riverside/grades", "name a grade of it with --assignment and --student, or ask for --worklist"),
        ("GS-999", "there is no code GS-999\nhint: gradesync's docs/codes/README.md lists every code"),
        ("gs40", "there is no code GS-40\nhint: gradesync's docs/codes/README.md lists every code"),
        ("GS-465", "there is no code GS-465\nhint: did you mean GS-4"),
    ],
)
def test_what_is_no_code_is_told_with_the_way_on(asked: str, told: str) -> None:
    answer = CliRunner().invoke(group, ["explain", asked])
    assert answer.exit_code == 1
    assert told in answer.stderr


@pytest.mark.parametrize("asked", ["GS-405", "gs405", "405", "gs-405"])
def test_a_code_is_known_however_it_is_typed(asked: str) -> None:
    assert "GS-405" in CliRunner().invoke(group, ["explain", asked]).stdout
