"""`python -m benchmarks` runs everything and writes docs/benchmarks.md; one command for one table.

Nothing is measured here. Only ratios within one run mean anything on another machine.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import plan, startup
from benchmarks.table import Row, table

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
LIBRARIES = ("sqlalchemy", "click", "pyyaml", "pydantic", "aiohttp")

TEXT = """\
# Benchmarks

Every row is measured against a baseline in the same run, because milliseconds mean nothing on another machine and
ratios mean something. `make bench` measures again and writes this page. Smaller is better; the ratio is ours divided
by the baseline.

{table}

Measured on {day} on {machine}; {libraries}.

How to read it:

- **Starting up**: whole processes with their output piped, medians of {starts} rounds. Ours and the baseline take
  turns. The command is what the installed script runs; files and compiled modules are warm.
- **Plan**: one plan in a fresh process whose imports are warm (it has planned a tiny tree before), medians of
  {plans} rounds: reading every file, the cache, the recorded definitions in SQLite, the comparison. Its cache is as the
  pass before left it, and every file is read and hashed each time. The baseline parses the same files to plain values
  and does nothing with them.
- **Page**: {page}
- **Grade passback**: {passback}
- **Peak day and quiet tick**: {district}
- **Roster**: {roster}
- **The store at scale**, on a page of its own: [100,000 schedules, 10,000,000 records](store-at-scale.md).
- **Workers**, on a page of their own: [eight workers beside each other](workers-at-scale.md).
- Peak memory is the most our process held at any time, the interpreter and the libraries included.
"""

PAGE = """\
the whole command in a process whose imports are warm: the store and the account files read, every account judged,
  its week worked out, every file rendered and written, the folder put in its place. No two runs are alike: counts,
  codes, times of stages and instants vary. The baseline has every value ready as plain text and the same templates,
  compiled, but for two: where ours puts the rows of a history and the drawings together from pieces made once, the
  baseline's (`benchmarks/bare`) loop over plain values, as anybody would write it. It renders, encodes and writes;
  the files are compared byte for byte. Both write into a new folder when everything earlier is on the disk, and
  take turns in one process. Four in ten files are copies of style, script and icon: each account's folder is
  complete in itself. Wall time is mostly the disk's where other programs write too, so CPU stands beside it."""

PASSBACK = """\
sandbox Canvas and SIS in one process of their own over HTTP on loopback. The replay sends the very
  requests our run sent, over as many connections, and decides, checks and keeps nothing. The script does the same
  work one request after the other, without a ledger and without reading back. Ours and the replay: the round with
  the median CPU ratio of three; the others: one run each."""

DISTRICT = """\
the same sandbox with Canvas's bucket on, both sides at 50 ms, one delta. The ideal counts the records
  written and nothing else: no reading, no reading back. Both sides and the run share the processors, so a loaded
  machine shows in the wall row. The whole day takes half an hour, so this page measures a tenth of it;
  `python -m benchmarks.district_day` measures all of it. The quiet tick is the whole district's, counted at the
  sandbox's door, with GraphQL."""

ROSTER = """\
a district of 50,000 students with eight classes each. Ours begins with rows of the SIS already read (CSV cells or
  parsed JSON, a piece at a time; reading them is not counted) and ends with the zip that would be uploaded: values
  made, put by on disk, mapped, measured against the last good read (one in a hundred students has one class more),
  written, packed. The baseline writes the rows of our files with `csv.writer` and does nothing else. CPU of the best of
  five rounds, ours and the baseline taking turns. Memory: one whole run in a process of its own, whose rows are never
  in memory together."""

SHARE = 0.1
"""Of the peak day, in this page."""

PAGE_LEFT_OUT = "left out of this run; `python -m benchmarks.page` measures it."

LEFT_OUT = "left out of this run; `python -m benchmarks.passback` measures it."

ROSTER_LEFT_OUT = "left out of this run; `python -m benchmarks.roster` measures it."

DAY_LEFT_OUT = "left out of this run; `python -m benchmarks.district_day` measures them."


def main() -> None:
    """Measure, print the rows as they come, write the page; ends with 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--starts", type=int, default=21, help="rounds of every start (default 21)")
    parser.add_argument("--plans", type=int, default=9, help="rounds of every plan (default 9)")
    parser.add_argument("--without-page", action="store_true", help="leave out the page")
    parser.add_argument("--without-passback", action="store_true", help="leave out grade passback")
    parser.add_argument("--without-roster", action="store_true", help="leave out the roster import")
    args = parser.parse_args()
    rows = _told(startup.rows(args.starts)) + _told(plan.rows(rounds=args.plans))
    if not args.without_page:
        rows += _told(_page())
    if not args.without_passback:
        rows += _told(_passback())
        rows += _told(_district())
    if not args.without_roster:
        rows += _told(_roster())
    DOCUMENT.write_text(
        TEXT.format(
            table=table(rows),
            day=datetime.now(UTC).date().isoformat(),
            machine=_machine(),
            libraries=", ".join(f"{name} {version(name)}" for name in LIBRARIES),
            starts=args.starts,
            plans=args.plans,
            page=PAGE_LEFT_OUT if args.without_page else PAGE,
            passback=LEFT_OUT if args.without_passback else PASSBACK,
            district=DAY_LEFT_OUT if args.without_passback else DISTRICT,
            roster=ROSTER_LEFT_OUT if args.without_roster else ROSTER,
        )
    )
    sys.exit(0 if all(row.met for row in rows) else 1)


def _told(rows: list[Row]) -> list[Row]:
    for row in rows:
        print(row.line(), flush=True)
    return rows


def _page() -> list[Row]:
    from benchmarks import page  # brings in the templates' library

    return page.rows()


def _passback() -> list[Row]:
    from benchmarks import passback  # brings in the sandbox; peak memory of children begins at their parent's

    scripted = all(importlib.util.find_spec(name) for name in ("canvasapi", "requests"))
    if not scripted:
        print(
            "canvasapi and requests (extra `bench`) are not installed: the script is left out",
            file=sys.stderr,
        )
    return passback.rows() if scripted else passback.rows(small=0)


def _district() -> list[Row]:
    from benchmarks import district_day  # brings in the sandbox, as above

    return district_day.rows(SHARE)


def _roster() -> list[Row]:
    from benchmarks import roster  # measures in processes of its own

    return roster.rows()


def _machine() -> str:
    """What matters of the machine, and nothing that names it."""
    return (
        f"{os.cpu_count()} cores, {platform.system()} on {platform.machine()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


if __name__ == "__main__":
    main()
