"""Every fault of a OneRoster CSV export is told by file, row and column, without telling of anybody."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.connectors.roster_faults import RosterFilesProblem
from tests.connectors.exports import Break, Export, export_11, export_12, written
from tests.connectors.exports_read import faults, read


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
    "not spoken of at all": (
        without_property("file.demographics"),
        "demographics.csv: the manifest does not say whether there is such a file",
    ),
    "a school year that is none": (
        put("academicSessions", 2, "schoolYear", "26/27"),
        "academicSessions.csv, row 2, column schoolYear: the cell is no school year, written as four digits",
    ),
    "a term that ends before it begins": (
        put("academicSessions", 2, "endDate", "1999-07-01"),
        "academicSessions.csv, row 2, column endDate: the last day lies before the first",
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


@pytest.mark.parametrize("blanks", [" ", "\t \t", "\u00a0"])
def test_a_required_cell_of_blanks_is_as_empty_as_one_without(tmp_path: Path, blanks: str) -> None:
    export = export_11()
    export.cell("users", 2, "familyName", blanks)
    export.cell("enrollments", 2, "role", blanks)
    with pytest.raises(RosterFilesProblem) as caught:
        read(export.zip(tmp_path / "x.zip"))
    assert [str(one) for one in caught.value.faults] == [
        "users.csv, row 2, column familyName: the cell is empty and must not be",
        "enrollments.csv, row 2, column role: the cell is empty and must not be",
    ]


# -- any text at all ----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), min_size=1, max_size=30).filter(
    str.strip
)


@settings(deadline=None, max_examples=60)  # each example writes and reads files
@given(st.lists(TEXT, min_size=1, max_size=20, unique=True))
def test_ids_and_names_of_any_letters_arrive_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    export = export_11()
    head, row, *_ = export.files["users"]
    export.files["users"] = [head, *([name, *row[1:8], name, *row[9:]] for name in names)]
    roster = read(export.zip(tmp_path_factory.mktemp("x") / "x.zip"))
    assert [(user.id, user.given_name) for user in roster.users] == [(name, name) for name in names]


@settings(deadline=None, max_examples=60)  # each example writes and reads files
@given(st.binary(max_size=300), st.sampled_from(["users.csv", "manifest.csv", "enrollments.csv"]))
def test_whatever_bytes_a_file_holds_the_read_ends_in_faults_and_not_in_an_error(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str
) -> None:
    export = export_11()
    export.raw[name] = content
    assert faults(export.folder(tmp_path_factory.mktemp("x") / "x"))


@settings(deadline=None, max_examples=60)  # each example writes and reads files
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
