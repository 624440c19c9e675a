"""A person's run looks before it sends much: what it would write is known, and agreed to, before anything goes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gradesync.domain.report import RunEnd
from gradesync.domain.run import Mode, Outcome
from gradesync.engine.control import ByHand, NeedsConsent, run_by_hand
from gradesync.errors import AccountBusy, ConnectionProblem
from tests.domain.plan_samples import account, desired, schedule
from tests.engine.district import GRADES, Connections, District


def by_hand(district: District, most: int | None = 3, **wish: Any) -> RunEnd:
    return asyncio.run(run_by_hand(district.tools, ByHand(GRADES, most=most, **wish)))


def fresh(**fields: Any) -> District:
    """Recorded, and nothing sent yet: six results and four line items wait in three classes."""
    district = District(**fields)
    district.reconcile(district.tree())
    return district


@pytest.mark.parametrize("mode", list(Mode))
def test_a_large_run_is_not_started_and_its_counts_are_said(mode: Mode) -> None:
    district = fresh()
    with pytest.raises(NeedsConsent, match="6 results and 4 line items in 3 classes") as refused:
        by_hand(district, mode=mode)
    assert "--yes" in (refused.value.hint or "")
    assert district.school.sis.writes == 0
    assert district.runs() == []
    assert list(district.store.leases()) == []


def test_up_to_the_limit_or_with_consent_it_runs_at_once() -> None:
    assert by_hand(fresh(), most=6).result is not None
    district = fresh()
    by_hand(district, most=None)
    assert district.school.sis.writes == 10


def test_what_counts_is_what_would_be_written_not_what_is_looked_at() -> None:
    district = fresh()
    by_hand(district, most=None)
    district.school.grade(1, 11, "9")
    end = by_hand(district, most=1, mode=Mode.FULL)
    assert end.result is not None
    assert end.result.counts["sent"] == 1


def test_one_class_is_counted_alone() -> None:
    with pytest.raises(NeedsConsent, match="4 results"):
        by_hand(fresh(), class_filter="c1")
    assert by_hand(fresh(), class_filter="c2").result is not None


def test_observing_never_asks_because_it_never_sends() -> None:
    district = fresh(state="observe")
    assert by_hand(district, most=1).result is not None
    assert district.school.sis.writes == 0


def test_trouble_while_looking_is_a_failed_run_on_record_and_nothing_is_sent_unseen() -> None:
    district = fresh()
    tools = district.tools
    object.__setattr__(tools, "connections", _Flaky(district))
    end = by_hand(district)
    assert end.result is not None
    assert (end.result.outcome, dict(end.result.codes)) == (Outcome.FAILED, {"GS-302": 1})
    assert district.school.sis.writes == 0
    assert [run.result.outcome for run in district.runs() if run.result] == [Outcome.FAILED]


class _Flaky(Connections):
    """Away for the first look, back for the run."""

    def __init__(self, district: District) -> None:
        super().__init__(district.school)

    def gradebook_readonly(self, account: Any) -> Any:
        raise ConnectionProblem("away", code="GS-302", retryable=True)


def test_nobody_looks_long_while_somebody_else_works() -> None:
    district = fresh()
    district.school.later()
    run = district.school.claim()
    assert run.epoch
    with pytest.raises(AccountBusy):
        by_hand(district)
    assert district.school.canvas.reads == []


def test_scores_that_would_be_taken_out_are_counted_like_scores_that_would_be_written() -> None:
    district = District()
    rows = {"grades": schedule()}
    policy = {"deletions": "delete", "deletion_limit": 100}
    tree = desired(account("riverside", rows, scope={"terms": "all"}, passback=policy))
    district.reconcile(tree)
    by_hand(district, most=None)
    held = len(district.school.grades())
    for assignment, user in [(1, 11), (1, 12), (1, 21), (2, 11)]:
        district.school.grade(assignment, user, None)
    with pytest.raises(NeedsConsent, match="results"):
        by_hand(district, most=0, mode=Mode.FULL)
    assert len(district.school.grades()) == held
