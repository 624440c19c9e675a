"""Grade passback's decisions: for every assignment and student, what the SIS should hold, or why it gets nothing.

Pure. Dry runs, `observe` and real runs call these same functions, so a preview cannot lie. The rules come from
`oneroster.md` 3 and 7 and `canvas.md` 5; each branch says what it means for a student. Whatever no branch covers
is withheld with a code: nothing unknown is ever sent.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal

from gradesync.domain.gradebook import (
    Assignment,
    LineItem,
    Result,
    SectionStudent,
    SisCatalogue,
    SisGradebook,
    Submission,
)
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import minted_line_item_id, minted_result_id
from gradesync.domain.line_item import (
    Audience,
    audience_of,
    category_for,
    clean_title,
    due_for,
    last_day,
    line_item_key,
    local_day,
    period_on,
    periods_of,
    result_subject,
    twins_of,
)
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, WaitingRecord
from gradesync.domain.wish import Rules, Verdict, Wish, stored_its_own_way, value_key, wish_for

_GONE_STATES = frozenset({"inactive", "deleted", "rejected"})


@dataclass(frozen=True, slots=True)
class LineItemDecision:
    """One assignment in one class. `usable` tells whether results may go into the line item.

    `value` is the keyed hash of what is (to be) sent, `holds` of what the SIS holds; `confirmed` says that the SIS
    already holds just that although the ledger does not know it yet.
    """

    assignment_id: int
    subject: str
    verdict: Verdict
    code: str | None = None
    item: LineItem | None = None
    value: str | None = None
    usable: bool = False
    is_new: bool = False
    confirmed: bool = False
    holds: str | None = None


@dataclass(frozen=True, slots=True)
class ResultDecision:
    """One student's score in one assignment and class; fields as in LineItemDecision."""

    assignment_id: int
    subject: str
    verdict: Verdict
    code: str | None = None
    result: Result | None = None
    value: str | None = None
    confirmed: bool = False
    holds: str | None = None


@dataclass(frozen=True, slots=True)
class ClassDecision:
    """Everything decided about one class."""

    class_id: str
    line_items: tuple[LineItemDecision, ...]
    results: tuple[ResultDecision, ...]

    def counts(self) -> Counter[str]:
        """Records by word; line items are counted apart, so that `sent` means scores."""
        words = {
            Verdict.SEND: "sent",
            Verdict.UNCHANGED: "unchanged",
            Verdict.WITHHELD: "withheld",
            Verdict.NOTHING: "nothing to send",
        }
        counts = Counter(words[d.verdict] for d in self.results)
        counts["line items sent"] += sum(d.verdict is Verdict.SEND for d in self.line_items)
        return counts

    def codes(self) -> Counter[str]:
        """Withheld records by code; an assignment's own code counts once when no score hangs on it."""
        codes: Counter[str] = Counter(d.code for d in self.results if d.code)
        seen = {d.assignment_id for d in self.results if d.code}
        codes.update(d.code for d in self.line_items if d.code and d.assignment_id not in seen)
        return codes

    def waiting(self) -> tuple[WaitingRecord, ...]:
        """Rows to keep for what was withheld."""
        withheld: Iterable[LineItemDecision | ResultDecision] = (*self.line_items, *self.results)
        return tuple(
            WaitingRecord(d.subject, self.class_id, d.code, d.assignment_id or None)
            for d in withheld
            if d.code
        )


@dataclass(frozen=True, slots=True)
class ClassInput:
    """One SIS class with the Canvas side that belongs to it.

    `students` are those of the sections tied to the class; `section_ids` are these sections' Canvas ids;
    `submissions` are the ones to decide (all of them when `complete`).
    """

    class_id: str
    section_ids: frozenset[int]
    students: tuple[SectionStudent, ...]
    assignments: tuple[Assignment, ...]
    submissions: tuple[Submission, ...]
    sis: SisGradebook
    ledger: Mapping[tuple[str, str], LedgerEntry]
    complete: bool


# --- the class --------------------------------------------------------------------------------------------------


def decide_class(given: ClassInput, catalogue: SisCatalogue, rules: Rules) -> ClassDecision:
    """Decide every line item and result of one class (DESIGN.md 8)."""
    return _Class(given, catalogue, rules).decide()


