"""When a class is over: by its last session, and never by one nobody knows."""

from __future__ import annotations

from datetime import UTC, date, datetime

from gradesync.domain.class_terms import ClassTerm, class_terms
from gradesync.domain.gradebook import SisCatalogue, SisClass

SESSIONS = {
    "q1": ("Quarter 1", date(2026, 8, 24), date(2026, 10, 31)),
    "q2": ("Quarter 2", date(2026, 10, 31), date(2027, 1, 16)),
    "year": ("2026-27", date(2026, 8, 24), date(2027, 6, 12)),
}


def ends(*terms: str) -> ClassTerm | None:
    catalogue = SisCatalogue({"c": SisClass("c", "s", terms)}, (), (), sessions=SESSIONS)
    return class_terms(catalogue).get("c")


def test_a_class_ends_with_the_last_of_its_sessions() -> None:
    assert ends("q1") == ClassTerm("q1", datetime(2026, 10, 31, tzinfo=UTC))
    assert ends("q2", "q1") == ClassTerm("q2", datetime(2027, 1, 16, tzinfo=UTC))
    assert ends("q1", "year") == ClassTerm("year", datetime(2027, 6, 12, tzinfo=UTC))


def test_a_class_with_an_unknown_session_or_none_never_ends() -> None:
    assert ends() is None
    assert ends("q1", "gone") is None
