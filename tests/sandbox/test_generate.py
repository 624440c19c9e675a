"""The made-up district is reproducible and holds the cases that break roster syncs."""

from __future__ import annotations

from collections import Counter
from datetime import date
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gradesync.sandbox.district import District
from gradesync.sandbox.generate import generate, school_year

TODAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def district() -> District:
    return generate("riverside", students=240, seed=1, today=TODAY)


@settings(max_examples=20, deadline=None)
@given(
    key=st.sampled_from(["riverside", "oak-hill", "new"]),
    students=st.integers(1, 150),
    seed=st.integers(0, 9),
    today=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
)
@example(key="riverside", students=120, seed=1, today=date(2027, 6, 30))
@example(key="riverside", students=120, seed=1, today=date(2027, 7, 1))
def test_any_district_is_reproducible_and_consistent(key: str, students: int, seed: int, today: date) -> None:
    made = generate(key, students=students, seed=seed, today=today)
    assert made == generate(key, students=students, seed=seed, today=today)
    people = {p.sourced_id: p for p in made.people}
    classes = {c.sourced_id: c for c in made.classes}
    courses = {c.sourced_id for c in made.courses}
    sessions = {s.sourced_id for s in made.sessions}
    enrollments = {e.sourced_id for e in made.enrollments}
    assert len(people) == len(made.people)
    assert len({p.username for p in made.people}) == len(made.people)
    assert len(classes) == len(made.classes)
    assert len(enrollments) == len(made.enrollments)
    assert all(c.course_id in courses and set(c.term_ids) <= sessions for c in made.classes)
    assert all(e.class_id in classes and people[e.person_id].role == e.role for e in made.enrollments)
    assert all(e.begin is None or e.end is None or e.begin < e.end for e in made.enrollments)
    assert made.news <= people.keys() | classes.keys() | enrollments
    assert made.ended <= enrollments
    assert not made.news & made.ended


@given(today=st.dates(date(2020, 1, 1), date(2040, 12, 31)))
def test_marking_periods_cover_the_school_year_of_any_day_without_a_gap(today: date) -> None:
    year, first, second, *periods = school_year(today)
    assert year.start <= today < year.end
    assert first.end == second.start
    assert [p.parent_id for p in periods] == [first.sourced_id] * 2 + [second.sourced_id] * 2
    assert all(a.end == b.start for a, b in pairwise(periods))
    assert (periods[0].start, periods[1].end) == (first.start, first.end)
    assert (periods[2].start, periods[3].end) == (second.start, second.end)
    assert (first.start, second.end) == (year.start, year.end)


def test_another_seed_or_key_makes_another_district(district: District) -> None:
    assert district != generate("riverside", students=240, seed=2, today=TODAY)
    other = generate("oak-hill", students=240, seed=1, today=TODAY)
    assert other.org_id != district.org_id
    assert not {p.sourced_id for p in other.people} & {p.sourced_id for p in district.people}


def test_classes_are_about_twenty_and_students_take_about_seven(district: District) -> None:
    students = [p for p in district.people if p.role == "student"]
    assert len(students) == 240
    assert abs(len(district.classes) - 240 * 7 / 20) <= 8
    sizes = Counter(e.class_id for e in district.enrollments if e.role == "student")
    assert 17 <= sum(sizes.values()) / len(sizes) <= 23
    assert {len(c.term_ids) for c in district.classes} == {1, 2}


def test_movements_are_all_there(district: District) -> None:
    courses = {c.sourced_id: c.course_id for c in district.classes}
    ended = [e for e in district.enrollments if e.end is not None and e.end <= TODAY]
    by_person: dict[str, list[str]] = {}
    for row in district.enrollments:
        if row.begin is not None and row.begin > date(2026, 7, 1):
            by_person.setdefault(row.person_id, []).append(row.class_id)
    transfers = [
        e
        for e in ended
        if any(courses[c] == courses[e.class_id] and c != e.class_id for c in by_person.get(e.person_id, []))
    ]
    returns = [e for e in ended if e.class_id in by_person.get(e.person_id, [])]
    future = [e for e in district.enrollments if e.begin is not None and e.begin > TODAY]
    deleted = [e for e in district.enrollments if e.status == "tobedeleted"]
    teachers = Counter(e.class_id for e in district.enrollments if e.role == "teacher")
    assert min(len(transfers), len(returns), len(future), len(deleted), len(district.ended)) > 0
    assert max(teachers.values()) > 1
    assert any(e.role == "aide" for e in district.enrollments)


def test_a_recent_transfer_is_news_on_both_ends(district: District) -> None:
    rows = {e.sourced_id: e for e in district.enrollments}
    old = [rows[one] for one in district.ended if rows[one].end is not None]
    new = [rows[one] for one in district.news if one in rows]
    pairs = [(a, b) for a in old for b in new if a.person_id == b.person_id and a.end == b.begin]
    assert pairs
    assert all(b.begin is not None and b.begin <= TODAY for _, b in pairs)


def test_news_are_new_students_one_new_class_and_some_enrollments(district: District) -> None:
    people = {p.sourced_id for p in district.people if p.role == "student"} & district.news
    classes = {c.sourced_id for c in district.classes} & district.news
    assert 4 <= len(people) <= 12
    assert len(classes) == 1
    for row in district.enrollments:
        if row.person_id in people or row.class_id in classes:
            assert row.sourced_id in district.news


def test_ids_and_names_are_awkward_on_purpose(district: District) -> None:
    ids = [p.sourced_id for p in district.people] + [c.sourced_id for c in district.classes]
    assert any(quote(one, safe="") != one for one in ids)
    for mark in "/ +":
        assert any(mark in one for one in ids)
    assert any(one.startswith("0") for one in ids)
    names = "".join(p.given_name + p.family_name for p in district.people)
    assert "'" in names
    assert "-" in names
    assert "," in names
    assert not names.isascii()
    assert all(p.email.endswith("@riverside.example") for p in district.people)


def test_in_a_large_district_everybody_has_a_homeroom_and_schools_keep_a_usual_size() -> None:
    made = generate("riverside", students=6_000, seed=1, today=TODAY)
    pupils = {p.sourced_id for p in made.people if p.role == "student"}
    rooms = {c.sourced_id for c in made.classes if c.code.startswith("HR-")}
    at_home = {e.person_id for e in made.enrollments if e.class_id in rooms and e.role == "student"}
    assert at_home == pupils
    assert set(Counter(p.school_id for p in made.people if p.role == "student").values()) == {1_000}
    assert len(made.enrollments) > 8 * len(pupils)