@dataclass
class _Class:
    """Working state of one class's decision."""

    given: ClassInput
    catalogue: SisCatalogue
    rules: Rules
    claimed: dict[str, int] = field(default_factory=dict)
    shared_ids: frozenset[str] = frozenset()

    def decide(self) -> ClassDecision:
        given = self.given
        existing = {item.id: item for item in given.sis.line_items}
        self.claimed = self._claims(existing)
        students = _one_each(given.students)
        self.shared_ids = _shared_ids(students.values())
        by_assignment: dict[int, list[Submission]] = defaultdict(list)
        for submission in _latest(given.submissions):
            if submission.user_id in students:
                by_assignment[submission.assignment_id].append(submission)
        cells = _cells(given.sis.results)
        line_items: list[LineItemDecision] = []
        results: list[ResultDecision] = []
        twins = twins_of(given.assignments, given.section_ids, self.rules.time_zone)
        for assignment in sorted(given.assignments, key=lambda one: one.id):
            item = self._line_item(assignment, existing, twins)
            decided = (
                self._result(submission, students[submission.user_id], assignment, item, cells)
                for submission in by_assignment.get(assignment.id, ())
            )
            mine = [decision for decision in decided if decision is not None]
            line_items.append(self._settled(item, mine))
            results.extend(mine)
        if given.complete:
            results.extend(self._disappeared({d.subject for d in results}))
        return ClassDecision(given.class_id, tuple(line_items), tuple(results))

    # - line items -

    def _claims(self, existing: Mapping[str, LineItem]) -> dict[str, int]:
        """SIS ids that belong to an assignment for certain: linked in the ledger, or minted by us."""
        claimed: dict[str, int] = {}
        for assignment in self.given.assignments:
            entry = self.given.ledger.get((LINE_ITEM, self._item_subject(assignment)))
            if entry is not None:
                claimed[entry.record_id] = assignment.id
            else:
                minted = self._minted(assignment)
                if minted in existing:
                    claimed[minted] = assignment.id
        return claimed

    def _item_subject(self, assignment: Assignment) -> str:
        return self.rules.hash("line item", str(assignment.id), self.given.class_id)

    def _minted(self, assignment: Assignment) -> str:
        return minted_line_item_id(self.rules.root_uuid, assignment.id, self.given.class_id)

    def _line_item(
        self,
        assignment: Assignment,
        existing: Mapping[str, LineItem],
        twins: frozenset[int],
    ) -> LineItemDecision:
        subject = self._item_subject(assignment)
        entry = self.given.ledger.get((LINE_ITEM, subject))

        def no(code: str) -> LineItemDecision:
            return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, code)

        if not assignment.published or not assignment.flagged or assignment.hidden:
            # Not meant for the report card. Sent before and withdrawn since: the SIS still shows it.
            if entry is not None and entry.sent is not None:
                return no("GS-419")
            return LineItemDecision(assignment.id, subject, Verdict.NOTHING)
        if assignment.grading_type == "not_graded":
            return LineItemDecision(assignment.id, subject, Verdict.NOTHING)
        audience = audience_of(assignment, self.given.section_ids)
        if audience is Audience.OTHERS:
            return LineItemDecision(assignment.id, subject, Verdict.NOTHING)
        if audience is Audience.SOME_STUDENTS:
            return no("GS-407")
        if not assignment.counts:
            # The SIS has no way to say "does not count"; sending it would move the student's average.
            return no("GS-420")
        if not assignment.points:
            # A column without points divides by zero in most gradebooks.
            return no("GS-413")
        wanted = self._wanted(assignment)
        if isinstance(wanted, str):
            return no(wanted)
        if self.rules.profile.unique_titles and assignment.id in twins:
            return no("GS-404")
        return self._matched(assignment, subject, wanted, entry, existing, twins)

    def _wanted(self, assignment: Assignment) -> LineItem | str:
        """The whole line item as it should be, without its id; or the code that says why not."""
        rules = self.rules
        sis_class = self.catalogue.classes.get(self.given.class_id)
        if sis_class is None:
            return "GS-512"
        periods = periods_of(sis_class.term_ids, self.catalogue)
        due_at = due_for(assignment, self.given.section_ids)
        if due_at is None:
            if rules.policy.no_due_date != "last_day_of_period" or not periods:
                # The SIS files work by its due date; without one it has no marking period.
                return "GS-401"
            due_at = last_day(periods)
        title = clean_title(assignment.title)
        if not title or (rules.profile.max_title is not None and len(title) > rules.profile.max_title):
            return "GS-403"
        period = period_on(to_local(due_at, rules.time_zone).date(), periods)
        if period is None:
            return "GS-402"
        category = category_for(
            assignment.group, self.given.class_id, self.catalogue.categories, rules.policy
        )
        if isinstance(category, str):
            return category
        assign_at = assignment.assign_at or due_at
        return LineItem(
            id="",
            title=title,
            class_id=self.given.class_id,
            category_id=category.id,
            period_id=period.id,
            assign_date=min(assign_at, due_at),
            due_date=due_at,
            minimum=Decimal(0),
            maximum=assignment.points,
            school_id=sis_class.school_id,
        )

    def _matched(
        self,
        assignment: Assignment,
        subject: str,
        wanted: LineItem,
        entry: LedgerEntry | None,
        existing: Mapping[str, LineItem],
        twins: frozenset[int],
    ) -> LineItemDecision:
        """Find the line item that is this assignment's before creating one (oneroster.md 3)."""
        minted = self._minted(assignment)
        if entry is not None and entry.record_id not in existing and entry.sent is not None:
            # We wrote it, and somebody removed it in the SIS: bringing it back is a person's decision.
            return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, "GS-505")
        found = existing.get(entry.record_id if entry is not None else minted)
        if found is None:
            alike = self._alike(wanted, existing)
            if len(alike) > 1 or (alike and assignment.id in twins):
                return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, "GS-404")
            found = alike[0] if alike else None
        if found is not None:
            self.claimed[found.id] = assignment.id
        item = replace(wanted, id=found.id if found is not None else minted)
        value = self.rules.hash(*line_item_key(item))
        if found is None:
            return LineItemDecision(
                assignment.id, subject, Verdict.SEND, item=item, value=value, usable=True, is_new=True
            )
        holds = self.rules.hash(*line_item_key(found))
        return self._against(assignment, subject, item, value, holds, entry, found)

    def _against(
        self,
        assignment: Assignment,
        subject: str,
        item: LineItem,
        value: str,
        holds: str,
        entry: LedgerEntry | None,
        found: LineItem,
    ) -> LineItemDecision:

        def usable(verdict: Verdict, *, confirmed: bool = False) -> LineItemDecision:
            return LineItemDecision(
                assignment.id,
                subject,
                verdict,
                item=item,
                value=value,
                usable=True,
                confirmed=confirmed,
                holds=holds,
            )

        if holds == value:
            return usable(Verdict.UNCHANGED, confirmed=not _settled_at(entry, value))
        if entry is not None and entry.sent == value and entry.read_back == holds:
            # The SIS stores it its own way (a cut title, a date at midnight); sending again changes nothing.
            return usable(Verdict.UNCHANGED)
        if entry is not None and holds in (entry.sent, entry.read_back, entry.intent):
            return usable(Verdict.SEND)
        if entry is not None and entry.intent == value and _cut(found, item):
            # Written, and not read back because the run broke off: our own column in the SIS's form.
            return usable(Verdict.SEND)
        if self.rules.policy.conflict == "canvas_wins":
            return usable(Verdict.SEND)
        # Somebody changed the column by hand. Scores still fit as long as its maximum is the same.
        return LineItemDecision(
            assignment.id,
            subject,
            Verdict.WITHHELD,
            "GS-412",
            item=item,
            value=value,
            usable=found.maximum == item.maximum,
        )

    def _alike(self, wanted: LineItem, existing: Mapping[str, LineItem]) -> list[LineItem]:
        """Unclaimed line items with the same title and due day: made by another tool's sync, or by hand."""
        return [
            item
            for item in existing.values()
            if item.id not in self.claimed
            and clean_title(item.title) == wanted.title
            and local_day(item.due_date, self.rules.time_zone)
            == local_day(wanted.due_date, self.rules.time_zone)
        ]

    def _settled(self, item: LineItemDecision, results: list[ResultDecision]) -> LineItemDecision:
        """A new column waits for its first score unless the account wants it at once."""
        waits = item.is_new and self.rules.policy.new_assignments == "with_first_score"
        if waits and not any(d.verdict is Verdict.SEND for d in results):
            return LineItemDecision(item.assignment_id, item.subject, Verdict.NOTHING)
        return item

    # - results -

    def _result(
        self,
        submission: Submission,
        student: SectionStudent,
        assignment: Assignment,
        item: LineItemDecision,
        cells: Mapping[tuple[str, str], list[Result]],
    ) -> ResultDecision | None:
        if student.state in _GONE_STATES:
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
            return None
        if student.sis_user_id in self.shared_ids:
            # Two people in Canvas are one student in the SIS: either one's score could be the wrong one.
            if wish.verdict is Verdict.NOTHING:
                return None
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-422")
        if wish.verdict is Verdict.NOTHING:
            if entry is not None and entry.sent is not None:
                # A score we sent is gone in Canvas; whether the SIS should forget it too is a policy.
                return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-418")
            return ResultDecision(assignment.id, subject, Verdict.NOTHING)
        if wish.verdict is Verdict.WITHHELD:
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, wish.code)
        if not item.usable or item.item is None:
            # The column itself is withheld: the score waits under the same code.
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, item.code or "GS-422")
        if student.sis_user_id not in self.given.sis.students:
            # Late add, drop or transfer: the SIS does not list the student in this class (yet).
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-503")
        return self._cell(submission, student.sis_user_id, assignment, item.item, wish, subject, entry, cells)

    def _cell(
        self,
        submission: Submission,
        student_id: str,
        assignment: Assignment,
        item: LineItem,
        wish: Wish,
        subject: str,
        entry: LedgerEntry | None,
        cells: Mapping[tuple[str, str], list[Result]],
    ) -> ResultDecision:
        held = cells.get((item.id, student_id), [])
        minted = minted_result_id(item.id, student_id)
        ours = entry.record_id if entry is not None else minted
        found = next((r for r in held if r.id == ours), None)
        if found is None and len(held) > 1:
            # Two cells for one student, neither ours: whichever we chose could be the wrong one.
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-423")
        if found is None and entry is not None and entry.sent is not None and not held:
            return ResultDecision(assignment.id, subject, Verdict.WITHHELD, "GS-505")
        found = found or (held[0] if held else None)
        result = Result(
            id=found.id if found is not None else minted,
            line_item_id=item.id,
            student_id=student_id,
            score=wish.score,
            status=wish.status,
            score_date=self._score_date(submission, item),
            class_id=self.given.class_id,
        )
        value = self.rules.hash(wish.key)

        holds = self.rules.hash(value_key(found.score, found.status)) if found is not None else None

        def decided(verdict: Verdict, code: str | None = None, *, confirmed: bool = False) -> ResultDecision:
            return ResultDecision(assignment.id, subject, verdict, code, result, value, confirmed, holds)

        if found is None:
            return decided(Verdict.SEND)
        if holds == value:
            return decided(Verdict.UNCHANGED, confirmed=not _settled_at(entry, value))
        if entry is not None and entry.sent == value and entry.read_back == holds:
            # Stored its own way by the SIS (rounded, say) and read back so: sending again changes nothing.
            return decided(Verdict.UNCHANGED)
        if entry is not None and holds in (entry.sent, entry.read_back, entry.intent):
            return decided(Verdict.SEND)
        own_way = found.status == wish.status and stored_its_own_way(found.score, wish.score)
        if entry is not None and entry.intent == value and own_way:
            # Written, and not read back because the run broke off: our own score in the SIS's form.
            return decided(Verdict.SEND)
        if self.rules.policy.conflict == "canvas_wins":
            return decided(Verdict.SEND)
        # Neither what we wrote nor what we read back: a person typed it. Overwriting would undo a decision
        # about a child that nobody told us about.
        return decided(Verdict.WITHHELD, "GS-412")

    def _score_date(self, submission: Submission, item: LineItem) -> date:
        instant = submission.graded_at or submission.posted_at or item.due_date
        assert instant is not None  # a line item to be sent always has a due date
        return to_local(instant, self.rules.time_zone).date()

    def _disappeared(self, seen: set[str]) -> Iterable[ResultDecision]:
        """Results we sent whose Canvas side is no longer listed; only a full listing may conclude that.

        A student who left the class, an assignment deleted: reported, never removed by itself.
        """
        current = {
            result_subject(self.rules.hash, assignment.id, self.given.class_id, student.sis_user_id)
            for assignment in self.given.assignments
            for student in self.given.students
            if student.sis_user_id is not None and student.state not in _GONE_STATES
        }
        for (kind, subject), entry in self.given.ledger.items():
            if kind == RESULT and entry.sent is not None and subject not in seen and subject not in current:
                yield ResultDecision(0, subject, Verdict.WITHHELD, "GS-424")


