"""A store of the first schema with rows in it becomes one of today's, and nothing in it is lost."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, text

from gradesync.domain.record import RecordEvent, WaitingRecord
from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.ports import LedgerEntry, RunQuery
from gradesync.store import schema, tables
from gradesync.store.open import open_store
from tests.store.conftest import _execute
from tests.store.samples import T0, approval, claim, queue, school

ROWS = (
    "INSERT INTO meta VALUES ('lineage', 'from before'), ('clock', '{clock}'), ('key id', 'k1')",
    "INSERT INTO waiting VALUES ('riverside', 'c1', 's1', 'GS-401', 4711), ('riverside', 'c1', 's2', 'GS-412', NULL)",
    "INSERT INTO ledger VALUES ('riverside', 'result', 's3', 'c1', 'r3', 'h1', 'h2', NULL, 'k1')",
)

OLD_RUN = (
    "INSERT INTO run (id, account, schedule, type, slot_key, trigger, mode, actor, via, state, created_at, attempt, "
    "abandoned, late_by, stop_asked, outcome, stage, counts, codes) VALUES ('r1', 'riverside', 'grades', "
    "'grade passback', 'manual:1', 'by hand', 'delta', 'alex', 'OS user', 'ended', 5, 1, 0, 0, FALSE, 'completed', "
    "'record', '{\"sent\": 3}', '{}')"
)


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    engine = create_engine(url)
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def first_schema(url: str, clock: int) -> None:
    """A store as the first version made and filled it."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    config.set_main_option("path_separator", "os")
    with connected(url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for row in ROWS:
            connection.execute(text(row.format(clock=clock)))


@pytest.fixture(params=["sqlite", "postgresql"])
def old_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The store's URL, and the same for SQLAlchemy."""
    if request.param == "sqlite":
        yield str(tmp_path / "store.db"), f"sqlite:///{tmp_path / 'store.db'}"
        return
    server = str(request.getfixturevalue("postgresql_server"))
    _execute(server, "CREATE DATABASE from_before")
    url = server.replace("/postgres?", "/from_before?")
    yield url, url.replace("://", "+psycopg://", 1)
    _execute(server, "DROP DATABASE from_before WITH (FORCE)")


def test_what_waited_waits_since_the_change_and_the_ledger_stays(old_store: tuple[str, str]) -> None:
    url, engine_url = old_store
    first_schema(engine_url, clock=0)
    before = datetime.fromtimestamp(int(time.time()), UTC)
    with closing(open_store(url, create=False, migrate=True)) as store:
        rows = store.waiting_rows("riverside")
        assert [row.record for row in rows] == [
            WaitingRecord("s1", "c1", "GS-401", 4711),
            WaitingRecord("s2", "c1", "GS-412"),
        ]
        assert all(before <= row.since <= store.now() for row in rows)
        [kept] = store.ledger_entries("riverside", ["s3"])
        assert kept == LedgerEntry("result", "s3", "c1", "r3", "h1", "h2")
        assert (store.info().lineage, store.info().schema) == ("from before", schema.REVISION)
        school(store, "riverside", next_run=store.now())
        records = store.records(claim(store, queue(store)))
        event = RecordEvent("s3", "c1", "sent", value="h3")
        records.checkpoint("c1", ledger=[], waiting=[rows[0].record], complete=True, events=[event])
        assert store.waiting_rows("riverside") == [rows[0]]
        assert [past.event for past in store.record_events("riverside", ["s3"])] == [event]


def test_an_old_store_keeps_its_runs_and_learns_to_keep_approvals_and_generations(
    old_store: tuple[str, str],
) -> None:
    url, engine_url = old_store
    first_schema(engine_url, clock=0)
    with connected(engine_url) as connection:
        connection.execute(text(OLD_RUN))
        connection.execute(text("INSERT INTO approval VALUES ('riverside', 'd0', 1)"))
    with closing(open_store(url, create=False, migrate=True)) as store:
        [run] = store.runs(RunQuery(run_id="r1"))
        assert run.result == RunResult(Outcome.COMPLETED, Stage.RECORD, {"sent": 3})
        assert list(store.approvals("riverside", T0)) == []
        store.add_approval(approval("d1"), [])
        assert list(store.approvals("riverside", T0)) == [approval("d1")]
        school(store, "riverside", next_run=store.now())
        records = store.records(claim(store, queue(store)))
        records.keep_generation("1", {("users", "001"): b"\x00"})
        assert records.generation_chunk("users", "001") == b"\x00"


def test_the_changed_tables_are_those_the_code_uses(old_store: tuple[str, str]) -> None:
    url, engine_url = old_store
    first_schema(engine_url, clock=0)
    open_store(url, create=False, migrate=True).close()
    with connected(engine_url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []


def test_a_store_whose_clock_is_ahead_is_not_taken_back(tmp_path: Path) -> None:
    path, ahead = tmp_path / "store.db", datetime(2099, 1, 1, tzinfo=UTC)
    first_schema(f"sqlite:///{path}", clock=tables.micros_of(ahead))
    with closing(open_store(path, create=False)) as store:
        assert store.waiting_since() == {("riverside", "GS-401"): ahead, ("riverside", "GS-412"): ahead}


def test_the_history_of_a_changed_store_is_still_guarded(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first_schema(f"sqlite:///{path}", clock=0)
    with closing(open_store(path, create=False)) as store:
        school(store)
        store.append([])
    with closing(sqlite3.connect(path)) as raw:
        triggers = {row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")}
    assert triggers == {"history_no_update", "history_no_delete", "history_no_replace"}


def test_the_file_is_copied_before_it_is_changed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "store.db"
    first_schema(f"sqlite:///{path}", clock=0)
    with closing(open_store(path, create=False)) as store:
        info = store.info()
        assert info.migrated_from == "0001"
        assert info.backup == f"{path}.schema-0001"
    assert f"as it was: {info.backup}" in caplog.text
    copy = Path(info.backup)
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as raw:
        assert raw.execute("SELECT count(*) FROM waiting").fetchone() == (2,)
        assert raw.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchone() == ("0001",)
    with closing(open_store(path, create=False)) as again:
        assert again.info().migrated_from is None


def test_without_room_for_the_copy_nothing_is_changed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    first_schema(f"sqlite:///{path}", clock=0)
    (tmp_path / "store.db.schema-0001.part").mkdir()
    with pytest.raises(OSError, match="schema-0001"):
        open_store(path, create=False)
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchone() == ("0001",)
