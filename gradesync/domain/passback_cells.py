"""Which result a student gets in one line item: sent, unchanged, nothing to send, or withheld with a code.

Pure. A result is a cell of the SIS's gradebook; `passback_columns` has decided its column before. Whatever no
branch covers is withheld: nothing unknown is ever sent (`oneroster.md` 7, `canvas.md` 5).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from gradesync.domain.gradebook import Assignment, LineItem, Result, SectionStudent, Submission
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import minted_result_id
from gradesync.domain.line_item import result_subject
from gradesync.domain.passback_decisions import (
    GONE_STATES,
    STILL_SHOWN,
    STORED_OTHERWISE,
    ClassInput,
    LineItemDecision,
    ResultDecision,
    settled_at,
)
from gradesync.domain.passback_removals import Removals
from gradesync.domain.record import RESULT, LedgerEntry
from gradesync.domain.wish import (
    EXEMPT,
    SUBMITTED,
    Rules,
    Speech,
    Verdict,
    Wish,
    rounded,
    stored_its_own_way,
    wish_for,
)

_HANDED_IN = frozenset({SUBMITTED, "pending_review"})
"""Canvas states of a submission that has work in it and no final score."""

HIDDEN = "GS-411"
UNFINISHED = "GS-416"
_TAKEN_BACK = frozenset({HIDDEN, "GS-415", UNFINISHED, "GS-420"})
"""Codes under which Canvas shows no such grade, or does not count it, although one may have been sent before."""


@dataclass
class Cells:
    """What deciding one class's results needs: `students` are one enrollment per person, by Canvas user id.

    `recreates` tells whether results that are gone in the SIS may be written anew.
    """

    given: ClassInput
    rules: Rules
    students: Mapping[int, SectionStudent]
    removals: Removals
    recreates: bool
    speech: Speech = field(init=False)
    held: Mapping[tuple[str, str], list[Result]] = field(init=False)
    shared_ids: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.speech = Speech.of(self.rules)
        self.held = _by_cell(self.given.sis.results)
        self.shared_ids = _shared_ids(self.students.values())

    def decide(
        self, submission: Submission, assignment: Assignment, item: LineItemDecision
    ) -> ResultDecision | None:
        """What is done about one score; None when there is nothing to say about it."""
        student = self.students[submission.user_id]
        if student.state in GONE_STATES:
            # Has left this section: the SIS keeps what it has, nothing new is said.
            return None
        wish = wish_for(submission, assignment, self.rules)
        if student.sis_user_id is None:
            if wish.verdict is not Verdict.SEND or not item.usable:
                return None
            # Cannot be named to the SIS; guessing by name could give a child another child's grade.
            subject = self.rules.hash(
                "result", str(assignment.id), self.given.class_id, f"canvas:{student.user_id}"
            )
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-417")
        subject = result_subject(self.rules.hash, assignment.id, self.given.class_id, student.sis_user_id)
        entry = self.given.ledger.get((RESULT, subject))
        if item.verdict is Verdict.NOTHING:
            if entry is not None and self.removals.found(entry) is not None:
                # Sent into a column that a person or another tool had made, and withdrawn since.
                return self.removals.result(assignment.id, entry, "GS-419")
            return None
        if student.sis_user_id in self.shared_ids:
            # Two people in Canvas are one student in the SIS: either one's score could be the wrong one.
            if wish.verdict is Verdict.NOTHING:
                return None
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-422")
        if wish.verdict is Verdict.NOTHING:
            if entry is not None and self.removals.left_behind(entry):
                # A score we sent is gone in Canvas; whether the SIS should forget it too is a policy.
                handed_in = submission.state in _HANDED_IN
                code = STILL_SHOWN if self._was_exempt(entry) else "GS-418"
                return self.removals.result(assignment.id, entry, code, handed_in=handed_in)
            return ResultDecision(assignment.id, subject, Verdict.NOTHING)
        if wish.verdict is Verdict.WITHHELD:
            return self._not_sent(wish.code or "GS-422", submission, subject, entry)
        if not item.usable or item.item is None:
            # The column itself is withheld: the score waits under the same code.
            return self._not_sent(item.code or "GS-422", submission, subject, entry)
        if student.sis_user_id not in self.given.sis.students:
            # Late add, drop or transfer: the SIS does not list the student in this class (yet).
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-503")
        return self._cell(submission, student.sis_user_id, assignment, item.item, wish, subject, entry)

    def _not_sent(
        self, code: str, submission: Submission, subject: str, entry: LedgerEntry | None
    ) -> ResultDecision:
        """A score that a rule keeps back, seen against what the SIS shows of it from before."""
        plain = ResultDecision(submission.assignment_id, subject, Verdict.WITHHELD, code)
        if code not in _TAKEN_BACK or entry is None or not self._shows_other(entry, submission, code):
            return plain
        if code == HIDDEN:
            # Hidden from the student again, and still on the report card: as good as cleared.
            handed_in = submission.state in _HANDED_IN
            return self.removals.result(submission.assignment_id, entry, STILL_SHOWN, handed_in=handed_in)
        # Canvas has a reason not to show the old score, and the SIS shows it: somebody must look.
        return replace(plain, code=STILL_SHOWN)

    def _shows_other(self, entry: LedgerEntry, submission: Submission, code: str) -> bool:
        found = self.removals.found(entry)
        if found is None or not self.removals.left_behind(entry) or entry.sent in self.removals.blanks:
            return False
        if code == UNFINISHED and submission.score is not None:
            # Not final; while it is the very number the SIS shows, nobody sees two different ones.
            return found.score != rounded(submission.score, self.rules.profile.decimals)
        return found.score is not None or bool(found.text) or found.status == EXEMPT

    def _was_exempt(self, entry: LedgerEntry) -> bool:
        found = self.removals.found(entry)
        return found is not None and found.status == EXEMPT

    def second_ones(self, decided: Iterable[ResultDecision]) -> list[ResultDecision]:
        """Further results of the same student in the same column: the SIS may count either one."""
        return [
            ResultDecision(
                one.assignment_id, second_subject(self.rules, other.id), Verdict.WITHHELD, "GS-423"
            )
            for one in decided
            if one.result is not None
            for other in self.held.get((one.result.line_item_id, one.result.student_id), ())
            if other.id != one.result.id
        ]

    def _cell(
        self,
        submission: Submission,
        student_id: str,
        assignment: Assignment,
        item: LineItem,
        wish: Wish,
        subject: str,
        entry: LedgerEntry | None,
    ) -> ResultDecision:
        held = self.held.get((item.id, student_id), [])
        ours = entry.record_id if entry is not None else minted_result_id(item.id, student_id)
        found = next((r for r in held if r.id == ours), None)
        if found is None and len(held) > 1:
            # Two cells for one student, neither ours: whichever we chose could be the wrong one.
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-423")
        lost = found is None and not held and entry is not None and entry.sent is not None
        if lost and not self.recreates:
            # We wrote it, and somebody removed it in the SIS: bringing it back is a person's decision.
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-505")
        found = found or (held[0] if held else None)
        result = Result(
            id=found.id if found is not None else minted_result_id(item.id, student_id),
            line_item_id=item.id,
            student_id=student_id,
            score=wish.score,
            status=wish.status,
            score_date=self._score_date(submission, item),
            class_id=self.given.class_id,
            text=wish.text,
            late=wish.late,
            missing=wish.missing,
        )
        value = self.rules.hash(wish.key)
        if found is None:
            # The student's first score in this column, or one the account lets us bring back.
            return ResultDecision(assignment.id, subject, Verdict.SEND, None, result, value)
        holds = self.rules.hash(self.speech.key_of(found, text=wish.text is not None))
        verdict, code, confirmed = self._against(found, value, holds, entry, wish)
        return ResultDecision(assignment.id, subject, verdict, code, result, value, confirmed, holds)

    def _against(
        self, found: Result, value: str, holds: str, entry: LedgerEntry | None, wish: Wish
    ) -> tuple[Verdict, str | None, bool]:
        """What the SIS holds against what it should hold: verdict, code, and whether the ledger must be told."""
        moved = entry is not None and entry.record_id != found.id
        if holds == value:
            # The student has just this score there already.
            return Verdict.UNCHANGED, None, moved or not settled_at(entry, value)
        if entry is not None and entry.sent == value and entry.read_back == holds:
            if _own_way(found, wish):
                # Stored its own way by the SIS (rounded, say) and read back so: sending again changes nothing.
                return Verdict.UNCHANGED, None, moved
            if self.given.complete:
                # The SIS took the student's score and shows another one: neither equal nor a person's doing. Tried
                # again each night, because a SIS that stored nothing for an hour would lose the score.
                return Verdict.SEND, None, False
            # Until then it is told, and no delta writes it again and again.
            return Verdict.WITHHELD, STORED_OTHERWISE, False
        if entry is not None and self._is_ours(found, holds, entry):
            # As we left it: the student's new score goes there.
            return Verdict.SEND, None, False
        if entry is not None and entry.intent == value and _own_way(found, wish):
            # Written, and not read back because the run broke off: our own score in the SIS's form.
            return Verdict.SEND, None, False
        if self.rules.policy.conflict == "canvas_wins":
            # The account has decided that the student's score is what Canvas shows, whoever typed in the SIS.
            return Verdict.SEND, None, False
        # Neither what we wrote nor what we read back: a person typed it. Overwriting would undo a decision
        # about a child that nobody told us about.
        return Verdict.WITHHELD, "GS-412", False

    def _is_ours(self, found: Result, holds: str, entry: LedgerEntry) -> bool:
        """Whether the SIS holds what we wrote, be it under rules that sent words beside the number or none."""
        ours = (entry.sent, entry.read_back, entry.intent)
        return holds in ours or any(
            self.rules.hash(self.speech.key_of(found, text=text)) in ours for text in (False, True)
        )

    def _score_date(self, submission: Submission, item: LineItem) -> date:
        instant = submission.graded_at or submission.posted_at or item.due_date
        assert instant is not None  # a line item to be sent always has a due date
        return to_local(instant, self.rules.time_zone).date()

    def disappeared(
        self, seen: set[str], withdrawn: set[int], unlisted: frozenset[str]
    ) -> Iterable[ResultDecision]:
        """Results we sent whose Canvas side is no longer listed; only a full listing may conclude that.

        A student who left the class, an assignment deleted. `seen` are the subjects decided already, `withdrawn` the
        assignments whose leftovers have been looked for, `unlisted` the columns whose assignment is gone: their
        scores are gone with the work, wherever the student is.
        """
        current = {
            result_subject(self.rules.hash, assignment.id, self.given.class_id, student.sis_user_id)
            for assignment in self.given.assignments
            if assignment.id not in withdrawn
            for student in self.given.students
            if student.sis_user_id is not None and student.state not in GONE_STATES
        }
        for (kind, subject), entry in self.given.ledger.items():
            if kind != RESULT or subject in seen or subject in current:
                continue
            if self.removals.left_behind(entry):
                found = self.removals.found(entry)
                work_is_gone = found is not None and found.line_item_id in unlisted
                yield self.removals.result(0, entry, "GS-419" if work_is_gone else "GS-424")


def second_subject(rules: Rules, record_id: str) -> str:
    """The pseudonym of a result the SIS holds beside ours; it is no cell of ours, so it has only its own id."""
    return rules.hash("second result", record_id)


def _own_way(found: Result, wish: Wish) -> bool:
    """Whether the SIS shows the score we wish for as far as it can show it."""
    return found.status == wish.status and stored_its_own_way(found.score, wish.score)


def _shared_ids(students: Iterable[SectionStudent]) -> frozenset[str]:
    here = Counter(s.sis_user_id for s in students if s.sis_user_id and s.state not in GONE_STATES)
    return frozenset(id for id, people in here.items() if people > 1)


def _by_cell(results: Iterable[Result]) -> Mapping[tuple[str, str], list[Result]]:
    cells: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        cells[(result.line_item_id, result.student_id)].append(result)
    return cells
