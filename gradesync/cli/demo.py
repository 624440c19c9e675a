"""`gradesync demo`: a school day of syncs against the sandbox, each step the very command a person would type.

It works in a copy, so neither this tree nor its store is touched, and everything is gone afterwards.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from gradesync.cli.common import Invocation, new_command, tell
from gradesync.cli.sandbox import PORT
from gradesync.errors import GradesyncError, NotFound

ACCOUNTS = ("riverside", "oak-hill", "lakeside")
_START_SECONDS = 30.0


@new_command("demo", "gradesync demo\ngradesync demo --keep     # leaves the copy for a look around")
@click.option("--keep", is_flag=True, help="Leave the copy of the tree, with its store, behind.")
@click.option(
    "--students", type=click.IntRange(20, 5000), default=120, show_default=True, help="Per district."
)
def command(said: Invocation, keep: bool, students: int) -> int:
    """Show a whole day: new students, new grades, a changed mind, and a third pass with nothing left to do.

    Made-up schools on this machine; nothing leaves it. Takes well under two minutes.
    """
    if not all(_account_file(said.root, key) for key in ACCOUNTS):
        raise NotFound(
            f"{said.root.resolve()} has no accounts {', '.join(ACCOUNTS)} for the sandbox",
            hint="run it in gradesync's own tree, or name that with -C",
        )
    folder = Path(tempfile.mkdtemp(prefix="gradesync-demo-"))
    try:
        port = _free_port()
        _copy_tree(said.root, folder, port)
        with _sandbox(folder, port, students):
            return _tell_the_story(_Stage(folder, port))
    finally:
        if keep:
            tell(f"the copy is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _account_file(root: Path, key: str) -> bool:
    return any((root / "schedules").rglob(f"{key}.yaml"))


def _copy_tree(root: Path, folder: Path, port: int) -> None:
    """The files people write, with the sandbox's port; never the store, the key or anything else of the tree."""
    from gradesync.config.scan import tree_text

    names = [
        Path("gradesync.yaml"),
        *(path.relative_to(root) for path in (root / "schedules").rglob("*.y*ml")),
    ]
    for name in names:
        text = tree_text(root, str(name))
        if text is not None:
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text.replace(f"127.0.0.1:{PORT}", f"127.0.0.1:{port}"), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _sandbox(folder: Path, port: int, students: int) -> Iterator[None]:
    """The sandbox as a process of its own, ended with the demo."""
    asked = ["sandbox", "serve", "--port", str(port), "--students", str(students)]
    with (folder / "sandbox.log").open("w") as log:
        serving = subprocess.Popen(_gradesync(folder, *asked), stdout=log, stderr=subprocess.STDOUT)  # noqa: S603 - our own command
        try:
            _wait_for(serving, port)
            yield
        finally:
            serving.terminate()
            try:
                serving.wait(timeout=5)
            except subprocess.TimeoutExpired:
                serving.kill()
                serving.wait()


def _wait_for(serving: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and serving.poll() is None:
        try:
            _ask(port, "GET", "/_sandbox/health")
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise GradesyncError("the sandbox did not start", hint="`gradesync sandbox serve` says why")


def _ask(port: int, method: str, path: str) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path)
        answer = json.loads(connection.getresponse().read())
        assert isinstance(answer, dict)
        return answer
    finally:
        connection.close()


