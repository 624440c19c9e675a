"""Taking over a Canvas that another tool filled: the same ids, or a stop that says how many are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_takeover import other_tools, take_over_stop


def ids(*names: object) -> frozenset[str]:
    return frozenset(str(name) for name in names)


def one_school(*names: object) -> dict[str, dict[str, frozenset[str]]]:
    return {"sections": {"001": ids(*names)}}


def test_an_empty_canvas_is_simply_filled() -> None:
    assert take_over_stop({"sections": frozenset()}, one_school("a", "b")) is None
    assert take_over_stop({}, one_school("a", "b")) is None


def test_a_canvas_with_other_ids_is_not_taken_over_and_the_numbers_are_told() -> None:
    known = {"sections": ids(*(f"x{n}" for n in range(30)), 0)}
    stop = take_over_stop(known, one_school(*range(20)), ("data set clever", "Canvas user 4711"))
    assert stop is not None
    assert (stop.code, stop.final) == ("GS-609", False)
    assert "31 sections" in stop.message
    assert "the SIS has 20" in stop.message
    assert "only 1 ids" in stop.message
    assert "data set clever; Canvas user 4711" in stop.message
    assert stop.message.endswith("Nothing was sent.")


def test_former_years_in_canvas_and_new_classes_in_the_sis_do_not_hinder_a_take_over() -> None:
    old = (f"old{n}" for n in range(300))
    assert take_over_stop({"sections": ids(*range(100), *old)}, one_school(*range(100))) is None
    assert take_over_stop({"sections": ids(*range(60))}, one_school(*range(100))) is None


@pytest.mark.parametrize(("same", "stops"), [(95, False), (94, True)])
def test_ninety_five_of_a_hundred_ids_must_match(same: int, stops: bool) -> None:
    known = {"sections": ids(*(n if n < same else f"x{n}" for n in range(100)))}
    assert (take_over_stop(known, one_school(*range(100))) is not None) is stops


def test_one_school_with_other_ids_does_not_hide_in_a_large_district() -> None:
    schools = {str(school): ids(*(f"{school}-{n}" for n in range(50))) for school in range(40)}
    known = frozenset().union(*(found for school, found in schools.items() if school != "7"))
    theirs = ids(*(f"other-{n}" for n in range(50)))
    assert take_over_stop({"sections": known}, {"sections": schools}) is None
    stop = take_over_stop({"sections": known | theirs}, {"sections": schools})
    assert stop is not None
    assert "too few in: 7 0 of 50" in stop.message


def test_every_kind_must_match_on_its_own() -> None:
    known = {"sections": ids(*range(50)), "users": ids(*(f"u{n}" for n in range(50)))}
    wanted = {**one_school(*range(50)), "users": {"": ids(*range(50))}}
    stop = take_over_stop(known, wanted)
    assert stop is not None
    assert "50 users" in stop.message
    assert "sections" not in stop.message


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
    stop = take_over_stop({"sections": known}, {"sections": {"001": wanted}})
    enough = len(known & wanted) >= 0.95 * min(len(known), len(wanted))
    assert (stop is None) is enough
