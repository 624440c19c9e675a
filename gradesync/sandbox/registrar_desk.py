"""The desk of a school office: finding people, classes and seats in the SIS, and changing single rows.

Every change goes through `SisWorld`, so that reads and indexes agree. What an office does all day is `registrar.py`'s.
No HTTP, no Canvas.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from gradesync.sandbox import names
from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_world import SisWorld

FAR = "9999-12-31"


@dataclass(frozen=True, slots=True)
class Desk:
    """One day at the office: the SIS, the dice, the day."""

    world: SisWorld
    rng: random.Random
    day: date

    @property
    def today(self) -> str:
        """The day as the SIS writes it."""
        return self.day.isoformat()

    def any_of(self, rows: Iterable[Json]) -> Json | None:
        """One live row, drawn from all in the order of their ids."""
        live = (row for row in rows if row["status"] == "active")
        found = sorted(live, key=lambda row: str(row["sourcedId"]))
        return self.rng.choice(found) if found else None

    def change(self, kind: str, row: Json, **fields: object) -> Json:
        """A row with other fields, stamped as changed; None takes a field away."""
        made = {name: value for name, value in (row | fields).items() if value is not None}
        self.world.put_row(kind, made)
        return made

    # - people -

    def people(self, role: str, *, enabled: bool = True) -> list[Json]:
        """Live people of a role, enabled or not."""
        wanted = "true" if enabled else "false"
        users = self.world.rows["users"].values()
        return [
            row
            for row in users
            if row["role"] == role and row["enabledUser"] == wanted and row["status"] == "active"
        ]

    def seats(self, user_id: str) -> list[Json]:
        """The person's enrollments that are in force, or will be."""
        found = self.world.found("enrollments/user", user_id)
        mine = [row for row in found if row["status"] == "active" and row.get("endDate", FAR) > self.today]
        return sorted(mine, key=lambda row: str(row["sourcedId"]))

    def students_with_seats(self) -> list[Json]:
        """Students who sit in some class."""
        return [row for row in self.people("student") if self.seats(row["sourcedId"])]

    def hire(self, role: str, school_id: str, **fields: object) -> Json:
        """A new person of a school, with a login of their own."""
        world = self.world
        # Counting people would hand out the number of somebody who was cleared out.
        number = 500_000 + int(world.mint("users").rpartition("-")[2])
        given, family = self.rng.choice(names.GIVEN), self.rng.choice((*names.FAMILY, *names.FAMILY_ODD))
        username = names.login(given, family, number)
        row: Json = {
            "sourcedId": f"{number:08d}" if role == "student" else f"TCH_{number}",
            "status": "active",
            "username": username,
            "userIds": [],
            "enabledUser": "true",
            "givenName": given,
            "familyName": family,
            "middleName": "",
            "role": role,
            "identifier": str(number),
            "email": f"{username}@{world.district.key}.example",
            "sms": "",
            "phone": "",
            "agents": [],
            "orgs": [world.reference("org", school_id)],
            "grades": ["09"] if role == "student" else [],
            "password": "",
            **fields,
        }
        world.put_row("users", row)
        return row

    # - seats -

    def seat(
        self, user: Json, class_row: Json, *, begin: date | None = None, role: str | None = None
    ) -> Json:
        """A new enrollment from today, or from `begin`, to the end of the class's last term."""
        world = self.world
        row: Json = {
            "sourcedId": world.mint("enrollments"),
            "status": "active",
            "role": role or user["role"],
            "user": world.reference("user", user["sourcedId"]),
            "class": world.reference("class", class_row["sourcedId"]),
            "school": class_row["school"],
            "beginDate": (begin or self.day).isoformat(),
        }
        if row["role"] == "student":
            row["endDate"] = self.last_day_of(class_row)
        world.put_row("enrollments", row)
        return row

    def last_day_of(self, class_row: Json) -> str:
        """The (exclusive) end of the class's last term."""
        sessions = self.world.rows["academicSessions"]
        return max(str(sessions[term["sourcedId"]]["endDate"]) for term in class_row["terms"])

    def end(self, seat: Json) -> None:
        """Close an enrollment: today is the first day without it. One that had not begun is taken back."""
        if seat.get("beginDate", "") >= self.today:
            self.world.drop_row("enrollments", seat["sourcedId"])
            return
        self.change("enrollments", seat, endDate=self.today)

    def classes(self, school_id: str | None = None) -> list[Json]:
        """Live classes whose terms are not over, of one school or of all."""
        return [
            row
            for row in self.world.rows["classes"].values()
            if row["status"] == "active"
            and school_id in (None, row["school"]["sourcedId"])
            and self.last_day_of(row) > self.today
        ]

    def other_classes(self, user_id: str, school_id: str, course_id: str | None = None) -> list[Json]:
        """Classes of the school (and course) that the person does not sit in."""
        mine = {seat["class"]["sourcedId"] for seat in self.seats(user_id)}
        return [
            row
            for row in self.classes(school_id)
            if row["sourcedId"] not in mine and course_id in (None, row["course"]["sourcedId"])
        ]

    def like_a_peer(self, user: Json, school_id: str) -> int:
        """Seat a student in every class of some student of that school."""
        peers = [
            row
            for row in self.students_with_seats()
            if row["orgs"][0]["sourcedId"] == school_id and row["sourcedId"] != user["sourcedId"]
        ]
        peer = self.any_of(peers)
        if peer is None:
            return 0
        class_ids = sorted({str(seat["class"]["sourcedId"]) for seat in self.seats(peer["sourcedId"])})
        live = [self.world.rows["classes"].get(one) for one in class_ids]
        found = [row for row in live if row is not None and self.last_day_of(row) > self.today]
        for row in found:
            self.seat(user, row)
        return len(found)
