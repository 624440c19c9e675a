"""What a database and its disk can do to a store: each is told with its place and a next step, and nothing is lost."""

from __future__ import annotations

import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from gradesync.errors import StoreUnavailable
from gradesync.ports import Store
from gradesync.store.database import Tx
from gradesync.store.open import connect, open_store
from gradesync.store.verify import verify_history
from tests.store.conftest import Place
from tests.store.samples import DONE, claim, fact, queue, school

NOBODY = 65534


@pytest.fixture
def path(sqlite_template: Path, tmp_path: Path) -> Path:
    shutil.copy(sqlite_template, tmp_path / "store.db")
    return tmp_path / "store.db"


def opened(path: Path) -> Store:
    return open_store(path, create=False)


def whats(path: Path) -> list[str]:
    with closing(opened(path)) as store:
        assert verify_history(store) == []
        return [entry.fact.what for entry in store.chain("riverside")]


def test_a_writer_that_never_ends_is_told_and_nothing_is_half_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradesync.store.database.BUSY_TIMEOUT", 20)
    with closing(opened(path)) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        store.append([fact("before")])
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match="kept busy") as caught:
            store.append([fact("meanwhile")])
        assert "stuck process" in str(caught.value.hint)
        # Reading goes on: `list` never waits for a writer.
        assert [entry.fact.what for entry in store.history()] == ["before"]
        other.execute("ROLLBACK")
        store.append([fact("after")])
    assert whats(path) == ["before", "after"]


GROWS = """
import resource, sys
from gradesync.errors import StoreUnavailable
from gradesync.store.database import Tx
from gradesync.store.open import connect, open_store
from tests.store.samples import fact
store = open_store(sys.argv[1], create=False)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
written = 0
try:
    for number in range(1000):
        store.append([fact(str(number), detail="x" * 5000)])
        written += 1
except StoreUnavailable as problem:
    print(written, problem, "|", problem.hint)
"""


def test_a_disk_without_room_stops_the_writer_and_keeps_what_was_committed(path: Path) -> None:
    room = path.stat().st_size + 300_000
    done = subprocess.run(
        [sys.executable, "-c", GROWS, str(path), str(room)], capture_output=True, text=True, check=True
    )
    count, sentence = done.stdout.split(" ", 1)
    assert "cannot grow" in sentence or "cannot be read or written" in sentence
    assert str(path) in sentence
    assert 0 < int(count) < 1000
    assert whats(path) == [str(number) for number in range(int(count))]
    with closing(opened(path)) as store:
        store.append([fact("with room again")])
    assert whats(path)[-1] == "with room again"


@pytest.fixture
def others_folder(sqlite_template: Path) -> Iterator[Path]:
    """A folder with a store, both belonging to somebody without rights, who runs the test too."""
    folder = Path(tempfile.mkdtemp(prefix="gradesync-rights-"))
    shutil.copy(sqlite_template, folder / "store.db")
    root = os.geteuid() == 0
    if root:
        for one in (folder, folder / "store.db"):
            os.chown(one, NOBODY, NOBODY)
        os.seteuid(NOBODY)
    try:
        yield folder
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)


def test_a_folder_that_may_only_be_read_is_named_with_the_right_that_is_missing(others_folder: Path) -> None:
    others_folder.chmod(0o500)
    with (
        pytest.raises(StoreUnavailable, match=r"store\.db cannot be") as caught,
        closing(opened(others_folder / "store.db")) as store,
    ):
        store.append([fact()])
    assert "right to write" in str(caught.value.hint)
    others_folder.chmod(0o700)
    with closing(opened(others_folder / "store.db")) as store:
        store.append([fact()])


def test_a_file_that_may_only_be_read_is_named_too(others_folder: Path) -> None:
    (others_folder / "store.db").chmod(0o400)
    with pytest.raises(StoreUnavailable, match="Permission denied") as caught:
        opened(others_folder / "store.db")
    assert "right to write" in str(caught.value.hint)
    others_folder.chmod(0o500)
    with pytest.raises(StoreUnavailable, match="Permission denied"):
        open_store(others_folder / "new" / "store.db", create=True)


def filled(path: Path) -> None:
    with closing(opened(path)) as store:
        school(store)
        store.append([fact(str(number), detail="x" * 500) for number in range(200)])


def spoil(path: Path, at: int, data: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(data)


def used(path: Path) -> None:
    """Open, read all, write."""
    with closing(opened(path)) as store:
        store.recorded()
        list(store.chain("riverside"))
        store.append([fact()])


@pytest.mark.parametrize("how", ["pages overwritten", "cut short"])
def test_a_damaged_file_is_told_as_damaged_and_left_alone(path: Path, how: str) -> None:
    filled(path)
    size = path.stat().st_size
    if how == "cut short":
        os.truncate(path, size // 2)
    else:
        for at in range(4096 * 3, size, 4096 * 2):
            spoil(path, at, b"\xff" * 4096)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="is damaged") as caught:
        used(path)
    assert "backup" in str(caught.value.hint)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_any_more_is_told_and_left_alone(path: Path) -> None:
    filled(path)
    spoil(path, 0, b"\0" * 100)
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="is not a store"):
        opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("fate", ["gone", "replaced"])
def test_a_file_that_vanishes_under_a_run_stops_it_before_anything_is_lost(
    path: Path, sqlite_template: Path, fate: str
) -> None:
    with closing(opened(path)) as store:
        school(store, next_run=store.now())
        claimed = claim(store, queue(store, at=store.now()), ttl=600)
        records = store.records(claimed)
        records.set_watermarks({"before": "1"})
        aside = path.with_name("aside.db")
        with closing(sqlite3.connect(path)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.rename(aside)
        if fate == "replaced":
            shutil.copy(sqlite_template, path)
        for call in (
            lambda: records.set_watermarks({"after": "1"}),
            lambda: store.renew("riverside", claimed.epoch, 60),
            lambda: store.finish(claimed, DONE, [fact("run ended")]),
            store.recorded,
        ):
            with pytest.raises(StoreUnavailable, match="moved, replaced or deleted") as caught:
                call()
        assert "backup" in str(caught.value.hint)
        aside.rename(path)
        # The same file again: the run goes on as if nothing had been.
        records.set_watermarks({"after": "1"})
        store.finish(claimed, DONE, [fact("run ended")])
    with closing(opened(path)) as again:
        assert again.read_records("riverside").watermark("after") == "1"
        assert verify_history(again) == []


def test_the_limit_of_these_tests_was_theirs_alone() -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


_END_ALL = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'gradesync' AND datname = current_database()"
)


def test_a_database_that_breaks_off_while_many_rows_are_loaded_is_told_as_itself(place: Place) -> None:
    """Many rows go past SQLAlchemy, whose wrapping of errors is missing there."""

    def rows(tx: Tx) -> Iterator[tuple[str, str]]:
        if tx.on_sqlite:
            tx.connection.exec_driver_sql("PRAGMA max_page_count = 1")
        for number in range(20_000):
            if number == 1000 and not tx.on_sqlite:
                place.execute(_END_ALL)
            yield f"fact {number}", "x" * 200

    with closing(connect(place.url, create=False)) as database:
        with pytest.raises(StoreUnavailable), database.write() as tx:
            tx.load("meta", ("key", "value"), rows(tx))
        with database.read() as tx:
            assert tx.execute(text("SELECT count(*) FROM meta WHERE key LIKE 'fact %'")).scalar() == 0
