"""A store of a whole state on SQLite and on PostgreSQL: what a pass and the everyday commands cost there.

`python -m benchmarks.store` fills both (a quarter of an hour), measures, looks at the query plans, writes
docs/store-at-scale.md and ends with 1 when a target is missed or a large table was gone through. `--share 0.25` does
a quarter of it and writes nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.query_plans import plans_of
from benchmarks.store_fill import Size, desired, fill, key_of
from benchmarks.table import Row
from gradesync.__main__ import YOUNG_OBJECTS
from gradesync.domain.definition import Desired
from gradesync.store.sql import SqlStore
from gradesync.wiring import App, open_app

COMMAND = "python -m benchmarks.store"
DOCUMENT = Path(__file__).parent.parent / "docs" / "store-at-scale.md"
LARGE = ("history", "ledger", "run", "schedule")
CRON = "croniter is asked for the next time of every schedule"
DRIVER = "the bare driver fetches the same rows"
NEVER = ("*/15 * * * *", "*/20 * * * *", "*/30 * * * *", "45 * * * *", "2 2 * * *")

TEXT = """\
# The store at scale

A store of a whole state: {schedules:,} schedules in {accounts:,} accounts, {entries:,} history entries, {records:,}
ledger rows, on SQLite and on PostgreSQL on the same disk. `{command}` fills both, measures and writes this page.

CPU per call, and how it stands to the baseline of the same run:

{table}

Due selection must cost a thousandth of its baseline at most, a pass of what is due a hundredth.

Measured on {day} on {cores} cores, Python {python}, SQLite {sqlite}, PostgreSQL {postgresql}; filling took {filling}.

How to read it:

- **CPU** counts our process and, on PostgreSQL, the server's processes behind its connections, as a mean of calls that
  fill two seconds; files and imports are warm. The ratio is ours divided by the baseline.
- **Due selection**: the schedules whose next run has come, by the partial index on the stored next run. The baseline
  evaluates every schedule's interval, as a scheduler without a stored next run must at every tick.
- **A pass with nothing changed**: the comparison of all definitions with the recorded ones, what is due, what waits,
  the checkpoint. The files are in memory already: `python -m benchmarks.plan` measures reading them. The baseline
  fetches the recorded definitions and does nothing with them.
- **list**: all rows sorted worst first, before they are written out.

## Query plans

What each of them asks, and how the database finds it. No large table is gone through but by what needs all of it.

{plans}
"""


@dataclass(frozen=True)
class Case:
    """One thing measured: `ours` against `theirs`; `whole` may go through a large table."""

    what: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    baseline: str
    at_most: float | None = None
    whole: bool = False


def main() -> None:
    """Fill, measure, print, write."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of 100,000 schedules and the rest")
    parser.add_argument("--only", choices=["sqlite", "postgresql"], help="one database alone")
    args = parser.parse_args()
    gc.set_threshold(YOUNG_OBJECTS)  # as every command does
    size = Size.share(args.share)
    tree = desired(size)
    rows: list[Row] = []
    plans: list[str] = []
    bad: list[str] = []
    filling: list[str] = []
    versions = {"sqlite": sqlite3.sqlite_version, "postgresql": "not measured"}
    for kind in ("sqlite", "postgresql"):
        if args.only in (None, kind):
            with _place(kind, versions) as (place, folder):
                filling.append(f"{_filled(place, size, tree):.0f} s on {kind}")
                _measure(kind, place, folder, size, tree, rows, plans, bad)
    if args.share == 1.0 and args.only is None:
        DOCUMENT.write_text(_page(size, rows, plans, filling, versions))
    for line in bad:
        print(f"gone through: {line}", file=sys.stderr)
    # A part of it cannot show what the whole must: the baseline grows with the schedules, ours does not.
    met = args.share < 1 or all(row.met for row in rows)
    sys.exit(0 if met and not bad else 1)


def _page(size: Size, rows: list[Row], plans: list[str], filling: list[str], versions: dict[str, str]) -> str:
    return TEXT.format(
        schedules=size.schedules,
        accounts=size.accounts,
        entries=size.entries,
        records=size.records,
        command=COMMAND,
        table=_table(rows),
        day=datetime.now(UTC).date().isoformat(),
        cores=os.cpu_count(),
        python=".".join(map(str, sys.version_info[:3])),
        filling=" and ".join(filling),
        plans="\n".join(plans),
        **versions,
    )


