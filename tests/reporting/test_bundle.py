"""Of the other side's own words only those of a fixed list get into a support bundle."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gradesync.domain.run import Outcome, RunResult, Stage
from gradesync.domain.support import Support
from gradesync.reporting.bundle import files, known_words, packed
from tests.reporting import samples as s


def test_a_refusal_keeps_its_sense_and_loses_its_people() -> None:
    text = 'Student "Ana Ortiz" (4711) is not enrolled in section Biology-3: score 7.5 exceeds maximum'
    assert known_words(text) == "student _ is not enrolled _ section _ score _ exceeds maximum"
    assert known_words("Ana Ortiz 4711") == ""
    assert known_words("Will Grade may not be found") == "_ not _ found"


@given(st.text(max_size=60))
def test_no_word_outside_the_list_gets_through(text: str) -> None:
    told = known_words(f"invalid {text}")
    assert set(told.split()) <= set(_list()) | {"_"}


def _list() -> frozenset[str]:
    from gradesync.reporting import bundle

    return bundle._LIST


def bundle_text(**more: object) -> str:
    result = RunResult(
        Outcome.WARNING,
        Stage.WRITE,
        counts={"sent": 3},
        codes={"GS-599": 2},
        vendor={"GS-599": "Ana Ortiz 4711 got 7.5 in '=cmd' \x1b[2J"},
        answers={"GS-599 0a1b2c3d4e5f": 2, "GS-599 HTTP 422": 2, "GS-502 HTTP 403": 1},
        seconds={"fetch": 1.25},
    )
    last = s.ROWS[0].last
    assert last is not None
    run = replace(last, result=result, class_filter="alg-1-p3", reason="Ana Ortiz")
    return files(Support(at=s.NOW, run=run, holds=(s.HOLD,), **more))["bundle.json"]  # type: ignore[arg-type]  # by name


def test_a_bundle_keeps_fingerprints_and_times_and_no_words_of_anybody() -> None:
    text = bundle_text()
    assert '"0a1b2c3d4e5f": 2' in text
    assert '"fetch": 1.25' in text
    told = {one["code"]: one for one in json.loads(text)["run"]["answers"]}
    assert told["GS-599"]["statuses"] == {"422": 2}
    assert (told["GS-502"]["statuses"], told["GS-502"]["fingerprints"]) == ({"403": 1}, {})
    for word in ("Ana", "Ortiz", "4711", "7.5", "cmd", "alg-1", "u001b", s.HOLD.reason, s.HOLD.actor.name):
        assert word not in text


def test_equal_bundles_are_equal_files() -> None:
    found = files(Support(at=s.NOW, run=s.ROWS[0].last))  # type: ignore[arg-type]  # the sample has one
    assert packed(found) == packed(dict(found))
