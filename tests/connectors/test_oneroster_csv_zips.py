"""Zips that are damaged, dangerous or not packed as they should be."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import pytest

from gradesync.connectors.roster_package import Limits
from tests.connectors.exports import export_11, written
from tests.connectors.exports_read import faults, read


def test_a_zip_cut_off_on_the_way_is_a_fault(tmp_path: Path) -> None:
    path = export_11().zip(tmp_path / "x.zip")
    whole = path.read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 30):
        path.write_bytes(whole[:length])
        assert faults(path) == ["the export: the zip is damaged or cut off; send it again as a whole"]


def test_a_byte_that_changed_on_the_way_is_a_fault(tmp_path: Path) -> None:
    path = export_11().zip(tmp_path / "x.zip", compression=zipfile.ZIP_STORED)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"Algebra I - 3", b"Algebra I - 4", 1))
    assert faults(path) == ["classes.csv: is damaged or cut off; send it again as a whole"]


def test_files_in_a_folder_inside_the_zip_are_a_fault_and_what_a_mac_adds_is_not(tmp_path: Path) -> None:
    path = export_11().zip(tmp_path / "x.zip", prefix="export/")
    assert (
        faults(path)[0]
        == "the export: files lie in a folder inside the zip; they belong at its top level (7 rows)"
    )
    path = export_11().zip(tmp_path / "y.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("__MACOSX/._users.csv", b"x")
        archive.writestr(".DS_Store", b"x")
        archive.writestr("read me.txt", b"x")
    assert len(read(path).users) == 3


def test_a_zip_bomb_is_refused_before_a_byte_of_it_is_unpacked(tmp_path: Path) -> None:
    export = export_11()
    export.raw["demographics.csv"] = b"0" * 2_000_000
    path = export.zip(tmp_path / "x.zip")
    (told, *_) = faults(path, limits=Limits(small=100_000))
    assert told == "the export: the zip would unpack to more than 250 times its size, as no roster does"
    (told, *_) = faults(path, limits=Limits(unpacked=1_000_000))
    assert told == "the export: the zip would unpack to more than 0 MiB"
    (told, *_) = faults(path, limits=Limits(entries=5))
    assert told == "the export: the zip holds more than 5 files"


def test_a_zip_of_countless_files_is_refused_before_its_table_of_contents_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for n in range(200):
            archive.writestr(f"{n:0600d}.csv", b"")
    assert faults(path, limits=Limits(entries=100))[0] == "the export: the zip holds more than 100 files"
    content = bytearray(path.read_bytes())
    content[-14:-10] = struct.pack("<HH", 1, 1)
    path.write_bytes(bytes(content))
    assert faults(path, limits=Limits(entries=100))[0] == "the export: the zip holds more than 100 files"


def test_a_locked_zip_and_two_files_of_one_name_are_faults(tmp_path: Path) -> None:
    path = export_11().zip(tmp_path / "x.zip")
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("users.csv", b"x")
    assert faults(path)[0] == "the export: the zip holds two files of the same name"
    content = bytearray(export_11().zip(path).read_bytes())
    at = content.rindex(b"users.csv") - 46
    content[at + 8] |= 1
    path.write_bytes(bytes(content))
    assert faults(path)[0] == "the export: the zip is locked with a password"


def test_a_table_of_contents_that_lies_about_its_sizes_gets_no_more_than_it_said(tmp_path: Path) -> None:
    export = export_11()
    export.files["users"] += [[f"x{n}", *export.files["users"][1][1:]] for n in range(2000)]
    path = export.zip(tmp_path / "x.zip")
    content = bytearray(path.read_bytes())
    at = content.rindex(b"users.csv") - 46
    assert content[at : at + 4] == b"PK\x01\x02"
    content[at + 24 : at + 28] = struct.pack("<I", 300)
    path.write_bytes(bytes(content))
    assert "users.csv: is damaged or cut off; send it again as a whole" in faults(path)


def test_a_line_without_an_end_is_not_read_into_memory(tmp_path: Path) -> None:
    export = export_11()
    export.raw["users.csv"] = written(export.files["users"]) + b"x" * 3_000_000
    assert (
        "users.csv, row 6: a quote is not closed or stands in the wrong place, or a cell is far too long"
        in faults(export.folder(tmp_path / "x"))
    )
