"""How an enrollment has ended: with its term, or before it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.roster_enrolling import ended_as
from tests.domain.roster_samples import FALL, files_of, sample, seat, table

DAY = timedelta(days=1)
END = FALL.end


@pytest.mark.parametrize(
    ("today", "status"), [(END - DAY, "inactive"), (END, "completed"), (END + DAY, "completed")]
)
def test_on_the_day_its_term_is_over_an_enrollment_is_completed_and_not_a_day_sooner(
    today: date, status: str
) -> None:
    assert ended_as(END - DAY, END, today, "inactive") == status


@pytest.mark.parametrize(
    ("end", "status"), [(END - 2 * DAY, "inactive"), (END - DAY, "completed"), (END, "completed")]
)
def test_who_left_a_day_before_the_last_one_has_left(end: date, status: str) -> None:
    assert ended_as(end, END, END, "inactive") == status


@given(st.integers(-400, 400), st.integers(-400, 400), st.sampled_from(["inactive", "completed"]))
def test_nobody_has_completed_a_term_that_goes_on_unless_the_account_says_so(
    end: int, today: int, left: str
) -> None:
    found = ended_as(END + end * DAY, END, END + today * DAY, left)
    assert found in ("completed", left)
    if today < 0:
        assert found == left


def test_the_file_says_completed_from_the_first_day_without_the_term() -> None:
    roster = sample(enrollments=(seat("s1", "ART", end=END), seat("s2", "ART", end=END - 9 * DAY)))

    def statuses(today: date) -> dict[str, str]:
        return {row["user_id"]: row["status"] for row in table(files_of(roster, today), "enrollments")}

    assert statuses(END - DAY) == {"s1": "active", "s2": "inactive"}
    assert statuses(END) == {"s1": "completed", "s2": "inactive"}
