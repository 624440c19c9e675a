"""What `list`, `history` and `next` print: one line per thing, in columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Outcome, Run
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.running import running_line
from gradesync.reporting.style import Style
from gradesync.reporting.text.layout import Cell, finished, folded, important, shortened, table

if TYPE_CHECKING:
    from gradesync.domain.history import HistoryEntry
    from gradesync.domain.hold import Hold
    from gradesync.domain.interval import Interval, IntervalWarning

COLUMNS = (
    "SCHEDULE",
    "TYPE",
    "INTERVAL",
    "FIRST RUN",
    "NEXT RUN",
    "TIME ZONE",
    "POSTED BY",
    "STATE",
    "LAST RUN",
    "OUTCOME",
)
OUTCOME_COLORS = {
    Outcome.COMPLETED: "green",
    Outcome.WARNING: "yellow",
    Outcome.FAILED: "red",
    Outcome.ABANDONED: "red",
    Outcome.STOPPED: "magenta",
    Outcome.SKIPPED: "dim",
}
_STATE_COLORS = {
    "active": "",
    "observe": "cyan",
    "paused": "blue",
    "held": "yellow",
    "breaker open": "red",
    "blackout": "magenta",
}


def rows(
    rows: Sequence[ScheduleRow],
    now: datetime,
    *,
    style: Style,
    waiting: bool = True,
    chosen_by: str = "",
    holds: Sequence[Hold] = (),
) -> str:
    """The vendor page's columns, in the order given, and one line of counts; `now` tells what is overdue.
    `waiting` adds what waits, by code and age. `chosen_by` is what was asked for (`needs the district`), for an answer
    without a row: nothing chosen is not nothing recorded. `holds` are counted, so that none is forgotten.

    A terminal too narrow for ten columns gets those that matter most, and is told which are missing.
    """
    if not rows and chosen_by:
        return finished([f"No schedule {chosen_by} now."])
    if not rows:
        return finished(["No schedules. What the files say is recorded by `gradesync reconcile`."])
    lines = _table(rows, now, style)
    told = _waiting(rows, now, style) if waiting else []
    stops = _stops(rows, holds, now, style)
    counted = folded(_counted(rows, now), style)
    frozen = _frozen(rows, now, style)
    skipped = _skipped(rows, now, style)
    return finished([*lines, "", *_running(rows, now, style), *counted, *skipped, *frozen, *told, *stops])


MAY_GO = ("FIRST RUN", "POSTED BY", "TIME ZONE", "TYPE", "INTERVAL", "LAST RUN", "NEXT RUN", "STATE")
"""Columns in the order in which a narrow terminal goes without them."""


def _table(rows: Sequence[ScheduleRow], now: datetime, style: Style) -> list[str]:
    cells = [_cells(row) for row in rows]
    if not style.terminal:
        return table(COLUMNS, cells, style)
    lines, gone = important(COLUMNS, cells, style, MAY_GO, [_brief(row, now) for row in rows])
    if not gone:
        return lines
    told = ", ".join(title.lower() for title in COLUMNS if title in gone)
    note = (
        f"Without {told}: no room in {style.width} columns; piped or as JSON they are there. Times are on each "
        "schedule's own clock."
    )
    return [*lines, "", *folded(note, style, color="dim")]


def _brief(row: ScheduleRow, now: datetime) -> tuple[Cell, ...]:
    """The same with times in fewer letters: `25 Nov 15:00` on the schedule's clock."""
    cells, zone = dict(zip(COLUMNS, _cells(row), strict=True)), row.schedule.time_zone
    for title, instant in (("NEXT RUN", words.next_run_of(row)), ("LAST RUN", _began(row.last))):
        cells[title] = Cell("" if instant is None else words.brief(instant, zone, now))
    return tuple(cells.values())


def _stops(rows: Sequence[ScheduleRow], holds: Sequence[Hold], now: datetime, style: Style) -> list[str]:
    """The holds in a line, and the blackouts that are ongoing or near."""
    if not holds and not any(row.blackouts for row in rows):
        return []
    from gradesync.reporting.text.held import blackouts_line, holds_line  # most lists have neither

    told = (holds_line(holds, now), blackouts_line(rows, now))
    return [line for one in told if one for line in folded(one, style, "", " " * 9)]


