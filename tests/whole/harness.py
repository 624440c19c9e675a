"""A tree of files, a store and the real command as real processes, pointed at a sandbox school.

Nothing of the product is called from here but `python -m gradesync`; the store is read from the side, with its own
SQL, so that what a run says of itself is never the proof of what it did.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import gradesync
from gradesync.sandbox.front import RequestRecord
from gradesync.sandbox.server import Sandbox
from tests.whole.oracle import Oracle, difference, doubled, held

SOURCES = Path(gradesync.__file__).parents[1]
SECONDS = 180
"""After this long a command hangs: the test fails rather than waits."""

KEY = "0123456789abcdef" * 4
ZONE = "America/New_York"
ROSTER, GRADES = "roster-nightly", "grades"


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended: its exit code and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        """Everything a log would have kept."""
        return self.out + self.err


class Tree:
    """A folder as its owner keeps it. `store` is a URL for a team's PostgreSQL; without it SQLite beside the files.

    `points_at` sends an account to another district of the sandbox, per side: {"riverside": {"sis": "oak-hill"}}.
    """

    def __init__(
        self,
        root: Path,
        sandbox: Sandbox,
        *,
        accounts: Sequence[str] = ("riverside",),
        store: str | None = None,
        points_at: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.root = root
        self.sandbox = sandbox
        self.accounts = tuple(accounts)
        self.store = store
        root.mkdir(parents=True, exist_ok=True)
        sandbox.write_secrets(root / "secrets")
        settings = ['secrets: "file:secrets/{account}/{name}"']
        if store is not None:
            settings += ["store: env:GRADESYNC_TEST_STORE", "keys: env:GRADESYNC_TEST_KEY"]
        (root / "gradesync.yaml").write_text("\n".join(settings) + "\n", encoding="utf-8")
        (root / "schedules").mkdir(exist_ok=True)
        for account in self.accounts:
            self.write_account(account, points_at=(points_at or {}).get(account, {}))

    # - files -

    def write_account(self, account: str, *, grades: str = "", points_at: Mapping[str, str] = {}) -> None:
        """Write the account's file; `grades` are more lines for its passback schedule (`state: paused`)."""
        canvas, sis = points_at.get("canvas", account), points_at.get("sis", account)
        # Half a day away, so that no slot of the grid falls into the test: runs start when the test says so.
        far = f"{(datetime.now(ZoneInfo(ZONE)) + timedelta(hours=12)):%H}:30"
        lines = [
            f"account: {account}",
            f"name: {account}",
            f"time_zone: {ZONE}",
            f"canvas: {{url: '{self.sandbox.canvas_url(canvas)}'}}",
            f"sis: {{profile: genesis, url: '{self.sandbox.sis_url(sis)}'}}",
            "passback: {excused: exempt}",
            "schedules:",
            f"  {ROSTER}:",
            "    type: roster import",
            f"    interval: daily at {far}",
            f"  {GRADES}:",
            "    type: grade passback",
            f"    interval: daily at {far}",
            *(f"    {line}" for line in grades.splitlines()),
        ]
        path = self.root / "schedules" / f"{account}.yaml"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")

    # - processes -

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """The command as a process of its own; the caller waits for it or kills it."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB_"))}
        clean |= {"PYTHONPATH": str(SOURCES), "HOME": str(self.root)}
        clean |= {"GRADESYNC_TEST_KEY": KEY, "GRADESYNC_TEST_STORE": self.store or "", **(env or {})}
        return subprocess.Popen(
            [sys.executable, "-m", "gradesync", "-C", str(self.root), *args],
            env=clean,
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Done:
        """Start the command and wait for its end."""
        return end_of(self.start(*args, env=env))

    def prepare(self, *schedules: str) -> None:
        """Record the files without running anything, then make the named schedules due."""
        done = self.run("reconcile", "--no-syncs")
        assert done.code == 0, done.said
        for schedule in schedules:
            self.make_due(schedule)

    # - the store, from the side -

    def make_due(self, schedule: str, *, full: bool = False) -> None:
        """Let the schedule's next run have come this moment; `full`: and its last full one be of two days ago."""
        account, name = schedule.split("/")
        now = _micros(datetime.now(UTC))
        sets = f"next_run_at = {now - 1000}"
        if full:
            sets += f", last_full_at = {now - 48 * 3_600_000_000}"
        self.execute(f"UPDATE schedule SET {sets} WHERE account = '{account}' AND name = '{name}'")

    def all_due(self, account: str = "riverside", *, full: bool = False) -> None:
        """Both of an account's schedules."""
        self.make_due(f"{account}/{ROSTER}")
        self.make_due(f"{account}/{GRADES}", full=full)

    def execute(self, statement: str) -> None:
        """One statement past the product."""
        self._ask(statement)

    def rows(self, query: str) -> list[dict[str, Any]]:
        """What the store holds, by column name."""
        return self._ask(query)

    def runs(self, account: str = "riverside") -> list[dict[str, Any]]:
        """The account's runs, oldest first."""
        return self.rows(f"SELECT * FROM run WHERE account = '{account}' ORDER BY created_at, id")

    def told(self, what: str) -> list[dict[str, Any]]:
        """History entries of one kind, oldest first."""
        return self.rows(f"SELECT * FROM history WHERE what = '{what}' ORDER BY at, seq")

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / ".gradesync" / "store.db"

    def _ask(self, statement: str) -> list[dict[str, Any]]:
        if self.store is None:
            with closing(sqlite3.connect(self.database, timeout=30, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(statement)]
        import psycopg
        from psycopg.rows import dict_row

        with psycopg.connect(self.store, autocommit=True, row_factory=dict_row) as session:
            cursor = session.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []


def end_of(process: subprocess.Popen[str]) -> Done:
    """Wait for a started command. Fails when it hangs."""
    try:
        out, err = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the command hangs; so far it said:\n{out}\n{err}") from None
    return Done(process.returncode, out, err)


def kill(process: subprocess.Popen[str]) -> Done:
    """kill -9, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    return end_of(process)


def _micros(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


# - judging -


class Judge:
    """Compares one district's SIS with the oracle, and watches that nothing is made twice at the server."""

    def __init__(self, sandbox: Sandbox, district: str = "riverside") -> None:
        self._school = sandbox.schools[district]
        self._oracle = Oracle()

    def verdict(self) -> str:
        """Empty text when the SIS holds exactly what a full pass now must have left there."""
        canvas, sis = self._school.canvas.raw(), self._school.sis.raw()
        told = difference(self._oracle.expected(canvas, sis), held(sis))
        twice = doubled(sis)
        return told + (f"\ndoubled: {len(twice)}" if twice else "")

    def results_held(self) -> int:
        """How many results the SIS holds."""
        sis = self._school.sis.raw()
        return sum(row["status"] == "active" for row in sis["results"])


def wanted_puts(before: Mapping[str, Any], after: Mapping[str, Any]) -> int:
    """The fewest writes that lead from one state of the SIS to another (raw worlds): changed or new records."""
    return sum(
        1
        for kind in ("lineItems", "results")
        for row in after[kind]
        if _facts(row) != _by_id(before[kind]).get(row["sourcedId"])
    )


def _by_id(rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    return {row["sourcedId"]: _facts(row) for row in rows}


def _facts(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record without the server's own stamp."""
    return {name: value for name, value in row.items() if name != "dateLastModified"}


def writes(sandbox: Sandbox, district: str | None = None) -> int:
    """Requests that changed something on either side since the last `forget_requests`."""
    return sum(
        record.method in ("PUT", "POST", "DELETE", "PATCH")
        and not record.path.endswith(("/token", "/graphql"))
        and district in (None, record.district)
        for record in list(sandbox.requests)
    )


def created_twice(sandbox: Sandbox) -> list[str]:
    """Records that the SIS made new more than once since the last `forget_requests`."""
    made = Counter(r.path for r in list(sandbox.requests) if r.method == "PUT" and r.status == 201)
    return [path for path, count in made.items() if count > 1]


class _Watched(list[RequestRecord]):
    """The server's request log, telling each request before its answer is sent."""

    def __init__(self, told: Callable[[RequestRecord], None]) -> None:
        super().__init__()
        self.told = told

    def append(self, record: RequestRecord, /) -> None:
        super().append(record)
        self.told(record)


@contextmanager
def at_request(
    sandbox: Sandbox, number: int, act: Callable[[], None], *, method: str | None = None, path: str = ""
) -> Iterator[threading.Event]:
    """Call `act` in the server, after the number-th request that fits took effect and before its answer.

    `method` may name several, as "PUT|POST"; `path` is a part of the path.
    """
    reached = threading.Event()
    left = [number]

    def told(record: RequestRecord) -> None:
        if (method is None or record.method in method.split("|")) and path in record.path:
            left[0] -= 1
            if left[0] == 0:
                act()
                reached.set()

    before = sandbox.front.records
    watched = _Watched(told)
    sandbox.front.records = watched
    try:
        yield reached
    finally:
        before.extend(watched)
        sandbox.front.records = before
