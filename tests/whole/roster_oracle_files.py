"""What Canvas should hold after an import of Canvas's own SIS files, computed from the files alone.

Another person's reading of `docs/roster-files.md`: rows are carried as they are; nobody is deleted by them, and nothing
is that is left out. Shares no code with the product.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.whole.roster_oracle import STUDENT, Held, Seat

Rows = list[dict[str, str]]

TYPES = {"student": STUDENT, "teacher": "TeacherEnrollment", "ta": "TaEnrollment"}
SOFT = {"deleted": "inactive"}


class CanvasFilesOracle:
    """Told each night's export by `night`; `held` is what Canvas should hold then."""

    def __init__(self) -> None:
        self.held = Held()
        self._year: int | None = None
        self._sent: set[Seat] = set()
        self._ties: set[tuple[str, str]] = set()

    def night(self, files: Mapping[str, bytes]) -> None:
        """An import of these files (by name) went through."""
        held, rows = self.held, {name: _rows(content) for name, content in files.items()}
        seats = {
            (row["section_id"], row["user_id"], TYPES[row["role"]]): SOFT.get(row["status"], row["status"])
            for row in rows["genesis_enrollments.csv"]
        }
        year = min(_year(row["start_date"]) for row in rows["genesis_terms.csv"])
        if year == self._year:
            for gone in self._sent - seats.keys():
                held.seats[gone] = "inactive"
        self._year, self._sent = year, set(seats)
        held.accounts |= {
            row["account_id"]: (row["name"], row["parent_account_id"]) for row in rows["genesis_accounts.csv"]
        }
        held.terms |= {
            row["term_id"]: (row["name"], _midnight(row["start_date"]), _midnight(row["end_date"]))
            for row in rows["genesis_terms.csv"]
        }
        held.courses |= {
            row["course_id"]: (
                *(row["long_name"], row["short_name"], row["account_id"], row["term_id"]),
                "claimed",
            )
            for row in rows["genesis_courses.csv"]
        }
        held.sections |= {
            row["section_id"]: (row["name"], row["course_id"], "active")
            for row in rows["genesis_sections.csv"]
        }
        held.people |= {
            row["user_id"]: (
                row["login_id"],
                f"{row['first_name']} {row['last_name']}",
                row["email"],
                "active" if row["status"] == "active" else "suspended",
                "",
            )
            for row in rows["genesis_users.csv"]
        }
        held.seats |= {seat: state for seat, state in seats.items() if seat[1] in held.people}
        self._watch({(row["observer_id"], row["student_id"]) for row in rows["genesis_guardians.csv"]})

    def _watch(self, ties: set[tuple[str, str]]) -> None:
        """Observers sit beside their students, as long as the files tie them."""
        held = self.held
        for (class_id, person, kind), state in list(held.seats.items()):
            if kind != STUDENT:
                continue
            for guardian, student in self._ties | ties:
                seat = class_id, guardian, f"ObserverEnrollment of {student}"
                if student == person and (guardian, student) in ties:
                    held.seats[seat] = state
                elif student == person:
                    held.seats.pop(seat, None)
        self._ties |= ties


def _rows(content: bytes) -> Rows:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _year(day: str) -> int:
    """The school year that begins with July, by the year it ends in."""
    first = date.fromisoformat(day)
    return first.year + (first + timedelta(days=184)).year - first.year


def _midnight(day: str) -> str:
    return datetime.fromisoformat(day).replace(tzinfo=ZoneInfo("UTC")).isoformat()
