"""What Canvas should hold after a roster import, computed from the SIS's raw rows alone.

Written apart from the product and sharing no code with it: another person's reading of the same rules. It follows a
district from night to night, because what became of people and seats that are gone depends on what was there before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Seat = tuple[str, str, str]
"""Class, person, Canvas's type of enrollment; that of an observer names the student."""
Tie = tuple[str, str]
"""Guardian and student."""

STUDENT = "StudentEnrollment"

TYPES = {"student": STUDENT, "teacher": "TeacherEnrollment", "aide": "TaEnrollment"}
STRONGEST = ("active", "completed", "inactive")


@dataclass(frozen=True)
class Rules:
    """What the account chose, in the words of its file; left out, as when the file says nothing."""

    names: str = "legal"
    terms: str = "own"
    ended: str = "inactive"
    leavers: str = "suspend"
    courses: str = "per_class"
    accounts: str = "schools"
    guardians: str = "leave_out"
    people: str = "sis_id"
    logins: str = "username"
    emails: str = "from_sis"
    cross_list: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass
class Held:
    """One Canvas, as far as SIS imports make it: by SIS id."""

    accounts: dict[str, tuple[str, str]] = field(default_factory=dict)
    terms: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    courses: dict[str, tuple[str, str, str, str, str]] = field(default_factory=dict)
    sections: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    people: dict[str, tuple[str, str, str, str, str]] = field(default_factory=dict)
    seats: dict[Seat, str] = field(default_factory=dict)


