"""Canvas asked about single courses, for `explain` and its worklists (port CanvasLookup).

What people are called is read here and nowhere else in this room. Endpoints: canvas.md 2.1, 3.3.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from gradesync.connectors.canvas import parse
from gradesync.connectors.canvas.paging import Listing
from gradesync.connectors.canvas.parsed import parsed
from gradesync.connectors.http import HttpClient, Query
from gradesync.connectors.wire import text_of
from gradesync.domain.comparison import Weighing
from gradesync.domain.gradebook import CanvasCourse
from gradesync.domain.people import STUDENT, TEACHER, CoursePeople, Member
from gradesync.errors import ConnectionProblem

T = TypeVar("T")

_API = "/api/v1"
_TERM = (("include[]", "term"),)
_PEOPLE = (
    ("type[]", "StudentEnrollment"),
    ("type[]", "TeacherEnrollment"),
    ("state[]", "active"),
    ("state[]", "inactive"),
    ("state[]", "completed"),
    ("state[]", "invited"),
)
_ROLES = {"StudentEnrollment": STUDENT, "TeacherEnrollment": TEACHER}
_NOT_FOUND = 404
_NOT_SHOWN = frozenset({"GS-203", "GS-305"})
_ANY_SEAT = (
    ("type[]", "StudentEnrollment"),
    *(("state[]", one) for one in ("active", "invited", "inactive", "completed", "deleted", "rejected")),
)


class CourseLookup:
    """The calls of `ports.CanvasLookup`. Raises ConnectionProblem only."""

    def __init__(self, client: HttpClient, *, page_size: int = 100) -> None:
        self._client = client
        self._page_size = page_size

    async def find_course(
        self, *, course_id: int | None = None, class_id: str | None = None
    ) -> CanvasCourse | None:
        """A course by its number, or the one in which the class's section lives now (cross-listing moves it)."""
        if course_id is None:
            assert class_id is not None  # one of the two is how a course is named
            # Canvas takes what follows a dot for a format, so a SIS id's dots are encoded too (canvas.md 1.3).
            named = quote(f"sis_section_id:{class_id}", safe="").replace(".", "%2E")
            section = await self._row(f"{_API}/sections/{named}")
            if section is None:
                return None
            course_id = self._parsed(lambda row: parse.whole(row, "course_id"), section)
        found = await self._row(f"{_API}/courses/{course_id}", query=_TERM)
        return None if found is None else self._parsed(parse.course, found)

    async def has_assignment(self, course: CanvasCourse, assignment_id: int) -> bool:
        """Whether the course holds the assignment."""
        return await self._row(f"{_API}/courses/{course.id}/assignments/{assignment_id}") is not None

    async def sis_ids_of(self, user_id: int) -> frozenset[str] | None:
        """The SIS ids a Canvas user has, or had in any enrollment; none where Canvas tells none, None for no such user.

        Whoever was dropped stands in no listing of a course, so the person is asked for, not the course.
        """
        listing = Listing(
            self._client,
            f"{_API}/users/{{}}/enrollments",
            user_id,
            query=_ANY_SEAT,
            page_size=self._page_size,
        )
        rows: list[dict[str, Any]] = []
        try:
            user = await self._row(f"{_API}/users/{user_id}")
            if user is None:
                return None
            rows.append(user)
            rows += await listing.rows()
        except ConnectionProblem as problem:
            # What the key may not see is not told; what it has shown already counts.
            if problem.code not in _NOT_SHOWN:
                raise
        # A key that may not read SIS data is not shown the field at all.
        return frozenset(id for row in rows if (id := text_of(row.get("sis_user_id"))))

    async def weighing(self, course_id: int) -> Weighing | None:
        """Whether the course weights its groups, and how many of them drop scores; None when it is not shown."""
        course = await self._row(f"{_API}/courses/{course_id}")
        if course is None:
            return None
        listing = Listing(
            self._client,
            f"{_API}/courses/{{}}/assignment_groups",
            course_id,
            query=(),
            page_size=self._page_size,
        )
        groups = await listing.rows()
        return Weighing(
            weighted=course.get("apply_assignment_group_weights") is True,
            dropping=sum(self._parsed(_drops, one) for one in groups),
        )

    async def people(self, course: CanvasCourse) -> CoursePeople:
        """The course's name, its students and its teachers; the test student is nobody."""
        row = await self._row(f"{_API}/courses/{course.id}") or {}
        listing = Listing(
            self._client,
            f"{_API}/courses/{{}}/enrollments",
            course.id,
            query=_PEOPLE,
            page_size=self._page_size,
        )
        members = [self._parsed(_member, one) for one in await listing.rows() if one.get("type") in _ROLES]
        return CoursePeople(course.id, text_of(row.get("name")), tuple(members))

    async def _row(self, path: str, query: Query = ()) -> dict[str, Any] | None:
        try:
            row = (await self._client.get(path, query=query)).json()
        except ConnectionProblem as problem:
            if problem.status == _NOT_FOUND:
                return None
            raise
        if not isinstance(row, dict):
            raise self._client.unclear("a record is not of the documented shape.")
        return row

    def _parsed(self, parser: Callable[[Any], T], row: Any) -> T:
        return parsed(self._client, parser, row)


def _drops(group: dict[str, Any]) -> bool:
    """Whether an assignment group leaves its lowest or highest scores out."""
    rules = group.get("rules")
    counts = [rules.get(key) for key in ("drop_lowest", "drop_highest")] if isinstance(rules, dict) else []
    return any(type(one) is int and one > 0 for one in counts)


def _member(row: dict[str, Any]) -> Member:
    """A row of courses/:id/enrollments; who may not see names gets the number instead."""
    user = row.get("user")
    shown: dict[str, Any] = user if isinstance(user, dict) else {}
    user_id = parse.whole(row, "user_id")
    name = text_of(shown.get("sortable_name")) or text_of(shown.get("name"))
    return Member(
        user_id=user_id,
        name=name or f"Canvas user {user_id}",
        role=_ROLES[text_of(row.get("type"))],
        sis_user_id=parse.sis_id(row, "sis_user_id"),
        section_id=parse.whole(row, "course_section_id"),
        class_id=parse.sis_id(row, "sis_section_id"),
    )
