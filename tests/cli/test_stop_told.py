"""What `gradesync stop` says of a run that needed no stopping any more."""

from __future__ import annotations

import pytest

from gradesync.cli.stop import tell_stopped
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.engine.stopping import stop_account
from tests.engine.district import District
from tests.engine.test_pass import queue_while_busy


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.STOPPED])
def test_a_run_that_ended_before_it_heard_of_its_stop_is_told_as_such(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    district = District()
    district.reconcile(district.tree())
    claimed = queue_while_busy(district)
    stopped = stop_account(district.tools, "riverside", "wrong term")
    district.store.finish(claimed, RunResult(outcome, Stage.RECORD), [])
    assert tell_stopped(district.tools, stopped, "text") == 0
    told = capsys.readouterr().err
    assert ("ended by itself before it heard of the stop" in told) == (outcome is Outcome.COMPLETED)
    assert [e.fact.data["reason"] for e in district.history("stop asked")] == ["wrong term"]
    assert district.history("run stopped") == []
