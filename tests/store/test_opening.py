"""Opening a store: what is made, what is refused in which words, and what it costs to import."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from gradesync.errors import StoreUnavailable
from gradesync.store import schema, tables
from gradesync.store.memory import MemoryStore
from gradesync.store.open import check_lineage, open_store
from tests.store.conftest import Place, _execute
from tests.store.samples import fact


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_store_is_private_and_says_that_it_is_new(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "store.db"
    with closing(open_store(path, create=True)) as store:
        assert store.info().created
        store.append([fact()])
        for file in path.parent.iterdir():
            assert mode(file) == 0o600, file
        lineage = store.info().lineage
    assert (mode(path.parent), mode(path.parent.parent)) == (0o700, 0o700)
    with closing(open_store(f"sqlite:///{path}", create=True)) as again:
        assert not again.info().created
        assert again.info().lineage == lineage
        assert len(again.history()) == 1


def test_a_store_that_others_could_read_is_made_private(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    path.chmod(0o644)
    open_store(path, create=False).close()
    assert mode(path) == 0o600


def test_folders_that_exist_keep_their_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    open_store(tmp_path / "store.db", create=True).close()
    assert mode(tmp_path) == 0o755


def test_a_missing_store_is_not_made_unasked(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="no store at") as caught:
        open_store(tmp_path / "sub" / "store.db", create=False)
    assert "store init" in str(caught.value.hint)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty.db").touch()
    with pytest.raises(StoreUnavailable, match="no store at"):
        open_store(tmp_path / "empty.db", create=False)


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("remember the milk " * 100)
    with pytest.raises(StoreUnavailable, match="is not a store"):
        open_store(path, create=True)
    assert path.read_text() == "remember the milk " * 100


def test_other_peoples_tables_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE recipes (name text)")
    with pytest.raises(StoreUnavailable, match=r"other tables \(recipes\)"):
        open_store(path, create=True)


def test_a_folder_and_an_unknown_url_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="is a folder"):
        open_store(tmp_path, create=True)
    with pytest.raises(StoreUnavailable, match="mysql://"):
        open_store("mysql://root:secret@host/db", create=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreUnavailable, match="Permission denied"):
        open_store(tmp_path / "store.db", create=True)


def test_a_place_below_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreUnavailable, match="cannot be used as a store"):
        open_store(tmp_path / "file" / "store.db", create=True)


def test_a_store_without_room_to_grow_says_so(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    shutil.copy(sqlite_template, path)
    with closing(open_store(path, create=False)) as store:
        # The same answer as from a full disk, brought about by a limit on this connection's pages.
        with store._db._reading.connect() as connection:  # type: ignore[attr-defined]  # no other way to fill it
            connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with pytest.raises(StoreUnavailable, match="disk is full") as caught:
            store.append([fact(detail="x" * 500_000)])
        assert "half written" in str(caught.value.hint)
        assert store.history() == []


def test_a_newer_schema_is_refused_and_left_as_it_is(place: Place) -> None:
    place.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="schema 9999, newer"):
        place.open(None)
    place.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '{schema.REVISION}'")
    place.open(None).close()


@pytest.mark.parametrize("name", ["password", "sslpassword"])
def test_a_password_among_the_parameters_is_not_told_either(name: str) -> None:
    url = f"postgresql://gradesync@127.0.0.1:1/store?{name}=hunter2secret&connect_timeout=1"
    with pytest.raises(StoreUnavailable) as caught:
        open_store(url, create=False)
    assert "127.0.0.1:1" in str(caught.value)
    assert "hunter2secret" not in f"{caught.value} {caught.value.hint}"


def test_an_unreachable_server_is_told_without_its_password() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store("postgresql://sync:hunter2@127.0.0.1:9/grades", create=True)
    assert "cannot be reached" in str(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert "hunter2" not in f"{caught.value!r} {caught.value.hint} {caught.value.__cause__}"


def test_an_option_that_postgresql_does_not_know_is_named() -> None:
    with pytest.raises(StoreUnavailable, match="sslmod") as caught:
        open_store("postgresql://u:hunter2@127.0.0.1:1/db?sslmod=require", create=False)
    assert "libpq" in str(caught.value.hint)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"


def test_a_url_that_cannot_be_read_is_not_repeated() -> None:
    with pytest.raises(StoreUnavailable) as caught:
        open_store("postgresql://sync:hunter2@host:port/grades", create=True)
    assert "hunter2" not in f"{caught.value!r} {caught.value.hint}"


def test_a_missing_database_is_named(postgresql_server: str) -> None:
    with pytest.raises(StoreUnavailable, match='database "nowhere" does not exist'):
        open_store(postgresql_server.replace("/postgres?", "/nowhere?"), create=True)


def test_an_empty_postgresql_database_becomes_a_store_when_asked(postgresql_server: str) -> None:
    _execute(postgresql_server, "CREATE DATABASE fresh")
    url = postgresql_server.replace("/postgres?", "/fresh?")
    with pytest.raises(StoreUnavailable, match="no store at"):
        open_store(url, create=False)
    with closing(open_store(url, create=True)) as store:
        assert store.info().created
        assert abs((store.now() - datetime.now(UTC)).total_seconds()) < 60


def test_postgresql_sessions_cannot_stand_in_the_way_for_ever(place: Place) -> None:
    if place.kind != "postgresql":
        pytest.skip("session settings are PostgreSQL's")
    with closing(place.open(None)) as store, store._db.read() as tx:  # type: ignore[attr-defined]  # a look inside
        shown = {
            name: tx.connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in (
                "idle_in_transaction_session_timeout",
                "lock_timeout",
                "statement_timeout",
                "timezone",
            )
        }
    assert shown == {
        "idle_in_transaction_session_timeout": "10s",
        "lock_timeout": "5s",
        "statement_timeout": "30s",
        "timezone": "UTC",
    }


def test_a_connection_whose_other_end_is_gone_is_noticed(place: Place) -> None:
    if place.kind != "postgresql":
        pytest.skip("only a server can be out of reach")
    with closing(place.open(None)) as store, store._db.read() as tx:  # type: ignore[attr-defined]  # a look inside
        told = tx.connection.connection.driver_connection.info.get_parameters()
    asked = ("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout")
    assert [told[name] for name in asked] == ["1", "10", "5", "3", "20000"]
    url = f"{place.url}&keepalives_idle=99"
    with closing(open_store(url, create=False)) as store, store._db.read() as tx:  # type: ignore[attr-defined]  # as above
        assert tx.connection.connection.driver_connection.info.get_parameters()["keepalives_idle"] == "99"


def test_an_operators_long_work_may_take_its_time_and_nobody_elses(place: Place) -> None:
    if place.kind != "postgresql":
        pytest.skip("session settings are PostgreSQL's")
    with closing(place.open(None)) as store:
        database = store._db  # type: ignore[attr-defined]  # a look inside
        for long, expected in ((True, "0"), (False, "30s")):
            with database.write(long=long) as tx:
                assert tx.connection.exec_driver_sql("SHOW statement_timeout").scalar() == expected


def test_a_pinned_lineage_lets_no_other_store_in() -> None:
    store = MemoryStore()
    check_lineage(store, None)
    check_lineage(store, store.info().lineage)
    with pytest.raises(StoreUnavailable, match="lineage"):
        check_lineage(store, "0" * 32)


def test_the_migrations_make_exactly_the_tables_the_code_uses(place: Place) -> None:
    url = f"sqlite:///{place.url}" if place.kind == "sqlite" else place.url.replace("://", "+psycopg://", 1)
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_the_constant_names_the_newest_migration() -> None:
    assert ScriptDirectory(str(schema.MIGRATIONS)).get_heads() == [schema.REVISION]


def _bare_environment() -> dict[str, str]:
    """Without coverage in the child, which itself imports sqlite3."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


def test_importing_the_room_imports_no_database_library() -> None:
    program = (
        "import sys; import gradesync.store.open, gradesync.store.memory, gradesync.store.holder, "
        "gradesync.store.verify; "
        "print([m for m in ('sqlalchemy', 'alembic', 'psycopg', 'sqlite3') if m in sys.modules])"
    )
    assert (
        subprocess.check_output([sys.executable, "-c", program], text=True, env=_bare_environment()) == "[]\n"
    )


def test_an_existing_store_opens_without_alembic(sqlite_template: Path) -> None:
    program = (
        "import sys; from gradesync.store.open import open_store; "
        f"open_store({str(sqlite_template)!r}, create=False).close(); "
        "print([m for m in ('alembic', 'psycopg') if m in sys.modules])"
    )
    assert (
        subprocess.check_output([sys.executable, "-c", program], text=True, env=_bare_environment()) == "[]\n"
    )
