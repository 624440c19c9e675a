"""What reading one account file gave, in a shape that the cache keeps as a row.

A row names what it was made from: the file's bytes, the values in it, and the context (code, zone rules, day,
settings, defaults). Equal bytes in an equal context are never read again; equal values (a changed comment) are
parsed but not judged again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradesync.config.claims import Claims
from gradesync.config.findings import Path
from gradesync.config.records import problem_from, problem_row
from gradesync.domain.definition import DesiredAccount, DesiredSchedule
from gradesync.domain.problem import Place, Problem


@dataclass(slots=True)
class Entry:
    """`account` is None when the file has problems. `paths` gives each problem's path, None when it has none.

    `described` are the accounts the file speaks of, its own name and its former one: if it is broken, all are frozen.
    """

    account: DesiredAccount | None
    problems: Sequence[Problem]
    claims: Claims
    described: Sequence[str]


Row = list[Any]
"""The columns below, all JSON values. The first four are compared, the others are the result."""

CONTEXT, CONTENT, TREE, BARE, _KEY, _ACCOUNT, _CLAIMS, _SHARED, _DESCRIBED, _PATHS, _SLOTS, _PROBLEMS = range(
    12
)


@dataclass(frozen=True, slots=True)
class Made:
    """What a result was made from: its context, and hashes of the bytes, the values, and all but comments.

    `bare` is None when comments cannot be told apart for sure. `lines` are the numbers of the lines of code.
    """

    context: str
    content: str
    tree: str
    bare: str | None
    lines: Sequence[int]


def row_of(made: Made, key: str, entry: Entry, paths: Sequence[Path | None]) -> Row:
    """The row to keep; `paths` are those of the problems, None for one that cannot be placed anew."""
    a = entry.account
    packed = a and [
        a.text, a.digest, [[s.name, s.text, s.digest] for s in a.schedules.values()],
        a.leaving, dict(a.moved), a.moved_from,
    ]  # fmt: skip
    claims = [[kind, value, path] for kind, value, path in entry.claims.claims]
    problems = [problem_row(problem, entry.claims.file, key) for problem in entry.problems]
    return [
        made.context, made.content, made.tree, made.bare, key, packed, claims, entry.claims.shared,
        list(entry.described), list(paths), _slots(problems, paths, made), problems,
    ]  # fmt: skip


def _slots(problems: Sequence[Any], paths: Sequence[Any], made: Made) -> list[int | None]:
    """Each problem's line as a number among the lines of code, which comments do not change."""
    if made.bare is None or not problems:
        return [None] * len(problems)
    index = {line: slot for slot, line in enumerate(made.lines)}
    return [None if path is None else index.get(row[2]) for row, path in zip(problems, paths, strict=True)]


def moved_row(row: Row, made: Made, watched: Mapping[Path, tuple[Place, int]]) -> Row | None:
    """The row of a file whose values are the same on other lines, or None when a problem needs a new look.

    Only warnings about watched values can be placed again without judging the file anew.
    """
    problems: list[Any] = []
    for old, path in zip(row[_PROBLEMS], row[_PATHS], strict=True):
        known = watched.get(tuple(path)) if path is not None else None
        if known is None:
            return None
        place, width = known
        problems.append([*old[:2], place.line, place.column, *old[4:6], width, *old[7:]])
    slots = _slots(problems, row[_PATHS], made)
    return [made.context, made.content, made.tree, made.bare, *row[_KEY:_SLOTS], slots, problems]


def recommented_row(row: Row, content: str, lines: Sequence[int]) -> Row | None:
    """The row of a file in which only comments changed; `lines` are the numbers of its lines of code now."""
    if None in row[_SLOTS]:
        return None
    problems = [[*p[:2], lines[slot], *p[3:]] for p, slot in zip(row[_PROBLEMS], row[_SLOTS], strict=True)]
    return [row[CONTEXT], content, *row[TREE:_PROBLEMS], problems]


def entry_from(file: str, row: Row) -> Entry:
    """What the row says."""
    key, packed, claims, shared, described, _, _, problems = row[_KEY:]
    account = _account(file, key, packed) if packed else None
    placed = [problem_from(one, file, key) for one in problems]
    return Entry(account, placed, Claims(file, claims, shared), described)


def _account(file: str, key: str, packed: list[Any]) -> DesiredAccount:
    text, digest, schedules, leaving, moved, moved_from = packed
    named = {row[0]: DesiredSchedule(*row) for row in schedules}
    return DesiredAccount(key, file, text, digest, named, leaving, moved, moved_from)
