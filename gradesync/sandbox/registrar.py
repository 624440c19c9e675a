"""A school office at work: what a registrar enters into the SIS on an ordinary day.

Single acts over the rows of a SIS: who comes, goes, moves, marries; which classes open and close; who teaches. Which
acts happen on which day is `school_year.py`'s. No HTTP, no Canvas.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import timedelta

from gradesync.errors import UsageProblem
from gradesync.sandbox import names
from gradesync.sandbox.registrar_desk import FAR, Desk
from gradesync.sandbox.registrar_families import FAMILY_ACTS
from gradesync.sandbox.sis_errors import Json


def _admit(desk: Desk) -> int:
    """A new student arrives and gets the schedule of another one."""
    peer = desk.any_of(desk.students_with_seats())
    if peer is None:
        return 0
    school_id = peer["orgs"][0]["sourcedId"]
    return min(1, desk.like_a_peer(desk.hire("student", school_id), school_id))


def _withdraw(desk: Desk) -> int:
    """A student leaves the district; the record stays, disabled."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    for seat in desk.seats(user["sourcedId"]):
        desk.end(seat)
    desk.change("users", user, enabledUser="false")
    return 1


def _readmit(desk: Desk) -> int:
    """Somebody who left comes back, into the classes left behind as far as they are still taught."""
    user = desk.any_of(desk.people("student", enabled=False))
    if user is None:
        return 0
    desk.change("users", user, enabledUser="true")
    former = desk.world.found("enrollments/user", user["sourcedId"])
    class_ids = sorted({str(row["class"]["sourcedId"]) for row in former if row["role"] == "student"})
    taught = {row["sourcedId"]: row for row in desk.classes()}
    back = [taught[one] for one in class_ids if one in taught]
    for row in back:
        desk.seat(user, row)
    return 1 if back else min(1, desk.like_a_peer(user, user["orgs"][0]["sourcedId"]))


def _purge(desk: Desk) -> int:
    """Somebody who left is cleared out of the SIS, with all enrollments."""
    user = desk.any_of(desk.people("student", enabled=False))
    if user is None:
        return 0
    for row in list(desk.world.found("enrollments/user", user["sourcedId"])):
        desk.world.remove("enrollments", row["sourcedId"])
    desk.world.remove("users", user["sourcedId"])
    return 1


def _add_class(desk: Desk) -> int:
    """A student takes one class more."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    chosen = desk.any_of(desk.other_classes(user["sourcedId"], user["orgs"][0]["sourcedId"]))
    if chosen is None:
        return 0
    desk.seat(user, chosen)
    return 1


def _drop_class(desk: Desk) -> int:
    """A student gives one class up."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    desk.end(desk.rng.choice(desk.seats(user["sourcedId"])))
    return 1


def _return_to_class(desk: Desk) -> int:
    """A student who gave a class up goes back into it: a second enrollment in the same class."""
    rows = desk.world.rows["enrollments"].values()
    taught = {row["sourcedId"] for row in desk.classes()}
    enabled = {row["sourcedId"] for row in desk.people("student")}
    ended = [
        row
        for row in rows
        if row["role"] == "student"
        and row.get("endDate", FAR) <= desk.today
        and row["class"]["sourcedId"] in taught
        and row["user"]["sourcedId"] in enabled
        and row["class"]["sourcedId"]
        not in {seat["class"]["sourcedId"] for seat in desk.seats(row["user"]["sourcedId"])}
    ]
    chosen = desk.any_of(ended)
    if chosen is None:
        return 0
    world = desk.world
    desk.seat(
        world.rows["users"][chosen["user"]["sourcedId"]], world.rows["classes"][chosen["class"]["sourcedId"]]
    )
    return 1


def _switch_section(desk: Desk) -> int:
    """A student changes into another class of the same course, or of the school."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    left = desk.rng.choice(desk.seats(user["sourcedId"]))
    old = desk.world.rows["classes"].get(left["class"]["sourcedId"])
    if old is None:
        return 0
    school_id = old["school"]["sourcedId"]
    same = desk.other_classes(user["sourcedId"], school_id, old["course"]["sourcedId"])
    chosen = desk.any_of(same or desk.other_classes(user["sourcedId"], school_id))
    if chosen is None:
        return 0
    desk.end(left)
    desk.seat(user, chosen)
    return 1


def _change_school(desk: Desk) -> int:
    """A student moves to another school of the district: everything ends here and begins there."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    here = user["orgs"][0]["sourcedId"]
    schools = [row for row in desk.world.rows["orgs"].values() if row["type"] == "school"]
    there = desk.any_of(row for row in schools if row["sourcedId"] != here)
    if there is None:
        return 0
    for seat in desk.seats(user["sourcedId"]):
        desk.end(seat)
    moved = desk.change("users", user, orgs=[desk.world.reference("org", there["sourcedId"])])
    return min(1, desk.like_a_peer(moved, there["sourcedId"]))


