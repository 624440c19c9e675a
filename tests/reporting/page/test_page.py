"""What the page says, to whom, and that nothing written by people does anything on it."""

from __future__ import annotations

import posixpath
import re
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradesync.domain.due import Block
from gradesync.domain.hold import HoldScope
from gradesync.domain.page_overview import Audience, Overview, PageAccount, PageSchedule
from gradesync.domain.page_standing import Word, standing_of, word_of
from gradesync.domain.problem import CODES
from gradesync.domain.schedule import State, SyncType
from gradesync.domain.unrecorded import Unrecorded
from gradesync.reporting.page import MAX_BYTES, Options, build
from gradesync.reporting.page.changes import changes
from gradesync.reporting.page.coming import week_days
from gradesync.reporting.page.staff import code_rows
from gradesync.reporting.page.wording import code_text
from tests.reporting import samples as s
from tests.reporting.page.samples import EVIL, PERSON, Page, an_account, site

STAFF = site(an_account(), an_account("oak-hill", name="Oak Hill Schools"), written=True)
PUBLIC = site(an_account(), an_account("oak-hill", name="Oak Hill Schools"), audience=Audience.PUBLIC)
HOSTILE = site(an_account(name=EVIL, text=EVIL, person=EVIL), written=True)
HOSTILE_PUBLIC = site(an_account(name=EVIL, text=EVIL, person=EVIL), audience=Audience.PUBLIC)
WIDE = Block("hold", "held by dana until resumed: vendor outage", "GS-707", "--type grade-passback")
POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'"


def pages(*sites: dict[str, str]) -> list[tuple[str, str]]:
    return [(name, text) for files in sites for name, text in files.items() if name.endswith(".html")]


def account_page(files: dict[str, str], name: str = "index.html") -> Page:
    return Page(files[f"accounts/riverside/{name}"])


# --- safety ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text"), pages(STAFF, PUBLIC, HOSTILE, HOSTILE_PUBLIC))
def test_every_page_allows_nothing_from_elsewhere_and_nothing_inline(name: str, text: str) -> None:
    page = Page(text)
    metas = page.all("meta")
    assert any(m.get("http-equiv") == "Content-Security-Policy" and m["content"] == POLICY for m in metas)
    assert any(m.get("name") == "robots" and "noindex" in str(m["content"]) for m in metas)
    assert page.all("script") == [{"src": "page.js", "defer": None}]
    assert page.all("style") == []
    for tag, attributes in page.tags:
        assert not any(key == "style" or key.startswith("on") for key in attributes), (tag, attributes)
        loaded = attributes.get("src") or (attributes.get("href") if tag in ("link", "use") else None) or ""
        assert ":" not in loaded
        assert "//" not in loaded


@pytest.mark.parametrize(("name", "text"), pages(HOSTILE, HOSTILE_PUBLIC))
def test_what_people_wrote_is_shown_and_does_nothing(name: str, text: str) -> None:
    assert "<b>x" not in text
    assert "alert(1)</script" not in text
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf")]


def test_hostile_text_is_readable() -> None:
    assert "<script>alert(1)</script>\"'&<b>x</b> ::set-output" in account_page(HOSTILE).text


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_no_text_ever_adds_a_tag(text: str) -> None:
    plain = site(an_account(text="x", name="x", person="x"))
    strange = site(an_account(text=f"x{text}", name=f"x{text}", person=f"x{text}"))
    for name, content in pages(strange):
        assert [tag for tag, _ in Page(content).tags] == [tag for tag, _ in Page(plain[name]).tags]


def test_a_link_to_the_files_is_made_for_https_alone() -> None:
    good = site(an_account(), written=True, options=Options(source="https://git.example.org/o/r/blob/main"))
    links = [a["href"] for a in account_page(good).all("a")]
    assert "https://git.example.org/o/r/blob/main/schedules/riverside.yaml#L31" in links
    bad = site(an_account(), written=True, options=Options(source="javascript:alert(1)//"))
    assert not [a for a in account_page(bad).all("a") if "javascript" in str(a["href"])]


