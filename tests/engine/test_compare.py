"""Comparing both gradebooks: every way in which they can differ has its own name, and nothing is ever written."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gradesync.domain.comparison import Cause, Comparison, Difference, Uneven, Weighing
from gradesync.domain.record import LINE_ITEM, RESULT
from gradesync.domain.run import Mode
from gradesync.domain.schedule import ScheduleId
from gradesync.engine.compare import CompareWish, compare
from gradesync.engine.control import ByHand, run_by_hand
from gradesync.errors import ConnectionProblem, NotFound, UsageProblem
from gradesync.reporting import structured
from gradesync.reporting.style import Style
from gradesync.reporting.text import comparison as as_text
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import GRADES, District

PLAIN = Style(color=False, width=100, terminal=False)


def compared(district: District, **wish: Any) -> Comparison:
    """Both sides compared; whatever is compared, neither side nor the ledger is touched."""
    school = district.school
    before = (school.sis.writes, dict(school.sis.results), dict(district.store.ledger_rows))
    found = asyncio.run(compare(district.tools, CompareWish(GRADES, **wish)))
    assert (school.sis.writes, dict(school.sis.results), dict(district.store.ledger_rows)) == before
    return found


def in_step(**fields: Any) -> District:
    """A district in which the first run has carried everything."""
    district = District(**fields)
    district.started()
    return district


def one(found: Comparison) -> Difference:
    """The only difference there is."""
    (difference,) = found.differences
    return difference


def result_of(district: District, student: str, title: str) -> str:
    sis = district.school.sis
    return next(
        r.id
        for r in sis.results.values()
        if r.student_id == student and sis.line_items[r.line_item_id].title == title
    )


def test_after_a_run_both_gradebooks_are_equal() -> None:
    found = compared(in_step())
    assert (found.equal(RESULT), found.equal(LINE_ITEM)) == (6, 4)
    assert list(found.differences) == []
    assert found.agreeing == 3
    assert not found.needs_person


def test_a_change_in_canvas_is_not_yet_there_and_no_affair_of_a_person() -> None:
    district = in_step()
    district.school.grade(1, 11, "9")
    found = compared(district)
    difference = one(found)
    assert (difference.cause, difference.assignment_id, difference.sends) == (Cause.NOT_YET, 1, True)
    assert found.would_write(RESULT) == 1
    assert not found.needs_person
    assert found.agreeing == 2


def test_a_score_typed_in_the_sis_is_a_hand_edit_that_somebody_must_look_at() -> None:
    district = in_step()
    sis = district.school.sis
    id = result_of(district, "s11", "Work 1")
    sis.results[id] = replace(sis.results[id], score=Decimal(3))
    found = compared(district)
    assert (one(found).cause, one(found).code) == (Cause.HAND_EDIT, "GS-412")
    assert found.needs_person


def test_a_hand_edit_that_the_account_lets_canvas_win_is_named_and_settled_by_the_next_run() -> None:
    district = in_step()
    sis = district.school.sis
    id = result_of(district, "s11", "Work 1")
    sis.results[id] = replace(sis.results[id], score=Decimal(3))
    winning = account(
        "riverside", {"grades": schedule()}, scope={"terms": "all"}, passback={"conflict": "canvas_wins"}
    )
    district.reconcile(desired(winning), run_syncs=False)
    found = compared(district)
    assert (one(found).cause, one(found).sends) == (Cause.HAND_EDIT, True)
    assert not found.needs_person


def test_what_a_rule_keeps_back_is_told_with_its_code() -> None:
    district = in_step()
    district.school.grade(1, 11, "9", posted_at=None)
    found = compared(district)
    assert (one(found).cause, one(found).code, one(found).sends) == (Cause.WITHHELD, "GS-426", False)
    assert found.needs_person, "the SIS still shows it"


def test_a_record_we_wrote_that_is_gone_is_lost() -> None:
    district = in_step()
    del district.school.sis.results[result_of(district, "s11", "Work 1")]
    found = compared(district)
    assert (one(found).cause, one(found).code) == (Cause.LOST, "GS-505")
    assert found.needs_person


def test_a_sis_that_said_yes_and_holds_nothing_has_lost_it() -> None:
    district = District()
    district.reconcile(district.tree())
    district.school.sis.forget = True
    district.later()
    district.reconcile()
    causes = compared(district).causes(LINE_ITEM)
    assert causes == {Cause.LOST: 4}


def test_what_the_sis_would_not_take_is_told_as_refused_with_its_code() -> None:
    district = in_step()
    district.school.grade(1, 11, "9")
    id = result_of(district, "s11", "Work 1")
    district.school.sis.refuse[id] = ConnectionProblem("no", code="GS-502", status=422)
    district.later()
    district.reconcile()
    difference = one(compared(district))
    assert (difference.cause, difference.code) == (Cause.REFUSED, "GS-502")


def test_a_score_the_sis_keeps_with_fewer_places_is_rounding_and_agrees() -> None:
    district = District()
    district.school.sis.decimals = 0
    district.started()
    found = compared(district)
    # Every score of the district ends in a half, so each one was rounded.
    assert found.causes(RESULT) == {Cause.ROUNDING: 6}
    assert found.agreeing == 3
    assert not found.needs_person


def test_averages_are_doubted_only_where_canvas_weighs_or_drops_and_every_score_agrees() -> None:
    district = in_step()
    assert "average" not in as_text(compared(district), style=PLAIN)
    district.school.canvas.weighs = {
        1: Weighing(weighted=True, dropping=0),
        2: Weighing(weighted=False, dropping=2),
    }
    found = compared(district)
    assert [(one.class_id, one.averages) for one in found.uneven] == [
        ("c1", (Uneven.WEIGHTS,)),
        ("c2", (Uneven.DROPS,)),
        ("c3", (Uneven.DROPS,)),
    ]
    text = as_text(found, style=PLAIN)
    assert "c1: every score agrees, and the average may differ: Canvas weights its assignment groups." in text
    assert "c3: every score agrees, and the average may differ: Canvas drops scores in a group." in text
    district.school.grade(1, 11, "9")
    assert [one.class_id for one in compared(district).uneven] == ["c2", "c3"]


def test_what_a_rule_keeps_back_counts_where_its_code_names_somebody_who_must_act() -> None:
    district = District()
    course = district.school.canvas.held[1]
    course.assignments = [replace(a, due_at=None) if a.id == 1 else a for a in course.assignments]
    district.started()
    district.school.grade(3, 21, None)
    found = compared(district)
    waiting = [d for d in found.differences if d.code == "GS-401"]
    assert {d.kind for d in waiting} == {LINE_ITEM, RESULT}
    assert all(d.needs_person for d in waiting)
    assert found.needs_person
    # The two scores; their column is the same thing to do.
    assert sum(one.looks for one in found.classes if one.class_id == "c1") == 2


def test_a_column_and_a_score_of_the_sis_alone_are_told_and_are_not_ours() -> None:
    district = in_step()
    sis = district.school.sis
    item = next(i for i in sis.line_items.values() if i.class_id == "c1")
    mine = next(r for r in sis.results.values() if r.line_item_id == item.id)
    sis.line_items["theirs"] = replace(item, id="theirs", title="Oral exam")
    sis.results["their-result"] = replace(mine, id="their-result", line_item_id="theirs")
    found = compared(district)
    assert Counter((d.kind, d.cause, d.sends) for d in found.differences) == {
        (LINE_ITEM, Cause.ONLY_IN_SIS, False): 1,
        (RESULT, Cause.ONLY_IN_SIS, False): 1,
    }
    assert not found.needs_person
    # A score Canvas knows nothing of moves the class's average there.
    assert found.agreeing == 2


def test_a_changed_column_names_the_fields_that_differ_and_no_value() -> None:
    district = in_step()
    sis = district.school.sis
    item = next(i for i in sis.line_items.values() if i.class_id == "c1")
    sis.line_items[item.id] = replace(item, title="Renamed by hand", maximum=Decimal(20))
    differing = [d for d in compared(district).differences if d.kind == LINE_ITEM]
    assert [d.fields for d in differing] == [("title", "maximum")]
    assert differing[0].cause is Cause.HAND_EDIT


def test_one_class_alone_can_be_compared() -> None:
    district = in_step()
    district.school.grade(1, 11, "9")
    district.school.grade(3, 31, "9")
    assert one(compared(district, class_filter="c3")).class_id == "c3"


def test_a_course_that_cannot_be_read_keeps_a_comparison_from_being_called_good() -> None:
    district = in_step()
    district.school.canvas.broken[1] = ConnectionProblem("no", code="GS-305", status=404)
    found = compared(district)
    assert found.unread == {"courses not read": 1}
    assert found.needs_person
    assert "Not everything could be read" in as_text(found, style=PLAIN)


def test_another_institution_is_not_compared() -> None:
    district = in_step()
    district.school.sis.district = "another"
    with pytest.raises(ConnectionProblem, match="not the institution"):
        compared(district)


def test_a_roster_import_or_an_unknown_schedule_has_nothing_to_compare() -> None:
    district = in_step()
    with pytest.raises(NotFound, match="no schedule"):
        asyncio.run(compare(district.tools, CompareWish(ScheduleId("riverside", "nothing"))))
    district.reconcile(district.tree(type="roster import"), run_syncs=False)
    with pytest.raises(UsageProblem, match="roster import"):
        compared(district)


def test_observing_and_comparing_tell_the_same_number_of_records_to_write() -> None:
    district = District(state="observe")
    report = district.started()
    found = compared(district)
    counts = report.ends[0].result.counts if report.ends[0].result else {}
    assert (found.would_write(RESULT), found.would_write(LINE_ITEM)) == (
        counts["would send"],
        counts["would send line items"],
    )
    assert found.observes
    text = as_text(found, style=PLAIN)
    assert "A run would write 6 results and 4 line items. This schedule only observes" in text
    entry = district.history("run ended")[-1].fact.data
    assert entry["counts"]["would send"] == 6  # type: ignore[index]  # counts are a mapping
    assert district.school.sis.writes == 0


def test_no_report_shows_a_student_a_title_or_a_score_unless_a_person_asked_for_values() -> None:
    district = in_step()
    sis = district.school.sis
    id = result_of(district, "s11", "Work 1")
    sis.results[id] = replace(sis.results[id], score=Decimal("3.75"))
    plain = compared(district)
    asked = compared(district, values=True)
    printed = [
        json.dumps(structured.comparison(plain)),
        json.dumps(structured.comparison(asked)),
        as_text(plain, style=PLAIN, every=True),
    ]
    for text in printed:
        assert "3.75" not in text
        assert "s11" not in text
        assert "Work 1" not in text
    shown = as_text(asked, style=PLAIN, every=True)
    assert "3.75 (fully graded)" in shown
    assert "4.5 (fully graded)" in shown
    assert "s11" not in shown
    # Who looked at values is on record.
    assert [entry.fact.actor.name for entry in district.history("values compared")] == ["alex"]


def test_every_key_of_the_json_is_documented() -> None:
    district = in_step()
    district.school.grade(1, 11, "9")
    page = (Path(__file__).parents[2] / "docs" / "json-output.md").read_text(encoding="utf-8")
    section = page.partition("## `comparison`")[2].partition("\n## ")[0]
    shape = structured.comparison(compared(district))
    with_records = next(one for one in shape["classes"] if one["records"])
    named = {*shape, *with_records, *with_records["records"][0]} - {"version", "kind"}
    assert [key for key in sorted(named) if f"`{key}`" not in section] == []
    assert [cause.value for cause in Cause if f"`{cause.value}`" not in section] == []


def test_the_json_counts_every_cause_and_names_every_record() -> None:
    district = in_step()
    district.school.grade(1, 11, "9")
    district.school.grade(2, 12, None)
    shape = structured.comparison(compared(district))
    assert shape["kind"] == "comparison"
    assert shape["causes"]["results"]["not yet"] == 1
    assert set(shape["causes"]["results"]) == {cause.value for cause in Cause}
    records = [record for one in shape["classes"] for record in one["records"]]
    assert [record["next_run"] for record in records if record["cause"] == "not yet"] == ["writes"]
    assert {record["kind"] for record in records} == {"result"}


# - a full run sends only what differs -


def full(district: District) -> int:
    """One full run by hand; the number of writes it made."""
    before = district.school.sis.writes
    asyncio.run(run_by_hand(district.tools, ByHand(GRADES, mode=Mode.FULL)))
    return district.school.sis.writes - before


def test_a_full_run_over_equal_gradebooks_writes_nothing() -> None:
    assert full(in_step()) == 0


def test_a_full_run_writes_exactly_the_records_a_comparison_said_it_would() -> None:
    district = in_step()
    district.school.grade(1, 11, "9")
    district.school.grade(3, 21, "8")
    said = compared(district)
    assert full(district) == said.would_write(RESULT) + said.would_write(LINE_ITEM) == 2
    assert list(compared(district).differences) == []


def test_a_full_run_leaves_rounded_scores_alone() -> None:
    district = District()
    district.school.sis.decimals = 0
    district.started()
    assert full(district) == 0


def test_a_section_tied_to_no_class_is_named_by_its_address_in_canvas() -> None:
    district = in_step()
    course = district.school.canvas.held[1]
    course.students = [replace(one, section_sis_id=None) for one in course.students]
    found = compared(district)
    place = f"courses/1/sections/{course.students[0].section_id}"
    assert (found.untied, found.codes) == ((place,), {"GS-414": 1})
    assert place in as_text(found, style=PLAIN)
    assert structured.comparison(found)["untied_sections"] == [place]


def test_classes_that_differ_are_told_with_their_course_in_canvas() -> None:
    district = in_step()
    district.school.grade(3, 21, "9")
    line = next(one for one in as_text(compared(district), style=PLAIN).splitlines() if one.startswith("c2"))
    assert line.split()[:2] == ["c2", "2"]
