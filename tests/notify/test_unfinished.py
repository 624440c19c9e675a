"""A pass that does not come to its end: what can be told is told, and its own error and exit code stand."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from gradesync.cli.halting import Halt
from gradesync.cli.main import group
from gradesync.domain.alarm import Message
from gradesync.domain.alarm_rule import AlarmRule
from gradesync.engine import reconcile as passes
from gradesync.errors import NotSent, StalePlan, StoreUnavailable
from gradesync.notify.hurried import Hurried
from tests.notify.conftest import keep
from tests.notify.samples import key_cause, message, raised, rule
from tests.notify.sinks import Hook
from tests.notify.story import letters
from tests.whole.harness import Tree

KEY = ("raised", "key", "GS-201")


def paths(hook: Hook) -> list[str]:
    return [path for _, path, _ in hook.requests]


def ending_with(trouble: BaseException | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Passes that do all their work and then die of this, or hang (None)."""
    real = passes.reconcile

    async def dying(tools: Any, options: Any) -> object:
        await real(tools, options)
        if trouble is None:
            await asyncio.sleep(3600)
        else:
            raise trouble
        return None

    monkeypatch.setattr(passes, "reconcile", dying)


def run(tree: Tree, *args: str) -> Result:
    gone = dict.fromkeys(("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"))
    return CliRunner().invoke(group, ["-C", str(tree.root), "reconcile", *args], env=gone)


@pytest.fixture
def troubled(tree: Tree) -> Tree:
    (tree.root / "secrets" / "riverside" / "canvas_token").write_text("revoked")
    tree.all_due()
    return tree


def test_a_pass_that_dies_tells_what_its_runs_left_and_the_watcher_that_it_died(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(RuntimeError("Ana Ortiz has 12 points"), monkeypatch)
    done = run(troubled, "--due")
    assert (done.exit_code, "should not (RuntimeError)" in done.stderr) == (1, True)
    assert paths(hook) == ["/ping/fail", "/hook/s3cr3t-path"]
    assert letters(hook) == [KEY]
    assert "Ana" not in done.output
    # Told once: the next pass that dies has nothing new to say.
    run(troubled, "--due")
    assert paths(hook) == ["/ping/fail"]


def test_a_pass_over_some_accounts_that_dies_pings_nobody(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(RuntimeError(), monkeypatch)
    run(troubled, "--due", "--account", "riverside")
    assert letters(hook) == [KEY]
    run(troubled, "--due", "--no-notify")
    assert paths(hook) == []


def test_a_pass_that_is_cut_off_tells_too_and_its_exit_code_stands(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(troubled, "--due", "--no-notify")
    before = troubled.rows("SELECT * FROM meta WHERE key = 'passes'")
    monkeypatch.setattr("gradesync.cli.reconcile.Halt", lambda _: Halt(0, grace=0))
    ending_with(None, monkeypatch)
    done = run(troubled, "--due", "--max-time", "1s")
    assert (done.exit_code, "they were cut off" in done.stderr) == (0, True)
    assert paths(hook) == ["/ping/fail", "/hook/s3cr3t-path"]
    assert letters(hook) == [KEY]
    # It came, so passes do not stay away.
    assert troubled.rows("SELECT * FROM meta WHERE key = 'passes'") != before


def test_whoever_ends_a_service_by_hand_sets_off_no_alarm(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Halt(None, grace=0)
    asked.ask()
    monkeypatch.setattr("gradesync.cli.reconcile.Halt", lambda _: asked)
    ending_with(None, monkeypatch)
    assert run(troubled, "--due", "--max-time", "1s").exit_code == 0
    assert paths(hook) == []


def test_a_store_that_is_lost_midway_is_told_to_the_watcher_alone(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending_with(StoreUnavailable("the store is away"), monkeypatch)
    done = run(troubled, "--due")
    assert (done.exit_code, "GS-705: the store is away" in done.stderr) == (1, True)
    assert paths(hook) == ["/ping/fail"]


def test_a_store_that_cannot_be_opened_is_told_to_the_watcher_alone(troubled: Tree, hook: Hook) -> None:
    (Path(troubled.root) / ".gradesync" / "store.db").write_bytes(b"no database" * 1000)
    for args in (["--due"], []):
        done = run(troubled, *args)
        assert (done.exit_code, "GS-705: " in done.stderr) == (1, True)
    assert paths(hook) == ["/ping/fail"] * 2


@pytest.mark.parametrize(
    "second", [RuntimeError("s3cr3t"), StoreUnavailable("away too"), KeyboardInterrupt()]
)
def test_trouble_with_telling_never_hides_the_first_error(
    second: BaseException, troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise second

    ending_with(StalePlan("the plan no longer fits"), monkeypatch)
    monkeypatch.setattr("gradesync.engine.alarms.after_pass", broken)
    done = run(troubled, "--due")
    assert (done.exit_code, "error: the plan no longer fits" in done.stderr) == (6, True)
    assert "alarms were left to the next pass" in done.stderr
    assert "s3cr3t" not in done.output
    assert paths(hook) == ["/ping/fail"]


def test_a_report_nobody_reads_to_its_end_is_a_pass_that_did_its_work(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("gradesync.cli.reconcile.show", closed)
    run(troubled, "--due")
    assert paths(hook) == ["/hook/s3cr3t-path", "/ping"]


def test_a_shard_pings_for_itself_well_or_not(
    troubled: Tree, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(troubled, "ping", hook.url("/ping/{shard}"))
    keep(troubled, "ping_fail", hook.url("/ping/{shard}/fail"))
    run(troubled, "--due", "--shard", "2/2")
    run(troubled, "--due")
    ending_with(RuntimeError(), monkeypatch)
    run(troubled, "--due", "--shard", "1/2")
    assert [path for path in paths(hook) if "ping" in path] == ["/ping/2", "/ping/all", "/ping/1/fail"]


class Inner:
    """A notifier that waits for `go`, or breaks."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.go = threading.Event()
        self.trouble = trouble

    def send(self, rule: AlarmRule, message: Message) -> None:
        self.go.wait(30)
        if self.trouble is not None:
            raise self.trouble

    def ping(self, *, good: bool) -> None:
        """Never hangs."""


def test_a_channel_that_hangs_is_not_waited_for_longer_than_there_is_time() -> None:
    inner = Inner()
    with pytest.raises(NotSent, match="no time left"):
        Hurried(inner, 0).send(rule(), message(raised(key_cause())))
    inner.go.set()
    Hurried(inner, 30).send(rule(), message(raised(key_cause())))
    Hurried(inner, 30).ping(good=False)


@pytest.mark.parametrize(
    ("trouble", "words"), [(NotSent("it answered 404"), "404"), (ValueError("s3cr3t"), "sending broke")]
)
def test_what_a_hurried_channel_says_is_told_without_an_address(trouble: Exception, words: str) -> None:
    inner = Inner(trouble)
    inner.go.set()
    with pytest.raises(NotSent, match=words) as told:
        Hurried(inner, 30).send(rule(), message(raised(key_cause())))
    assert "s3cr3t" not in str(told.value)
