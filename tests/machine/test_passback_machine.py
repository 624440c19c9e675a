"""Teachers, people at the SIS, bad networks and bad servers in any order, and a pass now and then.

After each pass what was written is right, nothing is doubled, nobody's work is touched, and every difference from the
oracle has a code. More examples: GRADESYNC_MACHINE_EXAMPLES=300; the shortest failing one: GRADESYNC_MACHINE_SHRINK=1.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from gradesync.domain.report import RunEnd
from gradesync.domain.run import Mode, Outcome
from gradesync.sandbox.canvas_records import Assignment, Enrollment, Submission
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.sis_edit import edit_sis
from tests.machine.judging import Gradebook, Watcher, assignment_of
from tests.machine.town import OPEN, Town

T = TypeVar("T")

EXAMPLES = int(os.environ.get("GRADESYNC_MACHINE_EXAMPLES", "12"))
STEPS = 40
UNUSUAL = 0.37
"""No score in Canvas ends in this, so a score typed by hand is known again."""

FAULTS = ("server-error", "cut", "throttle", "unauthorized", "truncated-json", "sis-403-throttle")
MANNERS = (
    *("sis-stores-nothing",) * 3,
    "sis-other-id",
    "sis-accepts-202",
    "sis-closed-period",
    "sis-locked",
    "sis-clamps",
    "sis-duplicates",
    "sis-foreign-links",
    "sis-relative-links",
    "sis-wrong-envelope",
    "sis-token-dies",
    "sis-inactive",
)

numbers = st.integers(0, 10_000)
modes = st.sampled_from((Mode.DELTA, Mode.FULL))


def pick(number: int, among: Sequence[T]) -> T | None:
    """One of them; None when there is none."""
    return among[number % len(among)] if among else None


class Passback(RuleBasedStateMachine):
    """The school under OneRoster 1.1, everything left to the safe defaults but excused work."""

    sis: dict[str, Any] = {"profile": "genesis"}  # noqa: RUF012 - read only, and each profile has its own
    passback: dict[str, Any] = {"excused": "exempt"}  # noqa: RUF012 - read only, and each profile has its own
    sis_write = "put"
    exempt_score = "0"
    overwrites = False

    def __init__(self) -> None:
        super().__init__()
        self.town = Town(sis=self.sis, passback=self.passback, sis_write=self.sis_write)
        self.canvas, self.world = self.town.canvas, self.town.sis
        self.watcher = Watcher(self.town, exempt_score=self.exempt_score, overwrites=self.overwrites)
        self.fresh: set[tuple[int, str]] = set()
        self.sound = True
        group = self.canvas.groups_by_course[105][0]
        group.name = "Participation"
        self._others_at_work()

    def _others_at_work(self) -> None:
        """A column of another tool in every class, with a score for everybody."""
        for class_id in [*self.world.rows["classes"]]:
            period = self.world.current_periods()[0]
            terms = [term["sourcedId"] for term in self.world.rows["classes"][class_id]["terms"]]
            if self.world.rows["academicSessions"][period]["parent"]["sourcedId"] in terms:
                item = self._column(class_id, "Another tool's check", "2026-10-01T20:00:00.000Z", period)
                for person in self.world.people_of_class(class_id, "student"):
                    self._enter(item["sourcedId"], person["sourcedId"], 7)

    def _column(self, class_id: str, title: str, due: str, period: str, **more: Any) -> dict[str, Any]:
        row = {
            "sourcedId": self.world.mint("lineItems"),
            "status": "active",
            "dateLastModified": "",
            "title": title,
            "description": "",
            "assignDate": due,
            "dueDate": due,
            "class": self.world.reference("class", class_id),
            "category": self.world.reference("category", next(iter(self.world.rows["categories"]))),
            "gradingPeriod": self.world.reference("academicSession", period),
            "resultValueMin": 0,
            "resultValueMax": 10,
            **more,
        }
        self.world.put_row("lineItems", row)
        return row

    def _enter(self, item_id: str, student_id: str, score: float) -> str:
        row = {
            "sourcedId": self.world.mint("results"),
            "status": "active",
            "dateLastModified": "",
            "lineItem": self.world.reference("lineItem", item_id),
            "student": self.world.reference("user", student_id),
            "score": score,
            "scoreStatus": "fully graded",
            "scoreDate": "2026-10-02",
        }
        self.world.put_row("results", row)
        return str(row["sourcedId"])

    # - choosing -

    def _row(self, number: int, *, scored: bool = False, excused: bool = False) -> Submission | None:
        """A row that a teacher of an open course sees."""
        live = {one.id for course in OPEN for one in self.canvas.live_assignments(course)}
        rows = [
            row
            for course in OPEN
            for row in self.canvas.submissions_by_course[course]
            if row.assignment_id in live
            and (row.score is not None or not scored)
            and (row.excused or not excused)
        ]
        return pick(number, rows)

    def _assignment(self, number: int) -> Assignment | None:
        return pick(number, [one for course in OPEN for one in self.canvas.live_assignments(course)])

    def _result(self, number: int) -> dict[str, Any] | None:
        rows = self.world.rows["results"]
        ours = [r for r in rows.values() if self._token(r["lineItem"]["sourcedId"]) is not None]
        return pick(number, sorted(ours, key=lambda r: str(r["sourcedId"])))

    def _item(self, number: int) -> dict[str, Any] | None:
        rows = [row for row in self.world.rows["lineItems"].values() if assignment_of(row) is not None]
        return pick(number, sorted(rows, key=lambda r: str(r["sourcedId"])))

    def _token(self, item_id: str) -> int | None:
        return assignment_of(self.world.rows["lineItems"][item_id])

    def _student(self, number: int) -> Enrollment | None:
        rows = [
            one
            for course in OPEN
            for one in self.canvas.enrollments_of_course(course)
            if one.type == "StudentEnrollment" and one.workflow_state == "active"
        ]
        return pick(number, sorted(rows, key=lambda one: one.id))

    def _seen(self, row: Submission) -> None:
        """An act that moved `graded_at`: the next calm pass of any kind must have carried it."""
        self.town.later(seconds=1)
        for login in self.canvas.logins.values():
            if login.user_id == row.user_id and login.sis_user_id:
                self.fresh.add((row.assignment_id, login.sis_user_id))

    # - teachers -

    @rule(number=numbers, halves=st.integers(0, 60))
    def grade(self, number: int, halves: int) -> None:
        row = self._row(number)
        if row is not None:
            self.canvas.grade(row.assignment_id, row.user_id, halves / 2)
            self._seen(row)

    @rule(number=numbers)
    def clear(self, number: int) -> None:
        row = self._row(number, scored=True)
        if row is not None:
            self.canvas.clear(row.assignment_id, row.user_id)

    @rule(number=numbers)
    def excuse(self, number: int) -> None:
        row = self._row(number)
        if row is not None:
            self.canvas.excuse(row.assignment_id, row.user_id)
            self._seen(row)

    @rule(number=numbers)
    def take_excuse_back(self, number: int) -> None:
        row = self._row(number, excused=True)
        if row is not None:
            self.canvas.unexcuse(row.assignment_id, row.user_id)

    @rule(number=numbers, some=st.booleans(), manual=st.booleans())
    def hide(self, number: int, some: bool, manual: bool) -> None:
        one = self._assignment(number)
        if one is not None:
            self.canvas.set_post_policy(one.id, manual=manual)
            rows = [
                r.user_id
                for r in self.canvas.submissions_by_course[one.course_id]
                if r.assignment_id == one.id
            ]
            self.canvas.hide(one.id, rows[::2] if some else None)

    @rule(number=numbers)
    def post(self, number: int) -> None:
        one = self._assignment(number)
        if one is not None:
            self.canvas.post(one.id)

    @rule(number=numbers)
    def resubmit(self, number: int) -> None:
        row = self._row(number, scored=True)
        if row is not None:
            self.canvas.resubmit(row.assignment_id, row.user_id)

    @rule(number=numbers, points=st.integers(0, 3))
    def deduct_for_lateness(self, number: int, points: int) -> None:
        row = self._row(number, scored=True)
        if row is not None:
            self.canvas.deduct(row.assignment_id, row.user_id, float(points))

    @rule(number=numbers, status=st.sampled_from(("missing", "late", "none", None)))
    def set_status(self, number: int, status: str | None) -> None:
        row = self._row(number)
        if row is not None:
            self.canvas.set_status(row.assignment_id, row.user_id, status)
            self._seen(row)

    @rule(number=numbers, points=st.sampled_from((5.0, 20.0, 33.0, 0.0, None)))
    def change_points(self, number: int, points: float | None) -> None:
        one = self._assignment(number)
        if one is not None:
            self.canvas.change_points(one.id, points)

    @rule(number=numbers, word=st.sampled_from(("Essay", "Lab  report", "Été", "Quiz")))
    def rename(self, number: int, word: str) -> None:
        one = self._assignment(number)
        if one is not None:
            self.canvas.rename(one.id, f"A{one.id} {word}")

    @rule(number=numbers, days=st.sampled_from((-200, -40, -3, -1, 1, 3, 40, None)))
    def move_due(self, number: int, days: int | None) -> None:
        one = self._assignment(number)
        if one is not None:
            due = None if days is None else self.town.now + timedelta(days=days)
            self.canvas.move_due(
                one.id, None if due is None else due.replace(hour=3, minute=59, second=59, microsecond=0)
            )

    @rule(number=numbers, days=st.sampled_from((-10, -2, 2)))
    def date_of_a_section(self, number: int, days: int) -> None:
        one = self._assignment(number)
        if one is None:
            return
        section = pick(number, [*self.canvas.sections_by_course[one.course_id].values()])
        due = (self.town.now + timedelta(days=days)).replace(hour=20, minute=0, second=0, microsecond=0)
        if section is not None and all(o.course_section_id != section.id for o in one.overrides):
            self.canvas.override_section(one.id, section, due)

    @rule(number=numbers)
    def delete(self, number: int) -> None:
        one = self._assignment(number)
        if one is not None:
            self.canvas.delete_assignment(one.id)

    @rule(number=numbers)
    def unpublish_or_publish(self, number: int) -> None:
        one = self._assignment(number)
        if one is not None and one.workflow_state == "published":
            self.canvas.unpublish(one.id)
        elif one is not None:
            self.canvas.publish(one.id)

    @rule(number=numbers)
    def unflag_or_flag(self, number: int) -> None:
        one = self._assignment(number)
        if one is not None:
            self.canvas.flag(one.id, not one.post_to_sis)

    @rule(number=numbers, course=st.sampled_from(OPEN), halves=st.integers(0, 20))
    def new_assignment(self, number: int, course: int, halves: int) -> None:
        group = pick(number, self.canvas.groups_by_course[course])
        if group is None:
            return
        due = self.town.now.replace(hour=20, minute=0, second=0, microsecond=0)
        made = self.canvas.add_assignment(course, group, "Check", points_possible=10.0, due_at=due)
        made.name = f"A{made.id} Check"
        rows = [one for one in self.canvas.submissions_by_course[course] if one.assignment_id == made.id]
        for row in rows[::2]:
            self.canvas.grade(made.id, row.user_id, halves / 2)
            self._seen(row)

    @rule(number=numbers)
    def move_to_another_group(self, number: int) -> None:
        one = self._assignment(number)
        group = pick(number, self.canvas.groups_by_course[one.course_id]) if one is not None else None
        if one is not None and group is not None:
            self.canvas.move_to_group(one.id, group)

    # - counsellors -

    @rule(number=numbers, state=st.sampled_from(("deleted", "inactive", "completed")))
    def drop(self, number: int, state: str) -> None:
        one = self._student(number)
        if one is not None:
            self.canvas.set_enrollment_state(one, state)

    @rule(number=numbers, stays=st.booleans(), known=st.booleans())
    def transfer(self, number: int, stays: bool, known: bool) -> None:
        """To the other section of the course; the SIS has heard of it, or not; or the student sits in both."""
        sections = [*self.canvas.sections_by_course[102].values()]
        rows = [e for e in self.canvas.enrollments_of_course(102) if e.type == "StudentEnrollment"]
        one = pick(number, sorted(rows, key=lambda e: e.id))
        if one is None or one.workflow_state != "active":
            return
        there = {
            e.course_section_id for e in rows if e.user_id == one.user_id and e.workflow_state == "active"
        }
        other = next((s for s in sections if s.id not in there), None)
        if other is None:
            return
        if not stays:
            self.canvas.set_enrollment_state(one, "deleted")
        self.canvas.enroll(one.user_id, other, login_id=one.login_id)
        student = self.canvas.logins[one.login_id].sis_user_id if one.login_id else None
        if known and student is not None and other.sis_section_id is not None:
            self._enroll_in_sis(student, other.sis_section_id)

    def _enroll_in_sis(self, student: str, class_id: str) -> None:
        like = next(iter(self.world.found("enrollments/user", student)), None)
        if like is not None and not self.world.is_student_of(student, class_id):
            made = {k: v for k, v in like.items() if k not in ("beginDate", "endDate")}
            changes = {"sourcedId": self.world.mint("enrollments"), "status": "active", "role": "student"}
            made |= changes | {"class": self.world.reference("class", class_id)}
            self.world.put_row("enrollments", made)

    @rule(seed=numbers)
    def drop_in_sis(self, seed: int) -> None:
        edit_sis(self.world, seed=seed, acts=("drop-student",))

    # - people at the SIS -

    @rule(number=numbers, whole=st.integers(0, 40))
    def type_a_score(self, number: int, whole: int) -> None:
        result = self._result(number)
        if result is not None:
            self.world.edit_score(result["sourcedId"], whole + UNUSUAL)
            self.watcher.was_typed(result["sourcedId"])

    @rule(number=numbers, whole=st.integers(0, 40))
    def enter_a_score(self, number: int, whole: int) -> None:
        item = self._item(number)
        if item is None:
            return
        for person in self.world.people_of_class(item["class"]["sourcedId"], "student"):
            if not self.world.results_of_pair(item["sourcedId"], person["sourcedId"]):
                self.watcher.was_typed(self._enter(item["sourcedId"], person["sourcedId"], whole + UNUSUAL))
                return

    @rule(number=numbers)
    def delete_a_result(self, number: int) -> None:
        result = self._result(number)
        if result is not None:
            self.watcher.was_removed(result, self.watcher.book())
            self.world.remove("results", result["sourcedId"])

    @rule(number=numbers)
    def delete_a_line_item(self, number: int) -> None:
        item = self._item(number)
        if item is not None:
            self.watcher.column_was_removed(item, self.watcher.book())
            self.world.remove("lineItems", item["sourcedId"])

    @rule(number=numbers, act=st.sampled_from(("title", "date", "maximum")))
    def change_a_line_item(self, number: int, act: str) -> None:
        item = self._item(number)
        if item is not None:
            changes: dict[str, dict[str, Any]] = {
                "title": {"title": f"{item['title']} by hand"},
                "date": {"dueDate": "2026-10-11T09:30:00.000Z", "assignDate": "2026-10-10T09:30:00.000Z"},
                "maximum": {"resultValueMax": item["resultValueMax"] + 1.5},
            }
            self.world.put_row("lineItems", item | changes[act])

    @rule()
    def add_a_category(self) -> None:
        if all(row["title"] != "Participation" for row in self.world.rows["categories"].values()):
            edit_sis(self.world, seed=1, acts=("add-category",), value="Participation")

    @rule(seed=numbers)
    def close_a_period(self, seed: int) -> None:
        edit_sis(self.world, seed=seed, acts=("close-period",))

    @rule(seed=numbers)
    def open_the_periods(self, seed: int) -> None:
        edit_sis(self.world, seed=seed, acts=("open-period",))

    @rule(number=numbers)
    def another_tool_makes_our_column(self, number: int) -> None:
        """As the vendor's own sync would: same title, same due date."""
        book = self.watcher.book()
        missing = [
            (place, wish)
            for place, wish in self.watcher.wanted().items()
            if place not in book.columns and place not in self.watcher.gone_columns
        ]
        chosen = pick(number, missing)
        if chosen is not None:
            (class_id, _), wish = chosen
            title, due, category, period, maximum = wish.column
            self._column(
                class_id,
                title,
                due,
                period,
                category=self.world.reference("category", category),
                resultValueMax=float(maximum),
            )

    # - time and passes -

    @rule(minutes=st.integers(1, 45))
    def time_passes(self, minutes: int) -> None:
        self.town.later(minutes=minutes)

    @initialize()
    def first_pass(self) -> None:
        self._calm_pass(Mode.FULL)
        assert len(self.watcher.ours) > 50, "there is something to go wrong"

    @rule(mode=modes)
    def calm_pass(self, mode: Mode) -> None:
        self._calm_pass(mode)

    def _calm_pass(self, mode: Mode) -> None:
        run = self._judged(mode)
        assert run is not None
        assert run.result is not None
        self._must_have_worked(run)
        assert self.watcher.untold(self.fresh) == []
        self.fresh.clear()
        if mode is Mode.FULL:
            assert self.watcher.untold() == []
            assert self.watcher.needlessly_told() == []
        self.watcher.settle()
        self.sound = True

    @rule(
        mode=modes,
        name=st.sampled_from(FAULTS),
        times=st.sampled_from((1, 2, 4, 9, 40)),
        side=st.sampled_from(("sis", "sis", "canvas")),
        method=st.sampled_from((None, "PUT", "POST")),
        when=st.sampled_from(("before", "after")),
    )
    def pass_in_bad_weather(
        self, mode: Mode, name: str, times: int, side: str, method: str | None, when: str
    ) -> None:
        if name.startswith("sis-") or method is not None:
            side = "sis"
        self.town.sandbox.front.faults.orders.append(FaultOrder(name, times, side, method, None, when))
        run = self._judged(mode)
        self.town.sandbox.front.faults.clear()
        self._may_have_failed(run, mode)

    @rule(mode=modes, manner=st.sampled_from(MANNERS))
    def pass_with_a_server_of_bad_manners(self, mode: Mode, manner: str) -> None:
        closed = self.world.behaviour.closed_periods
        self.town.sandbox.front.stand(manner)
        run = self._judged(mode)
        self.town.sandbox.front.calm(manner)
        self.world.behaviour.closed_periods = closed
        self._may_have_failed(run, mode)

    @rule(mode=modes, kill_at=st.integers(1, 12))
    def killed_pass(self, mode: Mode, kill_at: int) -> None:
        self._may_have_failed(self._judged(mode, kill_at=kill_at), mode)

    def _may_have_failed(self, run: RunEnd | None, mode: Mode) -> None:
        """What was not carried has a code, unless the run says that it could not see all."""
        if run is not None and mode is Mode.FULL:
            assert run.result is not None
            counts = run.result.counts
            blind = counts.get("courses not read") or counts.get("classes not read")
            if run.result.outcome is not Outcome.FAILED and not blind:
                assert self.watcher.untold() == []
            else:
                assert run.result.codes, "a run that did not see all says why"
        self.sound = True

    def _judged(self, mode: Mode, *, kill_at: int | None = None) -> RunEnd | None:
        """One pass, and what may never happen in any."""
        self.sound = False
        before: Gradebook = self.watcher.book()
        run = self.town.run(mode, kill_at=kill_at)
        self.watcher.check_writes(before)
        if run is not None:
            assert run.result is not None
            assert "GS-709" not in run.result.codes, "a bug broke the run off"
        return run

    def _must_have_worked(self, run: RunEnd) -> None:
        assert run.result is not None
        assert run.result.outcome in (Outcome.COMPLETED, Outcome.WARNING), run.result
        assert not run.result.counts.get("classes not read"), run.result
        assert not run.result.counts.get("courses not read"), run.result

    def teardown(self) -> None:
        """Good weather, open periods, a full pass: all is carried or told, and then nothing is left to write."""
        try:
            if self.sound:
                self.world.behaviour.closed_periods = ()
                self.town.later(minutes=30)
                self._calm_pass(Mode.FULL)
                for mode in (Mode.FULL, Mode.DELTA):
                    self.town.sandbox.forget_requests()
                    self._calm_pass(mode)
                    assert self.town.writes() == 0, f"nothing changed, and the {mode} pass wrote"
        finally:
            self.town.close()


