"""The life of one grade, put together: what the store remembers, what both sides show, what happens next.

Pure: reading is the engine's, words are the reporting's. Values and titles go into `Shown` and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from itertools import product

from gradesync.domain.explained import (
    WRITES,
    Check,
    ClassStory,
    Held,
    Next,
    Remembered,
    Retry,
    Shown,
    WasSent,
)
from gradesync.domain.gradebook import (
    Assignment,
    CourseGradebook,
    LineItem,
    Result,
    SectionStudent,
    SisCatalogue,
    Submission,
)
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import item_subject, mapped_to, result_subject
from gradesync.domain.passback_decisions import ClassDecision, ClassInput, LineItemDecision, ResultDecision
from gradesync.domain.passback_linked import namesakes
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, PastEvent, WaitingRow
from gradesync.domain.retrying import DAY, worth_retrying
from gradesync.domain.steps import canvas_checks, sis_checks, with_reason
from gradesync.domain.wish import (
    EXEMPT,
    FULLY_GRADED,
    Rules,
    Speech,
    Verdict,
    rounded,
    stored_its_own_way,
    value_key,
)

STATUSES = (FULLY_GRADED, EXEMPT, "not submitted", "partially graded", "submitted")
"""OneRoster's words for a score's status: a value could have been sent with any of them."""


NAMED_TWICE = "GS-404"
NAMED = 20
"""How many categories of the SIS are named; a gradebook has a handful."""
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
    told = ClassStory(subjects.class_id, item, result)
    for record in (result, item):
        if record is not None and record.waiting is not None:
            step = Next.REFUSED if record.refused is not None else Next.WAITS
            return _because(replace(told, next=step), record.waiting)
    return told


def _because(told: ClassStory, row: WaitingRow) -> ClassStory:
    """The story with what is on record of why it waits."""
    return replace(told, code=row.record.code, since=row.since, retry=retry_of(row))


def retry_of(row: WaitingRow) -> Retry:
    """When the record is looked at again, found by asking the rule that runs go by."""

    def asked(now: datetime, *, catalogue: bool = False, roster: bool = False) -> bool:
        return worth_retrying(
            row, now, catalogue_changed=catalogue, roster_changed=roster, complete=False, looked=row.since
        )

    if asked(row.since):
        return Retry.NEXT_RUN
    if asked(row.since, roster=True):
        return Retry.ROSTER
    if asked(row.since, catalogue=True):
        return Retry.CATALOGUE
    return Retry.DAILY if asked(row.since + DAY) else Retry.CHANGE


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
    # Why it waited is on record; why it waits now is decided below.
    told = replace(told, next=Next.UNKNOWN, code=None, since=None, retry=None)
    assignment = next((one for one in book.assignments if one.id == assignment_id), None)
    work = next(
        (s for s in book.submissions if (s.assignment_id, s.user_id) == (assignment_id, student.user_id)),
        None,
    )
    checks = canvas_checks(assignment, work, student, book)
    if student.section_sis_id is None:
        return replace(told, checks=with_reason(checks, "GS-414"), next=Next.WAITS, code="GS-414")
    if seen.given is None or seen.decision is None or seen.catalogue is None or seen.rules is None:
        known = Check("class known to the SIS", seen.refused != "GS-512", student.section_sis_id)
        scope = (Check("class in scope", answer=False),) if seen.out_of_scope else ()
        steps = with_reason((*checks, known, *scope), seen.refused)
        step = Next.WAITS if seen.refused else Next.NOTHING
        return replace(told, checks=steps, next=step, code=seen.refused)
    given, rules = seen.given, seen.rules
    column = _column(seen.decision, assignment_id)
    checks += sis_checks(given, seen.catalogue, rules, assignment, student, column)
    cell = _cell(seen.decision, told)
    item = _held_item(given, told, column)
    held = _held_result(given, told, item, student)
    found = _decided(told, cell, column)
    missing = work is not None and work.missing and work.score is None and rules.policy.missing == "withhold"
    if found.next is Next.NOTHING and missing:
        checks = (*checks, Check("missing work is sent by this account", answer=False))
        found = replace(found, unsent_missing=True)
    if found.code == NAMED_TWICE and assignment is not None:
        alone = rules.profile.unique_titles
        alike = namesakes(
            assignment, given.assignments, given.section_ids, rules.time_zone, by_name_alone=alone
        )
        found = replace(found, namesakes=alike)
    return replace(
        found,
        checks=with_reason(checks, found.code),
        held=_compared(held, work, cell, told, rules, seen.decision.speech),
        shown=Shown(
            _shown(assignment, work, item, held, seen.catalogue, cell)
            + _groups(found.code, assignment, given.class_id, seen.catalogue, rules)
        ),
    )


def _decided(told: ClassStory, cell: ResultDecision | None, column: LineItemDecision | None) -> ClassStory:
    """What happens next and why: the decision's code, or the refusal on record of what it would send again."""
    step = _next(cell, column)
    code = (cell.code if cell is not None else None) or (column.code if column is not None else None)
    bare = replace(told, next=step, code=code)
    records = [one for one in (told.result, told.item) if one is not None]
    if step in (Next.SENDS, Next.REMOVES) and cell is not None:
        for one in records:
            entry, row = one.entry, one.refused
            if row is None:
                continue
            if one.kind == RESULT and entry is not None and entry.intent not in (None, cell.value):
                # Changed in Canvas since it was refused: the next run tries the new one.
                return replace(_because(bare, row), next=Next.REFUSED, retry=Retry.NEXT_RUN)
            return replace(_because(bare, row), next=Next.REFUSED)
    rows = (one.waiting for one in records)
    row = next((row for row in rows if row is not None and row.record.code == code), None)
    return bare if row is None else _because(bare, row)


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
    held: Result | None,
    work: Submission | None,
    cell: ResultDecision | None,
    told: ClassStory,
    rules: Rules,
    speech: Speech,
) -> Held:
    """What the SIS holds beside what Canvas shows, whether or not a rule keeps that back."""
    if held is None:
        return Held.NOTHING
    keyed, unchanged = rules.hash, cell is not None and cell.verdict is Verdict.UNCHANGED
    values = {keyed(speech.key_of(held)), keyed(speech.key_of(held, text=True))}
    if cell is not None and cell.holds is not None:
        values.add(cell.holds)
    entry = told.result.entry if told.result is not None else None
    ours = entry is not None and bool(values & {entry.sent, entry.read_back, entry.intent})
    if unchanged or (cell is not None and cell.value in values) or ours:
        shown = _as_shown(held, work, rules)
        if shown is not None:
            return shown
        return Held.AS_CANVAS if unchanged or not ours else Held.AS_SENT
    return Held.OTHER


