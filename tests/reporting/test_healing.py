"""A run that failed only by what is tried again by itself: the closing sentence asks nobody for anything."""

from __future__ import annotations

from dataclasses import replace

from gradesync.domain.report import RunEnd, exit_code_of
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.reporting import words
from gradesync.reporting.text.passes import closing
from tests.reporting import samples as s


def failed(**codes: int) -> RunEnd:
    met = {code.replace("_", "-"): count for code, count in codes.items()}
    return replace(s.FAILED, result=RunResult(Outcome.FAILED, Stage.FETCH, {}, met))


def test_a_server_that_is_away_needs_nobody_and_is_still_a_failed_run() -> None:
    report = replace(s.REPORT, ends=(failed(GS_302=1),), plan=None, problems=(), raced=(), stale_commit=None)
    told = closing(report)
    assert "1 failed and is tried again by itself. Nobody needs to act." in told
    assert "needs someone" not in told
    # The exit code goes by what is new: the job is red once, and the words do not call anybody.
    assert exit_code_of(report) == 3


def test_a_refused_key_among_them_needs_someone() -> None:
    for ends in ((failed(GS_302=1), failed(GS_202=1)), (failed(GS_302=1, GS_202=1),)):
        told = closing(replace(s.REPORT, ends=ends, plan=None, problems=()))
        assert "1 needs someone" in told
        assert "Nobody" not in told


def test_what_concerns_the_whole_account_and_was_met_once_counts_no_record() -> None:
    assert words.code_line("GS-206", 1).startswith("GS-206 Server sent us elsewhere. ")
    assert words.code_line("GS-212", 1).startswith("GS-212 Clocks differ (for information). ")
    assert "(1 record)" in words.code_line("GS-405", 1)
    assert "(1 record)" in words.code_line("GS-626", 1)
    assert "(3 records)" in words.code_line("GS-206", 3)
    assert words.code_line("GS-206", 1, "since 2 days").startswith(
        "GS-206 Server sent us elsewhere (since 2 days). "
    )
