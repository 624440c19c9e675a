"""A PostgreSQL server that was reached and said no: the hint names the role, never the way to the server."""

from __future__ import annotations

import pytest
from psycopg import OperationalError

from gradesync.store.faults import explain_postgresql

PLACE = "postgresql://gradesync@db.example/gradesync"


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ('connection failed: FATAL:  password authentication failed for user "gradesync_run"', "password"),
        ('connection failed: FATAL:  role "gradesync_rum" does not exist', "role"),
        ('connection failed: FATAL:  role "gradesync" is not permitted to log in', "role"),
        ('connection failed: FATAL:  database "gradesink" does not exist', "Create the database"),
        ('connection failed: FATAL:  no pg_hba.conf entry for host "192.0.2.7"', "pg_hba.conf"),
        ("connection failed: Connection refused", "reachable"),
    ],
)
def test_what_a_server_refuses_is_told_apart_from_a_server_that_is_away(said: str, hint: str) -> None:
    found = explain_postgresql(OperationalError(said), PLACE, ())
    assert found is not None
    assert hint in (found.hint or "")
    assert ("reachable" in (found.hint or "")) == (hint == "reachable")
