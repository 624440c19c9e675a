"""What happens to somebody who reaches past the store: triggers refuse, and what gets past them is found."""

from __future__ import annotations

import sqlite3

import psycopg
import pytest

from gradesync.domain.history import seal, verify_chain
from gradesync.ports import Store
from gradesync.store.verify import verify_history
from tests.store.conftest import Place
from tests.store.samples import FakeClock, fact

REFUSED = (sqlite3.IntegrityError, psycopg.errors.RaiseException)
COLUMNS = "chain, seq, at, what, actor, via, data, previous, hash"


@pytest.fixture
def told(database: Store) -> Store:
    """A store with three entries in one chain, one of them with a detail, and a checkpoint."""
    database.append([fact("one"), fact("two", detail="somebody's words"), fact("three")])
    database.checkpoint()
    return database


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE history SET what = 'nothing'",
        "DELETE FROM history",
        "INSERT INTO history SELECT * FROM history WHERE seq = 2",
    ],
)
def test_an_entry_cannot_be_changed_removed_or_written_over(
    told: Store, place: Place, statement: str
) -> None:
    with pytest.raises((*REFUSED, psycopg.errors.UniqueViolation)):
        place.execute(statement)
    assert verify_history(told) == []


def test_sqlite_refuses_insert_or_replace_over_an_entry(told: Store, place: Place) -> None:
    if place.kind != "sqlite":
        pytest.skip("INSERT OR REPLACE is SQLite's alone")
    for hole in ("INSERT OR REPLACE", "REPLACE"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            place.execute(
                f"{hole} INTO history ({COLUMNS}) VALUES ('riverside', 2, 0, 'x', 'x', 'x', '{{}}', 'x', 'x')"
            )
    with pytest.raises(sqlite3.OperationalError, match="rowid"):
        place.execute("INSERT OR REPLACE INTO history (rowid, chain, seq) VALUES (2, 'other', 99)")
    assert [e.fact.what for e in told.chain("riverside")] == ["one", "two", "three"]


def test_postgresql_refuses_to_truncate_the_history(told: Store, place: Place) -> None:
    if place.kind != "postgresql":
        pytest.skip("TRUNCATE is PostgreSQL's alone")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        place.execute("TRUNCATE history")
    assert len(told.history()) == 4


@pytest.mark.parametrize(
    ("statement", "chain", "seq", "words"),
    [
        ("UPDATE history SET actor = 'somebody else' WHERE seq = 2", "riverside", 2, "was changed"),
        ("UPDATE history SET data = '{\"sent\": 1}' WHERE what = 'one'", "riverside", 1, "was changed"),
        ("UPDATE history SET data = 'no JSON' WHERE what = 'two'", "riverside", 2, "was changed"),
        ("UPDATE history SET data = '[1]' WHERE what = 'checkpoint'", "-", 1, "was changed"),
        ("UPDATE history SET data = '{\"entries\": \"x\"}' WHERE what = 'checkpoint'", "-", 1, "was changed"),
        ("UPDATE history_detail SET detail = 'no JSON'", "riverside", 2, "detail was changed"),
        ("UPDATE history SET at = at + 1 WHERE what = 'three'", "riverside", 3, "was changed"),
        ("UPDATE history SET data = '{}' WHERE what = 'checkpoint'", "-", 1, "was changed"),
        ("DELETE FROM history WHERE seq = 2", "riverside", 2, "missing"),
        ("DELETE FROM history WHERE what = 'three'", "riverside", 2, "last entries are missing"),
        ("DELETE FROM history WHERE chain = 'riverside'", "riverside", 0, "last entries are missing"),
        ("DELETE FROM history_head WHERE chain = 'riverside'", "riverside", 3, "head was changed"),
        ("UPDATE history_detail SET detail = '\"other words\"'", "riverside", 2, "detail was changed"),
    ],
)
def test_tampering_is_found_with_its_place(
    told: Store, place: Place, statement: str, chain: str, seq: int, words: str
) -> None:
    place.unguarded(statement)
    faults = [fault for fault in verify_history(told) if fault.seq or fault.chain != "-"]
    assert [(fault.chain, fault.seq) for fault in faults] == [(chain, seq)]
    assert words in faults[0].what


def test_a_chain_cut_together_with_its_head_is_found_by_the_checkpoint(told: Store, place: Place) -> None:
    two = next(e for e in told.chain("riverside") if e.seq == 2)
    place.unguarded(
        "DELETE FROM history WHERE what = 'three'",
        f"UPDATE history_head SET seq = 2, hash = '{two.hash}' WHERE chain = 'riverside'",
    )
    [fault] = verify_history(told)
    assert "saw 3 entries, now there are 2" in fault.what


def test_a_chain_written_anew_is_found_by_the_checkpoint(told: Store, place: Place) -> None:
    one, two, _ = told.chain("riverside")
    forged = seal("riverside", 3, two.at, fact("forged"), two.hash)
    assert one.hash == two.previous
    place.unguarded(
        f"UPDATE history SET what = 'forged', hash = '{forged.hash}', at = "
        "(SELECT at FROM history WHERE seq = 2 AND chain = 'riverside') WHERE what = 'three'",
        f"UPDATE history_head SET hash = '{forged.hash}' WHERE chain = 'riverside'",
    )
    assert verify_chain("riverside", told.chain("riverside"), forged.hash) is None
    [fault] = verify_history(told)
    assert "are not the ones the checkpoint" in fault.what


def test_a_long_chain_is_verified_page_by_page(
    database: Store, monkeypatch: pytest.MonkeyPatch, clock: FakeClock
) -> None:
    monkeypatch.setattr("gradesync.store.history.PAGE", 3)
    database.append([fact(str(number)) for number in range(10)])
    clock.forward(1)
    assert [e.fact.what for e in database.chain("riverside")] == [str(number) for number in range(10)]
    assert verify_history(database) == []
