"""When a class is over for good: what pruning the ledger goes by. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from gradesync.domain.gradebook import SisCatalogue

SETTLED = timedelta(days=30)
"""How long a term must be over before anything of it is pruned: late grades and corrections come that long."""


@dataclass(frozen=True, slots=True)
class ClassTerm:
    """The session in which a class ends, and the instant after its last day (midnight UTC)."""

    term_id: str
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class PastTerm:
    """A term that is over, and what the store still remembers of its classes: `rows` of ledger and waiting."""

    account: str
    term_id: str
    ended_at: datetime
    classes: int
    rows: int


def class_terms(catalogue: SisCatalogue) -> Mapping[str, ClassTerm]:
    """The last session of each class. One whose sessions are not all known is left out: it may still go on."""
    found = {}
    for one in catalogue.classes.values():
        if not one.term_ids or not all(term in catalogue.sessions for term in one.term_ids):
            continue
        # Of two that end on one day the name decides, so that the same catalogue always says the same.
        term = max(one.term_ids, key=lambda term: (catalogue.sessions[term][2], term))
        end = catalogue.sessions[term][2]
        found[one.id] = ClassTerm(term, datetime.combine(end, time(), UTC))
    return found
