"""Canvas files: what each record of the SIS becomes, and that nothing is guessed."""

from __future__ import annotations

import csv
import io
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.roster import Org, Roster, RosterClass, RosterCourse, RosterEnrollment, RosterUser
from gradesync.domain.roster_csv import HEADERS, CanvasFiles, files_digest
from tests.domain.roster_samples import (
    FALL,
    LAST_YEAR,
    SPRING,
    TODAY,
    YEAR,
    files_of,
    person,
    sample,
    seat,
    table,
    text_of,
)

NAMES = {"accounts.csv", "terms.csv", "courses.csv", "sections.csv", "users.csv", "enrollments.csv"}


def made(roster: Roster, today: date = TODAY) -> CanvasFiles:
    return files_of(roster, today)


def others() -> list[RosterUser]:
    """Everybody of the sample but the first student."""
    return [u for u in sample().users if u.id != "s1"]


def statuses(roster: Roster, today: date = TODAY) -> dict[tuple[str, str, str], str]:
    rows = table(made(roster, today), "enrollments")
    return {(r["section_id"], r["user_id"], r["role"]): r["status"] for r in rows}


# --- shape ------------------------------------------------------------------------------------------------------


def test_all_six_files_are_there_even_when_nothing_is_in_them() -> None:
    files = made(Roster())
    assert set(files.files) == NAMES
    assert files.rows == 0
    assert all(text_of(files, kind).count("\r\n") == 1 for kind in HEADERS)


def kind_by_columns(columns: tuple[str, ...]) -> str:
    """Canvas's own recognition of a file, in its order (first match wins); it ignores the file's name."""
    have = set(columns)
    rules = (
        ("changed ids", bool(have & {"old_id", "old_integration_id"})),
        ("accounts", {"account_id", "parent_account_id"} <= have),
        ("terms", {"term_id", "name"} <= have),
        ("courses", {"course_id", "short_name"} <= have),
        ("sections", {"section_id", "name"} <= have),
        ("users", {"user_id", "login_id"} <= have),
        ("enrollments", bool(have & {"section_id", "course_id"}) and "user_id" in have),
    )
    return next(kind for kind, matches in rules if matches)


@pytest.mark.parametrize("kind", list(HEADERS))
def test_canvas_recognises_each_file_by_its_columns(kind: str) -> None:
    assert kind_by_columns(HEADERS[kind]) == kind


def test_ids_that_a_missing_column_would_wipe_are_sent_and_those_it_keeps_are_left_alone() -> None:
    files = made(sample())
    for kind, key in (
        ("terms", "term_id"),
        ("accounts", "account_id"),
        ("courses", "course_id"),
        ("sections", "section_id"),
    ):
        assert all(row["integration_id"] == row[key] for row in table(files, kind))
    assert "integration_id" not in HEADERS["users"]
    assert not {"start_date", "end_date"} & set(HEADERS["courses"])


# --- courses, terms, schools --------------------------------------------------------------------------------------


def test_a_class_becomes_one_unpublished_course_with_one_section() -> None:
    files = made(sample())
    assert table(files, "courses")[1] == {
        "course_id": "BIO",
        "short_name": "BIO-01",
        "long_name": "Biology - Section 1",
        "status": "active",
        "account_id": "001",
        "term_id": "Y",
        "integration_id": "BIO",
    }
    section = table(files, "sections")[1]
    assert (section["section_id"], section["course_id"], section["name"]) == (
        "BIO",
        "BIO",
        "Biology - Section 1",
    )
    assert files.section_ids == {"BIO", "ART"}


def test_a_class_without_a_title_takes_its_courses() -> None:
    assert table(made(sample()), "courses")[0]["long_name"] == "Art"


def test_only_used_terms_are_sent_with_dates_as_utc_instants_of_the_districts_days() -> None:
    terms = {row["term_id"]: row for row in table(made(sample()), "terms")}
    assert set(terms) == {"Y", "S1"}
    assert (terms["S1"]["start_date"], terms["S1"]["end_date"]) == (
        "2026-07-01T04:00:00Z",
        "2027-02-01T04:59:59Z",
    )


