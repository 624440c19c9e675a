"""Answers nobody has a code of its own for are grouped by fingerprint: in the run, its history entry and `show`."""

from __future__ import annotations

import json
from typing import Any

from gradesync.domain.run import Outcome, RunResult, Stage, answers_to, statuses_to
from gradesync.errors import ConnectionProblem
from gradesync.reporting import structured, text
from gradesync.reporting.style import Style
from gradesync.store.rows import _result_of, result_values
from gradesync.syncs.stage import ANSWERS_KEPT, TEXT_LENGTH, TEXTS_KEPT, StageTracker
from tests.engine.district import District

PLAIN = Style(color=False, width=80, terminal=False)


def unknown(fingerprint: str, words: str = "Jane Roe: computer says no") -> ConnectionProblem:
    return ConnectionProblem("refused", code="GS-599", status=418, vendor_text=words, fingerprint=fingerprint)


def refused() -> District:
    """Three results are refused, two of them in the same way."""
    district = District()
    district.started()
    sis, school = district.school.sis, district.school
    (first, second, third) = sorted(sis.results.values(), key=lambda one: one.id)[:3]
    sis.refuse = {first.id: unknown("aaaa"), second.id: unknown("aaaa"), third.id: unknown("bbbb")}
    district.later(15)
    for submission in [one for course in school.canvas.held.values() for one in course.submissions]:
        school.grade(submission.assignment_id, submission.user_id, "1.25")
    district.reconcile()
    return district


def test_equal_answers_are_counted_together_in_the_run_and_in_history() -> None:
    district = refused()
    run = district.runs()[0]
    assert run.result is not None
    assert run.result.codes["GS-599"] == 3
    assert answers_to(run.result, "GS-599") == [("aaaa", 2), ("bbbb", 1)]
    assert statuses_to(run.result, "GS-599") == [("418", 3)]
    assert district.history("run ended")[-1].fact.data["answers"] == {
        "GS-599 HTTP 418": 3,
        "GS-599 aaaa": 2,
        "GS-599 bbbb": 1,
    }


def test_a_run_shows_the_kinds_of_answers_and_never_their_words() -> None:
    run = refused().runs()[0]
    shown = text.run(run, style=PLAIN)
    assert "2 kinds of answers by fingerprint: aaaa x2, bbbb x1" in shown
    document = json.dumps(structured.run(run))
    (code,) = [one for one in structured.run(run)["run"]["result"]["codes"] if one["code"] == "GS-599"]
    assert code["answers"] == [{"fingerprint": "aaaa", "count": 2}, {"fingerprint": "bbbb", "count": 1}]
    assert "Jane" not in shown + document
    assert "computer" not in shown + document


def test_a_database_gives_codes_and_answers_back_apart() -> None:
    result = RunResult(
        Outcome.WARNING,
        Stage.RECORD,
        {"sent": 1},
        {"GS-599": 3, "GS-401": 1},
        answers={"GS-599 aaaa": 3, "GS-599 HTTP 418": 3},
    )
    kept: Any = result_values(result)
    columns = ("outcome", "stage", "counts", "codes", "vendor", "roster")
    assert _result_of(*(kept[name] for name in columns)) == result


def test_a_sis_that_never_says_the_same_twice_fills_no_store() -> None:
    tracker = StageTracker()
    for number in range(500):
        tracker.answered(unknown(f"{number:012x}"))
        tracker.answered(unknown("ffff"))
    kept = tracker.result().answers
    assert len(kept) == ANSWERS_KEPT
    assert kept["GS-599 ffff"] == 500


def test_an_answer_whose_code_says_it_all_has_no_group() -> None:
    tracker = StageTracker()
    tracker.answered(ConnectionProblem("closed", code="GS-501"))
    assert tracker.result().answers == {}


def test_the_other_sides_words_are_kept_apart_short_and_few_and_shown_only_when_asked_for() -> None:
    district = refused()
    run = district.runs()[0]
    assert run.result is not None
    assert run.result.vendor == {"GS-599": "Jane Roe: computer says no"}
    shown = text.run(run, style=PLAIN, vendor_text=True)
    assert "Jane Roe: computer says no" in shown
    assert "may name students" in shown
    everything_else = json.dumps([dict(entry.fact.data) for entry in district.history()]) + repr(
        run.result.codes
    )
    assert "Jane" not in everything_else
    district.later(60)
    district.store.purge(district.school.now, [])
    purged = district.runs()[0]
    assert purged.result is not None
    assert purged.result.vendor == {}
    assert "erased" in text.run(purged, style=PLAIN, vendor_text=True)


def test_a_side_that_names_every_student_anew_fills_no_store() -> None:
    tracker = StageTracker()
    for code in range(500, 530):
        for student in range(50):
            words = f"{student} " + "x" * 5_000
            tracker.answered(ConnectionProblem("no", code=f"GS-{code}", vendor_text=words))
    kept = tracker.result(Outcome.WARNING).vendor
    assert len(kept) == TEXTS_KEPT
    assert max(len(one) for one in kept.values()) == TEXT_LENGTH
    assert [key for key in kept if key.startswith("GS-500")] == ["GS-500", "GS-500 #2", "GS-500 #3"]


def test_what_a_server_says_of_a_key_is_kept_nowhere() -> None:
    tracker = StageTracker()
    for code in ("GS-201", "GS-202"):
        tracker.answered(ConnectionProblem("no", code=code, vendor_text="bad key s3cr3t"))
    assert tracker.result(Outcome.FAILED).vendor == {}
