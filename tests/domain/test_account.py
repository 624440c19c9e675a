"""An account read from its recorded definition: the same values a person wrote, and the safe ones elsewhere."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from gradesync.domain.account import Account, ChangeLimit, ExpectedChange, PassbackPolicy
from gradesync.domain.schedule import ScheduleId, State, SyncType
from tests.domain.plan_samples import definition, schedule


def test_every_default_is_the_safe_one() -> None:
    one = Account.from_definitions("r", definition("r"), {})
    assert one.passback == PassbackPolicy()
    assert (one.passback.excused, one.passback.missing, one.passback.conflict) == ("withhold",) * 3
    assert (one.passback.no_due_date, one.passback.deletions) == ("withhold", "report")
    assert (one.scope.terms, one.scope.schools) == ("current", "all")
    assert (one.roster.change_limit.enrollments, one.roster.at_least) == (0.10, 20)


def test_addresses_come_from_the_profile_unless_written_out() -> None:
    one = Account.from_definitions("r", definition("r"), {})
    assert one.sis.token_url == "https://r.sis.example/token"
    assert one.sis.gradebook_url == "https://r.sis.example/ims/oneroster/v1p1"
    sis = {**definition("r")["sis"], "token_url": "https://t.example/x", "decimals": 0, "max_title": 30}
    own = Account.from_definitions("r", definition("r", sis=sis), {})
    assert own.sis.token_url == "https://t.example/x"
    assert (own.sis.profile.decimals, own.sis.profile.max_title) == (0, 30)


def test_scopes_written_out_replace_the_profiles_and_reading_never_asks_for_writing() -> None:
    written = [
        "own/all.readonly",
        "own/gradebook.createput",
        "own/gradebook.createpost",
        "own/gradebook.delete",
    ]
    sis = {**definition("r")["sis"], "scopes": written}
    own = Account.from_definitions("r", definition("r", sis=sis), {}).sis
    assert own.scopes_for(write=True) == tuple(written)
    assert own.scopes_for(write=False) == ("own/all.readonly",)


def test_without_reading_scopes_written_out_the_profiles_are_asked_for() -> None:
    plain = Account.from_definitions("r", definition("r"), {}).sis
    assert plain.scopes is None
    assert plain.scopes_for(write=True) == plain.profile.write_scopes
    assert plain.scopes_for(write=False) == plain.profile.read_scopes
    sis = {**definition("r")["sis"], "scopes": ["own/gradebook.createput"]}
    writing_only = Account.from_definitions("r", definition("r", sis=sis), {}).sis
    assert writing_only.scopes_for(write=False) == plain.profile.read_scopes


def test_an_unknown_profile_is_an_error_not_a_guess() -> None:
    sis = {**definition("r")["sis"], "profile": "unheard-of"}
    with pytest.raises(KeyError):
        Account.from_definitions("r", definition("r", sis=sis), {})


def test_blackouts_are_in_local_time_of_the_account_unless_they_name_a_zone() -> None:
    rows = [
        {"name": "a", "from": "2027-06-25 18:00", "until": "2027-07-06 06:00", "schedules": ["roster"]},
        {"name": "b", "from": "2027-06-25 18:00", "until": "2027-07-06 06:00", "time_zone": "Europe/Berlin"},
    ]
    first, second = Account.from_definitions("r", definition("r", blackouts=rows), {}).blackouts
    assert first.start == datetime(2027, 6, 25, 18)  # noqa: DTZ001 - local wall time by design
    assert (first.time_zone, second.time_zone) == ("America/New_York", "Europe/Berlin")
    assert (first.covers("roster"), first.covers("grades"), second.covers("grades")) == (True, False, True)


def test_expected_changes_are_read_with_only_the_limits_they_name() -> None:
    rows = [{"name": "New year", "from": "2027-08-20", "until": "2027-09-10", "change_limit": {"users": 1}}]
    policy = Account.from_definitions("r", definition("r", roster={"expect": rows}), {}).roster
    assert policy.expect == (ExpectedChange("New year", date(2027, 8, 20), date(2027, 9, 10), users=1.0),)
    assert policy.limit_on(date(2027, 9, 10)) == ChangeLimit(users=1.0)
    assert policy.limit_on(date(2027, 9, 11)) == ChangeLimit()


def test_a_schedule_keeps_its_words() -> None:
    values = schedule(state="paused", reason="x", start_within=30, spread=5, posted_by="p")
    one = Account.from_definitions("r", definition("r"), {"g": values}).schedules["g"]
    assert (one.id, one.type, one.state) == (ScheduleId("r", "g"), SyncType.GRADE_PASSBACK, State.PAUSED)
    assert (one.start_within, one.spread, one.reason, one.posted_by) == (30, 5, "x", "p")


@pytest.mark.parametrize("text", ["grades", "/grades", "r/", "r/g/x", ""])
def test_what_is_no_schedule_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="account/schedule"):
        ScheduleId.parse(text)
