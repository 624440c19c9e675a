"""Grade passback's decisions: for every assignment and student, what the SIS should hold, or why it gets nothing.

Pure. Dry runs, `observe` and real runs call these same functions, so a preview cannot lie. The rules come from
`oneroster.md` 3 and 7 and `canvas.md` 5; each branch says what it means for a student. Here a class is put together:
columns are decided in `passback_columns`, cells in `passback_cells`, and whatever no branch covers is withheld with a
code: nothing unknown is ever sent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from gradesync.domain.gradebook import SectionStudent, SisCatalogue, Submission
from gradesync.domain.passback_cells import Cells
from gradesync.domain.passback_columns import WITHDRAWN, Columns, may_recreate
from gradesync.domain.passback_decisions import (
    GONE_STATES,
    ClassDecision,
    ClassInput,
    LineItemDecision,
    ResultDecision,
)
from gradesync.domain.passback_removals import Removals
from gradesync.domain.record import LINE_ITEM
from gradesync.domain.wish import Rules, Verdict

__all__ = ["ClassDecision", "ClassInput", "LineItemDecision", "ResultDecision", "decide_class"]


def decide_class(given: ClassInput, catalogue: SisCatalogue, rules: Rules) -> ClassDecision:
    """Decide every line item and result of one class (DESIGN.md 8)."""
    students = _one_each(given.students)
    removals, recreates = Removals(given, rules), may_recreate(given, rules)
    columns = Columns(given, catalogue, rules, recreates)
    cells = Cells(given, rules, students, removals, recreates)
    by_assignment: dict[int, list[Submission]] = defaultdict(list)
    for submission in _latest(given.submissions):
        if submission.user_id in students:
            by_assignment[submission.assignment_id].append(submission)
    line_items: list[LineItemDecision] = []
    results: list[ResultDecision] = []
    withdrawn: set[int] = set()
    for assignment in sorted(given.assignments, key=lambda one: one.id):
        item = columns.decide(assignment)
        if item.code == WITHDRAWN and removals.removes and columns.withdrawn_for_certain(assignment):
            # The work is no longer meant for the report card: its scores go first, then its column.
            withdrawn.add(assignment.id)
            entry = given.ledger[(LINE_ITEM, item.subject)]
            mine = removals.cells_of(entry.record_id, assignment.id, WITHDRAWN)
            item = removals.column(assignment.id, entry, columns.existing.get(entry.record_id), mine)
        else:
            rows = by_assignment.get(assignment.id, ())
            decided = (cells.decide(submission, assignment, item) for submission in rows)
            mine = [decision for decision in decided if decision is not None]
            mine.extend(cells.second_ones(mine))
            item = columns.settled(item, mine)
        line_items.append(item)
        results.extend(mine)
    if given.complete:
        for entry in columns.disappeared():
            if not removals.removes:
                # The work was deleted in Canvas; the SIS still shows it to the student.
                line_items.append(LineItemDecision(0, entry.subject, Verdict.WITHHELD, WITHDRAWN))
                continue
            mine = removals.cells_of(entry.record_id, 0, WITHDRAWN)
            line_items.append(removals.column(0, entry, columns.existing.get(entry.record_id), mine))
            results.extend(mine)
        results.extend(cells.disappeared({d.subject for d in results}, withdrawn, columns.unlisted()))
    return ClassDecision(
        given.class_id,
        tuple(line_items),
        tuple(results),
        removal_limit=rules.policy.deletion_limit,
        speech=cells.speech,
        omit=rules.profile.omit,
    )


def _one_each(students: Iterable[SectionStudent]) -> Mapping[int, SectionStudent]:
    """One enrollment per person: a student who left and came back has two rows, and the living one counts."""

    def weight(one: SectionStudent) -> tuple[bool, bool, int, str]:
        return (one.state in GONE_STATES, one.sis_user_id is None, one.section_id, one.sis_user_id or "")

    chosen: dict[int, SectionStudent] = {}
    for student in sorted((s for s in students if not s.test_student), key=weight):
        chosen.setdefault(student.user_id, student)
    return chosen


def _latest(submissions: Iterable[Submission]) -> Iterable[Submission]:
    """One submission per student and assignment: pages that shifted while they were read list a row twice."""
    longest_ago = datetime.min.replace(tzinfo=UTC)

    def newness(one: Submission) -> tuple[datetime, datetime, str]:
        return (one.graded_at or longest_ago, one.posted_at or longest_ago, repr(one))

    chosen: dict[tuple[int, int], Submission] = {}
    for submission in submissions:
        key = (submission.assignment_id, submission.user_id)
        known = chosen.get(key)
        if known is None or newness(submission) > newness(known):
            chosen[key] = submission
    return [chosen[key] for key in sorted(chosen)]
