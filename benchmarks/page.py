"""The page of 600 accounts against a bare loop that renders and writes the same files with Jinja2.

`python -m benchmarks.page` prints a markdown table. Ours is the whole command in this process: reading the store and
the files, deciding what stands where, rendering, writing, putting the folder in its place. The baseline is given the
same templates, compiled, and every value ready; it renders, writes, and does nothing else.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner

from benchmarks.table import Row, measured_apart, peak_memory, table
from benchmarks.tree import recorded_tree
from gradesync.__main__ import YOUNG_OBJECTS
from gradesync.cli.page_files import Put
from gradesync.store import tables as t
from gradesync.store.open import connect
from gradesync.store.rows import to_json

COMMAND = "python -m benchmarks.page"
BASELINE = "a bare Jinja2 loop renders and writes the same files from values made before"
ACCOUNTS, SCHEDULES, RUNS = 600, 3, 25


def main() -> None:
    """Measure and print; with `--part` make one page of a tree and print the facts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=ACCOUNTS)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--part", nargs=2, metavar=("TREE", "TARGET"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part:
        _page(Path(args.part[0]), Path(args.part[1]))
        print(json.dumps({"memory": peak_memory()}))
    else:
        print(table(rows(args.accounts, args.rounds)))


def rows(accounts: int = ACCOUNTS, rounds: int = 7) -> list[Row]:
    """Wall and CPU time, the largest file, and peak memory beside that of a tenth of the accounts."""
    with tempfile.TemporaryDirectory() as folder:
        root, small = Path(folder) / "tree", Path(folder) / "small"
        for tree, number in ((root, accounts), (small, max(1, accounts // 10))):
            recorded_tree(tree, number, SCHEDULES)
            add_runs(tree)
        memory = measured_apart("benchmarks.page", "--part", str(root), str(Path(folder) / "alone"))["memory"]
        less = measured_apart("benchmarks.page", "--part", str(small), str(Path(folder) / "less"))["memory"]
        # As the command is started: its own collector setting, which both sides get here.
        gc.set_threshold(YOUNG_OBJECTS, 20, 20)
        ours, theirs, target = _taking_turns(root, Path(folder), rounds)
        files = [path for path in target.rglob("*") if path.is_file()]
        many = f"{accounts:,} accounts, {accounts * SCHEDULES:,} schedules"
        size = f"page: {many}, {RUNS} runs each, {len(files):,} files"
        largest = max(path.stat().st_size for path in files) / 1000
        few = f"ours, {max(1, accounts // 10):,} accounts"
        return [
            _row(f"{size}: wall, median of {rounds}", statistics.median, ours, theirs, 0, memory),
            _row(f"same: wall, best of {rounds}", min, ours, theirs, 0),
            _row(f"same: CPU, median of {rounds}", statistics.median, ours, theirs, 1),
            Row("same: largest file", largest, 1000, "kB", "the most a file may have", 1.0, COMMAND),
            Row("same: peak memory", memory, less, "MB", few, None, COMMAND, memory),
        ]


def _row(
    what: str,
    middle: Callable[[list[float]], float],
    ours: list[Seconds],
    theirs: list[Seconds],
    which: int,
    memory: float | None = None,
) -> Row:
    one, other = (middle([seconds[which] for seconds in side]) * 1000 for side in (ours, theirs))
    return Row(what, one, other, "ms", BASELINE, 2.0, COMMAND, memory)


Seconds = tuple[float, float]
"""Wall and CPU of one round."""


def _taking_turns(root: Path, folder: Path, rounds: int) -> tuple[list[Seconds], list[Seconds], Path]:
    """Every round of ours and of the baseline, and the last page; the first round of each only warms up.

    Each writes into a folder of its own: thousands of files removed a moment ago keep a disk busy for long.
    """
    prepared = _prepared(root, folder / "recorded")
    # The baseline's values stay for all rounds; searching them for cycles would be charged to whoever allocates.
    gc.collect()
    gc.freeze()
    ours: list[Seconds] = []
    theirs: list[Seconds] = []
    for number in range(rounds + 1):
        target, bare = folder / f"page-{number}", folder / f"bare-{number}"
        one = _timed(lambda to=target: _page(root, to))  # type: ignore[misc]  # bound now, called at once
        other = _timed(lambda to=bare: _bare(prepared, to))  # type: ignore[misc]  # as above
        if number:
            ours.append(one)
            theirs.append(other)
    _same(target, bare)
    return ours, theirs, target


def _timed(work: Callable[[], None]) -> Seconds:
    """With everything earlier on the disk."""
    os.sync()
    gc.collect()
    began, used = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - used


def _page(root: Path, target: Path) -> None:
    """`gradesync page`, as it is called."""
    from gradesync.cli.main import group

    done = CliRunner().invoke(group, ["-C", str(root), "page", "-o", str(target)], catch_exceptions=False)
    if done.exit_code:
        raise SystemExit(done.output)


class _Values(bytes):
    """Stands for a rendered file: which template, and with what."""

    name: str
    values: dict[str, Any]


def _prepared(root: Path, target: Path) -> list[tuple[str, bytes]]:
    """Every file of the page in its order: what is only copied as it is, what is rendered as its template's values."""
    found: list[tuple[str, bytes]] = []

    def recorded(template: str, /, **values: Any) -> bytes:
        kept = _Values(b"x")
        kept.name, kept.values = template, values
        return kept

    def noted(_target: Path, files: Iterator[tuple[str, bytes]]) -> Put:
        found.extend(files)
        return Put(len(found), 0, 0)

    with (
        patch("gradesync.reporting.page.build._rendered", recorded),
        patch("gradesync.cli.page_files.put", noted),
    ):
        _page(root, target)
    if not any(isinstance(content, _Values) for _, content in found):
        raise SystemExit("the page is rendered in another way than this benchmark knows")
    return found


def _bare(prepared: list[tuple[str, bytes]], target: Path) -> None:
    """Render and write, and nothing else."""
    from gradesync.reporting.page.environment import template

    for path, content in prepared:
        file = f"{target}/{path}"
        if isinstance(content, _Values):
            content = template(content.name).render(content.values).encode("utf-8", "replace")
        try:
            handle = open(file, "wb")  # noqa: PTH123, SIM115 - the barest way there is
        except FileNotFoundError:
            Path(file).parent.mkdir(parents=True)
            handle = open(file, "wb")  # noqa: PTH123, SIM115 - as above
        with handle:
            handle.write(content)


def _same(target: Path, bare: Path) -> None:
    """Both wrote the same files; the moment they were made at has equal length."""
    ours, theirs = (
        {path.relative_to(root): path.stat().st_size for path in root.rglob("*") if path.is_file()}
        for root in (target, bare)
    )
    ours = {path: size for path, size in ours.items() if not path.name.startswith(".")}
    if ours.keys() != theirs.keys():
        raise SystemExit(f"the baseline wrote {len(theirs):,} files, the page {len(ours):,}")
    far = [path for path, size in ours.items() if abs(size - theirs[path]) > 0.02 * size + 200]
    if far:
        raise SystemExit(f"the baseline wrote another {far[0]}")


# --- a store with a past ----------------------------------------------------------------------------------------

_RUN = [
    *("id", "account", "schedule", "type", "slot_key", "slot_at", "trigger", "mode", "actor", "via", "state"),
    *("created_at", "attempt", "abandoned", "epoch", "started_at", "ended_at", "late_by", "stop_asked"),
    *("outcome", "stage", "counts", "codes"),
]
_ENDS: tuple[tuple[str, str, dict[str, int], dict[str, int]], ...] = (
    ("completed", "record", {"sent": 12, "unchanged": 97}, {}),
    ("completed", "record", {"unchanged": 109}, {}),
    (
        "warning",
        "record",
        {"sent": 3, "unchanged": 90, "withheld": 7},
        {"GS-401": 4, "GS-405": 2, "GS-413": 1},
    ),
    ("completed", "record", {"sent": 1}, {"GS-402": 2}),
    ("failed", "fetch", {}, {"GS-203": 1}),
)
"""How runs end, in turn."""


def add_runs(root: Path) -> None:
    """Give every recorded schedule a past: `RUNS` runs, some of which met something."""
    place = str(root / ".gradesync" / "store.db")
    with closing(connect(place, create=False)) as database, database.write(long=True) as tx:
        found = list(tx.connection.exec_driver_sql("SELECT account, name, type FROM schedule"))
        tx.load("run", _RUN, _runs([(str(a), str(n), str(y)) for a, n, y in found]))
        month_ago = t.micros_of(datetime.now(UTC) - timedelta(days=30))
        tx.connection.exec_driver_sql(
            "UPDATE schedule SET last_run_id = account || '/' || name || '/0', first_ran_at = ?", (month_ago,)
        )


def _runs(schedules: list[tuple[str, str, str]]) -> Iterator[list[object]]:
    now = datetime.now(UTC)
    for number, (account, name, type_) in enumerate(schedules):
        for one in range(RUNS):
            outcome, stage, counts, codes = _ENDS[(number + one) % len(_ENDS)]
            begun = now - timedelta(minutes=20 * one + number % 15 + 1)
            at, end = t.micros_of(begun), t.micros_of(begun + timedelta(seconds=40))
            slot = begun.replace(second=0, microsecond=0)
            yield [
                *(f"{account}/{name}/{one}", account, name, type_, slot.isoformat(), t.micros_of(slot)),
                *("slot", "delta", "scheduler", "slot", "ended", at, 1, 0, one, at, end, 0, False),
                *(outcome, stage, to_json(counts), to_json(codes)),
            ]


if __name__ == "__main__":
    main()
