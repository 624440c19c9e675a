"""Pass after pass in one process, and what `reconcile` needs to read of a time and of a part of the accounts."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import click

from gradesync.cli.common import tell
from gradesync.cli.halting import Halt, heeding_signals
from gradesync.domain.shard import Shard
from gradesync.errors import GradesyncError, NotAllowed

EVERY = 60.0
"""Seconds from one pass's beginning to the next one's."""

_LENGTH = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")


class SecondsParam(click.ParamType[float]):
    """`90s`, `25m`, `1h30m`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Seconds, or a usage error."""
        if isinstance(value, (int, float)):
            return float(value)
        found = _LENGTH.fullmatch(str(value).strip())
        hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        total = hours * 3600 + minutes * 60 + seconds
        if not total:
            self.fail(f"`{value}` is not a length of time; write it like 90s, 25m or 1h30m", param, ctx)
        return float(total)


SECONDS = SecondsParam()


class ShardParam(click.ParamType[Shard]):
    """`I/N`."""

    name = "shard"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Shard:
        """The part, or a usage error."""
        if isinstance(value, Shard):
            return value
        try:
            return Shard.parse(str(value))
        except ValueError as problem:
            self.fail(str(problem), param, ctx)


def keep_going(one_pass: Callable[[Halt], int], every: float, max_time: float | None) -> int:
    """Pass after pass until a signal or the end of `max_time`; 0 then.

    What keeps the first pass from beginning ends the service, because somebody is looking; later, trouble (a store that
    is away, files in the middle of a checkout) is told once and the next pass tries again.
    """
    halt = Halt(max_time)
    first, told = True, ""
    with heeding_signals(halt):
        while True:
            began = time.monotonic()
            try:
                one_pass(halt)
                first, told = False, ""
            except NotAllowed:
                raise
            except GradesyncError as problem:
                if first:
                    raise
                if str(problem) != told:
                    told = str(problem)
                    tell(f"error: {problem}")
                    tell(f"hint: {problem.hint or 'nothing is lost'}; it is tried again every {every:.0f} s")
            if halt.asked() or halt.wait(every - (time.monotonic() - began)):
                return 0
