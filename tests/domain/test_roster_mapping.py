"""What an account's settings make of the same roster, and that Canvas would take whatever they make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.account import RosterMapping, Scope
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.domain.roster_csv import CanvasFiles, headers
from gradesync.domain.roster_scope import in_scope
from tests.domain.roster_samples import (
    FALL,
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

DISTRICT = Org("D", "District", "district")
HIGH = Org("001", "High School", "school", "D")
SCIENCE = Org("001-S", "Science", "department", "001")
ANNEX = Org("001-A", "Annex", "school", "001")
FIRST_QUARTER = AcademicSession(
    "Q1", "Quarter 1", "gradingPeriod", date(2026, 7, 1), date(2026, 10, 1), "S1", "2027"
)


def made(roster: Roster, today: date = TODAY, **settings: object) -> CanvasFiles:
    return files_of(roster, today, RosterMapping(**settings))  # type: ignore[arg-type]  # settings are named by the test


def column(files: CanvasFiles, kind: str, name: str) -> list[str]:
    return [row[name] for row in table(files, kind)]


def with_users(*users: RosterUser) -> Roster:
    return sample(users=users, enrollments=[seat(u.id, role=u.role) for u in users if u.role == "student"])


def child_and(*others: RosterUser) -> Roster:
    return sample(users=(person("s1"), person("s2"), *others), enrollments=(seat("s1"), seat("s2")))


# --- terms --------------------------------------------------------------------------------------------------------


def test_a_class_filed_under_a_quarter_belongs_to_the_semester_around_it() -> None:
    roster = sample(
        sessions=(YEAR, FALL, SPRING, FIRST_QUARTER),
        classes=(RosterClass("BIO", "Biology", "B", "C1", "001", ("Q1",)),),
    )
    assert column(made(roster), "terms", "term_id") == ["S1"]


def test_courses_can_all_lie_in_the_term_of_their_school_year() -> None:
    files = made(sample(), terms="school_year")
    assert column(files, "terms", "term_id") == ["Y"]
    assert set(column(files, "courses", "term_id")) == {"Y"}


def test_who_stayed_to_the_end_of_a_semester_completed_it_even_when_the_term_is_the_year() -> None:
    roster = sample(enrollments=(seat("s1", "ART", end=FALL.end),))
    files = made(roster, FALL.end + timedelta(days=3), terms="school_year")
    assert column(files, "enrollments", "status") == ["completed"]


# --- accounts -----------------------------------------------------------------------------------------------------


def tree() -> Roster:
    return sample(
        orgs=(ANNEX, SCIENCE, HIGH, DISTRICT, Org("002", "Unused", "school", "D")),
        courses=(RosterCourse("C1", "Biology", "BIO", "001-S"), RosterCourse("C2", "Art", "ART", "D")),
        classes=(
            RosterClass("BIO", "Biology", "B", "C1", "001", ("S1",)),
            RosterClass("ART", "Art", "A", "C2", "001-A", ("S1",)),
        ),
    )


def test_the_tree_has_every_parent_before_its_children_and_the_district_as_canvass_root() -> None:
    files = made(tree(), accounts="tree")
    rows = [(r["account_id"], r["parent_account_id"]) for r in table(files, "accounts")]
    assert rows == [("001", ""), ("001-A", "001"), ("001-S", "001")]
    assert dict(
        zip(column(files, "courses", "course_id"), column(files, "courses", "account_id"), strict=True)
    ) == {
        "BIO": "001-S",
        "ART": "001-A",
    }


def test_a_department_of_another_school_does_not_draw_a_course_away() -> None:
    stranger = replace(SCIENCE, parent_id="002")
    roster = replace(tree(), orgs=(ANNEX, stranger, HIGH, DISTRICT, Org("002", "Other", "school", "D")))
    assert "001-S" not in column(made(roster, accounts="tree"), "courses", "account_id")


def test_without_accounts_all_courses_lie_in_the_root() -> None:
    files = made(tree(), accounts="none")
    assert (files.counts["accounts"], set(column(files, "courses", "account_id"))) == (0, {""})


def test_orgs_that_are_each_others_parent_end_up_below_the_root() -> None:
    circle = (replace(HIGH, parent_id="001-A"), ANNEX, DISTRICT)
    rows = table(made(replace(tree(), orgs=circle), accounts="tree"), "accounts")
    assert {(r["account_id"], r["parent_account_id"]) for r in rows} == {("001", ""), ("001-A", "")}


ORG_IDS = st.sampled_from(["D", "E", "001", "002", "a", "b"])


@given(
    st.lists(
        st.builds(
            Org,
            ORG_IDS,
            st.just("N"),
            st.sampled_from(["district", "school", "department", "state"]),
            st.none() | ORG_IDS,
        ),
        unique_by=lambda org: org.id,
    ),
    st.lists(ORG_IDS, min_size=1, max_size=4),
)
def test_no_account_is_named_before_its_parent_whatever_the_tree(orgs: list[Org], schools: list[str]) -> None:
    classes = [RosterClass(f"K{n}", "T", "C", "C1", school, ("S1",)) for n, school in enumerate(schools)]
    files = made(sample(orgs=orgs, classes=classes), accounts="tree")
    known = {""}
    for row in table(files, "accounts"):
        assert row["parent_account_id"] in known
        known.add(row["account_id"])
    assert set(column(files, "courses", "account_id")) <= known


# --- courses and sections -----------------------------------------------------------------------------------------


def sections_of_one_course() -> Roster:
    classes = (
        RosterClass("B1", "Biology - 1", "BIO-01", "C1", "001", ("S1",)),
        RosterClass("B2", "Biology - 2", "BIO-02", "C1", "001", ("S1",)),
        RosterClass("B3", "Biology - 3", "BIO-03", "C1", "001", ("S2",)),
    )
    return sample(classes=classes, enrollments=(seat("s1", "B1"), seat("s2", "B2"), seat("s2", "B3")))


def test_classes_of_one_course_and_term_are_sections_of_one_canvas_course() -> None:
    files = made(sections_of_one_course(), courses="per_course")
    rows = {(r["course_id"], r["long_name"], r["term_id"]) for r in table(files, "courses")}
    assert rows == {("C1:001:S1", "Biology", "S1"), ("C1:001:S2", "Biology", "S2")}
    sections = {r["section_id"]: (r["course_id"], r["name"]) for r in table(files, "sections")}
    assert sections["B1"] == ("C1:001:S1", "Biology - 1")
    assert {one for one, _ in sections.values()} == {"C1:001:S1", "C1:001:S2"}


def test_sections_and_enrollments_do_not_depend_on_how_courses_are_cut() -> None:
    one, other = made(sections_of_one_course()), made(sections_of_one_course(), courses="per_course")
    assert text_of(one, "enrollments") == text_of(other, "enrollments")
    assert column(one, "sections", "section_id") == column(other, "sections", "section_id")


def test_two_courses_whose_ids_run_together_are_not_made_one() -> None:
    roster = sample(
        orgs=(DISTRICT, Org("1", "One", "school", "D"), Org("2:1", "Two", "school", "D")),
        courses=(RosterCourse("C:2", "A", "A"), RosterCourse("C", "B", "B")),
        classes=(
            RosterClass("K1", "A", "A", "C:2", "1", ("S1",)),
            RosterClass("K2", "B", "B", "C", "2:1", ("S1",)),
        ),
        enrollments=(),
    )
    files = made(roster, courses="per_course")
    assert (files.counts["sections"], files.problems) == (1, {"GS-608": 1})


def test_classes_taught_together_are_cross_listed_and_stay_sections_of_their_own_courses() -> None:
    files = made(sample(), cross_list={"TOGETHER": ("BIO", "ART", "NEXT-YEAR")})
    assert table(files, "xlists") == [
        {"xlist_course_id": "TOGETHER", "section_id": "ART", "status": "active"},
        {"xlist_course_id": "TOGETHER", "section_id": "BIO", "status": "active"},
    ]
    assert column(files, "sections", "course_id") == column(files, "sections", "section_id")


def test_a_class_is_not_cross_listed_into_its_own_course() -> None:
    files = made(sample(), cross_list={"BIO": ("BIO", "ART")})
    assert column(files, "xlists", "section_id") == ["ART"]


def test_two_teachers_of_one_class_are_both_its_teachers() -> None:
    users = (*sample().users, person("t2", "teacher"))
    files = made(sample(users=users, enrollments=(seat("t1", role="teacher"), seat("t2", role="teacher"))))
    assert {(r["user_id"], r["role"]) for r in table(files, "enrollments")} == {
        ("t1", "teacher"),
        ("t2", "teacher"),
    }


# --- names, logins, addresses -------------------------------------------------------------------------------------


def test_preferred_names_are_used_where_there_are_some() -> None:
    user = person("s1")._replace(preferred_given_name="Al")
    for names, expected in (("legal", ("Ada", "Example")), ("preferred", ("Al", "Example"))):
        row = table(made(with_users(user), names=names), "users")[0]
        assert (row["first_name"], row["last_name"]) == expected


@pytest.mark.parametrize(
    ("logins", "expected"),
    [("username", "login-s1"), ("email", "s1@school.example"), ("identifier", "007"), ("id", "s1")],
)
def test_the_login_is_the_field_the_account_chose_leading_zeros_and_all(logins: str, expected: str) -> None:
    files = made(with_users(person("s1")._replace(identifier="007")), logins=logins)
    assert column(files, "users", "login_id") == [expected]


@pytest.mark.parametrize("logins", ["username", "email", "identifier"])
def test_people_who_share_a_login_get_no_row_and_keep_their_classes(logins: str) -> None:
    both = {"username": "Same", "email": "Same@school.example", "identifier": "same"}
    one = person("s1")._replace(**{**both, "username": "SAME"})  # type: ignore[arg-type]  # fields of text
    other = person("s2")._replace(**both)  # type: ignore[arg-type]  # fields of text
    third = person("s3")._replace(identifier="3")
    files = made(with_users(one, other, third), logins=logins)
    assert column(files, "users", "user_id") == ["s3"]
    assert files.problems == {"GS-621": 2}
    assert set(column(files, "enrollments", "user_id")) == {"s1", "s2", "s3"}


def test_somebody_who_is_not_sent_takes_nobodys_login() -> None:
    guardian = person("g1", "guardian")._replace(username="login-s1")
    assert made(child_and(guardian)).problems == {}


def test_one_person_shown_as_teacher_and_as_aide_is_one_teacher() -> None:
    users = (person("t1", "aide"), person("t1", "teacher"))
    files = made(sample(users=users, enrollments=(seat("t1", role="teacher"),)))
    assert (files.problems, column(files, "enrollments", "role")) == ({}, ["teacher"])


@pytest.mark.parametrize("email", ["nobody", "a@", "@b", "a b@c", "a@b@c", "x" * 250 + "@b.example"])
def test_an_address_that_is_none_is_left_out_and_told(email: str) -> None:
    files = made(with_users(person("s1")._replace(email=email)))
    assert column(files, "users", "email") == [""]
    assert (files.problems, files.dropped) == ({"GS-622": 1}, 0)


def test_addresses_can_be_kept_back() -> None:
    assert column(made(with_users(person("s1")), emails="never"), "users", "email") == [""]


def test_a_login_that_must_be_an_address_and_is_none_is_a_problem() -> None:
    files = made(with_users(person("s1")._replace(email="nobody")), logins="email")
    assert (files.counts["users"], files.problems) == (0, {"GS-608": 1})


# --- leavers ------------------------------------------------------------------------------------------------------


def test_leavers_can_be_left_alone() -> None:
    roster = with_users(person("s1", enabled=False))
    assert column(made(roster), "users", "status") == ["suspended"]
    files = made(roster, leavers="keep")
    assert (column(files, "users", "status"), files.open_users) == (["active"], 1)


def test_enrollments_that_ended_early_are_inactive_or_completed_and_never_deleted() -> None:
    roster = sample(enrollments=(seat("s1", end=TODAY),))
    assert column(made(roster), "enrollments", "status") == ["inactive"]
    assert column(made(roster, ended="completed"), "enrollments", "status") == ["completed"]


# --- ids ----------------------------------------------------------------------------------------------------------


def test_the_siss_own_id_can_be_canvass_integration_id() -> None:
    files = made(with_users(person("s1")._replace(identifier="0042")), people="integration_id")
    row = table(files, "users")[0]
    assert (row["user_id"], row["integration_id"]) == ("0042", "s1")
    assert [(r["user_integration_id"], "user_id" in r) for r in table(files, "enrollments")] == [
        ("s1", False)
    ]


def test_people_who_share_a_number_get_no_row_and_keep_their_classes() -> None:
    users = [person(id)._replace(identifier="0042") for id in ("s1", "s2")]
    files = made(with_users(*users), people="integration_id")
    assert (files.counts["users"], files.counts["enrollments"], files.problems) == (0, 2, {"GS-621": 2})


# --- guardians ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said_by", ["guardian", "student", "both"])
def test_guardians_observe_their_students_whoever_says_so(said_by: str) -> None:
    guardian = person("g1", "parent")._replace(agents=("s1",) if said_by != "student" else ())
    child = person("s1")._replace(agents=("g1",) if said_by != "guardian" else ())
    roster = sample(users=(child, person("s2"), guardian), enrollments=(seat("s1"),))
    files = made(roster, guardians="observers")
    assert table(files, "user_observers") == [{"observer_id": "g1", "student_id": "s1", "status": "active"}]
    assert "g1" in column(files, "users", "user_id")


def test_guardians_come_only_when_asked_for_and_only_those_of_a_student() -> None:
    tied = person("g1", "guardian")._replace(agents=("s1",))
    roster = child_and(tied, person("g2", "guardian"), person("g3", "guardian")._replace(agents=("nobody",)))
    files = made(roster, guardians="observers")
    assert set(column(files, "users", "user_id")) == {"s1", "s2", "g1"}
    assert "user_observers.csv" not in made(roster).files
    assert set(column(made(roster), "users", "user_id")) == {"s1", "s2"}


def test_a_guardian_without_a_row_observes_nobody() -> None:
    tied = person("g1", "guardian")._replace(agents=("s1",), username="")
    files = made(child_and(tied), guardians="observers")
    assert (files.counts["user_observers"], files.problems) == (0, {"GS-608": 1})


def test_a_chosen_school_brings_the_guardians_of_its_students() -> None:
    tied = person("g1", "guardian")._replace(agents=("s1",))
    roster = child_and(tied, person("g2", "guardian")._replace(agents=("s9",)))
    scoped = in_scope(roster, Scope(schools=("001",)), TODAY)
    assert {u.id for u in scoped.users} == {"s1", "s2", "g1"}


# --- Canvas's own rules, read apart from ours ---------------------------------------------------------------------


def canvas_takes_it_for(columns: Iterable[str]) -> str:
    """Canvas's recognition by headers (`canvas.md` 2.5), first match in its importers' order."""
    have = set(columns)
    if have & {"old_id", "old_integration_id"}:
        return "change_sis_id"
    table_of = (
        ("accounts", {"account_id", "parent_account_id"}),
        ("terms", {"term_id", "name"}),
        ("courses", {"course_id", "short_name"}),
        ("sections", {"section_id", "name"}),
        ("xlists", {"xlist_course_id", "section_id"}),
    )
    for kind, needed in table_of:
        if needed <= have:
            return kind
    existing = {"existing_user_id", "existing_integration_id", "existing_canvas_user_id"}
    if {"user_id", "login_id"} <= have and not have & existing:
        return "users"
    if have & existing:
        return "logins"
    if have & {"section_id", "course_id"} and have & {"user_id", "user_integration_id"}:
        return "enrollments"
    if {"account_id", "user_id"} <= have:
        return "admins"
    if {"enrollment_id", "grade_publishing_status"} <= have:
        return "grade_publishing_results"
    return "user_observers" if {"observer_id", "student_id"} <= have else "unknown"


REQUIRED = {
    "accounts": ("account_id", "name", "status"),
    "terms": ("term_id", "name", "status"),
    "courses": ("course_id", "short_name", "long_name", "status"),
    "sections": ("section_id", "course_id", "name", "status"),
    "users": ("user_id", "login_id", "status"),
    "enrollments": ("section_id", "role", "status"),
    "xlists": ("xlist_course_id", "section_id", "status"),
    "user_observers": ("observer_id", "student_id", "status"),
}
STATUSES = {
    "users": {"active", "suspended"},
    "enrollments": {"active", "inactive", "completed"},
}
SETTINGS = st.builds(
    RosterMapping,
    courses=st.sampled_from(["per_class", "per_course"]),
    terms=st.sampled_from(["own", "school_year"]),
    accounts=st.sampled_from(["schools", "tree", "none"]),
    names=st.sampled_from(["legal", "preferred"]),
    logins=st.sampled_from(["username", "email", "identifier", "id"]),
    emails=st.sampled_from(["from_sis", "never"]),
    guardians=st.sampled_from(["leave_out", "observers"]),
    leavers=st.sampled_from(["suspend", "keep"]),
    ended=st.sampled_from(["inactive", "completed"]),
    people=st.sampled_from(["sis_id", "integration_id"]),
    cross_list=st.dictionaries(
        st.sampled_from(["X", "k1"]), st.lists(st.sampled_from(["k1", "k2"])).map(tuple)
    ),
)
NASTY = st.sampled_from(
    [
        "",
        "007",
        'O"Neil',
        "a,b",
        "two\nlines",
        "tab\there",
        "Zoë 漢字 🎓",
        "=SUM(A1)",
        " x ",
        "x\r\ny",
        "a@b.example",
    ]
)
PEOPLE_IDS = st.sampled_from(["p1", "p2", "0p3", 'p"4', "p,5", "ünï"])
CLASS_IDS = st.sampled_from(["k1", "k2", "03", 'k"4'])
DAYS = st.none() | st.dates(date(2026, 8, 1), date(2027, 7, 1))
ROLES = st.sampled_from(["student", "student", "teacher", "aide", "guardian", "principal"])


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Rosters whose every text may hold what CSV finds hard, with doubles and loose ends."""
    agents = st.lists(PEOPLE_IDS, max_size=2).map(tuple)
    users = st.builds(
        RosterUser, PEOPLE_IDS, NASTY, NASTY, NASTY, NASTY, ROLES, st.booleans(), NASTY, NASTY, NASTY, agents
    )
    terms = st.lists(st.sampled_from(["S1", "S2", "Y", "Q1"]), min_size=1, max_size=2).map(tuple)
    classes = st.builds(
        RosterClass,
        CLASS_IDS,
        NASTY,
        NASTY,
        st.sampled_from(["C1", "C2"]),
        st.sampled_from(["001", "001-A"]),
        terms,
    )
    rows = st.builds(RosterEnrollment, PEOPLE_IDS, CLASS_IDS, ROLES, DAYS, DAYS)
    return Roster(
        orgs=(DISTRICT, HIGH, SCIENCE, ANNEX),
        sessions=(YEAR, FALL, SPRING, FIRST_QUARTER),
        courses=(
            RosterCourse("C1", draw(NASTY), draw(NASTY), "001-S"),
            RosterCourse("C2", "Art", "ART", "D"),
        ),
        classes=draw(st.lists(classes, max_size=5)),
        users=draw(st.lists(users, max_size=6)),
        enrollments=draw(st.lists(rows, max_size=10)),
    )


