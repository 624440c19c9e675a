"""Rows of the staff pages: every cell as the text it shows, in the order its template takes it apart.

Tuples of texts on purpose: a template that unpacks them costs a third of one that looks values up by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from gradesync.domain.needs import FROZEN
from gradesync.domain.page_overview import Overview, PageAccount, PageSchedule, Written
from gradesync.domain.page_standing import WORST_FIRST
from gradesync.domain.report import ScheduleRow
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page import wording
from gradesync.reporting.page.changes import link_to
from gradesync.reporting.page.wording import SLUGS, Stamps

Row = tuple[Any, ...]


def account_row(account: PageAccount, stamps: Stamps, now: datetime) -> Row:
    """One line of the overview."""
    s = account.standing
    return (
        SLUGS[s.word],
        s.word.value,
        WORST_FIRST[s.word],
        wording.how_long(s.since, now),
        account.key,
        clean(account.name),
        clean(account.group or ""),
        *stamps(s.last_good_at, account.time_zone),
        *(f"{s.tally.ok:,}", f"{s.tally.unchanged:,}", s.tally.waiting, s.tally.withheld, s.tally.refused),
        wording.who_text(account),
        s.causes,
        wording.next_step(account, now) if s.word.value != "OK" else "",
        *stamps(s.next_at, account.time_zone),
    )


def standing(account: PageAccount, stamps: Stamps, now: datetime) -> Mapping[str, Any]:
    """The box at the top of an account's page."""
    s = account.standing
    good_iso, good = stamps(s.last_good_at, account.time_zone)
    next_iso, soon = stamps(s.next_at, account.time_zone)
    return {
        "slug": SLUGS[s.word],
        "word": s.word.value,
        "since": wording.how_long(s.since, now),
        "step": wording.next_step(account, now),
        "who": wording.who_text(account),
        "good_iso": good_iso,
        "good": good,
        "next_iso": next_iso,
        "next": soon,
        "ok": f"{s.tally.ok:,}",
        "unchanged": f"{s.tally.unchanged:,}",
        "waiting": f"{s.tally.waiting:,}",
        "withheld": f"{s.tally.withheld:,}",
        "refused": f"{s.tally.refused:,}",
        "causes": [(clean(code), f"{n:,}", *wording.code_text(code)) for code, n in s.causes],
    }


def schedule_row(one: PageSchedule, stamps: Stamps) -> Row:
    """The vendor page's columns, then state, last run, a newer attempt that was skipped, who is needed, group."""
    row, schedule = one.row, one.row.schedule
    zone, last = schedule.time_zone, row.last
    result = last.result if last is not None else None
    began = None if last is None else last.started_at or last.ended_at or last.created_at
    outcome = "" if result is None else result.outcome.value
    return (
        schedule.id.account,
        clean(schedule.id.name),
        schedule.type.value,
        clean(schedule.interval),
        *first_run(row, stamps),
        *stamps(words.next_run_of(row), zone),
        clean(zone),
        clean(schedule.posted_by or ""),
        *wording.schedule_state(row),
        *stamps(began, zone),
        outcome,
        wording.mark_of(outcome),
        *stamps(one.skipped_at, zone),
        wording.needs_text(one.needs),
        clean(row.group or ""),
    )


def first_run(row: ScheduleRow, stamps: Stamps) -> tuple[str, str, bool]:
    """The first run that occurred; else the declared one, as it is written where it is no instant, and True."""
    schedule = row.schedule
    if row.first_ran_at is not None:
        return *stamps(row.first_ran_at, schedule.time_zone), False
    at = words.declared_first_run(schedule)
    told = ("", clean(schedule.first_run or "")) if at is None else stamps(at, schedule.time_zone)
    return *told, bool(schedule.first_run)


NAMED = 20
"""So many files that cannot be taken are named; `gradesync validate` names them all."""


def unrecorded_rows(overview: Overview, source: str | None) -> list[Row]:
    """Files of which nothing could be taken yet: (place, link, code, title, since)."""
    rows: list[Row] = []
    for one in overview.unrecorded[:NAMED]:
        file, code = clean(one.file), one.code or FROZEN
        place = file if one.line is None else f"{file}:{one.line}"
        link = "" if one.line is None else link_to(source, Written(one.file, one.line))
        since = wording.how_long(one.since, overview.at)
        rows.append((place, link, code, wording.code_text(code)[0], since))
    return rows


# --- codes ------------------------------------------------------------------------------------------------------


def code_rows(codes: Iterable[str]) -> list[Row]:
    """What each code means and what to do about it, in the order of their numbers."""
    from gradesync.domain.problem import CODES

    rows: list[Row] = []
    for code in sorted(set(codes)):
        entry = CODES.get(code)
        if entry is not None:
            effect, concerns = words.EFFECTS[entry.act], words.CONCERNS[entry.radius]
            meanwhile = entry.meanwhile
            rows.append((code, entry.title, entry.cause, wording.to_do(entry), meanwhile, concerns, effect))
    return rows


def waiting_rows(account: PageAccount, now: datetime) -> list[Row]:
    """Everything that waits in the account, by code: those that need a person first, the oldest first among them."""
    waiting: Mapping[str, int] = {}
    began: Mapping[str, datetime] = {}
    for one in account.schedules:
        # All passbacks of an account share its waiting records.
        if one.row.waiting:
            waiting, began = one.row.waiting, one.row.waiting_since
    return [
        (
            clean(code),
            f"{waiting[code]:,}",
            words.how_long(began[code], now) if code in began else "",
            *wording.code_text(code),
        )
        for code in words.waiting_order(waiting, began)
    ]


def codes_of(account: PageAccount) -> set[str]:
    """Every code that the account's pages name."""
    found = {code for code, _ in account.standing.causes}
    for one in account.schedules:
        found.update(one.row.waiting)
    for run in account.runs:
        found.update(run.codes)
    return found


__all__ = [
    "account_row",
    "code_rows",
    "codes_of",
    "schedule_row",
    "standing",
    "unrecorded_rows",
    "waiting_rows",
]
