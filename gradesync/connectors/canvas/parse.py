"""Canvas's JSON into the domain's values: one function per record, careful and quick.

Pure. A row that lacks what every Canvas sends raises Malformed; a key that is only shown to those who may see it
raises MissingRight, for "absent" and "empty" mean different things (canvas.md 1.1, 1.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gradesync.connectors.wire import Malformed, instant, number, text_of
from gradesync.domain.account import Scope
from gradesync.domain.gradebook import Assignment, CanvasCourse, DueOverride, SectionStudent, Submission
from gradesync.domain.roster import ImportStatus

Row = Mapping[str, Any]

# A term that ended longer ago than a school year cannot belong to the current one. The SIS's own sessions draw the
# exact line; this only spares reading years of archived courses.
_LONG_AGO = timedelta(days=370)


UNPUBLISHED = {"created": "unpublished", "claimed": "unpublished"}
"""Canvas's database words for a course that is not published; its GraphQL and its REST know both."""


class MissingRight(Exception):
    """The token's user may not see a key we need; the text names the right, never a value."""


def whole(row: Row, key: str) -> int:
    """A Canvas id. Raises Malformed."""
    value = row.get(key)
    if type(value) is not int:
        raise Malformed(f"{key} is not a number")
    return value


def sis_id(row: Row, key: str) -> str | None:
    """A SIS id, None when there is none. Raises MissingRight when Canvas does not show such ids at all."""
    if key not in row:
        raise MissingRight("read SIS data")
    value = row[key]
    if value is None or value == "":
        return None
    return str(value)


def course(row: Row) -> CanvasCourse:
    """A row of accounts/:id/courses with include[]=term."""
    term = row.get("term")
    state = text_of(row.get("workflow_state"))
    return CanvasCourse(
        id=whole(row, "id"),
        sis_id=sis_id(row, "sis_course_id"),
        state=UNPUBLISHED.get(state, state),
        time_zone=text_of(row.get("time_zone")) or None,
        term_sis_id=text_of(term.get("sis_term_id")) or None if isinstance(term, dict) else None,
        account_id=row.get("account_id"),
    )


def course_in_scope(row: Row, scope: Scope, now: datetime) -> bool:
    """Whether a course may matter: coarse on purpose, since classes are chosen by the SIS's sessions."""
    term = row.get("term")
    return not isinstance(term, dict) or term_in_scope(term, scope, now)


def group_names(rows: Iterable[Row]) -> dict[int, str]:
    """Assignment group id -> name."""
    return {whole(row, "id"): text_of(row.get("name")) for row in rows}


def assignment(row: Row, groups: Mapping[int, str]) -> Assignment:
    """A row of courses/:id/assignments with include[]=overrides and override_assignment_dates=false."""
    due_at = instant(row.get("due_at"))
    overrides = row.get("overrides")
    if overrides is None and row.get("has_overrides"):
        # A scoped key without "allow include parameters" drops includes silently; dates would then be wrong.
        raise MissingRight("use include parameters")
    group = row.get("assignment_group_id")
    return Assignment(
        id=whole(row, "id"),
        course_id=whole(row, "course_id"),
        title=text_of(row.get("name")),
        group=groups.get(group, "") if type(group) is int else "",
        points=number(row.get("points_possible")),
        grading_type=text_of(row.get("grading_type")),
        due_at=due_at,
        assign_at=instant(row.get("unlock_at")) or instant(row.get("created_at")),
        flagged=row.get("post_to_sis") is True,
        published=row.get("published") is True,
        counts=row.get("omit_from_final_grade") is not True,
        hidden=row.get("hide_in_gradebook") is True,
        only_overrides=row.get("only_visible_to_overrides") is True,
        overrides=tuple(_override(one, due_at) for one in overrides or ()),
        period_closed=row.get("in_closed_grading_period") is True,
        post_manually=row.get("post_manually") is True,
    )


def _override(row: Row, base: datetime | None) -> DueOverride:
    section = row.get("course_section_id")
    # An override without the key changes other dates only; with null it takes the due date away.
    due_at = instant(row["due_at"]) if "due_at" in row else base
    return DueOverride(section_id=section if type(section) is int else None, due_at=due_at)


