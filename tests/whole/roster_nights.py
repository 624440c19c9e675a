"""Nights of roster imports: the real command and the real store in this process, on the school's own day.

A year of nights cannot wait for a real year, so the one thing that is not real is the date a run takes for today.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from click.testing import CliRunner

from gradesync.cli.main import group
from gradesync.engine import runner
from gradesync.sandbox.server import Sandbox
from tests.whole.harness import ROSTER, Done, Tree, writes
from tests.whole.roster_feeds import EXPORT, Bulk, CanvasFormat, Service, aged
from tests.whole.roster_oracle import CanvasOracle, Rules, canvas_held, difference
from tests.whole.roster_oracle_files import CanvasFilesOracle

ACCOUNT = "riverside"
ID = f"{ACCOUNT}/{ROSTER}"
QUIET = dict.fromkeys(("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"))


class Nights(Tree):
    """A tree whose commands run in this process; the SIS's day is what they take for today.

    `csv`: the roster comes as the zip that the SIS leaves in the tree every night, not over its service; `feed` says in
    full how it comes. `roster` is the account's `roster` policy as it stands in the file, and `rules` the same for the
    judge.
    """

    def __init__(
        self,
        root: Path,
        sandbox: Sandbox,
        monkeypatch: pytest.MonkeyPatch,
        *,
        csv: bool = False,
        feed: Service | None = None,
        roster: str = "",
        profile: str = "genesis",
        rules: Rules | None = None,
    ) -> None:
        self.feed = feed or (Bulk() if csv else Service())
        self.roster, self.profile = roster, profile
        as_files = isinstance(self.feed, CanvasFormat)
        self.oracle = CanvasFilesOracle() if as_files else CanvasOracle(rules)
        super().__init__(root, sandbox, accounts=(ACCOUNT,))
        monkeypatch.setattr(runner, "_today", lambda _now, _account: self.day)
        self.prepare()

    def write_account(self, account: str, *, grades: str = "", points_at: Mapping[str, str] = {}) -> None:
        super().write_account(account, grades=grades, points_at=points_at)
        path = self.root / "schedules" / f"{account}.yaml"
        text = path.read_text(encoding="utf-8")
        text = text.replace("profile: genesis", f"profile: {self.profile}{self.feed.keys}")
        if "integration_id" in self.roster:
            # People known by another number are nothing that grade passback could find.
            text = text.partition("  grades:")[0]
        if self.roster:
            text = text.replace("schedules:", f"roster: {self.roster}\nschedules:", 1)
        path.write_text(text, encoding="utf-8")

    @property
    def school(self) -> Any:
        """The district's two worlds."""
        return self.sandbox.schools[ACCOUNT]

    @property
    def day(self) -> date:
        """The school's day."""
        found: date = self.school.sis.today
        return found

    @property
    def export(self) -> Path:
        """Where the SIS leaves its zip."""
        return self.root / EXPORT

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Done:
        """A command, in this process."""
        result = CliRunner().invoke(group, ["-C", str(self.root), *args], env={**QUIET, **(env or {})})
        return Done(result.exit_code, result.stdout, result.stderr)

    def night(self, *more: str, fresh: bool = True) -> Done:
        """One roster import, now; `fresh`: the SIS has exported before it, where it leaves files."""
        if fresh:
            self.feed.export(self.school.sis, self.root)
        elif self.export.exists():
            # Exported some minutes ago: a file written this moment is left to rest first.
            aged(self.export)
        return self.run("run", ID, "--yes", *more)

    def good_night(self, *more: str) -> Done:
        """An import that must go through; afterwards Canvas holds what it should. Fails with what differs."""
        done = self.night(*more)
        assert done.code == 0, f"{self.day}: {done.said}"
        self.went_through()
        return done

    def went_through(self) -> None:
        """The SIS as it is now was imported: Canvas holds exactly that."""
        self.feed.judge(self.oracle, self.school.sis)
        told = difference(self.oracle.held, canvas_held(self.school.canvas.raw()))
        assert told == "", f"{self.day}:\n{told}"

    def stopped_night(self, code: str, *, fresh: bool = True) -> Done:
        """A run that must stop before anything is sent, by the request log of the sandbox; what it said."""
        before = canvas_held(self.school.canvas.raw())
        self.sandbox.forget_requests()
        done = self.night(fresh=fresh)
        assert done.code == 3, done.said
        assert code in done.said, done.said
        assert writes(self.sandbox) == 0
        assert canvas_held(self.school.canvas.raw()) == before
        return done

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Ask the sandbox's control door."""
        connection = HTTPConnection(urlsplit(self.sandbox.url).netloc, timeout=120)
        try:
            connection.request(method, f"/_sandbox/{path}/{quote(ACCOUNT)}", json.dumps(body))
            answer = connection.getresponse()
            told = json.loads(answer.read())
            assert answer.status == 200, told
            return told
        finally:
            connection.close()

    def until(self, day: date, **options: Any) -> Mapping[str, int]:
        """Let days pass in the SIS; what happened there, by act."""
        done: Mapping[str, int] = self.control("POST", "year", until=day.isoformat(), **options)["done"]
        return done


def run_to_approve(text: str) -> str:
    """The run that a message names in the command it tells people to type; fails when it names none."""
    found = re.search(r"gradesync approve ([0-9a-f]{8,}) --reason", " ".join(text.split()))
    assert found, text
    return found.group(1)