@given(rosters(), SETTINGS)
def test_canvas_would_take_every_row_of_every_file_under_every_setting(
    roster: Roster, mapping: RosterMapping
) -> None:
    files = files_of(roster, TODAY, mapping)
    known: dict[str, set[str]] = {}
    for name in files.files:
        kind = name.removesuffix(".csv")
        rows = table(files, kind)
        assert canvas_takes_it_for(text_of(files, kind).splitlines()[0].split(",")) == kind
        assert len(rows) == files.counts[kind]
        for row in rows:
            # Fields are stripped by Canvas, so a field that changed by that would be another id or name there.
            assert all(value == value.strip() and value.isprintable() for value in row.values())
            assert all(row[column] for column in REQUIRED[kind])
            assert row["status"] in STATUSES.get(kind, {"active"})
        known[kind] = {next(iter(row.values())) for row in rows}
    for row in table(files, "courses"):
        assert row["term_id"] in known["terms"]
        assert row["account_id"] in known["accounts"] | {""}
    assert set(column(files, "sections", "course_id")) == known["courses"]
    assert set(column(files, "enrollments", "section_id")) <= known["sections"]


@given(rosters(), SETTINGS)
def test_nobody_shares_a_login_or_an_id_and_nobody_is_lost(roster: Roster, mapping: RosterMapping) -> None:
    files = files_of(roster, TODAY, mapping)
    logins = [login.casefold() for login in column(files, "users", "login_id")]
    assert len(logins) == len(set(logins))
    for kind in ("accounts", "terms", "courses", "sections", "users"):
        ids = [next(iter(row.values())) for row in table(files, kind)]
        assert len(ids) == len(set(ids))
    own = "integration_id" if mapping.people == "integration_id" else "user_id"
    expected = {u.id for u in roster.users if u.role in ("student", "teacher", "aide")}
    missing = expected - set(column(files, "users", own))
    assert len(missing) <= files.dropped


@given(rosters(), SETTINGS)
def test_what_a_login_may_be_never_ends_anybodys_enrollment(roster: Roster, mapping: RosterMapping) -> None:
    texts = {
        text_of(files_of(roster, TODAY, replace(mapping, logins=one)), "enrollments")
        for one in ("username", "email", "identifier", "id")
    }
    assert len(texts) == 1


@given(SETTINGS)
def test_the_files_and_columns_depend_on_the_settings_alone(mapping: RosterMapping) -> None:
    empty, full = files_of(Roster(), TODAY, mapping), files_of(sample(), TODAY, mapping)
    assert set(empty.files) == set(full.files) == {f"{kind}.csv" for kind in headers(mapping)}
    for kind in headers(mapping):
        assert text_of(empty, kind) == text_of(full, kind).split("\r\n")[0] + "\r\n"
