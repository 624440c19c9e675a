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
from tests.whole.harness import ROSTER, Done, Tree
from tests.whole.roster_oracle import CanvasOracle, canvas_held, difference

ACCOUNT = "riverside"
ID = f"{ACCOUNT}/{ROSTER}"
QUIET = dict.fromkeys(("CI", "GITHUB_ACTIONS", "GITLAB_CI", "GITHUB_OUTPUT", "FORCE_COLOR"))


class Nights(Tree):
    """A tree whose commands run in this process; `day` is the day they take for today."""

    def __init__(self, root: Path, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        super().__init__(root, sandbox, accounts=(ACCOUNT,), **options)
        self.oracle = CanvasOracle()
        monkeypatch.setattr(runner, "_today", lambda _now, _account: self.day)
        self.prepare()

    @property
    def school(self) -> Any:
        """The district's two worlds."""
        return self.sandbox.schools[ACCOUNT]

    @property
    def day(self) -> date:
        """The school's day."""
        found: date = self.school.sis.today
        return found

    def run(self, *args: str, env: Mapping[str, str] | None = None) -> Done:
        """A command, in this process."""
        result = CliRunner().invoke(group, ["-C", str(self.root), *args], env={**QUIET, **(env or {})})
        return Done(result.exit_code, result.stdout, result.stderr)

    def night(self, *more: str) -> Done:
        """One roster import, now."""
        return self.run("run", ID, "--yes", *more)

    def good_night(self, *more: str) -> Done:
        """An import that must go through; afterwards Canvas holds what it should. Fails with what differs."""
        done = self.night(*more)
        assert done.code == 0, f"{self.day}: {done.said}"
        self.went_through()
        return done

    def went_through(self) -> None:
        """The SIS as it is now was imported: Canvas holds exactly that."""
        self.oracle.night(self.school.sis.raw())
        told = difference(self.oracle.held, canvas_held(self.school.canvas.raw()))
        assert told == "", f"{self.day}:\n{told}"

    def control(self, method: str, path: str, **body: Any) -> Any:
        """Ask the sandbox's control door."""
        connection = HTTPConnection(urlsplit(self.sandbox.url).netloc, timeout=30)
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


def commands_in(text: str) -> list[list[str]]:
    """Every `gradesync ...` that a message tells people to type, as words; a run's id stands in it already."""
    joined = " ".join(text.split())
    return [found.split() for found in re.findall(r"gradesync ((?:approve|run|compare) [^`'\"\n]*)", joined)]
