"""The options that `pause`, `pause-all` and `resume` share: what is meant, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from gradesync.cli.common import type_option
from gradesync.cli.options import scope_of

if TYPE_CHECKING:
    from gradesync.domain.hold import HoldScope
    from gradesync.domain.schedule import SyncType

F = TypeVar("F", bound=Callable[..., Any])


def scope_options(command: F) -> F:
    """Add the options and the argument."""
    command = type_option(command)
    command = click.option("--group", metavar="GROUP", help="The accounts of a folder under schedules/.")(
        command
    )
    command = click.option("--everything", is_flag=True, help="Every schedule of every account.")(command)
    return click.argument("target", required=False, metavar="[ACCOUNT]")(command)


def lasting_options(command: F) -> F:
    """How long a hold lasts, and what it means for runs at work."""
    command = click.option(
        "--now", "at_once", is_flag=True, help="Also stop what runs: it ends within one renewal of its lease."
    )(command)
    command = click.option(
        "--until-changed",
        is_flag=True,
        help="Until the definition in the files changes: until a change is merged (30d at most). "
        "Only for one account or schedule: a group, a type and everything change all the time.",
    )(command)
    return click.option(
        "--for", "lasting", metavar="LENGTH", help="Like 30m, 4h, 2d (default 72h, at most 30d)."
    )(command)


def arguments_of(scope: HoldScope) -> str:
    """The scope as `resume` takes it."""
    return scope.arguments


def read_scope(target: str | None, group: str | None, type_: SyncType | None, everything: bool) -> HoldScope:
    """The scope that was meant. Raises a usage error when none, or contradicting ones, were given."""
    from gradesync.domain.hold import HoldScope

    if everything and (target or group or type_):
        raise click.UsageError("--everything goes alone")
    if target and group:
        raise click.UsageError("say an account or --group, not both")
    if not (everything or target or group or type_):
        raise click.UsageError("say what is meant: ACCOUNT, --group, --type or --everything")
    if target:
        try:
            return scope_of(target, type_)
        except ValueError as problem:
            raise click.UsageError(str(problem)) from None
    return HoldScope(group=group, type=type_)
