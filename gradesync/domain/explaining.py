"""The life of one grade, put together: what the store remembers, what both sides show, what happens next.

Pure: reading is the engine's, words are the reporting's. Values and titles go into `Shown` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import product

from gradesync.domain.explained import WRITES, Check, ClassStory, Held, Next, Remembered, Shown, WasSent
from gradesync.domain.gradebook import (
    Assignment,
    CourseGradebook,
    LineItem,
    Result,
    SectionStudent,
    SisCatalogue,
    Submission,
)
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import (
    Audience,
    audience_of,
    category_for,
    due_for,
    item_subject,
    period_on,
    periods_of,
    result_subject,
)
from gradesync.domain.passback_decisions import ClassDecision, ClassInput, LineItemDecision, ResultDecision
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, PastEvent, WaitingRow
from gradesync.domain.wish import EXEMPT, FULLY_GRADED, Rules, Speech, Verdict, rounded, value_key

STATUSES = (FULLY_GRADED, EXEMPT, "not submitted", "partially graded", "submitted")
"""OneRoster's words for a score's status: a value could have been sent with any of them."""


_LETTERS = (None, *(letter + sign for letter in "ABCDEF" for sign in ("", "+", "-")))
"""Words that may have stood beside the number: the usual letters, or none."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The pseudonyms one grade has in one class: its line item's, and those its result may be kept under."""

    class_id: str
    item: str
    results: tuple[str, ...]


def subjects_in(
    keyed: KeyedHash, assignment_id: int, class_id: str, *, sis_ids: Iterable[str], user_id: int | None
) -> Subjects:
    """Where to look. A student without a SIS id is remembered under Canvas's number (GS-417)."""
    results = [result_subject(keyed, assignment_id, class_id, sis_id) for sis_id in sorted(set(sis_ids))]
    if user_id is not None:
        results.append(keyed("result", str(assignment_id), class_id, f"canvas:{user_id}"))
    return Subjects(class_id, item_subject(keyed, assignment_id, class_id), tuple(results))


@dataclass(frozen=True, slots=True)
class Memory:
    """Everything the store answered about the subjects asked for."""

    entries: Sequence[LedgerEntry]
    waiting: Sequence[WaitingRow]
    events: Sequence[PastEvent]

    def of(self, kind: str, subjects: Sequence[str]) -> Remembered:
        """One record, by the first of its pseudonyms that was ever used."""
        found = [self._one(kind, subject) for subject in subjects]
        return next((one for one in found if one.anything), found[0])

    def _one(self, kind: str, subject: str) -> Remembered:
        return Remembered(
            kind,
            subject,
            next((e for e in self.entries if (e.kind, e.subject) == (kind, subject)), None),
            next((row for row in self.waiting if row.record.subject == subject), None),
            tuple(past for past in self.events if past.event.subject == subject),
        )


def remembered_story(memory: Memory, subjects: Subjects) -> ClassStory:
    """A class as the store alone knows it."""
    item = memory.of(LINE_ITEM, (subjects.item,))
    result = memory.of(RESULT, subjects.results) if subjects.results else None
    row = result.waiting if result is not None else None
    if row is not None:
        return ClassStory(subjects.class_id, item, result, next=Next.WAITS, code=row.record.code)
    if item.waiting is not None:
        return ClassStory(subjects.class_id, item, result, next=Next.WAITS, code=item.waiting.record.code)
    return ClassStory(subjects.class_id, item, result)


@dataclass(frozen=True, slots=True)
class Seen:
    """One class as a run would see it now. `refused` is why it was not decided: a code, or None."""

    given: ClassInput | None
    decision: ClassDecision | None
    catalogue: SisCatalogue | None
    rules: Rules | None
    refused: str | None = None
    out_of_scope: bool = False


