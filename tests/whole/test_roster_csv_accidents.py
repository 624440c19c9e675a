"""The same for exports that arrive as files: damaged ones, empty ones, ones of another form. Nothing is sent, the
message names the place, and an export mended there goes through.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from gradesync.sandbox.server import Sandbox, running
from gradesync.sandbox.sis_export import export_files
from tests.whole.roster_nights import Nights

Files = dict[str, bytes]
FIRST = date(2026, 8, 26)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running(("riverside",), students=60, populated=False, today=FIRST) as sandbox:
        yield sandbox


@pytest.fixture
def nights(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """A district whose export was imported yesterday."""
    nights = Nights(tmp_path, sandbox, monkeypatch, csv=True)
    nights.good_night()
    return nights


def lines(content: bytes) -> list[bytes]:
    return content.splitlines(keepends=True)


def _empty_file(files: Files) -> None:
    files["enrollments.csv"] = b""


def _header_only(files: Files) -> None:
    files["enrollments.csv"] = lines(files["enrollments.csv"])[0]


def _file_missing(files: Files) -> None:
    del files["classes.csv"]


def _wrong_encoding(files: Files) -> None:
    files["users.csv"] = files["users.csv"].decode().encode("latin-1", errors="replace")


def _column_shifted(files: Files) -> None:
    """From row 5 on a cell is missing, so that every later one stands under another column's name."""
    rows = lines(files["enrollments.csv"])
    files["enrollments.csv"] = b"".join([*rows[:4], *(row.replace(b",,,", b",,", 1) for row in rows[4:])])


def _columns_swapped(files: Files) -> None:
    """The header says one order and the rows have another."""
    rows = lines(files["users.csv"])
    rows[0] = rows[0].replace(b"givenName,familyName", b"familyName,givenName")
    files["users.csv"] = b"".join(rows)


def _cut_in_a_row(files: Files) -> None:
    content = files["enrollments.csv"]
    files["enrollments.csv"] = content[: len(content) // 2]


def _dates_of_a_spreadsheet(files: Files) -> None:
    files["enrollments.csv"] = files["enrollments.csv"].replace(b"2027-07-01", b"7/1/2027")


FAULTS: dict[str, tuple[Callable[[Files], None], str]] = {
    "an empty CSV": (_empty_file, "enrollments.csv"),
    "a header and nothing else": (_header_only, ""),
    "a file left out": (_file_missing, "classes.csv"),
    "wrong encoding": (_wrong_encoding, "users.csv"),
    "a column shifted": (_column_shifted, "enrollments.csv"),
    "columns swapped": (_columns_swapped, "users.csv"),
    "cut in the middle of a row": (_cut_in_a_row, ""),
    "dates as a spreadsheet writes them": (_dates_of_a_spreadsheet, "enrollments.csv"),
}
"""Name -> what happens to the files, and the file that the message must name."""


def broken(nights: Nights, spoil: Callable[[Files], None]) -> None:
    """The SIS exports, and something goes wrong on the way."""
    files = export_files(nights.school.sis)
    spoil(files)
    with zipfile.ZipFile(nights.export, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_stops_before_anything_is_sent_and_a_mended_one_goes_through(
    fault: str, nights: Nights
) -> None:
    spoil, named = FAULTS[fault]
    broken(nights, spoil)
    told = nights.stopped_night("GS-6", fresh=False).said
    assert named in told, told
    nights.control("POST", "year", act="admit-student")
    nights.good_night()


def test_every_fault_stands_with_the_run_for_whoever_mends_the_export_tomorrow(nights: Nights) -> None:
    broken(nights, _dates_of_a_spreadsheet)
    nights.stopped_night("GS-610", fresh=False)
    [entry] = json.loads(nights.run("history", "--format", "json", "--last", "1").out)["entries"]
    run_id = entry["run"]
    shown = nights.run("show", run_id).out
    assert "FILE ROWS COLUMN TIMES WHAT" in " ".join(shown.split())
    assert "enrollments.csv" in shown
    assert re.search(r"\d+, \d+, \d+ \.\.\.", shown)
    [fault] = json.loads(nights.run("show", run_id, "--format", "json").out)["run"]["result"]["file_faults"]
    assert (fault["file"], fault["column"], len(fault["rows"])) == ("enrollments.csv", "endDate", 3)
    assert fault["times"] > 100
    assert "7/1/2027" not in shown


def test_a_cut_off_zip_stops_before_anything_is_sent(nights: Nights) -> None:
    content = nights.export.read_bytes()
    nights.export.write_bytes(content[: len(content) * 2 // 3])
    told = nights.stopped_night("GS-6", fresh=False).said
    assert "damaged" in told or "cut off" in told, told
    nights.good_night()


def test_a_zip_bomb_stops_before_anything_is_sent_and_is_never_unpacked(nights: Nights) -> None:
    files = export_files(nights.school.sis)
    with zipfile.ZipFile(nights.export, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            if name != "users.csv":
                archive.writestr(name, content)
        with archive.open("users.csv", "w", force_zip64=True) as entry:
            for _ in range(300):
                entry.write(bytes(1_000_000))
    assert nights.export.stat().st_size < 2_000_000
    nights.stopped_night("GS-6", fresh=False)
    nights.good_night()


def test_an_export_that_did_not_arrive_stops_before_anything_is_sent(nights: Nights) -> None:
    nights.export.unlink()
    nights.stopped_night("GS-611", fresh=False)
    nights.good_night()


@pytest.mark.parametrize("accident", ["half-the-rows", "school-missing", "last-year", "new-person-ids"])
def test_a_well_formed_export_of_the_wrong_things_stops_as_well(accident: str, nights: Nights) -> None:
    nights.control("POST", "accident", name=accident)
    nights.stopped_night("GS-6")
    nights.control("DELETE", "accident")
    nights.good_night()


def test_the_first_weeks_of_a_year_by_files_alone(nights: Nights) -> None:
    for day in (1, 3, 8, 11, 15, 22, 30):
        nights.until(date(2026, 9, day))
        nights.good_night()
    assert nights.sandbox.count(side="sis", method="GET") == 0, "the SIS's service is not asked"
