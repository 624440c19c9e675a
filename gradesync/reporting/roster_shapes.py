"""The parts of JSON documents that only a roster import has: what changes, what stopped it, what was read back.

Opaque ids of schools and classes, pseudonyms of people; never a name.
"""

from __future__ import annotations

from typing import Any

from gradesync.domain.roster_change import ALL_SCHOOLS, NUMBERS, RosterChange

Shape = dict[str, Any]


def change_shape(change: RosterChange | None) -> Shape | None:
    """What a roster import would change, by school and kind; examples are pseudonyms and stand with the stop."""
    if change is None:
        return None
    return {
        "against": change.against or None,
        "schools": [
            {
                "school": None if one.school == ALL_SCHOOLS else one.school or None,
                "kind": one.kind,
                **{name: getattr(one, name) for name in NUMBERS},
            }
            for one in (*change.schools, *change.besides)
        ],
    }


def matching_shapes(change: RosterChange | None) -> list[Shape]:
    """How the SIS's ids matched those Canvas held before the first import."""
    return [
        {
            "kind": one.kind,
            "school": None if one.school == ALL_SCHOOLS else one.school,
            "from_sis": one.wanted,
            "same": one.same,
            "only_in_canvas": one.foreign,
        }
        for one in (change.matching if change is not None else ())
    ]


def fault_shapes(change: RosterChange | None) -> list[Shape]:
    """What was wrong with the roster files, by place; never what stood there."""
    return [
        {
            "file": one.file or None,
            "rows": list(one.rows),
            "column": one.column or None,
            "times": one.times,
            "what": one.what,
        }
        for one in (change.faults if change is not None else ())
    ]


def class_change_shapes(change: RosterChange | None) -> list[Shape]:
    """Drops and adds per class of a roster import that went through, the largest first."""
    return [
        {"class": one.class_id, "school": one.school, "added": one.added, "dropped": one.dropped}
        for one in (change.classes if change is not None else ())
    ]


def read_back_shapes(change: RosterChange | None) -> list[Shape]:
    """What reading back showed after an import, by school."""
    return [
        {"school": one.school or None, "seats": one.looked, "missing": one.missing}
        for one in (change.read_back if change is not None else ())
    ]


def stop_shape(change: RosterChange | None) -> Shape | None:
    """What the brake held, or let through by approval: numbers, and examples by pseudonym."""
    if change is None or not change.codes:
        return None
    return {
        "codes": list(change.codes),
        "sentences": list(change.sentences),
        "digest": change.digest,
        "approved": change.approved,
        "change": change_shape(change),
        "examples": [
            {
                "what": one.what,
                "kind": one.kind,
                "school": one.school or None,
                "subject": one.subject,
                "other": one.other,
                "seats": one.seats,
            }
            for one in change.examples
        ],
    }


__all__ = [
    "change_shape",
    "class_change_shapes",
    "fault_shapes",
    "matching_shapes",
    "read_back_shapes",
    "stop_shape",
]
