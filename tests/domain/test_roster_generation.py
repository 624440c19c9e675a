"""A generation: what two reads have in common is found again by numbers alone, and nobody can read a name out of it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.account import RosterMapping
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import Roster
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_csv import HEADERS, CanvasFile, Row
from gradesync.domain.roster_generation import (
    ENROLLMENTS,
    KINDS,
    SECTIONS,
    USERS,
    Generation,
    GenerationHead,
)
from gradesync.domain.roster_hashing import GenerationMaker
from gradesync.domain.roster_mapping import canvas_files
from tests.domain.roster_samples import TODAY, USUAL, ZONE
from tests.domain.roster_town import BASIS, KEYED, SCHOOLS, change, generation, renamed, town, without_school

TOWN = town()


def numbers(found: RosterChange, kind: str, school: str = "001") -> dict[str, int]:
    """What is not zero, besides before and after."""
    [one] = [one for one in found.schools if (one.kind, one.school) == (kind, school)]
    names = ("created", "changed", "ended", "removed", "moved", "renumbered")
    return {name: getattr(one, name) for name in names if getattr(one, name)}


def test_the_head_counts_by_kind_and_school_and_survives_as_text() -> None:
    head = generation(TOWN).head
    assert head.counts[SECTIONS] == dict.fromkeys(SCHOOLS, 10)
    assert head.counts[USERS] == dict.fromkeys(SCHOOLS, 45)
    assert head.counts[ENROLLMENTS] == dict.fromkeys(SCHOOLS, 130)
    assert head.total(USERS) == 135
    assert GenerationHead.from_text(head.to_text()) == head


def test_the_same_records_in_any_order_give_the_same_generation() -> None:
    mixed = list(TOWN.enrollments), list(TOWN.users), list(TOWN.classes)
    for rows in mixed:
        random.Random(7).shuffle(rows)
    other = replace(TOWN, enrollments=mixed[0], users=mixed[1], classes=mixed[2])
    assert generation(other) == generation(TOWN)


def test_no_id_and_no_name_stands_in_a_generation_and_another_key_makes_other_numbers() -> None:
    found = generation(TOWN)
    raw = b"".join(found.chunks.values()) + found.head.to_text().encode()
    for secret in ("login", "Ada", "Family", "-s1", "-c1", "Subject"):
        assert secret.encode() not in raw
    other = generation(TOWN, keyed=KeyedHash(b"x" * 32, "riverside"))
    assert all(found.chunks[key] != other.chunks[key] for key in found.chunks)
    assert found.head.key_id != other.head.key_id


def test_a_generation_takes_eight_bytes_per_enrollment_and_little_more() -> None:
    found = generation(TOWN)
    size = sum(len(chunk) for (kind, _), chunk in found.chunks.items() if kind == ENROLLMENTS)
    assert size == 8 * (len(TOWN.enrollments) + 2 * len(TOWN.classes))


def test_a_read_that_is_the_same_changes_nothing() -> None:
    found = change(TOWN, TOWN)
    assert not any(one.is_change for one in found.schools)
    assert found.examples == ()


def test_drops_adds_and_a_change_of_class_are_told_apart() -> None:
    seats = list(TOWN.enrollments)
    dropped = [one for one in seats if one.user_id == "001-s0"][:1]
    switched = [one for one in seats if one.user_id == "001-s1"][:1]
    ended = [one for one in seats if one.user_id == "001-s2"][:1]
    after = [one for one in seats if one not in (*dropped, *switched, *ended)]
    after.append(switched[0]._replace(class_id="001-c9"))
    after.append(ended[0]._replace(end=TODAY))
    after.append(switched[0]._replace(user_id="001-s3", class_id="001-c9"))
    found = change(TOWN, replace(TOWN, enrollments=after))
    assert numbers(found, ENROLLMENTS) == {"created": 1, "ended": 1, "removed": 1, "moved": 1}
    assert numbers(found, SECTIONS) == {}
    assert numbers(found, USERS) == {}


def test_a_person_who_is_disabled_has_ended_and_one_with_another_name_has_changed() -> None:
    users = [
        one._replace(enabled=False)
        if one.id == "002-s1"
        else one._replace(family_name="New")
        if one.id == "002-s2"
        else one
        for one in TOWN.users
    ]
    assert numbers(change(TOWN, replace(TOWN, users=users)), USERS, "002") == {"changed": 1, "ended": 1}


def test_who_goes_to_another_school_moved_and_who_has_no_class_yet_only_changed() -> None:
    seats = [
        one._replace(class_id=one.class_id.replace("001", "002")) if one.user_id == "001-s0" else one
        for one in TOWN.enrollments
        if one.user_id != "001-s1"
    ]
    found = change(TOWN, replace(TOWN, enrollments=seats))
    assert numbers(found, USERS) == {"changed": 1, "moved": 1}
    assert numbers(found, USERS, "002") == {}
    assert numbers(found, ENROLLMENTS) == {"removed": 6}
    assert numbers(found, ENROLLMENTS, "002") == {"created": 3}


def test_a_class_in_another_school_moved_and_one_with_another_title_changed() -> None:
    classes = [
        one._replace(school_id="003")
        if one.id == "001-c0"
        else one._replace(title="Other")
        if one.id == "001-c1"
        else one
        for one in TOWN.classes
    ]
    assert numbers(change(TOWN, replace(TOWN, classes=classes)), SECTIONS) == {"changed": 1, "moved": 1}


def test_the_same_people_under_new_ids_are_recognised_by_name() -> None:
    found = change(TOWN, renamed(TOWN, people=lambda one: f"new-{one}" if one.startswith("001-s") else one))
    assert numbers(found, USERS) == {"created": 40, "removed": 40, "renumbered": 40}
    pair = found.examples[0]
    assert (pair.what, pair.kind, pair.school, pair.seats) == ("new id", USERS, "001", 3)
    assert pair.other not in (None, pair.subject)


def test_the_same_classes_under_new_ids_are_recognised_by_title_or_by_who_sits_in_them() -> None:
    new = renamed(TOWN, classes=lambda one: one.replace("001-c", "001-k"))
    assert numbers(change(TOWN, new), SECTIONS) == {"created": 10, "removed": 10, "renumbered": 10}
    retitled = replace(new, classes=[one._replace(title=f"Now {one.id}") for one in new.classes])
    assert numbers(change(TOWN, retitled), SECTIONS)["renumbered"] == 10


def test_other_people_in_the_place_of_those_who_left_are_not_taken_for_them() -> None:
    users = [
        one._replace(id=f"x{one.id}", family_name=f"Other{one.id}") if one.id.startswith("001-s") else one
        for one in TOWN.users
    ]
    seats = [
        one._replace(user_id=f"x{one.user_id}") if one.user_id.startswith("001-s") else one
        for one in TOWN.enrollments
    ]
    found = change(TOWN, replace(TOWN, users=users, enrollments=seats))
    assert numbers(found, USERS) == {"created": 40, "removed": 40}


def test_a_new_year_is_measured_by_counts_and_its_people_by_id() -> None:
    next_year = replace(BASIS, year="2028", until=None)
    new = renamed(TOWN, classes=lambda one: f"28-{one}")
    found = change(TOWN, without_school(new, "003"), basis=next_year)
    assert found.against == "last year"
    assert numbers(found, SECTIONS) == {}
    assert numbers(found, SECTIONS, "003") == {"removed": 10}
    rekeyed = change(TOWN, renamed(new, people=lambda one: f"n{one}"), basis=next_year)
    assert numbers(rekeyed, USERS) == {"renumbered": 45}


def test_where_all_courses_lie_in_the_root_account_schools_are_still_told_apart() -> None:
    mapping = RosterMapping(accounts="none")
    schools = {one.id: one.school_id for one in TOWN.classes}
    assert generation(TOWN, mapping=mapping, schools=schools).head.counts[SECTIONS] == dict.fromkeys(
        SCHOOLS, 10
    )


def as_sis_exports(roster: Roster, chunk: int = 7) -> Generation:
    """The generation of the same rows as an SIS's own Canvas files bring them: file after file, in other words."""
    rows: dict[str, list[Row]] = {kind: [] for kind in HEADERS}

    class Kept:
        def add(self, kind: str, more: Iterable[Row]) -> int:
            rows[kind] += more
            return 0

        def finished(self) -> dict[str, CanvasFile]:
            return {}

    canvas_files(roster, Kept(), USUAL, time_zone=ZONE, today=TODAY)
    rows["enrollments"] = [
        (*row[:2], row[2].title(), row[3].title(), *row[4:]) for row in rows["enrollments"]
    ]
    maker = GenerationMaker(KEYED, HEADERS)
    for kind, found in rows.items():
        for at in range(0, len(found), chunk):
            maker.take(kind, found[at : at + chunk])
    return maker.made(BASIS)


