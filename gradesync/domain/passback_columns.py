"""Which line item an assignment gets in one class: created, found, left alone, or withheld with a code.

Pure. A line item is a column of the SIS's gradebook; what goes into its cells is `passback_cells`' business. The
rules come from `oneroster.md` 3: find what is there before creating, and never touch what a person has changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from gradesync.domain.gradebook import Assignment, Category, LineItem, SisCatalogue
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
    shown_date,
    shown_day,
    twins_of,
)
from gradesync.domain.passback_decisions import (
    STORED_OTHERWISE,
    ClassInput,
    LineItemDecision,
    ResultDecision,
    settled_at,
)
from gradesync.domain.passback_linked import gets_column, is_unflagged, made_of, own_form, period_is_over
from gradesync.domain.record import LINE_ITEM, LedgerEntry
from gradesync.domain.titles import cut, doubles, folded, titles_for
from gradesync.domain.wish import Rules, Verdict

WITHDRAWN = "GS-419"
GONE = "GS-505"
MOST_RECREATED = 25
"""Records of one class that a run may create anew, whatever share the account allows: more is a person's decision."""


def may_recreate(given: ClassInput, rules: Rules) -> bool:
    """Whether records that are gone in the SIS may be written again in this class.

    One lost record is a slip; many at once are somebody's decision or a broken SIS, and then nothing is brought
    back. Counted after a full reading only: a delta does not see every record.
    """
    if rules.policy.gone_in_sis != "recreate" or not given.complete:
        return False
    there = {item.id for item in given.sis.line_items} | {result.id for result in given.sis.results}
    known = [entry.record_id for entry in given.ledger.values() if entry.sent is not None]
    gone = sum(id not in there for id in known)
    return gone <= min(MOST_RECREATED, max(1, int(rules.policy.gone_limit * len(known))))


