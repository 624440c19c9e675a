"""OneRoster CSV exports: what a sound one becomes, and how every fault of one is told without telling of anybody."""

from __future__ import annotations

import asyncio
import re
import struct
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.connectors.oneroster_csv import OneRosterCsvSource
from gradesync.connectors.oneroster_csv.layouts import IS_DELTA
from gradesync.connectors.roster_faults import RosterFilesProblem
from gradesync.connectors.roster_package import Limits
from gradesync.connectors.roster_pickup import Picked
from gradesync.connectors.spool import ListIntake
from gradesync.domain.roster import Roster, RosterEnrollment, RosterUser
from tests.connectors.exports import Break, Export, export_11, export_12, written


@dataclass
class There:
    """A pickup of files that are where they are."""

    newest: Path
    base: Path | None = None
    looks: int = 0

    async def fetch(self) -> Picked:
        return Picked(self.newest, self.base)

    async def unchanged(self) -> None:
        self.looks += 1


def read(
    path: Path, base: Path | None = None, *, guardians: bool = False, limits: Limits | None = None
) -> Roster:
    source = OneRosterCsvSource(There(path, base), guardians=guardians, limits=limits or Limits())
    intake = ListIntake()
    asyncio.run(source.read_roster(lambda _done, _total: None, intake))
    return intake.roster()


def faults(path: Path, base: Path | None = None, limits: Limits | None = None) -> list[str]:
    with pytest.raises(RosterFilesProblem) as caught:
        read(path, base, limits=limits)
    assert caught.value.code == "GS-610"
    return [str(one) for one in caught.value.faults]


@pytest.mark.parametrize("export", [export_11(), export_12()], ids=["1.1", "1.2"])
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_a_sound_export_becomes_the_roster_it_describes(tmp_path: Path, export: Export, form: str) -> None:
    path = export.zip(tmp_path / "x.zip") if form == "zip" else export.folder(tmp_path / "x")
    roster = read(path)
    assert [(org.id, org.kind, org.parent_id) for org in roster.orgs] == [
        ("d1", "district", None),
        ("s1", "school", "d1"),
    ]
    assert [(one.id, one.start, one.end, one.parent_id) for one in roster.sessions] == [
        ("y27", date(2026, 8, 20), date(2027, 6, 20), None),
        ("t1", date(2026, 8, 20), date(2027, 1, 20), "y27"),
    ]
    assert [(one.id, one.title, one.code, one.org_id) for one in roster.courses] == [
        ("c1", "Algebra I", "ALG1", "s1")
    ]
    (only,) = roster.classes
    assert (only.id, only.course_id, only.school_id, only.term_ids) == ("k1", "c1", "s1", ("t1", "y27"))
    assert list(roster.enrollments) == [
        RosterEnrollment("e1", "u1", "k1", "teacher", primary=True),
        RosterEnrollment("e2", "u2", "k1", "student", date(2026, 8, 20), date(2027, 1, 20)),
        RosterEnrollment("e3", "u3", "k1", "proctor", date(2026, 9, 3)),
    ]
    users = {user.id: user for user in roster.users}
    assert list(users) == ["u1", "u2", "u3"], "nobody asked for guardians"
    called = "Stubby" if export.version == "1.2" else ""
    mail = "stu@riverside.example"
    assert users["u2"] == RosterUser(
        "u2", "stu", "Stu, Jr.", 'Ng "Ace"', mail, "student", True, "0042", called, "", ("u4",)
    )
    assert users["u1"].role == "teacher", "whoever teaches is a teacher, even as principal"
    assert not users["u3"].enabled
    assert users["u3"].given_name == "Aída"


@pytest.mark.parametrize("export", [export_11(), export_12()], ids=["1.1", "1.2"])
def test_guardians_come_where_the_account_wants_observers(tmp_path: Path, export: Export) -> None:
    roster = read(export.zip(tmp_path / "x.zip"), guardians=True)
    assert [user.role for user in roster.users if user.id == "u4"] == ["guardian"]


def test_the_identity_is_the_districts_id_and_without_one_that_of_the_roots(tmp_path: Path) -> None:
    def identity(export: Export) -> str:
        path = export.zip(tmp_path / "x.zip")
        return asyncio.run(OneRosterCsvSource(There(path)).identity())

    export = export_11()
    assert identity(export) == "d1"
    export.files["orgs"] = [
        export.files["orgs"][0],
        ["s2", "", "", "B", "school", "", "gone"],
        ["s1", "", "", "A", "school", "", ""],
    ]
    assert identity(export) == "s1+s2"


