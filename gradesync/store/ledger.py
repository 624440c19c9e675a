"""The ledger, waiting rows and watermarks as one run sees them: reading is free, every write passes the fence.

Hashes and pseudonyms come in ready made; no value, name or score reaches this room.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import bindparam, delete, func, select

from gradesync.domain.run import Claimed
from gradesync.ports import LedgerEntry, WaitingRecord
from gradesync.store import leases
from gradesync.store import tables as t
from gradesync.store.control import get_meta, set_meta
from gradesync.store.database import Database, Tx

KEY_ID = "key id"


class SqlReadRecords:
    """What a dry run may see of an account."""

    def __init__(self, database: Database, account: str) -> None:
        self._database = database
        self._account = account

    def ledger(self, class_id: str) -> Mapping[tuple[str, str], LedgerEntry]:
        """What was last written in the class, by (kind, subject)."""
        c = t.ledger.c
        with self._database.read() as tx:
            rows = tx.execute(
                select(c.kind, c.subject, c.class_id, c.record_id, c.sent, c.read_back, c.intent).where(
                    c.account == self._account, c.class_id == class_id
                )
            )
            return {(row[0], row[1]): LedgerEntry(*row) for row in rows}

    def watermark(self, name: str) -> str | None:
        """A stored watermark of the account."""
        w = t.watermark.c
        with self._database.read() as tx:
            return tx.execute(
                select(w.value).where(w.account == self._account, w.name == name)
            ).scalar_one_or_none()


class SqlRunRecords(SqlReadRecords):
    """The same for a claimed run, with the fenced writes."""

    def __init__(self, database: Database, claimed: Claimed) -> None:
        super().__init__(database, claimed.run.schedule.account)
        self._claimed = claimed

    def intend(self, entries: Sequence[LedgerEntry]) -> None:
        """Write down what is about to be sent; what is known of a record stays as it is."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            self._write_ledger(tx, entries, "class_id", "record_id", "intent", "key_id")

    def checkpoint(
        self,
        class_id: str,
        *,
        ledger: Sequence[LedgerEntry],
        waiting: Sequence[WaitingRecord],
        complete: bool,
    ) -> None:
        """One class is done; a record in the ledger waits no longer unless it is among `waiting` again."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            self._write_ledger(tx, ledger)
            w = t.waiting.c
            mine = delete(t.waiting).where(w.account == self._account, w.class_id == class_id)
            if complete:
                tx.execute(mine)
            elif ledger:
                tx.execute(
                    mine.where(w.subject == bindparam("gone")), [{"gone": entry.subject} for entry in ledger]
                )
            if waiting:
                tx.execute(tx.upsert(t.waiting), [self._waiting_values(record) for record in waiting])

    def set_watermarks(self, values: Mapping[str, str]) -> None:
        """Store watermarks."""
        with self._database.write() as tx:
            leases.fence(tx, self._claimed)
            rows = [
                {"account": self._account, "name": name, "value": value} for name, value in values.items()
            ]
            if rows:
                tx.execute(tx.upsert(t.watermark), rows)

    def _write_ledger(self, tx: Tx, entries: Sequence[LedgerEntry], *columns: str) -> None:
        if not entries:
            return
        key_id = get_meta(tx, KEY_ID)
        tx.execute(
            tx.upsert(t.ledger, *columns),
            [
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
            ],
        )

    def _waiting_values(self, record: WaitingRecord) -> dict[str, object]:
        return {
            "account": self._account,
            "class_id": record.class_id,
            "subject": record.subject,
            "code": record.code,
            "assignment_id": record.assignment_id,
        }


def waiting_counts(tx: Tx, account: str | None) -> Mapping[tuple[str, str], int]:
    """(account, code) -> records waiting."""
    w = t.waiting.c
    query = select(w.account, w.code, func.count()).group_by(w.account, w.code)
    if account is not None:
        query = query.where(w.account == account)
    return {(row[0], row[1]): row[2] for row in tx.execute(query)}


def rekey(tx: Tx, key_id: str) -> None:
    """Start over under another key: old hashes and pseudonyms mean nothing any more; records are compared anew."""
    tx.execute(delete(t.ledger))
    tx.execute(delete(t.waiting))
    set_meta(tx, KEY_ID, key_id)
