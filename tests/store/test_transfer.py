"""A store moved as a file: what arrives is what left, on whatever database, or nothing at all."""

from __future__ import annotations

import io
import itertools
import json
import random
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Boolean, Integer, LargeBinary, Table

from gradesync.errors import AccountBusy, ExportUnusable, StoreUnavailable
from gradesync.store import tables as t
from gradesync.store.database import Database
from gradesync.store.open import connect, open_store
from gradesync.store.schema import prepare
from gradesync.store.transfer import Moved, check, export, load
from gradesync.store.verify import verify_history
from tests.store.conftest import _execute
from tests.store.samples import DONE, T0, FakeClock, claim, entry, fact, hold, queue, request, school

_numbers = itertools.count(1)
Make = Callable[[str], str]


@pytest.fixture
def new_place(postgresql_server: str, tmp_path: Path) -> Iterator[Make]:
    """Empty places by kind."""
    made: list[str] = []

    def make(kind: str) -> str:
        number = next(_numbers)
        if kind == "sqlite":
            return str(tmp_path / f"moved{number}.db")
        made.append(f"moved{number}")
        _execute(postgresql_server, f"CREATE DATABASE moved{number}")
        return postgresql_server.replace("/postgres?", f"/moved{number}?")

    yield make
    for name in made:
        _execute(postgresql_server, f"DROP DATABASE {name} WITH (FORCE)")


def exported(place: str, *, despite_runs: bool = False) -> bytes:
    out = io.BytesIO()
    with closing(connect(place, create=False)) as database:
        export(database, out, grace=15, despite_runs=despite_runs)
    return out.getvalue()


def taken_in(place: str, data: bytes) -> Moved:
    with closing(connect(place, create=True)) as database:
        return load(database, lambda: io.BytesIO(data))


def content(data: bytes) -> dict[str, list[str]]:
    """Rows by table, in one order."""
    tables: dict[str, list[str]] = {}
    name = ""
    for line in data.decode().splitlines()[1:]:
        value = json.loads(line)
        if isinstance(value, dict):
            name = value.get("table", name)
            tables.setdefault(name, [])
        else:
            tables[name].append(line)
    return {table: sorted(rows) for table, rows in tables.items()}


def filled(place: str) -> None:
    """A store with something of everything, by the store's own verbs."""
    clock = FakeClock()
    with closing(open_store(place, create=True, clock=clock)) as store:
        school(store, "riverside", "grades", "roster")
        school(store, "oak-hill", next_run=T0)
        store.append([fact("one", detail="somebody's wörds \U0001f600 \0 end"), fact("two", None)])
        claimed = claim(store, queue(store))
        records = store.records(claimed)
        records.checkpoint(
            "c1",
            ledger=[entry(f"s{number}", sent="h", read_back="r") for number in range(20)],
            waiting=[],
            complete=True,
        )
        records.set_watermarks({"delta": "2027-03-01"})
        records.keep_generation("{}", {("users", "001"): bytes(range(256))})
        store.finish(claimed, DONE, [fact("run ended", run_id=claimed.run.id)])
        store.add_hold(hold(), [fact("held")])
        store.add_request(request(), [])
        store.checkpoint()


