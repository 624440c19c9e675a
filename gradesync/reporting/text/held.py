"""What `holds` prints: what is held, by whom and until when; and the blackouts, which nobody has to remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from gradesync.domain.hold import Hold, HoldKind
from gradesync.domain.report import BlackoutRow, ScheduleRow
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, finished, folded, shortened, table

if TYPE_CHECKING:
    from gradesync.domain.account import Blackout

SOON = timedelta(days=14)
"""A blackout that begins within this time is named in the list."""

PHASE_COLORS = {"ongoing": "magenta", "upcoming": "", "past": "dim"}
_NAMED = 3


def holds(
    holds: Sequence[Hold],
    now: datetime,
    blackouts: Sequence[BlackoutRow] = (),
    *,
    zones: Mapping[str, str] | None = None,
    style: Style,
) -> str:
    """Holds with who, why, since when and until when; past ones say so. Then the blackouts. A long reason is cut here:
    `show` and the JSON have it whole.

    `zones` has the clock of each hold by its id; without one it is told in UTC.
    """
    clocks = zones or {}
    lines = ["No holds."]
    if holds:
        columns = ("COVERS", "KIND", "BY", "SINCE", "UNTIL", "REASON", "HOLD")
        force = sum(hold.in_force(now) for hold in holds)
        closing = f"{words.plural(force, 'hold')} in force."
        cells = [_cells(hold, now, clocks.get(hold.id, "UTC")) for hold in holds]
        lines = [*table(columns, cells, style), "", closing]
    if blackouts:
        columns = ("BLACKOUT", "PHASE", "FROM", "UNTIL", "TIME ZONE", "SCHEDULES", "ACCOUNTS")
        lines += ["", *table(columns, [_blackout_cells(row) for row in blackouts], style)]
    return finished(lines)


def _cells(hold: Hold, now: datetime, zone: str) -> tuple[Cell, ...]:
    why = shortened(hold.reason)
    return (
        Cell(str(hold.scope), "bold"),
        Cell(hold.kind.value),
        Cell(f"{hold.actor.name} ({hold.actor.via})"),
        Cell(words.stamp(hold.created_at, zone)),
        # The column is called UNTIL already.
        Cell(hold_until(hold, now, zone).removeprefix("until "), "yellow" if hold.in_force(now) else "dim"),
        Cell(f"{why} ({hold.code})" if hold.code else why),
        Cell(hold.id[:8], "dim"),
    )


def _blackout_cells(row: BlackoutRow) -> tuple[Cell, ...]:
    one = row.blackout
    return (
        Cell(one.name, "bold"),
        Cell(row.phase, PHASE_COLORS[row.phase]),
        Cell(f"{one.start:%Y-%m-%d %H:%M}"),
        Cell(f"{one.until:%Y-%m-%d %H:%M}"),
        Cell(one.time_zone),
        Cell("all" if one.schedules is None else ", ".join(one.schedules)),
        Cell(_accounts(row.accounts)),
    )


def _accounts(keys: Sequence[str]) -> str:
    """The first few by name, the rest by number."""
    if len(keys) <= _NAMED:
        return ", ".join(keys)
    return f"{', '.join(keys[: _NAMED - 1])} and {len(keys) - _NAMED + 1:,} more"


def hold_until(hold: Hold, now: datetime, zone: str) -> str:
    """When the hold ends or ended, on the clock of the zone."""
    if hold.expires_at is not None and min(now, hold.released_at or now) >= hold.expires_at:
        return f"expired {words.stamp(hold.expires_at, zone)}"
    if hold.released_at is not None and hold.released_at <= now:
        return f"released {words.stamp(hold.released_at, zone)}"
    if hold.expires_at is None:
        return "until a run works, or resumed" if hold.kind is HoldKind.BREAKER else "until resumed"
    if hold.until_changed:
        return f"until changed in the files, at the latest {words.stamp(hold.expires_at, zone)}"
    return f"until {words.stamp(hold.expires_at, zone)}"


def blackout_lines(blackouts: Sequence[Blackout], now: datetime, style: Style) -> list[str]:
    """The blackouts of one schedule or account, each with its phase; nothing when there are none."""
    from gradesync.domain.due import phase_of

    lines: list[str] = []
    for one in sorted(blackouts, key=lambda one: (one.start, one.name)):
        span = f"{one.start:%Y-%m-%d %H:%M} to {one.until:%Y-%m-%d %H:%M} {one.time_zone}"
        only = "" if one.schedules is None else f", {', '.join(one.schedules)} only"
        told = f"- {one.name}: {span}{only}, {phase_of(one, now)}"
        lines += folded(clean(told), style, "  ", "    ")
    return ["", style.paint("Blackouts", "magenta"), *lines] if lines else []


def blackouts_line(rows: Sequence[ScheduleRow], now: datetime) -> str:
    """The blackouts that are ongoing or begin soon; empty when there are none."""
    from gradesync.domain.due import phase_of

    found: dict[tuple[str, Blackout], set[str]] = {}
    for row in rows:
        for one in row.blackouts:
            phase = phase_of(one, now)
            if phase == "ongoing" or (phase == "upcoming" and phase_of(one, now + SOON) != "upcoming"):
                found.setdefault((phase, one), set()).add(row.schedule.id.account)
    told = []
    for (phase, one), keys in sorted(
        found.items(), key=lambda item: (item[0][0], item[0][1].start, item[0][1].name)
    ):
        edge = (
            f"until {one.until:%Y-%m-%d %H:%M}" if phase == "ongoing" else f"from {one.start:%Y-%m-%d %H:%M}"
        )
        told.append(f"{one.name} {edge} {one.time_zone} ({phase}, {_accounts(sorted(keys))})")
    return f"Blackouts: {'; '.join(told)}." if told else ""


def holds_line(holds: Sequence[Hold], now: datetime) -> str:
    """`3 holds in force, the oldest for 6 days, 1 ends within a day.`; empty when nothing is held."""
    force = [hold for hold in holds if hold.in_force(now)]
    if not force:
        return ""
    people = [hold for hold in force if hold.kind is not HoldKind.BREAKER]
    opened = len(force) - len(people)
    parts = [f"{words.plural(len(people), 'hold')} in force"] if people else []
    if people:
        parts.append(f"the oldest {words.how_long(min(hold.created_at for hold in people), now)}")
    ending = sum(hold.expires_at is not None and (hold.expires_at - now).days < 1 for hold in people)
    if ending:
        parts.append(f"{ending:,} {'ends' if ending == 1 else 'end'} within a day")
    if opened:
        parts.append(words.plural(opened, "breaker open", "breakers open"))
    return f"{', '.join(parts)}; see `gradesync holds`."


__all__ = ["blackout_lines", "blackouts_line", "hold_until", "holds", "holds_line"]
