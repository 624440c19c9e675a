"""What changed in Canvas, many courses to a request, over GraphQL (canvas.md 3.8).

One fixed query as text and its JSON; no GraphQL library. Pages of courses are offsets behind opaque cursors, an error
comes with status 200, and what a query may cost is the site's to say: too much, and the next one asks for half.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from gradesync.connectors.canvas import parse
from gradesync.connectors.http import HttpClient
from gradesync.connectors.wire import Malformed, stamp
from gradesync.domain.gradebook import CanvasCourse, CourseChange
from gradesync.errors import ConnectionProblem

LARGEST_BATCH = 50
"""Courses to a request. With a full page of rows for each, 50 weigh about 130,000 of the usual 375,000."""

_BACK = 5
"""So many courses more after every answer that was not too much."""

_ROWS = 100
"""The largest page Canvas gives of anything."""

_RESTARTS = 3

_TOGETHER = 10
"""Long lists of so many courses go on in one request; Canvas takes 20 aliases."""

_ASSIGNMENT = (
    "_id updatedAt name dueAt pointsPossible gradingType postToSis state omitFromFinalGrade"
    " assignmentGroup { _id name }"
)
_SUBMISSION = "_id score grade excused missing late postedAt gradedAt state assignment { _id } user { _id }"
# Without a filter Canvas lists the assignments of the current grading period only.
_ALL_WORK = "filter: {gradingPeriodId: null}"
# Without states Canvas leaves out `unsubmitted`, and with it a part of the grades that were taken back.
_CHANGED = (
    "orderBy: [{field: _id, direction: ascending}],"
    " filter: {updatedSince: $since, states: [submitted, unsubmitted, pending_review, graded]}"
)
_INFO = "pageInfo { hasNextPage endCursor }"

_COURSES = f"""query($term: ID!, $first: Int!, $after: String, $since: DateTime, $work: Boolean!) {{
  term(id: $term) {{
    coursesConnection(first: $first, after: $after) {{
      {_INFO}
      nodes {{
        _id sisId state
        assignmentsConnection(first: {_ROWS}, {_ALL_WORK}) {{ {_INFO} nodes {{ {_ASSIGNMENT} }} }}
        submissionsConnection(first: {_ROWS}, {_CHANGED}) @include(if: $work) {{
          {_INFO} nodes {{ {_SUBMISSION} }}
        }}
      }}
    }}
  }}
}}"""


_LISTS = {
    "assignmentsConnection": (_ALL_WORK, _ASSIGNMENT),
    "submissionsConnection": (_CHANGED, _SUBMISSION),
}

# Not found, not allowed, or not understood: this Canvas or this key has no GraphQL for us.
_REFUSED = frozenset({"GS-203", "GS-305", "GS-306"})
_TOO_MUCH = re.compile(r"complex|time ?out|timed out|too (many|large|long)|depth", re.IGNORECASE)
_READABLE = frozenset({"available", "completed"})

Node = Mapping[str, Any]


class NotOffered(Exception):
    """This Canvas, or this key, has no account-wide listing of changes."""


class _TooMuch(Exception):
    """The other side would have had to work too long for one answer."""


@dataclass(slots=True)
class ChangeListing:
    """One reading of the courses of some terms (Canvas id -> SIS id); `size` is the batch as it stands.

    `since` None asks for stamps alone. Raises NotOffered before the first course, ConnectionProblem later.
    """

    client: HttpClient
    terms: Mapping[int, str | None]
    since: datetime | None
    size: int = LARGEST_BATCH
    met: bool = False

    async def courses(self) -> AsyncGenerator[CourseChange, None]:
        """Every course of the terms, whatever its state."""
        seen: set[int] = set()
        for term, sis_id in self.terms.items():
            after: str | None = None
            while True:
                page = await self._page(term, after)
                if page is None:
                    break
                nodes = list(_nodes(page))
                long = await self._long_lists(nodes)
                for node in nodes:
                    change = self._course(node, sis_id, long)
                    # Cursors are offsets: a course created meanwhile shows its neighbour twice.
                    if change.course.id not in seen:
                        seen.add(change.course.id)
                        yield change
                following = _following(page)
                if following is None or following == after:
                    break
                after = following

    # - one page of courses -

    async def _page(self, term: int, after: str | None) -> Node | None:
        """The next courses of a term; None when the term is gone."""
        variables = {"term": str(term), "after": after, "work": self.since is not None} | self._since()
        while True:
            try:
                data = await self._ask(_COURSES, {**variables, "first": self.size})
            except _TooMuch:
                self._shrink(2)
                continue
            except ConnectionProblem as problem:
                if not self.met and (problem.code in _REFUSED or (problem.retryable and self.size == 1)):
                    # The rest of Canvas may answer all the same; if not, reading course by course will tell.
                    raise NotOffered from None
                if not problem.retryable or self.size == 1:
                    raise
                # Perhaps it was too much work for one answer. Each try may take a minute, so few of them.
                self._shrink(4)
                continue
            self.size = min(LARGEST_BATCH, self.size + _BACK)
            return self._root(data)

    def _root(self, data: Node) -> Node | None:
        term = data.get("term")
        page = term.get("coursesConnection") if isinstance(term, dict) else None
        if isinstance(page, dict):
            self.met = True
            return page
        if not self.met:
            # A key with scopes gets the root and nothing below it; so does one that may not list courses.
            raise NotOffered
        return None

    def _shrink(self, parts: int) -> None:
        if self.size == 1:
            if not self.met:
                raise NotOffered
            raise self.client.unclear("one course alone is more than its GraphQL will answer.")
        self.size = max(1, self.size // parts)

    async def _ask(self, query: str, variables: Mapping[str, Any]) -> Node:
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = (await self.client.ask("/api/graphql", body=body)).json()
        if _TOO_MUCH.search(_messages(answer)):
            # A query cut off by its time limit comes with data, in which whatever was not reached is null.
            raise _TooMuch
        data = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(data, dict):
            # Other errors beside data concern what is null in it.
            return data
        raise self.client.unclear("its GraphQL answered no data.")

    def _since(self) -> dict[str, str]:
        return {} if self.since is None else {"since": stamp(self.since)}

    # - one course -

    def _course(self, node: Node, term_sis_id: str | None, long: Mapping[str, LongList]) -> CourseChange:
        try:
            state = str(node["state"])
            sis_id = node.get("sisId") or None
            course = CanvasCourse(
                int(node["_id"]), sis_id, parse.UNPUBLISHED.get(state, state), None, term_sis_id
            )
            if course.state not in _READABLE:
                return CourseChange(course, (), "")
            work = _rows(node, "assignmentsConnection", long)
            rows = [] if self.since is None else _rows(node, "submissionsConnection", long)
            if work is None or rows is None:
                return CourseChange(course, None, "")
            return CourseChange(
                course, tuple(map(parse.changed_submission, rows)), _stamp(work), frozenset(_meant(work))
            )
        except (Malformed, KeyError, TypeError, ValueError, AttributeError):
            raise self._odd() from None

    def _odd(self) -> ConnectionProblem:
        return self.client.unclear("a record of its GraphQL is not of the documented shape.")

    # - lists longer than a page -

    async def _long_lists(self, nodes: list[Node]) -> dict[str, LongList]:
        """What a page of courses leaves over, a few lists to a request; by course and connection."""
        found = [
            LongList(str(int(node["_id"])), connection)
            for node in nodes
            for connection in _LISTS
            if isinstance(node.get(connection), dict) and _following(node[connection]) is not None
        ]
        for start in range(0, len(found), _TOGETHER):
            batch = found[start : start + _TOGETHER]
            while going := [one for one in batch if not one.done]:
                data = await self._patiently(*self._question(going))
                try:
                    for number, one in enumerate(going):
                        one.take(data.get(f"c{number}"))
                except (KeyError, TypeError, AttributeError):
                    raise self._odd() from None
        return {one.name: one for one in found}

    def _question(self, going: list[LongList]) -> tuple[str, dict[str, Any]]:
        """One query for the next page of each list."""
        asked: dict[str, Any] = {f"a{number}": one.after for number, one in enumerate(going)}
        kinds = [f"${name}: String" for name in asked]
        if any(one.connection == "submissionsConnection" for one in going):
            asked |= self._since()
            kinds.append("$since: DateTime")
        parts = []
        for number, one in enumerate(going):
            arguments, fields = _LISTS[one.connection]
            parts.append(
                f"c{number}: course(id: {one.course}) {{ {one.connection}(first: {_ROWS}, after: $a{number},"
                f" {arguments}) {{ pageInfo {{ hasNextPage }} edges {{ cursor node {{ {fields} }} }} }} }}"
            )
        return f"query({', '.join(kinds)}) {{ {' '.join(parts)} }}", asked

    async def _patiently(self, query: str, variables: Mapping[str, Any]) -> Node:
        """Asked again when the answer was lost; what was too much is no answer, and its lists are given up."""
        for tries_left in (2, 1, 0):
            try:
                return await self._ask(query, variables)
            except _TooMuch:
                break
            except ConnectionProblem as problem:
                if not problem.retryable or not tries_left:
                    raise
        return {}


@dataclass(slots=True)
class LongList:
    """A course's list of several pages on its way in. `rows` None: Canvas would not show it, or it never stood still.

    Cursors are offsets, so each page is asked to begin with the last row of the one before. When it does not, rows
    have moved and one may have been passed over: the list is begun anew.
    """

    course: str
    connection: str
    rows: list[Node] | None = field(default_factory=list)
    after: str | None = None
    done: bool = False
    restarts: int = 0

    @property
    def name(self) -> str:
        """Which list it is."""
        return f"{self.course} {self.connection}"

    def take(self, course: Any) -> None:
        """The next page."""
        page = course.get(self.connection) if isinstance(course, dict) else None
        if not isinstance(page, dict) or self.rows is None:
            self.rows, self.done = None, True
            return
        edges = page["edges"]
        rows = [edge["node"] for edge in edges]
        if self.rows and (not rows or rows[0]["_id"] != self.rows[-1]["_id"]):
            self.restarts += 1
            self.rows, self.after, self.done = [], None, self.restarts >= _RESTARTS
            if self.done:
                self.rows = None
            return
        self.rows += rows[1:] if self.rows else rows
        self.done = not page["pageInfo"]["hasNextPage"] or len(edges) < 2
        self.after = None if self.done else str(edges[-2]["cursor"])


def _rows(node: Node, connection: str, long: Mapping[str, LongList]) -> list[Node] | None:
    """All rows of a course's connection; None when they could not be told."""
    went_on = long.get(f"{int(node['_id'])} {connection}")
    if went_on is not None:
        return went_on.rows
    page = node.get(connection)
    return list(_nodes(page)) if isinstance(page, dict) else None


def _nodes(page: Node) -> Iterator[Node]:
    # A node that may not be seen is null in the list.
    return (node for node in page.get("nodes") or () if isinstance(node, dict))


def _following(page: Node) -> str | None:
    info = page.get("pageInfo") or {}
    return str(info["endCursor"]) if info.get("hasNextPage") and info.get("endCursor") else None


def _messages(answer: Any) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    rows = errors if isinstance(errors, list) else []
    return " ".join(str(one.get("message")) for one in rows if isinstance(one, dict))


def _meant(rows: list[Node]) -> Iterator[int]:
    return (int(one["_id"]) for one in rows if one["postToSis"] is True and one["state"] == "published")


def _stamp(rows: list[Node]) -> str:
    """The rows as one short text; `updatedAt` among them moves with dates of sections and students too."""
    seen = sorted(repr(sorted(row.items(), key=lambda one: one[0])) for row in rows)
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogatepass")).hexdigest()[:32]
