"""Seats that Canvas holds and the SIS does not, after a first contact with a Canvas that was filled before.

An import adds; what a lost store or another tool once seated, and the SIS has since ended, no comparison of ours knows
of. So after the first import every class is looked at once, and those with such seats every night until there are none.
They are told, never taken out by themselves: only a person can say that the SIS is right. Only seats made by an import
count; whoever was seated by hand stays. What the night itself ended is `roster_after`'s.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_change import Example, RosterChange
from gradesync.domain.roster_generation import SECTIONS, pseudonym
from gradesync.domain.run import RunResult, Stage
from gradesync.ports import RosterSpool
from gradesync.syncs.marks import BEYOND
from gradesync.syncs.roster_deciding import Decided
from gradesync.syncs.roster_job import RosterJob, RosterPreview
from gradesync.syncs.roster_leavers import seat_rows, taken_out
from gradesync.syncs.roster_seats import Seat, active_seats

ALL = "all"
"""The mark while no class has been looked at yet."""

CODE = "GS-626"
FILE = "seats-beyond.csv"

_AT_ONCE = 4
"""Requests side by side: a token's bucket in Canvas holds about eleven (`canvas.md` 1.3)."""
_EXAMPLES = 10
_NAMED_SCHOOLS = 5

Beyond = Mapping[str, frozenset[Seat]]
"""Class -> seats of it that are beyond the SIS."""


async def beyond_told(job: RosterJob, decided: Decided, spool: RosterSpool) -> RunResult:
    """The run's end: say which seats are beyond the SIS, or take them out if a person agreed to just these.

    Raises ConnectionProblem and LeaseLost.
    """
    mark = job.records.watermark(BEYOND)
    if not mark:
        return job.tracker.result()
    found = await beyond_seats(job, decided, _chosen(decided, mark, job.keyed))
    digest = _digest(job.keyed, found)
    if found and job.brake is not None and digest in job.brake.approved:
        seats = [(id, *seat) for id, of in sorted(found.items()) for seat in sorted(of)]
        if await taken_out(job, decided, spool, seats):
            job.tracker.codes["GS-614"] += 1
            found = {}
    if found:
        _tell(job, decided, found, digest)
    classes = sorted(_name(job.keyed, id) for id in found)
    # Without a key no class can be remembered but by its id, so all of them are looked at again.
    job.records.set_watermarks(
        {BEYOND: json.dumps(classes) if classes and job.keyed else ALL if found else ""}
    )
    return job.tracker.result()


async def beyond_shown(job: RosterPreview, decided: Decided, spool: RosterSpool) -> Mapping[str, Path]:
    """The same for a dry run, which answers the seats as a file that Canvas takes. Raises ConnectionProblem."""
    chosen = beyond_classes(job, decided)
    found = await beyond_seats(job, decided, chosen) if chosen else {}
    if not found:
        return {}
    _tell(job, decided, found, None)
    header, rows = seat_rows(
        decided.files, ((id, *seat) for id, of in sorted(found.items()) for seat in sorted(of)), job.account
    )
    place = spool.files({Path(FILE).stem: header})
    place.add(Path(FILE).stem, rows)
    (file,) = place.finished().values()
    return {FILE: file.path}


def beyond_classes(job: RosterPreview, decided: Decided) -> Sequence[str]:
    """The classes in which the next run looks for such seats; all of them before it has looked for the first time."""
    mark = ALL if decided.contact else job.records.watermark(BEYOND)
    keyed = None if job.brake is None else job.brake.keyed
    return _chosen(decided, mark, keyed) if mark else []


def _chosen(decided: Decided, mark: str, keyed: KeyedHash | None) -> list[str]:
    """The classes to be looked at."""
    ids = sorted(decided.files.section_ids)
    if mark == ALL or keyed is None:
        return ids
    wanted = frozenset(json.loads(mark))
    return [id for id in ids if _name(keyed, id) in wanted]


