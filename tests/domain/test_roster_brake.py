"""The brake over whole reads: realistic accidents stop with their numbers, an ordinary night goes through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.account import ChangeLimit, ExpectedChange, RosterPolicy
from gradesync.domain.roster import Roster
from gradesync.domain.roster_brake import change_digest, change_stops, is_over, verdict
from gradesync.domain.roster_change import RosterChange, SchoolChange
from gradesync.domain.roster_generation import Basis
from gradesync.domain.roster_guard import RosterStop
from tests.domain.roster_samples import TODAY
from tests.domain.roster_town import BASIS, change, renamed, town, without_school

TOWN = town()
POLICY = RosterPolicy()
NEXT_YEAR = Basis("all", "2028", date(2028, 7, 1))
AFTER_SUMMER = date(2027, 8, 25)


def stops(
    found: RosterChange, now: Basis = BASIS, policy: RosterPolicy = POLICY, today: date = TODAY
) -> dict[str, str]:
    """Messages by code."""
    told: dict[str, str] = {}
    for stop in change_stops(found, BASIS, now, policy, today):
        told[stop.code] = f"{told.get(stop.code, '')} {stop.message}".strip()
    return told


def half(roster: Roster) -> Roster:
    """Every second page of people never came; their enrollments did, and point at nobody."""
    return replace(roster, users=[one for at, one in enumerate(roster.users) if at // 10 % 2])


def shifted(roster: Roster) -> Roster:
    """The end date of another row stands in every row: everybody has left."""
    return replace(roster, enrollments=[one._replace(end=date(2026, 9, 1)) for one in roster.enrollments])


def test_an_ordinary_night_goes_through() -> None:
    seats = [one for one in TOWN.enrollments if one.user_id not in {"001-s0", "002-s1", "003-s2"}]
    users = [one._replace(family_name="New") if one.id == "001-s5" else one for one in TOWN.users]
    assert stops(change(TOWN, replace(TOWN, users=users, enrollments=seats))) == {}


ACCIDENTS: dict[str, tuple[Callable[[Roster], Roster], str, str]] = {
    "a school is missing": (
        lambda town: without_school(town, "002"),
        "GS-602",
        "School 002 is missing: its 10 sections and 130 enrollments are gone since the last read.",
    ),
    "half the pages of people": (half, "GS-601", "people would go"),
    "everybody has left": (shifted, "GS-601", "School 001: 130 of 130 enrollments would go (130 ended)"),
    "an empty file of enrollments": (lambda town: replace(town, enrollments=()), "GS-601", "130 removed"),
    "all people have new ids": (
        lambda town: renamed(town, people=lambda one: f"9{one}"),
        "GS-603",
        "School 001: 45 of 45 people seem to have come back under other ids.",
    ),
    "all classes have new ids": (
        lambda town: renamed(town, classes=lambda one: f"9{one}"),
        "GS-603",
        "School 003: 10 of 10 sections seem to have come back under other ids.",
    ),
    "one school's people have new ids": (
        lambda town: renamed(town, people=lambda one: f"9{one}" if one.startswith("003") else one),
        "GS-603",
        "School 003: 45 of 45 people seem to have come back under other ids.",
    ),
    "everybody is disabled": (
        lambda town: replace(town, users=[one._replace(enabled=False) for one in town.users]),
        "GS-601",
        "School 002: 45 of 45 people would go (45 ended)",
    ),
    "the classes of two schools are exchanged": (
        lambda town: replace(
            town,
            classes=[
                one._replace(school_id={"001": "002", "002": "001"}.get(one.school_id, one.school_id))
                for one in town.classes
            ],
        ),
        "GS-601",
        "School 001: 45 of 45 people would go (45 moved)",
    ),
}


@pytest.mark.parametrize("name", ACCIDENTS)
def test_an_accident_stops_with_its_code_and_its_numbers(name: str) -> None:
    accident, code, sentence = ACCIDENTS[name]
    found = change(TOWN, accident(TOWN))
    told = stops(found)
    assert code in told, told
    assert sentence in told[code]
    assert told[code].endswith("Nothing was sent.")
    assert found.examples


@pytest.mark.parametrize("name", ACCIDENTS)
def test_going_back_from_an_accident_that_never_went_through_is_no_change(name: str) -> None:
    assert stops(change(TOWN, town())) == {}


def test_a_school_that_loses_a_tenth_hides_in_no_district() -> None:
    few = {f"001-s{n}" for n in range(8)}
    seats = [one for one in TOWN.enrollments if one.user_id not in few]
    told = stops(change(TOWN, replace(TOWN, enrollments=seats)))
    assert list(told) == ["GS-601"]
    assert "School 001: 24 of 130 enrollments would go (24 removed); the limit is 10%." in told["GS-601"]
    assert "002" not in told["GS-601"]


def test_many_small_losses_make_a_large_one() -> None:
    seats = [one for one in TOWN.enrollments if int(one.class_id[-1]) or one.role == "teacher"]
    found = change(TOWN, replace(TOWN, enrollments=seats))
    told = stops(found, policy=RosterPolicy(change_limit=ChangeLimit(enrollments=0.08)))
    assert "All schools: 36 of 390 enrollments would go" in told["GS-601"]


def test_an_expected_change_lets_its_removals_through_but_never_new_ids() -> None:
    days = ExpectedChange("Boundaries", TODAY, TODAY, enrollments=1.0, users=1.0, sections=1.0)
    policy = RosterPolicy(expect=(days,))
    left = replace(TOWN, enrollments=[one for one in TOWN.enrollments if int(one.user_id[-1]) % 2])
    assert stops(change(TOWN, left), policy=policy) == {}
    rekeyed = change(TOWN, renamed(TOWN, people=lambda one: f"9{one}"))
    assert list(stops(rekeyed, policy=policy)) == ["GS-603"]


def test_a_new_year_goes_through_when_it_is_as_large_as_the_one_it_replaces() -> None:
    new = renamed(TOWN, classes=lambda one: f"28-{one}")
    found = change(TOWN, new, basis=NEXT_YEAR)
    assert stops(found, NEXT_YEAR, today=AFTER_SUMMER) == {}


def test_a_new_year_that_is_much_smaller_stops_unless_it_is_expected() -> None:
    small = renamed(
        replace(TOWN, enrollments=[one for one in TOWN.enrollments if one.user_id[-1] in "0123t"]),
        classes=lambda one: f"28-{one}",
    )
    found = change(TOWN, small, basis=NEXT_YEAR)
    told = stops(found, NEXT_YEAR, today=AFTER_SUMMER)
    assert list(told) == ["GS-601"]
    assert "enrollments where the last year had 130; the limit is 10% less." in told["GS-601"]
    days = ExpectedChange("New year", AFTER_SUMMER, AFTER_SUMMER, enrollments=1.0)
    assert stops(found, NEXT_YEAR, RosterPolicy(expect=(days,)), AFTER_SUMMER) == {}


def test_in_summer_the_enrollments_of_a_year_that_has_not_begun_are_not_missed() -> None:
    new = renamed(replace(TOWN, enrollments=()), classes=lambda one: f"28-{one}")
    found = change(TOWN, new, basis=NEXT_YEAR, begun=False)
    assert stops(found, NEXT_YEAR, today=AFTER_SUMMER) == {}
    fewer = replace(new, classes=list(new.classes)[10:])
    told = stops(change(TOWN, fewer, basis=NEXT_YEAR, begun=False), NEXT_YEAR, today=AFTER_SUMMER)
    assert "School 001 is missing" in told["GS-602"]


def test_another_school_year_before_the_last_one_has_ended_stops() -> None:
    new = renamed(TOWN, classes=lambda one: f"28-{one}")
    found = change(TOWN, new, basis=NEXT_YEAR)
    told = stops(found, NEXT_YEAR)
    assert list(told) == ["GS-613"]
    assert "school year 2028, but 2027 lasts until 2027-07-01" in told["GS-613"]
    days = ExpectedChange("Roll-over", TODAY, TODAY)
    assert stops(found, NEXT_YEAR, RosterPolicy(expect=(days,))) == {}
    assert stops(found, NEXT_YEAR, today=date(2027, 7, 1)) == {}


def test_a_few_records_of_a_small_school_stop_nothing() -> None:
    one_class = [row for row in TOWN.enrollments if row.class_id != "001-c0"]
    classes = [row for row in TOWN.classes if row.id != "001-c0"]
    found = change(TOWN, replace(TOWN, classes=classes, enrollments=one_class))
    assert found.total("sections").removed == 1
    assert stops(found) == {}


def test_more_than_five_schools_are_told_as_a_number() -> None:
    schools = tuple(SchoolChange("sections", f"{n:03}", 100, 50, removed=50) for n in range(9))
    told = stops(RosterChange(schools, "last read"))["GS-601"]
    assert told.count("School ") == 5
    assert "The same in 4 more schools." in told


# --- the verdict ------------------------------------------------------------------------------------------------

TOO_MANY = RosterStop("GS-601", "Much would go. Nothing was sent.")
MISSING = RosterStop("GS-602", "A school is missing. Nothing was sent.")
EMPTY = RosterStop("GS-602", "There is nothing. Nothing was sent.", final=True)


def test_the_gravest_code_is_the_runs_and_every_sentence_is_told_once() -> None:
    found = verdict(RosterChange(), [TOO_MANY, MISSING, TOO_MANY], "d1", ())
    assert found.stop == RosterStop("GS-602", "A school is missing. Much would go. Nothing was sent.")
    assert found.change.codes == ("GS-602", "GS-601")
    assert (found.change.digest, found.change.stopped) == ("d1", True)


def test_an_approval_lifts_exactly_the_change_it_names() -> None:
    assert verdict(RosterChange(), [TOO_MANY], "d1", {"d2"}).stop is not None
    lifted = verdict(RosterChange(), [TOO_MANY], "d1", {"d1", "d2"})
    assert lifted.stop is None
    assert (lifted.change.approved, lifted.change.stopped) == (True, False)
    assert lifted.change.sentences


def test_an_empty_read_can_never_be_approved() -> None:
    found = verdict(RosterChange(), [TOO_MANY, EMPTY], "d1", {"d1"})
    assert found.stop is not None
    assert found.stop.final
    assert found.change.digest is None


def test_a_read_without_stops_has_no_verdict_to_approve() -> None:
    found = verdict(RosterChange(against="last read"), [], "d1", {"d1"})
    assert (found.stop, found.change) == (None, RosterChange(against="last read"))


@given(st.lists(st.text(max_size=8), min_size=3, max_size=3), st.integers(0, 2), st.text(min_size=1))
def test_a_change_set_has_a_digest_of_its_own_in_account_base_and_files(
    parts: list[str], at: int, more: str
) -> None:
    other = [part + more if n == at else part for n, part in enumerate(parts)]
    assert change_digest(*parts) != change_digest(*other)
    assert change_digest(*parts) == change_digest(*parts)


@given(
    before=st.integers(0, 3000),
    removed=st.integers(0, 3000),
    moved=st.integers(0, 100),
    limit=st.floats(0, 1),
    at_least=st.integers(0, 50),
)
def test_nothing_below_the_share_or_below_the_least_number_stops_and_everything_above_both_does(
    before: int, removed: int, moved: int, limit: float, at_least: int
) -> None:
    one = SchoolChange("enrollments", "001", before, removed=removed, moved=moved)
    lost = removed + moved
    assert is_over(one, limit, at_least) == (lost > before * limit and lost >= max(1, at_least))
    policy = RosterPolicy(change_limit=ChangeLimit(enrollments=limit), at_least=at_least)
    assert bool(stops(RosterChange((one,), "last read"), policy=policy)) == is_over(one, limit, at_least)
