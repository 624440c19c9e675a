"""What ties an assignment to a line item that stands already: open or closed period, and a SIS's own form of ours.

Pure questions that deciding a column asks; the deciding itself is `passback_columns`'.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from gradesync.domain.gradebook import Assignment, LineItem, SisCatalogue
from gradesync.domain.interval import to_local
from gradesync.domain.line_item import (
    Audience,
    audience_of,
    clean_title,
    due_for,
    local_day,
    period_on,
    periods_of,
)
from gradesync.domain.passback_decisions import ClassInput
from gradesync.domain.titles import folded
from gradesync.domain.wish import Rules


def is_unflagged(assignment: Assignment) -> bool:
    """Whether nothing but the SIS flag keeps the work from the SIS."""
    return assignment.published and not assignment.hidden and not assignment.flagged


def period_is_over(
    assignment: Assignment, column: LineItem | None, given: ClassInput, catalogue: SisCatalogue, rules: Rules
) -> bool | None:
    """By Canvas's word, else by the SIS's dates of the work's due day or its column; None when neither knows."""
    if assignment.period_closed:
        return True
    sis_class = catalogue.classes.get(given.class_id)
    if given.today is None or sis_class is None:
        return None
    due_at = due_for(assignment, given.section_ids)
    period = None
    if due_at is not None:
        day = to_local(due_at, rules.time_zone).date()
        period = period_on(day, periods_of(sis_class.term_ids, catalogue))
    if period is None and column is not None:
        period = next((one for one in catalogue.periods if one.id == column.period_id), None)
    return None if period is None else period.end <= given.today


def gets_column(assignment: Assignment, section_ids: frozenset[int]) -> bool:
    """Whether an assignment meant for the SIS could have a column in a class of these sections."""
    points = assignment.points is not None and assignment.points > 0
    graded = assignment.grading_type != "not_graded" and assignment.counts
    return points and graded and audience_of(assignment, section_ids) is Audience.WHOLE_CLASS


def namesakes(
    assignment: Assignment,
    others: Iterable[Assignment],
    section_ids: frozenset[int],
    time_zone: str,
    *,
    by_name_alone: bool = False,
) -> tuple[int, ...]:
    """Other work for the SIS with this one's name and due day in these sections (GS-404), by Canvas's number.

    `by_name_alone`: the SIS takes a name once, whatever the day.
    """

    def look(one: Assignment) -> tuple[str, date | None]:
        due_at = None if by_name_alone else due_for(one, section_ids)
        return folded(clean_title(one.title)), local_day(due_at, time_zone)

    meant = (one for one in others if one.published and one.flagged and not one.hidden)
    wanted = look(assignment)
    alike = (one.id for one in meant if gets_column(one, section_ids) and look(one) == wanted)
    return tuple(sorted({*alike} - {assignment.id}))


def made_of(found: LineItem, item: LineItem) -> bool:
    """Whether a SIS with short titles and bare dates may have made `found` of `item`."""
    title = clean_title(found.title)
    near = (
        found.due_date is not None
        and item.due_date is not None
        and abs(found.due_date - item.due_date).total_seconds() <= 86_400
    )
    return bool(title) and item.title.startswith(title) and found.maximum == item.maximum and near


def own_form(found: LineItem, item: LineItem) -> bool:
    """Whether the SIS shows `item` as far as it can show it; a column it did not change at all is another one."""
    same_day = found.due_date is not None and (found.due_date.hour, found.due_date.minute) == (0, 0)
    return (
        made_of(found, item)
        and (same_day or found.due_date == item.due_date)
        and found.category_id in (None, item.category_id)
        and found.period_id in (None, item.period_id)
    )
