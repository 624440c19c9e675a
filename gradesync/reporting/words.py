"""The phrases all formats share: instants, counts, codes. No layout, no colours.

Instants are shown in the schedule's own zone with its abbreviation, because that is the clock on the school's wall.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from gradesync.domain.interval import IntervalError, local_to_utc, to_local
from gradesync.domain.problem import CODES, Act, Code, Problem, Radius
from gradesync.domain.report import RunEnd, ScheduleRow
from gradesync.domain.run import Outcome, RunState
from gradesync.domain.schedule import Schedule, State
from gradesync.reporting.clean import clean

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

COUNT_WORDS = (
    "sent",
    "line items sent",
    "would send",
    "blanked",
    "deleted",
    "line items deleted",
    "imported",
    "unchanged",
    "nothing to send",
    "withheld",
    "refused",
)
"""Counts in the order people ask for them; any other word follows by name."""


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 schedule`, `2 schedules`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def local(instant: datetime, zone_name: str) -> datetime:
    """The instant on the zone's wall clock; UTC when the zone is unknown, because a report must not fail."""
    try:
        return to_local(instant, zone_name)
    except IntervalError:
        return instant.astimezone(UTC)


def abbreviation(moment: datetime) -> str:
    """`EST`; zones without letters give their offset as `UTC-03`."""
    name = moment.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def day(moment: datetime, now: datetime | None) -> str:
    """`Wed 25 Nov`, with the year when it is not this one's."""
    text = f"{_DAYS[moment.weekday()]} {moment.day} {_MONTHS[moment.month - 1]}"
    return text if now is not None and moment.year == now.year else f"{text} {moment.year}"


def clock(instant: datetime, zone_name: str, now: datetime | None = None) -> str:
    """`Wed 25 Nov 15:00 EST`, for sentences."""
    moment = local(instant, zone_name)
    return f"{day(moment, now)} {moment:%H:%M} {abbreviation(moment)}"


def brief(instant: datetime, zone_name: str, now: datetime) -> str:
    """`25 Nov 15:00` on the zone's clock, for narrow columns; `25 Nov 2025` when it is another year's."""
    moment = local(instant, zone_name)
    day_of = f"{moment.day:>2} {_MONTHS[moment.month - 1]}"
    return (
        f"{day_of} {moment:%H:%M}" if moment.year == local(now, zone_name).year else f"{day_of} {moment.year}"
    )


def stamp(instant: datetime | None, zone_name: str) -> str:
    """`2026-11-25 15:00 EST`, for columns; empty for None."""
    if instant is None:
        return ""
    moment = local(instant, zone_name)
    return f"{moment:%Y-%m-%d %H:%M} {abbreviation(moment)}"


