"""A store of a state: a hundred thousand schedules, a million entries, ten million records, written in bulk.

The definitions are real ones (read from files once and repeated under other names), the chains verify, and every
schedule has a last run. No measuring here.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from benchmarks.tree import write_tree
from gradesync.config.loader import load
from gradesync.domain.definition import Desired, DesiredAccount, DesiredSchedule
from gradesync.domain.history import GENESIS_HASH, Fact, chain_of, seal
from gradesync.domain.problem import Place
from gradesync.domain.run import SCHEDULER
from gradesync.store import tables as t
from gradesync.store.open import connect, open_store
from gradesync.store.rows import definition_values, to_json

ROWS_OF_CLASS = 100
"""Ledger rows of one class: a few line items, and the results of thirty students."""

PIECE = 20_000


@dataclass(frozen=True)
class Size:
    """How many of what; schedules, entries and records are spread evenly over the accounts."""

    accounts: int
    schedules: int
    entries: int
    records: int

    @classmethod
    def share(cls, share: float) -> Size:
        """A share of the whole: 2,000 accounts, 100,000 schedules, 1,000,000 entries, 10,000,000 records."""
        accounts = max(2, round(2_000 * share))
        return cls(accounts, accounts * 50, accounts * 500, accounts * 5_000)

    @cached_property
    def per_account(self) -> tuple[int, int, int]:
        """Schedules, entries and records of one account."""
        return (
            self.schedules // self.accounts,
            self.entries // self.accounts,
            self.records // self.accounts,
        )


def key_of(number: int) -> str:
    """The key of an account."""
    return f"district-{number:04}"


def desired(size: Size) -> Desired:
    """The tree in memory, as the loader would give it: one account's files read, and repeated under other names."""
    with tempfile.TemporaryDirectory() as folder:
        write_tree(Path(folder), 1, size.per_account[0])
        loaded = load(Path(folder), now=datetime.now(UTC))
    [model] = loaded.desired.accounts.values()
    accounts = {key_of(number): _named(model, key_of(number)) for number in range(size.accounts)}
    return Desired(accounts, frozenset(), size.accounts, None, lambda file, _keys: Place(file))


def _named(model: DesiredAccount, key: str) -> DesiredAccount:
    schedules = {
        name: DesiredSchedule(name, one.text.replace(model.key, key), one.digest)
        for name, one in model.schedules.items()
    }
    file = model.file.replace(model.key, key)
    return DesiredAccount(key, file, model.text.replace(model.key, key), model.digest, schedules)


def fill(place: str, size: Size, tree: Desired) -> None:
    """Make a store at the place and write everything into it."""
    open_store(place, create=True).close()
    with closing(connect(place, create=False)) as database:
        now = datetime.now(UTC)
        for name, columns, rows in _tables(size, tree, now):
            with database.write(long=True) as tx:
                if tx.on_sqlite:
                    tx.connection.exec_driver_sql("PRAGMA cache_size = -400000")
                tx.load(name, columns, rows)
        if not database.on_sqlite:
            # The server does it by itself, sooner or later; the measuring begins now.
            with database.write(long=True) as tx:
                tx.connection.exec_driver_sql("ANALYZE")


def _tables(
    size: Size, tree: Desired, now: datetime
) -> Iterator[tuple[str, list[str], Iterable[list[object]]]]:
    micros = t.micros_of(now)
    yield (
        "account",
        _ACCOUNT,
        ([one.key, one.text, one.digest, 1, False, None, None, micros] for one in tree.accounts.values()),
    )
    yield "schedule", _SCHEDULE, _schedules(tree, now)
    yield "run", _RUN, _runs(tree, now)
    heads: list[list[object]] = []
    yield "history", _HISTORY, _history(size, now, heads)
    yield "history_head", ["chain", "seq", "hash", "at"], heads
    yield "ledger", _LEDGER, _ledger(size)


