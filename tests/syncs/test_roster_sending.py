"""What becomes of an import on its way: refused rows, runs that die, a Canvas that does not answer, reading back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from gradesync.domain.account import ExpectedChange
from gradesync.domain.roster import ImportStatus, RosterEnrollment
from gradesync.domain.roster_change import RosterChange
from gradesync.domain.roster_rows import RowMessage
from gradesync.domain.run import Mode, Outcome
from gradesync.errors import ConnectionProblem, LeaseLost
from gradesync.syncs.marks import PENDING, REFUSED, ROSTER_SENT
from tests.domain.roster_samples import TODAY, person, sample, seat
from tests.syncs.roster_players import Canvas, Sis
from tests.syncs.test_roster_import import ROWS, Scene, account, many

NO_LOGIN = RowMessage("users", 3, "GS-615")
MESSAGES = ImportStatus(7, "imported_with_messages", 100, warnings=1)
DONE = ImportStatus(7, "imported", 100, {"users": 4})


def fewer() -> tuple[RosterEnrollment, ...]:
    """The sample's enrollments without the first."""
    return tuple(sample().enrollments)[1:]


def refusing(*messages: RowMessage) -> Scene:
    """A Canvas that refuses rows of its first import."""
    status = replace(MESSAGES, warnings=len(messages))
    return Scene(canvas=Canvas(steps=[status], messages={7: list(messages)}))


# --- rows Canvas would not take ---------------------------------------------------------------------------------


def test_messages_are_told_by_code_and_by_kind_and_never_kept() -> None:
    scene = refusing(NO_LOGIN, RowMessage("enrollments", 2, "GS-616"), RowMessage("enrollments", 4, "GS-616"))
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.WARNING, {"GS-615": 1, "GS-616": 2})
    assert (result.counts["refused users"], result.counts["refused enrollments"]) == (1, 2)
    kept = json.loads(scene.records.marks[REFUSED])
    assert {kind: len(keys) for kind, keys in kept["keys"].items()} == {"users": 1, "enrollments": 2}
    assert not any(name in scene.records.marks[REFUSED] for name in ("s1", "s2", "t1", "BIO", "ART"))


def test_the_next_night_sends_refused_rows_alone_and_compared_with_nothing() -> None:
    scene = refusing(NO_LOGIN)
    scene.run()
    second = scene.canvas.uploads[0].rows("users")[1]
    scene.canvas.steps = ()
    before = scene.records.marks[ROSTER_SENT]
    result = scene.run()
    assert (result.outcome, result.counts["sent"], result.counts["sent again"]) == (Outcome.COMPLETED, 0, 1)
    again = scene.canvas.uploads[1]
    assert (again.data_set, list(again.files), again.rows("users")) == (None, ["users.csv"], [second])
    # Whoever waited for this person has to look again.
    assert scene.records.marks[ROSTER_SENT] != before
    assert scene.run().did_nothing
    assert len(scene.canvas.uploads) == 2


def test_rows_that_stay_refused_are_sent_every_night_and_told_every_night() -> None:
    scene = refusing(NO_LOGIN)
    scene.run()
    scene.canvas.messages |= {number: [RowMessage("users", 2, "GS-615")] for number in (8, 9)}
    before = scene.records.marks[ROSTER_SENT]
    assert scene.preview().counts["would send again"] == 1
    for _ in range(2):
        result = scene.run()
        assert (dict(result.codes), result.counts["sent again"]) == ({"GS-615": 1}, 1)
    assert [one.remaster for one in scene.canvas.uploads] == [True, False, False]
    assert scene.records.marks[ROSTER_SENT] == before


def test_a_refused_row_that_left_the_roster_is_forgotten() -> None:
    scene = refusing(NO_LOGIN)
    scene.run()
    scene.canvas.steps = ()
    gone = scene.canvas.uploads[0].rows("users")[1]["user_id"]
    scene.sis.roster = replace(
        sample(),
        users=[one for one in sample().users if one.id != gone],
        enrollments=[one for one in sample().enrollments if one.user_id != gone],
    )
    scene.run()
    assert json.loads(scene.records.marks[REFUSED])["keys"] == {}
    assert all(one.data_set for one in scene.canvas.uploads)


def test_messages_of_differences_make_the_next_night_apply_all_rows() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = sample(enrollments=fewer())
    # Canvas numbers the rows of a file of its own making here, so they are not ours to name.
    scene.canvas.steps, scene.canvas.messages = [MESSAGES], {8: [RowMessage("enrollments", 2, "GS-616")]}
    assert dict(scene.run().codes) == {"GS-616": 1}
    assert json.loads(scene.records.marks[REFUSED])["keys"] == {}
    scene.canvas.steps = ()
    scene.run()
    assert scene.canvas.uploads[-1].remaster


