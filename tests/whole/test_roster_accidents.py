"""Every guard of the roster import tripped by an accident as it happens: nothing is sent, the message says what to
do, and doing exactly that lets the next run through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.harness import writes
from tests.whole.roster_nights import Nights, run_to_approve
from tests.whole.roster_oracle import CanvasOracle, canvas_held

ACCIDENTS = {
    "nothing": "GS-602",
    "no-enrollments": "GS-602",
    "half-the-rows": "GS-60",
    "school-missing": "GS-60",
    "last-year": "GS-60",
    "next-year": "GS-6",
    "new-person-ids": "GS-603",
    "new-class-ids": "GS-603",
    "all-disabled": "GS-60",
    "all-ended": "GS-60",
}
"""Each broken export, and how the code begins that it must stop with."""

MEANT = ("school-missing", "half-the-rows", "all-ended")
"""What may be meant after all: a school was closed, the district was split, all classes ended early."""


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


@pytest.mark.parametrize(("accident", "code"), ACCIDENTS.items())
def test_a_broken_export_stops_before_anything_is_sent_and_a_repaired_one_goes_through(
    accident: str, code: str, nights: Nights
) -> None:
    nights.control("POST", "accident", name=accident)
    nights.stopped_night(code)
    nights.stopped_night(code)
    nights.control("DELETE", "accident")
    nights.control("POST", "year", act="admit-student")
    nights.good_night()


@pytest.mark.parametrize("views", ["all", "classes"])
@pytest.mark.parametrize("total", [True, False], ids=["a total says so", "nothing says so"])
def test_half_the_pages_take_nobody_out_of_a_class(total: bool, views: str, nights: Nights) -> None:
    """Noticed, read another way, or stopped by the brake: whichever it is, Canvas stays as it was."""
    manners = {"half_pages": True, "page_clamp": 20, "total_header": total, "roster_views": views}
    nights.control("POST", "behaviour", **manners)
    before = canvas_held(nights.school.canvas.raw())
    assert nights.night().code in (0, 3)
    assert canvas_held(nights.school.canvas.raw()) == before
    nights.control(
        "POST", "behaviour", half_pages=False, page_clamp=None, total_header=True, roster_views="all"
    )
    nights.control("POST", "year", act="admit-student")
    nights.good_night()


@pytest.mark.parametrize("accident", MEANT)
def test_what_was_meant_after_all_goes_through_once_approved_as_the_message_says(
    accident: str, nights: Nights
) -> None:
    nights.control("POST", "accident", name=accident)
    run_id = run_to_approve(nights.stopped_night("GS-60").said)
    approved = nights.run("approve", run_id, "--reason", "the board decided it")
    assert approved.code == 0, approved.said
    nights.sandbox.forget_requests()
    assert nights.night().code in (0, 3)
    assert writes(nights.sandbox) > 0
    nights.went_through()


@pytest.mark.parametrize(
    ("accident", "kind", "names"),
    [("new-person-ids", "users", ("user",)), ("new-class-ids", "classes", ("course", "section"))],
)
def test_ids_that_are_to_stay_go_through_once_they_were_changed_in_canvas_as_the_message_says(
    accident: str, kind: str, names: tuple[str, ...], nights: Nights
) -> None:
    before = sorted(nights.school.sis.rows[kind])
    nights.control("POST", "accident", name=accident)
    run_id = run_to_approve(nights.stopped_night("GS-603").said)
    assert nights.run("approve", run_id, "--reason", "the SIS was replaced").code == 0
    nights.stopped_night("GS-624")

    after = sorted(nights.school.sis.rows[kind])
    pairs = [(name, old, new) for name in names for old, new in zip(before, after, strict=True)]
    upload(nights, "type,old_id,new_id\n" + "".join(f"{','.join(one)}\n" for one in pairs))
    done = nights.night()
    assert done.code == 0, done.said
    assert "GS-614" in done.said
    nights.oracle = CanvasOracle()
    nights.went_through()
    assert nights.night().code == 0


def upload(nights: Nights, text: str) -> None:
    """A file on Canvas's page for SIS imports, applied."""
    canvas = nights.school.canvas
    address = urlsplit(nights.sandbox.canvas_url("riverside"))
    connection = HTTPConnection(address.netloc, timeout=60)
    path = f"{address.path}/api/v1/accounts/self/sis_imports"
    headers = {
        "Authorization": f"Bearer {canvas.token}",
        "Content-Type": "text/csv",
        "User-Agent": "a person",
    }
    connection.request("POST", f"{path}?extension=csv", text.encode(), headers)
    number = json.loads(connection.getresponse().read())["id"]
    state = ""
    while not state.startswith(("imported", "failed")):
        connection.request("GET", f"{path}/{number}", headers=headers)
        state = json.loads(connection.getresponse().read())["workflow_state"]
    connection.close()
    assert state == "imported"


def test_an_approval_is_for_the_change_set_that_was_shown_and_for_no_other(nights: Nights) -> None:
    nights.control("POST", "accident", name="school-missing")
    run_id = run_to_approve(nights.stopped_night("GS-60").said)
    assert nights.run("approve", run_id, "--reason", "the board decided it").code == 0
    nights.control("POST", "accident", name="half-the-rows")
    nights.stopped_night("GS-60")


def test_an_empty_read_can_be_approved_by_nobody(nights: Nights) -> None:
    nights.control("POST", "accident", name="no-enrollments")
    told = nights.stopped_night("GS-602").said
    assert "gradesync approve" not in told
    newest = nights.runs()[-1]["id"]
    assert nights.run("approve", newest, "--reason", "so be it").code != 0
    nights.stopped_night("GS-602")
