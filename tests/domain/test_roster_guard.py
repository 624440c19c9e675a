"""The brake: which reads are never sent, and which ordinary changes pass."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.account import ChangeLimit, ExpectedChange, RosterPolicy
from gradesync.domain.roster import RosterUser
from gradesync.domain.roster_csv import CanvasFiles
from gradesync.domain.roster_guard import (
    file_counts,
    files_stop,
    roster_counts,
    roster_stop,
    shrink_stop,
)
from tests.domain.roster_samples import TODAY, files_of, sample, seat

POLICY = RosterPolicy()


def code(stop: object) -> str | None:
    return getattr(stop, "code", None)


@pytest.mark.parametrize("missing", ["classes", "users", "enrollments"])
def test_a_read_without_a_whole_kind_is_never_sent(missing: str) -> None:
    stop = roster_stop(sample(**{missing: ()}), None, POLICY, TODAY)
    assert stop is not None
    assert stop.code == "GS-602"
    assert f"no {missing}" in stop.message


def test_a_read_without_any_student_is_never_sent() -> None:
    assert (
        code(roster_stop(sample(enrollments=(seat("t1", role="teacher"),)), None, POLICY, TODAY)) == "GS-602"
    )


def test_an_ordinary_first_read_passes() -> None:
    assert roster_stop(sample(), None, POLICY, TODAY) is None


def test_the_numbers_of_a_shrunk_read_are_in_the_sentence() -> None:
    stop = shrink_stop({"enrollments": 70}, {"enrollments": 1310}, POLICY, TODAY)
    assert stop is not None
    assert stop.code == "GS-601"
    assert "1,240 of 1,310 enrollments are gone" in stop.message
    assert "10%" in stop.message


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (1000, 900, None),
        (1000, 899, "GS-601"),
        (100, 81, None),
        (100, 80, "GS-601"),
        (20, 1, None),
        (1000, 2000, None),
    ],
)
def test_the_limit_is_a_share_and_a_least_number_together(
    before: int, now: int, expected: str | None
) -> None:
    assert code(shrink_stop({"enrollments": now}, {"enrollments": before}, POLICY, TODAY)) == expected


def test_users_have_their_own_tighter_limit() -> None:
    assert code(shrink_stop({"users": 940}, {"users": 1000}, POLICY, TODAY)) == "GS-601"
    assert shrink_stop({"classes": 940}, {"classes": 1000}, POLICY, TODAY) is None


def test_the_last_few_records_of_a_kind_may_not_all_vanish() -> None:
    assert code(shrink_stop({"Canvas enrollments": 0}, {"Canvas enrollments": 3}, POLICY, TODAY)) == "GS-602"


def test_an_account_may_widen_its_limit() -> None:
    wide = RosterPolicy(change_limit=ChangeLimit(enrollments=1.0))
    assert shrink_stop({"enrollments": 1}, {"enrollments": 1000}, wide, TODAY) is None


NEW_YEAR = ExpectedChange("New year", date(2027, 8, 20), date(2027, 9, 10), enrollments=1.0, users=0.01)


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        (date(2027, 8, 19), "GS-601"),
        (date(2027, 8, 20), None),
        (date(2027, 9, 10), None),
        (date(2027, 9, 11), "GS-601"),
    ],
)
def test_an_expected_change_widens_the_limit_from_its_first_to_its_last_day(
    today: date, expected: str | None
) -> None:
    policy = RosterPolicy(expect=(NEW_YEAR,))
    assert code(shrink_stop({"enrollments": 1}, {"enrollments": 1000}, policy, today)) == expected


def test_an_expected_change_lets_no_kind_vanish_and_leaves_kinds_it_does_not_name() -> None:
    policy, today = RosterPolicy(expect=(NEW_YEAR,)), NEW_YEAR.start
    assert code(shrink_stop({"enrollments": 0}, {"enrollments": 1000}, policy, today)) == "GS-602"
    assert code(shrink_stop({"classes": 890}, {"classes": 1000}, policy, today)) == "GS-601"


@given(
    days=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.floats(0, 1)), max_size=4),
    at=st.integers(0, 120),
)
def test_no_expected_change_ever_narrows_a_limit(days: list[tuple[int, int, float]], at: int) -> None:
    start = date(2027, 8, 1)
    expect = tuple(
        ExpectedChange("x", start + timedelta(a), start + timedelta(a + length), users=share)
        for a, length, share in days
    )
    policy = RosterPolicy(expect=expect)
    limit = policy.limit_on(start + timedelta(at))
    covering = [share for a, length, share in days if a <= at <= a + length]
    assert limit == ChangeLimit(users=max([policy.change_limit.users, *covering]))


@given(before=st.integers(0, 5000), now=st.integers(0, 5000), limit=st.floats(0, 1))
def test_a_read_that_did_not_shrink_always_passes_and_a_stop_always_names_a_real_loss(
    before: int, now: int, limit: float
) -> None:
    policy = RosterPolicy(change_limit=ChangeLimit(enrollments=limit))
    stop = shrink_stop({"enrollments": now}, {"enrollments": before}, policy, TODAY)
    if now >= before:
        assert stop is None
    elif stop is not None and now:
        assert before - now > limit * before
        assert before - now >= policy.at_least


def test_records_that_are_read_but_cannot_be_carried_over_stop_the_import() -> None:
    broken = sample(courses=())
    assert roster_stop(broken, roster_counts(sample()), POLICY, TODAY) is None
    assert code(files_stop(files_of(broken), None, POLICY, TODAY)) == "GS-602"


def test_ending_everybodys_enrollment_counts_as_a_loss() -> None:
    many = [seat(f"s{n}") for n in range(40)]
    users = [
        *sample().users,
        *(RosterUser(f"s{n}", f"l{n}", "", "", "", "student") for n in range(40)),
    ]
    before = files_of(sample(users=users, enrollments=many))
    ended = [seat(f"s{n}", end=TODAY) for n in range(39)] + [seat("s39")]
    after = files_of(sample(users=users, enrollments=ended))
    assert code(files_stop(after, file_counts(before), POLICY, TODAY)) == "GS-601"


@pytest.mark.parametrize("first", [True, False])
def test_disabling_everybody_counts_as_a_loss(first: bool) -> None:
    many = [seat(f"s{n}") for n in range(40)]
    person = RosterUser

    def files(*, enabled: bool) -> CanvasFiles:
        users = [person(f"s{n}", f"l{n}", "", "", "", "student", enabled) for n in range(40)]
        return files_of(sample(users=users, enrollments=many))

    previous = None if first else file_counts(files(enabled=True))
    assert code(files_stop(files(enabled=False), previous, POLICY, TODAY)) == "GS-602"
    assert code(files_stop(files(enabled=True), previous, POLICY, TODAY)) is None