def _enroll_ahead(desk: Desk) -> int:
    """The office plans ahead: an enrollment that begins in ten days."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    begin = desk.day + timedelta(days=10)
    ahead = [
        row
        for row in desk.other_classes(user["sourcedId"], user["orgs"][0]["sourcedId"])
        if desk.last_day_of(row) > begin.isoformat()
    ]
    chosen = desk.any_of(ahead)
    if chosen is None:
        return 0
    desk.seat(user, chosen, begin=begin)
    return 1


def _correct(desk: Desk) -> int:
    """An enrollment that should never have been is deleted."""
    user = desk.any_of(desk.students_with_seats())
    if user is None:
        return 0
    desk.world.remove("enrollments", desk.rng.choice(desk.seats(user["sourcedId"]))["sourcedId"])
    return 1


def _marry(desk: Desk) -> int:
    """A teacher takes another family name; login and address follow it."""
    user = desk.any_of(desk.people("teacher"))
    if user is None:
        return 0
    family = desk.rng.choice([one for one in names.FAMILY if one != user["familyName"]])
    digits = re.sub(r"\D", "", user["username"]) or "0"
    folded = unicodedata.normalize("NFKD", user["givenName"][0] + family).encode("ascii", "ignore").decode()
    username = f"{re.sub('[^a-z]', '', folded.lower())[:12]}{digits}"
    email = f"{username}@{desk.world.district.key}.example"
    desk.change("users", user, familyName=family, username=username, email=email)
    return 1


def _rename(desk: Desk) -> int:
    """A student's legal name is corrected."""
    user = desk.any_of(desk.people("student"))
    if user is None:
        return 0
    given = desk.rng.choice([one for one in (*names.GIVEN, *names.GIVEN_ODD) if one != user["givenName"]])
    desk.change("users", user, givenName=given)
    return 1


def _prefer(desk: Desk) -> int:
    """A student is to be called by another first name; the legal one stays on record.

    Both versions' places are filled: 1.2 has fields of its own, Genesis puts the name into 1.1's metadata.
    """
    user = desk.any_of(desk.people("student"))
    if user is None:
        return 0
    given = desk.rng.choice(names.GIVEN)
    metadata = dict(user.get("metadata", {})) | {"preferredForename": given}
    desk.change("users", user, preferredFirstName=given, metadata=metadata)
    return 1


def _open_class(desk: Desk) -> int:
    """One class more of a course that is taught already, with a teacher and some students."""
    model = desk.any_of(
        row for row in desk.classes() if row["course"]["sourcedId"] and len(row["terms"]) == 2
    )
    if model is None:
        return 0
    school_id = model["school"]["sourcedId"]
    teacher = desk.any_of(row for row in desk.people("teacher") if row["orgs"][0]["sourcedId"] == school_id)
    if teacher is None:
        return 0
    number = 90 + sum(
        row["course"]["sourcedId"] == model["course"]["sourcedId"]
        for row in desk.world.rows["classes"].values()
    )
    made = model | {
        "sourcedId": f"{model['course']['sourcedId']}/{desk.day:%y%m%d}-{number}",
        "title": f"{model['subjects'][0]} - Section {number}",
        "classCode": f"{model['classCode'].rpartition('-')[0]}-{number}",
    }
    desk.world.put_row("classes", made)
    desk.seat(teacher, made)
    pupils = [row for row in desk.students_with_seats() if row["orgs"][0]["sourcedId"] == school_id]
    for pupil in desk.rng.sample(pupils, min(6, len(pupils))):
        desk.seat(pupil, made)
    return 1


def _close_class(desk: Desk) -> int:
    """The smallest class that has students is given up: its seats end, and the SIS forgets it.

    Not even a row that says so is left where deletions are hard.
    """
    world = desk.world

    def seated(row: Json) -> list[Json]:
        found = world.found("enrollments/class", row["sourcedId"])
        return [one for one in found if one["status"] == "active" and one.get("endDate", FAR) > desk.today]

    full = [(len(seated(row)), str(row["sourcedId"])) for row in desk.classes() if seated(row)]
    if not full:
        return 0
    class_id = min(full)[1]
    for seat in list(world.found("enrollments/class", class_id)):
        world.remove("enrollments", seat["sourcedId"])
    world.remove("classes", class_id)
    return 1