def live_story(
    told: ClassStory, book: CourseGradebook, assignment_id: int, student: SectionStudent, seen: Seen
) -> ClassStory:
    """The same class with what both sides show now."""
    assignment = next((one for one in book.assignments if one.id == assignment_id), None)
    work = next(
        (s for s in book.submissions if (s.assignment_id, s.user_id) == (assignment_id, student.user_id)),
        None,
    )
    checks = _canvas_checks(assignment, work, student, book)
    if student.section_sis_id is None:
        return _with(told, checks=checks, next=Next.WAITS, code="GS-414")
    if seen.given is None or seen.decision is None or seen.catalogue is None or seen.rules is None:
        known = Check("class known to the SIS", seen.refused != "GS-512", student.section_sis_id)
        scope = (Check("class in scope", answer=False),) if seen.out_of_scope else ()
        step = Next.WAITS if seen.refused else Next.NOTHING
        return _with(told, checks=(*checks, known, *scope), next=step, code=seen.refused)
    given, rules = seen.given, seen.rules
    column = _column(seen.decision, assignment_id)
    checks += _sis_checks(given, seen.catalogue, rules, assignment, student, column)
    cell = _cell(seen.decision, told)
    item = _held_item(given, told, column)
    held = _held_result(given, told, item, student)
    return _with(
        told,
        checks=checks,
        held=_compared(held, cell, told, rules.hash, seen.decision.speech),
        next=_next(cell, column),
        code=(cell.code if cell is not None else None) or (column.code if column is not None else None),
        shown=_shown(assignment, work, item, held, seen.catalogue, cell),
    )


def _with(
    told: ClassStory,
    *,
    checks: tuple[Check, ...],
    next: Next,
    code: str | None,
    held: Held = Held.UNKNOWN,
    shown: Shown | None = None,
) -> ClassStory:
    return ClassStory(told.class_id, told.item, told.result, checks, held, next, code, shown)


def _canvas_checks(
    assignment: Assignment | None, work: Submission | None, student: SectionStudent, book: CourseGradebook
) -> tuple[Check, ...]:
    if assignment is None:
        return (Check("assignment in Canvas", answer=False),)
    graded = work is not None and (work.score is not None or work.excused)
    return (
        Check("course published", book.course.state in ("available", "completed")),
        Check("assignment published", assignment.published),
        Check("marked for the SIS", assignment.flagged and not assignment.hidden),
        Check("counts toward the final grade", assignment.counts),
        Check("has points", bool(assignment.points)),
        Check("student in the section", student.state == "active", str(student.section_id)),
        Check("student has a SIS id", student.sis_user_id is not None),
        Check("graded", graded),
        Check("posted to the student", work is not None and work.posted_at is not None),
        Check("section tied to a SIS class", student.section_sis_id is not None, student.section_sis_id),
    )


def _sis_checks(
    given: ClassInput,
    catalogue: SisCatalogue,
    rules: Rules,
    assignment: Assignment | None,
    student: SectionStudent,
    column: LineItemDecision | None,
) -> tuple[Check, ...]:
    checks = [
        Check("class known to the SIS", answer=True, id=given.class_id),
        Check("student in the class in the SIS", student.sis_user_id in given.sis.students),
    ]
    if assignment is None:
        return tuple(checks)
    checks.append(Check("for this class", audience_of(assignment, given.section_ids) is not Audience.OTHERS))
    due_at = due_for(assignment, given.section_ids)
    category = category_for(assignment.group, given.class_id, catalogue.categories, rules.policy)
    found = None if isinstance(category, str) else category
    checks.append(Check("has a due date", due_at is not None))
    if column is not None and column.item is not None:
        # Decided already, undated work included.
        checks.append(
            Check("in one marking period", column.item.period_id is not None, column.item.period_id)
        )
    elif due_at is not None:
        periods = periods_of(catalogue.classes[given.class_id].term_ids, catalogue)
        period = period_on(to_local(due_at, rules.time_zone).date(), periods)
        checks.append(
            Check("in one marking period", period is not None, period.id if period is not None else None)
        )
    return (*checks, Check("in one category", found is not None, found.id if found is not None else None))


def _column(decision: ClassDecision, assignment_id: int) -> LineItemDecision | None:
    return next((one for one in decision.line_items if one.assignment_id == assignment_id), None)


def _cell(decision: ClassDecision, told: ClassStory) -> ResultDecision | None:
    if told.result is None:
        return None
    return next((one for one in decision.results if one.subject == told.result.subject), None)


