"""The roster import: what reaches Canvas, what is withheld, and what the next run knows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from gradesync.connectors.spool import disk_spool
from gradesync.domain.account import Account, ExpectedChange, Scope
from gradesync.domain.keyed import KeyedHash
from gradesync.domain.roster import ImportStatus, RosterClass
from gradesync.domain.roster_change import RosterChange, SeatsRead
from gradesync.domain.run import Mode, Outcome, RunResult, Stage
from gradesync.domain.schedule import ScheduleId
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.syncs.roster_braking import Brake
from gradesync.syncs.roster_import import RosterJob, RosterPreview, data_set_id, import_roster, preview_roster
from gradesync.syncs.stage import StageTracker
from tests.domain.roster_samples import SPRING, TODAY, ZONE, person, sample, seat
from tests.syncs.roster_players import Canvas, Lease, Records, Sis, Watcher

SCHEDULE = ScheduleId("riverside", "roster-nightly")
ROWS = 1 + 2 + 2 + 2 + 4 + 5
"""Rows of the sample: one school, two terms, two courses, two sections, four people, five enrollments."""


def account() -> Account:
    definition = {
        "account": "riverside",
        "time_zone": ZONE,
        "canvas": {"url": "http://127.0.0.1:1/canvas", "token": "env:TOKEN"},
        "sis": {
            "profile": "genesis",
            "url": "http://127.0.0.1:1/genesis",
            "client_id": "env:ID",
            "client_secret": "env:SECRET",
        },
    }
    return Account.from_definitions("riverside", definition, {})


@dataclass
class Scene:
    """One account over several runs."""

    sis: Sis = field(default_factory=lambda: Sis(sample()))
    canvas: Canvas = field(default_factory=Canvas)
    records: Records = field(default_factory=Records)
    lease: Lease = field(default_factory=Lease)
    watcher: Watcher = field(default_factory=Watcher)
    tracker: StageTracker = field(default_factory=StageTracker)
    account: Account = field(default_factory=account)
    naps: list[float] = field(default_factory=list)
    brake: Brake | None = field(default_factory=lambda: Brake(KeyedHash(b"0" * 32, "riverside")))

    async def nap(self, seconds: float) -> None:
        self.naps.append(seconds)

    def run(self, mode: Mode = Mode.DELTA, today: date = TODAY, *, remaster: bool = False) -> RunResult:
        self.tracker = StageTracker()
        job = RosterJob(
            account=self.account,
            schedule=SCHEDULE,
            mode=mode,
            today=today,
            source=self.sis,
            records=self.records,
            guard=self.lease,
            progress=self.watcher,
            sink=self.canvas,
            spool=disk_spool,
            sleep=self.nap,
            remaster=remaster,
            tracker=self.tracker,
            brake=self.brake,
        )
        return asyncio.run(import_roster(job))

    def preview(self, look: Callable[[Mapping[str, Path]], None] | None = None) -> RunResult:
        return asyncio.run(preview_roster(self.job_to_look(Mode.FULL, look)))

    def job_to_look(
        self, mode: Mode, look: Callable[[Mapping[str, Path]], None] | None = None
    ) -> RosterPreview:
        """A job that may only look; `look` is shown the files that would be sent."""
        return RosterPreview(
            account=self.account,
            schedule=SCHEDULE,
            mode=mode,
            today=TODAY,
            source=self.sis,
            records=self.records,
            canvas=self.canvas,
            progress=self.watcher,
            spool=disk_spool,
            brake=self.brake,
            look=look,
        )


def many(count: int) -> Sis:
    """A SIS with `count` students in one class."""
    users = [person("t1", "teacher"), *(person(f"s{n}") for n in range(count))]
    rows = [seat("t1", role="teacher"), *(seat(f"s{n}") for n in range(count))]
    return Sis(sample(users=users, enrollments=rows))


# --- the ordinary night -------------------------------------------------------------------------------------------


def test_the_first_run_sends_everything_and_remembers_it() -> None:
    scene = Scene()
    result = scene.run()
    assert (result.outcome, result.stage, dict(result.codes)) == (Outcome.COMPLETED, Stage.RECORD, {})
    assert result.counts == {
        "read": 2 + 3 + 2 + 2 + 5 + 5,
        "users": 4,
        "classes": 2,
        "enrollments": 5,
        "dropped": 0,
        "future": 0,
        "sent": ROWS,
        "imported": 4,
        "read back": 5,
    }
    assert scene.canvas.sections == {"BIO", "ART"}
    assert scene.canvas.uploads[0].data_set == "gradesync:riverside:2027"
    assert scene.records.marks["roster:remaster"] == "0"


def test_a_night_without_news_sends_nothing_in_either_mode() -> None:
    scene = Scene()
    scene.run()
    for mode in Mode:
        result = scene.run(mode)
        assert (result.outcome, result.counts["sent"], result.counts["unchanged"]) == (
            Outcome.COMPLETED,
            0,
            ROWS,
        )
        assert result.did_nothing
    assert len(scene.canvas.uploads) == 1


def test_a_change_is_sent_once_and_compared_with_what_was_sent_before() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = replace(scene.sis.roster, enrollments=tuple(scene.sis.roster.enrollments)[1:])
    assert scene.run().counts["sent"] == ROWS - 1
    assert scene.run().counts["sent"] == 0
    assert [u.remaster for u in scene.canvas.uploads][1:] == [False]


def test_a_full_run_after_a_change_removes_first_and_applies_all_rows_then() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = replace(scene.sis.roster, enrollments=tuple(scene.sis.roster.enrollments)[1:])
    scene.run(Mode.FULL)
    assert [u.remaster for u in scene.canvas.uploads][1:] == [False, True]


def test_all_rows_can_be_asked_for_when_nothing_changed() -> None:
    scene = Scene()
    scene.run()
    assert scene.run(remaster=True).counts["sent"] == ROWS
    assert [u.remaster for u in scene.canvas.uploads][1:] == [True]


def test_another_scope_never_removes_what_it_no_longer_looks_at() -> None:
    scene = Scene()
    scene.run()
    scene.account = replace(scene.account, scope=Scope(exclude_classes=("ART-*",)))
    assert scene.run().outcome is Outcome.COMPLETED
    assert [u.remaster for u in scene.canvas.uploads][1:] == [True]
    assert scene.run().counts["sent"] == 0


def test_what_left_the_scope_does_not_count_as_gone() -> None:
    scene = Scene(sis=many(200))
    rows = [*scene.sis.roster.enrollments, *(seat(f"s{n}", "ART") for n in range(200))]
    scene.sis.roster = replace(scene.sis.roster, enrollments=rows)
    scene.run()
    scene.account = replace(scene.account, scope=Scope(exclude_classes=("ART-*",)))
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.COMPLETED, {})


def test_a_new_school_year_is_compared_under_a_new_name() -> None:
    scene = Scene()
    scene.run()
    next_year = replace(
        SPRING, id="S1b", parent_id=None, school_year="2028", start=date(2027, 7, 1), end=date(2028, 2, 1)
    )
    classes = (RosterClass("BIO-2028", "Biology", "B", "C1", "001", ("S1b",)),)
    rows = (seat("s1", "BIO-2028"),)
    scene.sis.roster = sample(sessions=(*sample().sessions, next_year), classes=classes, enrollments=rows)
    scene.run(today=date(2027, 9, 1))
    assert [u.data_set for u in scene.canvas.uploads] == [
        "gradesync:riverside:2027",
        "gradesync:riverside:2028",
    ]


# --- the brake ----------------------------------------------------------------------------------------------------


def test_an_empty_read_is_withheld_and_the_good_one_stays_remembered() -> None:
    scene = Scene()
    scene.run()
    remembered = dict(scene.records.marks)
    scene.sis.roster = sample(enrollments=())
    result = scene.run()
    assert (result.outcome, result.stage, dict(result.codes)) == (
        Outcome.WARNING,
        Stage.DECIDE,
        {"GS-602": 1},
    )
    assert result.counts["sent"] == 0
    assert len(scene.canvas.uploads) == 1
    assert scene.records.marks == remembered


def test_a_shrunk_read_is_withheld_with_its_numbers() -> None:
    scene = Scene(sis=many(200))
    scene.run()
    scene.sis = many(150)
    result = scene.run()
    assert set(result.codes) == {"GS-601"}
    assert "School 001: 50 of 201 people would go (50 removed); the limit is 5%." in result.vendor["GS-601"]
    assert "GS-601: the brake stopped this roster; nothing was sent" in scene.watcher.sentences[-1]
    assert len(scene.canvas.uploads) == 1


def test_a_shrunk_read_passes_on_the_days_the_account_expects_it() -> None:
    new_year = ExpectedChange("New year", TODAY, TODAY, enrollments=0.5, users=0.5, sections=0.5)
    usual = account()
    scene = Scene(sis=many(200), account=replace(usual, roster=replace(usual.roster, expect=(new_year,))))
    scene.run()
    scene.sis = many(150)
    assert set(scene.run(today=TODAY + timedelta(1)).codes) == {"GS-601"}
    assert "GS-601" not in scene.run().codes
    assert len(scene.canvas.uploads) == 2


def test_a_canvas_filled_with_other_ids_is_not_taken_over() -> None:
    scene = Scene(canvas=Canvas(sections={"other-1", "other-2"}))
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.WARNING, {"GS-609": 1})
    assert scene.canvas.uploads == []


def test_a_canvas_filled_with_the_same_ids_is_taken_over() -> None:
    scene = Scene(canvas=Canvas(sections={"BIO", "ART"}))
    assert scene.run().outcome is Outcome.COMPLETED
    assert scene.canvas.uploads[0].remaster


def test_ids_are_compared_at_first_contact_only() -> None:
    scene = Scene()
    scene.run()
    scene.canvas.sections = {"somebody", "cleaned", "up"}
    assert "GS-609" not in scene.run().codes


def test_another_district_at_the_same_address_stops_the_run_before_reading() -> None:
    scene = Scene()
    scene.run()
    scene.sis.name = "district-2"
    scene.sis.down = True
    with pytest.raises(ConnectionProblem) as caught:
        scene.run()
    assert caught.value.code == "GS-208"


def test_records_that_cannot_be_carried_over_need_a_person_and_stop_nobody() -> None:
    nameless = person("s2")._replace(username="")
    scene = Scene(sis=Sis(sample(users=[nameless if u.id == "s2" else u for u in sample().users])))
    result = scene.run()
    assert (result.outcome, dict(result.codes), result.counts["dropped"]) == (
        Outcome.WARNING,
        {"GS-608": 1},
        1,
    )
    assert result.counts["sent"] == ROWS - 1


# --- what Canvas answers ------------------------------------------------------------------------------------------


def test_warnings_need_a_person_and_make_the_next_run_apply_all_rows() -> None:
    scene = Scene(canvas=Canvas(steps=[ImportStatus(7, "imported_with_messages", 100, warnings=3)]))
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.WARNING, {"GS-604": 3})
    scene.canvas.steps = ()
    assert scene.run().outcome is Outcome.COMPLETED
    assert [u.remaster for u in scene.canvas.uploads][1:] == [True]
    assert scene.run().counts["sent"] == 0


@pytest.mark.parametrize("state", ["failed", "aborted"])
def test_a_failed_import_is_not_remembered_as_sent(state: str) -> None:
    scene = Scene(canvas=Canvas(steps=[ImportStatus(7, state, 10, errors=1)]))
    result = scene.run()
    assert (result.outcome, result.stage, dict(result.codes)) == (Outcome.FAILED, Stage.WRITE, {"GS-606": 1})
    assert "roster:sent" not in scene.records.marks
    scene.canvas.steps = ()
    assert scene.run().outcome is Outcome.COMPLETED
    assert len(scene.canvas.uploads) == 2


def test_a_partly_failed_import_says_that_rows_were_applied() -> None:
    steps = [ImportStatus(7, "failed_with_messages", 80, {"users": 9, "error_count": 1}, errors=1)]
    scene = Scene(canvas=Canvas(steps=steps))
    result = scene.run()
    assert (result.outcome, dict(result.codes), result.counts["imported"]) == (
        Outcome.WARNING,
        {"GS-606": 1},
        9,
    )
    assert "9 rows were applied" in scene.watcher.sentences[-1]
    assert "roster:sent" not in scene.records.marks


def test_after_a_failure_a_roster_that_went_back_is_still_sent() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = replace(sample(), enrollments=tuple(sample().enrollments)[1:])
    scene.canvas.steps = [ImportStatus(7, "failed_with_messages", 80, errors=1)]
    scene.run()
    scene.sis.roster, scene.canvas.steps = sample(), ()
    assert scene.run().counts["sent"] == ROWS
    assert scene.canvas.uploads[-1].remaster


def test_a_section_that_did_not_arrive_is_noticed_and_tried_again() -> None:
    scene = Scene(canvas=Canvas(loses=frozenset({"ART"})))
    assert dict(scene.run().codes) == {"GS-620": 1}
    scene.canvas.loses = frozenset()
    assert scene.run().outcome is Outcome.COMPLETED
    assert scene.canvas.sections == {"BIO", "ART"}


def test_another_tools_import_is_waited_for() -> None:
    scene = Scene(canvas=Canvas(foreign=[True, True, True]))
    assert scene.run().outcome is Outcome.COMPLETED
    assert scene.naps[:3] == pytest.approx([0.2, 0.32, 0.512])


def test_another_tools_endless_import_ends_the_run_without_a_failure() -> None:
    scene = Scene(canvas=Canvas(foreign=[True] * 1000))
    result = scene.run()
    assert (result.outcome, dict(result.codes), result.counts["sent"]) == (
        Outcome.COMPLETED,
        {"GS-607": 1},
        0,
    )
    assert sum(scene.naps) == pytest.approx(120)
    assert "roster:sent" not in scene.records.marks


def test_an_import_that_never_ends_is_given_up_with_growing_pauses() -> None:
    scene = Scene(canvas=Canvas(steps=[ImportStatus(7, "importing", 50)]))
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.FAILED, {"GS-606": 1})
    assert scene.naps[:-1] == sorted(scene.naps[:-1])
    assert sum(scene.naps) == pytest.approx(7200)
    assert max(scene.naps) == 30.0
    assert ("write", 50) in scene.watcher.stages


# --- when a run breaks off ----------------------------------------------------------------------------------------


def test_a_lost_lease_sends_nothing_and_the_stage_is_known() -> None:
    scene = Scene(lease=Lease(lost=True))
    with pytest.raises(LeaseLost):
        scene.run()
    assert scene.canvas.uploads == []
    assert scene.tracker.stage is Stage.WRITE
    assert scene.tracker.counts["users"] == 4


def test_a_sis_that_does_not_answer_leaves_everything_as_it_was() -> None:
    scene = Scene(sis=Sis(sample(), down=True))
    with pytest.raises(ConnectionProblem) as caught:
        scene.run()
    assert caught.value.code == "GS-508"
    assert scene.tracker.stage is Stage.FETCH
    assert scene.records.marks == {}


# --- the dry twin -------------------------------------------------------------------------------------------------


def test_a_dry_run_counts_and_writes_nothing() -> None:
    scene = Scene()
    result = scene.preview()
    assert (result.outcome, result.counts["would send"]) == (Outcome.COMPLETED, ROWS)
    assert scene.canvas.uploads == []
    assert scene.records.marks == {}


def test_a_dry_run_after_a_run_finds_nothing_to_send() -> None:
    scene = Scene()
    scene.run()
    assert scene.preview().counts["unchanged"] == ROWS


def test_a_dry_run_meets_the_same_brake() -> None:
    scene = Scene(canvas=Canvas(sections={"other"}))
    assert dict(scene.preview().codes) == {"GS-609": 1}


def test_a_dry_run_says_that_another_import_is_in_the_way() -> None:
    scene = Scene(canvas=Canvas(foreign=[True]))
    assert dict(scene.preview().codes) == {"GS-607": 1}


def test_no_name_for_comparing_is_longer_than_canvas_takes() -> None:
    assert data_set_id("", "riverside", "2027") == "gradesync:riverside:2027"
    assert data_set_id("old-tool", "riverside", "2027") == "old-tool:2027"
    assert len(data_set_id("", "r" * 300, "2027").encode()) <= 128


def test_tomorrow_brings_the_enrollments_that_begin_tomorrow() -> None:
    tomorrow = TODAY + timedelta(days=1)
    scene = Scene(sis=Sis(sample(enrollments=(*sample().enrollments, seat("s2", "ART", begin=tomorrow)))))
    assert scene.run().counts["future"] == 1
    result = scene.run(today=tomorrow)
    assert (result.counts["sent"], result.counts["future"]) == (ROWS + 1, 0)


def test_who_left_on_the_night_another_scope_begins_is_taken_out_all_the_same() -> None:
    scene = Scene(sis=many(60))
    scene.run()
    scene.sis = many(55)
    scene.account = replace(scene.account, scope=Scope(terms="all"))
    result = scene.run()
    assert result.counts["taken out"] == 5
    assert len(scene.canvas.seats["BIO"]) == 56
    assert "GS-620" not in result.codes


def test_people_who_are_missing_though_their_enrollments_came_stop_the_run() -> None:
    scene = Scene(sis=many(600))
    scene.run()
    page = {f"s{n}" for n in range(25)}
    users = [one for one in scene.sis.roster.users if one.id not in page]
    scene.sis.roster = replace(scene.sis.roster, users=users)
    result = scene.run()
    assert set(result.codes) >= {"GS-602"}
    assert "25 enrollments in force belong to people whom the SIS did not send" in result.vendor["GS-602"]
    assert len(scene.canvas.uploads) == 1


def test_enrollments_that_always_pointed_at_nobody_stop_nothing_once_they_are_known() -> None:
    scene = Scene(sis=many(600))
    users = [one for one in scene.sis.roster.users if one.id not in {f"s{n}" for n in range(30)}]
    scene.sis.roster = replace(scene.sis.roster, users=users)
    first = scene.run()
    assert set(first.codes) >= {"GS-602"}
    assert first.roster is not None
    assert first.roster.digest is not None
    scene.brake = Brake(KeyedHash(b"0" * 32, "riverside"), frozenset({first.roster.digest}))
    scene.run()
    assert len(scene.canvas.uploads) == 1
    scene.sis.roster = replace(scene.sis.roster, enrollments=list(scene.sis.roster.enrollments)[:-1])
    assert "GS-602" not in scene.run().codes


def test_a_dry_run_names_the_files_that_differ_though_no_person_or_class_does() -> None:
    scene = Scene()
    scene.run()
    orgs = tuple(replace(one, name=f"{one.name} (new)") for one in scene.sis.roster.orgs)
    scene.sis.roster = replace(scene.sis.roster, orgs=orgs)
    scene.preview()
    assert "Files that differ from those sent last: accounts.csv." in scene.watcher.sentences


def test_a_dry_run_counts_a_renamed_school_and_a_term_that_ends_on_another_day() -> None:
    scene = Scene()
    scene.run()
    roster = scene.sis.roster
    orgs = tuple(replace(one, name=f"{one.name} (new)") for one in roster.orgs)
    sessions = tuple(replace(one, end=one.end - timedelta(days=2)) for one in roster.sessions)
    scene.sis.roster = replace(roster, orgs=orgs, sessions=sessions)
    found = scene.preview().roster
    assert found is not None
    assert {(one.kind, one.school): one.changed for one in found.besides} == {
        ("accounts", "001"): 1,
        ("terms", "*"): 2,
    }


def test_a_run_keeps_what_reading_back_showed_school_by_school() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = replace(scene.sis.roster, enrollments=list(scene.sis.roster.enrollments)[1:])
    found = scene.run().roster
    assert found is not None
    assert found.read_back == (SeatsRead("001", 4),)
    assert RosterChange.from_text(found.to_text()) == found


def test_an_approval_holds_on_top_of_the_read_it_was_given_for_and_on_no_other() -> None:
    scene = Scene(sis=many(60))
    scene.run()
    scene.sis = many(10)
    stopped = scene.run().roster
    assert stopped is not None
    assert stopped.digest is not None
    scene.sis = many(61)
    scene.run()
    scene.brake = Brake(KeyedHash(b"0" * 32, "riverside"), frozenset({stopped.digest}))
    scene.sis = many(10)
    again = scene.run().roster
    assert again is not None
    assert again.stopped, "the same files end one seat more than was agreed to"
    assert again.digest != stopped.digest
    assert len(scene.canvas.uploads) == 2
