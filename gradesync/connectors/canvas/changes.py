"""What changed in Canvas, many courses to a request, over GraphQL (canvas.md 3.8).

One fixed query as text and its JSON; no GraphQL library. Pages of courses are offsets behind opaque cursors, an error
comes with status 200, and what a query may cost is the site's to say: too much, and the next one asks for half.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gradesync.connectors.canvas import parse
from gradesync.connectors.http import HttpClient
from gradesync.connectors.wire import Malformed, stamp
from gradesync.domain.gradebook import CanvasCourse, CourseChange, Submission
from gradesync.errors import ConnectionProblem

LARGEST_BATCH = 50
"""Courses to a request. With a full page of rows for each, 50 weigh about 130,000 of the usual 375,000."""

_BACK = 5
"""So many courses more after every answer that was not too much."""

_ROWS = 100
"""The largest page Canvas gives of anything."""

_RESTARTS = 3

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


def _of_one_course(connection: str, arguments: str, fields: str, variables: str = "") -> str:
    return (
        f"query($course: ID!, $after: String{variables}) {{ course(id: $course) {{"
        f" {connection}(first: {_ROWS}, after: $after, {arguments})"
        f" {{ pageInfo {{ hasNextPage }} edges {{ cursor node {{ {fields} }} }} }} }} }}"
    )


_REST = {
    "assignmentsConnection": _of_one_course("assignmentsConnection", _ALL_WORK, _ASSIGNMENT),
    "submissionsConnection": _of_one_course(
        "submissionsConnection", _CHANGED, _SUBMISSION, ", $since: DateTime"
    ),
}

# Not found, not allowed, or not understood: this Canvas or this key has no GraphQL for us.
_REFUSED = frozenset({"GS-203", "GS-305", "GS-306"})
_TOO_MUCH = re.compile(r"complex|time ?out|timed out|too (many|large|long)|depth", re.IGNORECASE)
_STATES = {"created": "unpublished", "claimed": "unpublished"}
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
                for node in _nodes(page):
                    change = await self._course(node, sis_id)
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
                self._shrink()
                continue
            except ConnectionProblem as problem:
                if not self.met and problem.code in _REFUSED:
                    raise NotOffered from None
                if not problem.retryable or self.size == 1:
                    raise
                # Perhaps the answer was only too much work; half of it costs half.
                self._shrink()
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

    def _shrink(self) -> None:
        if self.size == 1:
            if not self.met:
                raise NotOffered
            raise self.client.unclear("one course alone is more than its GraphQL will answer.")
        self.size = max(1, self.size // 2)

    async def _ask(self, query: str, variables: Mapping[str, Any]) -> Node:
        body = json.dumps({"query": query, "variables": variables}).encode()
        answer = (await self.client.ask("/api/graphql", body=body)).json()
        data = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(data, dict):
            # Errors beside data concern what is null in it.
            return data
        if _TOO_MUCH.search(_messages(answer)):
            raise _TooMuch
        raise self.client.unclear("its GraphQL answered no data.")

    def _since(self) -> dict[str, str]:
        return {} if self.since is None else {"since": stamp(self.since)}

    # - one course -

    async def _course(self, node: Node, term_sis_id: str | None) -> CourseChange:
        try:
            state = str(node["state"])
            sis_id = node.get("sisId") or None
            course = CanvasCourse(int(node["_id"]), sis_id, _STATES.get(state, state), None, term_sis_id)
            if course.state not in _READABLE:
                return CourseChange(course, (), "")
            work = await self._every(course.id, node, "assignmentsConnection")
            rows = [] if self.since is None else await self._every(course.id, node, "submissionsConnection")
            if work is None or rows is None:
                return CourseChange(course, None, "")
            return CourseChange(course, tuple(_submissions(rows)), _stamp(work))
        except (Malformed, KeyError, TypeError, ValueError, AttributeError):
            raise self.client.unclear("a record of its GraphQL is not of the documented shape.") from None

    async def _every(self, course_id: int, node: Node, connection: str) -> list[Node] | None:
        """All rows of a course's connection; None when Canvas would not show it, or it never stood still."""
        page = node.get(connection)
        if not isinstance(page, dict):
            return None
        if _following(page) is None:
            return list(_nodes(page))
        for _ in range(_RESTARTS):
            try:
                rows = await self._rest(course_id, connection)
            except _TooMuch:
                return None
            if rows is not None:
                return rows
        return None

    async def _rest(self, course_id: int, connection: str) -> list[Node] | None:
        """A long list by its own query. Each page begins with the last row of the one before: when it does not,
        rows have moved under the offsets and one may have been passed over, so None."""
        found: list[Node] = []
        after: str | None = None
        while True:
            asked = {"course": str(course_id), "after": after}
            if connection == "submissionsConnection":
                asked |= self._since()
            course = (await self._ask(_REST[connection], asked)).get("course")
            page = course.get(connection) if isinstance(course, dict) else None
            if not isinstance(page, dict):
                return None
            edges = page["edges"]
            rows = [edge["node"] for edge in edges]
            if found and (not rows or rows[0]["_id"] != found[-1]["_id"]):
                return None
            found += rows[1:] if found else rows
            if not page["pageInfo"]["hasNextPage"] or len(edges) < 2:
                return found
            after = str(edges[-2]["cursor"])


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


def _submissions(rows: list[Node]) -> list[Submission]:
    return [parse.changed_submission(row) for row in rows]


def _stamp(rows: list[Node]) -> str:
    """The rows as one short text; `updatedAt` among them moves with dates of sections and students too."""
    seen = sorted(repr(sorted(row.items(), key=lambda one: one[0])) for row in rows)
    return hashlib.sha256("\n".join(seen).encode("utf-8", "surrogatepass")).hexdigest()[:32]
