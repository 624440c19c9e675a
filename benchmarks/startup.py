"""How long a person waits for `gradesync --help`, `--version` and `list`, against bare Python doing nothing.

`python -m benchmarks.startup` prints a markdown table. Each measurement is a whole process, from its start to its
end, with its output piped; ours and the baseline take turns, and the medians are compared.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.table import MAXRSS_PER_MB, Row, table
from benchmarks.tree import recorded_tree

COMMAND = "python -m benchmarks.startup"
# What the installed script does, without asking that the package be installed.
ENTRY = "import sys; from gradesync.__main__ import main; sys.exit(main())"
NOTHING = ("pass",)
LIBRARIES = ("import sqlalchemy, click",)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    print(table(rows(parser.parse_args().rounds)))


def rows(rounds: int = 15) -> list[Row]:
    """Help and version against nothing at all; lists against the imports they cannot do without.

    The long list has no limit of its own: it shows what a thousand rows add to what every list costs.
    """
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few", Path(folder) / "many"
        recorded_tree(few, 3, 2)
        recorded_tree(many, 100, 10)
        bare, libraries = "`python -c pass`", '`python -c "import sqlalchemy, click"`'
        return [
            _case("`gradesync --help`", (ENTRY, "--help"), NOTHING, bare, 6.0, rounds),
            _case("`gradesync --version`", (ENTRY, "--version"), NOTHING, bare, 6.0, rounds),
            _case(
                "`gradesync list`, piped, 3 accounts with 6 schedules",
                (ENTRY, "-C", str(few), "list"),
                LIBRARIES,
                libraries,
                1.3,
                rounds,
            ),
            _case(
                "`gradesync list`, piped, 100 accounts with 1,000 schedules",
                (ENTRY, "-C", str(many), "list"),
                LIBRARIES,
                libraries,
                None,
                rounds,
            ),
        ]


def _case(
    what: str, ours: Sequence[str], theirs: Sequence[str], baseline: str, at_most: float | None, rounds: int
) -> Row:
    for one in (ours, theirs):
        _process(one)  # writes the compiled modules, and brings the files into memory
    walls: tuple[list[float], list[float]] = ([], [])
    peaks = []
    for _ in range(rounds):
        wall, peak = _process(ours)
        walls[0].append(wall)
        peaks.append(peak)
        walls[1].append(_process(theirs)[0])
    wall, bare = (statistics.median(one) * 1000 for one in walls)
    return Row(what, wall, bare, "ms", baseline, at_most, COMMAND, statistics.median(peaks))


def _process(arguments: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MB of one Python process."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-c", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    # Reading to the end first, so that a full pipe never makes the process wait.
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read()
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    process.stderr.close()
    if process.returncode:
        raise SystemExit(complaint)
    return wall, usage.ru_maxrss / MAXRSS_PER_MB


if __name__ == "__main__":
    main()
