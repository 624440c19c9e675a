"""Who should sit in some classes, by the Canvas files just written. Nothing is decided and nothing is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path

from gradesync.domain.roster_csv import Row
from gradesync.syncs.roster_rows import rows_of

_BASE_ROLES = frozenset({"student", "teacher", "ta", "observer", "designer"})

Seat = tuple[str, str]
"""(SIS id of the person, Canvas role)."""


@dataclass(slots=True)
class Seats:
    """Active seats by class (the section's SIS id).

    `unclear` are people, by class, who sit there in a role of the district's own: Canvas tells of such a role only
    which of its own it rests on.
    """

    by_class: dict[str, set[Seat]] = field(default_factory=dict)
    unclear: dict[str, set[str]] = field(default_factory=dict)


def active_seats(
    files: Mapping[str, Path],
    chosen: Set[str],
    *,
    without: Callable[[Row, Row], bool] | None = None,
) -> Seats:
    """The active seats of these classes; `without` (header, row) tells rows that are not expected."""
    found = Seats()
    with rows_of(files["enrollments.csv"]) as (header, rows):
        by_number = "user_id" not in header
        person = header.index("user_integration_id" if by_number else "user_id")
        section, role, status = (header.index(name) for name in ("section_id", "role", "status"))
        for row in rows:
            named = row[role].lower()
            if row[section] not in chosen or row[status] != "active":
                continue
            if without is not None and without(header, row):
                continue
            if named not in _BASE_ROLES:
                found.unclear.setdefault(row[section], set()).add(row[person])
                continue
            found.by_class.setdefault(row[section], set()).add((row[person], named))
    if by_number:
        _name_by_sis_id(files, found)
    return found


def _name_by_sis_id(files: Mapping[str, Path], found: Seats) -> None:
    """Where people are known by their integration id: Canvas names who sits where by the SIS id all the same."""
    wanted = {person for seats in found.by_class.values() for person, _ in seats}
    with rows_of(files["users.csv"]) as (header, rows):
        own, other = header.index("user_id"), header.index("integration_id")
        names = {row[other]: row[own] for row in rows if row[other] in wanted}
    for class_id, seats in found.by_class.items():
        found.by_class[class_id] = {(names[who], role) for who, role in seats if who in names}


__all__ = ["Seat", "Seats", "active_seats"]
