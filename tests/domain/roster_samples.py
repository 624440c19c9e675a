"""A small roster to bend in tests: one school, two semesters, one year-long class and one of the first semester."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date

from gradesync.domain.roster import (
    AcademicSession,
    Org,
    Roster,
    RosterClass,
    RosterCourse,
    RosterEnrollment,
    RosterUser,
)
from gradesync.domain.roster_csv import CanvasFiles

TODAY = date(2026, 11, 23)
ZONE = "America/New_York"

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
    return RosterEnrollment(
        f"E-{user_id}-{class_id}-{begin}-{end}-{role}", user_id, class_id, role, begin, end
    )


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
    return list(csv.DictReader(io.StringIO(files.files[f"{kind}.csv"], newline="")))
