"""What `upcoming` prints: day by day what runs and what does not; over many accounts one line a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gradesync.domain.week import AccountWeek
from gradesync.reporting import upcoming_words
from gradesync.reporting.clean import cell_width, clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import finished, folded

if TYPE_CHECKING:
    from gradesync.reporting.upcoming_words import DayLines, Told

_COLORS = {"paused": "blue", "hold": "yellow", "breaker": "red", "blackout": "magenta"}


def upcoming(weeks: Sequence[AccountWeek], days: int, now: datetime, *, style: Style) -> str:
    """The coming days. `now` tells which blackouts are ongoing."""
    if not weeks:
        return finished(["No schedules. What the files say is recorded by `gradesync reconcile`."])
    told = upcoming_words.told(weeks, days)
    lines = [*_folded(told.title, style, "", "bold"), ""]
    lines += _days(told, style)
    for title, listed in (
        ("Stopped by", told.stops),
        ("Not running in these days", told.never),
        ("No slot in these days", told.idle),
    ):
        if listed:
            lines += ["", style.paint(title, "bold")]
            lines += [line for one in listed for line in _folded(one, style, "  ")]
    lines += ["", *_folded(told.closing, style), *_stops(weeks, now, style)]
    return finished([*lines, *(_folded(upcoming_words.NARROW, style) if told.cut else [])])


def _folded(text: str, style: Style, indent: str = "", color: str = "") -> list[str]:
    return folded(clean(text), style, indent, f"{indent}  ", color)


def _days(told: Told, style: Style) -> list[str]:
    lines: list[str] = []
    if told.cut:
        width = max(len(day.title) for day in told.days)
        return [f"{style.paint(f'{day.title:<{width}}', 'bold')}  {day.counts}" for day in told.days]
    rows = [line for day in told.days for line in day.lines]
    when = max((len(row.when) for row in rows), default=0)
    subject = max((cell_width(clean(row.subject)) for row in rows), default=0)
    for day in told.days:
        lines += _day(day, when, subject, style)
    return lines[1:]


def _day(day: DayLines, when: int, subject: int, style: Style) -> list[str]:
    lines = ["", style.paint(day.title, "bold")]
    if not day.lines:
        return [*lines, "  nothing"]
    for row in day.lines:
        name = clean(row.subject)
        head = f"  {row.when:<{when}}  {name}{' ' * (subject - cell_width(name))}  "
        # On a narrow terminal what happens stands under the schedule, not in a strip beside it.
        fits = not style.terminal or cell_width(head) + 30 <= style.width
        color = _COLORS.get(row.kind, "")
        if fits:
            lines += folded(clean(row.what), style, head, " " * cell_width(head), color)
        else:
            lines += folded(name, style, f"  {row.when}  ", "    ", color)
            lines += folded(clean(row.what), style, "    ", "    ", color)
    return lines


def _stops(weeks: Sequence[AccountWeek], now: datetime, style: Style) -> list[str]:
    """What is held and planned, for one account in full, for many in a line."""
    from gradesync.reporting.text.held import blackout_lines, holds_line

    holds = list({hold.id: hold for week in weeks for hold in week.holds}.values())
    lines = folded(holds_line(holds, now), style, "", "  ") if holds else []
    planned = {one for week in weeks for one in week.blackouts}
    if len(weeks) == 1:
        return [*lines, *blackout_lines(list(planned), now, style)]
    touched = sum(bool(week.blackouts) for week in weeks)
    names = ", ".join(sorted({one.name for one in planned})[:3])
    if planned:
        told = f"Blackouts in {touched:,} of {len(weeks):,} accounts ({names}); see `gradesync holds`."
        lines += folded(clean(told), style, "", "  ")
    return lines
