"""Terms that are over, in RAM: what is remembered of their classes, and forgetting it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gradesync.domain.class_terms import PastTerm
from gradesync.domain.history import Fact
from gradesync.errors import AccountBusy
from gradesync.store.memory.state import MemoryState


class Terms(MemoryState):
    """What is over."""

    def past_terms(self, before: datetime, account: str | None = None) -> Sequence[PastTerm]:
        """Terms that are over and of whose classes something is remembered."""
        with self.lock:
            remembered: dict[tuple[str, str], int] = {}
            for (owner, _, _), entry in self.ledger_rows.items():
                key = (owner, entry.class_id)
                remembered[key] = remembered.get(key, 0) + 1
            for owner, class_id, _ in self.waiting_table:
                remembered[owner, class_id] = remembered.get((owner, class_id), 0) + 1
            found: dict[tuple[str, str, datetime], list[int]] = {}
            for (owner, class_id), term in self.term_rows.items():
                rows = remembered.get((owner, class_id), 0)
                if rows and term.ends_at < before and account in (None, owner):
                    found.setdefault((owner, term.term_id, term.ends_at), []).append(rows)
        terms = [PastTerm(*key, len(rows), sum(rows)) for key, rows in found.items()]
        return sorted(terms, key=lambda term: (term.ended_at, term.account, term.term_id))

    def prune(self, term: PastTerm, facts: Sequence[Fact]) -> int:
        """Forget a past term's classes."""
        with self.lock:
            row = self.lease_rows.get(term.account)
            if row is not None and row.lease is not None and not row.is_over(self.now(), self._grace):
                raise AccountBusy(f"A run works in {term.account}", hint="Prune again when it has ended.")
            over = {
                class_id
                for (account, class_id), known in self.term_rows.items()
                if account == term.account and (known.term_id, known.ends_at) == (term.term_id, term.ended_at)
            }
            ledger = [
                key
                for key, entry in self.ledger_rows.items()
                if key[0] == term.account and entry.class_id in over
            ]
            waiting = [key for key in self.waiting_table if key[0] == term.account and key[1] in over]
            for key in ledger:
                del self.ledger_rows[key]
            for key in waiting:
                del self.waiting_table[key]
            for class_id in over:
                del self.term_rows[term.account, class_id]
            if over:
                self._append(facts)
            return len(ledger) + len(waiting)