class CanvasOracle:
    """Told each night's SIS by `night`; `held` is what Canvas should hold then."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.held = Held()
        self._rules = rules or Rules()
        self._year: str | None = None
        self._sent: set[Seat] = set()
        self._ties: set[Tie] = set()

    def night(self, sis: Row) -> None:
        """An import of this SIS (its raw world) went through."""
        now = _Night(sis, self._rules)
        held = self.held
        seats, people = now.seats(), now.people()
        if now.year == self._year:
            # Gone from the files: out of the class, with the grades kept. Across years nothing is compared.
            for gone in self._sent - seats.keys():
                held.seats[gone] = "inactive"
        self._year, self._sent = now.year, set(seats)
        held.accounts |= now.accounts()
        held.terms |= now.terms()
        held.courses |= now.courses()
        held.sections |= now.sections()
        self._cross_list(now)
        held.people |= people
        # Whoever Canvas does not know cannot be enrolled.
        held.seats |= {seat: state for seat, state in seats.items() if seat[1] in held.people}
        self._watch({tie for tie in now.ties() if tie[0] in held.people and tie[1] in held.people})

    def _cross_list(self, now: _Night) -> None:
        """Sections taught together; a course that is not there yet is made after that of its first section."""
        held = self.held
        for course_id, members in self._rules.cross_list.items():
            for class_id in sorted(one for one in members if one in now.classes):
                name, home, state = held.sections[class_id]
                held.courses.setdefault(course_id, (*held.courses[home][:4], "claimed"))
                held.sections[class_id] = (name, course_id, state)

    def _watch(self, ties: set[Tie]) -> None:
        """Who observes a student sits beside every seat of the student; who no longer does, sits nowhere."""
        held = self.held
        mine: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for (class_id, person, kind), state in held.seats.items():
            if kind == STUDENT:
                mine[person].append((class_id, state))
        for guardian, student in self._ties | ties:
            for class_id, state in mine[student]:
                seat = class_id, guardian, f"ObserverEnrollment of {student}"
                if (guardian, student) in ties:
                    held.seats[seat] = state
                else:
                    held.seats.pop(seat, None)
        self._ties |= ties


class _Night:
    """One night's reading of the raw rows."""

    def __init__(self, sis: Row, rules: Rules) -> None:
        self.rules = rules
        self.today = date.fromisoformat(sis["today"])
        self.zone = ZoneInfo(sis["time_zone"])
        self.rows = {
            kind: {row["sourcedId"]: row for row in sis[kind] if row["status"] == "active"}
            for kind in ("orgs", "academicSessions", "courses", "classes", "users", "enrollments")
        }
        sessions = self.rows["academicSessions"]
        (year,) = (
            one
            for one, row in sessions.items()
            if row["type"] == "schoolYear" and row["startDate"] <= str(self.today) < row["endDate"]
        )
        self.year = str(year)
        self.classes = {
            one: row
            for one, row in self.rows["classes"].items()
            if any(self.year in self._above(term["sourcedId"]) for term in row["terms"])
        }

    def _above(self, session_id: str) -> list[str]:
        """The session and what it lies in, nearest first."""
        found: list[str] = []
        while session_id:
            found.append(session_id)
            parent = self.rows["academicSessions"][session_id].get("parent")
            session_id = parent["sourcedId"] if parent else ""
        return found

    def term_of(self, class_id: str) -> str:
        """The Canvas term of a class."""
        return self.year if self.rules.terms == "school_year" else self.own_term_of(class_id)

    def own_term_of(self, class_id: str) -> str:
        """The one term of a class; of several, the nearest session around all of them."""
        chains = [self._above(term["sourcedId"]) for term in self.classes[class_id]["terms"]]
        return next(one for one in chains[0] if all(one in chain for chain in chains))

    def home_of(self, class_id: str) -> str:
        """The sub-account of a class: its school, or in a tree the department of its course; blank is the root."""
        school = str(self.classes[class_id]["school"]["sourcedId"])
        if self.rules.accounts == "none":
            return ""
        owner = self.rows["courses"][self.classes[class_id]["course"]["sourcedId"]]["org"]["sourcedId"]
        row = self.rows["orgs"][owner]
        inside = row["type"] == "department" and row["parent"]["sourcedId"] == school
        return str(owner) if self.rules.accounts == "tree" and inside else school

    def accounts(self) -> dict[str, tuple[str, str]]:
        found = {}
        for one in {self.home_of(class_id) for class_id in self.classes} - {""}:
            row = self.rows["orgs"][one]
            parent = row["parent"]["sourcedId"] if row["type"] == "department" else ""
            found[one] = (row["name"], parent)
            if parent:
                found[parent] = (self.rows["orgs"][parent]["name"], "")
        return found

    def terms(self) -> dict[str, tuple[str, str, str]]:
        found = {}
        for one in {self.term_of(class_id) for class_id in self.classes}:
            row = self.rows["academicSessions"][one]
            last = self._midnight(row["endDate"]) - timedelta(seconds=1)
            found[one] = (row["title"], self._midnight(row["startDate"]).isoformat(), last.isoformat())
        return found

    def _midnight(self, day: str) -> datetime:
        return datetime.fromisoformat(day).replace(tzinfo=self.zone).astimezone(ZoneInfo("UTC"))

    def course_of(self, class_id: str) -> str:
        """The SIS id of the class's Canvas course."""
        if self.rules.courses == "per_class":
            return class_id
        row = self.classes[class_id]
        return f"{row['course']['sourcedId']}:{row['school']['sourcedId']}:{self.term_of(class_id)}"

    def courses(self) -> dict[str, tuple[str, str, str, str, str]]:
        found = {}
        for one, row in self.classes.items():
            title, code = row["title"], row["classCode"]
            if self.rules.courses == "per_course":
                course = self.rows["courses"][row["course"]["sourcedId"]]
                title, code = course["title"], course["courseCode"]
            found[self.course_of(one)] = (title, code, self.home_of(one), self.term_of(one), "claimed")
        return found

    def sections(self) -> dict[str, tuple[str, str, str]]:
        return {one: (row["title"], self.course_of(one), "active") for one, row in self.classes.items()}

    def number(self, row: Row) -> str:
        """What Canvas knows a person by."""
        return str(row["identifier"] if self.rules.people == "integration_id" else row["sourcedId"])

    def people(self) -> dict[str, tuple[str, str, str, str, str]]:
        guardians = {guardian for guardian, _ in self.pairs()}
        field_of = {"id": "sourcedId"}.get(self.rules.logins, self.rules.logins)
        return {
            self.number(row): (
                row[field_of],
                self.name(row),
                row["email"] if self.rules.emails == "from_sis" else "",
                "active" if row["enabledUser"] == "true" or self.rules.leavers == "keep" else "suspended",
                one if self.rules.people == "integration_id" else "",
            )
            for one, row in self.rows["users"].items()
            if row["role"] in TYPES or one in guardians
        }

    def pairs(self) -> set[Tie]:
        """Guardians and their students, by the SIS's ids; none where the account leaves guardians out."""
        if self.rules.guardians == "leave_out":
            return set()
        users = self.rows["users"]
        return {
            (one, ward["sourcedId"])
            for one, row in users.items()
            if row["role"] == "guardian"
            for ward in row["agents"]
            if users.get(ward["sourcedId"], {}).get("role") == "student"
        }

    def ties(self) -> set[Tie]:
        users = self.rows["users"]
        return {(self.number(users[one]), self.number(users[other])) for one, other in self.pairs()}

    def name(self, row: Row) -> str:
        given, family = row["givenName"], row["familyName"]
        if self.rules.names == "preferred":
            # 1.2's own fields alone: the metadata, where 1.1's Genesis has them, holds things nobody may ask for.
            given = row.get("preferredFirstName") or given
            family = row.get("preferredLastName") or family
        return f"{given} {family}"

    def seats(self) -> dict[Seat, str]:
        found: dict[Seat, list[str]] = defaultdict(list)
        for row in self.rows["enrollments"].values():
            class_id, user_id = row["class"]["sourcedId"], row["user"]["sourcedId"]
            if class_id not in self.classes or user_id not in self.rows["users"]:
                continue
            if row.get("beginDate", "") > str(self.today):
                continue
            person = self.number(self.rows["users"][user_id])
            found[class_id, person, TYPES[row["role"]]].append(self._state(row, class_id))
        return {seat: min(states, key=STRONGEST.index) for seat, states in found.items()}

    def _state(self, row: Row, class_id: str) -> str:
        end = row.get("endDate")
        if end is None or str(self.today) < end:
            return "active"
        if self.rules.ended == "completed":
            return "completed"
        own = self.own_term_of(class_id)
        term_end = date.fromisoformat(self.rows["academicSessions"][own]["endDate"])
        stayed = date.fromisoformat(end) >= term_end - timedelta(days=1)
        return "completed" if term_end <= self.today and stayed else "inactive"


