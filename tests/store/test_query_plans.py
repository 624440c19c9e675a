"""What is asked at every pass, by every command and for every class never goes through a large table."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from benchmarks.query_plans import Asked, plans_of
from gradesync.ports import RunQuery
from gradesync.store.sql import SqlStore
from tests.store.conftest import Place
from tests.store.samples import DONE, T0, FakeClock, claim, entry, fact, queue, school

LARGE = ("history", "history_detail", "ledger", "record_event", "run", "schedule", "waiting", "class_term")
THROUGH = re.compile(rf"(?:SCAN|Seq Scan on) ({'|'.join(LARGE)})\b(?! USING)")
"""SQLite says SCAN for a whole table, and SCAN ... USING an index for going along it; PostgreSQL says Seq Scan."""


def gone_through(asked: list[Asked]) -> list[str]:
    return [line for one in asked for line in one.plan if THROUGH.search(line)]


@pytest.fixture
def store(place: Place) -> Iterator[SqlStore]:
    with closing(place.open(FakeClock())) as opened:
        assert isinstance(opened, SqlStore)
        school(opened, "riverside", "grades", "roster")
        school(opened, "oak-hill")
        opened.append([fact(str(number)) for number in range(5)])
        yield opened


CALLS: dict[str, tuple[Callable[[SqlStore], object], str | None]] = {
    "what is due": (lambda s: s.due_rows(T0), "ix_schedule_due"),
    "what is open": (lambda s: s.queued_runs(), "ix_run_open"),
    "what is open in some accounts": (lambda s: s.queued_runs(["riverside", "oak-hill"]), "ix_run_open"),
    "the newest entries": (lambda s: s.history(limit=50), "ix_history_at"),
    "an account's newest entries": (lambda s: s.history("riverside"), None),
    "a schedule's newest entries": (lambda s: s.history("riverside", "grades"), "ix_history_schedule"),
    "the newest runs": (lambda s: s.runs(RunQuery()), "ix_run_created"),
    "a schedule's newest runs": (
        lambda s: s.runs(RunQuery(account="riverside", schedule="grades")),
        "ix_run_schedule",
    ),
    "every schedule's newest runs": (lambda s: s.recent_runs(25, ["riverside"]), "ix_run_schedule"),
    "one run": (lambda s: s.runs(RunQuery(run_id="x")), None),
    "last runs of an account": (lambda s: s.last_runs(["riverside"]), None),
    "first runs of an account": (lambda s: s.first_runs(["riverside"]), None),
    "last full runs of an account": (lambda s: s.last_full_runs(["riverside"]), None),
    "an account's definitions": (lambda s: s.recorded(["riverside"]), None),
    "what waits in an account": (lambda s: s.waiting_rows("riverside"), None),
    "how much waits in an account": (lambda s: s.waiting_counts("riverside"), None),
    "since when it waits": (lambda s: s.waiting_since("riverside"), None),
    "a class's ledger": (lambda s: s.read_records("riverside").ledger("c1"), "ix_ledger_class"),
    "some records' ledger": (lambda s: s.ledger_entries("riverside", ["s1", "s2"]), None),
    "some records' events": (lambda s: s.record_events("riverside", ["s1"]), "ix_record_event_subject"),
    "an account's watermarks": (lambda s: s.read_records("riverside").watermark("x"), None),
    "past terms of an account": (lambda s: s.past_terms(T0, "riverside"), "ix_ledger_class"),
}


@pytest.mark.parametrize("what", CALLS)
def test_reading_finds_its_rows_by_an_index(store: SqlStore, what: str) -> None:
    call, index = CALLS[what]
    asked = plans_of(store, lambda: call(store), without_seqscan=True)
    assert asked
    assert gone_through(asked) == []
    if index is not None:
        assert any(index in line for one in asked for line in one.plan)


def test_a_run_from_its_claim_to_its_end_goes_through_no_large_table(store: SqlStore) -> None:
    def work() -> None:
        run = queue(store)
        claimed = claim(store, run)
        records = store.records(claimed)
        records.intend([entry("s1", intent="h")])
        records.checkpoint("c1", ledger=[entry("s1", sent="h")], waiting=[], complete=True)
        records.checkpoint("c1", ledger=[], waiting=[], complete=False, forgotten=[("result", "s1")])
        records.set_watermarks({"x": "1"})
        store.renew("riverside", claimed.epoch, 60)
        store.finish(claimed, DONE, [fact("run ended")])
        store.checkpoint()

    asked = plans_of(store, work, without_seqscan=True)
    assert len(asked) > 20
    assert gone_through(asked) == []


def test_a_table_gone_through_would_be_seen(store: SqlStore) -> None:
    assert gone_through(plans_of(store, lambda: store.purge(T0, []), without_seqscan=True))