def _rename_class(desk: Desk) -> int:
    """A class is called something else, with quotes, a comma and letters beyond ASCII."""
    row = desk.any_of(desk.classes())
    if row is None:
        return 0
    word = desk.rng.choice(('"Honors"', "Café, Éducation", "§ 504 – Übung", "O'Neill's"))
    desk.change("classes", row, title=f"{row['subjects'][0]} {word}")
    return 1


def _replace_teacher(desk: Desk) -> int:
    """A class goes to another teacher, hired for it."""
    taught = [
        row
        for row in desk.world.rows["enrollments"].values()
        if row["role"] == "teacher" and row["status"] == "active" and row.get("endDate", FAR) > desk.today
    ]
    seat = desk.any_of(taught)
    if seat is None:
        return 0
    class_row = desk.world.rows["classes"].get(seat["class"]["sourcedId"])
    if class_row is None or class_row["status"] != "active":
        return 0
    desk.end(seat)
    desk.seat(desk.hire("teacher", class_row["school"]["sourcedId"]), class_row)
    return 1


def _hire_aide(desk: Desk) -> int:
    """An aide joins a class."""
    class_row = desk.any_of(desk.classes())
    if class_row is None:
        return 0
    desk.seat(desk.hire("aide", class_row["school"]["sourcedId"]), class_row)
    return 1


def _add_term(desk: Desk) -> int:
    """A short term of its own, with one class in it: a winter session, a summer school."""
    world = desk.world
    years = [
        row
        for row in world.rows["academicSessions"].values()
        if row["type"] == "schoolYear" and row["startDate"] <= desk.today < row["endDate"]
    ]
    model = desk.any_of(desk.classes())
    if not years or model is None:
        return 0
    begin = desk.day + timedelta(days=2)
    until = min((desk.day + timedelta(days=40)).isoformat(), years[0]["endDate"])
    if until <= begin.isoformat():
        return 0
    term: Json = {
        "sourcedId": f"XT {desk.day:%Y%m%d}",
        "status": "active",
        "title": f"Short Session {desk.day:%B %Y}",
        "type": "term",
        "startDate": begin.isoformat(),
        "endDate": until,
        "schoolYear": years[0]["schoolYear"],
        "parent": world.reference("academicSession", years[0]["sourcedId"]),
        "children": [],
    }
    world.put_row("academicSessions", term)
    made = model | {
        "sourcedId": f"XC+{desk.day:%Y%m%d}",
        "title": f"{model['subjects'][0]} - Short Session",
        "classCode": f"XC-{desk.day:%m%d}",
        "terms": [world.reference("academicSession", term["sourcedId"])],
    }
    world.put_row("classes", made)
    school_id = made["school"]["sourcedId"]
    staff = [row for row in desk.people("teacher") if row["orgs"][0]["sourcedId"] == school_id]
    pupils = [row for row in desk.students_with_seats() if row["orgs"][0]["sourcedId"] == school_id]
    for person in (*staff[:1], *desk.rng.sample(pupils, min(5, len(pupils)))):
        desk.seat(person, made, begin=begin)
    return 1


_ACTS: Mapping[str, Callable[[Desk], int]] = {
    "admit-student": _admit,
    "withdraw-student": _withdraw,
    "readmit-student": _readmit,
    "purge-leaver": _purge,
    "add-class": _add_class,
    "drop-class": _drop_class,
    "return-to-class": _return_to_class,
    "switch-section": _switch_section,
    "change-school": _change_school,
    "enroll-ahead": _enroll_ahead,
    "delete-enrollment": _correct,
    "marry": _marry,
    "rename-student": _rename,
    "prefer-name": _prefer,
    "open-class": _open_class,
    "close-class": _close_class,
    "rename-class": _rename_class,
    "replace-teacher": _replace_teacher,
    "hire-aide": _hire_aide,
    "add-term": _add_term,
    **FAMILY_ACTS,
}
REGISTRAR_ACTS = tuple(_ACTS)


def act(desk: Desk, name: str) -> int:
    """Do one act of REGISTRAR_ACTS; answers 1, or 0 where there was nobody to do it to. Raises UsageProblem."""
    if name not in _ACTS:
        raise UsageProblem(
            f"no registrar does {name!r}", hint=f"acts: {', '.join((*REGISTRAR_ACTS, 'roll-over'))}"
        )
    return _ACTS[name](desk)
