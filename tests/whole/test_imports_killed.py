"""kill -9 around a roster import: the successor finds the import in Canvas, waits for it, and sends nothing twice."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import ROSTER, Tree, at_request, end_of

ACCOUNT = "riverside"


def _seats(sandbox: Sandbox) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """(class, person) by the SIS's own rows, and as Canvas holds them active; students and teachers."""
    school = sandbox.schools[ACCOUNT]
    sis, canvas = school.sis, school.canvas
    wanted = {
        (row["class"]["sourcedId"], row["user"]["sourcedId"])
        for row in sis.rows["enrollments"].values()
        if row["role"] in ("student", "teacher") and sis.is_current(row)
    }
    held = set()
    for one in canvas.enrollments.values():
        section, logins = canvas.sections[one.course_section_id], canvas.logins_by_user[one.user_id]
        if (
            one.workflow_state == "active"
            and one.type in ("StudentEnrollment", "TeacherEnrollment")
            and logins
        ):
            held.add((str(section.sis_section_id), str(logins[0].sis_user_id)))
    return wanted, held


@pytest.mark.parametrize(
    ("method", "path", "number"),
    [
        ("POST", "/sis_imports", 1),
        ("GET", "/sis_imports/", 1),
        ("GET", "/sis_imports/", 2),
        ("GET", "/api/v1/sections/", 1),
    ],
    ids=["before the answer", "at the first look", "at the second look", "while reading back"],
)
def test_a_killed_import_is_taken_up_and_not_sent_again(
    method: str, path: str, number: int, tmp_path: Path
) -> None:
    with running((ACCOUNT,), students=40, populated=False) as sandbox:
        canvas = sandbox.schools[ACCOUNT].canvas
        canvas.settings.import_delay = 0.4
        tree = Tree(tmp_path, sandbox)
        tree.prepare(f"{ACCOUNT}/{ROSTER}")
        process: list[subprocess.Popen[str]] = []
        with at_request(sandbox, number, lambda: process[0].kill(), method=method, path=path) as reached:
            process.append(tree.start("reconcile"))
            died = end_of(process[0])
        assert reached.is_set(), died.said
        done = tree.run("reconcile")
        assert done.code in (0, 3), done.said
        assert len(canvas.imports) == 1
        wanted, held = _seats(sandbox)
        assert held == wanted
        assert {run["outcome"] for run in tree.runs()} <= {"completed", "warning"}

        sandbox.forget_requests()
        tree.make_due(f"{ACCOUNT}/{ROSTER}")
        assert tree.run("reconcile").code in (0, 3)
        asked = [one for one in sandbox.requests if one.side == "canvas"]
        assert {one.method for one in asked} == {"GET"}
        assert len(asked) <= 2, (
            "a night without news costs Canvas two questions: who it is, and how the last import is"
        )
