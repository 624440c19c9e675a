"""Every end of a command is a sentence and an exit code; what a library says about a student is never repeated."""

from __future__ import annotations

import io

import click
import pytest

from gradesync.cli import boundary
from gradesync.cli.boundary import RunsHandedBack, guarded
from gradesync.cli.progress import QuietProgress
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import AccountBusy, ConnectionProblem, GradesyncError, StalePlan, StoreUnavailable


def _raising(error: BaseException) -> int:
    def call() -> None:
        raise error

    return guarded(call)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("gone"), 1),
        (AccountBusy("busy"), 4),
        (StalePlan("stale"), 6),
        (click.UsageError("what?"), 64),
        (KeyboardInterrupt(), 130),
        (ValueError("Ana Ortiz got 7"), 1),
        (BaseExceptionGroup("", [ExceptionGroup("", [AccountBusy("busy")])]), 4),
        (ExceptionGroup("", [GradesyncError("x"), ValueError("Ana Ortiz got 7")]), 1),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("verbose", [False, True])
def test_each_error_has_its_exit_code_and_says_nothing_about_students(
    error: BaseException,
    code: int,
    verbose: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boundary, "_verbose", [verbose])
    assert _raising(error) == code
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err
    assert "Ortiz" not in said.err


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (RunsHandedBack(), "interrupted; unfinished runs were handed back"),
    ],
    ids=["nothing ran", "runs at work"],
)
def test_only_what_had_runs_at_work_speaks_of_them_when_interrupted(
    error: BaseException, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _raising(error) == 130
    shown = capsys.readouterr().err
    assert shown.startswith(said)
    assert ("runs" in shown) == isinstance(error, RunsHandedBack)


def test_a_stack_is_shown_only_when_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _raising(ValueError("x"))
    assert "test_boundary" not in capsys.readouterr().err
    monkeypatch.setattr(boundary, "_verbose", [True])
    _raising(ValueError("x"))
    assert "test_boundary" in capsys.readouterr().err


def test_a_hint_follows_its_error(capsys: pytest.CaptureFixture[str]) -> None:
    _raising(GradesyncError("it is so", hint="do that"))
    assert capsys.readouterr().err == "error: it is so\nhint: do that\n"


RIVERSIDE = ScheduleId("riverside", "grades")


def test_in_a_log_only_sentences_are_kept() -> None:
    out = io.StringIO()
    progress = QuietProgress(out)
    progress.stage(RIVERSIDE, "fetch", 3, 12)
    progress.say(RIVERSIDE, "completed")
    progress.clear()
    assert out.getvalue() == "riverside/grades: completed\n"


def test_a_run_s_quiet_line_leaves_the_codes_to_the_report_unless_it_failed() -> None:
    out = io.StringIO()
    progress = QuietProgress(out)
    progress.say(ScheduleId("riverside", "grades"), "warning; 3 sent, 2 withheld; GS-401 x1, GS-411 x1")
    progress.say(ScheduleId("riverside", "grades"), "failed; GS-508 x1")
    assert (
        out.getvalue()
        == "riverside/grades: warning; 3 sent, 2 withheld\nriverside/grades: failed; GS-508 x1\n"
    )


def test_a_folder_that_cannot_be_written_is_named_and_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: _raising(PermissionError(13, "Permission denied", "/srv/tree/schedules"))) == 1
    told = capsys.readouterr().err
    assert "error: /srv/tree/schedules: Permission denied\nhint: " in told
    assert guarded(lambda: _raising(OSError("a student's name"))) == 1
    assert "student" not in capsys.readouterr().err


def test_a_side_that_could_not_be_asked_is_told_with_code_who_acts_and_the_next_step(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _raising(ConnectionProblem("The SIS gave no access token for the client id and secret.", code="GS-202"))
    said = capsys.readouterr().err
    assert "GS-202" in said
    assert "SIS admin" in said
    assert "gradesync doctor" in said
    _raising(ConnectionProblem("no", code="GS-207", hint="set the variable"))
    assert "set the variable" in capsys.readouterr().err
