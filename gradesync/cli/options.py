"""Turns what settings and options say into the engine's values. Pure but for the errors."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gradesync.errors import NotFound

if TYPE_CHECKING:
    from gradesync.config.loader import Loaded
    from gradesync.config.settings import Settings
    from gradesync.domain.hold import HoldScope
    from gradesync.domain.plan import Safety
    from gradesync.domain.schedule import SyncType

changed_option = click.option(
    "--changed-files",
    "changed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --format github: files to annotate first, one a line; else what the event or Git tells.",
)


LONGEST_REASON = 500
"""Characters: a reason stands in lists and comments, beside others. Longer ones of before stay as they are."""


class _Reason(click.types.StringParamType):
    """Why somebody does something. Named like any text, and not longer than a reader of a list would read."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text without the blanks around it."""
        text: str = super().convert(value, param, ctx).strip()
        if len(text) > LONGEST_REASON:
            self.fail(
                f"a reason is at most {LONGEST_REASON} characters, and this one has {len(text):,}: name a ticket that "
                "tells the rest",
                param,
                ctx,
            )
        return text


REASON = _Reason()
"""The type of every `--reason`."""


def safety_of(settings: Settings) -> Safety:
    """The guards' limits: gradesync.yaml's over the defaults."""
    from gradesync.domain.plan import Safety

    said = settings.safety
    usual = Safety()
    return Safety(
        account_share=said.get("account_share", usual.account_share),
        account_least=int(said.get("account_least", usual.account_least)),
        all_share=said.get("all_share", usual.all_share),
        all_least=int(said.get("all_least", usual.all_least)),
    )


def accounts_of(loaded: Loaded | None, wanted: Collection[str]) -> frozenset[str] | None:
    """The accounts a command is limited to, None for all. Raises NotFound for a name no file has."""
    if not wanted:
        return None
    if loaded is not None:
        known = loaded.desired.accounts.keys() | loaded.desired.frozen
        for name in wanted:
            if name not in known:
                raise NotFound(f"no file describes the account {name}", hint=nearest(name, known))
    return frozenset(wanted)


def nearest(name: str, known: Collection[str]) -> str:
    """The nearest of the known names, where one is near, and where to look."""
    from difflib import get_close_matches

    near = get_close_matches(name, known, n=1)
    told = f"did you mean {near[0]}? " if near else ""
    return f"{told}`gradesync list` shows every name"


def scope_of(target: str, type_: SyncType | None) -> HoldScope:
    """ACCOUNT or ACCOUNT/SCHEDULE as a hold's scope. Raises ValueError for anything else."""
    from gradesync.domain.hold import HoldScope
    from gradesync.domain.schedule import ScheduleId

    if "/" not in target:
        return HoldScope(account=target, type=type_)
    id = ScheduleId.parse(target)
    return HoldScope(account=id.account, schedule=id.name, type=type_)