# --- who sees what ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "text"), pages(PUBLIC))
def test_the_public_page_names_no_person_reason_schedule_command_or_code(name: str, text: str) -> None:
    for word in (
        PERSON,
        "SIS upgrade",
        "gradesync ",
        "roster-nightly",
        "grades-old",
        "sis-admin",
        "yaml",
        "scheduler",
    ):
        assert word not in text, word
    assert not re.search(r"GS-\d", text)
    assert not [entry.title for entry in CODES.values() if entry.title in text]


def test_the_public_page_tells_numbers_roughly() -> None:
    text = Page(PUBLIC["accounts/riverside/index.html"]).text
    assert "10-99" in text
    for exact in ("1,234", "1234", "1,040", "12 "):
        assert exact not in text


@pytest.mark.parametrize("files", [STAFF, PUBLIC])
def test_an_account_s_folder_holds_nothing_of_another(files: dict[str, str]) -> None:
    for name, text in files.items():
        if name.startswith("accounts/riverside/"):
            assert "oak-hill" not in text
            assert "Oak Hill" not in text
            assert "../" not in text


def test_the_page_shows_no_vendor_text() -> None:
    assert "vendor says" not in "".join(STAFF.values())


@pytest.mark.parametrize("files", [STAFF, PUBLIC, site(an_account(), options=Options(alone=True))])
def test_every_link_leads_somewhere_in_its_own_folder(files: dict[str, str]) -> None:
    for name, text in pages(files):
        for tag, attributes in Page(text).tags:
            target = attributes.get("href") or attributes.get("src") or ""
            if not target or target.startswith("https://"):
                continue
            file, _, anchor = target.partition("#")
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), file)) if file else name
            assert path in files, (name, tag, target)
            if anchor:
                assert f'id="{anchor}"' in files[path], (name, target)


def test_alone_an_account_stands_at_the_top_of_the_folder() -> None:
    files = site(an_account(), options=Options(alone=True))
    assert {"index.html", "history.html", "week.html", "codes.html", "style.css", "page.js"} <= files.keys()
    assert not [name for name in files if name.startswith("accounts/")]


# --- what stands there --------------------------------------------------------------------------------------------


def test_the_schedules_table_has_the_vendor_s_columns_and_what_it_never_told() -> None:
    for file in ("schedules.html", "accounts/riverside/index.html"):
        text = Page(STAFF[file]).text
        for column in (
            "Type",
            "Interval",
            "First run",
            "Next run",
            "Time zone",
            "Posted by",
            "State",
            "Last run",
        ):
            assert column in text, (file, column)
        assert f"every 15 minutes Mon 2 Nov 07:00 EST Wed 25 Nov 14:15 EST America/New_York {PERSON}" in text


def test_a_first_run_that_is_only_declared_says_so() -> None:
    for file in ("schedules.html", "accounts/riverside/index.html"):
        text = Page(STAFF[file]).text
        # The grades ran; the roster and the paused one never did.
        assert "Mon 2 Nov 07:00 EST Wed 25 Nov" in text
        assert text.count("Tue 1 Sep 02:00 EDT declared") == text.count("declared")
        assert text.count("declared") == (4 if file == "schedules.html" else 2)
    never = an_account()
    bare = [
        replace(one, row=replace(one.row, schedule=replace(one.row.schedule, first_run=None)))
        for one in never.schedules
    ]
    shown = site(replace(never, schedules=tuple(bare)))
    assert "declared" not in Page(shown["schedules.html"]).text


def test_a_newer_attempt_that_was_skipped_stands_beside_the_last_run() -> None:
    account = an_account()
    skipped = [replace(one, skipped_at=s.at(14)) for one in account.schedules]
    files = site(replace(account, schedules=(skipped[0], *account.schedules[1:])))
    for file in ("schedules.html", "accounts/riverside/index.html"):
        assert Page(files[file]).text.count("last attempt skipped, Wed 25 Nov 14:00 EST") == 1
        assert "last attempt" not in Page(STAFF[file]).text
    public = site(replace(account, schedules=tuple(skipped)), audience=Audience.PUBLIC)
    assert not [name for name, text in pages(public) if "skipped" in Page(text).text]


