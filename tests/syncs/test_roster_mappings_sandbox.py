"""Every way of mapping carried over real HTTP into a Canvas that judges the files by its own rules."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gradesync.domain.account import RosterMapping
from gradesync.domain.run import Outcome
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.server import Sandbox, running
from tests.syncs.roster_players import Records
from tests.syncs.test_roster_sandbox import held, run, wanted


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=40, populated=False) as found:
        yield found


def canvas_after(sandbox: Sandbox, mapping: RosterMapping) -> CanvasWorld:
    """Canvas after a run it had nothing to say against, and another one that had nothing to send."""
    records = Records()
    result = run(sandbox, records, mapping=mapping)
    assert (result.outcome, dict(result.codes)) == (Outcome.COMPLETED, {})
    assert run(sandbox, records, mapping=mapping).counts["sent"] == 0
    return sandbox.schools["riverside"].canvas


def rows(sandbox: Sandbox, kind: str) -> dict[str, dict[str, object]]:
    return sandbox.schools["riverside"].sis.rows[kind]


def reference(row: dict[str, object], key: str) -> str:
    found = row[key]
    assert isinstance(found, dict)
    return str(found["sourcedId"])


def test_one_course_per_course_and_term_with_its_classes_as_sections(sandbox: Sandbox) -> None:
    canvas = canvas_after(sandbox, RosterMapping(courses="per_course"))
    together: dict[tuple[str, str], set[int]] = {}
    for section in canvas.sections.values():
        if section.sis_section_id is not None:
            row = rows(sandbox, "classes")[section.sis_section_id]
            together.setdefault((reference(row, "course"), str(row["terms"])), set()).add(section.course_id)
    assert (
        len({c for found in together.values() for c in found})
        == len(together)
        < len(rows(sandbox, "classes"))
    )
    assert all(len(found) == 1 for found in together.values())
    assert held(sandbox) == wanted(sandbox)


def test_the_tree_of_orgs_becomes_sub_accounts(sandbox: Sandbox) -> None:
    sandbox.schools["riverside"].sis.rows["orgs"]["001-D"] = {
        **rows(sandbox, "orgs")["001"],
        "sourcedId": "001-D",
        "name": "Arts",
        "type": "department",
        "parent": {"sourcedId": "001", "type": "org"},
    }
    moved = next(iter(rows(sandbox, "courses").values()))
    moved["org"] = {"sourcedId": "001-D", "type": "org"}
    canvas = canvas_after(sandbox, RosterMapping(accounts="tree", terms="school_year"))
    accounts = {one.sis_account_id: one for one in canvas.accounts.values() if one.sis_account_id}
    assert set(accounts) == {"001", "001-D"}
    assert accounts["001-D"].parent_account_id == accounts["001"].id
    lying = {course.account_id for course in canvas.courses.values() if course.sis_course_id}
    assert lying == {accounts["001"].id, accounts["001-D"].id}
    used = {
        canvas.terms[c.enrollment_term_id].sis_term_id for c in canvas.courses.values() if c.sis_course_id
    }
    assert used == {"2026-2027"}


def test_the_siss_ids_as_integration_ids_and_people_by_their_numbers(sandbox: Sandbox) -> None:
    for number, user in enumerate(rows(sandbox, "users").values()):
        user["identifier"] = f"{number:05}"
    mapping = RosterMapping(people="integration_id", logins="email", names="preferred")
    canvas = canvas_after(sandbox, mapping)
    logins = {one.integration_id: one for one in canvas.logins.values() if one.integration_id}
    assert {(id, login.sis_user_id, login.unique_id) for id, login in logins.items()} == {
        (id, str(user["identifier"]), str(user["email"])) for id, user in rows(sandbox, "users").items()
    }
    current = {
        (canvas.sections[one.course_section_id].sis_section_id, one.user_id)
        for one in canvas.enrollments.values()
        if one.workflow_state == "active" and one.type in ("StudentEnrollment", "TeacherEnrollment")
    }
    assert current == {(section, logins[person].user_id) for section, person, _ in wanted(sandbox)}


def test_guardians_observe_the_students_they_are_tied_to_and_nobody_else_comes(sandbox: Sandbox) -> None:
    student = next(row for row in rows(sandbox, "users").values() if row["role"] == "student")
    for id, agents in (("G-1", [{"sourcedId": student["sourcedId"], "type": "user"}]), ("G-2", [])):
        rows(sandbox, "users")[id] = {
            **student,
            "sourcedId": id,
            "role": "guardian",
            "username": id.lower(),
            "agents": agents,
        }
    canvas = canvas_after(sandbox, RosterMapping(guardians="observers"))
    by_sis_id = {one.sis_user_id: one.user_id for one in canvas.logins.values() if one.sis_user_id}
    assert "G-2" not in by_sis_id
    assert canvas.observers == {by_sis_id[str(student["sourcedId"])]: {by_sis_id["G-1"]}}
    assert held(sandbox) == wanted(sandbox)


def test_classes_taught_together_share_a_course_and_keep_their_sections(sandbox: Sandbox) -> None:
    one, other, *_ = sorted(rows(sandbox, "classes"))
    canvas = canvas_after(sandbox, RosterMapping(cross_list={"TOGETHER": (one, other)}))
    shared = next(c for c in canvas.courses.values() if c.sis_course_id == "TOGETHER")
    inside = {
        s.sis_section_id for s in canvas.sections.values() if s.course_id == shared.id and s.sis_section_id
    }
    assert inside == {one, other}
    assert held(sandbox) == wanted(sandbox)


def test_a_guardian_who_lost_a_student_observes_no_longer_and_nobody_else_is_touched(
    sandbox: Sandbox,
) -> None:
    sis, records, mapping = (
        sandbox.schools["riverside"].sis,
        Records(),
        RosterMapping(guardians="observers"),
    )
    students = [row for row in sis.rows["users"].values() if row["role"] == "student"][:3]
    for number in range(2):
        sis.put_row(
            "users",
            students[0]
            | {
                "sourcedId": f"G{number}",
                "role": "guardian",
                "username": f"guardian{number}",
                "agents": [sis.reference("user", one["sourcedId"]) for one in students],
            },
        )
    run(sandbox, records, mapping=mapping)
    canvas = sandbox.schools["riverside"].canvas
    kept = [sis.reference("user", one["sourcedId"]) for one in students[1:]]
    sis.put_row("users", sis.rows["users"]["G0"] | {"agents": kept})
    before = held(sandbox)
    result = run(sandbox, records, mapping=mapping)
    assert (result.outcome, dict(result.codes)) == (Outcome.COMPLETED, {})
    watching = {
        (owner.sis_user_id, watched.sis_user_id)
        for row in canvas.enrollments.values()
        if row.type == "ObserverEnrollment" and row.workflow_state != "deleted"
        for owner in canvas.logins_by_user[row.user_id]
        for watched in canvas.logins_by_user[row.associated_user_id or 0]
    }
    pairs = {(f"G{number}", str(one["sourcedId"])) for number in range(2) for one in students}
    assert watching == pairs - {("G0", str(students[0]["sourcedId"]))}
    assert held(sandbox) == before
    assert run(sandbox, records, mapping=mapping).counts["sent"] == 0
