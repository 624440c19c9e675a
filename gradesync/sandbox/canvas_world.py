"""A Canvas and what teachers do in it, with the true behaviour of `graded_at` and `posted_at`.

Which act moves `graded_at` decides what an incremental reader sees; several acts move nothing, as in Canvas
(clearing a grade, taking back an excuse, posting, hiding, recalculated late deductions, a resubmission).
No HTTP and no JSON here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from gradesync.sandbox.canvas_import_record import SisImport
from gradesync.sandbox.canvas_records import (
    Assignment,
    AssignmentGroup,
    Course,
    Enrollment,
    Override,
    Section,
    Submission,
    raw_record,
)
from gradesync.sandbox.canvas_state import CanvasState


class CanvasWorld(CanvasState):
    """Plain mutable state of one Canvas; acts are stamped with `now()` (aware UTC)."""

    def __init__(self, *, token: str, uuid: str, name: str, now: Callable[[], datetime]) -> None:
        super().__init__(token=token, uuid=uuid, name=name, now=now)
        self.imports: dict[int, SisImport] = {}
        # Student -> observers, and (person, account, role) of admins: only SIS imports make these.
        self.observers: dict[int, set[int]] = {}
        self.account_admins: set[tuple[int, int, str]] = set()
        self.admin_id = 0

    # -- places ------------------------------------------------------------------------------------

    def add_assignment(self, course_id: int, group: AssignmentGroup, name: str, **fields: Any) -> Assignment:
        """A teacher makes an assignment; `fields` are `Assignment`'s. Published ones get their rows."""
        moment = self.now()
        assignment = Assignment(
            self.new_id("assignment"),
            course_id,
            group.id,
            name,
            created_at=moment,
            updated_at=moment,
            **fields,
        )
        self.assignments[assignment.id] = assignment
        self.assignments_by_course[course_id].append(assignment)
        assignment.position = len(self.assignments_by_course[course_id])
        self._place_all(assignment)
        return assignment

    def _place_all(self, assignment: Assignment) -> None:
        if assignment.workflow_state != "published":
            return
        for user_id, enrollments in self.students_of_course(assignment.course_id).items():
            if any(one.workflow_state in ("active", "invited") for one in enrollments):
                self.row(assignment, user_id)

    def enroll(
        self,
        user_id: int,
        section: Section,
        kind: str = "StudentEnrollment",
        *,
        login_id: int | None = None,
        sis_import_id: int | None = None,
    ) -> Enrollment:
        """Enrolls a person: by hand, or by a SIS import when `sis_import_id` is given."""
        moment = self.now()
        return self.add_enrollment(
            Enrollment(
                self.new_id("enrollment"),
                user_id,
                section.id,
                kind,
                moment,
                moment,
                login_id=login_id,
                sis_import_id=sis_import_id,
            )
        )

    def set_enrollment_state(self, enrollment: Enrollment, state: str) -> None:
        """Changes an enrollment's state; who becomes active gets the rows that are missing."""
        enrollment.workflow_state = state
        enrollment.updated_at = self.now()
        self.place_rows(enrollment)
        # Rows that leave the listings with the enrollment, or come back with it, are touched as well.
        self._touch_rows(self.sections[enrollment.course_section_id].course_id, enrollment.user_id)

    def _touch_rows(self, course_id: int, user_id: int) -> None:
        moment = self.now()
        for assignment in self.assignments_by_course[course_id]:
            row = self.submission_of.get((assignment.id, user_id))
            if row is not None:
                row.updated_at = moment

    def publish_course(self, course_id: int) -> None:
        """A teacher publishes a course that an import left unpublished; it gets its first group if it has none."""
        self.courses[course_id].workflow_state = "available"
        if not self.groups_by_course[course_id]:
            self.add_group(AssignmentGroup(self.new_id("group"), course_id, "Assignments", 1))

    def rename_course(self, course_id: int, name: str) -> None:
        """A teacher renames a course: the name sticks over later imports."""
        self.courses[course_id].name = name
        self.courses[course_id].sticky.add("name")

    def crosslist(self, section: Section, course: Course) -> None:
        """Moves a section into another course and remembers its home."""
        if section.nonxlist_course_id is None:
            section.nonxlist_course_id = section.course_id
        self.move_section(section, course.id)

    def uncrosslist(self, section: Section) -> None:
        """Brings a cross-listed section home."""
        if section.nonxlist_course_id is not None:
            home = section.nonxlist_course_id
            section.nonxlist_course_id = None
            self.move_section(section, home)

    # -- acts on one row ---------------------------------------------------------------------------

    def _row(self, assignment_id: int, user_id: int) -> tuple[Assignment, Submission]:
        assignment = self.assignments[assignment_id]
        row = self.row(assignment, user_id)
        if row is None:
            raise KeyError(f"assignment {assignment_id} is not given to user {user_id}")
        row.updated_at = self.now()
        return assignment, row

    def grade(
        self, assignment_id: int, user_id: int, score: float, *, grader_id: int | None = None
    ) -> Submission:
        """A teacher enters a score: moves `graded_at`; posts at once under the automatic policy."""
        assignment, row = self._row(assignment_id, user_id)
        row.score = float(score)
        row.grade = grade_text(assignment, float(score))
        row.excused = False
        row.points_deducted = None
        self._graded(assignment, row, grader_id)
        return row

    def _graded(self, assignment: Assignment, row: Submission, grader_id: int | None) -> None:
        row.workflow_state = "graded"
        row.graded_at = self.now()
        row.grader_id = self.admin_id if grader_id is None else grader_id
        row.grade_matches_current_submission = True
        if not assignment.post_manually and row.posted_at is None:
            row.posted_at = row.graded_at

    def clear(self, assignment_id: int, user_id: int) -> Submission:
        """A teacher deletes the grade: `graded_at` stays and so does the state, the score is gone."""
        _, row = self._row(assignment_id, user_id)
        row.score = row.grade = row.points_deducted = None
        row.excused = False
        return row

    def excuse(self, assignment_id: int, user_id: int) -> Submission:
        """A teacher excuses: score and grade vanish, `graded_at` moves."""
        assignment, row = self._row(assignment_id, user_id)
        row.score = row.grade = row.points_deducted = None
        row.excused = True
        self._graded(assignment, row, None)
        return row

    def unexcuse(self, assignment_id: int, user_id: int) -> Submission:
        """A teacher takes an excuse back without a score: nothing moves `graded_at`."""
        _, row = self._row(assignment_id, user_id)
        row.excused = False
        return row

    def submit(self, assignment_id: int, user_id: int, kind: str = "online_upload") -> Submission:
        """A student hands in, or hands in again: an old score stays, the state goes back to submitted."""
        _, row = self._row(assignment_id, user_id)
        row.attempt = (row.attempt or 0) + 1
        row.submission_type = kind
        row.submitted_at = self.now()
        row.workflow_state = "submitted"
        row.redo_request = False
        row.grade_matches_current_submission = row.score is None
        return row

    def resubmit(self, assignment_id: int, user_id: int) -> Submission:
        """A student hands in again after grading; `graded_at` does not move."""
        return self.submit(assignment_id, user_id)

    def review(self, assignment_id: int, user_id: int, score: float) -> Submission:
        """A quiz graded itself in part: a partial score waits for the teacher as pending_review."""
        row = self.submit(assignment_id, user_id, "online_quiz")
        self.grade(assignment_id, user_id, score, grader_id=-1)
        row.workflow_state = "pending_review"
        return row

    def deduct(self, assignment_id: int, user_id: int, points: float) -> Submission:
        """The late policy is (re)calculated: the score drops from what was entered; `graded_at` stays."""
        assignment, row = self._row(assignment_id, user_id)
        entered = entered_score(row)
        if entered is not None:
            row.points_deducted = points
            row.score = round(entered - points, 2)
            row.grade = grade_text(assignment, row.score)
        return row

    def set_status(self, assignment_id: int, user_id: int, status: str | None) -> Submission:
        """A teacher sets late_policy_status by hand (late, missing, none, extended): `graded_at` moves."""
        _, row = self._row(assignment_id, user_id)
        row.late_policy_status = status
        row.graded_at = self.now()
        return row

    def miss(self, assignment_id: int, user_id: int) -> Submission:
        """The missing policy gives its zero: a score without a grader."""
        assignment, row = self._row(assignment_id, user_id)
        row.score, row.grade = 0.0, grade_text(assignment, 0.0)
        self._graded(assignment, row, None)
        row.grader_id = None
        return row

    # -- acts on an assignment ---------------------------------------------------------------------

    def _rows(self, assignment_id: int, user_ids: Iterable[int] | None) -> list[Submission]:
        wanted = None if user_ids is None else set(user_ids)
        return [
            one
            for one in self.submissions_by_course[self.assignments[assignment_id].course_id]
            if one.assignment_id == assignment_id and (wanted is None or one.user_id in wanted)
        ]

    def post(self, assignment_id: int, user_ids: Iterable[int] | None = None) -> int:
        """A teacher posts grades, to all or to some: `graded_at` does not move. Returns how many changed."""
        moment = self.now()
        rows = [row for row in self._rows(assignment_id, user_ids) if row.posted_at is None]
        for row in rows:
            row.posted_at = row.updated_at = moment
        return len(rows)

    def hide(self, assignment_id: int, user_ids: Iterable[int] | None = None) -> int:
        """A teacher hides grades: `posted_at` becomes null, `graded_at` stays. Returns how many changed."""
        rows = [row for row in self._rows(assignment_id, user_ids) if row.posted_at is not None]
        for row in rows:
            row.posted_at = None
            row.updated_at = self.now()
        return len(rows)

    def change_points(self, assignment_id: int, points_possible: float | None) -> None:
        """Other points move `graded_at` of every graded row at once: a burst."""
        assignment = self._touch(assignment_id)
        assignment.points_possible = points_possible
        for row in self._rows(assignment_id, None):
            if row.graded_at is not None:
                row.graded_at = row.updated_at = self.now()

    def rename(self, assignment_id: int, name: str) -> None:
        """A teacher renames an assignment; no row moves."""
        self._touch(assignment_id).name = name

    def publish(self, assignment_id: int) -> None:
        """Publishing creates placeholder rows for all students."""
        assignment = self._touch(assignment_id)
        assignment.workflow_state = "published"
        self._place_all(assignment)

    def unpublish(self, assignment_id: int) -> None:
        """An unpublished assignment leaves every grade listing."""
        self._touch(assignment_id).workflow_state = "unpublished"

    def flag(self, assignment_id: int, post_to_sis: bool) -> None:
        """Switches "Sync to SIS" of an assignment."""
        self._touch(assignment_id).post_to_sis = post_to_sis

    def move_due(self, assignment_id: int, due_at: datetime | None) -> None:
        """Moves the base due date; no `graded_at` moves."""
        self._touch(assignment_id).due_at = due_at

    def move_to_group(self, assignment_id: int, group: AssignmentGroup) -> None:
        """Puts an assignment into another group of its course."""
        self._touch(assignment_id).assignment_group_id = group.id

    def set_post_policy(self, assignment_id: int, *, manual: bool) -> None:
        """Changes the assignment's post policy; what was posted stays posted."""
        self._touch(assignment_id).post_manually = manual

    def override_section(self, assignment_id: int, section: Section, due_at: datetime | None) -> Override:
        """Gives one section another due date."""
        override = Override(self.new_id("override"), section.name, due_at, course_section_id=section.id)
        self._touch(assignment_id).overrides.append(override)
        return override

    def override_students(
        self, assignment_id: int, user_ids: Iterable[int], due_at: datetime | None
    ) -> Override:
        """Gives some students another due date."""
        people = tuple(user_ids)
        title = f"{len(people)} student{'' if len(people) == 1 else 's'}"
        override = Override(self.new_id("override"), title, due_at, student_ids=people)
        self._touch(assignment_id).overrides.append(override)
        return override

    def delete_assignment(self, assignment_id: int) -> None:
        """Deletes an assignment: it and its rows leave every listing."""
        self._touch(assignment_id).workflow_state = "deleted"

    def _touch(self, assignment_id: int) -> Assignment:
        assignment = self.assignments[assignment_id]
        assignment.updated_at = self.now()
        return assignment

    # -- the oracle's view -------------------------------------------------------------------------

    def raw(self) -> dict[str, Any]:
        """Every record of every kind as JSON-ready facts: what is true, beside what the API shows."""
        kinds: dict[str, Iterable[Any]] = {
            "accounts": self.accounts.values(),
            "terms": self.terms.values(),
            "courses": self.courses.values(),
            "sections": self.sections.values(),
            "users": self.users.values(),
            "logins": self.logins.values(),
            "enrollments": self.enrollments.values(),
            "assignment_groups": self.groups.values(),
            "assignments": self.assignments.values(),
            "submissions": self.submissions.values(),
            "grading_periods": self.grading_periods.values(),
        }
        return self.extra_raw() | {kind: [raw_record(one) for one in rows] for kind, rows in kinds.items()}


def entered_score(row: Submission) -> float | None:
    """The score before the late deduction."""
    if row.score is None or row.points_deducted is None:
        return row.score
    return round(row.score + row.points_deducted, 6)


_SCALE = ((93, "A"), (90, "A-"), (87, "B+"), (83, "B"), (80, "B-"), (77, "C+"), (70, "C"), (60, "D"))


def grade_text(assignment: Assignment, score: float) -> str:
    """The string form of a score under the assignment's grading type."""
    points = assignment.points_possible or 0.0
    if assignment.grading_type == "pass_fail":
        return "complete" if score > 0 else "incomplete"
    if assignment.grading_type == "percent":
        return f"{_plain(round(score / points * 100, 2) if points else score)}%"
    if assignment.grading_type in ("letter_grade", "gpa_scale"):
        share = score / points * 100 if points else score
        return next((letter for floor, letter in _SCALE if share >= floor), "F")
    return _plain(score)


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else repr(number)
