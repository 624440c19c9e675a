"""The vendor's table of schedules, as pasted, read into ours. Pure; what cannot be read for certain is a doubt.

Two vocabularies are known. The older page: Type, Interval, First Run, Next Run (blank when paused), Time Zone, Posted
By. The newer one: Type, Hour of Day, Next Run, Status (Enabled, Suspended), Posted By, Last Run.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

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
_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,62}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
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

    `usable` False: type, interval or zone is in doubt, so the whole schedule is written as a comment. `cells` is what
    the page shows, by title, without what may name a person.
    """

    row: int
    name: str
    fields: Mapping[str, str]
    doubts: tuple[Doubt, ...] = ()
    usable: bool = True
    cells: Mapping[str, str] = field(default_factory=dict)


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
    _read_times(one, _read_zone(one, zone))
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


def _read_times(one: _Reading, zone_name: str | None) -> None:
    """Interval and first run. Without a zone too: what can be read is kept for whoever finishes the row by hand."""
    first = _moment(one, FIRST, zone_name)
    # Without a first run, the next one lies on the same grid.
    anchor = first or _moment(one, NEXT, zone_name)
    interval = _interval(one, zone_name or "UTC", anchor)
    if interval is not None:
        one.fields["interval"] = interval
    if anchor is not None and not (interval or "").startswith(("manual", "once")):
        one.fields["first_run"] = f"{anchor:%Y-%m-%d %H:%M}"


def _interval(one: _Reading, zone_name: str, anchor: datetime | None) -> str | None:
    said, hours = one.cells.get(INTERVAL, ""), one.cells.get(HOUR, "")
    column = HOUR if words.is_blank(said) else INTERVAL
    if words.is_blank(said) and words.is_blank(hours):
        one.doubt(INTERVAL, "the row shows neither an interval nor an hour of day", grave=True)
        return None
    try:
        at = () if words.is_blank(hours) else words.clocks(hours)
    except words.NotRead as problem:
        one.doubt(HOUR, str(problem), grave=True)
        return None
    try:
        return words.interval("daily" if column == HOUR else said, zone_name, anchor, at)
    except words.NotRead as problem:
        one.doubt(column, str(problem), grave=True)
        return None


def _moment(one: _Reading, column: str, zone_name: str | None) -> datetime | None:
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
    # A login is often an address; `posted_by` in a file takes one too, with a warning.
    if _LOGIN.fullmatch(shown) or _MAIL.fullmatch(shown):
        one.fields["posted_by"] = shown
        return
    # A name is a person's: it stays out of the file and out of what is told.
    what = "it looks like a person's name" if " " in shown else "it is not a Canvas login or number"
    one.doubt(POSTED, f"{what}; write the Canvas login or number", hide=True)


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
    return Imported(one.row, name, dict(one.fields), tuple(one.doubts), one.usable, _cells(one))


def _cells(one: _Reading) -> dict[str, str]:
    """The cells that may be repeated: whoever finishes a row by hand should not need the page again."""
    shown = {title: cell[:_SHOWN] for title, cell in one.cells.items() if cell and title != LAST}
    if "posted_by" not in one.fields or any(doubt.column == POSTED for doubt in one.doubts):
        shown.pop(POSTED, None)
    return shown


__all__ = ["Doubt", "Imported", "NoTable", "TableTooLarge", "VendorTable", "one_line", "read_table"]
