"""When a record that waits is looked at again: when its cause can have gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.passback import ClassDecision
from gradesync.domain.problem import CODES
from gradesync.domain.record import WaitingRecord, WaitingRow
from gradesync.domain.retrying import let_rest, worth_retrying
from gradesync.domain.wish import Verdict
from tests.domain.passback_samples import decide
from tests.domain.passback_samples import given as class_of

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


def test_a_delta_leaves_closed_columns_alone_unless_a_score_of_theirs_changed() -> None:
    decision = decide(class_of())
    (item,) = decision.line_items
    assert item.verdict is Verdict.SEND

    def rested(code: str, one: ClassDecision = decision) -> Verdict:
        standing = {item.subject: WaitingRow(WaitingRecord(item.subject, "c1", code), SINCE)}
        return let_rest(one, standing).line_items[0].verdict

    quiet = replace(decision, results=())
    assert let_rest(quiet, {}) is quiet
    assert let_rest(quiet, {"another": WaitingRow(WaitingRecord("another", "c1", "GS-501"), SINCE)}) == quiet
    assert rested("GS-501", quiet) is Verdict.WITHHELD
    assert rested("GS-508", quiet) is Verdict.SEND
    assert rested("GS-000", quiet) is Verdict.SEND
    # A student waits for this column: the SIS is asked.
    assert rested("GS-501") is Verdict.SEND
    done = replace(quiet, line_items=(replace(item, verdict=Verdict.UNCHANGED),))
    assert rested("GS-501", done) is Verdict.UNCHANGED


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
