"""Kinds without limits are counted too: what a run would do to sub-accounts, terms, courses, cross-lists, observers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from gradesync.domain.account import RosterMapping
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import RosterUser
from gradesync.domain.roster_change import ALL_SCHOOLS, RosterChange
from gradesync.domain.roster_csv import HEADERS, CanvasFile, Row, headers
from gradesync.domain.roster_diff import all_new, differences
from gradesync.domain.roster_generation import Basis, Generation, GenerationHead
from gradesync.domain.roster_hashing import GenerationMaker
from gradesync.domain.roster_mapping import canvas_files
from gradesync.domain.roster_plain import PlainRows, WholeMaker
from tests.domain.roster_samples import TODAY, ZONE, sample

KEYED = KeyedHash(b"0" * 32, "riverside")


class Nowhere:
    """Takes rows and keeps none."""

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        return len(list(rows))

    def finished(self) -> Mapping[str, CanvasFile]:
        return {}


def made(mapping: RosterMapping | None = None, **changes: object) -> Generation:
    mapping = RosterMapping() if mapping is None else mapping
    columns = headers(mapping)
    maker = WholeMaker(GenerationMaker(KEYED, columns), PlainRows(KEYED, columns))
    canvas_files(sample(**changes), maker.beside(Nowhere()), mapping, time_zone=ZONE, today=TODAY)
    return maker.made(Basis("scope", "2027"))


def told(change: RosterChange) -> dict[tuple[str, str, str], int]:
    """(kind, school, what) -> how many."""
    words = ("created", "changed", "removed", "moved")
    return {
        (one.kind, one.school, word): number
        for one in change.besides
        for word in words
        if (number := getattr(one, word))
    }


def between(old: Generation, new: Generation) -> dict[tuple[str, str, str], int]:
    return told(differences(old.head, old.chunk, new))


def test_before_a_first_import_all_of_them_would_be_created() -> None:
    assert told(all_new(made())) == {
        ("accounts", "001", "created"): 1,
        ("terms", ALL_SCHOOLS, "created"): 2,
        ("courses", "001", "created"): 2,
    }


def test_a_school_with_another_name_and_a_term_with_another_title_are_one_change_each() -> None:
    orgs = tuple(replace(one, name=f"{one.name} (new)") for one in sample().orgs)
    sessions = tuple(replace(one, title="Autumn") if one.id == "S1" else one for one in sample().sessions)
    assert between(made(), made(orgs=orgs)) == {("accounts", "001", "changed"): 1}
    assert ("terms", ALL_SCHOOLS, "changed") in between(made(), made(sessions=sessions))
    assert between(made(), made()) == {}


def test_a_course_that_is_gone_and_one_that_came_are_counted_at_their_school() -> None:
    less = tuple(one for one in sample().classes if one.id != "ART")
    seats = tuple(one for one in sample().enrollments if one.class_id != "ART")
    fewer = made(classes=less, enrollments=seats)
    assert between(made(), fewer)["courses", "001", "removed"] == 1
    assert between(fewer, made())["courses", "001", "created"] == 1


def test_a_guardian_who_is_tied_and_untied_is_an_observer_who_comes_and_goes() -> None:
    mapping = RosterMapping(guardians="observers")

    def users(*agents: str) -> tuple[RosterUser, ...]:
        return tuple(one._replace(agents=agents) if one.role == "guardian" else one for one in sample().users)

    without, one = made(mapping, users=users()), made(mapping, users=users("s1"))
    assert between(without, one)["user_observers", ALL_SCHOOLS, "created"] == 1
    assert between(one, without)["user_observers", ALL_SCHOOLS, "removed"] == 1


def rows(kind: str, *of: Row) -> Generation:
    columns = {**HEADERS, "xlists": ("xlist_course_id", "section_id", "status")}
    maker = WholeMaker(GenerationMaker(KEYED, columns), PlainRows(KEYED, columns))
    files = maker.beside(Nowhere())
    files.add("courses", [("C", "c", "C", "active", "North", "T", "C")])
    files.add(kind, list(of))
    return maker.made(Basis("scope", "2027"))


def test_a_cross_list_belongs_to_the_school_of_the_course_it_shows_in() -> None:
    old, new = rows("xlists"), rows("xlists", ("C", "S1", "active"), ("C", "S2", "deleted"))
    assert between(old, new) == {("xlists", "North", "created"): 1}


def test_a_course_under_another_sub_account_has_moved() -> None:
    old = rows("courses", ("X", "x", "X", "active", "North", "T", "X"))
    new = rows("courses", ("X", "x", "X", "active", "South", "T", "X"))
    assert between(old, new) == {("courses", "North", "moved"): 1}


def test_of_an_older_generation_that_knows_none_of_them_nothing_is_said() -> None:
    old, new = made(), made(orgs=())
    counts = {
        kind: of for kind, of in old.head.counts.items() if kind not in ("accounts", "terms", "courses")
    }
    bare = replace(old.head, counts=counts)
    assert differences(bare, old.chunk, new).besides == ()


def test_they_make_another_generation_but_no_school_of_their_own_and_survive_as_text() -> None:
    old, new = made(), made(orgs=tuple(replace(one, name="Other") for one in sample().orgs))
    assert old.head.digest != new.head.digest
    assert ALL_SCHOOLS not in old.head.schools
    assert GenerationHead.from_text(old.head.to_text()) == old.head
    change = differences(old.head, old.chunk, new)
    assert RosterChange.from_text(change.to_text()) == change


def test_in_any_order_the_same_rows_give_the_same_numbers_and_no_id_stands_in_them() -> None:
    several = [(f"X{n}", "x", "X", "active", "North", "T", "X") for n in range(200)]
    one, other = rows("courses", *several), rows("courses", *reversed(several))
    assert one == other
    assert b"X1" not in b"".join(one.chunks.values())
