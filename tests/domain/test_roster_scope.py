"""Scope: what an account looks at, and that a finished semester does not fall out of the files."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from gradesync.domain.account import Scope
from gradesync.domain.roster import Org, Roster, RosterClass
from gradesync.domain.roster_scope import in_scope, school_year, scope_digest
from tests.domain.roster_samples import FALL, LAST_YEAR, SPRING, TODAY, YEAR, person, sample, seat

OLD_CLASS = RosterClass("OLD-BIO", "Biology", "BIO-09", "C1", "001", ("OLD",))


def two_years() -> Roster:
    roster = sample(sessions=(LAST_YEAR, YEAR, FALL, SPRING))
    rows = (*roster.enrollments, seat("s2", "OLD-BIO"))
    return replace(roster, classes=(*roster.classes, OLD_CLASS), enrollments=rows)


def ids(roster: Roster) -> set[str]:
    return {c.id for c in roster.classes}


@pytest.mark.parametrize("today", [date(2026, 7, 1), TODAY, date(2027, 3, 1), date(2027, 6, 30)])
def test_current_is_the_whole_school_year_on_each_of_its_days(today: date) -> None:
    scoped = in_scope(two_years(), Scope(), today)
    assert ids(scoped) == {"BIO", "ART"}
    assert "OLD-BIO" not in {e.class_id for e in scoped.enrollments}


def test_last_years_classes_are_current_on_last_years_days() -> None:
    assert ids(in_scope(two_years(), Scope(), date(2026, 6, 30))) == {"OLD-BIO"}


def test_between_two_years_the_coming_one_counts() -> None:
    late = replace(YEAR, start=date(2026, 9, 1))
    roster = replace(two_years(), sessions=(LAST_YEAR, late, replace(FALL, start=date(2026, 9, 1)), SPRING))
    summer = date(2026, 8, 1)
    assert ids(in_scope(roster, Scope(), summer)) == {"BIO", "ART"}
    assert school_year(roster, summer) == "2027"


def test_after_the_last_known_year_nothing_is_current() -> None:
    after = date(2028, 1, 1)
    assert ids(in_scope(two_years(), Scope(), after)) == set()
    assert school_year(two_years(), after) == "none"


def test_semesters_without_a_year_session_belong_together_by_their_school_year() -> None:
    sessions = (replace(FALL, parent_id=None), replace(SPRING, parent_id=None))
    roster = sample(sessions=sessions)
    assert ids(in_scope(roster, Scope(), date(2027, 3, 1))) == {"BIO", "ART"}
    assert school_year(roster, date(2027, 3, 1)) == "2027"


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (Scope(terms="all"), {"BIO", "ART", "OLD-BIO"}),
        (Scope(terms=("2025-2026",)), {"OLD-BIO"}),
        (Scope(terms=("spring",)), {"BIO"}),
        (Scope(terms="S2"), {"BIO"}),
        (Scope(terms=("2026-2027",)), {"BIO", "ART"}),
        (Scope(exclude_classes=("ART-*",)), {"BIO"}),
        (Scope(include_classes=("ART-*",)), {"ART"}),
        (Scope(schools=("002",)), set()),
    ],
)
def test_terms_schools_and_class_codes_choose(scope: Scope, expected: set[str]) -> None:
    assert ids(in_scope(two_years(), scope, TODAY)) == expected


def test_a_chosen_school_brings_its_people_and_no_others() -> None:
    roster = sample(
        orgs=(*sample().orgs, Org("002", "Middle", "school", "D")),
        classes=(*sample().classes, RosterClass("M", "Math", "M-1", "C1", "002", ("S1",))),
        users=(*sample().users, person("m1")),
        enrollments=(*sample().enrollments, seat("m1", "M")),
    )
    scoped = in_scope(roster, Scope(schools=("002",)), TODAY)
    assert {u.id for u in scoped.users} == {"m1"}
    assert {e.user_id for e in scoped.enrollments} == {"m1"}


def test_enrollments_of_classes_nobody_knows_stay_in_to_be_reported() -> None:
    roster = sample(enrollments=(*sample().enrollments, seat("s1", "NOWHERE")))
    assert "NOWHERE" in {e.class_id for e in in_scope(roster, Scope(), TODAY).enrollments}


def test_a_class_whose_term_nobody_knows_stays_in_to_be_reported() -> None:
    lost = RosterClass("LOST", "Lost", "L-1", "C1", "001", ("nowhere",))
    roster = sample(classes=(*sample().classes, lost))
    assert "LOST" in ids(in_scope(roster, Scope(), TODAY))


def test_the_digest_of_a_scope_changes_with_what_it_chooses() -> None:
    assert scope_digest(Scope()) == scope_digest(Scope(terms="current"))
    assert scope_digest(Scope()) != scope_digest(Scope(exclude_classes=("HR-*",)))
