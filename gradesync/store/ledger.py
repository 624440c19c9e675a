"""The ledger, waiting rows and watermarks as one run sees them: reading is free, every write passes the fence.

Hashes and pseudonyms come in ready made; no value, name or score reaches this room.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, union, update

from gradesync.domain.class_terms import ClassTerm
from gradesync.domain.record import LINE_ITEM, RESULT, LedgerEntry, RecordEvent, WaitingRecord, WaitingRow
from gradesync.domain.run import Claimed
from gradesync.store import events as record_events
from gradesync.store import generations, leases
from gradesync.store import tables as t
from gradesync.store import terms as class_terms
from gradesync.store import waiting as waiting_rows
from gradesync.store.control import get_meta, set_meta
from gradesync.store.database import Database, Prepared, Tx

KEY_ID = "key id"

_ENTRY = ("kind", "subject", "class_id", "record_id", "sent", "read_back", "intent")
_MINE = (t.ledger.c.account == bindparam("of_account"), t.ledger.c.class_id == bindparam("of_class"))
_LEDGER_OF_CLASS = Prepared(lambda _: select(*(t.ledger.c[name] for name in _ENTRY)).where(*_MINE))
_WATERMARKS = Prepared(
    lambda _: select(t.watermark.c.name, t.watermark.c.value).where(
        t.watermark.c.account == bindparam("of_account")
    )
)
_INTEND = Prepared(lambda tx: tx.upsert(t.ledger, "class_id", "record_id", "intent", "key_id"))
_CONFIRM = Prepared(lambda tx: tx.upsert(t.ledger))
_FORGET = Prepared(
    lambda _: delete(t.ledger).where(
        t.ledger.c.account == bindparam("of_account"),
        t.ledger.c.kind == bindparam("of_kind"),
        t.ledger.c.subject == bindparam("gone"),
    )
)


_READ_ALONG = 64
"""Classes whose waiting rows are kept between reading the ledger and asking for them; more are not in work at once."""


class _Entries(Mapping[tuple[str, str], LedgerEntry]):
    """A class's ledger. Entries are made when asked for: after a day's change, few of a hundred are."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Mapping[tuple[str, str], Sequence[Any]]) -> None:
        self._rows = rows

    def __getitem__(self, key: tuple[str, str]) -> LedgerEntry:
        return LedgerEntry(*self._rows[key])

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


