"""A pasted table of the vendor's page becomes the schedules it shows; what is not certain becomes a doubt."""

from __future__ import annotations

import csv
import html
import io
from dataclasses import dataclass
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.interval import parse_interval
from gradesync.domain.rails_zones import ZONES
from gradesync.domain.vendor_cells import MOST_CHARACTERS, MOST_ROWS, TableTooLarge
from gradesync.domain.vendor_table import HIDDEN, NoTable, VendorTable, read_table

OLDER = ("Type", "Interval", "First Run", "Next Run", "Time Zone", "Posted By", "Action")
HEADER = "\t".join(OLDER)


@dataclass(frozen=True)
class Shown:
    """A schedule, and how the page shows it."""

    type: str
    interval: str
    first_run: datetime
    zone: str
    posted_by: str
    paused: bool
    words: tuple[str, ...]
    """The cells of the older page, Action included."""


_TYPES = {
    "roster import": ("Roster Sync", "SIS Import", "Rostering", "Roster"),
    "grade passback": ("Grade Sync", "Grades", "Grade Passback", "GRADE-SYNC"),
}
_RAILS = [name for name in ZONES if name.isascii()]


@st.composite
def schedules(draw: st.DrawFn) -> Shown:
    kind = draw(st.sampled_from(sorted(_TYPES)))
    first = draw(
        st.datetimes(datetime.fromisoformat("2025-01-01"), datetime.fromisoformat("2027-12-31"))
    ).replace(second=0, microsecond=0)
    rails = draw(st.sampled_from(_RAILS))
    zone_words = draw(st.sampled_from([rails, ZONES[rails], f"(GMT-05:00) {rails}"]))
    number = draw(st.integers(2, 12))
    day = first.strftime("%a").lower()
    interval, said = draw(
        st.sampled_from(
            [
                (f"daily at {first:%H:%M}", "Daily"),
                (f"daily at {first:%H:%M}", "Every day"),
                (f"hourly at :{first:%M}", "Hourly"),
                (f"every {number} hours", f"{number} hours"),
                (f"every {number * 5} minutes", f"Every {number * 5} minutes"),
                (f"every {number * 5} minutes", f"{number * 5} min"),
                ("every 24 hours", "24 Hours"),
                (f"weekly on {day} at {first:%H:%M}", "Weekly"),
                (f"weekdays at {first:%H:%M}", "Monday - Friday"),
                (f"every {number} days at {first:%H:%M}", f"Every {number} days"),
                ("daily at 05:30", "Daily at 5:30 AM"),
                ("cron 0 2 * * 1-5", "cron 0 2 * * 1-5"),
                ("every 2 weeks on mon,thu at 06:30", "every 2 weeks on mon,thu at 06:30"),
            ]
        )
    )
    dates = (f"{first:%m/%d/%Y %I:%M %p}", f"{first:%b %d, %Y} at {first:%I:%M%p}", f"{first:%Y-%m-%d %H:%M}")
    shown = draw(st.sampled_from(dates))
    login = draw(st.sampled_from(["sis-admin", "4711", "j.doe", "jdoe@riverside.example", ""]))
    paused = draw(st.booleans())
    words = (
        draw(st.sampled_from(_TYPES[kind])), said, shown, "" if paused else "11/30/2026 2:00 AM",
        zone_words, login, "Run Now",
    )  # fmt: skip
    return Shown(kind, interval, first, ZONES[rails], login, paused, words)


def tabbed(rows: list[tuple[str, ...]]) -> str:
    return "Grade Sync Schedules\nPause All\n" + "\n".join("\t".join(row) for row in rows) + "\n"


