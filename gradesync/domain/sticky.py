"""The one comment on a pull request: how it is known again, and which of two plans may stand in it.

A comment begins with a marker that nobody sees. It names what the comment is about (repository, tree, accounts) and
which plan it shows, so that a job that was late never overwrites what a newer one wrote. Pure.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

_MARKER = re.compile(
    r"<!-- gradesync plan key=([0-9a-f]{16}) head=([0-9a-f]{40}|[0-9a-f]{64}|none) "
    r"run=(\d{1,19})\.(\d{1,6}) at=(\d{8}T\d{6}Z) -->"
)
_TIME = "%Y%m%dT%H%M%SZ"


def key_of(repository: str, tree: str, accounts: Collection[str] | None) -> str:
    """16 hex digits for what a comment is about; a plan of some accounts has a comment of its own."""
    parts = [repository.casefold(), tree, *(["\0all"] if accounts is None else sorted(set(accounts)))]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Stamp:
    """Which plan a comment shows: of which head commit, made by which run of CI, and when (aware UTC, seconds)."""

    key: str
    head: str | None
    run: int
    attempt: int
    at: datetime

    @property
    def marker(self) -> str:
        """The comment's first line; a reader of the page does not see it."""
        when = self.at.astimezone(UTC).strftime(_TIME)
        return (
            f"<!-- gradesync plan key={self.key} head={self.head or 'none'} "
            f"run={self.run}.{self.attempt} at={when} -->"
        )

    @property
    def order(self) -> tuple[datetime, int, int]:
        """Of two plans of one commit the later one is true: the store may have changed between them."""
        return (self.at.replace(microsecond=0), self.run, self.attempt)


def stamp_of(body: str) -> Stamp | None:
    """The stamp of a comment; None unless its very first line is a marker, as nobody else writes one."""
    found = _MARKER.fullmatch(body.partition("\n")[0].rstrip("\r"))
    if found is None:
        return None
    key, head, run, attempt, at = found.groups()
    try:
        moment = datetime.strptime(at, _TIME).replace(tzinfo=UTC)
    except ValueError:
        return None
    return Stamp(key, None if head == "none" else head, int(run), int(attempt), moment)


class Verdict(StrEnum):
    """What becomes of a new plan's comment."""

    POST = "post"
    EDIT = "edit"
    NOTHING = "nothing"
    """Nothing to say, and no comment that says otherwise."""
    BEHIND = "behind"
    """The pull request has moved on to another commit; that one's job comments."""
    OLDER = "older"
    """A newer plan stands there already."""


def verdict(mine: Stamp, standing: Stamp | None, current: str | None, *, quiet: bool) -> Verdict:
    """What to do. `current` is the pull request's head now (None: not known); a `quiet` plan has nothing to say."""
    if current is not None and mine.head is not None and mine.head != current:
        return Verdict.BEHIND
    if standing is None:
        return Verdict.NOTHING if quiet else Verdict.POST
    surely_newer = mine.head is not None and mine.head == current and standing.head != current
    if not surely_newer and standing.order > mine.order:
        return Verdict.OLDER
    return Verdict.EDIT


@dataclass(frozen=True, slots=True)
class OwnComment:
    """A comment that our own token wrote."""

    id: int
    body: str
    url: str = ""


def ours(comments: Sequence[OwnComment], key: str) -> tuple[OwnComment | None, tuple[OwnComment, ...]]:
    """The comment to keep, and its doubles: of several (two jobs that raced) the first one made stays."""
    mine = sorted(
        (one for one in comments if (stamp := stamp_of(one.body)) is not None and stamp.key == key),
        key=lambda one: one.id,
    )
    return (mine[0], tuple(mine[1:])) if mine else (None, ())


__all__ = ["OwnComment", "Stamp", "Verdict", "key_of", "ours", "stamp_of", "verdict"]
