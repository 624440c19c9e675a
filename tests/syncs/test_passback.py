"""Grade passback from Canvas to the SIS, whatever breaks on the way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from gradesync.domain.gradebook import SisGradebook
from gradesync.domain.run import Mode, Outcome, RunResult, Stage
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.syncs.grade_passback import pass_back
from gradesync.syncs.marks import ROSTER_SENT
from tests.syncs.passback_school import START, Crash, School, work

EVERY = {
    ("Work 1", "s11"): (Decimal("4.5"), "fully graded"),
    ("Work 1", "s12"): (Decimal("5.5"), "fully graded"),
    ("Work 2", "s11"): (Decimal("4.5"), "fully graded"),
    ("Work 2", "s12"): (Decimal("5.5"), "fully graded"),
    ("Work 3", "s21"): (Decimal("0.5"), "fully graded"),
    ("Work 3", "s31"): (Decimal("3.5"), "fully graded"),
}
WRITES = 10
"""Four columns (one assignment in two classes) and six scores."""


def down(code: str = "GS-508") -> ConnectionProblem:
    return ConnectionProblem("the SIS does not answer", code=code, retryable=True)


def refusal(code: str = "GS-506") -> ConnectionProblem:
    return ConnectionProblem("refused", code=code)


def test_the_first_run_carries_every_grade_and_the_second_nothing() -> None:
    school = School()
    first = school.run()
    assert school.grades() == EVERY
    assert (first.counts["sent"], first.counts["line items sent"], first.counts["refused"]) == (6, 4, 0)
    assert not first.codes
    school.later()
    again = school.run(Mode.FULL)
    assert (again.counts["sent"], again.counts["unchanged"], school.sis.writes) == (0, 6, WRITES)


def test_one_changed_score_is_one_write() -> None:
    school = School()
    school.run()
    school.later()
    school.grade(1, 11, "9")
    school.later(1)
    assert school.run().counts["sent"] == 1
    assert school.grades() == EVERY | {("Work 1", "s11"): (Decimal(9), "fully graded")}
    assert school.sis.writes == WRITES + 1


def test_students_a_roster_import_brought_get_the_grades_that_waited_for_them() -> None:
    school = School()
    school.sis.students["c1"] = frozenset({"s11"})
    assert school.run().codes == {"GS-503": 2}
    school.sis.students["c1"] = frozenset({"s11", "s12"})
    school.later()
    # Nothing in Canvas has changed, so a delta alone could not see it; the roster's own watermark tells.
    claimed = school.claim()
    school.store.records(claimed).set_watermarks({ROSTER_SENT: "another digest"})
    school.store.finish(claimed, RunResult(Outcome.COMPLETED, Stage.RECORD), [])
    assert school.run().counts["sent"] == 2
    assert school.grades() == EVERY
    school.later()
    school.sis.asked.clear()
    school.run()
    assert school.sis.asked == []


def test_a_quiet_tick_asks_the_sis_for_nothing() -> None:
    school = School()
    school.run()
    school.later()
    school.sis.asked.clear()
    school.canvas.reads.clear()
    school.run()
    assert school.sis.asked == []
    assert school.canvas.reads == [(1, False), (2, False)]
    # Nor when a teacher saves the score that is there already.
    school.grade(1, 11, "4.5")
    school.later(1)
    school.run()
    assert school.sis.asked == []


def test_a_changed_assignment_reads_its_course_anew_and_no_other() -> None:
    school = School()
    school.run()
    school.later()
    school.canvas.reads.clear()
    school.canvas.held[1].assignments[0] = work(1, 1, title="New title")
    assert school.run().counts["line items sent"] == 1
    assert school.canvas.reads == [(1, False), (2, False), (1, True)] or school.canvas.reads == [
        (1, False),
        (1, True),
        (2, False),
    ]
    assert ("New title", "s11") in school.grades()


def test_a_changed_policy_decides_everything_anew() -> None:
    school = School()
    school.grade(1, 11, None, excused=True)
    assert school.run().codes == {"GS-415": 1}
    school.later()
    school.passback, school.policy = {"excused": "exempt"}, "policy-2"
    assert school.run().counts["sent"] == 1
    assert school.grades()["Work 1", "s11"] == (Decimal(0), "exempt")


def test_one_class_alone_can_be_run_and_moves_no_watermark() -> None:
    school = School()
    tracker = school.run(class_filter="c3")
    assert (tracker.counts["sent"], tracker.counts["classes"]) == (1, 1)
    assert set(school.grades()) == {("Work 3", "s31")}
    assert school.run().counts["sent"] == 5
    assert school.grades() == EVERY


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_a_run_killed_at_any_write_is_finished_by_the_next(at: int, after: bool) -> None:
    school = School()
    school.sis.crash_at, school.sis.crash_after = at, after
    with pytest.raises(Crash):
        school.run()
    school.sis.crash_at = None
    school.later()
    tracker = school.run()
    assert school.grades() == EVERY
    assert len(school.sis.line_items) == 4
    assert not tracker.codes
    school.later()
    assert school.run(Mode.FULL).counts["sent"] == 0


@pytest.mark.parametrize("at", range(1, 7))
def test_a_sis_that_rounds_and_a_killed_run_make_no_hand_edit(at: int) -> None:
    school = School(decimals=0)
    school.sis.crash_at, school.sis.crash_after = at, True
    with pytest.raises(Crash):
        school.run()
    school.sis.crash_at = None
    school.later()
    tracker = school.run()
    assert "GS-412" not in tracker.codes
    assert len(school.grades()) == 6
    school.later()
    again = school.run(Mode.FULL)
    assert (again.counts["sent"], dict(again.codes)) == (0, {})


@pytest.mark.parametrize("at", [1, 2])
def test_two_runs_killed_in_a_row_make_no_hand_edit(at: int) -> None:
    school = School()
    school.run()
    # 7 is written and not recorded; 8 is intended and not written; then 9 is what the teacher says.
    for score, after in (("7", True), ("8", False)):
        school.later()
        school.grade(1, 11, score)
        school.grade(2, 12, score)
        school.later(1)
        school.sis.crash_at, school.sis.crash_after = school.sis.puts + at, after
        with pytest.raises(Crash):
            school.run()
    school.sis.crash_at = None
    school.later()
    school.grade(1, 11, "9")
    school.later(1)
    tracker = school.run()
    assert not tracker.codes
    assert school.grades()["Work 1", "s11"] == (Decimal(9), "fully graded")
    assert school.grades()["Work 2", "s12"] == (Decimal(8), "fully graded")


def test_a_score_taken_back_after_a_killed_run_is_taken_back_in_the_sis() -> None:
    school = School()
    school.run()
    school.later()
    school.grade(1, 11, "9")
    school.later(1)
    school.sis.crash_at, school.sis.crash_after = school.sis.puts + 1, True
    with pytest.raises(Crash):
        school.run()
    school.sis.crash_at = None
    assert school.grades()["Work 1", "s11"][0] == Decimal(9)
    school.grade(1, 11, "4.5")
    school.later(1)
    school.run()
    assert school.grades() == EVERY


def test_a_hand_edit_in_the_sis_survives_and_is_told_until_it_is_settled() -> None:
    school = School()
    school.run()
    (cell,) = [r.id for r in school.sis.results.values() if r.student_id == "s21"]
    school.sis.results[cell] = replace(school.sis.results[cell], score=Decimal(3))
    school.later()
    school.grade(3, 21, "9")
    school.later(1)
    assert school.run().codes == {"GS-412": 1}
    assert school.grades()["Work 3", "s21"] == (Decimal(3), "fully graded")
    assert school.store.waiting_counts("riverside") == {("riverside", "GS-412"): 1}
    school.grade(3, 21, "3")
    school.later(1)
    assert not school.run().codes
    assert school.store.waiting_counts("riverside") == {}


def test_one_refused_record_stops_no_other() -> None:
    first = School()
    first.run()
    (cell,) = [r.id for r in first.sis.results.values() if r.student_id == "s12"][:1]
    school = School()
    school.sis.refuse[cell] = refusal()
    tracker = school.run()
    assert (tracker.counts["sent"], tracker.counts["refused"], tracker.codes["GS-506"]) == (5, 1, 1)
    assert school.store.waiting_counts("riverside") == {("riverside", "GS-506"): 1}
    # A refusal keeps no watermark back; the nightly run tries again.
    school.later()
    school.sis.asked.clear()
    school.run()
    assert school.sis.asked == []
    school.sis.refuse.clear()
    assert school.run(Mode.FULL).counts["sent"] == 1
    assert school.grades() == EVERY
    assert school.store.waiting_counts("riverside") == {}


def test_a_refused_column_keeps_its_scores_waiting_under_the_same_code() -> None:
    school = School()
    school.sis.closed = frozenset({"q1"})
    tracker = school.run()
    assert tracker.codes == {"GS-501": 10}
    assert school.grades() == {}
    school.sis.closed = frozenset()
    assert school.run(Mode.FULL).counts["sent"] == 6


def test_transport_trouble_at_one_record_keeps_its_course_due() -> None:
    probe = School()
    probe.run()
    (cell,) = [r.id for r in probe.sis.results.values() if r.student_id == "s31"]
    school = School()
    school.sis.refuse[cell] = down()
    tracker = school.run()
    assert (tracker.counts["sent"], tracker.codes["GS-508"]) == (5, 1)
    school.sis.refuse.clear()
    school.later()
    assert school.run().counts["sent"] == 1
    assert school.grades() == EVERY


def test_a_course_canvas_cannot_show_is_counted_and_made_up_by_the_next_run() -> None:
    school = School()
    school.canvas.broken[1] = ConnectionProblem("down", code="GS-302", retryable=True)
    tracker = school.run()
    assert (tracker.codes["GS-302"], tracker.counts["sent"]) == (1, 2)
    school.canvas.broken.clear()
    school.later()
    assert school.run().counts["sent"] == 4
    assert school.grades() == EVERY


@pytest.mark.parametrize("problem", [down(), refusal("GS-512"), refusal("GS-506")])
def test_a_class_the_sis_cannot_show_does_not_stop_its_sibling(problem: ConnectionProblem) -> None:
    school = School()
    school.sis.down, school.sis.trouble = frozenset({"c2"}), problem
    tracker = school.run()
    assert tracker.codes == {problem.code: 1}
    assert ("Work 3", "s31") in school.grades()
    school.sis.trouble = None
    school.later()
    school.run(Mode.FULL if problem.code == "GS-512" else Mode.DELTA)
    assert school.grades() == EVERY


def test_a_sis_that_forgets_is_found_out_and_written_again() -> None:
    school = School()
    school.sis.forget = True
    tracker = school.run()
    assert set(tracker.codes) <= {"GS-509", "GS-505"}
    assert tracker.counts["sent"] == 0
    school.sis.forget = False
    school.later()
    school.run(Mode.FULL)
    assert school.grades() == EVERY


def test_another_institution_stops_the_run_before_it_reads_or_writes() -> None:
    school = School()
    school.run()
    school.later()
    school.grade(1, 11, "9")
    school.later(1)
    school.canvas.reads.clear()
    for side in ("canvas", "sis"):
        if side == "canvas":
            school.canvas.uuid = "another"
        else:
            school.canvas.uuid, school.sis.district = "root-uuid", "another"
        with pytest.raises(ConnectionProblem) as caught:
            school.run()
        assert caught.value.code == "GS-208"
    assert school.canvas.reads == []
    assert school.grades() == EVERY


def test_a_lost_lease_stops_every_further_write() -> None:
    school = School()
    left = 4

    def guard() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise LeaseLost("the lease has ended")

    school.sis.guard = guard
    with pytest.raises(LeaseLost):
        school.run()
    assert school.sis.writes == 4
    school.sis.guard = None
    school.later()
    assert not school.run().codes
    assert school.grades() == EVERY


def test_who_lost_the_lease_records_nothing() -> None:
    school = School()
    claimed = school.claim()
    school.store.unlock("riverside", [])
    with pytest.raises(LeaseLost):
        asyncio.run(pass_back(school.job(Mode.DELTA), school.sis, school.store.records(claimed)))
    assert school.sis.writes == 0
    assert school.store.ledger_rows == {}


def test_a_dry_run_writes_nothing_and_tells_what_the_run_then_does() -> None:
    school = School()
    school.grade(2, 12, None, excused=True)
    before = (dict(school.store.ledger_rows), dict(school.store.watermark_rows))
    dry, previews = school.preview()
    assert school.sis.writes == 0
    assert (school.store.ledger_rows, school.store.watermark_rows) == before
    real = school.run()
    assert {k: n for k, n in dry.counts.items() if n} == {k: n for k, n in real.counts.items() if n}
    assert dry.codes == real.codes
    assert sum(p.counts["sent"] for p in previews) == real.counts["sent"]
    school.later()
    _, nothing = school.preview(Mode.FULL)
    assert [p.codes for p in nothing] == [{"GS-415": 1}]


def test_a_grade_hidden_or_cleared_or_unflagged_later_never_becomes_a_zero() -> None:
    school = School()
    school.run()
    school.later()
    school.grade(1, 11, "9", posted_at=None)
    school.grade(1, 12, None)
    school.canvas.held[2].assignments[0] = work(3, 2, flagged=False)
    tracker = school.run(Mode.FULL)
    assert tracker.counts["sent"] == 0
    assert tracker.codes == {"GS-426": 1, "GS-418": 1, "GS-419": 2}
    assert school.grades() == EVERY


def test_a_score_is_looked_for_a_little_before_the_last_watermark() -> None:
    school = School()
    school.run()
    # Committed late in Canvas: graded before the last reading, and visible only now.
    school.now = START - timedelta(minutes=9)
    school.grade(1, 11, "9")
    school.now = START + timedelta(minutes=15)
    assert school.run().counts["sent"] == 1


def test_a_section_no_class_stands_behind_is_told_once_not_guessed() -> None:
    school = School()
    course = school.canvas.held[1]
    course.students = [replace(s, section_sis_id=None) for s in course.students]
    tracker = school.run()
    assert tracker.codes == {"GS-414": 1}
    assert {title for title, _ in school.grades()} == {"Work 3"}
    _, previews = school.preview(Mode.FULL)
    told = [(one.class_id, one.codes) for one in previews]
    assert told == [(f"courses/1/sections/{course.students[0].section_id}", {"GS-414": 1})]


def test_a_lost_store_doubles_nothing() -> None:
    school = School()
    school.run()
    fresh = School()
    fresh.sis = school.sis
    tracker = fresh.run()
    assert (tracker.counts["sent"], tracker.counts["unchanged"], school.sis.writes) == (0, 6, WRITES)
    fresh.later()
    fresh.grade(1, 11, "9")
    fresh.later(1)
    assert fresh.run().counts["sent"] == 1


def test_a_delta_reads_only_the_columns_that_changed_and_a_full_run_all() -> None:
    school = School()
    school.run()
    asked: list[tuple[str, int]] = []
    read = school.sis.read_class

    async def noted(class_id: str, columns: Sequence[str] = ()) -> SisGradebook:
        asked.append((class_id, len(columns)))
        return await read(class_id, columns)

    school.sis.read_class = noted  # type: ignore[method-assign]  # listens only
    school.later()
    school.grade(1, 11, "9")
    assert school.run().counts["sent"] == 1
    assert asked == [("c1", 1)]
    asked.clear()
    school.run(Mode.FULL)
    assert {columns for _, columns in asked} == {0}


def test_a_class_whose_gradebook_is_closed_is_told_and_keeps_what_waits_in_it() -> None:
    school = School()
    school.run()
    school.grade(3, 21, "9", state="pending_review")
    school.later()
    school.run()
    school.sis.down, school.sis.trouble = frozenset({"c2"}), refusal("GS-502")
    school.grade(3, 21, "8")
    school.later()
    tracker = school.run(Mode.FULL)
    assert (tracker.codes, tracker.result().outcome) == ({"GS-513": 1}, Outcome.WARNING)
    assert school.store.waiting_counts("riverside") == {
        ("riverside", "GS-426"): 1,
        ("riverside", "GS-513"): 1,
    }
    school.sis.down = frozenset()
    school.later()
    assert school.run().counts["sent"] == 1
    assert school.store.waiting_counts("riverside") == {}