def _frozen(rows: Sequence[ScheduleRow], now: datetime, style: Style) -> list[str]:
    """The accounts whose file has problems."""
    if all(row.frozen_since is None for row in rows):
        return []
    from gradesync.reporting.text.frozen import frozen_lines  # most lists have none

    return frozen_lines(rows, now, style)


def _skipped(rows: Sequence[ScheduleRow], now: datetime, style: Style) -> list[str]:
    """The schedules whose newest attempt was skipped, the newest first: their row tells of an older run."""
    found = [row for row in rows if row.skipped_at is not None]
    found.sort(key=lambda row: row.skipped_at or now, reverse=True)
    lines: list[str] = []
    for row in found[:_SKIPPED_NAMED]:
        lines += folded(f"{clean(row.schedule.id)}: {words.skipped(row, now)}", style, "", "  ")
    rest = len(found) - _SKIPPED_NAMED
    if rest > 0:
        told = f"and {words.plural(rest, 'schedule')} more: `gradesync list --format json` names them"
        lines += folded(told, style, "", "  ")
    return lines


_SKIPPED_NAMED = 8


def _running(rows: Sequence[ScheduleRow], now: datetime, style: Style) -> list[str]:
    """One line for each account that is being worked in, oldest first."""
    leases = {row.running.account: row.running for row in rows if row.running is not None}
    lines: list[str] = []
    for lease in sorted(leases.values(), key=lambda one: one.since):
        lines += folded(f"running  {running_line(lease, now)}", style, "", " " * 9)
    return [*lines, ""] if lines else []


def _waiting(rows: Sequence[ScheduleRow], now: datetime, style: Style) -> list[str]:
    """What waits in the accounts shown, by code and age, whoever must act first; each account counts once."""
    accounts = {row.schedule.id.account: row for row in rows if row.waiting}
    number: Counter[str] = Counter()
    since: dict[str, datetime] = {}
    for row in accounts.values():
        number.update(row.waiting)
        for code, at in row.waiting_since.items():
            since[code] = min(at, since.get(code, at))
    codes = words.waiting_order(number, since)
    if not codes:
        return []
    lines = [f"Waiting, grades and their columns: {sum(number.values()):,}"]
    for code in codes[:_WAITING_NAMED]:
        lines += folded(
            words.waiting_short(code, number[code], since.get(code), now), style, "  ", "         "
        )
    rest = codes[_WAITING_NAMED:]
    if rest:
        records = sum(number[code] for code in rest)
        told = f"and {words.plural(len(rest), 'code')} more with {records:,}; see `gradesync show ACCOUNT`"
        lines += folded(told, style, "  ", "    ")
    return lines


_WAITING_NAMED = 4


def _cells(row: ScheduleRow) -> tuple[Cell, ...]:
    schedule = row.schedule
    states = words.state_words(row)
    return (
        Cell(str(schedule.id), "bold"),
        Cell(schedule.type.value),
        Cell(schedule.interval),
        Cell(words.first_run(row)),
        Cell(words.stamp(words.next_run_of(row), schedule.time_zone)),
        Cell(schedule.time_zone),
        Cell(schedule.posted_by or ""),
        Cell(", ".join(states), _STATE_COLORS.get(states[0], "")),
        Cell(words.stamp(_began(row.last), schedule.time_zone)),
        Cell(*_outcome(row.last)),
    )


def _began(run: Run | None) -> datetime | None:
    return None if run is None else run.started_at or run.ended_at or run.created_at


def _outcome(run: Run | None) -> tuple[str, str]:
    if run is None or run.result is None:
        return "", ""
    return run.result.outcome.value, OUTCOME_COLORS[run.result.outcome]


def _counted(rows: Sequence[ScheduleRow], now: datetime) -> str:
    states = Counter(words.state_words(row)[0] for row in rows)
    told = ", ".join(f"{number:,} {state}" for state, number in sorted(states.items()))
    needing = sum(words.needs_someone(row) for row in rows)
    verb = "needs someone" if needing == 1 else "need someone"
    overdue = sum(1 for row in rows if (at := words.next_run_of(row)) is not None and at < now)
    late = f" {overdue} overdue: no pass has taken them up yet." if overdue else ""
    return f"{words.plural(len(rows), 'schedule')}: {told}. {needing or 'None'} {verb}.{late}"


