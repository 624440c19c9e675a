"""Canvas as the source of grades and as the sink of rosters (ports GradebookSource, RosterReader, RosterSink).

Which endpoints, which parameters, in which order; shapes are `parse`'s, pages `paging`'s. Endpoints and their traps:
canvas.md 2.1, 2.2, 3.2-3.4, 5. `post_to_sis` is never sent as a filter, because it drops students whom no SIS import
touched (5.2.12); the flag is read instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from gradesync.connectors.canvas import parse, upload
from gradesync.connectors.canvas.paging import Listing, Row
from gradesync.connectors.http import HttpClient, Query, Reply
from gradesync.connectors.tasks import together
from gradesync.connectors.wire import Malformed, stamp
from gradesync.domain.account import Scope
from gradesync.domain.gradebook import CanvasCourse, CourseGradebook, Submission
from gradesync.domain.roster import ImportStatus
from gradesync.errors import ConnectionProblem, GradesyncError

T = TypeVar("T")

_API = "/api/v1"
_IMPORTS = f"{_API}/accounts/self/sis_imports"
_COURSES = (
    ("state[]", "available"),
    ("state[]", "completed"),
    ("with_enrollments", "true"),
    ("include[]", "term"),
)
_ASSIGNMENTS = (("override_assignment_dates", "false"), ("include[]", "overrides"))
_STUDENTS = (
    ("type[]", "StudentEnrollment"),
    ("type[]", "StudentViewEnrollment"),
    ("state[]", "active"),
    ("state[]", "inactive"),
    ("state[]", "completed"),
    ("state[]", "invited"),
)
# Only the black list spares Canvas the work of preview addresses and attachments. It stays short: Canvas builds its
# links from the query and drops them when they grow too long.
_LEAN = tuple(
    ("exclude_response_fields[]", name)
    for name in (
        "preview_url",
        "attachments",
        "body",
        "url",
        "discussion_entries",
        "submission_type",
        "submitted_at",
        "attempt",
        "extra_attempts",
        "seconds_late",
        "cached_due_date",
        "anonymous_id",
        "grader_id",
        "redo_request",
        "sticker",
    )
)
_UNFINISHED = ("created", "importing", "cleanup_batch", "restoring")
# A page of a grouped listing holds all work of its students; Canvas has timed out on larger ones.
_LARGEST_GROUP_PAGE = 50
_USUAL = Scope()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CanvasReader:
    """Canvas without a method that writes: what plans, dry runs and `observe` get.

    `scope` only spares reading courses that cannot matter; the classes are chosen by the SIS's catalogue. Raises
    ConnectionProblem only.
    """

    def __init__(
        self,
        client: HttpClient,
        scope: Scope = _USUAL,
        *,
        page_size: int = 100,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._client = client
        self._scope = scope
        self._page_size = page_size
        self._now = now

    async def identity(self) -> str:
        """The root account's uuid.

        Canvas shows the uuid to admins only; without it the account's number with its LTI guid, or else with a hash
        of its name: both stay the same for one account and differ between institutions.
        """
        row = (await self._client.get(f"{_API}/accounts/self")).json()
        if not isinstance(row, dict) or "id" not in row:
            raise self._client.unclear("accounts/self answered no account.")
        if isinstance(row.get("uuid"), str) and row["uuid"]:
            return str(row["uuid"])
        guid = row.get("lti_guid") or hashlib.sha256(str(row.get("name")).encode()).hexdigest()[:16]
        return f"account:{row['id']}@{guid}"

    async def courses(self) -> AsyncIterator[CanvasCourse]:
        """Published and completed courses with enrollments, sub-accounts included (canvas.md 3.3)."""
        now = self._now()
        seen: set[int] = set()
        async for page in self._listing("/accounts/self/courses", query=_COURSES).pages():
            for row in page:
                course = self._read(parse.course, row)
                # Pages are numbered: a course created meanwhile shows its neighbour twice.
                if course.id not in seen and parse.course_in_scope(row, self._scope, now):
                    seen.add(course.id)
                    yield course

    async def read_course(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:
        """All of a course, or its assignments and what was graded strictly after `since` (canvas.md 3.4)."""
        assignments = self._listing("/courses/{}/assignments", course.id, query=_ASSIGNMENTS)
        groups = self._listing("/courses/{}/assignment_groups", course.id)
        enrollments = self._listing("/courses/{}/enrollments", course.id, query=_STUDENTS)
        work = self._grouped(course) if since is None else self._flat(course, since)
        reads: list[Awaitable[Any]] = [assignments.rows(), groups.rows(), self._submissions(work, since)]
        if since is None:
            reads.append(enrollments.rows())
        assignment_rows, group_rows, submissions, *rest = await together(reads)
        people: list[Row] = rest[0] if rest else await enrollments.rows() if submissions else []
        names = self._read(parse.group_names, group_rows)
        students = tuple(self._read(parse.student, row) for row in people)
        return CourseGradebook(
            course=course,
            assignments=tuple(
                self._read(lambda row: parse.assignment(row, names), row) for row in assignment_rows
            ),
            students=students,
            submissions=tuple(submissions),
            complete=since is None,
            read_at=self._read_at((assignments, groups, work)),
        )

    def _grouped(self, course: CanvasCourse) -> Listing:
        # `grouped` counts by its presence alone; a delta must not send it.
        query = [("student_ids[]", "all"), ("grouped", "1"), *_LEAN]
        size = min(self._page_size, _LARGEST_GROUP_PAGE)
        return self._listing("/courses/{}/students/submissions", course.id, query=query, page_size=size)

    def _flat(self, course: CanvasCourse, since: datetime) -> Listing:
        query = [("student_ids[]", "all"), ("graded_since", stamp(since)), ("order", "id"), *_LEAN]
        return self._listing("/courses/{}/students/submissions", course.id, query=query)

    async def _submissions(self, listing: Listing, since: datetime | None) -> list[Submission]:
        found: list[Submission] = []
        seen: set[object] = set()
        async for page in listing.pages():
            if since is not None:
                self._read(lambda rows: parse.submissions(rows, found), page)
                continue
            for group in page:
                # Groups are numbered pages: a student who moves between them would come twice.
                user = group.get("user_id")
                if user not in seen:
                    seen.add(user)
                    self._read(lambda one: parse.submissions(one["submissions"], found), group)
        if since is None:
            return found
        # A row graded while the pages are read pushes its neighbours onto the next one. Sent twice side by side, the
        # older score could arrive last; what was read later counts.
        return list({(one.assignment_id, one.user_id): one for one in found}.values())

    def _read_at(self, listings: Sequence[Listing]) -> datetime:
        """The earliest Date header: the next watermark must not lie after anything that was read."""
        replies = [listing.first for listing in listings]
        clocks = [reply.served_at() for reply in replies if reply is not None]
        return min((clock for clock in clocks if clock is not None), default=self._now())

    async def unfinished_imports(self) -> Sequence[ImportStatus]:
        """Imports of any tool that wait or run; a stuck `initializing` one blocks nobody (canvas.md 2.3)."""
        query = [("workflow_state[]", state) for state in _UNFINISHED]
        # Newest first, so one page holds every unfinished one even where the filter is ignored.
        reply = await self._client.get(_IMPORTS, query=[*query, ("per_page", str(self._page_size))])
        data = reply.json()
        rows = data.get("sis_imports") if isinstance(data, dict) else None
        if not isinstance(rows, list):
            raise self._client.unclear("sis_imports answered no list.")
        found = [self._read(parse.import_status, row) for row in rows]
        return [status for status in found if status.state in _UNFINISHED]

    async def known_ids(self) -> Mapping[str, frozenset[str]]:
        """SIS ids of all living courses and of their sections."""
        rows = await self._listing("/accounts/self/courses", query=[("state[]", "all")]).rows()
        living = [row for row in rows if row.get("workflow_state") != "deleted"]
        courses = [self._read(lambda one: parse.sis_id(one, "sis_course_id"), row) for row in living]
        ids = [self._read(lambda one: parse.whole(one, "id"), row) for row in living]
        sections = await together([self._section_ids(course_id) for course_id in ids])
        return {
            "courses": frozenset(one for one in courses if one is not None),
            "sections": frozenset().union(*sections),
        }

    async def _section_ids(self, course_id: int) -> frozenset[str]:
        rows = await self._listing("/courses/{}/sections", course_id).rows()
        found = [self._read(lambda one: parse.sis_id(one, "sis_section_id"), row) for row in rows]
        return frozenset(one for one in found if one is not None)

    def _listing(self, path: str, *ids: int, query: Query = (), page_size: int | None = None) -> Listing:
        size = page_size or self._page_size
        return Listing(self._client, _API + path, *ids, query=query, page_size=size)

    def _read(self, parser: Callable[[Any], T], row: Any) -> T:
        """Parse with trouble put in our words: never a value of the row."""
        try:
            return parser(row)
        except parse.MissingRight as right:
            raise ConnectionProblem(f"The Canvas token works, but may not {right}.", code="GS-203") from None
        except (Malformed, KeyError, TypeError, AttributeError):
            raise self._client.unclear("a record is not of the documented shape.") from None


class CanvasConnector(CanvasReader):
    """Canvas with SIS imports. `change_threshold` is Canvas's own brake in percent, `drop_status` what becomes of
    enrollments gone from the files: `inactive` keeps their grades readable (canvas.md 5.6.37)."""

    def __init__(
        self,
        client: HttpClient,
        scope: Scope = _USUAL,
        *,
        page_size: int = 100,
        change_threshold: int = 10,
        drop_status: str = "inactive",
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        super().__init__(client, scope, page_size=page_size, now=now)
        self._change_threshold = change_threshold
        self._drop_status = drop_status

    async def start_import(self, files: Mapping[str, str], *, data_set: str, remaster: bool) -> ImportStatus:
        """Send the files as one zip with diffing against `data_set` (at most 128 bytes).

        Keep file names and their number the same from run to run: newer Canvas pairs files by name (canvas.md 2.6).
        Raises GS-606 when Canvas will not start such an import.
        """
        if not 0 < len(data_set.encode()) <= 128 or not data_set.isprintable() or '"' in data_set:
            raise GradesyncError("the name of the import's data set is not usable")
        fields = {
            "import_type": "instructure_csv",
            "extension": "zip",
            "diffing_data_set_identifier": data_set,
            "diffing_drop_status": self._drop_status,
            "change_threshold": str(self._change_threshold),
            # What vanished from a read is never deleted: the diff's own delete rows (courses, sections, people) are
            # passed over; enrollments carry the drop status above and are not deletions (canvas.md 2.2).
            "skip_deletes": "true",
        }
        if remaster:
            fields["diffing_remaster_data_set"] = "true"
        body, content_type = upload.form(fields, upload.packed(files))
        try:
            reply = await self._client.upload(_IMPORTS, body=body, content_type=content_type)
        except ConnectionProblem as problem:
            if problem.code != "GS-306":
                raise
            raise ConnectionProblem(
                "Canvas would not start the import.",
                code="GS-606",
                status=problem.status,
                vendor_text=problem.vendor_text,
            ) from None
        return self._status(reply)

    async def import_status(self, import_id: int) -> ImportStatus:
        """Where the import is; decide on `state`, never on `progress` (canvas.md 2.3)."""
        return self._status(await self._client.get(_IMPORTS + "/{}", import_id))

    def _status(self, reply: Reply) -> ImportStatus:
        return self._read(parse.import_status, reply.json())
