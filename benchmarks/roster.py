"""Mapping, diffing and packing the roster of a district of 50,000 students, against the csv module writing its rows.

`python -m benchmarks.roster` prints a markdown table. The baseline writes the very rows our files end with and does
nothing else. Ours begins with rows of the SIS that are read already (CSV cells, parsed JSON pages) and ends with the
zip that would be uploaded: records made, put by on disk, cut to the scope, mapped, measured against the last good read,
written, digested, packed.
"""

from __future__ import annotations

import argparse
import tempfile

from benchmarks.table import Row, measured_apart, table

COMMAND = "python -m benchmarks.roster"
STUDENTS = 50_000
"""Students of the district; each has eight classes."""
FROM_CSV, FROM_PAGES, GROWTH = 6, 10, 1.3
"""The most that the targets allow."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=STUDENTS, help=f"default {STUDENTS}")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of every time (default 5)")
    args = parser.parse_args()
    print(table(rows(args.students, args.rounds)))


def rows(students: int = STUDENTS, rounds: int = 5) -> list[Row]:
    """The time from CSV rows and from REST pages, and the memory against a tenth of the district."""
    with tempfile.TemporaryDirectory() as folder:
        found = [_time(kind, students, rounds, folder) for kind in ("csv", "pages")]
        return [*found, _memory(students, folder)]


def _time(kind: str, students: int, rounds: int, folder: str) -> Row:
    facts = part(kind, students, f"{folder}/{kind}", rounds)
    source = "CSV rows" if kind == "csv" else "REST pages already parsed"
    return Row(
        f"roster of {facts['enrollments']:,.0f} enrollments from {source}: mapped, diffed, packed, CPU",
        facts["ours"] * 1000,
        facts["theirs"] * 1000,
        "ms",
        f"csv.writer over the same {facts['rows']:,.0f} rows",
        FROM_CSV if kind == "csv" else FROM_PAGES,
        COMMAND,
    )


def _memory(students: int, folder: str) -> Row:
    peaks = {}
    for size in (students // 10, students):
        place = f"{folder}/memory-{size}"
        part("keep", size, place, 1)
        peaks[size] = part("memory", size, place, 1)
    large, small = peaks[students], peaks[students // 10]
    return Row(
        f"same: peak memory, {large['enrollments']:,.0f} enrollments",
        large["memory"],
        small["memory"],
        "MB",
        f"{small['enrollments']:,.0f} enrollments",
        GROWTH,
        COMMAND,
        large["memory"],
    )


def part(kind: str, students: int, folder: str, rounds: int) -> dict[str, float]:
    """One measured part of ours."""
    return measured_apart("benchmarks.roster_part", kind, str(students), folder, str(rounds))


if __name__ == "__main__":
    main()
