"""A peak day of a medium district in one delta, against what the SIS alone would need; and the quiet tick after it.

`python -m benchmarks.district_day` prints a markdown table. The whole day is 56,500 changed scores in 1,178 classes,
which a SIS of 50 ms with four writers takes twelve minutes to store; `--scale` takes a share of the district instead.
"""

from __future__ import annotations

import argparse
import tempfile

from benchmarks.passback import part
from benchmarks.school import School
from benchmarks.table import Row, table

COMMAND = "python -m benchmarks.district_day"
STUDENTS = 3375
"""Students of a made-up district with about 1,178 classes."""
SCORES = 56_500
LATENCY = 50
"""Milliseconds before either side answers."""
WRITERS = 4
QUIET = 40
"""The most requests to Canvas that a quiet tick may cost over the whole district."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the district (default: all of it)")
    parser.add_argument(
        "--without-quiet", action="store_true", help="leave out the whole district's quiet tick"
    )
    args = parser.parse_args()
    print(table(rows(args.scale, quiet=not args.without_quiet)))


def rows(scale: float, *, quiet: bool = True) -> list[Row]:
    """The day at this scale, its memory against a fifth of it, and the quiet tick of the whole district."""
    found = day(scale)
    return [*found, *quiet_tick()] if quiet else found


def day(scale: float) -> list[Row]:
    """Wall against the ideal, CPU against a bare client sending the very requests, refusals, memory."""
    with School(round(STUDENTS * scale)) as school, tempfile.TemporaryDirectory() as folder:
        changed, ours = _carried(school, folder, round(SCORES * scale), LATENCY)
        counts = school.tell("counts")
        school.tell("dump", f"{folder}/requests.json")
        school.tell("record", "off")
        bare = part("bare", school, f"{folder}/requests.json", WRITERS, WRITERS, "replay")
        classes = school.classes
    with School(round(STUDENTS * scale / 5)) as school, tempfile.TemporaryDirectory() as folder:
        _, small = _carried(school, folder, round(SCORES * scale / 5), 0)
    written = ours["sent"] + ours["line items"]
    ideal = written * LATENCY / 1000 / WRITERS
    share = "" if scale == 1 else f" ({scale:g} of a medium district)"
    what = (
        f"peak day{share}, {changed:,} changed scores and {ours['line items']:,.0f} line items in {classes:,} classes, "
        f"{LATENCY} ms latency, {WRITERS} writers"
    )
    each = "time for what was written at the SIS's own pace"
    return [
        Row(f"{what}: wall", ours["wall"], ideal, "s", each, 1.25, COMMAND, ours["memory"]),
        Row(
            f"same: CPU for each of {written:,.0f} records written",
            ours["cpu"] / written * 1000,
            bare["cpu"] / written * 1000,
            "ms",
            f"the same {bare['requests']:,} requests replayed by bare aiohttp",
            2.5,
            COMMAND,
        ),
        Row(
            "same: requests refused for coming too fast, of all",
            counts["throttled"],
            counts["canvas"] + counts["sis"],
            "requests",
            "all requests of the run",
            0,
            COMMAND,
        ),
        Row(
            "same: peak memory",
            ours["memory"],
            small["memory"],
            "MB",
            "ours, a fifth of the classes",
            1.3,
            COMMAND,
            ours["memory"],
        ),
    ]


def quiet_tick() -> list[Row]:
    """A delta over the whole district in which nothing has changed, counted at the server."""
    with School(STUDENTS) as school, tempfile.TemporaryDirectory() as folder:
        store = f"{folder}/store.db"
        _first(school, store)
        # What was graded in the minutes before the first run is looked at once more, by the tick after it.
        part("ours", school, store, WRITERS, WRITERS, "delta")
        school.tell("latency", str(LATENCY))
        school.tell("forget")
        ours = part("ours", school, store, WRITERS, WRITERS, "delta")
        counts = school.tell("counts")
    if not counts["canvas"]:
        raise SystemExit("the tick did not reach Canvas")
    what = f"quiet tick over {school.classes:,} classes"
    return [
        Row(
            f"{what}, {ours['wall']:.1f} s, {counts['sis']} requests to the SIS: requests to Canvas",
            # One request to the SIS would be one too many.
            counts["canvas"] + QUIET * counts["sis"],
            QUIET,
            "requests",
            "the most there may be",
            1,
            COMMAND,
            ours["memory"],
        )
    ]


def _carried(school: School, folder: str, scores: int, latency: int) -> tuple[int, dict[str, float]]:
    """A first full run, then a day's changes in one recorded delta."""
    store = f"{folder}/store.db"
    _first(school, store)
    changed = school.tell("peak-day", str(scores))["changed"]
    school.tell("latency", str(latency))
    school.tell("forget")
    school.tell("record", "on")
    return int(changed), part("ours", school, store, WRITERS, WRITERS, "delta")


def _first(school: School, store: str) -> None:
    """The first full run; a benchmark of a school that carries nothing would look very good."""
    if not part("ours", school, store, 8, 8, "full")["sent"]:
        raise SystemExit("the first run carried nothing")


if __name__ == "__main__":
    main()
