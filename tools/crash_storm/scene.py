"""The stage of a storm: a sandbox, a tree, a store, and the commands that run on it. Nothing is killed here."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradesync.sandbox.front import RequestRecord
from gradesync.sandbox.server import Sandbox, running
from tests.postgresql import running_server
from tests.whole.harness import KEY, SOURCES, Tree

STUDENTS = 12
LATENCY = 20
"""Milliseconds before either side answers: a run is mostly waiting, so most blows fall into the middle of one."""


@dataclass(frozen=True, slots=True)
class Write:
    """A request that changed something outside, as the server saw it; `epoch` as the request said of itself."""

    district: str
    run: str
    epoch: int
    what: str


def _nobody(_: Write) -> None:
    """Nobody waits for a certain write."""


class Writes(list[RequestRecord]):
    """Takes the place of the sandbox's request log and keeps the writes alone, in the order of their effect."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Write] = []
        self.last: dict[str, float] = {}
        self.told: Callable[[Write], None] = _nobody
        self.unnamed = 0
        self.requests = 0

    def append(self, record: RequestRecord, /) -> None:
        """One more request."""
        self.requests += 1
        if record.method not in ("PUT", "POST", "DELETE") or record.path.endswith(("/token", "/graphql")):
            return
        run, _, epoch = record.run.partition("/")
        if not epoch.isdecimal():
            self.unnamed += 1
            return
        self.last[record.district] = time.monotonic()
        write = Write(record.district, run, int(epoch), f"{record.method} {record.path}")
        self.seen.append(write)
        self.told(write)


@dataclass
class Scene:
    """Everything of one storm. `server` is its PostgreSQL, None on SQLite."""

    folder: Path
    sandbox: Sandbox
    tree: Tree
    writes: Writes
    guard: bool
    server: Any = None
    commands: dict[int, str] = field(default_factory=dict)
    started: int = 0
    _zygote: subprocess.Popen[str] | None = None
    _aside: Any = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def accounts(self) -> tuple[str, ...]:
        """The districts."""
        return self.tree.accounts

    # - commands -

    def begin(self, *args: str) -> int:
        """Start a command; its process id."""
        zygote = self._zygote
        assert zygote is not None
        assert zygote.stdin is not None
        assert zygote.stdout is not None
        said = self.folder / "said" / f"{self.started:05}-{args[0]}.txt"
        order = {"args": ["--verbose", "-C", str(self.tree.root), *args], "said": str(said)}
        zygote.stdin.write(json.dumps(order) + "\n")
        zygote.stdin.flush()
        pid = int(zygote.stdout.readline())
        self.started += 1
        self.commands[pid] = args[0]
        return pid

    def living(self) -> list[int]:
        """Commands that have not ended; the others are forgotten."""
        for pid in [pid for pid in self.commands if not _is_there(pid)]:
            del self.commands[pid]
        return list(self.commands)

    def signal(self, pid: int, number: int) -> bool:
        """Send a signal to one of our commands; False when it has ended."""
        if pid not in self.commands:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def spoken(self) -> str:
        """All that the commands have said."""
        return "\n".join(path.read_text() for path in sorted((self.folder / "said").iterdir()))

    # - the store, from the side -

    def ask(self, statement: str, values: tuple[object, ...] = ()) -> list[dict[str, Any]] | None:
        """Rows of one statement past the product; None when the database is away just now."""
        if self.server is None:
            try:
                # Not for long: whoever holds the file may be frozen, and is thawed by the one who asks here.
                with closing(sqlite3.connect(self.tree.database, timeout=1, isolation_level=None)) as file:
                    file.row_factory = sqlite3.Row
                    return [dict(row) for row in file.execute(statement, values)]
            except sqlite3.OperationalError:
                return None
        import psycopg
        from psycopg.rows import dict_row

        try:
            if self._aside is None or self._aside.closed:
                self._aside = psycopg.connect(
                    self.tree.store or "",
                    autocommit=True,
                    row_factory=dict_row,
                    # As with the file: whoever holds a row may be frozen, and is thawed by the one who asks here.
                    options="-c lock_timeout=1s",
                )
            cursor = self._aside.execute(statement.replace("?", "%s").encode(), values)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error:
            self._leave()
            return None

    def _leave(self) -> None:
        """Give the connection up; the server may have done so before."""
        if self._aside is not None:
            self._aside.close()
        self._aside = None

    def restart_database(self) -> None:
        """The server goes away in the middle of everything, and comes back."""
        self._leave()
        self.server.stop()
        self.server.ensure_postgres_running()


def _is_there(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@contextmanager
def scene(folder: Path, store: str, *, accounts: int, guard: bool) -> Iterator[Scene]:
    """A storm's stage, recorded and ready; nothing has run yet."""
    districts = tuple(f"district{number}" for number in range(accounts))
    with _server(store) as server, running(districts, students=STUDENTS, latency_ms=LATENCY) as sandbox:
        url = None if server is None else str(server.get_uri())
        tree = Tree(folder / "tree", sandbox, accounts=districts, store=url)
        tree.prepare()
        writes = Writes()
        sandbox.front.records = writes
        (folder / "said").mkdir()
        stage = Scene(folder, sandbox, tree, writes, guard, server)
        stage._zygote = _zygote(tree, guard=guard)  # noqa: SLF001 - its own maker
        try:
            yield stage
        finally:
            _clear(stage)


@contextmanager
def _server(store: str) -> Iterator[Any]:
    if store == "sqlite":
        yield None
        return
    with running_server() as server:
        yield server


def _zygote(tree: Tree, *, guard: bool) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB_"))}
    env |= {"PYTHONPATH": str(SOURCES), "HOME": str(tree.root), "STORM_GUARD": "on" if guard else "off"}
    env |= {"GRADESYNC_TEST_KEY": KEY, "GRADESYNC_TEST_STORE": tree.store or ""}
    return subprocess.Popen(
        [sys.executable, "-m", "tools.crash_storm.zygote"],
        env=env,
        cwd=SOURCES,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def _clear(stage: Scene) -> None:
    """No process of a storm outlives it."""
    for pid in stage.living():
        stage.signal(pid, signal.SIGKILL)
    zygote = stage._zygote  # noqa: SLF001 - as above
    assert zygote is not None
    zygote.kill()
    zygote.communicate()
    stage._leave()  # noqa: SLF001 - as above