def test_a_class_whose_terms_share_no_year_is_dropped_and_counted() -> None:
    odd = RosterClass("ODD", "Odd", "O-1", "C1", "001", ("S1", "OLD"))
    files = made(sample(sessions=(YEAR, FALL, SPRING, LAST_YEAR), classes=(*sample().classes, odd)))
    assert "ODD" not in files.section_ids
    assert files.problems == {"GS-608": 1}


def test_marking_periods_of_one_semester_lead_to_that_semester() -> None:
    periods = [replace(FALL, id=f"MP{n}", kind="gradingPeriod", parent_id="S1") for n in (1, 2)]
    classes = (RosterClass("BIO", "Biology", "B", "C1", "001", ("MP2", "MP1")),)
    files = made(sample(sessions=(YEAR, FALL, SPRING, *periods), classes=classes))
    assert [row["term_id"] for row in table(files, "courses")] == ["S1"]


def test_parents_that_run_in_a_circle_end_nothing_but_the_class() -> None:
    circle = (replace(FALL, parent_id="S2"), replace(SPRING, parent_id="S1"))
    assert made(sample(sessions=circle)).counts["courses"] == 2


@pytest.mark.parametrize(
    "broken",
    [
        {"courses": ()},
        {"orgs": ()},
        {"sessions": ()},
    ],
)
def test_a_class_that_canvas_would_misplace_is_dropped_with_its_enrollments(
    broken: dict[str, object],
) -> None:
    files = made(sample(**broken))
    assert files.section_ids == frozenset()
    assert files.problems == {"GS-608": 2 + 5}


def test_schools_in_use_become_accounts_under_the_root() -> None:
    roster = sample(orgs=(*sample().orgs, Org("002", "Unused", "school", "D")))
    rows = table(made(roster), "accounts")
    assert [(r["account_id"], r["parent_account_id"], r["name"]) for r in rows] == [
        ("001", "", "High School")
    ]


# --- people -------------------------------------------------------------------------------------------------------


def test_leavers_are_suspended_and_guardians_are_not_sent() -> None:
    roster = sample(users=(*others(), person("s1", enabled=False)))
    rows = {row["user_id"]: row["status"] for row in table(made(roster), "users")}
    assert rows == {"s1": "suspended", "s2": "active", "t1": "active", "a1": "active"}


def test_a_person_who_lost_the_user_name_keeps_every_seat() -> None:
    nameless = person("s1")._replace(username=" \t")
    files = made(sample(users=(nameless, *others())))
    assert files.problems == {"GS-608": 1}
    assert "s1" not in {row["user_id"] for row in table(files, "users")}
    seats = [row for row in table(files, "enrollments") if row["user_id"] == "s1"]
    assert seats == [row for row in table(made(sample()), "enrollments") if row["user_id"] == "s1"] != []


def test_a_student_without_any_class_keeps_the_account() -> None:
    files = made(sample(users=(*sample().users, person("s9"))))
    assert "s9" in {row["user_id"] for row in table(files, "users")}


def test_roles_are_carried_and_an_aide_never_gets_a_teachers_rights() -> None:
    assert set(statuses(sample())) == {
        ("ART", "s1", "student"),
        ("BIO", "a1", "ta"),
        ("BIO", "s1", "student"),
        ("BIO", "s2", "student"),
        ("BIO", "t1", "teacher"),
    }


def test_a_student_listed_as_teacher_is_not_believed() -> None:
    files = made(sample(enrollments=(seat("s1", role="teacher"),)))
    assert files.counts["enrollments"] == 0
    assert files.problems == {"GS-608": 1}


def test_two_different_people_under_one_id_are_a_problem_and_one_row() -> None:
    twice = (person("s1"), person("s1")._replace(given_name="Bob"), *others())
    one, other = made(sample(users=twice)), made(sample(users=twice[::-1]))
    assert one == other
    assert one.problems == {"GS-608": 1}