def test_an_identity_that_cannot_be_had_tells_all_the_faults_of_the_export(tmp_path: Path) -> None:
    export = export_11()
    export.cell("orgs", 2, "type", "kingdom")
    export.cell("enrollments", 3, "beginDate", "20.08.2026")
    with pytest.raises(RosterFilesProblem) as caught:
        asyncio.run(OneRosterCsvSource(There(export.zip(tmp_path / "x.zip"))).identity())
    assert [(one.file, one.rows) for one in caught.value.faults] == [
        ("orgs.csv", (2,)),
        ("enrollments.csv", (3,)),
    ]


def shift(export: Export) -> None:
    row = export.files["enrollments"][2]
    row.insert(3, row.pop())


def without_file(file: str) -> Break:
    return lambda export: export.files.__delitem__(file)


def one_more_column(export: Export) -> None:
    for row in export.files["users"]:
        row.append("x")


def without_last_cell(export: Export) -> None:
    export.files["users"][2].pop()


def without_header(export: Export) -> None:
    export.files["users"].pop(0)


def drop(column: str, file: str) -> Break:
    def act(export: Export) -> None:
        at = export.files[file][0].index(column)
        for row in export.files[file]:
            del row[at]

    return act


def swap(export: Export) -> None:
    header = export.files["users"][0]
    header[8], header[9] = header[9], header[8]


def put(file: str, row: int, column: str, value: str) -> Break:
    return lambda export: export.cell(file, row, column, value)


def mode(file: str, value: str) -> Break:
    return lambda export: export.modes.update({file: value})


def encoded(file: str, encoding: str) -> Break:
    return lambda export: export.raw.update(
        {f"{file}.csv": written(export.files[file]).decode().encode(encoding)}
    )


def only_header(file: str) -> Break:
    return lambda export: export.files.update({file: export.files[file][:1]})


def property_row(*row: str) -> Break:
    def act(export: Export) -> None:
        texts = export.texts()["manifest.csv"].decode().splitlines()
        export.manifest = [line.split(",") for line in texts] + [list(row)]

    return act


def without_property(name: str) -> Break:
    def act(export: Export) -> None:
        texts = export.texts()["manifest.csv"].decode().splitlines()
        export.manifest = [line.split(",") for line in texts if not line.startswith(name)]

    return act


def twice(file: str) -> Break:
    return lambda export: export.files[file].append(list(export.files[file][1]))


def raw(file: str, content: bytes) -> Break:
    return lambda export: export.raw.update({file: content})


def unclosed(export: Export) -> None:
    text = written(export.files["users"]).replace(b'"Ng ""Ace"""', b'"Ng ""Ace""')
    export.raw["users.csv"] = text


