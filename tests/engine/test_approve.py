"""A roster import that was stopped goes through when a person approved just that change, and only then."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gradesync.connectors.memory import MemorySis
from gradesync.connectors.spool import disk_spool
from gradesync.domain.report import RunEnd
from gradesync.domain.roster import Roster
from gradesync.domain.run import Outcome, RunResult
from gradesync.domain.schedule import ScheduleId, SyncType
from gradesync.engine.approve import approve
from gradesync.engine.control import ByHand, run_by_hand
from gradesync.errors import GradesyncError, NotFound
from gradesync.reporting.text.rosters import approved, stop_lines
from tests.domain.plan_samples import schedule
from tests.domain.roster_town import renamed, town, without_school
from tests.engine.district import GRADES, District
from tests.reporting.samples import PLAIN
from tests.syncs.roster_players import Canvas

ROSTER = ScheduleId("riverside", "roster")
TOWN = town()
LESS = without_school(TOWN, "002")


class Sides:
    """A SIS and a Canvas in RAM, for roster imports."""

    def __init__(self) -> None:
        self.sis = MemorySis("district-1", TOWN)
        self.canvas = Canvas()
        self.spool = disk_spool

    @asynccontextmanager
    async def roster(self, *_: Any) -> Any:
        yield self.sis, self.canvas

    roster_readonly = roster


class Town(District):
    """The district with a roster schedule, whose SIS and Canvas can be changed."""

    def __init__(self, **fields: Any) -> None:
        super().__init__()
        self.school.now = self.school.now.replace(year=2026, month=11, day=23)
        self.sides = Sides()
        object.__setattr__(self.tools, "connections", self.sides)
        nightly = schedule(type=SyncType.ROSTER_IMPORT.value, interval="daily at 02:00", **fields)
        self.reconcile(self.tree(more={"roster": nightly}))

    def run(self, roster: Roster | None = None, **wish: Any) -> RunEnd:
        if roster is not None:
            self.sides.sis.roster = roster
        return asyncio.run(run_by_hand(self.tools, ByHand(ROSTER, **wish)))

    def stopped(self, roster: Roster = LESS) -> str:
        """The id of a run that the brake stopped."""
        sent = len(self.sides.canvas.uploads)
        end = self.run(roster)
        assert end.result is not None
        assert end.result.outcome is Outcome.WARNING
        assert set(end.result.codes) & {"GS-601", "GS-602", "GS-603"}
        assert len(self.sides.canvas.uploads) == sent
        return end.run.id


@pytest.fixture
def place() -> Town:
    """A district whose roster was imported once."""
    made = Town()
    end = made.run()
    assert end.result is not None
    assert end.result.outcome is Outcome.COMPLETED, end.result
    assert len(made.sides.canvas.uploads) == 1
    return made


def test_a_stop_carries_numbers_examples_and_what_it_is_measured_with(place: Town) -> None:
    run_id = place.stopped()
    [run] = [one for one in place.runs() if one.id == run_id]
    assert run.result is not None
    change = run.result.roster
    assert change is not None
    assert change.codes[0] == "GS-602"
    assert change.total("enrollments").removed == 130
    assert change.against == "last read"
    assert 0 < len(change.examples) <= 10
    assert change.digest
    assert run.result.counts["withheld"] > 0


def test_an_approved_change_goes_through_once_and_becomes_the_last_good_read(place: Town) -> None:
    run_id = place.stopped()
    found = approve(place.tools, run_id, " West closed ")
    assert found.approval.reason == "West closed"
    end = place.run()
    assert end.result is not None
    assert end.result.outcome is Outcome.COMPLETED
    assert dict(end.result.codes) == {"GS-614": 1}
    assert len(place.sides.canvas.uploads) == 2
    again = place.run()
    assert again.result is not None
    assert again.result.counts.get("unchanged")
    place.stopped(without_school(LESS, "003"))


def test_a_run_that_died_before_it_kept_its_generation_stops_nobody(place: Town) -> None:
    """What was approved is in Canvas; the next night finds the same files and measures the one after by them."""
    old = place.store.generation_rows["riverside"]
    approve(place.tools, place.stopped(), "West closed")
    place.run()
    place.store.generation_rows["riverside"] = old
    end = place.run()
    assert end.result is not None
    assert (end.result.outcome, end.result.counts.get("sent")) == (Outcome.COMPLETED, 0)
    assert place.store.generation_rows["riverside"] != old


def test_any_other_change_stops_again(place: Town) -> None:
    approve(place.tools, place.stopped(), "West closed")
    seats = [one for one in LESS.enrollments if one.user_id != "001-s1"]
    place.stopped(replace(LESS, enrollments=seats))
    place.stopped(without_school(TOWN, "003"))


def test_an_approval_ends_after_three_days(place: Town) -> None:
    approve(place.tools, place.stopped(), "West closed")
    place.school.now += timedelta(hours=72)
    place.stopped()


def test_who_approved_what_and_why_stands_in_the_history(place: Town) -> None:
    run_id = place.stopped()
    found = approve(place.tools, run_id, "West closed")
    [entry] = place.history("roster approved")
    assert (entry.fact.actor.name, entry.fact.schedule, entry.fact.run_id) == ("alex", "roster", run_id)
    assert entry.fact.data["digest"] == found.approval.digest
    assert entry.fact.data["reason"] == "West closed"
    assert entry.fact.data["codes"] == ["GS-602", "GS-601"]


def test_what_was_not_stopped_cannot_be_approved(place: Town) -> None:
    fine = place.run().run.id
    grades = next((one.id for one in place.runs() if one.schedule == GRADES), None)
    for run_id in filter(None, (fine, grades)):
        with pytest.raises(GradesyncError, match=r"not stopped by the brake|only roster imports"):
            approve(place.tools, run_id, "because")
    with pytest.raises(NotFound):
        approve(place.tools, "0" * 32, "because")
    with pytest.raises(GradesyncError, match="needs a reason"):
        approve(place.tools, place.stopped(), "  ")
    assert place.history("roster approved") == []


def test_an_empty_read_cannot_be_approved(place: Town) -> None:
    run_id = place.stopped(replace(TOWN, classes=()))
    with pytest.raises(GradesyncError, match="no roster that could be sent"):
        approve(place.tools, run_id, "because")


def test_a_look_cannot_be_approved(place: Town) -> None:
    place.sides.sis.roster = LESS
    end = place.run(dry=True)
    assert end.result is not None
    assert end.result.roster is not None
    assert end.result.roster.dry
    with pytest.raises(NotFound, match="no run"):
        approve(place.tools, end.run.id, "because")
    nightly = schedule(type=SyncType.ROSTER_IMPORT.value, interval="daily at 02:00", state="observe")
    place.reconcile(place.tree(more={"roster": nightly}))
    observed = place.stopped()
    with pytest.raises(GradesyncError, match="only a look"):
        approve(place.tools, observed, "because")


def test_a_change_that_no_longer_exists_cannot_be_approved(place: Town) -> None:
    old = place.stopped()
    users = [one._replace(family_name="New") if one.id == "001-s1" else one for one in TOWN.users]
    assert place.run(replace(TOWN, users=users)).result is not None
    with pytest.raises(GradesyncError, match="another roster import has gone through"):
        approve(place.tools, old, "because")


def test_a_dry_run_measures_without_keeping_anything(place: Town) -> None:
    before = place.store.read_records("riverside").generation()
    place.run(LESS, dry=True)
    assert place.store.read_records("riverside").generation() == before
    place.stopped()
    assert place.store.read_records("riverside").generation() == before


# --- stops that only Canvas can tell of -----------------------------------------------------------------------------


def people(roster: Roster) -> set[str]:
    return {one.id for one in roster.users}


def test_new_ids_that_canvas_does_not_hold_are_not_approved_a_second_time(place: Town) -> None:
    later = renamed(TOWN, people=lambda one: f"new-{one}")
    place.sides.canvas.other_ids = {"users": people(TOWN)}
    approve(place.tools, place.stopped(later), "the SIS was replaced")
    end = place.run(later)
    assert end.result is not None
    assert dict(end.result.codes) == {"GS-624": 1}
    shown = "\n".join(stop_lines(end.result.roster, end.run, PLAIN, ""))
    assert "Canvas does not hold 135 under the new ones" in shown
    assert "gradesync approve" not in shown
    with pytest.raises(GradesyncError, match="was approved already") as caught:
        approve(place.tools, end.run.id, "again")
    assert "change the SIS ids in Canvas" in (caught.value.hint or "")

    place.sides.canvas.other_ids = {"users": people(later)}
    assert dict(_result(place.run(later)).codes) == {"GS-614": 1}


def test_an_import_that_was_taken_back_goes_again_by_approval(place: Town) -> None:
    place.sides.canvas.states = {place.sides.canvas.first: "restored"}
    end = place.run()
    assert dict(_result(end).codes) == {"GS-625": 1}
    approve(place.tools, end.run.id, "taken back by mistake")
    assert dict(_result(place.run()).codes) == {"GS-614": 1}
    assert _result(place.run()).did_nothing


def test_seats_beyond_the_sis_are_taken_out_by_approval() -> None:
    place = Town()
    left = [one for one in TOWN.enrollments if one.user_id == "001-s1"]
    place.sides.canvas.sections = {one.id for one in TOWN.classes}
    place.sides.canvas.seats = {one.class_id: {(one.user_id, "student")} for one in left}
    end = place.run(replace(TOWN, enrollments=[one for one in TOWN.enrollments if one not in left]))
    assert dict(_result(end).codes) == {"GS-626": 3}
    shown = "\n".join(stop_lines(_result(end).roster, end.run, PLAIN, ""))
    assert "take out" in shown
    assert "seats-beyond.csv" in shown
    assert "001-s1" not in shown
    consent = approve(place.tools, end.run.id, "they left in October")
    said = approved(consent, style=PLAIN)
    assert "3 seats" in said
    assert "BEFORE" not in said, "the roster's other changes are not what was approved"
    assert _result(place.run()).counts["taken out"] == 3
    assert _result(place.run()).did_nothing


def _result(end: RunEnd) -> RunResult:
    assert end.result is not None
    return end.result
