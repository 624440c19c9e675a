"""What commands share: options, opening the tree, parsing of names and times, carrying out async work.

No rendering (that is `render`) and no error handling (that is `boundary`).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gradesync.cli.boundary import set_log_format, set_verbose

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from gradesync.config.loader import Loaded
    from gradesync.domain.schedule import ScheduleId, SyncType
    from gradesync.ports import Progress
    from gradesync.wiring import App, OpenMode
    from gradesync.wiring.commits import Checkout

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Invocation:
    """What the shared options said."""

    root: Path = Path()
    claims: str | None = None


def _note(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    def keep(ctx: click.Context, _parameter: click.Parameter, value: Any) -> None:
        said = ctx.ensure_object(Invocation)
        if name == "verbose":
            if value:
                set_verbose()
        elif name == "log_format":
            if value:
                set_log_format(value)
        elif value is not None:
            setattr(said, name, value)

    return keep


def shared_options() -> list[click.Parameter]:
    """-C, --as, --verbose and --log-format: taken before the command's name and after it."""
    return [
        click.Option(
            ["-C", "directory"],
            type=click.Path(exists=True, file_okay=False, path_type=Path),
            metavar="DIR",
            expose_value=False,
            is_eager=True,
            callback=_note("root"),
            help="The tree to work in (default: this folder).",
        ),
        click.Option(
            ["--as", "claims"],
            metavar="NAME",
            expose_value=False,
            callback=_note("claims"),
            help="Your name, recorded as a claim beside the login.",
        ),
        click.Option(
            ["--verbose"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_note("verbose"),
            help="Say more on stderr: what happens, as sentences with a key.",
        ),
        click.Option(
            ["--log-format"],
            type=click.Choice(["text", "json"]),
            metavar="FORM",
            expose_value=False,
            is_eager=True,
            callback=_note("log_format"),
            help="The log on stderr as text or as json, one record a line.",
        ),
    ]


def new_command(name: str, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """A command with the shared options; `example` ends its help."""

    def make(function: Callable[..., Any]) -> click.Command:
        epilog = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in example.splitlines())
        made = click.command(name, cls=_Told, epilog=epilog, context_settings=CONTEXT)(
            click.pass_obj(function)
        )
        # After the command's own options, which are what its help is read for.
        made.params += shared_options()
        return made

    return make


class _Told(click.Command):
    """Help in the order of what is asked: what it does, its own options, examples, then what every command takes."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options."""
        self._write(ctx, formatter, "Options", everywhere=False)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The examples, and the options of every command."""
        super().format_epilog(ctx, formatter)
        self._write(ctx, formatter, "As with every command", everywhere=True)

    def _write(
        self, ctx: click.Context, formatter: click.HelpFormatter, title: str, *, everywhere: bool
    ) -> None:
        shared = {"--help", *(option for param in shared_options() for option in param.opts)}
        records = [
            record
            for param in self.get_params(ctx)
            if bool(shared & {*param.opts}) is everywhere
            and (record := param.get_help_record(ctx)) is not None
        ]
        if records:
            with formatter.section(title):
                formatter.write_dl(records)


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""How every command's help is asked for and how wide it may be."""


def format_option(*more: str) -> Callable[[F], F]:
    """`--format text|json` and what else the command can write."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(["text", "json", *more]),
        default="text",
        show_default=True,
        help="How the answer is written to stdout.",
    )


def tell(sentence: str) -> None:
    """One line for the person, on stderr, out of the way of what is drawn there."""
    from gradesync.cli.stderr import line

    line(sentence)


def opened(
    said: Invocation, mode: OpenMode | None = None, progress: Progress | None = None, **more: Any
) -> AbstractContextManager[App]:
    """The tree's store for the time of a `with`; an existing one unless `mode` says otherwise."""
    from gradesync.cli import logs
    from gradesync.wiring import OpenMode, open_app

    logs.configure()
    chosen = OpenMode.EXISTING if mode is None else mode
    if not (said.root / ".gradesync").exists():
        require_tree(said.root)
    return open_app(said.root, mode=chosen, claims=said.claims, progress=progress, **more)


tick_option = click.option(
    "--tick",
    type=click.IntRange(1, 1440),
    metavar="MINUTES",
    help="How often reconcile is started: warns of intervals that are shorter.",
)


def load_tree(said: Invocation, *, checkout: Checkout | None = None, tick: int | None = None) -> Loaded:
    """Read every file of the tree. Raises ConfigInvalid when the folder is no tree at all.

    `tick` is how many minutes lie between two passes, where that is known.
    """
    from dataclasses import replace
    from datetime import UTC, datetime

    from gradesync.config.loader import load
    from gradesync.wiring import file_cache

    require_tree(said.root)
    loaded = load(said.root, now=datetime.now(UTC), cache=file_cache(said.root), tick_minutes=tick)
    if checkout is None:
        return loaded
    desired = replace(loaded.desired, commit=checkout.commit, dirty=checkout.dirty)
    return replace(loaded, desired=desired)


def require_tree(root: Path) -> None:
    """Raises ConfigInvalid for a folder that is no tree: the usual slip is to stand in the wrong one."""
    from gradesync.errors import ConfigInvalid

    if not any((root / name).exists() for name in ("schedules", "gradesync.yaml", "gradesync.yml")):
        raise ConfigInvalid(
            f"{root.resolve()} holds neither gradesync.yaml nor a folder schedules",
            hint="name the tree with -C, or begin one with `gradesync init`",
        )


def carry_out(work: Coroutine[Any, Any, T], *, runs: bool = False) -> T:
    """Run async work to its end. SIGINT and SIGTERM cancel it, so that what is unfinished is handed back.

    Raises KeyboardInterrupt then, or RunsHandedBack where the work is that of `runs`. A second signal ends the process
    at once.
    """
    import asyncio
    import signal

    from gradesync.cli.boundary import RunsHandedBack

    async def body() -> T:
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        assert task is not None  # a coroutine always runs in a task

        def stop() -> None:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
            tell(f"stopping{': handing back what is unfinished' if runs else ''} (again to end at once)")
            task.cancel()

        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)
        except (NotImplementedError, RuntimeError):
            pass  # Windows, or not the main thread: asyncio's own handling of Ctrl-C remains
        return await work

    try:
        return asyncio.run(body())
    except (asyncio.CancelledError, KeyboardInterrupt):
        raise (RunsHandedBack if runs else KeyboardInterrupt) from None


