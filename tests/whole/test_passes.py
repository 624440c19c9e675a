"""What a pass leaves behind: the SIS equals the oracle, and a pass that has nothing to carry writes nothing."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gradesync.sandbox.canvas_records import AssignmentGroup
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.teach import teach
from tests.whole.harness import GRADES, Judge, Tree, wanted_puts, writes

ACCOUNT = "riverside"


def _pass(tree: Tree, *, full: bool = False) -> int:
    """Let both schedules be due, make one pass, and answer how many writes reached either side."""
    tree.all_due(full=full)
    tree.sandbox.forget_requests()
    done = tree.run("reconcile")
    assert done.code in (0, 3), done.said
    return writes(tree.sandbox)


def _sis(sandbox: Sandbox) -> dict[str, Any]:
    raw: dict[str, Any] = sandbox.schools[ACCOUNT].sis.raw()
    return raw


def _outcomes(tree: Tree) -> set[str]:
    return {run["outcome"] for run in tree.runs()}


@pytest.mark.parametrize("seed", [1, 2])
def test_every_grade_arrives_once_then_only_changes_go_then_nothing(seed: int, tmp_path: Path) -> None:
    with running((ACCOUNT,), students=40, seed=seed) as sandbox:
        tree, judge, canvas = Tree(tmp_path, sandbox), Judge(sandbox), sandbox.schools[ACCOUNT].canvas
        tree.prepare()
        assert _pass(tree) > 100
        assert judge.verdict() == ""
        assert judge.results_held() > 100
        assert _pass(tree) == 0, "nothing changed, so neither side is written to"

        assert sum(teach(canvas, seed=seed).values()) > 5
        before = _sis(sandbox)
        sent = _pass(tree)
        assert sent == wanted_puts(before, _sis(sandbox)), "each write changed something in the SIS"
        assert 0 < sent < 200
        assert _pass(tree) == 0, "a delta that carried everything leaves nothing to the next"

        before = _sis(sandbox)
        assert _pass(tree, full=True) == wanted_puts(before, _sis(sandbox))
        assert judge.verdict() == "", "the nightly full run closes what no delta can see"
        assert _pass(tree, full=True) == 0
        assert _outcomes(tree) <= {"completed", "warning"}


def test_an_empty_canvas_is_filled_and_then_gives_its_grades(tmp_path: Path) -> None:
    with running((ACCOUNT,), students=40, populated=False) as sandbox:
        tree, judge, canvas = Tree(tmp_path, sandbox), Judge(sandbox), sandbox.schools[ACCOUNT].canvas
        tree.prepare()
        assert _pass(tree) == 1, "one roster import, and no grades yet"
        assert _missing_from_canvas(sandbox) == set()
        _open_courses(canvas)
        teach(canvas, seed=1, style="grade-all")
        before = _sis(sandbox)
        assert _pass(tree, full=True) == wanted_puts(before, _sis(sandbox)) > 100
        assert judge.verdict() == ""
        teach(canvas, seed=2, style="regrade-all")
        graded = sum(row.score is not None for row in canvas.submissions.values())
        assert 0 < _pass(tree) <= graded
        assert judge.verdict() == "", "a delta sees every changed score"
        assert _pass(tree, full=True) == 0


def test_hidden_and_cleared_grades_stay_in_the_sis_and_are_told(tmp_path: Path) -> None:
    with running((ACCOUNT,), students=40) as sandbox:
        tree, judge, canvas = Tree(tmp_path, sandbox), Judge(sandbox), sandbox.schools[ACCOUNT].canvas
        tree.prepare()
        _pass(tree)
        assert judge.verdict() == ""
        held = _sis(sandbox)["results"]
        hidden = cleared = 0
        for assignment in list(canvas.assignments.values())[::3]:
            hidden += canvas.hide(assignment.id)
        for row in [row for row in canvas.submissions.values() if row.score is not None][::7]:
            canvas.clear(row.assignment_id, row.user_id)
            cleared += 1
        assert hidden > 10
        assert cleared > 10
        assert _pass(tree, full=True) == 0, "nothing is blanked or deleted by itself"
        assert _sis(sandbox)["results"] == held
        assert judge.verdict() == ""
        codes = {row["code"] for row in tree.rows("SELECT DISTINCT code FROM waiting")}
        assert {"GS-411", "GS-426"} <= codes, (
            "a hidden grade waits for its teacher, most of all one sent before"
        )
        for assignment in list(canvas.assignments.values()):
            canvas.post(assignment.id)
        _pass(tree, full=True)
        assert judge.verdict() == ""


def test_after_a_lost_store_renamed_assignments_are_told_and_nothing_is_doubled(tmp_path: Path) -> None:
    with running((ACCOUNT,), students=40) as sandbox:
        tree, judge, canvas = Tree(tmp_path, sandbox), Judge(sandbox), sandbox.schools[ACCOUNT].canvas
        tree.prepare()
        _pass(tree)
        assert judge.verdict() == ""
        held = len(_sis(sandbox)["lineItems"]), judge.results_held()
        shutil.rmtree(tmp_path / ".gradesync")
        names = Counter((one.course_id, one.name) for one in canvas.assignments.values())
        for assignment in list(canvas.assignments.values())[::2]:
            # Of two that look alike a new name would set the other free, and rightly send it.
            if names[assignment.course_id, assignment.name] == 1:
                canvas.rename(assignment.id, f"Renamed {assignment.id}")
        tree.prepare()
        sandbox.forget_requests()
        tree.all_due()
        assert tree.run("reconcile").code in (0, 3)
        assert sandbox.count(method="PUT") == 0, (
            "whether a person renamed them in the SIS is not known any more"
        )
        assert (len(_sis(sandbox)["lineItems"]), judge.results_held()) == held
        codes = tree.rows("SELECT code, count(*) AS rows FROM waiting GROUP BY code")
        assert "GS-412" in {row["code"] for row in codes}, "told, so that somebody decides"


def test_a_run_by_hand_answers_what_the_store_then_holds(tmp_path: Path) -> None:
    with running((ACCOUNT,), students=24) as sandbox:
        tree = Tree(tmp_path, sandbox)
        tree.prepare()
        done = tree.run("run", f"{ACCOUNT}/{GRADES}", "--full", "--format", "json")
        assert done.code in (0, 3), done.said
        answer = json.loads(done.out)
        (row,) = tree.runs()
        assert answer["run"]["id"] == row["id"]
        assert answer["result"]["counts"]["sent"] == json.loads(row["counts"])["sent"]
        assert answer["result"]["counts"]["sent"] == Judge(sandbox).results_held()


def test_a_dry_run_and_a_plan_write_to_neither_side_nor_to_the_run_table(tmp_path: Path) -> None:
    with running((ACCOUNT,), students=40) as sandbox:
        tree, judge = Tree(tmp_path, sandbox), Judge(sandbox)
        tree.prepare()
        sandbox.forget_requests()
        assert tree.run("plan").code == 0
        told = tree.run("run", f"{ACCOUNT}/{GRADES}", "--dry-run", "--full")
        assert told.code in (0, 3), told.said
        assert writes(sandbox) == 0
        assert judge.results_held() == 0
        assert tree.runs() == []


def _open_courses(canvas: CanvasWorld) -> None:
    """Teachers publish what the import left unpublished, and name a group like a SIS category."""
    for course in list(canvas.courses.values()):
        canvas.publish_course(course.id)
        canvas.add_group(AssignmentGroup(canvas.new_id("group"), course.id, "Homework", 2))


def _missing_from_canvas(sandbox: Sandbox) -> set[tuple[str, str]]:
    """(class, student) pairs of current classes that the SIS lists today and Canvas does not."""
    school = sandbox.schools[ACCOUNT]
    canvas, sis = school.canvas.raw(), school.sis
    sections = {s["id"]: s["sis_section_id"] for s in canvas["sections"]}
    people = {one["id"]: one["sis_user_id"] for one in canvas["logins"]}
    there = {
        (sections[row["course_section_id"]], people.get(row["login_id"]))
        for row in canvas["enrollments"]
        if row["workflow_state"] != "deleted"
    }
    return {
        (class_id, str(row["user"]["sourcedId"]))
        for class_id in sections.values()
        if class_id is not None
        for row in sis.rows["enrollments"].values()
        if row["class"]["sourcedId"] == class_id and row["role"] == "student" and sis.is_current(row)
        if (class_id, row["user"]["sourcedId"]) not in there
    }
