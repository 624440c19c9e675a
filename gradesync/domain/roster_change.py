"""What a roster read would change in Canvas, in numbers: the values a stop carries, a run keeps and reports show.

Counts by school and kind, a few examples by pseudonym, and the digest by which a person can approve exactly this
change. No ids of people, no names. What is too much is decided in `roster_brake`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

ALL_SCHOOLS = "*"
"""Stands for the account as a whole."""


@dataclass(frozen=True, slots=True)
class SchoolChange:
    """One kind of record in one school. `school` is the SIS's id of it; "" means people without a class.

    `before` and `after` count what is in force. `removed` are gone from the files, `ended` stay in them without access
    (suspended, inactive), `moved` belong elsewhere now, `renumbered` are those of the removed that seem to have come
    back under another id. `changed` keeps its place and its id. `untaught` are sections that stay, with students in
    them, and lose their last teacher.
    """

    kind: str
    school: str
    before: int = 0
    after: int = 0
    created: int = 0
    changed: int = 0
    ended: int = 0
    removed: int = 0
    moved: int = 0
    renumbered: int = 0
    untaught: int = 0

    @property
    def lost(self) -> int:
        """What the change limit counts."""
        return self.removed + self.ended + self.moved

    @property
    def is_change(self) -> bool:
        """Whether anything differs at all."""
        return bool(self.lost or self.created or self.changed)

    def __add__(self, other: SchoolChange) -> SchoolChange:
        """Both together, under the first one's name."""
        return SchoolChange(
            self.kind, self.school, *(getattr(self, name) + getattr(other, name) for name in NUMBERS)
        )


NUMBERS = ("before", "after", "created", "changed", "ended", "removed", "moved", "renumbered", "untaught")
"""The numbers of a `SchoolChange`, in order."""


@dataclass(frozen=True, slots=True)
class Example:
    """One record by pseudonym: `what` happened to it, and how many seats in class hang on it.

    `other` is the pseudonym under which it seems to have come back.
    """

    what: str
    kind: str
    school: str
    subject: str
    seats: int = 0
    other: str | None = None


@dataclass(frozen=True, slots=True)
class ClassChange:
    """Seats that one class gained and lost. `class_id` is the SIS's; of a class that is gone, its pseudonym."""

    class_id: str
    school: str
    added: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class SeatsRead:
    """Reading back after an import, of one school: seats looked at, and those of them that Canvas does not hold."""

    school: str
    looked: int
    missing: int = 0


@dataclass(frozen=True, slots=True)
class Matching:
    """First contact, one kind in one school: how many ids we would send, and how many of them Canvas holds already.

    `foreign` are ids of the kind that Canvas alone holds; what they belong to is unknown, so they stand with
    `ALL_SCHOOLS`, whose numbers are those of all schools together.
    """

    kind: str
    school: str
    wanted: int
    same: int
    foreign: int = 0


@dataclass(frozen=True, slots=True)
class FileFault:
    """One mistake in a roster file. `rows` are the first it is met in, counted from 1 with the header, `times` all.

    `file` "" is the export as a whole; `column` "" the row as a whole; no `rows` mean the file as a whole. `what` is a
    constant sentence: never anything read from a file.
    """

    file: str
    column: str
    what: str
    rows: tuple[int, ...] = ()
    times: int = 1

    def __str__(self) -> str:
        where = [self.file or "the export"]
        if self.rows:
            where.append(f"row {self.rows[0]}")
        if self.column:
            where.append(f"column {self.column}")
        more = f" ({self.times:,} rows)" if self.times > 1 else ""
        return f"{', '.join(where)}: {self.what}{more}"


@dataclass(frozen=True, slots=True)
class RosterChange:
    """A read measured against the last good one, and what stopped it.

    `against` says what it was measured with: `last read`, `last year` (counts alone) or "" (nothing to compare with).
    `codes` are the brake's; `digest` is what an approval names, None when nobody may approve it (an empty read).
    `base` names the generation it was measured against. `approved` tells that it went through by approval, `dry`
    that nothing would have been sent anyway. `classes` are the drops and adds of an import that went through.
    `matching` lays our ids beside Canvas's at first contact, `faults` is what was wrong with the files of a read.
    `besides` counts the kinds the brake sets no limit on, as `schools` does the others; of terms and observers nobody
    knows the school (`ALL_SCHOOLS`). `read_back` is what looking at Canvas afterwards showed.
    """

    schools: tuple[SchoolChange, ...] = ()
    against: str = ""
    codes: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()
    digest: str | None = None
    base: str = ""
    approved: bool = False
    dry: bool = False
    classes: tuple[ClassChange, ...] = ()
    matching: tuple[Matching, ...] = ()
    faults: tuple[FileFault, ...] = ()
    besides: tuple[SchoolChange, ...] = ()
    read_back: tuple[SeatsRead, ...] = ()

    @property
    def stopped(self) -> bool:
        """Whether the brake held it."""
        return bool(self.codes) and not self.approved

    def total(self, kind: str) -> SchoolChange:
        """All schools of a kind together."""
        return total(kind, self.schools)

    def to_text(self) -> str:
        """As JSON, for the store."""
        values: dict[str, Any] = {
            "schools": _rows(self.schools),
            "against": self.against,
            "codes": list(self.codes),
            "sentences": list(self.sentences),
            "examples": [asdict(one) for one in self.examples],
            "digest": self.digest,
            "base": self.base,
            "approved": self.approved,
            "dry": self.dry,
            "classes": [[one.class_id, one.school, one.added, one.dropped] for one in self.classes],
        }
        if self.matching:
            values["matching"] = [
                [one.kind, one.school, one.wanted, one.same, one.foreign] for one in self.matching
            ]
        if self.besides:
            values["besides"] = _rows(self.besides)
        if self.read_back:
            values["read_back"] = [[one.school, one.looked, one.missing] for one in self.read_back]
        if self.faults:
            values["faults"] = [asdict(one) for one in self.faults]
        return json.dumps(values, sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> RosterChange:
        """Back from JSON."""
        values: Mapping[str, Any] = json.loads(text)
        return cls(
            schools=tuple(SchoolChange(*row) for row in values["schools"]),
            against=values["against"],
            codes=tuple(values["codes"]),
            sentences=tuple(values["sentences"]),
            examples=tuple(Example(**one) for one in values["examples"]),
            digest=values["digest"],
            base=values["base"],
            approved=values["approved"],
            dry=values["dry"],
            classes=tuple(ClassChange(*row) for row in values.get("classes", ())),
            matching=tuple(Matching(*row) for row in values.get("matching", ())),
            besides=tuple(SchoolChange(*row) for row in values.get("besides", ())),
            read_back=tuple(SeatsRead(*row) for row in values.get("read_back", ())),
            faults=tuple(
                FileFault(**{**one, "rows": tuple(one["rows"])}) for one in values.get("faults", ())
            ),
        )


def _rows(schools: Iterable[SchoolChange]) -> list[list[Any]]:
    return [[one.kind, one.school, *(getattr(one, name) for name in NUMBERS)] for one in schools]


def total(kind: str, schools: Iterable[SchoolChange]) -> SchoolChange:
    """All schools of a kind together, as school `ALL_SCHOOLS`."""
    return sum((one for one in schools if one.kind == kind), SchoolChange(kind, ALL_SCHOOLS))


__all__ = [
    "ALL_SCHOOLS",
    "NUMBERS",
    "ClassChange",
    "Example",
    "FileFault",
    "Matching",
    "RosterChange",
    "SchoolChange",
    "SeatsRead",
    "total",
]
