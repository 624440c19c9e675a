"""Which line item an assignment gets in one class: created, found, left alone, or withheld with a code.

Pure. A line item is a column of the SIS's gradebook; what goes into its cells is `passback_cells`' business. The
rules come from `oneroster.md` 3: find what is there before creating, and never touch what a person has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gradesync.domain.gradebook import Assignment, LineItem, SisCatalogue
from gradesync.domain.interval import to_local
from gradesync.domain.keyed import minted_line_item_id
from gradesync.domain.line_item import (
    Audience,
    audience_of,
    category_for,
    clean_title,
    due_for,
    item_subject,
    last_day,
    line_item_key,
    local_day,
    period_on,
    periods_of,
    twins_of,
)
from gradesync.domain.passback_decisions import ClassInput, LineItemDecision, ResultDecision, settled_at
from gradesync.domain.record import LINE_ITEM, LedgerEntry
from gradesync.domain.wish import Rules, Verdict


@dataclass
class Columns:
    """Working state of one class's line items; `claimed` grows while they are decided, in the assignments' order."""

    given: ClassInput
    catalogue: SisCatalogue
    rules: Rules
    existing: Mapping[str, LineItem] = field(init=False)
    claimed: dict[str, int] = field(init=False)
    twins: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self.existing = {item.id: item for item in self.given.sis.line_items}
        self.claimed = self._claims()
        self.twins = twins_of(self.given.assignments, self.given.section_ids, self.rules.time_zone)

    def _claims(self) -> dict[str, int]:
        """SIS ids that belong to an assignment for certain: linked in the ledger, or minted by us."""
        claimed: dict[str, int] = {}
        for assignment in self.given.assignments:
            entry = self.given.ledger.get((LINE_ITEM, self._item_subject(assignment)))
            if entry is not None:
                claimed[entry.record_id] = assignment.id
            else:
                minted = self._minted(assignment)
                if minted in self.existing:
                    claimed[minted] = assignment.id
        return claimed

    def _item_subject(self, assignment: Assignment) -> str:
        return item_subject(self.rules.hash, assignment.id, self.given.class_id)

    def _minted(self, assignment: Assignment) -> str:
        return minted_line_item_id(self.rules.root_uuid, assignment.id, self.given.class_id)

    def decide(self, assignment: Assignment) -> LineItemDecision:
        """What is done about the assignment's line item in this class."""
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
        if self.rules.profile.unique_titles and assignment.id in self.twins:
            return no("GS-404")
        return self._matched(assignment, subject, wanted, entry)

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
    ) -> LineItemDecision:
        """Find the line item that is this assignment's before creating one (oneroster.md 3)."""
        minted = self._minted(assignment)
        if entry is not None and entry.record_id not in self.existing and entry.sent is not None:
            # We wrote it, and somebody removed it in the SIS: bringing it back is a person's decision.
            return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, "GS-505")
        found = self.existing.get(entry.record_id if entry is not None else minted)
        if found is None:
            alike = self._alike(wanted)
            if len(alike) > 1 or (alike and assignment.id in self.twins):
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
            return usable(Verdict.UNCHANGED, confirmed=not settled_at(entry, value))
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

    def _alike(self, wanted: LineItem) -> list[LineItem]:
        """Unclaimed line items with the same title and due day: made by another tool's sync, or by hand."""
        return [
            item
            for item in self.existing.values()
            if item.id not in self.claimed
            and clean_title(item.title) == wanted.title
            and local_day(item.due_date, self.rules.time_zone)
            == local_day(wanted.due_date, self.rules.time_zone)
        ]

    def settled(self, item: LineItemDecision, results: list[ResultDecision]) -> LineItemDecision:
        """A new column waits for its first score unless the account wants it at once."""
        waits = item.is_new and self.rules.policy.new_assignments == "with_first_score"
        if waits and not any(d.verdict is Verdict.SEND for d in results):
            return LineItemDecision(item.assignment_id, item.subject, Verdict.NOTHING)
        return item


def _cut(found: LineItem, item: LineItem) -> bool:
    """Whether a SIS with short titles and bare dates may have made `found` of `item`."""
    title = clean_title(found.title)
    near = (
        found.due_date is not None
        and item.due_date is not None
        and abs(found.due_date - item.due_date).total_seconds() <= 86_400
    )
    return bool(title) and item.title.startswith(title) and found.maximum == item.maximum and near
