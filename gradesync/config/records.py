"""Problems as rows of the cache, and back. The order of the columns is the cache's own business."""

from __future__ import annotations

from typing import Any

from gradesync.domain.problem import Place, Problem


def problem_row(problem: Problem, file: str, account: str | None = None) -> list[Any]:
    """A JSON row; what is the file's own is left out, for there may be thousands."""
    p, at = problem, problem.place
    where = None if at.file == file else at.file
    whose = None if p.account == account else p.account
    return [p.code, p.message, at.line, at.column, p.hint, p.warning, p.width, where, whose]


def problem_from(row: list[Any], file: str, account: str | None = None) -> Problem:
    """The problem of a row of that file and account."""
    code, message, line, column, hint, warning, width, where, whose = row
    return Problem(code, message, Place(where or file, line, column), hint, whose or account, warning, width)
