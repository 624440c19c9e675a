"""What is asked for of each kind of roster row, and where: paths, envelopes, fields. Data only.

The fields are those the parsers of `rows` read, so that a server that can choose sends nothing else: no metadata (which
holds religion, health and addresses in some SISes), no demographics, no photographs, no passwords (oneroster.md 5.4).
A server that cannot choose sends all of it, and the parsers drop it at once.
"""

from __future__ import annotations

from dataclasses import replace

from gradesync.connectors.oneroster.rows import Wants
from gradesync.connectors.oneroster.stream import View

_EVERY = ("sourcedId", "status")


def _view(template: str, key: str, required: str, optional: str = "") -> View:
    """A view whose rows must have the `required` fields besides an id; both are names between spaces."""
    needed = frozenset(required.split())
    return View(template, key, (*_EVERY, *required.split(), *optional.split()), needed | {"sourcedId"})


ORGS = _view("/orgs", "orgs", "name type", "parent")
SCHOOLS = replace(ORGS, template="/schools")

SESSIONS = _view("/academicSessions", "academicSessions", "title startDate endDate type", "parent schoolYear")
TERMS = replace(SESSIONS, template="/terms")
PERIODS = replace(SESSIONS, template="/gradingPeriods")
SCHOOL_TERMS = replace(SESSIONS, template="/schools/{}/terms")
TERM_PERIODS = replace(SESSIONS, template="/terms/{}/gradingPeriods")

COURSES = _view("/courses", "courses", "title", "courseCode org")
SCHOOL_COURSES = replace(COURSES, template="/schools/{}/courses")

CLASSES = _view("/classes", "classes", "title course school terms", "classCode")
SCHOOL_CLASSES = replace(CLASSES, template="/schools/{}/classes")

ENROLLMENTS = _view("/enrollments", "enrollments", "user class role", "beginDate endDate")
SCHOOL_ENROLLMENTS = replace(ENROLLMENTS, template="/schools/{}/enrollments")
CLASS_ENROLLMENTS = replace(ENROLLMENTS, template="/schools/{}/classes/{}/enrollments")


def people(newer: bool, wants: Wants, template: str, where: str = "") -> View:
    """Users under a path, in the words of 1.2 (`newer`) or 1.1; `wants` adds fields that only some accounts need."""
    optional = "username email enabledUser"
    optional += " identifier" * wants.identifiers + " agents" * wants.guardians
    # 1.1 has no field for them; and is never asked for metadata, which holds them in Genesis beside all the rest.
    optional += " preferredFirstName preferredLastName" * (wants.preferred_names and newer)
    role = "roles" if newer else "role"
    return replace(_view(template, "users", f"givenName familyName {role}", optional), where=where)


def members(template: str) -> View:
    """Who sits in a class, without a word about them."""
    return View(template, "users", _EVERY, frozenset({"sourcedId"}))
