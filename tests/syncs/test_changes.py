"""What a delta costs and finds where Canvas tells what changed in the whole account."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from gradesync.connectors.memory import MemoryCanvas
from gradesync.domain.gradebook import CanvasCourse, CourseChange, CourseGradebook, Submission
from gradesync.domain.run import Mode, Outcome, RunResult, Stage
from gradesync.errors import ConnectionProblem
from gradesync.ports import ChangeFeed
from gradesync.syncs.marks import ROSTER_SENT
from gradesync.syncs.stage import StageTracker
from tests.syncs.passback_school import Canvas, Crash, School, graded, work

DOWN = ConnectionProblem("Canvas could not be reached", code="GS-302", retryable=True)


@dataclass
class Following(Canvas):
    """A Canvas whose key may ask for changes. `around` are courses read around rows, `breaks_at` ends a listing after
    so many courses, `passed_over` are courses the next listing misses."""

    follows: bool = True
    around: list[tuple[int, int]] = field(default_factory=list)
    since: list[datetime | None] = field(default_factory=list)
    breaks_at: int | None = None
    passed_over: frozenset[int] = frozenset()
    untold: frozenset[int] = frozenset()

    async def changes(self, since: datetime | None) -> ChangeFeed | None:
        self.since.append(since)
        feed = await MemoryCanvas.changes(self, since)
        return None if feed is None else replace(feed, courses=self._told(feed.courses))

    async def _told(self, courses: AsyncIterator[CourseChange]) -> AsyncIterator[CourseChange]:
        number = 0
        async for one in courses:
            if one.course.id in self.passed_over:
                continue
            if number == self.breaks_at:
                raise DOWN
            number += 1
            yield replace(one, submissions=None, stamp="") if one.course.id in self.untold else one

    async def read_around(self, course: CanvasCourse, submissions: tuple[Submission, ...]) -> CourseGradebook:
        self.around.append((course.id, len(submissions)))
        return await MemoryCanvas.read_around(self, course, submissions)


class Told(School):
    """The school of the other tests, with a Canvas that tells changes."""

    canvas: Following

    def __init__(self) -> None:
        super().__init__()
        plain = self.canvas
        self.canvas = Following("root-uuid", now=lambda: self.now)
        self.canvas.hold(plain.held.values())

    def tick(self, mode: Mode = Mode.DELTA) -> StageTracker:
        """Some time passes, then a run; what was asked before it is forgotten."""
        self.later()
        self.canvas.reads.clear()
        self.canvas.around.clear()
        self.sis.asked.clear()
        return self.run(mode)

    def touch(self, assignment: int, user: int, **more: object) -> None:
        """A row changes in a way that moves nothing but its own stamp."""
        for course in self.canvas.held.values():
            for n, one in enumerate(course.submissions):
                if (one.assignment_id, one.user_id) == (assignment, user):
                    course.submissions[n] = replace(one, **more)  # type: ignore[arg-type]  # fields by name
                    course.touched[assignment, user] = self.now

    def idle(self) -> bool:
        return (self.canvas.reads, self.canvas.around, self.sis.asked) == ([], [], [])

    def stored(self, name: str) -> str | None:
        return self.store.read_records("riverside").watermark(name)


@pytest.fixture
def school() -> Told:
    """A first full run is done, and the tick after it found nothing."""
    told = Told()
    told.run(Mode.FULL)
    told.tick()
    assert told.idle()
    return told


def test_a_quiet_tick_reads_no_course_asks_the_sis_nothing_and_stores_one_watermark(school: Told) -> None:
    before = {name: school.stored(name) for name in ("course:1", "course:2", "changes:courses")}
    identities = 0

    async def counted() -> str:
        nonlocal identities
        identities += 1
        return school.sis.district

    school.sis.identity = counted  # type: ignore[method-assign]  # looking at what is asked
    at = school.stored("changes")
    school.tick()
    assert school.idle()
    assert identities == 0
    assert {name: school.stored(name) for name in before} == before
    assert school.stored("changes") != at
    assert school.canvas.since[-1] == school.now - timedelta(minutes=40), (
        "ten minutes before the last listing"
    )


def test_a_new_score_reads_its_course_alone_and_is_one_write(school: Told) -> None:
    school.grade(1, 11, "9")
    tracker = school.tick()
    assert tracker.counts["sent"] == 1
    assert (school.canvas.reads, school.canvas.around) == ([], [(1, 1)])
    assert school.grades()["Work 1", "s11"] == (Decimal(9), "fully graded")


def test_a_row_told_again_by_the_overlap_costs_nothing(school: Told) -> None:
    school.later()
    school.grade(1, 11, "9")
    school.run()
    for _ in range(3):
        school.canvas.around.clear()
        school.later(2)
        school.run()
        assert school.canvas.around == []


def test_a_score_changed_and_changed_back_between_ticks_of_the_overlap_is_carried(school: Told) -> None:
    for score in ("9", "7", "9", "7"):
        school.later(2)
        school.grade(1, 11, score)
        school.run()
        assert school.grades()["Work 1", "s11"] == (Decimal(score), "fully graded")


EVENTS: dict[str, tuple[Callable[[Told], None], tuple[Decimal | None, str] | str]] = {
    "taken back": (lambda s: s.touch(1, 11, score=None), "decided"),
    "excuse lifted": (lambda s: s.touch(1, 12, excused=False), "decided"),
    "posted later": (lambda s: s.touch(2, 11, posted_at=s.now), (Decimal(3), "fully graded")),
    "late deduction anew": (
        lambda s: s.touch(1, 11, score=Decimal("2.25")),
        (Decimal("2.25"), "fully graded"),
    ),
    "dated back by a quiz tool": (
        lambda s: s.touch(1, 11, score=Decimal(6), graded_at=s.now - timedelta(days=3)),
        (Decimal(6), "fully graded"),
    ),
    "hidden": (lambda s: s.touch(1, 11, posted_at=None), "decided"),
    "handed in again": (lambda s: s.touch(1, 11, state="submitted"), "nothing"),
}


@pytest.mark.parametrize("event", EVENTS)
def test_what_moves_no_grading_date_is_found_by_the_next_delta(event: str) -> None:
    school = Told()
    school.passback = {"excused": "exempt"}
    school.grade(1, 12, None, excused=True)
    school.grade(2, 11, "3", posted_at=None)
    school.run(Mode.FULL)
    for _ in range(2):
        # The first tick looks once more at what was graded just before the first run.
        school.tick()
    assert school.idle()
    act, wanted = EVENTS[event]
    act(school)
    held = dict(school.grades())
    tracker = school.tick()
    assert len(school.canvas.around) == 1, "the row was told"
    if wanted == "nothing":
        assert school.sis.asked == []
    else:
        assert tracker.counts["classes"] == 1
    if isinstance(wanted, tuple):
        assert wanted in school.grades().values()
    else:
        assert school.grades() == held, "what stands in the SIS stays"
    if event == "hidden":
        assert tracker.codes["GS-426"] == 1
    school.tick()
    assert school.idle(), "and is not looked at again"


ASSIGNMENT_EVENTS = {
    "unflagged": {"flagged": False},
    "unpublished": {"published": False},
    "renamed": {"title": "Another title"},
    "other points": {"points": Decimal(20)},
    "not counted": {"counts": False},
}


@pytest.mark.parametrize("event", ASSIGNMENT_EVENTS)
def test_a_changed_assignment_reads_its_course_whole_and_no_other(school: Told, event: str) -> None:
    held = school.canvas.held[1]
    held.assignments[0] = replace(held.assignments[0], **ASSIGNMENT_EVENTS[event])  # type: ignore[arg-type]  # by name
    school.tick()
    assert school.canvas.reads == [(1, True)]
    school.tick()
    assert school.idle()


def test_a_deleted_assignment_reads_its_course_whole(school: Told) -> None:
    del school.canvas.held[1].assignments[0]
    school.tick()
    assert school.canvas.reads == [(1, True)]


def test_a_new_course_is_read_whole_and_a_closed_one_when_it_opens_again(school: Told) -> None:
    first = school.canvas.held[1]
    open_, closed = first.course, replace(first.course, state="unpublished")
    school.canvas.held[1].course = closed
    school.grade(1, 11, "9")
    school.tick()
    assert school.idle()
    for _ in range(3):
        school.tick()
    school.canvas.held[1].course = open_
    assert school.tick().counts["sent"] == 1
    assert school.canvas.reads == [(1, True)]
    assert school.grades()["Work 1", "s11"] == (Decimal(9), "fully graded")


def test_a_changed_policy_or_roster_reads_everything_whole(school: Told) -> None:
    school.policy = "policy-2"
    school.tick()
    assert sorted(school.canvas.reads) == [(1, True), (2, True)]
    claimed = school.claim()
    school.store.records(claimed).set_watermarks({ROSTER_SENT: "another digest"})
    school.store.finish(claimed, RunResult(Outcome.COMPLETED, Stage.RECORD), [])
    school.tick()
    assert sorted(school.canvas.reads) == [(1, True), (2, True)]
    school.tick()
    assert school.idle()


def test_a_course_with_trouble_is_read_whole_by_the_next_tick_and_the_others_are_not(school: Told) -> None:
    school.grade(1, 11, "9")
    school.grade(3, 21, "8")
    school.sis.down = frozenset({"c2"})
    school.sis.trouble = ConnectionProblem("the SIS did not answer", code="GS-508", retryable=True)
    tracker = school.tick()
    assert (tracker.counts["sent"], tracker.codes["GS-508"]) == (1, 1)
    school.sis.down = frozenset()
    assert school.tick().counts["sent"] == 1
    assert (school.canvas.reads, school.canvas.around) == ([(2, True)], [])
    assert school.grades()["Work 3", "s21"] == (Decimal(8), "fully graded")
    school.tick()
    assert school.idle()


def test_a_course_a_full_run_could_not_read_is_made_up_by_the_next_delta(school: Told) -> None:
    school.grade(1, 11, "9")
    school.canvas.broken = {1: DOWN}
    school.tick(Mode.FULL)
    school.canvas.broken = {}
    assert school.tick().counts["sent"] == 1
    assert school.canvas.reads == [(1, True)]


@pytest.mark.parametrize("after", [False, True])
def test_a_killed_run_leaves_the_watermark_and_is_finished_by_the_next(school: Told, after: bool) -> None:
    at = school.stored("changes")
    school.grade(1, 11, "9")
    school.grade(2, 12, "8")
    school.sis.puts, school.sis.crash_at, school.sis.crash_after = 0, 1, after
    with pytest.raises((Crash, BaseExceptionGroup)):
        school.tick()
    assert school.stored("changes") == at
    school.sis.crash_at = None
    school.tick()
    grades = school.grades()
    assert (grades["Work 1", "s11"][0], grades["Work 2", "s12"][0]) == (Decimal(9), Decimal(8))


def test_a_listing_that_breaks_off_is_made_up_by_asking_the_rest(school: Told) -> None:
    at = school.stored("changes")
    school.grade(1, 11, "9")
    school.grade(3, 21, "8")
    school.canvas.breaks_at = 1
    tracker = school.tick()
    assert tracker.counts["sent"] == 2
    assert (school.canvas.around, school.canvas.reads) == ([(1, 1)], [(2, False)])
    assert school.stored("changes") == at, "what the rest of the listing would have told is asked again"
    school.canvas.breaks_at = None
    school.touch(3, 31, score=Decimal("1.5"))
    assert school.tick().counts["sent"] == 1
    assert school.grades()["Work 3", "s31"] == (Decimal("1.5"), "fully graded")


@pytest.mark.parametrize("mode", [Mode.DELTA, Mode.FULL])
def test_whoever_waits_for_a_first_passback_is_told_how_many_classes_there_are(mode: Mode) -> None:
    school = Told()
    school.run(mode)
    assert [told for told in school.watching.heard if told[0] == "classes"] == [
        ("classes", 1, 2),
        ("classes", 2, 2),
    ]


def test_the_number_of_classes_grows_when_a_listing_breaks_off(school: Told) -> None:
    school.grade(1, 11, "9")
    school.canvas.breaks_at = 1
    school.watching.heard.clear()
    school.tick()
    assert school.watching.heard[-1] == ("classes", 2, 2), "one was told, the other asked for"


def test_without_changes_every_course_is_asked_and_nothing_is_lost_when_they_come_back(school: Told) -> None:
    school.canvas.follows = False
    school.touch(1, 11, score=Decimal("2.25"))
    school.grade(1, 12, "9")
    tracker = school.tick()
    assert sorted(school.canvas.reads) == [(1, False), (2, False)]
    assert tracker.counts["sent"] == 1, "what moves no grading date stays unseen"
    school.tick()
    school.canvas.follows = True
    assert school.tick().counts["sent"] == 1
    assert school.grades()["Work 1", "s11"] == (Decimal("2.25"), "fully graded")
    school.tick()
    assert school.idle()


def test_a_course_whose_changes_cannot_be_told_is_asked_itself(school: Told) -> None:
    school.canvas.untold = frozenset({2})
    school.grade(3, 21, "8")
    assert school.tick().counts["sent"] == 1
    assert school.canvas.reads == [(2, False)]


def test_a_course_the_listing_passed_over_is_read_whole_when_it_is_back(school: Told) -> None:
    school.canvas.passed_over = frozenset({1})
    school.touch(1, 11, score=Decimal("2.25"))
    school.tick()
    assert school.idle()
    school.canvas.passed_over = frozenset()
    assert school.tick().counts["sent"] == 1
    assert school.canvas.reads == [(1, True)]


def test_a_sis_of_another_institution_is_met_before_anything_is_read_of_it_or_sent(school: Told) -> None:
    school.sis.district = "another"
    school.tick()
    assert school.idle(), "a quiet tick does not need the SIS"
    school.grade(1, 11, "9")
    with pytest.raises(ConnectionProblem) as caught:
        school.tick()
    assert caught.value.code == "GS-208"
    assert school.sis.asked == []
    school.sis.district = "district-1"
    assert school.tick().counts["sent"] == 1


def test_a_dry_run_tells_what_the_tick_then_does_and_moves_no_watermark(school: Told) -> None:
    school.later()
    school.grade(1, 11, "9")
    school.later()
    at = school.stored("changes")
    tracker, previews = school.preview()
    assert (tracker.counts["sent"], [one.class_id for one in previews]) == (1, ["c1"])
    assert school.stored("changes") == at
    assert school.tick().counts["sent"] == 1


def test_grades_of_work_that_is_not_meant_for_the_sis_cost_nothing_until_it_is(school: Told) -> None:
    held = school.canvas.held[1]
    held.assignments.append(work(9, 1, flagged=False))
    held.submissions.append(graded(9, 11, "8", school.now))
    school.tick()
    school.grade(9, 11, "9")
    school.tick()
    assert school.idle()
    held.assignments[-1] = work(9, 1)
    assert school.tick().counts["sent"] == 1
    assert school.grades()["Work 9", "s11"] == (Decimal(9), "fully graded")


def test_grades_of_work_that_lost_its_flag_with_its_period_are_still_carried(school: Told) -> None:
    held = school.canvas.held[1]
    held.assignments[0] = replace(held.assignments[0], flagged=False, period_closed=True)
    assert not school.tick().codes
    school.grade(1, 11, "9")
    assert school.tick().counts["sent"] == 1
    assert school.grades()["Work 1", "s11"] == (Decimal(9), "fully graded")
    school.tick()
    assert school.idle()


def test_work_withdrawn_by_its_teacher_is_looked_at_once_when_it_is_graded(school: Told) -> None:
    held, before = school.canvas.held[1], school.grades()
    held.assignments[0] = replace(held.assignments[0], flagged=False)
    school.tick()
    school.grade(1, 11, "9")
    assert school.tick().counts["sent"] == 0
    school.tick()
    assert school.idle()
    assert school.grades() == before
    held.assignments[0] = replace(held.assignments[0], flagged=True)
    assert school.tick().counts["sent"] == 1
    assert school.grades()["Work 1", "s11"] == (Decimal(9), "fully graded")


@pytest.mark.parametrize("follows", [True, False], ids=["listing of changes", "course by course"])
def test_a_course_taken_back_from_its_students_is_told_and_loses_nothing(school: Told, follows: bool) -> None:
    school.canvas.follows = follows
    held = school.canvas.held[1]
    school.grade(1, 11, "9", posted_at=None)
    school.tick()
    course, grades = held.course, school.grades()
    held.course = replace(course, state="unpublished")
    assert school.tick().codes == {"GS-303": 1}
    assert not school.tick().codes, "told once"
    assert school.tick(Mode.FULL).codes["GS-303"] == 1, "and by each nightly run"
    assert school.grades() == grades
    assert school.store.waiting_counts("riverside") == {
        ("riverside", "GS-303"): 1,
        ("riverside", "GS-426"): 1,
    }
    held.course = course
    school.grade(1, 11, "9")
    assert school.tick().counts["sent"] == 1
    assert school.store.waiting_counts("riverside") == {}


def test_dropped_students_show_in_a_full_run_only_and_their_grades_stay(school: Told) -> None:
    held = school.canvas.held[1]
    held.students = [one for one in held.students if one.user_id != 12]
    held.submissions = [one for one in held.submissions if one.user_id != 12]
    grades = school.grades()
    school.tick()
    assert school.idle()
    school.tick(Mode.FULL)
    assert school.grades() == grades


def test_a_new_assignment_with_its_first_scores_is_carried(school: Told) -> None:
    held = school.canvas.held[1]
    held.assignments.append(work(9, 1))
    held.submissions.append(graded(9, 11, "8", school.now))
    assert school.tick().counts["sent"] == 1
    assert school.grades()["Work 9", "s11"] == (Decimal(8), "fully graded")
