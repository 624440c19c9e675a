"""A PostgreSQL server that goes away and comes back in the middle of a run: the run ends told, nothing goes twice.

The server is this file's own, because everybody else's would be stopped too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from gradesync.domain.gradebook import Result
from gradesync.domain.run import Outcome, RunState
from gradesync.errors import StoreUnavailable
from gradesync.store.open import open_store
from gradesync.store.verify import verify_history
from tests.engine.district import District
from tests.postgresql import running_server


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running_server() as made:
        yield made


class OnPostgresql(District):
    """The district with its store on a server that can be stopped; the first slot is due."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self.server = server
        url = str(server.get_uri())
        with closing(open_store(url, create=True)) as store:
            assert store.info().kind == "postgresql"
        self.store = open_store(url, create=False, clock=lambda: self.school.now)  # type: ignore[assignment]  # another kind
        self.tools = replace(self.tools, store=self.store, sleep=self.waited)
        self.waits = 0

    async def waited(self, _: float) -> None:
        """What the engine waits for is the database: it comes back meanwhile."""
        self.waits += 1
        self.server.ensure_postgres_running()

    def at_write(self, number: int, what: Any) -> None:
        """Do something right before the SIS is written to for the n-th time."""
        put, writes = self.school.sis.put_result, 0

        async def watched(result: Result, *, new: bool = True) -> str:
            nonlocal writes
            writes += 1
            if writes == number:
                what()
            return await put(result, new=new)

        self.school.sis.put_result = watched  # type: ignore[method-assign]  # a SIS that tells when it is written to


@contextmanager
def owed(server: Any) -> Iterator[OnPostgresql]:
    district = OnPostgresql(server)
    with closing(district.store):
        district.reconcile(district.tree())
        district.later(15)
        yield district
        assert verify_history(district.store) == []
        assert len(district.school.grades()) == 6
        with district.store._db.write() as tx:  # type: ignore[attr-defined]  # the next test begins anew
            tx.connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            tx.connection.exec_driver_sql("CREATE SCHEMA public")


def test_a_restart_between_two_verbs_is_not_noticed(server: Any) -> None:
    with owed(server) as district:

        def restart() -> None:
            server.stop()
            server.ensure_postgres_running()

        district.at_write(2, restart)
        (end,) = district.reconcile().ends
        assert end.result is not None
        assert (end.result.outcome, end.result.counts["sent"]) == (Outcome.COMPLETED, 6)


def test_a_run_whose_ledger_cannot_be_written_fails_told_and_the_next_sends_nothing_twice(
    server: Any,
) -> None:
    with owed(server) as district:
        district.at_write(2, server.stop)
        (end,) = district.reconcile().ends
        assert end.result is not None
        assert (end.result.outcome, end.result.codes) == (Outcome.FAILED, {"GS-705": 1})
        assert district.waits > 0
        assert district.store.leases() == []
        (told,) = district.history("run ended")
        assert told.fact.data["outcome"] == "failed"
        arrived = dict(district.school.sis.results)
        district.later(15)
        (after,) = district.reconcile().ends
        assert after.result is not None
        assert after.result.outcome is Outcome.COMPLETED
        assert after.result.counts["sent"] == 6 - len(arrived)


def test_a_pass_whose_database_stays_away_says_so_and_the_next_takes_the_run_up(server: Any) -> None:
    with owed(server) as district:
        district.tools = replace(district.tools, lease_seconds=0.5)
        district.at_write(2, server.stop)
        started = server.ensure_postgres_running
        server.ensure_postgres_running = lambda: None
        try:
            with pytest.raises(StoreUnavailable):
                district.reconcile()
        finally:
            del server.ensure_postgres_running
        started()
        district.later(2)
        # What comes now is no test of short leases, and the machine may be busy.
        district.tools = replace(district.tools, lease_seconds=60)
        (end,) = district.reconcile().ends
        assert end.result is not None
        assert (end.result.outcome, end.run.attempt) == (Outcome.COMPLETED, 2)
        assert [run.state for run in district.runs()] == [RunState.ENDED]
        assert "run abandoned" in district.words()
