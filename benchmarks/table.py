"""What every benchmark gives back: rows of one table, each with its baseline of the same run and its target.

No measuring here, only values, how they are written, and the meter and median that all of them use.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

MAXRSS_PER_MB = 1024 * 1024 if sys.platform == "darwin" else 1024
"""Linux counts `ru_maxrss` in KB, macOS in bytes."""


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing.

    `ours` and `theirs` are in `unit`; the ratio is ours divided by theirs, and `at_most` is the most it should be
    (None: shown, not promised). `memory` is the peak of our process in MB, where it was measured.
    """

    what: str
    ours: float
    theirs: float
    unit: str
    baseline: str
    at_most: float | None
    command: str
    memory: float | None = None

    @property
    def ratio(self) -> float:
        """Ours divided by the baseline."""
        return self.ours / self.theirs

    @property
    def met(self) -> bool:
        """Whether the target holds, as far as there is one."""
        return self.at_most is None or self.ratio <= self.at_most

    def line(self) -> str:
        """The row in markdown."""
        target = (
            "" if self.at_most is None else f"at most {self.at_most:.3g}{'' if self.met else ', **missed**'}"
        )
        memory = "" if self.memory is None else f"{self.memory:.0f} MB"
        ours, theirs = self._amount(self.ours), self._amount(self.theirs)
        return (
            f"| {self.what} | {ours} | {theirs}: {self.baseline} | {self.ratio:.2f} | {target} | {memory} "
            f"| `{self.command}` |"
        )

    def _amount(self, value: float) -> str:
        return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f} {self.unit}"


HEAD = (
    "| what | ours | baseline | ratio | target | our peak memory | command |",
    "|---|---|---|---|---|---|---|",
)


def table(rows: Iterable[Row]) -> str:
    """All rows as one markdown table."""
    return "\n".join((*HEAD, *(row.line() for row in rows)))


class Meter:
    """Wall and CPU seconds of a `with` block, and the process's peak memory in MB; imports stay outside."""

    def __enter__(self) -> Self:
        self._wall, self._cpu = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.facts = {
            "wall": time.perf_counter() - self._wall,
            "cpu": time.process_time() - self._cpu,
            "memory": peak_memory(),
        }


def measured_apart(module: str, *wish: str) -> dict[str, float]:
    """The facts of `python -m MODULE WISH...`, a process of its own: its memory and CPU are nobody else's.

    The last line it prints is its facts as JSON. Ends the benchmark with its words when it fails.
    """
    done = subprocess.run([sys.executable, "-m", module, *wish], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    facts: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return facts


def peak_memory() -> float:
    """The most memory this process has held so far, in MB."""
    try:
        # Linux hands the parent's peak on to a child; only this figure begins anew with the program.
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MAXRSS_PER_MB


def middle(parts: Sequence[dict[str, float]], name: str) -> float:
    """The median of one fact over several measured parts."""
    return statistics.median(part[name] for part in parts)
