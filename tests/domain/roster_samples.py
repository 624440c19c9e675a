"""A small roster to bend in tests: one school, two semesters, one year-long class and one of the first semester."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from pathlib import Path

from gradesync.domain.account import RosterMapping
from gradesync.domain.roster import (
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.domain.roster_csv import CanvasFile, CanvasFiles, Row, csv_text, headers
from gradesync.domain.roster_mapping import canvas_files

TODAY = date(2026, 11, 23)
ZONE = "America/New_York"
USUAL = RosterMapping()

YEAR = AcademicSession("Y", "2026-2027", "schoolYear", date(2026, 7, 1), date(2027, 7, 1), None, "2027")
FALL = AcademicSession("S1", "Fall", "semester", date(2026, 7, 1), date(2027, 2, 1), "Y", "2027")
SPRING = AcademicSession("S2", "Spring", "semester", date(2027, 2, 1), date(2027, 7, 1), "Y", "2027")
LAST_YEAR = AcademicSession(
    "OLD", "2025-2026", "schoolYear", date(2025, 7, 1), date(2026, 7, 1), None, "2026"
)


def person(id: str, role: str = "student", *, enabled: bool = True) -> RosterUser:
    return RosterUser(id, f"login-{id}", "Ada", "Example", f"{id}@school.example", role, enabled)


def seat(
    user_id: str,
    class_id: str = "BIO",
    role: str = "student",
    begin: date | None = None,
    end: date | None = None,
) -> RosterEnrollment:
    return RosterEnrollment(user_id, class_id, role, begin, end)


def sample(**changes: object) -> Roster:
    """The sample roster with some of its parts replaced."""
    roster = Roster(
        orgs=(Org("D", "District", "district"), Org("001", "High School", "school", "D")),
        sessions=(YEAR, FALL, SPRING),
        courses=(RosterCourse("C1", "Biology", "BIO", "001"), RosterCourse("C2", "Art", "ART", "001")),
        classes=(
            RosterClass("BIO", "Biology - Section 1", "BIO-01", "C1", "001", ("S1", "S2")),
            RosterClass("ART", "", "ART-01", "C2", "001", ("S1",)),
        ),
        users=(
            person("s1"),
            person("s2"),
            person("t1", "teacher"),
            person("a1", "aide"),
            person("g1", "guardian"),
        ),
        enrollments=(
            seat("s1"),
            seat("s2"),
            seat("s1", "ART"),
            seat("t1", role="teacher"),
            seat("a1", role="teacher"),
        ),
    )
    return replace(roster, **changes)  # type: ignore[arg-type]  # parts are named by the test


def table(files: CanvasFiles, kind: str) -> list[dict[str, str]]:
    """The rows of one file, read back by a CSV reader that knows nothing of how it was written."""
    return list(csv.DictReader(io.StringIO(text_of(files, kind), newline="")))


_TEXTS: dict[str, str] = {}


class Texts:
    """Files in memory (`RowFiles`); `text_of` finds them again by their digest."""

    def __init__(self, mapping: RosterMapping = USUAL) -> None:
        self._headers = headers(mapping)
        self._texts: dict[str, str] = {}

    def add(self, kind: str, rows: Iterable[Row]) -> int:
        kept = list(rows)
        self._texts[kind] = self._texts.get(kind) or csv_text([self._headers[kind]])
        self._texts[kind] += csv_text(kept)
        return len(kept)

    def finished(self) -> dict[str, CanvasFile]:
        found = {}
        for kind, text in self._texts.items():
            content = text.encode()
            one = CanvasFile(Path(f"{kind}.csv"), len(content), hashlib.sha256(content).hexdigest())
            _TEXTS[one.digest] = text
            found[f"{kind}.csv"] = one
        return found


def text_of(files: CanvasFiles, kind: str) -> str:
    """The text of a file written to `Texts`."""
    return _TEXTS[files.files[f"{kind}.csv"].digest]


def files_of(roster: Roster, today: date = TODAY, mapping: RosterMapping = USUAL) -> CanvasFiles:
    """The sample district's files."""
    return canvas_files(roster, Texts(mapping), mapping, time_zone=ZONE, today=today)
