"""OneRoster CSV exports, whole and as changes: what a sound one becomes."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.connectors.oneroster_csv import OneRosterCsvSource
from gradesync.connectors.oneroster_csv.layouts import IS_DELTA
from gradesync.connectors.roster_faults import RosterFilesProblem
from gradesync.domain.roster import RosterEnrollment, RosterUser
from tests.connectors.exports import Export, export_11, export_12
from tests.connectors.exports_read import There, faults, read


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
        RosterEnrollment("u1", "k1", "teacher", id="e1"),
        RosterEnrollment("u2", "k1", "student", date(2026, 8, 20), date(2027, 1, 20), "e2"),
        RosterEnrollment("u3", "k1", "proctor", date(2026, 9, 3), id="e3"),
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


@settings(deadline=None, max_examples=60)  # each example writes and reads files
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
