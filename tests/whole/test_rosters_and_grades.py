"""A roster that arrives lets grades through that waited for it: both syncs of an account, one after the other."""

from __future__ import annotations

from pathlib import Path

from gradesync.sandbox.canvas_records import Login
from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import GRADES, ROSTER, Judge, Tree

ACCOUNT = "riverside"


def _pass(tree: Tree, schedule: str, *, full: bool = False) -> None:
    """Let one schedule be due and make one pass."""
    tree.make_due(f"{ACCOUNT}/{schedule}", full=full)
    done = tree.run("reconcile")
    assert done.code in (0, 3), done.said


def _waiting(tree: Tree, code: str) -> int:
    return len(tree.rows(f"SELECT * FROM waiting WHERE code = '{code}'"))


def _graded(sandbox: Sandbox) -> Login:
    """A student with posted scores."""
    canvas = sandbox.schools[ACCOUNT].canvas
    user_id = next(
        row.user_id
        for row in canvas.submissions.values()
        if row.score is not None
        and row.posted_at is not None
        and canvas.assignments[row.assignment_id].post_to_sis
    )
    return canvas.logins_by_user[user_id][0]


def test_who_was_missing_from_the_sis_gets_the_grades_after_the_roster_that_brings_the_student(
    tmp_path: Path,
) -> None:
    with running((ACCOUNT,), students=40) as sandbox:
        tree, judge, sis = Tree(tmp_path, sandbox), Judge(sandbox), sandbox.schools[ACCOUNT].sis
        student = _graded(sandbox).sis_user_id
        seats = [
            row
            for row in sis.rows["enrollments"].values()
            if row["user"]["sourcedId"] == student and sis.is_current(row)
        ]
        for row in seats:
            sis.drop_row("enrollments", row["sourcedId"])
        tree.prepare()
        _pass(tree, ROSTER)
        _pass(tree, GRADES, full=True)
        missed = _waiting(tree, "GS-503")
        for row in seats:
            sis.put_row("enrollments", row)
        _pass(tree, GRADES)
        assert _waiting(tree, "GS-503") == missed, "nothing said that the student arrived"
        _pass(tree, ROSTER)
        shown = tree.run("show", tree.runs()[-1]["id"]).out
        lines = shown.partition("DROPPED\n")[2].partition("\n\n")[0].splitlines()
        gained = {line.split()[0] for line in lines if line.strip()}
        assert gained == {row["class"]["sourcedId"] for row in seats}
        assert str(student) not in shown
        _pass(tree, GRADES)
        assert _waiting(tree, "GS-503") <= missed - 20
        assert judge.verdict() == ""


def test_who_had_lost_the_sis_id_in_canvas_gets_the_grades_after_the_import_that_gives_it_back(
    tmp_path: Path,
) -> None:
    with running((ACCOUNT,), students=40) as sandbox:
        tree, judge, canvas = Tree(tmp_path, sandbox), Judge(sandbox), sandbox.schools[ACCOUNT].canvas
        tree.prepare()
        _pass(tree, ROSTER)
        login = _graded(sandbox)
        _pass(tree, GRADES, full=True)
        usual = _waiting(tree, "GS-417")
        canvas.forget_sis_id(login)
        _pass(tree, GRADES, full=True)
        assert _waiting(tree, "GS-417") > usual
        # The same files once more: what arrives is not told by them, but by the import.
        done = tree.run("run", f"{ACCOUNT}/{ROSTER}", "--full")
        assert done.code in (0, 3), done.said
        assert login.sis_user_id is not None
        _pass(tree, GRADES)
        assert _waiting(tree, "GS-417") == usual
        assert judge.verdict() == ""