def test_messages_that_name_no_row_are_given_one_more_import_of_all_rows_and_no_third() -> None:
    nameless = RowMessage("", None, "GS-604")
    scene = Scene(canvas=Canvas(steps=[MESSAGES], messages={number: [nameless] for number in (7, 8, 9)}))
    scene.run()
    scene.run()
    assert scene.run().did_nothing
    assert [one.remaster for one in scene.canvas.uploads] == [True, True]


def test_messages_that_are_not_told_are_counted() -> None:
    scene = Scene(canvas=Canvas(steps=[replace(MESSAGES, warnings=3)]))
    assert dict(scene.run().codes) == {"GS-604": 3}


def test_without_a_key_nothing_is_remembered_and_all_rows_go_again() -> None:
    scene = refusing(NO_LOGIN)
    scene.brake = None
    scene.run()
    scene.canvas.steps = ()
    scene.run()
    assert [one.remaster for one in scene.canvas.uploads] == [True, True]


# --- all rows, now and then -------------------------------------------------------------------------------------


def test_all_rows_are_applied_again_when_the_week_is_over() -> None:
    scene = Scene()
    scene.run()
    assert scene.run(today=TODAY + timedelta(days=6)).did_nothing
    assert scene.run(today=TODAY + timedelta(days=7)).counts["sent"] == ROWS
    assert [one.remaster for one in scene.canvas.uploads] == [True, True]
    assert scene.run(today=TODAY + timedelta(days=8)).did_nothing


def test_who_wants_none_gets_no_import_of_all_rows() -> None:
    usual = account()
    scene = Scene(account=replace(usual, roster=replace(usual.roster, remaster_days=0)))
    scene.run()
    assert scene.run(today=TODAY + timedelta(days=60)).did_nothing


def test_a_change_that_is_known_is_announced_to_canvas() -> None:
    rows = [person(f"s{n}") for n in range(100)]
    seats = [seat(f"s{n}") for n in range(100)]
    scene = Scene(sis=Sis(sample(users=rows, enrollments=seats)))
    scene.run()
    more = [*seats, *(seat(f"s{n}", "ART") for n in range(100))]
    scene.sis.roster = sample(users=rows, enrollments=more)
    scene.run()
    sizes = [sum(len(text.encode()) for text in one.files.values()) for one in scene.canvas.uploads]
    exact = (sizes[1] / sizes[0] - 1) * 100
    assert exact <= scene.canvas.uploads[1].expected_change < exact + 1
    assert scene.canvas.uploads[0].expected_change == 0


def test_a_limit_of_canvas_that_was_met_all_the_same_is_told_and_repaired_by_all_rows() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = sample(enrollments=fewer())
    scene.canvas.steps = [replace(DONE, threshold_exceeded=True)]
    result = scene.run()
    assert (dict(result.codes), result.counts["taken out"]) == ({"GS-619": 1}, 1)
    left = next(iter(sample().enrollments))
    assert [
        (row["section_id"], row["user_id"], row["status"])
        for row in scene.canvas.uploads[-1].rows("enrollments")
    ] == [(left.class_id, left.user_id, "inactive")]
    scene.canvas.steps = ()
    assert scene.run().outcome is Outcome.COMPLETED
    assert [(one.data_set is None, one.remaster) for one in scene.canvas.uploads] == [
        (False, True),
        (False, False),
        (True, False),
        (False, True),
    ]


# --- a run that dies, a Canvas that does not answer ----------------------------------------------------------------


async def _die(seconds: float) -> None:
    raise LeaseLost("The lease has ended.")


def killed(scene: Scene) -> None:
    """A run that ends between upload and end."""
    scene.nap = _die  # type: ignore[method-assign]  # the run ends between two looks
    with pytest.raises(LeaseLost):
        scene.run()
    del scene.nap


def test_the_successor_of_a_killed_run_waits_for_its_import_and_sends_nothing_twice() -> None:
    scene = Scene()
    killed(scene)
    result = scene.run()
    assert (result.outcome, result.counts["sent"], result.counts["taken up"]) == (Outcome.COMPLETED, 0, 1)
    assert result.counts["read back"] == 5
    assert len(scene.canvas.uploads) == 1
    assert scene.records.marks[PENDING] == ""
    assert scene.run().did_nothing