def _table(rows: list[Row]) -> str:
    """Both databases beside each other: what differs by thousands is told as how many times less."""
    lines = ["| what | SQLite | PostgreSQL | baseline |", "|---|---|---|---|"]
    half = len(rows) // 2
    for lite, server in zip(rows[:half], rows[half:], strict=True):
        lines.append(
            f"| {lite.what.removeprefix('SQLite: ')} | {_against(lite)} | {_against(server)} | {lite.baseline} |"
        )
    return "\n".join(lines)


def _against(row: Row) -> str:
    if row.ratio < 0.01:
        told = f"{row.theirs / row.ours:,.0f} times less than {_ms(row.theirs)}"
    else:
        told = f"{row.ratio:.1f} times {_ms(row.theirs)}"
    return f"{_ms(row.ours)}: {told}{'' if row.met else ', **missed**'}"


def _ms(value: float) -> str:
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f} ms"


@contextmanager
def _place(kind: str, versions: dict[str, str]) -> Iterator[tuple[str, Path]]:
    with tempfile.TemporaryDirectory(prefix="gradesync-scale-") as name:
        folder = Path(name)
        (folder / "schedules").mkdir()
        if kind == "sqlite":
            yield str(folder / "store.db"), folder
            return
        from tests.postgresql import running_server  # the one place that starts servers

        with running_server() as server:
            versions["postgresql"] = server.psql("SHOW server_version").split()[2]
            yield str(server.get_uri()), folder


def _filled(place: str, size: Size, tree: Desired) -> float:
    before = time.perf_counter()
    fill(place, size, tree)
    took = time.perf_counter() - before
    print(f"filled in {took:.0f} s", flush=True)
    return took


def _measure(
    kind: str,
    place: str,
    folder: Path,
    size: Size,
    tree: Desired,
    rows: list[Row],
    plans: list[str],
    bad: list[str],
) -> None:
    (folder / "gradesync.yaml").write_text(
        "store: env:GRADESYNC_SCALE_STORE\nkeys: env:GRADESYNC_SCALE_KEY\n"
    )
    os.environ |= {"GRADESYNC_SCALE_STORE": place, "GRADESYNC_SCALE_KEY": "k" * 64}
    with open_app(folder) as app:
        store = app.store
        assert isinstance(store, SqlStore)
        server = _server_of(store)
        plans.append(f"### {'SQLite' if kind == 'sqlite' else 'PostgreSQL'}\n")
        for case in _cases(app, store, size, tree):
            row = _row(kind, case, server)
            rows.append(row)
            print(row.line(), flush=True)
            asked = plans_of(store, case.ours)
            lines = [line.strip() for one in asked for line in one.plan if _speaks_of_large(line)]
            plans.append(f"- {case.what}: {'; '.join(dict.fromkeys(map(_short, lines))) or 'no large table'}")
            if not case.whole:
                bad += [f"{kind}, {case.what}: {line}" for line in lines if _goes_through(line)]
    plans.append("")


def _speaks_of_large(line: str) -> bool:
    words = line.replace("(", " ").split()
    return any(name in words for name in LARGE) and any(w in words for w in ("SCAN", "SEARCH", "Scan", "on"))


def _goes_through(line: str) -> bool:
    return "Seq Scan" in line or ("SCAN" in line and "USING" not in line)


def _short(line: str) -> str:
    return f"`{line.removeprefix('->').split('  (cost')[0].strip()}`"


