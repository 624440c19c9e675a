"""Grade passback against bare clients doing the same requests, and against a straightforward sequential script.

`python -m benchmarks.passback` prints a markdown table. Baselines of the same run:
- the very requests of the run, replayed by a bare aiohttp client over the same number of connections;
- a sequential script with canvasapi and requests that carries the same scores (`benchmarks/sequential.py`).
"""

from __future__ import annotations

import argparse
import tempfile

from benchmarks.school import School
from benchmarks.table import Row, measured_apart, table

COMMAND = "python -m benchmarks.passback"
REPLAY = "the same requests replayed by bare aiohttp"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--students", type=int, default=1600)
    parser.add_argument("--latency", type=int, default=20, help="milliseconds before either side answers")
    parser.add_argument("--connections", type=int, default=8, help="to each side")
    parser.add_argument(
        "--small", type=int, default=120, help="students of the school for the script; 0 leaves it out"
    )
    args = parser.parse_args()
    print(table(rows(args.students, args.latency, args.connections, args.small)))


def rows(students: int = 1600, latency: int = 20, connections: int = 8, small: int = 120) -> list[Row]:
    """A large delta against its replay, the cost of a score against a script, memory against a smaller school."""
    found = large(students, latency, connections)
    if small:
        found += [sequential(small, latency), memory(students // 10, students)]
    return found


def large(students: int, latency: int, connections: int, rounds: int = 3) -> list[Row]:
    """One changed score per seat, against a replay: wall, CPU and memory of the round whose CPU ratio is the median.

    Several rounds, because a shared machine's processors are not equally fast from minute to minute.
    """
    found = []
    with School(students) as school, tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/store.db"
        school.tell("teach", "grade-all")
        part("ours", school, store, connections, connections, "full")
        for _ in range(rounds):
            school.tell("latency", "0")
            school.tell("regrade-last")
            school.tell("latency", str(latency))
            school.tell("record", "on")
            ours = part("ours", school, store, connections, connections, "delta")
            school.tell("dump", f"{folder}/requests.json")
            school.tell("record", "off")
            bare = part("bare", school, f"{folder}/requests.json", connections, connections, "replay")
            found.append((ours, bare))
    found.sort(key=lambda pair: pair[0]["cpu"] / pair[1]["cpu"])
    ours, bare = found[len(found) // 2]
    what = (
        f"grade passback, {ours['sent']:,} scores in {school.classes:,} classes, {bare['requests']:,} requests, "
        f"{latency} ms latency, {connections} connections a side"
    )
    return [
        Row(f"{what}: wall", ours["wall"], bare["wall"], "s", REPLAY, 1.15, COMMAND, ours["memory"]),
        Row("same: CPU", ours["cpu"], bare["cpu"], "s", REPLAY, 2.5, COMMAND),
        Row("same: peak memory", ours["memory"], bare["memory"], "MB", REPLAY, None, COMMAND),
    ]


def sequential(students: int, latency: int) -> Row:
    """A smaller school at 4 SIS writers, against the sequential script: milliseconds for each score sent."""
    with School(students) as school, tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/store.db"
        part("ours", school, store, 4, 4, "full")
        school.tell("teach", "grade-all")
        school.tell("latency", str(latency))
        script = part("sequential", school, f"{folder}/none", 1, 1, "script")
        school.tell("teach", "regrade-all")
        ours = part("ours", school, store, 4, 4, "delta")
    what = f"grade passback, time for a score, 4 SIS writers, {latency} ms latency, {ours['sent']:,} scores"
    baseline = f"sequential script (canvasapi and requests), {script['sent']:,} scores"
    each, other = (one["wall"] / one["sent"] * 1000 for one in (ours, script))
    # At least 3.6 times faster is at most that share of the time.
    return Row(what, each, other, "ms", baseline, 1 / 3.6, COMMAND, ours["memory"])


def memory(few: int, many: int) -> Row:
    """Peak memory of a first full passback, against a school with a fraction of the classes."""
    peaks = []
    for students in (few, many):
        with School(students) as school, tempfile.TemporaryDirectory() as folder:
            peaks.append((part("ours", school, f"{folder}/s.db", 8, 8, "full"), school.classes))
    (small, small_classes), (large_, large_classes) = peaks
    what = f"first full grade passback, peak memory, {large_classes:,} classes"
    baseline = f"ours, {small_classes:,} classes"
    return Row(what, large_["memory"], small["memory"], "MB", baseline, 1.3, COMMAND, large_["memory"])


def part(kind: str, school: School, path: str, canvas: int, sis: int, how: str) -> dict[str, float]:
    """One measured part against the school."""
    place = (school.canvas_url, school.sis_url, school.district)
    return measured_apart("benchmarks.passback_part", kind, *place, path, str(canvas), str(sis), how)


if __name__ == "__main__":
    main()
