"""Reading the SIS and Canvas for a comparison of rosters; nothing here can write. `domain.roster_comparing` judges.

The reading and the files are those of a dry run, or a comparison could disagree with the next run.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from gradesync.domain.roster_change import ALL_SCHOOLS
from gradesync.domain.roster_comparing import (
    Cause,
    ClassLine,
    KindLine,
    LastRead,
    RosterComparison,
    Seat,
    SeatJudge,
    Tally,
    cause_of_absent,
    worst_first,
)
from gradesync.domain.roster_csv import Row
from gradesync.domain.roster_generation import ENROLLMENTS, GenerationHead
from gradesync.domain.roster_rows import Remembered, row_key
from gradesync.domain.roster_takeover import TakeOver
from gradesync.domain.run import Stage
from gradesync.syncs.marks import REFUSED
from gradesync.syncs.roster_beyond import Beyond, beyond_classes, beyond_seats
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.roster_deciding import Decided, decide
from gradesync.syncs.roster_job import RosterPreview
from gradesync.syncs.roster_rows import rows_of
from gradesync.syncs.roster_seats import active_seats
from gradesync.syncs.roster_take_over import Ours, id_at

_SAMPLE = 50
_AT_ONCE = 4
"""Requests side by side: a token's bucket in Canvas holds about eleven (`canvas.md` 1.3)."""
_TOGETHER = 500
"""Classes whose seats are held in memory together."""


async def compare_rosters(
    job: RosterPreview, brake: Brake, *, full: bool = False, class_filter: str | None = None
) -> RosterComparison:
    """Lay the SIS, the last good import and Canvas beside each other.

    Seats of 50 classes, of all (`full`), or of one alone; then ids are not compared. Raises ConnectionProblem, and
    RosterFilesProblem for files that cannot be used.
    """
    with job.spool() as spool:
        decided = await decide(job, spool)
        text = job.records.generation()
        head = None if text is None else GenerationHead.from_text(text)
        last = LastRead(head, job.records.generation_chunk, brake.keyed)
        look = _Look(job, brake, decided, last, Remembered.of(job.records.watermark(REFUSED)))
        ours = await asyncio.to_thread(
            Ours.of, decided.files, decided.scoped, job.account.roster.mapping.accounts
        )
        lines: list[KindLine] = []
        if class_filter is None:
            lines += await look.ids(ours)
        every = decided.files.section_ids
        watched = beyond_classes(job, decided)
        chosen = _chosen(every, full, class_filter, f"{decided.digest} {job.today}", watched)
        look.beyond = await beyond_seats(job, decided, sorted({*watched} & {*chosen}))
        seats, classes = await look.seats(ours, chosen)
        lines += seats
        return RosterComparison(
            schedule=str(job.schedule),
            lines=tuple(lines),
            classes=worst_first(classes),
            records=tuple(look.tally.records),
            change=decided.brake.verdict.change,
            looked=len(chosen),
            classes_in_all=len(every),
            ids_compared=class_filter is None,
            last_day=None if last.head is None else last.head.basis.day,
            codes=dict(sorted(decided.files.problems.items())),
            future=decided.files.future,
        )


def _chosen(every: Set[str], full: bool, one: str | None, salt: str, watched: Sequence[str]) -> list[str]:
    """Which classes are asked for: another sample every day, and those that each run looks at."""
    if one is not None:
        return [one] if one in every else []
    if full:
        return sorted(every)

    def mixed(one: str) -> bytes:
        return hashlib.sha256(f"{salt} {one}".encode("utf-8", "surrogatepass")).digest()

    # Before the first look that is every class, and a sample of them must do.
    named = frozenset(watched) if len(watched) < len(every) else frozenset()
    return sorted(named.union(heapq.nsmallest(_SAMPLE, every, key=mixed)))