def test_without_a_script_the_tables_are_complete_and_no_control_is_shown() -> None:
    page = Page(STAFF["schedules.html"])
    assert [form for form in page.all("form") if "hidden" not in form] == []
    assert len(page.all("tr")) == 1 + 6
    assert [row for row in page.all("tr") if "hidden" in row] == []
    assert "Copy" not in page.text


def test_a_run_at_work_says_where_it_is() -> None:
    history = account_page(STAFF, "history.html").text
    assert "by hand write running" in history
    assert f"{PERSON} since 2026-11-25 19:00 UTC, write 12/40" in account_page(STAFF).text


def test_a_run_tells_its_codes_with_who_must_act_and_how() -> None:
    text = account_page(STAFF, "history.html").text
    assert (
        f"{PERSON} (OS user) by hand record warning 1,234 sent, 88,000 unchanged, 7 withheld GS-401" in text
    )
    assert "GS-401 No due date (4). Teacher: add a due date." in text


def test_a_code_is_explained_on_the_page() -> None:
    page = account_page(STAFF, "codes.html")
    assert CODES["GS-405"].cause in page.text


def test_older_runs_are_counted_and_named_by_the_command_that_shows_them() -> None:
    text = Page(site(an_account(kept=1204))["accounts/riverside/history.html"]).text
    assert (
        "The newest 4 runs. 1,200 older are recorded; gradesync history riverside --last 200 shows them."
        in text
    )


def test_stops_wishes_and_windows_are_told_with_who_and_why() -> None:
    text = account_page(STAFF).text
    assert f"riverside/roster-nightly , held by {PERSON} (OS user) since Wed 25 Nov 09:00 EST" in text
    assert "until Sat 28 Nov 09:00 EST. SIS upgrade" in text
    assert "upcoming: 2026-11-26 00:00 to 2026-11-28 00:00 America/New_York, roster-nightly only" in text
    assert f"grades : requested by {PERSON} (CI)" in text


def test_a_wish_for_a_schedule_that_is_stopped_does_not_promise_a_run() -> None:
    account = an_account()
    (wish,) = account.requests
    held = next(one.row for one in account.schedules if one.row.blocks)
    asked = replace(account, requests=(wish, replace(wish, schedule=held.schedule.id)))
    files = {path: content.decode() for path, content in build(Overview(at=s.NOW, accounts=(asked,)))}
    for name in ("accounts/riverside/index.html", "stops.html"):
        text = Page(files[name]).text
        assert text.count("It runs at the next pass.") == 1
        assert text.count(f"It waits, because the schedule is stopped: {held.blocks[0].sentence}") == 1


def test_an_account_in_which_nothing_ran_does_not_say_that_all_is_well() -> None:
    rows = [replace(one.row, last=None, waiting={}, waiting_since={}) for one in an_account().schedules]
    new = replace(
        an_account(),
        standing=standing_of(rows, (), (), s.NOW),
        schedules=tuple(PageSchedule(row, word_of(row, s.NOW), ()) for row in rows),
        holds=(),
    )
    new = replace(new, standing=replace(new.standing, word=Word.NEW))
    for audience, told in (
        (Audience.STAFF, "Nothing has run yet."),
        (Audience.PUBLIC, "It has not run yet."),
    ):
        made = build(Overview(at=s.NOW, accounts=(new,)), audience=audience)
        text = Page(dict(made)["accounts/riverside/index.html"].decode()).text
        assert told in text
        assert "Not run yet" in text
        assert "Everything runs as planned" not in text


def test_across_accounts_each_hold_stands_once_and_windows_count_their_accounts() -> None:
    text = Page(STAFF["stops.html"]).text
    assert text.count(f"roster-nightly held {PERSON} (OS user)") == 2
    assert (
        "SIS upgrade upcoming 2026-11-26 00:00 2026-11-28 00:00 America/New_York roster-nightly 2 accounts"
        in text
    )
    assert "write 12/40" in text
    assert f"riverside/grades : requested by {PERSON} (CI)" in text