def comma_separated(rows: list[tuple[str, ...]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def as_html(rows: list[tuple[str, ...]]) -> str:
    head, *rest = ["".join(f"<td class=x>{html.escape(cell)}</td>" for cell in row) for row in rows]
    body = "".join(f"<tr>{row}</tr>\n" for row in rest)
    return f"<style>td {{}}</style><p>Schedules</p><TABLE><tr>{head}</tr>{body}</TABLE><script>var a='<td>';</script>"


def aligned(rows: list[tuple[str, ...]]) -> str:
    widths = [max(len(row[column]) for row in rows) + 2 for column in range(len(rows[0]))]
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


@given(
    st.lists(schedules(), min_size=1, max_size=6),
    st.sampled_from([tabbed, comma_separated, as_html, aligned]),
)
def test_schedules_rendered_as_a_table_are_read_back_as_they_were(shown: list[Shown], render: object) -> None:
    assert callable(render)
    table = read_table(render([OLDER, *(one.words for one in shown)]))
    assert table.doubts == ()
    assert len(table.schedules) == len(shown) == len({one.name for one in table.schedules})
    for got, meant in zip(table.schedules, shown, strict=True):
        assert got.usable
        assert got.fields["type"] == meant.type
        assert got.fields["time_zone"] == meant.zone
        assert got.fields.get("posted_by", "") == meant.posted_by
        assert got.fields.get("state") == ("paused" if meant.paused else None)
        first = f"{meant.first_run:%Y-%m-%d %H:%M}"
        assert got.fields["first_run"] == first
        read = parse_interval(got.fields["interval"], meant.zone, first)
        assert read.canonical == parse_interval(meant.interval, meant.zone, first).canonical


_BITS = ["<td>", "<tr", "</table", "&#x41;", "\t", "Type", ",", '"', "\x00", "\n", "Interval", "Next Run"]


@given(st.text(max_size=400) | st.lists(st.sampled_from(_BITS), max_size=80).map("".join))
def test_whatever_is_pasted_is_a_table_or_said_to_be_none(text: str) -> None:
    try:
        table = read_table(text)
    except (NoTable, TableTooLarge):
        return
    assert isinstance(table, VendorTable)


def test_the_newer_page_with_hours_and_a_status_is_read() -> None:
    text = (
        "Type\tHour of Day\tNext Run\tTime Zone\tStatus\tPosted By\tLast Run\n"
        "Rosters\t2:00 AM\tNov 24, 2026 2:00 AM EST\tEastern Time (US & Canada)\tEnabled\tsis-admin\tNov 23, 2026\n"
        "Grades\t14\t\tAmerica/Chicago\tSuspended\tJane Doe\t\n"
    )
    first, second = read_table(text).schedules
    assert first.fields["interval"] == "daily at 02:00"
    assert "state" not in first.fields
    assert second.fields["interval"] == "daily at 14:00"
    assert second.fields["state"] == "paused"
    (doubt,) = second.doubts
    assert (doubt.row, doubt.column, doubt.shown) == (3, "Posted By", HIDDEN)
    assert "Jane" not in str(doubt)


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        (("Attendance", "Daily", "9/1/2026 2:00 AM", "", "Hawaii", ""), "Type"),
        (("Grade and Roster sync", "Daily", "9/1/2026 2:00 AM", "", "Hawaii", ""), "Type"),
        (("Grades", "Twice a day", "9/1/2026 2:00 AM", "", "Hawaii", ""), "Interval"),
        (("Grades", "Every 15 minutes", "", "", "Hawaii", ""), "Interval"),
        (("Grades", "Every 15 minutes", "Sep 1 at 7am", "", "Hawaii", ""), "Interval"),
        (("Grades", "Monthly", "8/31/2026 2:00 AM", "", "Hawaii", ""), "Interval"),
        (("Grades", "Daily", "9/1/2026 2:00 AM", "", "EST", ""), "Time Zone"),
        (("Grades", "Daily", "9/1/2026 2:00 AM", "", "", ""), "Time Zone"),
        (("Grades", "9000 days", "9/1/2026 2:00 AM", "", "Hawaii", ""), "Interval"),
    ],
)
def test_what_is_not_certain_is_a_doubt_with_its_place_and_the_schedule_is_not_used(
    cells: tuple[str, ...], column: str
) -> None:
    (one,) = read_table("\t".join(OLDER) + "\n" + "\t".join(cells)).schedules
    assert not one.usable
    assert column in {doubt.column for doubt in one.doubts}
    assert {doubt.row for doubt in one.doubts} == {2}


@pytest.mark.parametrize(
    ("cells", "columns", "kept"),
    [
        (
            ("Grade Sync", "Twice a day", "9/1/2026 7:00 AM", "", "EST", "jsmith"),
            ["Time Zone", "Interval"],
            {"type": "grade passback", "first_run": "2026-09-01 07:00", "posted_by": "jsmith"},
        ),
        (
            ("Attendance", "Daily", "9/1/2026 7:00 AM", "", "EST", "jsmith"),
            ["Type", "Time Zone"],
            {"interval": "daily at 07:00", "first_run": "2026-09-01 07:00", "posted_by": "jsmith"},
        ),
        (
            ("Grade Sync", "Every 15 minutes", "2026-09-01T07:00:00-04:00", "", "EST", ""),
            ["Time Zone", "First Run", "Interval"],
            {"type": "grade passback"},
        ),
    ],
)
def test_a_doubt_about_one_cell_does_not_end_the_reading_of_the_row(
    cells: tuple[str, ...], columns: list[str], kept: dict[str, str]
) -> None:
    (one,) = read_table("\t".join(OLDER) + "\n" + "\t".join(cells)).schedules
    assert not one.usable
    assert [doubt.column for doubt in one.doubts] == columns
    assert {key: text for key, text in one.fields.items() if key not in ("state", "reason")} == kept
    assert one.cells["Interval"] == cells[1]
    assert one.cells["Time Zone"] == "EST"


@pytest.mark.parametrize(
    ("hours", "interval"),
    [
        ("6 AM, 12 PM, 6 PM", "daily at 06:00,12:00,18:00"),
        ("6:30 PM and 6:30 AM", "daily at 06:30,18:30"),
        ("06:00/18:00", "daily at 06:00,18:00"),
        ("2; 2; 14", "daily at 02:00,14:00"),
    ],
)
def test_a_list_of_hours_is_read_as_one_interval(hours: str, interval: str) -> None:
    text = f"Type\tHour of Day\tNext Run\tTime Zone\nGrades\t{hours}\t\tHawaii"
    (one,) = read_table(text).schedules
    assert (one.usable, one.fields["interval"]) == (True, interval)


