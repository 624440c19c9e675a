"""What is remembered of each course between two passbacks, and of the account as a whole.

A course's mark says what its assignments looked like, under which policy and roster it was decided, and which changed
rows have been decided already; the account's says since when changes are to be told. A course without a mark is read
whole. Nothing here reads Canvas or the SIS.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from gradesync.domain.gradebook import CourseGradebook, Submission
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.line_item import fingerprint, item_subject
from gradesync.domain.places import section_place
from gradesync.domain.record import LINE_ITEM
from gradesync.ports import ReadRecords

OVERLAP = timedelta(minutes=10)
"""How far a delta looks back before its watermark: long transactions in Canvas commit late (canvas.md 5.1)."""

CHANGES = "changes"
"""The account's watermark: Canvas's clock at the first answer of the last listing of changes that was carried whole."""

FOLLOWED = "changes:courses"
"""The courses that listing named. One that is missing from the next may have been passed over, and is read whole."""

_SAID = attrgetter(*(one.name for one in fields(Submission)))


@dataclass(frozen=True, slots=True)
class Mark:
    """A course as it was when it was last carried.

    `assignments` is a fingerprint of them as REST shows them, `stamp` one of them as a listing of changes does ("":
    not known), `decided` the rows of that listing that need no second look while they stay as they are.
    """

    at: datetime
    assignments: str
    stamp: str
    decided: frozenset[str]


@dataclass
class CourseMarks:
    """Reads marks, and collects new ones in `fresh` until somebody stores them.

    `policy` and `roster` are the present ones: a mark made under others counts as none, because what was decided
    then may be decided otherwise now (a roster may have brought people whose grades waited, GS-503 and GS-417).
    So does the mark of a course with a class in `again`: what waits there is worth another look.
    """

    records: ReadRecords
    keyed: KeyedHash
    policy: str
    roster: str | None
    again: frozenset[str] = frozenset()
    fresh: dict[str, str] = field(default_factory=dict)

    def known(self, course_id: int) -> Mark | None:
        """The course's mark if it still counts."""
        mark = self._stored(_name(course_id))
        if not mark or mark.get("policy") != self.policy or mark.get("roster") != self.roster:
            return None
        if self.again and not self.again.isdisjoint(mark.get("classes", self.again)):
            return None
        if "at" not in mark:
            return None
        return Mark(
            datetime.fromisoformat(mark["at"]),
            mark["assignments"],
            mark.get("stamp", ""),
            frozenset(mark.get("decided", ())),
        )

    def put(self, book: CourseGradebook, at: datetime, stamp: str, decided: Iterable[str]) -> None:
        """The course was carried whole, or what had changed of it."""
        self.fresh[_name(book.course.id)] = json.dumps(
            {
                "at": at.isoformat(),
                "assignments": self.assignments(book),
                "stamp": stamp,
                "decided": sorted(decided),
                "classes": self._classes(book),
                "policy": self.policy,
                "roster": self.roster,
            }
        )

    def _classes(self, book: CourseGradebook) -> list[str]:
        """What waiting rows call the course's classes. A delta names only those in which something moved."""
        known = () if book.complete else self._stored(_name(book.course.id)).get("classes", ())
        course = book.course.id
        named = {one.section_sis_id or section_place(course, one.section_id) for one in book.students}
        return sorted({*known, *named})

    def drop(self, course_id: int) -> None:
        """The course is owed: it is read whole next time, whatever the account's watermark says by then."""
        name = _name(course_id)
        self.fresh.pop(name, None)
        stored = self._stored(name)
        if "at" in stored:
            # Its classes are still known: what waits in them must not be forgotten while it cannot be read.
            self.fresh[name] = json.dumps({"classes": stored.get("classes", [])})

    def classes(self, course_id: int) -> frozenset[str]:
        """What waiting rows call the course's classes, as far as it was ever read."""
        return frozenset(self._stored(_name(course_id)).get("classes", ()))

    def linked(self, course_id: int, assignments: Collection[int]) -> frozenset[int]:
        """Those of `assignments` that have a line item in the SIS, whatever their flag says now."""
        ledgers = {id: self.records.ledger(id) for id in self.classes(course_id)} if assignments else {}
        return frozenset(
            one
            for one in assignments
            for class_id, ledger in ledgers.items()
            if (LINE_ITEM, item_subject(self.keyed, one, class_id)) in ledger
        )

    def take(self) -> Mapping[str, str]:
        """What is to be stored now."""
        taken, self.fresh = self.fresh, {}
        return taken

    # - the account -

    def changes_since(self) -> datetime | None:
        """Canvas's clock of the last listing of changes; None when there was none."""
        at = self._stored(CHANGES).get("at")
        return datetime.fromisoformat(at) if at else None

    def same_policy(self) -> bool:
        """Whether the last run that went through was one of this very definition."""
        return bool(self._stored(CHANGES).get("policy") == self.policy)

    def carried(self, at: datetime | None, courses: Iterable[int] | None) -> None:
        """The run went through. `at` and `courses` None: no listing of changes was read to its end."""
        before = self._stored(CHANGES)
        after = {"at": at.isoformat() if at is not None else before.get("at"), "policy": self.policy}
        if after != before:
            self.fresh[CHANGES] = json.dumps(after)
        if courses is None:
            return
        named = ",".join(map(str, sorted(courses)))
        if named != (self.records.watermark(FOLLOWED) or ""):
            self.fresh[FOLLOWED] = named

    def followed(self) -> frozenset[int]:
        """Courses of the last listing of changes."""
        text = self.records.watermark(FOLLOWED)
        return frozenset(map(int, text.split(","))) if text else frozenset()

    # - what a mark is made of -

    def assignments(self, book: CourseGradebook) -> str:
        """The fingerprint of a course's assignments as REST shows them."""
        return fingerprint(book.assignments, self.keyed)

    def stamp(self, stamp: str) -> str:
        """A stamp as it is kept: keyed, for it is made of titles."""
        return self.keyed("stamp", stamp) if stamp else ""

    def row(self, submission: Submission) -> str:
        """A changed row as it is remembered: equal only for a row that says the very same."""
        return self.keyed("row", "|".join(map(str, _SAID(submission))))[:16]

    def _stored(self, name: str) -> dict[str, Any]:
        text = self.records.watermark(name)
        return json.loads(text) if text else {}


def _name(course_id: int) -> str:
    return f"course:{course_id}"