class ScheduleParam(click.ParamType["ScheduleId"]):
    """`account/schedule`."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> ScheduleId:
        """The id, or a usage error."""
        from gradesync.domain.schedule import ScheduleId

        if isinstance(value, ScheduleId):
            return value
        try:
            return ScheduleId.parse(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


class TypeParam(click.ParamType["SyncType"]):
    """A sync type, with a blank or with a hyphen."""

    name = "type"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SyncType:
        """The sync type, or a usage error."""
        from gradesync.domain.schedule import SyncType

        try:
            return SyncType(str(value).replace("-", " "))
        except ValueError:
            self.fail("a sync type is `roster-import` or `grade-passback`", param, ctx)


type_option = click.option(
    "--type", "type_", type=TypeParam(), metavar="TYPE", help="roster-import or grade-passback."
)


def duration(text: str) -> timedelta:
    """`30m`, `4h`, `2d`, `1w` and sums such as `1d12h`. Raises a usage error."""
    import re
    from datetime import timedelta

    found = re.fullmatch(r"(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?", text.strip().replace(" ", ""))
    if not text.strip() or found is None:
        raise click.UsageError(f"`{text}` is not a length of time; write it like 30m, 4h, 2d or 1w")
    weeks, days, hours, minutes = (int(part or 0) for part in found.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes)
    if not length:
        raise click.UsageError(f"`{text}` is not a time at all")
    return length


def moment(text: str, zone: str | None) -> datetime:
    """An instant from `YYYY-MM-DD HH:MM`, in `zone` unless it carries an offset. Raises a usage error."""
    from datetime import datetime

    try:
        read = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.UsageError(f"`{text}` is not a time; write it like `2026-12-24 08:00`") from None
    if read.tzinfo is not None:
        return read
    if zone is None:
        raise click.UsageError(f"`{text}` needs an offset here, like `{text}+00:00`: no account gives a zone")
    from gradesync.domain.interval import local_to_utc

    return local_to_utc(read, zone)
