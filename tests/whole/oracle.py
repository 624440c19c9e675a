"""What the SIS should hold, computed from the sandbox's raw worlds alone.

Written apart from the product and sharing no code with it: another person's reading of the same rules, so that both
would have to be wrong in the same way for a wrong grade to pass. Records are compared by what they say, never by
their ids, because ids are the product's own choice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Cell = tuple[str, str, str]
Column = tuple[str, str, str, str, str, frozenset[Cell]]
Gradebooks = dict[str, "Counter[Column]"]


class Oracle:
    """Follows a district over passes: what was carried once stays in the SIS until the rules say something new.

    A grade that is hidden, cleared or excused without a rule after it was sent keeps its old value (nothing is
    deleted or blanked by itself), so the judge has to remember.
    """

    def __init__(self) -> None:
        self._columns: dict[tuple[str, int], tuple[str, str, str, str, str]] = {}
        self._cells: dict[tuple[str, int], dict[str, Cell]] = {}

    def expected(self, canvas: Row, sis: Row) -> Gradebooks:
        """class -> columns the SIS should hold after a full pass, each with its cells (student, score, status)."""
        school = _School(canvas, sis)
        for section in canvas["sections"]:
            class_id = section["sis_section_id"]
            there = section["workflow_state"] == "active" and class_id in school.classes
            if there and school.is_current(class_id):
                self._follow(school, section, class_id)
        books: Gradebooks = {}
        for (class_id, assignment), column in self._columns.items():
            cells = frozenset(self._cells[class_id, assignment].values())
            books.setdefault(class_id, Counter())[(*column, cells)] += 1
        return books

    def _follow(self, school: _School, section: Row, class_id: str) -> None:
        columns = list(school.columns_of(section, class_id))
        looks = Counter(_look(column) for _, column, _ in columns)
        for assignment_id, column, cells in columns:
            key = (class_id, assignment_id)
            # Two that would look the same: a newcomer waits until one of them is renamed, whoever stands there stays.
            if key not in self._columns and looks[_look(column)] > 1:
                continue
            if cells or key in self._columns:
                self._columns[key] = column
                self._cells.setdefault(key, {}).update({cell[0]: cell for cell in cells})


def _look(column: tuple[str, str, str, str, str]) -> tuple[str, date]:
    due = datetime.fromisoformat(column[1])
    return " ".join(column[0].split()).casefold(), due.astimezone(ZoneInfo("America/New_York")).date()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the rules ask for in one class and assignment today: student -> (score or "-", status) in a column."""

    column: tuple[str, str, str, str, str]
    cells: dict[str, tuple[str, str]]


def wanted_now(canvas: Row, sis: Row, *, exempt_score: str = "0") -> dict[tuple[str, int], Wanted]:
    """(class, assignment) -> what the SIS should hold by today's Canvas alone, whatever was sent before.

    `exempt_score` is the number that goes with an excused grade: OneRoster 1.1 must have one, 1.2 has "-", none.
    """
    school = _School(canvas, sis)
    found: dict[tuple[str, int], Wanted] = {}
    for section in canvas["sections"]:
        class_id = section["sis_section_id"]
        there = section["workflow_state"] == "active" and class_id in school.classes
        if not there or not school.is_current(class_id):
            continue
        for assignment_id, column, cells in school.columns_of(section, class_id):
            values = {who: (exempt_score if word == "exempt" else score, word) for who, score, word in cells}
            found[class_id, assignment_id] = Wanted(column, values)
    return found


def column_of(item: Row) -> tuple[str, str, str, str, str]:
    """What a line item of the raw world says, in the words of `Wanted.column`."""
    return (
        item["title"],
        item["dueDate"],
        item["category"]["sourcedId"],
        item.get("gradingPeriod", {"sourcedId": "-"})["sourcedId"],
        _number(item["resultValueMax"]),
    )


def cell_of(result: Row) -> tuple[str, str]:
    """What a result of the raw world says, in the words of `Wanted.cells`."""
    return (_number(result["score"]) if "score" in result else "-", result["scoreStatus"])


def held(sis: Row) -> Gradebooks:
    """class -> columns the SIS holds."""
    cells: dict[str, set[Cell]] = {}
    for result in sis["results"]:
        if result["status"] == "active":
            cell = (result["student"]["sourcedId"], _number(result["score"]), result["scoreStatus"])
            cells.setdefault(result["lineItem"]["sourcedId"], set()).add(cell)
    books: Gradebooks = {}
    for item in sis["lineItems"]:
        if item["status"] == "active":
            column = (
                item["title"],
                item["dueDate"],
                item["category"]["sourcedId"],
                item["gradingPeriod"]["sourcedId"],
                _number(item["resultValueMax"]),
                frozenset(cells.get(item["sourcedId"], ())),
            )
            books.setdefault(item["class"]["sourcedId"], Counter())[column] += 1
    return books


def doubled(sis: Row) -> list[tuple[str, str]]:
    """(line item, student) pairs that hold more than one result: must be empty."""
    pairs = Counter(
        (result["lineItem"]["sourcedId"], result["student"]["sourcedId"])
        for result in sis["results"]
        if result["status"] == "active"
    )
    return [pair for pair, count in pairs.items() if count > 1]


