"""`python -m tools.crash_storm`: hundreds of kill -9 and freezes at random instants, and a judge of what is left.

Processes of `reconcile`, `run` and `worker` sync made-up districts over HTTP; on PostgreSQL the database is
restarted now and then. Leases last three seconds here, so that minutes hold as many lost ones as years do.
`--without-guard` lets every outside write pass: then the judge must find late ones, which proves that it can. Exit 1
when anything did not hold (with `--without-guard`: when no late write was found).
"""

from __future__ import annotations

import argparse
import logging
import tempfile
from pathlib import Path

from tools.crash_storm.judge import figures, judge, late_writes
from tools.crash_storm.scene import scene
from tools.crash_storm.storm import Storm, calm


def main(arguments: list[str] | None = None) -> int:
    """Run it; answers the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.crash_storm", description=__doc__)
    parser.add_argument("--blows", type=int, default=600, help="kills and freezes together (default 600)")
    parser.add_argument("--store", choices=("postgresql", "sqlite"), default="postgresql")
    parser.add_argument("--accounts", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--without-guard", action="store_true", help="the control: the judge must find something"
    )
    asked = parser.parse_args(arguments)
    # The sandbox would tell of every connection that a killed process left behind.
    logging.getLogger("aiohttp.server").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="crash-storm-") as folder:
        place = Path(folder)
        with scene(place, asked.store, accounts=asked.accounts, guard=not asked.without_guard) as stage:
            blows = Storm(stage, asked.seed, asked.blows).rage()
            faults = [] if calm(stage) else ["the commands did not come to an end"]
            late = late_writes(stage.writes.seen)
            faults += judge(stage, blows)
            for word, number in figures(stage, blows).items():
                print(f"{word}: {number:,}")
    for fault in faults:
        print(f"FAULT {fault}")
    print("guard: off" if asked.without_guard else "guard: on")
    if asked.without_guard:
        return 0 if late else 1
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
