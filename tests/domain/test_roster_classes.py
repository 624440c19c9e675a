"""Drops and adds per class between two generations."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_change import ClassChange
from gradesync.domain.roster_classes import MOST_CLASSES, class_changes
from gradesync.domain.roster_csv import HEADERS
from gradesync.domain.roster_generation import Basis, Generation
from gradesync.domain.roster_hashing import GenerationMaker

KEYED = KeyedHash(b"k" * 32, "riverside")
SEATS = st.frozensets(
    st.tuples(
        st.sampled_from("ABC"), st.sampled_from(["p1", "p2", "p3", "p4"]), st.sampled_from(["student", "ta"])
    )
)


def generation(
    seats: frozenset[tuple[str, str, str]], classes: str = "ABC", year: str = "2027"
) -> Generation:
    maker = GenerationMaker(KEYED, HEADERS)
    maker.take("courses", [(f"c{one}", one, one, "active", f"school {one}", "T", one) for one in classes])
    maker.take("sections", [(one, f"c{one}", one, "active", "", "", one) for one in classes])
    maker.take("users", [(who, who, "a", "b", "", "active") for who in sorted({who for _, who, _ in seats})])
    maker.take("enrollments", [(one, who, role, "active", "", "") for one, who, role in sorted(seats)])
    return maker.made(Basis("scope", year, date(2027, 6, 30)))


def changes(old: Generation, new: Generation, classes: str = "ABC") -> dict[str, tuple[int, int]]:
    found = class_changes(old.head, old.chunk, new, KEYED, classes)
    return {one.class_id: (one.added, one.dropped) for one in found}


@given(before=SEATS, after=SEATS)
def test_every_class_tells_exactly_who_came_and_who_left(
    before: frozenset[tuple[str, str, str]], after: frozenset[tuple[str, str, str]]
) -> None:
    wanted = {}
    for one in "ABC":
        was, now = ({seat for seat in seats if seat[0] == one} for seats in (before, after))
        if was != now:
            wanted[one] = (len(now - was), len(was - now))
    assert changes(generation(before), generation(after)) == wanted


def test_another_school_year_and_another_key_compare_nothing() -> None:
    some, none = frozenset({("A", "p1", "student")}), frozenset[tuple[str, str, str]]()
    assert changes(generation(some), generation(none, year="2028")) == {}


def test_a_class_that_is_gone_is_told_by_its_pseudonym_and_its_school() -> None:
    some = frozenset({("A", "p1", "student"), ("B", "p1", "student")})
    old, new = generation(some), generation(frozenset({("B", "p1", "student")}), "B")
    (found,) = class_changes(old.head, old.chunk, new, KEYED, "B")
    assert found == ClassChange(found.class_id, "school A", 0, 1)
    assert found.class_id not in "ABC"


def test_all_classes_are_told_and_the_most_changed_come_first() -> None:
    names = [f"K{n}" for n in range(MOST_CLASSES + 10)]
    maker = [GenerationMaker(KEYED, HEADERS) for _ in range(2)]
    for one in maker:
        one.take("courses", [("c", "c", "c", "active", "s", "T", "c")])
        one.take("sections", [(name, "c", name, "active", "", "", name) for name in names])
        one.take("users", [(who, who, "a", "b", "", "active") for who in ("p1", "p2")])
    seats = [(name, "p1", "student", "active", "", "") for name in names]
    maker[1].take("enrollments", [*seats, (names[5], "p2", "student", "active", "", "")])
    basis = Basis("scope", "2027", date(2027, 6, 30))
    old, new = (one.made(basis) for one in maker)
    found = class_changes(old.head, old.chunk, new, KEYED, names)
    assert (len(found), found[0].class_id, found[0].added) == (MOST_CLASSES + 10, names[5], 2)
