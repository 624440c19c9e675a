"""Switching from another tool's sync: what it wrote becomes ours; nothing is doubled, nothing overwritten unasked."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gradesync.domain.adoption import Fate
from gradesync.domain.gradebook import LineItem, Result
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.run import ADOPTING, Mode, Outcome, RunState
from gradesync.domain.take_over import TakeOver
from gradesync.engine.adopt import AdoptWish, adopt
from gradesync.engine.control import ByHand, run_by_hand
from gradesync.engine.stopping import stop_run
from gradesync.errors import AccountBusy, ConnectionProblem, LeaseLost, RunStopped, UsageProblem
from gradesync.ports import RunQuery
from gradesync.reporting import structured
from gradesync.reporting.style import Style
from gradesync.reporting.text import adoption as as_text
from tests.domain.plan_samples import schedule
from tests.engine.district import GRADES, District
from tests.syncs.passback_school import DUE

PLAIN = Style(color=False, width=100, terminal=False)


def switching(**changes: Any) -> District:
    """A district whose SIS another tool has filled: the same titles, days and scores under ids of its own."""
    district = District()
    district.reconcile(district.tree(), run_syncs=False)
    sis = district.school.sis
    for course in district.school.canvas.held.values():
        for assignment in course.assignments:
            for class_id in sorted({s.section_sis_id for s in course.students if s.section_sis_id}):
                item = LineItem(
                    id=f"vendor-{assignment.id}-{class_id}",
                    title=assignment.title,
                    class_id=class_id,
                    category_id="hw",
                    period_id="q1",
                    assign_date=DUE - timedelta(days=7),
                    due_date=DUE - timedelta(hours=3),
                    minimum=Decimal(0),
                    maximum=assignment.points,
                )
                sis.line_items[item.id] = replace(item, **changes)
                for student in course.students:
                    if student.section_sis_id == class_id:
                        _score(district, item.id, assignment.id, student.user_id)
    return district


def _score(district: District, item_id: str, assignment_id: int, user_id: int) -> None:
    work = next(
        one
        for course in district.school.canvas.held.values()
        for one in course.submissions
        if (one.assignment_id, one.user_id) == (assignment_id, user_id)
    )
    id = f"vendor-{assignment_id}-{user_id}"
    district.school.sis.results[id] = Result(id, item_id, f"s{user_id}", work.score, "fully graded", None)


def adopted(district: District, *, write: bool = True, class_filter: str | None = None) -> TakeOver:
    """Adopt; neither gradebook is written to, ever."""
    sis = district.school.sis
    before = (sis.writes, dict(sis.line_items), dict(sis.results))
    found = asyncio.run(adopt(district.tools, AdoptWish(GRADES, class_filter, write)))
    assert (sis.writes, dict(sis.line_items), dict(sis.results)) == before
    assert list(district.store.leases()) == []
    return found


def full_run(district: District) -> dict[str, int]:
    """A full run by hand; what it counted."""
    end = asyncio.run(run_by_hand(district.tools, ByHand(GRADES, mode=Mode.FULL)))
    assert end.result is not None
    return {word: count for word, count in end.result.counts.items() if count}


def test_after_adopting_the_next_run_creates_and_changes_nothing() -> None:
    district = switching()
    found = adopted(district)
    assert found.counts(LINE_ITEM) == {Fate.SAME: 4}
    assert found.counts(RESULT) == {Fate.SAME: 6}
    district.later()
    (end,) = district.reconcile().ends
    assert end.result is not None
    assert end.result.outcome is Outcome.COMPLETED
    assert district.school.sis.writes == 0
    assert (len(district.school.sis.line_items), len(district.school.sis.results)) == (4, 6)
    assert full_run(district)["unchanged"] == 6
    assert district.school.sis.writes == 0


def test_a_preview_writes_nothing_anywhere() -> None:
    district = switching()
    before = list(district.words())
    found = adopted(district, write=False)
    assert found.counts(RESULT) == {Fate.SAME: 6}
    assert not found.written
    assert district.store.ledger_rows == {}
    assert list(district.words()) == before
    assert district.runs() == []


def test_later_changes_in_canvas_go_into_the_adopted_records() -> None:
    district = switching()
    adopted(district)
    district.school.grade(1, 11, "9")
    district.later()
    district.reconcile()
    assert district.school.sis.results["vendor-1-11"].score == 9
    assert len(district.school.sis.results) == 6


def test_an_adopted_column_keeps_its_small_differences_until_its_assignment_changes() -> None:
    district = switching(period_id=None)
    adopted(district)
    assert full_run(district).get("line items sent", 0) == 0
    assert district.school.sis.line_items["vendor-1-c1"].period_id is None
    course = district.school.canvas.held[1]
    course.assignments[0] = replace(course.assignments[0], title="Work 1, corrected")
    district.later()
    district.reconcile()
    # Renamed where it is: a second column would count the same work twice.
    assert district.school.sis.line_items["vendor-1-c1"].title == "Work 1, corrected"
    assert len(district.school.sis.line_items) == 4


def test_a_score_that_differs_is_linked_and_nobody_overwrites_it_by_itself() -> None:
    district = switching()
    sis = district.school.sis
    sis.results["vendor-1-11"] = replace(sis.results["vendor-1-11"], score=Decimal(3))
    found = adopted(district)
    assert found.counts(RESULT) == {Fate.SAME: 5, Fate.DIFFERS: 1}
    assert full_run(district)["withheld"] == 1
    assert sis.results["vendor-1-11"].score == 3
    assert sis.writes == 0


def test_of_two_columns_that_could_be_meant_none_is_taken() -> None:
    district = switching()
    sis = district.school.sis
    sis.line_items["twin"] = replace(sis.line_items["vendor-1-c1"], id="twin")
    found = adopted(district)
    assert found.counts(LINE_ITEM)[Fate.AMBIGUOUS] == 1
    ((class_id, record),) = found.open()
    assert (class_id, record.assignment_id, record.code) == ("c1", 1, "GS-404")
    full_run(district)
    assert len(sis.line_items) == 5
    assert sis.writes == 0


def test_what_is_not_there_yet_is_told_as_missing_and_created_by_the_next_run() -> None:
    district = switching()
    del district.school.sis.results["vendor-1-11"]
    assert adopted(district).counts(RESULT) == {Fate.SAME: 5, Fate.MISSING: 1}
    assert full_run(district)["sent"] == 1


def test_what_canvas_does_not_know_is_left_alone() -> None:
    district = switching()
    sis = district.school.sis
    sis.line_items["oral"] = replace(sis.line_items["vendor-1-c1"], id="oral", title="Oral exam")
    assert adopted(district).counts(LINE_ITEM)[Fate.ONLY_IN_SIS] == 1
    full_run(district)
    assert sis.line_items["oral"].title == "Oral exam"


def test_one_class_alone_can_be_adopted_and_a_second_time_everything_is_known() -> None:
    district = switching()
    assert [one.class_id for one in adopted(district, class_filter="c2").classes] == ["c2"]
    adopted(district)
    again = adopted(district)
    assert again.counts(LINE_ITEM) == {Fate.KNOWN: 4}
    assert again.counts(RESULT) == {Fate.KNOWN: 6}


def test_adopting_is_kept_in_the_history_with_who_and_how_many() -> None:
    district = switching()
    found = adopted(district)
    (entry,) = district.history("records adopted")
    assert (entry.fact.actor.name, entry.fact.schedule, entry.fact.run_id) == ("alex", "grades", found.run_id)
    assert entry.fact.data["counts"] == {"line items adopted": 4, "results adopted": 6}
    # It is no run of the schedule: the list and the nightly full run know nothing of it.
    assert district.store.last_runs() == {}
    assert district.store.last_full_runs() == {}
    assert district.store.first_runs() == {}


def test_each_record_remembers_that_it_was_adopted() -> None:
    district = switching()
    adopted(district)
    subjects = [subject for (_, _, subject) in district.store.ledger_rows]
    events = district.store.record_events("riverside", subjects)
    assert [past.event.what for past in events] == ["adopted"] * 10


def test_while_somebody_works_in_the_account_nothing_is_adopted() -> None:
    district = switching()
    district.school.later()
    district.school.claim()
    with pytest.raises(AccountBusy):
        asyncio.run(adopt(district.tools, AdoptWish(GRADES, write=True)))
    assert district.store.ledger_rows == {}


def test_another_key_or_another_institution_adopts_nothing() -> None:
    district = switching()
    adopted(district, class_filter="c2")
    district.school.sis.district = "another"
    with pytest.raises(ConnectionProblem, match="not the institution"):
        adopted(district)
    (_, failed) = [entry.fact.data["outcome"] for entry in district.history("records adopted")]
    assert failed == "failed"


def test_a_roster_import_has_nothing_to_adopt() -> None:
    district = District()
    district.reconcile(district.tree(more={"roster": schedule(type="roster import")}), run_syncs=False)
    with pytest.raises(UsageProblem):
        asyncio.run(adopt(district.tools, AdoptWish(replace(GRADES, name="roster"), write=True)))


class _LosesItsLease:
    """Somebody takes the lease away after the first class."""

    def __init__(self, district: District) -> None:
        self.district = district

    async def read_line_items(self, class_id: str) -> list[LineItem]:
        if class_id == "c3":
            self.district.store.unlock("riverside", [])
        return [one for one in self.district.school.sis.line_items.values() if one.class_id == class_id]


def test_an_adoption_that_broke_off_is_never_taken_up_as_a_run_that_sends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    district = switching()
    district.school.grade(1, 11, "9")
    monkeypatch.setattr(district.school.sis, "read_line_items", _LosesItsLease(district).read_line_items)
    with pytest.raises(LeaseLost) as lost:
        asyncio.run(adopt(district.tools, AdoptWish(GRADES, write=True)))
    assert "repeat" in (lost.value.hint or "")
    monkeypatch.undo()
    left = [run for run in district.runs() if run.schedule.name.endswith(ADOPTING)]
    assert [run.state for run in left] == [RunState.QUEUED]
    # The next pass meets it before the schedule's slot falls due, and sends nothing in its name.
    assert district.reconcile().ends == ()
    assert district.school.sis.writes == 0
    (run,) = district.store.runs(RunQuery(run_id=left[0].id))
    assert run.state is RunState.ENDED
    assert adopted(district).written


class _IsStopped:
    """A person stops the adoption after the first class, and the renewal says so."""

    def __init__(self, district: District) -> None:
        self.district = district

    async def read_line_items(self, class_id: str) -> list[LineItem]:
        if class_id == "c3":
            (run,) = [one for one in self.district.runs() if one.schedule.name.endswith(ADOPTING)]
            assert stop_run(self.district.tools, run.id, "wrong district").holder is not None
            raise LeaseLost("the renewal was refused")
        return [one for one in self.district.school.sis.line_items.values() if one.class_id == class_id]


def test_an_adoption_that_a_person_stops_ends_as_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    district = switching()
    monkeypatch.setattr(district.school.sis, "read_line_items", _IsStopped(district).read_line_items)
    with pytest.raises(RunStopped, match="stopped by a person"):
        asyncio.run(adopt(district.tools, AdoptWish(GRADES, write=True)))
    (run,) = [one for one in district.runs() if one.schedule.name.endswith(ADOPTING)]
    assert run.result is not None
    assert (run.result.outcome, run.result.codes["GS-708"]) == (Outcome.STOPPED, 1)
    assert district.store.leases() == []


def test_no_report_of_an_adoption_shows_a_person_a_title_or_a_score() -> None:
    district = switching()
    sis = district.school.sis
    sis.line_items["twin"] = replace(sis.line_items["vendor-1-c1"], id="twin")
    sis.results["vendor-2-11"] = replace(sis.results["vendor-2-11"], score=Decimal("3.75"))
    found = adopted(district)
    for text in (as_text(found, style=PLAIN), json.dumps(structured.adoption(found))):
        assert not [word for word in ("s11", "Work 1", "3.75", "vendor-") if word in text]
        assert "GS-404" in text


def test_every_key_of_the_json_is_documented() -> None:
    district = switching()
    sis = district.school.sis
    sis.line_items["twin"] = replace(sis.line_items["vendor-1-c1"], id="twin")
    shape = structured.adoption(adopted(district, write=False))
    page = (Path(__file__).parents[2] / "docs" / "json-output.md").read_text(encoding="utf-8")
    section = page.partition("## `adoption`")[2].partition("\n## ")[0]
    named = {*shape, *shape["classes"][0], *shape["to_settle"][0]} - {"version", "kind"}
    assert [key for key in sorted(named) if f"`{key}`" not in section] == []
    assert [fate.value for fate in Fate if f"`{fate.value}`" not in section] == []
