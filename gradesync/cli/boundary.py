"""The one place where errors become a sentence and an exit code (DESIGN.md 4).

Nothing below it prints a traceback or ends the process. What an exception of a library says may hold student data,
so of those only the type is shown, and with --verbose the stack without values.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

import click

from gradesync.cli import stderr
from gradesync.errors import ConnectionProblem, GradesyncError, StoreUnavailable

USAGE = 64
INTERRUPTED = 130
BROKEN_PIPE = 141
"""What a shell reports of a program whose reader has gone away."""


class RunsHandedBack(KeyboardInterrupt):
    """Somebody interrupted a command that had runs at work; those that had begun are queued again."""


def guarded(call: Callable[[], object]) -> int:
    """Carry out a command; the answer is its exit code."""
    before = _catch_termination()
    try:
        answer = call()
        sys.stdout.flush()
        return answer if isinstance(answer, int) else 0
    except click.exceptions.NoArgsIsHelpError as problem:
        _say_line(problem.format_message())
        return USAGE
    except click.UsageError as problem:
        return _usage(problem)
    except click.ClickException as problem:
        _say(problem.format_message(), None)
        return 1
    except click.exceptions.Exit as end:
        return end.exit_code
    except (KeyboardInterrupt, click.Abort) as end:
        return _interrupted(end)
    except BrokenPipeError:
        drop_stdout()
        return BROKEN_PIPE
    except BaseExceptionGroup as several:
        return _several(several)
    except GradesyncError as problem:
        _say(_with_code(problem), _hint(problem))
        return problem.exit_code
    except OSError as problem:
        return _file_trouble(problem)
    except Exception as bug:
        return _unexpected(bug)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _catch_termination() -> Callable[[int, FrameType | None], object] | int | None:
    """Let a service manager's SIGTERM end a command as orderly as Ctrl-C."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    try:
        return signal.signal(signal.SIGTERM, interrupt)
    except ValueError:
        return None  # not the main thread: whoever embeds us handles signals


def _interrupted(end: BaseException) -> int:
    # click makes an Abort of every KeyboardInterrupt.
    handed_back = isinstance(end, RunsHandedBack) or isinstance(end.__cause__, RunsHandedBack)
    more = "unfinished runs were handed back, and the next pass goes on with them (`gradesync stop ACCOUNT` ends them)"
    _say_line(f"interrupted; {more}" if handed_back else "interrupted")
    return INTERRUPTED


def _usage(problem: click.UsageError) -> int:
    context = problem.ctx
    path = context.command_path if context is not None else "gradesync"
    _say(problem.format_message(), f"`{path} --help` shows how it is used")
    return USAGE


def _several(several: BaseExceptionGroup[BaseException]) -> int:
    """Accounts run beside each other, so their errors come in a bundle; the first of ours speaks for it."""
    ours, rest = several.split(GradesyncError)
    if ours is not None and rest is None:
        first = _leaf(ours)
        assert isinstance(first, GradesyncError)
        _say(_with_code(first), _hint(first))
        return first.exit_code
    return _unexpected(_leaf(rest if rest is not None else several))


def _with_code(problem: GradesyncError) -> str:
    """The sentence; what `explain` knows more of carries its code."""
    if isinstance(problem, (StoreUnavailable, ConnectionProblem)):
        return f"{problem.code}: {problem}"
    return str(problem)


def _hint(problem: GradesyncError) -> str | None:
    """Its own hint; where a side could not be asked, who must act and how, as a run would tell it."""
    if problem.hint is not None or not isinstance(problem, ConnectionProblem):
        return problem.hint
    from gradesync.domain.problem import CODES
    from gradesync.reporting.words import to_do

    entry = CODES.get(problem.code)
    look = "`gradesync doctor ACCOUNT` looks at both sides"
    return look if entry is None else f"{to_do(entry).rstrip('.')}; {look}"


def _leaf(group: BaseExceptionGroup[BaseException]) -> BaseException:
    first = group.exceptions[0]
    return _leaf(first) if isinstance(first, BaseExceptionGroup) else first


def _file_trouble(problem: OSError) -> int:
    """A file of the tree that cannot be read or written: the system's reason and the path, never a content."""
    if problem.filename is None and (problem.errno in UNWRITTEN or _closed(problem)):
        return unwritten(problem)
    if problem.filename is None or not problem.strerror:
        return _unexpected(problem)
    _say(
        f"{problem.filename}: {problem.strerror}",
        "look at the rights and the space of this folder, or name another with -C",
    )
    return 1


UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What the system answers a write that reached nothing: no space, no quota, too large, gone."""


def unwritten(problem: OSError) -> int:
    """What was to be printed could not be: the system's reason, and nothing more when the process ends."""
    drop_stdout()
    # The system's own words for the number: those of the exception may be somebody else's.
    reason = "it is closed" if problem.errno == errno.EBADF else os.strerror(problem.errno or 0)
    _say(f"the output could not be written: {reason}", None)
    return 1


def _closed(problem: OSError) -> bool:
    """Whether that is told of a closed stdout: any other file that is closed too early is a bug of ours."""
    if problem.errno != errno.EBADF:
        return False
    try:
        os.write(sys.stdout.fileno(), b"")
    except OSError as ours:
        return ours.errno == errno.EBADF
    return False


def drop_stdout() -> None:
    """Let go of what stdout still holds: Python would flush it at exit, and complain once more."""
    # An embedder's stdout may be no file; then nothing is flushed at exit either.
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, sys.stdout.fileno())
        finally:
            os.close(nowhere)


def _unexpected(bug: BaseException) -> int:
    verbose = is_verbose()
    _say(
        f"something broke that should not ({type(bug).__name__})",
        "please report it with the stack above" if verbose else "run it again with --verbose and report it",
    )
    if verbose:
        import traceback

        click.echo("".join(traceback.format_tb(bug.__traceback__)), err=True)
    return 1


def is_verbose() -> bool:
    """Whether --verbose was given; asked when the command's own options may be out of reach."""
    return _verbose[0]


def set_verbose() -> None:
    """Remember --verbose, and let gradesync's own log be seen. Its records carry counts and codes only."""
    from gradesync.cli import logs

    _verbose[0] = True
    logs.configure(verbose=True)


def set_log_format(form: str) -> None:
    """Show the log, as sentences or as JSON."""
    from gradesync.cli import logs

    logs.configure(form=form)


def forget() -> None:
    """A new command line: what another one in this process asked for is not asked for now."""
    _verbose[0] = False
    logs = sys.modules.get("gradesync.cli.logs")
    if logs is not None:
        logs.reset()


_verbose = [False]


def _say(sentence: str, hint: str | None) -> None:
    logs = sys.modules.get("gradesync.cli.logs")
    if logs is not None and logs.as_json():
        stderr.line(sentence, action="command.failed", level="error", hint=hint)
        return
    _say_line(f"error: {sentence}")
    if hint:
        _say_line(f"hint: {hint}")


def _say_line(line: str) -> None:
    stderr.line(line)
