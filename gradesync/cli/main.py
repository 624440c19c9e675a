"""The `gradesync` command as a lazy click group: a command's module is imported when that command is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from gradesync.cli.boundary import forget, guarded, set_log_format
from gradesync.cli.common import Invocation, shared_options
from gradesync.cli.table import MODULES, SECTIONS, help_text

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class LazyGroup(click.Group):
    """Knows its commands from a static table; help needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the table."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's module, now that somebody wants it."""
        if cmd_name not in MODULES:
            from difflib import get_close_matches

            near = get_close_matches(cmd_name, MODULES, n=1)
            raise click.UsageError(
                f"no command {cmd_name}" + (f"; did you mean {near[0]}?" if near else ""), ctx
            )
        command = import_module(f"gradesync.cli.{MODULES[cmd_name]}").command
        assert isinstance(command, click.Command)
        if _completing():
            from gradesync.cli.naming import teach

            return teach(command)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[str]]:
        """The commands and what they do, from the table: no module is imported for a list."""
        from click.shell_completion import CompletionItem

        rows = [(name, words) for _, rows in SECTIONS for name, _, words in rows]
        found = [CompletionItem(name, help=words) for name, words in rows if name.startswith(incomplete)]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def get_help(self, ctx: click.Context) -> str:  # noqa: ARG002 - click's signature
        """The table as text."""
        return help_text()

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run inside the one error boundary; the answer is the exit code."""
        inner = super().main
        if _completing():
            return _complete(lambda: inner(*args, **{**extra, "standalone_mode": False}))
        forget()
        given = args[0] if args else extra.get("args")
        code = guarded(lambda: _as_asked(given, lambda: inner(*args, **{**extra, "standalone_mode": False})))
        if standalone_mode:
            raise SystemExit(code)
        return code


def _as_asked(given: Sequence[str] | None, call: Callable[[], Any]) -> Any:
    """Run the command line. What is wrong with it is told in the log's format, too.

    click stops at the first word it does not know, before it looks at any option of that command: there the format is
    read from the words themselves.
    """
    try:
        return call()
    except click.UsageError:
        if _log_format(sys.argv[1:] if given is None else given) == "json":
            set_log_format("json")
        raise


def _log_format(arguments: Sequence[str]) -> str | None:
    """What the last --log-format before a `--` says."""
    found = None
    for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
        if word == "--":
            break
        name, given, value = word.partition("=")
        if name == "--log-format":
            found = value if given else following
    return found


def _completing() -> bool:
    """Whether a shell asks what could come next."""
    return "_GRADESYNC_COMPLETE" in os.environ


def _complete(call: Callable[[], Any]) -> int:
    """Answer the shell. Whatever goes wrong, nothing is said: somebody is typing on that line."""
    from gradesync.cli.completion_shells import register

    register()
    try:
        call()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception:
        # A shell's question is no command: a trace here would land in what somebody is typing.
        return 1
    return 0


def _start(*, version: bool) -> None:
    """What runs before a command."""
    context = click.get_current_context()
    context.ensure_object(Invocation)
    if version:
        from gradesync import __version__

        click.echo(f"gradesync {__version__}")
        context.exit(0)
    if context.invoked_subcommand is None:
        click.echo(help_text())


group = LazyGroup(
    "gradesync",
    callback=_start,
    params=[*shared_options(), click.Option(["--version", "-V"], is_flag=True, help="Print the version.")],
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run(arguments: Sequence[str]) -> int:
    """Run the command line; the answer is the process's exit code."""
    code = group.main(args=list(arguments), prog_name="gradesync", standalone_mode=False)
    assert isinstance(code, int)
    return code
