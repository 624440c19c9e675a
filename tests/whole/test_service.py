"""`reconcile` as a service, and as one of several jobs of a CI: --loop, --max-time and --shard, by the real command."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gradesync.sandbox.server import running
from tests.whole.harness import GRADES, ROSTER, SECONDS, SOURCES, Judge, Tree, at_request, end_of

ACCOUNTS = ("riverside", "oak-hill", "lakeside")


@pytest.fixture(scope="module")
def tree(folder: Path) -> Iterator[Tree]:
    with running(ACCOUNTS, students=12) as sandbox:
        tree = Tree(folder, sandbox, accounts=ACCOUNTS)
        tree.prepare()
        yield tree


def until(what: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + SECONDS
    while not what():
        assert time.monotonic() < ends_at
        time.sleep(0.1)


def ended(tree: Tree, account: str) -> int:
    return sum(run["state"] == "ended" for run in tree.runs(account))


def test_the_parts_of_several_jobs_cover_every_account_once(tree: Tree) -> None:
    for account in ACCOUNTS:
        tree.make_due(f"{account}/{ROSTER}")
    first = tree.run("reconcile", "--due", "--shard", "1/2")
    after_one = {account for account in ACCOUNTS if ended(tree, account)}
    second = tree.run("reconcile", "--due", "--shard", "2/2")
    # A first import may find seats that only Canvas has, and says so.
    assert {first.code, second.code} <= {0, 3}, first.said + second.said
    assert after_one < set(ACCOUNTS), "one part is not all"
    assert [ended(tree, account) for account in ACCOUNTS] == [1, 1, 1]


def test_a_pass_whose_time_is_up_hands_back_at_a_class_boundary_and_leaves_the_rest(tree: Tree) -> None:
    tree.make_due(f"riverside/{GRADES}")
    tree.sandbox.forget_requests()
    tree.sandbox.front.latency_ms = 500
    done = tree.run("reconcile", "--due", "--account", "riverside", "--max-time", "8s")
    tree.sandbox.front.latency_ms = 0
    assert done.code == 0, done.said
    assert "handed back at a class boundary" in done.said
    [run] = [run for run in tree.runs("riverside") if run["schedule"] == GRADES]
    assert (run["state"], run["abandoned"]) == ("queued", 0)
    done = tree.run("reconcile", "--due", "--account", "riverside", "--max-time", "10m")
    assert done.code in (0, 3), done.said
    assert Judge(tree.sandbox).verdict() == ""
    assert {run["state"] for run in tree.runs("riverside")} == {"ended"}


def test_a_loop_does_what_falls_due_while_it_runs_and_ends_in_order(tree: Tree) -> None:
    process = tree.start("reconcile", "--loop", "--every", "1s")
    before = ended(tree, "oak-hill")
    time.sleep(1)
    tree.make_due(f"oak-hill/{GRADES}")
    until(lambda: ended(tree, "oak-hill") == before + 1)
    process.send_signal(signal.SIGTERM)
    done = end_of(process)
    assert done.code == 0, done.said
    assert done.out.count("Runs\n") == 1, "quiet passes are not told of"
    assert Judge(tree.sandbox, "oak-hill").verdict() == ""


def test_a_loop_goes_on_when_the_files_break_and_when_the_store_is_away(tree: Tree) -> None:
    process = tree.start("reconcile", "--loop", "--every", "1s")
    time.sleep(2)
    file = tree.root / "schedules" / "lakeside.yaml"
    sound = file.read_text()
    file.write_text(sound.replace("time_zone: America/New_York", "time_zone: Nowhere"))
    (tree.root / "gradesync.yaml").rename(tree.root / "away.yaml")
    time.sleep(2)
    (tree.root / "away.yaml").rename(tree.root / "gradesync.yaml")
    before = ended(tree, "lakeside")
    tree.make_due(f"lakeside/{GRADES}")
    until(lambda: ended(tree, "lakeside") == before + 1)
    file.write_text(sound)
    process.send_signal(signal.SIGINT)
    done = end_of(process)
    assert done.code == 0, done.said
    assert done.out.count("lakeside.yaml:3:") <= 2, "a problem that stands is not told each minute"


def test_a_loop_asked_to_end_in_mid_run_hands_it_back(tree: Tree) -> None:
    tree.make_due(f"lakeside/{GRADES}", full=True)
    tree.sandbox.front.latency_ms = 100
    with at_request(tree.sandbox, 5, lambda: None) as reached:
        process = tree.start("reconcile", "--due", "--loop", "--every", "1s")
        assert reached.wait(SECONDS)
    process.send_signal(signal.SIGTERM)
    done = end_of(process)
    tree.sandbox.front.latency_ms = 0
    assert done.code == 0, done.said
    run = tree.runs("lakeside")[-1]
    assert (run["state"], run["abandoned"]) == ("queued", 0)
    assert tree.run("reconcile", "--due").code in (0, 3)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--every", "5s"), "--every belongs to --loop"),
        (("--loop", "--any-commit", "--reason", "x"), "consent is for one pass"),
        (("--enqueue", "--no-syncs"), "exclude each other"),
        (("--shard", "3/2"), "not there"),
        (("--max-time", "soon"), "not a length of time"),
    ],
)
def test_options_that_make_no_sense_together_are_refused(
    options: tuple[str, ...], sentence: str, tree: Tree
) -> None:
    done = tree.run("reconcile", *options)
    assert done.code == 64
    assert sentence in done.err


def test_a_store_without_a_queue_says_what_to_do_instead(tree: Tree) -> None:
    for command in (("worker",), ("reconcile", "--due", "--enqueue")):
        tree.make_due(f"riverside/{GRADES}")
        done = tree.run(*command)
        assert done.code == 1
        assert "PostgreSQL" in done.err
        assert "reconcile --loop" in done.err


def test_workers_without_their_library_say_what_to_install(tree: Tree, tmp_path: Path) -> None:
    # A folder earlier on the path in which the library cannot be imported, as where only the base is installed.
    (tmp_path / "procrastinate.py").write_text("raise ModuleNotFoundError('procrastinate')\n")
    hidden = {"PYTHONPATH": f"{tmp_path}:{SOURCES}"}
    done = tree.run("worker", env=hidden)
    assert done.code == 1
    assert "gradesync[cluster]" in done.err


def test_migrating_prepares_the_queue_for_a_role_that_may_not_make_tables(
    tmp_path: Path, new_database: Callable[[], str]
) -> None:
    with running(("riverside",), students=12) as sandbox:
        tree = Tree(tmp_path, sandbox, store=new_database())
        tree.prepare()
        assert tree.rows("SELECT to_regclass('procrastinate_jobs') IS NULL AS missing") == [{"missing": True}]
        done = tree.run("store", "migrate", "--backed-up")
        assert done.code == 0, done.said
        assert "the queue for workers is prepared" in done.err
        assert tree.rows("SELECT to_regclass('procrastinate_jobs') IS NULL AS missing") == [
            {"missing": False}
        ]
