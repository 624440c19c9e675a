"""When a record that waits is looked at again: when its cause can have gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.problem import CODES
from gradesync.domain.record import WaitingRecord, WaitingRow
from gradesync.domain.retrying import worth_retrying

SINCE = datetime(2026, 10, 1, 8, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=15)


def worth(
    code: str,
    after: timedelta = MINUTES,
    *,
    catalogue: bool = False,
    roster: bool = False,
    complete: bool = False,
    looked: timedelta | None = None,
) -> bool:
    row = WaitingRow(WaitingRecord("s", "c1", code), SINCE)
    return worth_retrying(
        row,
        SINCE + after,
        catalogue_changed=catalogue,
        roster_changed=roster,
        complete=complete,
        looked=None if looked is None else SINCE + looked,
    )


@pytest.mark.parametrize("code", ["GS-507", "GS-508"])
def test_transport_trouble_is_tried_at_every_run(code: str) -> None:
    assert worth(code)


@pytest.mark.parametrize("code", ["GS-503", "GS-417"])
def test_a_student_who_was_missing_is_looked_for_when_a_roster_came(code: str) -> None:
    assert not worth(code)
    assert not worth(code, catalogue=True)
    assert worth(code, roster=True)


@pytest.mark.parametrize("code", ["GS-402", "GS-405", "GS-406", "GS-501", "GS-502", "GS-512"])
def test_a_closed_period_or_a_missing_category_is_tried_when_the_sis_changed_or_a_day_passed(
    code: str,
) -> None:
    assert not worth(code)
    assert not worth(code, roster=True)
    assert worth(code, catalogue=True)
    assert worth(code, timedelta(days=1))


@pytest.mark.parametrize("code", ["GS-411", "GS-401", "GS-415"])
def test_what_a_teacher_must_mend_is_seen_by_its_change_and_never_asked_for(code: str) -> None:
    assert not worth(code, timedelta(days=30), catalogue=True, roster=True)


@pytest.mark.parametrize("code", sorted(CODES))
def test_a_full_run_looks_at_everything(code: str) -> None:
    assert worth(code, complete=True)


@given(
    st.sampled_from(["GS-412", "GS-501", "GS-503", "GS-506", "GS-599"]),
    st.lists(st.integers(1, 40), min_size=1, max_size=60),
)
def test_nothing_but_transport_is_tried_more_than_once_a_day_for_nothing(code: str, steps: list[int]) -> None:
    looked, tried, at = timedelta(), 0, timedelta()
    for hours in steps:
        at += timedelta(hours=hours)
        tried += worth(code, at, looked=looked)
        looked = at
    assert tried <= at // timedelta(days=1)
    # And every day brings a look of its own as long as runs are no rarer.
    if max(steps) <= 24:
        assert tried == at // timedelta(days=1)
