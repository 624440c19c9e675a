"""`python -m tools.roster_round_trip`: a whole district from the sandbox's SIS into its Canvas, judged by the oracle.

50,000 students and more than 400,000 enrollments take too long for the tests, so this is a command of its own. The
sandbox lives in this process and the import is the real command in a process of its own, whose memory is measured. It
is imported once, once more after a day's work in the offices of the SIS, and once more with nothing to do; after each,
Canvas must hold what the oracle expects. Says figures only. Exit 1 when it does not.
"""

from __future__ import annotations

import argparse
import re
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from gradesync.sandbox.registrar import REGISTRAR_ACTS
from gradesync.sandbox.school import SandboxSchool
from gradesync.sandbox.school_year import SchoolYear
from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import ROSTER, Tree
from tests.whole.roster_feeds import Bulk, CanvasFormat, Delta, Service
from tests.whole.roster_oracle import CanvasOracle, canvas_held, difference
from tests.whole.roster_oracle_files import CanvasFilesOracle

ACCOUNT = "riverside"
FEEDS: Mapping[str, Callable[[], Service]] = {
    "rest": Service,
    "csv": Bulk,
    "delta": Delta,
    "canvas-csv": CanvasFormat,
}


def main(arguments: list[str] | None = None) -> int:
    """Run it; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.roster_round_trip", description=__doc__)
    parser.add_argument("--students", type=int, default=50_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--feed", choices=[*FEEDS], default="rest")
    parser.add_argument(
        "--acts", type=int, default=2, help="how often each act of an office happens on the day"
    )
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="roster-round-trip-") as folder:
        return _round_trip(Path(folder), asked)


class _Fed(Tree):
    """A tree whose account reads the roster as its feed says."""

    def __init__(self, root: Path, sandbox: Sandbox, feed: Service) -> None:
        self.feed = feed
        super().__init__(root, sandbox)

    def write_account(self, account: str, *, grades: str = "", points_at: Mapping[str, str] = {}) -> None:
        super().write_account(account, grades=grades, points_at=points_at)
        path = self.root / "schedules" / f"{account}.yaml"
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("genesis,", f"genesis{self.feed.keys},", 1), encoding="utf-8")


def _round_trip(folder: Path, asked: argparse.Namespace) -> int:
    began = time.monotonic()
    with running((ACCOUNT,), students=asked.students, seed=asked.seed, populated=False) as sandbox:
        school = sandbox.schools[ACCOUNT]
        held = sum(len(school.sis.rows[kind]) for kind in ("users", "classes", "enrollments"))
        _say(f"made in {time.monotonic() - began:.0f} s: {held:,} users, classes and enrollments")
        _say(f"  {len(school.sis.rows['enrollments']):,} enrollments; sandbox {_own_peak():,} MB")
        feed = FEEDS[asked.feed]()
        tree = _Fed(folder / "tree", sandbox, feed)
        tree.prepare()
        oracle = CanvasFilesOracle() if isinstance(feed, CanvasFormat) else CanvasOracle()
        for what in ("first import", "a day's work", "nothing to do"):
            if what == "a day's work":
                _work(school, asked.acts)
            if _night(tree, school, oracle, what):
                return 1
        return 0


def _work(school: SandboxSchool, times: int) -> None:
    """Every act of an office that does not wait for a date of the year."""
    began, year = time.monotonic(), SchoolYear(school.sis)
    done: Counter[str] = Counter()
    for act in REGISTRAR_ACTS:
        done.update(year.act(act, times))
    _say(f"worked in {time.monotonic() - began:.0f} s: {done.total()} acts of {len(done)} kinds")


def _night(tree: _Fed, school: SandboxSchool, oracle: CanvasOracle | CanvasFilesOracle, what: str) -> int:
    """One import and its judgement; 1 when it went wrong."""
    tree.feed.export(school.sis, tree.root)
    began = time.monotonic()
    code, peak, said = _import(tree)
    _say(f"{what}: {time.monotonic() - began:.0f} s, peak memory {peak:,} MB, exit {code}")
    _say("\n".join(f"  {line}" for line in said.splitlines()))
    if code not in (0, 3):
        return 1
    tree.feed.judge(oracle, school.sis)
    told = difference(oracle.held, canvas_held(school.canvas.raw()), most=0)
    seats, people = len(oracle.held.seats), len(oracle.held.people)
    _say(told or f"  Canvas holds exactly what the oracle expects: {seats:,} seats, {people:,} people.")
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