_ACCOUNT = ["key", "text", "digest", "revision", "retired", "group_name", "applied_commit", "applied_at"]
_SCHEDULE = [
    *("account", "name", "text", "digest", "type", "interval_text", "time_zone", "posted_by"),
    *("next_run_at", "retired", "first_ran_at", "last_run_id", "last_full_at", "formerly"),
]
_RUN = [
    *("id", "account", "schedule", "type", "slot_key", "slot_at", "trigger", "mode", "actor", "via", "state"),
    *("created_at", "attempt", "abandoned", "epoch", "started_at", "ended_at", "late_by", "stop_asked"),
    *("outcome", "stage", "counts", "codes"),
]
_HISTORY = [
    *("chain", "seq", "at", "what", "actor", "via", "schedule", "run_id", "data", "detail_hash"),
    *("previous", "hash"),
]
_LEDGER = ["account", "kind", "subject", "class_id", "record_id", "sent", "read_back", "intent", "key_id"]


def _schedules(tree: Desired, now: datetime) -> Iterator[list[object]]:
    ago = t.micros_of(now - timedelta(hours=3))
    number = 0
    for account in tree.accounts.values():
        for one in account.schedules.values():
            number += 1
            soon = t.micros_of(now + timedelta(hours=2, seconds=number % 80_000))
            values = definition_values(one.text)
            columns = [values[name] for name in ("type", "interval_text", "time_zone", "posted_by")]
            run = _run_id(account.key, one.name)
            yield [account.key, one.name, one.text, one.digest, *columns, soon, False, ago, run, ago, "[]"]


def _run_id(account: str, schedule: str) -> str:
    return f"{account}/{schedule}/last"


def _runs(tree: Desired, now: datetime) -> Iterator[list[object]]:
    at = t.micros_of(now - timedelta(hours=2))
    counts = to_json({"sent": 3, "unchanged": 97})
    for account in tree.accounts.values():
        for one in account.schedules.values():
            type_ = json.loads(one.text)["type"]
            yield [
                *(
                    _run_id(account.key, one.name),
                    account.key,
                    one.name,
                    type_,
                    "2027-03-01T02:00:00+00:00",
                    at,
                ),
                *("slot", "delta", "scheduler", "slot", "ended", at, 1, 0, 1, at, at, 0, False),
                *("completed", "record", counts, "{}"),
            ]


def _history(size: Size, now: datetime, heads: list[list[object]]) -> Iterator[list[object]]:
    """Chains that verify, of entries as runs make them; `heads` is filled meanwhile."""
    schedules, entries, _ = size.per_account
    for number in range(size.accounts):
        chain, previous, at = chain_of(key_of(number)), GENESIS_HASH, now
        for seq in range(1, entries + 1):
            at = now - timedelta(minutes=15 * (entries - seq), seconds=number % 900)
            schedule = f"grades-{seq % schedules}"
            data = {"outcome": "completed", "counts": {"sent": seq % 7, "unchanged": 90}, "stage": "record"}
            fact = Fact("run ended", SCHEDULER, key_of(number), schedule, f"{seq:032x}", data)
            sealed = seal(chain, seq, at, fact, previous)
            previous = sealed.hash
            yield [
                *(
                    chain,
                    seq,
                    t.micros_of(at),
                    fact.what,
                    SCHEDULER.name,
                    SCHEDULER.via,
                    schedule,
                    fact.run_id,
                ),
                *(to_json(data), None, sealed.previous, sealed.hash),
            ]
        heads.append([chain, entries, previous, t.micros_of(at)])


def _ledger(size: Size) -> Iterator[list[object]]:
    """Records in the order of their keys; a district's real ones come in any order, which costs loading only."""
    per_account = size.per_account[2]
    for number in range(size.accounts):
        key = key_of(number)
        for one in range(per_account):
            subject, class_id = f"{one:025x}", f"class-{one // ROWS_OF_CLASS:06}"
            record = f"00000000-0000-5000-8000-{one:012x}"
            sent = f"{one * 7919:025x}"
            yield [key, "result", subject, class_id, record, sent, sent, None, "0123456789abcdef"]