def _held_item(given: ClassInput, told: ClassStory, column: LineItemDecision | None) -> LineItem | None:
    ours = {told.item.entry.record_id} if told.item is not None and told.item.entry is not None else set()
    if column is not None and column.item is not None:
        ours.add(column.item.id)
    return next((one for one in given.sis.line_items if one.id in ours), None)


def _held_result(
    given: ClassInput, told: ClassStory, item: LineItem | None, student: SectionStudent
) -> Result | None:
    entry = told.result.entry if told.result is not None else None
    if entry is not None:
        linked = next((one for one in given.sis.results if one.id == entry.record_id), None)
        if linked is not None:
            return linked
    if item is None:
        return None
    mine = (one for one in given.sis.results if one.line_item_id == item.id)
    return next((one for one in mine if one.student_id == student.sis_user_id), None)


def _compared(
    held: Result | None, cell: ResultDecision | None, told: ClassStory, keyed: KeyedHash, speech: Speech
) -> Held:
    if held is None:
        return Held.NOTHING
    if cell is not None and cell.verdict is Verdict.UNCHANGED:
        return Held.AS_CANVAS
    values = {keyed(speech.key_of(held)), keyed(speech.key_of(held, text=True))}
    if cell is not None and cell.holds is not None:
        values.add(cell.holds)
    if cell is not None and cell.value in values:
        return Held.AS_CANVAS
    entry = told.result.entry if told.result is not None else None
    if entry is not None and values & {entry.sent, entry.read_back, entry.intent}:
        return Held.AS_SENT
    return Held.OTHER


def _next(cell: ResultDecision | None, column: LineItemDecision | None) -> Next:
    if cell is None:
        return Next.WAITS if column is not None and column.code else Next.NOTHING
    words = {
        "withheld": Next.WAITS,
        "unchanged": Next.SETTLED,
        "nothing": Next.NOTHING,
        "blank": Next.REMOVES,
        "delete": Next.REMOVES,
    }
    return words.get(cell.verdict.value, Next.SENDS)


def _shown(
    assignment: Assignment | None,
    work: Submission | None,
    item: LineItem | None,
    held: Result | None,
    catalogue: SisCatalogue,
    cell: ResultDecision | None,
) -> Shown:
    rows: list[tuple[str, str]] = []
    if assignment is not None:
        rows.append(("assignment", assignment.title))
        rows.append(("group", assignment.group))
        rows.append(("points", _number(assignment.points)))
    if work is not None:
        rows.append(("Canvas shows", "excused" if work.excused else _number(work.score)))
    if cell is not None and cell.result is not None:
        rows.append(("a run would send", f"{_number(cell.result.score)} ({cell.result.status})"))
    if item is not None:
        rows.append(("column in the SIS", item.title))
        rows += [("category", one.title) for one in catalogue.categories if one.id == item.category_id]
        rows += [("marking period", one.title) for one in catalogue.periods if one.id == item.period_id]
    rows.append(("the SIS shows", "nothing" if held is None else f"{_number(held.score)} ({held.status})"))
    return Shown(tuple((label, text) for label, text in rows if text))


def _number(value: Decimal | None) -> str:
    return "no number" if value is None else f"{value.normalize():f}" if value.is_finite() else str(value)


def was_sent(
    text_number: Decimal, stories: Iterable[ClassStory], keyed: KeyedHash, *, decimals: int, since: datetime
) -> WasSent:
    """Whether the number was ever sent as this grade, under any status, as typed or as the SIS rounds it."""
    numbers = {text_number, rounded(text_number, decimals)}
    hashes = {
        keyed(value_key(number, status, late=late, missing=missing, text=letter))
        for number, status, late, missing, letter in product(
            numbers, STATUSES, (False, True), (False, True), _LETTERS
        )
    }
    results = [story.result for story in stories if story.result is not None]
    met = [past for one in results for past in one.events if past.event.value in hashes]
    entries = [one.entry for one in results if one.entry is not None]
    last = any(value in hashes for entry in entries for value in (entry.sent, entry.read_back))
    sent = last or any(past.event.what in WRITES for past in met)
    return WasSent(sent, tuple(sorted(met, key=lambda past: past.at)), last, since)


__all__ = ["Memory", "Seen", "Subjects", "live_story", "remembered_story", "subjects_in", "was_sent"]