def test_each_schedule_says_what_to_write_and_what_to_type() -> None:
    text = account_page(STAFF).text
    assert "It is written in schedules/riverside.yaml:31 . The file already says something else" in text
    assert "let it run again state: active" in text
    for command in (
        "gradesync request riverside/grades",
        "gradesync resume riverside/roster-nightly",
        'gradesync pause riverside/grades --reason "WHY" --for 4h',
    ):
        assert command in text


@pytest.mark.parametrize("above", list(State))
@pytest.mark.parametrize("own", list(State))
def test_a_line_is_offered_where_it_changes_something(above: State, own: State) -> None:
    strict = [State.ACTIVE, State.OBSERVE, State.PAUSED]
    counts = max(above, own, key=strict.index)
    account = an_account()
    first = account.schedules[0]
    row = replace(first.row, schedule=replace(first.row.schedule, state=counts), blocks=())
    (told,) = changes(replace(account, state=above, schedules=(replace(first, row=row),)), {}, None)
    for _, line in told.lines:
        if line.startswith("state: "):
            written = State(line.splitlines()[0].removeprefix("state: "))
            assert max(above, written, key=strict.index) is not counts, line
    at_top = [line for _, line in told.account_lines]
    assert ("state: active" in at_top) is (above is not State.ACTIVE)


def test_what_is_stopped_does_not_promise_that_a_command_runs_it() -> None:
    account = an_account()
    first = account.schedules[0]
    held = replace(first, row=replace(first.row, blocks=(WIDE,)))
    free = replace(first, row=replace(first.row, blocks=()))
    for one, stopped in ((held, True), (free, False)):
        (told,) = changes(replace(account, schedules=(one,)), {}, None)
        said = {command.split()[1]: what for what, command in told.commands}
        assert ("refused while" in said["run"], "waits while" in said["request"]) == (stopped, stopped)


def test_the_command_that_ends_a_hold_names_the_scope_of_the_hold() -> None:
    account = an_account()
    held = replace(account.schedules[0], row=replace(account.schedules[0].row, blocks=(WIDE, WIDE)))
    (told,) = changes(replace(account, schedules=(held,)), {}, None)
    assert [command for what, command in told.commands if what == "end the hold"] == [
        "gradesync resume --type grade-passback"
    ]


def test_only_a_grade_passback_offers_to_explain_a_grade() -> None:
    for told, one in zip(changes(an_account(), {}, None), an_account().schedules, strict=True):
        offers = any(command.startswith("gradesync explain") for _, command in told.commands)
        assert offers is (one.row.schedule.type is SyncType.GRADE_PASSBACK)


def test_what_waits_is_told_oldest_first_with_its_age() -> None:
    text = account_page(STAFF).text
    assert "GS-401 12 for 3 days No due date Teacher: add a due date." in text


def test_a_week_of_quarter_hours_is_a_line_a_day() -> None:
    page = account_page(STAFF, "week.html")
    assert "14:15 to 23:45 grades grade passback, every 15 minutes, 39 times" in page.text
    assert page.text.count("96 times") == 6
    assert "02:00 roster-nightly roster import does not run: " in page.text
    assert "grades-old : every 15 minutes; paused in its YAML file (SIS upgrade)" in page.text


def test_an_hour_that_comes_twice_is_told_apart() -> None:
    first = datetime(2026, 11, 1, 5, 30, tzinfo=UTC)  # the night on which clocks are put back
    model = an_account().week
    assert model is not None
    grades = next(one for one in model.stretches if one.schedule.id.name == "grades")
    for last, count, told in (
        (first + timedelta(hours=1), 5, "01:30 EDT to 01:30 EST"),
        (first + timedelta(minutes=75), 6, "01:30 to 01:45"),
        (first, 1, "01:30"),
    ):
        slots = replace(grades, day=first.date(), first=first, last=last, count=count, every=15)
        week = replace(model, days=(first.date(),), stretches=(slots,))
        [(_, _, [(time, *_)])] = week_days(week, first)
        assert time == told