def test_a_row_that_paging_brought_twice_is_no_problem() -> None:
    roster = sample()
    doubled = replace(
        roster, users=(*roster.users, *roster.users), classes=(*roster.classes, *roster.classes)
    )
    assert made(doubled) == made(roster)


# --- enrollments over time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begin", "end", "status"),
    [
        (None, None, "active"),
        (TODAY, None, "active"),
        (None, TODAY + timedelta(days=1), "active"),
        (None, TODAY, "inactive"),
        (TODAY - timedelta(days=9), TODAY - timedelta(days=2), "inactive"),
    ],
)
def test_the_end_of_an_enrollment_is_exclusive(begin: date | None, end: date | None, status: str) -> None:
    roster = sample(enrollments=(seat("s1", begin=begin, end=end),))
    assert statuses(roster) == {("BIO", "s1", "student"): status}


def test_an_enrollment_that_has_not_begun_is_counted_and_not_sent() -> None:
    files = made(sample(enrollments=(seat("s1", begin=TODAY + timedelta(days=1)), seat("s2"))))
    assert (files.future, files.counts["enrollments"], files.dropped) == (1, 1, 0)


def test_who_stayed_to_the_end_of_the_term_has_completed_it() -> None:
    roster = sample(enrollments=(seat("s1", "ART", end=FALL.end), seat("s2", "ART", end=date(2026, 10, 1))))
    after = FALL.end + timedelta(days=3)
    assert statuses(roster, after) == {
        ("ART", "s1", "student"): "completed",
        ("ART", "s2", "student"): "inactive",
    }


def test_a_teacher_who_left_loses_the_class_without_being_deleted() -> None:
    roster = sample(enrollments=(seat("t1", role="teacher", end=TODAY),))
    assert statuses(roster) == {("BIO", "t1", "teacher"): "inactive"}


def test_who_left_and_came_back_has_one_active_row_whatever_the_order() -> None:
    left = seat("s1", begin=date(2026, 9, 1), end=date(2026, 10, 1))
    back = seat("s1", begin=date(2026, 11, 1))
    for rows in ((left, back), (back, left)):
        assert statuses(sample(enrollments=rows)) == {("BIO", "s1", "student"): "active"}


# --- text ---------------------------------------------------------------------------------------------------------


def test_equal_rosters_have_equal_digests_and_a_changed_title_another() -> None:
    roster = sample()
    renamed = replace(
        roster, classes=[c._replace(title="Botany" if c.id == "BIO" else c.title) for c in roster.classes]
    )
    assert files_digest(made(roster)) == files_digest(made(sample()))
    assert files_digest(made(roster)) != files_digest(made(renamed))


HOSTILE = st.text(
    alphabet=st.one_of(
        st.sampled_from(list(",\"'\r\n\t;|=+-@ \x00\x0b\x1f\x7f\x85\u2028\ufeff\ud800é漢")),
        st.characters(),
    ),
    max_size=12,
)


@given(title=HOSTILE, given_name=HOSTILE, email=HOSTILE)
def test_hostile_titles_and_names_survive_a_csv_reader_on_one_line(
    title: str, given_name: str, email: str
) -> None:
    roster = sample(
        classes=(RosterClass("BIO", f"x{title}x", "B", "C1", "001", ("S1",)),),
        users=(RosterUser("s1", "login", given_name, "F", email, "student"),),
        enrollments=(seat("s1"),),
    )
    files = made(roster)
    for kind, header in HEADERS.items():
        text = text_of(files, kind)
        text.encode()  # A lone surrogate would end the upload in mid-file.
        rows = list(csv.reader(io.StringIO(text, newline="")))
        assert rows[0] == list(header)
        assert {len(row) for row in rows} == {len(header)}
        assert text.count("\r\n") == len(rows) == files.counts[kind] + 1
    long_name = table(files, "courses")[0]["long_name"]
    assert long_name.startswith("x")
    assert long_name.endswith("x")
    kept = [c for c in title if c.isalnum()]
    assert [c for c in long_name[1:-1] if c.isalnum()] == kept


