"""Deltas against the made-up school over HTTP: what a quiet tick asks, and what becomes of each event."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest

from gradesync.connectors.auth import BearerToken, ClientCredentials
from gradesync.connectors.canvas import CanvasReader
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import OneRosterConnector
from gradesync.domain.account import Account
from gradesync.domain.profile import PROFILES
from gradesync.domain.run import SCHEDULER, Claimed, Mode, Outcome, Run, RunResult, RunState, Stage, Trigger
from gradesync.domain.schedule import SyncType
from gradesync.errors import ConnectionProblem
from gradesync.sandbox.canvas_records import Submission
from gradesync.sandbox.canvas_world import CanvasWorld
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.teach import teach
from gradesync.store.memory import MemoryStore
from gradesync.syncs.grade_passback import PassbackJob, pass_back
from gradesync.syncs.stage import StageTracker
from tests.connectors.hostile import Sleeps
from tests.domain.plan_samples import definition
from tests.syncs.passback_school import GRADES, HOLDER, KEYED, Watching

KEY = "riverside"
PROFILE = PROFILES["genesis"]
_numbers = itertools.count(1)


@dataclass
class District:
    """The sandbox, a store, and real connections between them."""

    sandbox: Sandbox
    store: MemoryStore = field(default_factory=MemoryStore)

    @property
    def canvas(self) -> CanvasWorld:
        return self.sandbox.schools[KEY].canvas

    def later(self) -> None:
        """Canvas's clock goes on by more than deltas look back."""
        before = self.canvas.now
        self.canvas.now = lambda: before() + timedelta(minutes=30)

    def run(self, mode: Mode = Mode.DELTA) -> StageTracker:
        """One run; the requests before it are forgotten."""
        self.sandbox.forget_requests()
        tracker = StageTracker()
        asyncio.run(self._run(mode, tracker))
        return tracker

    async def _run(self, mode: Mode, tracker: StageTracker) -> None:
        account = Account.from_definitions(
            "riverside", definition("riverside", passback={"excused": "exempt"}, scope={"terms": "all"}), {}
        )
        desk = self.sandbox.schools[KEY].sis.desk
        url = self.sandbox.sis_url(KEY)
        auth = ClientCredentials(f"{url}/token", desk.client_id, desk.client_secret, PROFILE.write_scopes)
        token = BearerToken(self.canvas.token)
        claimed = self._claim()
        async with (
            HttpClient(self.sandbox.canvas_url(KEY), side="canvas", auth=token, sleep=Sleeps()) as canvas,
            HttpClient(url + PROFILE.rostering_path, side="sis", auth=auth, sleep=Sleeps()) as sis,
        ):
            job = PassbackJob(
                account=account,
                schedule=GRADES,
                mode=mode,
                policy="policy",
                today=date(2026, 11, 23),
                source=CanvasReader(canvas, account.scope),
                keyed=KEYED,
                progress=Watching(),
                tracker=tracker,
                workers=4,
            )
            try:
                await pass_back(job, OneRosterConnector(sis, PROFILE), self.store.records(claimed))
            finally:
                self.store.finish(claimed, RunResult(Outcome.COMPLETED, Stage.RECORD), [])

    def _claim(self) -> Claimed:
        run = Run(
            id=f"{next(_numbers):032x}",
            schedule=GRADES,
            type=SyncType.GRADE_PASSBACK,
            slot_key=f"manual:{next(_numbers)}",
            slot_at=None,
            trigger=Trigger.SLOT,
            mode=Mode.DELTA,
            actor=SCHEDULER,
            state=RunState.QUEUED,
            created_at=self.store.now(),
        )
        assert self.store.add_run(run)
        answer = self.store.claim(run.id, HOLDER, 600)
        assert isinstance(answer, Claimed), answer
        return answer

    def asked(self, side: str) -> Counter[str]:
        """Requests of the last run, by the last word of their path that is no number."""
        names = (
            [part for part in one.path.split("/") if part.isalpha() or "_" in part][-1]
            for one in self.sandbox.requests
            if one.side == side
        )
        return Counter(names)

    # - what is there -

    def results(self) -> dict[str, Any]:
        """The SIS's results by id."""
        raw: dict[str, Any] = self.sandbox.schools[KEY].sis.raw()
        rows = raw["results"]
        return {row["sourcedId"]: row for row in (rows.values() if isinstance(rows, dict) else rows)}

    def sent_rows(self) -> Iterator[Submission]:
        """Posted, numeric, plain scores of the first big course, each of another student, carried and standing."""
        seen: set[int] = set()
        for row in self.canvas.submissions.values():
            work = self.canvas.assignments[row.assignment_id]
            plain = (
                row.score is not None
                and row.posted_at is not None
                and row.workflow_state == "graded"
                and work.workflow_state == "published"
                and work.post_to_sis
                and work.grading_type == "points"
                and not work.overrides
                and not work.omit_from_final_grade
            )
            if plain and row.user_id not in seen and self._ledgered(row):
                seen.add(row.user_id)
                yield row

    def _ledgered(self, row: Submission) -> bool:
        return any(one.get("score") == row.score for one in self.results_of(row))

    def results_of(self, row: Submission) -> list[dict[str, Any]]:
        """The SIS's results of a row's student, in columns of the row's assignment."""
        logins = {one.sis_user_id for one in self.canvas.logins_by_user[row.user_id]}
        columns = {one["sourcedId"] for one in self.columns_of(row)}
        return [
            one
            for one in self.results().values()
            if one["lineItem"]["sourcedId"] in columns and one["student"]["sourcedId"] in logins
        ]

    def columns_of(self, row: Submission) -> list[dict[str, Any]]:
        """The SIS's columns of a row's assignment, one for each class of its course."""
        title = self.canvas.assignments[row.assignment_id].name
        classes = {one.sis_section_id for one in self.canvas.sections_by_course[row.course_id].values()}
        rows = self.sandbox.schools[KEY].sis.raw()["lineItems"]
        items = rows.values() if isinstance(rows, dict) else rows
        return [one for one in items if one["title"] == title and one["class"]["sourcedId"] in classes]