def canvas_held(canvas: Row) -> Held:
    """What the raw world of a Canvas holds of records that a SIS import made."""
    accounts = {row["id"]: row["sis_account_id"] for row in canvas["accounts"]}
    terms = {row["id"]: row["sis_term_id"] for row in canvas["terms"]}
    courses = {row["id"]: row["sis_course_id"] for row in canvas["courses"]}
    sections = {row["id"]: row["sis_section_id"] for row in canvas["sections"]}
    users = {row["id"]: row for row in canvas["users"]}
    owners = {row["user_id"]: row["sis_user_id"] for row in canvas["logins"] if row["sis_user_id"]}
    held = Held()
    held.accounts = {
        row["sis_account_id"]: (row["name"], accounts[row["parent_account_id"]] or "")
        for row in canvas["accounts"]
        if row["sis_account_id"]
    }
    held.terms = {
        row["sis_term_id"]: (row["name"], _instant(row["start_at"]), _instant(row["end_at"]))
        for row in canvas["terms"]
        if row["sis_term_id"]
    }
    held.courses = {
        row["sis_course_id"]: (
            row["name"],
            row["course_code"],
            accounts[row["account_id"]] or "",
            terms[row["enrollment_term_id"]] or "",
            row["workflow_state"],
        )
        for row in canvas["courses"]
        if row["sis_course_id"]
    }
    held.sections = {
        row["sis_section_id"]: (row["name"], courses[row["course_id"]] or "", row["workflow_state"])
        for row in canvas["sections"]
        if row["sis_section_id"]
    }
    held.people = {
        row["sis_user_id"]: (
            row["unique_id"],
            users[row["user_id"]]["name"],
            users[row["user_id"]]["email"] or "",
            row["workflow_state"],
            row["integration_id"] or "",
        )
        for row in canvas["logins"]
        if row["sis_user_id"]
    }
    for row in canvas["enrollments"]:
        section, person = sections[row["course_section_id"]], owners.get(row["user_id"])
        if section and person:
            watched = owners.get(row["associated_user_id"])
            kind = f"{row['type']} of {watched}" if watched else row["type"]
            if watched and row["workflow_state"] == "deleted":
                # One that a student's new seat brought and the same night's end of the tie took is one that never was.
                continue
            held.seats[section, person, kind] = row["workflow_state"]
    return held


def _instant(text: str | None) -> str:
    return "" if text is None else datetime.fromisoformat(text).astimezone(ZoneInfo("UTC")).isoformat()


def difference(wanted: Held, found: Held, *, most: int = 6) -> str:
    """Empty when both are equal; else what differs, kind by kind, with a few examples."""
    lines = []
    for kind in ("accounts", "terms", "courses", "sections", "people", "seats"):
        ours, theirs = getattr(wanted, kind), getattr(found, kind)
        different = [
            (key, ours.get(key, "-"), theirs.get(key, "-"))
            for key in sorted(ours.keys() | theirs.keys())
            if ours.get(key) != theirs.get(key)
        ]
        if different:
            lines.append(f"{kind}: {len(different)} differ of {len(ours)} wanted, {len(theirs)} held")
            lines += [
                f"  {key}: wanted {wanted_value}, held {value}"
                for key, wanted_value, value in different[:most]
            ]
    return "\n".join(lines)
