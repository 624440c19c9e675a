"""Every end of a command is a sentence and an exit code; what a library says about a student is never repeated."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from gradesync.cli import boundary
from gradesync.cli.boundary import RunsHandedBack, guarded
from gradesync.cli.progress import QuietProgress
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import AccountBusy, ConnectionProblem, GradesyncError, StalePlan, StoreUnavailable
from tests.cli.conftest import Tree


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


FULL = "error: the output could not be written: No space left on device\n"
CLOSED = "error: the output could not be written: it is closed\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize("arguments", ["list", "history --format json", "--help", "list --help"])
@pytest.mark.parametrize(("where", "told"), [(">/dev/full", FULL), (">&-", CLOSED)])
def test_output_that_cannot_be_written_is_one_sentence_and_no_bug(
    arguments: str, where: str, told: str, tree: Tree
) -> None:
    tree.run("reconcile", "--no-syncs")
    ended = _in_a_shell(tree, arguments, where)
    assert (ended.returncode, ended.stderr) == (1, told)


def test_a_command_that_prints_nothing_needs_no_stdout(tree: Tree) -> None:
    ended = _in_a_shell(tree, "list --bogus", ">&-")
    assert ended.returncode == 64
    assert "could not be written" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_under_both_outputs_still_ends_with_its_exit_code(tree: Tree) -> None:
    tree.run("reconcile", "--no-syncs")
    assert _in_a_shell(tree, "list", ">/dev/full 2>&1").returncode != 0


def _in_a_shell(tree: Tree, arguments: str, where: str) -> subprocess.CompletedProcess[str]:
    line = f'exec "$0" -m gradesync {arguments} {where}'
    return subprocess.run(
        ["sh", "-c", line, sys.executable],
        cwd=tree.root,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
    )


def test_a_full_disk_repeats_nothing_of_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert _raising(OSError(28, "Ana Ortiz got 7")) == 1
    assert capsys.readouterr().err == FULL
