"""Canvas as an examination asks it: GETs of one page, nobody's name kept; the one POST is GraphQL's smallest question.

Endpoints: canvas.md 1.1, 3.3; `accounts/:id/permissions` (Accounts API) tells the calling token's own rights, and
`users/self/user_generated_tokens` (Access Tokens API) when hand-made tokens end. Nothing acts as anybody else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from gradesync.connectors.canvas import parse
from gradesync.connectors.canvas.connector import CanvasReader
from gradesync.connectors.canvas.paging import Listing
from gradesync.connectors.canvas.parsed import parsed
from gradesync.connectors.doctoring.answers import LABELLED, Question, answers, timed, utc_now
from gradesync.connectors.http import HttpClient, Query
from gradesync.connectors.wire import instant, text_of
from gradesync.domain.account import Scope
from gradesync.domain.doctor_facts import (
    Admin,
    GraphQl,
    Groups,
    Hello,
    Section,
    SectionSample,
    Students,
    Term,
    TokenEnd,
)
from gradesync.domain.interval import to_local
from gradesync.errors import ConnectionProblem

T = TypeVar("T")
Row = dict[str, Any]

_API = "/api/v1"
_ONE = (("per_page", "1"),)
_COURSES = (("state[]", "available"), ("with_enrollments", "true"), ("include[]", "term"))
_LIVING = (("workflow_state[]", "active"),)
_SEATED = (("type[]", "StudentEnrollment"), ("state[]", "active"))
_ADMIN_PAGES = 5
_NOT_FOUND = 404
_UNTOLD = frozenset({"GS-203", "GS-305", "GS-306"})
"""Refusals that mean only that this Canvas, or this token, does not tell."""
_GRAPHQL = "/api/graphql"
_NOT_OFFERED = {
    "GS-203": GraphQl.REFUSED,
    "GS-302": GraphQl.SILENT,
    "GS-305": GraphQl.MISSING,
    "GS-306": GraphQl.UNCLEAR,
}
ROSTER_CALLS = ("sub_accounts", "terms", "users", "sis_imports")
COURSE_CALLS = ("assignments", "assignment_groups", "enrollments", "students/submissions")


class CanvasProbe:
    """One account's Canvas. `hint` is how its token begins, by which Canvas lists tokens. Raises ConnectionProblem."""

    def __init__(
        self,
        client: HttpClient,
        scope: Scope,
        time_zone: str,
        hint: str,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._client = client
        self._scope = scope
        self._zone = time_zone
        self._hint = hint
        self._now = now

    async def hello(self) -> Hello:
        """Whether the token is taken, which institution answers, its clock and its throttle."""
        reply, middle = await timed(self._client, f"{_API}/accounts/self", now=self._now)
        return Hello(
            await CanvasReader(self._client, self._scope).identity(),
            reply.served_at(),
            middle,
            _number(reply.headers.get("X-Rate-Limit-Remaining")),
            _number(reply.headers.get("X-Request-Cost")),
        )

    async def whose(self) -> int:
        """The number of the token's user."""
        return self._read(lambda row: parse.whole(row, "id"), await self._row("/users/self"))

    async def token_end(self) -> TokenEnd:
        """When the token ends, as far as Canvas tells it of its own user's tokens."""
        try:
            rows = await self._page("/users/self/user_generated_tokens")
        except ConnectionProblem as problem:
            if problem.code not in _UNTOLD:
                raise
            return TokenEnd(told=False)
        own = [row for row in rows if _begins(self._hint, text_of(row.get("token_hint")))]
        if len(own) != 1:
            return TokenEnd(told=False)
        return TokenEnd(told=True, ends=self._read(lambda row: instant(row.get("expires_at")), own[0]))

    async def permissions(self, names: Sequence[str]) -> Mapping[str, bool] | None:
        """The token's own rights on the root account; None where this Canvas does not tell them."""
        query = [("permissions[]", name) for name in names]
        try:
            row = await self._row("/accounts/self/permissions", query)
        except ConnectionProblem as problem:
            if problem.code not in _UNTOLD:
                raise
            return None
        return {name: row.get(name) is True for name in names}

    async def includes(self) -> bool | None:
        """Whether a part that was asked for comes along; None without any course."""
        rows = await self._page("/accounts/self/courses", query=(("include[]", "term"),), size=1)
        return "term" in rows[0] if rows else None

    async def account_calls(self, names: Sequence[str]) -> list[LABELLED]:
        """Whether the account's own listings answer."""
        return await answers(
            self._client,
            [Question(f"accounts/self/{one}", f"{_API}/accounts/self/{one}", (), _ONE) for one in names],
        )

    async def course_calls(self, course_id: int) -> list[LABELLED]:
        """Whether what a passback reads of a course answers."""
        query = {"students/submissions": (("student_ids[]", "all"), *_ONE)}
        return await answers(
            self._client,
            [
                Question(
                    f"courses/:id/{one}", f"{_API}/courses/{{}}/{one}", (course_id,), query.get(one, _ONE)
                )
                for one in COURSE_CALLS
            ],
        )

    async def terms(self) -> list[Term]:
        """Living terms, in days of the account's zone."""
        rows = await self._page("/accounts/self/terms", query=_LIVING, key="enrollment_terms")
        return [self._read(self._term, row) for row in rows]

    async def graphql(self) -> GraphQl | None:
        """Whether GraphQL shows this token one course of a term; None without a term to ask about.

        What leaves a passback to REST in a run is an answer here; a refused key and a full bucket are raised.
        """
        try:
            terms = await self._page("/accounts/self/terms", query=_LIVING, key="enrollment_terms", size=1)
        except ConnectionProblem as problem:
            if problem.code not in _UNTOLD:
                raise
            return None
        if not terms:
            return None
        body = smallest_question(self._read(lambda row: parse.whole(row, "id"), terms[0]))
        try:
            answer = (await self._client.ask(_GRAPHQL, body=body)).json()
        except ConnectionProblem as problem:
            if problem.code not in _NOT_OFFERED:
                raise
            return _NOT_OFFERED[problem.code]
        data = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(data, dict):
            return GraphQl.UNCLEAR
        term = data.get("term")
        shown = isinstance(term, dict) and isinstance(term.get("coursesConnection"), dict)
        return GraphQl.ANSWERS if shown else GraphQl.NOTHING

    def _term(self, row: Row) -> Term:
        start, end = instant(row.get("start_at")), instant(row.get("end_at"))
        return Term(
            text_of(row.get("name")),
            None if start is None else to_local(start, self._zone).date(),
            None if end is None else to_local(end, self._zone).date(),
        )

    async def admin(self, posted_by: str) -> Admin | None:
        """The user a schedule acts for; None where the token may not list admins."""
        try:
            user_id = await self._user(posted_by)
        except ConnectionProblem as problem:
            if problem.code != "GS-203":
                raise
            return None
        if user_id is None:
            return Admin(known=False, admin=False, active=False)
        try:
            rows = await self._admins(user_id)
        except ConnectionProblem as problem:
            if problem.code != "GS-203":
                raise
            return None
        states = [text_of(row.get("workflow_state")) for row in rows]
        return Admin(known=True, admin=bool(rows), active=not states or "active" in states)

    async def _user(self, posted_by: str) -> int | None:
        """The number of a user given by it or by a login, which stands in the query alone: paths are logged."""
        if posted_by.isdecimal():
            try:
                reply = await self._client.get(f"{_API}/users/{{}}", int(posted_by))
            except ConnectionProblem as problem:
                if problem.status != _NOT_FOUND:
                    raise
                return None
            return self._read(lambda row: parse.whole(row, "id"), reply.json())
        rows = await self._page("/accounts/self/users", query=(("search_term", posted_by),))
        own = [row for row in rows if text_of(row.get("login_id")).casefold() == posted_by.casefold()]
        return self._read(lambda row: parse.whole(row, "id"), own[0]) if own else None

    async def _admins(self, user_id: int) -> list[Row]:
        listing = Listing(
            self._client,
            f"{_API}/accounts/self/admins",
            query=[("user_id[]", str(user_id))],
            page_size=100,
        )
        found: list[Row] = []
        async for page in listing.pages():
            users = [(row, row.get("user")) for row in page]
            found += [row for row, user in users if isinstance(user, dict) and user.get("id") == user_id]
            if listing.count >= _ADMIN_PAGES:
                break
        return found

    async def sections(self, courses: int) -> SectionSample:
        """Sections of at most `courses` courses in scope, drawn evenly from the first page."""
        rows = await self._page("/accounts/self/courses", query=_COURSES, size=50)
        meant = [row for row in rows if self._read(self._in_scope, row)]
        step = max(1, len(meant) // courses)
        chosen = meant[::step][:courses]
        found: list[Section] = []
        for row in chosen:
            course_id = self._read(lambda one: parse.whole(one, "id"), row)
            found += [
                self._read(_section, one) for one in await self._page("/courses/{}/sections", course_id)
            ]
        return SectionSample(tuple(found), len(chosen), len(rows) > len(chosen))

    def _in_scope(self, row: Row) -> bool:
        return parse.course_in_scope(row, self._scope, self._now())

    async def students(self, section_id: int) -> Students:
        """The students of a section; of a hundred and more, the first page."""
        rows = await self._page("/sections/{}/enrollments", section_id, query=_SEATED)
        ids = [self._read(lambda row: parse.sis_id(row, "sis_user_id"), row) for row in rows]
        return Students(frozenset(one for one in ids if one is not None), ids.count(None))

    async def groups(self, course_id: int) -> Groups:
        """A course's assignment groups, and how many assignments of each are marked for the SIS."""
        names = self._read(parse.group_names, await self._page("/courses/{}/assignment_groups", course_id))
        marked = dict.fromkeys(names.values(), 0)
        query = (("override_assignment_dates", "false"),)
        for row in await self._page("/courses/{}/assignments", course_id, query=query):
            group = row.get("assignment_group_id")
            name = names.get(group) if type(group) is int else None
            if name is not None and row.get("post_to_sis") is True and row.get("published") is True:
                marked[name] += 1
        return Groups(marked)

    async def _page(
        self, path: str, *ids: int, query: Query = (), key: str | None = None, size: int = 100
    ) -> list[Row]:
        """The first page of a listing: an examination looks at samples."""
        listing = Listing(self._client, _API + path, *ids, query=query, page_size=size, key=key)
        async for page in listing.pages():
            return page
        return []

    async def _row(self, path: str, query: Query = ()) -> Row:
        row = (await self._client.get(_API + path, query=query)).json()
        if not isinstance(row, dict):
            raise self._client.unclear("a record is not of the documented shape.")
        return row

    def _read(self, parser: Callable[[Any], T], row: Any) -> T:
        return parsed(self._client, parser, row)


def smallest_question(term: int) -> bytes:
    """The body of the one POST: a query, which GraphQL never lets change anything, for the number of one course."""
    query = "query($term: ID!) { term(id: $term) { coursesConnection(first: 1) { nodes { _id } } } }"
    return json.dumps({"query": query, "variables": {"term": str(term)}}).encode()


def _section(row: Row) -> Section:
    return Section(parse.whole(row, "course_id"), parse.whole(row, "id"), parse.sis_id(row, "sis_section_id"))


def _begins(token_start: str, hint: str) -> bool:
    """Whether a token that begins so is the one of that hint, which Canvas shortens in more than one way."""
    shown = hint.rstrip(".\u2026 ")
    return (
        bool(shown) and bool(token_start) and (token_start.startswith(shown) or shown.startswith(token_start))
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
