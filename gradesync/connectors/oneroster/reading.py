"""The SIS over OneRoster 1.1 and 1.2 as source of rosters and as gradebook to read (RosterSource, GradebookReader).

Rosters are `roster_views`', rows `rows`', pages `paging`'s, a class's views `views`'. What writes lives in `writing`
alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import Collections
from gradesync.connectors.oneroster.roster_views import RosterViews
from gradesync.connectors.oneroster.views import ClassViews, of_class
from gradesync.connectors.tasks import together
from gradesync.domain.account import RosterMapping
from gradesync.domain.gradebook import (
    Category,
    GradingPeriod,
    LineItem,
    Result,
    SisCatalogue,
    SisClass,
    SisGradebook,
)
from gradesync.domain.profile import V1P1, SisProfile
from gradesync.domain.roster import AcademicSession, RosterClass
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterIntake


class OneRosterReader:
    """The SIS without a method that writes: what plans, dry runs and `observe` get.

    `rostering` and `gradebook` are clients of the two services; one client serves both when they share an address.
    `mapping` says which fields of people a roster needs beyond the usual ones.
    Raises ConnectionProblem only.
    """

    def __init__(
        self,
        rostering: HttpClient,
        profile: SisProfile,
        *,
        gradebook: HttpClient | None = None,
        mapping: RosterMapping | None = None,
    ) -> None:
        self._rostering = rostering
        self._gradebook = gradebook or rostering
        self._profile = profile
        self._roster_rows = Collections(rostering, profile.page_size)
        self._gradebook_rows = (
            self._roster_rows if gradebook is None else Collections(gradebook, profile.page_size)
        )
        self._newer = profile.version != V1P1
        self._roster = RosterViews(
            rostering, self._roster_rows, newer=self._newer, wants=rows.Wants.of(mapping or RosterMapping())
        )
        self._views = ClassViews(self._gradebook_rows, may_filter=self._newer)

    # -- rosters -------------------------------------------------------------------------------------------------

    async def identity(self) -> str:
        """The sourcedId of the district org, else of all root orgs, joined by `+` in their order."""
        orgs = await self._roster.orgs()
        districts = [one.id for one in orgs.values() if one.kind == "district"]
        roots = [one.id for one in orgs.values() if one.parent_id is None or one.parent_id not in orgs]
        found = sorted(districts or roots)
        if not found:
            raise self._rostering.unclear("it names no organisation.")
        return "+".join(found)

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """One full read, handed over page by page; `told` hears how many of its eight collections are done.

        Never a part of it: what a server does not show completely ends the read (GS-602). Scope is the domain's.
        """
        await self._roster.read(told, intake)

    def hidden(self) -> frozenset[str]:
        """What the views that the last roster was read from could not show (`ports.NarrowedSource`)."""
        return frozenset(self._roster.hidden)

    # -- the gradebook, read -------------------------------------------------------------------------------------

    async def catalogue(self) -> SisCatalogue:
        """All classes, categories, grading periods and sessions; scope is the domain's."""
        answers: list[Any] = await together(
            [self._roster.classes(), self._roster.sessions(), self._categories()]
        )
        classes: Mapping[str, RosterClass] = answers[0]
        sessions: Mapping[str, AcademicSession] = answers[1]
        categories: Sequence[Category] | None = answers[2]
        if categories is None:
            categories = await self._categories_by_class(sorted(classes))
        return SisCatalogue(
            classes={
                one.id: SisClass(one.id, one.school_id, one.term_ids, one.code) for one in classes.values()
            },
            categories=tuple(categories),
            periods=tuple(
                GradingPeriod(one.id, one.title, one.start, one.end, one.parent_id)
                for one in sessions.values()
                if one.kind == "gradingPeriod"
            ),
            session_parents={one.id: one.parent_id for one in sessions.values()},
            sessions={one.id: (one.title, one.start, one.end) for one in sessions.values()},
        )

    async def _categories(self) -> Sequence[Category] | None:
        """All categories; None where the server shows them class by class only, as 1.2 allows."""
        try:
            found = await self._gradebook_rows.read("/categories", key="categories", parser=rows.category)
        except ConnectionProblem as problem:
            withheld = problem.code in ("GS-203", "GS-505", "GS-510") and problem.status is not None
            if not (self._newer and withheld):
                raise
            return None
        return list(found.values())

    async def _categories_by_class(self, class_ids: Sequence[str]) -> list[Category]:
        async def of_one(class_id: str) -> list[Category]:
            parser = rows.category_of(class_id)
            try:
                return await of_class(
                    self._gradebook_rows, "/classes/{}/categories", class_id, "categories", parser
                )
            except ConnectionProblem as problem:
                # The rostering service may know more classes than the gradebook does.
                if problem.code != "GS-512":
                    raise
                return []

        return [one for found in await together([of_one(one) for one in class_ids]) for one in found]

    async def read_class(self, class_id: str, columns: Sequence[str] = ()) -> SisGradebook:
        """The class's line items, results and students, read at once. Raises GS-512 for an unknown class."""
        results = (
            [self.read_line_item_results(class_id, one) for one in columns]
            if columns
            else [self.read_results(class_id)]
        )
        answers: list[Any] = await together(
            [self.read_line_items(class_id), self._students(class_id), *results]
        )
        # A server without the narrower view answers the whole class for each column.
        found = {one.id: one for answer in answers[2:] for one in answer}
        return SisGradebook(
            class_id=class_id,
            line_items=tuple(answers[0]),
            results=tuple(found.values()),
            students=answers[1],
        )

    async def read_results(self, class_id: str) -> Sequence[Result]:
        """The class's results."""
        return await self._views.results(class_id)

    async def read_line_item_results(self, class_id: str, line_item_id: str) -> Sequence[Result]:
        """One line item's results; the whole class's where the server does not offer that view."""
        return await self._views.column(class_id, line_item_id)

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items."""
        return await self._views.line_items(class_id)

    async def _students(self, class_id: str) -> frozenset[str]:
        ids = await of_class(
            self._roster_rows, "/classes/{}/students", class_id, "users", lambda sourced_id, _row: sourced_id
        )
        return frozenset(ids)