MISTAKES: dict[str, tuple[Break, str]] = {
    "no manifest": (
        raw("manifest.csv", b""),
        "manifest.csv: the file has no header row",
    ),
    "a version nobody knows": (
        lambda e: setattr(e, "version", "2.0"),
        "manifest.csv: oneroster.version is neither 1.1 nor 1.2",
    ),
    "another manifest version": (
        lambda e: setattr(
            e,
            "manifest",
            [["propertyName", "value"], ["manifest.version", "9"], ["oneroster.version", "1.1"]],
        ),
        "manifest.csv: manifest.version is not 1.0",
    ),
    "a property twice": (
        property_row("oneroster.version", "1.2"),
        "manifest.csv, row 18, column propertyName: an earlier row names the same property",
    ),
    "a mode nobody knows": (
        mode("users", "most"),
        "users.csv: the manifest says neither absent, bulk nor delta of it",
    ),
    "called absent and there": (
        mode("users", "absent"),
        "users.csv: the manifest calls the file absent, and it is there",
    ),
    "called bulk and not there": (
        mode("demographics", "bulk"),
        "demographics.csv: the manifest names the file, and it is not there",
    ),
    "there and not named": (
        without_property("file.users"),
        "users.csv: the file is there, and the manifest does not name it",
    ),
    "needed and absent": (
        without_file("courses"),
        "courses.csv: the manifest calls the file absent, and a roster needs it",
    ),
    "columns in another order": (
        swap,
        "users.csv, row 1, column givenName: column 9 of the header is not this one",
    ),
    "a column missing": (
        drop("status", "orgs"),
        "orgs.csv, row 1, column status: column 2 of the header is not this one",
    ),
    "the last column missing": (
        drop("endDate", "enrollments"),
        "enrollments.csv, row 1, column endDate: the column is missing from the header",
    ),
    "a column of one's own": (
        one_more_column,
        "users.csv, row 1: behind the standard's columns the header has one that does not begin with metadata.",
    ),
    "a needed cell empty": (
        put("users", 3, "familyName", ""),
        "users.csv, row 3, column familyName: the cell is empty and must not be",
    ),
    "no id": (
        put("classes", 2, "sourcedId", ""),
        "classes.csv, row 2, column sourcedId: the cell is empty and must not be",
    ),
    "a day that does not exist": (
        put("academicSessions", 3, "endDate", "2027-02-29"),
        "academicSessions.csv, row 3, column endDate: the cell is no date of the calendar, written YYYY-MM-DD",
    ),
    "a day in another form": (
        put("enrollments", 3, "beginDate", "8/20/2026"),
        "enrollments.csv, row 3, column beginDate: the cell is no date of the calendar, written YYYY-MM-DD",
    ),
    "a flag in another form": (
        put("enrollments", 2, "primary", "TRUE"),
        "enrollments.csv, row 2, column primary: the cell is neither true nor false",
    ),
    "a flag as a number": (
        put("users", 2, "enabledUser", "1"),
        "users.csv, row 2, column enabledUser: the cell is neither true nor false",
    ),
    "a role nobody knows": (
        put("enrollments", 4, "role", "wizard"),
        "enrollments.csv, row 4, column role: the cell is none of administrator, aide, proctor, student, teacher",
    ),
    "a status in a bulk file": (
        put("users", 2, "status", "tobedeleted"),
        "users.csv, row 2, column status: the cell must be empty in a bulk file",
    ),
    "a line break in a cell": (
        put("classes", 2, "title", "Algebra\r\nI"),
        "classes.csv, row 2: a line break stands inside a cell",
    ),
    "a bare return in a cell": (
        put("classes", 2, "title", "Algebra\rI"),
        "classes.csv, row 2: a line break stands inside a cell",
    ),
    "a quote never closed": (
        unclosed,
        "users.csv, row 3: a quote is not closed or stands in the wrong place, or a cell is far too long",
    ),
    "UTF-16": (encoded("users", "utf-16"), "users.csv, row 1: the file is not written in UTF-8"),
    "UTF-16 without its mark": (
        encoded("orgs", "utf-16-le"),
        "orgs.csv, row 1: the file is not written in UTF-8",
    ),
    "Windows letters": (encoded("users", "cp1250"), "users.csv, row 4: the file is not written in UTF-8"),
    "a header and no row": (
        only_header("enrollments"),
        "enrollments.csv: the file holds a header and no row",
    ),
    "nothing at all": (raw("users.csv", b""), "users.csv: the file has no header row"),
    "an id twice": (twice("users"), "users.csv, row 6, column sourcedId: an earlier row has the same id"),
    "a row cut short": (
        without_last_cell,
        "users.csv, row 3: the row has more or fewer cells than the header",
    ),
    "a row shifted": (
        shift,
        "enrollments.csv, row 3, column role: the cell is none of administrator, aide, proctor, student, teacher",
    ),
    "no header": (
        without_header,
        "users.csv, row 1, column sourcedId: column 1 of the header is not this one",
    ),
    "changes without a base": (
        mode("enrollments", "delta"),
        "the export: the export holds changes only (delta), and no base is named that they count from: export bulk",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.parametrize("form", ["zip", "folder"])
def test_every_mistake_is_told_by_file_row_and_column(tmp_path: Path, name: str, form: str) -> None:
    act, told = MISTAKES[name]
    export = export_11()
    act(export)
    path = export.zip(tmp_path / "x.zip") if form == "zip" else export.folder(tmp_path / "x")
    assert told in faults(path)


@pytest.mark.parametrize("name", MISTAKES)
def test_no_message_tells_anything_that_stands_in_a_cell(tmp_path: Path, name: str) -> None:
    act, _ = MISTAKES[name]
    export = export_11()
    values = {cell for rows in export.files.values() for row in rows[1:] for cell in row if len(cell) > 2}
    words = "true false teacher student aide guardian proctor school district scheduled semester schoolYear"
    act(export)
    with pytest.raises(RosterFilesProblem) as caught:
        read(export.zip(tmp_path / "x.zip"))
    told = f"{caught.value} {caught.value.hint} {caught.value.faults}"
    assert values & set(re.findall(r"[\w@.,-]+", told)) <= set(words.split())
    assert "Ng" not in told


def test_a_mark_at_the_beginning_and_line_ends_of_any_kind_are_no_fault(tmp_path: Path) -> None:
    export = export_11()
    export.raw["users.csv"] = b"\xef\xbb\xbf" + written(export.files["users"]).replace(b"\r\n", b"\n")
    export.raw["courses.csv"] = written(export.files["courses"]).rstrip() + b"\r\n\r\n"
    export.raw["classes.csv"] = written(export.files["classes"]).rstrip()
    export.files["orgs"][0].append("metadata.region")
    for row in export.files["orgs"][1:]:
        row.append("north")
    roster = read(export.zip(tmp_path / "x.zip"))
    assert (len(roster.users), len(roster.classes), len(roster.orgs)) == (3, 1, 2)


def test_all_faults_come_at_once_and_a_column_wrong_everywhere_is_one(tmp_path: Path) -> None:
    export = export_11()
    head, *rows = export.files["enrollments"]
    rows = [[f"e{n}", *rows[0][1:]] for n in range(500)]
    for row in rows:
        row[8] = "soon"
    export.files["enrollments"] = [head, *rows]
    export.cell("users", 2, "enabledUser", "yes")
    with pytest.raises(RosterFilesProblem) as caught:
        read(export.zip(tmp_path / "x.zip"))
    assert caught.value.total == 501
    assert [(one.file, one.rows, one.times) for one in caught.value.faults] == [
        ("users.csv", (2,), 1),
        ("enrollments.csv", (2, 3, 4), 500),
    ]
    assert "has 501 faults" not in str(caught.value)
    assert "The roster files have 501 faults" in str(caught.value)
    assert "(500 rows)" in str(caught.value)


def test_references_that_lead_nowhere_are_left_to_the_mapping(tmp_path: Path) -> None:
    export = export_11()
    export.cell("enrollments", 2, "userSourcedId", "nobody")
    export.cell("classes", 2, "courseSourcedId", "nothing")
    assert len(read(export.zip(tmp_path / "x.zip")).enrollments) == 3


# -- zips ---------------------------------------------------------------------------------------------------------


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


# -- changes ------------------------------------------------------------------------------------------------------

LATER = "2026-10-01T06:00:00Z"


def changes() -> Export:
    """Changes to the export of 1.2: e1 gone, e2 ends earlier, e9 new, u3 renamed; all else as it was."""
    export = export_12()
    head, gone, ended, _ = export.files["enrollments"]
    gone[1:3], ended[1:3], ended[9] = ["tobedeleted", LATER], ["active", LATER], "2026-10-01"
    new = ["e9", "active", LATER, "k1", "s1", "u3", "student", "", "", ""]
    users = [row for row in export.files["users"] if row[0] in ("sourcedId", "u3")]
    users[1][1:3], users[1][7] = ["active", LATER], "Novak"
    return Export(
        "1.2",
        {"enrollments": [head, gone, ended, new], "users": users},
        {"enrollments": "delta", "users": "delta"},
    )


def test_changes_are_laid_over_the_base_the_account_names(tmp_path: Path) -> None:
    base = export_12().zip(tmp_path / "bulk.zip")
    roster = read(changes().zip(tmp_path / "delta.zip"), base)
    assert [(one.id, one.end) for one in roster.enrollments] == [
        ("e2", date(2026, 10, 1)),
        ("e3", None),
        ("e9", None),
    ]
    assert {one.id: (one.family_name, one.role) for one in roster.users} == {
        "u1": ("Ochoa", "teacher"),
        "u2": ('Ng "Ace"', "student"),
        "u3": ("Novak", "aide"),
    }
    assert len(roster.classes) == 1


@given(st.sets(st.sampled_from(["e1", "e2", "e3"])), st.sets(st.sampled_from(["e2", "e3", "e7", "e8"])))
def test_changes_over_a_base_equal_the_whole_export_of_that_day(
    tmp_path_factory: pytest.TempPathFactory, gone: set[str], touched: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("x")
    base = export_12()
    head, *rows = base.files["enrollments"]
    after = {row[0]: row for row in rows if row[0] not in gone}
    for one in sorted(touched):
        after[one] = [one, "", "", "k1", "s1", "u2", "teacher", "", "", "2026-12-01"]
    whole = export_12()
    whole.files["enrollments"] = [head, ["e0", *rows[0][1:]], *after.values()]
    base.files["enrollments"] = [head, ["e0", *rows[0][1:]], *rows]
    deltas = [[one, "tobedeleted", LATER, *rows[0][3:]] for one in sorted(gone - touched)]
    deltas += [[one, "active", LATER, *after[one][3:]] for one in sorted(touched)]
    delta = Export("1.2", {"enrollments": [head, *deltas]}, {"enrollments": "delta"})
    together = read(delta.zip(folder / "d.zip"), base.zip(folder / "b.zip"))
    alone = read(whole.zip(folder / "w.zip"))
    assert sorted(together.enrollments) == sorted(alone.enrollments)
    assert sorted(together.users, key=repr) == sorted(alone.users, key=repr)


def test_changes_over_a_base_that_is_not_whole_or_not_sound_are_refused(tmp_path: Path) -> None:
    delta = changes().zip(tmp_path / "delta.zip")
    assert faults(delta, delta) == ["the export: the base of the changes is not a whole export: export bulk"]
    assert faults(delta, export_11().zip(tmp_path / "old.zip")) == [
        "the export: changes and their base are of different versions of OneRoster: export bulk"
    ]
    broken = export_12()
    broken.cell("users", 3, "enabledUser", "")
    assert faults(delta, broken.zip(tmp_path / "broken.zip")) == [
        "users.csv, row 3, column enabledUser: the cell is empty and must not be"
    ]


def test_a_change_that_does_not_say_what_and_when_is_a_fault(tmp_path: Path) -> None:
    base = export_12().zip(tmp_path / "bulk.zip")
    export = changes()
    export.cell("enrollments", 2, "status", "")
    export.cell("enrollments", 3, "dateLastModified", "2026-10-01 06:00")
    assert faults(export.zip(tmp_path / "delta.zip"), base) == [
        "enrollments.csv, row 2, column status: the cell is neither active nor tobedeleted",
        f"enrollments.csv, row 3, column dateLastModified: {IS_DELTA['dateLastModified'].what}",
    ]


# -- any text at all ----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=30)


@given(st.lists(TEXT, min_size=1, max_size=20, unique=True))
def test_ids_and_names_of_any_letters_arrive_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    export = export_11()
    head, row, *_ = export.files["users"]
    export.files["users"] = [head, *([name, *row[1:8], name, *row[9:]] for name in names)]
    roster = read(export.zip(tmp_path_factory.mktemp("x") / "x.zip"))
    assert [(user.id, user.given_name) for user in roster.users] == [(name, name) for name in names]


@given(st.binary(max_size=300), st.sampled_from(["users.csv", "manifest.csv", "enrollments.csv"]))
def test_whatever_bytes_a_file_holds_the_read_ends_in_faults_and_not_in_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    export = export_11()
    export.raw[name] = content
    assert faults(export.folder(tmp_path_factory.mktemp("x") / "x"))


@given(st.data())
def test_a_sound_export_with_some_bytes_changed_is_read_or_refused_and_never_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    export = export_12()
    name = data.draw(st.sampled_from(sorted(export.texts())))
    content = bytearray(export.texts()[name])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b",", b"\r\n"])
        )
    export.raw[name] = bytes(content)
    with suppress(RosterFilesProblem):
        assert len(read(export.folder(tmp_path_factory.mktemp("x") / "x")).enrollments) == 3


def test_an_export_without_a_manifest_says_so(tmp_path: Path) -> None:
    folder = export_11().folder(tmp_path / "x")
    (folder / "manifest.csv").unlink()
    assert faults(folder) == ["manifest.csv: the file is missing, so nothing says what the others are"]


def test_thousands_of_rows_are_judged_like_few(tmp_path: Path) -> None:
    export = export_11()
    head, row, *_ = export.files["enrollments"]
    export.files["enrollments"] = [head, *([f"e{n}", *row[1:]] for n in range(3000))]
    assert [one.id for one in read(export.zip(tmp_path / "x.zip")).enrollments] == [
        f"e{n}" for n in range(3000)
    ]
    export.cell("enrollments", 2500, "role", "wizard")
    export.cell("enrollments", 2700, "sourcedId", "e7")
    export.cell("enrollments", 2800, "beginDate", "2026-02-30")
    assert [told.partition(":")[0] for told in faults(export.zip(tmp_path / "x.zip"))] == [
        "enrollments.csv, row 2500, column role",
        "enrollments.csv, row 2800, column beginDate",
        "enrollments.csv, row 2700, column sourcedId",
    ]
