"""A whole roster from whatever the server offers: each kind of row by the widest view it shows completely.

Some servers refuse the flat collections, some stop them at a number of rows, some know schools or classes only. So
every kind is read whole, else school by school, else class by class, and a row that two views show is handed over
once. How that is decided is `narrowing`'s; pages are `stream`'s, paths and fields `needs`', rows `rows`'.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, TypeVar

from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import needs, rows
from gradesync.connectors.oneroster.narrowing import Ids, Places, Plan, each, not_offered, widest
from gradesync.connectors.oneroster.paging import GONE, Collections
from gradesync.connectors.oneroster.seen import Row, Seen
from gradesync.connectors.oneroster.strays import Strays
from gradesync.connectors.oneroster.stream import Stream, Take, View
from gradesync.connectors.tasks import together
from gradesync.domain.roster import AcademicSession, Org, RosterClass, RosterEnrollment
from gradesync.domain.roster_generation import AIDES, AIDES_BY_ROLE, ENROLLMENTS
from gradesync.errors import ConnectionProblem
from gradesync.ports import RosterIntake

T = TypeVar("T")
Told = Callable[[int, int | None], None]

_COLLECTIONS = 8


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


Value = TypeVar("Value", bound=_Identified)


def pages_to(take: Callable[[list[T]], None], parser: Callable[[str, Row], T | None]) -> Take:
    """Pages of rows, parsed and handed on; rows the parser answers None for are left out."""
    return lambda page: take(rows.parsed(page, parser))


def _kept(found: dict[str, Value], parser: Callable[[str, Row], Value | None]) -> Take:
    def keep(values: list[Value]) -> None:
        found.update((one.id, one) for one in values)

    return pages_to(keep, parser)


class RosterViews:
    """Reads one service's roster. Keeps ids of schools and classes during a read, and nothing of people."""

    def __init__(
        self, client: HttpClient, collections: Collections, *, newer: bool, wants: rows.Wants
    ) -> None:
        self._client = client
        self._stream = Stream(client, collections)
        self._newer = newer
        self._wants = wants
        self._orgs: dict[str, Org] | None = None
        self.hidden: set[str] = set()
        """What the last read could not show (`ports.NarrowedSource`)."""

    # -- what is small enough to be kept --------------------------------------------------------------------------

    async def orgs(self) -> dict[str, Org]:
        """All organisations; the schools alone where the server shows no others."""
        found: dict[str, Org] = {}
        take, seen = _kept(found, rows.org), Seen()

        async def schools() -> None:
            if found:
                # Half of the organisations and the schools could make another district of this one.
                raise not_offered("schools")
            await self._whole(needs.SCHOOLS, take, seen)()

        await widest("organisations", [self._whole(needs.ORGS, take, seen), schools])
        self._orgs = found
        return found

    async def sessions(self) -> dict[str, AcademicSession]:
        """All years, terms and grading periods, from whichever views show them."""
        found: dict[str, AcademicSession] = {}
        take, seen = _kept(found, rows.session), Seen()
        plans = [
            self._whole(needs.SESSIONS, take, seen),
            self._whole(needs.TERMS, take, seen),
            self._each(needs.SCHOOL_TERMS, self._schools, take, seen),
        ]
        await widest("terms", plans)
        if any(one.kind == "gradingPeriod" for one in found.values()):
            return found

        async def terms() -> Sequence[Ids]:
            return [(one.id,) for one in found.values() if one.kind in ("term", "semester")]

        # Terms and grading periods are views of the same rows, but some servers show each only in its own view.
        plans = [
            self._whole(needs.PERIODS, take, seen),
            self._each(needs.TERM_PERIODS, terms, take, seen),
        ]
        try:
            await widest("grading periods", plans)
        except ConnectionProblem as problem:
            if problem.status not in (404, 405, 501):
                raise
        return found

    async def classes(self) -> dict[str, RosterClass]:
        """All classes."""
        found: dict[str, RosterClass] = {}
        await self._classes(_kept(found, rows.school_class))
        return found

    # -- a roster -------------------------------------------------------------------------------------------------

    async def read(self, told: Told, intake: RosterIntake) -> None:
        """Hand a whole roster to `intake` page by page; `told` hears how many of its eight collections are done."""
        done = 0
        self.hidden = set()

        async def counted(read: Awaitable[None]) -> None:
            nonlocal done
            await read
            done += 1
            told(done, _COLLECTIONS)

        places: list[Ids] = []

        def classes(page: list[RosterClass]) -> None:
            # Only where a class is asked for by its id is this needed; ids alone weigh little.
            places.extend((one.school_id, one.id) for one in page)
            intake.classes(page)

        async def orgs() -> None:
            intake.orgs((await self.orgs()).values())

        async def sessions() -> None:
            intake.sessions((await self.sessions()).values())

        told(0, _COLLECTIONS)
        await counted(orgs())
        await together(
            [
                counted(sessions()),
                counted(self._courses(pages_to(intake.courses, rows.course))),
                counted(self._classes(pages_to(classes, rows.school_class))),
            ]
        )
        people = await self._people(counted, places, intake)
        await counted(self._enrollments(places, intake, people))

    async def _courses(self, take: Take) -> None:
        seen = Seen()
        plans = [
            self._whole(needs.COURSES, take, seen),
            self._each(needs.SCHOOL_COURSES, self._schools, take, seen),
        ]
        await widest("courses", plans)

    async def _classes(self, take: Take) -> None:
        seen = Seen()
        plans = [
            self._whole(needs.CLASSES, take, seen),
            self._each(needs.SCHOOL_CLASSES, self._schools, take, seen),
        ]
        await widest("classes", plans)

    async def _people(
        self,
        counted: Callable[[Awaitable[None]], Awaitable[None]],
        places: Sequence[Ids],
        intake: RosterIntake,
    ) -> Seen:
        """Teachers, students, aides, one after the other: who is several of them is handed over as the first.

        Never all of /users: it would bring guardians, of whom nothing is needed. Answers who was handed over.
        """
        seen = Seen()

        async def classes() -> Sequence[Ids]:
            return [place[1:] for place in places]

        for role in ("teacher", "student"):
            take = pages_to(intake.users, rows.user_as(role, self._wants))
            view = self._view_of_people
            plans = [
                self._whole(view(f"/{role}s"), take, seen),
                self._each(view(f"/schools/{{}}/{role}s"), self._schools, take, seen),
                self._each(view(f"/classes/{{}}/{role}s"), classes, take, seen, self._class_gone),
            ]
            await counted(widest(f"{role}s", plans))
        await counted(self._aides(intake, seen))
        if self._wants.guardians:
            await self._guardians(intake, seen)
        return seen

    async def _aides(self, intake: RosterIntake, seen: Seen) -> None:
        """Aides have no endpoint of their own; where users are not shown by role, `strays` finds those with a class."""
        try:
            await self._by_role(intake, seen, "aide")
        except ConnectionProblem as problem:
            if problem.status not in (400, 403, 404, 405, 422, 501):
                raise
            self.hidden |= {AIDES, AIDES_BY_ROLE}

    async def _guardians(self, intake: RosterIntake, seen: Seen) -> None:
        """Read only for an account that ties guardians to students; one that cannot have them is told so."""
        for roles in (("guardian", "parent"), ("relative",)):
            await widest("guardians", [partial(self._by_role, intake, seen, *roles)])

    async def _by_role(self, intake: RosterIntake, seen: Seen, *roles: str) -> None:
        name = "roles.role" if self._newer else "role"
        where = " OR ".join(f"{name}='{role}'" for role in roles)
        take = pages_to(intake.users, rows.user_only(*roles, wants=self._wants))
        await self._stream.read(self._view_of_people("/users", where), (), take, seen)

    def _view_of_people(self, template: str, where: str = "") -> View:
        return needs.people(self._newer, self._wants, template, where)

    async def _enrollments(self, places: Sequence[Ids], intake: RosterIntake, people: Seen) -> None:
        """All enrollments; then the staff among them who were in no view of people."""
        seen, strays = Seen(), Strays(self._client, people, self._wants)

        async def classes() -> Sequence[Ids]:
            return places

        def take(page: list[Row]) -> None:
            found = rows.enrollments(page)
            strays.look(found)
            intake.enrollments(found)

        async def members() -> None:
            if len(seen):
                # Enrollments of our making beside those the server did show would put people into classes twice.
                raise not_offered("members of classes")
            await self._members(classes, intake)
            self.hidden.add(ENROLLMENTS)

        plans: list[Plan] = [
            self._whole(needs.ENROLLMENTS, take, seen),
            self._each(needs.SCHOOL_ENROLLMENTS, self._schools, take, seen),
            self._each(needs.CLASS_ENROLLMENTS, classes, take, seen, self._class_gone),
            members,
        ]
        await widest("enrollments", plans)
        intake.users(await strays.found(self._view_of_people("/users")))
        if not strays.unknown and ENROLLMENTS not in self.hidden:
            # Every aide with a class was found one by one.
            self.hidden.discard(AIDES)

    async def _members(self, classes: Places, intake: RosterIntake) -> None:
        """Enrollments from who sits in each class today, under ids of ours; all a server without enrollments tells."""
        for role in ("student", "teacher"):
            view = needs.members(f"/classes/{{}}/{role}s")

            async def read(place: Ids, role: str = role, view: View = view) -> None:
                class_id = place[-1]

                def member(user_id: str, _row: Row) -> RosterEnrollment:
                    return RosterEnrollment(user_id, class_id, role, id=f"{class_id}:{role}:{user_id}")

                await self._stream.read(view, (class_id,), pages_to(intake.enrollments, member), Seen())

            await each(view.template, classes, read, self._class_gone)()

    # -- plans ----------------------------------------------------------------------------------------------------

    def _whole(self, view: View, take: Take, seen: Seen) -> Plan:
        return partial(self._stream.read, view, (), take, seen, alone=True)

    def _each(
        self,
        view: View,
        places: Places,
        take: Take,
        seen: Seen,
        gone: Callable[[Ids], Awaitable[bool]] | None = None,
    ) -> Plan:
        async def read(place: Ids) -> None:
            await self._stream.read(view, place, take, seen)

        return each(view.template, places, read, gone)

    async def _schools(self) -> Sequence[Ids]:
        orgs = self._orgs if self._orgs is not None else await self.orgs()
        return [(one.id,) for one in orgs.values() if one.kind == "school"]

    async def _class_gone(self, place: Ids) -> bool:
        """Whether a class that was listed a moment ago is not there any more, rather than not shown."""
        try:
            data = (await self._client.get("/classes/{}", place[-1])).json()
        except ConnectionProblem as problem:
            if problem.status not in (404, 410):
                raise
            return True
        row = data.get("class", data) if isinstance(data, dict) else None
        return isinstance(row, dict) and row.get("status") in GONE
