"""What a column is called and when it is due, in a SIS that shows few characters, bare days or its own categories."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from gradesync.domain.gradebook import DueOverride
from gradesync.domain.line_item import due_for, line_item_key, local_day
from gradesync.domain.record import LINE_ITEM
from gradesync.domain.wish import Verdict
from tests.domain.passback_samples import (
    DUE,
    after,
    assignment,
    column,
    decide,
    entry_with_intent,
    given,
    rules,
    sent,
    submission,
)


def test_a_title_longer_than_the_sis_shows_is_told_to_the_teacher() -> None:
    assert decide(given([assignment(title="x" * 31)]), rules(max_title=30)).line_items[0].code == "GS-403"
    assert decide(given([assignment(title="x" * 30)]), rules(max_title=30)).line_items[0].code is None


def test_a_long_title_is_shortened_when_the_account_says_so_and_stays_when_another_comes() -> None:
    shorten = rules(max_title=30, long_titles="shorten")
    one = given([assignment(9, title="x" * 40)], [submission(assignment_id=9)])
    first = decide(one, shorten)
    assert first.line_items[0].item is not None
    assert first.line_items[0].item.title == "x" * 30
    # A second one of the same beginning, made earlier and flagged later.
    two = [assignment(3, title="x" * 39), assignment(9, title="x" * 40)]
    later = replace(after(one, first), assignments=tuple(two))
    later = replace(later, submissions=(submission(assignment_id=3), submission(assignment_id=9)))
    second = decide(later, shorten)
    titles = {d.assignment_id: d.item.title for d in second.line_items if d.item is not None}
    assert titles == {9: "x" * 30, 3: "x" * 27 + " ~3"}
    assert sent(decide(after(later, second), shorten)) == 0


def test_titles_that_differ_behind_the_cut_share_no_column_in_a_class_that_has_each_once() -> None:
    both = [assignment(1, title="x" * 40), assignment(2, title="x" * 41)]
    work = [submission(assignment_id=1), submission(assignment_id=2)]
    decision = decide(given(both, work), rules(max_title=30, unique=True, long_titles="shorten"))
    assert [d.verdict for d in decision.line_items] == [Verdict.SEND, Verdict.SEND]
    assert len({d.item.title for d in decision.line_items if d.item is not None}) == 2


def test_a_twin_that_comes_later_waits_and_the_one_in_the_sis_goes_on() -> None:
    one = given([assignment(1, title="Work")])
    there = after(one, decide(one))
    both = (assignment(1, title="Work"), assignment(2, title="work", due_at=DUE + timedelta(days=7)))
    work = (submission("9", 1), submission("9", 2))
    decision = decide(replace(there, assignments=both, submissions=work), rules(unique=True))
    assert [d.code for d in decision.line_items] == [None, "GS-404"]
    assert [d.verdict for d in decision.results] == [Verdict.SEND, Verdict.WITHHELD]


def test_another_tools_column_with_a_title_cut_plainly_is_found() -> None:
    long = assignment(title="x" * 40)
    shorten = rules(max_title=30, long_titles="shorten")
    mine = decide(given([long]), shorten).line_items[0].item
    assert mine is not None
    for title in ("x" * 30, "x" * 40):
        theirs = replace(mine, id="theirs", title=title)
        found = decide(given([long], line_items=[theirs]), shorten).line_items[0]
        assert found.item is not None
        assert found.item.id == "theirs"


def test_a_column_the_sis_named_itself_is_found_after_a_run_that_broke_off() -> None:
    one = given()
    d = decide(one).line_items[0]
    assert d.item is not None
    book = {(LINE_ITEM, d.subject): entry_with_intent(d)}
    for title in ("Work 1", "Wor"):
        named = replace(d.item, id="own-1", title=title)
        found = decide(replace(one, sis=replace(one.sis, line_items=(named,)), ledger=book)).line_items[0]
        assert found.item is not None
        assert (found.item.id, found.code) == ("own-1", None)


def test_a_sis_that_keeps_bare_days_is_told_the_school_day() -> None:
    days = rules(profile={"due_date_as": "local_midnight_utc"})
    one = given([assignment(assign_at=DUE - timedelta(days=2))])
    first = decide(one, days)
    item = first.line_items[0].item
    assert item is not None
    assert (item.assign_date, item.due_date) == (
        datetime(2026, 9, 29, tzinfo=UTC),
        datetime(2026, 10, 1, tzinfo=UTC),
    )
    assert sent(decide(after(one, first), days)) == 0
    # Another tool's column of that day is the same one, and of the next day it is not.
    for day, id in ((1, "theirs"), (2, item.id)):
        theirs = replace(item, id="theirs", due_date=datetime(2026, 10, day, tzinfo=UTC))
        found = decide(given(line_items=[theirs]), days).line_items[0].item
        assert found is not None
        assert found.id == id


def test_what_a_sis_is_never_told_it_may_fill_in_as_it_likes() -> None:
    quiet = rules(profile={"omit": ("category", "gradingPeriod")})
    one = given([assignment(group="Projects", due_at=DUE - timedelta(days=60))])
    first = decide(one, quiet)
    item = first.line_items[0].item
    assert item is not None
    assert (item.category_id, item.period_id) == (None, None)
    filled = after(one, first)
    own = replace(filled.sis.line_items[0], category_id="theirs", period_id="q1")
    assert sent(decide(replace(filled, sis=replace(filled.sis, line_items=(own,))), quiet)) == 0
    every = ("category", "gradingPeriod", "assignDate", "dueDate", "resultValueMin", "resultValueMax")
    assert line_item_key(item, every) == ("line item", "Work 1", "-", "-", "-", "-", "-", "-")


def test_one_class_of_several_sections_is_due_at_the_latest_of_their_dates() -> None:
    early, late = DUE + timedelta(days=1), DUE + timedelta(days=4)
    both = frozenset({71, 72})
    one = assignment(overrides=(DueOverride(71, early), DueOverride(72, late)))
    assert due_for(one, both) == late
    assert due_for(one, frozenset({71})) == early
    # The other section goes by the assignment's own date, unless it is for the named ones only.
    some = assignment(overrides=(DueOverride(71, DUE - timedelta(days=3)),))
    assert due_for(some, both) == DUE
    assert due_for(replace(some, only_overrides=True), both) == DUE - timedelta(days=3)
    # A section without a date has none, and single students never move the class's.
    assert due_for(assignment(overrides=(DueOverride(71, None),)), frozenset({71})) is None
    assert due_for(assignment(overrides=(DueOverride(71, None),), due_at=None), both) is None
    assert due_for(assignment(overrides=(DueOverride(None, late),)), both) == DUE


def test_undated_work_of_a_district_far_ahead_of_utc_stays_in_its_last_period() -> None:
    far = rules(time_zone="Pacific/Auckland", no_due_date="last_day_of_period")
    item = decide(given([assignment(due_at=None)]), far).line_items[0].item
    assert item is not None
    assert item.period_id == "q2"
    assert local_day(item.due_date, "Pacific/Auckland") == date(2027, 1, 31)


def test_undated_work_goes_to_the_last_period_only_when_asked() -> None:
    item = column(assignment(due_at=None), no_due_date="last_day_of_period").item
    assert item is not None
    assert item.period_id == "q2"
    assert item.due_date == datetime(2027, 1, 31, 12, tzinfo=UTC)


def test_a_due_date_late_in_the_evening_belongs_to_the_local_day() -> None:
    # 04:59 UTC on the 15th is 23:59 on the 14th in New York: the last day of the first period.
    item = column(assignment(due_at=datetime(2026, 11, 15, 4, 59, tzinfo=UTC))).item
    assert item is not None
    assert item.period_id == "q1"
    item = column(assignment(due_at=datetime(2026, 11, 15, 5, 0, tzinfo=UTC))).item
    assert item is not None
    assert item.period_id == "q2"
