"""Accounts that are in no list, because the very first file of theirs has problems: nothing of them was ever recorded.

Pure. An account that is recorded and whose file has problems is frozen, and stands in every list; that is not this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from gradesync.domain.problem import Problem


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A file of which nothing could be taken: `file` is relative to the tree.

    `line` (from 1) and `code` are those of its first problem, None where the files are not at hand. `since` (aware UTC)
    is when a pass first met it so, None where no pass has.
    """

    file: str
    line: int | None = None
    code: str | None = None
    since: datetime | None = None


def unrecorded_files(problems: Iterable[Problem], accounts: AbstractSet[str]) -> tuple[Unrecorded, ...]:
    """The files of these accounts that have problems of their own, in the order of their names.

    Problems of the defaults or of gradesync.yaml are told where those are: they stop every account.
    """
    found: dict[str, Unrecorded] = {}
    for one in sorted((one for one in problems if not one.warning), key=lambda one: one.place):
        file = one.place.file
        if one.account in accounts and account_of(file) == one.account:
            found.setdefault(file, Unrecorded(file, one.place.line, one.code))
    return tuple(found.values())


def noted_files(frozen: Mapping[str, datetime]) -> tuple[Unrecorded, ...]:
    """Of what `Store.frozen` answers, what stands by its file; in the order of their names."""
    return tuple(Unrecorded(key, since=at) for key, at in sorted(frozen.items()) if is_file(key))


def is_file(key: str) -> bool:
    """Whether a key of `Store.frozen` is a file; no account's name has a dot."""
    return "." in key


def account_of(file: str) -> str:
    """The account that a file is about, whose name it has; of an account's name that name."""
    name = file.rpartition("/")[2]
    return name.rpartition(".")[0] or name


__all__ = ["Unrecorded", "account_of", "is_file", "noted_files", "unrecorded_files"]
