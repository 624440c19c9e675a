"""--verbose tells what happens as sentences with a key; --log-format json tells programs; neither tells of anybody."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from gradesync import events
from gradesync.cli import logs
from gradesync.sandbox.faults import FaultOrder
from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = re.compile(
    r"^\d\d:\d\d:\d\dZ (?:warning: |error: )?(?:[a-z0-9/-]+: )?.+ \((?P<action>[a-z.-]+)\)$"
)


def test_a_verbose_pass_is_told_in_sentences_with_keys_and_a_quiet_one_is_not(live: Tree) -> None:
    live.run("request", "riverside/grades")
    told = live.run("reconcile", "--due", "--verbose", code=None).stderr
    found = [match["action"] for line in told.splitlines() if (match := SENTENCE.match(line))]
    assert found[0] == "pass.begun"
    assert {"run.claimed", "run.stage", "run.ended", "pass.ended"} <= set(found)
    assert set(found) <= set(events.ACTIONS)
    assert re.search(
        r"Z riverside/grades: the run begins \(grade passback, \w+, attempt 1, epoch \d+\)", told
    )
    live.run("request", "riverside/grades")
    quiet = live.run("reconcile", "--due", code=None).stderr
    assert "riverside/grades: " in quiet
    assert not any(SENTENCE.match(line) for line in quiet.splitlines())


def test_with_json_every_line_on_stderr_is_a_record(live: Tree, sandbox: Sandbox) -> None:
    live.run("request", "riverside/grades")
    sandbox.front.faults.orders.append(FaultOrder("throttle", 1, side="canvas", method="GET"))
    answer = live.run("reconcile", "--due", "--log-format", "json", "--format", "json", code=None)
    records = [json.loads(line) for line in answer.stderr.splitlines()]
    assert all({"at", "level", "action", "sentence"} <= set(one) for one in records)
    ended = next(one for one in records if one["action"] == "run.ended")
    assert (ended["account"], ended["schedule"]) == ("riverside", "grades")
    assert re.fullmatch(r"[0-9a-f]{32}", ended["run"])
    assert ended["outcome"]
    assert json.loads(answer.stdout)["kind"] == "pass"
    # A throttled request says host, status and wait, and no query.
    waited = next(one for one in records if one["action"] == "request.throttled")
    assert waited["account"] == "riverside"
    assert waited["host"] == "127.0.0.1"
    assert waited["status"] in (403, 429)
    assert waited["seconds"] > 0
    assert "?" not in answer.stderr
    assert re.match(r"waiting \d+\.\d s, Canvas asked to slow down \(GET on ", waited["sentence"])


def test_an_error_is_a_record_too(tree: Tree) -> None:
    answer = tree.run("--log-format", "json", "show", "nobody", code=1)
    [record] = [json.loads(line) for line in answer.stderr.splitlines()]
    assert (record["action"], record["level"]) == ("command.failed", "error")
    assert record["hint"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--bogus", "--log-format", "json"),
        ("list", "--bogus", "--log-format=json"),
        ("--log-format", "json", "list", "--bogus"),
        ("lst", "--log-format", "json"),
        ("list", "--needs", "nobody", "--log-format", "json"),
        ("show", "--log-format", "json"),
        ("list", "--last", "--log-format", "text", "--log-format", "json"),
    ],
    ids=" ".join,
)
def test_what_is_wrong_with_the_command_line_is_a_record_too(arguments: tuple[str, ...], tree: Tree) -> None:
    answer = tree.run(*arguments, code=64)
    [record] = [json.loads(line) for line in answer.stderr.splitlines()]
    assert (record["action"], record["level"]) == ("command.failed", "error")


@pytest.mark.parametrize(
    "arguments",
    [("list", "--bogus"), ("list", "--bogus", "--log-format", "text"), ("lst", "--", "--log-format", "json")],
    ids=" ".join,
)
def test_nobody_gets_records_who_did_not_ask_for_them(arguments: tuple[str, ...], tree: Tree) -> None:
    assert tree.run(*arguments, code=64).stderr.startswith("error: ")


def test_what_one_command_asked_for_the_next_is_not_given(tree: Tree) -> None:
    tree.run("show", "nobody", "--log-format", "json", code=1)
    assert tree.run("show", "nobody", code=1).stderr.startswith("error: ")


def test_libraries_are_never_quoted(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure()
    for name in (
        "aiohttp.client",
        "sqlalchemy.engine",
        "apprise",
        "asyncssh",
        "procrastinate.worker",
        "asyncio",
    ):
        logging.getLogger(name).error("GET https://x.example/?access_token=SECRET of Ana Ortiz")
    assert capsys.readouterr().err == ""
    logs.configure(verbose=True)
    logging.getLogger("aiohttp.client").error("GET https://x.example/?access_token=SECRET of Ana Ortiz")
    heard = capsys.readouterr().err
    assert "aiohttp.client logged something (error)" in heard
    assert "SECRET" not in heard
    assert "Ortiz" not in heard


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_beside_a_record_is_not_shown(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form=form)
    try:
        raise ValueError("Ana Ortiz got 7")
    except ValueError:
        logging.getLogger("gradesync.somewhere").warning("it broke", exc_info=True)
    heard = capsys.readouterr().err
    assert "it broke" in heard
    assert "Ortiz" not in heard


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_record_is_a_command_to_a_runner_or_a_terminal(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure(form=form)
    events.tell("request.retried", "{host}", host="\x1b[2J\n::set-output name=x::y\n##[error]z")
    heard = capsys.readouterr().err
    assert "\x1b" not in heard
    assert not re.search(r"^\s*::", heard, re.MULTILINE)
    assert heard.count("\n") == 1


def test_records_inside_a_run_say_whose_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(form="json")
    with events.within(account="riverside", schedule="grades", run="r1"):
        events.tell("run.stage", "at {stage}", stage="fetch")
    events.tell("pass.ended", "over", runs=3)
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["account"], first["schedule"], first["run"], first["stage"]) == (
        *("riverside", "grades", "r1"),
        "fetch",
    )
    assert "account" not in second
    assert second["runs"] == 3


def test_every_key_that_is_told_is_known_and_documented() -> None:
    told = set()
    for file in (ROOT / "gradesync").rglob("*.py"):
        text = file.read_text()
        if "gradesync.events import" in text:
            told |= set(re.findall(r"\btell\(\s*\"([a-z]+\.[a-z-]+)\"", text))
            told |= set(re.findall(r"\"(request\.[a-z]+)\"", text))
    assert told, "the search itself must find something"
    assert told <= set(events.ACTIONS)
    page = (ROOT / "docs/terminal.md").read_text()
    described = set(re.findall(r"^\| `([a-z]+(?:\.[a-z-]+)?)` \|", page, re.MULTILINE))
    assert described == set(events.ACTIONS) | CLI_ONLY


CLI_ONLY = {"note", "command.failed", "library", "log", "progress", "run.told"}
"""Keys of lines that are no event: what commands tell a person anyway."""
