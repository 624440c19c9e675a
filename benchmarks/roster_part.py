"""One measured part of `benchmarks.roster`, in a process of its own: `KIND STUDENTS FOLDER ROUNDS`, facts as JSON.

Kinds: `csv` and `pages` measure time, ours and the baseline taking turns; `keep` leaves a last good read in the folder;
`memory` measures the peak of one whole run against it, whose rows come one by one.
"""

from __future__ import annotations

import csv
import gc
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from benchmarks import roster_district as district
from benchmarks.table import peak_memory
from gradesync.connectors.canvas.upload import pack
from gradesync.connectors.oneroster import rows as from_json
from gradesync.connectors.oneroster_csv.layouts import BULK, V1P1, in_mode, layouts
from gradesync.connectors.oneroster_csv.rows import makers
from gradesync.connectors.roster_table import Vocabulary, values_of
from gradesync.connectors.spool import DiskSpool, disk_spool
from gradesync.domain.account import RosterPolicy, Scope
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster_csv import CanvasFiles, files_digest, headers
from gradesync.domain.roster_mapping import canvas_files
from gradesync.domain.roster_scope import in_scope, school_year, scope_digest
from gradesync.syncs.roster_braking import Brake, basis_of, measured

CHANGED = 100
"""Every so manieth student has one class more than in the last good read."""
PAGE, BLOCK = 1000, 256
"""Rows of a REST page, and of a block of a CSV file."""
_KINDS = ("classes", "users", "enrollments")
_POLICY, _SCOPE = RosterPolicy(), Scope()

Source = Mapping[str, Callable[[], Iterable[Iterable[Any]]]]
T = TypeVar("T")


@dataclass
class Kept:
    """The last good read as a store gives it, a school's chunk at a time; on disk, like a store's."""

    folder: Path

    def generation(self) -> str | None:
        head = self.folder / "head"
        return head.read_text() if head.exists() else None

    def generation_chunk(self, kind: str, school: str) -> bytes:
        path = self.folder / f"{kind}-{school}"
        return path.read_bytes() if path.exists() else b""

    def keep(self, head: str, chunks: Mapping[tuple[str, str], bytes]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "head").write_text(head)
        for (kind, school), chunk in chunks.items():
            (self.folder / f"{kind}-{school}").write_bytes(chunk)


def main() -> None:
    """Do the part and print its facts."""
    kind, students, folder, rounds = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    if kind in ("keep", "memory"):
        facts = _once(students, Kept(folder), keeps=kind == "keep")
    else:
        _once(students, Kept(folder), keeps=True)
        facts = _timed(kind, students, Kept(folder), rounds)
    print(json.dumps(facts))


def _once(students: int, kept: Kept, *, keeps: bool) -> dict[str, float]:
    """One run whose rows are never in memory together."""
    missing = CHANGED if keeps else 0
    rows = {
        "classes": lambda: district.classes(students),
        "users": lambda: district.users(students),
        "enrollments": lambda: district.enrollments(students, missing),
    }
    source: Source = {name: partial(_values, name, found) for name, found in rows.items()}
    with disk_spool() as spool:
        files = _ours(source, spool, kept, keeps=keeps)
    return {"memory": peak_memory(), "enrollments": files.counts["enrollments"]}