@dataclass
class Columns:
    """Working state of one class's line items; `claimed` grows while they are decided, in the assignments' order.

    `recreates` tells whether columns that are gone in the SIS may be written anew. `titles` are what the SIS is to
    show, `doubled` the assignments whose title it would show twice although it may not.
    """

    given: ClassInput
    catalogue: SisCatalogue
    rules: Rules
    recreates: bool
    existing: Mapping[str, LineItem] = field(init=False)
    subjects: Mapping[int, str] = field(init=False)
    meant: frozenset[int] = field(init=False)
    claimed: dict[str, int] = field(init=False)
    twins: frozenset[int] = field(init=False)
    titles: Mapping[int, str] = field(init=False)
    doubled: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self.existing = {item.id: item for item in self.given.sis.line_items}
        self.subjects = {
            assignment.id: item_subject(self.rules.hash, assignment.id, self.given.class_id)
            for assignment in self.given.assignments
        }
        self.meant = frozenset(
            one.id for one in self.given.assignments if _meant(one) or self._outlasts_its_flag(one)
        )
        self.claimed = self._claims()
        meant = (one for one in self.given.assignments if one.id in self.meant)
        self.twins = twins_of(meant, self.given.section_ids, self.rules.time_zone)
        shown = {
            assignment: self.existing[id].title
            for id, assignment in self.claimed.items()
            if id in self.existing
        }
        self.titles = self._titles(shown)
        alike = doubles(self.titles, shown) if self.rules.profile.unique_titles else frozenset()
        self.doubled = alike | self._same_name_and_date()

    def _entry(self, assignment: Assignment) -> LedgerEntry | None:
        return self.given.ledger.get((LINE_ITEM, self.subjects[assignment.id]))

    def _outlasts_its_flag(self, assignment: Assignment) -> bool:
        """Whether the flag went off because a marking period closed, and not because a teacher withdrew the work.

        Canvas can clear the flags of a whole closed period by itself, five minutes after it ended (canvas.md 5.1.5).
        What is linked stays linked: its grades belong to the report card that is being written.
        """
        entry = self._entry(assignment)
        unflagged = is_unflagged(assignment)
        if not unflagged or entry is None:
            return False
        known = entry.sent is not None or entry.record_id in self.existing
        return known and self._period_is_over(assignment) is True

    def withdrawn_for_certain(self, assignment: Assignment) -> bool:
        """Whether a person withdrew the work. While nobody can say whether its period is open, nothing is removed."""
        return not is_unflagged(assignment) or self._period_is_over(assignment) is False

    def _period_is_over(self, assignment: Assignment) -> bool | None:
        entry = self._entry(assignment)
        column = self.existing.get(entry.record_id) if entry is not None else None
        return period_is_over(assignment, column, self.given, self.catalogue, self.rules)

    def _same_name_and_date(self) -> frozenset[int]:
        """Newcomers whose column would look just like another one: nobody could tell the two apart in the SIS.

        Columns that stand already stay; of several newcomers none is chosen.
        """
        alike: dict[tuple[str, date | None], list[Assignment]] = defaultdict(list)
        for one in self.given.assignments:
            if one.id in self.titles and gets_column(one, self.given.section_ids):
                day = local_day(due_for(one, self.given.section_ids), self.rules.time_zone)
                alike[(folded(self.titles[one.id]), day)].append(one)
        standing, doubled = set(self.claimed.values()), set[int]()
        for group in alike.values():
            if len(group) > 1:
                # Work that waits for another reason is in nobody's way.
                shown = {
                    one.id for one in group if one.id in standing or not isinstance(self._wanted(one), str)
                }
                doubled |= shown - standing if len(shown) > 1 else set()
        return frozenset(doubled)

    def _claims(self) -> dict[str, int]:
        """SIS ids that belong to an assignment for certain: linked in the ledger, or minted by us."""
        claimed: dict[str, int] = {}
        for assignment in self.given.assignments:
            entry = self.given.ledger.get((LINE_ITEM, self.subjects[assignment.id]))
            if entry is not None:
                claimed[entry.record_id] = assignment.id
            else:
                minted = self._minted(assignment)
                if minted in self.existing:
                    claimed[minted] = assignment.id
        return claimed

    def _titles(self, shown: Mapping[int, str]) -> Mapping[int, str]:
        """What the SIS is to show for each assignment; one without a title it can show is left out."""
        whole = {
            assignment.id: title
            for assignment in self.given.assignments
            if assignment.id in self.meant
            and audience_of(assignment, self.given.section_ids) is not Audience.OTHERS
            and (title := clean_title(assignment.title))
        }
        most = self.rules.profile.max_title
        if most is None:
            return whole
        if self.rules.policy.long_titles != "shorten":
            # A title the SIS would cut by itself is one nobody chose; the teacher is asked for a shorter one.
            return {id: title for id, title in whole.items() if len(title) <= most}
        return titles_for(whole, shown, most)

    def _minted(self, assignment: Assignment) -> str:
        return minted_line_item_id(self.rules.root_uuid, assignment.id, self.given.class_id)

    def decide(self, assignment: Assignment) -> LineItemDecision:
        """What is done about the assignment's line item in this class."""
        subject = self.subjects[assignment.id]
        entry = self.given.ledger.get((LINE_ITEM, subject))

        def no(code: str) -> LineItemDecision:
            return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, code)

        if assignment.id not in self.meant:
            # Not meant for the report card. Sent before and withdrawn since: the SIS still shows it.
            if entry is not None and self._left_behind(entry):
                return no(WITHDRAWN)
            return LineItemDecision(assignment.id, subject, Verdict.NOTHING)
        if assignment.grading_type == "not_graded":
            # Nobody can be graded in it.
            return LineItemDecision(assignment.id, subject, Verdict.NOTHING)
        audience = audience_of(assignment, self.given.section_ids)
        if audience is Audience.OTHERS:
            # Other sections' work: this class's students do not have it.
            return LineItemDecision(assignment.id, subject, Verdict.NOTHING)
        if audience is Audience.SOME_STUDENTS:
            # A column is for the whole class: the others would look as if they had missed it.
            return no("GS-407")
        if not assignment.counts:
            # The SIS has no way to say "does not count"; sending it would move the student's average.
            return no("GS-420")
        if assignment.points is None or assignment.points <= 0:
            # A column without points divides by zero in most gradebooks.
            return no("GS-413")
        wanted = self._wanted(assignment)
        if isinstance(wanted, str):
            return no(wanted)
        if assignment.id in self.doubled:
            # The SIS shows a title once in a class: the scores of one work would land in the other's column.
            return no("GS-404")
        return self._matched(assignment, subject, wanted, entry)

    def _wanted(self, assignment: Assignment) -> LineItem | str:
        """The whole line item as it should be, without its id; or the code that says why not."""
        rules = self.rules
        sis_class = self.catalogue.classes.get(self.given.class_id)
        if sis_class is None:
            # The section names a class the SIS does not have: nothing can be addressed.
            return "GS-512"
        periods = periods_of(sis_class.term_ids, self.catalogue)
        due_at = due_for(assignment, self.given.section_ids)
        if due_at is None:
            if rules.policy.no_due_date != "last_day_of_period" or not periods:
                # The SIS files work by its due date; without one it has no marking period.
                return "GS-401"
            # The account files undated work at the end of the year's last period.
            due_at = last_day(periods, rules.time_zone)
        title = self.titles.get(assignment.id)
        if title is None:
            # More than fits, or nothing a column could show.
            return "GS-403" if clean_title(assignment.title) else "GS-427"
        period = period_on(to_local(due_at, rules.time_zone).date(), periods)
        if period is None and "gradingPeriod" not in rules.profile.omit:
            # No marking period, or two at once: the grade would count in a wrong one. A period that has ended is
            # one all the same: whether it is still open is for the SIS to say (GS-501).
            return "GS-402"
        category: Category | str | None = None
        if "category" not in rules.profile.omit:
            category = category_for(
                assignment.group, self.given.class_id, self.catalogue.categories, rules.policy
            )
        if isinstance(category, str):
            # The category carries the weight in the average: a guess would change the student's grade.
            return category
        assign_at = min(assignment.assign_at or due_at, due_at)
        return LineItem(
            id="",
            title=title,
            class_id=self.given.class_id,
            category_id=category.id if category is not None else None,
            period_id=period.id if period is not None else None,
            assign_date=shown_date(assign_at, rules),
            due_date=shown_date(due_at, rules),
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
        lost = entry is not None and entry.record_id not in self.existing and entry.sent is not None
        found = self.existing.get(entry.record_id if entry is not None else minted)
        if found is None and not (lost and self.rules.policy.gone_in_sis == "withhold"):
            alike = self._alike(assignment, wanted, entry)
            if len(alike) > 1 or (alike and assignment.id in self.twins):
                # Either one could be meant; scores in the wrong one would count for other work.
                return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, GONE if lost else "GS-404")
            found = alike[0] if alike else None
        if found is None and lost and not self.recreates:
            # We wrote it, and somebody removed it in the SIS: bringing it back is a person's decision.
            return LineItemDecision(assignment.id, subject, Verdict.WITHHELD, GONE)
        if found is not None:
            self.claimed[found.id] = assignment.id
        item = replace(wanted, id=found.id if found is not None else minted)
        wanted_key = line_item_key(item, self.rules.profile.omit)
        value = self.rules.hash(*wanted_key)
        if found is None:
            # The first score of this work brings its column along, or the account lets us bring one back.
            return LineItemDecision(
                assignment.id, subject, Verdict.SEND, item=item, value=value, usable=True, is_new=True
            )
        held_key = line_item_key(found, self.rules.profile.omit)
        holds = value if held_key == wanted_key else self.rules.hash(*held_key)
        verdict, code, confirmed = self._against(found, item, value, holds, entry)
        return LineItemDecision(
            assignment.id,
            subject,
            verdict,
            code,
            item=item,
            value=value,
            usable=verdict is not Verdict.WITHHELD or found.maximum == item.maximum,
            confirmed=confirmed,
            holds=holds,
        )

    def _against(
        self, found: LineItem, item: LineItem, value: str, holds: str, entry: LedgerEntry | None
    ) -> tuple[Verdict, str | None, bool]:
        """What the SIS holds against what it should hold: verdict, code, and whether the ledger must be told."""
        moved = entry is not None and entry.record_id != found.id
        if holds == value:
            return Verdict.UNCHANGED, None, moved or not settled_at(entry, value)
        if entry is not None and entry.sent == value and entry.read_back == holds:
            if entry.intent == holds or own_form(found, item):
                # The SIS stores it its own way (a cut title, a date at midnight); sending again changes nothing. Or
                # it was taken over as another tool made it (`intent` says so), and is left so until the work changes.
                return Verdict.UNCHANGED, None, moved
            if self.given.complete:
                # The SIS took the column and shows another one. Tried again each night.
                return Verdict.SEND, None, False
            # Until then scores go into it as long as its maximum is the same.
            return Verdict.WITHHELD, STORED_OTHERWISE, False
        if entry is not None and holds in (entry.sent, entry.read_back, entry.intent):
            # As we left it: the teacher's new title, date or points go to the SIS.
            return Verdict.SEND, None, False
        if entry is not None and entry.intent == value and made_of(found, item):
            # Written, and not read back because the run broke off: our own column in the SIS's form.
            return Verdict.SEND, None, False
        if self.rules.policy.conflict == "canvas_wins":
            # The account has decided that the column is what Canvas says, whoever changed it in the SIS.
            return Verdict.SEND, None, False
        # Somebody changed the column by hand. Scores still fit as long as its maximum is the same.
        return Verdict.WITHHELD, "GS-412", False

    def _alike(self, assignment: Assignment, wanted: LineItem, entry: LedgerEntry | None) -> list[LineItem]:
        """Unclaimed line items with the same title and due day: made by another tool's sync, or by hand.

        A title that we cut may have been cut otherwise before; one that the SIS cut while a run of ours broke off is
        known by its beginning.
        """
        whole = clean_title(assignment.title)
        titles = {wanted.title, whole, cut(whole, self.rules.profile.max_title or len(whole))}
        open_ = entry is not None and entry.sent is None and entry.intent is not None
        day = shown_day(wanted.due_date, self.rules)
        return [
            item
            for item in self.existing.values()
            if item.id not in self.claimed
            and (clean_title(item.title) in titles or (open_ and made_of(item, wanted)))
            and shown_day(item.due_date, self.rules) == day
        ]

    def unlisted(self) -> frozenset[str]:
        """The SIS's ids of columns linked to assignments that Canvas lists no more."""
        listed = set(self.subjects.values())
        return frozenset(
            entry.record_id
            for (kind, subject), entry in self.given.ledger.items()
            if kind == LINE_ITEM and subject not in listed
        )

    def disappeared(self) -> Iterable[LedgerEntry]:
        """Columns we sent whose assignment Canvas lists no more; only a full listing may conclude that."""
        listed = set(self.subjects.values())
        for (kind, subject), entry in self.given.ledger.items():
            if kind == LINE_ITEM and subject not in listed and self._left_behind(entry):
                yield entry

    def _left_behind(self, entry: LedgerEntry) -> bool:
        """Whether the SIS has our column; a run that broke off may have made it without noting so."""
        return entry.sent is not None or (entry.intent is not None and entry.record_id in self.existing)

    def settled(self, item: LineItemDecision, results: list[ResultDecision]) -> LineItemDecision:
        """A new column waits for its first score unless the account wants it at once."""
        waits = item.is_new and self.rules.policy.new_assignments == "with_first_score"
        if waits and not any(d.verdict is Verdict.SEND for d in results):
            return LineItemDecision(item.assignment_id, item.subject, Verdict.NOTHING)
        return item


def _meant(assignment: Assignment) -> bool:
    return assignment.published and assignment.flagged and not assignment.hidden
