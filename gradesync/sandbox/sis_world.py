"""The SIS of one district as it stands: its rows, indexes, tokens and the behaviour it shows.

Only state and the questions one may ask of it; `sis_writes.py` holds what a write must satisfy,
`sis_app.py` the HTTP. Tests read and change the world directly, so every change of a row goes through
`put_row` and `drop_row`, which keep the indexes right.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from gradesync.sandbox.district import District
from gradesync.sandbox.sis_auth import TokenDesk
from gradesync.sandbox.sis_behaviour import SisBehaviour
from gradesync.sandbox.sis_errors import Json
from gradesync.sandbox.sis_rows import API, reference, roster_rows, stamp


def utc_now() -> datetime:
    """The real time; the sandbox never invents time stamps of what happens now."""
    return datetime.now(UTC)


@dataclass(slots=True)
class _Indexes:
    """Rows by what reads ask for: key is (index name, id), value the rows by their own id."""

    groups: dict[tuple[str, str], dict[str, Json]] = field(default_factory=dict)

    def keys_of(self, kind: str, row: Json) -> list[tuple[str, str]]:
        """Under which keys a row of this kind is found."""
        if kind == "enrollments":
            return [(f"enrollments/{name}", row[name]["sourcedId"]) for name in ("class", "user", "school")]
        if kind == "lineItems":
            return [("lineItems/class", row["class"]["sourcedId"])]
        if kind == "results":
            line_item, student = row["lineItem"]["sourcedId"], row["student"]["sourcedId"]
            return [("results/lineItem", line_item), ("results/pair", f"{line_item}\n{student}")]
        return []

    def add(self, kind: str, row: Json) -> None:
        """Enter a row."""
        for key in self.keys_of(kind, row):
            self.groups.setdefault(key, {})[row["sourcedId"]] = row

    def discard(self, kind: str, row: Json) -> None:
        """Take a row out."""
        for key in self.keys_of(kind, row):
            self.groups[key].pop(row["sourcedId"], None)


class SisWorld:
    """Everything one district's SIS holds.

    `rows[kind][sourcedId]` is the OneRoster object itself; kinds are orgs, academicSessions, courses,
    classes, users, enrollments, categories, lineItems and results. `base` is the absolute API root that
    references point into. A row may hold what only OneRoster 1.2 can say; `sis_dialect.py` shows it to either
    version.
    """

    def __init__(
        self,
        district: District,
        *,
        base: str = f"http://127.0.0.1{API}",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self.district = district
        self.base = base
        self.now = now
        self.behaviour = SisBehaviour()
        self.client_id = f"sandbox-id-{district.key}"
        self.client_secret = f"sandbox-secret-{district.key}"
        self.desk = TokenDesk(self.client_id, self.client_secret, now)
        self.rows: dict[str, dict[str, Json]] = roster_rows(district, base)
        self.rows |= {"lineItems": {}, "results": {}}
        self._indexes = _Indexes()
        self._ids_minted = 0
        for kind, rows in self.rows.items():
            for row in rows.values():
                self._indexes.add(kind, row)

    @property
    def today(self) -> date:
        """The school's day by which enrollments are current."""
        return self.district.today

    def put_row(self, kind: str, row: Json) -> None:
        """Enter or replace a row; its dateLastModified becomes now."""
        self.drop_row(kind, row["sourcedId"])
        row["dateLastModified"] = stamp(self.now())
        self.rows[kind][row["sourcedId"]] = row
        self._indexes.add(kind, row)

    def drop_row(self, kind: str, sourced_id: str) -> bool:
        """Take a row out; False when there was none."""
        old = self.rows[kind].pop(sourced_id, None)
        if old is not None:
            self._indexes.discard(kind, old)
        return old is not None

    def mint(self, kind: str) -> str:
        """An id of the SIS's own for a new row; in a form that no client would choose."""
        self._ids_minted += 1
        return f"GEN-{kind[0].upper()}-{self._ids_minted:07d}"

    @property
    def root(self) -> str:
        """The absolute address below which both versions of OneRoster are served."""
        return self.base.removesuffix(API)

    def school_of_class(self, class_id: str) -> str | None:
        """The id of the school a class belongs to; None for an unknown class."""
        row = self.rows["classes"].get(class_id)
        return None if row is None else str(row["school"]["sourcedId"])

    def remove(self, kind: str, sourced_id: str) -> None:
        """Delete a row with what hangs on it: a line item takes its results along.

        A SIS that deletes softly keeps all of them, marked as to be deleted.
        """
        if kind == "lineItems":
            for result in list(self.found("results/lineItem", sourced_id)):
                self._delete_one("results", result["sourcedId"])
        self._delete_one(kind, sourced_id)

    def _delete_one(self, kind: str, sourced_id: str) -> None:
        if self.behaviour.soft_deletes:
            self.put_row(kind, self.rows[kind][sourced_id] | {"status": "tobedeleted"})
        else:
            self.drop_row(kind, sourced_id)

    def current_periods(self) -> list[str]:
        """The grading periods that today lies in (ends are exclusive)."""
        today = self.today.isoformat()
        return [
            row["sourcedId"]
            for row in self.rows["academicSessions"].values()
            if row["type"] == "gradingPeriod" and row["startDate"] <= today < row["endDate"]
        ]

    def found(self, index: str, key: str) -> Iterable[Json]:
        """Rows of an index such as "enrollments/class" or "results/lineItem"."""
        return self._indexes.groups.get((index, key), {}).values()

    def reference(self, kind: str, sourced_id: str) -> Json:
        """A full reference into this SIS."""
        return reference(kind, sourced_id, self.base)

    def is_current(self, enrollment: Json) -> bool:
        """Whether an enrollment is active by its status and, by its dates, today (the end is exclusive)."""
        today = self.today.isoformat()
        return (
            bool(enrollment["status"] == "active")
            and enrollment.get("beginDate", today) <= today
            and today < enrollment.get("endDate", "9999")
        )

    def people_of_class(self, class_id: str, role: str) -> list[Json]:
        """Users with a current enrollment of this role in the class, each once."""
        ids = {
            e["user"]["sourcedId"]
            for e in self.found("enrollments/class", class_id)
            if e["role"] == role and self.is_current(e)
        }
        users = self.rows["users"]
        return [users[user_id] for user_id in sorted(ids) if user_id in users]

    def is_student_of(self, student_id: str, class_id: str) -> bool:
        """Whether the student may receive a result in the class today."""
        return any(
            e["class"]["sourcedId"] == class_id and e["role"] == "student" and self.is_current(e)
            for e in self.found("enrollments/user", student_id)
        )

    def classes_of_user(self, user_id: str) -> list[Json]:
        """Classes in which the user has a current enrollment, each once."""
        ids = {e["class"]["sourcedId"] for e in self.found("enrollments/user", user_id) if self.is_current(e)}
        classes = self.rows["classes"]
        return [classes[class_id] for class_id in sorted(ids) if class_id in classes]

    def line_items_of_class(self, class_id: str) -> list[Json]:
        """The class's line items."""
        return list(self.found("lineItems/class", class_id))

    def results_of_class(self, class_id: str) -> list[Json]:
        """The results of all line items of a class."""
        items = self.found("lineItems/class", class_id)
        return [row for item in items for row in self.found("results/lineItem", item["sourcedId"])]

    def results_of_pair(self, line_item_id: str, student_id: str) -> list[Json]:
        """The live results one student has for one line item; more than one is a duplicate somebody made."""
        found = self.found("results/pair", f"{line_item_id}\n{student_id}")
        return [row for row in found if row.get("status", "active") == "active"]

    def edit_score(self, result_id: str, score: float) -> None:
        """A teacher changes a score by hand in the SIS's own gradebook."""
        self.put_row("results", self.rows["results"][result_id] | {"score": score})

    def raw(self) -> Json:
        """The whole world as JSON, for a judge that compares it with what should be there."""
        return {
            "district": self.district.key,
            "today": self.today.isoformat(),
            "time_zone": self.district.time_zone,
            **{kind: list(rows.values()) for kind, rows in self.rows.items()},
        }