def _as_shown(held: Result, work: Submission | None, rules: Rules) -> Held | None:
    """AS_CANVAS or ROUNDED where both sides show one score, None where that cannot be said."""
    if work is None:
        return None
    if work.excused or held.status == EXEMPT:
        return Held.AS_CANVAS if work.excused and held.status == EXEMPT else None
    if work.score is None or held.score is None or held.status != FULLY_GRADED:
        return None
    if rounded(work.score, 4) == rounded(held.score, 4):
        return Held.AS_CANVAS
    sent = rounded(work.score, rules.profile.decimals)
    return Held.ROUNDED if stored_its_own_way(held.score, sent) else None


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
) -> tuple[tuple[str, str], ...]:
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
    return tuple((label, text) for label, text in rows if text)


def _groups(
    code: str | None, assignment: Assignment | None, class_id: str, catalogue: SisCatalogue, rules: Rules
) -> tuple[tuple[str, str], ...]:
    """For a group that matches no category: what the account maps it to, and the names it could have had."""
    if code != "GS-405" or assignment is None:
        return ()
    usable = {one.title for one in catalogue.categories if one.class_id in (None, class_id)}
    named = ", ".join(f'"{title}"' for title in sorted(usable)[:NAMED])
    rest = len(usable) - NAMED
    mapped = mapped_to(assignment.group, rules.policy)
    rows = [("category_map", f'"{mapped}", which is none of them')] if mapped is not None else []
    more = f" and {rest} more" if rest > 0 else ""
    return (("categories", named + more or "none in the SIS for this class"), *rows)


def _number(value: Decimal | None) -> str:
    return "no number" if value is None else f"{value.normalize():f}" if value.is_finite() else str(value)


def was_sent(
    text_number: Decimal, stories: Iterable[ClassStory], keyed: KeyedHash, *, decimals: int, since: datetime
) -> WasSent:
    """Whether the number was ever sent as this grade, under any status, as typed or as the SIS rounds it."""
    numbers = {text_number, rounded(text_number, decimals)}
    hashes = {
        keyed(value_key(number, status, late=late, missing=missing, text=letter)): status
        for number, status, late, missing, letter in product(
            numbers, STATUSES, (False, True), (False, True), _LETTERS
        )
    }
    results = [story.result for story in stories if story.result is not None]
    met = [past for one in results for past in one.events if past.event.value in hashes]
    entries = [one.entry for one in results if one.entry is not None]
    held = {value for entry in entries for value in (entry.sent, entry.read_back) if value in hashes}
    wrote = {past.event.value for past in met if past.event.what in WRITES}
    statuses = frozenset(hashes[value] for value in held | wrote if value is not None)
    ordered = tuple(sorted(met, key=lambda past: past.at))
    return WasSent(bool(held or wrote), ordered, bool(held), since, statuses)


__all__ = [
    "Memory",
    "Seen",
    "Subjects",
    "live_story",
    "remembered_story",
    "retry_of",
    "subjects_in",
    "was_sent",
]
