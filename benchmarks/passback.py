"""Grade passback against bare clients doing the same requests, and against a straightforward sequential script.

`python -m benchmarks.passback` prints a markdown table. Baselines of the same run:
- the very requests of the run, replayed by a bare aiohttp client over the same number of connections;
- a sequential script with canvasapi and requests that carries the same scores (`benchmarks/sequential.py`).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Self

from benchmarks.school import School


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--students", type=int, default=1430)
    parser.add_argument("--latency", type=int, default=20)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument(
        "--small", type=int, default=120, help="students of the school for the sequential script"
    )
    args = parser.parse_args()
    print("| measured | gradesync | baseline | ratio |")
    print("|---|---|---|---|")
    large(args.students, args.latency, args.connections)
    if args.small: sequential(args.small, args.latency)
    memory(args.small, args.students)


def large(students: int, latency: int, connections: int) -> None:
    """10,000 changed scores in 500 classes, against a replay."""
    with School(students) as school, tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/store.db"
        school.tell("teach", "grade-all")
        _part("ours", school, store, connections, connections, "full")
        school.tell("regrade-last")
        school.tell("latency", str(latency))
        school.tell("record", "on")
        ours = _part("ours", school, store, connections, connections, "delta")
        school.tell("dump", f"{folder}/requests.json")
        school.tell("record", "off")
        bare = _part("bare", school, f"{folder}/requests.json", connections, connections, "replay")
    what = f"{ours['sent']} scores, {school.classes} classes, {bare['requests']} requests, {latency} ms"
    _row(
        f"{what}: wall, {connections} connections",
        ours["wall"],
        bare["wall"],
        "s",
        "replayed by bare aiohttp",
    )
    _row(f"{what}: CPU", ours["cpu"], bare["cpu"], "s", "replayed by bare aiohttp")
    _row("same: peak memory", ours["memory"], bare["memory"], "MB", "replayed by bare aiohttp")


def sequential(students: int, latency: int) -> None:
    """A smaller school at 4 SIS writers, against the sequential script."""
    with School(students) as school, tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/store.db"
        _part("ours", school, store, 4, 4, "full")
        school.tell("teach", "grade-all")
        school.tell("latency", str(latency))
        script = _part("sequential", school, f"{folder}/none", 1, 1, "script")
        school.tell("teach", "regrade-all")
        ours = _part("ours", school, store, 4, 4, "delta")
    each = f"{ours['wall'] / ours['sent'] * 1000:.2f} ms"
    other = f"{script['wall'] / script['sent'] * 1000:.2f} ms"
    ratio = (script["wall"] / script["sent"]) / (ours["wall"] / ours["sent"])
    what = f"per score sent, 4 SIS writers, {latency} ms ({ours['sent']:.0f} against {script['sent']:.0f} scores)"
    print(f"| {what} | {each} | {other} sequential script (canvasapi + requests) | {ratio:.2f}x faster |")


def memory(few: int, many: int) -> None:
    """Peak memory of a first full passback at 10 times the classes."""
    peaks = []
    for students in (few, many):
        with School(students) as school, tempfile.TemporaryDirectory() as folder:
            peaks.append((_part("ours", school, f"{folder}/s.db", 8, 8, "full"), school.classes))
    (small, small_classes), (large_, large_classes) = peaks
    what = f"peak memory, {large_classes} against {small_classes} classes"
    _row(what, large_["memory"], small["memory"], "MB", "ours, the smaller school")


def _row(what: str, ours: float, theirs: float, unit: str, baseline: str) -> None:
    print(f"| {what} | {ours:.2f} {unit} | {theirs:.2f} {unit} {baseline} | {ours / theirs:.2f}x |")


def _part(kind: str, school: School, path: str, canvas: int, sis: int, how: str) -> dict[str, float]:
    """One measured part in a process of its own, so that memory and CPU are its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.passback_part",
            kind,
            school.canvas_url,
            school.sis_url,
            school.district,
            path,
            str(canvas),
            str(sis),
            how,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


class Meter:
    """Wall and CPU seconds of a `with` block, and the process's peak memory in MB; imports stay outside."""

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.facts = {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
            "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        }


if __name__ == "__main__":
    assert Path("benchmarks").is_dir()
    main()
