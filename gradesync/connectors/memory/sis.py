"""A SIS in RAM: its roster is read, its gradebook written, and it refuses what a real one refuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from gradesync.connectors.memory.refusals import refused
from gradesync.domain.gradebook import (
    Category,
    GradingPeriod,
    LineItem,
    Result,
    SisCatalogue,
    SisClass,
    SisGradebook,
)
from gradesync.domain.roster import Roster
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterIntake


@dataclass(slots=True)
class MemorySis:
    """RosterSource and GradebookSink. `students` is class id -> who may receive a result.

    `decimals` is how many places of a score are kept, `closed` names closed grading periods, `refuse` maps a record's
    id to the problem its next writes raise, `forget` accepts writes without storing them. `own_ids` gives new records
    ids of the SIS's own, `max_title` cuts titles, `keeps` says yes to deletions and deletes nothing. `writes` counts
    puts and deletions.
    """

    district: str
    roster: Roster = field(default_factory=Roster)
    categories: tuple[Category, ...] = ()
    periods: tuple[GradingPeriod, ...] = ()
    students: dict[str, frozenset[str]] = field(default_factory=dict)
    line_items: dict[str, LineItem] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    guard: Callable[[], None] | None = None
    decimals: int | None = None
    closed: frozenset[str] = frozenset()
    refuse: dict[str, ConnectionProblem] = field(default_factory=dict)
    forget: bool = False
    own_ids: bool = False
    max_title: int | None = None
    keeps: bool = False
    writes: int = 0

    async def identity(self) -> str:
        """The district's id."""
        return self.district

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """The roster as it stands."""
        held = self.roster
        intake.orgs(held.orgs)
        intake.sessions(held.sessions)
        intake.courses(held.courses)
        intake.classes(held.classes)
        intake.users(held.users)
        intake.enrollments(held.enrollments)
        told(1, 1)

    async def catalogue(self) -> SisCatalogue:
        """Every class of the roster."""
        return SisCatalogue(
            classes={
                one.id: SisClass(one.id, one.school_id, one.term_ids, one.code) for one in self.roster.classes
            },
            categories=self.categories,
            periods=self.periods,
            session_parents={one.id: one.parent_id for one in self.roster.sessions},
            sessions={one.id: (one.title, one.start, one.end) for one in self.roster.sessions},
        )

    async def read_class(self, class_id: str, columns: Sequence[str] = ()) -> SisGradebook:
        """Line items, results (of some columns) and students of a class; GS-512 when unknown."""
        items = await self.read_line_items(class_id)
        results = [r for r in await self.read_results(class_id) if not columns or r.line_item_id in columns]
        return SisGradebook(class_id, tuple(items), tuple(results), self._students_of(class_id))

    async def read_results(self, class_id: str) -> Sequence[Result]:
        """The class's results."""
        items = {one.id for one in await self.read_line_items(class_id)}
        return [replace(one, class_id=class_id) for one in self.results.values() if one.line_item_id in items]

    async def read_line_item_results(self, class_id: str, line_item_id: str) -> Sequence[Result]:
        """One line item's results."""
        return [one for one in await self.read_results(class_id) if one.line_item_id == line_item_id]

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items."""
        self._known(class_id, "GS-512")
        return [one for one in self.line_items.values() if one.class_id == class_id]

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        """Create or replace; GS-505 for an unknown class, GS-405 for an unknown category, GS-501 for a closed one."""
        self._before_write(item.id)
        self._known(item.class_id, "GS-505")
        if item.category_id is not None and item.category_id not in {one.id for one in self.categories}:
            raise refused("unknown category", "GS-405", 404)
        self._open(item.period_id)
        held = replace(
            item, id=self._id_for(item.id, self.line_items, new), title=item.title[: self.max_title]
        )
        if not self.forget:
            self.line_items[held.id] = held
        return held.id

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        """Create or replace; GS-505 for an unknown line item, GS-503 for a student not in its class."""
        self._before_write(result.id)
        item = self.line_items.get(result.line_item_id)
        if item is None:
            raise refused("unknown lineItem", "GS-505", 404)
        if result.student_id not in self._students_of(item.class_id):
            raise refused("student does not belong to this class", "GS-503", 422)
        self._open(item.period_id)
        held = replace(result, id=self._id_for(result.id, self.results, new), score=self._kept(result.score))
        if not self.forget:
            self.results[held.id] = held
        return held.id

    async def delete_result(self, result_id: str) -> None:
        """Remove; gone already is removed."""
        self._before_write(result_id)
        if not self.keeps:
            self.results.pop(result_id, None)

    async def delete_line_item(self, line_item_id: str) -> None:
        """Remove with its results; gone already is removed."""
        self._before_write(line_item_id)
        if self.keeps:
            return
        self.line_items.pop(line_item_id, None)
        for one in [one.id for one in self.results.values() if one.line_item_id == line_item_id]:
            del self.results[one]

    def _students_of(self, class_id: str) -> frozenset[str]:
        if class_id in self.students:
            return self.students[class_id]
        enrolled = (one for one in self.roster.enrollments if one.class_id == class_id)
        return frozenset(one.user_id for one in enrolled if one.role == "student")

    def _known(self, class_id: str, code: str) -> None:
        if class_id not in self.students and all(one.id != class_id for one in self.roster.classes):
            raise refused("unknown class", code, 404)

    def _open(self, period_id: str | None) -> None:
        if period_id is not None and period_id in self.closed:
            raise refused("the grading period is closed", "GS-501", 422)

    def _before_write(self, record_id: str) -> None:
        if self.guard is not None:
            self.guard()
        if record_id in self.refuse:
            raise self.refuse[record_id]
        self.writes += 1

    def _id_for(self, asked: str, held: Mapping[str, object], new: bool) -> str:
        if not self.own_ids:
            return asked
        if new:
            return f"own-{self.writes}"
        if asked not in held:
            raise refused("unknown record", "GS-505", 404)
        return asked

    def _kept(self, score: Decimal | None) -> Decimal | None:
        if score is None or self.decimals is None:
            return score
        return round(score, self.decimals)