def student(row: Row) -> SectionStudent:
    """A row of courses/:id/enrollments. Its own SIS id counts, not the user's: people may have several logins."""
    test = row.get("type") == "StudentViewEnrollment"
    return SectionStudent(
        user_id=whole(row, "user_id"),
        sis_user_id=None if test else sis_id(row, "sis_user_id"),
        section_id=whole(row, "course_section_id"),
        section_sis_id=sis_id(row, "sis_section_id"),
        state=text_of(row.get("enrollment_state")),
        test_student=test,
    )


def submissions(rows: Iterable[Row], found: list[Submission]) -> None:
    """Append each row of a submissions listing to `found`; runs once per grade of a district."""
    add = found.append
    for row in rows:
        assignment_id = row["assignment_id"]
        user_id = row["user_id"]
        if type(assignment_id) is not int or type(user_id) is not int:
            raise Malformed("a submission's ids are not numbers")
        get = row.get
        add(
            Submission(
                assignment_id,
                user_id,
                number(get("score")),
                get("excused") is True,
                get("missing") is True,
                get("late") is True,
                instant(get("posted_at")),
                instant(get("graded_at")),
                get("workflow_state") or "unsubmitted",
                get("grade"),
            )
        )


def changed_submission(row: Row) -> Submission:
    """A node of GraphQL's submissionsConnection: the same facts under other names, ids as texts."""
    return Submission(
        int(row["assignment"]["_id"]),
        int(row["user"]["_id"]),
        number(row["score"]),
        row["excused"] is True,
        row["missing"] is True,
        row["late"] is True,
        instant(row["postedAt"]),
        instant(row["gradedAt"]),
        row["state"] or "unsubmitted",
        row["grade"],
    )


def term_in_scope(row: Row, scope: Scope, now: datetime) -> bool:
    """Whether the courses of a term may matter: as for a course, coarse on purpose."""
    end = instant(row.get("end_at"))
    return scope.terms != "current" or end is None or end >= now - _LONG_AGO


def import_status(row: Row) -> ImportStatus:
    """A SisImport. Messages are counted only: their texts quote rows of people."""
    data = row.get("data")
    facts: Row = data if isinstance(data, dict) else {}
    counts, progress = _counts(facts.get("counts")), row.get("progress")
    return ImportStatus(
        id=whole(row, "id"),
        state=text_of(row.get("workflow_state")),
        progress=progress if type(progress) is int else 0,
        counts=counts,
        statistics=_statistics(facts.get("statistics")),
        # The lists are cut at 24 messages, the counts are not.
        warnings=max(counts.get("warning_count", 0), _length(row.get("processing_warnings"))),
        errors=max(counts.get("error_count", 0), _length(row.get("processing_errors"))),
        data_set=text_of(row.get("diffing_data_set_identifier")),
        user_id=_user_id(row.get("user")),
        threshold_exceeded=row.get("diffing_threshold_exceeded") is True,
    )


def _user_id(user: Any) -> int | None:
    """The number of a user alone: the record beside it holds a name and a login."""
    found = user.get("id") if isinstance(user, dict) else None
    return found if type(found) is int else None


_ROLES = {
    "StudentEnrollment": "student",
    "TeacherEnrollment": "teacher",
    "TaEnrollment": "ta",
    "ObserverEnrollment": "observer",
    "DesignerEnrollment": "designer",
}


def seat(row: Row) -> tuple[str, str] | None:
    """An enrollment as (SIS id of the person, Canvas role); None for people whom no SIS knows."""
    person, role = sis_id(row, "sis_user_id"), _ROLES.get(text_of(row.get("type")))
    return None if person is None or role is None else (person, role)


def _counts(value: Any) -> dict[str, int]:
    return {k: v for k, v in value.items() if type(v) is int} if isinstance(value, dict) else {}


def _statistics(value: Any) -> dict[str, int]:
    """`{"Enrollment": {"created": 3}}` flattened to `{"Enrollment.created": 3}`."""
    found = _counts(value)
    for kind, inner in value.items() if isinstance(value, dict) else ():
        found |= {f"{kind}.{name}": count for name, count in _counts(inner).items()}
    return found


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0
