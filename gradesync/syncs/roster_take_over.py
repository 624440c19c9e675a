"""First contact: the ids of the files about to be sent beside those Canvas holds. `domain.roster_takeover` judges.

Canvas's ids pass by page by page and are kept by nobody; which of them only one side holds is written into the run's
private place, for a dry run that is asked for its files.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import Roster
from gradesync.domain.roster_change import ALL_SCHOOLS, Example, Matching
from gradesync.domain.roster_csv import CanvasFiles, Row, RowFiles
from gradesync.domain.roster_generation import pseudonym
from gradesync.domain.roster_takeover import (
    KINDS,
    SEATS,
    FirstContact,
    OurIds,
    TakeOver,
    other_tools,
    take_over_stop,
)
from gradesync.domain.run import Stage
from gradesync.ports import RosterSpool
from gradesync.syncs.roster_job import RosterPreview
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_seats import active_seats

_REST = "take-over"
_HEADER = ("kind", "school", "id", "held_by", "pseudonym")
_CANVAS, _SIS = "Canvas", "SIS"

_CLASSES = 50
"""Classes of which seats are compared: a request each."""
_AT_ONCE = 4
"""Requests side by side: a token's bucket in Canvas holds about eleven (`canvas.md` 1.3)."""

_EXAMPLES = 10
_EACH = 2

_ID = {"accounts": "account_id", "terms": "term_id", "courses": "course_id", "sections": "section_id"}
_PLAIN = frozenset({"accounts", "terms"})
"""Kinds whose ids belong to nobody; the id of a class may be made of a teacher's name."""


@dataclass(slots=True)
class _Rest:
    """Takes the ids that only one side holds: a few as examples, all of them as rows."""

    out: RowFiles
    keyed: KeyedHash | None
    examples: list[Example] = field(default_factory=list)
    _taken: dict[tuple[str, str], int] = field(default_factory=dict)

    def take(self, kind: str, ids: Iterable[tuple[str, str]], by: str) -> None:
        """`ids` are (school, id)."""
        rows = [(kind, school, id, by, self._name(kind, id)) for school, id in ids]
        self.out.add(_REST, rows)
        for _, school, _, _, name in rows:
            number = self._taken.get((kind, by), 0)
            if not name or number >= _EACH:
                break
            self._taken[kind, by] = number + 1
            self.examples.append(Example(f"only in {by}", kind, school, name))

    def _name(self, kind: str, id: str) -> str:
        if kind in _PLAIN:
            return id
        purpose = "person" if kind == "users" else "class"
        return "" if self.keyed is None else pseudonym(self.keyed.numbers(purpose)(id))


async def first_contact(
    job: RosterPreview, files: CanvasFiles, scoped: Roster, data_set: str, spool: RosterSpool
) -> FirstContact | None:
    """Lay the ids side by side; None where Canvas holds none. Raises ConnectionProblem."""
    job.tracker.stage = Stage.MATCH
    paths, ours = (
        files.paths,
        await asyncio.to_thread(Ours.of, files, scoped, job.account.roster.mapping.accounts),
    )
    matched = TakeOver(ours.ids, ours.schools)
    rest = _Rest(spool.files({_REST: _HEADER}), None if job.brake is None else job.brake.keyed)
    async for page in job.canvas.held_ids(job.account.roster.mapping.people):
        if only := matched.hold(page):
            rest.take(page.kind, (("", id) for id in only), _CANVAS)
        job.progress.stage(job.schedule, Stage.MATCH.value, matched.held)
    if not matched.held:
        return None
    await asyncio.to_thread(_only_ours, paths, ours, rest)
    matching = (*matched.matchings(), *await _seats(job, paths, ours))
    written = {name: one.path for name, one in rest.out.finished().items()}
    stop = take_over_stop(matching)
    if stop is not None:
        stop = take_over_stop(matching, other_tools(await job.canvas.recent_imports(), data_set))
    return FirstContact(stop, matching, _telling(rest.examples), written)


def _telling(examples: list[Example]) -> tuple[Example, ...]:
    """Classes and people first: they are what would be built twice."""
    ordered = sorted(examples, key=lambda one: (-KINDS.index(one.kind), one.what, one.subject))
    return tuple(ordered[:_EXAMPLES])