class _Untimed:
    """CPU seconds that were not ours: reading the SIS's rows, a piece at a time, as a run gets them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def pieces(self, read: Callable[[], Iterator[T]]) -> Iterator[T]:
        """What `read` yields, its time not counted."""
        found = read()
        while True:
            started = time.process_time()
            piece = next(found, None)
            self.seconds += time.process_time() - started
            if piece is None:
                return
            yield piece


def _timed(kind: str, students: int, kept: Kept, rounds: int) -> dict[str, float]:
    untimed = _Untimed()
    source: Source = {name: _given(kind, name, students, kept.folder, untimed) for name in _KINDS}
    ours, theirs, files = [], [], None
    for _ in range(rounds):
        with disk_spool() as spool:
            untimed.seconds = 0.0
            started = time.process_time()
            files = _ours(source, spool, kept)
            ours.append(time.process_time() - started - untimed.seconds)
            theirs.append(_theirs(files))
    assert files is not None
    return {
        "ours": min(ours),
        "theirs": min(theirs),
        "rows": files.rows,
        "enrollments": files.counts["enrollments"],
    }


def _given(
    kind: str, name: str, students: int, folder: Path, untimed: _Untimed
) -> Callable[[], Iterable[Any]]:
    """The rows as the SIS showed them; making values of them is part of what is measured."""
    rows = getattr(district, name)(students)
    if kind == "csv":
        path = folder / f"{name}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(rows)
        return lambda: _values(name, lambda: _rows_of(path), untimed)
    page = {
        "classes": district.page_of_class,
        "users": district.page_of_user,
        "enrollments": district.page_of_enrollment,
    }[name]
    path = folder / f"{name}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        while block := list(islice(rows, PAGE)):
            file.write(json.dumps([page(row) for row in block]) + "\n")

    def pages() -> Iterator[list[Any]]:
        with path.open(encoding="utf-8") as file:
            yield from map(json.loads, file)

    return lambda: map(_PARSE[name], untimed.pieces(pages))


def _rows_of(path: Path) -> Iterator[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.reader(file)


_PARSE: Mapping[str, Callable[[list[Any]], Iterable[Any]]] = {
    "classes": lambda page: from_json.parsed(page, from_json.school_class),
    "users": lambda page: from_json.parsed(page, from_json.user),
    "enrollments": from_json.enrollments,
}


def _values(
    name: str, rows: Callable[[], Iterator[list[str]]], untimed: _Untimed | None = None
) -> Iterator[Iterable[Any]]:
    """CSV cells into values, block by block, as the reader of OneRoster's files does once it has judged them."""
    layout = in_mode(layouts(V1P1)[name], BULK)
    make = makers(V1P1, {name: layout.columns}, {}, guardians=False)[name]
    words: list[tuple[int, Vocabulary, dict[str, Any]]] = [
        (layout.columns.index(column), vocabulary, {"": None}) for column, vocabulary in layout.words.items()
    ]

    def blocks() -> Iterator[list[list[str]]]:
        waiting = rows()
        while block := list(islice(waiting, BLOCK)):
            yield block

    for block in (untimed or _Untimed()).pieces(blocks):
        cells = tuple(zip(*block, strict=True))
        read = [values_of(cells[at], known, vocabulary) for at, vocabulary, known in words]
        assert None not in read
        yield make(cells, read)  # type: ignore[arg-type]  # none of them is None


def _ours(source: Source, spool: DiskSpool, kept: Kept, *, keeps: bool = False) -> CanvasFiles:
    """What a run does between reading the SIS and the upload (`syncs.roster_deciding`)."""
    spool.orgs(district.ORGS)
    spool.sessions((district.YEAR, district.FALL, district.SPRING))
    spool.courses(district.CATALOGUE)
    for name in _KINDS:
        for block in source[name]():
            getattr(spool, name)(block)
    scoped = in_scope(spool.roster(), _SCOPE, district.TODAY)
    columns = headers(_POLICY.mapping)
    brake = Brake(KeyedHash(b"benchmark", "district"))
    maker = brake.maker(columns, _POLICY.mapping, scoped)
    files = canvas_files(
        scoped,
        maker.beside(spool.files(columns)),
        _POLICY.mapping,
        time_zone=district.TIME_ZONE,
        today=district.TODAY,
    )
    year = school_year(scoped, district.TODAY)
    basis = basis_of(scoped, scope_digest(_SCOPE), year, district.TODAY)
    generation = maker.made(basis, spool.chunks())
    if keeps:
        kept.keep(generation.head.to_text(), generation.chunks)
    else:
        digest = files_digest(files)
        found = measured(
            kept,  # type: ignore[arg-type]  # the two calls a brake makes
            brake,
            generation,
            account="district",
            files=digest,
            policy=_POLICY,
            today=district.TODAY,
        )
        assert found.verdict.stop is None
        assert found.verdict.change.schools
    with tempfile.TemporaryFile() as archive:
        pack(files.paths, archive)
    return files


def _theirs(files: CanvasFiles) -> float:
    """CPU seconds of csv.writer over the same rows, into files as well."""
    content = []
    for path in files.paths.values():
        with path.open(newline="", encoding="utf-8") as file:
            content.append([tuple(row) for row in csv.reader(file)])
    gc.freeze()
    spent = 0.0
    for rows in content:
        with tempfile.TemporaryFile("w", newline="", encoding="utf-8") as target:
            started = time.process_time()
            csv.writer(target, lineterminator="\r\n").writerows(rows)
            target.flush()
            spent += time.process_time() - started
    gc.unfreeze()
    del content
    gc.freeze()
    return spent


if __name__ == "__main__":
    main()