@pytest.fixture(scope="module")
def whole() -> Iterator[District]:
    """Everything is carried, and a tick after it has found nothing."""
    with running((KEY,), students=40, today=date(2026, 11, 23)) as sandbox:
        district = District(sandbox)
        district.run(Mode.FULL)
        district.run()
        yield district


@pytest.fixture
def district(whole: District) -> District:
    whole.canvas.settings.scoped_key = False
    whole.run()
    return whole


def pages(canvas: CanvasWorld) -> int:
    """Requests for the changes of all terms at 50 courses a page."""
    courses = Counter(one.enrollment_term_id for one in canvas.courses.values())
    return sum(max(1, -(-courses[term] // 50)) for term in canvas.terms)


def test_a_quiet_tick_asks_canvas_for_pages_of_courses_only_and_the_sis_for_nothing(
    district: District,
) -> None:
    tracker = district.run()
    assert district.asked("canvas") == {"self": 1, "terms": 1, "graphql": pages(district.canvas)}
    assert district.sandbox.count(side="sis") == 0
    assert tracker.counts == {}
    assert tracker.codes == {}


def test_a_changed_score_costs_its_course_three_requests_and_is_written(district: District) -> None:
    row = next(district.sent_rows())
    district.canvas.grade(row.assignment_id, row.user_id, (row.score or 0) + 0.25)
    tracker = district.run()
    assert tracker.counts["sent"] == 1
    asked = district.asked("canvas")
    assert asked - Counter({"self": 1, "terms": 1, "graphql": pages(district.canvas)}) == {
        "assignments": 1,
        "assignment_groups": 1,
        "enrollments": 1,
    }
    assert district.results_of(row)[0]["score"] == row.score
    quiet = district.run()
    assert quiet.counts == {}
    assert district.sandbox.count(side="sis") == 0


Act = Callable[[CanvasWorld, Submission], object]


def _posted_later(world: CanvasWorld, row: Submission) -> None:
    world.hide(row.assignment_id, [row.user_id])
    row.score = (row.score or 0) + 0.5
    world.post(row.assignment_id, [row.user_id])


def _dated_back(world: CanvasWorld, row: Submission) -> None:
    world.grade(row.assignment_id, row.user_id, (row.score or 0) + 0.5)
    row.graded_at = world.now() - timedelta(days=2)


SCORE_EVENTS: dict[str, Act] = {
    "grade entered": lambda w, r: w.grade(r.assignment_id, r.user_id, (r.score or 0) + 0.5),
    "quiz graded by itself": lambda w, r: w.grade(
        r.assignment_id, r.user_id, (r.score or 0) + 0.5, grader_id=-1
    ),
    "zero of the missing policy": lambda w, r: w.miss(r.assignment_id, r.user_id),
    "posted later": _posted_later,
    "late deduction anew": lambda w, r: w.deduct(r.assignment_id, r.user_id, 1.0),
    "score a quiz tool dates back": _dated_back,
    "status by hand": lambda w, r: w.set_status(r.assignment_id, r.user_id, "late"),
    "handed in again": lambda w, r: w.resubmit(r.assignment_id, r.user_id),
}


@pytest.mark.parametrize("event", SCORE_EVENTS)
def test_after_an_event_with_a_score_the_next_delta_leaves_the_sis_with_what_canvas_shows(
    district: District, event: str
) -> None:
    row = list(district.sent_rows())[-1 - list(SCORE_EVENTS).index(event)]
    SCORE_EVENTS[event](district.canvas, row)
    district.run()
    assert [one["score"] for one in district.results_of(row)] == [row.score]


VALUE_KEPT: dict[str, tuple[Act, str | None]] = {
    "grade taken back": (lambda w, r: w.clear(r.assignment_id, r.user_id), None),
    "hidden": (lambda w, r: w.hide(r.assignment_id, [r.user_id]), "GS-426"),
}


@pytest.mark.parametrize("event", VALUE_KEPT)
def test_a_withdrawn_grade_is_found_by_the_next_delta_and_its_value_stays(
    district: District, event: str
) -> None:
    row = next(district.sent_rows())
    act, code = VALUE_KEPT[event]
    held = [one["score"] for one in district.results_of(row)]
    act(district.canvas, row)
    tracker = district.run()
    assert tracker.counts["classes"] >= 1, "its class was decided"
    assert [one["score"] for one in district.results_of(row)] == held
    if code is not None:
        assert tracker.codes[code] == 1
    district.run()
    assert district.sandbox.count(side="sis") == 0, "told once"


def test_an_excuse_and_its_taking_back_are_found(district: District) -> None:
    row = next(district.sent_rows())
    district.canvas.excuse(row.assignment_id, row.user_id)
    assert district.run().counts["sent"] == 1
    assert [one["scoreStatus"] for one in district.results_of(row)] == ["exempt"]
    district.canvas.unexcuse(row.assignment_id, row.user_id)
    assert district.run().counts["classes"] == 1
    district.canvas.grade(row.assignment_id, row.user_id, 4.0)
    district.run()
    assert [(one["scoreStatus"], one["score"]) for one in district.results_of(row)] == [("fully graded", 4.0)]


def test_other_points_touch_every_row_and_change_the_column_once(district: District) -> None:
    row = next(district.sent_rows())
    district.canvas.change_points(row.assignment_id, 50.0)
    tracker = district.run()
    assert tracker.counts["line items sent"] >= 1
    assert {float(one["resultValueMax"]) for one in district.columns_of(row)} == {50.0}


@pytest.mark.parametrize("event", ["flag", "unpublish", "delete_assignment"])
def test_withdrawn_work_is_found_by_the_next_delta_and_its_course_read_whole(
    district: District, event: str
) -> None:
    row = next(district.sent_rows())
    acts: dict[str, Callable[[int], None]] = {
        "flag": lambda one: district.canvas.flag(one, post_to_sis=False),
        "unpublish": district.canvas.unpublish,
        "delete_assignment": district.canvas.delete_assignment,
    }
    acts[event](row.assignment_id)
    held = district.results().keys()
    district.run()
    assert district.asked("canvas")["submissions"] == 1, "one course, whole"
    assert district.results().keys() == held


def test_a_dropped_student_shows_in_a_full_run_only_and_a_restored_one_in_a_delta(district: District) -> None:
    row = list(district.sent_rows())[3]
    mine = district.canvas.students_of_course(row.course_id)[row.user_id]
    for one in mine:
        district.canvas.set_enrollment_state(one, "deleted")
    kept = district.results_of(row)
    assert district.run().counts == {}
    district.run(Mode.FULL)
    assert district.results_of(row) == kept, "what stands in the SIS stays"
    row.score = (row.score or 0) + 0.5
    for one in mine:
        district.canvas.set_enrollment_state(one, "active")
    district.run()
    assert [one["score"] for one in district.results_of(row)] == [row.score]


def test_a_scoped_key_reads_course_by_course_and_the_nightly_full_run_closes_its_holes(
    district: District,
) -> None:
    district.canvas.settings.scoped_key = True
    late, graded = list(district.sent_rows())[:2]
    district.canvas.deduct(late.assignment_id, late.user_id, 2.0)
    district.canvas.grade(graded.assignment_id, graded.user_id, (graded.score or 0) + 0.5)
    district.run()
    assert district.asked("canvas")["graphql"] == 1, "asked once, and then remembered"
    assert [one["score"] for one in district.results_of(graded)] == [graded.score]
    assert [one["score"] for one in district.results_of(late)] != [late.score]
    district.run(Mode.FULL)
    assert [one["score"] for one in district.results_of(late)] == [late.score]


@pytest.mark.parametrize("seed", range(2))
def test_after_any_day_of_teachers_a_delta_leaves_nothing_for_the_full_run_to_send(seed: int) -> None:
    with running((KEY,), students=40, seed=seed, today=date(2026, 11, 23)) as sandbox:
        district = District(sandbox)
        district.run(Mode.FULL)
        district.run()
        for number in range(3):
            done = teach(district.canvas, seed=10 * seed + number, style="hard-day")
            assert sum(done.values()) > 5
            assert district.run().counts["sent"] > 0
            district.later()
        full = district.run(Mode.FULL)
        assert (full.counts["sent"], full.counts["line items sent"]) == (0, 0)


@pytest.mark.parametrize("seed", range(2))
def test_what_faults_kept_back_is_made_up_by_deltas_alone(seed: int) -> None:
    """Runs break off, listings break off, single courses fail: nothing of it is lost, and nothing is doubled."""
    with running((KEY,), students=40, seed=seed, today=date(2026, 11, 23)) as sandbox:
        district = District(sandbox)
        district.run(Mode.FULL)
        faults = sandbox.front.faults
        faults.share = 0.1
        for number in range(3):
            teach(district.canvas, seed=100 + 10 * seed + number, style="hard-day")
            faults.stand(("server-error", "cut", "throttle", "truncated-json"))
            # Half a page of students is no page: these courses are owed, whatever the listing's watermark says.
            faults.orders.append(FaultOrder("truncated-json", 3, side="canvas", path="/enrollments"))
            with suppress(ConnectionProblem):
                district.run()
            faults.clear()
            district.later()
        district.run()
        full = district.run(Mode.FULL)
        assert (full.counts["sent"], full.counts["line items sent"]) == (0, 0)
