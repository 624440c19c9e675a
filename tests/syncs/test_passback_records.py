"""What happens to single records in a run: the SIS's own ids, removals, what is told of each, and who gets what."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.gradebook import DueOverride, SectionStudent
from gradesync.domain.keyed import minted_line_item_id
from gradesync.domain.line_item import item_subject
from gradesync.domain.run import Mode
from gradesync.domain.wish import FULLY_GRADED, value_key
from gradesync.errors import ConnectionProblem
from tests.syncs.passback_school import DUE, KEYED, Crash, School, graded, told, words, work
from tests.syncs.passback_school import score_of as of

EVERY = 6
WRITES = 10


def all_words(school: School) -> Counter[str]:
    return Counter(past.event.what for _, past in school.store.event_rows)


# --- ids of the SIS's own ----------------------------------------------------------------------------------------


def test_a_sis_with_ids_of_its_own_gets_every_record_once_and_changes_go_into_it() -> None:
    school = School(own_ids=True)
    tracker = school.run()
    assert (tracker.counts["sent"], len(school.sis.line_items), dict(tracker.codes)) == (EVERY, 4, {})
    assert all(id.startswith("own-") for id in (*school.sis.line_items, *school.sis.results))
    assert {r.line_item_id for r in school.sis.results.values()} == set(school.sis.line_items)
    school.later()
    assert school.run(Mode.FULL).counts["unchanged"] == EVERY
    school.grade(1, 11, "9")
    school.canvas.held[1].assignments[1] = work(2, 1, title="Renamed")
    school.later(1)
    tracker = school.run()
    assert (tracker.counts["sent"], tracker.counts["line items sent"]) == (1, 1)
    assert (len(school.sis.results), len(school.sis.line_items)) == (EVERY, 4)
    assert school.grades()["Work 1", "s11"] == (Decimal(9), FULLY_GRADED)
    assert ("Renamed", "s11") in school.grades()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, WRITES + 1))
def test_a_run_killed_at_any_write_doubles_nothing_where_the_sis_mints_ids(at: int, after: bool) -> None:
    school = School(own_ids=True)
    school.sis.crash_at, school.sis.crash_after = at, after
    with pytest.raises(Crash):
        school.run()
    school.sis.crash_at = None
    school.later()
    tracker = school.run()
    assert (len(school.sis.line_items), len(school.grades())) == (4, EVERY)
    assert not tracker.codes
    school.later()
    assert school.run(Mode.FULL).counts["sent"] == 0


def test_the_sis_s_own_id_of_a_column_is_known_before_its_first_result_is_sent() -> None:
    school = School(own_ids=True)
    known: list[str] = []
    put = school.sis.put_result

    async def watched(result: Any, *, new: bool = True) -> str:
        rows = school.store.ledger_rows
        known.append(next(e.record_id for e in rows.values() if e.record_id == result.line_item_id))
        return await put(result, new=new)

    school.sis.put_result = watched  # type: ignore[method-assign]  # looks at the ledger first
    school.run()
    assert len(known) == EVERY


def test_a_lost_store_doubles_nothing_where_the_sis_mints_ids() -> None:
    school = School(own_ids=True)
    school.run()
    fresh = School()
    fresh.sis = school.sis
    tracker = fresh.run()
    assert (tracker.counts["sent"], tracker.counts["unchanged"], school.sis.writes) == (0, EVERY, WRITES)


def test_a_record_that_was_seen_is_never_asked_to_be_created() -> None:
    school = School()
    asked: list[bool] = []
    put = school.sis.put_result

    async def noted(result: Any, *, new: bool = True) -> str:
        asked.append(new)
        return await put(result, new=new)

    school.sis.put_result = noted  # type: ignore[method-assign]  # listens only
    school.run()
    assert asked == [True] * EVERY
    school.later()
    school.grade(1, 11, "9")
    school.later(1)
    school.run()
    assert asked[EVERY:] == [False]


def test_a_sis_that_cuts_titles_is_not_written_to_again() -> None:
    school = School(max_title=4)
    assert set(school.run().codes) <= {"GS-509"}
    assert {item.title for item in school.sis.line_items.values()} == {"Work"}
    school.later()
    again = school.run(Mode.FULL)
    assert (again.counts["sent"], again.counts["line items sent"], dict(again.codes)) == (0, 0, {})


# --- what is told of each record ---------------------------------------------------------------------------------


def test_every_value_that_was_sent_is_told_under_its_hash() -> None:
    school = School()
    school.run()
    school.later()
    school.grade(1, 11, "9")
    school.later(1)
    school.run()
    values = [event.value for event in told(school, of()) if event.what == "sent"]
    assert values == [KEYED(value_key(Decimal(n), FULLY_GRADED)) for n in ("4.5", "9")]
    assert words(school, item_subject(KEYED, 1, "c1")) == [("sent", None)]


def test_a_withheld_score_is_told_once_and_its_release_too() -> None:
    school = School()
    school.grade(1, 11, "9", posted_at=None)
    school.run()
    for _ in range(3):
        school.later()
        school.run(Mode.FULL)
    assert words(school, of()) == [("withheld", "GS-411")]
    school.grade(1, 11, None)
    school.grade(1, 12, "1")  # without it the delta would not look at the class
    school.later(1)
    school.run()
    assert words(school, of()) == [("withheld", "GS-411"), ("released", "GS-411")]
    assert school.store.waiting_counts("riverside") == {}
    school.grade(1, 11, "9")
    school.later(1)
    school.run()
    assert words(school, of())[2:] == [("sent", None)]


def test_a_hand_edit_that_is_settled_is_told_as_released() -> None:
    school = School()
    school.run()
    (cell,) = [r.id for r in school.sis.results.values() if r.student_id == "s21"]
    subject = of(3, "c2", "s21")
    held = school.sis.results[cell]
    school.sis.results[cell] = replace(held, score=Decimal(3))
    school.later()
    school.run(Mode.FULL)
    school.sis.results[cell] = held
    school.later()
    school.grade(3, 21, "0.5")
    school.later(1)
    school.run(Mode.FULL)
    assert words(school, subject) == [("sent", None), ("withheld", "GS-412"), ("released", "GS-412")]


def test_a_refusal_is_told_of_the_column_and_its_scores_wait() -> None:
    school = School()
    school.sis.closed = frozenset({"q1"})
    school.run()
    assert words(school, item_subject(KEYED, 1, "c1")) == [("refused", "GS-501")]
    assert words(school, of()) == [("withheld", "GS-501")]
    school.sis.closed = frozenset()
    school.later()
    assert school.run(Mode.FULL).counts["sent"] == EVERY
    assert words(school, of()) == [("withheld", "GS-501"), ("sent", None)]


def test_a_value_stored_otherwise_is_told_with_both_values() -> None:
    school = School(decimals=0)
    school.run()
    sent, differs = told(school, of())
    assert (sent.what, sent.value) == ("sent", KEYED(value_key(Decimal("4.5"), FULLY_GRADED)))
    assert (differs.what, differs.code) == ("differs", "GS-509")
    assert differs.value == KEYED(value_key(Decimal(4), FULLY_GRADED))


def test_a_quiet_full_run_tells_nothing() -> None:
    school = School()
    school.run()
    before = all_words(school)
    assert before == {"sent": WRITES}
    school.later()
    school.run(Mode.FULL)
    assert all_words(school) == before


def test_a_waiting_student_who_is_not_listed_any_more_waits_no_longer() -> None:
    school = School()
    school.sis.students["c1"] = frozenset({"s11"})
    school.run()
    subject = of(1, "c1", "s12")
    assert words(school, subject) == [("withheld", "GS-503")]
    course = school.canvas.held[1]
    course.students = [one for one in course.students if one.user_id != 12]
    school.later()
    school.run(Mode.FULL)
    assert words(school, subject) == [("withheld", "GS-503"), ("released", "GS-503")]
    assert school.store.waiting_counts("riverside") == {}


# --- who gets what -----------------------------------------------------------------------------------------------


def test_a_student_in_two_sections_is_graded_in_both_classes() -> None:
    school = School()
    course = school.canvas.held[2]
    again = replace(course.students[0], section_id=201, section_sis_id="c3")
    course.students.append(again)
    school.sis.students["c3"] = frozenset({"s31", "s21"})
    assert school.run().counts["sent"] == EVERY + 1
    items = {item.id: item.class_id for item in school.sis.line_items.values()}
    both = [items[r.line_item_id] for r in school.sis.results.values() if r.student_id == "s21"]
    assert sorted(both) == ["c2", "c3"]
    # Leaving one section ends nothing in the other.
    course.students[-1] = replace(again, state="deleted")
    school.later()
    school.grade(3, 21, "9")
    school.later(1)
    assert school.run().counts["sent"] == 1


def test_cross_listed_classes_get_each_their_own_column_with_their_own_date() -> None:
    school = School()
    own = DUE.replace(day=20)
    school.canvas.held[2].assignments[0] = work(3, 2, overrides=(DueOverride(201, own),))
    school.run()
    dates = {
        item.class_id: item.due_date for item in school.sis.line_items.values() if item.title == "Work 3"
    }
    assert dates == {"c2": DUE, "c3": own}
    cells = {
        (school.sis.line_items[r.line_item_id].class_id, r.student_id)
        for r in school.sis.results.values()
        if school.sis.line_items[r.line_item_id].title == "Work 3"
    }
    assert cells == {("c2", "s21"), ("c3", "s31")}


def test_work_for_one_section_only_does_not_reach_the_other_class() -> None:
    school = School()
    school.canvas.held[2].assignments[0] = work(3, 2, only_overrides=True, overrides=(DueOverride(200, DUE),))
    school.run()
    assert {i.class_id for i in school.sis.line_items.values() if i.title == "Work 3"} == {"c2"}


def test_two_sections_of_one_class_share_a_column() -> None:
    school = School()
    course = school.canvas.held[1]
    course.students.append(SectionStudent(13, "s13", 177, "c1", "active"))
    course.submissions.append(graded(1, 13, "7", school.now))
    school.sis.students["c1"] = frozenset({"s11", "s12", "s13"})
    course.assignments[0] = work(1, 1, overrides=(DueOverride(177, DUE.replace(day=9)),))
    school.run()
    (column,) = [item for item in school.sis.line_items.values() if item.title == "Work 1"]
    assert column.due_date == DUE.replace(day=9)
    assert {r.student_id for r in school.sis.results.values() if r.line_item_id == column.id} == {
        "s11",
        "s12",
        "s13",
    }


def test_a_new_assignment_appears_with_its_first_score_or_at_once() -> None:
    for policy, columns in (("with_first_score", 4), ("at_once", 5)):
        school = School()
        school.passback = {"new_assignments": policy}
        school.canvas.held[1].assignments.append(work(9, 1))
        assert school.run().counts["line items sent"] == columns
        assert (minted_line_item_id("root-uuid", 9, "c1") in school.sis.line_items) is (columns == 5)


def test_a_class_out_of_scope_is_neither_read_nor_written() -> None:
    school = School()
    school.scope = {"terms": "all", "classes": {"exclude": ["CODE-c3"]}}
    tracker = school.run()
    assert (tracker.counts["sent"], tracker.counts["classes out of scope"]) == (EVERY - 1, 1)
    assert "c3" not in school.sis.asked


def test_a_period_that_has_ended_is_the_sis_s_to_close() -> None:
    school = School()
    school.now = school.now.replace(year=2027)
    # The period ended a year ago by the catalogue; the SIS takes the scores all the same.
    assert school.run().counts["sent"] == EVERY


def test_a_closed_column_is_not_asked_for_again_by_every_delta_and_opens_by_itself() -> None:
    school = School()
    school.run()
    school.later()
    (column,) = [item.id for item in school.sis.line_items.values() if item.title == "Work 1"]
    school.sis.refuse[column] = ConnectionProblem("the period is closed", code="GS-501", status=422)
    school.canvas.held[1].assignments[0] = work(1, 1, title="Renamed")
    assert school.run().codes == {"GS-501": 1}
    writes = school.sis.writes
    for score in ("1", "2"):
        school.later()
        school.grade(2, 11, score)
        school.later(1)
        assert school.run().counts["sent"] == 1
    assert school.sis.writes == writes + 2
    assert words(school, item_subject(KEYED, 1, "c1")) == [("sent", None), ("refused", "GS-501")]
    school.sis.refuse.clear()
    school.later()
    assert school.run(Mode.FULL).counts["line items sent"] == 1
    assert school.store.waiting_counts("riverside") == {}


def test_late_and_missing_work_reach_a_sis_that_has_flags() -> None:
    school = School()
    school.sis_keys = {"profile": "oneroster-1.2"}
    school.passback = {"missing": "flag"}
    school.grade(1, 11, "4", late=True)
    school.grade(1, 12, None, missing=True)
    assert not school.run().codes
    held = {(r.student_id, r.score): r for r in school.sis.results.values()}
    assert held["s11", Decimal(4)].late
    flagged = held["s12", None]
    assert (flagged.status, flagged.missing) == ("not submitted", True)
    school.later()
    assert school.run(Mode.FULL).counts["sent"] == 0
    # Handed in after all: the flag goes with the score that comes.
    school.grade(1, 12, "8")
    school.later(1)
    assert school.run().counts["sent"] == 1
    assert not any(r.missing for r in school.sis.results.values())
