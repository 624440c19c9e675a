"""Which term a class belongs to, and removing from the ledger what belongs to terms that are over.

Nothing of an account is removed while a run works in it: the lease row is locked first, as a claim does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, delete, func, select

from gradesync.domain.class_terms import ClassTerm, PastTerm
from gradesync.domain.history import Fact
from gradesync.errors import AccountBusy
from gradesync.store import history
from gradesync.store import tables as t
from gradesync.store.database import Database, Tx
from gradesync.store.holder import is_over
from gradesync.store.rows import holder_of

CHUNK = 50
"""Classes per transaction: some thousand rows, so that nobody waits long."""

_T = t.class_term.c


def note(tx: Tx, account: str, terms: Mapping[str, ClassTerm]) -> None:
    """Remember the terms of classes; what is known already costs one SELECT."""
    query = select(_T.class_id, _T.term_id, _T.ends_at).where(_T.account == account)
    known = {row.class_id: ClassTerm(row.term_id, row.ends_at) for row in tx.execute(query)}
    rows = [
        {"account": account, "class_id": class_id, "term_id": term.term_id, "ends_at": term.ends_at}
        for class_id, term in terms.items()
        if known.get(class_id) != term
    ]
    if rows:
        tx.execute(tx.upsert(t.class_term), rows)


def past(tx: Tx, before: datetime, account: str | None) -> list[PastTerm]:
    """Terms that ended before the instant and of whose classes something is remembered, oldest first."""
    found: dict[tuple[str, str, datetime], Counter[str]] = {}
    for table in (t.ledger, t.waiting):
        joined = t.class_term.join(
            table, and_(table.c.account == _T.account, table.c.class_id == _T.class_id)
        )
        query = (
            select(_T.account, _T.term_id, _T.ends_at, _T.class_id, func.count())
            .select_from(joined)
            .where(_T.ends_at < before)
            .group_by(_T.account, _T.term_id, _T.ends_at, _T.class_id)
        )
        if account is not None:
            query = query.where(_T.account == account)
        for owner, term_id, ends_at, class_id, count in tx.execute(query):
            found.setdefault((owner, term_id, ends_at), Counter())[class_id] += count
    terms = [PastTerm(*key, len(classes), classes.total()) for key, classes in found.items()]
    return sorted(terms, key=lambda term: (term.ended_at, term.account, term.term_id))


def prune(database: Database, term: PastTerm, facts: Sequence[Fact], grace: float) -> int:
    """Forget the term's classes, some at a time; the facts stand in the history with the first of them.

    Answers how many rows went. Killed half-way, what is left is found again. Raises AccountBusy while a run works.
    """
    removed = 0
    waiting_facts = list(facts)
    while True:
        with database.write() as tx:
            _require_idle(tx, term.account, grace)
            query = (
                select(_T.class_id)
                .where(_T.account == term.account, _T.term_id == term.term_id, _T.ends_at == term.ended_at)
                .order_by(_T.class_id)
                .limit(CHUNK)
            )
            classes = [row.class_id for row in tx.execute(query)]
            if not classes:
                return removed
            for table in (t.ledger, t.waiting, t.class_term):
                mine = (table.c.account == term.account, table.c.class_id.in_(classes))
                gone = tx.execute(delete(table).where(*mine)).rowcount
                removed += 0 if table is t.class_term else gone
            history.append(tx, waiting_facts)
            waiting_facts = []


def _require_idle(tx: Tx, account: str, grace: float) -> None:
    lease = t.account_lease
    row = tx.execute(select(lease).where(lease.c.account == account).with_for_update()).one_or_none()
    if row is None or row.run_id is None or is_over(holder_of(row), row.until, tx.now(), grace):
        return
    raise AccountBusy(
        f"A run works in {account}",
        hint="Prune again when it has ended; what was pruned so far stays pruned.",
    )
