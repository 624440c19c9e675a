"""Taking over a Canvas that another tool filled: the same ids, or a stop that says how many are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_change import ALL_SCHOOLS, Matching
from gradesync.domain.roster_guard import RosterStop
from gradesync.domain.roster_takeover import (
    KINDS,
    SEATS,
    HeldIds,
    OurIds,
    TakeOver,
    other_tools,
    take_over_stop,
)


def ids(*names: object) -> list[str]:
    return [str(name) for name in names]


def laid(
    kind: str,
    held: Iterable[str],
    schools: Mapping[str, Iterable[str]],
    *,
    over: Iterable[str] = (),
) -> tuple[Matching, ...]:
    """Canvas's ids beside ours, which are given by school."""
    names = ["", *schools]
    ours = OurIds([id for of_school in schools.values() for id in of_school])
    for number, of_school in enumerate(schools.values(), start=1):
        for id in of_school:
            ours.school(id, number)
    matched = TakeOver({kind: ours}, names)
    matched.hold(HeldIds(kind, list(over), over=True))
    matched.hold(HeldIds(kind, list(held)))
    return matched.matchings()


def sections(held: Iterable[str], wanted: Iterable[str]) -> RosterStop | None:
    return take_over_stop(laid("sections", held, {"001": wanted}))


def test_an_empty_canvas_is_simply_filled() -> None:
    assert sections([], ids("a", "b")) is None
    assert take_over_stop([]) is None


def test_a_canvas_with_other_ids_is_not_taken_over_and_the_numbers_are_told() -> None:
    held = ids(*(f"x{n}" for n in range(30)), 0)
    found = laid("sections", held, {"001": ids(*range(20))})
    stop = take_over_stop(found, ("data set clever", "Canvas user 4711"))
    assert stop is not None
    assert (stop.code, stop.final) == ("GS-609", False)
    assert "Of 20 sections from the SIS, Canvas knows 1 by id" in stop.message
    assert "it holds 30 sections whose SIS ids we do not send" in stop.message
    assert "data set clever; Canvas user 4711" in stop.message
    assert stop.message.endswith("Nothing was sent.")


def test_former_years_in_canvas_and_new_classes_in_the_sis_do_not_hinder_a_take_over() -> None:
    old = ids(*(f"old{n}" for n in range(300)))
    assert sections([*ids(*range(100)), *old], ids(*range(100))) is None
    assert sections(ids(*range(60)), ids(*range(100))) is None


def test_ids_of_ended_terms_may_match_and_are_missed_by_nobody() -> None:
    last_year, ours = ids(*(f"old{n}" for n in range(300))), ids(*range(100))
    assert take_over_stop(laid("terms", [], {"": ours}, over=last_year)) is None
    assert laid("terms", [], {"": ours}, over=ours)[0].same == 100


@pytest.mark.parametrize(("same", "stops"), [(95, False), (94, True)])
def test_ninety_five_of_a_hundred_ids_must_match(same: int, stops: bool) -> None:
    held = ids(*(n if n < same else f"x{n}" for n in range(100)))
    assert (sections(held, ids(*range(100))) is not None) is stops


@pytest.mark.parametrize("kind", KINDS)
def test_one_school_with_other_ids_does_not_hide_in_a_large_district(kind: str) -> None:
    schools = {str(school): ids(*(f"{school}-{n}" for n in range(50))) for school in range(40)}
    known = [id for school, found in schools.items() if school != "7" for id in found]
    theirs = ids(*(f"other-{n}" for n in range(50)))
    assert take_over_stop(laid(kind, known, schools)) is None
    stop = take_over_stop(laid(kind, [*known, *theirs], schools))
    assert stop is not None
    assert "Too few in school 7: 0 of 50." in stop.message


def test_every_kind_must_match_on_its_own() -> None:
    found = (
        *laid("sections", ids(*range(50)), {"001": ids(*range(50))}),
        *laid("users", ids(*(f"u{n}" for n in range(50))), {"001": ids(*range(50))}),
    )
    stop = take_over_stop(found)
    assert stop is not None
    assert "50 people" in stop.message
    assert "sections" not in stop.message


@pytest.mark.parametrize(("strays", "stops"), [(4, False), (5, True)])
def test_a_few_people_with_ids_given_by_hand_are_no_other_tool(strays: int, stops: bool) -> None:
    held = ids(*(f"x{n}" for n in range(strays)))
    assert (take_over_stop(laid("users", held, {"001": ids(*range(50))})) is not None) is stops


@pytest.mark.parametrize(
    ("same", "wanted", "stops"), [(49, 100, True), (50, 100, False), (0, 19, False), (0, 20, True)]
)
def test_equal_ids_with_other_people_in_the_classes_are_other_classes(
    same: int, wanted: int, stops: bool
) -> None:
    seats = Matching(SEATS, "001", wanted, same, wanted - same)
    stop = take_over_stop([Matching(SEATS, ALL_SCHOOLS, wanted, same, wanted - same), seats])
    assert (stop is not None) is stops


def test_what_only_canvas_holds_is_handed_out_page_by_page_and_unknown_kinds_are_passed_over() -> None:
    matched = TakeOver({"users": OurIds(ids(1, 2))}, [""])
    assert matched.hold(HeldIds("users", ids(2, 3))) == ["3"]
    assert matched.hold(HeldIds("users", ids(4), over=True)) == []
    assert matched.hold(HeldIds("groups", ids(5))) == []
    assert matched.held == 3


def test_other_tools_are_named_by_data_set_or_by_number_and_never_by_a_person() -> None:
    imports = [
        *(ImportStatus(n, "imported", data_set="clever-2027", user_id=9) for n in range(3)),
        ImportStatus(4, "imported", user_id=4711),
        ImportStatus(5, "imported", data_set="gradesync:riverside:2027", user_id=8),
        ImportStatus(6, "failed"),
        ImportStatus(7, "imported", data_set="Zoë\x1b" + "x" * 200),
    ]
    named = other_tools(imports, "gradesync:riverside:2027")
    assert named[:3] == ("data set clever-2027 (3)", "Canvas user 4711 (1)", "an unknown user (1)")
    assert named[3] == f"data set Zo??{'x' * 36} (1)"


@given(
    st.frozensets(st.integers(0, 200).map(str), min_size=1),
    st.frozensets(st.integers(0, 200).map(str), min_size=1),
)
def test_in_one_school_the_rule_is_95_percent_of_the_smaller_side(
    known: frozenset[str], wanted: frozenset[str]
) -> None:
    enough = len(known & wanted) >= 0.95 * min(len(known), len(wanted))
    assert (sections(known, wanted) is None) is enough
