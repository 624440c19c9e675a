"""What `show` and `store info` print: one thing with everything that can be said of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from gradesync.domain.needs import FROZEN, needs
from gradesync.domain.problem import Place
from gradesync.domain.report import AccountView, ScheduleRow
from gradesync.domain.run import Lease
from gradesync.ports import StoreInfo
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.running import running_line
from gradesync.reporting.style import Style
from gradesync.reporting.text.frozen import frozen_lines
from gradesync.reporting.text.held import blackout_lines, hold_until
from gradesync.reporting.text.layout import Cell, fields, finished, folded, table
from gradesync.reporting.text.listing import OUTCOME_COLORS, rows
from gradesync.reporting.text.passes import code_lines
from gradesync.reporting.text.rosters import stop_lines


def schedule(row: ScheduleRow, now: datetime, *, style: Style) -> str:
    """One schedule: what it is, every block that stops it, and how it last ran."""
    s = row.schedule
    next_run = words.next_run_of(row)
    pairs = [
        ("type", s.type.value),
        ("interval", clean(s.interval)),
        ("time zone", clean(s.time_zone)),
        ("first run", words.first_run(row) + ("" if row.first_ran_at or not s.first_run else " (declared)")),
        ("next run", words.clock(next_run, s.time_zone, now) if next_run else _no_next_run(row)),
        ("posted by", clean(s.posted_by or "")),
        ("state", f"{s.state.value}{f': {clean(s.reason)}' if s.reason else ''}"),
        ("starts within", words.plural(s.start_within, "minute") if s.start_within is not None else ""),
        ("spread", words.plural(s.spread, "minute") if s.spread else ""),
        ("group", clean(row.group or "")),
        ("labels", clean(", ".join(f"{key}={value}" for key, value in row.labels.items()))),
    ]
    lines = [style.paint(clean(s.id), "bold"), *fields(pairs, style), *_blocks(row, style)]
    lines += blackout_lines(row.blackouts, now, style)
    lines += frozen_lines([row], now, style)
    lines += _busy(row.running, now, style)
    lines += _waiting("Waiting in the account", row.waiting, row.waiting_since, now, style)
    skipped = words.skipped(row, now)
    newer = ["", *folded(f"{skipped}; `gradesync history {clean(s.id)}` says why", style)] if skipped else []
    return finished([*lines, *newer, *_last(row, style)])


def _waiting(
    title: str, waiting: Mapping[str, int], since: Mapping[str, datetime], now: datetime, style: Style
) -> list[str]:
    """What waits in the account, by code and age, with who must act and how."""
    lines: list[str] = []
    for code in words.waiting_order(waiting, since):
        aged = words.how_long(since[code], now) if code in since else ""
        lines += folded(words.code_line(code, waiting[code], aged), style, "  ", " " * 9)
    # A run counts a column only where no grade hangs on it; here each is a record of its own.
    return ["", style.paint(f"{title}, grades and their columns", "yellow"), *lines] if lines else []


def _no_next_run(row: ScheduleRow) -> str:
    return "none while it is blocked" if row.blocks else "none"


def _blocks(row: ScheduleRow, style: Style) -> list[str]:
    if not row.blocks:
        return []
    lines = ["", style.paint("Blocked", "yellow")]
    for block in row.blocks:
        lines += folded(f"- {clean(block.sentence)} ({clean(block.code)})", style, "  ", "    ")
        lines += _way_out(block.scope, style) if block.scope else []
    return lines


def _way_out(scope: str, style: Style) -> list[str]:
    """The one command that ends a hold: only its own scope does."""
    return folded(f"to end it: gradesync resume {clean(scope)}", style, "    ", "      ")


def _busy(lease: Lease | None, now: datetime, style: Style) -> list[str]:
    if lease is None:
        return []
    return [
        "",
        *folded(f"running  {running_line(lease, now)}; run {clean(lease.run_id)}", style, "", " " * 9),
    ]


def _last(row: ScheduleRow, style: Style) -> list[str]:
    last = row.last
    if last is None:
        return ["", "It has not run yet."]
    zone_name, result = row.schedule.time_zone, last.result
    pairs = [
        ("run", clean(last.id)),
        ("started", words.stamp(last.started_at, zone_name)),
        ("ended", words.stamp(last.ended_at, zone_name)),
        ("trigger", f"{last.trigger.value}, {clean(last.actor.name)} ({clean(last.actor.via)})"),
    ]
    if result is not None:
        pairs.append(("outcome", style.paint(result.outcome.value, OUTCOME_COLORS[result.outcome])))
        pairs.append(("stage", result.stage.value))
        pairs.append(("counts", words.counts_line(result.counts)))
    lines = ["", "Last run", *fields(pairs, style)]
    if result is None:
        return lines
    lines += code_lines(result, style, "  ")
    # A run the brake held waits for a person: which school, why, and the commands stand where they look first.
    stopped = stop_lines(result.roster, last, style, "  ")
    return [*lines, "", *stopped] if stopped else lines


def account(view: AccountView, now: datetime, *, style: Style) -> str:
    """One account: both its sides, its schedules, its holds, and what waits for whom."""
    pairs = [
        ("name", clean(view.name)),
        ("time zone", clean(view.time_zone)),
        ("Canvas", clean(view.canvas_url)),
        ("SIS", f"{clean(view.sis_url)} (profile {clean(view.sis_profile)})"),
        ("revision", str(view.revision)),
    ]
    lines = [style.paint(clean(view.key), "bold"), *fields(pairs, style), *_busy(view.lease, now, style)]
    if view.holds:
        lines += ["", style.paint("Holds", "yellow")]
    for hold in view.holds:
        until = hold_until(hold, now, view.time_zone)
        told = f"{hold.scope}: by {hold.actor.name} ({hold.actor.via}), {until}: {hold.reason}"
        lines += folded(f"- {clean(told)}", style, "  ", "    ")
        lines += _way_out(hold.scope.arguments, style)
    lines += blackout_lines(view.blackouts, now, style)
    lines += _waiting("Waiting", view.waiting, view.waiting_since, now, style)
    lines += _met(view, style)
    if any(row.blocks for row in view.rows):
        lines += ["", style.paint("Blocked", "yellow")]
    for row in view.rows:
        for block in row.blocks:
            told = f"{row.schedule.id.name}: {block.sentence} ({block.code})"
            lines += folded(f"- {clean(told)}", style, "  ", "    ")
    return finished([*lines, "", rows(view.rows, now, style=style, waiting=False)])


def _met(view: AccountView, style: Style) -> list[str]:
    """What the last runs left for somebody beside the records that wait: a seat, a warning of Canvas, a refused key."""
    lines: list[str] = []
    for row in view.rows:
        for need in needs(row):
            if need.code and need.code != FROZEN and need.code not in view.waiting:
                told = words.code_line(need.code, need.records).replace("run ID", f"run {row.schedule.id}")
                lines += folded(f"{clean(row.schedule.id.name)}: {told}", style, "  ", " " * 9)
    return ["", style.paint("Last runs", "yellow"), *lines] if lines else []


def effective(rows: Sequence[tuple[str, object, Place]], *, style: Style) -> str:
    """Every value of an effective account with the file and line it comes from."""
    columns = ("SETTING", "VALUE", "FROM")
    cells = [
        (Cell(path, "bold"), Cell(_value(value)), Cell(_origin(place), "dim")) for path, value, place in rows
    ]
    return finished(table(columns, cells, style))


def _origin(place: Place) -> str:
    """File and line; defaults, profiles and names made by a pattern have no line."""
    return f"{place.file}:{place.line}" if place.line else place.file


def _value(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def store_info(info: StoreInfo, *, style: Style) -> str:
    """What the store is, where, and how much it keeps."""
    pairs = [
        ("kind", clean(info.kind)),
        ("place", clean(info.place)),
        ("lineage", clean(info.lineage)),
        ("schema", clean(info.schema)),
        *((clean(word), f"{number:,}") for word, number in info.counts.items()),
    ]
    head = "Store, made just now" if info.created else "Store"
    return finished([style.paint(head, "bold"), *fields(pairs, style)])


__all__ = ["account", "effective", "schedule", "store_info"]
