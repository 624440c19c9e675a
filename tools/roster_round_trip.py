"""`python -m tools.roster_round_trip`: a whole district from the sandbox's SIS into its Canvas, judged by the oracle.

50,000 students and more than 400,000 enrollments take too long for the tests, so this is a command of its own. The
sandbox lives in this process and the import is the real command in a process of its own, whose memory is measured.
Says figures only. Exit 1 when Canvas differs from what the oracle expects.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

from gradesync.sandbox.server import running
from tests.whole.harness import ROSTER, Tree
from tests.whole.roster_oracle import CanvasOracle, canvas_held, difference

ACCOUNT = "riverside"


def main(arguments: list[str] | None = None) -> int:
    """Run it; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.roster_round_trip", description=__doc__)
    parser.add_argument("--students", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="roster-round-trip-") as folder:
        return _round_trip(Path(folder), asked.students, asked.seed)


def _round_trip(folder: Path, students: int, seed: int) -> int:
    began = time.monotonic()
    with running((ACCOUNT,), students=students, seed=seed, populated=False) as sandbox:
        school = sandbox.schools[ACCOUNT]
        held = sum(len(school.sis.rows[kind]) for kind in ("users", "classes", "enrollments"))
        _say(f"made in {time.monotonic() - began:.0f} s: {held:,} users, classes and enrollments")
        _say(f"  {len(school.sis.rows['enrollments']):,} enrollments; sandbox {_own_peak():,} MB")
        tree = Tree(folder / "tree", sandbox)
        tree.prepare()
        for what in ("first import", "second night"):
            began = time.monotonic()
            code, peak, said = _import(tree)
            _say(f"{what}: {time.monotonic() - began:.0f} s, peak memory {peak:,} MB, exit {code}")
            _say("\n".join(f"  {line}" for line in said.splitlines()))
            if code not in (0, 3):
                return 1
        began = time.monotonic()
        oracle = CanvasOracle()
        oracle.night(school.sis.raw())
        told = difference(oracle.held, canvas_held(school.canvas.raw()), most=0)
        seats = len(oracle.held.seats)
        _say(
            f"judged in {time.monotonic() - began:.0f} s: {seats:,} seats, {len(oracle.held.people):,} people"
        )
        _say(told or "Canvas holds exactly what the oracle expects.")
        return 1 if told else 0


def _import(tree: Tree) -> tuple[int, int, str]:
    """One run of the command: exit code, peak memory in MB, what it said."""
    said = tree.root / "said.txt"
    with said.open("w") as out:
        process = tree.start("run", f"{ACCOUNT}/{ROSTER}", "--yes")
        assert process.stdout is not None
        assert process.stderr is not None
        # Counts and codes fit a pipe's buffer, so nobody has to read while it works.
        peak = 0
        while process.poll() is None:
            peak = max(peak, _peak_of(process.pid))
            time.sleep(0.2)
        out.write(process.stdout.read())
        process.stdout.close()
        process.stderr.close()
    return process.returncode, peak, said.read_text(encoding="utf-8")


def _peak_of(pid: int) -> int:
    """The most memory a process has held so far, in MB; what `wait4` tells would count ours from before its start."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found.group(1)) // 1024 if found else 0


def _own_peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