def test_a_single_run_is_no_plural() -> None:
    assert "1 run from Wed 25 Nov" in Page(site(an_account(runs=1))["accounts/riverside/index.html"]).text


def test_the_chart_says_the_same_in_words() -> None:
    page = account_page(STAFF)
    assert "2 completed, 1 warning" in page.text
    [drawn] = [svg for svg in page.all("svg") if svg.get("role") == "img"]
    assert drawn["aria-labelledby"] == "t1 d1"
    assert "grades 2 1 0 0" in page.text


def test_the_overview_is_as_support_needs_it() -> None:
    text = Page(STAFF["index.html"]).text
    assert "2 accounts; 2 need somebody." in text
    assert "Waiting for someone for 3 days Riverside Public Schools riverside Wed 25 Nov" in text
    assert "District, Teachers" in text
    assert "GS-401" in text
    assert Page(site()["index.html"]).text.count("0 accounts; none need somebody.") == 1


def test_files_that_cannot_be_taken_stand_on_the_front_page_of_staff_alone() -> None:
    known = Unrecorded("schedules/elm.yaml", 3, "GS-102", s.NOW - timedelta(days=2))
    noted = Unrecorded(f"schedules/{EVIL}/ash.yaml", since=s.NOW)
    more = tuple(Unrecorded(f"schedules/a{n:02}.yaml", 1, "GS-102") for n in range(21))
    whole = Overview(s.NOW, (an_account(),), unrecorded=(known, noted, *more))
    options = Options(source="https://git.example.org/o/r/blob/main")
    files = {path: content.decode() for path, content in build(whole, options=options)}
    text = Page(files["index.html"]).text
    title = CODES["GS-102"].title
    assert f"schedules/elm.yaml:3 : GS-102 {title}, for 2 days" in text
    assert "/ash.yaml : GS-713 Account frozen, just now" in text
    assert "And 3 more." in text
    assert "Support must act: correct the file;" in text
    assert "<script>alert" not in files["index.html"]
    assert "https://git.example.org/o/r/blob/main/schedules/elm.yaml#L3" in files["index.html"]
    assert all(f'id="{code}"' in files["codes.html"] for code in ("GS-102", "GS-713"))
    assert "elm.yaml" not in "".join(text for path, text in files.items() if path != "index.html")
    public = build(whole, audience=Audience.PUBLIC)
    assert "elm.yaml" not in "".join(content.decode() for path, content in public if path.endswith("html"))


def test_an_empty_account_says_what_is_missing() -> None:
    bare = replace(an_account(), schedules=(), runs=(), runs_kept=0, holds=(), week=None)
    text = Page(site(bare)["accounts/riverside/index.html"]).text
    assert "It has no schedules: add one to its file." in text
    assert "No runs are recorded yet." in text


# --- size ---------------------------------------------------------------------------------------------------------


def test_no_file_grows_too_large_however_many_runs_there_are() -> None:
    files = site(an_account(runs=4000, text="x" * 300))
    assert max(len(text.encode()) for text in files.values()) <= MAX_BYTES
    assert "older are recorded" in Page(files["accounts/riverside/history.html"]).text


def test_long_lists_come_in_parts_that_hold_everything_once() -> None:
    model = an_account(text="x" * 400)
    many = [replace(model, key=f"account-{n:04}", name=f"Account {n}") for n in range(1100)]
    from gradesync.domain.page_overview import Overview
    from gradesync.reporting.page import build
    from tests.reporting import samples

    files = {}
    for name, content in build(Overview(samples.NOW, tuple(many))):
        if name.startswith("accounts/"):
            break
        files[name] = content.decode()
    assert max(len(text.encode()) for text in files.values()) <= MAX_BYTES
    parts = sorted(name for name in files if name.startswith("index"))
    assert len(parts) > 1
    found = [key for name in parts for key in re.findall(r"accounts/(account-\d+)/", files[name])]
    assert sorted(found) == [one.key for one in many]
    assert all(f'href="{name}"' in files[other] for name in parts for other in parts)
    for number, name in enumerate(
        ["index.html", *(f"index-{n}.html" for n in range(2, len(parts) + 1))], start=1
    ):
        told = f"part {number} of {len(parts)}"
        assert (
            f"this is {told}. Search, filters and sorting look at this part alone" in Page(files[name]).text
        )
        assert [form["data-part"] for form in Page(files[name]).all("form")] == [told]
    assert "data-part" not in "".join(STAFF.values())


