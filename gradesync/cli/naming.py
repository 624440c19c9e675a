"""The names that Tab offers for an argument or an option: accounts, schedules, runs, groups, codes.

Completing must be quick and must never say a word: it happens while somebody is typing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from gradesync.cli.common import Invocation

if TYPE_CHECKING:
    from click import Context, Parameter


class Named(click.types.StringParamType):
    """A text that is one of the names the tree knows; any text is taken, completion offers names."""

    def __init__(self, kinds: Iterable[str]) -> None:
        self._kinds = tuple(kinds)

    def shell_complete(self, ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002 - click's signature
        """The names that begin so."""
        said = ctx.find_object(Invocation) or Invocation()
        found = dict.fromkeys(one for kind in self._kinds for one in _names(said.root, kind))
        return [CompletionItem(one) for one in found if one.startswith(incomplete)]


class RunToApprove(click.types.StringParamType):
    """A run's id; completion offers those that wait for an approval, each with its schedule."""

    def shell_complete(self, ctx: Context, param: Parameter, incomplete: str) -> list[CompletionItem[str]]:  # noqa: ARG002 - click's signature
        """The runs that begin so, newest first."""
        from gradesync.store.names import to_approve

        said = ctx.find_object(Invocation) or Invocation()
        found = to_approve(_store_of(said.root))
        return [CompletionItem(run, help=schedule) for run, schedule in found if run.startswith(incomplete)]


_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*\Z")
_KINDS = {
    "ACCOUNT": "account",
    "ACCOUNT/SCHEDULE": "schedule",
    "ID": "schedule",
    "RUN": "run",
    "RUN_ID": "run",
    "CODE": "code",
    "GROUP": "group",
    "TYPE": "type",
    "TARGET": "account",
}


def teach(command: click.Command) -> click.Command:
    """The command, whose arguments and options offer the names its help speaks of; the given one is left alone."""
    command = copy(command)
    if isinstance(command, click.Group):
        command.commands = {name: teach(inner) for name, inner in command.commands.items()}
    command.params = [copy(param) for param in command.params]
    for param in command.params:
        called = (param.metavar or (param.name or "").upper()).replace("[/", "|ACCOUNT/")
        kinds = [_KINDS[word] for word in re.split(r"[|\s]+", called.strip("[]. ")) if word in _KINDS]
        if kinds and not isinstance(param.type, click.Choice | click.Path | RunToApprove):
            param.type = Named(kinds)
    return command


def _names(root: Path, kind: str) -> Iterator[str]:
    """Names of a kind that a shell can take as they are."""
    yield from (one for one in _all_names(root, kind) if _SAFE.match(one))


def _all_names(root: Path, kind: str) -> Iterable[Any]:
    if kind == "code":
        from gradesync.domain.problem import CODES

        return list(CODES)
    if kind == "type":
        return ["roster-import", "grade-passback"]
    from gradesync.store.names import names

    found = names(_store_of(root), kind)
    if kind == "account":
        # Also those that no pass has recorded yet, and all of them where the store is elsewhere.
        files = sorted((root / "schedules").glob("**/*.y*ml"))
        found += [file.stem for file in files if not file.stem.startswith("_")]
    return found


def _store_of(root: Path) -> Path:
    """Where a tree's own store lies; one elsewhere is not asked."""
    return root / ".gradesync" / "store.db"


__all__ = ["Named", "RunToApprove", "teach"]
