"""Which courses a passback must look at, and how much of each it reads (canvas.md 3.7, 5.1, 6).

Where Canvas tells what changed in the whole account, a quiet course costs nothing; where it does not, every course is
asked. Disappearances show in a full reading only, so a delta never concludes anything from what is missing in it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection
from dataclasses import dataclass, field
from datetime import datetime

from gradesync.domain.gradebook import CanvasCourse, CourseChange, CourseGradebook, Submission
from gradesync.domain.run import Mode
from gradesync.errors import ConnectionProblem
from gradesync.ports import ChangeFeed
from gradesync.syncs.course_marks import OVERLAP, CourseMarks, Mark
from gradesync.syncs.passback_job import PassbackJob, ends_run

_READABLE = frozenset({"available", "completed"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A course to look at: whole when `mark` is None, else `rows` alone, or (rows None) what was graded since.

    `told` are all rows the listing of changes named, `decided` what a mark calls them, `at` the listing's clock and
    `stamp` its stamp, keyed.
    """

    course: CanvasCourse
    mark: Mark | None = None
    rows: tuple[Submission, ...] | None = None
    told: tuple[Submission, ...] = ()
    decided: frozenset[str] = frozenset()
    at: datetime | None = None
    stamp: str = ""


@dataclass
class CourseReading:
    """Reads courses for one job. `total` is how many there are to look at, once that is known.

    `unpublished` are the classes of courses that were read before and are not published now.
    """

    job: PassbackJob
    marks: CourseMarks
    total: int | None = None
    _feed: ChangeFeed | None = None
    _followed_at: datetime | None = None
    _followed: set[int] = field(default_factory=set)
    unpublished: set[str] = field(default_factory=set)

    # - which -

    async def open(self) -> None:
        """Ask whether Canvas tells what changed in the whole account; before `pieces`."""
        if self.job.class_filter is None:
            at = self.marks.changes_since()
            self._feed = await self.job.source.changes(None if at is None else at - OVERLAP)

    @property
    def follows(self) -> bool:
        """Whether it does."""
        return self._feed is not None

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Every course that must be looked at."""
        if self.job.class_filter is not None:
            async for course in self._open_courses():
                yield Piece(course)
            return
        if self.job.mode is Mode.FULL:
            pieces = self._all(self._feed)
        elif self._feed is not None:
            pieces = self._changed(self._feed)
        else:
            pieces = self._one_by_one(())
        async for piece in pieces:
            yield piece

    async def _all(self, feed: ChangeFeed | None) -> AsyncGenerator[Piece, None]:
        """Every course whole. What has changed lately is asked first, so that the next delta need not ask again."""
        told: dict[int, CourseChange] = {}
        if feed is not None:
            try:
                async for change in feed.courses:
                    told[change.course.id] = change
                    if change.course.state not in _READABLE:
                        self._shut(change.course)
                self._through(feed, told.keys())
            except ConnectionProblem as problem:
                if ends_run(problem):
                    raise
        courses = [course async for course in self._open_courses()]
        self.total = len(courses)
        for course in courses:
            change_ = told.get(course.id)
            if change_ is None:
                yield Piece(course)
            else:
                yield Piece(course, told=change_.submissions or (), stamp=self.marks.stamp(change_.stamp))

    async def _changed(self, feed: ChangeFeed) -> AsyncGenerator[Piece, None]:
        """The courses in which something moved. A listing that breaks off is made up by asking the rest.

        It is read to its end before the first course: whoever waits for a first passback is told how many there are.
        """
        seen: set[int] = set()
        pieces: list[Piece] = []
        whole = True
        try:
            async for change in feed.courses:
                seen.add(change.course.id)
                piece = self._piece(change, feed.read_at)
                if piece is not None:
                    pieces.append(piece)
        except ConnectionProblem as problem:
            if ends_run(problem):
                raise
            whole = False
        self.total = len(pieces)
        for piece in pieces:
            yield piece
        if not whole:
            async for piece in self._one_by_one(seen):
                yield piece
            return
        for course_id in self.marks.followed() - seen:
            # Gone from its term; or, while pages were read, moved past the offset they are counted by.
            self.marks.drop(course_id)
        self._through(feed, seen)

    def _piece(self, change: CourseChange, at: datetime) -> Piece | None:
        course, told = change.course, change.submissions
        if course.state not in _READABLE:
            self._shut(course)
            return None
        mark, stamp = self.marks.known(course.id), self.marks.stamp(change.stamp)
        if mark is None:
            return Piece(course, told=told or (), stamp=stamp)
        if told is None:
            return Piece(course, mark, stamp=mark.stamp)
        if mark.stamp != stamp:
            # A changed assignment can free scores that no delta would tell again.
            return Piece(course, told=told, stamp=stamp)
        # Work that is not meant for the SIS is graded too; were it ever flagged, its stamp would move. What has a
        # column there is looked at all the same: Canvas clears the flags of a closed period (canvas.md 5.1.5).
        others = {row.assignment_id for row in told} - change.meant
        wanted = change.meant | self.marks.linked(course.id, others)
        told = tuple(row for row in told if row.assignment_id in wanted)
        names = [self.marks.row(row) for row in told]
        rows = tuple(row for row, name in zip(told, names, strict=True) if name not in mark.decided)
        return Piece(course, mark, rows, told, frozenset(names), at, stamp) if rows else None

    async def _open_courses(self) -> AsyncGenerator[CanvasCourse, None]:
        async for course in self.job.source.courses():
            if course.state in _READABLE:
                yield course
            elif self.job.class_filter is None:
                self._shut(course)

    def _shut(self, course: CanvasCourse) -> None:
        """Nothing can be read of it; when it comes back, all that happened meanwhile is owed."""
        if course.state == "unpublished":
            self.unpublished |= self.marks.classes(course.id)
        self.marks.drop(course.id)

    async def _one_by_one(self, seen: Collection[int]) -> AsyncGenerator[Piece, None]:
        courses = [one async for one in self._open_courses() if one.id not in seen]
        self.total = (self.total or 0) + len(courses)
        for course in courses:
            mark = self.marks.known(course.id)
            yield Piece(course, mark, stamp=mark.stamp if mark is not None else "")

    def _through(self, feed: ChangeFeed, courses: Collection[int]) -> None:
        self._followed_at, self._followed = feed.read_at, set(courses)

    # - how much -

    async def read(self, piece: Piece) -> CourseGradebook | None:
        """The course as far as it must be looked at; None when a delta shows that nothing changed."""
        source, mark = self.job.source, piece.mark
        if mark is None:
            return await source.read_course(piece.course, None)
        if piece.rows is not None:
            book = await source.read_around(piece.course, piece.rows)
        else:
            # All before the account's watermark has been told and carried.
            since = max(mark.at, self.marks.changes_since() or mark.at) - OVERLAP
            book = await source.read_course(piece.course, since)
        if self.marks.assignments(book) != mark.assignments:
            return await source.read_course(piece.course, None)
        return book if book.submissions else None

    # - afterwards -

    def carried(self, piece: Piece, book: CourseGradebook) -> None:
        """All that was read of the course is in the SIS, or on record as not to be."""
        if self.job.class_filter is not None:
            return
        decided = piece.decided
        if book.complete:
            # What counts is how the rows stood when the course was read, a little after they were told.
            told = {(one.assignment_id, one.user_id) for one in piece.told}
            decided = frozenset(
                self.marks.row(one) for one in book.submissions if (one.assignment_id, one.user_id) in told
            )
        at = book.read_at if book.complete or piece.at is None else piece.at
        if piece.rows is None and piece.mark is not None:
            decided |= piece.mark.decided
        self.marks.put(book, at, piece.stamp, decided)

    def owed(self, course: CanvasCourse) -> None:
        """Some of the course was not carried."""
        if self.job.class_filter is None:
            self.marks.drop(course.id)

    def through(self) -> None:
        """The run went through: what is owed is on record course by course, so the account's watermark may move."""
        if self.job.class_filter is None:
            courses = self._followed if self._followed_at is not None else None
            self.marks.carried(self._followed_at, courses)