@pytest.mark.parametrize("hours", ["6, 12, 6 PM", "6 AM, noon", "6 AM to 6 PM", ",", ",".join(["1"] * 25)])
def test_hours_with_more_than_one_meaning_are_a_doubt(hours: str) -> None:
    (one,) = read_table(f"Type\tHour of Day\tNext Run\tTime Zone\nGrades\t{hours}\t\tHawaii").schedules
    assert not one.usable
    assert [doubt.column for doubt in one.doubts] == ["Hour of Day"]


def test_a_name_never_reaches_the_cells_that_are_kept() -> None:
    (one,) = read_table(f"{HEADER}\nGrades\tTwice a day\t\t\tHawaii\tJane Smith\t").schedules
    assert "Posted By" not in one.cells
    assert "a person's name" in one.doubts[-1].why
    assert "Jane" not in repr(one)


@pytest.mark.parametrize(
    "date",
    [
        "13/1/2026 2:00 AM",
        "1/32/2026 2:00 AM",
        "Sep 1 at 7am",
        "9/1/2026",
        "9/1/2026 25:00",
        "9/1/2026 2:00 AM PST",
    ],
)
def test_a_date_with_more_than_one_meaning_is_left_out(date: str) -> None:
    (one,) = read_table(
        "\t".join(OLDER) + f"\nGrades\tDaily at 3 am\t{date}\t\tEastern Time (US & Canada)\t\t"
    ).schedules
    assert one.usable
    assert "first_run" not in one.fields
    assert [doubt.column for doubt in one.doubts] == ["First Run"]


def test_a_row_with_more_cells_than_titles_is_not_shifted_into_place() -> None:
    text = "\t".join(OLDER) + "\n" + "Grades\tx\tDaily\t9/1/2026 2:00 AM\t\tHawaii\t\ta\tb"
    (one,) = read_table(text).schedules
    assert not one.usable


@pytest.mark.parametrize(
    "text",
    [
        "<td>" * 60_000,
        "<" * 200_000,
        "<!--" * 50_000,
        "<tr><td>&" + "amp;" * 50_000,
        '"' * 200_000,
        "\t" * 200_000,
        "<a " + "b=c " * 50_000,
        "   " * 60_000 + "x",
    ],
)
def test_hostile_pastes_end_quickly_without_a_table(text: str) -> None:
    with pytest.raises((NoTable, TableTooLarge)):
        read_table(text)


def test_more_than_any_page_shows_is_refused() -> None:
    with pytest.raises(TableTooLarge):
        read_table("x" * (MOST_CHARACTERS + 1))
    with pytest.raises(TableTooLarge):
        read_table(f"{HEADER}\nGrades\tDaily\n" * (MOST_ROWS + 1))


def test_control_characters_of_a_cell_never_reach_a_doubt() -> None:
    (one,) = read_table(f"{HEADER}\nGr\x1b[31mades\u202e\tDaily\t\t\tHawaii\t\t").schedules
    assert all(str(doubt).isprintable() for doubt in one.doubts)


def test_two_columns_of_one_title_are_a_doubt_where_they_differ() -> None:
    header = "Type\tInterval\tFirst Run\tType\tFrequency\tTime Zone"
    zone = "Eastern Time (US & Canada)"
    table = read_table(
        f"{header}\n"
        f"Roster Sync\tDaily\t09/01/2026 2:00 AM\tGrade Sync\tDaily\t{zone}\n"
        f"Roster Sync\tDaily\t09/01/2026 2:00 AM\tRoster Sync\tHourly\t{zone}\n"
        f"Roster Sync\tDaily\t09/01/2026 2:00 AM\tRoster Sync\t\t{zone}\n"
        f"\tDaily\t09/01/2026 2:00 AM\tGrade Sync\tDaily\t{zone}\n"
    )
    assert [str(doubt) for doubt in table.doubts] == [
        "row 2, Type shows `Roster Sync`: columns 1 and 4 both say this, and they differ",
        "row 3, Interval shows `Daily`: columns 2 and 5 both say this, and they differ",
    ]
    assert [one.usable for one in table.schedules] == [False, False, True, True]
    assert table.schedules[3].fields["type"] == "grade passback"


def test_of_two_columns_of_people_neither_name_is_repeated() -> None:
    header = "Type\tInterval\tFirst Run\tTime Zone\tPosted By\tCreated By"
    row = "Roster Sync\tDaily\t09/01/2026 2:00 AM\tHawaii\tjdoe\tJane Doe"
    table = read_table(f"{header}\n{row}\n")
    [doubt] = table.doubts
    assert doubt.shown == HIDDEN
    assert "columns 5 and 6" in str(doubt)
    assert "doe" not in str(doubt).casefold()
    assert not table.schedules[0].usable
