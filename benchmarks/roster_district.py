"""A made-up district as its SIS would show it: rows of OneRoster 1.1 CSV, and the same records as JSON pages.

Row by row from nothing but their number, so that a district of any size costs no memory. Nothing is measured here.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from gradesync.domain.roster import AcademicSession, Org, RosterCourse

TODAY = date(2026, 11, 23)
TIME_ZONE = "America/New_York"
CLASSES_EACH, CLASS_SIZE, SCHOOLS, COURSES = 8, 25, 40, 1200
YEAR = AcademicSession("Y27", "2026-2027", "schoolYear", date(2026, 7, 1), date(2027, 7, 1), None, "2027")
FALL = AcademicSession("Y27-S1", "Fall", "semester", date(2026, 7, 1), date(2027, 2, 1), "Y27", "2027")
SPRING = AcademicSession("Y27-S2", "Spring", "semester", date(2027, 2, 1), date(2027, 7, 1), "Y27", "2027")
ORGS = (
    Org("D", "District", "district"),
    *(Org(f"{n:03}", f"School {n}", "school", "D") for n in range(SCHOOLS)),
)
CATALOGUE = tuple(RosterCourse(f"CRS-{n:04}", f"Course {n}", f"{n:04}", "D") for n in range(COURSES))
GIVEN, FAMILY = (
    ("Ada", "Béla", "Chloé", "Dmitri", "Eve", "Fatima"),
    ("Lee", "O'Neil", "Núñez", "Smith, Jr.", "Zhou"),
)

Cells = list[str]
Json = dict[str, Any]


def classes(students: int) -> Iterator[Cells]:
    """Rows of classes.csv."""
    for n in range(students * CLASSES_EACH // CLASS_SIZE):
        terms = "Y27-S1,Y27-S2" if n % 2 else "Y27-S1"
        course = n % COURSES
        yield [
            *(
                _class(n),
                "",
                "",
                f"Course {course} - Section {n % 9}",
                "10",
                f"CRS-{course:04}",
                f"{course:04}-{n % 9}",
            ),
            *("scheduled", f"R{n % 300}", f"{n % SCHOOLS:03}", terms, "", "", str(n % 8)),
        ]


def users(students: int) -> Iterator[Cells]:
    """Rows of users.csv: students, and a teacher for every five classes."""
    for n in range(students):
        yield _person(f"{100_000 + n}", "student", n)
    for n in range(students * CLASSES_EACH // CLASS_SIZE // 5):
        yield _person(f"T{10_000 + n}", "teacher", n)


def enrollments(students: int, missing: int = 0) -> Iterator[Cells]:
    """Rows of enrollments.csv in the order of people; every `missing`th student's last one is left out."""
    count = students * CLASSES_EACH // CLASS_SIZE
    for n in range(count):
        yield _seat(f"T{10_000 + n // 5}", n, "teacher", "true")
    for n in range(students):
        taken = CLASSES_EACH - (1 if missing and n % missing == 0 else 0)
        for k in range(taken):
            yield _seat(f"{100_000 + n}", (n * CLASSES_EACH + k * 7919) % count, "student", "false")


def page_of_class(row: Cells) -> Json:
    """The class as JSON."""
    return {
        **_json(row),
        "title": row[3],
        "classCode": row[6],
        "course": _ref(row[5], "course"),
        "school": _ref(row[9], "org"),
        "terms": [_ref(one, "academicSession") for one in row[10].split(",")],
    }


def page_of_user(row: Cells) -> Json:
    """The person as JSON."""
    return {
        **_json(row),
        "username": row[6],
        "enabledUser": row[3],
        "givenName": row[8],
        "familyName": row[9],
        "role": row[5],
        "identifier": row[11],
        "email": row[12],
        "orgs": [_ref(row[4], "org")],
        "agents": [],
    }


def page_of_enrollment(row: Cells) -> Json:
    """The enrollment as JSON."""
    return {
        **_json(row),
        "user": _ref(row[5], "user"),
        "class": _ref(row[3], "class"),
        "school": _ref(row[4], "org"),
        "role": row[6],
        "primary": row[7],
        "beginDate": row[8],
        "endDate": row[9] or None,
    }


def _class(number: int) -> str:
    return f"{number % SCHOOLS:03}-27-{number:05}"


def _person(id: str, role: str, n: int) -> Cells:
    login = f"{role[0]}{id}"
    return [
        *(
            id,
            "",
            "",
            "true",
            f"{n % SCHOOLS:03}",
            role,
            login,
            "",
            GIVEN[n % 6],
            f"{FAMILY[n % 5]} {n % 97}",
            "",
        ),
        *(f"7{id}", f"{login}@district.example", "", "", "", "10", ""),
    ]


def _seat(person: str, number: int, role: str, primary: str) -> Cells:
    of_class = _class(number)
    end = "2027-02-01" if number % 2 == 0 else ""
    return [f"{person}-{of_class}", "", "", of_class, of_class[:3], person, role, primary, "2026-09-01", end]


def _json(row: Cells) -> Json:
    return {"sourcedId": row[0], "status": "active", "dateLastModified": "2026-09-01T00:00:00.000Z"}


def _ref(id: str, kind: str) -> Json:
    return {"href": f"https://sis.example/ims/oneroster/v1p1/{kind}s/{id}", "sourcedId": id, "type": kind}