@pytest.mark.parametrize(
    ("zone", "since"), [(s.ZONE, "Wed 25 Nov 09:00 EST"), ("America/Chicago", "Wed 25 Nov 14:00 UTC")]
)
def test_a_hold_over_several_accounts_is_told_on_the_clock_they_share_else_in_utc(
    zone: str, since: str
) -> None:
    one, other = an_account(), replace(an_account("oak-hill"), time_zone=zone)
    wide = replace(one.holds[0], scope=HoldScope(type=SyncType.ROSTER_IMPORT))
    shown = Page(site(replace(one, holds=(wide,)), replace(other, holds=(wide,)))["stops.html"]).text
    assert f"type roster import held {PERSON} (OS user) {since} until" in shown


def _with_holds(account: PageAccount, number: int, reason: str = "x" * 300) -> PageAccount:
    (hold,) = account.holds
    key = account.key
    return replace(
        account,
        holds=tuple(
            replace(hold, id=f"{key}-{n}", scope=HoldScope(key, f"s-{n}"), reason=f"{reason} no. {n};")
            for n in range(number)
        ),
    )


def test_commands_in_a_remedy_stand_in_quotation_marks() -> None:
    assert (
        "Support: look at them with \u201cgradesync run ID --dry-run --csv-to DIR\u201d; if"
        in code_text("GS-626")[1]
    )
    for row in code_rows(CODES):
        assert "`" not in row[3]


def test_thousands_of_holds_come_in_parts_and_the_first_part_names_every_list() -> None:
    accounts = [_with_holds(an_account(f"oak-{n}"), 500) for n in range(10)]
    files = dict(build(Overview(s.NOW, tuple(accounts))))
    assert max(len(content) for content in files.values()) <= MAX_BYTES
    parts = {name: content.decode() for name, content in files.items() if name.startswith("stops")}
    assert len(parts) > 1
    found = [place for text in parts.values() for place in re.findall(r'row">(oak-\d/s-\d+)<', text)]
    assert len(found) == len(set(found)) == 5000
    first, last = Page(parts["stops.html"]).text, Page(parts[f"stops-{len(parts)}.html"]).text
    assert f"this is part 1 of {len(parts)}. Sorting looks at this part alone" in first
    assert first.count("They are in a later part.") == 3
    for told in ("Nothing runs", "Nothing is requested", "No blackout is"):
        assert told not in first + last
    assert last.count("write 12/40") == last.count(": requested by") == 10
    assert "SIS upgrade upcoming" in last


def test_an_account_with_thousands_of_holds_names_the_oldest_and_counts_the_others() -> None:
    account = _with_holds(an_account(), 5000)
    row = account.schedules[0]
    stop = Block("hold", "held by dana until resumed: " + "x" * 9000, "GS-707", "--everything")
    held = replace(row, row=replace(row.row, blocks=(stop,) * 5000))
    many = replace(account, schedules=(held, *account.schedules[1:]))
    files = dict(build(Overview(s.NOW, (many,))))
    assert max(len(content) for content in files.values()) <= MAX_BYTES
    text = Page(files["accounts/riverside/index.html"].decode()).text
    shown = text.count(", held by")
    assert shown > 1000
    assert f"And {5000 - shown:,} more, newer than these: gradesync show riverside" in text
    assert "And 4,990 stops more." in text


def test_the_same_values_make_the_same_bytes() -> None:
    assert site(an_account()) == site(an_account())


def test_a_late_run_is_support_s_to_start_whatever_else_waits() -> None:
    late = replace(an_account(), standing=replace(an_account().standing, word=Word.LATE, who=("teacher",)))
    text = Page(site(late)["index.html"]).text
    assert "Support, Teachers" in text
    assert "look at the job that starts gradesync reconcile" in text
