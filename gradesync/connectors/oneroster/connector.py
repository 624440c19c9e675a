"""The SIS over OneRoster 1.1 as source of rosters and as gradebook (ports RosterSource, GradebookReader, -Sink).

Which collections, in which order; rows are `rows`', pages `paging`'s. Nothing here decides about a grade:
a refused record is a ConnectionProblem with a code, and the next record is another call.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import Collections
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
from gradesync.domain.profile import SisProfile
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.errors import ConnectionProblem


def _utc_now() -> datetime:
    return datetime.now(UTC)


_VIEW_MISSES = 3
"""Single columns not found in a row before only whole classes are asked for."""


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
        self._missed_views = 0
        self._roster_rows = Collections(rostering, profile.page_size)
        self._gradebook_rows = (
            self._roster_rows if gradebook is None else Collections(gradebook, profile.page_size)
        )

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

    async def read_roster(self, told: Callable[[int, int | None], None]) -> Roster:
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
                counted(self._users("/students")),
                counted(self._users("/teachers")),
                counted(self._aides()),
                counted(self._enrollments()),
            ]
        )
        return Roster(
            orgs=tuple(orgs.values()),
            sessions=tuple(sessions.values()),
            courses=tuple(courses.values()),
            classes=tuple(classes.values()),
            users=tuple({**aides, **students, **teachers}.values()),
            enrollments=tuple(enrollments.values()),
        )

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

    async def _users(self, path: str) -> dict[str, RosterUser]:
        # Never all of /users: it would bring guardians, of whom nothing is needed.
        return await self._roster_rows.read(path, key="users", parser=rows.user)

    async def _aides(self) -> dict[str, RosterUser]:
        """Aides have no endpoint of their own; a server that cannot filter is not asked for everybody instead."""
        try:
            return await self._roster_rows.read("/users", key="users", parser=rows.aide, where="role='aide'")
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
        categories: dict[str, Category] = answers[2]
        return SisCatalogue(
            classes={
                one.id: SisClass(one.id, one.school_id, one.term_ids, one.code) for one in classes.values()
            },
            categories=tuple(categories.values()),
            periods=tuple(
                GradingPeriod(one.id, one.title, one.start, one.end, one.parent_id)
                for one in sessions.values()
                if one.kind == "gradingPeriod"
            ),
            session_parents={one.id: one.parent_id for one in sessions.values()},
            sessions={one.id: (one.title, one.start, one.end) for one in sessions.values()},
        )

    async def _categories(self) -> dict[str, Category]:
        return await self._gradebook_rows.read("/categories", key="categories", parser=rows.category)

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
        return await self._of_class(
            self._gradebook_rows, "/classes/{}/results", class_id, "results", rows.result_of(class_id)
        )

    async def read_line_item_results(self, class_id: str, line_item_id: str) -> Sequence[Result]:
        """One line item's results; the whole class's where the server does not offer that view."""
        if self._missed_views < _VIEW_MISSES:
            try:
                found = await self._gradebook_rows.read(
                    "/classes/{}/lineItems/{}/results",
                    class_id,
                    line_item_id,
                    key="results",
                    parser=rows.result_of(class_id),
                )
            except ConnectionProblem as problem:
                if problem.status not in (400, 404, 405, 501):
                    raise
                # Either this column is gone, or the server has no such view: a few misses in a row tell which.
                self._missed_views += 1
            else:
                self._missed_views = 0
                return list(found.values())
        return await self.read_results(class_id)

    async def read_line_items(self, class_id: str) -> Sequence[LineItem]:
        """The class's line items."""
        return await self._of_class(
            self._gradebook_rows, "/classes/{}/lineItems", class_id, "lineItems", rows.line_item_of(class_id)
        )

    async def _students(self, class_id: str) -> frozenset[str]:
        ids = await self._of_class(
            self._roster_rows, "/classes/{}/students", class_id, "users", lambda sourced_id, _row: sourced_id
        )
        return frozenset(ids)

    async def _of_class(
        self,
        collections: Collections,
        template: str,
        class_id: str,
        key: str,
        parser: Callable[[str, Mapping[str, Any]], Any],
    ) -> list[Any]:
        try:
            found = await collections.read(template, class_id, key=key, parser=parser)
        except ConnectionProblem as problem:
            if problem.code != "GS-505":
                raise
            raise ConnectionProblem(
                "The SIS does not know the class.",
                code="GS-512",
                status=problem.status,
                vendor_text=problem.vendor_text,
            ) from None
        return list(found.values())


class OneRosterConnector(OneRosterReader):
    """The SIS with PUT. The id of a new record is ours; PUT to a known id replaces it (oneroster.md 2.2)."""

    def __init__(
        self,
        rostering: HttpClient,
        profile: SisProfile,
        *,
        gradebook: HttpClient | None = None,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__(rostering, profile, gradebook=gradebook)
        self._bodies = rows.Bodies(rostering.root, self._gradebook.root, profile.version, now)

    async def put_line_item(self, item: LineItem, *, new: bool = True) -> str:
        """Create or replace the whole line item."""
        await self._gradebook.put("/lineItems/{}", item.id, body=self._bodies.line_item(item))
        return item.id

    async def put_result(self, result: Result, *, new: bool = True) -> str:
        """Create or replace the whole result. Raises GS-422 for a result this SIS's profile cannot say."""
        if result.score is None and self._profile.score_required:
            raise ConnectionProblem("This SIS cannot store a result without a score.", code="GS-422")
        body = self._bodies.result(result, with_text=self._profile.can_send_text)
        await self._gradebook.put("/results/{}", result.id, body=body)
        return result.id

    async def delete_result(self, result_id: str) -> None:
        """Remove a result; 404 means it is gone already (oneroster.md 2.4)."""
        await self._delete("/results/{}", result_id)

    async def delete_line_item(self, line_item_id: str) -> None:
        """Remove a line item; 404 means it is gone already (oneroster.md 2.4)."""
        await self._delete("/lineItems/{}", line_item_id)

    async def _delete(self, template: str, record_id: str) -> None:
        try:
            await self._gradebook.delete(template, record_id)
        except ConnectionProblem as problem:
            if problem.status != 404:
                raise
