"""kill -9 at points spread over the whole pass: the next pass leaves what an undisturbed one would have left.

Points are requests seen by the server (the command dies after the request took effect and before its answer) and
moments of the clock (which also hit start-up, decisions and the store's own writes). A killed pass is often killed
again while it recovers.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.teach import teach
from tests.whole.harness import Done, Judge, Tree, at_request, created_twice, end_of, kill

UNDISTURBED = "calm"
FRESH = tuple(f"fresh{number}" for number in range(7))
TEAM = ("team0", "team1")
STUDENTS = 24


@dataclass
class Town:
    """Districts of one sandbox, their accounts in one tree, and what an undisturbed pass costs."""

    sandbox: Sandbox
    tree: Tree
    judges: dict[str, Judge]
    requests: int = 0
    puts: int = 0
    seconds: float = 0.0
    passes: dict[str, int] = field(default_factory=dict)
    killed: int = 0

    def due(self, account: str) -> None:
        """Both schedules of the account."""
        self.tree.all_due(account)
        self.passes[account] = self.passes.get(account, 0) + 1

    def reconcile(self, account: str) -> Done:
        """A pass over one account, to its end."""
        return self.tree.run("reconcile", "--account", account)

    def start(self, account: str) -> subprocess.Popen[str]:
        """A pass over one account that somebody is going to kill."""
        return self.tree.start("reconcile", "--account", account)

    def running(self, account: str) -> list[tuple[str, int]]:
        """(run, attempt) as the store has it while or after the process died."""
        return [(run["id"], run["attempt"]) for run in self.tree.runs(account) if run["state"] == "running"]


@contextmanager
def _town(folder: Path, districts: tuple[str, ...], store: str | None = None) -> Iterator[Town]:
    with running(districts, students=STUDENTS) as sandbox:
        tree = Tree(folder, sandbox, accounts=districts, store=store)
        town = Town(sandbox, tree, {district: Judge(sandbox, district) for district in districts})
        tree.prepare()
        yield town


@pytest.fixture(scope="module")
def town(folder: Path) -> Iterator[Town]:
    with _town(folder, (UNDISTURBED, *FRESH)) as town:
        town.due(UNDISTURBED)
        town.sandbox.forget_requests()
        before = time.monotonic()
        assert town.reconcile(UNDISTURBED).code in (0, 3)
        town.seconds = time.monotonic() - before
        town.requests, town.puts = len(town.sandbox.requests), town.sandbox.count(method="PUT")
        assert town.judges[UNDISTURBED].verdict() == ""
        assert town.puts > 100
        yield town


def _killed_at(town: Town, account: str, number: int, method: str | None = None, path: str = "") -> None:
    """Start a pass and kill it when the server has seen its number-th request that fits."""
    started: list[subprocess.Popen[str]] = []
    with at_request(town.sandbox, max(1, number), lambda: started[0].kill(), method=method, path=path) as hit:
        started.append(town.start(account))
        end_of(started[0])
        town.killed += hit.is_set()


def _killed_after(town: Town, account: str, seconds: float) -> None:
    """Start a pass and kill it when so much time has gone by."""
    process = town.start(account)
    time.sleep(seconds)
    town.killed += process.poll() is None
    kill(process)


def _survives(town: Town, account: str, *kills: Callable[[], None]) -> None:
    """Kill, kill again, let the next pass finish, and look at everything."""
    town.sandbox.forget_requests()
    lost = []
    for one in kills:
        one()
        lost += town.running(account)
    done = town.reconcile(account)
    assert done.code in (0, 3), done.said
    assert town.judges[account].verdict() == ""
    assert created_twice(town.sandbox) == []
    runs = town.tree.runs(account)
    assert {run["state"] for run in runs} == {"ended"}
    assert {run["outcome"] for run in runs} <= {"completed", "warning"}
    assert len({(run["schedule"], run["slot_key"]) for run in runs}) == len(runs)
    assert len(runs) == 2 * town.passes[account], "each slot ran, and ran to its end once"
    told = {entry["run_id"] for entry in town.tree.told("run abandoned")}
    assert {run for run, _ in lost} <= told, "each broken-off attempt stands in the history"


@pytest.mark.parametrize(
    ("account", "first", "second"),
    [
        ("fresh0", 0.03, 0.5),
        ("fresh1", 0.12, 0.08),
        ("fresh2", 0.3, 0.25),
        ("fresh3", 0.55, 0.3),
        ("fresh4", 0.8, 0.1),
    ],
)
def test_a_first_pass_killed_at_any_request_is_finished_by_the_next(
    account: str, first: float, second: float, town: Town
) -> None:
    town.due(account)
    _survives(
        town,
        account,
        lambda: _killed_at(town, account, int(first * town.requests)),
        lambda: _killed_at(town, account, int(second * town.requests)),
    )


def test_a_pass_killed_while_it_reads_the_roster_imports_it_once(town: Town) -> None:
    account = "fresh5"
    town.due(account)
    _survives(
        town,
        account,
        lambda: _killed_at(town, account, 2, path="/users"),
        lambda: _killed_at(town, account, 1, "GET", "/sis_imports"),
    )
    assert _imports(town, account) == 1


def test_a_pass_killed_right_after_its_upload_leaves_canvas_as_the_upload_says(town: Town) -> None:
    account = "fresh6"
    town.due(account)
    _survives(
        town,
        account,
        lambda: _killed_at(town, account, 1, "POST", "/sis_imports"),
        lambda: _killed_at(town, account, 3, "PUT"),
    )
    assert 1 <= _imports(town, account) <= 2
    school = town.sandbox.schools[account]
    logins = {one["sis_user_id"] for one in school.canvas.raw()["logins"]}
    news = {person.sourced_id for person in school.district.people} & school.district.news
    assert news <= logins


def _imports(town: Town, account: str) -> int:
    return sum(r.method == "POST" and r.district == account and "sis_imports" in r.path
               for r in town.sandbox.requests)  # fmt: skip


@pytest.mark.parametrize(("first", "second"), [(0.01, 0.2), (0.3, 0.02), (0.6, 0.35), (0.97, 0.01)])
def test_a_pass_killed_after_any_write_is_finished_by_the_next(
    first: float, second: float, town: Town
) -> None:
    teach(town.sandbox.schools[UNDISTURBED].canvas, seed=int(first * 100), style="regrade-all")
    town.due(UNDISTURBED)
    _survives(
        town,
        UNDISTURBED,
        lambda: _killed_at(town, UNDISTURBED, int(first * town.puts), "PUT"),
        lambda: _killed_at(town, UNDISTURBED, int(second * town.puts), "PUT"),
    )


def test_scores_changed_again_between_kill_and_recovery_are_not_taken_for_edits_by_hand(town: Town) -> None:
    def teach_again() -> None:
        teach(town.sandbox.schools[UNDISTURBED].canvas, seed=5, style="regrade-all")

    teach_again()
    town.due(UNDISTURBED)
    _survives(
        town,
        UNDISTURBED,
        lambda: _killed_at(town, UNDISTURBED, town.puts // 2, "PUT"),
        teach_again,
        lambda: _killed_at(town, UNDISTURBED, town.puts // 3, "PUT"),
        teach_again,
    )
    waiting = f"SELECT count(*) AS rows FROM waiting WHERE account = '{UNDISTURBED}' AND code = 'GS-412'"
    assert town.tree.rows(waiting) == [{"rows": 0}]


@pytest.mark.parametrize(("first", "second"), [(0.4, 0.9), (0.6, 0.75), (0.8, 0.5)])
def test_a_pass_killed_at_any_moment_is_finished_by_the_next(first: float, second: float, town: Town) -> None:
    teach(town.sandbox.schools[UNDISTURBED].canvas, seed=int(first * 100), style="regrade-all")
    town.due(UNDISTURBED)
    _survives(
        town,
        UNDISTURBED,
        lambda: _killed_after(town, UNDISTURBED, first * town.seconds),
        lambda: _killed_after(town, UNDISTURBED, second * town.seconds),
    )


def test_a_run_that_always_kills_its_pass_is_given_up_and_the_next_slot_carries_its_grades(
    town: Town,
) -> None:
    teach(town.sandbox.schools[UNDISTURBED].canvas, seed=7, style="regrade-all")
    town.due(UNDISTURBED)
    for _ in range(3):
        _killed_at(town, UNDISTURBED, 2, "PUT")
    done = town.reconcile(UNDISTURBED)
    assert [run["outcome"] for run in town.tree.runs(UNDISTURBED)][-2:].count("abandoned") == 1, done.said
    town.due(UNDISTURBED)
    assert town.reconcile(UNDISTURBED).code in (0, 3)
    assert town.judges[UNDISTURBED].verdict() == ""


def test_after_all_those_kills_the_history_verifies_and_nothing_is_left_to_do(town: Town) -> None:
    verified = town.tree.run("history", "--verify")
    assert verified.code == 0, verified.said
    for account in (UNDISTURBED, *FRESH):
        town.tree.all_due(account, full=True)
    town.sandbox.forget_requests()
    done = town.tree.run("reconcile")
    assert done.code in (0, 3), done.said
    assert town.sandbox.count(method="PUT") == 0
    assert all(judge.verdict() == "" for judge in town.judges.values())
    # A point beyond the end of a pass kills nothing; most must have hit.
    assert town.killed >= 22


def test_the_same_holds_on_postgresql(tmp_path: Path, new_database: Callable[[], str]) -> None:
    with _town(tmp_path, TEAM, store=new_database()) as town:
        town.due("team0")
        _survives(
            town,
            "team0",
            lambda: _killed_at(town, "team0", 1, "PUT", "/lineItems"),
            lambda: _killed_at(town, "team0", 60, "PUT", "/results"),
        )
        town.due("team1")
        _survives(
            town,
            "team1",
            lambda: _killed_at(town, "team1", 1, "POST", "/sis_imports"),
            lambda: _killed_at(town, "team1", 20, "PUT", "/results"),
        )
        assert town.tree.run("history", "--verify").code == 0
