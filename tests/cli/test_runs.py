"""Runs through the command line, over real HTTP: names, refusals, interruption, secrecy."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.cli.conftest import DISTRICTS, Tree, writes


def test_a_run_by_hand_carries_grades_and_stands_in_the_history_under_the_persons_name(
    live: Tree, sandbox: Sandbox
) -> None:
    result = live.run("--as", "Ana Ortiz", "run", "riverside/grades", "--format", "json", code=None)
    assert result.exit_code in (0, 3)
    assert json.loads(result.stdout)["version"] == 1
    assert sandbox.count(side="sis", method="PUT", district="riverside") > 0
    assert sandbox.count(side="sis", method="PUT", district="oak-hill") == 0
    entries = json.loads(live.run("history", "riverside/grades", "--format", "json").stdout)["entries"]
    ended = [entry for entry in entries if entry["what"] == "run ended"]
    assert "claims Ana Ortiz" in json.dumps(ended[0])
    run_id = ended[0]["run"]
    assert run_id in live.run("show", run_id).stdout
    assert "verifies" in live.run("history", "--verify").stdout


def test_a_dry_run_sends_and_records_nothing(live: Tree, sandbox: Sandbox) -> None:
    before = live.run("history", "--format", "json").stdout
    live.run("run", "riverside/grades", "--dry-run")
    live.run("run", "riverside/roster-nightly", "--dry-run")
    assert writes(sandbox) == 0
    assert live.run("history", "--format", "json").stdout == before


def test_requested_runs_go_in_the_next_pass_and_a_second_pass_writes_nothing(
    live: Tree, sandbox: Sandbox
) -> None:
    live.run("request", "riverside/roster-nightly", "riverside/grades", "--full")
    report = live.run("reconcile", "--format", "json", code=None)
    assert report.exit_code in (0, 3)
    assert len(json.loads(report.stdout)["runs"]) == 2
    sandbox.forget_requests()
    live.run("request", "riverside/grades", "--full")
    # Nothing is new or worse, so the same withheld records are no alarm any more.
    live.run("reconcile", "--due")
    assert sandbox.count(method="PUT") == 0


def test_a_broken_file_of_one_account_does_not_stop_the_other_nor_its_own_last_good_definition(
    live: Tree, sandbox: Sandbox
) -> None:
    live.run("request", "riverside/grades", "oak-hill/grades")
    live.account("riverside", "account: riverside\nname: [\n")
    live.run("reconcile", code=1)
    for district in DISTRICTS:
        assert sandbox.count(side="sis", method="PUT", district=district) > 0


def test_secrets_and_people_stay_out_of_everything_that_is_printed(live: Tree, sandbox: Sandbox) -> None:
    live.run("request", "riverside/roster-nightly", "riverside/grades")
    printed = "".join(
        live.run(*arguments, code=None).output
        for arguments in (
            ["--verbose", "reconcile"],
            ["list", "--format", "json"],
            ["history", "--format", "json", "--last", "500"],
            ["show", "riverside/grades", "--format", "json"],
            ["--verbose", "run", "riverside/grades", "--dry-run"],
        )
    )
    school = sandbox.schools["riverside"]
    secrets = [school.canvas.token, school.sis.client_id, school.sis.client_secret]
    secrets.append((live.root / ".gradesync" / "key").read_text().strip())
    assert not [secret for secret in secrets if secret in printed]
    people = {word for p in school.district.people for word in (p.sourced_id, p.username) if len(word) > 3}
    assert not [word for word in people if word in printed]


def test_a_missing_secret_is_a_failed_run_that_names_the_reference(live: Tree) -> None:
    (live.root / ".gradesync" / "sandbox" / "riverside" / "sis_secret").unlink()
    result = live.run("run", "riverside/grades", code=3)
    assert "GS-207" in result.output
    assert "sis_secret" in result.output


def test_a_lost_key_stops_before_the_first_read(live: Tree, sandbox: Sandbox) -> None:
    live.run("run", "riverside/grades", code=None)
    key = live.root / ".gradesync" / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    key.unlink()
    sandbox.forget_requests()
    result = live.run("run", "riverside/grades", code=3)
    assert "bring the file back" in result.output
    assert sandbox.requests == []
    assert not key.exists()


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """A district whose answers take long enough to come in between."""
    with running(("riverside", "oak-hill"), students=24, latency_ms=400) as served:
        yield served


@pytest.fixture
def slow_tree(slow: Sandbox, make_tree: Callable[[str], Tree]) -> Tree:
    tree = make_tree(slow.url)
    slow.write_secrets(tree.root / ".gradesync" / "sandbox")
    tree.run("reconcile")
    return tree


def _wait_for_traffic(sandbox: Sandbox) -> None:
    deadline = time.monotonic() + 20
    while not sandbox.requests and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sandbox.requests


def test_a_second_run_is_told_who_works_and_since_when_and_an_interrupt_hands_back(
    slow: Sandbox, slow_tree: Tree
) -> None:
    first = slow_tree.start("run", "riverside/grades", "--yes")
    _wait_for_traffic(slow)
    refused = slow_tree.run("run", "riverside/grades", code=4)
    assert f"process {first.pid}" in refused.stderr
    assert "since" in refused.stderr
    assert "gradesync request riverside/grades" in refused.stderr
    first.send_signal(signal.SIGINT)
    _, said = first.communicate(timeout=20)
    assert first.returncode == 130
    assert "Traceback" not in said
    assert "handed back" in said
    assert "the next pass goes on with them (`gradesync stop ACCOUNT` ends them)" in said
    assert "run interrupted" in slow_tree.run("history", "riverside").stdout
    # The lease is free at once: nobody has to wait for it to run out.
    assert "nobody works" in slow_tree.run("store", "unlock", "riverside", "--reason", "x", code=1).stderr


def test_termination_of_a_pass_ends_it_like_ctrl_c(slow: Sandbox, slow_tree: Tree) -> None:
    slow_tree.run("request", "riverside/grades", "oak-hill/grades")
    going = slow_tree.start("reconcile")
    _wait_for_traffic(slow)
    going.send_signal(signal.SIGTERM)
    _, said = going.communicate(timeout=20)
    assert going.returncode == 130
    assert "Traceback" not in said
    assert "nobody works" in slow_tree.run("store", "unlock", "riverside", "--reason", "x", code=1).stderr


def test_a_class_nobody_has_is_said_and_not_taken_for_a_good_run(live: Tree) -> None:
    live.run("reconcile", "--no-syncs")
    answer = live.run("run", "riverside/grades", "--dry-run", "--class", "nobody-has-this", code=1)
    assert "no class nobody-has-this was met" in answer.stderr


def test_a_roster_import_takes_no_class(live: Tree) -> None:
    live.run("reconcile", "--no-syncs")
    answer = live.run("run", "riverside/roster-nightly", "--class", "x", code=64)
    assert "whole account" in answer.stderr


def test_a_large_run_by_hand_says_how_much_it_would_send_and_waits_for_consent(
    live: Tree, sandbox: Sandbox
) -> None:
    settings = live.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {results_by_hand: 5}\n")
    before = live.run("history", "--format", "json").stdout
    for mode in ([], ["--full"]):
        refused = live.run("run", "riverside/grades", *mode, code=1)
        assert re.search(r"would write [\d,]+ results and \d+ line items in \d+ classes", refused.stderr)
        assert "--yes" in refused.stderr
        assert refused.stdout == ""
    assert sandbox.count(method="PUT") == 0
    assert live.run("history", "--format", "json").stdout == before
    live.run("run", "riverside/grades", "--yes", code=None)
    assert sandbox.count(method="PUT") > 5
    assert "results limit lifted" in live.run("history", "riverside/grades").stdout
    # What is small afterwards needs no consent any more.
    live.run("run", "riverside/grades", "--full", code=3)


@pytest.mark.parametrize(("typed", "sent"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_at_a_terminal_a_large_run_is_asked_about(
    live: Tree, sandbox: Sandbox, typed: str, sent: bool
) -> None:
    settings = live.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {results_by_hand: 5}\n")
    code, shown = live.at_a_terminal("run", "riverside/grades", typed=typed)
    assert "Send them?" in shown
    assert code == (3 if sent else 1)
    assert ("Nothing was sent" in shown) is not sent
    assert "error:" not in shown
    assert (sandbox.count(method="PUT") > 5) is sent


def test_a_scheduled_run_asks_nobody(live: Tree, sandbox: Sandbox) -> None:
    settings = live.root / "gradesync.yaml"
    settings.write_text(settings.read_text() + "safety: {results_by_hand: 1}\n")
    live.run("request", "riverside/grades")
    live.run("reconcile", code=None)
    assert sandbox.count(method="PUT") > 5


@pytest.mark.parametrize("words", [("reconcile",), ("reconcile", "--due"), ("worker",)])
def test_a_missing_key_is_said_at_the_beginning_also_when_nothing_is_due(
    tree: Tree, words: tuple[str, ...]
) -> None:
    tree.run("reconcile", "--no-syncs")
    settings = tree.root / "gradesync.yaml"
    settings.write_text("keys: env:NOT_SET_ANYWHERE\n" + settings.read_text())
    # Files alone are applied without a key.
    assert "GS-207" not in tree.run("reconcile", "--no-syncs").output
    told = tree.run(*words, code=1).stderr
    assert told.startswith(
        "GS-207: no run can do its work: the key of the ledger: nothing is found at env:NOT_SET"
    )
    assert "set the environment variable NOT_SET_ANYWHERE" in told
