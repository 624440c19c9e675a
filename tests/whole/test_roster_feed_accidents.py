"""Exports that go wrong as a whole, for every kind of files: nothing is sent, and the repaired one goes through."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from tests.whole.roster_feeds import BASE, EXPORT, Bulk, CanvasFormat, Delta, Service, aged
from tests.whole.roster_nights import Nights, run_to_approve
from tests.whole.roster_oracle import Rules

FIRST = date(2026, 8, 26)
FEEDS: Mapping[str, Callable[[], Service]] = {
    "oneroster csv 1.2": lambda: Bulk(version="1.2"),
    "changes": Delta,
    "canvas csv": CanvasFormat,
}
ACCIDENTS = {
    "half-the-rows": "GS-60",
    "school-missing": "GS-60",
    "new-person-ids": "GS-603",
    "no-enrollments": "GS-6",
    "all-disabled": "GS-60",
}


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False, today=FIRST) as sandbox:
        yield sandbox


@pytest.mark.parametrize("name", FEEDS)
def test_no_kind_of_files_brings_an_accident_into_canvas(
    name: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nights = Nights(tmp_path, sandbox, monkeypatch, feed=FEEDS[name]())
    nights.good_night()
    for accident, code in ACCIDENTS.items():
        nights.control("POST", "accident", name=accident)
        nights.stopped_night(code)
        nights.control("DELETE", "accident")
        nights.control("POST", "year", act="admit-student")
        nights.good_night()


@pytest.fixture
def nights(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A district that was imported from a whole export, and then from changes to it."""
    nights = Nights(tmp_path, sandbox, monkeypatch, feed=Delta())
    nights.good_night()
    nights.control("POST", "year", act="admit-student")
    nights.good_night()
    return nights


def test_changes_whose_whole_export_is_gone_are_not_taken_for_a_roster(nights: Nights) -> None:
    kept = (nights.root / BASE).read_bytes()
    (nights.root / BASE).unlink()
    nights.stopped_night("GS-6", fresh=False)
    (nights.root / BASE).write_bytes(kept)
    aged(nights.root / BASE, 1200)
    nights.control("POST", "year", act="admit-student")
    nights.good_night()


def test_changes_to_an_export_of_another_version_are_not_put_together(nights: Nights) -> None:
    Bulk(version="1.2").export(nights.school.sis, nights.root)
    (nights.root / EXPORT).replace(nights.root / BASE)
    other = Delta(renew=False, since=nights.feed.since) if isinstance(nights.feed, Delta) else Delta()
    nights.control("POST", "year", act="admit-student")
    other.export(nights.school.sis, nights.root)
    assert "different versions" in nights.stopped_night("GS-610", fresh=False).said
    assert isinstance(nights.feed, Delta)
    nights.feed.renew = True
    nights.good_night()


def test_guardians_who_all_lose_students_at_once_stop_the_run_and_one_who_does_goes_through(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sis = sandbox.schools["riverside"].sis
    students = [row for row in sis.rows["users"].values() if row["role"] == "student"]
    wards = [[sis.reference("user", one["sourcedId"]) for one in students[at::20]] for at in range(20)]
    for number, mine in enumerate(wards):
        made = students[number] | {"sourcedId": f"G{number}", "role": "guardian", "agents": mine}
        sis.put_row("users", made | {"username": f"guardian{number}", "email": f"g{number}@f.example"})
    policy, rules = "{guardians: observers}", Rules(guardians="observers")
    nights = Nights(tmp_path, sandbox, monkeypatch, roster=policy, rules=rules)
    nights.good_night()
    sis.put_row("users", sis.rows["users"]["G0"] | {"agents": wards[0][:1]})
    nights.good_night()
    for number, mine in enumerate(wards):
        sis.put_row("users", sis.rows["users"][f"G{number}"] | {"agents": mine[:1]})
    told = nights.stopped_night("GS-601").said
    assert "guardians' ties to students" in told
    approved = nights.run("approve", run_to_approve(told), "--reason", "the families asked for it")
    assert approved.code == 0, approved.said
    nights.night()
    nights.went_through()