def difference(wanted: Gradebooks, there: Gradebooks) -> str:
    """A short telling of the first differences; empty text when both are equal."""
    lines: list[str] = []
    for class_id in sorted(set(wanted) | set(there)):
        want, have = wanted.get(class_id, Counter()), there.get(class_id, Counter())
        lines += [f"{class_id}: missing {column[:5]} with {sorted(column[5])}" for column in want - have]
        lines += [f"{class_id}: too much {column[:5]} with {sorted(column[5])}" for column in have - want]
    return "\n".join(lines[:12])


class _School:
    def __init__(self, canvas: Row, sis: Row) -> None:
        self.zone = ZoneInfo(sis["time_zone"])
        self.today = date.fromisoformat(sis["today"])
        self.classes = {c["sourcedId"]: c for c in sis["classes"] if c["status"] == "active"}
        self.sessions = {s["sourcedId"]: s for s in sis["academicSessions"]}
        self.periods = [s for s in sis["academicSessions"] if s["type"] == "gradingPeriod"]
        self.categories = {c["title"].strip().lower(): c["sourcedId"] for c in sis["categories"]}
        self.courses = {c["id"]: c for c in canvas["courses"]}
        self.groups = {g["id"]: g["name"] for g in canvas["assignment_groups"]}
        self.assignments: dict[int, list[Row]] = {}
        for assignment in canvas["assignments"]:
            self.assignments.setdefault(assignment["course_id"], []).append(assignment)
        self.submissions = {(s["assignment_id"], s["user_id"]): s for s in canvas["submissions"]}
        logins = {one["id"]: one["sis_user_id"] for one in canvas["logins"]}
        self.members: dict[int, list[tuple[int, str | None]]] = {}
        for row in canvas["enrollments"]:
            here = row["workflow_state"] in ("active", "completed", "invited", "creation_pending")
            if row["type"] == "StudentEnrollment" and here:
                member = (row["user_id"], logins.get(row["login_id"]))
                self.members.setdefault(row["course_section_id"], []).append(member)
        self.rolls = self._rolls(sis)

    def _rolls(self, sis: Row) -> dict[str, set[str]]:
        """class -> students the SIS lists in it today."""
        rolls: dict[str, set[str]] = {}
        for row in sis["enrollments"]:
            began = row.get("beginDate", "0000") <= self.today.isoformat()
            goes_on = self.today.isoformat() < row.get("endDate", "9999")
            if row["role"] == "student" and row["status"] == "active" and began and goes_on:
                rolls.setdefault(row["class"]["sourcedId"], set()).add(row["user"]["sourcedId"])
        return rolls

    def is_current(self, class_id: str) -> bool:
        """The class's term has begun, and ended less than 30 days ago if at all."""
        for ref in self.classes[class_id]["terms"]:
            session = self.sessions[ref["sourcedId"]]
            begun = date.fromisoformat(session["startDate"]) <= self.today
            if begun and self.today < date.fromisoformat(session["endDate"]) + timedelta(days=30):
                return True
        return False

    def columns_of(
        self, section: Row, class_id: str
    ) -> Iterator[tuple[int, tuple[str, str, str, str, str], list[Cell]]]:
        """(assignment, column, cells) of every assignment that may be carried to the class today."""
        course = self.courses[section["course_id"]]
        if course["workflow_state"] not in ("available", "completed"):
            return
        for assignment in self.assignments.get(course["id"], ()):
            column = self._column(assignment, section, class_id)
            if column is not None:
                yield assignment["id"], column, list(self._cells(assignment, section, class_id))

    def _column(self, assignment: Row, section: Row, class_id: str) -> tuple[str, str, str, str, str] | None:
        meant = (
            assignment["workflow_state"] == "published"
            and assignment["post_to_sis"]
            and not assignment["omit_from_final_grade"]
            and not assignment["hide_in_gradebook"]
            and assignment["grading_type"] != "not_graded"
            and bool(assignment["points_possible"])
        )
        own = [o for o in assignment["overrides"] if o["course_section_id"] == section["id"]]
        if not meant or (assignment["only_visible_to_overrides"] and not own):
            return None
        due = own[0]["due_at"] if own else assignment["due_at"]
        category = self.categories.get(self.groups[assignment["assignment_group_id"]].strip().lower())
        if due is None or category is None:
            return None
        moment = datetime.fromisoformat(due)
        period = self._period(moment.astimezone(self.zone).date(), class_id)
        if period is None:
            return None
        stamp = moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        title = " ".join(assignment["name"].split())
        return (title, stamp, category, period, _number(assignment["points_possible"]))

    def _period(self, day: date, class_id: str) -> str | None:
        terms = {ref["sourcedId"] for ref in self.classes[class_id]["terms"]}
        for period in self.periods:
            inside = period["startDate"] <= day.isoformat() < period["endDate"]
            if inside and period["parent"]["sourcedId"] in terms:
                return str(period["sourcedId"])
        return None

    def _cells(self, assignment: Row, section: Row, class_id: str) -> Iterator[Cell]:
        for user_id, sis_id in self.members.get(section["id"], ()):
            submission = self.submissions.get((assignment["id"], user_id))
            if submission is None or sis_id is None or sis_id not in self.rolls.get(class_id, ()):
                continue
            if submission["posted_at"] is None:
                continue
            if submission["excused"]:
                yield (sis_id, "0", "exempt")
            elif submission["score"] is not None and submission["workflow_state"] != "pending_review":
                exact = Decimal(str(submission["score"]))
                yield (sis_id, _number(exact.quantize(Decimal("0.01"), ROUND_HALF_UP)), "fully graded")


def _number(value: Any) -> str:
    number = Decimal(str(value))
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