class SqlReadRecords:
    """What a dry run may see of an account."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account
        self._read_along: dict[str, Mapping[str, WaitingRow]] = {}
        self._marks: dict[str, str] | None = None

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]:
        """What was last written in the class, by (kind, subject)."""
        with self._database.read() as tx:
            rows = tx.rows(_LEDGER_OF_CLASS, {"of_account": self._account, "of_class": class_id})
            found = _Entries({(row[0], row[1]): row for row in rows})
            if len(self._read_along) >= _READ_ALONG:
                self._read_along.clear()
            # A class that is looked at is mostly written next, and a second transaction costs more than this row.
            self._read_along[class_id] = waiting_rows.in_class(tx, self._account, class_id)
            return found

    def watermark(self, name: str) -> str | None:
        """A stored watermark of the account."""
        if self._marks is None:
            # All at once: a run asks for one of nearly every course, and nobody else may write them meanwhile.
            with self._database.read() as tx:
                rows = tx.run(_WATERMARKS, {"of_account": self._account})
                self._marks = {row[0]: row[1] for row in rows}
        return self._marks.get(name)

    def waiting(self, class_id: str) -> Mapping[str, WaitingRow]:
        """What waits in the class, by subject."""
        read_along = self._read_along.get(class_id)
        if read_along is not None:
            return read_along
        with self._database.read() as tx:
            return waiting_rows.in_class(tx, self._account, class_id)

    def generation(self) -> str | None:
        """The head of the last good roster read."""
        with self._database.read() as tx:
            return generations.head(tx, self._account)

    def generation_chunk(self, kind: str, school: str) -> bytes:
        """One chunk of it."""
        with self._database.read() as tx:
            return generations.chunk(tx, self._account, kind, school)


class SqlRunRecords(SqlReadRecords):
    """The same for a claimed run, with the fenced writes."""

    def __init__(self, database: Database, claimed: Claimed) -> None:
        super().__init__(database, claimed.run.schedule.account)
        self._claimed = claimed
        self._key_id: str | None = None

    def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Write down what is about to be sent; what is known of a record stays as it is."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            self._write_ledger(tx, _INTEND, entries)

    def checkpoint(
        self,
        class_id: str,
        *,
        ledger: Sequence[LedgerEntry],
        waiting: Sequence[WaitingRecord],
        complete: bool,
        events: Sequence[RecordEvent] = (),
        forgotten: Sequence[tuple[str, str]] = (),
    ) -> None:
        """One class is done; a record in `ledger` or `forgotten` waits no longer unless it is among `waiting`."""
        standing = self._read_along.pop(class_id, None)
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            self._write_ledger(tx, _CONFIRM, ledger)
            if forgotten:
                mine = {"of_account": self._account}
                tx.run(_FORGET, *({**mine, "of_kind": kind, "gone": subject} for kind, subject in forgotten))
            handled = [entry.subject for entry in ledger] + [subject for _, subject in forgotten]
            if complete or handled or waiting:
                over = None if complete else handled
                waiting_rows.replace(tx, self._account, class_id, waiting, over=over, standing=standing)
            if events:
                record_events.append(tx, self._claimed, events, self._known_key_id(tx))

    def set_watermarks(self, values: Mapping[str, str]) -> None:
        """Store watermarks."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            rows = [
                {"account": self._account, "name": name, "value": value} for name, value in values.items()
            ]
            if rows:
                tx.execute(tx.upsert(t.watermark), rows)
        if self._marks is not None:
            self._marks.update(values)

    def keep_generation(self, head: str, chunks: Mapping[tuple[str, str], bytes]) -> None:
        """Replace the last good roster read."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            generations.keep(tx, self._account, head, chunks)

    def note_terms(self, terms: Mapping[str, ClassTerm]) -> None:
        """Remember when classes are over."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            class_terms.note(tx, self._account, terms)

    def _write_ledger(self, tx: Tx, statement: Prepared, entries: Sequence[LedgerEntry]) -> None:
        if not entries:
            return
        key_id = self._known_key_id(tx)
        tx.run(
            statement,
            *(
                {
                    "account": self._account,
                    "kind": entry.kind,
                    "subject": entry.subject,
                    "class_id": entry.class_id,
                    "record_id": entry.record_id,
                    "sent": entry.sent,
                    "read_back": entry.read_back,
                    "intent": entry.intent,
                    "key_id": key_id,
                }
                for entry in entries
            ),
        )

    def _known_key_id(self, tx: Tx) -> str | None:
        if self._key_id is None:
            self._key_id = get_meta(tx, KEY_ID)
        return self._key_id


def of_subjects(tx: Tx, account: str, subjects: Sequence[str]) -> list[LedgerEntry]:
    """The ledger's entries of the named records."""
    entries = t.ledger.c
    found: list[LedgerEntry] = []
    for at in range(0, len(subjects), record_events.CHUNK):
        chunk = subjects[at : at + record_events.CHUNK]
        query = (
            select(*(entries[name] for name in _ENTRY))
            # The kinds are named for the key's sake, which would else be of no use beyond the account.
            .where(
                entries.account == account, entries.kind.in_((LINE_ITEM, RESULT)), entries.subject.in_(chunk)
            )
            .order_by(entries.kind, entries.subject)
        )
        found += [LedgerEntry(*row) for row in tx.execute(query)]
    return found


def classes(tx: Tx, account: str) -> list[str]:
    """SIS ids of the classes in which anything is remembered or waits, in order."""
    known = select(t.ledger.c.class_id).where(t.ledger.c.account == account)
    waits = select(t.waiting.c.class_id).where(t.waiting.c.account == account)
    return sorted(row[0] for row in tx.execute(union(known, waits)))


def rekey(tx: Tx, key_id: str, grace: float) -> None:
    """Start over under another key: old hashes and pseudonyms mean nothing any more; records are compared anew.

    Raises AccountBusy while a run works: it would go on writing under the old key. The next run of each schedule is a
    full one, because only that looks at every record.
    """
    leases.require_none(tx, grace)
    tx.execute(delete(t.ledger))
    tx.execute(delete(t.waiting))
    tx.execute(delete(t.record_event))
    generations.forget(tx)
    tx.execute(update(t.schedule).values(last_full_at=None))
    set_meta(tx, KEY_ID, key_id)