class Passback12(Passback):
    """OneRoster 1.2: excused work without a number."""

    sis = {"profile": "oneroster-1.2"}  # noqa: RUF012 - read only
    exempt_score = "-"


class PassbackPosted(Passback12):
    """OneRoster 1.2 where only POST creates, so that every new record gets an id of the SIS's own."""

    sis = {"profile": "oneroster-1.2", "write_mode": "post"}  # noqa: RUF012 - read only
    sis_write = "post"


class PassbackMinted(Passback12):
    """OneRoster 1.2 where PUT creates under an id of the SIS's own."""

    sis = {"profile": "oneroster-1.2", "write_mode": "server_ids"}  # noqa: RUF012 - read only
    sis_write = "server-ids"


class Decisive(Passback):
    """An account in which Canvas always wins: over hands, over losses, and by removing what it dropped."""

    passback = {  # noqa: RUF012 - read only
        "excused": "exempt",
        "conflict": "canvas_wins",
        "gone_in_sis": "recreate",
        "gone_limit": 1.0,
        "deletions": "delete",
        "deletion_limit": 100_000,
    }
    overwrites = True


MACHINES = (Passback, Passback12, PassbackPosted, PassbackMinted, Decisive)


def _run(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize="GRADESYNC_MACHINE_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            # Shrinking takes minutes; it is for whoever looks into a failure.
            phases=tuple(Phase) if "GRADESYNC_MACHINE_SHRINK" in os.environ else (Phase.generate,),
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_after_every_pass_the_sis_is_right_or_the_difference_has_a_code(
    machine: type[RuleBasedStateMachine],
) -> None:
    _run(machine)