def utc(instant: datetime) -> str:
    """`2026-11-25 20:00 UTC`."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def utc_seconds(instant: datetime) -> str:
    """`2026-11-25 20:00:05Z`."""
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def span(before: datetime | None, after: datetime | None, zone_name: str, now: datetime | None) -> str:
    """`14:15 -> 15:00 Wed 25 Nov EST`; both days are written out when they differ."""
    if before is None or after is None:
        return " -> ".join("none" if i is None else clock(i, zone_name, now) for i in (before, after))
    old, new = local(before, zone_name), local(after, zone_name)
    if old.date() == new.date() and abbreviation(old) == abbreviation(new):
        return f"{old:%H:%M} -> {new:%H:%M} {day(new, now)} {abbreviation(new)}"
    return f"{clock(before, zone_name, now)} -> {clock(after, zone_name, now)}"


def first_run(row: ScheduleRow) -> str:
    """The first run that occurred, else the declared one."""
    if row.first_ran_at is not None:
        return stamp(row.first_ran_at, row.schedule.time_zone)
    declared = declared_first_run(row.schedule)
    return stamp(declared, row.schedule.time_zone) if declared else clean(row.schedule.first_run or "")


def declared_first_run(schedule: Schedule) -> datetime | None:
    """The declared first run as an instant; None when there is none or it cannot be read."""
    return None if schedule.first_run is None else _declared(schedule.first_run, schedule.time_zone)


@lru_cache(maxsize=1024)
def _declared(first_run: str, zone_name: str) -> datetime | None:
    """Remembered, because most schedules of a tree began on a few days."""
    try:
        # Recorded texts are canonical; strptime would take as long as the whole rest of a row.
        return local_to_utc(datetime.fromisoformat(first_run), zone_name)
    except (ValueError, IntervalError):
        return None


_STATE_OF_BLOCK = {"hold": "held", "breaker": "breaker open"}


def state_words(row: ScheduleRow) -> tuple[str, ...]:
    """What stops the schedule (`paused`, `held`, `breaker open`, `blackout`), each once; else what YAML declares."""
    kinds = dict.fromkeys(_STATE_OF_BLOCK.get(block.kind, block.kind) for block in row.blocks)
    if kinds:
        return tuple(clean(kind) for kind in kinds)
    return (row.schedule.state.value,)


def needs_someone(row: ScheduleRow) -> bool:
    """Whether the last run failed or needs a person, or records of earlier runs still wait for one."""
    result = row.last.result if row.last is not None else None
    if row.frozen_since is not None:
        return True
    if result is not None and result.outcome in (Outcome.FAILED, Outcome.WARNING, Outcome.ABANDONED):
        return True
    # Whoever may open a closed period must hear of it, as `list --needs` says.
    return any(CODES[code].needs_person or CODES[code].act is Act.HOLD for code in row.waiting)


def next_run_of(row: ScheduleRow) -> datetime | None:
    """None while anything blocks the schedule, whatever the row carries."""
    paused = row.schedule.state is State.PAUSED
    return None if row.blocks or paused else row.next_run_at


def skipped(row: ScheduleRow, now: datetime) -> str:
    """That the newest attempt was skipped, and when, as the page words it; empty where the last run is the newest."""
    if row.skipped_at is None:
        return ""
    return f"last attempt skipped, {clock(row.skipped_at, row.schedule.time_zone, now)}"


def counts_line(counts: Mapping[str, int], *, future: bool = False) -> str:
    """`12 sent, 3 withheld`; words that were counted zero times are left out."""
    words = counts_in_order(tuple(counts))
    return ", ".join([_counted(counts[w], _future(w) if future else w) for w in words if counts[w]])


_PLACES = {word: place for place, word in enumerate(COUNT_WORDS)}


@lru_cache(maxsize=4096)
def counts_in_order(words: tuple[str, ...]) -> tuple[str, ...]:
    """As they are said; kept, because a page says the same few words of tens of thousands of runs."""
    return tuple(sorted(words, key=_place))


def _place(word: str) -> tuple[int, str]:
    return _PLACES.get(word, len(_PLACES)), word


def _future(word: str) -> str:
    return _FUTURE.get(word, word)


_FUTURE = {
    "sent": "would be sent",
    "line items sent": "line items would be sent",
    "blanked": "would be blanked",
    "deleted": "would be deleted",
    "line items deleted": "line items would be deleted",
}


_SAID = {"future": "enrollments to begin later"}
_ONE = (("classes", "class"), ("line items", "line item"), ("users", "user"), ("enrollments", "enrollment"))


def _counted(number: int, word: str) -> str:
    """`2 classes out of scope`, `1 class out of scope`."""
    return f"{number:,} {count_word(word, number == 1)}"


@lru_cache(maxsize=1024)
def count_word(word: str, alone: bool) -> str:
    """What was counted, in the plural or `alone`."""
    word = _SAID.get(word, word)
    for many, one in _ONE if alone else ():
        word = word.replace(many, one)
    return clean(word)


_OF_RECORDS = frozenset({"GS-425", "GS-604", "GS-606", "GS-618", "GS-620", "GS-626"})
"""Codes of the whole account that count records all the same: rows of a roster, seats, removals."""


def code_line(code: str, count: int, where: str = "") -> str:
    """`GS-401 No due date (3 records). Teacher: add a due date.`; `where` tells how they spread over runs.

    What concerns the whole account and was met once is no record: a run that no key opens has read none.
    """
    entry = CODES.get(code)
    number = plural(count, "record")
    spread = f": {clean(where)}" if where else ""
    if entry is None:
        return f"{clean(code)} ({number}{spread})"
    once = count == 1 and entry.radius is Radius.ACCOUNT and code not in _OF_RECORDS
    counted = "" if once else number
    parts = (counted, "for information" if entry.act is Act.INFO else "")
    told = f"{', '.join(part for part in parts if part)}{spread}".removeprefix(": ")
    return f"{code} {entry.title}{f' ({told})' if told else ''}. {to_do(entry)}"


def to_do(entry: Code) -> str:
    """Who must act, and how: `Teacher: add a due date.`"""
    remedy = entry.remedy.removeprefix("None").lstrip("; .")
    # Names and abbreviations keep their capital: `SIS`, `Canvas`.
    lowered = (
        remedy if remedy[1:2].isupper() or remedy.startswith("Canvas") else remedy[:1].lower() + remedy[1:]
    )
    if entry.who == "nobody":
        return f"Nobody needs to act{f': {lowered}' if lowered else '.'}"
    who = "For us to fix" if entry.who == "us" else entry.who[:1].upper() + entry.who[1:]
    return f"{who}: {lowered}"


EFFECTS: Mapping[Act, str] = {
    Act.RETRY: "It is tried again by itself.",
    Act.PERSON: "A person must act; a run that meets it ends as `warning`.",
    Act.HOLD: "The record waits until the other side opens again.",
    Act.INFO: "For your information; nothing is wrong.",
    Act.BUG: "It should not happen; a run that meets it ends as `warning`.",
}
CONCERNS: Mapping[Radius, str] = {
    Radius.RECORD: "One record: this grade of this student, and no other.",
    Radius.ASSIGNMENT: "One assignment: all its grades in the class.",
    Radius.CLASS: "One class: all its grades.",
    Radius.ACCOUNT: "The whole account.",
}


def who_acts(entry: Code) -> str:
    """`the teacher`, `the SIS admin`, `nobody`; `us` are the people who make gradesync."""
    if entry.who in ("nobody", "support"):
        return entry.who
    return "the makers of gradesync" if entry.who == "us" else f"the {entry.who}"


def code_page(entry: Code) -> str:
    """Where the docs say more, from the top of the checkout."""
    return f"docs/codes/{entry.code}.md"


def age(since: datetime, now: datetime) -> str:
    """`3 days`, `2 hours`, `15 minutes`; the largest unit that fits once."""
    minutes = max(0, int((now - since).total_seconds() // 60))
    if minutes >= 24 * 60:
        return plural(minutes // (24 * 60), "day")
    return plural(minutes // 60, "hour") if minutes >= 60 else plural(minutes, "minute")


def how_long(since: datetime, now: datetime) -> str:
    """`for 3 days`; what began within the minute began just now."""
    return "just now" if now - since < timedelta(minutes=1) else f"for {age(since, now)}"


def waiting_order(codes: Mapping[str, int], began: Mapping[str, datetime]) -> list[str]:
    """Codes that wait, those that need a person first, the oldest first among them."""
    far = datetime.max.replace(tzinfo=UTC)

    def place(code: str) -> tuple[bool, datetime, str]:
        return (code not in CODES or not CODES[code].needs_person, began.get(code, far), code)

    return sorted((code for code, number in codes.items() if number), key=place)


def waiting_short(code: str, count: int, began: datetime | None, now: datetime) -> str:
    """`12 GS-405 Category is not mapped, since 3 days (teacher)`."""
    aged = f", {how_long(began, now)}" if began is not None else ""
    title, who = (f" {CODES[code].title}", f" ({CODES[code].who})") if code in CODES else ("", "")
    return f"{count:,} {clean(code)}{title}{aged}{who}"


def codes_short(codes: Mapping[str, int]) -> str:
    """`GS-401 x3, GS-405`."""
    return ", ".join(
        clean(code) + (f" x{count:,}" if count > 1 else "") for code, count in sorted(codes.items()) if count
    )


def is_dry(end: RunEnd) -> bool:
    """A dry run never claims anything: its run row is still as it was made."""
    return bool(end.classes) or (end.run.state is RunState.QUEUED and end.run.attempt == 0)


def problem_counts(problems: Sequence[Problem]) -> str:
    """`2 problems in 1 file, 1 warning.`"""
    errors = [p for p in problems if not p.warning]
    warnings = len(problems) - len(errors)
    if not problems:
        return "No problems."
    files = plural(len({p.place.file for p in errors}), "file")
    told = f"{plural(len(errors), 'problem')} in {files}" if errors else "No problems"
    return told + (f", {plural(warnings, 'warning')}." if warnings else ".")
