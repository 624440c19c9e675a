"""Comparing rosters: every difference between the SIS, the last good import and Canvas has one cause."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster_comparing import Cause, RosterComparison
from gradesync.domain.roster_rows import RowMessage
from gradesync.domain.run import Mode
from gradesync.reporting.style import Style
from gradesync.reporting.text.roster_compares import roster_comparison
from gradesync.syncs.roster_compare import compare_rosters
from tests.domain.roster_samples import TODAY, person, sample, seat
from tests.syncs.roster_players import Canvas, Sis
from tests.syncs.test_roster_beyond import lost_store
from tests.syncs.test_roster_import import Scene, many


def compare(scene: Scene, *, full: bool = False, class_filter: str | None = None) -> RosterComparison:
    assert scene.brake is not None
    job = scene.job_to_look(Mode.DELTA)
    marks, head = dict(scene.records.marks), scene.records.head
    found = asyncio.run(compare_rosters(job, scene.brake, full=full, class_filter=class_filter))
    assert (scene.records.marks, scene.records.head) == (marks, head), "a comparison remembers nothing"
    return found


def imported(scene: Scene | None = None) -> Scene:
    """A scene after an import, whose Canvas tells all ids it was sent."""
    scene = Scene() if scene is None else scene
    scene.run()
    holds_all(scene)
    return scene


def holds_all(scene: Scene) -> None:
    """Canvas tells the ids of all kinds that were sent, but sections, which it tells anyway."""
    for kind, column in (
        ("accounts", "account_id"),
        ("terms", "term_id"),
        ("courses", "course_id"),
        ("users", "user_id"),
    ):
        scene.canvas.other_ids[kind] = {row[column] for row in scene.canvas.uploads[-1].rows(kind)}


def causes(found: RosterComparison) -> dict[tuple[str, str], int]:
    """(kind, cause) -> how many, in all schools."""
    told: dict[tuple[str, str], int] = {}
    for line in found.lines:
        for cause, number in line.causes.items():
            told[line.kind, cause.value] = told.get((line.kind, cause.value), 0) + number
    return told


def test_right_after_an_import_nothing_differs_and_all_three_count_the_same() -> None:
    found = compare(imported())
    assert causes(found) == {}
    assert (found.looked, found.classes_in_all, found.last_day) == (2, 2, TODAY)
    assert {(one.kind, one.school, one.sis, one.last, one.both) for one in found.lines} == {
        ("accounts", "*", 1, 1, 1),
        ("terms", "*", 2, 2, 2),
        ("courses", "001", 2, 2, 2),
        ("sections", "001", 2, 2, 2),
        ("users", "001", 4, 4, 4),
        ("enrollments", "001", 5, 5, 5),
    }
    assert not found.needs_person
    assert found.records == ()


def test_before_the_first_import_everything_is_not_yet_there() -> None:
    found = compare(Scene())
    assert causes(found) == {
        ("accounts", "not yet"): 1,
        ("terms", "not yet"): 2,
        ("courses", "not yet"): 2,
        ("sections", "not yet"): 2,
        ("users", "not yet"): 4,
        ("enrollments", "not yet"): 5,
    }
    assert found.last_day is None
    assert all(one.last is None for one in found.lines)
    assert not found.needs_person


def test_who_is_new_in_the_sis_is_not_yet_there_and_who_left_ends_with_the_next_run() -> None:
    scene = imported()
    roster = scene.sis.roster
    seats = [one for one in roster.enrollments if (one.user_id, one.class_id) != ("s1", "ART")]
    scene.sis.roster = replace(roster, users=[*roster.users, person("s9")], enrollments=[*seats, seat("s9")])
    found = compare(scene)
    assert causes(found) == {
        ("users", "not yet"): 1,
        ("enrollments", "not yet"): 1,
        ("enrollments", "ends"): 1,
    }
    assert {(one.class_id, one.sis, one.canvas) for one in found.classes} == {("BIO", 5, 4), ("ART", 0, 1)}
    assert not found.needs_person
    assert found.change.total("enrollments").created == 1


def test_who_was_taken_out_of_canvas_by_hand_is_lost_and_whoever_was_put_in_is_somebody_elses() -> None:
    scene = imported()
    scene.canvas.seats["BIO"] -= {("s1", "student")}
    scene.canvas.seats["BIO"] |= {("guest", "teacher")}
    scene.canvas.other_ids["users"] -= {"s2"}
    scene.canvas.other_ids["users"] |= {"guest"}
    found = compare(scene)
    assert causes(found) == {
        ("users", "lost"): 1,
        ("users", "others'"): 1,
        ("enrollments", "lost"): 1,
        ("enrollments", "others'"): 1,
    }
    assert found.needs_person
    assert found.looks == 2


def test_a_seat_that_ended_long_ago_and_is_in_canvas_again_needs_somebody() -> None:
    scene = Scene()
    ended = seat("s2", "ART", begin=TODAY - timedelta(days=30), end=TODAY - timedelta(days=5))
    scene.sis.roster = replace(scene.sis.roster, enrollments=[*scene.sis.roster.enrollments, ended])
    imported(scene)
    assert causes(compare(scene)) == {}
    scene.canvas.seats["ART"].add(("s2", "student"))
    found = compare(scene)
    assert causes(found) == {("enrollments", "stayed"): 1}
    assert found.needs_person


def test_rows_canvas_refused_are_told_as_refused_with_the_seats_that_hang_on_them() -> None:
    scene = Scene()
    scene.run(Mode.FULL)
    rows = scene.canvas.uploads[-1].rows("users")
    at = 2 + next(n for n, row in enumerate(rows) if row["user_id"] == "s1")
    scene.sis.roster = replace(
        scene.sis.roster, orgs=[replace(one, name="N") for one in scene.sis.roster.orgs]
    )
    scene.canvas.messages = {n: [RowMessage("users", at, "GS-615")] for n in range(7, 12)}
    scene.canvas.steps = (replace(scene.canvas._status(7), state="imported_with_messages", warnings=1),)
    scene.run(Mode.FULL)
    holds_all(scene)
    scene.canvas.other_ids["users"] -= {"s1"}
    for seats in scene.canvas.seats.values():
        seats -= {("s1", "student")}
    found = compare(scene)
    assert causes(found) == {("users", "refused"): 1, ("enrollments", "refused"): 2}
    assert found.needs_person


def test_a_class_that_left_the_sis_is_gone_at_its_school_and_what_we_never_sent_is_others() -> None:
    scene = imported()
    roster = scene.sis.roster
    scene.sis.roster = replace(
        roster,
        classes=[one for one in roster.classes if one.id != "ART"],
        enrollments=[one for one in roster.enrollments if one.class_id != "ART"],
    )
    scene.canvas.sections.add("CLUB")
    found = compare(scene)
    assert {(one.kind, one.school, cause) for one in found.lines for cause in one.causes} == {
        ("sections", "001", Cause.GONE),
        ("courses", "001", Cause.GONE),
        ("terms", "*", Cause.GONE),
        ("sections", "*", Cause.OTHERS),
    }
    assert not found.needs_person


def test_what_the_rules_leave_out_and_what_is_to_come_are_told_by_number() -> None:
    scene = imported()
    roster = scene.sis.roster
    scene.sis.roster = replace(
        roster,
        enrollments=[
            *roster.enrollments,
            seat("s2", "ART", begin=TODAY + timedelta(days=9)),
            seat("nobody", "BIO"),
        ],
    )
    found = compare(scene)
    assert found.future == 1
    assert sum(found.codes.values()) == 1
    assert ("enrollments", "not yet") not in causes(found)


def test_one_class_alone_asks_for_no_ids() -> None:
    scene = imported()
    scene.canvas.seats["BIO"].clear()
    scene.canvas.seats["ART"].clear()
    scene.canvas.looks.clear()
    found = compare(scene, class_filter="ART")
    assert scene.canvas.looks == ["ART"]
    assert not found.ids_compared
    assert causes(found) == {("enrollments", "lost"): 1}
    assert compare(scene, class_filter="NONE").looked == 0


def test_fifty_classes_are_looked_at_unless_all_are_asked_for() -> None:
    roster = sample()
    first = next(iter(roster.classes))
    classes = [first._replace(id=f"C{n:03}") for n in range(120)]
    scene = Scene(
        sis=Sis(replace(roster, classes=classes, enrollments=[seat("s1", one.id) for one in classes]))
    )
    imported(scene)
    assert (compare(scene).looked, compare(scene).classes_in_all) == (50, 120)
    found = compare(scene, full=True)
    assert found.looked == 120
    assert sum(one.sis for one in found.lines if one.kind == "enrollments") == 120


def test_a_section_that_canvas_lost_loses_all_its_seats_and_the_class_says_so() -> None:
    scene = imported()
    scene.canvas.sections.discard("BIO")
    found = compare(scene)
    assert causes(found) == {("sections", "lost"): 1, ("enrollments", "lost"): 4}
    [line] = found.classes
    assert (line.class_id, line.canvas) == ("BIO", None)


def test_a_stop_of_the_next_run_is_told_and_needs_a_person() -> None:
    scene = imported(Scene(sis=many(60)))
    scene.sis = many(10)
    found = compare(scene)
    assert "GS-601" in found.change.codes
    assert found.needs_person


def test_people_known_by_another_id_are_compared_by_it() -> None:
    scene = Scene()
    mapping = RosterMapping(people="integration_id")
    scene.account = replace(scene.account, roster=replace(scene.account.roster, mapping=mapping))
    users = [one._replace(identifier=f"n-{one.id}") for one in scene.sis.roster.users]
    scene.sis.roster = replace(scene.sis.roster, users=users)
    scene.canvas = Canvas()
    scene.run()
    holds_all(scene)
    rows = scene.canvas.uploads[-1].rows("users")
    scene.canvas.other_ids["users"] = {row["integration_id"] for row in rows}
    named = {row["integration_id"]: row["user_id"] for row in rows}
    scene.canvas.seats.clear()
    for row in scene.canvas.uploads[-1].rows("enrollments"):
        held = scene.canvas.seats.setdefault(row["section_id"], set())
        held.add((named[row["user_integration_id"]], row["role"]))
    assert causes(compare(scene)) == {}
    scene.canvas.seats["BIO"] -= {(named["s1"], "student")}
    assert causes(compare(scene)) == {("enrollments", "lost"): 1}


@pytest.mark.parametrize("full", [False, True])
def test_no_id_of_a_person_and_no_name_stands_in_a_comparison(full: bool) -> None:
    scene = imported()
    scene.canvas.seats["BIO"].clear()
    found = compare(scene, full=full)
    assert len(found.records) == 4
    text = repr(found.records)
    assert not any(f"'{one.id}'" in text or one.family_name in text for one in sample().users)


def test_an_ended_seat_that_was_never_sent_ends_with_the_next_run_and_one_no_longer_in_the_read_stayed() -> (
    None
):
    scene = Scene()
    ended = seat("s2", "ART", begin=TODAY - timedelta(days=30), end=TODAY - timedelta(days=5))
    before = scene.sis.roster.enrollments
    imported(scene)
    scene.canvas.seats["ART"].add(("s2", "student"))
    scene.sis.roster = replace(scene.sis.roster, enrollments=[*before, ended])
    assert causes(compare(scene)) == {("enrollments", "ends"): 1}
    imported(scene)
    scene.canvas.seats["ART"].add(("s2", "student"))
    scene.sis.roster = replace(scene.sis.roster, enrollments=before)
    assert causes(compare(scene)) == {("enrollments", "stayed"): 1}


def refilled() -> Scene:
    """A new store over a Canvas that was filled before: somebody's seats of those days are beyond the SIS."""
    scene = lost_store()
    assert scene.run().codes["GS-626"] == 6
    holds_all(scene)
    return scene


def test_seats_that_every_run_tells_as_beyond_the_sis_are_told_by_a_comparison_too() -> None:
    scene = refilled()
    found = compare(scene)
    assert causes(found)["enrollments", "beyond"] == 6
    assert ("enrollments", "others'") not in causes(found)
    assert found.needs_person
    assert found.looks == 6
    text = roster_comparison(found, style=Style(color=False, width=100, terminal=False))
    assert "beyond (6 records): GS-626" in text
    assert "`gradesync show riverside/roster-nightly` has the line" in " ".join(text.split())
    assert "6 records need somebody." in text
    scene.canvas.by_hand = frozenset({("001-s1", "student")})
    assert causes(compare(scene))["enrollments", "others'"] == 3


def test_classes_with_such_seats_are_looked_at_whatever_the_days_sample_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gradesync.syncs.roster_compare._SAMPLE", 1)
    found = compare(refilled())
    assert causes(found)["enrollments", "beyond"] == 6
    assert found.looked < found.classes_in_all


def test_once_nothing_is_beyond_the_sis_a_comparison_asks_no_more_than_before() -> None:
    scene = imported()
    compare(scene, full=True)
    assert scene.canvas.asked_for_imported == []
