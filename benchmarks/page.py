"""The page of 600 accounts against a bare loop that renders and writes the same files with Jinja2.

`python -m benchmarks.page` prints a markdown table. Ours is the whole command in this process: reading the store and
the files, deciding what stands where, rendering, writing, putting the folder in its place. The baseline is given the
same templates, compiled, and every value ready as plain text; it renders, writes, and does nothing else. Where ours
puts rows and drawings together from pieces it made once, the baseline's templates (`benchmarks/bare`) say what anybody
would write: a loop over plain values.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from click.testing import CliRunner
from jinja2 import FunctionLoader, Template
from markupsafe import Markup

from benchmarks.table import Row, measured_apart, peak_memory, table
from benchmarks.tree import recorded_tree
from gradesync.__main__ import YOUNG_OBJECTS
from gradesync.cli.page_files import MARKER, Put
from gradesync.domain.page_standing import carried_by
from gradesync.domain.run import Lease
from gradesync.domain.run_line import RunLine
from gradesync.reporting.clean import clean
from gradesync.reporting.page import chart
from gradesync.reporting.page.runs import who_line
from gradesync.reporting.page.wording import Stamps, code_text, mark_of
from gradesync.reporting.words import counts_line
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
        else:
            # Right after the values were made: a slot that comes while the rounds go on leaves the coming week.
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

    template: Template
    values: dict[str, Any]


def _prepared(root: Path, target: Path) -> list[tuple[str, bytes]]:
    """Every file of the page in its order: what is only copied as it is, what is rendered as its template's values."""
    found: list[tuple[str, bytes]] = []
    template = _bare_templates()

    def recorded(name: str, /, **values: Any) -> bytes:
        kept = _Values(b"x")
        kept.template, kept.values = template(name), _plain(values)
        return kept

    def noted(_target: Path, files: Iterator[tuple[str, bytes]]) -> Put:
        found.extend(files)
        return Put(len(found), 0, 0)

    with (
        patch("gradesync.reporting.page.build._rendered", recorded),
        patch("gradesync.reporting.page.runs.run_row", _plain_row),
        patch("gradesync.reporting.page.chart.drawing", _plain_drawing),
        patch("gradesync.cli.page_files.put", noted),
    ):
        _page(root, target)
    if not any(isinstance(content, _Values) for _, content in found):
        raise SystemExit("the page is rendered in another way than this benchmark knows")
    return found


def _bare_templates() -> Callable[[str], Template]:
    """The page's templates as anybody would write them: nothing escaped or put together by hand."""
    from gradesync.reporting.page.environment import environment, source

    def bare(name: str) -> str | None:
        own = Path(__file__).parent / "bare" / name
        text = own.read_text(encoding="utf-8") if own.is_file() else source(name.removeprefix("page/"))
        return text and re.sub(r"{% (?:end)?autoescape[^%]*%}\n?", "", text)

    return environment().overlay(loader=FunctionLoader(bare), cache_size=-1).get_template


def _plain_row(run: RunLine, zone: str, stamps: Stamps, _lease: Lease | None) -> tuple[Any, ...]:
    """An ended run as texts, one for each cell."""
    assert run.outcome is not None
    assert run.stage is not None
    return (
        *stamps(run.at, zone),
        run.type.value,
        clean(run.schedule.name),
        who_line(run.actor, run.via),
        run.trigger.value,
        run.stage.value,
        mark_of(run.outcome.value),
        run.outcome.value,
        counts_line(run.counts) or "nothing to carry",
        [(clean(code), number, *code_text(code)) for code, number in sorted(run.codes.items()) if number],
        "",
        run.id,
    )


