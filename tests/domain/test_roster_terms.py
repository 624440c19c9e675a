"""The brake and time: what ends because its term has ended, and what only an export's mistake ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from gradesync.domain.account import ExpectedChange, RosterPolicy
from gradesync.domain.roster import AcademicSession, Roster
from gradesync.domain.roster_brake import change_stops
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_diff import LAST_READ, LAST_TERM, differences
from gradesync.domain.roster_generation import (
    AIDES,
    AIDES_BY_ROLE,
    ENROLLMENTS,
    SECTIONS,
    Basis,
    GenerationHead,
)
from gradesync.syncs.roster_braking import basis_of
from tests.domain.roster_samples import FALL, SPRING, TODAY, YEAR
from tests.domain.roster_town import generation, renamed, town

TOWN = town()
USUAL = RosterPolicy()
YESTERDAY = TODAY - timedelta(1)


def basis(roster: Roster, today: date) -> Basis:
    return basis_of(roster, "all", "2027", today)


def night(
    before: Roster, after: Roster, first: date, second: date, policy: RosterPolicy = USUAL
) -> tuple[RosterChange, set[str]]:
    """Two nights: how the second read differs, and what stops it."""
    old = generation(before, basis(before, first), today=first)
    head = GenerationHead.from_text(old.head.to_text())
    new = generation(after, basis(after, second), today=second)
    found = differences(head, old.chunk, new)
    return found, {one.code for one in change_stops(found, head.basis, new.head.basis, policy, second)}


def ending(roster: Roster, seats: date | None, **terms: date) -> Roster:
    """The roster with other last days of its terms, and of everybody's seat."""
    return replace(
        roster,
        sessions=tuple(replace(one, end=terms.get(one.id, one.end)) for one in roster.sessions),
        enrollments=[one._replace(end=seats) for one in roster.enrollments],
    )


def of_terms(roster: Roster, *terms: str) -> Roster:
    """Each class in one of the terms, in turn; of ended terms the seats have ended as well."""
    ends = {one.id: one.end for one in roster.sessions}
    classes = [one._replace(term_ids=(terms[n % len(terms)],)) for n, one in enumerate(roster.classes)]
    term_of = {one.id: one.term_ids[0] for one in classes}
    seats = [one._replace(end=ends[term_of[one.class_id]]) for one in roster.enrollments]
    return replace(roster, classes=classes, enrollments=seats)


def test_a_year_closed_too_early_stops_though_everybody_only_completes() -> None:
    closed = ending(TOWN, TODAY, Y=TODAY, S1=TODAY, S2=TODAY)
    found, codes = night(TOWN, closed, YESTERDAY, TODAY)
    assert codes == {"GS-601", "GS-623"}
    assert found.total("enrollments").ended == len(TOWN.enrollments)


def test_terms_closed_too_early_stop_though_no_enrollment_changes() -> None:
    assert night(TOWN, ending(TOWN, None, S2=YESTERDAY, Y=YESTERDAY), YESTERDAY, TODAY)[1] == {"GS-623"}


@pytest.mark.parametrize(("earlier", "stops"), [(7, False), (8, True)])
def test_a_term_may_end_a_few_days_early(earlier: int, stops: bool) -> None:
    today = YEAR.end - timedelta(earlier)
    early = ending(TOWN, None, Y=today)
    assert ("GS-623" in night(TOWN, early, today - timedelta(1), today)[1]) is stops


def test_days_that_are_expected_let_terms_end_early() -> None:
    expected = replace(USUAL, expect=(ExpectedChange("Flood", TODAY, TODAY, 1.0, 1.0, 1.0),))
    closed = ending(TOWN, TODAY, Y=TODAY, S1=TODAY, S2=TODAY)
    assert night(TOWN, closed, YESTERDAY, TODAY, expected)[1] == set()


@pytest.mark.parametrize("days", [0, 1, 5])
def test_a_term_that_ends_on_its_day_completes_everybody_and_stops_nothing(days: int) -> None:
    two = of_terms(TOWN, "S1", "S2")
    first, second = FALL.end - timedelta(1), FALL.end + timedelta(days)
    found, codes = night(two, two, first, second)
    assert codes == set()
    assert found.total("enrollments").changed > 100


def test_who_completes_in_the_middle_of_a_term_has_left_early() -> None:
    two = of_terms(TOWN, "S1", "S2")
    found, codes = night(two, ending(two, TODAY, S1=TODAY, S2=TODAY), YESTERDAY, TODAY)
    assert "GS-601" in codes
    assert found.total("enrollments").changed == 0