def test_files_that_come_one_after_the_other_give_the_same_generation() -> None:
    assert as_sis_exports(TOWN) == generation(TOWN)


@pytest.mark.parametrize("kind", KINDS)
def test_examples_name_at_most_ten_records_by_pseudonym(kind: str) -> None:
    found = change(TOWN, replace(TOWN, users=(), enrollments=(), classes=()))
    assert 0 < len(found.examples) <= 10
    assert all(len(one.subject) == 12 and int(one.subject, 16) >= 0 for one in found.examples)
    assert found.total(kind).after == 0


@settings(max_examples=30, deadline=None)
@given(
    st.sets(st.integers(0, len(TOWN.enrollments) - 1)),
    st.sets(st.integers(0, len(TOWN.users) - 1), max_size=9),
)
def test_every_record_is_counted_once_whatever_leaves(gone: set[int], left: set[int]) -> None:
    users = [one for at, one in enumerate(TOWN.users) if at not in left]
    ids = {one.id for one in users}
    seats = [one for at, one in enumerate(TOWN.enrollments) if at not in gone and one.user_id in ids]
    after: Roster = replace(TOWN, users=users, enrollments=seats)
    found = change(TOWN, after)
    back = change(after, TOWN)
    for kind in KINDS:
        total, reverse = found.total(kind), back.total(kind)
        assert total.before - total.removed - total.ended + total.created == total.after
        assert (total.removed, total.created, total.changed) == (
            reverse.created,
            reverse.removed,
            reverse.changed,
        )
    assert found.total(ENROLLMENTS).removed == len(TOWN.enrollments) - len(seats)
    assert found.total(USERS).removed == len(left)