@dataclass(frozen=True, slots=True)
class Ours:
    """Ids about to be sent, by kind; `schools` names the numbers of their schools, the first of them none."""

    ids: Mapping[str, OurIds]
    schools: list[str]

    @classmethod
    def of(cls, files: CanvasFiles, scoped: Roster, accounts: str) -> Ours:
        """Go through the files; where all courses lie in one account, the SIS tells the school of a class."""
        paths = files.paths
        ours = cls({kind: OurIds(_ids(paths, kind)) for kind in KINDS}, [""])
        numbers: dict[str, int] = {"": 0}
        told = {row.id: row.school_id for row in scoped.classes} if accounts == "none" else {}

        def number(school: str) -> int:
            if school not in numbers:
                numbers[school] = len(ours.schools)
                ours.schools.append(school)
            return numbers[school]

        courses, sections, users = (ours.ids[kind] for kind in ("courses", "sections", "users"))
        for id, school in _columns(paths, "courses", "course_id", "account_id"):
            if not told:
                courses.school(id, number(school))
        for id, course in _columns(paths, "sections", "section_id", "course_id"):
            at = number(told[id]) if id in told else courses.school_of(course)
            sections.school(id, at)
            courses.school(course, at)
        with rows_of(paths["enrollments.csv"]) as (header, rows):
            person = header.index("user_id" if "user_id" in header else "user_integration_id")
            section = header.index("section_id")
            for row in rows:
                users.school(row[person], sections.school_of(row[section]))
        return ours


def _ids(paths: Mapping[str, Path], kind: str) -> Iterator[str]:
    with rows_of(paths[f"{kind}.csv"]) as (header, rows):
        at = id_at(paths, kind, header)
        for row in rows:
            yield row[at]


def id_at(paths: Mapping[str, Path], kind: str, header: Row) -> int:
    """Which column of the file is the id that enrollments and courses speak of."""
    if kind != "users":
        return header.index(_ID[kind])
    with rows_of(paths["enrollments.csv"]) as (seats, _):
        return header.index("user_id" if "user_id" in seats else "integration_id")


def _columns(paths: Mapping[str, Path], kind: str, *names: str) -> Iterator[tuple[str, str]]:
    with rows_of(paths[f"{kind}.csv"]) as (header, rows):
        first, second = (header.index(name) for name in names)
        for row in rows:
            yield row[first], row[second]


def _only_ours(paths: Mapping[str, Path], ours: Ours, rest: _Rest) -> None:
    """Which of our ids Canvas does not hold."""
    for kind, ids in ours.ids.items():
        rest.take(
            kind,
            ((ours.schools[ids.school_of(id)], id) for id in _ids(paths, kind) if not ids.met(id)),
            _SIS,
        )


async def _seats(job: RosterPreview, paths: Mapping[str, Path], ours: Ours) -> list[Matching]:
    """Who sits in some of the classes both sides hold: equal ids could mean other classes and other people."""
    sections = ours.ids["sections"]
    by_school: dict[int, list[str]] = {}
    for id in _ids(paths, "sections"):
        if sections.met(id):
            by_school.setdefault(sections.school_of(id), []).append(id)
    each = max(1, _CLASSES // max(1, len(by_school)))
    chosen = {
        id: number
        for number, of_school in by_school.items()
        for id in heapq.nsmallest(each, of_school, _by_hash)
    }
    if not chosen:
        return []
    wanted = await asyncio.to_thread(active_seats, paths, chosen.keys())
    found: dict[int, tuple[int, int, int]] = {}
    ids = sorted(chosen)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        for id, held in zip(some, await asyncio.gather(*map(job.canvas.class_seats, some)), strict=True):
            mine, theirs = wanted.by_class.get(id, set()), held or frozenset()
            # Against the smaller side of each class: one that nobody has filled yet says nothing.
            most, same = min(len(mine), len(theirs)), len(mine & theirs)
            before = found.get(chosen[id], (0, 0, 0))
            found[chosen[id]] = (before[0] + most, before[1] + same, before[2] + most - same)
    of_schools = [
        Matching(SEATS, ours.schools[number], most, same, foreign)
        for number, (most, same, foreign) in found.items()
    ]
    totals = (sum(getattr(one, name) for one in of_schools) for name in ("wanted", "same", "foreign"))
    return [Matching(SEATS, ALL_SCHOOLS, *totals), *of_schools]


def _by_hash(id: str) -> bytes:
    return hashlib.sha256(id.encode("utf-8", "surrogatepass")).digest()


__all__ = ["Ours", "first_contact", "id_at"]
