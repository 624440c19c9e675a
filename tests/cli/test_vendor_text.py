"""What the SIS said in its own words: on a terminal, for whoever asks, and nowhere else."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from gradesync.sandbox import sis_errors
from gradesync.sandbox.server import Sandbox
from tests.cli.conftest import Tree

MARK = "the frobnicator refuses Zebulon Yildiz"


@pytest.fixture
def talking(monkeypatch: pytest.MonkeyPatch) -> None:
    """A SIS that names a student in every refusal, as real ones do."""
    usual = sis_errors.imsx_body

    def body(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return {**usual(*args, **kwargs), "imsx_description": MARK}

    monkeypatch.setattr(sis_errors, "imsx_body", body)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="terminals are POSIX's")
def test_the_words_of_a_refusal_are_shown_on_a_terminal_alone_and_can_be_erased(
    live: Tree, sandbox: Sandbox, talking: None
) -> None:
    live.run("run", "riverside/grades", "--yes", code=None)
    sandbox.schools["riverside"].sis.behaviour.change({"lock_every": 1})
    canvas = sandbox.schools["riverside"].canvas
    for row in [one for one in canvas.submissions.values() if one.score is not None]:
        canvas.grade(row.assignment_id, row.user_id, 6.25)
    said = live.run("run", "riverside/grades", "--verbose", "--yes", code=None).output
    with closing(sqlite3.connect(live.root / ".gradesync" / "store.db")) as raw:
        [(run,)] = raw.execute("SELECT id FROM run ORDER BY created_at DESC, id LIMIT 1").fetchall()
    for more in (["show", run], ["show", run, "--format", "json"], ["history", "--format", "json"]):
        said += live.run(*more).output
    assert "GS-506" in said
    assert MARK not in said
    for form in ("text", "json"):
        answer = live.run("show", run, "--vendor-text", "--format", form, code=64)
        assert "for a terminal" in answer.output
    assert "of a run" in live.run("show", "riverside", "--vendor-text", code=64).output
    code, shown = live.at_a_terminal("show", run, "--vendor-text")
    assert code == 0
    assert "frobnicator" in shown
    assert "may name students" in shown
    entries = json.loads(live.run("history", "--format", "json").stdout)["entries"]
    assert [one["what"] for one in entries].count("vendor text shown") == 1
    with closing(sqlite3.connect(live.root / ".gradesync" / "store.db")) as raw, raw:
        raw.execute("UPDATE run SET ended_at = 0")
    live.run("store", "purge", "--older-than", "26w")
    assert "frobnicator" not in live.at_a_terminal("show", run, "--vendor-text")[1]