IDS = st.sampled_from(["a", "b", "c", "d/ 1", "", " padded", "nul\x00"])
DAYS = st.none() | st.dates(TODAY - timedelta(days=400), TODAY + timedelta(days=400))


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Rosters with dangling references, doubles, odd ids and dates in any order."""
    word = st.sampled_from(["", "x", "y,"])
    role = st.sampled_from(["student", "teacher", "aide", "guardian", "proctor", "administrator"])
    terms = st.lists(st.sampled_from(["S1", "S2", "Y", "nowhere"]), max_size=2).map(tuple)
    courses = st.builds(RosterCourse, IDS, word, word)
    classes = st.builds(RosterClass, IDS, word, word, IDS, IDS, terms)
    users = st.builds(RosterUser, IDS, word, word, word, word, role, st.booleans())
    rows = st.builds(RosterEnrollment, IDS, IDS, role, DAYS, DAYS)
    return Roster(
        orgs=draw(st.lists(st.builds(Org, IDS, word, st.just("school")), max_size=4)),
        sessions=draw(st.permutations([YEAR, FALL, SPRING])),
        courses=draw(st.lists(courses, max_size=5)),
        classes=draw(st.lists(classes, max_size=6)),
        users=draw(st.lists(users, max_size=6)),
        enrollments=draw(st.lists(rows, max_size=12)),
    )


@given(rosters())
def test_every_reference_of_every_row_stands_in_the_files(roster: Roster) -> None:
    files = made(roster)

    def ids(kind: str, column: str) -> list[str]:
        return [row[column] for row in table(files, kind)]

    # Whoever has no login, or shares one, has no row and keeps the seats: Canvas knows the person by the SIS id.
    assert set(ids("enrollments", "user_id")) <= {user.id for user in roster.users}
    assert set(ids("enrollments", "section_id")) <= set(ids("sections", "section_id")) == files.section_ids
    assert ids("sections", "course_id") == ids("courses", "course_id")
    assert set(ids("courses", "term_id")) == set(ids("terms", "term_id"))
    assert set(ids("courses", "account_id")) == set(ids("accounts", "account_id"))
    required = (("users", "login_id"), ("courses", "long_name"), ("courses", "short_name"), ("terms", "name"))
    assert all(all(ids(kind, column)) for kind, column in required)


@given(rosters())
def test_no_key_comes_twice(roster: Roster) -> None:
    files = made(roster)
    for kind, width in (
        ("accounts", 1),
        ("terms", 1),
        ("courses", 1),
        ("sections", 1),
        ("users", 1),
        ("enrollments", 3),
    ):
        keys = [tuple(row.values())[:width] for row in table(files, kind)]
        assert len(keys) == len(set(keys)) == files.counts[kind]


@given(rosters(), st.randoms(use_true_random=False))
def test_the_order_of_the_read_changes_nothing(roster: Roster, rng: random.Random) -> None:
    def mixed(rows: list[Any]) -> list[Any]:
        return rng.sample(rows, len(rows))

    shuffled = Roster(
        orgs=mixed(list(roster.orgs)),
        sessions=mixed(list(roster.sessions)),
        courses=mixed(list(roster.courses)),
        classes=mixed(list(roster.classes)),
        users=mixed(list(roster.users)),
        enrollments=mixed(list(roster.enrollments)),
    )
    assert made(shuffled) == made(roster)


@given(rosters())
def test_nobody_is_active_before_the_begin_or_after_the_end(roster: Roster) -> None:
    for (class_id, user_id, _), status in statuses(roster).items():
        mine = [e for e in roster.enrollments if (e.class_id, e.user_id) == (class_id, user_id)]
        in_force = [e for e in mine if (e.begin or TODAY) <= TODAY and (e.end is None or e.end > TODAY)]
        assert status != "active" or in_force
