"""After the import: reading back who sits where. What is remembered between runs is `roster_import`'s."""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from gradesync.domain.roster_change import SeatsRead
from gradesync.domain.roster_classes import left_behind
from gradesync.domain.roster_csv import Row
from gradesync.domain.roster_generation import GenerationHead
from gradesync.domain.roster_rows import Remembered, row_key
from gradesync.domain.run import Stage
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_seats import Seat, active_seats

_SAMPLE = 50
"""Classes read back after an import where the account asks for a sample: a page or two of requests each."""

_AT_ONCE = 4
"""Requests side by side: a token's bucket in Canvas holds about eleven (`canvas.md` 1.3)."""

_NAMED_SCHOOLS = 5


@dataclass(slots=True)
class Found:
    """What reading back showed, by school (the SIS's id): seats looked at and seats missing; and missing sections.

    `stayed` are (class, person, role) of seats that we once sent, that have ended, and that Canvas still holds.
    """

    looked: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    sections: int = 0
    stayed: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Seats and sections that are not as they should be."""
        return sum(self.missing.values()) + self.sections + len(self.stayed)

    def by_school(self) -> tuple[SeatsRead, ...]:
        """What was looked at, for the run's record."""
        return tuple(SeatsRead(one, self.looked[one], self.missing[one]) for one in sorted(self.looked))

    def sentence(self) -> str:
        """The numbers by school, the worst first."""
        worst = sorted(((n, school) for school, n in self.missing.items() if n), reverse=True)
        parts = [f"school {school}: {n:,} of {self.looked[school]:,} seats" for n, school in worst]
        if len(parts) > _NAMED_SCHOOLS:
            parts = [*parts[:_NAMED_SCHOOLS], f"{len(parts) - _NAMED_SCHOOLS} more schools"]
        if self.sections:
            parts.append(f"{self.sections:,} sections")
        told = ["Sent, but not in Canvas: " + "; ".join(parts) + "."] if parts else []
        if self.stayed:
            told.append(f"{len(self.stayed):,} seats that have ended were still in Canvas and are taken out.")
        return " ".join(told)


@dataclass(slots=True)
class _Expected:
    """What should be in Canvas, for the classes looked at; `excused` are sections known to be refused.

    `unclear` are people, by class, who sit there in a role of the district's own. `beyond` is filled while looking:
    class -> seats that Canvas holds and that were not sent.
    """

    seats: dict[str, set[Seat]] = field(default_factory=dict)
    schools: Mapping[str, str] = field(default_factory=dict)
    excused: frozenset[str] = frozenset()
    unclear: dict[str, set[str]] = field(default_factory=dict)
    beyond: dict[str, frozenset[Seat]] = field(default_factory=dict)


async def read_back(
    job: RosterJob, decided: Decided, refused: Remembered, emptied: Iterable[str] = ()
) -> Found:
    """Ask Canvas who sits in some classes, or in all (`roster.verify`), and compare with what was sent.

    `emptied` are classes to be looked at in any case. Rows that Canvas is known to refuse are not missed a second
    time. Raises ConnectionProblem.
    """
    job.tracker.stage = Stage.VERIFY
    job.progress.stage(job.schedule, Stage.VERIFY.value)
    how = job.account.roster.verify
    found = Found()
    chosen: Set[str] = decided.files.section_ids
    if how != "full":
        some = _some(chosen, decided.digest) if how == "sample" else ()
        chosen = frozenset([*some, *(one for one in emptied if one in chosen)])
    if not chosen:
        return found
    expected = await asyncio.to_thread(_expected, job, decided, chosen, refused)
    ids = sorted(chosen)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        held = await asyncio.gather(*(job.sink.class_seats(one) for one in some))
        for class_id, seats in zip(some, held, strict=True):
            _compare(found, expected, class_id, seats)
        job.progress.stage(job.schedule, Stage.VERIFY.value, start + len(some), len(ids))
    job.tracker.counts["read back"] = found.looked.total()
    found.stayed = await asyncio.to_thread(_stayed, job, decided, expected)
    return found


def _compare(found: Found, expected: _Expected, class_id: str, held: Set[Seat] | None) -> None:
    wanted = expected.seats.get(class_id, set())
    unclear = expected.unclear.get(class_id)
    if held and unclear:
        held = frozenset(seat for seat in held if seat[0] not in unclear or seat in wanted)
    school = expected.schools.get(class_id, "")
    found.looked[school] += len(wanted)
    if held is None:
        found.sections += class_id not in expected.excused
    else:
        found.missing[school] += len(wanted - held)
        if held - wanted:
            expected.beyond[class_id] = frozenset(held - wanted)


def _stayed(job: RosterJob, decided: Decided, expected: _Expected) -> list[tuple[str, str, str]]:
    """Whom Canvas still holds although we sent them once and they have left since."""
    generation = decided.brake.generation
    if job.keyed is None or generation is None or job.account.roster.mapping.people != "sis_id":
        # Canvas names people by their SIS id; by another one, whoever left is not in the files to be told by.
        return []
    text = job.records.generation() if expected.beyond else None
    old = None if text is None else GenerationHead.from_text(text)
    if old is None or old.key_id != generation.head.key_id:
        return []
    chunk = job.records.generation_chunk
    return [
        seat
        for school in sorted(old.schools)
        for seat in left_behind(chunk, generation, job.keyed, school, expected.beyond)
    ]


def _some(class_ids: Iterable[str], digest: str) -> list[str]:
    """A sample that is another one after every upload, and the same for the same upload."""
    return heapq.nsmallest(
        _SAMPLE, class_ids, key=lambda one: hashlib.sha256(f"{digest} {one}".encode()).digest()
    )


def _expected(job: RosterJob, decided: Decided, chosen: Set[str], refused: Remembered) -> _Expected:
    """The active seats of these classes by the files that were sent."""
    files, keyed = decided.files.paths, job.keyed
    known = refused.keys.get("enrollments", frozenset()) if keyed else frozenset()

    def is_refused(header: Row, row: Row) -> bool:
        return keyed is not None and row_key(keyed, "enrollments", header, row) in known

    seats = active_seats(files, chosen, without=is_refused if known else None)
    expected = _Expected(
        seats=seats.by_class,
        schools={one.id: one.school_id for one in decided.scoped.classes if one.id in chosen},
        unclear=seats.unclear,
    )
    gone = refused.keys.get("sections", frozenset())
    if gone and keyed:
        with rows_of(files["sections.csv"]) as (header, rows):
            own = header.index("section_id")
            expected.excused = frozenset(
                row[own] for row in rows if row_key(keyed, "sections", header, row) in gone
            )
    return expected
