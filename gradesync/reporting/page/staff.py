"""Rows of the staff pages: every cell as the text it shows, in the order its template takes it apart.

Tuples of texts on purpose: a template that unpacks them costs a third of one that looks values up by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from gradesync.domain.page_overview import PageAccount, PageSchedule
from gradesync.domain.page_standing import WORST_FIRST
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Lease, Mode, Run, RunState, Trigger
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page import wording
from gradesync.reporting.page.wording import SLUGS, Stamps

Row = tuple[Any, ...]


def account_row(account: PageAccount, stamps: Stamps, now: datetime) -> Row:
    """One line of the overview."""
    s = account.standing
    return (
        SLUGS[s.word],
        s.word.value,
        WORST_FIRST[s.word],
        wording.since_text(s.since, now),
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
        "since": wording.since_text(s.since, now),
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
    """The vendor page's columns, then state, last run, who is needed, group."""
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
        mark_of(outcome),
        wording.needs_text(one.needs),
        clean(row.group or ""),
    )


def first_run(row: ScheduleRow, stamps: Stamps) -> tuple[str, str]:
    """The first run that occurred; else the declared one, as it is written where it is no instant."""
    schedule = row.schedule
    at = row.first_ran_at or words.declared_first_run(schedule)
    return ("", clean(schedule.first_run or "")) if at is None else stamps(at, schedule.time_zone)


def mark_of(outcome: str) -> str:
    """The class of an outcome; `abandoned` looks like a failure, which it is."""
    return "failed" if outcome == "abandoned" else outcome


# --- history --------------------------------------------------------------------------------------------------


def run_row(run: Run, zone: str, stamps: Stamps, lease: Lease | None = None) -> Row:
    """One line of the history; the account's `lease` tells where a run at work is.

    A page has tens of thousands of them, so the words of enumerations are taken as they are kept (`_value_`): `value`
    is a look-up each time.
    """
    result = run.result
    codes: tuple[Row, ...] = ()
    if result is None:
        outcome, slug = ("running" if run.state is RunState.RUNNING else "queued"), "open"
        headway = lease.headway if lease is not None and lease.run_id == run.id else None
        stage = "" if headway is None else clean(headway.stage)
        counts = ""
    else:
        outcome, stage = result.outcome._value_, result.stage._value_
        slug = mark_of(outcome)
        counts = words.counts_line(result.counts) or "nothing to carry"
        if result.codes:
            codes = tuple(
                [(clean(code), n, *wording.code_text(code)) for code, n in sorted(result.codes.items()) if n]
            )
    return (
        *stamps(run.started_at or run.ended_at or run.created_at, zone),
        run.type._value_,
        _clean_name(run.schedule.name),
        who_line(run.actor.name, run.actor.via),
        run.trigger._value_,
        stage,
        slug,
        outcome,
        counts,
        codes,
        run_facts(run),
        run.id,
    )


_clean_name = lru_cache(maxsize=4096)(clean)
"""A schedule has many runs."""


@lru_cache(maxsize=4096)
def who_line(name: str, via: str) -> str:
    """`sam (OS user)`; few people start many runs."""
    return f"{clean(name)} ({clean(via)})"


def run_facts(run: Run) -> str:
    """What is not usual about a run; empty for most."""
    told = [f"{run.mode.value} run"] if run.mode is not Mode.DELTA else []
    if run.late_by >= 60:
        told.append(f"began {words.plural(run.late_by // 60, 'minute')} late")
    if run.attempt > 1:
        told.append(f"attempt {run.attempt}")
    if run.trigger is not Trigger.SLOT and run.reason:
        told.append(f"reason: {clean(run.reason)}")
    if run.class_filter:
        told.append("one class only")
    return ". ".join(text[:1].upper() + text[1:] for text in told) + ("." if told else "")


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
            rows.append((code, entry.title, entry.cause, words.to_do(entry), meanwhile, concerns, effect))
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
            words.since(began[code], now) if code in began else "",
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
        if run.result is not None:
            found.update(run.result.codes)
    return found


__all__ = [
    "account_row",
    "code_rows",
    "codes_of",
    "run_row",
    "schedule_row",
    "standing",
    "waiting_rows",
]
