"""What goes on beside the nights: a store that is lost, an import that is taken back, views closed for a night.
Each is told by its code, and Canvas holds what the SIS says once somebody did what the message asks for.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.roster_nights import Nights, run_to_approve
from tests.whole.roster_oracle import canvas_held


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False) as sandbox:
        yield sandbox


@pytest.fixture
def nights(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A district that was imported yesterday."""
    nights = Nights(tmp_path, sandbox, monkeypatch)
    nights.good_night()
    return nights


def leave(nights: Nights, number: int = 4) -> None:
    """Students leave a class; the SIS purges the enrollments."""
    sis = nights.school.sis
    seats = [
        row for row in sis.rows["enrollments"].values() if row["role"] == "student" and sis.is_current(row)
    ]
    for row in seats[:number]:
        sis.drop_row("enrollments", row["sourcedId"])


def test_a_night_without_enrollments_takes_no_aide_out_of_a_class(nights: Nights) -> None:
    nights.control("POST", "behaviour", roster_views="members")
    nights.stopped_night("GS-602")
    nights.control("POST", "behaviour", roster_views="all")
    nights.control("POST", "year", act="admit-student")
    nights.good_night()


def test_who_left_while_the_store_was_lost_goes_once_somebody_agrees(nights: Nights) -> None:
    leave(nights)
    shutil.rmtree(nights.root / ".gradesync")
    nights.prepare()
    told = nights.night()
    assert told.code == 3
    assert "GS-626" in told.said
    assert nights.night().code == 3, "not forgotten the night after"
    approved = nights.run("approve", run_to_approve(told.said), "--reason", "they left in October")
    assert approved.code == 0, approved.said
    nights.good_night()
    assert "GS-626" not in nights.night().said


def test_an_import_that_is_taken_back_in_canvas_is_told_and_sent_again_once_somebody_agrees(
    nights: Nights,
) -> None:
    leave(nights)
    nights.good_night()
    before = canvas_held(nights.school.canvas.raw())
    take_back(nights)
    assert canvas_held(nights.school.canvas.raw()) != before
    told = nights.stopped_night("GS-625").said
    approved = nights.run("approve", run_to_approve(told), "--reason", "taken back by mistake")
    assert approved.code == 0, approved.said
    nights.good_night()
    nights.good_night()


def take_back(nights: Nights) -> None:
    """An administrator restores what was there before the last import."""
    canvas = nights.school.canvas
    address = urlsplit(nights.sandbox.canvas_url("riverside"))
    path = f"{address.path}/api/v1/accounts/self/sis_imports"
    headers = {"Authorization": f"Bearer {canvas.token}", "User-Agent": "a person"}
    connection = HTTPConnection(address.netloc, timeout=60)
    try:
        connection.request("PUT", f"{path}/{max(canvas.imports)}/restore_states", headers=headers)
        assert connection.getresponse().read()
        state = ""
        while "restored" not in state:
            connection.request("GET", f"{path}/{max(canvas.imports)}", headers=headers)
            state = json.loads(connection.getresponse().read())["workflow_state"]
    finally:
        connection.close()