def _gradesync(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gradesync", "-C", str(folder), *arguments]


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where the story plays."""

    folder: Path
    port: int

    def say(self, caption: str, *more: str) -> None:
        """A line for the audience, and lines under it."""
        click.echo()
        click.secho(f"== {caption}", bold=True)
        for line in more:
            click.echo(line)

    def do(self, *arguments: str, fine: Sequence[int] = (0,)) -> None:
        """Run a command as a person would, with its output shown. Raises when it ends otherwise than expected."""
        shown = " ".join(f'"{word}"' if " " in word else word for word in arguments)
        click.secho(f"$ gradesync {shown}", dim=True)
        sys.stdout.flush()
        # The copy keeps its store in its own folder, whatever store this terminal works with otherwise.
        # That folder stays for the demo's time, so that it may run in a CI job, too.
        gone = (
            "GRADESYNC_STORE",
            "CI",
            "GITHUB_ACTIONS",
            "GITLAB_CI",
            "JENKINS_URL",
            "TF_BUILD",
            "BUILDKITE",
            "CIRCLECI",
        )
        env = {name: value for name, value in os.environ.items() if name not in gone}
        code = subprocess.run(_gradesync(self.folder, *arguments), check=False, env=env).returncode  # noqa: S603 - our own command
        if code not in fine:
            raise GradesyncError(
                f"the demo stopped: `gradesync {shown}` ended with exit code {code}",
                hint="its output is above",
            )

    def written(self) -> int:
        """Writes the SIS has seen since the last `forget`: line items and results."""
        return int(_ask(self.port, "GET", "/_sandbox/requests").get("method", {}).get("PUT", 0))

    def forget(self) -> None:
        """Count from zero again."""
        _ask(self.port, "POST", "/_sandbox/requests/forget")


_BEFORE = """\
Three made-up districts, on this machine only. In each, teachers grade in Canvas, and report cards come from the
SIS. gradesync carries rosters (who is in which class) from the SIS to Canvas, and grades back to the SIS, on
schedules kept as files: schedules/riverside.yaml and its neighbours. What follows $ is what you would type."""


def _tell_the_story(stage: _Stage) -> int:
    grades = [f"{key}/grades" for key in ACCOUNTS]
    rosters = [f"{key}/roster-nightly" for key in ACCOUNTS]
    # 3: the made-up teachers left work that needs a person, as real ones do; the report names it.
    worked = (0, 3)

    click.echo(_BEFORE)
    stage.say(
        "1. A pass compares the files with what is recorded (nothing yet), shows the plan and applies it.",
        "   (`gradesync plan` alone would show the same and change nothing.)",
    )
    stage.do("reconcile")
    stage.say("2. New schedules wait for their first slot. We do not, and ask for one run of each.")
    stage.do("request", *rosters, *grades)
    stage.say("3. The next pass: rosters first (new students arrive in Canvas), then grades go to the SIS.")
    stage.do("reconcile", fine=worked)
    click.echo(
        f"-> The SIS counted {stage.written():,} writes. What needs a person was withheld, not guessed."
    )
    stage.say("4. What support sees: every schedule, worst first.")
    stage.do("list")
    stage.say("5. Teachers work: new scores, changed scores, excused students, a renamed assignment.")
    stage.forget()
    stage.do("sandbox", "teach", "--url", f"http://127.0.0.1:{stage.port}")
    stage.do("request", *grades)
    stage.do("reconcile", fine=worked)
    changed = stage.written()
    click.echo(f"-> Only the changes went: the SIS counted {changed:,} writes.")
    stage.say("6. The same again, and nobody has changed anything: nothing is left to do.")
    stage.forget()
    stage.do("request", *grades)
    stage.do("reconcile", fine=worked)
    again = stage.written()
    click.echo(f"-> The SIS counted {again} writes.")
    stage.say("7. Somebody stops a district for the evening. The hold has a name, a reason and an end.")
    stage.do("pause", "oak-hill", "--reason", "SIS upgrade tonight", "--for", "4h")
    stage.do("holds")
    stage.say("8. All of it stands in a history that nobody can change unseen.")
    stage.do("history", "--last", "8")
    stage.do("history", "--verify")
    stage.say(
        "9. The same for those who would rather look than type: a static site. (`demo --keep` leaves it.)"
    )
    stage.do("page", "-o", str(stage.folder / "site"))
    if changed == 0 or again != 0:
        raise GradesyncError(
            f"the demo did not hold its promise: {changed} writes after teaching, {again} after nothing"
        )
    stage.say("That was it. The README shows how to play with it yourself, and how to begin your own tree.")
    return 0
