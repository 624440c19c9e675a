"""Canvas as the source of grades and as the sink of rosters (ports GradebookSource, RosterReader, RosterSink).

Which endpoints, which parameters, in which order; shapes are `parse`'s, pages `paging`'s. Endpoints and their traps:
canvas.md 2.1, 2.2, 3.2-3.4, 5. `post_to_sis` is never sent as a filter, because it drops students whom no SIS import
touched (5.2.12); the flag is read instead.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gradesync.connectors.canvas import parse, upload
from gradesync.connectors.canvas.changes import ChangeListing, NotOffered
from gradesync.connectors.canvas.import_words import import_message
from gradesync.connectors.canvas.paging import Listing, Row
from gradesync.connectors.canvas.rosters import IMPORTS, ImportReader
from gradesync.connectors.http import HttpClient
from gradesync.connectors.reply import Reply
from gradesync.connectors.tasks import together
from gradesync.connectors.wire import stamp, text_of
from gradesync.domain.account import Scope
from gradesync.domain.gradebook import CanvasCourse, CourseChange, CourseGradebook, Submission
from gradesync.domain.roster import ImportStatus
from gradesync.domain.roster_rows import RowMessage
from gradesync.errors import ConnectionProblem, GradesyncError
from gradesync.ports import ChangeFeed

_API = "/api/v1"
_COURSES = (
    ("state[]", "available"),
    ("state[]", "completed"),
    # Not published: nothing can be read of them, and that must be told where grades were carried before.
    ("state[]", "claimed"),
    ("state[]", "created"),
    ("with_enrollments", "true"),
    ("include[]", "term"),
)
_TERMS = (("workflow_state[]", "active"),)
# A token that may not list terms, or a Canvas without them, is read course by course.
_NO_TERMS = frozenset({"GS-203", "GS-305"})
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
# A page of a grouped listing holds all work of its students; Canvas has timed out on larger ones.
_LARGEST_GROUP_PAGE = 50
# In percent. Sizes are measured with the zip around the files, so a change that is known is given some leeway.
_LEEWAY, _LARGEST_THRESHOLD = 5, 100
_USUAL = Scope()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CanvasReader(ImportReader):
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
        super().__init__(client, page_size=page_size, now=now)
        self._scope = scope
        self._follows = True

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
        """Courses with enrollments that are not deleted, sub-accounts included (canvas.md 3.3)."""
        now = self._now()
        seen: set[int] = set()
        async for page in self._listing("/accounts/self/courses", query=_COURSES).pages():
            for row in page:
                course = self._read(parse.course, row)
                # Pages are numbered: a course created meanwhile shows its neighbour twice.
                if course.id not in seen and parse.course_in_scope(row, self._scope, now):
                    seen.add(course.id)
                    yield course

    async def changes(self, since: datetime | None) -> ChangeFeed | None:
        """What changed after `since`, many courses to a request; None when this key or Canvas has no GraphQL.

        A refusal is remembered: a run asks once.
        """
        if not self._follows:
            return None
        terms = self._listing("/accounts/self/terms", query=_TERMS, key="enrollment_terms")
        try:
            ids = self._term_ids(await terms.rows())
            listing = ChangeListing(self._client, ids, since)
            courses = listing.courses()
            # The first page tells whether there will be others.
            first = await anext(courses, None) if ids else None
        except (NotOffered, ConnectionProblem) as problem:
            if isinstance(problem, ConnectionProblem) and problem.code not in _NO_TERMS:
                raise
            self._follows = False
            return None
        return ChangeFeed(self._read_at((terms,)), _from(first, courses)) if ids else None

    def _term_ids(self, rows: Sequence[Row]) -> dict[int, str | None]:
        now = self._now()
        return {
            self._read(lambda one: parse.whole(one, "id"), row): text_of(row.get("sis_term_id")) or None
            for row in rows
            if self._read(lambda one: parse.term_in_scope(one, self._scope, now), row)
        }

    async def read_around(self, course: CanvasCourse, submissions: tuple[Submission, ...]) -> CourseGradebook:
        """Assignments and students around submissions that `changes` told."""
        work, people = self._work(course), self._people(course)
        await together([*(one.fill() for one in work), people.fill()])
        return self._book(course, work, people.held, submissions, complete=False)

    async def read_course(self, course: CanvasCourse, since: datetime | None) -> CourseGradebook:
        """All of a course, or its assignments and what was graded strictly after `since` (canvas.md 3.4)."""
        work, people = self._work(course), self._people(course)
        listing = self._grouped(course) if since is None else self._flat(course, since)
        reads: list[Awaitable[Any]] = [self._submissions(listing, since), *(one.fill() for one in work)]
        if since is None:
            reads.append(people.fill())
        submissions, *_ = await together(reads)
        if since is not None and submissions:
            await people.fill()
        book = self._book(course, work, people.held, tuple(submissions), complete=since is None)
        return replace(book, read_at=self._read_at((*work, listing)))

    def _work(self, course: CanvasCourse) -> tuple[Listing, Listing]:
        assignments = self._listing("/courses/{}/assignments", course.id, query=_ASSIGNMENTS)
        return assignments, self._listing("/courses/{}/assignment_groups", course.id)

    def _people(self, course: CanvasCourse) -> Listing:
        return self._listing("/courses/{}/enrollments", course.id, query=_STUDENTS)

    def _book(
        self,
        course: CanvasCourse,
        work: tuple[Listing, Listing],
        people: Sequence[Row],
        submissions: tuple[Submission, ...],
        *,
        complete: bool,
    ) -> CourseGradebook:
        assignments, groups = work
        names = self._read(parse.group_names, groups.held)
        return CourseGradebook(
            course=course,
            assignments=tuple(
                self._read(lambda row: parse.assignment(row, names), row) for row in assignments.held
            ),
            students=tuple(self._read(parse.student, row) for row in people),
            submissions=submissions,
            complete=complete,
            read_at=self._read_at(work),
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


async def _from(
    first: CourseChange | None, rest: AsyncGenerator[CourseChange, None]
) -> AsyncGenerator[CourseChange, None]:
    """The changes with the first one, which was read to see whether there are any, in its place."""
    async with aclosing(rest):
        if first is not None:
            yield first
        async for one in rest:
            yield one


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

    async def start_import(
        self,
        files: Mapping[str, Path],
        *,
        data_set: str | None,
        remaster: bool,
        expected_change: int = 0,
        deletes: bool = False,
    ) -> ImportStatus:
        """Send the files, from disk, as one zip with diffing against `data_set` (at most 128 bytes).

        Without a data set the rows are applied as they are and compared with nothing. `expected_change` is by how
        many percent the files' size is known to change: Canvas's brake must not stop what was decided on. `deletes` is
        for files whose vanished rows are to be deleted. Keep file names and their number the same from run to run:
        newer Canvas pairs files by name (canvas.md 2.6). Raises GS-606 when Canvas will not start such an import.
        """
        if data_set is not None and not _is_name(data_set):
            raise GradesyncError("the name of the import's data set is not usable")
        fields = {"import_type": "instructure_csv", "extension": "zip"}
        if not deletes:
            # What vanished from a read is never deleted: the diff's own delete rows (courses, sections, people) are
            # passed over; enrollments carry the drop status above and are not deletions (canvas.md 2.2).
            fields["skip_deletes"] = "true"
        if data_set is not None:
            fields |= {"diffing_data_set_identifier": data_set, "diffing_drop_status": self._drop_status}
            threshold = max(self._change_threshold, expected_change + _LEEWAY if expected_change else 0)
            # No limit can express that a file more than doubles.
            if threshold <= _LARGEST_THRESHOLD:
                fields["change_threshold"] = str(threshold)
            if remaster:
                fields["diffing_remaster_data_set"] = "true"
        try:
            with upload.packed(files) as archive:
                form = upload.form(fields, archive)
                reply = await self._client.upload(
                    IMPORTS, body=form.chunks, length=form.length, content_type=form.content_type
                )
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
        return self._status(await self._client.get(IMPORTS + "/{}", import_id))

    async def import_messages(self, import_id: int) -> AsyncIterator[RowMessage]:
        """Every message of an import by its row; texts become codes here and go no further."""
        listing = self._listing("/accounts/self/sis_imports/{}/errors", import_id, key="sis_import_errors")
        async for page in listing.pages():
            for row in page:
                yield self._read(import_message, row)

    def _status(self, reply: Reply) -> ImportStatus:
        return self._read(parse.import_status, reply.json())


def _is_name(data_set: str) -> bool:
    """Whether Canvas takes it as it is; a longer name would be cut and meet another's."""
    return 0 < len(data_set.encode()) <= 128 and data_set.isprintable() and '"' not in data_set
