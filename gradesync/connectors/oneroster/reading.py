"""The SIS over OneRoster 1.1 and 1.2 as source of rosters and as gradebook to read (RosterSource, GradebookReader).

Which collections, in which order; rows are `rows`', pages `paging`'s, a class's views `views`'. What writes lives in
`writing` alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import Collections
from gradesync.connectors.oneroster.views import ClassViews, of_class
from gradesync.connectors.tasks import together
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
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterIntake


class OneRosterReader:
    """The SIS without a method that writes: what plans, dry runs and `observe` get.

    `rostering` and `gradebook` are clients of the two services; one client serves both when they share an address.
    Raises ConnectionProblem only.
    """

    def __init__(
        self,
        rostering: HttpClient,
        profile: SisProfile,
        *,
        gradebook: HttpClient | None = None,
    ) -> None:
        self._rostering = rostering
        self._gradebook = gradebook or rostering
        self._profile = profile
        self._roster_rows = Collections(rostering, profile.page_size)
        self._gradebook_rows = (
            self._roster_rows if gradebook is None else Collections(gradebook, profile.page_size)
        )
        self._newer = profile.version != V1P1
        self._views = ClassViews(self._gradebook_rows, may_filter=self._newer)

    # -- rosters -------------------------------------------------------------------------------------------------

    async def identity(self) -> str:
        """The sourcedId of the district org, else of all root orgs, joined by `+` in their order."""
        orgs = await self._orgs()
        districts = [one.id for one in orgs.values() if one.kind == "district"]
        roots = [one.id for one in orgs.values() if one.parent_id is None or one.parent_id not in orgs]
        found = sorted(districts or roots)
        if not found:
            raise self._rostering.unclear("it names no organisation.")
        return "+".join(found)

    async def read_roster(self, told: Callable[[int, int | None], None], intake: RosterIntake) -> None:
        """One full read; `told` hears how many of its eight collections are done. Scope is the domain's."""
        done = 0

        async def counted(read: Awaitable[Any]) -> Any:
            nonlocal done
            answer = await read
            done += 1
            told(done, 8)
            return answer

        told(0, 8)
        orgs, sessions, courses, classes, students, teachers, aides, enrollments = await together(
            [
                counted(self._orgs()),
                counted(self._sessions()),
                counted(self._courses()),
                counted(self._classes()),
                counted(self._users("/students", "student")),
                counted(self._users("/teachers", "teacher")),
                counted(self._aides()),
                counted(self._enrollments()),
            ]
        )
        intake.orgs(orgs.values())
        intake.sessions(sessions.values())
        intake.courses(courses.values())
        intake.classes(classes.values())
        intake.users({**aides, **students, **teachers}.values())
        intake.enrollments(enrollments.values())

    async def _orgs(self) -> dict[str, Org]:
        return await self._roster_rows.read("/orgs", key="orgs", parser=rows.org)

    async def _sessions(self) -> dict[str, AcademicSession]:
        read = self._roster_rows.read
        found = await read("/academicSessions", key="academicSessions", parser=rows.session)
        if any(one.kind == "gradingPeriod" for one in found.values()):
            return found
        # Terms and grading periods are views of the same rows, but some servers show each only in its own view.
        try:
            periods = await read("/gradingPeriods", key="academicSessions", parser=rows.session)
        except ConnectionProblem as problem:
            if problem.status not in (404, 405, 501):
                raise
            return found
        return {**found, **periods}

    async def _courses(self) -> dict[str, RosterCourse]:
        return await self._roster_rows.read("/courses", key="courses", parser=rows.course)

    async def _classes(self) -> dict[str, RosterClass]:
        return await self._roster_rows.read("/classes", key="classes", parser=rows.school_class)

    async def _users(self, path: str, role: str) -> dict[str, RosterUser]:
        # Never all of /users: it would bring guardians, of whom nothing is needed.
        return await self._roster_rows.read(path, key="users", parser=rows.user_as(role))

    async def _aides(self) -> dict[str, RosterUser]:
        """Aides have no endpoint of their own; a server that cannot filter is not asked for everybody instead."""
        try:
            where = "roles.role='aide'" if self._newer else "role='aide'"
            return await self._roster_rows.read("/users", key="users", parser=rows.aide, where=where)
        except ConnectionProblem as problem:
            if problem.status not in (400, 403, 404, 422):
                raise
            return {}

    async def _enrollments(self) -> dict[str, RosterEnrollment]:
        return await self._roster_rows.read("/enrollments", key="enrollments", parser=rows.enrollment)

    # -- the gradebook, read -------------------------------------------------------------------------------------

    async def catalogue(self) -> SisCatalogue:
        """All classes, categories, grading periods and sessions; scope is the domain's."""
        answers: list[Any] = await together([self._classes(), self._sessions(), self._categories()])
        classes: dict[str, RosterClass] = answers[0]
        sessions: dict[str, AcademicSession] = answers[1]
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