def test_what_canvas_has_already_is_not_stopped_the_day_after_it_was_allowed() -> None:
    expected = ExpectedChange("New year", TODAY, TODAY, enrollments=0.5, users=0.5, sections=0.5)
    usual = account()
    scene = Scene(sis=many(200), account=replace(usual, roster=replace(usual.roster, expect=(expected,))))
    scene.run()
    scene.sis = many(150)
    killed(scene)
    result = scene.run(today=TODAY + timedelta(days=1))
    assert (result.outcome, dict(result.codes), result.counts["taken up"]) == (Outcome.COMPLETED, {}, 1)
    assert result.roster is None or not result.roster.stopped
    assert scene.run(today=TODAY + timedelta(days=1)).did_nothing


def test_an_import_whose_number_was_never_heard_is_found_by_its_data_set() -> None:
    scene = Scene()
    scene.canvas.cuts = True
    with pytest.raises(ConnectionProblem):
        scene.run()
    scene.canvas.cuts = False
    scene.canvas.sections |= {"BIO", "ART"}
    for row in scene.canvas.uploads[0].rows("enrollments"):
        scene.canvas.seats.setdefault(row["section_id"], set()).add((row["user_id"], row["role"]))
    assert scene.run().counts["taken up"] == 1
    assert len(scene.canvas.uploads) == 1


def test_an_import_that_never_reached_canvas_is_sent_anew() -> None:
    scene = Scene()
    scene.canvas.cuts, scene.canvas.hears = True, False
    with pytest.raises(ConnectionProblem):
        scene.run()
    scene.canvas.cuts, scene.canvas.hears = False, True
    assert scene.run().counts["sent"] == ROWS
    assert scene.run().did_nothing


def test_an_earlier_import_under_the_same_name_is_not_taken_for_the_lost_one() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = sample(enrollments=fewer())
    scene.canvas.cuts, scene.canvas.hears = True, False
    with pytest.raises(ConnectionProblem):
        scene.run()
    scene.canvas.cuts, scene.canvas.hears = False, True
    result = scene.run()
    assert (result.counts["sent"], "taken up" in result.counts) == (ROWS - 1, False)


def test_a_roster_that_changed_since_the_kill_is_sent_after_the_lost_import_has_ended() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = sample(enrollments=fewer())
    killed(scene)
    scene.sis.roster = sample()
    assert scene.run().counts["sent"] == ROWS
    assert [one.remaster for one in scene.canvas.uploads] == [True, False, False]


def test_a_lost_import_that_failed_makes_the_next_apply_all_rows() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = sample(enrollments=fewer())
    killed(scene)
    scene.canvas.steps = [ImportStatus(8, "aborted")]
    scene.sis.roster = sample()
    scene.run()
    assert scene.canvas.uploads[-1].remaster


def test_an_import_canvas_no_longer_knows_is_sent_anew() -> None:
    scene = Scene()
    killed(scene)
    scene.canvas.forgets = True
    with pytest.raises(ConnectionProblem):
        scene.run()
    assert len(scene.canvas.uploads) == 2


def test_an_import_without_an_end_is_waited_for_by_every_later_run_and_not_sent_again() -> None:
    scene = Scene(canvas=Canvas(steps=[ImportStatus(7, "importing", 50)]))
    scene.run()
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.FAILED, {"GS-606": 1})
    assert len(scene.canvas.uploads) == 1
    scene.canvas.steps = ()
    assert scene.run().counts["taken up"] == 1
    assert len(scene.canvas.uploads) == 1


def test_an_import_that_never_begins_is_left_behind() -> None:
    scene = Scene(canvas=Canvas(steps=[ImportStatus(7, "initializing")]))
    result = scene.run()
    assert (result.outcome, dict(result.codes)) == (Outcome.FAILED, {"GS-606": 1})
    assert 600 <= sum(scene.naps) < 700
    assert "never began" in scene.watcher.sentences[-1]
    scene.canvas.steps = ()
    assert scene.run().counts["sent"] == ROWS


def test_a_canvas_that_is_away_for_a_while_is_waited_for() -> None:
    scene = Scene(canvas=Canvas(down=15))
    assert scene.run().outcome is Outcome.COMPLETED
    assert len(scene.canvas.uploads) == 1


def test_a_canvas_that_stays_away_ends_the_run_and_the_next_one_takes_the_import_up() -> None:
    scene = Scene(canvas=Canvas(down=1000))
    with pytest.raises(ConnectionProblem):
        scene.run()
    scene.canvas.down = 0
    assert scene.run().counts["taken up"] == 1
    assert len(scene.canvas.uploads) == 1


