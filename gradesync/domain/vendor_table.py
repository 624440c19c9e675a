"""The vendor's table of schedules, as pasted, read into ours. Pure; what cannot be read for certain is a doubt.

Two vocabularies are known. The older page: Type, Interval, First Run, Next Run (blank when paused), Time Zone, Posted
By. The newer one: Type, Hour of Day, Next Run, Status (Enabled, Suspended), Posted By, Last Run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time

from gradesync.domain import vendor_words as words
from gradesync.domain.schedule import SyncType
from gradesync.domain.vendor_cells import Row, TableTooLarge, one_line, rows_of

TYPE, INTERVAL, HOUR, FIRST, NEXT, LAST = (
    "Type",
    "Interval",
    "Hour of Day",
    "First Run",
    "Next Run",
    "Last Run",
)
ZONE, POSTED, STATUS = "Time Zone", "Posted By", "Status"
_TITLES: Mapping[str, str] = {
    "type": TYPE, "synctype": TYPE, "scheduletype": TYPE, "sync": TYPE,
    "interval": INTERVAL, "frequency": INTERVAL, "recurrence": INTERVAL,
    "hourofday": HOUR, "hour": HOUR, "timeofday": HOUR,
    "firstrun": FIRST, "firstsync": FIRST, "startdate": FIRST,
    "nextrun": NEXT, "nextsync": NEXT,
    "lastrun": LAST, "lastsync": LAST,
    "timezone": ZONE,
    "postedby": POSTED, "createdby": POSTED,
    "status": STATUS, "state": STATUS,
}  # fmt: skip
_ON = frozenset({"enabled", "active", "on", "running", "scheduled"})
_OFF = frozenset({"suspended", "paused", "disabled", "inactive", "off"})
_LOGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_NAMES = {SyncType.ROSTER_IMPORT: "roster", SyncType.GRADE_PASSBACK: "grades"}
_SHOWN = 60
HIDDEN = "something not repeated here"
"""In place of a cell that may name a person."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A cell that was not taken over: the row as a person counts, the column's title, what it shows, and why."""

    row: int
    column: str
    shown: str
    why: str

    def __str__(self) -> str:
        shown = (
            f" shows {self.shown if self.shown == HIDDEN else f'`{self.shown}`'}"
            if self.shown
            else " is empty"
        )
        return f"row {self.row}, {self.column}{shown}: {self.why}"


@dataclass(frozen=True, slots=True)
class Imported:
    """One row as a schedule of ours: keys and values as they are written in the file.

    `usable` False: type, interval or zone is in doubt, so the whole schedule is written as a comment.
    """

    row: int
    name: str
    fields: Mapping[str, str]
    doubts: tuple[Doubt, ...] = ()
    usable: bool = True


@dataclass(frozen=True, slots=True)
class VendorTable:
    """What a paste gave. `rows` counts the rows below the header; `time_zone` is the one most of them name."""

    schedules: tuple[Imported, ...]
    rows: int
    time_zone: str | None

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """Every doubt, by row."""
        return tuple(doubt for one in self.schedules for doubt in one.doubts)


class NoTable(ValueError):
    """Nothing in the text looks like the vendor's table."""


@dataclass
class _Reading:
    """One row under way."""

    row: int
    cells: Mapping[str, str]
    fields: dict[str, str] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    usable: bool = True

    def doubt(self, column: str, why: str, *, grave: bool = False, hide: bool = False) -> None:
        shown = HIDDEN if hide else self.cells.get(column, "")[:_SHOWN]
        self.doubts.append(Doubt(self.row, column, shown, why))
        self.usable &= not grave


def read_table(text: str, zone: str | None = None) -> VendorTable:
    """Read a pasted table. `zone` is the time zone of rows that name none.

    Raises NoTable when no row of titles is found, TableTooLarge for more than any such page holds.
    """
    rows = rows_of(text, _is_header)
    titles, below = _below_header(rows)
    if titles is None:
        raise NoTable("no row of titles such as Type, Interval, First Run, Next Run, Time Zone was found")
    readings = [_read(row, titles, zone) for row in below]
    used: Counter[str] = Counter()
    schedules = tuple(_named(one, used) for one in readings)
    zones = Counter(one.fields["time_zone"] for one in schedules if "time_zone" in one.fields)
    most = zones.most_common(1)
    return VendorTable(schedules, len(below), most[0][0] if most else None)


def _title(cell: str) -> str | None:
    return _TITLES.get(re.sub(r"[^a-z]", "", cell.casefold()))


def _is_header(cells: Sequence[str]) -> bool:
    known = {title for cell in cells if (title := _title(cell)) is not None}
    return len(known) >= 3 and TYPE in known and bool(known & {INTERVAL, HOUR, NEXT})


def _below_header(rows: Sequence[Row]) -> tuple[list[str | None] | None, list[Row]]:
    """The columns' meanings, and the rows below them; another row of titles begins the table again."""
    titles: list[str | None] | None = None
    below: list[Row] = []
    for row in rows:
        if _is_header(row.cells):
            titles = [_title(cell) for cell in row.cells]
        elif titles is not None and len([cell for cell in row.cells if cell]) > 1:
            # A line of one cell is a button or a heading of the page around the table.
            below.append(row)
    return titles, below


