"""Canvas-format exports: told apart by their columns, judged by Canvas's rules, and carried as they are."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.connectors.canvas_csv import CanvasCsvSource
from gradesync.connectors.canvas_csv.layouts import kind_of
from gradesync.connectors.roster_faults import RosterFilesProblem
from gradesync.connectors.roster_pickup import Picked
from gradesync.connectors.spool import disk_spool
from gradesync.domain.account import Scope
from gradesync.domain.roster import Roster
from gradesync.domain.roster_csv import CanvasFiles
from gradesync.domain.roster_scope import in_scope, school_year
from gradesync.ports import ReadyFiles

TODAY = date(2026, 10, 6)
DEFAULT = Scope()
Texts = dict[str, str]


@dataclass
class There:
    newest: Path

    async def fetch(self) -> Picked:
        return Picked(self.newest)

    async def unchanged(self) -> None:
        return None


def sound() -> Texts:
    """What Genesis exports, with names of its own for the files and columns in another order."""
    return {
        "accounts.csv": "account_id,parent_account_id,name,status\nhs,,High School,active\nms,,Middle School,active\n",
        "terms.csv": (
            "term_id,name,status,start_date,end_date\n"
            "Y27,2026-2027,active,2026-08-20,2027-06-20\nY26,2025-2026,active,2025-08-20,2026-06-20\n"
        ),
        "Kurse.csv": (
            "Course_ID,short_name,long_name,account_id,term_id,status,start_date\n"
            'alg,ALG1,"Algebra, I",hs,Y27,active,\nart,ART,Art,ms,Y27,published,\nold,OLD,Old,hs,Y26,completed,\n'
        ),
        "sections.csv": (
            "section_id,course_id,name,status,integration_id\n"
            "alg-1,alg,Algebra 1,active,x1\nalg-2,alg,Algebra 2,active,\nart-1,art,Art,active,\nold-1,old,Old,active,\n"
            "gone,alg,Gone,deleted,\n"
        ),
        "users.csv": (
            "user_id,login_id,password,first_name,last_name,email,status\n"
            "0042,stu,secret1,Stu,Ng,s@x.example,active\n t1 ,tess,secret2,Tess,Ochoa,,active\n"
            "l1,lee,secret3,Lee,Ro,,deleted\n"
        ),
        "enrollments.csv": (
            "section_id,user_id,role,status,associated_user_id\n"
            "alg-1,0042,student,active,\nalg-2,0042,student,deleted,\nalg-1,t1,Teacher,Active,\nold-1,0042,student,completed,\n"
            "art-1,l1,Hall monitor,inactive,\n"
        ),
        "xlist.csv": "xlist_course_id,section_id,status\nalg,alg-2,active\nalg,old-1,active\n",
        "canvas_observers.csv": "observer_id,student_id,status\nt1,0042,active\nt1,nobody,active\n",
    }


def folder(path: Path, texts: Mapping[str, str]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (path / name).write_bytes(text.encode())
    return path


def carried(
    path: Path, scope: Scope = DEFAULT
) -> tuple[Roster, CanvasFiles, dict[str, list[dict[str, str]]]]:
    """What a run would make of the export: the read, the files, and their rows by kind."""
    source = CanvasCsvSource(There(path))
    assert isinstance(source, ReadyFiles)
    with disk_spool() as spool:
        asyncio.run(source.read_roster(lambda _done, _total: None, spool))
        whole = spool.roster()
        scoped = in_scope(whole, scope, TODAY)
        files = source.canvas_files(scoped, spool.files(source.headers()))
        rows = {}
        for name, file in files.files.items():
            with file.path.open(encoding="utf-8", newline="") as text:
                rows[name.removesuffix(".csv")] = list(csv.DictReader(text))
        return (
            Roster(
                whole.orgs,
                whole.sessions,
                whole.courses,
                tuple(whole.classes),
                tuple(whole.users),
                tuple(whole.enrollments),
            ),
            files,
            rows,
        )


def faults(path: Path) -> list[str]:
    with pytest.raises(RosterFilesProblem) as caught:
        carried(path)
    return [str(one) for one in caught.value.faults]


def test_rows_are_carried_as_they_are_under_the_names_canvas_files_have_here(tmp_path: Path) -> None:
    _, files, rows = carried(folder(tmp_path / "x", sound()), Scope(terms="all"))
    assert sorted(rows) == [
        "accounts",
        "courses",
        "enrollments",
        "sections",
        "terms",
        "user_observers",
        "users",
        "xlists",
    ]
    assert [(r["course_id"], r["long_name"], r["status"]) for r in rows["courses"]] == [
        ("alg", "Algebra, I", "active"),
        ("art", "Art", "published"),
        ("old", "Old", "completed"),
    ]
    assert {r["user_id"] for r in rows["users"]} == {"0042", "t1", "l1"}
    assert (rows["sections"][0]["section_id"], rows["sections"][0]["integration_id"]) == ("alg-1", "x1")
    assert files.section_ids == {"alg-1", "alg-2", "art-1", "old-1"}
    assert files.counts == {kind: len(found) for kind, found in rows.items()}
    assert (files.kept_enrollments, files.open_users) == (3, 2)


def test_what_canvas_clears_when_absent_is_present_and_what_it_keeps_when_absent_stays_absent(
    tmp_path: Path,
) -> None:
    _, _, rows = carried(folder(tmp_path / "x", sound()))
    assert {"start_date", "end_date", "integration_id"} <= rows["sections"][0].keys()
    assert {"start_date", "end_date", "integration_id"} <= rows["terms"][0].keys()
    assert {"start_date", "end_date"} <= rows["enrollments"][0].keys()
    assert "end_date" not in rows["courses"][0], "a date set in Canvas would be cleared"
    assert "integration_id" not in rows["users"][0], "an id set in Canvas would be cleared"


def test_passwords_never_leave_the_export(tmp_path: Path) -> None:
    source = CanvasCsvSource(There(folder(tmp_path / "x", sound())))
    with disk_spool() as spool:
        asyncio.run(source.read_roster(lambda _done, _total: None, spool))
        files = source.canvas_files(spool.roster(), spool.files(source.headers()))
        assert all(b"secret" not in one.path.read_bytes() for one in files.files.values())


def test_people_marked_deleted_are_suspended_and_their_seats_inactive(tmp_path: Path) -> None:
    _, _, rows = carried(folder(tmp_path / "x", sound()))
    assert {r["user_id"]: r["status"] for r in rows["users"]} == {
        "0042": "active",
        "t1": "active",
        "l1": "suspended",
    }
    assert sorted((r["section_id"], r["role"], r["status"]) for r in rows["enrollments"]) == [
        ("alg-1", "student", "active"),
        ("alg-1", "teacher", "active"),
        ("alg-2", "student", "inactive"),
        ("art-1", "Hall monitor", "inactive"),
    ]


def test_a_seat_that_canvas_would_delete_or_complete_by_itself_is_made_inactive(tmp_path: Path) -> None:
    texts = sound()
    put("enrollments.csv", "alg-2,0042,student,deleted", "alg-2,0042,student,deleted_last_completed")(texts)
    _, _, rows = carried(folder(tmp_path / "x", texts))
    assert {row["section_id"]: row["status"] for row in rows["enrollments"]}["alg-2"] == "inactive"


def test_what_is_outside_the_scope_is_not_sent(tmp_path: Path) -> None:
    path = folder(tmp_path / "x", sound())
    _, _, rows = carried(path)
    assert [r["course_id"] for r in rows["courses"]] == ["alg", "art"], "last year's is over"
    assert [r["section_id"] for r in rows["xlists"]] == ["alg-2"]
    _, _, rows = carried(path, Scope(schools=("ms",)))
    assert [r["section_id"] for r in rows["sections"]] == ["art-1"]
    assert [r["user_id"] for r in rows["users"]] == ["l1"]
    assert rows["user_observers"] == []


def test_the_brake_is_given_what_the_rows_say(tmp_path: Path) -> None:
    roster, _, _ = carried(folder(tmp_path / "x", sound()))
    assert [(org.id, org.name) for org in roster.orgs] == [("hs", "High School"), ("ms", "Middle School")]
    assert [
        (one.id, one.school_id, one.term_ids, one.code)
        for one in sorted(roster.classes, key=lambda one: one.id)
    ] == [
        ("alg-1", "hs", ("Y27",), "ALG1"),
        ("alg-2", "hs", ("Y27",), "ALG1"),
        ("art-1", "ms", ("Y27",), "ART"),
        ("old-1", "hs", ("Y26",), "OLD"),
    ]
    assert sorted((user.id, user.enabled) for user in roster.users) == [
        ("0042", True),
        ("l1", False),
        ("t1", True),
    ]
    assert len(roster.enrollments) == 5
    assert school_year(roster, TODAY) == "2027"


def terms(path: Path, first: str, last: str, time_zone: str) -> tuple[date, date]:
    """The first day and the day after the last one of a term with these cells."""
    texts = sound()
    texts["terms.csv"] = f"term_id,name,status,start_date,end_date\nY27,2026-2027,active,{first},{last}\n"
    source = CanvasCsvSource(There(folder(path, texts)), time_zone=time_zone)
    with disk_spool() as spool:
        asyncio.run(source.read_roster(lambda _done, _total: None, spool))
        [session] = spool.roster().sessions
    return session.start, session.end


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-08-20", "2027-06-30"),
        ("2026-08-20T04:00:00Z", "2027-07-01T03:59:59Z"),
        ("2026-08-20T04:00:00Z", "2027-07-01T04:00:00Z"),
        ("2026-08-20T00:00:00-04:00", "2027-06-30T23:59:59-04:00"),
        ("2026-08-20 00:00:00", "2027-06-30 23:59:59"),
    ],
)
def test_a_term_given_in_instants_lasts_the_same_days_in_the_district(
    tmp_path: Path, first: str, last: str
) -> None:
    assert terms(tmp_path / "x", first, last, "America/New_York") == (date(2026, 8, 20), date(2027, 7, 1))


def test_the_same_instants_are_other_days_in_another_zone(tmp_path: Path) -> None:
    found = terms(tmp_path / "x", "2026-08-20T00:00:00Z", "2027-07-01T03:59:59Z", "Pacific/Auckland")
    assert found == (date(2026, 8, 20), date(2027, 7, 2))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("users.csv", "users.csv"),
        ("Genesis-Staff_2026.csv", "Genesis-Staff_2026.csv"),
        ("Ochoa, Tess.csv", "file"),
    ],
)
def test_a_file_in_another_encoding_is_named_unless_its_name_could_be_a_persons(
    tmp_path: Path, name: str, told: str
) -> None:
    texts = sound()
    path = folder(tmp_path / "x", texts)
    (path / "users.csv").unlink()
    (path / name).write_bytes(texts["users.csv"].encode("utf-16"))
    [found] = [one for one in faults(path) if "UTF-8" in one]
    assert found.startswith(told)
    assert "Ochoa" not in found


def test_terms_without_dates_are_in_every_scope(tmp_path: Path) -> None:
    texts = sound()
    texts["terms.csv"] = "term_id,name,status\nY27,2026-2027,active\nY26,2025-2026,active\n"
    _, _, rows = carried(folder(tmp_path / "x", texts))
    assert [r["course_id"] for r in rows["courses"]] == ["alg", "art", "old"]


def test_the_files_name_no_institution() -> None:
    assert asyncio.run(CanvasCsvSource(There(Path())).identity()) == ""


Act = Callable[[Texts], None]


def put(name: str, old: str, new: str) -> Act:
    def act(texts: Texts) -> None:
        assert old in texts[name]
        texts[name] = texts[name].replace(old, new, 1)

    return act


def without(name: str) -> Act:
    return lambda texts: texts.__delitem__(name)


def add(name: str, text: str) -> Act:
    return lambda texts: texts.__setitem__(name, text)


MISTAKES: dict[str, tuple[Act, str]] = {
    "no users": (without("users.csv"), "users.csv: no file of the export has the columns of this kind"),
    "an enrollments file with a name column": (
        put("enrollments.csv", "associated_user_id", "name"),
        "sections.csv (enrollments.csv), row 1, column course_id: the column is missing from the header",
    ),
    "administrators": (
        add("admins.csv", "account_id,user_id,role,status\n,t1,AccountAdmin,active\n"),
        "admins.csv: files of this kind are not carried; take it out of the export",
    ),
    "renamed ids": (
        add("x.csv", "old_id,new_id,type\na,b,user\n"),
        "change_sis_id.csv: files of this kind are not carried; take it out of the export",
    ),
    "a file of no kind": (
        add("aa.csv", "lunch,money\n1,2\n"),
        "file 2 of the export by name: the columns are of no kind that Canvas knows",
    ),
    "no school of a course": (
        put("Kurse.csv", ",account_id", ",account"),
        "courses.csv, row 1, column account_id: the column is missing from the header",
    ),
    "a status nobody knows": (
        put("users.csv", "x.example,active", "x.example,retired"),
        "users.csv, row 2, column status: the cell is none of active, suspended, deleted",
    ),
    "a seat without a section": (
        put("enrollments.csv", "\nalg-1,0042", "\n,0042"),
        "enrollments.csv, row 2, column section_id: the cell is empty and must not be",
    ),
    "a date in another form": (
        put("terms.csv", "2026-08-20", "8/20/2026"),
        "terms.csv, row 2, column start_date: the cell is no date, written like 2026-09-01 or 2026-09-01T06:00:00Z",
    ),
    "a user twice": (
        put("users.csv", "\nl1,", "\n0042,"),
        "users.csv, row 4, column user_id: an earlier row has the same id",
    ),
    "a header and no row": (
        add("enrollments.csv", "section_id,user_id,role,status\n"),
        "enrollments.csv: the file holds a header and no row",
    ),
    "no terms behind their header": (
        add("terms.csv", "term_id,name,status,start_date,end_date\n"),
        "terms.csv: the file holds a header and no row",
    ),
    "a cell of blanks": (
        put("users.csv", "\nl1,lee", "\nl1,  \t"),
        "users.csv, row 4, column login_id: the cell is empty and must not be",
    ),
    "a status of blanks": (
        put("users.csv", "x.example,active", "x.example,  "),
        "users.csv, row 2, column status: the cell is empty and must not be",
    ),
    "somebody in two files of people": (
        add("staff.csv", "login_id,user_id,status\nsam,s9,active\nother,0042,active\n"),
        "users.csv, row 2, column user_id: an earlier row has the same id",
    ),
    "a course in two files of courses": (
        add("more.csv", "course_id,short_name,long_name,account_id,term_id,status\nart,A,A,hs,Y27,active\n"),
        "courses.csv (file 5 of the export by name), row 2, column course_id: an earlier row has the same id",
    ),
    "a row shifted": (
        put("sections.csv", "alg-2,alg,", "alg-2,"),
        "sections.csv, row 3: the row has more or fewer cells than the header",
    ),
    "a fault in a file without values": (
        put("xlist.csv", "alg-2,active", "alg-2,perhaps"),
        "xlists.csv, row 2, column status: the cell is none of active, deleted",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_every_mistake_is_told_by_file_row_and_column(tmp_path: Path, name: str) -> None:
    act, told = MISTAKES[name]
    texts = sound()
    act(texts)
    assert told in faults(folder(tmp_path / "x", texts))


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ("account_id,parent_account_id,user_id", "accounts"),
        ("section_id,course_id,name,user_id", "sections"),
        ("user_id,login_id,existing_user_id", "logins"),
        ("course_id,user_integration_id", "enrollments"),
        ("xlist_course_id,section_id,status", "xlists"),
        ("old_integration_id,account_id,parent_account_id", "change_sis_id"),
        ("group_id,user_id", None),
    ],
)
def test_the_first_kind_in_canvas_order_whose_columns_are_there_is_the_files(
    columns: str, kind: str | None
) -> None:
    assert kind_of(columns.split(",")) == kind


TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=20
)


@settings(deadline=None, max_examples=60)  # each example writes and reads files
@given(st.dictionaries(TEXT, TEXT, min_size=1, max_size=10))
def test_ids_and_names_of_any_letters_reach_canvas_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, people: dict[str, str]
) -> None:
    texts = sound()
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["user_id", "login_id", "full_name", "status"])
    writer.writerows([id, f"l{n}", name, "active"] for n, (id, name) in enumerate(people.items()))
    texts["users.csv"] = out.getvalue()
    _, _, rows = carried(folder(tmp_path_factory.mktemp("x") / "x", texts))
    assert sorted((r["user_id"], r["full_name"]) for r in rows["users"]) == sorted(people.items())


def test_seats_of_one_person_keep_their_order_because_canvas_goes_by_the_last(tmp_path: Path) -> None:
    texts = sound()
    more = "".join(f"alg-1,0042,student,{status},\n" for status in ("inactive", "active", "completed") * 60)
    texts["enrollments.csv"] += more
    _, files, rows = carried(folder(tmp_path / "x", texts))
    mine = [row["status"] for row in rows["enrollments"] if row["user_id"] == "0042"]
    assert mine[-180:] == ["inactive", "active", "completed"] * 60
    assert files.counts["enrollments"] == len(rows["enrollments"])


def test_a_kind_may_come_in_several_files(tmp_path: Path) -> None:
    texts = sound()
    texts["more observers.csv"] = "observer_id,student_id,status,note\nl1,0042,active,x\n"
    texts["staff.csv"] = "user_id,login_id,status,email\ns9,sam,active,sam@x.example\n"
    _, _, rows = carried(folder(tmp_path / "x", texts))
    assert [r["observer_id"] for r in rows["user_observers"]] == ["t1", "l1"]
    assert {r["user_id"]: r["email"] for r in rows["users"]}["s9"] == "sam@x.example"
    texts["staff.csv"] = texts["staff.csv"].replace("active", "here")
    assert faults(folder(tmp_path / "x", texts)) == [
        "users.csv (staff.csv), row 2, column status: the cell is none of active, suspended, deleted"
    ]