@pytest.mark.parametrize("way", [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_there_and_back_everything_is_the_same_and_the_history_verifies(
    new_place: Make, way: tuple[str, str]
) -> None:
    here, there, back = new_place(way[0]), new_place(way[1]), new_place(way[0])
    filled(here)
    first = exported(here)
    moved = taken_in(there, first)
    second = exported(there)
    assert taken_in(back, second) == moved == check(io.BytesIO(second))
    third = exported(back)
    assert content(first) == content(second) == content(third)
    for place in (there, back):
        with closing(open_store(place, create=False, clock=FakeClock())) as store:
            assert not store.info().created
            assert verify_history(store) == []
            assert store.info().lineage == moved.lineage
            assert store.read_records("riverside").generation_chunk("users", "001") == bytes(range(256))
            assert [e.fact.detail for e in store.chain("riverside") if e.fact.detail] == [
                "somebody's wörds \U0001f600 \0 end"
            ]


def test_the_moved_store_goes_on_where_the_old_one_stood(new_place: Make) -> None:
    here, there = new_place("sqlite"), new_place("postgresql")
    filled(here)
    with closing(open_store(here, create=False, clock=FakeClock())) as store:
        claimed = claim(store, queue(store))
        from gradesync.domain.record import RecordEvent

        events = [RecordEvent("s", "c1", "sent", value="h")] * 3
        store.records(claimed).checkpoint("c1", ledger=[], waiting=[], complete=True, events=events)
        store.finish(claimed, DONE, [])
        epoch = claimed.run.epoch
    taken_in(there, exported(here))
    with closing(open_store(there, create=False, clock=FakeClock())) as store:
        claimed = claim(store, queue(store))
        assert epoch is not None
        assert claimed.run.epoch == epoch + 1
        store.records(claimed).checkpoint("c1", ledger=[], waiting=[], complete=True, events=events)
        store.finish(claimed, DONE, [fact("run ended")])
        assert len(store.record_events("riverside", ["s"])) == 6
        store.checkpoint()
        assert verify_history(store) == []


def test_a_store_that_holds_something_takes_nothing_in(new_place: Make) -> None:
    here, full, fresh = new_place("sqlite"), new_place("sqlite"), new_place("sqlite")
    filled(here)
    filled(full)
    before = content(exported(full))
    with pytest.raises(StoreUnavailable, match="not empty"):
        taken_in(full, exported(here))
    assert content(exported(full)) == before
    open_store(fresh, create=True).close()
    taken_in(fresh, exported(here))
    assert content(exported(fresh)) == content(exported(here))


def spoilt(data: bytes) -> Iterator[tuple[str, bytes]]:
    lines = data.splitlines(keepends=True)
    yield "cut within a line", data[: len(data) // 2]
    yield "last line missing", b"".join(lines[:-1])
    yield "a row missing", b"".join(line for line in lines if b'"s7"' not in line)
    yield "a row doubled", b"".join(line * (2 if b'"s7"' in line else 1) for line in lines)
    yield "a value changed", data.replace(b'"s7"', b'"s8"')
    yield "a count changed", data.replace(b'"rows":20', b'"rows":21')
    yield "more after the end", data + b"[]\n"
    yield "another schema", data.replace(b'"schema":"0005"', b'"schema":"0003"', 1)
    yield "another program's", b'{"kind":"recipes"}\n'
    yield "no JSON", b"remember the milk\n"
    yield "nothing", b""


def test_of_a_spoilt_file_nothing_is_taken_in(new_place: Make) -> None:
    here = new_place("sqlite")
    filled(here)
    data = exported(here)
    for what, bad in spoilt(data):
        assert bad != data, what
        there = new_place("sqlite")
        with pytest.raises(ExportUnusable):
            taken_in(there, bad)
        with pytest.raises(StoreUnavailable, match="no store at"):
            open_store(there, create=False)


def test_while_a_run_is_at_work_the_store_stays_where_it_is(new_place: Make) -> None:
    here, there = new_place("sqlite"), new_place("sqlite")
    with closing(open_store(here, create=True)) as store:
        school(store, next_run=store.now())
        run = queue(store, at=store.now())
        claim(store, run, ttl=600)
        with pytest.raises(AccountBusy, match="riverside"):
            exported(here)
        taken_in(there, exported(here, despite_runs=True))
    with closing(open_store(there, create=False)) as copy:
        assert [lease.run_id for lease in copy.leases()] == [run.id]


def rows_for(whole: Table, draw: random.Random, count: int) -> list[list[object]]:
    """Rows of odd values that a table takes."""

    def value(at: int, number: int) -> object:
        each = list(whole.columns)[at]
        if each.nullable and draw.random() < 0.2:
            return None
        if isinstance(each.type, Boolean):
            return draw.random() < 0.5
        if isinstance(each.type, LargeBinary):
            return draw.randbytes(draw.choice((0, 1, 300)))
        if isinstance(each.type, (Integer, t.Instant)):
            low, high = (1, 2**31 - 1) if type(each.type) is Integer else (-(2**63), 2**63 - 1)
            return number if each.primary_key else draw.choice((low, high, draw.randint(low, high)))
        text = draw.choice(("", "\t\\N\r\n", "é\u2028😀", '"\\', "x" * 900, "\x7f", "ｆ"))
        return f"{number}{text}"

    return [[value(at, number) for at in range(len(whole.columns))] for number in range(1, count + 1)]


def put(database: Database, seed: int) -> None:
    """Fill every table with rows of odd values, past the store's verbs."""
    draw = random.Random(seed)
    prepare(database, create=True)
    with database.write() as tx:
        tx.execute(t.meta.delete())
        for whole in t.metadata.sorted_tables:
            rows = rows_for(whole, draw, draw.choice((0, 1, 7)))
            if whole is t.schedule:
                rows = []
            tx.load(whole.name, [each.name for each in whole.columns], rows)


@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), way=st.sampled_from([("sqlite", "postgresql"), ("postgresql", "sqlite")]))
def test_odd_values_of_every_table_arrive_as_they_left(
    new_place: Make, seed: int, way: tuple[str, str]
) -> None:
    here, there, back = new_place(way[0]), new_place(way[1]), new_place(way[0])
    with closing(connect(here, create=True)) as database:
        put(database, seed)
    first = exported(here, despite_runs=True)
    taken_in(there, first)
    second = exported(there, despite_runs=True)
    taken_in(back, second)
    assert content(first) == content(second) == content(exported(back, despite_runs=True))