_HISTORY = ("WHEN", "WHAT", "SCHEDULE", "WHO (VIA)", "TRIGGER", "STAGE", "OUTCOME", "DETAILS", "ENTRY")


def history(entries: Sequence[HistoryEntry], *, zone: str | None = None, style: Style) -> str:
    """One line per entry in the order given, wrapped on a terminal; the entry's hash is cut.

    Instants are told on the clock of the zone, in UTC without one.
    """
    if not entries:
        return finished(["No history entries."])
    cells = [_entry_cells(entry, zone) for entry in entries]
    if not style.terminal:
        colors = ("dim", *[""] * (len(_HISTORY) - 1))
        painted = [[Cell(*one) for one in zip(row, colors, strict=True)] for row in cells]
        return finished(table(_HISTORY, painted, style))
    # What is empty is left out of a line, so the titles say the order alone.
    lines = folded("  ".join(_HISTORY), style, "", "    ", "dim")
    for row in cells:
        when, *rest = (clean(text) for text in (*row[:-1], f"entry {row[-1]}"))
        first, *more = folded("  ".join(text for text in (when, *rest) if text), style, "", "    ")
        lines += [style.paint(first[: len(when)], "dim") + first[len(when) :], *more]
    return finished(lines)


def _entry_cells(entry: HistoryEntry, zone: str | None) -> tuple[str, ...]:
    fact, data = entry.fact, entry.fact.data
    what = f"{fact.what} ({data['type']})" if "type" in data else fact.what
    subject = f"{fact.account}/{fact.schedule}" if fact.account and fact.schedule else fact.account or ""
    who = f"{fact.actor.name} ({fact.actor.via})"
    told = [str(data.get(key) or "") for key in ("trigger", "stage", "outcome")]
    return (_when(entry.at, zone), what, subject, who, *told, _details(data, zone), entry.hash[:8])


def _when(at: datetime, zone: str | None) -> str:
    """To the second, because several entries of a minute have an order."""
    if zone is None:
        return words.utc_seconds(at)
    moment = words.local(at, zone)
    return f"{moment:%Y-%m-%d %H:%M:%S} {words.abbreviation(moment)}"


_APART = frozenset({"type", "trigger", "stage", "outcome", "counts", "codes", "moved"})
_USUAL = (("attempt", 1), ("late by", 0), ("mode", "delta"))
"""What most runs are is not repeated in every row; the JSON has it."""


def _details(data: Mapping[str, object], zone: str | None) -> str:
    counts, codes = data.get("counts"), data.get("codes")
    parts = [words.counts_line(_numbers(counts)), words.codes_short(_numbers(codes))]
    parts += [f"{key}: {_plain(value, zone)}" for key, value in data.items() if _telling(key, value)]
    return "; ".join(clean(part) for part in parts if part)


def _telling(key: str, value: object) -> bool:
    return key not in _APART and bool(value) and (key, value) not in _USUAL


def _numbers(value: object) -> Mapping[str, int]:
    """Counts as history keeps them; anything else in that place is not counted."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key): number for key, number in value.items() if isinstance(number, int)}


def _plain(value: object, zone: str | None) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_plain(one, zone)}" for key, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(one, zone) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    # Among the texts are reasons, which may be of any length; the JSON has them whole.
    return (
        words.stamp(datetime.fromisoformat(text), zone or "UTC")
        if _INSTANT.fullmatch(text)
        else shortened(text)
    )


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")


def next_runs(
    interval: Interval, slots: Sequence[datetime], warnings: Sequence[IntervalWarning] = (), *, style: Style
) -> str:
    """What an interval means: in words, its next slots on the zone's clock and in UTC, and what may surprise."""
    lines = [style.paint(f"{clean(interval.words)}, {clean(interval.time_zone)}", "bold")]
    for slot in slots:
        shown = f"{words.clock(slot, interval.time_zone):<28}"
        lines.append(f"  {shown}  {style.paint(words.utc(slot), 'dim')}")
    if not slots:
        lines.append("  no slot is left" if interval.kind != "manual" else "  runs only when asked for")
    for warning in warnings:
        lines += folded(f"note: {clean(warning.text)}", style, "", "      ")
    return finished(lines)