def _plain_drawing(shown: Sequence[RunLine]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Coordinates and classes of bars and marks."""
    slugs = [mark_of(run.outcome.value) for run in shown if run.outcome is not None]
    heights = [chart.height_of(carried_by(run.counts)) for run in shown]
    bars = [
        (place * chart.STEP + 1, chart.BASE - height, height, slug)
        for place, (height, slug) in enumerate(zip(heights, slugs, strict=True))
        if height
    ]
    return bars, [(place * chart.STEP, slug) for place, slug in enumerate(slugs)]


def _plain(value: Any) -> Any:
    """The same value with texts that were escaped before as they were."""
    if isinstance(value, Markup):
        return value.unescape()
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return tuple(_plain(one) for one in value) if isinstance(value, tuple) else value


def _bare(prepared: list[tuple[str, bytes]], target: Path) -> None:
    """Render and write, and nothing else."""
    for path, content in prepared:
        file = f"{target}/{path}"
        if isinstance(content, _Values):
            content = content.template.render(content.values).encode("utf-8", "replace")
        try:
            handle = open(file, "wb")  # noqa: PTH123, SIM115 - the barest way there is
        except FileNotFoundError:
            Path(file).parent.mkdir(parents=True)
            handle = open(file, "wb")  # noqa: PTH123, SIM115 - as above
        with handle:
            handle.write(content)


def _same(target: Path, bare: Path) -> None:
    """Both wrote the same files, byte for byte but for when they were made and how long something has lasted since."""
    ours, theirs = (
        {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
        for root in (target, bare)
    )
    ours.pop(MARKER)
    if ours.keys() != theirs.keys():
        raise SystemExit(f"the baseline wrote {len(theirs):,} files, the page {len(ours):,}")
    other = [path for path in ours if _timeless(ours[path]) != _timeless(theirs[path])]
    if other:
        raise SystemExit(f"the baseline wrote another {other[0]}, and {len(other) - 1:,} more")


def _timeless(path: Path) -> bytes:
    return re.sub(rb"\d+( (?:minute|hour|day)s?)?", b"", path.read_bytes())


# --- a store with a past ----------------------------------------------------------------------------------------

_RUN = [
    *("id", "account", "schedule", "type", "slot_key", "slot_at", "trigger", "mode", "actor", "via", "state"),
    *("created_at", "attempt", "abandoned", "epoch", "started_at", "ended_at", "late_by", "stop_asked"),
    *("outcome", "stage", "counts", "codes"),
]
_STAGES = ("fetch", "match", "decide", "write", "verify", "record")


def _end(dice: random.Random) -> tuple[str, str, dict[str, float], dict[str, int]]:
    """How a run ended: most look and find little, some meet what needs a person, few fail. No two are alike."""
    unchanged, kind = dice.randint(40, 4000), dice.random()
    if kind < 0.05:
        return "failed", "fetch", {"seconds of fetch": dice.random()}, {"GS-203": 1}
    counts: dict[str, float] = {"unchanged": unchanged}
    counts |= {f"seconds of {stage}": round(dice.random() * 40, 3) for stage in _STAGES}
    if kind < 0.5:
        return "completed", "record", counts, {}
    counts["sent"] = dice.randint(1, 300)
    if kind < 0.75:
        return "completed", "record", counts, {"GS-402": dice.randint(1, 9)}
    codes = {code: dice.randint(1, 60) for code in ("GS-401", "GS-405", "GS-413")}
    return "warning", "record", counts | {"withheld": sum(codes.values())}, codes


def add_runs(root: Path) -> None:
    """Give every recorded schedule a past: `RUNS` runs, some of which met something."""
    place = str(root / ".gradesync" / "store.db")
    with closing(connect(place, create=False)) as database, database.write(long=True) as tx:
        found = list(tx.connection.exec_driver_sql("SELECT account, name, type FROM schedule"))
        tx.load("run", _RUN, _runs([(str(a), str(n), str(y)) for a, n, y in found]))
        month_ago = t.micros_of(datetime.now(UTC) - timedelta(days=30))
        tx.connection.exec_driver_sql(
            "UPDATE schedule SET first_ran_at = ?, last_run_id = (SELECT id FROM run WHERE run.account ="
            " schedule.account AND run.schedule = schedule.name ORDER BY created_at DESC LIMIT 1)",
            (month_ago,),
        )


def _runs(schedules: list[tuple[str, str, str]]) -> Iterator[list[object]]:
    """Every third schedule runs nightly, the others every twenty minutes; none begins at the very moment."""
    now, dice = datetime.now(UTC), random.Random(1)
    for number, (account, name, type_) in enumerate(schedules):
        apart = timedelta(days=1) if number % 3 == 0 else timedelta(minutes=20)
        for one in range(RUNS):
            outcome, stage, counts, codes = _end(dice)
            begun = (
                now
                - one * apart
                - timedelta(minutes=number % 60 + 1, microseconds=dice.randrange(59_000_000))
            )
            at, end = t.micros_of(begun), t.micros_of(begun + timedelta(seconds=dice.random() * 40))
            slot = begun.replace(second=0, microsecond=0)
            yield [
                *(f"{dice.getrandbits(128):032x}", account, name, type_, slot.isoformat(), t.micros_of(slot)),
                *("slot", "delta", "scheduler", "slot", "ended", at, 1, 0, one, at, end, 0, False),
                *(outcome, stage, to_json(counts), to_json(codes)),
            ]


if __name__ == "__main__":
    main()