def filed(roster: Roster, term: str, of: str = "") -> Roster:
    """The roster with the classes, perhaps those of one school, under a term."""
    classes = [
        one._replace(term_ids=(term,)) if one.school_id.startswith(of) else one for one in roster.classes
    ]
    return replace(roster, classes=classes)


@pytest.mark.parametrize(
    ("was", "becomes", "day"), [("S1", "S2", TODAY), ("S2", "S1", FALL.end + timedelta(30))]
)
def test_classes_under_way_that_are_filed_under_another_term_count_as_moved(
    was: str, becomes: str, day: date
) -> None:
    before, after = filed(TOWN, was), filed(TOWN, becomes)
    assert "GS-601" in night(before, after, day - timedelta(1), day)[1]


def test_a_term_that_suddenly_begins_later_stops_as_well() -> None:
    later = replace(FALL, start=TODAY + timedelta(30))
    moved = replace(filed(TOWN, "S1"), sessions=(YEAR, later, SPRING))
    assert night(filed(TOWN, "S1"), moved, YESTERDAY, TODAY)[1] == {"GS-623"}
    expected = replace(USUAL, expect=(ExpectedChange("New terms", TODAY, TODAY, 1.0, 1.0, 1.0),))
    assert night(filed(TOWN, "S1"), moved, YESTERDAY, TODAY, expected)[1] == set()


def test_one_school_whose_term_begins_later_stops_though_it_is_a_small_part_of_all() -> None:
    own = AcademicSession("S3", "Winter", "semester", FALL.start, FALL.end, "Y", "2027")
    some = replace(filed(filed(TOWN, "Y"), "S3", "002"), sessions=(YEAR, FALL, SPRING, own))
    later = replace(some, sessions=(YEAR, FALL, SPRING, replace(own, start=TODAY + timedelta(1))))
    loose = replace(USUAL, at_least=10)
    assert night(some, later, YESTERDAY, TODAY, loose)[1] == {"GS-623"}
    assert night(some, later, YESTERDAY, TODAY)[1] == set(), "fewer classes than the least number"


def test_a_few_classes_may_be_filed_under_another_term() -> None:
    some = filed(TOWN, "S1")
    few = [one._replace(term_ids=("S2",)) if one.id.endswith("c0") else one for one in some.classes]
    assert night(some, replace(some, classes=few), YESTERDAY, TODAY)[1] == set()


@pytest.mark.parametrize("terms", [("S1", "S2"), ("Y", "S1")])
@pytest.mark.parametrize("days", [-8, -6, 0, 1, 20])
def test_nothing_stops_classes_whose_own_term_ends(terms: tuple[str, str], days: int) -> None:
    some = of_terms(TOWN, *terms)
    first = FALL.end + timedelta(days - 1)
    assert "GS-623" not in night(some, some, first, first + timedelta(1))[1]


def semester(roster: Roster, term: AcademicSession, prefix: str) -> Roster:
    """What a SIS shows that knows the running semester alone: its classes, under ids of their own."""
    named = renamed(roster, classes=lambda one: f"{prefix}{one}")
    classes = [one._replace(term_ids=(term.id,)) for one in named.classes]
    return replace(named, classes=classes, sessions=(YEAR, FALL, SPRING))


@pytest.mark.parametrize("late", [0, 3, 30])
def test_the_classes_of_a_new_semester_replace_those_of_the_last_one(late: int) -> None:
    fall, spring = semester(TOWN, FALL, "F"), semester(TOWN, SPRING, "S")
    first = FALL.end + timedelta(late - 1)
    found, codes = night(fall, spring, first, first + timedelta(1))
    assert (found.against, codes) == (LAST_TERM, set())


