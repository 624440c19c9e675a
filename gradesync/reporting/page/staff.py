"""Rows of the staff pages: every cell as the text it shows, in the order its template takes it apart.

Tuples of texts on purpose: a template that unpacks them costs a third of one that looks values up by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from gradesync.domain.due import phase_of
from gradesync.domain.page_overview import PageAccount, PageSchedule, Written
from gradesync.domain.page_standing import WORST_FIRST
from gradesync.domain.report import ScheduleRow
from gradesync.domain.run import Lease, Run, RunState, Trigger
from gradesync.domain.schedule import ScheduleId, State
from gradesync.domain.week import AccountWeek, Stretch
from gradesync.reporting import words
from gradesync.reporting.clean import clean
from gradesync.reporting.page import wording
from gradesync.reporting.page.wording import SLUGS, TYPE_SLUGS, Stamps
from gradesync.reporting.running import running_line

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
    """One line of the history; the account's `lease` tells where a run at work is."""
    result = run.result
    codes: tuple[Row, ...] = ()
    if result is None:
        outcome, slug = ("running" if run.state is RunState.RUNNING else "queued"), "open"
        headway = lease.headway if lease is not None and lease.run_id == run.id else None
        stage = "" if headway is None else clean(headway.stage)
        counts = ""
    else:
        outcome, stage = result.outcome.value, result.stage.value
        slug = mark_of(outcome)
        counts = words.counts_line(result.counts) or "nothing to carry"
        codes = tuple(
            (clean(code), n, *wording.code_text(code)) for code, n in sorted(result.codes.items()) if n
        )
    return (
        *stamps(run.started_at or run.ended_at or run.created_at, zone),
        run.type.value,
        clean(run.schedule.name),
        who_line(run.actor.name, run.actor.via),
        run.trigger.value,
        stage,
        slug,
        outcome,
        counts,
        codes,
        run_facts(run),
        run.id,
    )


@lru_cache(maxsize=4096)
def who_line(name: str, via: str) -> str:
    """`sam (OS user)`; few people start many runs."""
    return f"{clean(name)} ({clean(via)})"


def run_facts(run: Run) -> str:
    """What is not usual about a run; empty for most."""
    told = [f"{run.mode.value} run"] if run.mode.value != "delta" else []
    if run.late_by >= 60:
        told.append(f"began {words.plural(run.late_by // 60, 'minute')} late")
    if run.attempt > 1:
        told.append(f"attempt {run.attempt}")
    if run.trigger is not Trigger.SLOT and run.reason:
        told.append(f"reason: {clean(run.reason)}")
    if run.class_filter:
        told.append("one class only")
    return ". ".join(text[:1].upper() + text[1:] for text in told) + ("." if told else "")


# --- stops ----------------------------------------------------------------------------------------------------


def hold_rows(account: PageAccount, stamps: Stamps, now: datetime) -> list[Row]:
    """Who holds what, why, since when and until when."""
    return [
        (
            clean(hold.scope),
            "breaker opened" if hold.kind.value == "breaker" else "held",
            who_line(hold.actor.name, hold.actor.via),
            *stamps(hold.created_at, account.time_zone),
            wording.until_text(hold, account.time_zone, now),
            clean(f"{hold.reason} ({hold.code})" if hold.code else hold.reason),
        )
        for hold in account.holds
    ]


def blackout_rows(account: PageAccount, now: datetime) -> list[Row]:
    """Planned windows, ongoing or to come, on their own zone's clock."""
    return [
        (
            clean(one.name),
            phase_of(one, now),
            f"{one.start:%Y-%m-%d %H:%M}",
            f"{one.until:%Y-%m-%d %H:%M} {clean(one.time_zone)}",
            "" if one.schedules is None else clean(", ".join(one.schedules)),
        )
        for one in account.blackouts
    ]


def request_rows(account: PageAccount, stamps: Stamps) -> list[Row]:
    """Wishes that wait for the next pass."""
    return [
        (
            clean(one.schedule.name),
            who_line(one.actor.name, one.actor.via),
            *stamps(one.created_at, account.time_zone),
            clean(one.reason or ""),
        )
        for one in account.requests
    ]


def running(account: PageAccount, now: datetime) -> str:
    """Who works in the account now, how far, and when last heard of; empty when nobody does."""
    return running_line(account.lease, now) if account.lease is not None else ""


# --- what to do -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What one schedule's 'Change this schedule' says."""

    name: str
    account: str
    place: str
    link: str
    differs: bool
    blocks: Sequence[str]
    lines: Sequence[tuple[str, str]]
    commands: Sequence[tuple[str, str]]


def changes(account: PageAccount, written: Mapping[ScheduleId, Written], source: str | None) -> list[Change]:
    """The line of YAML to change, with its place, and the commands to copy, for each schedule."""
    return [_change(one, written.get(one.row.schedule.id), source) for one in account.schedules]


