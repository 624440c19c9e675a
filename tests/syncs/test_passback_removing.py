"""What is gone in Canvas leaves the SIS as the account chose, once, up to the limit, and never on a SIS's bare word."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from gradesync.domain.run import Mode
from gradesync.domain.wish import FULLY_GRADED
from gradesync.errors import ConnectionProblem
from tests.syncs.passback_school import School, told, words, work
from tests.syncs.passback_school import score_of as of

EVERY = 6
WRITES = 10


def removing(policy: str, **more: Any) -> School:
    school = School()
    school.passback = {"deletions": policy, **more}
    school.sis_keys = {"profile": "oneroster-1.2"}
    assert not school.run().codes
    school.later()
    return school


def test_a_cleared_score_leaves_the_sis_with_the_full_run_and_comes_back_with_a_new_one() -> None:
    school = removing("delete")
    school.grade(1, 11, None)
    school.later(1)
    assert school.run().codes == {"GS-418": 1}
    tracker = school.run(Mode.FULL)
    assert (tracker.counts["deleted"], dict(tracker.codes)) == (1, {})
    assert ("Work 1", "s11") not in school.grades()
    assert len(school.grades()) == EVERY - 1
    assert words(school, of()) == [("sent", None), ("withheld", "GS-418"), ("deleted", None)]
    assert school.store.waiting_counts("riverside") == {}
    school.later()
    assert school.run(Mode.FULL).counts["deleted"] == 0
    school.grade(1, 11, "7")
    school.later(1)
    assert school.run().counts["sent"] == 1
    assert school.grades()["Work 1", "s11"] == (Decimal(7), FULLY_GRADED)


def test_a_cleared_score_is_blanked_once() -> None:
    school = removing("blank")
    school.grade(1, 11, None)
    school.later(1)
    tracker = school.run(Mode.FULL)
    assert (tracker.counts["blanked"], tracker.counts["sent"], dict(tracker.codes)) == (1, 0, {})
    assert school.grades()["Work 1", "s11"] == (None, "not submitted")
    assert [event.what for event in told(school, of())] == ["sent", "blanked"]
    writes = school.sis.writes
    school.later()
    assert not school.run(Mode.FULL).codes
    assert school.sis.writes == writes


def test_a_withdrawn_assignment_leaves_with_its_scores() -> None:
    school = removing("delete")
    school.canvas.held[1].assignments[0] = work(1, 1, flagged=False)
    tracker = school.run(Mode.FULL)
    assert (tracker.counts["deleted"], tracker.counts["line items deleted"]) == (2, 1)
    assert "Work 1" not in {item.title for item in school.sis.line_items.values()}
    assert len(school.sis.results) == EVERY - 2
    school.later()
    # Flagged again, it is a new column.
    school.canvas.held[1].assignments[0] = work(1, 1)
    tracker = school.run(Mode.FULL)
    assert (tracker.counts["sent"], dict(tracker.codes)) == (2, {})


def test_no_more_is_removed_in_a_run_than_the_limit_over_all_classes() -> None:
    school = removing("delete", deletion_limit=3)
    for course in school.canvas.held.values():
        course.assignments = [replace(one, flagged=False) for one in course.assignments]
    tracker = school.run(Mode.FULL)
    gone = tracker.counts["deleted"] + tracker.counts["line items deleted"]
    assert gone == 3
    assert tracker.codes["GS-425"] > 0
    assert len(school.sis.line_items) + len(school.sis.results) == WRITES - 3
    for _ in range(3):
        # Night after night it would all be gone; it waits for a person.
        school.later()
        assert school.run(Mode.FULL).codes["GS-425"] > 0
    assert len(school.sis.line_items) + len(school.sis.results) == WRITES - 3
    school.passback = {**school.passback, "deletion_limit": 50}
    school.later()
    school.run(Mode.FULL)
    assert (school.sis.line_items, school.sis.results) == ({}, {})


def test_once_nothing_waits_for_consent_the_old_limit_counts_again() -> None:
    school = removing("delete", deletion_limit=3)
    kept = {id: list(course.assignments) for id, course in school.canvas.held.items()}
    for course in school.canvas.held.values():
        course.assignments = [replace(one, flagged=False) for one in course.assignments]
    school.run(Mode.FULL)
    for id, course in school.canvas.held.items():
        course.assignments = kept[id]
    school.later()
    assert "GS-425" not in school.run(Mode.FULL).codes
    school.grade(1, 11, None)
    school.later()
    assert school.run(Mode.FULL).counts["deleted"] == 1


def test_a_closed_period_that_clears_every_flag_removes_nothing() -> None:
    school = removing("delete")
    held = len(school.sis.line_items), len(school.sis.results)
    school.now += timedelta(days=60)  # the only marking period is over
    for course in school.canvas.held.values():
        course.assignments = [replace(one, flagged=False) for one in course.assignments]
    for _ in range(2):
        tracker = school.run(Mode.FULL)
        assert not tracker.codes
        school.later()
    assert (len(school.sis.line_items), len(school.sis.results)) == held


def test_a_sis_that_deletes_nothing_is_asked_once_and_the_rest_of_the_run_goes_on() -> None:
    school = removing("delete")
    asked: list[str] = []

    async def refuses(result_id: str) -> None:
        asked.append(result_id)
        raise ConnectionProblem("method not allowed", code="GS-510", status=405)

    school.sis.delete_result = refuses  # type: ignore[method-assign]  # a SIS that offers no deletion
    for user in (11, 12):
        school.grade(1, user, None)
    school.grade(3, 21, None)
    school.grade(3, 31, "9")
    school.later(1)
    tracker = school.run(Mode.FULL)
    assert tracker.codes == {"GS-510": 3}
    assert len(asked) <= 2  # one class's are asked for together
    assert tracker.counts["sent"] == 1
    assert len(school.grades()) == EVERY


def test_a_sis_that_says_deleted_and_keeps_the_record_is_found_out() -> None:
    school = removing("delete")
    school.sis.keeps = True
    school.canvas.held[1].assignments[0] = work(1, 1, flagged=False)
    tracker = school.run(Mode.FULL)
    assert tracker.counts["deleted"] == 0
    assert set(tracker.codes) == {"GS-509"}
    school.sis.keeps = False
    school.later()
    assert school.run(Mode.FULL).counts["deleted"] == 2


def test_a_refused_deletion_keeps_its_column_and_waits() -> None:
    school = removing("delete")
    (cell,) = [r.id for r in school.sis.results.values() if r.student_id == "s11"][:1]
    school.sis.refuse[cell] = ConnectionProblem("the grading period is closed", code="GS-501", status=422)
    for course in school.canvas.held.values():
        course.assignments = [replace(one, flagged=False) for one in course.assignments]
    tracker = school.run(Mode.FULL)
    assert (tracker.counts["deleted"], tracker.counts["line items deleted"]) == (5, 3)
    assert len(school.sis.line_items) == 1
    school.sis.refuse.clear()
    school.later()
    school.run(Mode.FULL)
    assert (school.sis.line_items, school.sis.results) == ({}, {})


def test_what_was_removed_and_not_seen_to_be_gone_is_not_counted_as_trouble_twice() -> None:
    school = removing("delete")
    school.canvas.held[1].assignments[0] = work(1, 1, flagged=False)
    read, tried = school.sis.read_results, 0

    async def away(class_id: str) -> Any:
        nonlocal tried
        tried += 1
        if len(school.sis.results) < EVERY and class_id == "c1":
            raise ConnectionProblem("the SIS does not answer", code="GS-508", retryable=True)
        return await read(class_id)

    school.sis.read_results = away  # type: ignore[method-assign]  # away after the deletions
    tracker = school.run(Mode.FULL)
    assert tracker.codes == {"GS-508": 1}
    assert tried > 1
    school.sis.read_results = read  # type: ignore[method-assign]  # and back
    school.later()
    assert not school.run(Mode.FULL).codes
    assert len(school.sis.line_items) == 3


def test_a_key_that_dies_while_it_deletes_ends_the_run() -> None:
    school = removing("delete")
    school.grade(1, 11, None)
    (cell,) = [r.id for r in school.sis.results.values() if r.student_id == "s11"][:1]
    school.sis.refuse[cell] = ConnectionProblem("refused", code="GS-202", status=401)
    with pytest.raises(ConnectionProblem):
        school.run(Mode.FULL)