async def beyond_seats(job: RosterPreview | RosterJob, decided: Decided, ids: Collection[str]) -> Beyond:
    """Seats of these classes that imports made and the SIS does not have. Raises ConnectionProblem."""
    canvas = job.canvas if isinstance(job, RosterPreview) else job.sink
    stage = job.tracker.stage
    job.tracker.stage = Stage.VERIFY
    wanted = await asyncio.to_thread(active_seats, decided.files.paths, frozenset(ids))
    found: dict[str, frozenset[Seat]] = {}
    chosen = list(ids)
    for start in range(0, len(chosen), _AT_ONCE):
        some = chosen[start : start + _AT_ONCE]
        held = await asyncio.gather(*(canvas.imported_seats(one) for one in some))
        for id, seats in zip(some, held, strict=True):
            unclear = wanted.unclear.get(id, set())
            beyond = frozenset(
                (person, role)
                for person, role in (seats or frozenset()) - wanted.by_class.get(id, set())
                # Observers sit wherever their students do, and roles of the district's own are told by another name.
                if role != "observer" and person not in unclear
            )
            if beyond:
                found[id] = beyond
        job.progress.stage(job.schedule, Stage.VERIFY.value, start + len(some), len(chosen))
    job.tracker.stage = stage
    return found


def _tell(job: RosterPreview | RosterJob, decided: Decided, found: Beyond, digest: str | None) -> None:
    """Into the run: the code, the numbers by school, the classes with most by pseudonym, and what an approval names."""
    schools = {one.id: one.school_id for one in decided.scoped.classes if one.id in found}
    total = sum(map(len, found.values()))
    seats = f"{total:,} seat{'s' * (total != 1)}"
    told = f"Canvas holds {seats} that imports made and the SIS does not have: {_by_school(found, schools)}."
    keyed = None if job.brake is None else job.brake.keyed
    worst = sorted(found, key=lambda one: (-len(found[one]), one))[:_EXAMPLES]
    examples = tuple(
        Example("beyond the SIS", SECTIONS, schools.get(id, ""), _name(keyed, id), len(found[id]))
        for id in worst
        if keyed
    )
    before = job.tracker.roster or RosterChange()
    job.tracker.roster = replace(
        before,
        codes=(CODE,),
        sentences=(
            *(before.sentences if before.approved else ()),
            f"{told} They stay until somebody decides.",
        ),
        examples=examples,
        digest=digest,
        approved=False,
        # It does not hang on the read this one was measured against.
        base="",
    )
    job.tracker.codes[CODE] += total
    job.progress.say(job.schedule, told)


def _by_school(found: Beyond, schools: Mapping[str, str]) -> str:
    seats: Counter[str] = Counter()
    classes: Counter[str] = Counter()
    for id, of in found.items():
        school = schools.get(id, "")
        seats[school] += len(of)
        classes[school] += 1
    worst = sorted(seats, key=lambda one: (-seats[one], one))
    parts = [
        f"school {one}: {seats[one]:,} in {classes[one]:,} class{'es' * (classes[one] != 1)}"
        for one in worst[:_NAMED_SCHOOLS]
    ]
    more = [f"{len(worst) - _NAMED_SCHOOLS:,} more schools"] if len(worst) > _NAMED_SCHOOLS else []
    return "; ".join([*parts, *more])


def _name(keyed: KeyedHash | None, class_id: str) -> str:
    return "" if keyed is None else pseudonym(keyed.numbers("class")(class_id))


def _digest(keyed: KeyedHash | None, found: Beyond) -> str | None:
    """Names exactly these seats; nobody learns them from it."""
    return None if keyed is None else keyed("seats beyond the SIS", *_texts(found))[:20]


def _texts(found: Beyond) -> Iterable[str]:
    return (text for id, of in sorted(found.items()) for seat in sorted(of) for text in (id, *seat))


__all__ = ["ALL", "FILE", "beyond_classes", "beyond_seats", "beyond_shown", "beyond_told"]
