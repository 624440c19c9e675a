"""Peak memory of a roster run with Canvas's own files, or with guardians: `KIND STUDENTS FOLDER`, facts as JSON.

Kinds: `canvas` and `guardians`; with `keep-` before it the run leaves its read in the folder as the last good one. A
process of its own for each, because a peak is never taken back. The export is written row by row first.
"""

from __future__ import annotations

import asyncio
import csv
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from benchmarks import roster_district as district
from benchmarks.roster_part import Kept
from benchmarks.table import peak_memory
from gradesync.connectors.canvas.upload import pack
from gradesync.connectors.canvas_csv import CanvasCsvSource
from gradesync.connectors.roster_pickup import Picked
from gradesync.connectors.spool import DiskSpool, disk_spool
from gradesync.domain.account import RosterMapping, RosterPolicy, Scope
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import Roster, RosterClass, RosterEnrollment, RosterUser
from gradesync.domain.roster_csv import CanvasFiles, files_digest, headers
from gradesync.domain.roster_mapping import canvas_files
from gradesync.domain.roster_plain import WholeMaker
from gradesync.domain.roster_scope import in_scope, school_year, scope_digest
from gradesync.syncs.roster_braking import Brake, basis_of, measured

_SCOPE = Scope()
_BRAKE = Brake(KeyedHash(b"benchmark", "district"))
_EACH = 2
"""Guardians of a student; two siblings share them."""


@dataclass(frozen=True)
class _There:
    newest: Path

    async def fetch(self) -> Picked:
        return Picked(self.newest)

    async def unchanged(self) -> None:
        return None


def main() -> None:
    """Do the part and print its facts."""
    kind, students, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    keeps, kind = kind.startswith("keep-"), kind.removeprefix("keep-")
    kept = Kept(folder / "kept")
    if kind == "canvas" and keeps:
        _export(folder / "export", students)
    with disk_spool() as spool:
        run = _canvas if kind == "canvas" else _guardians
        files = run(spool, kept, students, folder, keeps=keeps)
    print(json.dumps({"memory": peak_memory(), "enrollments": files.counts["enrollments"]}))


def _export(folder: Path, students: int) -> None:
    """The district as Canvas's own files."""
    folder.mkdir(parents=True)
    tables: dict[str, tuple[str, Iterator[list[str]]]] = {
        "accounts": (
            "account_id,parent_account_id,name,status",
            ([one.id, one.parent_id or "", one.name, "active"] for one in district.ORGS),
        ),
        "terms": (
            "term_id,name,status,start_date,end_date",
            (
                [one.id, one.title, "active", f"{one.start}", f"{one.end}"]
                for one in (district.YEAR, district.FALL, district.SPRING)
            ),
        ),
        "courses": (
            "course_id,short_name,long_name,account_id,term_id,status",
            ([row[0], row[6], row[3], row[9], "Y27", "active"] for row in district.classes(students)),
        ),
        "sections": (
            "section_id,course_id,name,status",
            ([f"{row[0]}-1", row[0], row[3], "active"] for row in district.classes(students)),
        ),
        "users": (
            "user_id,login_id,first_name,last_name,email,status",
            ([row[0], row[6], row[8], row[9], row[12], "active"] for row in district.users(students)),
        ),
        "enrollments": (
            "section_id,user_id,role,status",
            ([f"{row[3]}-1", row[5], row[6], "active"] for row in district.enrollments(students)),
        ),
    }
    for name, (columns, rows) in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(chain([columns.split(",")], rows))


def _canvas(spool: DiskSpool, kept: Kept, _students: int, folder: Path, *, keeps: bool) -> CanvasFiles:
    source = CanvasCsvSource(_There(folder / "export"), time_zone=district.TIME_ZONE)
    asyncio.run(source.read_roster(lambda _done, _total: None, spool))
    scoped = in_scope(spool.roster(), _SCOPE, district.TODAY)
    maker = _BRAKE.maker(source.headers(), RosterMapping(), scoped)
    files = source.canvas_files(scoped, maker.beside(spool.files(source.headers())))
    _judged(spool, kept, maker, scoped, files, keeps=keeps)
    return files


def _guardians(spool: DiskSpool, kept: Kept, students: int, _folder: Path, *, keeps: bool) -> CanvasFiles:
    mapping = RosterMapping(guardians="observers")
    spool.orgs(district.ORGS)
    spool.sessions((district.YEAR, district.FALL, district.SPRING))
    spool.courses(district.CATALOGUE)
    spool.classes(
        RosterClass(row[0], row[3], row[6], row[5], row[9], tuple(row[10].split(",")))
        for row in district.classes(students)
    )
    spool.users(
        RosterUser(row[0], row[6], row[8], row[9], row[12], row[5], True, row[11])
        for row in district.users(students)
    )
    spool.users(_adults(students))
    missing = 100 if keeps else 0
    spool.enrollments(
        RosterEnrollment(row[5], row[3], row[6], None, None)
        for row in district.enrollments(students, missing)
    )
    scoped = in_scope(spool.roster(), _SCOPE, district.TODAY)
    columns = headers(mapping)
    maker = _BRAKE.maker(columns, mapping, scoped)
    out = maker.beside(spool.files(columns))
    files = canvas_files(scoped, out, mapping, time_zone=district.TIME_ZONE, today=district.TODAY)
    assert files.counts["user_observers"] == students * _EACH
    _judged(spool, kept, maker, scoped, files, keeps=keeps)
    return files


def _adults(students: int) -> Iterator[RosterUser]:
    """Two guardians for every two students."""
    for n in range(students // 2 * _EACH):
        first = 100_000 + n // _EACH * 2
        agents = (f"{first}", f"{first + 1}")
        name = district.GIVEN[n % 6], f"{district.FAMILY[n % 5]} {n % 97}"
        yield RosterUser(
            f"G{500_000 + n}", f"g{n}", *name, f"g{n}@home.example", "guardian", True, "", agents=agents
        )


def _judged(
    spool: DiskSpool, kept: Kept, maker: WholeMaker, scoped: Roster, files: CanvasFiles, *, keeps: bool
) -> None:
    """The generation, kept or measured against the one that was; and the zip."""
    basis = basis_of(scoped, scope_digest(_SCOPE), school_year(scoped, district.TODAY), district.TODAY)
    generation = maker.made(basis, spool.chunks())
    if keeps:
        kept.keep(generation.head.to_text(), generation.chunks)
    else:
        found = measured(
            kept,  # type: ignore[arg-type]  # the two calls a brake makes
            _BRAKE,
            generation,
            account="district",
            files=files_digest(files),
            policy=RosterPolicy(),
            today=district.TODAY,
        )
        assert found.verdict.stop is None
    with tempfile.TemporaryFile() as archive:
        pack(files.paths, archive)


if __name__ == "__main__":
    main()
