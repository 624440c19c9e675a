"""A run's private place on disk: what is put by comes back whole, only this user can read it, and nothing stays."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import stat
import zipfile
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.connectors.canvas import upload
from gradesync.connectors.private_folder import HELD
from gradesync.connectors.spool import DiskSpool, ListIntake, disk_spool
from gradesync.domain.roster import RosterEnrollment, key_of_enrollment, key_of_user, shard_of, shards
from gradesync.domain.roster_columns import Enrollments, seats_of
from gradesync.domain.roster_csv import csv_text, files_digest, headers
from gradesync.domain.roster_mapping import canvas_files
from tests.domain.roster_samples import TODAY, USUAL, ZONE, files_of, person, sample, seat, text_of

MANY = 3000
TEXT = st.text(st.characters(), max_size=8)
DAYS = st.none() | st.dates()
ROWS = st.builds(RosterEnrollment, TEXT, TEXT, TEXT, DAYS, DAYS, st.just(""))


def in_it(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != HELD]


def test_a_roster_comes_back_as_it_was_put_by_as_often_as_it_is_asked_for(tmp_path: Path) -> None:
    roster = sample(
        users=[person(f"s{n}") for n in range(MANY)],
        enrollments=[
            seat(f"s{n}", begin=date(2026, 9, 1), end=None if n % 2 else TODAY) for n in range(MANY)
        ],
    )
    with disk_spool(tmp_path) as spool:
        spool.orgs(roster.orgs)
        spool.sessions(roster.sessions)
        spool.courses(roster.courses)
        spool.classes(roster.classes)
        for at in range(0, MANY, 100):
            spool.users(list(roster.users)[at : at + 100])
            spool.enrollments(list(roster.enrollments)[at : at + 100])
        kept = spool.roster()
        for _ in range(2):
            assert set(kept.users) == set(roster.users)
            assert set(kept.enrollments) == set(roster.enrollments)
        assert (len(kept.users), len(kept.enrollments)) == (MANY, MANY)
        assert (set(kept.classes), kept.orgs, kept.sessions) == (
            set(roster.classes),
            roster.orgs,
            roster.sessions,
        )
        for number, (users, seats) in enumerate(
            zip(
                shards(kept.users, key_of_user),
                shards(kept.enrollments, key_of_enrollment),
                strict=True,
            )
        ):
            assert {shard_of(u.id) for u in users} | {shard_of(e.user_id) for e in seats} <= {number}


@settings(max_examples=50)
@given(st.lists(ROWS, max_size=40))
def test_any_enrollment_survives_the_disk_by_rows_and_by_columns(rows: list[RosterEnrollment]) -> None:
    with disk_spool() as spool:
        spool.enrollments(rows * 5)
        kept = spool.roster().enrollments
        assert sorted(kept, key=repr) == sorted(rows * 5, key=repr)
        by_columns = [row for part in shards(kept, key_of_enrollment) for row in seats_of(part)]
        assert by_columns == list(kept)
        assert [
            seats_of(part)[at] for part in shards(kept, key_of_enrollment) for at in range(len(part))
        ] == by_columns


def test_what_lies_on_disk_can_be_read_by_this_user_only_and_is_gone_afterwards(tmp_path: Path) -> None:
    with disk_spool(tmp_path) as spool:
        folder = next(tmp_path.iterdir())
        spool.users(person(f"s{n}") for n in range(20_000))
        # The rows lie in a file without a name.
        assert in_it(tmp_path) == []
        canvas_files(sample(), spool.files(headers(USUAL)), USUAL, time_zone=ZONE, today=TODAY)
        assert {stat.S_IMODE(path.stat().st_mode) for path in in_it(tmp_path)} == {0o600}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(tmp_path.iterdir()) == []


def test_nothing_stays_when_a_run_breaks_off(tmp_path: Path) -> None:
    def broken() -> None:
        with disk_spool(tmp_path) as spool:
            spool.files(headers(USUAL)).add("users", [("s1", "l", "", "", "", "active")])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_told_and_not_taken_for_a_short_roster(monkeypatch: pytest.MonkeyPatch) -> None:
    with disk_spool() as spool:
        monkeypatch.setattr(spool._enrollments._file, "_file", ShortFile())
        with pytest.raises(OSError, match="No space left"):
            list(put_by(spool, [seat("s1") for _ in range(200)]))


@pytest.mark.parametrize("form", [list, Enrollments.of, iter])
def test_enrollments_are_kept_alike_in_whatever_form_they_come(
    form: Callable[[list[RosterEnrollment]], Iterable[RosterEnrollment]],
) -> None:
    rows = [seat(f"s{n}", f"K{n % 7}", begin=date(2026, 9, 1 + n % 5)) for n in range(1500)]
    with disk_spool() as spool:
        assert sorted(put_by(spool, form(rows)), key=repr) == sorted(
            [row._replace(id="") for row in rows], key=repr
        )


def put_by(spool: DiskSpool, rows: Iterable[RosterEnrollment]) -> Iterable[RosterEnrollment]:
    spool.enrollments(rows)
    return spool.roster().enrollments


class ShortFile(io.BytesIO):
    """A file on a disk that fills up in the middle of a write."""

    def write(self, content: object) -> int:
        return len(bytes(content)) // 2  # type: ignore[call-overload]  # any buffer has a length


def test_files_on_disk_are_those_in_memory() -> None:
    roster = sample(users=[u._replace(family_name='O"Neil, Jr.') for u in sample().users])
    expected = files_of(roster)
    intake = ListIntake()
    intake.users(roster.users)
    assert intake.roster().users == tuple(roster.users)
    with disk_spool() as spool:
        found = canvas_files(roster, spool.files(headers(USUAL)), USUAL, time_zone=ZONE, today=TODAY)
        assert files_digest(found) == files_digest(expected)
        for name, one in found.files.items():
            content = one.path.read_bytes()
            assert (content.decode(), one.size) == (text_of(expected, name[:-4]), len(content))


CELL = st.text(st.sampled_from(list('ab",\r\n ;\t\x00é')), max_size=4)


@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=6))
def test_rows_are_written_as_the_csv_module_writes_them(rows: list[tuple[str, ...]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(rows)
    assert csv_text(rows) == out.getvalue()


def test_an_upload_has_the_length_it_announces_and_the_same_bytes_at_every_try(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(os.urandom(600_000))
    (tmp_path / "b.csv").write_bytes(b"")

    async def body(form: upload.Form) -> bytes:
        return b"".join([chunk async for chunk in form.chunks()])

    with upload.packed({"b.csv": tmp_path / "b.csv", "a.csv": tmp_path / "a.csv"}) as archive:
        form = upload.form({"extension": "zip"}, archive)
        first, second = asyncio.run(body(form)), asyncio.run(body(form))
    assert first == second
    assert len(first) == form.length
    content = first.split(b"\r\n\r\n", 2)[2].rsplit(b"\r\n--", 1)[0]
    with zipfile.ZipFile(io.BytesIO(content)) as found:
        assert found.namelist() == ["a.csv", "b.csv"]
        assert found.read("a.csv") == (tmp_path / "a.csv").read_bytes()
