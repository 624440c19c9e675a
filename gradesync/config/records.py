"""Problems as rows of the cache, and back. The order of the columns is the cache's own business."""

from __future__ import annotations

from typing import Any

from gradesync.domain.problem import Place, Problem


def problem_row(problem: Problem) -> list[Any]:
    """A JSON row."""
    p, at = problem, problem.place
    return [p.code, p.message, at.file, at.line, at.column, p.hint, p.account, p.warning, p.width]


def problem_from(row: list[Any]) -> Problem:
    """The problem of a row."""
    code, message, file, line, column, hint, account, warning, width = row
    return Problem(code, message, Place(file, line, column), hint, account, warning, width)
