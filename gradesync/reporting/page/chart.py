"""A strip of recorded runs per schedule: a bar for how much each carried, a mark whose shape and colour is its outcome.

Only coordinates and words; the drawing is the template's, with presentation attributes, because the page allows no
inline style.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import log10
from typing import Any

from gradesync.domain.page_standing import carried_by
from gradesync.domain.run import Run
from gradesync.reporting.clean import clean
from gradesync.reporting.page.staff import mark_of
from gradesync.reporting.page.wording import Stamps

MOST = 40
"""So many runs are drawn per schedule."""

_STEP, _BASE, _TALL = 13, 40, 36
_LEAST = 25
"""A strip is at least so many runs wide, so that those of a new account are no posters."""


def strips(
    runs: Iterable[Run], zone: str, stamps: Stamps
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """What is drawn, and the same as a table: one strip for each schedule that has ended runs."""
    by_schedule: dict[str, list[Run]] = {}
    for run in runs:
        if run.result is not None:
            by_schedule.setdefault(run.schedule.name, []).append(run)
    drawn, rows = [], []
    for name, newest_first in sorted(by_schedule.items()):
        shown = newest_first[:MOST][::-1]
        counted = Counter(_kind(run) for run in shown)
        oldest, newest = (stamps(_when(run), zone)[1] for run in (shown[0], shown[-1]))
        numbers = [counted[kind] for kind in ("completed", "warning", "failed", "other")]
        rows.append((clean(name), *numbers, oldest, newest))
        drawn.append(_strip(clean(name), shown, counted, oldest, newest))
    return drawn, rows


def _strip(
    name: str, shown: Sequence[Run], counted: Counter[str], oldest: str, newest: str
) -> tuple[Any, ...]:
    bars, marks = [], []
    for place, run in enumerate(shown):
        assert run.result is not None  # only ended runs are drawn
        slug = mark_of(run.result.outcome._value_)
        x = place * _STEP
        height = _height(carried_by(run.result.counts))
        if height:
            bars.append((x + 1, _BASE - height, height, slug))
        marks.append((x, slug))
    said = ", ".join(f"{number} {kind}" for kind, number in counted.items())
    width = max(_LEAST, len(shown)) * _STEP
    return name, width, f"{len(shown)} runs from {oldest} to {newest}: {said}.", bars, marks


def _height(records: int) -> int:
    """From nothing to `_TALL`; ten times the records are a step of nine, so that one large run hides no small one."""
    return min(_TALL, round(3 + 9 * log10(records))) if records else 0


def _kind(run: Run) -> str:
    assert run.result is not None  # only ended runs are drawn
    kind = mark_of(run.result.outcome._value_)
    return kind if kind in ("completed", "warning", "failed") else "other"


def _when(run: Run) -> Any:
    return run.started_at or run.ended_at or run.created_at