def _cases(app: App, store: SqlStore, size: Size, tree: Desired) -> Iterator[Case]:
    from gradesync.domain.history import chain_of
    from gradesync.engine.queries import ListFilter, schedule_rows
    from gradesync.engine.reconcile import PassOptions, reconcile

    tools = app.tools()
    middle = key_of(size.accounts // 2)
    many = f"{size.schedules:,} schedules"
    bare = _Bare(store)
    last_runs = "FROM schedule s JOIN run r ON r.id = s.last_run_id"
    mine = f"chain = '{chain_of(middle)}' AND schedule = 'grades-1'"

    def evaluated() -> None:
        from croniter import croniter

        now = datetime.now(UTC)
        for number in range(size.schedules):
            croniter(NEVER[number % len(NEVER)], now).get_next(datetime)

    def whole_pass() -> None:
        report = asyncio.run(reconcile(tools, PassOptions(desired=tree)))
        if report.plan is not None and report.plan.actions:
            raise SystemExit("the pass found changes in a tree that has none")

    def selected() -> None:
        store.due_rows(store.now())

    yield Case(f"due selection: none of {many}", selected, evaluated, CRON, 0.001)
    _make_due(store, 100)
    yield Case(f"due selection: 100 of {many}", selected, evaluated, CRON, 0.001)
    _make_due(store, 0)
    yield Case(
        f"a pass with nothing changed and nothing due: {many}",
        whole_pass,
        lambda: bare("SELECT account, name, text, digest, next_run_at FROM schedule"),
        DRIVER,
        whole=True,
    )
    yield Case(
        "a pass of what is due (`--due`), nothing due",
        lambda: asyncio.run(reconcile(tools, PassOptions())),
        evaluated,
        CRON,
        0.01,
    )
    yield Case(
        f"`list`: {many}",
        lambda: schedule_rows(store, ListFilter()),
        lambda: bare(f"SELECT s.*, r.* {last_runs}"),
        DRIVER,
        whole=True,
    )
    yield Case(
        "`list` of one account",
        lambda: schedule_rows(store, ListFilter(account=middle)),
        lambda: bare(f"SELECT s.*, r.* {last_runs} WHERE s.account = '{middle}'"),
        DRIVER,
    )
    yield Case(
        f"`history --last 50`: {size.entries:,} entries",
        lambda: store.history(limit=50),
        lambda: bare("SELECT * FROM history ORDER BY at DESC LIMIT 50"),
        DRIVER,
    )
    yield Case(
        "`history ACCOUNT/SCHEDULE --last 50`",
        lambda: store.history(middle, "grades-1", 50),
        lambda: bare(f"SELECT * FROM history WHERE {mine} ORDER BY seq DESC LIMIT 50"),
        DRIVER,
    )
    yield Case(
        f"a class's ledger: 100 of {size.records:,} rows",
        lambda: store.read_records(middle).ledger("class-000003"),
        lambda: bare(f"SELECT * FROM ledger WHERE account = '{middle}' AND class_id = 'class-000003'"),
        DRIVER,
    )


class _Bare:
    """Statements over a driver's connection of their own, without anything of ours."""

    def __init__(self, store: SqlStore) -> None:
        engine = store._db._engine  # noqa: SLF001 - the same database by the shortest way
        if store._db.on_sqlite:  # noqa: SLF001 - as above
            self._connection: Any = sqlite3.connect(str(engine.url.database))
        else:
            import psycopg

            self._connection = psycopg.connect(
                os.environ["GRADESYNC_SCALE_STORE"], autocommit=True, application_name="gradesync"
            )

    def __call__(self, statement: str) -> None:
        self._connection.execute(statement).fetchall()


def _make_due(store: SqlStore, count: int) -> None:
    """Let the first schedules be due, or none."""
    later = int((time.time() + 7200) * 1_000_000)
    first = f"name = 'grades-1' AND account < '{key_of(count)}'"
    with store._db.write(long=True) as tx:  # noqa: SLF001 - no verb of the store makes schedules late
        tx.connection.exec_driver_sql(f"UPDATE schedule SET next_run_at = {later} WHERE next_run_at = 1")
        if count:
            tx.connection.exec_driver_sql(f"UPDATE schedule SET next_run_at = 1 WHERE {first}")


def _server_of(store: SqlStore) -> Callable[[], float]:
    """CPU seconds of the server's processes behind our connections so far; none on SQLite."""
    if store._db.on_sqlite:  # noqa: SLF001 - only the benchmark asks what is behind
        return lambda: 0.0
    tick = os.sysconf("SC_CLK_TCK")

    def seconds() -> float:
        import psycopg

        with psycopg.connect(os.environ["GRADESYNC_SCALE_STORE"]) as asking:
            rows = asking.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'gradesync'"
            ).fetchall()
        total = 0
        for (pid,) in rows:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11]) + int(fields[12])
        return total / tick

    return seconds


def _row(kind: str, case: Case, server: Callable[[], float]) -> Row:
    case.ours()
    ours, theirs = _cpu(case.ours, server), _cpu(case.theirs, server)
    name = "SQLite" if kind == "sqlite" else "PostgreSQL"
    return Row(f"{name}: {case.what}", ours * 1000, theirs * 1000, "ms", case.baseline, case.at_most, COMMAND)


def _cpu(call: Callable[[], object], server: Callable[[], float]) -> float:
    """The mean CPU of enough calls for the server's clock, which ticks a hundred times a second."""
    calls, first, behind = 0, time.process_time(), server()
    began = time.perf_counter()
    own = time.process_time() - first
    while time.perf_counter() - began < 2:
        before = time.process_time()
        call()
        own += time.process_time() - before
        calls += 1
    return (own + server() - behind) / calls


if __name__ == "__main__":
    main()
