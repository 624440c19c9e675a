"""Which files are told of an account that was never recorded."""

from __future__ import annotations

from gradesync.domain.problem import Place, Problem
from gradesync.domain.unrecorded import Unrecorded, account_of, is_file, unrecorded_files


def problem(file: str, line: int, account: str | None, *, warning: bool = False) -> Problem:
    return Problem("GS-102", "unknown key", Place(file, line), account=account, warning=warning)


def test_each_file_is_told_once_with_its_first_problem() -> None:
    problems = [
        problem("schedules/elm.yaml", 9, "elm"),
        problem("schedules/elm.yaml", 3, "elm"),
        problem("schedules/elm.yaml", 1, "elm", warning=True),
        problem("schedules/north/ash.yml", 2, "ash"),
        problem("schedules/oak.yaml", 2, "oak"),
    ]
    assert unrecorded_files(problems, {"elm", "ash"}) == (
        Unrecorded("schedules/elm.yaml", 3, "GS-102"),
        Unrecorded("schedules/north/ash.yml", 2, "GS-102"),
    )


def test_problems_of_the_defaults_are_told_where_those_are() -> None:
    problems = [problem("schedules/_defaults.yaml", 2, "elm"), problem("gradesync.yaml", 1, None)]
    assert unrecorded_files(problems, {"elm"}) == ()


def test_a_file_and_an_account_are_never_taken_for_each_other() -> None:
    assert is_file("schedules/north/elm-park.yaml")
    assert not is_file("elm-park")
    assert account_of("schedules/elm.park.yaml") == "elm.park"
    assert account_of("schedules/north/elm-park.yaml") == account_of("elm-park") == "elm-park"