def _settled_at(entry: LedgerEntry | None, value: str) -> bool:
    """Whether the ledger knows the value already, with nothing left open by a run that broke off."""
    return entry is not None and entry.sent == value and entry.intent is None


def _cut(found: LineItem, item: LineItem) -> bool:
    """Whether a SIS with short titles and bare dates may have made `found` of `item`."""
    title = clean_title(found.title)
    near = (
        found.due_date is not None
        and item.due_date is not None
        and abs(found.due_date - item.due_date).total_seconds() <= 86_400
    )
    return bool(title) and item.title.startswith(title) and found.maximum == item.maximum and near


def _one_each(students: Iterable[SectionStudent]) -> Mapping[int, SectionStudent]:
    """One enrollment per person: a student who left and came back has two rows, and the living one counts."""

    def weight(one: SectionStudent) -> tuple[bool, bool, int, str]:
        return (one.state in _GONE_STATES, one.sis_user_id is None, one.section_id, one.sis_user_id or "")

    chosen: dict[int, SectionStudent] = {}
    for student in sorted((s for s in students if not s.test_student), key=weight):
        chosen.setdefault(student.user_id, student)
    return chosen


def _shared_ids(students: Iterable[SectionStudent]) -> frozenset[str]:
    here = Counter(s.sis_user_id for s in students if s.sis_user_id and s.state not in _GONE_STATES)
    return frozenset(id for id, people in here.items() if people > 1)


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


def _cells(results: Iterable[Result]) -> Mapping[tuple[str, str], list[Result]]:
    cells: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        cells[(result.line_item_id, result.student_id)].append(result)
    return cells
