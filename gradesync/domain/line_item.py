"""What a line item in the SIS should look like: audience, due date, marking period, category, title.

Pieces of the decision table that concern an assignment in one class. Pure; nothing is ever guessed: what does not
fit exactly one marking period or category answers with a code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

from gradesync.domain.account import PassbackPolicy
from gradesync.domain.gradebook import Assignment, Category, GradingPeriod, LineItem, SisCatalogue
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.profile import LOCAL_MIDNIGHT
from gradesync.domain.wish import Rules


class Audience(StrEnum):
    """For whom an assignment is, as seen from one class."""

    WHOLE_CLASS = "whole class"
    SOME_STUDENTS = "some students"
    OTHERS = "others"


def audience_of(assignment: Assignment, section_ids: frozenset[int]) -> Audience:
    """Whole class, only some of its students, or other sections altogether (canvas.md 3.1)."""
    if not assignment.only_overrides:
        return Audience.WHOLE_CLASS
    if any(o.section_id in section_ids for o in assignment.overrides if o.section_id is not None):
        return Audience.WHOLE_CLASS
    if any(o.section_id is None for o in assignment.overrides):
        return Audience.SOME_STUDENTS
    return Audience.OTHERS


def due_for(assignment: Assignment, section_ids: frozenset[int]) -> datetime | None:
    """The due date of a class: its section's override, else the base date (canvas.md 27).

    Several sections that are one class have one column between them: the latest of their dates is its date, so that
    nobody's work looks late that is not. A date of single students never moves the class's.
    """
    own = {o.section_id: o.due_at for o in assignment.overrides if o.section_id in section_ids}
    if len(own) == 1 and len(section_ids) == 1:
        return next(iter(own.values()))
    if not own:
        return assignment.due_at
    dates = list(own.values())
    if len(own) < len(section_ids) and not assignment.only_overrides:
        dates.append(assignment.due_at)
    return max((due for due in dates if due is not None), default=None)


def shown_date(instant: datetime, rules: Rules) -> datetime:
    """A date as the SIS is told it: the instant, or the local school day for a SIS that keeps bare days.

    23:59 in New York is the next day in UTC: a SIS that cuts the clock off would show the work due a day late.
    """
    if rules.profile.due_date_as != LOCAL_MIDNIGHT:
        return instant
    return datetime.combine(to_local(instant, rules.time_zone).date(), time(), UTC)


def shown_day(instant: datetime | None, rules: Rules) -> date | None:
    """The school day of a date that the SIS shows; None for none."""
    if instant is None or rules.profile.due_date_as != LOCAL_MIDNIGHT:
        return local_day(instant, rules.time_zone)
    return instant.astimezone(UTC).date()


def periods_of(term_ids: Iterable[str], catalogue: SisCatalogue) -> tuple[GradingPeriod, ...]:
    """Grading periods below any of the class's sessions."""
    terms = set(term_ids)

    def below(period: GradingPeriod) -> bool:
        parent: str | None = period.parent_id
        for _ in range(8):  # a session tree is three deep; a loop in bad data must not hang
            if parent is None:
                return False
            if parent in terms:
                return True
            parent = catalogue.session_parents.get(parent)
        return False

    return tuple(p for p in catalogue.periods if p.id in terms or below(p))


def period_on(day: date, periods: Iterable[GradingPeriod]) -> GradingPeriod | None:
    """The one period with start <= day < end; None when there is none, or more than one."""
    hits = [p for p in periods if p.start <= day < p.end]
    return hits[0] if len(hits) == 1 else None


def mapped_to(group: str, policy: PassbackPolicy) -> str | None:
    """What the account's `category_map` says of an assignment group."""
    return policy.category_map.get(group) or policy.category_map.get(group.strip())


def category_for(
    group: str, class_id: str, categories: Iterable[Category], policy: PassbackPolicy
) -> Category | str:
    """The SIS category of an assignment group: mapped, its own name, default; else a code. Never guessed.

    Each name is looked for as it is written, then apart from capitals and blanks. A map that names no category of
    this SIS must not keep a group from the category of its own name.
    """
    usable = [c for c in categories if c.class_id in (None, class_id)]
    for wanted in (mapped_to(group, policy), group, policy.default_category):
        if wanted is None:
            continue
        for fits in (
            [c for c in usable if c.title == wanted],
            [c for c in usable if _folded(c.title) == _folded(wanted)],
        ):
            own = [c for c in fits if c.class_id == class_id] or fits
            if len(own) > 1:
                return "GS-406"
            if own:
                return own[0]
    return "GS-405"


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


@lru_cache(maxsize=20_000)
def clean_title(title: str) -> str:
    """Without control characters and doubled blanks: what a SIS column can show."""
    return " ".join("".join(c if c.isprintable() else " " for c in title).split())


def line_item_key(item: LineItem, omit: Collection[str] = ()) -> tuple[str, ...]:
    """What of a line item counts as its value; instants to the minute, because SISes drop seconds.

    `omit` names OneRoster fields that this SIS is never told: what it makes of them is its own affair.
    """
    return (
        "line item",
        clean_title(item.title),
        (item.category_id if "category" not in omit else None) or "-",
        (item.period_id if "gradingPeriod" not in omit else None) or "-",
        _instant(item.assign_date if "assignDate" not in omit else None),
        _instant(item.due_date if "dueDate" not in omit else None),
        _number(item.minimum if "resultValueMin" not in omit else None),
        _number(item.maximum if "resultValueMax" not in omit else None),
    )


def _instant(value: datetime | None) -> str:
    return "-" if value is None else value.astimezone(UTC).isoformat()[:16]


def _number(value: Decimal | None) -> str:
    return "-" if value is None else f"{value.normalize():f}"


def item_subject(keyed: KeyedHash, assignment_id: int, class_id: str) -> str:
    """The keyed pseudonym under which a line item is remembered."""
    return keyed("line item", str(assignment_id), class_id)


def result_subject(keyed: KeyedHash, assignment_id: int, class_id: str, student_id: str) -> str:
    """The keyed pseudonym under which a result is remembered; independent of the line item's id."""
    return keyed("result", str(assignment_id), class_id, student_id)


def fingerprint(assignments: Iterable[Assignment], keyed: KeyedHash) -> str:
    """Changes when anything about a course's assignments changes; then all its scores are decided anew."""
    rows = sorted(repr(assignment) for assignment in assignments)
    return keyed("assignments", *rows)


def last_day(periods: Iterable[GradingPeriod], time_zone: str) -> datetime:
    """Noon UTC of the last day of the last period: undated work belongs there (canvas.md 28).

    Where noon UTC is already the next day, it is noon less the zone's lead.
    """
    last = max(periods, key=lambda p: p.end)
    noon = datetime.combine(last.end - timedelta(days=1), time(12), UTC)
    return noon if to_local(noon, time_zone).date() < last.end else noon - timedelta(hours=12)


def local_day(instant: datetime | None, time_zone: str) -> date | None:
    return None if instant is None else to_local(instant, time_zone).date()


def twins_of(
    assignments: Iterable[Assignment], section_ids: frozenset[int], time_zone: str
) -> frozenset[int]:
    """Those of `assignments`, all meant for the SIS in this class, that share title and due day with another."""
    groups: dict[tuple[str, date | None], list[int]] = defaultdict(list)
    for assignment in assignments:
        due = local_day(due_for(assignment, section_ids), time_zone)
        groups[(clean_title(assignment.title), due)].append(assignment.id)
    return frozenset(id for ids in groups.values() if len(ids) > 1 for id in ids)