def test_a_new_semester_that_is_much_smaller_stops_against_the_one_it_replaces() -> None:
    fall, spring = semester(TOWN, FALL, "F"), semester(TOWN, SPRING, "S")
    smaller = replace(spring, enrollments=list(spring.enrollments)[: len(spring.enrollments) // 2])
    first = FALL.end - timedelta(1)
    assert night(fall, smaller, first, FALL.end)[1] == {"GS-601"}


def test_new_class_ids_in_the_middle_of_a_semester_are_no_new_semester() -> None:
    fall = semester(TOWN, FALL, "F")
    found, codes = night(fall, semester(TOWN, FALL, "G"), YESTERDAY, TODAY)
    assert found.against == LAST_READ
    assert "GS-603" in codes


def test_people_with_other_ids_stop_in_a_new_semester_too() -> None:
    fall, spring = semester(TOWN, FALL, "F"), semester(TOWN, SPRING, "S")
    churned = renamed(spring, people=lambda one: f"new-{one}")
    first = FALL.end - timedelta(1)
    assert "GS-603" in night(fall, churned, first, FALL.end)[1]


@pytest.mark.parametrize("relabelled", [False, True])
def test_classes_that_would_lose_their_teachers_stop_though_teachers_are_few(relabelled: bool) -> None:
    crowd = [one for one in TOWN.enrollments if one.role == "student"]
    teachers = [one._replace(role="student") for one in TOWN.enrollments if one.role == "teacher"]
    after = replace(TOWN, enrollments=[*crowd, *teachers] if relabelled else crowd)
    loose = replace(USUAL, change_limit=replace(USUAL.change_limit, enrollments=0.5))
    found, codes = night(TOWN, after, YESTERDAY, TODAY, loose)
    assert codes == {"GS-601"}
    assert found.total(SECTIONS).untaught == 30


def test_a_teacher_who_leaves_takes_a_few_classes_along_and_stops_nothing() -> None:
    left = [one for one in TOWN.enrollments if one.user_id != "001-t0"]
    found, codes = night(TOWN, replace(TOWN, enrollments=left), YESTERDAY, TODAY)
    assert codes == set()
    assert found.total(SECTIONS).untaught == 2


def test_all_teachers_of_a_small_school_are_missed() -> None:
    left = [one for one in TOWN.enrollments if not one.user_id.startswith("001-t")]
    assert night(TOWN, replace(TOWN, enrollments=left), YESTERDAY, TODAY)[1] == {"GS-601"}


def test_class_ids_of_last_year_that_come_again_would_take_its_work_along() -> None:
    after = date(2027, 8, 25)
    old = generation(TOWN, Basis("all", "2027", YEAR.end), today=TODAY)
    new = generation(TOWN, Basis("all", "2028", date(2028, 7, 1)), today=TODAY)
    found = differences(old.head, old.chunk, new)
    [stop] = change_stops(found, old.head.basis, new.head.basis, USUAL, after)
    assert stop.code == "GS-601"
    assert "come again under the same ids" in stop.message


def test_classes_that_are_filed_under_another_term_are_moved() -> None:
    fall = replace(TOWN, classes=[one._replace(term_ids=("S1",)) for one in TOWN.classes])
    spring = replace(TOWN, classes=[one._replace(term_ids=("S2",)) for one in TOWN.classes])
    found, codes = night(fall, spring, YESTERDAY, TODAY)
    assert found.total(SECTIONS).moved == len(TOWN.classes)
    assert codes == {"GS-601"}


def seen(before: tuple[str, ...], now: tuple[str, ...]) -> list[tuple[str, str]]:
    """What stops a night on which the SIS's views could not show `now`, after one of `before`."""
    old, new = (replace(basis(TOWN, TODAY), hidden=hidden) for hidden in (before, now))
    head = GenerationHead.from_text(generation(TOWN, old).head.to_text())
    stops = change_stops(RosterChange(), head.basis, new, USUAL, TODAY)
    return [(one.code, one.message) for one in stops]


@pytest.mark.parametrize("hidden", [ENROLLMENTS, AIDES])
def test_a_narrower_view_than_last_nights_stops_and_a_wider_one_does_not(hidden: str) -> None:
    (stop,) = seen((), (hidden,))
    assert stop[0] == "GS-602"
    assert "showed more in the last good read" in stop[1]
    assert seen((hidden,), (hidden,)) == []
    assert seen((hidden,), ()) == []


def test_a_sis_that_never_shows_aides_by_role_does_not_stop_because_one_of_them_is_unknown() -> None:
    assert seen((AIDES_BY_ROLE,), (AIDES, AIDES_BY_ROLE)) == []
    assert seen((), (AIDES_BY_ROLE,)) == [], "every one of them was found"
    assert len(seen((), (AIDES, AIDES_BY_ROLE))) == 1


def test_a_view_that_hides_more_than_it_did_stops() -> None:
    assert len(seen((AIDES,), (AIDES, ENROLLMENTS))) == 1
