"""A district carried over real HTTP: what the SIS says is what Canvas holds, judged by the raw worlds."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.canvas import CanvasConnector
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import OneRosterReader
from gradesync.connectors.spool import disk_spool
from gradesync.domain.account import RosterMapping
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.profile import profile_with
from gradesync.domain.run import Mode, Outcome, RunResult
from gradesync.sandbox.server import Sandbox, running
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.roster_import import RosterJob, import_roster
from gradesync.syncs.roster_job import Sleep
from tests.syncs.roster_players import Lease, Records, Watcher
from tests.syncs.test_roster_import import SCHEDULE, account

Seat = tuple[str, str, str]
ROLES = {"student": "StudentEnrollment", "teacher": "TeacherEnrollment"}


@pytest.fixture
def empty() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as sandbox:
        yield sandbox


@pytest.fixture
def filled() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=True) as sandbox:
        yield sandbox


async def briefly(seconds: float) -> None:
    """A pause as short as the sandbox needs."""
    await asyncio.sleep(min(seconds, 0.02))


def run(
    sandbox: Sandbox,
    records: Records,
    mode: Mode = Mode.DELTA,
    *,
    sleep: Sleep = briefly,
    mapping: RosterMapping | None = None,
    approved: frozenset[str] = frozenset(),
) -> RunResult:
    """One run with the real connectors."""

    async def go() -> RunResult:
        of = account()
        school, base = sandbox.schools["riverside"], f"{sandbox.url}/riverside"
        profile = profile_with("genesis", {})
        sis_auth = ClientCredentials(
            f"{base}/genesis{profile.token_path}",
            school.sis.client_id,
            school.sis.client_secret,
            profile.read_scopes,
        )
        canvas = HttpClient(f"{base}/canvas", side="canvas", auth=BearerToken(school.canvas.token))
        sis = HttpClient(f"{base}/genesis{profile.rostering_path}", side="sis", auth=sis_auth)
        async with canvas, sis:
            job = RosterJob(
                account=of if mapping is None else replace(of, roster=replace(of.roster, mapping=mapping)),
                schedule=SCHEDULE,
                mode=mode,
                today=school.district.today,
                source=OneRosterReader(sis, profile, mapping=mapping),
                records=records,
                guard=Lease(),
                progress=Watcher(),
                sink=CanvasConnector(canvas),
                spool=disk_spool,
                sleep=sleep,
                brake=Brake(KeyedHash(b"0" * 32, "riverside"), approved),
            )
            return await import_roster(job)

    return asyncio.run(go())


def wanted(sandbox: Sandbox) -> set[Seat]:
    """Who sits where today, by the SIS's own rows."""
    sis = sandbox.schools["riverside"].sis
    return {
        (row["class"]["sourcedId"], row["user"]["sourcedId"], ROLES[row["role"]])
        for row in sis.rows["enrollments"].values()
        if row["role"] in ROLES and sis.is_current(row)
    }


def held(sandbox: Sandbox, state: str = "active") -> set[Seat]:
    """Who sits where in Canvas, in that state."""
    world = sandbox.schools["riverside"].canvas
    logins = {login.user_id: login.sis_user_id for login in world.logins.values() if login.sis_user_id}
    found = set()
    for row in world.enrollments.values():
        section_id = world.sections[row.course_section_id].sis_section_id
        if (
            row.workflow_state == state
            and row.type in ROLES.values()
            and section_id
            and row.user_id in logins
        ):
            found.add((section_id, str(logins[row.user_id]), row.type))
    return found


def test_an_empty_canvas_holds_exactly_who_sits_where_and_no_course_is_published(empty: Sandbox) -> None:
    result = run(empty, Records())
    assert result.outcome is not Outcome.FAILED
    assert "GS-604" not in result.codes
    assert held(empty) == wanted(empty)
    courses = empty.schools["riverside"].canvas.courses.values()
    assert {course.workflow_state for course in courses} == {"claimed"}


def test_a_second_night_without_news_writes_nothing(empty: Sandbox) -> None:
    records = Records()
    run(empty, records)
    empty.forget_requests()
    assert run(empty, records).counts["sent"] == 0
    assert empty.count(side="canvas", method="POST") == 0


def test_a_student_who_vanishes_from_the_sis_keeps_the_grades_but_not_the_seat(empty: Sandbox) -> None:
    records = Records()
    run(empty, records)
    sis = empty.schools["riverside"].sis
    gone = next(
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    )
    sis.drop_row("enrollments", gone["sourcedId"])
    run(empty, records, Mode.FULL)
    assert held(empty) == wanted(empty)
    seat = (gone["class"]["sourcedId"], gone["user"]["sourcedId"], "StudentEnrollment")
    assert seat in held(empty, "inactive")


def test_a_canvas_of_another_tool_with_the_same_ids_is_taken_over_and_open_courses_stay_open(
    filled: Sandbox,
) -> None:
    world = filled.schools["riverside"].canvas
    before = {c.id: c.workflow_state for c in world.courses.values()}
    result = run(filled, Records())
    assert "GS-609" not in result.codes
    assert wanted(filled) <= held(filled)
    assert {c.id: c.workflow_state for c in world.courses.values() if c.id in before} == before
