"""The names that Tab offers for an argument or an option: accounts, schedules, runs, groups, codes.

Completing must be quick and must never say a word: it happens while somebody is typing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
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
    """Let a command's arguments and options offer names, by what its help calls them."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            teach(inner)
    for param in command.params:
        called = (param.metavar or (param.name or "").upper()).replace("[/", "|ACCOUNT/")
        kinds = [_KINDS[word] for word in re.split(r"[|\s]+", called.strip("[]. ")) if word in _KINDS]
        if kinds and not isinstance(param.type, click.Choice | click.Path):
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

    found = names(root / ".gradesync" / "store.db", kind)
    if kind == "account":
        # Also those that no pass has recorded yet, and all of them where the store is elsewhere.
        files = sorted((root / "schedules").glob("**/*.y*ml"))
        found += [file.stem for file in files if not file.stem.startswith("_")]
    return found


__all__ = ["Named", "teach"]