@dataclass
class _Look:
    """One comparison under way."""

    job: RosterPreview
    brake: Brake
    decided: Decided
    last: LastRead
    refused: Remembered
    tally: Tally = field(default_factory=Tally)
    beyond: Beyond = field(default_factory=dict)

    async def ids(self, ours: Ours) -> list[KindLine]:
        """Ids of every kind that has any."""
        job = self.job
        job.tracker.stage = Stage.MATCH
        matched = TakeOver(ours.ids, ours.schools)
        async for page in job.canvas.held_ids(job.account.roster.mapping.people):
            for id in matched.hold(page):
                school = self.last.school_of(page.kind, id)
                cause = Cause.OTHERS if school is None else Cause.GONE
                told = ALL_SCHOOLS if page.kind == "accounts" else school or ALL_SCHOOLS
                self.tally.note(page.kind, told, cause, self.last.number(page.kind, id))
            job.progress.stage(job.schedule, Stage.MATCH.value, matched.held)
        await asyncio.to_thread(self._absent, ours)
        wanted: dict[tuple[str, str], tuple[int, int]] = {}
        for one in matched.matchings():
            if one.school != ALL_SCHOOLS:
                kind_school = (one.kind, one.school or ALL_SCHOOLS)
                before = wanted.get(kind_school, (0, 0))
                wanted[kind_school] = (before[0] + one.wanted, before[1] + one.same)
        keys = wanted.keys() | self.tally.causes.keys()
        return [
            self._line(kind, school, *wanted.get((kind, school), (0, 0))) for kind, school in sorted(keys)
        ]

    def _line(self, kind: str, school: str, sis: int, both: int) -> KindLine:
        head = self.last.head
        counts = None if head is None else head.counts.get(kind)
        last = None
        if counts is not None and kind == "accounts":
            # Each of them is a school of its own in a generation: one row tells all.
            last = sum(counts.values())
        elif counts is not None:
            last = counts.get(school, 0) + (counts.get("", 0) if school == ALL_SCHOOLS else 0)
        return KindLine(kind, school, sis, last, both, self.tally.causes.get((kind, school), {}))

    def _absent(self, ours: Ours) -> None:
        """Records of the SIS's that Canvas does not hold."""
        paths = self.decided.files.paths
        for kind, ids in ours.ids.items():
            refused = self.refused.keys.get(kind, frozenset())
            with rows_of(paths[f"{kind}.csv"]) as (header, rows):
                at = id_at(paths, kind, header)
                for row in rows:
                    if ids.met(row[at]):
                        continue
                    cause = cause_of_absent(
                        refused=bool(refused) and row_key(self.brake.keyed, kind, header, row) in refused,
                        sent=self.last.school_of(kind, row[at]) is not None,
                    )
                    school = ours.schools[ids.school_of(row[at])] or ALL_SCHOOLS
                    self.tally.note(kind, school, cause, self.last.number(kind, row[at]))

    async def seats(self, ours: Ours, chosen: Sequence[str]) -> tuple[list[KindLine], list[ClassLine]]:
        """Who sits in these classes."""
        self.job.tracker.stage = Stage.VERIFY
        generation = self.decided.brake.generation
        if generation is None:
            return [], []
        chunk = self.job.records.generation_chunk
        judge = SeatJudge(self.last, chunk, generation, self.brake.keyed, self.tally)
        wanted, both, last = Counter[str](), Counter[str](), Counter[str]()
        classes: list[ClassLine] = []
        sections = ours.ids["sections"]
        for start in range(0, len(chosen), _TOGETHER):
            some = chosen[start : start + _TOGETHER]
            expected = await asyncio.to_thread(_Expected.of, self, frozenset(some))
            for class_id, held in await self._held(some, start, len(chosen)):
                school = ours.schools[sections.school_of(class_id)] or ALL_SCHOOLS
                mine, theirs = expected.mine(class_id), expected.theirs(class_id, held)
                wanted[school] += len(mine)
                both[school] += len(mine.keys() & (theirs or {}).keys())
                last[school] += judge.last(class_id)
                is_refused = expected.is_refused(class_id)
                beyond = self.beyond.get(class_id, frozenset())
                if line := judge.judge(class_id, school, mine, theirs, is_refused, beyond):
                    classes.append(line)
        known = self.last.head is not None
        causes = self.tally.causes
        lines = [
            KindLine(
                ENROLLMENTS,
                school,
                wanted[school],
                last[school] if known else None,
                both[school],
                causes.get((ENROLLMENTS, school), {}),
            )
            for school in sorted(wanted)
        ]
        return lines, classes

    async def _held(
        self, some: Sequence[str], done: int, total: int
    ) -> list[tuple[str, frozenset[Seat] | None]]:
        job = self.job
        found: list[tuple[str, frozenset[Seat] | None]] = []
        for start in range(0, len(some), _AT_ONCE):
            few = some[start : start + _AT_ONCE]
            found += zip(few, await asyncio.gather(*map(job.canvas.class_seats, few)), strict=True)
            job.progress.stage(job.schedule, Stage.VERIFY.value, done + start + len(few), total)
        return found


