"""The part of Canvas's GraphQL schema that a grade reader meets: types, defaults and traps (canvas.md 3.8).

Each record becomes a mapping of field name -> value, or -> a function where a field takes arguments or leads on. No
HTTP here, and no limit: those are `canvas_graphql_limits`'s.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeVar

from graphql import GraphQLError, GraphQLScalarType, GraphQLSchema, build_schema

from gradesync.sandbox.canvas_gradebook_json import is_late, is_missing
from gradesync.sandbox.canvas_graphql_limits import DEFAULT_PAGE, MAX_PAGE
from gradesync.sandbox.canvas_http import resolve, stamp, whole_number
from gradesync.sandbox.canvas_records import Account, Assignment, Course, Submission, Term, User
from gradesync.sandbox.canvas_world import CanvasWorld, entered_score, grade_text

Row = TypeVar("Row")
Shown = dict[str, Any]

SDL = """
scalar DateTime
enum CourseWorkflowState { created claimed available completed deleted }
enum AssignmentState { published unpublished deleted }
enum GradingType { points percent letter_grade gpa_scale pass_fail not_graded }
enum SubmissionState { submitted unsubmitted pending_review graded ungraded deleted }
enum LatePolicyStatusType { late missing extended none }
enum SubmissionOrderField { _id gradedAt }
enum OrderDirection { ascending descending }
input SubmissionOrderCriteria { field: SubmissionOrderField!, direction: OrderDirection }
input SubmissionSearchFilterInput {
  states: [SubmissionState!], sectionIds: [ID!], submittedSince: DateTime, gradedSince: DateTime,
  updatedSince: DateTime
}
input AssignmentFilter { gradingPeriodId: ID }
type PageInfo { hasNextPage: Boolean!, hasPreviousPage: Boolean!, startCursor: String, endCursor: String }
type Query {
  account(id: ID, sisId: String): Account
  assignment(id: ID, sisId: String): Assignment
  course(id: ID, sisId: String): Course
  term(id: ID, sisId: String): Term
}
type Account {
  _id: ID!, name: String, sisId: String
  coursesConnection(first: Int, after: String): CourseConnection
}
type Term {
  _id: ID!, name: String, sisId: String, startAt: DateTime, endAt: DateTime
  coursesConnection(first: Int, after: String): CourseConnection
}
type CourseConnection { nodes: [Course], edges: [CourseEdge], pageInfo: PageInfo! }
type CourseEdge { cursor: String!, node: Course }
type Course {
  _id: ID!, name: String!, courseCode: String, sisId: String, state: CourseWorkflowState!, createdAt: DateTime
  account: Account, term: Term
  assignmentsConnection(first: Int, after: String, filter: AssignmentFilter): AssignmentConnection
  submissionsConnection(
    first: Int, after: String, studentIds: [ID!], orderBy: [SubmissionOrderCriteria!],
    filter: SubmissionSearchFilterInput
  ): SubmissionConnection
}
type AssignmentGroup { _id: ID!, name: String, groupWeight: Float, position: Int }
type PostPolicy { postManually: Boolean! }
type AssignmentConnection { nodes: [Assignment], edges: [AssignmentEdge], pageInfo: PageInfo! }
type AssignmentEdge { cursor: String!, node: Assignment }
type Assignment {
  _id: ID!, name: String, sisId: String, state: AssignmentState!, createdAt: DateTime, updatedAt: DateTime
  dueAt: DateTime, pointsPossible: Float, gradingType: GradingType, postToSis: Boolean
  omitFromFinalGrade: Boolean, onlyVisibleToOverrides: Boolean!, position: Int
  assignmentGroup: AssignmentGroup, course: Course, postPolicy: PostPolicy
}
type User { _id: ID!, name: String, sisId: String, integrationId: String }
type SubmissionConnection { nodes: [Submission], edges: [SubmissionEdge], pageInfo: PageInfo! }
type SubmissionEdge { cursor: String!, node: Submission }
type Submission {
  _id: ID!, assignmentId: ID!, assignment: Assignment, user: User, attempt: Int!
  createdAt: DateTime, updatedAt: DateTime, submittedAt: DateTime, gradedAt: DateTime, postedAt: DateTime
  score: Float, grade: String, enteredScore: Float, enteredGrade: String, deductedPoints: Float
  excused: Boolean, late: Boolean, missing: Boolean, posted: Boolean!, state: SubmissionState!
  gradingStatus: String, submissionStatus: String, latePolicyStatus: LatePolicyStatusType
  gradeMatchesCurrentSubmission: Boolean, customGradeStatus: String
}
"""

_DEFAULT_STATES = ("submitted", "pending_review", "graded")


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """The schema; built once, since it is the same for every district."""
    made = build_schema(SDL)
    moment = made.type_map["DateTime"]
    assert isinstance(moment, GraphQLScalarType)
    # A scalar written in SDL takes anything until it is told better.
    moment.coerce_input_value = _moment
    moment.coerce_input_literal = lambda node: _moment(getattr(node, "value", None))
    return made


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise GraphQLError(f"{value!r} is not a valid DateTime") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def root(world: CanvasWorld) -> Shown:
    """The query root. A key with scopes gets this type and nothing below it."""

    def finder(kind: str, shown: Callable[[CanvasWorld, Any], Shown], records: dict[int, Any]) -> Any:
        def find(_info: Any, id: str | None = None, sisId: str | None = None) -> Shown | None:  # noqa: N803 - as named in GraphQL
            found = resolve(world, kind, id) if id is not None else world.id_of(kind, sisId or "")
            return None if found is None or world.settings.scoped_key else shown(world, records[found])

        return find

    def assignment(_info: Any, id: str | None = None, sisId: str | None = None) -> Shown | None:  # noqa: N803 - as above
        living = (one for one in world.assignments.values() if one.workflow_state != "deleted")
        hit = next(
            (one for one in living if str(one.id) == id or (sisId and one.sis_assignment_id == sisId)), None
        )
        return None if hit is None or world.settings.scoped_key else _assignment(world, hit)

    return {
        "account": finder("account", _account, world.accounts),
        "assignment": assignment,
        "course": finder("course", _course, world.courses),
        "term": finder("term", _term, world.terms),
    }


# -- pages -------------------------------------------------------------------------------------------


def _connection(
    rows: Sequence[Row], first: int | None, after: str | None, shown: Callable[[Row], Shown]
) -> Shown:
    """One page: 20 rows unless asked for others, never more than 100; cursors are offsets in base64."""
    if first is not None and first < 0:
        raise GraphQLError("`first` must not be negative")
    start = _offset(after) if after else 0
    page = rows[start : start + min(DEFAULT_PAGE if first is None else first, MAX_PAGE)]
    made = [shown(one) for one in page]
    end = start + len(page)
    return {
        "nodes": made,
        "edges": lambda _info: [
            {"cursor": _cursor(number), "node": one} for number, one in enumerate(made, start=start + 1)
        ],
        "pageInfo": {
            "hasNextPage": end < len(rows),
            "hasPreviousPage": start > 0,
            "startCursor": _cursor(start + 1) if page else None,
            "endCursor": _cursor(end) if page else None,
        },
    }


def _cursor(offset: int) -> str:
    return base64.urlsafe_b64encode(str(offset).encode()).decode().rstrip("=")


def _offset(cursor: str) -> int:
    try:
        return int(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
    except (ValueError, binascii.Error):
        raise GraphQLError("Invalid cursor") from None


# -- places ------------------------------------------------------------------------------------------


def _account(world: CanvasWorld, account: Account) -> Shown:
    def inside(course: Course) -> bool:
        at: int | None = course.account_id
        while at is not None and at != account.id:
            at = world.accounts[at].parent_account_id
        return at == account.id

    return {
        "_id": account.id,
        "name": account.name,
        "sisId": account.sis_account_id,
        "coursesConnection": _courses(world, inside),
    }


def _term(world: CanvasWorld, term: Term) -> Shown:
    return {
        "_id": term.id,
        "name": term.name,
        "sisId": term.sis_term_id,
        "startAt": stamp(term.start_at),
        "endAt": stamp(term.end_at),
        # Every course of the term, unpublished and deleted ones too.
        "coursesConnection": _courses(world, lambda one: one.enrollment_term_id == term.id),
    }


def _courses(world: CanvasWorld, wanted: Callable[[Course], bool]) -> Callable[..., Shown]:
    def page(_info: Any, first: int | None = None, after: str | None = None) -> Shown:
        rows = [one for one in world.courses.values() if wanted(one)]
        return _connection(rows, first, after, lambda one: _course(world, one))

    return page


def _course(world: CanvasWorld, course: Course) -> Shown:
    return {
        "_id": course.id,
        "name": course.name,
        "courseCode": course.course_code,
        "sisId": course.sis_course_id,
        "state": course.workflow_state,
        "createdAt": stamp(course.created_at),
        "account": lambda _info: _account(world, world.accounts[course.account_id]),
        "term": lambda _info: _term(world, world.terms[course.enrollment_term_id]),
        "assignmentsConnection": _assignments_of(world, course),
        "submissionsConnection": _submissions_of(world, course),
    }


# -- work --------------------------------------------------------------------------------------------


def _assignments_of(world: CanvasWorld, course: Course) -> Callable[..., Shown]:
    def page(
        _info: Any,
        first: int | None = None,
        after: str | None = None,
        filter: dict[str, Any] | None = None,
    ) -> Shown:
        rows = world.live_assignments(course.id)
        if filter is None or "gradingPeriodId" not in filter:
            # The trap: without a word about it, only the current grading period is listed.
            rows = _within(world, course, rows, world.now())
        elif filter["gradingPeriodId"] is not None:
            period = world.grading_periods.get(whole_number(filter["gradingPeriodId"]) or 0)
            rows = _within(world, course, rows, period.start_at) if period is not None else []
        return _connection(rows, first, after, lambda one: _assignment(world, one))

    return page


def _within(world: CanvasWorld, course: Course, rows: list[Assignment], moment: datetime) -> list[Assignment]:
    """The assignments of the grading period around a moment; all when the course has none there."""
    periods = world.periods_of(course)
    period = next((one for one in periods if one.start_at <= moment <= one.end_at), None)
    if period is None:
        return rows
    last = period is periods[-1]
    return [
        one
        for one in rows
        if (last if one.due_at is None else period.start_at <= one.due_at <= period.end_at)
    ]


def _assignment(world: CanvasWorld, assignment: Assignment) -> Shown:
    group = world.groups[assignment.assignment_group_id]
    return {
        "_id": assignment.id,
        "name": assignment.name,
        "sisId": assignment.sis_assignment_id,
        "state": assignment.workflow_state,
        "createdAt": stamp(assignment.created_at),
        "updatedAt": stamp(assignment.updated_at),
        "dueAt": stamp(assignment.due_at),
        "pointsPossible": assignment.points_possible,
        "gradingType": assignment.grading_type,
        "postToSis": assignment.post_to_sis,
        "omitFromFinalGrade": assignment.omit_from_final_grade,
        "onlyVisibleToOverrides": assignment.only_visible_to_overrides,
        "position": assignment.position,
        "assignmentGroup": {
            "_id": group.id,
            "name": group.name,
            "groupWeight": group.group_weight,
            "position": group.position,
        },
        "course": lambda _info: _course(world, world.courses[assignment.course_id]),
        "postPolicy": {"postManually": assignment.post_manually},
    }


def _submissions_of(world: CanvasWorld, course: Course) -> Callable[..., Shown]:
    def page(
        _info: Any,
        first: int | None = None,
        after: str | None = None,
        studentIds: list[str] | None = None,  # noqa: N803 - as named in GraphQL
        orderBy: list[dict[str, Any]] | None = None,  # noqa: N803 - as above
        filter: dict[str, Any] | None = None,
    ) -> Shown:
        rows = _filtered(world, course, filter or {})
        if studentIds is not None:
            rows = [one for one in rows if str(one.user_id) in studentIds]
        for order in reversed(orderBy or []):
            rows = sorted(rows, key=_ORDERS[order["field"]], reverse=order.get("direction") == "descending")
        return _connection(rows, first, after, lambda one: _submission(world, one))

    return page


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_ORDERS: dict[str, Callable[[Submission], Any]] = {
    "_id": lambda row: row.id,
    "gradedAt": lambda row: row.graded_at or _LONG_AGO,
}


def _filtered(world: CanvasWorld, course: Course, asked: dict[str, Any]) -> list[Submission]:
    """Active rows of published assignments. `sectionIds` is taken and not applied, as in Canvas."""
    states = set(_DEFAULT_STATES if asked.get("states") is None else asked["states"])
    rows: Iterable[Submission] = world.submissions_by_course[course.id]
    # Instants first: they leave the least for the dearer looks. A row that never was is not since anything.
    for name, of in _SINCE.items():
        since = asked.get(name)
        if since is not None:
            rows = [one for one in rows if (at := of(one)) is not None and at > since]
    rows = [
        one
        for one in rows
        if (one.workflow_state in states or ("ungraded" in states and one.workflow_state in _UNGRADED))
        and world.assignments[one.assignment_id].workflow_state == "published"
    ]
    present = world.students_of_course(course.id) if rows else {}
    return [
        one
        for one in rows
        if one.user_id in present and world.is_assigned(world.assignments[one.assignment_id], one.user_id)
    ]


_UNGRADED = frozenset({"submitted", "pending_review"})
_SINCE: dict[str, Callable[[Submission], datetime | None]] = {
    "updatedSince": lambda row: row.updated_at,
    "gradedSince": lambda row: row.graded_at,
    "submittedSince": lambda row: row.submitted_at,
}


def _submission(world: CanvasWorld, row: Submission) -> Shown:
    assignment = world.assignments[row.assignment_id]
    due = world.due_for(assignment, row.user_id) if assignment.overrides else assignment.due_at
    entered = entered_score(row)
    late, missing = is_late(row, due), is_missing(row, assignment, due, world.now())
    return {
        "_id": row.id,
        "assignmentId": row.assignment_id,
        "assignment": lambda _info: _assignment(world, assignment),
        "user": lambda _info: _user(world, world.users[row.user_id]),
        "attempt": row.attempt or 0,
        "createdAt": stamp(assignment.created_at),
        "updatedAt": stamp(row.updated_at),
        "submittedAt": stamp(row.submitted_at),
        "gradedAt": stamp(row.graded_at),
        "postedAt": stamp(row.posted_at),
        "posted": row.posted_at is not None,
        "score": row.score,
        "grade": row.grade,
        "enteredScore": entered,
        "enteredGrade": None if entered is None else grade_text(assignment, entered),
        "deductedPoints": row.points_deducted,
        # False here where REST may show null.
        "excused": bool(row.excused),
        "late": late,
        "missing": missing,
        "state": row.workflow_state,
        "gradingStatus": "excused" if row.excused else "graded" if row.score is not None else None,
        "submissionStatus": "late" if late else "missing" if missing else row.workflow_state,
        "latePolicyStatus": row.late_policy_status,
        "gradeMatchesCurrentSubmission": row.grade_matches_current_submission,
        "customGradeStatus": None,
    }


def _user(world: CanvasWorld, user: User) -> Shown:
    # The person's first login with a SIS id; an enrollment may have come from another one.
    login = next((one for one in world.logins_by_user[user.id] if one.sis_user_id is not None), None)
    return {
        "_id": user.id,
        "name": user.name,
        "sisId": login.sis_user_id if login else None,
        "integrationId": login.integration_id if login else None,
    }
