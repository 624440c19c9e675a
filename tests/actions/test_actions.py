"""Setup, validate, plan, comment and reconcile, each script carried out as GitHub's runner would."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from tests.actions.conftest import git
from tests.actions.running import ROOT, Runner

Job = Callable[..., Runner]

HOSTILE = "$(touch pwned) `touch pwned` \"; touch pwned; \" '; touch pwned; ' & touch pwned #"

PYTHON = """\
#!/usr/bin/env bash
# Stands for Python: notes what it is asked, and makes the environment that it is asked for.
echo "$*" >>"$NOTES"
case "$*" in
  "-c "*) echo 3.12 ;;
  "-m pip cache dir") echo /cache/pip ;;
  "-m venv --clear "*)
    mkdir -p "$4/bin"
    cp "$0" "$4/bin/python"
    printf '#!/bin/sh\\necho 1.2.3\\n' >"$4/bin/gradesync"
    chmod +x "$4/bin/python" "$4/bin/gradesync"
    ;;
esac
"""


def test_setup_installs_the_commit_it_comes_from_with_every_hash_checked(job: Job, tmp_path: Path) -> None:
    # The registry is not asked in tests, so a stand-in notes what Python would have been told.
    stand_in = tmp_path / "bin" / "python"
    stand_in.parent.mkdir()
    stand_in.write_text(PYTHON)
    stand_in.chmod(0o755)
    notes = tmp_path / "notes"
    runner = job(NOTES=str(notes))
    runner.env["PATH"] = f"{stand_in.parent}:{runner.env['PATH']}"
    done = runner.use("setup")
    assert done.code == 0, done.log
    installs = [line for line in notes.read_text().splitlines() if "pip install" in line]
    assert installs == [
        f"-m pip install --quiet --require-hashes -r {ROOT}/requirements/run.txt",
        f"-m pip install --quiet --no-deps --no-build-isolation {ROOT}",
    ]
    assert done.outputs == {"version": "1.2.3"}
    assert done.path == [str(runner.temp / "gradesync" / "bin")]
    [python, cache] = done.used
    assert python[0].startswith("actions/setup-python@")
    assert cache[1]["path"] == "/cache/pip"
    prefix, _, digest = cache[1]["key"].rpartition("-")
    assert (prefix, len(digest)) == ("gradesync-Linux-X64-3.12", 64)


def test_setup_refuses_a_copy_of_itself_without_the_pins(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = job()
    # As if somebody had copied .github/actions into a repository of schedules.
    lonely = runner.temp / "copy" / ".github" / "actions"
    (lonely / "setup").mkdir(parents=True)
    (lonely / "setup" / "action.yml").write_text((ROOT / ".github/actions/setup/action.yml").read_text())
    monkeypatch.setattr("tests.actions.running.ACTIONS", lonely)
    done = runner.use("setup")
    assert done.code == 1
    assert "use it from a full commit of gradesync" in done.log


def test_validate_marks_the_line_and_counts_what_must_be_mended(job: Job, tree: Path) -> None:
    runner = job()
    assert runner.use("validate").outputs == {"problems": "0"}
    path = tree / "schedules" / "riverside.yaml"
    path.write_text(path.read_text().replace("daily at 04:00", "dayly at 04:00"))
    done = runner.use("validate")
    assert (done.code, done.outputs) == (1, {"problems": "1"})
    [command] = done.commands
    assert command.startswith("::error ")
    assert "schedules/riverside.yaml" in command
    assert "GS-" in done.summary


def test_what_a_stranger_writes_into_a_file_stays_a_word(job: Job, tree: Path, tmp_path: Path) -> None:
    (tree / "schedules" / "riverside.yaml").write_text(
        f"account: |\n  ::error::{HOSTILE}\n  ::warning::two\n"
    )
    (tree / "schedules" / "$(touch pwned).yaml").write_text("{")
    done = job().use("validate")
    assert done.code == 1
    assert not list(tmp_path.rglob("pwned"))
    assert all(line.startswith(("::error file=", "::warning file=")) for line in done.commands), done.log


def test_plan_keeps_its_plan_and_says_what_would_change(job: Job, tree: Path) -> None:
    path = tree / "schedules" / "riverside.yaml"
    path.write_text(path.read_text().replace("daily at 04:00", "daily at 05:00"))
    git(tree, "commit", "-q", "-a", "-m", "later")
    runner = job()
    done = runner.use("plan")
    assert done.code == 0, done.log
    wanted = {
        "changes": "true",
        "change": "1",
        "create": "0",
        "retire": "0",
        "unsafe": "false",
        "saved": "true",
    }
    assert {key: done.outputs[key] for key in wanted} == wanted
    [(action, given)] = done.used
    assert action.startswith("actions/upload-artifact@")
    assert given["name"] == "gradesync-plan"
    kept = Path(given["path"])
    assert {one.name for one in kept.iterdir()} == {"plan.json", "plan.md"}
    assert json.loads((kept / "plan.json").read_text())
    assert "05:00" in (kept / "plan.md").read_text()
    assert "05:00" in done.summary


def test_a_plan_that_a_guard_stops_is_for_the_reviewer_to_see_and_not_red(job: Job, tree: Path) -> None:
    for path in (tree / "schedules").glob("*.yaml"):
        path.write_text(path.read_text().partition("schedules:")[0] + "schedules: {}\n")
    done = job().use("plan")
    assert done.code == 0, done.log
    assert (done.outputs["exit-code"], done.outputs["unsafe"], done.outputs["withheld"]) == ("5", "true", "4")
    assert len(done.outputs["digest"]) == 12
    assert any(line.startswith("::warning") for line in done.commands)


def test_a_plan_without_its_store_is_red_and_keeps_nothing(job: Job, tree: Path) -> None:
    settings = tree / "gradesync.yaml"
    settings.write_text("store: env:GRADESYNC_STORE\n" + settings.read_text())
    done = job().use("plan")
    assert done.code == 1
    assert done.outputs["saved"] == "false"
    assert done.used == []
    assert "GRADESYNC_STORE" in done.log


def test_a_pass_tells_later_steps_how_it_ended(job: Job, tree: Path) -> None:
    path = tree / "schedules" / "riverside.yaml"
    path.write_text(path.read_text().replace("daily at 04:00", "daily at 05:00"))
    git(tree, "commit", "-q", "-a", "-m", "later")
    done = job(GITHUB_EVENT_NAME="push", GRADESYNC_KEY="k" * 64).use("reconcile", max_time="10m")
    assert done.code == 0, done.log
    assert (done.outputs["exit-code"], done.outputs["applied"], done.outputs["withheld"]) == ("0", "1", "0")
    assert "05:00" in done.summary


def test_a_pass_without_the_ledgers_key_is_red_also_when_nothing_is_due(job: Job, tree: Path) -> None:
    done = job(GITHUB_EVENT_NAME="schedule").use("reconcile", max_time="10m")
    assert done.code == 1
    assert "nothing is found at env:GRADESYNC_KEY" in done.log
    assert "GS-207" in done.summary


@pytest.mark.parametrize("name", ["validate", "plan", "reconcile"])
def test_a_hostile_folder_is_a_folder_that_is_not_there(name: str, job: Job, tmp_path: Path) -> None:
    done = job().use(name, tree=HOSTILE)
    assert done.code == 64, done.log
    assert not list(tmp_path.rglob("pwned"))


def test_hostile_options_of_a_pass_are_refused(job: Job, tmp_path: Path) -> None:
    runner = job()
    for more in ({"max_time": HOSTILE}, {"fail_on": HOSTILE}):
        assert runner.use("reconcile", **more).code == 64
    assert not list(tmp_path.rglob("pwned"))


def test_a_hostile_pull_request_number_is_refused(job: Job, tmp_path: Path) -> None:
    runner = job()
    (runner.temp / "gradesync-comment").mkdir()
    (runner.temp / "gradesync-comment" / "plan.json").write_text("{}")
    done = runner.use("comment", number=HOSTILE)
    assert done.code == 64, done.log
    assert not list(tmp_path.rglob("pwned"))
    [(action, given)] = done.used
    assert action.startswith("actions/download-artifact@")
    assert given["path"] == str(runner.temp / "gradesync-comment")


def test_without_a_plan_there_is_no_comment_and_no_second_red_job(job: Job) -> None:
    done = job().use("comment", number="7")
    assert done.code == 0, done.log
    assert [line.split("::")[1] for line in done.commands] == ["notice title=No comment"]


class GitHub(BaseHTTPRequestHandler):
    """As much of GitHub as a comment needs: no comment and no label stands there yet."""

    said: ClassVar[list[tuple[str, str, str]]] = []

    def do_GET(self) -> None:
        self._answer({"head": {"sha": "0" * 40}} if "/pulls/" in self.path else [])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.said.append((self.headers["Authorization"], self.path, body))
        self._answer(
            {"id": 1, "html_url": "https://github.com/district/schedules/pull/7#issuecomment-1"}, 201
        )

    def _answer(self, value: object, status: int = 200) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *words: object) -> None:
        """Nothing: the tests' own output is for findings."""


@pytest.fixture
def github() -> Iterator[str]:
    GitHub.said.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_what_the_plan_kept_is_what_the_comment_shows_with_the_rights_of_its_own_job(
    job: Job, tree: Path, github: str, tmp_path: Path
) -> None:
    path = tree / "schedules" / "riverside.yaml"
    path.write_text(path.read_text().replace("daily at 04:00", "daily at 05:00"))
    git(tree, "commit", "-q", "-a", "-m", "later")
    planning = job()
    assert planning.use("plan").outputs["saved"] == "true"
    # Another job on another machine: nothing but the artifact comes with it.
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    commenting = Runner(tmp_path / "comment", elsewhere, {"GITHUB_API_URL": github})
    (planning.temp / "gradesync-plan").rename(commenting.temp / "gradesync-comment")
    done = commenting.use("comment", number="7")
    assert done.code == 0, done.log
    assert not done.commands, done.log
    bodies = {path: body for _, path, body in GitHub.said}
    assert "05:00" in bodies["/repos/district/schedules/issues/7/comments"]
    assert "gradesync/schedule" in bodies["/repos/district/schedules/issues/7/labels"]
    assert {token for token, _, _ in GitHub.said} == {"Bearer token-of-the-job"}
