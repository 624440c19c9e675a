"""A strip of recorded runs per schedule: a bar for how much each carried, a mark whose shape and colour is its outcome.

Only coordinates and words; the drawing is the template's, with presentation attributes, because the page allows no
inline style.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from math import log10
from typing import Any

from gradesync.domain.page_standing import carried_by
from gradesync.domain.run import Outcome
from gradesync.domain.run_line import RunLine
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page.environment import Escaped, piece
from gradesync.reporting.page.wording import Stamps, mark_of

MOST = 40
"""So many runs are drawn per schedule."""

STEP, BASE, _TALL = 13, 40, 36
_LEAST = 25
"""A strip is at least so many runs wide, so that those of a new account are no posters."""

_TOLD, _OTHER = ("completed", "warning", "failed"), "other"
_SLUGS = {outcome: mark_of(outcome.value) for outcome in Outcome}
_KINDS = {outcome: slug if slug in _TOLD else _OTHER for outcome, slug in _SLUGS.items()}


def strips(
    runs: Iterable[RunLine], zone: str, stamps: Stamps
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What is drawn, and the same as a table: one strip for each schedule that has ended runs."""
    by_schedule: dict[str, list[RunLine]] = {}
    for run in runs:
        if run.outcome is not None:
            by_schedule.setdefault(run.schedule.name, []).append(run)
    drawn, rows = [], []
    for name, newest_first in sorted(by_schedule.items()):
        shown = newest_first[:MOST][::-1]
        kinds = Counter([_KINDS[run.outcome] for run in shown if run.outcome is not None])
        oldest, newest = (stamps(run.at, zone)[1] for run in (shown[0], shown[-1]))
        rows.append((clean(name), *(kinds[kind] for kind in (*_TOLD, _OTHER)), oldest, newest))
        said = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
        told = f"{words.plural(len(shown), 'run')} from {oldest} to {newest}: {said}."
        drawn.append((clean(name), max(_LEAST, len(shown)) * STEP, told, drawing(shown)))
    return drawn, rows


def drawing(shown: Sequence[RunLine]) -> Escaped:
    """The bars, and then the marks below them."""
    slugs = [_SLUGS[run.outcome] for run in shown if run.outcome is not None]
    bars = [
        _bar(place, height_of(carried_by(run.counts)), slug)
        for place, (run, slug) in enumerate(zip(shown, slugs, strict=True))
    ]
    return Escaped("".join([*bars, *[_mark(place, slug) for place, slug in enumerate(slugs)]]))


@lru_cache(maxsize=16_384)
def _bar(place: int, height: int, slug: str) -> Escaped:
    return piece("bar")(place * STEP + 1, BASE - height, height, slug) if height else Escaped("")


@lru_cache(maxsize=1024)
def _mark(place: int, slug: str) -> Escaped:
    return piece("mark")(place * STEP, slug)


@lru_cache(maxsize=4096)
def height_of(records: int) -> int:
    """From nothing to `_TALL`; ten times the records are a step of nine, so that one large run hides no small one."""
    return min(_TALL, round(3 + 9 * log10(records))) if records else 0
