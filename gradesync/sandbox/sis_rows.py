"""A district's facts as OneRoster 1.1 rows: the JSON objects a roster read answers with.

Pure translation, once at start. Booleans are strings, dates are YYYY-MM-DD, date-times UTC with
milliseconds, and every reference carries href, sourcedId and type, as 1.1 wants them. No HTTP and no
gradebook may live here.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from gradesync.sandbox.district import Class, Course, District, Enrollment, Person, Session
from gradesync.sandbox.sis_errors import Json

API = "/ims/oneroster/v1p1"

# The path a reference of each type points to.
_PATHS = {
    "org": "orgs",
    "academicSession": "academicSessions",
    "course": "courses",
    "class": "classes",
    "user": "users",
    "category": "categories",
    "lineItem": "lineItems",
}


def reference(kind: str, sourced_id: str, base: str) -> Json:
    """A OneRoster reference; `base` is the absolute API root."""
    return {
        "href": f"{base}/{_PATHS[kind]}/{quote(sourced_id, safe='')}",
        "sourcedId": sourced_id,
        "type": kind,
    }


def stamp(moment: datetime) -> str:
    """A date-time as OneRoster wants it: UTC, milliseconds, Z."""
    utc = moment.astimezone(UTC)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond // 1000:03d}Z"


def roster_rows(district: District, base: str) -> dict[str, dict[str, Json]]:
    """Every roster row by kind (orgs, academicSessions, courses, ... and categories) and sourcedId."""
    rows: dict[str, list[Json]] = {
        "orgs": _orgs(district, base),
        "academicSessions": [_session(s, district, base) for s in district.sessions],
        "courses": [_course(c, district, base) for c in district.courses],
        "classes": [_class(c, district, base) for c in district.classes],
        "users": [_user(p, base) for p in district.people],
        "enrollments": [_enrollment(e, base) for e in district.enrollments],
        "categories": [{"sourcedId": c.sourced_id, "title": c.title} for c in district.categories],
    }
    # Rows were last touched before "today", each at its own second: filters on the date have work to do.
    start = datetime(district.today.year, district.today.month, district.today.day, tzinfo=UTC)
    filled: dict[str, dict[str, Json]] = {}
    for kind, items in rows.items():
        filled[kind] = {}
        for number, row in enumerate(items):
            changed = stamp(start - timedelta(days=1, seconds=number * 7 % 5_000_000))
            head = {
                "sourcedId": row.pop("sourcedId"),
                "status": row.pop("status", "active"),
                "dateLastModified": changed,
            }
            filled[kind][head["sourcedId"]] = head | row
    return filled


def _orgs(district: District, base: str) -> list[Json]:
    schools = [reference("org", s.sourced_id, base) for s in district.schools]
    top: Json = {
        "sourcedId": district.org_id,
        "name": district.name,
        "type": "district",
        "identifier": district.org_id,
        "children": schools,
    }
    parent = reference("org", district.org_id, base)
    return [top] + [
        {
            "sourcedId": s.sourced_id,
            "name": s.name,
            "type": "school",
            "identifier": s.identifier,
            "parent": parent,
            "children": [],
        }
        for s in district.schools
    ]


def _session(session: Session, district: District, base: str) -> Json:
    children = [s.sourced_id for s in district.sessions if s.parent_id == session.sourced_id]
    row: Json = {
        "sourcedId": session.sourced_id,
        "title": session.title,
        "type": session.kind,
        "startDate": session.start.isoformat(),
        "endDate": session.end.isoformat(),
        "schoolYear": session.school_year,
        "children": [reference("academicSession", child, base) for child in children],
    }
    if session.parent_id is not None:
        row["parent"] = reference("academicSession", session.parent_id, base)
    return row


def _course(course: Course, district: District, base: str) -> Json:
    return {
        "sourcedId": course.sourced_id,
        "title": course.title,
        "courseCode": course.code,
        "schoolYear": reference("academicSession", district.sessions[0].sourced_id, base),
        "grades": ["09", "10", "11", "12"],
        "subjects": [course.title],
        "subjectCodes": [course.code[:3]],
        "org": reference("org", course.school_id, base),
    }


def _class(row: Class, district: District, base: str) -> Json:
    title = next((c.title for c in district.courses if c.sourced_id == row.course_id), row.title)
    return {
        "sourcedId": row.sourced_id,
        "title": row.title,
        "classCode": row.code,
        "classType": "homeroom" if row.code.startswith("HR-") else "scheduled",
        "location": f"Room {100 + sum(map(ord, row.code)) % 200}",
        "grades": ["09", "10", "11", "12"],
        "subjects": [title],
        "course": reference("course", row.course_id, base),
        "school": reference("org", row.school_id, base),
        "terms": [reference("academicSession", term, base) for term in row.term_ids],
        "periods": [row.period],
    }


def _user(person: Person, base: str) -> Json:
    row: Json = {
        "sourcedId": person.sourced_id,
        "username": person.username,
        "userIds": [{"type": "state", "identifier": f"NJSMID-{person.username[-3:]}"}],
        "enabledUser": "true",
        "givenName": person.given_name,
        "familyName": person.family_name,
        "middleName": "",
        "role": person.role,
        "identifier": person.sourced_id,
        "email": person.email,
        "sms": "",
        "phone": "",
        "agents": [],
        "orgs": [reference("org", person.school_id, base)],
        "grades": [person.grade.zfill(2)] if person.grade else [],
        "password": "",
    }
    if person.role == "student":
        row["metadata"] = _sensitive(person)
    return row


def _sensitive(person: Person) -> Json:
    """The kind of metadata a SIS sends about students unasked; whoever reads it must drop it."""
    rng = random.Random(person.sourced_id)  # noqa: S311 -- reproducible test data, not a secret
    return {
        "preferredForename": person.given_name,
        "preferredSurname": person.family_name,
        "religion": rng.choice(["Sandbox faith A", "Sandbox faith B", ""]),
        "firstLanguage": rng.choice(["English", "Spanish", "Portuguese", "Korean"]),
        "homeAddress": f"{rng.randint(1, 999)} Sandbox Street, Example, NJ",
        "classification": rng.choice(["", "sandbox-504", "sandbox-IEP"]),
        "medicalConditions": rng.choice(["", "sandbox-asthma", "sandbox-allergy"]),
        "attendanceDaysTotal": "60",
        "attendanceDaysUnexcusedAbsence": str(rng.randint(0, 5)),
    }


def _enrollment(row: Enrollment, base: str) -> Json:
    made: Json = {
        "sourcedId": row.sourced_id,
        "status": row.status,
        "role": row.role,
        "user": reference("user", row.person_id, base),
        "class": reference("class", row.class_id, base),
        "school": reference("org", row.school_id, base),
    }
    if row.role == "teacher":
        made["primary"] = "true"
    if row.begin is not None:
        made["beginDate"] = row.begin.isoformat()
    if row.end is not None:
        made["endDate"] = row.end.isoformat()
    return made
