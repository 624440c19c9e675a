"""What reading one account file gave, in a shape that the cache keeps as a row.

A row names what it was made from: the file's bytes, the values in it, and the context (code, zone rules, day,
settings, defaults). Equal bytes in an equal context are never read again; equal values (a changed comment) are
parsed but not judged again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gradesync.config.claims import Claims
from gradesync.config.findings import Path
from gradesync.config.records import problem_from, problem_row
from gradesync.domain.definition import DesiredAccount, DesiredSchedule
from gradesync.domain.problem import Problem


@dataclass(frozen=True, slots=True)
class Entry:
    """`account` is None when the file has problems. `paths` gives each problem's path, None when it has none.

    `described` are the accounts the file speaks of, its own name and its former one: if it is broken, all are frozen.
    """

    context: str
    content: str
    tree: str
    account: DesiredAccount | None
    problems: tuple[Problem, ...]
    paths: tuple[Path | None, ...]
    claims: Claims
    described: tuple[str, ...]

    def row(self) -> list[Any]:
        """As JSON values."""
        a = self.account
        packed = a and [
            a.key, a.text, a.digest, [[s.name, s.text, s.digest] for s in a.schedules.values()],
            a.leaving, dict(a.moved), a.moved_from,
        ]  # fmt: skip
        return [
            self.context, self.content, self.tree, packed, [problem_row(p) for p in self.problems],
            [p if p is None else list(p) for p in self.paths],
            [[kind, value, list(path)] for kind, value, path in self.claims.claims], self.claims.shared,
            list(self.described),
        ]  # fmt: skip


def entry_from(file: str, row: list[Any]) -> Entry:
    """The entry of a row."""
    context, content, tree, packed, problems, paths, claims, shared, described = row
    return Entry(
        context=context,
        content=content,
        tree=tree,
        account=_account(file, packed) if packed else None,
        problems=tuple([problem_from(one) for one in problems]),
        paths=tuple([None if path is None else tuple(path) for path in paths]),
        claims=Claims(file, [(kind, value, tuple(path)) for kind, value, path in claims], shared),
        described=tuple(described),
    )


def _account(file: str, packed: list[Any]) -> DesiredAccount:
    key, text, digest, schedules, leaving, moved, moved_from = packed
    named: Mapping[str, DesiredSchedule] = {row[0]: DesiredSchedule(*row) for row in schedules}
    return DesiredAccount(key, file, text, digest, named, leaving, moved, moved_from)
