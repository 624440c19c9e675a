"""The SIS over OneRoster as an examination asks it: token requests and GETs, samples where a whole is large.

Endpoints: oneroster.md 1.2-1.4, 2. What may be written is known from the scopes alone: there is no probing write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from gradesync.connectors.auth import ClientCredentials
from gradesync.connectors.doctoring.answers import LABELLED, Question, answers, timed, utc_now
from gradesync.connectors.http import HttpClient
from gradesync.connectors.oneroster import rows
from gradesync.connectors.oneroster.paging import Collections, total_of
from gradesync.connectors.oneroster.reading import OneRosterReader
from gradesync.connectors.oneroster.roster_views import RosterViews
from gradesync.connectors.oneroster.views import of_class
from gradesync.domain.account import RosterMapping
from gradesync.domain.doctor_facts import Granted, Hello, Page, Term
from gradesync.domain.gradebook import Category
from gradesync.domain.profile import V1P1, SisProfile
from gradesync.errors import ConnectionProblem

_CLOCKS = ("/orgs", "/schools", "/classes")
_LIMIT_ONE = (("limit", "1"),)
_WITHHELD = frozenset({"GS-203", "GS-505", "GS-510"})


class Doorway:
    """A client that only fetches tokens: what a key may do is asked of the token endpoint and of nothing else."""

    def __init__(self, client: HttpClient, auth: ClientCredentials, scopes: Sequence[str]) -> None:
        self._client = client
        self._auth = auth
        self._scopes = tuple(scopes)

    async def granted(self) -> Granted:
        """Fetch a token of these scopes. Raises GS-202, or GS-203 where scopes are refused."""
        await self._client.authorize()
        return Granted(self._scopes, self._auth.granted)


class SisProbe:
    """One account's SIS; `reading` and `writing` fetch tokens, `writing` None where nothing is ever written.

    `rostering` None: the roster comes from files, and only the gradebook is a service. Raises ConnectionProblem.
    """

    def __init__(
        self,
        rostering: HttpClient,
        gradebook: HttpClient,
        profile: SisProfile,
        reading: Doorway,
        writing: Doorway | None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._rostering = rostering
        self._gradebook = gradebook
        self._profile = profile
        self._reading = reading
        self._writing = writing
        self._now = now
        newer = profile.version != V1P1
        self._rows = Collections(rostering, profile.page_size)
        self._books = Collections(gradebook, profile.page_size)
        self._views = RosterViews(rostering, self._rows, newer=newer, wants=rows.Wants.of(RosterMapping()))

    async def may_read(self) -> Granted:
        """The scopes of a token to read with."""
        return await self._reading.granted()

    async def may_write(self) -> Granted | None:
        """The scopes of a token to write with, which is thrown away; None where none is ever asked for."""
        return None if self._writing is None else await self._writing.granted()

    async def hello(self) -> Hello:
        """Which institution answers, and its clock."""
        identity = await OneRosterReader(self._rostering, self._profile).identity()
        for template in _CLOCKS:
            try:
                reply, middle = await timed(self._rostering, template, _LIMIT_ONE, self._now)
            except ConnectionProblem as problem:
                if problem.code not in _WITHHELD or template == _CLOCKS[-1]:
                    raise
                continue
            return Hello(identity, reply.served_at(), middle)
        raise AssertionError("the last view answers or raises")

    async def page(self) -> Page | None:
        """How many classes come at once when the profile's page is asked for; None where they are not shown so."""
        try:
            reply, way = await self._rows.first_page("/classes", ())
        except ConnectionProblem as problem:
            if problem.code not in _WITHHELD:
                raise
            return None
        return Page(way.size, len(self._rows.rows_of(reply, "classes")), total_of(reply))

    async def terms(self) -> list[Term]:
        """Terms and years; marking periods are not asked about."""
        found = await self._views.sessions()
        return [Term(one.title, one.start, one.end) for one in found.values() if one.kind != "gradingPeriod"]

    async def class_ids(self) -> frozenset[str]:
        """Every class the SIS shows."""
        return frozenset(await self._views.classes())

    async def members(self, class_id: str) -> frozenset[str]:
        """The ids of a class's students today."""
        found = await of_class(
            self._rows, "/classes/{}/students", class_id, "users", lambda sourced_id, _row: sourced_id
        )
        return frozenset(found)

    async def categories(self, class_ids: Sequence[str]) -> Mapping[str, Sequence[Category]]:
        """The categories that serve each class: the whole list, or class by class where only that is shown."""
        try:
            found = await self._books.read("/categories", key="categories", parser=rows.category)
        except ConnectionProblem as problem:
            if problem.code not in _WITHHELD or problem.status is None:
                raise
        else:
            return dict.fromkeys(class_ids, tuple(found.values()))
        shown: dict[str, Sequence[Category]] = {}
        for class_id in class_ids:
            parser = rows.category_of(class_id)
            shown[class_id] = await of_class(
                self._books, "/classes/{}/categories", class_id, "categories", parser
            )
        return shown

    async def roster_answers(self) -> list[LABELLED]:
        """Whether the flat roster collections answer; narrower views may stand in for each."""
        paths = ("orgs", "academicSessions", "courses", "classes", "enrollments")
        return await answers(self._rostering, [Question(one, f"/{one}", (), _LIMIT_ONE) for one in paths])

    async def gradebook_answers(self, class_id: str | None) -> list[LABELLED]:
        """Whether categories, and a class's line items and results, can be read."""
        asked = [Question("categories", "/categories", (), _LIMIT_ONE)]
        if class_id is None:
            asked += [Question(one, f"/{one}", (), _LIMIT_ONE) for one in ("lineItems", "results")]
        else:
            asked += [
                Question(f"classes/:id/{one}", f"/classes/{{}}/{one}", (class_id,), _LIMIT_ONE)
                for one in ("lineItems", "results")
            ]
        return await answers(self._gradebook, asked)
