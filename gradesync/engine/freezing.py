"""Accounts whose file has problems in the tree that a pass applied: remembered, because the files are not at hand
wherever somebody asks why nothing changed. What is frozen is decided by whoever read the files.

An account that was never recorded has no name in the store yet: its file stands there instead (`schedules/new.yaml`),
which no name of an account can be taken for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from gradesync.domain.history import Fact
from gradesync.domain.problem import Problem
from gradesync.domain.unrecorded import account_of, is_file, unrecorded_files
from gradesync.engine.tools import Tools
from gradesync.events import tell


def note_frozen(
    tools: Tools, found: frozenset[str], only: frozenset[str] | None, problems: Iterable[Problem] = ()
) -> None:
    """Write down which recorded accounts are frozen now, since when, and which files of others have `problems`.

    `only`: the accounts the pass was limited to.
    """
    before = tools.store.frozen()
    seen = {key: at for key, at in before.items() if only is not None and account_of(key) not in only}
    mine = found if only is None else found & only
    if not mine and len(seen) == len(before):
        return
    known = tools.store.recorded(mine).accounts
    now = tools.store.now()
    recorded = {key for key in mine if key in known and not known[key].retired}
    files = {one.file for one in unrecorded_files(problems, mine - recorded)}
    after = {**seen, **{key: before.get(key, now) for key in recorded | files}}
    if after != before:
        tools.store.note_frozen(after, tuple(_facts(tools, before, after)))
        tell("accounts.frozen", "{accounts} accounts are frozen", accounts=len(after))


def _facts(tools: Tools, before: Mapping[str, datetime], after: Mapping[str, datetime]) -> Iterator[Fact]:
    for key in sorted(after.keys() - before.keys()):
        # What is not recorded has no history yet.
        if not is_file(key):
            yield Fact("account frozen", tools.actor, key)
    for key in sorted(before.keys() - after.keys()):
        if not is_file(key):
            yield Fact(
                "account no longer frozen", tools.actor, key, data={"frozen since": before[key].isoformat()}
            )


__all__ = ["note_frozen"]
