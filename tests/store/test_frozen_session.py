"""A process that freezes in the middle of what it sends holds its locks for ever, unless somebody ends its session.

The server's limit on idle transactions does not count for it, because to the server it is in the middle of a statement.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from gradesync.errors import StoreUnavailable
from gradesync.ports import SlotClaim
from gradesync.store.database import _END_WHO_STANDS_STILL
from tests.store.conftest import Place, _place
from tests.store.samples import GRADES, T0, FakeClock, minutes, new_run, school

FREEZE = """
import os, signal, sys, psycopg
session = psycopg.connect(sys.argv[1], application_name="gradesync")
session.execute("SET idle_in_transaction_session_timeout = '1s'")
session.commit()
def rows():
    for number in range(3000):
        if number == 1500:
            print("frozen", flush=True)
            os.kill(os.getpid(), signal.SIGSTOP)
        yield (T0, "riverside", "grades")
session.cursor().executemany("UPDATE schedule SET next_run_at = %s WHERE account = %s AND name = %s", rows())
""".replace("T0", str(int(T0.timestamp() * 1_000_000)))


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with _place("postgresql", request, tmp_path) as place:
        yield place


def test_whoever_waits_for_a_frozen_process_ends_its_session(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasty = _END_WHO_STANDS_STILL.replace("20 seconds", "1 second")
    monkeypatch.setattr("gradesync.store.database._END_WHO_STANDS_STILL", hasty)
    with closing(place.open(FakeClock())) as store:
        school(store)
        slot = SlotClaim(GRADES, T0, minutes(15), new_run(slot=T0.isoformat()))
        frozen = subprocess.Popen(
            [sys.executable, "-c", FREEZE, place.url], stdout=subprocess.PIPE, text=True
        )
        try:
            assert frozen.stdout is not None
            assert frozen.stdout.readline() == "frozen\n"
            time.sleep(3)
            with psycopg.connect(place.url) as aside:
                held = aside.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gradesync'"
                    " AND datname = current_database() AND wait_event = 'ClientRead' AND state <> 'idle'"
                ).fetchone()
            assert held == (1,), "the server's own limit of a second has not ended it"
            with pytest.raises(StoreUnavailable, match="lock"):
                store.claim_slots([slot])
            assert store.claim_slots([slot]) == [slot.run]
        finally:
            os.kill(frozen.pid, signal.SIGKILL)
            frozen.communicate()