def _read(row: Row, titles: Sequence[str | None], zone: str | None) -> _Reading:
    cells: dict[str, str] = {}
    columns: dict[str, int] = {}
    differ: list[tuple[str, str]] = []
    for column, (title, cell) in enumerate(zip(titles, row.cells, strict=False), 1):
        if title is None:
            continue
        if words.is_blank(cells.get(title, "")):
            cells[title], columns[title] = cell, column
        elif title != LAST and not words.is_blank(cell) and cell != cells[title]:
            differ.append((title, f"columns {columns[title]} and {column} both say this, and they differ"))
    one = _Reading(row.number, cells)
    for title, why in differ:
        # Nothing tells which of the two is meant; and one of them may name a person.
        one.doubt(title, why, grave=True, hide=title == POSTED)
    if len(row.cells) > len(titles):
        one.doubt(TYPE, "the row has more cells than the table has titles", grave=True)
    _read_type(one)
    zone_name = _read_zone(one, zone)
    if zone_name is not None:
        _read_times(one, zone_name)
    _read_person(one)
    _read_state(one)
    return one


def _read_type(one: _Reading) -> None:
    try:
        one.fields["type"] = str(words.sync_type(one.cells.get(TYPE, "")))
    except words.NotRead as problem:
        one.doubt(TYPE, str(problem), grave=True)


def _read_zone(one: _Reading, zone: str | None) -> str | None:
    shown = one.cells.get(ZONE, "")
    if words.is_blank(shown):
        if zone is None:
            one.doubt(ZONE, "the row names no time zone; give one with --zone", grave=True)
            return None
        one.fields["time_zone"] = zone
        return zone
    try:
        one.fields["time_zone"] = words.time_zone(shown)
    except words.NotRead as problem:
        one.doubt(ZONE, str(problem), grave=True)
        return None
    return one.fields["time_zone"]


def _read_times(one: _Reading, zone_name: str) -> None:
    first = _moment(one, FIRST, zone_name)
    # Without a first run, the next one lies on the same grid.
    anchor = first or _moment(one, NEXT, zone_name)
    hour: time | None = None
    if not words.is_blank(shown := one.cells.get(HOUR, "")):
        try:
            hour = words.clock(shown)
        except words.NotRead as problem:
            one.doubt(HOUR, str(problem), grave=True)
            return
    column = INTERVAL if not words.is_blank(one.cells.get(INTERVAL, "")) else HOUR
    said = one.cells.get(INTERVAL, "") if column == INTERVAL else "daily" if hour is not None else ""
    if not said:
        one.doubt(INTERVAL, "the row shows neither an interval nor an hour of day", grave=True)
        return
    try:
        one.fields["interval"] = words.interval(said, zone_name, anchor, hour)
    except words.NotRead as problem:
        one.doubt(column, str(problem), grave=True)
        return
    if anchor is not None and not one.fields["interval"].startswith(("manual", "once")):
        one.fields["first_run"] = f"{anchor:%Y-%m-%d %H:%M}"


def _moment(one: _Reading, column: str, zone_name: str) -> datetime | None:
    shown = one.cells.get(column, "")
    if words.is_blank(shown):
        return None
    try:
        return words.moment(shown, zone_name)
    except words.NotRead as problem:
        one.doubt(column, str(problem))
        return None


def _read_person(one: _Reading) -> None:
    shown = one.cells.get(POSTED, "")
    if words.is_blank(shown):
        return
    if _LOGIN.fullmatch(shown):
        one.fields["posted_by"] = shown
        return
    # A name or an address is a person's: it stays out of the file and out of what is told.
    one.doubt(POSTED, "it is no Canvas login or number; write one of these", hide=True)


def _read_state(one: _Reading) -> None:
    status = one.cells.get(STATUS, "").casefold().strip()
    if status in _OFF:
        one.fields |= {"state": "paused", "reason": "suspended in the vendor's table"}
    elif not words.is_blank(status) and status not in _ON:
        one.fields |= {"state": "paused", "reason": "its status in the vendor's table was not understood"}
        one.doubt(STATUS, "it is neither enabled nor suspended; the schedule is paused")
    elif STATUS not in one.cells and NEXT in one.cells and words.is_blank(one.cells[NEXT]):
        if one.fields.get("interval", "").startswith(("manual", "once")):
            return
        one.fields |= {"state": "paused", "reason": "no next run in the vendor's table"}


def _named(one: _Reading, used: Counter[str]) -> Imported:
    """A name after the type; the second of a kind gets a number."""
    kind = next((name for known, name in _NAMES.items() if str(known) == one.fields.get("type")), "schedule")
    used[kind] += 1
    name = kind if used[kind] == 1 else f"{kind}-{used[kind]}"
    return Imported(one.row, name, dict(one.fields), tuple(one.doubts), one.usable)


__all__ = ["Doubt", "Imported", "NoTable", "TableTooLarge", "VendorTable", "one_line", "read_table"]
