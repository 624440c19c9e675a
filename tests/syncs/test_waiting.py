"""Waiting work is gone through again when its cause can have gone, and not every fifteen minutes for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from gradesync.domain.gradebook import Category, CourseGradebook, GradingPeriod, SisCatalogue
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.record import LedgerEntry, WaitingRecord, WaitingRow
from gradesync.domain.run import Mode, Outcome
from gradesync.syncs.course_marks import CourseMarks
from gradesync.syncs.marks import ROSTER_SENT
from gradesync.syncs.waiting import Again, Waiting, after_full, classes_to_retry
from tests.engine.district import District
from tests.syncs.passback_school import work

NOW = datetime(2026, 11, 4, 15, 0, tzinfo=UTC)
KEYED = KeyedHash(b"k" * 32, "riverside")
CATALOGUE = SisCatalogue({}, (Category("hw", "Homework"), Category("q", "Quizzes")), ())


class Remembered:
    """What a run finds in the store: watermarks, and nothing else."""

    def __init__(self, marks: Mapping[str, str] | None = None) -> None:
        self.marks = dict(marks or {})

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]:
        return {}

    def watermark(self, name: str) -> str | None:
        return self.marks.get(name)

    def waiting(self, class_id: str) -> Mapping[str, WaitingRow]:
        return {}

    def generation(self) -> str | None:
        return None

    def generation_chunk(self, kind: str, school: str) -> bytes:
        return b""


class Looking:
    """Goes through what waits, again and again, at the times told."""

    def __init__(self, *rows: tuple[str, str, timedelta]) -> None:
        self.rows = [
            WaitingRow(WaitingRecord(f"s{n}", c, code), NOW - age) for n, (c, code, age) in enumerate(rows)
        ]
        self.records = Remembered()
        self.catalogue = CATALOGUE
        self.asked = 0
        self.read = 0

    def look(self, after: timedelta = timedelta(), *, went_through: bool = True) -> frozenset[str]:
        since: dict[str, datetime] = {}
        for row in self.rows:
            since[row.record.code] = min(row.since, since.get(row.record.code, row.since))
        waiting = Waiting(NOW + after, since, self._rows)
        found = asyncio.run(classes_to_retry(waiting, self.records, KEYED, self._catalogue))
        if went_through:
            self.records.marks |= found.marks
        return found.classes

    def full(self) -> None:
        self.records.marks |= after_full(Waiting(NOW, {}, self._rows), self.records, KEYED, self.catalogue)

    def _rows(self, codes: Collection[str] | None) -> list[WaitingRow]:
        self.read += 1
        return [row for row in self.rows if codes is None or row.record.code in codes]

    async def _catalogue(self) -> SisCatalogue:
        self.asked += 1
        return self.catalogue


FRESH = timedelta(minutes=5)
HOUR = timedelta(hours=1)


def test_nothing_that_waits_costs_nothing() -> None:
    looking = Looking()
    assert looking.look() == frozenset()
    assert (looking.asked, looking.read, looking.records.marks) == (0, 0, {})


def test_what_a_teacher_must_mend_in_canvas_is_never_gone_through_by_itself() -> None:
    looking = Looking(("c1", "GS-401", timedelta(days=40)), ("c2", "GS-411", FRESH))
    assert looking.look() == frozenset()
    assert (looking.asked, looking.read) == (0, 0)


@pytest.mark.parametrize("code", ["GS-405", "GS-402", "GS-406", "GS-501", "GS-512"])
def test_the_sis_is_asked_at_most_once_an_hour_for_what_waits_for_its_catalogue(code: str) -> None:
    looking = Looking(("c1", code, FRESH))
    found = [looking.look(timedelta(minutes=15 * n)) for n in range(9)]
    assert set(found) == {frozenset()}
    assert looking.asked == 3


def test_a_category_added_in_the_sis_wakes_what_waits_for_it_and_nothing_else() -> None:
    looking = Looking(("c1", "GS-405", FRESH), ("c2", "GS-401", FRESH), ("c3", "GS-412", FRESH))
    looking.look()
    looking.catalogue = replace(CATALOGUE, categories=(*CATALOGUE.categories, Category("p", "Projects")))
    assert looking.look(HOUR) == {"c1"}
    assert looking.look(2 * HOUR) == frozenset()


def test_the_order_in_which_the_sis_lists_its_categories_is_no_change() -> None:
    looking = Looking(("c1", "GS-405", FRESH))
    looking.look()
    looking.catalogue = replace(CATALOGUE, categories=CATALOGUE.categories[::-1])
    assert looking.look(HOUR) == frozenset()


def test_a_period_changed_since_the_nightly_full_run_is_seen_by_the_first_look() -> None:
    looking = Looking(("c1", "GS-501", FRESH))
    looking.full()
    period = GradingPeriod("q1", "Q1", date(2026, 9, 1), date(2026, 11, 15), None)
    looking.catalogue = replace(CATALOGUE, periods=(period,))
    assert looking.look(HOUR) == {"c1"}


def test_a_run_that_did_not_go_through_leaves_the_look_to_the_next_one() -> None:
    looking = Looking(("c1", "GS-405", FRESH))
    looking.look()
    looking.catalogue = replace(CATALOGUE, categories=())
    assert looking.look(HOUR, went_through=False) == {"c1"}
    assert looking.look(HOUR) == {"c1"}
    assert looking.look(HOUR) == frozenset()


def test_a_roster_that_arrived_wakes_students_who_waited_for_it() -> None:
    looking = Looking(("c1", "GS-503", FRESH), ("c2", "GS-412", FRESH))
    looking.full()
    assert looking.look() == frozenset()
    looking.records.marks[ROSTER_SENT] = "of tonight"
    assert looking.look() == {"c1"}
    assert looking.look() == frozenset()


def test_what_nobody_can_see_mended_is_looked_at_once_a_day() -> None:
    looking = Looking(("c1", "GS-412", FRESH))
    times = [timedelta(minutes=15 * n) for n in range(4 * 24 * 3)]
    woken = [at for at in times if looking.look(at)]
    assert len(woken) == 2
    assert woken[1] - woken[0] == timedelta(days=1)


def test_transport_trouble_is_tried_again_at_once() -> None:
    looking = Looking(("c1", "GS-508", FRESH))
    assert [looking.look(), looking.look()] == [{"c1"}, {"c1"}]


def test_nothing_waiting_is_an_empty_answer() -> None:
    assert Again() == Again(frozenset(), {})


# - in whole runs -


def district(*, follows: bool, **assignment: object) -> District:
    found = District()
    found.school.canvas.follows = follows
    course = found.school.canvas.held[1]
    course.assignments[0] = work(course.assignments[0].id, 1, **assignment)
    return found


def codes(found: District) -> dict[str, int]:
    return {code: count for (_, code), count in found.store.waiting_counts("riverside").items()}


both = pytest.mark.parametrize("follows", [False, True], ids=["course by course", "told what changed"])


@both
def test_a_grade_waits_for_its_category_and_goes_out_within_the_hour_after_it_is_there(follows: bool) -> None:
    found = district(follows=follows, group="Projects")
    found.started()
    assert codes(found) == {"GS-405": 3}
    school = found.school
    school.sis.asked.clear()
    for _ in range(2):
        found.later(15)
        found.reconcile()
    assert school.sis.asked.count("catalogue") <= 1
    school.sis.categories = (*school.sis.categories, Category("p", "Projects"))
    before = len(school.sis.results)
    for _ in range(4):
        found.later(15)
        found.reconcile()
    assert codes(found) == {}
    assert len(school.sis.results) == before + 2


@both
def test_a_quiet_tick_with_work_that_waits_for_a_teacher_asks_the_sis_nothing(follows: bool) -> None:
    found = district(follows=follows, due_at=None)
    found.started()
    assert set(codes(found)) == {"GS-401"}
    found.school.sis.asked.clear()
    for _ in range(8):
        found.later(15)
        found.reconcile()
    assert found.school.sis.asked == []


@both
def test_a_section_no_class_stands_behind_waits_by_age_until_it_is_tied(follows: bool) -> None:
    found = district(follows=follows)
    course = found.school.canvas.held[1]
    tied = list(course.students)
    course.students[:] = [replace(one, section_sis_id=None) for one in tied]
    found.started()
    assert codes(found) == {"GS-414": 1}
    (row,) = found.store.waiting_rows("riverside")
    assert row.record.class_id == f"courses/1/sections/{tied[0].section_id}"
    since = row.since
    found.later(15)
    found.reconcile()
    assert [one.since for one in found.store.waiting_rows("riverside")] == [since]
    course.students[:] = tied
    found.later(24 * 60)
    found.reconcile()
    assert codes(found) == {}


@both
def test_a_section_tied_since_waits_no_more_as_soon_as_its_course_is_read_whole(follows: bool) -> None:
    found = district(follows=follows)
    course = found.school.canvas.held[1]
    tied = list(course.students)
    course.students[:] = [replace(one, section_sis_id=None) for one in tied]
    found.started()
    course.students[:] = tied
    course.assignments[1] = replace(course.assignments[1], title="Another title")
    found.later(15)
    (end,) = found.reconcile().ends
    assert end.run.mode is Mode.DELTA
    assert codes(found) == {}
    assert any(item.class_id == "c1" for item in found.school.sis.line_items.values())


def test_a_course_is_found_by_all_its_classes_after_a_delta_that_named_one_of_them() -> None:
    school = District().school
    course = school.canvas.held[2]
    whole = CourseGradebook(course.course, (), tuple(course.students), (), True, NOW)
    records = Remembered()
    marks = CourseMarks(records, KEYED, "policy", None)
    marks.put(whole, NOW, "", ())
    records.marks |= marks.take()
    marks.put(replace(whole, students=tuple(course.students[:1]), complete=False), NOW, "", ())
    records.marks |= marks.take()
    for again, known in (({"c2"}, False), ({"c3"}, False), ({"c1"}, True), (set[str](), True)):
        marks.again = frozenset(again)
        assert (marks.known(2) is not None) is known


@both
def test_a_section_that_waits_already_is_no_news(follows: bool) -> None:
    found = district(follows=follows)
    course = found.school.canvas.held[1]
    course.students[:] = [replace(one, section_sis_id=None) for one in course.students]
    (first,) = found.started().ends
    assert first.new_or_worse
    found.later(15)
    found.school.grade(1, 11, "9")
    (second,) = found.reconcile().ends
    assert second.result is not None
    assert second.result.outcome is Outcome.WARNING
    assert not second.new_or_worse


@both
def test_a_class_the_sis_does_not_know_waits_and_is_served_when_it_appears(follows: bool) -> None:
    found = district(follows=follows)
    sis = found.school.sis
    roster, students = sis.roster, dict(sis.students)
    sis.roster = replace(roster, classes=[one for one in roster.classes if one.id != "c1"])
    sis.students.pop("c1")
    found.started()
    assert codes(found) == {"GS-512": 1}
    sis.roster, sis.students = roster, students
    for _ in range(5):
        found.later(15)
        found.reconcile()
    assert codes(found) == {}
    assert any(item.class_id == "c1" for item in sis.line_items.values())


def test_what_waits_in_a_course_that_has_ended_is_forgotten_by_the_next_full_run() -> None:
    found = district(follows=False, due_at=None)
    found.started()
    assert set(codes(found)) == {"GS-401"}
    found.school.canvas.held.pop(1)
    found.later(15)
    found.reconcile()
    assert set(codes(found)) == {"GS-401"}
    found.later(24 * 60)
    found.reconcile()
    assert codes(found) == {}