def _change(one: PageSchedule, written: Written | None, source: str | None) -> Change:
    row = one.row
    id = clean(row.schedule.id)
    place = "" if written is None else f"{clean(written.file)}:{written.line}"
    held = any(block.kind in ("hold", "breaker") for block in row.blocks)
    release = [("end the hold", f"gradesync resume {id}")] if held else []
    return Change(
        name=clean(row.schedule.id.name),
        account=row.schedule.id.account,
        place=place,
        link=_link(source, written),
        differs=written is not None and written.differs,
        blocks=[_sentence(block.sentence) for block in row.blocks],
        lines=_lines(row.schedule.state, clean(row.schedule.interval)),
        commands=[
            *release,
            ("run it at the next pass", f"gradesync request {id}"),
            ("run it now, in your name", f"gradesync run {id}"),
            ("hold it for some hours", f'gradesync pause {id} --reason "WHY" --for 4h'),
            ("see everything about it", f"gradesync show {id}"),
            ("see older runs", f"gradesync history {id} --last 200"),
            ("know why one grade is missing", f"gradesync explain {id} --assignment ID --student ID"),
        ],
    )


def _sentence(text: str) -> str:
    plain = clean(text)
    return f"{plain[:1].upper()}{plain[1:]}."


def _lines(state: State, interval: str) -> list[tuple[str, str]]:
    rhythm = ("change how often it runs (now: " + interval + ")", "interval: daily at 02:00")
    if state is State.PAUSED:
        return [("let it run again", "state: active"), rhythm]
    stop = [("stop it for long", 'state: paused\nreason: "WHY"')]
    look = [("let it only look, and send nothing", "state: observe")] if state is State.ACTIVE else []
    back = [("let it send again", "state: active")] if state is State.OBSERVE else []
    return [*back, *stop, *look, rhythm]


def _link(source: str | None, written: Written | None) -> str:
    """The line in the web view of the repository; only https, whatever was configured."""
    if source is None or written is None or not source.startswith("https://"):
        return ""
    return f"{source.rstrip('/')}/{_in_address(written.file)}#L{written.line}"


_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/")


def _in_address(path: str) -> str:
    """A path as a part of an address: what is not plain is written as its bytes (RFC 3986, 2.1)."""
    return "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in path.encode())


# --- the coming week --------------------------------------------------------------------------------------------


def week_days(week: AccountWeek, now: datetime) -> list[Row]:
    """(date, title, slots) of each local day."""
    by_day: dict[object, list[Row]] = {day: [] for day in week.days}
    never = _never(week)
    for stretch in week.stretches:
        if stretch.day in by_day and stretch.schedule.id.name not in never:
            by_day[stretch.day].append(_slot(stretch, week.time_zone))
    titles = [words.day(datetime(day.year, day.month, day.day), now) for day in week.days]  # noqa: DTZ001 - a date
    return [
        (day.isoformat(), ("Today, " if place == 0 else "") + title, by_day[day])
        for place, (day, title) in enumerate(zip(week.days, titles, strict=True))
    ]


def _slot(stretch: Stretch, zone: str) -> Row:
    first = words.local(stretch.first, zone)
    time, often = f"{first:%H:%M}", stretch.schedule.type.value
    if stretch.count > 1:
        time = f"{time} to {words.local(stretch.last, zone):%H:%M}"
        number = f"{stretch.count:,} times{' or more' if stretch.capped else ''}"
        often += (
            f", every {words.plural(stretch.every, 'minute')}, {number}" if stretch.every else f", {number}"
        )
    return (
        time,
        clean(stretch.schedule.id.name),
        TYPE_SLUGS[stretch.schedule.type],
        often,
        "; ".join(clean(block.sentence) for block in stretch.blocks),
    )


def _never(week: AccountWeek) -> Mapping[str, str]:
    """Schedules that are paused in their files, with the sentence that says so: seven days need not repeat it."""
    found: dict[str, str] = {}
    for stretch in week.stretches:
        for block in stretch.blocks:
            if block.kind == "paused":
                found[stretch.schedule.id.name] = clean(block.sentence)
    return found


def idle_rows(week: AccountWeek) -> list[Row]:
    """Schedules without a slot in the week, and those that are paused."""
    never = _never(week)
    intervals = {one.schedule.id.name: one.schedule.interval for one in week.stretches}
    paused = [(clean(name), clean(intervals[name]), why) for name, why in sorted(never.items())]
    return [*paused, *((clean(one.id.name), clean(one.interval), "") for one in week.idle)]


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
    "Change",
    "account_row",
    "blackout_rows",
    "changes",
    "code_rows",
    "codes_of",
    "hold_rows",
    "idle_rows",
    "request_rows",
    "run_row",
    "running",
    "schedule_row",
    "standing",
    "waiting_rows",
    "week_days",
]
