"""Stories that the state machine told first, each in its shortest form."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.run import Mode
from tests.machine.test_passback_machine import Passback12, PassbackMinted, PassbackPosted
from tests.syncs.passback_school import DUE, Crash, School, Sis


@dataclass
class Deaf(Sis):
    """A SIS that says yes to a change and goes on showing the old record, as long as it is deaf."""

    deaf: bool = False

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        before = self.line_items.get(item.id)
        id = await Sis.put_line_item(self, item, new=new)
        if self.deaf and before is not None:
            self.line_items[item.id] = before
        return id

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        before = self.results.get(result.id)
        id = await Sis.put_result(self, result, new=new)
        if self.deaf and before is not None:
            self.results[result.id] = before
        return id


def _deaf_school() -> tuple[School, Deaf]:
    school = School()
    sis = Deaf(**{name: getattr(school.sis, name) for name in school.sis.__dataclass_fields__})
    school.sis = sis
    school.run()
    school.later()
    school.grade(1, 11, "4")
    sis.deaf = True
    assert school.run().codes["GS-509"] == 1
    return school, sis


@pytest.mark.parametrize("mode", list(Mode))
def test_a_score_that_a_sis_said_yes_to_and_did_not_store_is_never_taken_for_carried(mode: Mode) -> None:
    school, _ = _deaf_school()
    for _round in range(2):
        school.later()
        school.grade(1, 12, "5")
        assert school.run(mode).codes["GS-509"] >= 1 or mode is Mode.DELTA
        waiting = {row.record.code for row in school.store.waiting_rows("riverside")}
        assert "GS-509" in waiting, "the difference is still told"


@pytest.mark.parametrize("hours", [-5, 3, 40])
def test_a_column_that_a_sis_said_yes_to_and_did_not_store_is_told_until_it_is(hours: int) -> None:
    school, sis = _deaf_school()
    school.run(Mode.FULL)
    for course in school.canvas.held.values():
        course.assignments[:] = [replace(a, due_at=DUE + timedelta(hours=hours)) for a in course.assignments]
    for _ in range(3):
        school.later()
        assert school.run(Mode.FULL).codes["GS-509"] > 1
    sis.deaf = False
    assert school.run(Mode.FULL).codes["GS-509"] == 0
    assert school.run(Mode.FULL).counts["line items sent"] == 0


def test_the_nightly_run_carries_a_score_that_a_sis_did_not_store_for_a_while() -> None:
    school, sis = _deaf_school()
    sis.deaf = False
    school.later()
    assert school.run(Mode.FULL).counts["sent"] == 1
    assert not school.run(Mode.FULL).codes
    assert not school.store.waiting_rows("riverside")


@pytest.mark.parametrize("own_ids", [False, True])
@pytest.mark.parametrize("at", range(1, 11))
def test_a_score_cleared_after_a_killed_run_had_sent_it_is_told(at: int, own_ids: bool) -> None:
    school = School(own_ids=own_ids)
    school.sis.crash_at, school.sis.crash_after = at, True
    with pytest.raises(Crash):
        school.run()
    school.sis.crash_at = None
    written = {(r.line_item_id, r.student_id) for r in school.sis.results.values()}
    for course in school.canvas.held.values():
        course.submissions[:] = [replace(s, score=None, grade=None) for s in course.submissions]
    school.later()
    assert school.run(Mode.FULL).codes.get("GS-418", 0) == len(written)


@pytest.mark.parametrize("at", range(1, 11))
@pytest.mark.parametrize("unlisted", [False, True])
@pytest.mark.parametrize("deletions", ["report", "blank", "delete"])
def test_a_score_of_a_student_who_left_is_told_though_the_sis_gave_it_an_id_that_the_killed_run_did_not_note(
    at: int, unlisted: bool, deletions: str
) -> None:
    school = School(own_ids=True)
    school.passback = {"deletions": deletions}
    school.sis.crash_at, school.sis.crash_after = at, True
    with pytest.raises(Crash):
        school.run()
    school.sis.crash_at = None
    noted = {entry.record_id for entry in school.store.read_records("riverside").ledger("c1").values()}
    left = {id: one for id, one in school.sis.results.items() if one.student_id == "s11"}
    unnoted = {id: one for id, one in left.items() if id not in noted}
    students = school.canvas.held[1].students
    leaver = students.pop(0)
    if not unlisted:
        students.append(replace(leaver, state="inactive"))
    school.later()
    told = school.run(Mode.FULL).codes
    if deletions == "report":
        assert told.get("GS-424", 0) == len(left)
    else:
        assert told.get("GS-412", 0) == len(unnoted)
        assert {id: school.sis.results.get(id) for id in unnoted} == unnoted, "not ours for certain"


def test_a_score_in_a_column_that_somebody_else_made_is_told_when_the_work_is_withdrawn() -> None:
    school = School()
    school.run()
    item = next(iter(school.sis.line_items.values()))
    school = School()
    school.sis.line_items["another-tools"] = replace(item, id="another-tools", minimum=Decimal(1))
    school.run()
    sent = next(one for one in school.sis.results.values() if one.line_item_id == "another-tools")
    for course in school.canvas.held.values():
        course.assignments[:] = [replace(a, flagged=False) for a in course.assignments]
    school.later()
    assert school.run(Mode.FULL).codes["GS-419"] == len(school.sis.results) == 6
    assert school.sis.results[sent.id] == sent


def test_a_column_that_somebody_else_made_and_renames_is_not_made_a_second_time() -> None:
    school = School()
    school.run()
    item = next(iter(school.sis.line_items.values()))
    school = School()
    school.sis.line_items["another-tools"] = replace(item, id="another-tools", minimum=Decimal(1))
    school.run()
    columns = len(school.sis.line_items)
    school.sis.line_items["another-tools"] = replace(item, id="another-tools", title="By hand")
    school.later()
    codes = school.run(Mode.FULL).codes
    assert len(school.sis.line_items) == columns
    assert codes == {"GS-412": 1}


@pytest.mark.parametrize("machine", [Passback12, PassbackMinted, PassbackPosted])
@pytest.mark.parametrize("taken_back", ["cleared", "dropped"])
@pytest.mark.parametrize("kill_at", [2, 4])
def test_scores_that_a_killed_pass_brought_are_told_whatever_ids_the_sis_gave_them(
    machine: type[Passback12], taken_back: str, kill_at: int
) -> None:
    state = machine()
    state.first_pass()
    state.new_assignment(course=110, halves=18, number=95)
    state.killed_pass(kill_at=kill_at, mode=Mode.FULL)
    canvas = state.canvas
    newest = max(canvas.assignments)
    if taken_back == "cleared":
        for row in list(canvas.submissions_by_course[110]):
            if row.assignment_id == newest and row.score is not None:
                canvas.clear(newest, row.user_id)
    else:
        for one in canvas.enrollments_of_course(110):
            if one.type == "StudentEnrollment":
                canvas.set_enrollment_state(one, "inactive")
    state.teardown()
