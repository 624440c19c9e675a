"""Whether passes still come: judged by whoever looks, from when the last ones ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

PASSES_KEPT = 40
"""So many instants of passes are remembered."""

_LEAST_KNOWN = 5
_TIMES = 3
_LEAST = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Gap:
    """A time without a pass; `until` None: it still lasts."""

    since: datetime
    until: datetime | None


def longest_usual(passes: Sequence[datetime], late_after: timedelta | None = None) -> timedelta | None:
    """How long no pass may come before that is news: what the owner says, else three times the usual gap.

    None while too few passes are known to tell what is usual.
    """
    if late_after is not None:
        return late_after
    gaps = sorted(after - before for before, after in pairwise(passes))
    if len(gaps) < _LEAST_KNOWN:
        return None
    return max(_LEAST, _TIMES * gaps[len(gaps) // 2])


def gap_now(passes: Sequence[datetime], now: datetime, late_after: timedelta | None = None) -> Gap | None:
    """The gap that lasts now, when it is longer than usual."""
    usual = longest_usual(passes, late_after)
    # One that a clock running ahead has dated into the future would hide for as long that none comes.
    last = max((one for one in passes if one <= now), default=None)
    if usual is None or last is None or now - last <= usual:
        return None
    return Gap(last, None)


def gap_before(passes: Sequence[datetime], now: datetime, late_after: timedelta | None = None) -> Gap | None:
    """The gap that a pass ending now has ended; `passes` are those before it."""
    found = gap_now(passes, now, late_after)
    return None if found is None else Gap(found.since, now)


def with_pass(passes: Sequence[datetime], at: datetime) -> tuple[datetime, ...]:
    """The instants with one more, in order; forgotten are the oldest, and those a wrong clock has dated ahead."""
    return tuple(sorted({*(one for one in passes if one <= at + _LEAST), at})[-PASSES_KEPT:])