def test_what_canvas_said_of_a_lost_import_is_told_by_the_successor() -> None:
    scene = refusing(NO_LOGIN)
    killed(scene)
    result = scene.run()
    assert dict(result.codes) == {"GS-615": 1}


# --- reading back -------------------------------------------------------------------------------------------------


def test_seats_that_are_missing_are_told_by_school_and_bring_all_rows_again() -> None:
    scene = Scene()
    scene.run()
    scene.sis.roster = sample(enrollments=(*sample().enrollments, seat("s2", "ART")))

    async def lose(class_id: str) -> frozenset[tuple[str, str]]:
        return frozenset()

    kept, scene.canvas.class_seats = scene.canvas.class_seats, lose  # type: ignore[method-assign]  # a Canvas that lost people
    result = scene.run()
    assert dict(result.codes) == {"GS-620": result.counts["read back"]}
    assert "school 001" in scene.watcher.sentences[-1]
    scene.canvas.class_seats = kept  # type: ignore[method-assign]  # and found them again
    scene.run()
    assert scene.canvas.uploads[-1].remaster


@pytest.mark.parametrize(("verify", "looks"), [("off", 0), ("sample", 50), ("full", 80)])
def test_as_many_classes_are_read_back_as_the_account_asks_for(verify: str, looks: int) -> None:
    usual = account()
    base = sample()
    classes = [base.classes[0]._replace(id=f"K{n}") for n in range(80)]  # type: ignore[index]  # a tuple here
    scene = Scene(
        sis=Sis(sample(classes=classes, enrollments=[seat("s1", f"K{n}") for n in range(80)])),
        account=replace(usual, roster=replace(usual.roster, verify=verify)),
    )
    scene.run()
    assert len(scene.canvas.looks) == looks


def test_seats_of_refused_rows_are_not_missed_a_second_time() -> None:
    scene = refusing(RowMessage("enrollments", 2, "GS-616"))
    lost = None

    async def without(class_id: str) -> frozenset[tuple[str, str]]:
        nonlocal lost
        row = scene.canvas.uploads[0].rows("enrollments")[0]
        lost = row["section_id"]
        held = scene.canvas.seats.get(class_id, set())
        return frozenset(held - {(row["user_id"], row["role"])} if class_id == lost else held)

    scene.canvas.class_seats = without  # type: ignore[method-assign]  # a Canvas that did not take the row
    assert dict(scene.run().codes) == {"GS-616": 1}


# --- what a night costs -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(Mode))
def test_a_night_without_news_asks_canvas_only_who_it_is_and_what_became_of_our_imports(mode: Mode) -> None:
    scene = Scene()
    scene.run()
    asked: list[str] = []

    class Listening:
        def __getattr__(self, name: str) -> object:
            asked.append(name)
            return getattr(canvas, name)

    canvas, scene.canvas = scene.canvas, Listening()  # type: ignore[assignment]  # counts what is asked
    assert scene.run(mode).did_nothing
    assert asked == ["identity", "recent_imports"]


# --- who came and who left ----------------------------------------------------------------------------------------


def test_drops_and_adds_are_told_class_by_class() -> None:
    scene = Scene()
    scene.run()
    base = tuple(sample().enrollments)
    left = next(one for one in base if one.class_id == "BIO" and one.role == "student")
    scene.sis.roster = sample(enrollments=(*(one for one in base if one != left), seat("s2", "ART")))
    result = scene.run()
    assert result.roster is not None
    told = {one.class_id: (one.school, one.added, one.dropped) for one in result.roster.classes}
    came = 0 if any((one.user_id, one.class_id) == ("s2", "ART") for one in base) else 1
    assert told["BIO"] == ("001", 0, 1)
    assert told.get("ART", ("001", 0, 0)) == ("001", came, 0)
    text = result.roster.to_text()
    assert RosterChange.from_text(text) == result.roster
    assert '"s2"' not in text


def test_a_night_without_news_tells_of_no_class() -> None:
    scene = Scene()
    scene.run()
    quiet = scene.run(remaster=True)
    assert quiet.roster is None or quiet.roster.classes == ()


def test_refused_rows_wait_for_another_tools_import_too() -> None:
    scene = refusing(NO_LOGIN)
    scene.run()
    scene.canvas.foreign, kept = [True] * 1000, scene.records.marks[REFUSED]
    result = scene.run()
    assert (dict(result.codes), result.counts["unchanged"]) == ({"GS-607": 1}, ROWS)
    assert scene.records.marks[REFUSED] == kept
    assert len(scene.canvas.uploads) == 1