@dataclass
class _Expected:
    """Seats of some classes by the files; `names` tells the files' id of a person by the one Canvas names, where the
    two are not the same."""

    seats: Mapping[str, Set[Seat]]
    unclear: Mapping[str, Set[str]]
    names: Mapping[str, str]
    refused: Set[tuple[str, str, str]]
    refused_people: Set[str]
    refused_sections: Set[str]

    @classmethod
    def of(cls, look: _Look, some: Set[str]) -> _Expected:
        """Go through the files once."""
        paths, keyed, known = look.decided.files.paths, look.brake.keyed, look.refused.keys
        rows_refused = known.get("enrollments", frozenset())
        refused: set[tuple[str, str, str]] = set()

        def note(header: Row, row: Row) -> bool:
            if row_key(keyed, "enrollments", header, row) in rows_refused:
                person = "user_id" if "user_id" in header else "user_integration_id"
                section, who, role = (row[header.index(name)] for name in ("section_id", person, "role"))
                refused.add((section, who, role.lower()))
            return False

        seats = active_seats(paths, some, without=note if rows_refused else None)
        names: dict[str, str] = {}
        if look.job.account.roster.mapping.people == "integration_id":
            with rows_of(paths["users.csv"]) as (header, rows):
                own, other = header.index("user_id"), header.index("integration_id")
                names = {row[own]: row[other] for row in rows}
        people = frozenset(_refused_ids(look, "users"))
        return cls(
            seats.by_class, seats.unclear, names, refused, people, frozenset(_refused_ids(look, "sections"))
        )

    def mine(self, class_id: str) -> dict[Seat, Seat]:
        """Who should sit there."""
        return self._named(self.seats.get(class_id, ()))

    def theirs(self, class_id: str, held: Set[Seat] | None) -> dict[Seat, Seat] | None:
        """Who sits there, without people in a role of the district's own."""
        if held is None:
            return None
        unclear, wanted = self.unclear.get(class_id, frozenset()), self.seats.get(class_id, frozenset())
        return self._named(seat for seat in held if seat in wanted or seat[0] not in unclear)

    def _named(self, seats: Iterable[Seat]) -> dict[Seat, Seat]:
        return {(who, role): (self.names.get(who, who), role) for who, role in seats}

    def is_refused(self, class_id: str) -> Callable[[Seat], bool]:
        """Tells whether a seat of the class was refused: itself, its person or its section."""
        if class_id in self.refused_sections:
            return lambda _seat: True
        return lambda seat: seat[0] in self.refused_people or (class_id, *seat) in self.refused


def _refused_ids(look: _Look, kind: str) -> Iterable[str]:
    """Ids of the records of a kind that Canvas refused before."""
    refused, paths = look.refused.keys.get(kind, frozenset()), look.decided.files.paths
    if not refused:
        return
    with rows_of(paths[f"{kind}.csv"]) as (header, rows):
        at = id_at(paths, kind, header)
        for row in rows:
            if row_key(look.brake.keyed, kind, header, row) in refused:
                yield row[at]


__all__ = ["compare_rosters"]
