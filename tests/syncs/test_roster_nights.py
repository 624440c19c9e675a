"""Nights of roster imports against a Canvas that diffs as the real one: refused rows, broken runs, their costs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import pytest

from gradesync.domain.account import RosterMapping
from gradesync.domain.run import Mode, Outcome
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.sandbox.canvas_records import Login, User
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox, running
from gradesync.syncs.marks import PENDING, REFUSED
from tests.syncs.roster_players import Records
from tests.syncs.test_roster_sandbox import held, run, wanted


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as one:
        yield one


def canvas_of(sandbox: Sandbox) -> CanvasWorld:
    return sandbox.schools["riverside"].canvas


def a_student(sandbox: Sandbox) -> dict[str, str]:
    """A student of the SIS who sits in some class: SIS id and user name."""
    sis = sandbox.schools["riverside"].sis
    seat = next(
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    )
    row = sis.rows["users"][seat["user"]["sourcedId"]]
    return {"id": row["sourcedId"], "name": row["username"]}


def a_squatter(sandbox: Sandbox, name: str) -> Login:
    """Somebody else in Canvas who has the login name already."""
    world = canvas_of(sandbox)
    user = world.add_user(User(world.new_id("user"), "Somebody", "Somebody", "Somebody", world.now()))
    return world.add_login(Login(world.new_id("login"), user.id, name, "old-tool-1"))


def another_seat(sandbox: Sandbox) -> None:
    """The registrar puts a student into one more class."""
    sis = sandbox.schools["riverside"].sis
    mine = [
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    ][-1]
    taken = {
        row["class"]["sourcedId"]
        for row in sis.rows["enrollments"].values()
        if row["user"]["sourcedId"] == mine["user"]["sourcedId"]
    }
    other = next(
        row
        for row in sis.rows["enrollments"].values()
        if row["role"] == "student" and sis.is_current(row) and row["class"]["sourcedId"] not in taken
    )
    sis.put_row("enrollments", {**other, "sourcedId": "new-seat", "user": mine["user"]})


# --- refused rows -----------------------------------------------------------------------------------------------


def test_a_refused_person_and_the_classes_of_that_person_arrive_the_night_canvas_would_take_them(
    sandbox: Sandbox,
) -> None:
    records, student = Records(), a_student(sandbox)
    squatter = a_squatter(sandbox, student["name"])
    first = run(sandbox, records)
    missing = wanted(sandbox) - held(sandbox)
    assert {who for _, who, _ in missing} == {student["id"]}
    assert dict(first.codes) == {"GS-615": 1, "GS-616": len(missing)}
    for kept in records.marks.values():
        assert student["id"] not in kept
        assert student["name"] not in kept

    # As long as Canvas refuses them, a night sends these rows and no others.
    sandbox.forget_requests()
    assert dict(run(sandbox, records).codes) == dict(first.codes)
    assert sandbox.count(side="canvas", method="POST") == 1
    assert run(sandbox, records).counts["sent again"] == 1 + len(missing)

    canvas_of(sandbox).rename_login(squatter, "somebody.else")
    last = run(sandbox, records)
    assert (last.outcome, last.counts["sent"]) == (Outcome.COMPLETED, 0)
    assert held(sandbox) == wanted(sandbox)
    assert run(sandbox, records).did_nothing


def test_canvas_alone_would_never_have_tried_the_refused_rows_again(sandbox: Sandbox) -> None:
    records, student = Records(), a_student(sandbox)
    squatter = a_squatter(sandbox, student["name"])
    run(sandbox, records)
    canvas_of(sandbox).rename_login(squatter, "somebody.else")
    # What we remember is lost: the diff of a changed roster leaves the refused rows where they are.
    records.marks[REFUSED] = ""
    another_seat(sandbox)
    run(sandbox, records)
    assert {who for _, who, _ in wanted(sandbox) - held(sandbox)} == {student["id"]}


def test_sending_refused_rows_again_leaves_what_canvas_compares_with_alone(sandbox: Sandbox) -> None:
    records, student = Records(), a_student(sandbox)
    a_squatter(sandbox, student["name"])
    run(sandbox, records)
    run(sandbox, records)
    another_seat(sandbox)
    run(sandbox, records)
    imports = list(canvas_of(sandbox).imports.values())
    assert [one.diffing_data_set_identifier is not None for one in imports] == [True, False, True, False]
    assert imports[2].diffed_against == imports[0].id
    assert imports[2].outcome.counts == {"enrollment": 1}


def test_what_was_changed_in_canvas_by_hand_is_put_back_when_all_rows_go(sandbox: Sandbox) -> None:
    records = Records()
    run(sandbox, records)
    world = canvas_of(sandbox)
    lost = next(one for one in world.enrollments.values() if one.type == "StudentEnrollment")
    world.set_enrollment_state(lost, "deleted")
    assert run(sandbox, records).did_nothing
    run(sandbox, records, Mode.FULL)
    assert held(sandbox) != wanted(sandbox)
    records.marks["roster:remastered"] = "2020-01-01"
    run(sandbox, records)
    assert held(sandbox) == wanted(sandbox)


# --- runs that break off ------------------------------------------------------------------------------------------


def test_the_successor_of_a_killed_run_finds_its_import_and_sends_nothing_twice(sandbox: Sandbox) -> None:
    canvas_of(sandbox).settings.import_delay = 0.3
    records = Records()

    async def die(seconds: float) -> None:
        raise LeaseLost("The lease has ended.")

    with pytest.raises(LeaseLost):
        run(sandbox, records, sleep=die)
    result = run(sandbox, records)
    assert (result.outcome, result.counts["taken up"]) == (Outcome.COMPLETED, 1)
    assert len(canvas_of(sandbox).imports) == 1
    assert held(sandbox) == wanted(sandbox)
    assert run(sandbox, records).did_nothing


def test_an_upload_whose_answer_was_lost_is_found_by_its_name_and_not_sent_twice(sandbox: Sandbox) -> None:
    records = Records()
    sandbox.front.faults.orders.append(
        FaultOrder("cut", 1, side="canvas", method="POST", path="sis_imports", when="after")
    )
    with pytest.raises(ConnectionProblem):
        run(sandbox, records)
    assert "id" not in json.loads(records.marks[PENDING])
    result = run(sandbox, records)
    assert result.counts["taken up"] == 1
    assert len(canvas_of(sandbox).imports) == 1
    assert held(sandbox) == wanted(sandbox)


def test_a_canvas_that_does_not_answer_for_a_while_is_waited_for(sandbox: Sandbox) -> None:
    canvas_of(sandbox).settings.import_delay = 0.3
    sandbox.front.faults.orders.append(
        FaultOrder("server-error", 8, side="canvas", method="GET", path="/sis_imports/")
    )

    async def at_once(seconds: float) -> None:
        await asyncio.sleep(0.02)

    assert run(sandbox, Records(), sleep=at_once).outcome is Outcome.COMPLETED
    assert held(sandbox) == wanted(sandbox)


def test_after_an_import_that_somebody_aborted_all_rows_are_applied(sandbox: Sandbox) -> None:
    records, world = Records(), canvas_of(sandbox)
    world.settings.import_delay = 0.3

    async def abort(seconds: float) -> None:
        for one in world.imports.values():
            one.workflow_state, one.ended_at = "aborted", world.now()

    result = run(sandbox, records, sleep=abort)
    assert (result.outcome, dict(result.codes)) == (Outcome.FAILED, {"GS-606": 1})
    world.settings.import_delay = 0.0
    assert run(sandbox, records).outcome is Outcome.COMPLETED
    assert held(sandbox) == wanted(sandbox)


# --- Canvas's own brake, and what a night costs ------------------------------------------------------------------


def test_a_day_on_which_half_the_seats_are_new_still_removes_whoever_left(sandbox: Sandbox) -> None:
    records, sis = Records(), sandbox.schools["riverside"].sis
    rows = [
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    ]
    late = rows[::2]
    for row in late:
        sis.drop_row("enrollments", row["sourcedId"])
    run(sandbox, records)
    for row in late:
        sis.put_row("enrollments", row)
    sis.drop_row("enrollments", rows[1]["sourcedId"])
    result = run(sandbox, records)
    assert dict(result.codes) == {}
    job = list(canvas_of(sandbox).imports.values())[-1]
    assert (job.threshold_exceeded, job.diffed) == (False, True)
    assert job.change_threshold is not None
    assert 20 < job.change_threshold < 100
    assert held(sandbox) == wanted(sandbox)


def test_a_night_without_news_asks_canvas_two_things_and_sends_it_nothing(sandbox: Sandbox) -> None:
    records = Records()
    run(sandbox, records)
    sandbox.forget_requests()
    assert run(sandbox, records).did_nothing
    asked = [
        (one.method, one.path.rsplit("/api/v1", 1)[-1]) for one in sandbox.requests if one.side == "canvas"
    ]
    assert asked == [("GET", "/accounts/self"), ("GET", "/accounts/self/sis_imports")]
    read = [one for one in sandbox.requests if one.side == "sis" and one.method == "GET"]
    kinds = {one.path.rstrip("/").rsplit("/", 1)[-1] for one in read}
    assert {"users", "enrollments"} <= kinds or any("users" in kind or "students" in kind for kind in kinds)


def test_over_canvas_own_limit_whoever_left_is_taken_out_one_by_one_and_strangers_stay(
    sandbox: Sandbox,
) -> None:
    records, sis, world = Records(), sandbox.schools["riverside"].sis, canvas_of(sandbox)
    run(sandbox, records)
    rows = [
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    ]
    gone = rows[3]
    sis.drop_row("enrollments", gone["sourcedId"])
    # Somebody by hand, in the same class: none of ours.
    section = world.sections[world.id_of("section", gone["class"]["sourcedId"]) or 0]
    guest = world.login_by_sis(rows[-1]["user"]["sourcedId"])
    assert guest is not None
    world.enroll(guest.user_id, section, "TaEnrollment", login_id=guest.id)
    # What Canvas compares with is not what we sent: another tool used the name.
    base = list(world.imports.values())[-1]
    base.size *= 3
    result = run(sandbox, records)
    assert (result.codes["GS-619"], result.counts["taken out"]) == (1, 1)
    assert held(sandbox) == wanted(sandbox)
    seat = (gone["class"]["sourcedId"], gone["user"]["sourcedId"], "StudentEnrollment")
    assert seat in held(sandbox, "inactive")
    assert any(
        one.type == "TaEnrollment" and one.workflow_state == "active" for one in world.enrollments.values()
    )
    # All rows once more, and Canvas compares with ours again.
    assert run(sandbox, records).outcome is Outcome.COMPLETED
    another_seat(sandbox)
    assert dict(run(sandbox, records).codes) == {}
    assert held(sandbox) == wanted(sandbox)


def test_people_known_by_their_integration_id_are_read_back_by_their_number(sandbox: Sandbox) -> None:
    records, mapping = Records(), RosterMapping(people="integration_id")
    result = run(sandbox, records, mapping=mapping)
    assert (result.outcome, dict(result.codes)) == (Outcome.COMPLETED, {})
    assert result.counts["read back"] > 100
    world = canvas_of(sandbox)
    lost = next(one for one in world.enrollments.values() if one.type == "StudentEnrollment")
    another_seat(sandbox)

    async def lose(seconds: float) -> None:
        await asyncio.sleep(0.05)
        world.set_enrollment_state(lost, "deleted")

    assert dict(run(sandbox, records, mapping=mapping, sleep=lose).codes) == {"GS-620": 1}
